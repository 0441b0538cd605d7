"""What is heard, and what it means: an attempt, one that is only tried, or that a recording has nothing more to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stimctl.engine import Event, State
from stimctl.errors import LinkLost
from stimctl.schedule import Advance
from stimctl.session import effort
from stimctl.units import MS

if TYPE_CHECKING:
    from stimctl.session.core import Session
    from stimctl.session.hearing import Hearing
    from stimctl.session.rooms import Rooms


def heard(session: Session, now_us: int) -> bool:
    """Whether an attempt was heard just now."""
    hearing, trying = session.hearing, is_trying(session)
    if hearing is None:
        return False
    flowing = any(lane.stepped_ua for lane in session.engine.lanes.values())
    hearing.note_output(now_us, on=flowing)
    _tell_of_the_onset(session, hearing)
    if not _is_on(session, hearing, now_us, wanted=trying or _follows(session)):
        return False
    hearing.poll(now_us)
    if hearing.is_on:
        _mind_the_signal(session, hearing, now_us)
    if session.following is not None:
        return False
    waiting = session.state is State.LISTENING or session.engine.awaits is Advance.ATTEMPT
    hearing.ear.listen(trying or waiting)
    session.engine.baseline_ready = hearing.ear.ready
    _tell_of_rest(session, hearing, now_us)
    effort.follow(session, hearing.ear, now_us, trying=trying)
    found = hearing.take_onset()
    onset = found is not None
    if found is not None and (trying or waiting):
        hearing.untold = found, now_us
    if onset and trying:
        session.trigger_tries += 1
        session.diary.write("trigger-tried", {"heard": session.trigger_tries}, now_us, "Attempt heard; output is off")
    return onset and waiting


def _follows(session: Session) -> bool:
    """Whether a muscle's own effort is heard now: for its range, while it leads, and before, while thresholds are found."""
    return session.following is not None and (session.engine.armed or session.state is State.READY)


def _is_on(session: Session, hearing: Hearing, now_us: int, *, wanted: bool) -> bool:
    """Let samples come that are wanted; ``False`` where they cannot, which is a fault."""
    if not wanted or hearing.is_on:
        return True
    try:
        hearing.start(now_us)
    except LinkLost as error:
        if hearing.trouble and not session.engine.armed:
            # Nothing flows, and it is tried again in the next pass.
            hearing.told.presence.tell(hearing.trouble, session.diary, now_us)
        else:
            session.fault(str(error), now_us, alarm="high")
        return False
    return True


def _mind_the_signal(session: Session, hearing: Hearing, now_us: int) -> None:
    """What is lost for good ends output, with its cause; that, whatever is missing, and what is wrong is recorded."""
    if hearing.trouble and session.engine.armed:
        session.fault(hearing.trouble, now_us)  # first: a record may wait for its disk
    hearing.told.tell(hearing, session.diary, now_us)


def _tell_of_the_onset(session: Session, hearing: Hearing) -> None:
    """What was heard in the last pass, in numbers. Not in that pass: a burst does not wait for its record."""
    if hearing.untold is None:
        return
    (onset, heard_us), hearing.untold = hearing.untold, None
    facts = {"envelope_uv": round(onset.envelope_uv, 2), "threshold_uv": round(onset.threshold_uv, 2)}
    session.diary.write("onset", {**facts, "before_ms": round((heard_us - onset.at_us) / MS, 1)}, heard_us)


def _tell_of_rest(session: Session, hearing: Hearing, now_us: int) -> None:
    """Each time the resting level is learnt: what it is, and the threshold that comes of it."""
    if (ready := hearing.ear.ready) is hearing.told_of_rest:
        return
    hearing.told_of_rest = ready
    rest_uv, threshold_uv = hearing.ear.rest_uv, hearing.status().threshold_uv
    if ready and rest_uv is not None and threshold_uv is not None:
        facts = {"rest_uv": round(rest_uv, 3), "threshold_uv": round(threshold_uv, 3)}
        session.diary.write("rest-found", facts, now_us)


_HEARD: Final = {Event.TRIGGER: True, Event.MISSED: False, Event.ASSIST: False}


def adapt(room: Rooms, event: Event, now_us: int) -> None:
    """Let a threshold that adapts follow what became of a window; every step of it is recorded."""
    if room.hearing is None or room.following is not None or event not in _HEARD:
        return
    percent = room.hearing.ear.adapt(heard=_HEARD[event])
    if percent is not None:
        threshold_uv = room.hearing.status().threshold_uv
        facts = {"percent": percent, "threshold_uv": None if threshold_uv is None else round(threshold_uv, 3)}
        room.diary.write("threshold-adapted", facts, now_us)


def is_trying(session: Session) -> bool:
    """Whether the trigger is being tried out with output off (hazard H26): what it would set off is only told.

    It is while everything is ready and nothing armed, on what is heard live. The treatment measures rest again.
    """
    hearing = session.hearing
    if hearing is None or session.following is not None:
        return False
    return hearing.is_live and session.state is State.READY and not session.is_arming


def end_trying(session: Session, now_us: int) -> None:
    """Nothing of the try is kept: the treatment begins with a resting level of its own."""
    if session.following is not None:
        return  # a muscle's effort is heard on, by the range that was just measured
    if session.hearing is not None and session.hearing.is_on and session.hearing.is_live:
        session.hearing.rest(now_us)
        session.hearing.ear.forget()


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
