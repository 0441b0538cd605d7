"""The phases of a task as people live them: what is said, what is waited for, what is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stimctl.engine import State
from stimctl.engine.course import Turn
from stimctl.orders import OrderKind as Kind
from stimctl.schedule import Advance
from stimctl.session import following
from stimctl.session.wording import CAN

if TYPE_CHECKING:
    from stimctl.session.core import Session
    from stimctl.session.link import Link

SWITCH: Final = "the switch (A)"
"""What a person calls the key of the terminal that an adaptive switch types."""


def follow(session: Session, now_us: int) -> None:
    """Record each phase of a task that began since the last pass; a plain burst's are nobody's news."""
    engine = session.engine
    _read_aloud(session, now_us)
    turns = engine.take_turns()
    movement = engine.schedule.movement
    if movement is None or movement.release is None:
        return
    for turn in turns:
        _tell(session, turn, now_us)
    if turns and session.state is State.BURST:
        ask_the_patient(session.link, engine.awaits, now_us)


def _read_aloud(session: Session, now_us: int) -> None:
    """Record each sentence of a script with its beginning."""
    before, session.spoken = session.spoken, session.engine.spoken(now_us)
    trigger = session.engine.schedule.trigger
    if session.spoken is not None and session.spoken != before and trigger is not None:
        said = trigger.script[session.spoken].say
        session.diary.write("script", {"sentence": session.spoken + 1, "say": said}, now_us)


def _tell(session: Session, turn: Turn, now_us: int) -> None:
    """One phase, for the record, and for the operator where an event never came. Its cue is in the status while it lasts."""
    said = f"Nothing came in time: on to {turn.phase or 'rest'}" if turn.missed else ""
    facts = {
        "phase": turn.phase or "rest",
        "by": turn.by.value,
        "missed": turn.missed,
        "skipped": turn.skipped,
        "at_us": turn.at_us,
    }
    session.diary.write("phase", facts, now_us, said)


def ask_the_patient(link: Link | None, awaited: Advance | None, now_us: int) -> None:
    """Let the simulated patient, where there is one, answer a cue: with an attempt, or with a hand on the switch."""
    patient = link.patient if link is not None else None
    if patient is None:
        return
    if awaited is Advance.ATTEMPT:
        patient.cue(now_us)
    elif awaited is Advance.KEY:
        patient.ask(now_us)


_AT_REST: Final = frozenset({Kind.START, Kind.CLOSE})
"""What waits until a board that confirms nothing has been told to stop as often as it is: a second, and nothing to see."""


def can(session: Session, now_us: int) -> tuple[Kind, ...]:
    """The orders that make sense now; the switch only where it does something."""
    listed = following.can(session, CAN[session.state])
    listed = session.glove.can(listed) if session.glove is not None else listed
    if not session.stage.at_rest and session.stage.is_unconfirming:
        listed = tuple(kind for kind in listed if kind not in _AT_REST)
    if Kind.KEY not in listed or session.engine.takes_key(now_us):
        return listed
    return tuple(kind for kind in listed if kind is not Kind.KEY)


def next_action(session: Session) -> str:
    """What to do now where a switch or a glove is waited for, or a phase has words of its own; "" for everything else."""
    engine = session.engine
    trigger, state = engine.schedule.trigger, session.state
    if state is State.REST and trigger is not None and session.spoken is not None:
        return f"Read aloud, slowly; nothing flows: {trigger.script[session.spoken].say}"
    if session.glove is not None and (words := session.glove.words(state, trigger.say if trigger else "")):
        return words
    if state is State.LISTENING and trigger is not None:
        presses = f"; {SWITCH} sets it off" if trigger.by is Advance.KEY else ""
        return f"Now: {trigger.say.rstrip('.!')}{presses}."
    if state is State.TRIAL:
        return _on_trial(session)
    if state is not State.BURST:
        return ""
    words = "; ".join(filter(None, (engine.cue.rstrip(".!"), _what_ends(session))))
    return f"Now: {words}. Watch hand and skin." if words else ""


def _what_ends(session: Session) -> str:
    """What ends the phase under way, or leads from it to the release; "" where the time alone does."""
    engine, turns = session.engine, "the glove's next turn" if session.glove is not None else SWITCH
    if engine.awaits is Advance.KEY:
        return f"{turns} goes on"
    lets_go = f"{turns} lets go" if engine.cue and engine.takes_key(0) else ""  # a plain burst has no cues
    return ", ".join(filter(None, ("an attempt goes on" if engine.awaits is Advance.ATTEMPT else "", lets_go)))


def _on_trial(session: Session) -> str:
    """In a trial nobody listens: rest is not known yet, and a recording is played once. The switch stands for an attempt."""
    awaits = session.engine.awaits
    if session.glove is not None or awaits in (None, Advance.TIME):
        return ""
    later = ", as an attempt will later" if awaits is Advance.ATTEMPT else ""
    return f"Trial: A goes on here{later}. Raise; when it is right, begin."
