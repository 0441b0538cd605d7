"""What can lead a session: where its signal comes from, what people are told of it, and what the simulated patient does.

Two of them there are: the sound hand, and the stimulated muscle's own effort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, final

from stimctl.errors import UsageError
from stimctl.schedule import ControlPlan
from stimctl.sensors.signals import Sample, SignalSource

if TYPE_CHECKING:
    from stimctl.session.hearing import Hearing
    from stimctl.session.link import Link
    from stimctl.session.own_ear import OwnEar
    from stimctl.sim.patient import Patient

OWN: Final = "own-emg"
"""The source that is heard while the same muscle is stimulated."""

ANGLE_SOURCE: Final = "sound-hand-angle"
"""The source that a goniometer or glove gives."""

EMG_SOURCE: Final = "sound-hand-emg"
"""The source that an amplifier at the sound arm gives."""

_NAMED: Final = {
    ANGLE_SOURCE: ("angle", "goniometer or glove, as in --angle lsl:NAME#CHANNEL"),
    EMG_SOURCE: ("EMG", "amplifier's stream, as in --emg lsl:NAME#CHANNEL"),
}
"""What is followed, and how it is named where nothing simulated stands in for it."""


@final
class Wording(NamedTuple):
    """The operator's words for one way of leading; ``full`` is the further end of the range."""

    who: str
    sensor: str
    full: str
    let_go_first: str
    let_go: str
    measures_rest: str
    measures_full: str
    is_at_rest: str
    is_at_full: str
    range_of: str


SOUND_HAND: Final = Wording(
    who="the sound hand",
    sensor="the sensor of the sound hand",
    full="the whole opening",
    let_go_first="Relax the sound hand first",
    let_go="Relax both hands",
    measures_rest="Measuring the sound hand: at rest, quite still",
    measures_full="Measuring the sound hand: wide open, and held",
    is_at_rest="The sound hand is relaxed",
    is_at_full="The sound hand is opened as wide as it comfortably goes, and held",
    range_of="Range of the sound hand",
)

OWN_MUSCLE: Final = Wording(
    who="the muscle",
    sensor="the EMG electrodes",
    full="the best effort",
    let_go_first="Let go first: the hand lies relaxed",
    let_go="Let go: the hand lies relaxed",
    measures_rest="Measuring the muscle: at rest, the hand lies still",
    measures_full="Measuring the muscle: its best effort, and held",
    is_at_rest="The hand lies relaxed",
    is_at_full="The patient opens the hand as hard as it comfortably goes, and holds that",
    range_of="Range of the muscle's own EMG",
)


def wording(plan: ControlPlan) -> Wording:
    """The words for a plan's source."""
    return OWN_MUSCLE if plan.source == OWN else SOUND_HAND


# --- sources ---------------------------------------------------------------------------------------------------------


@final
class SimulatedHand:
    """The simulated patient's sound hand, as a goniometer or an amplifier with an envelope would give it."""

    name = "the simulated sound hand"

    def __init__(self, patient: Patient, source: str) -> None:
        self._patient, self._is_angle = patient, source == ANGLE_SOURCE
        self.unit = "degrees" if self._is_angle else "µV"
        self.least_span = 15.0 if self._is_angle else 20.0

    def read(self, now_us: int) -> Sample | None:
        """The opening, or the envelope, now."""
        sound = self._patient.sound
        return Sample(now_us, sound.angle_deg(now_us) if self._is_angle else sound.emg_uv(now_us))


@final
class OwnMuscle:
    """The effort of the stimulated muscle, as the board's EMG input hears it between the pulses."""

    unit = "µV"
    least_span = 3.0
    """Below this an effort is lost in the noise of a good amplifier, 1 to 2 µV (project; B.3: paretic muscle, 5 to 50 µV)."""

    def __init__(self, ear: OwnEar) -> None:
        self._ear = ear
        self.name = f"the muscle's own EMG ({ear.source})"

    @property
    def unasked_uv(self) -> float | None:
        """What stimulation alone was heard as at most, in µV; ``None`` before there was any."""
        return self._ear.unasked_uv

    def expect(self, *, stimulated: bool, led: bool) -> None:
        """Say whether pulses are on their way, and whether they follow the effort that is heard."""
        self._ear.expect(stimulated=stimulated, led=led)

    def read(self, now_us: int) -> Sample | None:  # noqa: ARG002 - a sample has its own time
        """The newest effort."""
        return self._ear.read()


def source_of(plan: ControlPlan, link: Link, hearing: Hearing | None = None) -> SignalSource:
    """What gives the signal; raises :class:`UsageError` where nothing does: a kind that follows is never left to follow air."""
    if plan.source == OWN:
        return OwnMuscle((hearing or own_hearing(plan, link)).own)
    if link.signal is not None:
        return link.signal
    if link.patient is None:
        what, how = _NAMED[plan.source]
        raise UsageError(f"this protocol follows the {what} of the sound hand: name its {how}")
    return SimulatedHand(link.patient, plan.source)


def own_hearing(plan: ControlPlan, link: Link) -> Hearing:
    """The board's EMG input, heard between the pulses; raises :class:`UsageError` where there is none, or one too slow."""
    from stimctl.session.hearing import Hearing  # brings NumPy, which only listening needs

    return Hearing(None, plan, link.driver)


# --- the simulated patient -------------------------------------------------------------------------------------------


def lead(plan: ControlPlan, link: Link | None, now_us: int) -> None:
    """Let the simulated patient, where there is one, go to the further end of the range."""
    patient = link.patient if link is not None else None
    if patient is not None:
        (patient.exert if plan.source == OWN else patient.sound.open)(now_us)


def cue(plan: ControlPlan, link: Link | None, now_us: int) -> None:
    """The same in an opening, in which a sound hand leads and the other one tries as well."""
    lead(plan, link, now_us)
    if plan.source != OWN and link is not None and link.patient is not None:
        link.patient.cue(now_us)


def let_go(plan: ControlPlan, link: Link | None, now_us: int) -> None:
    """Let the simulated patient relax."""
    patient = link.patient if link is not None else None
    if patient is not None:
        (patient.let_go if plan.source == OWN else patient.sound.relax)(now_us)
