"""The session's words to the operator: one line for what to do next, and the orders that make sense now."""

from __future__ import annotations

from typing import Final

from stimctl.engine import Event, State
from stimctl.errors import Refusal
from stimctl.orders import OrderKind as Kind
from stimctl.safety import Rule

NEXT_ACTION: Final[dict[State, str]] = {
    State.CHOOSING: "Choose a protocol, enter a patient code and the affected side.",
    State.SCREENING: "Answer every question with the patient. Nothing is filled in for you.",
    State.PADS: "Place the pads, then confirm each channel: muscle, side, pads, lead.",
    State.THRESHOLDS: "Select a channel and start: the output stage arms at zero.",
    State.TITRATING: "Raise step by step. While the current stands, mark: first feeling, twitch, most tolerated.",
    State.READY: "Start: the output stage arms at zero, then raise to the working level.",
    State.TRIAL: "Raise to the working level. When the movement is right, begin.",
    State.REST: "Rest. Tell the patient to relax.",
    State.LISTENING: "Now: ask the patient to try to open the hand.",
    State.BURST: "Stimulating. Watch the hand and the skin.",
    State.FLOWING: "Stimulating. Ask about comfort; watch the skin.",
    State.PAUSED: "Paused at zero. Resume starts again from zero.",
    State.STOPPED: "Stopped. Find out why, then clear. Clearing does not switch anything on.",
    State.REVIEW: "Pads off. Check the skin, ask for pain, then close.",
    State.ENDED: "The session is closed and recorded.",
}

CONTINUOUS_ACTION: Final[dict[State, str]] = {
    State.TRIAL: "Raise to the working level: {aim}. Then begin.",
    State.REST: "Zero for a moment, then stimulation starts at the level set.",
}
"""What is said instead where current flows on (TENS): there is no movement to look for, and no burst to rest from.

``aim`` is the mode's own: one is meant to twitch, and another never."""

_RAISING: Final = (Kind.SELECT, Kind.RAISE, Kind.LOWER, Kind.ZERO)
_RUNNING: Final = (*_RAISING, Kind.PAUSE, Kind.FINISH, Kind.PRESENT, Kind.NOTE, Kind.PAIN, Kind.SKIN_CHECKED)

CAN: Final[dict[State, tuple[Kind, ...]]] = {
    State.CHOOSING: (Kind.OPEN, Kind.CLOSE),
    State.SCREENING: (Kind.ANSWER, Kind.NEXT, Kind.FINISH, Kind.NOTE),
    State.PADS: (Kind.CONFIRM_PADS, Kind.NEXT, Kind.FINISH, Kind.NOTE),
    State.THRESHOLDS: (Kind.SELECT, Kind.START, Kind.FINISH, Kind.NOTE, Kind.SKIN_CHECKED),
    State.TITRATING: (
        Kind.RAISE,
        Kind.LOWER,
        Kind.ZERO,
        Kind.MARK,
        Kind.NEXT,
        Kind.FINISH,
        Kind.PRESENT,
        Kind.NOTE,
        Kind.SKIN_CHECKED,
    ),
    State.READY: (Kind.NEXT, Kind.START, Kind.FINISH, Kind.NOTE, Kind.SKIN_CHECKED),
    State.TRIAL: (*_RUNNING, Kind.BEGIN, Kind.KEY),
    State.REST: _RUNNING,
    State.LISTENING: (*_RUNNING, Kind.KEY),
    State.BURST: (*_RUNNING, Kind.KEY),
    State.FLOWING: _RUNNING,
    State.PAUSED: (Kind.RESUME, Kind.FINISH, Kind.NOTE, Kind.PAIN, Kind.SKIN_CHECKED),
    State.STOPPED: (Kind.CLEAR, Kind.FINISH, Kind.NOTE, Kind.SKIN_CHECKED),
    State.REVIEW: (Kind.SKIN_CHECKED, Kind.PAIN, Kind.NOTE, Kind.CLOSE),
    State.ENDED: (),
}
"""The orders that are offered in each state; the session refuses all others."""

_REFUSED: Final = {
    Rule.TITRATION_RATE: "Too soon after the last press: two steps a second at most.",
    Rule.LATCHED: "A stop is in force: clear it first.",
    Rule.SITE_TIME: "This site has had its stimulation time for 24 hours.",
    Rule.SHARED_PAD_PEAK: "Too much for the pad that these channels share: lower another channel first.",
    Rule.SHARED_PAD_CHARGE: "Too much for the pad that these channels share: lower another channel first.",
    Rule.SHARED_PAD_RMS: "Too much for the pad that these channels share: lower another channel first.",
    Rule.SHARED_PAD_DENSITY: "Too much for the pad that these channels share: lower another channel first.",
    Rule.SENSATION: "No stimulation where nothing is felt.",
}


_WHAT: Final[dict[Kind, str]] = {
    Kind.OPEN: "Opening a session",
    Kind.ANSWER: "Answering the screening",
    Kind.CONFIRM_PADS: "Confirming pads",
    Kind.NEXT: "The next step",
    Kind.SELECT: "Choosing a channel",
    Kind.RAISE: "Raising",
    Kind.LOWER: "Lowering",
    Kind.ZERO: "Going to zero",
    Kind.MARK: "Marking a threshold",
    Kind.BEGIN: "Beginning",
    Kind.CLEAR: "Clearing a stop",
    Kind.PRESENT: "Saying that you are here",
    Kind.SKIN_CHECKED: "Recording the skin",
    Kind.PAIN: "Recording pain",
    Kind.CLOSE: "Closing",
    Kind.NOTE: "A note",
    Kind.START: "Starting",
    Kind.PAUSE: "A pause",
    Kind.RESUME: "Going on after a pause",
    Kind.FINISH: "Ending the session",
    Kind.KEY: "The switch",
    Kind.WEAR: "The wear log",
}

_WHEN: Final[dict[State, str]] = {
    State.CHOOSING: "no session is open",
    State.SCREENING: "the screening comes first",
    State.PADS: "pads are being confirmed",
    State.THRESHOLDS: "output is off, between two searches for thresholds",
    State.TITRATING: "thresholds are being found",
    State.READY: "output is off, ready to start",
    State.TRIAL: "the working level is being set",
    State.REST: "the treatment runs, just now at rest",
    State.LISTENING: "the treatment runs, waiting for an attempt",
    State.BURST: "a burst is being given",
    State.FLOWING: "stimulation runs",
    State.PAUSED: "the session is paused at zero",
    State.STOPPED: "a stop is in force",
    State.REVIEW: "the treatment is over",
    State.ENDED: "the session is closed",
}


def out_of_place(kind: Kind, state: State) -> str:
    """Why an order is refused that ``state`` has no use for, without the program's own names for either."""
    return f"{_WHAT[kind]} is not possible now: {_WHEN[state]}."


def refused(refusal: Refusal) -> str:
    """What the limiter refused, for an operator; the record keeps the rule, the value and the bound."""
    words = next((text for rule, text in _REFUSED.items() if rule == refusal.rule), "")
    return words or f"The limiter refused: {refusal}"


EVENT_KIND: Final[dict[Event, str]] = {event: event.name.lower().replace("_", "-") for event in Event} | {
    Event.BURST_OVER: "burst-delivered",
}
"""The record's word for each event."""
