"""The limiter under random hands: whatever is tried, nothing gets out that an independent reckoning would not allow.

The reckoning is in floats and in the units of the clinical reference, written from its tables and formulas and from
what this test did; it shares no arithmetic with the limiter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, Effect
from stimctl.pulse import PulseTrain, symmetric
from stimctl.safety import Approved, Latch, Limiter, Rule
from stimctl.units import MS, SECOND
from tests.limiter_rig import command, pads, placement, zero
from tests.test_safety_edges_memory import is_weaker

SHARED_CM2 = 20.25
CM2 = {0: 20.25, 1: 4.9087}
PEAK_MA = {0: 60.0, 1: 30.0}
CHARGE_UC = {0: 20.0, 1: 9.0}
RATE_HZ = {0: (10, 50), 1: (1, 150)}
MOTOR = 0
EPSILON = 1 + 1e-9

shapes = st.builds(
    symmetric,
    st.just(1_000),
    st.sampled_from([50, 200, 200, 300, 300, 500, 501]),
    st.sampled_from([10_000, 35_000, 35_000, 50_000, 100_000]),
    interphase_gap_us=st.sampled_from([0, 0, 0, 100, 251]),
    pulses_per_period=st.sampled_from([1, 1, 1, 2, 3]),
)
GOOD = {0: symmetric(1_000, 300, 35_000), 1: symmetric(1_000, 200, 100_000)}
channels = st.sampled_from([0, 1])


@dataclass
class Reckoned:
    """What this test knows of one channel, in mA, µC and seconds."""

    level: tuple[float, float, float] = (0, 0, 0)  # mA, µC, mA rms
    raised_ma: float = 0  # since it was last opened
    given: tuple[float, float, float] = (0, 0, 0)
    ceiling: tuple[float, float, float] | None = None
    history: list[tuple[float, float, float]] = field(default_factory=list)  # s, mA, level mA
    grants: list[float] = field(default_factory=list)  # s of each raise
    on_since: float | None = None
    rest_until: float = 0


def figures(t: PulseTrain) -> tuple[float, float, float]:
    """mA, µC and mA rms by the formulas of A.6."""
    ma, us, hz = t.amplitude_ua / 1000, t.phase_width_us, t.rate_mhz / 1000 * t.pulses_per_period
    return ma, ma * us / 1000, ma * math.sqrt(2 * us * 1e-6 * hz)


def inside(value: tuple[float, ...], bound: tuple[float, ...]) -> bool:
    return all(v <= b * EPSILON for v, b in zip(value, bound, strict=True))


class Hands(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.latch = Latch()
        self.now_us = 0
        self.limiter = Limiter(
            (
                placement(0, on=(*pads(CM2[0], "a"), *pads(SHARED_CM2, "shared"))),
                placement(
                    1,
                    effect=Effect.SENSORY,
                    burst=None,
                    on=(*pads(CM2[1], "c"), *pads(SHARED_CM2, "shared")),
                    site="thenar",
                ),
            ),
            replace(ABSOLUTE, peak_ua=90_000),
            self.latch,
            senses_impedance=True,
            now_us=0,
        )
        self.open: set[int] = set()
        self.treating = False
        self.last_raise: float | None = None
        self.shape = dict(GOOD)
        self.reckoned = {0: Reckoned(), 1: Reckoned()}
        self.void: list[Approved] = []
        self.fresh: list[Approved] = []

    @property
    def now(self) -> float:
        return self.now_us / SECOND

    # --- hands -----------------------------------------------------------------------------------------------------

    @rule(us=st.sampled_from([0, 1, 20 * MS, 50 * MS, 499_999, 500 * MS, SECOND, 7 * SECOND, 61 * SECOND]))
    def wait(self, us: int) -> None:
        self.now_us += us

    @rule(channel=channels, shape=shapes)
    def turn(self, channel: int, shape: PulseTrain) -> None:
        """Someone edits the settings that this test works with."""
        self.shape[channel] = shape

    @rule(
        what=st.sampled_from(["titration", "treatment", "close", "forget", "stop", "clock"]), channel=channels
    )  # one rule of many: else there would hardly ever be a level
    def disturb(self, what: str, channel: int) -> None:
        match what:
            case "titration":
                self.open_titration(channel)
            case "treatment":
                self.open_treatment()
            case "close":
                self.limiter.close()
                self.opened(set(), treating=False)
            case "forget":
                self.limiter.forget_ceiling(channel)
                self.reckoned[channel].ceiling = None
                self.opened(set(), treating=False)
            case "stop":
                self.latch.trip("stop key")
                self.stopped()
            case _:
                self.clock_runs_backwards()

    def open_titration(self, channel: int) -> None:
        try:
            self.limiter.open_titration(channel, self.now_us)
        except Refusal:
            assert self.latch.tripped
            return
        self.opened({channel}, treating=False)
        self.reckoned[channel].ceiling, self.reckoned[channel].given = None, (0, 0, 0)

    def open_treatment(self) -> None:
        try:
            self.limiter.open_treatment(self.now_us)
        except Refusal:
            assert self.latch.tripped or any(r.ceiling is None for r in self.reckoned.values())
            return
        assert all(r.ceiling is not None for r in self.reckoned.values())
        self.opened({0, 1}, treating=True)

    @rule(channel=channels, step=st.sampled_from([1, 500, 999, 1_000, 1_001, 5_000]), hurry=st.booleans())
    def press(self, channel: int, step: int, hurry: bool) -> None:
        if not hurry:
            self.now_us += 500 * MS
        self.try_raise(channel, step)

    @rule(channel=channels, presses=st.integers(1, 40))
    def press_on(self, channel: int, presses: int) -> None:
        """A patient operator."""
        for _ in range(presses):
            self.now_us += 500 * MS
            self.try_raise(channel, 1_000)

    @rule(channel=channels, share=st.integers(0, 10))
    def lower(self, channel: int, share: int) -> None:
        level = self.limiter.level(channel)
        if level is not None:
            down = symmetric(
                level.amplitude_ua * share // 10, level.phase_width_us, level.rate_mhz,
                interphase_gap_us=level.interphase_gap_us, pulses_per_period=level.pulses_per_period,
            )  # fmt: skip
            self.limiter.lower_level(channel, down, self.now_us)
            self.reckoned[channel].level = figures(down)

    @rule(channel=channels, name=st.sampled_from(["width", "rate", "gap"]), share=st.integers(1, 9))
    def soften(self, channel: int, name: str, share: int) -> None:
        """Less of something else than amplitude, by either of the two ways down."""
        level = self.limiter.level(channel)
        if level is None:
            return
        down = symmetric(
            level.amplitude_ua,
            level.phase_width_us * share // 10 if name == "width" else level.phase_width_us,
            level.rate_mhz * share // 10 if name == "rate" else level.rate_mhz,
            interphase_gap_us=level.interphase_gap_us * share // 10 if name == "gap" else level.interphase_gap_us,
            pulses_per_period=level.pulses_per_period,
        )
        way = self.limiter.lower_level if share % 2 else self.limiter.raise_level
        try:
            way(channel, down, self.now_us)
        except Refusal:
            assert self.latch.tripped or not self.allowed_always(channel, down)
            return
        self.reckoned[channel].level = figures(down)

    @rule(channel=channels, permille=st.integers(0, 1_200))
    def keep(self, channel: int, permille: int) -> None:
        given_ua = round(self.reckoned[channel].given[0] * 1000)
        found = self.at(channel, given_ua * permille // 1000)
        try:
            self.limiter.set_ceiling(channel, found, self.now_us)
        except Refusal:
            return
        assert self.open == {channel}
        assert not self.treating
        assert inside(figures(found), self.reckoned[channel].given)
        self.reckoned[channel].ceiling = figures(found)

    @rule(
        shares=st.tuples(*[st.sampled_from([0, 0, 0, 1, 500, 900, 1_000, 1_001])] * 2),
        wild=st.sampled_from([0] * 9 + [70_000]),
    )
    def send(self, shares: tuple[int, int], wild: int) -> None:
        """Shares of the levels, in their own shapes."""
        amplitudes = []
        for channel, share in enumerate(shares):
            level = self.limiter.level(channel)
            self.shape[channel] = level or self.shape[channel]
            amplitudes.append(level.amplitude_ua * share // 1_000 if level else 0)
        self.try_send(amplitudes[0], amplitudes[1] + wild)

    @rule(channel=channels, over_ms=st.sampled_from([100, 400, 500, 550, 1_000]), hold=st.integers(0, 30))
    def burst(self, channel: int, over_ms: int, hold: int) -> None:
        """Rise in ticks to the level, hold, and go to zero; the other channel is at zero."""
        top = self.limiter.level(channel)
        if top is None or self.latch.tripped:
            return
        self.shape[channel] = top
        self.now_us = max(self.now_us, self.limiter.ready_at_us(channel))
        ticks = over_ms // 50
        for tick in [*range(1, ticks + 1), *[ticks] * hold]:
            self.now_us += 50 * MS if tick < ticks else 700 * MS
            ua = top.amplitude_ua * tick // ticks
            self.try_send(*((ua, 0) if channel == 0 else (0, ua)))
        self.try_send(0, 0)

    @rule(channel=channels, presses=st.integers(2, 35), over_ms=st.sampled_from([500, 1_000]))
    def titrate(self, channel: int, presses: int, over_ms: int) -> None:
        """The whole of it as it is meant to be, so that the other hands meet a limiter that is open."""
        self.latch.clear()
        self.shape = dict(GOOD)
        self.open_titration(channel)
        self.try_send(0, 0)
        self.press_on(channel, presses)
        self.burst(channel, over_ms, 0)
        self.keep(channel, 1_000)

    @rule(presses=st.integers(2, 35), first=channels, hold=st.integers(0, 32))
    def treat(self, presses: int, first: int, hold: int) -> None:
        """The same for a treatment."""
        self.latch.clear()
        self.shape = dict(GOOD)
        self.try_send(0, 0)
        self.open_treatment()
        if self.treating:
            for channel in (first, 1 - first):
                self.press_on(channel, presses)
            self.burst(first, 500, hold)

    @precondition(lambda self: self.latch.tripped)
    @rule()
    def clear(self) -> None:
        self.latch.clear()

    def clock_runs_backwards(self) -> None:
        if self.now_us and not self.latch.tripped:
            self.try_send(0, 0)
            try:
                self.limiter.approve(command(zero(self.shape[0]), zero(self.shape[1])), self.now_us - 1)
            except Refusal as refusal:
                assert refusal.rule in (Rule.CLOCK, Rule.LATCHED)  # noqa: PT017
                self.stopped()
            else:
                raise AssertionError("time ran backwards unnoticed")

    # --- the reckoning -----------------------------------------------------------------------------------------------

    def at(self, channel: int, ua: int) -> PulseTrain:
        shape = self.shape[channel]
        return replace(symmetric(ua, shape.phase_width_us, shape.rate_mhz), interphase_gap_us=shape.interphase_gap_us,
                       pulses_per_period=shape.pulses_per_period)  # fmt: skip

    def opened(self, which: set[int], *, treating: bool) -> None:
        self.open, self.treating = which, treating
        for r in self.reckoned.values():
            r.level, r.raised_ma = (0, 0, 0), 0

    def stopped(self) -> None:
        self.opened(set(), treating=False)
        self.void += self.fresh
        self.fresh = []
        for r in self.reckoned.values():
            if r.on_since is not None:
                # Nobody saw the end; at the very least it lasted until the last command.
                r.rest_until = r.history[-1][0] + (r.history[-1][0] - r.on_since) * 2 / 3
                r.on_since = None
            r.history = []

    def try_raise(self, channel: int, step: int) -> None:
        r, level = self.reckoned[channel], self.limiter.level(channel)
        train = self.at(channel, (level.amplitude_ua if level else 0) + step)
        try:
            self.limiter.raise_level(channel, train, self.now_us)
        except Refusal:
            assert self.limiter.level(channel) == level or self.latch.tripped
            return
        assert channel in self.open
        assert not self.latch.tripped
        self.reckon_raise(r, figures(train))
        assert self.allowed_always(channel, train)
        assert not self.treating or inside(figures(train), r.ceiling or (0, 0, 0))
        r.level = figures(train)

    def reckon_raise(self, r: Reckoned, up: tuple[float, float, float]) -> None:
        if inside(up, r.level):
            return
        assert up[0] <= (r.level[0] + 1) * EPSILON
        if r.level[0]:
            factor = (r.level[0] + 1) / r.level[0]
            assert inside(up, tuple(each * factor for each in r.level))
        assert self.last_raise is None or self.now - self.last_raise >= 0.5 / EPSILON
        self.last_raise = self.now
        r.raised_ma += 1
        r.grants.append(self.now)

    def try_send(self, zero_ua: int, one_ua: int) -> None:
        trains = (self.at(0, zero_ua), self.at(1, one_ua))
        was_tripped = self.latch.tripped
        try:
            approved = self.limiter.approve(command(*trains), self.now_us)
        except Refusal:
            assert self.latch.tripped
            self.stopped()
            return
        assert not was_tripped
        assert approved.is_live()
        assert self.fit_together(*trains)
        self.fresh.append(approved)
        for channel, train in enumerate(trains):
            self.reckon(channel, train)

    def reckon(self, channel: int, train: PulseTrain) -> None:
        r, (ma, uc, rms) = self.reckoned[channel], figures(train)
        assert self.allowed_always(channel, train)
        if ma:
            assert channel in self.open
            assert inside((ma, uc, rms), r.level)
            assert ma <= r.raised_ma * EPSILON  # a milliamp a press since it was opened
            assert not self.treating or inside((ma, uc, rms), r.ceiling or (0, 0, 0))
            if self.open == {channel} and not inside((ma, uc, rms), r.given):
                r.given = (ma, uc, rms)
        self.reckon_rise(r, ma)
        self.reckon_time(channel, r, on=ma > 0)

    def reckon_rise(self, r: Reckoned, ma: float) -> None:
        """From any earlier moment on: no more than a step, the presses since, and the level in half a second."""
        r.history.append((self.now, ma, max(r.level[0], 0.0)))
        steepest = 0.0
        for then, earlier_ma, level_ma in reversed(r.history[-40:]):
            steepest = max(steepest, level_ma)
            presses = sum(1 for each in r.grants if each > then)
            may = 1 + presses + (steepest + presses) * (self.now - then + 0.05) / 0.5
            assert ma - earlier_ma <= may * EPSILON

    def reckon_time(self, channel: int, r: Reckoned, *, on: bool) -> None:
        if on and r.on_since is None:
            assert channel != MOTOR or self.now >= r.rest_until / EPSILON
            r.on_since = self.now
        elif on and r.on_since is not None:
            assert channel != MOTOR or self.now - r.on_since < 20
        elif r.on_since is not None:
            r.rest_until, r.on_since = self.now + (self.now - r.on_since) * 2 / 3, None

    def allowed_always(self, channel: int, t: PulseTrain) -> bool:
        """A.5, profile and absolute, with R4; every tenth of it from A.6's formulas."""
        ma, uc, rms = figures(t)
        density, low_high = rms / CM2[channel], RATE_HZ[channel]
        return (
            ma <= PEAK_MA[channel]
            and uc <= CHARGE_UC[channel] * EPSILON
            and rms <= 20 * EPSILON
            and density <= min(1.5, 2 / 1.2) * EPSILON
            and density * rms * 0.5 <= 100 * EPSILON
            and ma * ma * 1e-6 * 500 * 2 * t.phase_width_us * 1e-3 <= 20 * EPSILON
            and 50 <= t.phase_width_us <= 500
            and 0 <= t.interphase_gap_us <= 250
            and low_high[0] <= t.rate_mhz / 1000 <= low_high[1]
            and 1 <= t.pulses_per_period <= 2
        )

    def fit_together(self, *trains: PulseTrain) -> bool:
        """The shared pad, as if all pulses met: the sums of peaks, charges and rms currents, on 20.25 cm²."""
        each = [figures(t) for t in trains]
        ma, uc, rms = (math.fsum(values) for values in zip(*each, strict=True))
        density = rms / SHARED_CM2
        return (
            ma <= 60 * EPSILON
            and uc <= 20 * EPSILON
            and rms <= 20 * EPSILON
            and density <= min(1.5, 2 / 1.2) * EPSILON
            and density * rms * 0.5 <= 100 * EPSILON
        )

    @invariant()
    def what_people_raised_fits_together(self) -> None:
        """So that no burst can be stopped by what channels have in common."""
        levels = [self.limiter.level(channel) or zero(GOOD[channel]) for channel in (0, 1)]
        assert self.fit_together(*levels)

    @invariant()
    def what_may_still_leave_is_within_the_levels(self) -> None:
        """Whatever closed, opened, forgot, lowered or stopped: a permit for more than that is void."""
        for approved in self.fresh[-30:]:
            if approved.is_live():
                assert not self.latch.tripped
                for output in approved.command.outputs:
                    level = self.limiter.level(output.channel)
                    if output.train.amplitude_ua:
                        assert level is not None
                        assert is_weaker(output.train, level)

    @invariant()
    def what_was_approved_before_a_stop_is_void(self) -> None:
        assert not any(approved.is_live() for approved in self.void[-20:])

    @invariant()
    def stopped_means_no_level(self) -> None:
        if self.latch.tripped:
            assert self.limiter.level(0) is None
            assert self.limiter.level(1) is None


Hands.TestCase.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=40)
TestHands = Hands.TestCase
