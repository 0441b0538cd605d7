"""The pads that a protocol file may name, each with the area that really conducts.

A file cannot state an area (H13): a wrong one would move every density by the same factor without anybody seeing it.
Names give the CONDUCTIVE size in mm; a pad that is sold as 50 x 50 mm with a bare rim of 2.5 mm is ``square-45x45``.

Sizes are those that the clinical reference lists for forearm, thenar and shoulder (B.8) and computes with (A.7).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, final

from stimctl.errors import OurBug
from stimctl.limits import PAD_AREA_MAX_UM2, PAD_AREA_MIN_UM2
from stimctl.units import UM2_PER_CM2, SquareMicrometre

UM_PER_MM: Final = 1_000


@final
@dataclass(frozen=True, slots=True)
class PadModel:
    """One model of pad. ``area_um2`` is conductive and rounded down, so that a density is never understated."""

    name: str
    area_um2: SquareMicrometre
    use: str

    def __post_init__(self) -> None:
        """Refuse an area that only a unit mistake explains: 0, 0.25 (dm²) and 2500 (mm²) cm² among them (A.7)."""
        if not (type(self.area_um2) is int and PAD_AREA_MIN_UM2 <= self.area_um2 <= PAD_AREA_MAX_UM2):
            raise OurBug(f"pad model {self.name} has an implausible conductive area of {self.area_um2} µm²")

    @property
    def area_cm2(self) -> float:
        """Conductive area in cm², for reading."""
        return self.area_um2 / UM2_PER_CM2


def _rectangle(a_mm: int, b_mm: int, use: str) -> PadModel:
    shape = "square" if a_mm == b_mm else "rectangle"
    area = a_mm * b_mm * UM_PER_MM * UM_PER_MM
    return PadModel(f"{shape}-{a_mm}x{b_mm}", SquareMicrometre(area), use)


def _round(diameter_mm: int, use: str) -> PadModel:
    radius_um = diameter_mm * UM_PER_MM / 2
    return PadModel(f"round-{diameter_mm}", SquareMicrometre(math.floor(math.pi * radius_um * radius_um)), use)


PAD_MODELS: Final = MappingProxyType(
    {
        model.name: model
        for model in (
            _round(20, "thenar and intrinsic hand muscles"),
            _round(25, "thenar and intrinsic hand muscles, thumb extensors"),
            _round(32, "small forearm muscles"),
            _round(50, "forearm"),
            _rectangle(40, 40, "forearm"),
            _rectangle(45, 45, "forearm; many pads sold as 50 x 50 mm"),
            _rectangle(50, 50, "forearm, shoulder"),
            _rectangle(50, 90, "forearm, shoulder; the indifferent pad"),
        )
    }
)
"""Every pad model by name."""


# --- sizes by place ----------------------------------------------------------------------------------------------


class StuckOn(Protocol):
    """What is read of a pad: of a schedule's, and of what a file states."""

    @property
    def name(self) -> str:
        """What the file calls it."""

    @property
    def model(self) -> str:
        """Its model."""


@final
class Least(NamedTuple):
    """The smallest pad that is used at a place, and what is used there in words."""

    model: str
    used: str


_FOREARM: Final = Least("round-32", "5 x 5 cm on the forearm, 3.2 cm round over its small muscles")
_NARROW: Final = Least("round-25", "2.5 cm round over the thumb's muscles in the forearm and the ulnar nerve")
_HAND: Final = Least("round-20", "2.0 to 2.5 cm round on the hand")
_LEAST: Final = MappingProxyType(
    {
        "forearm-dorsal": _FOREARM,
        "forearm-volar": _FOREARM,
        # The reference names no muscle of the upper arm: the forearm's row, as for its limits (project).
        "upper-arm": _FOREARM,
        "thenar": _HAND,
        "hypothenar": _HAND,
        "hand-dorsal": _HAND,
        # Sold as 5 x 5 cm, which conducts on 45 x 45 mm.
        "shoulder": Least("square-45x45", "5 x 5 or 5 x 9 cm at the shoulder"),
    }
)
"""Sizes by site (clinical reference B.8)."""

_NARROW_WORDS: Final = re.compile(r"pollic|opponens|thumb|ulnar nerve|inteross|lumbric")
"""What a small pad is meant for on the forearm, in the words of a muscle that is written out."""


def least(site: str, muscle: str) -> Least | None:
    """The smallest pad that is used at ``site`` for ``muscle``, written out; ``None`` for no known site."""
    usual = _LEAST.get(site)
    return _NARROW if usual is _FOREARM and _NARROW_WORDS.search(muscle) else usual


def smaller(pads: Iterable[StuckOn], usual: Least) -> Iterator[StuckOn]:
    """Those of the pads that conduct on less than the smallest one that is used."""
    for pad in pads:
        if not PAD_MODELS[pad.model].area_um2 >= PAD_MODELS[usual.model].area_um2:
            yield pad
