"""Every screen, field and question in which a stop key may be pressed, and the way from each to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from tests.proving.stop_walk import Walk

TAB, BACK_TAB, RIGHT, F1, BACKSPACE, CTRL_Q = b"\t", b"\x1b[Z", b"\x1b[C", b"\x1bOP", b"\x7f", b"\x11"
FIELDS: Final = 7
SIDE, BUTTON = 1, 4
_ANSWERS: Final = {"blocker": "n", "precaution": "n", "check": "y", "sensation": "1"}
_TO_CURRENT: Final = {"stopped": "u", "thresholds": "s", "ready": "s", "paused": "g"}


class Act(Protocol):
    """Something that is done on a walk."""

    def __call__(self, walk: Walk, /) -> object:
        """Do it."""


@dataclass(frozen=True)
class Screen:
    """One place to press a key in.

    ``enter`` and ``leave`` once, if anything is tried there; ``again`` before each key; ``onward`` in any case, to where
    the next screen can be had. ``on``: current flows.
    """

    enter: Act = lambda _walk: None
    again: Act = lambda _walk: None
    leave: Act = lambda _walk: None
    onward: Act = lambda _walk: None
    on: bool = False


def _keys(*keys: bytes | str) -> Act:
    return lambda walk: walk.press(*keys)


def _both(*acts: Act) -> Act:
    return lambda walk: [act(walk) for act in acts]


def _to_field(walk: Walk, number: int) -> None:
    """All its Tabs in one go: they order nothing, so that none has to stand alone."""
    tabs = (number - walk.field) % FIELDS
    walk.press(*[TAB * tabs] * bool(tabs))
    walk.field = number


def _field(number: int, *keys: bytes | str) -> Screen:
    """The field so many Tabs behind the patient's, which comes first."""
    return Screen(enter=_both(lambda walk: _to_field(walk, number), _keys(*keys)))


def _no_field(walk: Walk) -> None:
    """A window that was too small has taken the focus from all of them; a Tab gives it to the first."""
    walk.press(TAB)
    walk.field = 0


def _open(walk: Walk) -> None:
    """By the side and the button; or wherever the focus is, as Enter leads on from field to field."""
    _to_field(walk, SIDE)
    walk.press(RIGHT)
    _to_field(walk, BUTTON)
    walk.press("\r")
    if walk.until(lambda: walk.state == "screening", 1.0):
        return
    for _ in range(6):
        for _ in range(9):
            walk.press(RIGHT, "\r")
            if walk.until(lambda: walk.state == "screening", 0.3):
                return
        walk.press(TAB)  # on a busy machine two Enters may skip a field, and the button alone leads nowhere
    raise AssertionError(f"the session was not opened; {walk.where()}")


def _answer(walk: Walk, until: str = "") -> None:
    while walk.open and walk.open[0] != until:
        left = len(walk.open)
        walk.press_until(_ANSWERS[walk.open[0]], lambda left=left: len(walk.open) < left, "an answer")  # type: ignore[misc]


def _ask_reason(walk: Walk) -> None:
    _answer(walk, "precaution")
    walk.press("y")


def _to_pads(walk: Walk) -> None:
    _answer(walk)
    walk.press_until("\r", lambda: walk.state == "placing pads", "the pads")


def _to_thresholds(walk: Walk) -> None:
    walk.press_until("v\r", lambda: walk.state == "thresholds", "the thresholds")


def _titrating(walk: Walk) -> None:
    walk.lead({**_TO_CURRENT, "finding thresholds": "r"}, lambda: walk.energised, "current while titrating")


def _to_ready(walk: Walk) -> None:
    """Two runs, each to the first step that is felt and the most that is tolerated."""
    for _ in range(2):
        _titrating(walk)
        walk.press_until("13", lambda: not walk.energised, "the end of a run")
    walk.press_until("\r", lambda: walk.state == "ready", "the ceiling")


def _trial(walk: Walk) -> None:
    walk.lead({**_TO_CURRENT, "trial": "r"}, lambda: walk.state == "trial" and walk.energised, "a trial with current")


def _flowing(walk: Walk) -> None:
    keys = {**_TO_CURRENT, "trial": "r", "trial on": "b"}
    walk.lead(keys, lambda: walk.state == "flowing" and walk.energised, "the flow")


def _paused(walk: Walk) -> None:
    if walk.state != "paused":
        _flowing(walk)
        walk.press_until("p", lambda: walk.state == "paused" and not walk.energised, "the pause")


def _stopped(walk: Walk) -> None:
    if walk.state != "stopped":
        _flowing(walk)
        walk.type(b"\x18")
        walk.must(lambda: walk.state == "stopped" and not walk.energised, "the stop")


def _to_review(walk: Walk) -> None:
    walk.press_until("w\r", lambda: walk.state == "review", "the review")


def resize(rows: int, columns: int) -> Act:
    """The window gets another size, and everybody a moment to take it in."""
    return lambda walk: (walk.resize(rows, columns), walk.pause(0.3))


_BIG, _SMALL = resize(24, 80), resize(20, 60)

SCREENS: Final[Mapping[str, Screen]] = {
    "start-patient": Screen(enter=_keys("1")),
    "start-side": _field(SIDE, RIGHT),
    "start-board": _field(2),
    "start-emg": _field(3),
    "start-button": _field(BUTTON),
    "start-list": _field(5),
    "start-protocol": _field(6),
    "start-help": Screen(enter=_keys(F1), leave=_keys(F1)),
    "start-small": Screen(enter=_SMALL, leave=_both(_BIG, _no_field), onward=_open),
    "screening": Screen(),
    "screening-quit-asked": Screen(again=_keys("q")),
    "screening-reason": Screen(enter=_ask_reason, leave=_keys("\r")),
    "screening-help": Screen(enter=_keys("?"), leave=_keys("?"), onward=_to_pads),
    "pads": Screen(onward=_to_thresholds),
    "thresholds": Screen(),
    "titration": Screen(again=_titrating, on=True),
    "titration-help": Screen(enter=_keys("?"), again=_titrating, leave=_keys("?"), on=True),
    "titration-end-asked": Screen(again=_both(_titrating, _keys("w")), on=True),
    "titration-small": Screen(again=_both(_BIG, _titrating, _SMALL), leave=_BIG, onward=_to_ready, on=True),
    "ready": Screen(),
    "trial": Screen(again=_trial, on=True),
    "flowing": Screen(again=_flowing, on=True),
    "flowing-help": Screen(enter=_keys("?"), again=_flowing, leave=_keys("?"), on=True),
    "flowing-end-asked": Screen(again=_both(_flowing, _keys("w")), on=True),
    "flowing-pain-asked": Screen(again=_both(_flowing, _keys("i")), on=True),
    "flowing-small": Screen(again=_both(_BIG, _flowing, _SMALL), leave=_BIG, on=True),
    "paused": Screen(again=_paused),
    "stopped": Screen(again=_stopped, onward=_to_review),
    "review-skin": Screen(enter=_keys("s")),
    "review-button": Screen(enter=_keys(TAB), leave=_keys(BACK_TAB)),
    "review-pain": Screen(enter=_keys(TAB, TAB, TAB, "3"), leave=_keys(BACKSPACE)),
    "review-note": Screen(enter=_keys(TAB, "n")),
    "review-close-asked": Screen(again=_keys(CTRL_Q)),
}
"""In the order in which one session comes by."""

LED_TO: Final = "thresholds"
"""The first screen that a walk finds which is led."""
