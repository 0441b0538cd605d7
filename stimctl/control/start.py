"""The doors that the command line opens: a session with a face or without, the face itself, a twin."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, final

from stimctl.control import streaming
from stimctl.control.child import FACE
from stimctl.control.clock import Clock, RealClock, VirtualClock
from stimctl.control.contract import Outcome
from stimctl.control.operator import Feels, Presses, ScriptedOperator
from stimctl.control.remote import reached_by
from stimctl.control.running import run_headless as _headless
from stimctl.control.running import run_with_face
from stimctl.control.telling import Teller
from stimctl.errors import StimctlError, UsageError
from stimctl.orders import Order, OrderKind, OutputWord
from stimctl.protocols import Loaded, Plan
from stimctl.records.journal import Journal
from stimctl.records.reading import default_store
from stimctl.session.diary import Diary
from stimctl.session.door import AnySession
from stimctl.session.lab import Lab
from stimctl.session.leading import ANGLE_SOURCE, EMG_SOURCE
from stimctl.session.link import SIMULATED, is_simulated
from stimctl.session.opening import Reach, Wishes, load_protocol
from stimctl.session.part import Part
from stimctl.session.search import ANGLE
from stimctl.units import MS

if TYPE_CHECKING:
    from stimctl.control.plans import Held

DEMO: Final = "demonstration-emg"
"""The shipped protocol that the demonstration shows."""

NOBODY: Final = "simulated"
"""The patient code of a run in which there is no patient."""

_LOOK_US: Final = 300 * MS


@final
@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the command line asks for. ``speed``: ``None`` as the clock goes, infinity as fast as it can.

    ``remote_terminal``: use a real board even if this terminal is reached over a network or can be left. ``lsl_out``: the
    name of the streams that tell of the session, ``lsl_scope`` how far streams go, both "" for what is usual: none, and here.
    """

    protocol: str | None = None
    board: str = SIMULATED
    emg: str = ""
    robot: str = ""
    seed: int | None = None
    speed: float | None = None
    store: str | None = None
    demo: bool = False
    remote_terminal: bool = False
    lsl_out: str = ""
    lsl_scope: str = ""


@final
class Record(NamedTuple):
    """Where sessions are written down, and who else is told."""

    journal: Journal
    lab: Lab | None


def run_headless(request: RunRequest, say: Callable[[str], None]) -> int:
    """One session without a face, told in lines, or a plan's, one after the other; returns the exit code.

    Simulated boards alone: nobody is there.
    """
    plan = _plan(request)
    speed = math.inf if request.demo and request.speed is None else request.speed
    clock = _clock(request, speed)
    with streaming.opened(request, clock) as lab, _journal(request) as journal:
        record = Record(journal, lab)
        if plan is None:
            return _one_headless(request, record, clock, say)[0]
        from stimctl.control import plans

        def held(part: Part) -> Held:
            return _held(*_one_headless(_part_of(request, part), record, clock, say, part))

        return plans.hold(plan, held, plans.Scripted(clock), say, _wall_clock)


def _one_headless(
    request: RunRequest, record: Record, clock: Clock, say: Callable[[str], None], part: Part | None = None
) -> tuple[int, Outcome, AnySession]:
    session = _session(request, record, clock, part)
    operator = ScriptedOperator(_opening(request), feels=lambda: _feels(session), presses=_presses(session))
    teller = Teller(say)
    outcome = _headless(session, clock=clock, operator=operator, progress=teller, every_us=_LOOK_US)
    return _told(outcome, session, teller, say), outcome, session


def run_interactive(request: RunRequest) -> int:
    """One session with a face on this terminal; returns the exit code.

    Raises what is wrong with the protocol that was asked for before there is a screen to hide it.
    """
    plan = _plan(request)
    clock = _clock(request, request.speed)
    with streaming.opened(request, clock) as lab, _journal(request) as journal:
        record = Record(journal, lab)
        if plan is None:
            lines: list[str] = []
            code = _one_interactive(request, record, clock, lines.append)[0]
        else:
            code = _plan_interactive(request, plan, record, clock)
            lines = []
    for line in lines:
        _print(line)
    return code


def _plan_interactive(request: RunRequest, plan: Loaded, record: Record, clock: Clock) -> int:
    from stimctl.control import plans

    def held(part: Part) -> Held:
        return _held(*_one_interactive(_part_of(request, part), record, clock, _print, part))

    return plans.hold(plan, held, plans.Asked(clock, _print), _print, _wall_clock)


def _one_interactive(
    request: RunRequest, record: Record, clock: Clock, say: Callable[[str], None], part: Part | None = None
) -> tuple[int, Outcome, AnySession]:
    session = _session(request, record, clock, part)
    operator = None
    if request.demo:
        operator = ScriptedOperator(
            _opening(request), feels=lambda: _feels(session), presses=_presses(session), linger=True
        )
    face = (*FACE, session.wishes.protocol, session.wishes.board, session.wishes.emg)
    outcome = run_with_face(session, face, clock=clock, operator=operator)
    return _told(outcome, session, Teller(say), say), outcome, session


def _print(line: str) -> None:
    print(line, flush=True)


def run_sim(board: str, link: str | None, seed: int | None, say: Callable[[str], None], variant: str | None) -> int:
    """A board's twin on a pseudo-terminal until it is told to stop; returns the exit code."""
    from stimctl.control.twin import serve_twin

    return serve_twin(board, variant or "", link, _seed(seed), say, chosen=seed is not None)


# --- parts -------------------------------------------------------------------------------------------------------


def _plan(request: RunRequest) -> Loaded | None:
    """The plan that was asked for; ``None`` for a single session. Raises what is wrong with the file."""
    loaded = load_protocol(request.protocol) if request.protocol else None
    return loaded if loaded is not None and isinstance(loaded.protocol, Plan) else None


def _part_of(request: RunRequest, part: Part) -> RunRequest:
    """The request of one block. Only one that listens is given a source of EMG, and only one that is led a glove."""
    listens = _listens(part.block.protocol, request.emg)
    led = getattr(getattr(part.block.protocol, "switch", None), "source", "") == "robot"
    emg, robot = request.emg if listens else "", request.robot if led else ""
    return replace(request, protocol=part.block.name, emg=emg, robot=robot)


def _listens(protocol: object, url: str) -> bool:
    """Whether one block has a use for the EMG, or the angle, that was named."""
    names, source = (("angle",), ANGLE_SOURCE) if url.startswith(ANGLE) else (("trigger", "emg"), EMG_SOURCE)
    followed = getattr(getattr(protocol, "control", None), "source", "") == source
    return followed or any(getattr(protocol, name, None) is not None for name in names)


def _held(code: int, outcome: Outcome, session: AnySession) -> Held:
    from stimctl.control.plans import Held

    wishes, off = session.wishes, outcome.output is OutputWord.OFF
    return Held(code, outcome.reason, session.complete and code == 0, off, wishes.patient, wishes.side)


def _clock(request: RunRequest, speed: float | None) -> Clock:
    if speed is None:
        return RealClock()
    if not is_simulated(request.board):
        raise UsageError("--speed is for the simulated board: no real board's time can be hurried")
    return VirtualClock(None if math.isinf(speed) else speed)


def _journal(request: RunRequest) -> Journal:
    path = Path(request.store) if request.store else default_store()
    return Journal(path, wall_clock=_wall_clock)


def _wall_clock() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _session(request: RunRequest, record: Record, clock: Clock, part: Part | None = None) -> AnySession:
    protocol = request.protocol or (DEMO if request.demo else "")
    wishes = Wishes(protocol=protocol, board=request.board, emg=request.emg, robot=request.robot)
    # The face asks for a board of its own, whatever the command line named: the session has to know by itself.
    reach = Reach(reached_by(), accepted=request.remote_terminal, hurried=not isinstance(clock, RealClock))
    diary = Diary(record.journal, part.record() if part is not None else None, record.lab)
    return AnySession(diary, clock.now_us, wishes=wishes, seed=_seed(request.seed), reach=reach, part=part)


def _seed(seed: int | None) -> int:
    """A seed of our own choosing is recorded like any other, so that every simulated session can be replayed."""
    return secrets.randbelow(1_000_000) if seed is None else seed


def _opening(request: RunRequest) -> Order:
    return Order(
        OrderKind.OPEN,
        protocol=request.protocol or DEMO,
        patient=NOBODY,
        side="right",
        board=request.board,
        emg=request.emg,
        robot=request.robot,
    )


def _feels(session: AnySession) -> Feels | None:
    """The virtual patient's tongue, once there is a patient in this process."""
    patient = session.link.patient if session.link is not None else None
    if patient is None:
        return None

    def feels(name: str, level_ua: int) -> int:
        plan = session.stimulating.engine.schedule.by_name(name)
        return int(patient.tissues[plan.channel].report(plan.train(level_ua)))

    return feels


def _presses(session: AnySession) -> Presses:
    """The virtual patient's sound hand on the switch."""

    def presses(now_us: int) -> bool:
        patient = session.link.patient if session.link is not None else None
        return patient is not None and patient.presses(now_us)

    return presses


def _with_fault(outcome: Outcome, session: AnySession) -> Outcome:
    """The outcome of a session that came to its end by a fault which nobody has cleared names that fault."""
    fault = (session.guided or session.stimulating).stop_reason if session.went_wrong else ""
    return replace(outcome, reason=f"{outcome.reason}: {fault}") if fault and fault not in outcome.reason else outcome


def _told(outcome: Outcome, session: AnySession, teller: Teller, say: Callable[[str], None]) -> int:
    """The last lines of a session, and its exit code; raises what kept it from being opened at all."""
    if not session.is_open and isinstance(outcome.error, StimctlError):
        # No board was armed, so there is nothing to say about its output. Whoever gave the orders knows words alone: a board
        # that does not answer is no mistake in the command, and has an exit code of its own.
        raise session.stimulating.connection.failure or outcome.error
    teller.end(session.review())
    say(_with_fault(outcome, session).line)
    if outcome.code == 0 and session.went_wrong:
        return 1
    return outcome.code
