"""How a UECU board is made to stop: halt, every event to zero, halt again; and that until it must have been heard.

A board that has heard the head of a frame waits for the rest of it, as long as the frame says it is, and takes what
comes for it. So a halt behind half a frame may be swallowed, and at worst, behind a broken length, 259 bytes are. The
rounds together are longer than that. Nothing confirms a halt but the absence of an error, and pulses that are due in the
period that runs may follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stimctl.boards.stops import StopSequence
from stimctl.boards.uecu.codec import encode
from stimctl.boards.uecu.words import ChangeEvent, Halt
from stimctl.units import MS

SWALLOWED_MAX: Final = 259
"""Bytes: ``04 80`` and a type have been heard, then a length of 255 by mistake, so many data and a checksum."""

EVENTS: Final = (1, 2, 3, 4)
"""A board numbers its events from 1; one for each channel is all that a host of ours makes."""

APART_US: Final = 60 * MS
"""A round takes 50 ms at 9600 baud."""

_HALT: Final = encode(Halt())


def stop_of(events: Sequence[int]) -> StopSequence:
    """What stops a board on which these are the events."""
    words = _HALT + b"".join(encode(ChangeEvent(event, 0, 0)) for event in events) + _HALT
    rounds = -(-SWALLOWED_MAX // len(words)) + 1
    # Over after the last write by at most one period; the longest that anybody should use is a second.
    return StopSequence((words,) * rounds, APART_US, rounds * APART_US + 1_000 * MS, confirmed_by="")


STOP: Final = stop_of(EVENTS)
"""For a board whose events are not known yet, or are these."""

ROUNDS: Final = len(STOP.writes)
