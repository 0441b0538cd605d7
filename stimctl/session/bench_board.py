"""What a board says on the bench, and what that means for the run: a result, the end of it, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stimctl.driver import (
    Armed,
    BoardEvent,
    Cause,
    Connected,
    Disarmed,
    Faulted,
    Lost,
    OutputReport,
    Refused,
    Reported,
    Stopped,
)
from stimctl.errors import BoardFault, LinkTimeout
from stimctl.session.bench_run import SETTLE_US, SILENCE_OVER, Phase
from stimctl.units import MS

if TYPE_CHECKING:
    from stimctl.session.bench_run import Run

_QUIET: Final = (Phase.SILENT, Phase.LOOKING)
_NO_LOAD: Final = "is the dummy load connected, and to this output?"


def take(run: Run, event: BoardEvent, now_us: int) -> None:
    """Carry one event of the driver into the run; raises what ends it without a result."""
    if isinstance(event, Connected):
        run.begin(event.facts, now_us)
    elif isinstance(event, Armed):
        run.armed(now_us)
    elif isinstance(event, Reported):
        _reported(run, event, now_us)
    elif isinstance(event, Stopped) and run.ours:
        run.confirmed(now_us)
    elif isinstance(event, Lost):
        _lost(run, event)
    elif isinstance(event, (Faulted, Disarmed, Refused)):
        _complained(run, event, now_us)


def _reported(run: Run, report: Reported, now_us: int) -> None:
    if not run.has_begun or run.plan.channel >= len(report.outputs):
        return
    told = report.outputs[run.plan.channel]
    if run.phase is Phase.MEASURING and now_us - run.since_us >= SETTLE_US:
        _read(run, told)
    elif run.phase in _QUIET and not (report.armed and told.applied_ua):
        run.ended_by_itself(now_us)
    elif run.phase is Phase.LOOKING:
        since = f"{(now_us - run.beat_us) / 1e6:.1f} s"
        run.fail(f"output was still on {since} after this computer fell silent; the board claims {run.claim}")
        run.stop(SILENCE_OVER, now_us)


def _read(run: Run, told: OutputReport) -> None:
    if told.applied_ua == run.levels[0]:
        run.told = True
        if told.measured_ua is not None:
            run.readings.append(told.measured_ua)


def _lost(run: Run, event: Lost) -> None:
    """A cable that was pulled says nothing of the board. A board that is there and does not answer to a stop does."""
    if run.phase is not Phase.ENDING or not isinstance(event.error, LinkTimeout):
        raise event.error
    run.fail(f"the stop was not confirmed: {event.error}")
    run.over()


def _complained(run: Run, event: Faulted | Disarmed | Refused, now_us: int) -> None:
    """The board, or its driver, says that something is not as it should be."""
    text = _text(event)
    if _is_about_the_load(event):
        raise BoardFault(f"{text}; {_NO_LOAD}")
    if _is_a_person(event) or run.phase in (Phase.OPENING, Phase.ARMING):
        raise BoardFault(text)
    if run.phase in _QUIET and _may_be_the_dead_man(run, event, now_us):
        run.ended_by_itself(now_us)
        return
    if run.phase is Phase.LOOKING and isinstance(event, Faulted):
        # A driver that counts its trains says the same of every board, whether that has stopped or not.
        run.not_shown(text, now_us)
        return
    run.fail(text)
    if run.phase is not Phase.ENDING:
        run.stop(text, now_us)


def _text(event: Faulted | Disarmed | Refused) -> str:
    return str(event.error) if isinstance(event, Faulted) else event.text


def _is_about_the_load(event: BoardEvent) -> bool:
    if isinstance(event, Faulted):
        return event.pads
    return isinstance(event, Disarmed) and event.cause is Cause.CONTACT_LOST


def _is_a_person(event: BoardEvent) -> bool:
    return isinstance(event, Disarmed) and event.cause is Cause.STOP_BUTTON


def _may_be_the_dead_man(run: Run, event: BoardEvent, now_us: int) -> bool:
    """A board that tells why it disarmed is believed; another one's complaint counts if it comes unasked, and when it can."""
    if isinstance(event, Disarmed) and event.cause is not Cause.NONE:
        return event.cause is Cause.DEAD_MAN
    return run.phase is Phase.SILENT and 2 * (now_us - run.beat_us) >= run.who.dead_man_ms * MS
