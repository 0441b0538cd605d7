"""What the theorems about the limiter begin with: any train, any limits, any placement."""

from __future__ import annotations

from dataclasses import fields
from itertools import product
from typing import Any, Final, NamedTuple

from tests.proving.theorem import Study

COMBINATIONS: Final = tuple(
    product(("forearm", "thenar", "shoulder"), ("motor", "sensory"), ("normal", "reduced"), (True, False))
)
"""Every body part, effect, sensation that is not refused, and whether the board senses impedance."""


class Given(NamedTuple):
    """One combination by its names."""

    part: str
    effect: str
    sensation: str
    senses_impedance: bool

    def __str__(self) -> str:
        seen = "impedance seen" if self.senses_impedance else "impedance unseen"
        return f"{self.part}, {self.effect}, {self.sensation}, {seen}"


def any_train(study: Study, name: str = "") -> Any:
    """Seven integers, of any sign and size."""
    kind = study.world.pulse.PulseTrain
    return kind(*(study.integer(f"{name}{each.name}") for each in fields(kind)))


def any_limits(study: Study, name: str, **fixed: int) -> Any:
    """Limits as ``check_limits`` lets them pass (which is a theorem of its own): whole numbers, 0 or more."""
    kind = study.world.limits.Limits
    return kind(
        **{
            each.name: fixed[each.name] if each.name in fixed else study.integer(f"{name}.{each.name}", 0)
            for each in fields(kind)
        }
    )


def any_source(study: Study, name: str, *, accuracy: bool = False, of_output: bool = False) -> Any:
    """Any limits on a pad of any positive area."""
    limits = any_limits(study, name)
    area_um2 = study.integer(f"{name}.area_um2", 1)
    return study.world.rules.Source(name, limits, area_um2, accuracy=accuracy, of_output=of_output)


def any_strength(study: Study, name: str, least: int | None = None) -> Any:
    """Any strength, whether a train could have it or not."""
    kind = study.world.words.Strength
    return kind(*(study.integer(f"{name}.{each.name}", least) for each in fields(kind)))


def any_placement(study: Study, given: Given, pad_count: int, number: int = 0, **changed: Any) -> Any:
    """A channel on pads of any area, with any file's limits and any burst plan."""
    words, limits = study.world.words, study.world.limits
    areas = [study.integer(f"pad{pad}.area_um2") for pad in range(pad_count)]
    parts: dict[str, Any] = {
        "channel": number,
        "part": limits.BodyPart(given.part),
        "effect": limits.Effect(given.effect),
        "sensation": limits.Sensation(given.sensation),
        "pads": tuple(words.Pad(f"pad {pad}", area) for pad, area in enumerate(areas)),
        "site": "site",
        "protocol": any_limits(study, "protocol"),
        "burst": words.Burst(*(study.integer(f"burst.{each}") for each in words.Burst._fields)),
    }
    return words.Placement(**(parts | changed))
