"""How to listen for an attempt, as plain numbers with their ranges."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, final

from stimctl.errors import UsageError
from stimctl.sensors.samples import STALE_US


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OnsetSettings:
    """How to listen. Exactly one of ``threshold_sd`` and ``threshold_uv`` is set.

    ``threshold_sd``: threshold in standard deviations of the resting envelope above its median. ``threshold_uv``: the
    threshold itself, in the source's unit. ``dwell_ms``: how long the envelope must stay over it. ``release_fraction``:
    where between rest (0) and threshold (1) the envelope must fall before the next onset. ``blanking_ms``: how long
    after each pulse the signal is not heard. ``baseline_s``: how much quiet signal makes the resting level.
    ``refractory_ms``: least time between two onsets. ``envelope_ms``: length of the root-mean-square window.
    ``rail_uv``: the amplifier's limit where it is known. Raises :class:`UsageError` for anything out of range.
    """

    threshold_sd: float | None = None
    threshold_uv: float | None = None
    dwell_ms: float = 50.0
    release_fraction: float = 0.5
    blanking_ms: float = 25.0
    baseline_s: float = 2.0
    refractory_ms: float = 500.0
    envelope_ms: float = 60.0
    rail_uv: float | None = None
    stale_us: int = STALE_US

    def __post_init__(self) -> None:
        """Refuse what is not inside its range."""
        if (self.threshold_sd is None) is (self.threshold_uv is None):
            raise UsageError("a trigger needs either a threshold in SD or one in µV")
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _RANGES[field.name]
            if value is None and field.default is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise UsageError(f"{field.name} is {value!r}, allowed is {low:g} to {high:g}")


_RANGES: Final = {
    "threshold_sd": (1.0, 100.0),
    "threshold_uv": (1e-3, 1e6),
    "dwell_ms": (5.0, 500.0),
    "release_fraction": (0.05, 0.95),
    "blanking_ms": (0.0, 100.0),
    "baseline_s": (0.5, 60.0),
    "refractory_ms": (0.0, 60_000.0),
    "envelope_ms": (20.0, 500.0),
    "rail_uv": (1e-3, 1e9),
    "stale_us": (10_000, 5_000_000),
}

DEFAULT: Final = OnsetSettings(threshold_sd=3.0, dwell_ms=10.0, blanking_ms=3.0)
"""What is quickest and still safe: the threshold and the dwell ask little, because evidence over time is asked for in any case.
"""
