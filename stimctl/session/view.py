"""From a session to the frozen status that a face shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stimctl.driver import DriverState, OutputState
from stimctl.engine import State, state_words
from stimctl.orders import ChannelStatus, EmgStatus, OutputWord, Stage, Status
from stimctl.schedule import ChannelPlan
from stimctl.session import listening, tasks
from stimctl.session.unknown import output_words
from stimctl.session.wording import CAN, CONTINUOUS_ACTION, NEXT_ACTION

if TYPE_CHECKING:
    from stimctl.session.core import Session

_SILENT = "Nothing answered there. If a stimulator is on that port its output is not known: use its switch."

_OUTPUT = {
    OutputState.OFF: OutputWord.OFF,
    OutputState.ON: OutputWord.ON,
    OutputState.UNKNOWN: OutputWord.UNKNOWN,
}


def view(session: Session, now_us: int) -> Status:
    """The status at ``now_us``."""
    if session.case is None:
        return _before_opening(session, now_us)
    engine, case, wishes = session.engine, session.case, session.wishes
    stage = Stage.REVIEW if session.ended else engine.stage
    return Status(
        stage=stage,
        state=session.state.value,
        next_action=_next_action(session),
        output=_OUTPUT[session.output],
        output_words=output_words(session.output, session.stage.driver.facts),
        simulated=case.simulated,
        remote="" if case.simulated else session.reach.to(wishes.board),
        board=case.board,
        stopped=session.state is State.STOPPED,
        stop_confirmed=session.output is OutputState.OFF,
        stop_reason=session.stop_reason,
        alarm=session.alarm[0],
        alarm_text=session.alarm[1],
        refusal=session.refusal,
        protocol=case.schedule.title,
        protocol_kind=case.schedule.kind,
        summary=case.summary,
        warnings=case.warnings,
        patient=wishes.patient,
        side=wishes.side,
        questions=session.preparation.screening.questions,
        channels=tuple(_channel(session, plan) for plan in case.schedule.channels),
        progress=engine.progress(now_us),
        counts=engine.counts(),
        emg=_emg(session),
        messages=session.diary.lines,
        skin_due=session.skin.due,
        state_words=state_words(session.state, continuous=case.schedule.continuous),
        presence_due=engine.presence_due(now_us),
        review=session.review() if stage is Stage.REVIEW else (),
        can=tasks.can(session, now_us),
        now_us=now_us,
    )


def _before_opening(session: Session, now_us: int) -> Status:
    """The start screen: nothing is chosen, or the board is being asked."""
    wishes = session.wishes
    silent = session.output is OutputState.UNKNOWN and not session.connection.is_opening
    asking = f"Asking {wishes.board} who it is ..." if session.connection.is_opening else NEXT_ACTION[State.CHOOSING]
    return Status(
        stage=Stage.START,
        state=session.state.value,
        next_action=asking,
        output=_OUTPUT[session.output],
        alarm="high" if silent else "",
        alarm_text=_SILENT if silent else "",
        simulated=wishes.board.startswith("sim:"),
        board=wishes.board,
        refusal=session.refusal,
        protocol=wishes.protocol,
        patient=wishes.patient,
        side=wishes.side,
        messages=session.diary.lines,
        can=() if session.connection.is_opening else CAN[session.state],
        now_us=now_us,
    )


def _emg(session: Session) -> EmgStatus | None:
    """What is heard; with today's range while it is measured and can be taken."""
    if session.hearing is None or not session.hearing.is_on:
        return None  # where nothing is listened to, what came before must not stand there as if it were now
    status = session.hearing.status()
    if not listening.is_trying(session):
        return status
    found = session.hearing.ear.range
    return replace(status, efforts_uv=found.bars(), measuring=found.step if found.measuring else -1)


def _next_action(session: Session) -> str:
    if session.stage.driver.state is DriverState.ARMING:
        return "The board is arming at zero ..."
    if session.state in (State.SCREENING, State.PADS):
        return _next_answer(session)
    if session.following is not None and (words := session.following.words(session)):
        return words
    listens = session.hearing is not None and session.following is None
    if session.state is State.REST and session.hearing is not None and listens and not session.hearing.ear.ready:
        return "Relax completely: the resting EMG is being measured."
    if listening.is_trying(session) and session.hearing is not None:
        if words := session.hearing.ear.range.words():
            return words
        tries = session.trigger_tries
        heard = (
            f"try the trigger, heard {tries} time{'s' * (tries != 1)}" if session.hearing.ear.ready else "relax first"
        )
        return f"Output off: {heard}. Enter measures rest and three attempts. Start arms at zero; then raise."
    if words := tasks.next_action(session):
        return words
    if session.state in (State.THRESHOLDS, State.TITRATING):
        return _next_search(session) if session.state is State.THRESHOLDS else _next_mark(session)
    schedule = session.engine.schedule
    if schedule.continuous:
        return CONTINUOUS_ACTION.get(session.state, NEXT_ACTION[session.state]).format(aim=schedule.aim)
    return NEXT_ACTION[session.state]


def _next_answer(session: Session) -> str:
    """What is still to be answered or confirmed; and when nothing is, the key that goes on."""
    screening = session.preparation.screening
    if session.state is State.PADS:
        return (
            NEXT_ACTION[State.PADS] if session.preparation.pads_open else "Every channel is confirmed: Enter goes on."
        )
    if screening.blockers:
        return f"No treatment today: Enter ends the session here. {screening.blockers[0]}"
    if points := screening.open_points:
        return f"{len(points)} still open; {points[0]}"
    return "Every question is answered: Enter goes on to the pads."


def _next_search(session: Session) -> str:
    """Whose thresholds are found next, and how many channels still have none."""
    plans = session.engine.schedule.channels
    if len(plans) == 1:
        return "Start: the output stage arms at zero."
    name = next(plan.name for plan in plans if plan.channel == session.selected)
    left = sum(session.preparation.ceiling_ua(plan.channel) is None for plan in plans)
    return f"Start with {name}: the stage arms at zero. {left} of {len(plans)} channels have no ceiling yet."


def _next_mark(session: Session) -> str:
    """What is still to be found of the channel under way; and when nothing is, the key that goes on."""
    found = session.preparation.thresholds.get(session.selected)
    if found is not None and found.complete:
        return "Its ceiling is found: Enter goes on, with output off."
    if found is not None and found.run > 1 and not found.runs[-1]:
        return f"Run {found.run}, from zero again: raise step by step, and mark as before."
    return NEXT_ACTION[State.TITRATING]


def _channel(session: Session, plan: ChannelPlan) -> ChannelStatus:
    lane = session.engine.lanes[plan.channel]
    found = session.preparation.thresholds.get(plan.channel)
    ohm = session.measured.impedance_ohm(plan)
    return ChannelStatus(
        name=plan.name,
        muscle=plan.muscle,
        site=plan.site,
        output=plan.channel + 1,
        pads=", ".join(f"{pad.name} ({pad.model})" for pad in plan.pads),
        pads_confirmed=plan.channel in session.preparation.pads,
        selected=plan.channel == session.selected,
        now_ua=lane.stepped_ua,
        measured_ua=session.measured.current_ua(plan),
        level_ua=lane.level_ua,
        target_ua=plan.target_ua,
        ceiling_ua=session.preparation.ceiling_ua(plan.channel),
        max_ua=plan.max_ua,
        impedance_ohm=ohm,
        contact="not measured yet" if ohm is None else f"{ohm / 1000:.1f} kΩ",
        sensory_ua=found.current("sensory") if found else None,
        motor_ua=found.current("motor") if found else None,
        tolerated_ua=found.current("tolerated") if found else None,
        threshold_run=found.run if found else 1,
        given_ua=min(lane.given_ua, session.measured.given_ua(plan)),
        least_ua=session.stage.least_ua(plan),
    )
