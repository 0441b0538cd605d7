"""Task sequences: phases such as reach, grasp, hold and release, in which each channel has a goal of its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias, final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Name, Reference, Words
from stimctl.protocols.fes import Motor, Switch, Trigger
from stimctl.protocols.output import MAX_CHANNELS
from stimctl.protocols.strict import OneLine, Strict, as_tuple

MAX_PHASES: Final = 12

By: TypeAlias = Literal["time", "key", "attempt"]
"""What a phase ends by, or a sequence begins by."""

_BY: Final = Choice(("time", "key", "attempt"))


def _frozen(goals: dict[str, PhaseGoal]) -> Mapping[str, PhaseGoal]:
    return MappingProxyType(goals)


@final
class PhaseGoal(OneLine):
    """Where one channel goes in one phase."""

    share_percent: Annotated[int, q.SHARE_PERCENT]
    """Share of the channel's level in percent to which it goes; 0: nothing."""
    ramp_s: Annotated[int | float, q.GOAL_RAMP_S]
    """Time in s in which it goes there from wherever it was."""
    delay_s: Annotated[int | float, q.GOAL_DELAY_S] = 0
    """Time in s after the phase's beginning for which it stays where it was."""


@final
class Phase(Strict):
    """One phase of a task; whatever else ends it, it ends after its length."""

    name: Annotated[str, Name()]
    """Name of the phase, unique in the file; shown while it lasts."""
    length_s: Annotated[int | float, q.PHASE_S]
    """Time in s after which the phase ends; where it waits for a key or an attempt, its time-out."""
    advance: Annotated[By, _BY] = "time"
    """What else ends the phase: "time" nothing, "key" the switch, "attempt" the patient's own effort in the EMG."""
    cue: Annotated[str, Words(60)] | None = None
    """What the patient is told to do when the phase begins."""
    goals: Annotated[
        Mapping[Annotated[str, Reference()], PhaseGoal],
        Field(max_length=MAX_CHANNELS),
        AfterValidator(_frozen),
        PlainSerializer(dict),
        Field(alias="channel", default_factory=lambda: MappingProxyType({})),
    ]
    """The channels' goals in this phase, by their names, such as `channel.thumb = { share_percent = 100, ramp_s = 1 }`."""


@final
class Course(Strict):
    """How the phases make one movement."""

    rest_s: Annotated[int | float, q.REST_S]
    """Time in s at zero after the last phase."""
    release: Annotated[str, Reference()]
    """Name of the phase that lets go: where a phase leads whose key or attempt never came, or that is skipped."""
    start: Annotated[By, _BY]
    """What sets the movement off: "time" the end of the rest, "key" the switch, "attempt" the patient's own effort."""
    antagonists_together: Annotated[str, Words(300)] | None = None
    """Why muscles that pull against each other are meant to work at the same time; without it such a pair is refused."""


@final
class FesSequence(Motor):
    """A task in phases, each with a goal of its own for every channel."""

    kind: Literal["fes-sequence"]
    """What sort of protocol this is."""
    phases: Annotated[
        tuple[Phase, ...],
        Field(min_length=2, max_length=MAX_PHASES),
        BeforeValidator(as_tuple),
        Field(alias="phase"),
    ]
    """The phases, in the order in which they follow each other."""
    sequence: Course
    """How the phases make one movement."""
    switch: Switch | None = None
    """How the switch is waited for that sets the movement off; only with start = "key"."""
    trigger: Trigger | None = None
    """How an attempt is recognised; only where something waits for one."""
