"""Faults for planting: one mistake each, as somebody might make it, and what it would do to a person or to the record.

Where one mistake is held by a second wall (the limiter behind the engine, the board behind the limiter), it does no harm
alone; then the plant takes both down, and says so. ``theme`` is
what the hunting sessions try beside what their seeds draw; ``hint`` a seed that has caught it: tried first, relied on never.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.proving.planting import Plant


@dataclass(frozen=True)
class Planted:
    """A named fault: one change of the code, or several that together are one."""

    name: str
    plants: tuple[Plant, ...]
    theme: str = ""
    hint: int = 0

    @property
    def harm(self) -> str:
        """What it would do."""
        return self.plants[0].harm


def _one(name: str, module: str, old: str, new: str, harm: str) -> Planted:
    return Planted(name, (Plant(f"stimctl.{module}", old, new, harm),), THEMES.get(name, ""), HINTS.get(name, 0))


def _two(name: str, first: tuple[str, str, str], second: tuple[str, str, str], harm: str) -> Planted:
    plants = tuple(Plant(f"stimctl.{module}", old, new, harm) for module, old, new in (first, second))
    return Planted(name, plants, THEMES.get(name, ""), HINTS.get(name, 0))


THEMES: Final[dict[str, str]] = {
    "stop-without-latch": "near:deliver near:send",
    "stop-waits-for-a-pass": "loop-stall",
    "permit-outlives-stop": "near:say_approved near:encode_update",
    "arm-outlives-stop": "near:say_arm",
    "clear-starts": "long bold near:beat",
    "fault-without-stop": "disk-full",
    "off-by-request": "hang-energised",
    "trouble-ignored": "stuck-output lying-readback",
    "readback-off": "stuck-output no-self-check",
    "setting-sent-again": "line-drop",
    "beat-from-poll": "half-stalled",
    "wide-board-taken": "wide-limits",
    "ceiling-from-the-higher-run": "long bold",
    "ceiling-ignored": "long bold",
    "no-silence-between": "text:fes-cyclic",
    "rest-skipped": "text:fes-cyclic",
    "lockout-skipped": "long text:fes-emg-triggered",
    "deaf-trigger": "long text:fes-emg-triggered",
    "face-never-missed": "face-frozen",
    "unknown-shown-off": "hang-energised",
    "recordless": "disk-full",
    "pause-unrecorded": "long",
    "not-durable": "killed",
}
"""What the hunting sessions try, by the fault."""

HINTS: Final[dict[str, int]] = {
    "amplitude-off-by-a-step": 8,
    "arm-outlives-stop": 27,
    "arming-unrecorded": 3,
    "beat-from-poll": 14,
    "ceiling-from-the-higher-run": 35,
    "ceiling-ignored": 35,
    "clear-starts": 14,
    "disarm-without-frame": 16,
    "face-never-missed": 14,
    "falls-late": 14,
    "fault-without-stop": 6,
    "gap-dropped": 15,
    "level-kept": 2,
    "level-unrecorded": 3,
    "not-durable": 1,
    "off-by-request": 1,
    "pause-unrecorded": 35,
    "raises-too-fast": 11,
    "rate-halved": 14,
    "rest-skipped": 25,
    "rows-lost": 2,
    "setting-sent-again": 4,
    "stop-leaves-state": 11,
    "stop-unheard": 1,
    "stop-waits-for-a-pass": 14,
    "stop-without-latch": 9,
    "unchained": 4,
    "unclosed": 2,
    "unplaced": 16,
    "unscreened": 4,
    "wide-board-taken": 15,
}
"""Seeds that have caught one soonest, by the fault: the everyday hunt begins with it."""

STOP: Final = (
    _one("stop-without-latch", "driver.line",
         "        self._latch.trip(reason)  # before the lock", "        # before the lock",
         "a stop ends the board's session and nothing else: the next setting or arming goes on"),
    _one("stop-waits-for-a-pass", "driver.line",
         "        self.write_stop()\n", "",
         "a stop reaches the board with the next pass of the loop, if there is one"),
    _one("permit-outlives-stop", "driver.line",
         "            if not approved.is_live():\n", "            if False:\n",
         "a setting that was approved before a stop is written after it"),
    _one("arm-outlives-stop", "driver.line",
         "            if self._latch.tripped or self._latch.epoch != epoch:\n", "            if False:\n",
         "a board is armed after the stop of its arming"),
    _one("stop-unheard", "session.course",
         "        self._stops.append(reason)  # first", "        # first",
         "a stop while paused is forgotten: no row, no latched state"),
    _one("clear-starts", "engine.table",
         "(State.STOPPED, Event.CLEAR_TO_READY): State.READY", "(State.STOPPED, Event.CLEAR_TO_READY): State.TRIAL",
         "clearing a stop leads straight back into treatment"),
    _one("stop-leaves-state", "engine.table",
         "{(state, Event.STOP): State.STOPPED for state in (*_RUNNING,",
         "{(state, Event.STOP): State.PAUSED for state in (*_RUNNING,",
         "a stop does not latch: it can be resumed like a pause"),
    _one("disarm-without-frame", "driver.core",
         "            self._begin_stop(_S.DISARMED, now_us)\n            self._line.write_stop()\n",
         "            self._begin_stop(_S.DISARMED, now_us)\n",
         "pause and finish end the output 50 ms late, at the next repetition"),
    _one("fault-without-stop", "session.course",
         "        self.stage.stop_now(reason)\n        self._intent, self.went_wrong = None, True\n",
         "        self._intent, self.went_wrong = None, True\n",
         "a fault is shown while the current goes on"),
)  # fmt: skip

DRIVER: Final = (
    _one("off-by-request", "driver.core",
         "        if state in IDLE:\n            return OutputState.OFF if self._is_quiet() and not self._doubt else OutputState.UNKNOWN\n",
         "        if state in IDLE or state is _S.STOPPING:\n            return OutputState.OFF\n",
         "off is shown because a stop was asked for, not because the board has confirmed it"),
    _one("trouble-ignored", "driver.health",
         "        and not told.trouble & Trouble.CURRENT\n", "",
         "off is shown although the board says that its current is wrong"),
    _one("readback-off", "driver.health",
         'if self._holds("measured", number, wrong=not inside):', 'if self._holds("measured", number, wrong=False):',
         "a stuck output that the board does not see is never noticed"),
    _one("setting-sent-again", "driver.conversation",
         "        if question.word is None or type(question.word) is m.Heartbeat:\n",
         "        if question.word is None:\n            self._line.say(question.frame)\n"
         "        if question.word is None or type(question.word) is m.Heartbeat:\n",
         "a setting without an answer is sent a second time, past every judgement"),
    _one("beat-from-poll", "driver.conversation",
         "            self._drive(now_us)\n",
         "            self._drive(now_us)\n            self._counter += 1\n"
         "            if self._session is not None:\n                self._session.beat(self._counter, now_us)\n",
         "the dead-man is fed although the control loop stands still"),
    _one("wide-board-taken", "boards.reference.facts",
         "    if wide:\n", "    if False:\n",
         "a board whose limits are wider than ours is used"),
)  # fmt: skip

CODEC: Final = (
    _one("amplitude-off-by-a-step", "boards.reference.layout",
         "        train.amplitude_ua,\n        train.phase_width_us,\n        train.interphase_gap_us,\n",
         "        train.amplitude_ua + 100 * (train.amplitude_ua >= 2_000),\n        train.phase_width_us,\n"
         "        train.interphase_gap_us,\n",
         "the wire carries another amplitude than the one that was judged"),
    _one("gap-dropped", "boards.reference.layout",
         "        train.interphase_gap_us,\n        train.recovery_amplitude_ua,\n",
         "        0,\n        train.recovery_amplitude_ua,\n",
         "the wire carries another pulse than the one that was judged"),
    _one("rate-halved", "boards.reference.layout",
         "        train.rate_mhz,\n        train.pulses_per_period,\n    )\n\n\ndef _pack_text",
         "        train.rate_mhz // 2,\n        train.pulses_per_period,\n    )\n\n\ndef _pack_text",
         "the wire carries another rate than the one that was judged"),
)  # fmt: skip

LIMITER: Final = (
    _one("ceiling-from-the-higher-run", "session.titration",
         'min(run["tolerated"] for run in self.runs)', 'max(run["tolerated"] for run in self.runs)',
         "the ceiling is the higher of two runs"),
    _two("ceiling-ignored",
         ("safety", "            highest.append(highest_covered_ua(state.ceiling, s))\n", "            pass\n"),
         ("envelope.accounts", "        if not self.ceiling.covers(s):\n", "        if False:\n"),
         "a level may pass the ceiling found today (limiter and engine alike; the board's own ceiling is left)"),
    _two("raises-too-fast",
         ("envelope.accounts", "        if not waited_us >= lim.step_interval_min_us:\n", "        if False:\n"),
         ("envelope.accounts", "        if not rise <= may:\n", "        if False:\n"),
         "a held key raises as fast as it repeats"),
    _one("level-kept", "engine.machine",
         "        if not (self.armed and was_armed):\n            self._delivery.zero_levels()\n", "",
         "after a stop or a pause the level is still there"),
    _one("falls-late", "session.core",
         "                self.deliver(now_us)  # a lower level", "                # a lower level",
         "a lower level waits for the next pass of the loop"),
    _one("no-silence-between", "engine.delivery",
         "        if state not in DELIVERING:\n            self._fall_silent(now_us)\n", "",
         "the last of a burst goes on through the rest"),
    _one("rest-skipped", "engine.machine",
         "elapsed_us >= self.dose.rest_us and self.baseline_ready", "self.baseline_ready",
         "one burst follows the other without a rest"),
    _one("lockout-skipped", "engine.dose",
         "lockout_us = schedule.trigger.lockout_us if schedule.trigger else 0", "lockout_us = 0",
         "what a burst leaves in the EMG sets off the next one"),
    _one("deaf-trigger", "engine.machine",
         "        if given and now_us - self._triggered_us", "        if now_us - self._triggered_us",
         "bursts come without an attempt"),
)  # fmt: skip

SESSION: Final = (
    _two("unscreened",
         ("session.desk", "    _refuse_open(screening.open_points)\n", ""),
         ("session.desk",
          "    _refuse_open((*session.preparation.screening.blockers, *session.preparation.screening.open_points))\n", ""),
         "output starts with a question unanswered"),
    _one("unplaced", "session.desk",
         '    _refuse_open(tuple(f"not confirmed: {name}" for name in session.preparation.pads_open))\n', "",
         "output starts with pads that nobody has looked at"),
    _one("face-never-missed", "control.loop",
         "SILENT_S: Final = 0.4", "SILENT_S: Final = 40.0",
         "a screen that hangs leaves nobody to stop, and output goes on"),
    _one("unknown-shown-off", "session.view",
         "    OutputState.UNKNOWN: OutputWord.UNKNOWN,\n", "    OutputState.UNKNOWN: OutputWord.OFF,\n",
         "what nobody knows is shown as off"),
    _one("level-shown-wrong", "session.view",
         "        level_ua=lane.level_ua,\n", "        level_ua=lane.given_ua,\n",
         "the screen shows another level than the one that was ordered"),
    _one("recordless", "session.core",
         "        if self.diary.failed and self.engine.armed:\n", "        if False:\n",
         "treatment goes on without a record"),
)  # fmt: skip

RECORDS: Final = (
    _one("unchained", "records.chain",
         "    for field in (prev, *row):\n", "    for field in row:\n",
         "a row can be changed without a trace"),
    _one("level-unrecorded", "session.desk",
         "    session.engine.set_level(plan.channel, level_ua, now_us)\n"
         '    session.diary.write("level", {"channel": plan.name, "level_ua": level_ua}, now_us)\n',
         "    session.engine.set_level(plan.channel, level_ua, now_us)\n",
         "who raised what is not in the record"),
    _one("pause-unrecorded", "session.desk",
         "    session.happen(Event.PAUSE, now_us)\n",
         "    session.engine.happen(Event.PAUSE, now_us)\n    session._follow_the_engine(now_us)\n",
         "a pause is not in the record"),
    _one("arming-unrecorded", "session.course",
         '        self.diary.write("armed", {"for": event.value}, now_us)\n', "",
         "nothing tells when output became possible"),
    _one("not-durable", "session.diary",
         "durable=kind in SAFETY", "durable=False",
         "a process that is killed takes its last stop and arming with it"),
    _one("unclosed", "session.core",
         "        self.diary.close(outcome, self.totals(), now_us)\n", "",
         "a session that ended in order looks like one that was killed"),
    _one("rows-lost", "records.journal",
         "        for waiting in batch:\n", "        for waiting in batch[:2]:\n",
         "rows that are committed together are lost"),
)  # fmt: skip

PLANTED: Final = (*STOP, *DRIVER, *CODEC, *LIMITER, *SESSION, *RECORDS)
