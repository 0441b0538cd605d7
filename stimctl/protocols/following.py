"""The kinds that follow a signal: the sound hand opens, and the paretic one is opened as far."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, final

from stimctl.protocols import following_quantities as f
from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Words
from stimctl.protocols.fes import Motor
from stimctl.protocols.strict import Strict

Modulates: TypeAlias = Literal["width", "amplitude"]
"""What of the pulses a signal changes."""

CUE: Final = "Open both hands"
"""What the patient is told where the file has no words of its own."""


@final
class Control(Strict):
    """What is followed, and how the stimulation follows it."""

    source: Annotated[Literal["sound-hand-angle", "sound-hand-emg"], Choice(("sound-hand-angle", "sound-hand-emg"))]
    """What is measured: how far the sound hand is open, or the EMG of its extensors."""
    modulates: Annotated[Modulates, Choice(("width", "amplitude"))]
    """What the signal changes: "width" the phase width at the operator's level, "amplitude" the share of that level."""
    floor_percent: Annotated[int, f.FLOOR_PERCENT]
    """End of the dead zone in percent of today's range: below it nothing flows."""
    full_percent: Annotated[int, f.FULL_PERCENT]
    """Place in percent of today's range from which on the whole level, or width, is given."""
    slew_percent_per_s: Annotated[int, f.SLEW_PERCENT_PER_S]
    """Fastest rise in percent of the whole in a second; a fall acts at once."""
    stale_ms: Annotated[int, f.STALE_MS]
    """Age in ms from which on a reading counts as lost: then nothing flows until the sound hand has been at rest."""
    floor_width_us: Annotated[int, q.PHASE_WIDTH_US] | None = None
    """Width in µs of one phase at the edge of the dead zone, where muscle begins to answer; only with "width"."""


@final
class Cycle(Strict):
    """One opening on a cue, and the rest after it."""

    open_s: Annotated[int | float, q.HOLD_S]
    """Time in s for which the patient is told to open both hands, and is followed."""
    ramp_down_s: Annotated[int | float, q.RAMP_DOWN_S]
    """Time in s in which whatever still flows falls to zero afterwards."""
    relax_s: Annotated[int | float, q.REST_S]
    """Time in s at zero for which the patient relaxes both hands."""
    cue: Annotated[str, Words(60)] | None = None
    """What the patient is told when an opening begins; "Open both hands" if absent."""


@final
class FesContralateral(Motor):
    """Muscles of the paretic hand that follow the sound hand."""

    kind: Literal["fes-contralateral"]
    """What sort of protocol this is."""
    control: Control
    """What is followed, and how."""
    cycle: Cycle
    """The openings and the rests between them."""
