"""The kinds that follow a signal: how far the sound hand opens, or how hard the stimulated muscle itself tries."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, final

from stimctl.protocols import following_quantities as f
from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Words
from stimctl.protocols.fes import Motor
from stimctl.protocols.strict import Strict

Modulates: TypeAlias = Literal["width", "amplitude"]
"""What of the pulses a signal changes."""


class ControlLaw(Strict):
    """How the stimulation follows a signal, whichever it is."""

    source: str
    """What is measured."""
    modulates: Annotated[Modulates, Choice(("width", "amplitude"))]
    """What the signal changes: "width" the phase width at the operator's level, "amplitude" the share of that level."""
    floor_percent: Annotated[int, f.FLOOR_PERCENT]
    """End of the dead zone in percent of today's range: below it nothing flows."""
    full_percent: Annotated[int, f.FULL_PERCENT]
    """Place in percent of today's range from which on the whole level, or width, is given."""
    slew_percent_per_s: Annotated[int, f.SLEW_PERCENT_PER_S]
    """Fastest rise in percent of the whole in a second; a fall acts at once."""
    stale_ms: Annotated[int, f.STALE_MS]
    """Age in ms from which on a reading counts as lost: then nothing flows until the signal has been at rest."""
    floor_width_us: Annotated[int, q.PHASE_WIDTH_US] | None = None
    """Width in µs of one phase at the edge of the dead zone, where muscle begins to answer; only with "width"."""


@final
class Control(ControlLaw):
    """The sound hand leads."""

    source: Annotated[Literal["sound-hand-angle", "sound-hand-emg"], Choice(("sound-hand-angle", "sound-hand-emg"))]
    """What is measured: how far the sound hand is open, or the EMG of its extensors."""


@final
class OwnControl(ControlLaw):
    """The stimulated muscle's own EMG leads, heard between the pulses."""

    source: Annotated[Literal["own-emg"], Choice(("own-emg",))]
    """What is measured: the EMG of the muscle that is stimulated."""
    blanking_ms: Annotated[int, f.OWN_BLANKING_MS]
    """Time in ms after each pulse in which the EMG is not heard; the rest of the time to the next pulse is."""


@final
class Cycle(Strict):
    """One opening on a cue, and the rest after it."""

    open_s: Annotated[int | float, q.HOLD_S]
    """Time in s for which the patient is told to open, and is followed."""
    ramp_down_s: Annotated[int | float, q.RAMP_DOWN_S]
    """Time in s in which whatever still flows falls to zero afterwards."""
    relax_s: Annotated[int | float, q.REST_S]
    """Time in s at zero for which the patient relaxes."""
    cue: Annotated[str, Words(60)] | None = None
    """What the patient is told when an opening begins; the kind has words of its own if absent."""


class Led(Motor):
    """What the kinds have in which muscles follow a signal."""

    control: ControlLaw
    """What is followed, and how."""
    cycle: Cycle
    """The openings and the rests between them."""


@final
class FesContralateral(Led):
    """Muscles of the paretic hand that follow the sound hand."""

    kind: Literal["fes-contralateral"]
    """What sort of protocol this is."""
    control: Control
    """What is followed, and how."""


@final
class FesEmgProportional(Led):
    """A muscle that is helped in proportion to its own effort."""

    kind: Literal["fes-emg-proportional"]
    """What sort of protocol this is."""
    control: OwnControl
    """What is followed, and how."""
