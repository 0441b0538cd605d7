"""The hard limiter: the one door between what the engine wants and what a board gets.

It trusts nobody: not the file's checks, not the engine, not the types. It imports no model library, clock, thread,
port or random number; time comes as an argument. It refuses and latches, it never trims, and it starts locked. Its
parts are in :mod:`stimctl.envelope`; here is which rule is asked when, and what a refusal does.

The order is: types, then every bound of the train (absolute, profile, board, protocol), the ceiling found today, then
what has been (locked, level, ramp, burst, site), then pads that channels share. The effective limit is the narrowest.
"""

from __future__ import annotations

from typing import final

from stimctl.envelope import review
from stimctl.envelope.accounts import SILENCE_US, Channel
from stimctl.envelope.latch import Approved, Latch, Unique, approve
from stimctl.envelope.placing import place
from stimctl.envelope.words import (
    ZERO,
    Burst,
    Finding,
    Pad,
    Placement,
    Rule,
    Strength,
    highest_covered_ua,
    strength,
    well_typed,
)
from stimctl.errors import OurBug, Refusal
from stimctl.limits import Limits
from stimctl.pulse import Command, Output, PulseTrain
from stimctl.units import MicroAmp

__all__ = ["SILENCE_US", "Approved", "Burst", "Finding", "Latch", "Limiter", "Pad", "Placement", "Rule"]


@final
class Limiter(Unique):
    """Judges every command of one session. Starts locked: until a person opens it, it approves zero alone.

    ``placements`` are the channels of the session, all of them: a command states them all. ``board`` is the board's
    own table, ``senses_impedance`` whether it can see a pad peel. ``site_time_spent_us`` carries over what sites have
    had earlier today. Raises :class:`Refusal` for a placement, plan or limit that no command could make safe.

    Calls that an operator's wish leads to (``open_*``, ``set_ceiling``, ``raise_level``) refuse without latching.
    :meth:`approve` refuses AND trips the latch, because what reaches it was planned: a breach there is a bug upstream.
    A clock that runs backwards latches everywhere. After a trip the limiter is locked, with all levels at zero; the
    ceilings found today stay.

    A latch has one limiter, the last that was made on it: it alone approves, and what others approved is void. So is
    any output that was approved before an ``open_*``, a ``close`` or a trip, or before a level under it was set.

    Not thread-safe, but for the latch, which any thread may trip at any moment.
    """

    __slots__ = (
        "_all",
        "_approved_at_us",
        "_channels",
        "_epoch",
        "_every_bit",
        "_latch",
        "_now_us",
        "_number",
        "_raised_at_us",
        "_rising_since",
        "_shared",
        "_site_of",
        "_sites",
        "_titrating",
        "_treating",
    )

    def __init__(
        self,
        placements: tuple[Placement, ...],
        board: Limits,
        latch: Latch,
        *,
        senses_impedance: bool,
        now_us: int,
        site_time_spent_us: dict[str, int] | None = None,
    ) -> None:
        if type(latch) is not Latch:
            raise Refusal(Rule.TYPE, type(latch).__name__, "Latch", "", now_us=0)
        if type(self) is not Limiter:
            raise OurBug("Limiter has no subclasses")
        spent_us = {} if site_time_spent_us is None else site_time_spent_us
        placed = place(placements, board, senses_impedance, spent_us, now_us)
        self._channels, self._site_of, self._shared = placed
        self._sites = tuple(self._site_of.values())
        self._all = tuple(self._channels.values())
        self._every_bit = (1 << len(self._all)) - 1
        self._latch, self._epoch = latch, latch.epoch
        self._now_us = self._approved_at_us = now_us
        self._raised_at_us: int | None = None
        self._titrating: Channel | None = None
        self._treating = False
        self._rising_since = latch.serial  # number of the first permit after output last fell: none since is for more
        self._number = latch.take_over()

    # --- what an operator does -------------------------------------------------------------------------------------

    def open_titration(self, channel: int, now_us: int) -> None:
        """Open one channel, from zero, to find its thresholds; its ceiling is forgotten, every other stays at zero."""
        state = self._operate(channel, now_us)
        self.close()
        state.open, self._titrating = True, state
        state.ceiling, state.ceiling_train, state.reached = None, None, ZERO

    def set_ceiling(self, channel: int, found: PulseTrain, now_us: int) -> None:
        """Keep ``found`` as the most that this person tolerates here today, at its width, gap and rate.

        Refused unless this channel is being titrated and a train at least as strong was approved in this opening:
        nobody has tolerated what was never given.
        """
        state = self._operate(channel, now_us)
        if state is not self._titrating:
            raise state.refuse(Rule.LOCKED, "not in titration", "titration", "", now_us)
        s = state.measure(found, now_us)
        if not s.peak_ua > 0:
            raise state.refuse(Rule.CEILING, s.peak_ua, 1, "µA", now_us)
        if not state.reached.covers(s):
            raise state.refuse(Rule.CEILING, *state.reached.excess(s), now_us, "highest given in titration")
        state.ceiling, state.ceiling_train = s, found

    def open_treatment(self, now_us: int) -> None:
        """Open every channel, from zero; refused unless each has a ceiling found today."""
        if self._observe(now_us) < 0:
            raise self._refuse(Rule.LATCHED, self._latch.reason, "cleared by a person")
        self._judge_succession()
        for state in self._all:
            state.judge_ceiling(ZERO, now_us)
        self.close()
        self._treating = True
        for state in self._all:
            state.open = True

    def close(self) -> None:
        """Lock: all levels to zero, and every permit void; a zero that was approved last may still leave.

        Give the board its zero first, or end its output by other means: what is on stays the caller's to end.
        """
        self._void(None if any(state.is_on for state in self._all) else self._rising_since)
        self._treating, self._titrating = False, None
        for state in self._all:
            state.zero()

    def forget_ceiling(self, channel: int) -> None:
        """A pad was touched or the person asks: this channel is titrated again before any treatment."""
        state = self._state(channel)
        state.ceiling = state.ceiling_train = None
        self.close()

    def raise_level(self, channel: int, train: PulseTrain, now_us: int) -> None:
        """One human act: let the channel go as far as ``train``, at most one step above its level.

        A step is ``step_ua`` at the level's own width, rate, gap and pulses; a rise in charge or rms counts like a
        rise in amplitude, and gap and pulses grow only from zero (H39). Acts on ANY channel stand apart by
        ``step_interval_min_us`` and keep below ``rise_ua_per_s`` (R2, H03). On a pad that channels share, the levels
        of all of them must fit together. A train that the level covers is a lowering and passes at once.
        """
        state = self._operate(channel, now_us)
        new = state.measure(train, now_us)
        if self._treating:
            state.judge_ceiling(new, now_us)
        if not state.open:
            raise state.refuse(Rule.LOCKED, new.peak_ua, 0, "µA", now_us)
        if not state.level.covers(new):
            state.judge_raise(new, self._raised_at_us, now_us)
            self._judge_shared_levels(state, new, now_us)
            self._raised_at_us = now_us
            state.grant_step(now_us)
        self._set_level(state, train, new)

    def lower_level(self, channel: int, train: PulseTrain, now_us: int) -> None:
        """Bring the level down to ``train``, at any time and speed; refused only if that would raise it."""
        state = self._state(channel)
        if not (well_typed(train) and train.amplitude_ua >= 0 and train.recovery_amplitude_ua >= 0):
            raise state.refuse(Rule.TYPE, train, "a PulseTrain of whole numbers", "", now_us)
        s = strength(train)
        if not state.level.covers(s):
            raise state.refuse(Rule.LEVEL, *state.level.excess(s), now_us, "level")
        self._set_level(state, train, s)

    # --- every command ---------------------------------------------------------------------------------------------

    def approve(self, command: Command, now_us: int) -> Approved:
        """Judge a command with every rule; returns the permit, or raises :class:`Refusal` and trips the latch.

        A command of zeros passes in every state but a tripped one, if its trains are well formed.
        """
        # Read before anything is judged: a stop that comes while we think makes this epoch, and so the permit, void.
        epoch = self._observe(now_us)
        if epoch < 0:
            raise self._refuse(Rule.LATCHED, self._latch.reason, "cleared by a person")
        try:
            self._judge(command, now_us)
        except Refusal as refusal:
            self._latch.trip(str(refusal))
            raise
        except BaseException as error:
            self._latch.trip(f"limiter fault: {type(error).__name__}")  # its own words could run into the next fault
            if not isinstance(error, Exception):
                raise  # an interrupt, which is somebody else's to answer
            raise self._refuse(Rule.FAULT, type(error).__name__, "a judgement") from error
        self._approved_at_us = now_us
        fell = False
        for state in self._all:
            if state.commit(now_us):
                fell = True
        if self._titrating is not None and not self._titrating.reached.covers(self._titrating.new):
            self._titrating.reached = self._titrating.new
        permit = approve(command, epoch, self._latch)
        if fell:
            self._rising_since = permit.serial
        return permit

    def _judge(self, command: object, now_us: int) -> None:
        """All rules over a whole command; raises at the first that refuses."""
        self._judge_succession()
        if now_us - self._approved_at_us > SILENCE_US and any(state.is_on for state in self._all):
            raise self._refuse(Rule.CLOCK, now_us - self._approved_at_us, SILENCE_US, "µs without a command")
        outputs: object = command.outputs if type(command) is Command else None
        if type(outputs) is not tuple:
            raise self._refuse(Rule.TYPE, type(command).__name__, "Command of a tuple")
        seen = 0
        for output in outputs:
            if type(output) is not Output:
                raise self._refuse(Rule.TYPE, type(output).__name__, "Output")
            state = self._state(output.channel)
            if seen & state.bit:
                raise state.refuse(Rule.DUPLICATE_CHANNEL, state.number, "once", "", now_us)
            seen |= state.bit
            s = state.new = state.measure(output.train, now_us)
            if s.peak_ua:
                if self._treating:
                    state.judge_ceiling(s, now_us)
                state.judge(s, now_us)
        if seen != self._every_bit:
            missing = [state.number for state in self._all if not seen & state.bit]
            raise self._refuse(Rule.MISSING_CHANNEL, missing, "every channel")
        for pad, users in self._shared:
            loads = [state.new for state in users]
            if not pad.allows(loads):
                raise pad.finding(loads).refusal(now_us)

    def _judge_shared_levels(self, raised: Channel, new: Strength, now_us: int) -> None:
        """Refuse a raise after which the levels on a shared pad would be too much together: no stop need end it."""
        for pad, users in self._shared:
            loads = [new if state is raised else state.level for state in users]
            if not pad.allows(loads):
                raise pad.finding(loads).refusal(now_us)

    # --- what can be asked -----------------------------------------------------------------------------------------

    def level(self, channel: int) -> PulseTrain | None:
        """How far a person has raised the channel; None at zero, and from the moment of a trip on."""
        state = self._state(channel)
        return state.level_train if self._latch.epoch == self._epoch else None

    def ceiling(self, channel: int) -> PulseTrain | None:
        """What was found for this person today; None if nothing was."""
        return self._state(channel).ceiling_train

    def effective(self, channel: int) -> Limits:
        """The narrowest of absolute (with R4's accuracy taken off, rounded down), profile, board and protocol."""
        return self._state(channel).limits

    def amplitude_ceiling_ua(self, channel: int, train: PulseTrain) -> int:
        """The highest whole µA for a train of this shape under all bounds and, outside titration, the ceiling.

        One µA more would be refused. ``train`` gives the proportions; a symmetrical one may be at zero. 0 if its
        shape is refused at every amplitude. Levels and ramps are not in it. A shared pad is, with the other channels at
        zero: what they have is judged when one of them is raised, and its refusal says that another is in the way.
        """
        state = self._state(channel)
        if well_typed(train) and train.amplitude_ua == 0 and train.recovery_width_us == train.phase_width_us:
            train = train.at(MicroAmp(state.limits.peak_ua))
        if not (well_typed(train) and train.amplitude_ua > 0):
            return 0
        s = strength(train)
        highest = [state.gate.highest_peak_ua(train)]
        highest += [pad.highest_peak_ua(s) for pad, users in self._shared if state in users]
        if not (state.ceiling is None or state is self._titrating):
            highest.append(highest_covered_ua(state.ceiling, s))
        return min(highest)

    def ready_at_us(self, channel: int) -> int:
        """From when on the channel may begin its next burst; a burst before that is refused (duty).

        A trip counts here at once, noticed by a command or not: the answer after it is the one that will be held to.
        """
        self._follow_latch()
        return self._state(channel).ready_at_us

    def site_time_us(self, site: str) -> int:
        """Stimulation time of a site so far, earlier sessions of today included; 0 for one that was never named."""
        return self._site_of[site].spent_us if site in self._site_of else 0

    def site_times_us(self) -> dict[str, int]:
        """The same of every site, to be carried over to the next limiter of today."""
        return {name: site.spent_us for name, site in self._site_of.items()}

    def review(self, command: Command, now_us: int) -> tuple[Finding, ...]:
        """What the warn column says about a command, the burst plans and the sites; refuses and changes nothing."""
        named = [(self._channels.get(output.channel), output) for output in command.outputs]
        trains = [f for state, output in named if state is not None for f in review.train_warnings(state, output)]
        pads = [f for pad, users in self._shared for f in review.pad_warnings(pad, users, command)]
        sites = [f for state in self._all for f in review.site_warnings(state, now_us)]
        return (*trains, *pads, *self.review_placements(), *sites)

    def review_placements(self) -> tuple[Finding, ...]:
        """What the warn column says about the burst plans."""
        return tuple(finding for state in self._all for finding in review.plan_warnings(state))

    # --- inner ways ------------------------------------------------------------------------------------------------

    def _observe(self, now_us: int) -> int:
        """Take note of the time and of the latch; a clock that is no clock latches. The epoch, or -1 if tripped."""
        if type(now_us) is not int or not now_us >= self._now_us:
            refusal = self._refuse(Rule.CLOCK, now_us, self._now_us, "µs")
            self._latch.trip(str(refusal))
            raise refusal
        self._now_us = now_us
        for site in self._sites:
            site.advance(now_us)
        epoch = self._latch.live_epoch()
        if epoch != self._epoch:
            self._follow_latch()
        return epoch

    def _follow_latch(self) -> None:
        """After a trip: locked, levels at zero; output counts as on until a board's dead-man would have ended it.

        That is reckoned from the last command and not from now: it must not matter when somebody first looks.
        """
        if self._latch.epoch != self._epoch:
            self._epoch = self._latch.epoch
            self.close()
            for state in self._all:
                state.end(self._approved_at_us + SILENCE_US)

    def _operate(self, channel: int, now_us: int) -> Channel:
        """The channel of an operator's wish, with clock and latch looked at."""
        if self._observe(now_us) < 0:
            raise self._refuse(Rule.LATCHED, self._latch.reason, "cleared by a person")
        self._judge_succession()
        return self._state(channel)

    def _judge_succession(self) -> None:
        """Refuse to be one of two: each would count only its own time, bursts and levels."""
        if self._latch.limiters != self._number:
            raise self._refuse(Rule.SUPERSEDED, self._number, self._latch.limiters, "limiters on this latch")

    def _void(self, before: int | None = None) -> None:
        """Take permits back; a limiter that was superseded has none."""
        if self._latch.limiters == self._number:
            self._latch.void(before)

    def _set_level(self, state: Channel, train: PulseTrain, s: Strength) -> None:
        """Take over a level that was judged; permits for what it does not cover are void, whichever way it went.

        A permit for the newest command stays live if that is still allowed: it may wait in a driver, and whoever asks
        for the same again may take it for sent.
        """
        state.set_level(train, s)
        self._void(self._rising_since if s.covers(state.given) else None)

    def _state(self, channel: int) -> Channel:
        state = self._channels.get(channel) if type(channel) is int else None
        if state is None:
            raise self._refuse(Rule.UNKNOWN_CHANNEL, channel, sorted(self._channels))
        return state

    def _refuse(self, rule: Rule, value: object, bound: object, unit: str = "") -> Refusal:
        """The refusal of a rule that is about no one channel."""
        return Refusal(rule, value, bound, unit, now_us=self._now_us, bound_from="session")
