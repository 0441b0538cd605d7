"""What a train is, and which bounds it passes, by the formulas of the clinical reference (A.6) in its own units.

Exact fractions of mA, µs, Hz and cm², and the second table's numbers; nothing here calls the limiter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Final

from stimctl.pulse import PulseTrain
from tests.limits_table import ACCURACY, BOUNDS, Channel

RULE_OF: Final = {
    "peak_ua": "peak",
    "phase_width_min_us": "phase-width",
    "phase_width_max_us": "phase-width",
    "interphase_gap_max_us": "gap",
    "rate_min_mhz": "rate",
    "rate_max_mhz": "rate",
    "pulses_per_period_max": "pulses-per-period",
    "charge_nc": "charge-per-phase",
    "net_charge_permille": "net-charge",
    "mean_dc_na": "mean-dc",
    "energy_uj": "pulse-energy",
    "rms_ua": "rms",
    "rms_density_ua_cm2": "rms-density",
    "power_density_uw_cm2": "power-density",
}
"""Which rule a bound of one train belongs to."""

OHM: Final = 500

Bounds = Mapping[str, Fraction | None]


def pulses_hz(t: PulseTrain) -> Fraction:
    """Pulses a second as they are judged: of more than two in a period, which stand 10 ms apart, those in the burst."""
    return Fraction(100) if t.pulses_per_period > 2 else Fraction(t.rate_mhz, 1_000) * t.pulses_per_period


def squared_ma2(t: PulseTrain) -> Fraction:
    """The square of the rms current on the plateau, in mA²; of a burst, inside it."""
    first, second = Fraction(t.amplitude_ua, 1_000), Fraction(t.recovery_amplitude_ua, 1_000)
    share = (first**2 * t.phase_width_us + second**2 * t.recovery_width_us) / 10**6
    return share * pulses_hz(t)


def charges_uc(t: PulseTrain) -> tuple[Fraction, Fraction]:
    """The charges of the first and of the recovery phase, in µC."""
    return Fraction(t.amplitude_ua * t.phase_width_us, 10**6), Fraction(
        t.recovery_amplitude_ua * t.recovery_width_us, 10**6
    )


def energy_mj(t: PulseTrain) -> Fraction:
    """The energy of one pulse into 500 ohm, in mJ."""
    first, second = Fraction(t.amplitude_ua, 10**6), Fraction(t.recovery_amplitude_ua, 10**6)
    joule = OHM * (first**2 * t.phase_width_us + second**2 * t.recovery_width_us) / 10**6
    return joule * 1_000


def _dc_ma(t: PulseTrain) -> Fraction:
    charge, back = charges_uc(t)
    return abs(charge - back) * pulses_hz(t) / 1_000


def _net_charge(t: PulseTrain, percent: Fraction) -> bool:
    charge, back = charges_uc(t)
    return abs(charge - back) * 100 > percent * charge


IS_PASSED: Final[dict[str, Callable[[PulseTrain, Fraction, Fraction, Fraction], bool]]] = {
    "peak_ua": lambda t, bound, _a, _k: t.amplitude_ua > bound * 1_000,
    "phase_width_min_us": lambda t, bound, _a, _k: t.phase_width_us < bound * 1_000,
    "phase_width_max_us": lambda t, bound, _a, _k: t.phase_width_us > bound * 1_000,
    "interphase_gap_max_us": lambda t, bound, _a, _k: t.interphase_gap_us > bound * 1_000,
    "rate_min_mhz": lambda t, bound, _a, _k: t.rate_mhz < bound * 1_000,
    "rate_max_mhz": lambda t, bound, _a, _k: t.rate_mhz > bound * 1_000,
    "pulses_per_period_max": lambda t, bound, _a, _k: t.pulses_per_period > bound,
    "charge_nc": lambda t, bound, _a, _k: max(charges_uc(t)) > bound * 1_000,
    "energy_uj": lambda t, bound, _a, k: energy_mj(t) * k**2 > bound,
    "net_charge_permille": lambda t, bound, _a, _k: _net_charge(t, bound),
    "mean_dc_na": lambda t, bound, _a, _k: _dc_ma(t) > bound,
    "rms_ua": lambda t, bound, _a, k: squared_ma2(t) * k**2 > bound**2,
    "rms_density_ua_cm2": lambda t, bound, area, k: squared_ma2(t) * k**2 > (bound * area) ** 2,
    "power_density_uw_cm2": lambda t, bound, area, k: squared_ma2(t) * k**2 / 10**6 * OHM > bound * area,
}
"""Whether a train passes a bound, given the area in cm² and the accuracy allowance; A.5 with A.6's formulas."""


def always(t: PulseTrain) -> set[str]:
    """The rules that no table is needed for."""
    found = set()
    if t.amplitude_ua < 0:
        found.add("peak")
    if t.interphase_gap_us < 0:
        found.add("gap")
    if t.pulses_per_period < 1:
        found.add("pulses-per-period")
    if not 0 <= t.recovery_amplitude_ua <= t.amplitude_ua or t.recovery_width_us < 0:
        found.add("recovery")
    one = t.phase_width_us + t.interphase_gap_us + t.recovery_width_us
    busy = (one if t.pulses_per_period <= 2 else 10_000) * t.pulses_per_period
    if busy < 0 or busy * t.rate_mhz > 10**9 or (busy and t.rate_mhz <= 0):  # µs times mHz in a period
        found.add("pulse-fits-period")
    if t.pulses_per_period > 2 and not 0 <= one <= 10_000:
        found.add("pulse-fits-period")
    return found


def breaches(t: PulseTrain, bounds: Bounds, cm2: Fraction, *, accuracy: bool = False) -> set[str]:
    """The names of all rules that a train breaks under these bounds."""
    factor = ACCURACY if accuracy else Fraction(1)
    passed = {
        RULE_OF[f] for f, at in bounds.items() if at is not None and f in RULE_OF and IS_PASSED[f](t, at, cm2, factor)
    }
    return always(t) | passed


@cache
def column(name: str, channel: Channel) -> dict[str, Fraction | None]:
    """All bounds of a column of the second table for a channel."""
    return {field: bound.at(name, channel) for field, bound in BOUNDS.items()}


def together_ma(trains: list[PulseTrain]) -> Decimal:
    """The rms current of pulses that coincide: their rms currents, added up, in mA to 60 digits."""
    with localcontext(prec=60):
        squares = [squared_ma2(t) for t in trains]
        return sum((Decimal(s.numerator) / Decimal(s.denominator)).sqrt() for s in squares) + Decimal(0)
