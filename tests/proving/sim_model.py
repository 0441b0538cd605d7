"""What the person has allowed, kept by somebody who only saw which orders were given and whether they were accepted.

Nothing here asks the code under test for a level, a ceiling or a permission: a press is a milliampere, two runs make a
ceiling, and whatever ended the output takes everything away.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from tests.proving.sim_texts import Text

PRESS_UA: Final = 1_000
PRESS_EVERY_US: Final = 500_000
OLD_US: Final = 300_000_000


class _Before(NamedTuple):
    """What held before an order that may be refused."""

    levels: dict[int, int]
    closed: tuple[int, str] | None
    opened_us: int
    titrating: int | None
    history: dict[int, deque[tuple[int, int]]]


class Model:
    """Levels and ceilings by output, µA; ``closed`` is when and why output ended, ``None`` while it may flow."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.levels = {fact.output: 0 for fact in text.facts}
        self.ceilings: dict[int, int] = {}
        self.closed: tuple[int, str] | None = (0, "nothing was started")
        self.by_stop = False  # whether a stop has closed it, which has a way of its own
        self.opened_us = 0
        self.armed_us = 0  # when output was last possible
        self.titrating: int | None = None
        self.wrong: list[str] = []
        self.answered: set[str] = set()
        self.placed: set[str] = set()
        self.given: dict[int, int] = {}  # the most that has flowed since the level was last zero
        self._runs: dict[int, list[int]] = {}
        self._raised_us = -PRESS_EVERY_US
        self._marking = 0
        self._history: dict[int, deque[tuple[int, int]]] = {o: deque([(0, 0)]) for o in self.levels}
        self._undo: _Before | None = None

    # --- what the person does ------------------------------------------------------------------------------------

    def before(self, order: Order, state: str, selected: int, now_us: int) -> None:
        """An order is about to be given; what it could allow is allowed from here on."""
        self._marking = self.levels.get(selected, 0)  # a stop may come before the answer
        self._undo = _Before(dict(self.levels), self.closed, self.opened_us, self.titrating, self._history)
        if order.kind is Kind.RAISE and self.closed is None and selected in self.levels:
            self._set(selected, min(self.levels[selected] + PRESS_UA, self._cap(selected)), now_us)
        elif order.kind in (Kind.START, Kind.RESUME):
            self.closed, self.opened_us = None, now_us
            self._history = {output: deque([(now_us, 0)]) for output in self.levels}
            self.levels = dict.fromkeys(self.levels, 0)
            self.titrating = selected if state == "thresholds" else None

    def after(self, order: Order, state: str, selected: int, now_us: int, *, accepted: bool) -> None:
        """The order was accepted, or refused: then nothing of it holds."""
        undo, self._undo = self._undo, None
        if not accepted:
            if undo is not None:
                self._restore(undo, now_us)
            return
        match order.kind:
            case Kind.RAISE:
                self._raised(now_us)
            case Kind.LOWER:
                self._set(selected, max(0, self.levels[selected] - PRESS_UA), now_us)
            case Kind.ZERO:
                self._set(selected, 0, now_us)
            case Kind.MARK:
                self._marked(order.value, selected, now_us)
            case Kind.ANSWER:
                self.answered.add(order.name)
            case Kind.CONFIRM_PADS:
                self.placed.add(order.name)
            case Kind.START | Kind.RESUME:
                self._started(state, selected, now_us)
            case Kind.NEXT if state == "finding thresholds":
                self.close("the threshold was found", now_us)
            case Kind.PAUSE | Kind.FINISH | Kind.CLOSE:
                self.close(str(order.kind), now_us)
            case _:
                pass

    def _restore(self, undo: _Before, now_us: int) -> None:
        self.closed, self.opened_us, self.titrating = undo.closed, undo.opened_us, undo.titrating
        self._history = undo.history
        for output, level in undo.levels.items():
            self._set(output, level, now_us)

    def _raised(self, now_us: int) -> None:
        if now_us - self._raised_us < PRESS_EVERY_US:
            self.wrong.append(f"two raises within {(now_us - self._raised_us) // 1_000} ms were accepted")
        self._raised_us = now_us

    def _marked(self, mark: str, selected: int, now_us: int) -> None:
        if self._marking > self.given.get(selected, 0) and self.closed is None:
            self.wrong.append(f"{self._marking} µA were marked as {mark} and have never been given")
        if mark != "tolerated":
            return
        runs = self._runs.setdefault(selected, [])
        runs.append(self._marking)
        if len(runs) == 2:
            self.ceilings[selected] = min(runs)
        self._set(selected, 0, now_us)

    def _started(self, state: str, selected: int, now_us: int) -> None:
        self.given = {}
        if state == "thresholds":
            self.ceilings.pop(selected, None)
            self._runs[selected] = []
        if unplaced := [fact.name for fact in self.text.facts if fact.name not in self.placed]:
            self.wrong.append(f"output was started before the pads of {unplaced} were confirmed")
        if state == "thresholds":
            return
        if missing := [output for output in self.levels if output not in self.ceilings]:
            self.wrong.append(f"treatment was started without a ceiling for outputs {missing}")
        elif now_us - self.armed_us > OLD_US + 1_000_000:
            self.wrong.append("treatment was started with ceilings found more than five minutes ago")

    def _cap(self, output: int) -> int:
        most = self.text.fact(output).most_ua
        return most if self.titrating is not None else min(most, self.ceilings.get(output, 0))

    def _set(self, output: int, level: int, now_us: int) -> None:
        if self.levels[output] != level:
            self.levels[output] = level
            self._history[output].append((now_us, level))
            if level == 0:
                self.given.pop(output, None)

    # --- what ends it --------------------------------------------------------------------------------------------

    def close(self, why: str, now_us: int, *, by_stop: bool = False) -> None:
        """Output has to end: a stop, a pause, a stop frame on the line. The first reason is the one that counts."""
        self._undo = None
        for output in self.levels:
            self.levels[output] = 0
        if self.closed is None:
            self.closed, self.by_stop = (now_us, why), by_stop
            self.armed_us = now_us

    def flowed(self, output: int, ua: int) -> None:
        """So much flows now."""
        self.given[output] = max(ua, self.given.get(output, 0))

    # --- what may flow -------------------------------------------------------------------------------------------

    def most_ua(self, output: int, since_us: int) -> int:
        """The highest level that was allowed at ``output`` at any time from ``since_us`` on."""
        history = self._history.get(output)
        if history is None:
            return 0
        while len(history) > 1 and history[1][0] <= since_us:
            history.popleft()
        return max(level for _, level in history)
