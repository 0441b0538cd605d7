"""STOP, everywhere: every key x every screen, field and dialog x everything that may stand in its way.

The keys are typed as bytes into a real terminal with the two real programs behind it (:mod:`tests.proving.stop_walk`).
A key counts as heard when the control process carried out a stop *for that key*, not when something else stopped by and
by; where current flows, the board's twin has to confirm zero besides, by that stop and not by its dead-man. At its end
each session's ledger is compared: nothing flowed between a confirmed zero and the next arming.

``python3 -m tests.proving.stop_keys [SCREEN/KEY/HINDRANCE...]`` tries what is named, or prints what there is.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from stimctl.records.reading import events, sessions, verify
from tests.proving.stop_hindrances import HINDRANCES
from tests.proving.stop_plan import Trial, between, share, whole
from tests.proving.stop_screens import LED_TO, SCREENS, Screen
from tests.proving.stop_shapes import KEYS
from tests.proving.stop_walk import Walk
from tests.proving.table import Outcome, Row
from tests.twin_rig import Facts

SIDE_BY_SIDE: Final = 4
"""Sessions of the long run at a time: most of theirs is waiting. What is judged is judged by the board's own clock."""

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
_AFTER_LEAD: Final = between(LED_TO, list(SCREENS)[-1])


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
    led = {trial.screen for trial in waiting} <= set(_AFTER_LEAD)
    with tempfile.TemporaryDirectory() as folder, Walk(Path(folder), led=led) as walk:
        try:
            _begin(walk)
            for name in _AFTER_LEAD if led else SCREENS:
                screen = SCREENS[name]
                here = [trial for trial in waiting if trial.screen == name and trial not in last]
                here += [trial for trial in last if trial.screen == name]
                if len(found) < len(waiting):
                    _visit(walk, screen, here, found)
        except AssertionError as stuck:
            return Report(tuple(found), (f"the walk got stuck after {found[-1:]}: {stuck}",))
        ended = bool(last) and walk.until(lambda: walk.state == "gone")
        gone_on = (f"the session went on after {last[-1]}",) if last and not ended else ()
        flowed = flowed_again(walk.board.ask(), walk.said)
        return Report(tuple(found), (*gone_on, *flowed, *_untrue(Path(folder) / "r.db", walk, ended=ended)))


def _begin(walk: Walk) -> None:
    """Wait until somebody sees the first screen."""
    first = LED_TO if walk.led else "choosing"
    walk.must(lambda: walk.state == first and b"S T O P" in walk.screen, "the first screen")
    if not walk.led:
        walk.press("P")


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


def prove(*, long: bool) -> Outcome:
    """All sessions, and what came of them."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return outcome(pool.map(session, whole() if long else share().values()))


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
