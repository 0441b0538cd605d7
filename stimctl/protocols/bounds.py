"""Judging a protocol against the tables of :mod:`stimctl.limits`, so that an author hears of a bound where it is broken.

The limiter judges again, in its own code and with more knowledge (board, sensation, what was found today); nothing here
permits anything. Everything is judged at ``max_amplitude_ma``, because the operator may go that far, and on the plateau,
with no credit for ramps or rest (clinical reference, A.6). All comparisons are exact integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final, NamedTuple

from stimctl import pulse
from stimctl.limits import (
    ABSOLUTE,
    ACCURACY_DEN,
    ACCURACY_NUM,
    SMALL_PAD_UM2,
    BodyPart,
    Effect,
    Limits,
    absolute,
    narrow,
    profile,
)
from stimctl.protocols.output import Channel
from stimctl.units import UM2_PER_CM2, microamps, millihertz

SOURCES: Final[dict[str, str]] = {
    "peak_ua": "project, peak ceiling of the body part",
    "phase_width_min_us": "project, phase width",
    "phase_width_max_us": "project, phase width",
    "interphase_gap_max_us": "project; gaps of 100 to 200 µs are what studies used",
    "rate_min_mhz": "project, pulse rate (motor 10 to 50 Hz, sensory 1 to 150 Hz)",
    "rate_max_mhz": "project, pulse rate (motor 10 to 50 Hz, sensory 1 to 150 Hz)",
    "charge_nc": "project, charge per phase of the body part",
    "rms_ua": "project, rms current; IEC 60601-2-10 allows 50 mA rms",
    "rms_density_ua_cm2": "project, rms density on the smallest pad; IEC 60601-2-10 warns above 2 mA rms/cm²",
    "power_density_uw_cm2": "project, power density; FDA guidance of 1999: below 0.25 W/cm²",
    "energy_uj": "project, pulse energy into 500 ohm; IEC 60601-2-10 allows 300 mJ",
    "on_time_us": "project, single burst of motor stimulation",
    "duty_permille": "project, share of on-time in a cycle of motor stimulation",
    "ramp_up_min_us": "project, shortest ramp-up",
    "site_time_us": "project, stimulation time at one site in a session",
}
"""Where each bound comes from, in words for the author; the numbers are in :mod:`stimctl.limits` alone."""

ABSOLUTE_SOURCES: Final[dict[str, str]] = SOURCES | {
    "rms_ua": "IEC 60601-2-10: 50 mA rms, with 20 % allowance for accuracy",
    "rms_density_ua_cm2": "IEC 60601-2-10: 2 mA rms/cm², with 20 % allowance for accuracy",
    "power_density_uw_cm2": "FDA guidance of 1999: 0.25 W/cm², with 20 % allowance for accuracy",
    "energy_uj": "IEC 60601-2-10: 300 mJ per pulse into 500 ohm, with 20 % allowance for accuracy",
}
"""The same for bounds that only the absolute column sets."""


class Breach(NamedTuple):
    """A bound that does not hold: the field of :class:`Limits`, the value, and the bound, both in words."""

    limit: str
    value: str
    allowed: str
    source: str


def because_small(channel: Channel, areas_um2: Mapping[str, int], breach: Breach) -> str:
    """Which pad brings the thenar's bound to another place, as the end of a sentence; "" where none does."""
    small = [name for name, area_um2 in areas_um2.items() if area_um2 < SMALL_PAD_UM2]
    if channel.part is BodyPart.THENAR or breach.limit not in ("peak_ua", "charge_nc") or not small:
        return ""
    return f", because pad `{small[0]}` is under {SMALL_PAD_UM2 // UM2_PER_CM2} cm² and has the limits of the hand"


@dataclass(frozen=True, slots=True)
class Load:
    """What one or several trains put through a pad, as the exact sums that are judged.

    ``mean_square_e9`` in 1e-9 µA² at the indicated amplitude.
    """

    mean_square_e9: int
    area_um2: int

    def density_ok(self, bound_ua_cm2: int) -> bool:
        """Whether rms / area is within ``bound``: compared as squares, ``ms · (1e8)² <= J² · 1e9 · A²``."""
        square = self.mean_square_e9 * UM2_PER_CM2 * UM2_PER_CM2
        return square <= bound_ua_cm2 * bound_ua_cm2 * 10**9 * self.area_um2 * self.area_um2

    def power_ok(self, bound_uw_cm2: int) -> bool:
        """Whether rms² · 500 ohm / area is within ``bound``: ``ms · 1e-9 · 500 · 1e-6 µW <= P · A / 1e8``."""
        return self.mean_square_e9 * pulse.TEST_LOAD_OHM * UM2_PER_CM2 <= bound_uw_cm2 * 10**15 * self.area_um2

    def accurate(self) -> Load:
        """The same at the indicated amplitude plus the accuracy allowance (rule R4)."""
        return Load(-(-self.mean_square_e9 * ACCURACY_NUM**2 // ACCURACY_DEN**2), self.area_um2)


def train(channel: Channel) -> pulse.PulseTrain:
    """The strongest train that the file allows on this channel."""
    return pulse.symmetric(
        microamps(channel.max_amplitude_ma),
        channel.phase_width_us,
        millihertz(channel.rate_hz),
        interphase_gap_us=channel.interphase_gap_us,
        pulses_per_period=channel.pulses_per_period,
    )


def together(trains: Sequence[pulse.PulseTrain], area_um2: int) -> Load:
    """What trains put through a pad that they share, as if their pulses came at the same moment.

    No board promises that they never overlap, so their currents are added up and not only their squares.
    """
    return Load(pulse.coincident_square([pulse.mean_square_e9(each) for each in trains]), area_um2)


@cache
def refuse_column(part: BodyPart, effect: Effect, smallest_pad_um2: int) -> Limits:
    """The limits of a channel before today: absolute and body-part profile, on its smallest pad.

    Normal sensation and a board that senses impedance are assumed; the limiter knows better and only narrows.
    """
    return narrow(
        absolute(part, effect, smallest_pad_um2=smallest_pad_um2),
        profile(part, effect, smallest_pad_um2=smallest_pad_um2),
    )


def peak_breaches(channel: Channel, bounds: Limits) -> Iterator[Breach]:
    """Peak of the first phase."""
    peak = microamps(channel.max_amplitude_ma)
    if not 0 < peak <= bounds.peak_ua:
        yield _breach("peak_ua", f"{channel.max_amplitude_ma} mA", f"at most {bounds.peak_ua / 1e3:g} mA")


def width_breaches(channel: Channel, bounds: Limits) -> Iterator[Breach]:
    """Width of one phase."""
    if not bounds.phase_width_min_us <= channel.phase_width_us <= bounds.phase_width_max_us:
        which = "phase_width_min_us" if channel.phase_width_us < bounds.phase_width_min_us else "phase_width_max_us"
        allowed = f"{bounds.phase_width_min_us} to {bounds.phase_width_max_us} µs"
        yield _breach(which, f"{channel.phase_width_us} µs", allowed)


def gap_breaches(channel: Channel, bounds: Limits) -> Iterator[Breach]:
    """Pause between the phases."""
    if not 0 <= channel.interphase_gap_us <= bounds.interphase_gap_max_us:
        allowed = f"at most {bounds.interphase_gap_max_us} µs"
        yield _breach("interphase_gap_max_us", f"{channel.interphase_gap_us} µs", allowed)


def rate_breaches(channel: Channel, bounds: Limits) -> Iterator[Breach]:
    """Pulse rate."""
    rate = millihertz(channel.rate_hz)
    if not bounds.rate_min_mhz <= rate <= bounds.rate_max_mhz:
        which = "rate_min_mhz" if rate < bounds.rate_min_mhz else "rate_max_mhz"
        allowed = f"{bounds.rate_min_mhz / 1e3:g} to {bounds.rate_max_mhz / 1e3:g} Hz"
        yield _breach(which, f"{channel.rate_hz} Hz", allowed)


def train_breaches(strongest: pulse.PulseTrain, bounds: Limits) -> Iterator[Breach]:
    """Bounds of the pulse itself: charge, rms and energy."""
    charge_pc = pulse.phase_charge_pc(strongest)
    if not charge_pc <= bounds.charge_nc * 1_000:
        yield _breach("charge_nc", f"{charge_pc / 1e6:g} µC per phase", f"at most {bounds.charge_nc / 1e3:g} µC")
    yield from rms_breaches(pulse.mean_square_e9(strongest), bounds)
    for limits, factor, sources in ((bounds, Fraction(1), SOURCES), (ABSOLUTE, _ACCURACY, ABSOLUTE_SOURCES)):
        energy = pulse.pulse_square_ua2us(strongest) * factor * pulse.TEST_LOAD_OHM
        if not energy <= limits.energy_uj * 10**12:
            value, allowed = f"{float(energy) / 1e15:.3g} mJ per pulse", f"at most {limits.energy_uj / 1e3:g} mJ"
            yield _breach("energy_uj", value, allowed, sources)


def shared_breaches(trains: Sequence[pulse.PulseTrain], area_um2: int, bounds: Limits) -> Iterator[Breach]:
    """Bounds of what several trains put through one pad together: peaks, charges and rms currents add up."""
    peak = sum(each.amplitude_ua for each in trains)
    if not peak <= bounds.peak_ua:
        yield _breach("peak_ua", f"{peak / 1e3:g} mA", f"at most {bounds.peak_ua / 1e3:g} mA")
    charge_pc = sum(pulse.phase_charge_pc(each) for each in trains)
    if not charge_pc <= bounds.charge_nc * 1_000:
        yield _breach("charge_nc", f"{charge_pc / 1e6:g} µC per phase", f"at most {bounds.charge_nc / 1e3:g} µC")
    load = together(trains, area_um2)
    yield from rms_breaches(load.mean_square_e9, bounds)
    yield from pad_breaches(load, bounds)


def rms_breaches(mean_square_e9: int, bounds: Limits) -> Iterator[Breach]:
    """The bound of rms current, by itself and with the absolute column's allowance for accuracy."""
    for limits, factor, sources in ((bounds, Fraction(1), SOURCES), (ABSOLUTE, _ACCURACY, ABSOLUTE_SOURCES)):
        square = mean_square_e9 * factor
        if not square <= limits.rms_ua**2 * 10**9:
            rms = (float(square) / 1e9) ** 0.5 / 1e3
            yield _breach("rms_ua", f"{rms:.3g} mA rms", f"at most {limits.rms_ua / 1e3:g} mA rms", sources)


def pad_breaches(load: Load, bounds: Limits) -> Iterator[Breach]:
    """Bounds of what passes a pad: rms density and power density."""
    for limits, judged, sources in ((bounds, load, SOURCES), (ABSOLUTE, load.accurate(), ABSOLUTE_SOURCES)):
        area_cm2 = judged.area_um2 / UM2_PER_CM2
        rms_ma = (judged.mean_square_e9 / 1e9) ** 0.5 / 1e3
        if not judged.density_ok(limits.rms_density_ua_cm2):
            value, allowed = f"{rms_ma / area_cm2:.3g}", f"at most {limits.rms_density_ua_cm2 / 1e3:g} mA rms/cm²"
            yield _breach("rms_density_ua_cm2", f"{value} mA rms/cm²", allowed, sources)
        if not judged.power_ok(limits.power_density_uw_cm2):
            milliwatts = rms_ma * rms_ma * pulse.TEST_LOAD_OHM / 1e3 / area_cm2
            allowed = f"at most {limits.power_density_uw_cm2 / 1e3:g} mW/cm²"
            yield _breach("power_density_uw_cm2", f"{milliwatts:.3g} mW/cm²", allowed, sources)


def fits_its_period(strongest: pulse.PulseTrain) -> bool:
    """Whether a pulse ends before the next one begins: µs · mHz against 1e9."""
    return pulse.busy_us(strongest) * strongest.rate_mhz <= 10**9


_ACCURACY: Final = Fraction(ACCURACY_NUM**2, ACCURACY_DEN**2)


def _breach(limit: str, value: str, allowed: str, sources: dict[str, str] = SOURCES) -> Breach:
    return Breach(limit, value, allowed, sources[limit])
