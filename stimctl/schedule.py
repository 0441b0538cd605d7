"""From a protocol to what happens when, in the board's own steps.

A schedule holds integers only. Everything is rounded towards LESS output here, before the limiter sees it, so that
what is judged is what the codec writes. No clock, no port, no limits: a schedule is a plan, not a permission.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from stimctl.errors import UsageError
from stimctl.limits import BodyPart, Effect
from stimctl.protocols import Channel as FileChannel
from stimctl.protocols import FesCyclic, FesEmgTriggered, Protocol, TensConventional
from stimctl.pulse import PulseTrain, symmetric
from stimctl.units import MINUTE, MS, MicroAmp, SquareMicrometre, microamps, microseconds, millihertz

CONTROL_PERIOD_US: Final = 20 * MS
"""How often the amplitude is renewed while it changes: F.3 of the clinical reference asks for 20 to 50 ms."""


@final
@dataclass(frozen=True, slots=True)
class Steps:
    """The smallest steps a board can set: amplitude in µA, phase width and gap in µs, rate in mHz."""

    amplitude_ua: int = 1
    width_us: int = 1
    rate_mhz: int = 1


@final
@dataclass(frozen=True, slots=True)
class PadPlan:
    """A physical pad on the skin: its name in the file, its model, its conductive area."""

    name: str
    model: str
    area_um2: SquareMicrometre


@final
@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One channel: where it is, what it delivers, how far the operator may take it. ``channel`` counts from 0."""

    name: str
    muscle: str
    channel: int
    site: str
    part: BodyPart
    effect: Effect
    pads: tuple[PadPlan, ...]
    target_ua: MicroAmp
    max_ua: MicroAmp
    shape: PulseTrain
    step_ua: int

    def train(self, amplitude_ua: int) -> PulseTrain:
        """This channel's train at ``amplitude_ua``, rounded down to the board's step."""
        return self.shape.at(MicroAmp(amplitude_ua - amplitude_ua % self.step_ua))


@final
@dataclass(frozen=True, slots=True)
class BurstPlan:
    """One burst: ramp up, hold, ramp down, and the rest after it; all µs."""

    ramp_up_us: int
    hold_us: int
    ramp_down_us: int
    rest_us: int

    @property
    def on_us(self) -> int:
        """Ramps count as on (A.6)."""
        return self.ramp_up_us + self.hold_us + self.ramp_down_us

    @property
    def cycle_us(self) -> int:
        """Burst and rest together."""
        return self.on_us + self.rest_us

    def share_ppm(self, since_onset_us: int) -> int:
        """Share of the level that the envelope asks for at a time after onset, in parts per million."""
        if not 0 <= since_onset_us < self.on_us:
            return 0
        if since_onset_us < self.ramp_up_us:
            return since_onset_us * 1_000_000 // self.ramp_up_us
        left_us = self.on_us - since_onset_us
        if left_us >= self.ramp_down_us:
            return 1_000_000
        return left_us * 1_000_000 // self.ramp_down_us

    def phase(self, since_onset_us: int) -> tuple[str, int, int]:
        """The phase's name, how long it has lasted and how long it is."""
        if since_onset_us < self.ramp_up_us:
            return "ramp up", since_onset_us, self.ramp_up_us
        if since_onset_us < self.ramp_up_us + self.hold_us:
            return "hold", since_onset_us - self.ramp_up_us, self.hold_us
        if since_onset_us < self.on_us:
            return "ramp down", since_onset_us - self.ramp_up_us - self.hold_us, self.ramp_down_us
        return "rest", since_onset_us - self.on_us, self.rest_us


@final
@dataclass(frozen=True, slots=True)
class TriggerPlan:
    """How an attempt is heard (clinical reference B.3). Exactly one of the two thresholds is set."""

    channel: int
    threshold_sd: float | None
    threshold_uv: float | None
    dwell_ms: int
    release_fraction: float
    blanking_ms: int
    lockout_us: int
    baseline_us: int
    cued: bool
    window_us: int
    assist_missed: bool
    min_interval_us: int


@final
@dataclass(frozen=True, slots=True)
class Schedule:
    """A whole session. ``burst`` and ``trigger`` are ``None`` where the kind has none; ``flow_us`` is TENS time.

    ``antagonists_together`` is the file's reason for muscles that pull against each other, if it gives one.
    """

    title: str
    kind: str
    purpose: str
    channels: tuple[ChannelPlan, ...]
    burst: BurstPlan | None
    trigger: TriggerPlan | None
    repetitions: int
    sets: int
    set_rest_us: int
    flow_us: int
    rounded: tuple[str, ...]
    antagonists_together: str = ""

    def by_name(self, name: str) -> ChannelPlan:
        """The channel of that name; raises :class:`UsageError`: an unknown name is never some channel."""
        for plan in self.channels:
            if plan.name == name:
                return plan
        known = ", ".join(plan.name for plan in self.channels)
        raise UsageError(f"there is no channel {name!r}; the protocol has: {known}")

    @property
    def longest_us(self) -> int:
        """Length of the treatment when every attempt takes its whole window."""
        if self.burst is None:
            return self.flow_us
        window_us = self.trigger.window_us if self.trigger else 0
        one = window_us + self.burst.cycle_us
        return self.sets * self.repetitions * one + (self.sets - 1) * self.set_rest_us


TEST_BURST: Final = BurstPlan(ramp_up_us=1_000 * MS, hold_us=1_500 * MS, ramp_down_us=200 * MS, rest_us=3_000 * MS)
"""What a motor channel gives while thresholds are found: two seconds or more on, three off (procedure D, step 6).

It keeps to the warn column, which refuses where sensation is reduced: a ramp of a second, on for less than half the time.
"""


def compile_schedule(protocol: Protocol, steps: Steps) -> Schedule:
    """Turn a protocol into a schedule in a board's steps; raises :class:`UsageError` if a step is too coarse for it."""
    rounded: list[str] = []
    channels = tuple(_channel(protocol, each, steps, rounded) for each in protocol.channels)
    fes = None if isinstance(protocol, TensConventional) else protocol
    return Schedule(
        title=protocol.title,
        kind=protocol.kind,
        purpose=protocol.purpose,
        channels=channels,
        burst=_burst(fes) if fes else None,
        trigger=_trigger(fes, channels) if isinstance(fes, FesEmgTriggered) else None,
        repetitions=fes.dose.repetitions if fes else 1,
        sets=fes.dose.sets if fes else 1,
        set_rest_us=microseconds(fes.dose.set_rest_s) if fes else 0,
        flow_us=protocol.dose.duration_us if isinstance(protocol, TensConventional) else 0,
        rounded=tuple(rounded),
        antagonists_together=(fes.burst.antagonists_together or "") if fes else "",
    )


def _channel(protocol: Protocol, each: FileChannel, steps: Steps, rounded: list[str]) -> ChannelPlan:
    def down(what: str, value: int, step: int, unit: str) -> int:
        result = value - value % step
        if result != value:
            rounded.append(f"{each.name}: {what} {value} {unit} becomes {result} {unit}, the board's step")
        if value and not result:
            raise UsageError(f"{each.name}: this board's smallest step of {what} is {step} {unit}, asked for {value}")
        return result

    return ChannelPlan(
        name=each.name,
        muscle=each.muscle,
        channel=each.output - 1,
        site=each.site,
        part=each.part,
        effect=protocol.effect,
        pads=tuple(PadPlan(name, protocol.pads[name].model, protocol.pads[name].area_um2) for name in each.pads),
        target_ua=MicroAmp(down("amplitude", microamps(each.amplitude_ma), steps.amplitude_ua, "µA")),
        max_ua=MicroAmp(down("maximum", microamps(each.max_amplitude_ma), steps.amplitude_ua, "µA")),
        shape=symmetric(
            0,
            down("phase width", each.phase_width_us, steps.width_us, "µs"),
            down("rate", millihertz(each.rate_hz), steps.rate_mhz, "mHz"),
            interphase_gap_us=down("interphase gap", each.interphase_gap_us, steps.width_us, "µs"),
        ),
        step_ua=steps.amplitude_ua,
    )


def _burst(protocol: FesCyclic | FesEmgTriggered) -> BurstPlan:
    times = protocol.burst
    return BurstPlan(
        microseconds(times.ramp_up_s),
        microseconds(times.hold_s),
        microseconds(times.ramp_down_s),
        microseconds(times.rest_s),
    )


def _trigger(protocol: FesEmgTriggered, channels: tuple[ChannelPlan, ...]) -> TriggerPlan:
    trigger = protocol.trigger
    heard = next(plan for plan in channels if plan.name == trigger.channel)
    return TriggerPlan(
        channel=heard.channel,
        threshold_sd=trigger.threshold_sd,
        threshold_uv=trigger.threshold_uv,
        dwell_ms=int(trigger.dwell_ms),
        release_fraction=float(trigger.release_fraction),
        blanking_ms=int(trigger.blanking_ms),
        lockout_us=int(trigger.lockout_ms) * MS,
        baseline_us=microseconds(trigger.baseline_s),
        cued=trigger.cue,
        window_us=microseconds(trigger.attempt_window_s) if trigger.cue and trigger.attempt_window_s else 0,
        assist_missed=trigger.on_missed == "assist",
        min_interval_us=MINUTE // int(trigger.max_triggers_per_min),
    )
