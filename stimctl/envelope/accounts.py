"""What the limiter remembers of a channel and of a site: levels, ramps, bursts and time.

Room-internal. Times are the session's monotonic µs. Where nobody could see when output ended (a stop, a lost board),
it is counted as on for :data:`SILENCE_US` more, twice the dead-man after which a board ends it by itself.
"""

from __future__ import annotations

from typing import Final, final

from stimctl.envelope.rules import Gate
from stimctl.envelope.words import ZERO, Placement, Rule, Strength, ceil_div, one_step_up, rise_ua, strength, well_typed
from stimctl.errors import Refusal
from stimctl.limits import DEAD_MAN_MAX_MS, Effect, Limits
from stimctl.pulse import PulseTrain
from stimctl.units import MS, SECOND

SILENCE_US: Final = 2 * DEAD_MAN_MAX_MS * MS
"""Longest time between two commands while output is on; longer means that time or the control loop jumped (H30)."""

TICK_US: Final = 50 * MS
"""Longest control period (F.3: 20 to 50 ms): a ramp rises in stairs, and one tread may run this far ahead of it."""

SITE_PAUSE_US: Final = 60 * SECOND
"""A rest shorter than this counts as stimulation of the site: between bursts the skin is still being treated."""


@final
class Site:
    """Stimulation time at one place on the body: of all its channels together, each moment counted once."""

    __slots__ = ("_counted_to_us", "_warm_until_us", "spent_us")

    def __init__(self, spent_us: int, now_us: int) -> None:
        self.spent_us = spent_us
        self._counted_to_us = self._warm_until_us = now_us

    def spent_at_us(self, now_us: int) -> int:
        """Stimulation time until now."""
        warm_us = self._warm_until_us - self._counted_to_us
        if warm_us <= 0:
            return self.spent_us
        return self.spent_us + min(warm_us, now_us - self._counted_to_us)

    def advance(self, now_us: int) -> None:
        """Count up to now."""
        self.spent_us = self.spent_at_us(now_us)
        self._counted_to_us = now_us

    def warm(self, at_us: int) -> None:
        """Output is, or was until now, on."""
        self._warm_until_us = at_us + SITE_PAUSE_US


@final
class Channel:
    """One output: its bounds, which do not change, and what has been, which does."""

    __slots__ = (
        "_credit",
        "_credit_at_us",
        "_old",
        "_on_since_us",
        "_step_credit",
        "_timed",
        "bit",
        "ceiling",
        "ceiling_train",
        "gate",
        "level",
        "level_train",
        "limits",
        "new",
        "number",
        "open",
        "placement",
        "reached",
        "ready_at_us",
        "site",
    )

    reached: Strength  # the strongest that was given since the titration was opened
    new: Strength  # the train being judged

    def __init__(self, placement: Placement, gate: Gate, limits: Limits, site: Site, bit: int) -> None:
        self.placement, self.gate, self.limits, self.site, self.bit = placement, gate, limits, site, bit
        self.number = placement.channel
        self.ceiling: Strength | None = None
        self.ceiling_train: PulseTrain | None = None
        self._old = ZERO  # the train that was approved before it
        self._timed = placement.effect is Effect.MOTOR
        self._on_since_us: int | None = None
        self.ready_at_us = self._credit_at_us = 0
        self._step_credit = limits.step_ua * limits.ramp_up_min_us
        self.zero()

    @property
    def is_on(self) -> bool:
        """Whether the last approved command had an amplitude."""
        return self._on_since_us is not None

    @property
    def given(self) -> Strength:
        """How strong the train of the last approved command is."""
        return self._old

    # --- level ---------------------------------------------------------------------------------------------------

    def zero(self) -> None:
        """Level and ramp credit to nothing: only a fresh raise brings output back (R1)."""
        self.level, self.open, self._credit = ZERO, False, 0
        self.level_train: PulseTrain | None = None

    def set_level(self, train: PulseTrain, s: Strength) -> None:
        """Take over a level that was judged; a level without amplitude is no level."""
        self.level, self.level_train = (s, train) if s.peak_ua else (ZERO, None)

    def grant_step(self, now_us: int) -> None:
        """A human raise brings the credit for its own step, however slow the ramps are; call before the new level."""
        self._accrue(now_us)
        self._credit += self._step_credit

    # --- the judgements that need memory ---------------------------------------------------------------------------

    def refuse(
        self, rule: Rule, value: object, bound: object, unit: str, now_us: int, whose: str = "session"
    ) -> Refusal:
        """The refusal of a rule for this channel."""
        return Refusal(rule, value, bound, unit, now_us=now_us, channel=self.number, bound_from=whose)

    def measure(self, train: PulseTrain, now_us: int) -> Strength:
        """Judge the type and every bound of a train; its strength if it is inside."""
        if not well_typed(train):
            raise self.refuse(Rule.TYPE, train, "a PulseTrain of whole numbers", "", now_us, "types")
        s = strength(train)
        if not self.gate.allows(train, s):
            raise self.gate.finding(train, s, self.number).refusal(now_us)
        return s

    def judge_ceiling(self, s: Strength, now_us: int) -> None:
        """Refuse what is stronger than this person was found to tolerate today, or anything if nothing was found."""
        if self.ceiling is None:
            raise self.refuse(Rule.CEILING, "none", "found today", "", now_us)
        if not self.ceiling.covers(s):
            raise self.refuse(Rule.CEILING, *self.ceiling.excess(s), now_us, "ceiling found today")

    def judge_raise(self, new: Strength, raised_at_us: int | None, now_us: int) -> None:
        """Refuse a raise that is too large, or comes too soon after the last one, on whatever channel that was."""
        lim = self.limits
        most = one_step_up(self.level, new, lim.step_ua)
        if not most.covers(new):
            raise self.refuse(Rule.TITRATION_STEP, *most.excess(new), now_us, "one step above the level")
        if raised_at_us is None:
            return
        waited_us = now_us - raised_at_us
        if not waited_us >= lim.step_interval_min_us:
            raise self.refuse(Rule.TITRATION_RATE, waited_us, lim.step_interval_min_us, "µs", now_us)
        rise, may = rise_ua(new, self.level, self.level), lim.rise_ua_per_s * waited_us // SECOND
        if not rise <= may:
            raise self.refuse(Rule.TITRATION_RATE, rise, may, "µA rise", now_us)

    def judge(self, s: Strength, now_us: int) -> None:
        """Refuse an amplitude that what has been forbids; takes the ramp's credit."""
        if not self.open:
            raise self.refuse(Rule.LOCKED, s.peak_ua, 0, "µA", now_us)
        if not self.level.covers(s):
            raise self.refuse(Rule.LEVEL, *self.level.excess(s), now_us, "level")
        self._judge_ramp(s, now_us)
        if self._timed:
            self._judge_burst(now_us)
        if not self.site.spent_us < self.limits.site_time_us:
            raise self.refuse(Rule.SITE_TIME, self.site.spent_us, self.limits.site_time_us, "µs", now_us)

    def _judge_ramp(self, s: Strength, now_us: int) -> None:
        """From zero to the level takes at least ``ramp_up_min_us``, however often it is tried.

        A rise costs credit, in units of µA times ramp_up_min.
        """
        self._accrue(now_us)
        ramp_us, rise = self.limits.ramp_up_min_us, rise_ua(s, self._old, self.level)
        if not rise * ramp_us <= self._credit:
            raise self.refuse(Rule.RAMP_RATE, rise, self._credit // ramp_us, "µA rise", now_us)
        self._credit -= rise * ramp_us

    def _accrue(self, now_us: int) -> None:
        """Credit grows at level / ramp_up_min; it holds one step and one control period's worth.

        So a linear ramp passes in a board's steps and with uneven ticks, and no rest saves up for a jump.
        """
        peak = self.level.peak_ua
        most = self._step_credit + peak * TICK_US
        credit = self._credit + peak * (now_us - self._credit_at_us)
        self._credit = credit if credit < most else most  # noqa: FURB136 - min() takes three times as long
        self._credit_at_us = now_us

    def _judge_burst(self, now_us: int) -> None:
        """A burst ends in time, and the next begins only when the rest that it owes has passed."""
        if self._on_since_us is None:
            if not now_us >= self.ready_at_us:
                raise self.refuse(Rule.DUTY, now_us, self.ready_at_us, "µs session time", now_us)
        elif not now_us - self._on_since_us < self.limits.on_time_us:
            raise self.refuse(Rule.ON_TIME, now_us - self._on_since_us, self.limits.on_time_us, "µs", now_us)

    # --- what has been approved ------------------------------------------------------------------------------------

    def commit(self, now_us: int) -> bool:
        """The judged train is what the board gets from now on. Whether it is in some way less than before."""
        new, old = self.new, self._old
        self._old = new
        if new.peak_ua:
            self.site.warm(now_us)
            if self._on_since_us is None:
                self._on_since_us = now_us
        else:
            self.end(now_us)
        return not new.covers(old)

    def end(self, at_us: int) -> None:
        """Output ended: note the rest that the burst owes, on (1000 - duty) / duty, rounded up."""
        if self._on_since_us is None:
            return
        if self._timed:
            duty = self.limits.duty_permille
            self.ready_at_us = at_us + ceil_div((at_us - self._on_since_us) * (1_000 - duty), duty)
        self._on_since_us = None
        self._old = ZERO
        self.site.warm(at_us)
