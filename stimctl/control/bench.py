"""The door of ``stimctl bench``: a board is asked who it is, a person says what is connected, and two runs try it.

Between the runs the board is let go at zero, and the second one begins by a fresh human act, as everything that arms does.
What was found is kept in the board's profile when both have come to their end, or the board has failed; a stop, a pulled
cable or a no keeps what was there before.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final

from stimctl import __version__
from stimctl.boards import BoardFacts, board_url
from stimctl.control.clock import Clock, RealClock, VirtualClock
from stimctl.control.remote import reached_by
from stimctl.control.running import run_headless
from stimctl.errors import RecordError, StimctlError, UsageError
from stimctl.orders import OutputWord, Status
from stimctl.records import profiles
from stimctl.records.profiles import Profile
from stimctl.records.reading import default_store
from stimctl.session import bench_plan, commissioning
from stimctl.session.asking import ask
from stimctl.session.bench import Bench
from stimctl.session.bench_result import Result
from stimctl.session.bench_run import Finale
from stimctl.session.link import is_simulated, kind_of
from stimctl.session.opening import Reach
from stimctl.units import MS, ma_text

NOBODY: Final = "nobody"
"""What is typed when no person is connected."""

GO_ON: Final = "go on"
"""What is typed to let the second run begin."""

NOT_KEPT: Final = "The bench was not brought to its end: nothing of it was kept, and what was kept before stands."

_LOOK_US: Final = 200 * MS

Say = Callable[[str], None]
Answer = Callable[[str], str]


@final
@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What the command line asks for. ``output`` counts from 1; ``speed`` is for simulated boards in this process alone."""

    board: str
    output: int = 1
    speed: float | None = None
    store: str | None = None
    remote_terminal: bool = False


def run_bench(request: BenchRequest, say: Say, answer: Answer | None = None) -> int:
    """Try one board on its dummy load; returns the exit code: 0 passed, 1 failed or not brought to its end.

    Raises what is wrong before anything was armed. ``answer`` asks the person; the terminal does, unless told otherwise.
    """
    clock = _clock(request)
    facts = ask(request.board, clock.now_us, clock.sleep_until)
    if not facts.confirms_zero:
        raise UsageError(f"nothing was armed: {commissioning.why_not(facts)}")
    _refuse_from_afar(request, facts, clock)
    where = profiles.folder(Path(request.store) if request.store else default_store())
    profiles.prepare(where)  # before anything is armed: what cannot be kept need not be tried
    asked = answer or _answer(facts)
    for line in _introduction(request, facts, where):
        say(line)
    _confirm(request, asked)
    return _Trial(request, facts, clock, say).hold(asked, where)


@final
class _Trial:
    """Both runs, and what came of them."""

    def __init__(self, request: BenchRequest, facts: BoardFacts, clock: Clock, say: Say) -> None:
        self._request, self._facts, self._clock, self._say = request, facts, clock, say
        self._result = Result()
        self._bench: Bench | None = None

    def hold(self, answer: Answer, where: Path) -> int:
        """The first run, and unless the board has failed already, the second."""
        self._say("Ctrl+C stops. First: steps of current, then a stop.")
        if not self._run(Finale.STOP):
            return self._not_kept()
        if not self._result.faults:
            if self._facts.dead_man_ms <= 0:
                self._result.notes.append("this board has no dead-man: it goes on until somebody ends it")
                return self._keep(where)
            seconds = f"{self._facts.dead_man_ms / 1_000:g} s"
            self._say(f"Then: a small current, and no sign of life; the board has to stop by itself within {seconds}.")
            if answer(f"Type `{GO_ON}` to arm once more, at zero; anything else ends here: ") != GO_ON:
                return self._not_kept()
            if not self._run(Finale.DEAD_MAN):
                return self._not_kept()
        return self._keep(where)

    def _run(self, finale: Finale) -> bool:
        """One run; whether it came to its own end. Raises what ended it."""
        request, clock = self._request, self._clock
        bench = self._bench = Bench(request.board, request.output, self._facts, finale, clock.now_us)
        teller = _Teller(self._say)
        outcome = run_headless(bench, clock=clock, progress=teller, every_us=_LOOK_US)
        teller(bench.status(clock.now_us()))
        self._result.take(bench.run.result)
        if outcome.output is not OutputWord.OFF or not bench.run.complete:
            self._say(outcome.line)
        if outcome.output is not OutputWord.OFF:
            self._say(f"Nobody knows what it puts out now: {self._facts.way_out}.")
        error = outcome.error
        if isinstance(error, Exception) and (outcome.output is OutputWord.OFF or not isinstance(error, StimctlError)):
            self._say(NOT_KEPT)
            raise error
        return bench.run.complete

    def _not_kept(self) -> int:
        self._say(NOT_KEPT)
        return 1

    def _keep(self, where: Path) -> int:
        assert self._bench is not None
        scheme = kind_of(self._request.board)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        profile = self._result.profile(scheme, self._facts, self._bench.run.plan, stimctl=__version__, at=at)
        path = profiles.write(where, profile)
        for line in verdict(profile):
            self._say(line)
        self._say(f"Kept in {path}")
        return 0 if profile.passed else 1


@final
class _Teller:
    """Says each line of a run once."""

    def __init__(self, say: Say) -> None:
        self._say, self._told = say, 0

    def __call__(self, status: Status) -> None:
        """Tell what is new."""
        for line in status.messages[self._told :]:
            self._say(f"  {line}")
        self._told = len(status.messages)


def verdict(profile: Profile) -> list[str]:
    """The last lines: what was found, and plainly whether that is as it has to be."""
    if profile.passed:
        return [f"PASSED: {commissioning.summary(profile)}", *(f"  note: {note}" for note in profile.notes)]
    lines = [f"FAILED: {fault}" for fault in profile.faults]
    return [*lines, "Do not use this board on a person until the cause is found and a bench has passed."]


# --- before ------------------------------------------------------------------------------------------------------


def _clock(request: BenchRequest) -> Clock:
    if not is_simulated(request.board):
        board_url(request.board)
    if request.speed is None:
        return RealClock()
    if not is_simulated(request.board):
        raise UsageError(f"--speed works on the simulated board alone, and this is {request.board}; leave it out")
    return VirtualClock(None if math.isinf(request.speed) else request.speed)


def _refuse_from_afar(request: BenchRequest, facts: BoardFacts, clock: Clock) -> None:
    """A stop key has to be beside the board, on a bench as well (H33)."""
    reach = Reach(reached_by(), accepted=request.remote_terminal, hurried=not isinstance(clock, RealClock))
    if not facts.simulated and (why := reach.refusal(request.board)):
        raise UsageError(why)


def _introduction(request: BenchRequest, facts: BoardFacts, where: Path) -> list[str]:
    who = " ".join(filter(None, (facts.name, facts.serial, facts.firmware and f"firmware {facts.firmware}")))
    lines = [f"{request.board.removesuffix(':')}: {who}"]
    if facts.simulated:
        lines.insert(0, "SIMULATED: no current flows anywhere. What follows is how it is done with a real board.")
    lines += [f"  warning: {caution}" for caution in facts.cautions]
    lines.append(f"  {_before(request, facts, where)}")
    most = ma_text(min(bench_plan.MOST_UA, facts.limits.peak_ua))
    lines.append(
        f"What will flow: up to {most} mA through output {request.output}, in pulses of {bench_plan.WIDTH_US} µs for each"
        f" phase, {bench_plan.RATE_HZ} a second."
    )
    return lines


def _before(request: BenchRequest, facts: BoardFacts, where: Path) -> str:
    try:
        before = profiles.read(where, kind_of(request.board), facts.serial)
    except RecordError as error:
        return str(error)
    return "not commissioned before" if before is None else commissioning.judged(before, facts, request.board).line


def _confirm(request: BenchRequest, answer: Answer) -> None:
    """A person says that no person is connected, and what is; in words that nobody types by mistake."""
    if answer(f"Is any person connected to any output of this board? Type `{NOBODY}` if not: ") != NOBODY:
        raise UsageError("not confirmed that nobody is connected; nothing was armed. Take the electrodes off first")
    load = str(bench_plan.LOAD_OHM)
    question = (
        f"Is a dummy load of {load} ohm (a resistor of 499 or 510 ohm, 0.25 W or more) across output {request.output},"
        f" and nothing at the others? Type `{load}` if so: "
    )
    if answer(question) != load:
        raise UsageError(f"not confirmed that a dummy load of {load} ohm is connected; nothing was armed")


def _answer(facts: BoardFacts) -> Answer:
    """The terminal; a simulated board may be answered by a script."""
    from stimctl.control.plans import _answer as typed

    if not facts.simulated and not sys.stdin.isatty():
        raise UsageError("a bench asks a person at the board, and there is no terminal to ask on; start it on one")
    return typed
