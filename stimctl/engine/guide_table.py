"""The states and events of guided work: one table. What is not listed is refused.

No state has output: there is no output stage. A stop holds the work all the same, from everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, final

from stimctl.orders import Stage


@final
class GuideState(StrEnum):
    """Where guided work is."""

    SCREENING = "screening"
    READY = "ready"
    DOING = "doing"
    RESTING = "resting"
    PAUSED = "paused"
    STOPPED = "stopped"
    REVIEW = "review"
    ENDED = "ended"


@final
class GuideEvent(StrEnum):
    """What can happen to it: an order, the clock, a fault."""

    SCREENED = "screened"
    BLOCKED = "blocked"
    START = "start"
    SET_OVER = "set-over"
    REST_OVER = "rest-over"
    DOSE_DONE = "dose-done"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    FAULT = "fault"
    CLEAR_TO_SCREENING = "clear-to-screening"
    CLEAR_TO_READY = "clear-to-ready"
    CLEAR_TO_PAUSED = "clear-to-paused"
    FINISH = "finish"
    CLOSE = "close"


_S, _E = GuideState, GuideEvent
_HELD: Final = {_E.STOP: _S.STOPPED, _E.FAULT: _S.STOPPED, _E.FINISH: _S.REVIEW}

TABLE: Final[Mapping[GuideState, Mapping[GuideEvent, GuideState]]] = MappingProxyType(
    {
        _S.SCREENING: {_E.SCREENED: _S.READY, _E.BLOCKED: _S.REVIEW, **_HELD},
        _S.READY: {_E.START: _S.DOING, **_HELD},
        _S.DOING: {_E.SET_OVER: _S.RESTING, _E.DOSE_DONE: _S.REVIEW, _E.PAUSE: _S.PAUSED, **_HELD},
        _S.RESTING: {_E.REST_OVER: _S.DOING, _E.PAUSE: _S.PAUSED, **_HELD},
        _S.PAUSED: {_E.RESUME: _S.DOING, **_HELD},
        _S.STOPPED: {
            _E.CLEAR_TO_SCREENING: _S.SCREENING,
            _E.CLEAR_TO_READY: _S.READY,
            _E.CLEAR_TO_PAUSED: _S.PAUSED,
            _E.FAULT: _S.STOPPED,
            _E.FINISH: _S.REVIEW,
        },
        _S.REVIEW: {_E.CLOSE: _S.ENDED},
        _S.ENDED: {},
    }
)
"""Every state and what each event makes of it."""

STAGES: Final[Mapping[GuideState, Stage]] = MappingProxyType(
    {_S.SCREENING: Stage.SCREENING, _S.REVIEW: Stage.REVIEW, _S.ENDED: Stage.REVIEW}
)
"""The screen of a state; the others have the running one."""

UNDER_WAY: Final = frozenset({_S.DOING, _S.RESTING})
"""States in which time of the work passes."""
