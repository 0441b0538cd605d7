"""The session's states and events: one table.

House rules: what is not listed is refused; STOP and FAULT are listed for every state in which a board may be armed.
The tests walk every state x event pair, and ``docs/states.md`` is made from :data:`TABLE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, final

from stimctl.orders import Stage


@final
class State(StrEnum):
    """Where a session is. Output can be non-zero only in the states of :data:`DELIVERING`."""

    CHOOSING = "choosing"
    SCREENING = "screening"
    PADS = "placing pads"
    THRESHOLDS = "thresholds"
    TITRATING = "finding thresholds"
    READY = "ready"
    TRIAL = "trial"
    REST = "rest"
    LISTENING = "listening"
    BURST = "burst"
    FLOWING = "flowing"
    PAUSED = "paused"
    STOPPED = "stopped"
    REVIEW = "review"
    ENDED = "ended"


@final
class Event(StrEnum):
    """What can happen to a session: an order, the clock, the patient, the board."""

    OPEN = "protocol chosen"
    SCREENED = "screening complete"
    BLOCKED = "screening blocks"
    PLACED = "pads confirmed"
    TITRATE = "titration armed"
    CHANNEL_FOUND = "channel's ceiling found"
    ALL_FOUND = "all ceilings found"
    START = "start at zero"
    BEGIN = "begin counting"
    TO_BURST = "rest over, cyclic"
    TO_LISTENING = "rest over, triggered"
    TO_FLOW = "rest over, continuous"
    TRIGGER = "attempt heard"
    ASSIST = "window over, assisted"
    MISSED = "window over"
    BURST_OVER = "burst over"
    DOSE_DONE = "dose done"
    PAUSE = "pause"
    RESUME = "resume at zero"
    EXPIRED = "pause too long"
    STOP = "stop"
    STOP_ARMING = "stop while arming"
    FAULT = "fault"
    CLEAR_TO_SCREENING = "cleared, unscreened"
    CLEAR_TO_PADS = "cleared, pads not confirmed"
    CLEAR_TO_THRESHOLDS = "cleared, ceilings missing"
    CLEAR_TO_READY = "cleared, ceilings found"
    FINISH = "finish early"
    CLOSE = "close"


_RUNNING: Final = (State.TRIAL, State.REST, State.LISTENING, State.BURST, State.FLOWING)
_SETUP: Final = (State.SCREENING, State.PADS, State.THRESHOLDS, State.READY)

TABLE: Final[dict[tuple[State, Event], State]] = {
    (State.CHOOSING, Event.OPEN): State.SCREENING,
    (State.SCREENING, Event.SCREENED): State.PADS,
    (State.SCREENING, Event.BLOCKED): State.REVIEW,
    (State.PADS, Event.PLACED): State.THRESHOLDS,
    (State.THRESHOLDS, Event.TITRATE): State.TITRATING,
    (State.TITRATING, Event.CHANNEL_FOUND): State.THRESHOLDS,
    (State.TITRATING, Event.ALL_FOUND): State.READY,
    (State.READY, Event.START): State.TRIAL,
    (State.TRIAL, Event.BEGIN): State.REST,
    (State.REST, Event.TO_BURST): State.BURST,
    (State.REST, Event.TO_LISTENING): State.LISTENING,
    (State.REST, Event.TO_FLOW): State.FLOWING,
    (State.LISTENING, Event.TRIGGER): State.BURST,
    (State.LISTENING, Event.ASSIST): State.BURST,
    (State.LISTENING, Event.MISSED): State.REST,
    (State.BURST, Event.BURST_OVER): State.REST,
    (State.REST, Event.DOSE_DONE): State.REVIEW,
    (State.FLOWING, Event.DOSE_DONE): State.REVIEW,
    (State.PAUSED, Event.RESUME): State.TRIAL,
    (State.PAUSED, Event.EXPIRED): State.THRESHOLDS,
    (State.READY, Event.EXPIRED): State.THRESHOLDS,
    **{(state, Event.PAUSE): State.PAUSED for state in _RUNNING},
    # Stop and fault: armed states latch. In a setup state a stop leaves things as they are, because nothing can flow.
    **{(state, Event.STOP): State.STOPPED for state in (*_RUNNING, State.TITRATING, State.PAUSED, State.STOPPED)},
    **{(state, Event.STOP): state for state in (*_SETUP, State.CHOOSING, State.REVIEW, State.ENDED)},
    **{(state, Event.FAULT): State.STOPPED for state in (*_RUNNING, *_SETUP, State.TITRATING, State.PAUSED)},
    **{(state, Event.FAULT): state for state in (State.STOPPED, State.CHOOSING, State.REVIEW, State.ENDED)},
    # A board that has been asked to arm may be armed: a stop then latches in a setup state, too.
    **{(state, Event.STOP_ARMING): State.STOPPED for state in (State.THRESHOLDS, State.READY, State.PAUSED)},
    # Clearing a stop leads back to a state in which the output stage is off.
    (State.STOPPED, Event.CLEAR_TO_SCREENING): State.SCREENING,
    (State.STOPPED, Event.CLEAR_TO_PADS): State.PADS,
    (State.STOPPED, Event.CLEAR_TO_THRESHOLDS): State.THRESHOLDS,
    (State.STOPPED, Event.CLEAR_TO_READY): State.READY,
    **{
        (state, Event.FINISH): State.REVIEW
        for state in (*_RUNNING, *_SETUP, State.TITRATING, State.PAUSED, State.STOPPED)
    },
    (State.REVIEW, Event.CLOSE): State.ENDED,
    (State.CHOOSING, Event.CLOSE): State.ENDED,
}

DELIVERING: Final = frozenset({State.TITRATING, State.TRIAL, State.BURST, State.FLOWING})
"""States in which an amplitude may be above zero."""

ARMED: Final = frozenset({State.TITRATING, *_RUNNING})
"""States in which the board's output stage is armed."""

STAGES: Final[dict[State, Stage]] = {
    State.CHOOSING: Stage.START,
    State.SCREENING: Stage.SCREENING,
    State.PADS: Stage.PADS,
    State.THRESHOLDS: Stage.THRESHOLDS,
    State.TITRATING: Stage.THRESHOLDS,
    State.READY: Stage.RUN,
    **dict.fromkeys((*_RUNNING, State.PAUSED, State.STOPPED), Stage.RUN),
    State.REVIEW: Stage.REVIEW,
    State.ENDED: Stage.REVIEW,
}
"""The screen that belongs to a state."""


_CONTINUOUS: Final = {
    State.TRIAL: "setting the level",
    State.REST: "starts soon",
    State.FLOWING: "stimulating",
}
"""What some states are called where current flows on: there are no bursts to try and to rest from."""


def state_words(state: State, *, continuous: bool) -> str:
    """What an operator is told of ``state``."""
    return _CONTINUOUS.get(state, state.value) if continuous else state.value


def mermaid(moves: Mapping[tuple[Any, Any], StrEnum] = TABLE, first: StrEnum = State.CHOOSING) -> str:
    """A table as a Mermaid state diagram, one line a transition; self-loops are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {_id(first)}"]
    for (state, event), target in moves.items():
        if state is not target:
            lines.append(f"    {_id(state)} --> {_id(target)}: {event.value}")
    lines.append("    ended --> [*]")
    return "\n".join(lines)


def _id(state: StrEnum) -> str:
    return state.value.replace(" ", "_")
