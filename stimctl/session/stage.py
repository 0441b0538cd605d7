"""The output stage: limiter and driver as one gate. What passes here, and nothing else, reaches a board."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from stimctl.driver import BoardDriver, BoardEvent, DriverState, OutputState, Setup
from stimctl.errors import Refusal, StimctlError, UsageError
from stimctl.limits import Sensation
from stimctl.pulse import Command
from stimctl.safety import Approved, Latch, Limiter, Rule
from stimctl.schedule import ChannelPlan, Schedule
from stimctl.session.placing import placements
from stimctl.session.pressing import press_ua
from stimctl.units import MS, ma_text

BEAT_US: Final = 100 * MS
"""The control loop comes round at least this often while armed (F.3); the board's dead-man is 500 ms at most."""

WAIT_US: Final = 5 * MS
"""How often it comes round while an answer of the board is awaited."""


@final
class OutputStage:
    """Limiter and driver around one latch."""

    def __init__(self, latch: Latch, driver: BoardDriver) -> None:
        self.latch, self.driver = latch, driver
        self._limiter: Limiter | None = None
        self._earlier_us: dict[str, int] = {}
        self._sent: Approved | None = None
        self._counter = 0

    @property
    def has_limiter(self) -> bool:
        """Whether the placements are known."""
        return self._limiter is not None

    @property
    def limiter(self) -> Limiter:
        """The limiter; there is one as soon as the placements are known."""
        assert self._limiter is not None
        return self._limiter

    def prepare(
        self, schedule: Schedule, sensation: Callable[[str], Sensation], earlier_us: dict[str, int], now_us: int
    ) -> None:
        """A limiter for today's placements, locked. ``earlier_us`` is what the sites have had in sessions before."""
        facts = self.driver.facts
        assert facts is not None
        spent = self._limiter.site_times_us() if self._limiter else dict(earlier_us)
        self._earlier_us = dict(earlier_us)
        self._limiter = Limiter(
            placements(schedule, sensation),
            facts.limits,
            self.latch,
            senses_impedance=facts.senses_impedance,
            now_us=now_us,
            site_time_spent_us=spent,
        )

    def site_times_us(self) -> dict[str, int]:
        """Stimulation time of each site in this session alone."""
        if self._limiter is None:
            return {}
        return {site: us - self._earlier_us.get(site, 0) for site, us in self._limiter.site_times_us().items()}

    # --- arming ----------------------------------------------------------------------------------------------

    def arm(self, setups: tuple[Setup, ...], now_us: int) -> None:
        """Ask the board to arm at zero. The answer comes as an event."""
        self._sent = None
        self.driver.arm(setups, now_us)

    def disarm(self, zero: Command, now_us: int) -> None:
        """Disarmed there, and then locked here. ``zero`` tells the limiter that the burst is over.

        A refusal of it that is not a stop's is raised, with the board disarmed and the limiter locked.
        """
        self._sent = None
        self.driver.disarm(now_us)  # first, whatever the limiter finds; nothing, where the driver has no session
        if self._limiter is not None:
            try:
                self._limiter.approve(zero, now_us)
            except Refusal as refusal:
                if not came_after_a_stop(refusal):
                    raise
            finally:
                self._limiter.close()

    # --- levels ----------------------------------------------------------------------------------------------

    def highest_ua(self, plan: ChannelPlan) -> int:
        """The highest level that this channel may be raised to now, in the board's steps."""
        if self._limiter is None:
            return 0
        most_ua = min(plan.max_ua, self._limiter.amplitude_ceiling_ua(plan.channel, plan.shape))
        return most_ua - most_ua % plan.step_ua

    def least_ua(self, plan: ChannelPlan) -> int:
        """What the board gives at least, once it gives anything."""
        facts = self.driver.facts
        return facts.least_ua[plan.channel] if facts is not None and plan.channel < len(facts.least_ua) else 0

    def require_flow(self, plan: ChannelPlan, level_ua: int) -> None:
        """Raise :class:`UsageError` for a level at which the board gives nothing: it would be counted as given."""
        least_ua = self.least_ua(plan)
        if 0 < level_ua < least_ua:
            raise UsageError(
                f"{plan.name}: at {ma_text(level_ua)} mA nothing flows, since this board gives nothing below"
                f" {ma_text(least_ua)} mA; raise it, or set it to zero"
            )

    def raised_ua(self, plan: ChannelPlan, level_ua: int) -> int:
        """Where one press would take a level: a milliampere up, held at the ceiling."""
        return min(level_ua + press_ua(plan), self.highest_ua(plan))

    def lowered_ua(self, plan: ChannelPlan, level_ua: int) -> int:
        """Where one press would take a level: a milliampere down, and to zero where the board gives nothing any more."""
        lower_ua = level_ua - press_ua(plan)
        return lower_ua if lower_ua >= max(1, self.least_ua(plan)) else 0

    # --- delivering ------------------------------------------------------------------------------------------

    def deliver(self, command: Command, now_us: int) -> None:
        """Judge the command as it stands and send it if it is news; raises :class:`Refusal`, which has latched.

        It is judged in every pass, sent or not: on-time, duty and site time go on while nothing changes.
        """
        approved = self.limiter.approve(command, now_us)
        sent = self._sent
        # A permit that was made void while it waited in the driver never left: then the same command is news again.
        if sent is None or not sent.is_live() or command != sent.command:
            self.driver.send(approved, now_us)
            self._sent = approved

    def beat(self, now_us: int) -> None:
        """One pass of the control loop is done: the proof of progress that keeps the board's dead-man quiet."""
        self._counter += 1
        self.driver.beat(self._counter, now_us)

    def stop_now(self, reason: str) -> None:
        """Any thread: latch and stop frame, at once."""
        self.driver.stop(reason)

    def next_wake_us(self, now_us: int) -> int:
        """When the driver wants to be polled again at the latest."""
        if self.driver.state in (DriverState.CONNECTING, DriverState.ARMING, DriverState.STOPPING):
            return now_us + WAIT_US
        return now_us + BEAT_US

    # --- reading ---------------------------------------------------------------------------------------------

    def poll(self, now_us: int) -> tuple[BoardEvent, ...]:
        """What the board has said."""
        return self.driver.poll(now_us)

    @property
    def at_rest(self) -> bool:
        """Whether the next step need not wait: the board has confirmed zero, or cannot and has been told all it can be."""
        driver = self.driver
        if driver.output is OutputState.OFF:
            return True
        return self.is_unconfirming and driver.state in (DriverState.DISARMED, DriverState.STOPPED)

    @property
    def is_unconfirming(self) -> bool:
        """Whether the board is there and has no word for being at zero."""
        facts = self.driver.facts
        return facts is not None and not facts.confirms_zero and self.driver.state is not DriverState.LOST

    @property
    def output(self) -> OutputState:
        """What the board's own reports say about its output."""
        return self.driver.output


def came_after_a_stop(error: StimctlError) -> bool:
    """Whether the limiter refused for no other reason than a latch that was tripped before it looked.

    Whoever has asked the latch first may still get this: a stop comes at any instant, from another thread. It is no
    fault, and its reason is with the session.
    """
    return isinstance(error, Refusal) and error.rule == Rule.LATCHED
