"""What is heard, and what it means: an attempt, one that is only tried, or that a recording has nothing more to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stimctl.engine import Event, State
from stimctl.errors import LinkLost
from stimctl.schedule import Advance
from stimctl.session import effort
from stimctl.units import SECOND

if TYPE_CHECKING:
    from stimctl.session.core import Session
    from stimctl.session.hearing import Hearing
    from stimctl.session.rooms import Rooms

LASTS_US: Final = SECOND
"""So long the signal has to be bad, or good again, before the record says so (project)."""


def heard(session: Session, now_us: int) -> bool:
    """Whether an attempt was heard just now."""
    hearing, trying = session.hearing, is_trying(session)
    if hearing is None:
        return False
    flowing = any(lane.stepped_ua for lane in session.engine.lanes.values())
    hearing.note_output(now_us, on=flowing)
    if not _is_on(session, hearing, now_us, wanted=trying or _follows(session)):
        return False
    hearing.poll(now_us)
    _mind_the_stream(session, hearing, now_us)
    _mind_the_signal(session, hearing, now_us)
    if session.following is not None:
        hearing.own.expect(stimulated=flowing, led=session.state is not State.TITRATING)
        return False
    waiting = session.state is State.LISTENING or session.engine.awaits is Advance.ATTEMPT
    hearing.ear.listen(trying or waiting)
    session.engine.baseline_ready = hearing.ear.ready
    effort.follow(session, hearing.ear, now_us, trying=trying)
    onset = hearing.take_onset() is not None
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
            _tell_of_trouble(session, hearing, now_us)  # nothing flows, and it is tried again in the next pass
        else:
            session.fault(str(error), now_us, alarm="high")
        return False
    return True


def _mind_the_stream(session: Session, hearing: Hearing, now_us: int) -> None:
    """A stream that is lost ends output, with its cause; whatever is missing in it, and that it is back, is recorded."""
    if not hearing.is_on:
        return
    _tell_of_losses(session, hearing, now_us)
    if hearing.trouble:
        if session.engine.armed:
            session.fault(hearing.trouble, now_us)  # first: a record may wait for its disk
        _tell_of_trouble(session, hearing, now_us)
    elif hearing.told_of_trouble:
        hearing.told_of_trouble = False
        session.diary.write("emg-back", {}, now_us, "The EMG stream is back")


def _tell_of_trouble(session: Session, hearing: Hearing, now_us: int) -> None:
    if not hearing.told_of_trouble:
        hearing.told_of_trouble = True
        session.diary.write("emg-lost", {"why": hearing.trouble}, now_us, f"EMG: {hearing.trouble}")


def _tell_of_losses(session: Session, hearing: Hearing, now_us: int) -> None:
    """How much is missing by now, once a second at the most."""
    losses = hearing.losses
    if losses != hearing.told_losses and not 0 <= now_us - hearing.told_losses_us < SECOND:
        hearing.told_losses, hearing.told_losses_us = losses, now_us
        session.diary.write("emg-gap", {"gaps": losses[0], "samples_missing": losses[1]}, now_us)


def _mind_the_signal(session: Session, hearing: Hearing, now_us: int) -> None:
    """A signal that turned bad, or good again, is recorded and said once it has been so for :data:`LASTS_US`.

    The screen shows each change at once. A lead that comes and goes several times a second is no more than one row a second.
    """
    if not hearing.is_on:
        return
    quality = hearing.quality
    if quality != hearing.quality_seen:
        hearing.quality_seen, hearing.quality_since_us = quality, now_us
    if quality == hearing.quality_told or now_us - hearing.quality_since_us < LASTS_US or hearing.trouble:
        return
    hearing.quality_told = quality
    if quality == "good":
        session.diary.write("emg-good", {}, now_us, "The EMG signal is good again")
    else:
        text = f"EMG signal: {quality.value}; look at electrodes and lead, no attempt is heard meanwhile"
        session.diary.write("emg-bad", {"quality": quality.value}, now_us, text)


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
