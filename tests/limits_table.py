"""The second table of limits, in the units of the clinic, and what it says about one channel.

It knows nothing of the code but the names of fields and constants. Exact: every number is a Fraction.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

PARTS: Final = ("forearm", "thenar", "shoulder")
COLUMNS: Final = ("warn", "refuse", "absolute")

IN_CODE: Final = {
    ("mA", "ua"): 10**3,
    ("mA", "na"): 10**6,
    ("mA/s", "ua_per_s"): 10**3,
    ("ms", "us"): 10**3,
    ("s", "us"): 10**6,
    ("min", "us"): 60 * 10**6,
    ("s", "ms"): 10**3,
    ("Hz", "mhz"): 10**3,
    ("mC", "nc"): 10**6,
    ("mA/cm2", "ua_cm2"): 10**3,
    ("W/cm2", "uw_cm2"): 10**6,
    ("mJ", "uj"): 10**3,
    ("%", "permille"): 10,
    ("cm2", "um2"): 10**8,
    ("kohm", "ohm"): 10**3,
    ("pulses", "pulses_per_period_max"): 1,
    ("1", ""): 1,
}
"""How many of the code's units (the ending of a name) make one of the table's."""

SMALL_PAD_CM2: Final = 10
ACCURACY: Final = Fraction(6, 5)


@dataclass(frozen=True)
class Channel:
    """All that decides which bounds a channel is under."""

    part: str = "forearm"
    sensory: bool = False
    cm2: Fraction = Fraction(25)
    reduced: bool = False
    blind: bool = False

    def __str__(self) -> str:
        marks = ("tens" if self.sensory else "motor", "reduced" * self.reduced, "blind" * self.blind)
        return "-".join((self.part, f"{float(self.cm2):g}", *filter(None, marks)))


@dataclass(frozen=True)
class Bound:
    """One row."""

    row: dict[str, Any]

    @property
    def field(self) -> str:
        return str(self.row["field"])

    @property
    def is_most(self) -> bool:
        return bool(self.row["is"] == "most")

    def listed(self, column: str, part: str) -> Fraction:
        """The number as it stands in a column."""
        cell = self.row[column]
        return Fraction(cell[part] if isinstance(cell, dict) else cell)

    def at(self, column: str, channel: Channel) -> Fraction | None:
        """What a column says about a channel; None where there is no rule."""
        sensory = self.row.get("sensory")
        if channel.sensory and sensory == "none":
            return None
        parts = [channel.part]
        if channel.cm2 < SMALL_PAD_CM2 and self.row.get("small_pad_is_thenar"):
            parts.append("thenar")
        bound = min(self.listed(column, part) for part in parts)
        if channel.sensory and sensory is not None:
            bound = Fraction(sensory[column])
        if column == "refuse":
            bound = self._narrowed(bound, channel)
        return bound

    def _narrowed(self, bound: Fraction, channel: Channel) -> Fraction:
        """Reduced sensation makes the warn column refuse; a board without impedance divides the densities."""
        if channel.reduced and not self.row.get("reduced_sensation_keeps_refuse"):
            warn = self.at("warn", channel)
            assert warn is not None
            bound = min(bound, warn) if self.is_most else max(bound, warn)
        return bound / int(self.row.get("blind_divides_by", 1)) if channel.blind else bound

    def tightest(self, channel: Channel) -> Fraction | None:
        """The narrower of the profile and the absolute column, as the indicated value meets it (R4)."""
        both = [self.at("refuse", channel), self.at("absolute", channel)]
        if both[1] is not None and "accuracy_power" in self.row:
            both[1] /= ACCURACY ** int(self.row["accuracy_power"])
        given = [each for each in both if each is not None]
        return (min(given) if self.is_most else max(given)) if given else None


def in_code(unit: str, name: str) -> int:
    """The factor from the table's unit to that of a field or constant, by the ending of its name."""
    lower = name.lower()
    fitting = [(len(ending), factor) for (of, ending), factor in IN_CODE.items() if of == unit and _ends(lower, ending)]
    assert fitting, f"{name} is in no unit that {unit} can be turned into"
    return max(fitting)[1]


def _ends(name: str, ending: str) -> bool:
    return not ending or name == ending or name.endswith("_" + ending)


def _load() -> dict[str, Any]:
    path = Path(__file__).parent / "data" / "limits_second_table.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Fraction)


_TABLE: Final = _load()
BOUNDS: Final = {str(row["field"]): Bound(row) for row in _TABLE["bound"]}
SINGLES: Final[list[dict[str, Any]]] = _TABLE["single"]
