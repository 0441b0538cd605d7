"""From a session without output to the frozen status that a face shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimctl.driver import OutputState
from stimctl.engine.guide_table import GuideState as State
from stimctl.orders import GuideStatus, OutputWord, Stage, Status
from stimctl.schedule.guided import CountBy
from stimctl.session.guide_wording import NEXT_ACTION, can

if TYPE_CHECKING:
    from stimctl.session.guide_rooms import GuidedRooms

_OUTPUT = {
    OutputState.OFF: OutputWord.OFF,
    OutputState.ON: OutputWord.ON,
    OutputState.UNKNOWN: OutputWord.UNKNOWN,
}


def view(session: GuidedRooms, now_us: int) -> Status:
    """The status at ``now_us``."""
    guide, plan = session.guide, session.plan
    stage = guide.stage if session.opened else Stage.START
    return Status(
        stage=stage,
        state=session.state.value if session.opened else "choosing",
        next_action=_next_action(session),
        output=_OUTPUT[session.output],
        disabled=True,
        simulated=session.simulated,
        board=session.board if session.opened or session.link is None else session.wishes.board,
        stopped=session.state is State.STOPPED,
        stop_confirmed=session.output is OutputState.OFF,
        stop_reason=session.stop_reason,
        alarm=session.alarm[0],
        alarm_text=session.alarm[1],
        refusal=session.refusal,
        protocol=plan.title,
        protocol_kind=plan.kind,
        summary=session.summary,
        warnings=session.warnings,
        patient=session.wishes.patient,
        side=session.wishes.side,
        questions=session.screening.questions,
        progress=guide.progress(now_us),
        emg=session.senses.emg() if session.senses is not None else None,
        messages=session.diary.lines,
        review=session.review() if stage is Stage.REVIEW else (),
        can=can(guide, session.state) if session.opened else (),
        now_us=now_us,
        guide=_guide(session, now_us),
    )


def _next_action(session: GuidedRooms) -> str:
    if not session.opened:
        return f"Asking {session.wishes.board} who it is ..."
    if session.state is State.SCREENING:
        return _next_answer(session)
    if session.state is State.DOING:
        waiting = "Relax completely: rest is being measured." if session.plan.ear else "Waiting for a signal."
        return waiting if session.guide.waiting else session.guide.now.say
    return NEXT_ACTION[session.state]


def _next_answer(session: GuidedRooms) -> str:
    screening = session.screening
    if screening.blockers:
        return f"No exercise today: Enter ends the session here. {screening.blockers[0]}"
    if points := screening.open_points:
        return f"{len(points)} still open; {points[0]}"
    return "Every question is answered: Enter goes on."


def _guide(session: GuidedRooms, now_us: int) -> GuideStatus:
    guide, plan = session.guide, session.plan
    tally, under_way = guide.tally, session.state is State.DOING
    goal = guide.measure.goal
    return GuideStatus(
        say=guide.now.say if under_way and not guide.waiting else "",
        after=guide.after if under_way else "",
        counting=guide.counting,
        unit=plan.goal.unit if plan.goal else "°" if plan.count_by is CountBy.ANGLE else "",
        value=session.value,
        goal=goal / 1_000 if goal else None,
        done=tally.done,
        prescribed=plan.prescribed,
        reached=tally.reached,
        missed=tally.missed,
        unheard=tally.unheard,
        counted=tally.counted,
        beat_us=plan.beat_us if guide.beating else 0,
        worn_us=session.wear.worn_us(now_us),
        wear_us=plan.wear_us,
        wearing=session.wear.on,
    )
