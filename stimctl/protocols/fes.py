"""The kinds that make muscles move."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias, final

from pydantic import BeforeValidator, Field

from stimctl.limits import Effect
from stimctl.protocols import quantities as q
from stimctl.protocols.checks import Choice, Name, Truth, Words
from stimctl.protocols.output import Stimulation
from stimctl.protocols.strict import Strict, as_tuple

MAX_SENTENCES: Final = 12


@final
class BurstTimes(Strict):
    """The course of one burst and the rest after it."""

    ramp_up_s: Annotated[int | float, q.RAMP_UP_S]
    """Time in s in which the amplitude rises from zero to the level."""
    hold_s: Annotated[int | float, q.HOLD_S]
    """Time in s at the level."""
    ramp_down_s: Annotated[int | float, q.RAMP_DOWN_S]
    """Time in s in which the amplitude falls from the level to zero."""
    rest_s: Annotated[int | float, q.REST_S]
    """Time in s at zero before the next burst or attempt."""
    antagonists_together: Annotated[str, Words(300)] | None = None
    """Why muscles that pull against each other are meant to work in the same burst; without it such a pair is refused."""


@final
class FesDose(Strict):
    """How often bursts are given."""

    repetitions: Annotated[int, q.REPETITIONS]
    """Bursts (or attempts) in one set."""
    sets: Annotated[int, q.SETS] = 1
    """Number of sets."""
    set_rest_s: Annotated[int | float, q.SET_REST_S] = 0
    """Rest in s between two sets, at zero; must be stated when there is more than one set."""


@final
class Trigger(Strict):
    """How the patient's own attempt, seen in the EMG, sets off a burst."""

    channel: Annotated[str, Name()]
    """Name of the channel whose muscle's EMG is heard."""
    threshold_sd: Annotated[int | float, q.THRESHOLD_SD] | None = None
    """Threshold in standard deviations over the resting mean; this or threshold_uv, never both."""
    threshold_uv: Annotated[int | float, q.THRESHOLD_UV] | None = None
    """Threshold of the EMG envelope in µV; this or threshold_sd, never both."""
    dwell_ms: Annotated[int, q.DWELL_MS]
    """Time in ms for which the EMG must stay over the threshold."""
    release_fraction: Annotated[int | float, q.RELEASE_FRACTION]
    """Share of the threshold below which the EMG must fall before the next attempt counts."""
    blanking_ms: Annotated[int, q.BLANKING_MS]
    """Time in ms after each pulse in which the EMG is not heard."""
    lockout_ms: Annotated[int, q.LOCKOUT_MS]
    """Time in ms after each burst in which nothing triggers."""
    baseline_s: Annotated[int | float, q.BASELINE_S]
    """Time in s of quiet EMG at the beginning, from which the resting level is taken."""
    cue: Annotated[bool, Truth()]
    """true: the patient tries when told to, within a window; false: listen until an attempt comes."""
    say: Annotated[str, Words(60)] | None = None
    """What the patient is told to try while an attempt is waited for that sets a movement off."""
    attempt_window_s: Annotated[int | float, q.ATTEMPT_WINDOW_S] | None = None
    """Time in s after the cue in which an attempt counts; only with cue = true."""
    on_missed: Annotated[Literal["count", "assist"], Choice(("count", "assist"))] = "count"
    """When the window passes without an attempt: only count it, or assist with a burst; only with cue = true."""
    max_triggers_per_min: Annotated[int, q.MAX_TRIGGERS_PER_MIN]
    """Most bursts in a minute; more attempts than that stop the session."""
    adapt_percent: Annotated[int, q.ADAPT_PERCENT] = 0
    """How far in percent of the first threshold it rises after an attempt and falls after a missed window; 0: it stays."""
    adapt_least_percent: Annotated[int, q.ADAPT_LEAST_PERCENT] | None = None
    """Lowest share of the first threshold, in percent, to which it may fall; only with adapt_percent."""
    adapt_most_percent: Annotated[int, q.ADAPT_MOST_PERCENT] | None = None
    """Highest share of the first threshold, in percent, to which it may rise; only with adapt_percent."""


@final
class Switch(Strict):
    """How a switch sets off a burst: pressed by the patient or a helper, or the phase line of a robot glove."""

    source: Annotated[Literal["key", "robot"], Choice(("key", "robot"))]
    """Where the switch is: "key", a key that adaptive switches can type, or "robot", the phase line of a robot glove."""
    lockout_ms: Annotated[int, q.LOCKOUT_MS]
    """Time in ms after each burst in which the switch does nothing."""
    cue: Annotated[bool, Truth()]
    """true: the patient presses when told to, within a window; false: wait until the switch is pressed."""
    say: Annotated[str, Words(60)] | None = None
    """What the patient is told to try while the switch is waited for."""
    attempt_window_s: Annotated[int | float, q.ATTEMPT_WINDOW_S] | None = None
    """Time in s after the cue in which the switch counts; only with cue = true."""
    on_missed: Annotated[Literal["count", "assist"], Choice(("count", "assist"))] = "count"
    """When the window passes without the switch: only count it, or assist with a burst; only with cue = true."""
    max_triggers_per_min: Annotated[int, q.MAX_TRIGGERS_PER_MIN]
    """Most bursts in a minute; the switch does nothing when pressed sooner."""


@final
class Sentence(Strict):
    """One sentence of a script that is read aloud before an attempt, and time to imagine it."""

    say: Annotated[str, Words(200)]
    """What is read aloud and shown, to the patient, in plain words."""
    length_s: Annotated[int | float, q.SCRIPT_S]
    """Time in s from its beginning to the next sentence, or to the attempt."""


Script: TypeAlias = Annotated[tuple[Sentence, ...], Field(max_length=MAX_SENTENCES), BeforeValidator(as_tuple)]
"""What is imagined before an attempt; nothing flows in it."""


class Motor(Stimulation):
    """What all kinds that make muscles move have."""

    effect: ClassVar[Effect] = Effect.MOTOR

    dose: FesDose
    """How often bursts are given."""


class Fes(Motor):
    """What the kinds have in which all channels work together in each burst."""

    burst: BurstTimes
    """The course of one burst."""


@final
class FesCyclic(Fes):
    """Bursts by the clock."""

    kind: Literal["fes-cyclic"]
    """What sort of protocol this is."""


@final
class FesEmgTriggered(Fes):
    """Bursts that the patient's own attempt sets off."""

    kind: Literal["fes-emg-triggered"]
    """What sort of protocol this is."""
    trigger: Trigger
    """How an attempt is recognised."""
    script: Script = ()
    """Sentences that are read aloud before each attempt (mental imagery); only with cue = true."""


@final
class FesSwitchTriggered(Fes):
    """Bursts that a switch in the patient's or a helper's hand sets off."""

    kind: Literal["fes-switch-triggered"]
    """What sort of protocol this is."""
    switch: Switch
    """How the switch is waited for."""
    script: Script = ()
    """Sentences that are read aloud before each attempt (mental imagery); only with cue = true."""
