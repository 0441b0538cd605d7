"""The screening before work without stimulation: what concerns electricity falls away, movement and pain stay.

From the clinical reference, C.1, C.2 and C.4. There are no default answers here either.
"""

from __future__ import annotations

from typing import Final

from stimctl.orders import Question
from stimctl.schedule.guided import GuidePlan

_BLOCKERS: Final = (
    ("fracture", "Fracture, dislocation or fresh tendon or nerve repair that movement could harm?"),
    ("thrombosis", "Deep vein thrombosis or inflamed vein in this arm that is not treated yet?"),
    ("pain-unclear", "Strong pain, or a hot, swollen hand or shoulder, that nobody has looked at yet?"),
    ("unwell", "Chest pain, faintness, a seizure or unstable heart disease today?"),
    ("feedback", "Unable to understand or to signal, with no agreed other signal?"),
)

_PRECAUTIONS: Final = (
    ("cognition", "Impaired cognition, communication or neglect?"),
    ("tone", "Severe spasticity, contracture or oedema (passive range checked first)?"),
    ("bones", "Osteoporosis, recent surgery or a regional pain syndrome in this arm?"),
    ("heart", "Known heart disease or heart failure?"),
    ("epilepsy", "Epilepsy that is controlled?"),
    ("numb", "Reduced feeling in the hand, so that pressure or heat may go unnoticed?"),
)

_CHECKS: Final = (
    ("identity", "Two identifiers and the affected side checked with the patient?"),
    ("changes", "Asked for changes since last time (medication, falls, pain, skin)?"),
    ("pain-asked", "Asked for pain now, and told to stop when it gets worse?"),
    ("position", "Seated, forearm carried, shoulder free, splint off?"),
    ("stop-agreed", "A word or sign agreed with which the patient ends it at any time?"),
)

_ELECTRODES: Final = ("electrodes", "Electrodes that only listen in place, skin under them intact and clean?")
_RESTRAINT: Final = (
    ("falls", "Unsteady on the feet, or a fall, with one hand restrained?", "precaution"),
    ("mitt", "Mitt comes off by itself or with one pull, and the skin under it is intact?", "check"),
)
_GLOVE: Final = ("glove-stop", "The glove's own stop tried today, and its range set to this hand?")


def questions(plan: GuidePlan) -> tuple[Question, ...]:
    """The questions for this work, all unanswered."""
    listed = [
        Question(name, text, kind)
        for kind, rows in (("blocker", _BLOCKERS), ("precaution", _PRECAUTIONS), ("check", _CHECKS))
        for name, text in rows
    ]
    return (*listed, *_of_the_technique(plan))


def _of_the_technique(plan: GuidePlan) -> list[Question]:
    more = []
    if plan.equipment:
        more.append(Question("equipment", f"Ready, clean and whole: {plan.equipment}?", "check"))
    if plan.ear is not None:
        more.append(Question(*_ELECTRODES, "check"))
    if plan.technique == "constraint":
        more += [Question(*row) for row in _RESTRAINT]
    if plan.technique == "robot-glove":
        more.append(Question(*_GLOVE, "check"))
    return more
