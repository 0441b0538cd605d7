"""What must hold, judged from outside: by what flows at the pads, by the frames on the line, by what is shown.

Every promise has a time. Where nothing disturbs it is the stop frame's own way to the board; where the line, the board
or the process is disturbed it is the board's dead-man and the time to live of a frame that was already on its way. A
board that lies exempts what it lies about and nothing else:

- a stuck output flows as it likes; it has to be noticed, and must never be shown as off once that was possible;
- a frozen board goes on with what it had; nothing new may begin;
- a board that ignores a stop has its dead-man left; one that lies about a stop has nothing, but is never shown as off;
- without a dead-man, what only the dead-man could end is nobody's promise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stimctl.engine import DELIVERING
from stimctl.pulse import PulseTrain
from tests.proving.sim_faults import DISTURBING, MS, SECOND, UNSTOPPABLE
from tests.proving.sim_shown import STUCK, Shown
from tests.proving.sim_wire import ARM, HEARTBEAT, STOP, UPDATE, Seen

if TYPE_CHECKING:
    from tests.proving.sim_world import World

FAILED_US: Final = 150 * MS
"""How long until a pass comes round that looks at the record."""

PROMPT_US: Final = 20 * MS
"""An undisturbed end of output: the stop frame's way over the line, and whatever was leaving just then."""

DEAD_MAN_US: Final = 500 * MS
"""F.3 and H14: the longest that a board goes on without progress."""

TTL_US: Final = 100 * MS
"""H19: how long a frame on its way may still count."""

SLACK_US: Final = 20 * MS

PEAKS_UA: Final = {"forearm": 60_000, "absolute": 100_000}
CHARGE_PC: Final = 20_000_000
RAMP_US: Final = 500 * MS
DUTY: Final = 600
"""The forearm profile, typed in again: peak, charge per phase, shortest ramp, per mille of a cycle on (A.5)."""

TEST_US: Final = 2_700 * MS
"""A test burst in titration: ramps of 1.0 and 0.2 s about 1.5 s."""


NOT_OURS: Final = frozenset({"stuck-output", "lies-about-stop"})
"""What makes current flow that nobody ordered."""


class Judge:
    """Sees everything that flows, is written or is shown, and writes down what is wrong."""

    def __init__(self, world: World) -> None:
        self.w = world
        self._facts = {fact.output: fact for fact in world.text.facts}
        self._flowing: dict[int, tuple[int, PulseTrain]] = {}  # by output: since when it flows at all, the train now
        self._frozen: dict[int, PulseTrain | None] = {}
        self._quiet_us: int | None = 0  # since when the session has been in no delivering state
        self._updates: set[tuple[int, int]] = set()
        self._last: dict[int, tuple[int, int]] = {}  # the last stretch of each output
        self._shown = Shown(world, self._flowing)
        self.shown = self._shown.status

    # --- what flows ----------------------------------------------------------------------------------------------

    def flow(self, output: int, train: PulseTrain | None, at_us: int) -> None:
        """What flows at ``output`` has changed."""
        before = self._flowing.get(output)
        if before is not None:
            self._judge(output, before[1], at_us)
        if train is None:
            if before is not None:
                self._last[output] = before[0], at_us
            self._flowing.pop(output, None)
            return
        self._flowing[output] = (at_us if before is None else before[0], train)
        self._judge(output, train, at_us)
        if before is None or train.amplitude_ua > before[1].amplitude_ua:
            self._judge_rise(output, train, at_us)
        if before is None and not self._is_beyond_us(output, train, at_us):
            self._judge_rest(output, at_us)

    def _judge(self, output: int, train: PulseTrain, at_us: int) -> None:
        if self._is_beyond_us(output, train, at_us):
            return
        self._judge_train(output, train)
        self._judge_level(output, train, at_us)
        self._judge_length(output, at_us)
        self.w.model.flowed(output, train.amplitude_ua)
        if (why := self._overdue(at_us)) and not self._nobody_could_end_it(at_us):
            self.w.wrong(f"output {output} delivers {train.amplitude_ua} µA {why}")

    def _is_beyond_us(self, output: int, train: PulseTrain, at_us: int) -> bool:
        """Whether the board lies or hangs here, so that what flows is not what was ordered."""
        troubles = self.w.troubles
        if self.w.twin.plan.has(STUCK, output) or troubles.has("stuck-output", at_us - SLACK_US, at_us):
            return True
        return troubles.has("hang-energised", at_us - SLACK_US, at_us) and self._frozen.get(output, train) == train

    def _judge_train(self, output: int, train: PulseTrain) -> None:
        fact = self._facts.get(output)
        if fact is None:
            self.w.wrong(f"output {output} delivers, but the protocol does not name it")
            return
        shape = (train.phase_width_us, train.interphase_gap_us, train.rate_mhz, train.pulses_per_period)
        if shape != (fact.width_us, fact.gap_us, fact.rate_mhz, 1):
            self.w.wrong(f"output {output} delivers another pulse than the file's: {train}")
        if train.amplitude_ua * train.phase_width_us != train.recovery_amplitude_ua * train.recovery_width_us:
            self.w.wrong(f"output {output} delivers an unbalanced pulse: {train}")
        charge = train.amplitude_ua * train.phase_width_us
        if not (train.amplitude_ua <= min(fact.most_ua, *PEAKS_UA.values()) and charge <= CHARGE_PC):
            self.w.wrong(f"output {output} delivers {train.amplitude_ua} µA, the file allows {fact.most_ua} µA")

    def _judge_level(self, output: int, train: PulseTrain, at_us: int) -> None:
        model = self.w.model
        window = DEAD_MAN_US + TTL_US + 400 * MS if self._disturbed(at_us - SECOND, at_us) else PROMPT_US
        most = model.most_ua(output, at_us - window)
        if train.amplitude_ua > most:
            self.w.wrong(f"output {output} delivers {train.amplitude_ua} µA, an operator raised it to {most} µA")
        ceiling = model.ceilings.get(output)
        if model.titrating is None and ceiling is not None and train.amplitude_ua > ceiling:
            self.w.wrong(f"output {output} delivers {train.amplitude_ua} µA above its ceiling of {ceiling} µA")

    def _judge_rise(self, output: int, train: PulseTrain, at_us: int) -> None:
        if self._is_beyond_us(output, train, at_us):
            return
        since_us = self._flowing[output][0]
        level = max(self.w.model.most_ua(output, at_us - SECOND), train.amplitude_ua)
        if train.amplitude_ua > 1_000 + level * (at_us - since_us + 60 * MS) // RAMP_US:
            self.w.wrong(f"output {output} rose to {train.amplitude_ua} µA within {(at_us - since_us) // MS} ms")

    def _judge_rest(self, output: int, at_us: int) -> None:
        """A motor burst is followed by the rest that the profile's duty asks for, however it ended (A.6)."""
        if self.w.text.on_us and output in self._last:
            began_us, ended_us = self._last[output]
            if self.w.troubles.any(NOT_OURS, began_us, at_us):
                return  # how long that was is not what the limiter could count
            owed_us = (ended_us - began_us) * (1_000 - DUTY) // DUTY
            if at_us - ended_us < owed_us - 2 * SLACK_US and not self._disturbed(began_us, at_us):
                self.w.wrong(f"output {output} rested {(at_us - ended_us) // MS} ms of {owed_us // MS} ms")

    def _judge_length(self, output: int, at_us: int) -> None:
        """A motor burst is no longer than the file's, or than a test burst."""
        if self.w.model.closed is not None or not self.w.text.on_us:
            return  # then it is overdue, and judged as such; or there are no bursts
        longest_us = max(self.w.text.on_us, TEST_US) + 100 * MS + SECOND * self._disturbed(at_us - SECOND, at_us)
        if at_us - self._flowing[output][0] > longest_us:
            self.w.wrong(f"output {output} has been on for {(at_us - self._flowing[output][0]) // MS} ms")

    def _overdue(self, at_us: int) -> str:
        """Why nothing may flow any more at ``at_us``, or ""."""
        world, closed = self.w, self.w.model.closed
        kinds = UNSTOPPABLE if world.model.by_stop else DISTURBING
        if closed is not None and at_us > closed[0] + self._promise_us(closed[0], at_us, kinds):
            return f"{(at_us - closed[0]) // MS} ms after: {closed[1]}"
        disturbed = self._disturbed(at_us - SECOND, at_us)
        late_us = DEAD_MAN_US + SLACK_US + (TTL_US if disturbed else 0)
        if at_us > world.passed_us + late_us:
            return f"{(at_us - world.passed_us) // MS} ms after the last pass of the control loop"
        face_us = late_us + (DEAD_MAN_US if disturbed else 0)
        if world.face.awake and at_us > world.face.beat_us + face_us:
            return f"{(at_us - world.face.beat_us) // MS} ms after the face was last heard"
        if world.failed_us is not None and at_us > world.failed_us + FAILED_US + self._promise_us(
            world.failed_us, at_us
        ):
            return f"{(at_us - world.failed_us) // MS} ms after the record had failed"
        quiet_us = self._quiet_us
        if quiet_us is not None and at_us > quiet_us + self._promise_us(quiet_us, at_us):
            return f"{(at_us - quiet_us) // MS} ms after the session had left every delivering state"
        return ""

    def _promise_us(self, from_us: int, at_us: int, kinds: frozenset[str] = DISTURBING) -> int:
        disturbed = self.w.troubles.any(kinds, from_us - 500 * MS, at_us)
        return DEAD_MAN_US + TTL_US + SLACK_US if disturbed else PROMPT_US

    def _disturbed(self, from_us: int, to_us: int) -> bool:
        return self.w.troubles.any(DISTURBING, from_us, to_us)

    def _nobody_could_end_it(self, at_us: int) -> bool:
        """Whether the board had said that it had stopped, or its dead-man was broken while only that was left."""
        troubles, closed = self.w.troubles, self.w.model.closed
        if closed is not None and troubles.has("lies-about-stop", closed[0] - TTL_US, at_us):
            return True
        alone = self.w.is_over or self._disturbed(at_us - 2 * SECOND, at_us)
        return alone and troubles.has("dead-man-fails", at_us - 2 * SECOND, at_us)

    def froze(self) -> None:
        """The board hangs from now on with what it has."""
        self._frozen = {stage.output: stage.ledger.train for stage in self.w.twin.stages}

    # --- what is written -----------------------------------------------------------------------------------------

    def told(self, seen: Seen) -> None:
        """The host has handed over a frame."""
        model, now_us = self.w.model, self.w.time.now_us
        if seen.kind == UPDATE:
            if (seen.token, seen.sequence) in self._updates:
                self.w.wrong(f"the setting {seen.sequence} was sent twice")
            self._updates.add((seen.token, seen.sequence))
        if seen.kind == STOP:
            model.close("a stop frame was written", now_us, by_stop=self.w.is_stopping)
        elif model.closed is None:
            return
        elif seen.kind == UPDATE and seen.peak_ua:
            self.w.wrong(f"{seen.peak_ua} µA were sent after: {model.closed[1]}")
        elif seen.kind == ARM:
            self.w.wrong(f"the board was armed after: {model.closed[1]}")
        elif seen.kind == HEARTBEAT and now_us > model.closed[0] + SLACK_US:
            self.w.wrong(f"the dead-man was fed after: {model.closed[1]}")

    # --- after every step ----------------------------------------------------------------------------------------

    def step(self) -> None:
        """After every step: what flows now, and whether the session knows."""
        world = self.w
        now_us, state = world.time.now_us, world.session.state
        if world.failed_us is None and world.journal.failed:
            world.failed_us = now_us
        if state in DELIVERING:
            self._quiet_us = None
        elif self._quiet_us is None:
            self._quiet_us = now_us
        for output, (_, train) in tuple(self._flowing.items()):
            self._judge(output, train, now_us)
        self._shown.step(now_us, state)
