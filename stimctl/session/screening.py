"""The screening before a session: what blocks it, what needs a reason, what must be confirmed.

The lists restate the clinical reference, C.1 (do not treat), C.2 (precautions) and C.4 (checks of the day), gathered
from device labels and trial exclusions. There are no default answers: an unanswered question keeps the session shut.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, final

from stimctl.errors import UsageError
from stimctl.limits import Effect, Sensation
from stimctl.orders import Question

_BOTH: Final = frozenset({Effect.MOTOR, Effect.SENSORY})
_MOTOR: Final = frozenset({Effect.MOTOR})

_BLOCKERS: Final = (
    ("implant", "Pacemaker, defibrillator or any other active implant?", _BOTH),
    ("malignancy", "Known or suspected tumour in the area to be treated?", _BOTH),
    ("thrombosis", "Deep vein thrombosis or inflamed vein in this arm?", _MOTOR),
    ("bleeding", "Bleeding tissue, or an untreated bleeding disorder?", _MOTOR),
    ("infection", "Active infection under or near the pads?", _BOTH),
    ("fracture", "Fracture, dislocation or fresh tendon or nerve repair that movement could harm?", _MOTOR),
    ("pregnancy", "Pregnant?", _BOTH),
    ("feedback", "Unable to understand or to signal, with no agreed other signal?", _BOTH),
    ("seizures", "Uncontrolled epilepsy, or a seizure within three months?", _BOTH),
    ("arrhythmia", "Serious unstable arrhythmia or unstable heart disease?", _BOTH),
    ("heat", "Short-wave, microwave or HF surgery equipment running nearby?", _BOTH),
)

_PRECAUTIONS: Final = (
    ("metal", "Metal in the treated forearm or hand?", _BOTH),
    ("cognition", "Impaired cognition, communication or neglect?", _BOTH),
    ("skin-fragile", "Frail, irradiated or damaged skin, eczema or psoriasis near the site?", _BOTH),
    ("heart", "Known heart disease or heart failure?", _BOTH),
    ("epilepsy", "Epilepsy that is controlled?", _BOTH),
    ("botulinum", "Botulinum toxin in this arm within three months?", _MOTOR),
    ("tone", "Severe spasticity, contracture or oedema?", _MOTOR),
    ("bones", "Osteoporosis, recent surgery or vessel disease in this arm?", _MOTOR),
    ("nerve", "Denervated or regenerating nerve, or neuropathy?", _BOTH),
    ("allergy", "Allergy to gel, adhesive or nickel?", _BOTH),
    ("drugs", "Strong pain killers today, or a drug patch near the site?", _BOTH),
)

_CHECKS: Final = (
    ("identity", "Two identifiers and the affected side checked with the patient?", _BOTH),
    ("changes", "Asked for changes since last time (medication, falls, pain, skin)?", _BOTH),
    ("skin", "Skin at every pad intact, clean and dry?", _BOTH),
    ("jewellery", "Jewellery and watch off, no ECG or monitor attached?", _BOTH),
    ("position", "Seated, arm supported, joint free, splint off?", _BOTH),
    ("stop-tried", "Stop tried today, and a stop word or gesture agreed?", _BOTH),
    (
        "stop-holder",
        "Can somebody besides you stop it: the patient with a switch in the sound hand, or a second person?",
        _BOTH,
    ),
    ("switch", "A physical switch that removes the stimulator's output within reach?", _BOTH),
)


_GLOVE: Final = Question(
    "robot-stop",
    "Robot glove fitted by its own manual, its range set for this hand, its own stop tried today?",
    "check",
)


def questions(effect: Effect, sites: tuple[str, ...], *, robot: bool = False) -> tuple[Question, ...]:
    """The questions for a session of this effect on these sites, all unanswered; ``robot``: beside a robot glove."""
    listed = [
        Question(name, text, kind)
        for kind, rows in (("blocker", _BLOCKERS), ("precaution", _PRECAUTIONS), ("check", _CHECKS))
        for name, text, effects in rows
        if effect in effects
    ]
    felt = [
        Question(f"sensation:{site}", f"Touch felt on the {site.replace('-', ' ')}?", "sensation") for site in sites
    ]
    return (*listed, *((_GLOVE,) if robot else ()), *felt)


@final
class Screening:
    """The answers so far. Every change is a new value; nothing is pre-filled."""

    def __init__(self, asked: tuple[Question, ...]) -> None:
        self.questions = asked

    def answer(self, name: str, value: str, justification: str) -> Question:
        """Take one answer; raises :class:`UsageError` for an unknown question or an answer that it does not have."""
        names = [question.id for question in self.questions]
        if name not in names:
            raise UsageError(f"there is no screening question {name!r}")
        at = names.index(name)
        question = self.questions[at]
        allowed = tuple(Sensation) if question.kind == "sensation" else ("yes", "no")
        if value not in allowed:
            raise UsageError(f"{question.text} Answer {' or '.join(allowed)}, not {value!r}")
        answered = replace(question, answer=value, justification=justification.strip())
        self.questions = (*self.questions[:at], answered, *self.questions[at + 1 :])
        return answered

    @property
    def open_points(self) -> tuple[str, ...]:
        """What still keeps the session shut, as sentences; empty when all is answered."""
        return tuple(filter(None, map(self._open_point, self.questions)))

    @staticmethod
    def _open_point(question: Question) -> str:
        if not question.answer:
            return f"not answered: {question.text}"
        if question.kind == "check" and question.answer != "yes":
            return f"must be done first: {question.text}"
        if question.kind == "precaution" and question.answer == "yes" and not question.justification:
            return f"needs a reason: {question.text}"
        return ""

    @property
    def blockers(self) -> tuple[str, ...]:
        """What forbids this session altogether."""
        blocking = [q.text for q in self.questions if q.kind == "blocker" and q.answer == "yes"]
        # Labels forbid pads on skin that feels nothing (C.3), and sensory stimulation has nothing to dose by there (E.2).
        absent = [q for q in self.questions if q.kind == "sensation" and q.answer == Sensation.ABSENT]
        return (*blocking, *(f"No sensation: {q.text}" for q in absent))

    @property
    def needs_care(self) -> bool:
        """Whether the patient cannot be relied on to feel harm and say so (hazard H10)."""
        answers = {question.id: question.answer for question in self.questions}
        return answers.get("cognition") == "yes" or Sensation.REDUCED in answers.values()

    def sensation(self, site: str) -> Sensation:
        """The answer for a site; raises :class:`UsageError` while there is none."""
        for question in self.questions:
            if question.id == f"sensation:{site}" and question.answer:
                return Sensation(question.answer)
        raise UsageError(f"sensation at {site} has not been tested today")
