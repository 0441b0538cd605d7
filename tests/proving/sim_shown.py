"""What must hold of what is shown and known: nobody is told "off" while something flows, and what is wrong is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from stimctl.driver import OutputState
from stimctl.engine import ARMED, State
from stimctl.orders import OutputWord, Status
from stimctl.pulse import PulseTrain
from stimctl.sim.faults import FaultKind
from tests.proving.sim_faults import DISTURBING, MS, SECOND

if TYPE_CHECKING:
    from tests.proving.sim_world import World

STUCK: Final = FaultKind.STUCK_OUTPUT

NOTICED_US: Final = 350 * MS
"""H22: two reports, 100 ms apart, and the settling of a measurement; undisturbed."""

IDLE_NOTICED_US: Final = 1_300 * MS
"""The same with output off, where a report comes once a second."""

DISTURBED_US: Final = 1_500 * MS
"""How much later a disturbed line or process may notice: misses, repetitions, silence until the link counts as lost."""


class Shown:
    """Compares what the session says with what flows; ``flowing`` is the judge's own: since when and what, by output."""

    def __init__(self, world: World, flowing: Mapping[int, tuple[int, PulseTrain]]) -> None:
        self._w, self._flowing = world, flowing
        self._is_choosing = True
        self._armed_us: int | None = None  # since when the session has been in an armed state
        self._stuck_us: dict[int, int] = {}

    def step(self, now_us: int, state: State) -> None:
        """After every step: whether the session knows what is the case."""
        world = self._w
        if self._is_choosing and state not in (State.CHOOSING, State.ENDED):
            self._is_choosing = False
            if world.troubles.throughout("wide-limits", 1 * SECOND, now_us):
                world.wrong("a board with limits wider than ours is used")
        if state not in ARMED:
            self._armed_us = None
        elif self._armed_us is None:
            self._armed_us = now_us
        self._judge_stuck(now_us)
        if self._flowing and world.session.output is OutputState.OFF:
            self._shown_off(now_us)
        self._judge_board(now_us)

    def _disturbed(self, from_us: int, to_us: int) -> bool:
        return self._w.troubles.any(DISTURBING, from_us, to_us)

    def _judge_stuck(self, now_us: int) -> None:
        """A wrong current is noticed, and ends the session's belief that it treats."""
        plan, troubles = self._w.twin.plan, self._w.troubles
        if not (self._stuck_us or plan.has(STUCK)):
            return
        for output, stage in enumerate(self._w.twin.stages):
            wanted = 0 if stage.wanted is None else stage.wanted.amplitude_ua
            wrong = plan.has(STUCK, output) and stage.ledger.current_ua() - wanted > max(2_000, wanted // 5)
            if not wrong:
                self._stuck_us.pop(output, None)
                continue
            since_us = max(self._stuck_us.setdefault(output, now_us), self._armed_us or 0)
            blind = troubles.has("no-self-check", since_us, now_us)
            if blind and troubles.has("lying-readback", since_us, now_us):
                continue  # nobody can know
            late_us = NOTICED_US + (DISTURBED_US if self._disturbed(since_us - SECOND, now_us) else 0)
            if self._armed_us is not None and self._w.passed_us > since_us + late_us:  # who sleeps sees nothing
                self._w.wrong(f"output {output} has been stuck for {(now_us - since_us) // MS} ms and nobody minds")

    def _shown_off(self, now_us: int) -> None:
        """Something flows and the session says off: right only until a stuck output could have been noticed."""
        troubles = self._w.troubles
        if not self._w.connected:
            return  # no board was chosen yet: "off" is said of ours, and there is none
        for output, (_, train) in self._flowing.items():
            since_us = self._stuck_us.get(output)
            if since_us is None:
                self._w.wrong(f"the session says off while output {output} delivers {train.amplitude_ua} µA")
            elif not (
                troubles.has("no-self-check", since_us, now_us) and troubles.has("lying-readback", since_us, now_us)
            ):
                late_us = IDLE_NOTICED_US + (DISTURBED_US if self._disturbed(since_us - SECOND, now_us) else 0)
                if self._w.passed_us > since_us + late_us and not self._w.is_over:
                    self._w.wrong(f"off is shown {(now_us - since_us) // MS} ms after output {output} got stuck")

    def _judge_board(self, now_us: int) -> None:
        """A board that has disarmed itself is noticed."""
        disarms, since_us = self._w.twin.disarms, self._armed_us
        if since_us is None or not disarms or self._w.twin.armed or self._w.is_over:
            return
        at_us = disarms[-1][0]
        late_us = NOTICED_US + (DISTURBED_US if self._disturbed(at_us - SECOND, now_us) else 0)
        if at_us >= since_us and self._w.passed_us > at_us + late_us:
            self._w.wrong(
                f"the board disarmed {(now_us - at_us) // MS} ms ago, the session is in {self._w.session.state}"
            )

    def status(self, status: Status) -> None:
        """A status has reached the screen."""
        model, world = self._w.model, self._w
        if status.output is OutputWord.OFF and self._flowing:
            self._shown_off(world.time.now_us)
        for channel in status.channels:
            if channel.level_ua > model.levels[channel.output - 1] and model.closed is None:
                world.wrong(f"{channel.name} is shown at {channel.level_ua} µA, {model.levels} was ordered")
        if model.closed is None and status.state in ("trial", "burst", "flowing", "finding thresholds"):
            shown = {channel.output - 1: channel.level_ua for channel in status.channels}
            if shown != model.levels:
                world.wrong(f"levels are shown as {shown}, ordered were {model.levels}")
        if world.passes > world.pressed_at + 1:  # a whole pass has come round since the last press
            if world.must_stop and status.state not in (State.STOPPED, State.REVIEW, State.ENDED):
                world.wrong(f"{world.must_stop}, but the session is in {status.state}")
            if status.state in ARMED and status.output is OutputWord.OFF:
                world.wrong(f"the session is in {status.state} and shows off")
