"""What is tried: which keys, where, in spite of what; dealt out to sessions that can run side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, NamedTuple

from tests.proving.stop_hindrances import HINDRANCES
from tests.proving.stop_screens import SCREENS
from tests.proving.stop_shapes import KEYS


class Trial(NamedTuple):
    """One press: which key, where, and in spite of what."""

    screen: str
    key: str
    hindrance: str = "nothing"

    def __str__(self) -> str:
        return "/".join(self)


HINDERED: Final = "titration"
"""Where keys are tried in spite of everything: current flows, and does so again soon after a stop."""

PARTS: Final = {
    "before any current": ("start-patient", "pads"),
    "from the thresholds to the first flow": ("thresholds", "flowing"),
    "while it flows": ("flowing-help", "flowing-pain-asked"),
    "to the end": ("flowing-small", "review-close-asked"),
}
"""The day's sessions for screens: from which to which."""

LONG_PARTS: Final = (
    ("flowing-pain-asked", "flowing-small"),
    ("flowing-help", "flowing-end-asked"),
    ("thresholds", "ready"),
    ("trial", "flowing"),
    ("start-patient", "pads"),
    ("paused", "review-close-asked"),
)
"""The long run's, the longest first: current takes seconds to come again. The last one is what a core is left with."""

ROUND_THE_KEY: Final = (
    "in-a-paste",
    "in-an-endless-paste",
    "in-pieces",
    "after-torn-utf8",
    "after-half-a-report",
    "after-an-endless-string",
    "in-a-mouse-flood",
    "after-a-focus-report",
)
LONG_HINDERED_PARTS: Final = 4


def between(first: str, last: str) -> list[str]:
    """The screens from ``first`` to ``last``, both included."""
    names = list(SCREENS)
    return names[names.index(first) : names.index(last) + 1]


def ending(name: str) -> list[Trial]:
    """The press that ends a session which tries nothing but hindrances."""
    return [Trial(HINDERED, "space", name)]


def lasting() -> list[str]:
    """The hindrances after which a session goes on."""
    return [name for name, hindrance in HINDRANCES.items() if name != "nothing" and not hindrance.ends]


def whole() -> list[list[Trial]]:
    """Every key on every screen, and every key in spite of everything: a list for each session."""
    plain = [[Trial(*each) for each in product(between(*part), KEYS)] for part in LONG_PARTS]
    names = lasting()
    spread = [names[at::LONG_HINDERED_PARTS] for at in range(LONG_HINDERED_PARTS)]
    hindered = [[Trial(HINDERED, key, name) for name, key in product(part, KEYS)] for part in spread]
    for at, name in enumerate(name for name, each in HINDRANCES.items() if each.ends):
        hindered[at] += ending(name)
    return [*plain[:2], *(_fit(trials) for trials in hindered), *plain[2:]]


def share() -> dict[str, list[Trial]]:
    """Every key once, every screen once, every hindrance once, in sessions that are short: the least, and its names."""
    keys = list(KEYS)
    key_for = {name: keys[at % len(keys)] for at, name in enumerate(SCREENS)}
    parts = {words: [Trial(name, key_for[name]) for name in between(*part)] for words, part in PARTS.items()}
    parts["to the end"].append(Trial(list(SCREENS)[-1], "space", "screen-killed"))
    round_it = _hindered([name for name in lasting() if name in ROUND_THE_KEY])
    others = _hindered([name for name in lasting() if name not in ROUND_THE_KEY])
    return {**parts, "in spite of what is typed": round_it, "in spite of programs": [*others, *ending("terminal-gone")]}


def _hindered(names: Sequence[str]) -> list[Trial]:
    keys = list(KEYS)
    return [
        Trial(HINDERED, "kitty-ctrl-x" if name == "in-pieces" else keys[at % 3], name) for at, name in enumerate(names)
    ]


def _fit(trials: Iterable[Trial]) -> list[Trial]:
    """Those of which the three go together: one byte cannot come in pieces."""
    return [each for each in trials if each.hindrance != "in-pieces" or len(KEYS[each.key].typed) > 1]
