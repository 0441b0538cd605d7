"""What the limiter has to hold, written a second time: clinical formulas and ceilings in exact fractions.

Independent of the code: nothing of it is imported. Quantities are in the units of the clinical reference (mA, µs, Hz,
cm², µC, mJ), each a fraction of whole numbers, so that nothing is rounded anywhere. The formulas are those of its part
A.6 and the ceilings those of A.5, with R4 (20 % accuracy), the halved densities where a peeling pad stays unseen (H11:
heating goes with the square), and the warn column where sensation is reduced (B.9).

Works on plain and on symbolic integers alike. A comparison of fractions multiplies across; every denominator here is
positive (constants, and areas, which are assumed or proven to be).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, Final


@dataclass(frozen=True)
class Ratio:
    """A fraction ``top / below`` of integers that may be symbolic; ``below`` is positive."""

    top: Any
    below: Any = 1

    def __mul__(self, other: Ratio) -> Ratio:
        return Ratio(self.top * other.top, self.below * other.below)

    def __truediv__(self, other: Ratio) -> Ratio:
        """Only by what is positive."""
        return Ratio(self.top * other.below, self.below * other.top)

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(self.top * other.below + other.top * self.below, self.below * other.below)

    def __sub__(self, other: Ratio) -> Ratio:
        return self + Ratio(-1) * other

    def __le__(self, other: Ratio) -> Any:
        return self.top * other.below <= other.top * self.below

    def within(self, bound: Ratio) -> Any:
        """Whether its size, whatever its sign, is at most ``bound``."""
        return (self <= bound) & (Ratio(0) - bound <= self)


def exactly(number: Fraction | int) -> Ratio:
    """A plain number."""
    fraction = Fraction(number)
    return Ratio(fraction.numerator, fraction.denominator)


MILLI: Final = exactly(Fraction(1, 1_000))
MICRO: Final = MILLI * MILLI
LOAD_OHM: Final = exactly(500)


@dataclass(frozen=True)
class Flow:
    """A train in the field's units: two rectangular phases, ``pulses`` of them at ``rate_hz`` periods a second.

    More than two in a period are a burst: they stand 10 ms apart, and A.6 wants what flows inside it limited.
    """

    first_ma: Ratio
    width_us: Ratio
    gap_us: Ratio
    recovery_ma: Ratio
    recovery_us: Ratio
    rate_hz: Ratio
    pulses: Ratio

    def charges_uc(self) -> tuple[Ratio, Ratio]:
        """Q = I t of each phase."""
        return self.first_ma * self.width_us * MILLI, self.recovery_ma * self.recovery_us * MILLI

    def net_uc(self) -> Ratio:
        """I1 t1 - I2 t2."""
        first, recovery = self.charges_uc()
        return first - recovery

    def mean_dc_ua(self) -> Ratio:
        """Qnet f n."""
        return self.net_uc() * self.pulses_hz()

    def is_burst(self) -> bool:
        """Asked of symbolic integers, it takes a side."""
        return not self.pulses <= exactly(2)

    def pulses_hz(self) -> Ratio:
        """f n, or the rate inside a burst."""
        return exactly(100) if self.is_burst() else self.rate_hz * self.pulses

    def pulse_square(self) -> Ratio:
        """I1² t1 + I2² t2, in mA² µs."""
        first, recovery = self.first_ma, self.recovery_ma
        return first * first * self.width_us + recovery * recovery * self.recovery_us

    def rms_square(self) -> Ratio:
        """Irms² on the plateau, in mA²."""
        return self.pulse_square() * MICRO * self.pulses_hz()

    def energy_mj(self) -> Ratio:
        """E = I² R t of one pulse: mA² µs is 1e-12 A² s."""
        return self.pulse_square() * LOAD_OHM * MICRO * MILLI

    def fits(self) -> Any:
        """Whether the pulses with their gaps have room in each period, in a burst 10 ms for each."""
        one, each = self.width_us + self.gap_us + self.recovery_us, self.pulses * self.rate_hz * MICRO
        if self.is_burst():
            return (one <= exactly(10_000)) & (exactly(10_000) * each <= Ratio(1))
        return one * each <= Ratio(1)


def flow(train: Any) -> Flow:
    """The train of the code, which counts in µA, µs and mHz."""
    return Flow(
        Ratio(train.amplitude_ua, 1_000),
        Ratio(train.phase_width_us),
        Ratio(train.interphase_gap_us),
        Ratio(train.recovery_amplitude_ua, 1_000),
        Ratio(train.recovery_width_us),
        Ratio(train.rate_mhz, 1_000),
        Ratio(train.pulses_per_period),
    )


def area_cm2(area_um2: Any) -> Ratio:
    """An area that the code counts in µm²."""
    return Ratio(area_um2, 10**8)


@dataclass(frozen=True)
class Ceiling:
    """One column of bounds in the field's units, on a pad; ``accuracy`` is the factor on the indicated amplitude."""

    peak_ma: Ratio
    width_us: tuple[Ratio, Ratio]
    gap_us: Ratio
    rate_hz: tuple[Ratio, Ratio]
    pulses: Ratio
    charge_uc: Ratio
    rms_ma: Ratio
    rms_ma_cm2: Ratio
    power_w_cm2: Ratio
    energy_mj: Ratio
    net_share: Ratio
    mean_dc_ua: Ratio
    accuracy: Ratio

    def bounds(self, flow: Flow, pad_cm2: Ratio) -> dict[str, Any]:
        """Every bound, by its name: whether the train keeps it."""
        return self.plain(flow) | self.sums(flow) | self.heating(flow.rms_square(), pad_cm2)

    def plain(self, flow: Flow) -> dict[str, Any]:
        """What can be read off the train."""
        nothing = Ratio(0)
        return {
            "peak": (nothing <= flow.first_ma) & (flow.first_ma <= self.peak_ma),
            "recovery amplitude": (nothing <= flow.recovery_ma) & (flow.recovery_ma <= flow.first_ma),
            "phase width": (self.width_us[0] <= flow.width_us) & (flow.width_us <= self.width_us[1]),
            "recovery width": nothing <= flow.recovery_us,
            "gap": (nothing <= flow.gap_us) & (flow.gap_us <= self.gap_us),
            "rate": (self.rate_hz[0] <= flow.rate_hz) & (flow.rate_hz <= self.rate_hz[1]),
            "pulses": (Ratio(1) <= flow.pulses) & (flow.pulses <= self.pulses),
            "fits its period": flow.fits(),
        }

    def sums(self, flow: Flow) -> dict[str, Any]:
        """Charge, energy and what is left over."""
        first, recovery = flow.charges_uc()
        return {
            "charge of the first phase": first <= self.charge_uc,
            "charge of the recovery phase": recovery <= self.charge_uc,
            "pulse energy": flow.energy_mj() * self.accuracy * self.accuracy <= self.energy_mj,
            "net charge": flow.net_uc().within(self.net_share * first),
            "mean direct current": flow.mean_dc_ua().within(self.mean_dc_ua),
        }

    def heating(self, rms_square: Ratio, pad_cm2: Ratio) -> dict[str, Any]:
        """What a mean square current (mA²) may be: roots are avoided by comparing squares."""
        actual = rms_square * self.accuracy * self.accuracy
        density = actual / (pad_cm2 * pad_cm2)
        power_w = actual * MICRO * LOAD_OHM
        return {
            "rms": actual <= self.rms_ma * self.rms_ma,
            "rms density": density <= self.rms_ma_cm2 * self.rms_ma_cm2,
            "power density": power_w / pad_cm2 <= self.power_w_cm2,
        }


def of_limits(limits: Any, *, accuracy: bool = False) -> Ceiling:
    """A board's, a file's or any other limits of the code, which counts in µA, nC, µJ and permille."""
    per_mille = Ratio(1, 1_000)

    def milli(value: Any) -> Ratio:
        return Ratio(value) * per_mille

    return Ceiling(
        milli(limits.peak_ua),
        (Ratio(limits.phase_width_min_us), Ratio(limits.phase_width_max_us)),
        Ratio(limits.interphase_gap_max_us),
        (milli(limits.rate_min_mhz), milli(limits.rate_max_mhz)),
        Ratio(limits.pulses_per_period_max),
        milli(limits.charge_nc),
        milli(limits.rms_ua),
        milli(limits.rms_density_ua_cm2),
        milli(limits.power_density_uw_cm2) * per_mille,
        milli(limits.energy_uj),
        milli(limits.net_charge_permille),
        milli(limits.mean_dc_na),
        exactly(Fraction(6, 5)) if accuracy else Ratio(1),
    )


# --- A.5, a second time ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A ceiling with what changes on a small pad (under 10 cm², or the thenar), and the times of a burst."""

    ceiling: Ceiling
    small_peak_ma: Ratio
    small_charge_uc: Ratio


def _column(peak: tuple[int, int], charge: tuple[int, int], **other: Any) -> Column:
    """``peak`` and ``charge``: on an ordinary and on a small pad."""
    ceiling = Ceiling(peak_ma=exactly(peak[0]), charge_uc=exactly(charge[0]), **other)
    return Column(ceiling, exactly(peak[1]), exactly(charge[1]))


def _span(least: str, most: str) -> tuple[Ratio, Ratio]:
    return exactly(Fraction(least)), exactly(Fraction(most))


def _number(text: str) -> Ratio:
    return exactly(Fraction(text))


def absolute(part: str, *, motor: bool) -> Column:
    """Anybody, with R4's factor on the standards' rows."""
    thenar = part == "thenar"
    return _column(
        (60 if thenar else 100, 60), (30, 30),
        width_us=_span("20", "500"), gap_us=_number("500"), rate_hz=_span("0.5", "200"), pulses=_number("3" if motor else "10"),
        rms_ma=_number("50"), rms_ma_cm2=_number("2.0"), power_w_cm2=_number("0.25"), energy_mj=_number("300"),
        net_share=_number("0.05"), mean_dc_ua=_number("100"), accuracy=_number("1.2"),
    )  # fmt: skip


def profile(part: str, *, motor: bool, reduced: bool, senses_impedance: bool) -> Column:
    """The hand profiles: refuse column, or the warn column where sensation is reduced."""
    refuse = {"forearm": ((60, 30), (20, 9)), "thenar": ((30, 30), (9, 9)), "shoulder": ((80, 30), (24, 9))}[part]
    warn = {"forearm": ((40, 20), (12, 9)), "thenar": ((20, 20), (9, 9)), "shoulder": ((60, 20), (12, 9))}[part]
    peak, charge = warn if reduced else refuse
    density, power = ("1.0", "0.05") if reduced else ("1.5", "0.10")
    unseen = Fraction(1) if senses_impedance else Fraction(1, 2)
    most_hz = "50" if motor else "100" if reduced else "150"
    return _column(
        peak, charge,
        width_us=_span("50", "400" if reduced else "500"), gap_us=_number("250"),
        rate_hz=_span("10" if motor else "1", most_hz), pulses=_number("2" if motor else "10"),
        rms_ma=_number("10" if reduced else "20"), rms_ma_cm2=exactly(Fraction(density) * unseen),
        power_w_cm2=exactly(Fraction(power) * unseen**2), energy_mj=_number("5" if reduced else "20"),
        net_share=_number("0.01"), mean_dc_ua=_number("100"), accuracy=_number("1"),
    )  # fmt: skip


def on_pads(column: Column, flow: Flow, pads_cm2: tuple[Ratio, ...]) -> dict[str, Any]:
    """Every bound of a column for a channel on these pads: the densities on each of them, the small ones' on any."""
    bounds: dict[str, Any] = column.ceiling.plain(flow) | column.ceiling.sums(flow)
    first, recovery = flow.charges_uc()
    for number, pad in enumerate(pads_cm2):
        heating = column.ceiling.heating(flow.rms_square(), pad)
        bounds |= {f"{name} on pad {number}": fact for name, fact in heating.items()}
        ordinary = exactly(10) <= pad
        bounds[f"peak on pad {number} if small"] = ordinary | (flow.first_ma <= column.small_peak_ma)
        charge = (first <= column.small_charge_uc) & (recovery <= column.small_charge_uc)
        bounds[f"charge on pad {number} if small"] = ordinary | charge
        # Derived, as A.5 has no bound of its own: no pad under 2 cm² is placed, so D = Q / A stays below this.
        density = (first / pad <= column.ceiling.charge_uc / exactly(2)) | (pad <= exactly(2))
        bounds[f"charge density on pad {number}"] = density
    return bounds


def on_small_pad(column: Column) -> Ceiling:
    """The column's ceiling where a pad is small."""
    return replace(column.ceiling, peak_ma=column.small_peak_ma, charge_uc=column.small_charge_uc)


def same(one: Ceiling, other: Ceiling) -> bool:
    """Whether two ceilings of plain numbers are equal."""
    return all(
        _plain(a) == _plain(b)
        for name in (each.name for each in fields(Ceiling))
        for a, b in zip(_several(getattr(one, name)), _several(getattr(other, name)), strict=True)
    )


def _several(value: Ratio | tuple[Ratio, Ratio]) -> tuple[Ratio, ...]:
    return value if isinstance(value, tuple) else (value,)


def _plain(ratio: Ratio) -> Fraction:
    return Fraction(ratio.top, ratio.below)
