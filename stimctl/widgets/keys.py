"""Which key means what, and which keys have to stand alone.

Raise and lower lie apart: R under the left hand and L under the right one, in their places on QWERTY, QWERTZ and
AZERTY alike, and the stop keys (Space, Esc, Ctrl+X, Ctrl+C) touch neither. No letter next to R acts while output
may be on. Lowering has spare keys (down, minus); raising has none. Up and plus are free on purpose: they lie beside
down and minus, where a hurried hand would raise instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple, final

from stimctl.orders import Order, OrderKind

STOP_KEYS: Final = frozenset({"space", "escape", "ctrl+x", "ctrl+c", "ctrl+z", "ctrl+@", "ctrl+space"})
"""Keys that stop, by Textual's names. Ctrl+Z would suspend the screen; Ctrl+@ is how terminals send Ctrl+Space."""

STOP_CHARACTERS: Final = frozenset(
    "\x00 \xa0\u0f0b\u0f0c\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200c\u200d\u202f\u205f\u2060\u3000\ufeff"
)
"""What space bars of all layouts and input methods type. The control process has a table of its own; a test compares."""


class Press(NamedTuple):
    """One command: the keys that give it, its cap and words on the screen, and its order."""

    keys: tuple[str, ...]
    cap: str
    words: str
    kind: OrderKind
    value: str = ""


PRESSES: Final = (
    Press(("u", "U"), "U", "clear the stop (output stays off)", OrderKind.CLEAR),
    Press(("h", "H"), "H", "I am here", OrderKind.PRESENT),
    Press(("y", "Y"), "Y", "yes", OrderKind.ANSWER, "yes"),
    Press(("n", "N"), "N", "no", OrderKind.ANSWER, "no"),
    Press(("1",), "1", "normal", OrderKind.ANSWER, "normal"),
    Press(("2",), "2", "reduced", OrderKind.ANSWER, "reduced"),
    Press(("3",), "3", "absent", OrderKind.ANSWER, "absent"),
    Press(("v", "V"), "V", "confirm this channel's pads", OrderKind.CONFIRM_PADS),
    Press(("s", "S"), "S", "start, from zero", OrderKind.START),
    Press(("1",), "1", "first felt", OrderKind.MARK, "sensory"),
    Press(("2",), "2", "first twitch", OrderKind.MARK, "motor"),
    Press(("3",), "3", "most tolerated", OrderKind.MARK, "tolerated"),
    Press(("b", "B"), "B", "begin: count from here", OrderKind.BEGIN),
    Press(("g", "G"), "G", "go on, from zero", OrderKind.RESUME),
    Press(("r", "R"), "R", "raise", OrderKind.RAISE),
    Press(("l", "L", "down", "minus"), "L", "lower", OrderKind.LOWER),
    Press(("z", "Z"), "Z", "zero", OrderKind.ZERO),
    Press(("left", "right"), "←→", "channel", OrderKind.SELECT),
    Press(("a", "A"), "A", "switch", OrderKind.KEY),
    Press(("p", "P"), "P", "pause", OrderKind.PAUSE),
    Press(("k", "K"), "K", "skin looks well", OrderKind.SKIN_CHECKED, "ok"),
    Press(("i", "I"), "I", "pain", OrderKind.PAIN),
    Press(("w", "W"), "W", "wrap up", OrderKind.FINISH),
    Press(("m", "M"), "M", "mitt put on", OrderKind.WEAR, "on"),
    Press(("o", "O"), "O", "mitt off", OrderKind.WEAR, "off"),
    Press(("enter",), "Enter", "next step", OrderKind.NEXT),
)
"""In the order in which they are offered."""

LOWERING: Final = frozenset({OrderKind.LOWER, OrderKind.ZERO, OrderKind.PAUSE})
"""Given at once, at every event, and also when the last status did not offer them: it may be old."""

LOOSENING: Final = frozenset(
    {
        OrderKind.RAISE,
        OrderKind.START,
        OrderKind.BEGIN,
        OrderKind.RESUME,
        OrderKind.CLEAR,
        OrderKind.NEXT,
        OrderKind.ANSWER,
        OrderKind.CONFIRM_PADS,
        OrderKind.PRESENT,
        OrderKind.SKIN_CHECKED,
        OrderKind.KEY,
    }
)
"""What brings output nearer, or lets it go on. A held N must not answer a whole screening any more than a held R may
raise twice, and a jammed H or K is nobody who looks."""

LONE_US: Final = 120_000
"""Half a loosening key's solitude, in µs: longer than a keyboard's repeat interval (30 to 100 ms as usually set)."""

LATE_US: Final = 400_000
"""A key this old was held up by a stalled screen. What came behind it is not known, so it is dropped."""


@final
class Lone:
    """Lets a loosening order through only if its key stood alone: no key at all for 120 ms before and after it.

    A terminal reports no key release, so a held key is a first press and, after the keyboard's delay, a stream of
    presses. The first one stands alone and counts; in the stream each has a neighbour and none counts: one step for
    one press, however long it is held (hazard H03). Pasted text and a cat on the keyboard come as streams, too. The
    price is a wait of 120 ms, for orders that are never urgent. The session bounds the rate a second time.
    """

    def __init__(self) -> None:
        self._last_us: int | None = None
        self._waiting: tuple[int, Order] | None = None

    def key(self, now_us: int, order: Order | None = None) -> bool:
        """Note a key at ``now_us``; ``order`` waits if it stood alone so far. False: it was crowded out."""
        crowded = self._last_us is not None and now_us - self._last_us < LONE_US
        self._last_us = now_us
        self._waiting = None if crowded or order is None else (now_us, order)
        return order is None or not crowded

    def at_once(self, now_us: int, order: Order) -> Order:
        """Note the key of an order that does not wait. One in a stream is given all the same, but shows nobody there."""
        alone = self.key(now_us, order)
        self.drop()
        return order if alone else replace(order, repeated=True)

    def due(self, now_us: int) -> Order | None:
        """The order whose wait is over, once."""
        if self._waiting is None or now_us - self._waiting[0] < LONE_US:
            return None
        (pressed_us, order), self._waiting = self._waiting, None
        return order if now_us - pressed_us <= LATE_US else None

    def drop(self) -> None:
        """Forget what waits: a stop, or another screen, came between."""
        self._waiting = None


ENDING: Final = (
    "End the session now? Enter ends it, any other key goes on.",
    {"enter": Order(OrderKind.FINISH)},
)
PAIN_NOW: Final = (
    "Pain now? 0 none to 9, T for 10, the worst; any other key: not asked.",
    {"t" if grade == 10 else str(grade): Order(OrderKind.PAIN, value=str(grade)) for grade in range(11)},
)
ASKED: Final = {OrderKind.FINISH: ENDING, OrderKind.PAIN: PAIN_NOW}
"""Orders that take one more key: what is asked in a line, and the order that each key gives."""
