"""What an author probably meant by a word that a field does not take: another word for the same, with what it says.

Spelling is compared in :mod:`stimctl.protocols.checks`; here stand the words that look different and mean the same, as
a therapist would write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from stimctl.protocols.findings import Path

LONGEST_NAME: Final = 32

FIELDS: Final[Mapping[str, str]] = {
    "pulse_width_us": "write phase_width_us: the width of ONE phase, half of a symmetric pulse without its gap",
    "pulse_width": "write phase_width_us: the width of ONE phase, half of a symmetric pulse without its gap",
    "width_us": "write phase_width_us: the width of ONE phase",
    "frequency_hz": "write rate_hz",
    "frequency": "write rate_hz",
    "current_ma": "write amplitude_ma and max_amplitude_ma",
    "intensity_ma": "write amplitude_ma and max_amplitude_ma",
    "on_s": "write ramp_up_s, hold_s and ramp_down_s",
    "off_s": "write rest_s",
    "duration": "a phase or step has length_s, a burst hold_s, TENS duration_min",
    "duration_s": "a phase or step has length_s, a burst hold_s, TENS duration_min",
    "pause_s": "write rest_s",
    "period_s": "write ramp_up_s, hold_s, ramp_down_s and rest_s; the period follows from them",
    "area_cm2": "write model: the area follows from it and cannot be stated",
    "size": "write model: its name is the conductive size in mm",
    "side": "the session asks for the side; a file never holds it",
    "channels": "write each channel under its own [[channel]]",
    "phases": "write each phase under its own [[phase]]",
    "electrodes": "write pads",
    "reps": "write repetitions",
}
"""What is said beside an unknown field whose meaning is clear."""


class Word(NamedTuple):
    """What a field takes, what it says, and the words that people write for it."""

    option: str
    says: str
    others: str


_BY: Final = (
    Word(
        "attempt",
        "the patient's own effort, heard in the EMG as [trigger] says",
        "emg muscle effort patient trigger try voluntary volition intention movement",
    ),
    Word(
        "key",
        'a switch in the hand, or the key A; a robot glove is the key too, with source = "robot" under [switch]',
        "button switch press pedal keyboard space robot glove therapist helper manual operator",
    ),
    Word("time", "the clock alone", "clock timer auto automatic cyclic rest none nothing duration seconds"),
)
_MISSED: Final = (
    Word("count", "the miss is counted, and nothing flows", "ignore skip nothing none log record no wait off"),
    Word("assist", "a burst all the same, logged apart", "help helped stimulate burst support give yes on"),
)
_COUNTED_BY: Final = (
    Word("key", "somebody presses A on the screen", "button switch press hand keyboard manual therapist helper"),
    Word("emg", "the muscle's own activity", "muscle effort attempt trigger"),
    Word("angle", "how far the joint moves", "goniometer joint degrees deg movement range position rom"),
)

_VALUES: Final[Mapping[tuple[str, str], tuple[Word, ...]]] = {
    ("kind", "kind"): (
        Word("fes-cyclic", "muscles contract by the clock", "fes nmes ems es cyclic clock"),
        Word("fes-emg-triggered", "each burst is set off by the patient's own attempt", "emg etns emg-nmes emg-fes"),
        Word("fes-switch-triggered", "each burst is set off by a switch", "button pedal key robot glove"),
        Word("fes-sequence", "a task in phases", "task grasp phases functional grasp-release"),
        Word("fes-contralateral", "the sound hand leads", "ccfes bilateral mirrored sound-hand"),
        Word("tens-conventional", "steady, felt, and moves nothing; each mode is a kind of its own", "tens pain"),
        Word(
            "activity", "guided work without stimulation", "exercise exercises stretching mirror mirror-therapy imagery"
        ),
        Word("biofeedback", "the EMG or an angle against a goal", "feedback emg-feedback"),
        Word("plan", "blocks, each a file of its own", "session sitting programme program schedule workout"),
    ),
    ("channel", "site"): (
        Word("forearm-dorsal", "the back of the forearm", "dorsal extensors forearm-extensors back-of-forearm"),
        Word("forearm-dorsal", "the back of the forearm", "posterior-forearm dorsal-wrist"),
        Word("forearm-volar", "the palm side of the forearm", "volar palmar flexors forearm-flexors palmar-forearm"),
        Word("forearm-volar", "the palm side of the forearm", "ventral-forearm anterior-forearm volar-wrist"),
        Word("", "the wrist belongs to the forearm: forearm-dorsal or forearm-volar", "wrist"),
        Word("", "which part of it: forearm-dorsal, forearm-volar or upper-arm", "arm"),
        Word("thenar", "the ball of the thumb", "thumb palm"),
        Word("hand-dorsal", "the back of the hand", "hand back-of-hand dorsum"),
        Word("upper-arm", "below the shoulder", "biceps triceps"),
        Word("shoulder", "posterior deltoid and supraspinatus", "deltoid supraspinatus"),
    ),
    ("phase", "advance"): _BY,
    ("sequence", "start"): _BY,
    ("trigger", "on_missed"): _MISSED,
    ("switch", "on_missed"): _MISSED,
    ("switch", "source"): (
        Word("key", "a switch that types the key A", "button switch press pedal hand keyboard space patient helper"),
        Word("robot", "the phase line of a robot glove", "glove orthosis exoskeleton device"),
    ),
    ("control", "source"): (
        Word("sound-hand-angle", "how far the sound hand opens", "angle goniometer sensor position joint opening"),
        Word("sound-hand-emg", "the envelope over the sound hand's extensors", "emg muscle effort envelope"),
        Word("own-emg", "the EMG of the muscle that is stimulated", "emg muscle effort attempt own envelope"),
    ),
    ("control", "modulates"): (
        Word("width", "the width of one phase follows", "pulse-width phase-width pulsewidth pw duration us"),
        Word("amplitude", "the current follows", "current intensity ma strength level"),
    ),
    ("activity", "count_by"): (
        *_COUNTED_BY,
        Word("", "leave count_by out, and the steps' own time counts", "time clock timer none no nothing"),
    ),
    ("feedback", "source"): _COUNTED_BY[1:],
    ("activity", "technique"): (
        Word("stretching", "", "stretch mobilisation mobilization passive"),
        Word("exercise", "one of the eight exercises", "training strengthening gym movement"),
        Word("mirror-box", "", "mirror mirror-therapy"),
        Word("bilateral", "both hands together", "bimanual both-hands"),
        Word("constraint", "the sound hand is restrained", "cimt ci-therapy forced-use restraint"),
        Word("imagery", "", "mental-practice motor-imagery imagination visualisation"),
        Word("daily-task", "", "adl task task-practice daily functional"),
        Word("putty", "", "theraputty dough clay"),
        Word("robot-glove", "", "glove robot orthosis"),
    ),
    ("activity", "exercise"): (
        Word("make-a-fist", "", "fist close grip squeeze"),
        Word("spread-fingers", "", "spread abduction open"),
        Word("wrist-curl", "the wrist bends", "wrist-flexion curl"),
        Word("wrist-extend", "the wrist is lifted", "wrist-extension"),
        Word("pinch-and-release", "", "pinch"),
        Word("finger-opposition", "", "opposition thumb-opposition"),
        Word("coin-drop", "", "coin coins"),
        Word("spin-a-pen", "", "pen"),
    ),
    ("step", "counts"): (
        Word("once", "the repetition counts with one count", "yes one single true"),
        Word("many", "every count counts until the time is over", "each every all repeat several multiple"),
        Word("no", "", "none never nothing false off"),
    ),
    ("step", "when"): (
        Word("each", "in every repetition", "every always all"),
        Word("first", "only in the first repetition of each set", "once start beginning set initial"),
    ),
    ("step", "time"): (
        Word("practice", "movement", "exercise training active movement work task"),
        Word("imagery", "imagined movement", "imagine imagination imagined mental thinking"),
        Word("rest", "", "pause break relax relaxation"),
    ),
}
"""Other words, by the part of the file and the field."""

_ELSEWHERE: Final[Mapping[str, str]] = {
    "own-emg": "the muscle's own EMG leads in the kind fes-emg-proportional",
    "sound-hand-emg": "the sound hand leads in the kind fes-contralateral",
    "sound-hand-angle": "the sound hand leads in the kind fes-contralateral",
}
"""Words of a list that belong to another kind."""


def value_meant(path: Path, value: object, options: Sequence[str]) -> str:
    """`` (did you mean ...?)`` for another word of what the field takes; "" where nothing is known of it."""
    if not isinstance(value, str) or not path:
        return ""
    word = re.sub(r"[\s_]+", "-", value[:64].strip().lower())
    place = (str(path[0]), str(path[-1]))
    if word in _ELSEWHERE and place == ("control", "source"):
        return f" ({_ELSEWHERE[word]})"
    if place == ("pads", "model"):
        return _asked([(each, "the size in mm of the part that conducts") for each in _pads(word, options)])
    turned = [(each, "") for each in options if sorted(each.split("-")) == sorted(word.split("-"))]
    return _asked(turned or list(_others(place, word, options)))


def _asked(found: Sequence[tuple[str, str]]) -> str:
    """A question when exactly one thing can have been meant: which of two must not be guessed."""
    if len({option for option, _ in found}) != 1:
        return ""
    option, says = found[0]
    if not option:
        return f" ({says})"
    return f" (did you mean `{option}`?{f' {says[0].upper()}{says[1:]}' if says else ''})"


def _others(place: tuple[str, str], word: str, options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What the field takes for ``word``: as a whole, else for one of its parts where that is no name of a place."""
    known = [each for each in _VALUES.get(place, ()) if not each.option or each.option in options]
    whole = [(each.option, each.says) for each in known if word in each.others.split()]
    if whole or place[1] in ("site", "kind"):
        return iter(whole)
    parts = set(word.split("-"))
    return ((each.option, each.says) for each in known if parts & {*each.others.split(), each.option})


def _pads(word: str, options: Sequence[str]) -> Iterator[str]:
    """The pad of the sizes that stand in ``word``, also when they are in cm: of 15 mm and less there is none."""
    sizes = [float(each) for each in re.findall(r"\d{1,4}(?:\.\d{1,2})?", word.replace(",", "."))]
    wanted = sorted(round(size * 10 if size < 15 else size) for size in sizes)
    for option in options:
        if wanted and sorted(map(int, re.findall(r"\d+", option))) == wanted:
            yield option


def name_meant(value: object) -> str:
    """`` (did you mean ...?)`` for what only needs small letters and hyphens to be a name; "" for anything else."""
    if not isinstance(value, str) or not value.isascii():
        return ""
    name = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
    return f" (did you mean `{name}`?)" if name[:1].isalpha() and len(name) <= LONGEST_NAME else ""


# --- unknown fields ----------------------------------------------------------------------------------------------


def named_in(hint: str, known: Sequence[str]) -> tuple[str, ...]:
    """The fields that a hint names: what it explains need not be called missing as well."""
    words = set(re.findall(r"[a-z][a-z0-9_]*", hint))
    return tuple(each for each in known if each in words)
