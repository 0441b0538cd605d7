"""STOP, everywhere: every key x every screen, field and dialog x everything that may stand in its way.

The keys are typed as bytes into a real terminal with the two real programs behind it (:mod:`tests.proving.stop_walk`).
A key counts as heard when the control process carried out a stop *for that key*, not when something else stopped by and
by; where current flows, the board's twin has to confirm zero besides, by that stop and not by its dead-man. At its end
each session's ledger is compared: nothing flowed between a confirmed zero and the next arming.

``python3 -m tests.proving.stop_keys [SCREEN/KEY/HINDRANCE...]`` tries what is named, or prints what there is.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from stimctl.records.reading import events, sessions, verify
from tests.proving.stop_walk import HANG_S, HANGS, Walk
from tests.proving.table import Outcome, Row
from tests.twin_rig import Facts

HEARD_S: Final = 5.0
"""How long a stop may take on a busy machine before it counts as missed. How quick it is, the benchmark tells."""

SESSIONS: Final = 3
"""How often a walk that gets stuck, and missed nothing, begins anew with what is left: a machine so busy that board or
screen fall silent for half a second stops by itself, again and again.
"""

TWICE_S: Final = 2.2
"""Two Ctrl+C closer together end the session."""

SCREEN_STOP: Final = "STOP pressed on the screen"
STOPPED: Final = "disarmed: stopped"


class Key(NamedTuple):
    """A stop key in one of its shapes, and the reason that its stop bears. ``face``: whether Textual knows it."""

    typed: bytes
    reason: str
    face: bool = True


KEYS: Final[Mapping[str, Key]] = {
    "space": Key(b" ", "Space pressed"),
    "esc": Key(b"\x1b", "Esc pressed"),
    "ctrl-x": Key(b"\x18", "Ctrl+X pressed"),
    "ctrl-c": Key(b"\x03", "Ctrl+C pressed", face=False),  # the kernel makes a signal of it
    "ctrl-z": Key(b"\x1a", "Ctrl+Z pressed; stimctl does not suspend", face=False),
    "ctrl-space": Key(b"\0", "Space pressed"),
    "altgr-space": Key("\u00a0".encode(), "Space pressed"),
    "japanese-space": Key("\u3000".encode(), "Space pressed"),
    "khmer-space": Key("\u200b".encode(), "Space pressed"),
    "kitty-space": Key(b"\x1b[32u", "Space pressed"),
    "kitty-space-text": Key(b"\x1b[32;1;32u", "Space pressed"),
    "kitty-esc": Key(b"\x1b[27u", "Esc pressed"),
    "kitty-ctrl-x": Key(b"\x1b[120;5u", "Ctrl+X pressed"),
    "kitty-ctrl-c": Key(b"\x1b[99;5u", "Ctrl+C pressed"),
    "kitty-ctrl-z": Key(b"\x1b[122;5u", "Ctrl+Z pressed"),
    "kitty-ctrl-cyrillic": Key(b"\x1b[1095;5u", "Ctrl+letter pressed", face=False),
    "xterm-space": Key(b"\x1b[27;2;32~", "Space pressed", face=False),
    "xterm-esc": Key(b"\x1b[27;2;27~", "Esc pressed", face=False),
    "xterm-ctrl-x": Key(b"\x1b[27;5;120~", "Ctrl+X pressed", face=False),
    "xterm-ctrl-c": Key(b"\x1b[27;5;99~", "Ctrl+C pressed", face=False),
    "8-bit-space": Key(b"\x9b32u", "Space pressed", face=False),
    "win32-space": Key(b"\x1b[32;57;32;1;0;1_", "Space pressed", face=False),
    "win32-esc": Key(b"\x1b[27;1;27;1;0;1_", "Esc pressed", face=False),
    "win32-ctrl-x": Key(b"\x1b[88;45;24;1;8;1_", "Ctrl+X pressed", face=False),
    "win32-ctrl-c": Key(b"\x1b[67;46;3;1;8;1_", "Ctrl+C pressed", face=False),
}

# --- screens ----------------------------------------------------------------------------------------------------------

TAB, BACK_TAB, RIGHT, F1, BACKSPACE, CTRL_Q = b"\t", b"\x1b[Z", b"\x1b[C", b"\x1bOP", b"\x7f", b"\x11"
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


def _field(number: int, *keys: bytes | str) -> Screen:
    """The field so many Tabs behind the patient's, which comes first; there are seven."""
    return Screen(enter=_keys(*[TAB] * number, *keys), leave=_keys(*[TAB] * (7 - number)))


def _open(walk: Walk) -> None:
    """Wherever the focus is: Enter leads on from field to field, and the arrow chooses the side on its way."""
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


def _resize(rows: int, columns: int) -> Act:
    return lambda walk: (walk.resize(rows, columns), walk.pause(0.3))


_BIG, _SMALL = _resize(24, 80), _resize(20, 60)

SCREENS: Final[Mapping[str, Screen]] = {
    "start-patient": Screen(enter=_keys("1")),
    "start-side": _field(1, RIGHT),
    "start-board": _field(2),
    "start-emg": _field(3),
    "start-button": _field(4),
    "start-list": _field(5),
    "start-protocol": _field(6),
    "start-help": Screen(enter=_keys(F1), leave=_keys(F1)),
    "start-small": Screen(enter=_SMALL, leave=_both(_BIG, _keys(TAB)), onward=_open),  # no field has the focus
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

# --- what may stand in the way ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hindrance:
    """Something that happens before, around or while a key is typed: returns when the key was. ``undo`` repairs."""

    type: Callable[[Walk, bytes], int]
    undo: Act = lambda _walk: None
    ends: bool = False  # nothing comes after it in the same session
    reasons: tuple[str, ...] = ()  # of stops that are as good as the key's own


def _once(act: Act, pause_s: float = 0.1) -> Callable[[Walk, bytes], int]:
    """The key a moment after ``act``."""

    def typed(walk: Walk, key: bytes) -> int:
        act(walk)
        walk.pause(pause_s)
        return walk.type(key)

    return typed


def _after(noise: bytes, pause_s: float = 0.1) -> Callable[[Walk, bytes], int]:
    return _once(lambda walk: walk.type(noise), pause_s)


def _split(walk: Walk, key: bytes) -> int:
    us = 0
    for byte in key:
        us = walk.type(bytes([byte]))
        walk.pause(0.01)  # well within what a sequence may take
    return us


def _storm(walk: Walk, key: bytes) -> int:
    for number in range(60):
        walk.resize(24 + number % 7, 80 + number % 11)
        if number == 40:
            us = walk.type(key)
    return us


def _signalled(number: int, pause_s: float = 0.1) -> Callable[[Walk, bytes], int]:
    return _once(lambda walk: walk.signal_face(number), pause_s)


def _awake(walk: Walk) -> None:
    walk.signal_face(signal.SIGCONT)
    walk.pause(0.3)


def _stuck(walk: Walk, key: bytes) -> int:
    """Nobody takes what is painted: the terminal's buffer is full, and whoever paints waits."""
    walk.reading = False
    fill = os.open(os.ttyname(walk.slave), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        while os.write(fill, b"\0" * 4096):
            pass
    except BlockingIOError:
        pass
    finally:
        os.close(fill)
    return walk.type(key)


def _unstuck(walk: Walk) -> None:
    walk.reading = True
    walk.pause(0.3)


def _line_full(walk: Walk, key: bytes) -> int:
    """The board takes nothing for a while, and its line is full of somebody's delimiters when the stop comes."""
    walk.board.signal(signal.SIGSTOP)
    fill = os.open(str(walk.folder / "board"), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        while os.write(fill, b"\0" * 4096):
            pass
    except BlockingIOError:
        pass
    finally:
        os.close(fill)
    us = walk.type(key)
    walk.until(lambda: any(stop.us >= us for stop in walk.stops), 0.3)
    walk.board.signal(signal.SIGCONT)
    return us


def _hang_up(walk: Walk, key: bytes) -> int:
    us = walk.type(key)
    walk.hang_up()
    return us


HINDRANCES: Final[Mapping[str, Hindrance]] = {
    "nothing": Hindrance(lambda walk, key: walk.type(key)),
    "in-a-paste": Hindrance(lambda walk, key: walk.type(b"\x1b[200~rrrr" + key + b"\x1b[201~")),
    "in-an-endless-paste": Hindrance(_after(b"\x1b[200~rrrr"), undo=lambda walk: walk.type(b"\x1b[201~")),
    "in-pieces": Hindrance(_split),
    "after-torn-utf8": Hindrance(_after(b"\xf0\x9f\xff\xe2\x80")),
    "after-half-a-report": Hindrance(_after(b"\x1b[120;")),
    "after-an-endless-string": Hindrance(_after(b"\x1b]52;c;AAAA"), undo=lambda walk: walk.type(b"\x1b\\")),
    "in-a-mouse-flood": Hindrance(
        lambda walk, key: walk.type(b"\x1b[<35;10;10M" * 800 + key + b"\x1b[<35;11;10M" * 300)
    ),
    "after-a-focus-report": Hindrance(lambda walk, key: walk.type(b"\x1b[O\x1b[I" + key)),
    "resized": Hindrance(_storm, undo=_BIG),
    "screen-sleeps": Hindrance(_signalled(HANGS["sleeps"]), undo=lambda walk: walk.pause(HANG_S + 0.3)),
    "screen-computes": Hindrance(_signalled(HANGS["computes"]), undo=lambda walk: walk.pause(HANG_S + 0.3)),
    "screen-holds-the-lock": Hindrance(_signalled(HANGS["holds the lock"]), undo=lambda walk: walk.pause(HANG_S + 0.3)),
    "screen-frozen": Hindrance(_signalled(signal.SIGSTOP), undo=_awake),
    "display-stuck": Hindrance(_stuck, undo=_unstuck),
    "board-line-full": Hindrance(_line_full),
    "screen-killed": Hindrance(_signalled(signal.SIGKILL, 0), ends=True),
    "terminal-gone": Hindrance(_hang_up, ends=True, reasons=("the terminal has gone", "ended by signal 1")),
}

# --- trying -----------------------------------------------------------------------------------------------------------


class Trial(NamedTuple):
    """One press: which key, where, and in spite of what."""

    screen: str
    key: str
    hindrance: str = "nothing"

    def __str__(self) -> str:
        return "/".join(self)


class Found(NamedTuple):
    """What came of one press. ``wrong`` is empty when all is well; ``zero``: the twin confirmed it."""

    trial: Trial
    wrong: str
    zero: bool
    twice: bool


@dataclass(frozen=True)
class Report:
    """What one session showed. ``failures``: what is wrong besides the presses."""

    found: tuple[Found, ...]
    failures: tuple[str, ...]


def session(trials: Iterable[Trial]) -> Report:
    """All ``trials``, in one session unless it gets stuck."""
    waiting = list(trials)
    found: tuple[Found, ...] = ()
    for _ in range(SESSIONS):
        report = _session(waiting)
        found += report.found
        done = {each.trial for each in report.found}
        waiting = [trial for trial in waiting if trial not in done]
        if not waiting:
            break
    return Report(found, report.failures)


def _session(trials: Iterable[Trial]) -> Report:
    """One session with all ``trials``, in the order in which it comes by their screens; what ends it is the last."""
    waiting = list(trials)
    last = [trial for trial in waiting if HINDRANCES[trial.hindrance].ends]
    found: list[Found] = []
    with tempfile.TemporaryDirectory() as folder, Walk(Path(folder)) as walk:
        try:
            walk.must(lambda: walk.state == "choosing" and b"S T O P" in walk.screen, "the start screen")
            walk.press("P")
            for name, screen in SCREENS.items():
                here = [trial for trial in waiting if trial.screen == name and trial not in last]
                here += [trial for trial in last if trial.screen == name]
                if len(found) < len(waiting):
                    _visit(walk, screen, here, found)
        except AssertionError as stuck:
            return Report(tuple(found), (f"the walk got stuck after {found[-1:]}: {stuck}",))
        ended = bool(last) and walk.until(lambda: walk.state == "gone")
        facts = walk.board.ask()
        return Report(
            tuple(found), (*flowed_again(facts, walk.said), *_untrue(Path(folder) / "r.db", walk, ended=ended))
        )


def _visit(walk: Walk, screen: Screen, trials: list[Trial], found: list[Found]) -> None:
    """Try all of a screen's trials; a session that was ended by one of them stays where it is."""
    for trial in trials:
        if trial is trials[0]:
            screen.enter(walk)
        screen.again(walk)
        found.append(_try(walk, trial, on=screen.on))
        if HINDRANCES[trial.hindrance].ends:
            return
        if trial is trials[-1]:
            screen.leave(walk)
    screen.onward(walk)


def _try(walk: Walk, trial: Trial, *, on: bool) -> Found:
    key, hindrance = KEYS[trial.key], HINDRANCES[trial.hindrance]
    if key.reason.startswith("Ctrl+C"):
        since = max((stop.us for stop in walk.stops if stop.reason.startswith("Ctrl+C")), default=0)
        walk.pause(TWICE_S - (walk.now_us() - since) / 1e6)
    begun = walk.now_us()
    us = hindrance.type(walk, key.typed)
    reasons = (key.reason, *hindrance.reasons)
    heard = walk.until(lambda: any(stop.us >= begun and stop.reason in reasons for stop in walk.stops), HEARD_S)
    zero = on and walk.until(lambda: bool(walk.zero_since(begun)) and walk.state in ("stopped", "gone"), HEARD_S)
    how = walk.zero_since(begun)
    told = trial.hindrance == "nothing" and key.face
    twice = told and walk.until(lambda: any(s.us >= us and s.reason == SCREEN_STOP for s in walk.stops), HEARD_S)
    hindrance.undo(walk)
    wrong = (
        f"no stop for the key; {walk.where()}" if not heard
        else f"the twin says {how or 'nothing'!r}; {walk.where()}" if on and how != STOPPED
        else "the screen's own way did not follow" if told and not twice
        else ""
    )  # fmt: skip
    return Found(trial, wrong, zero and how == STOPPED, twice)


def flowed_again(facts: Facts, said: Sequence[tuple[int, str]]) -> list[str]:
    """Current after a zero that the twin ``said``, and before its next arming."""
    wrong = []
    for at, words in said:
        if words.startswith("disarmed: "):
            armed = min((then for then, other in said if then > at and other == "armed"), default=1 << 62)
            # The line is written after the deed; what flowed ends with the deed.
            wrong += [
                f"{flow} after {words} at {at}" for flow in facts.flows if at < flow.end_us and flow.start_us < armed
            ]
    return wrong


def _untrue(store: Path, walk: Walk, *, ended: bool) -> list[str]:
    """What the record leaves out or makes up."""
    wrong = [] if verify(store).ok else ["the record's chain is broken"]
    recorded = [each for row in sessions(store) for each in events(store, row.id)]
    raised = [each for each in recorded if each.kind == "level" and each.payload["level_ua"]]
    if len(raised) > walk.raises:
        wrong.append(f"{len(raised)} raises from {walk.raises} presses of R: a paste was taken for keys")
    if ended and not [each for each in recorded if each.kind == "session-closed"]:
        wrong.append("the session's end is not recorded")
    return wrong


# --- what is tried ----------------------------------------------------------------------------------------------------


def _fit(trial: Trial) -> bool:
    """Whether the three go together."""
    key = KEYS[trial.key]
    return not (trial.hindrance == "in-pieces" and (len(key.typed) == 1))


def whole() -> list[list[Trial]]:
    """Every key on every screen, and every key in spite of everything: a list for each session."""
    plain = [Trial(screen, key) for screen, key in product(SCREENS, KEYS)]
    lasting = [name for name, hindrance in HINDRANCES.items() if name != "nothing" and not hindrance.ends]
    hindered = [Trial("titration", key, name) for name, key in product(lasting, KEYS)]
    ending = [[Trial("titration", "space", name)] for name, hindrance in HINDRANCES.items() if hindrance.ends]
    return [plain, list(filter(_fit, hindered)), *ending]


def share() -> list[list[Trial]]:
    """Every key once, every screen once, every hindrance once, in two sessions: the least that starts programs."""
    keys = list(KEYS)
    plain = [Trial(name, keys[at % len(keys)]) for at, name in enumerate(SCREENS)]
    lasting = [name for name, hindrance in HINDRANCES.items() if name != "nothing" and not hindrance.ends]
    hindered = [
        Trial("titration", "kitty-ctrl-x" if name == "in-pieces" else keys[at % 3], name)
        for at, name in enumerate(lasting)
    ]
    return [
        [*plain, Trial(list(SCREENS)[-1], "space", "screen-killed")],
        [*hindered, Trial("titration", "space", "terminal-gone")],
    ]


def prove(*, long: bool) -> Outcome:
    """All sessions, and what came of them."""
    reports = [session(trials) for trials in (whole() if long else share())]
    return outcome(reports)


def outcome(reports: Iterable[Report]) -> Outcome:
    """The table's rows."""
    reports = list(reports)
    found = [each for report in reports for each in report.found]
    missed = [each for each in found if each.wrong]
    on = [each for each in found if SCREENS[each.trial.screen].on]
    again = "python3 -m tests.proving.stop_keys"
    rows = (
        Row("stop keys pressed", len(found), remark=f"{len({(f.trial.screen, f.trial.key) for f in found})} keys x screens"),
        Row("hindered besides", sum(each.trial.hindrance != "nothing" for each in found)),
        Row("with current: zero confirmed by the twin", sum(each.zero for each in on), all(each.zero for each in on), f"of {len(on)}"),
        Row("heard a second time by the screen", sum(each.twice for each in found)),
        Row("missed", len(missed), not missed),
    )  # fmt: skip
    wrong = [f"{each.trial}: {each.wrong}; again: {again} {each.trial}" for each in missed]
    return Outcome("stop_keys", rows, (*wrong, *(failure for report in reports for failure in report.failures)))


def main(arguments: list[str]) -> int:
    """Try what is named; without names, print what there is."""
    trials = [Trial(*argument.split("/")) for argument in arguments]
    if not trials:
        print("screens:", *SCREENS, "\nkeys:", *KEYS, "\nhindrances:", *HINDRANCES)
        return 2
    report = session(trials)
    for each in report.found:
        print(each.trial, each.wrong or ("zero confirmed" if each.zero else "heard"))
    print(*report.failures, sep="\n")
    return int(bool(report.failures) or any(each.wrong for each in report.found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
