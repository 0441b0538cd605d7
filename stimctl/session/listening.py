"""What is heard, and what it means for the session: an attempt; or that a recording has nothing more to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimctl.engine import Event, State

if TYPE_CHECKING:
    from stimctl.session.core import Session


def heard(session: Session, now_us: int) -> bool:
    """Whether an attempt was heard just now."""
    if session.hearing is None:
        return False
    session.hearing.poll(now_us)
    session.hearing.ear.listen(session.state is State.LISTENING)
    session.engine.baseline_ready = session.hearing.ear.ready
    return session.hearing.take_onset() is not None and session.state is State.LISTENING


def end_with_the_recording(session: Session, now_us: int) -> None:
    """Finish once a recording is over: nobody will ever try again.

    A burst that its last effort set off is given to its end; what was delivered by then is what the session was.
    """
    hearing = session.hearing
    if hearing is None or not hearing.finished or session.state not in (State.REST, State.LISTENING):
        return
    reason = f"the recording {hearing.ear.source} has ended"
    if not hearing.ear.ready:
        reason += " before a resting level was found"
    given = session.engine.counts().delivered
    session.happen(Event.FINISH, now_us, reason=reason)
    session.diary.say(f"Finished: {reason}; bursts delivered: {given}")
