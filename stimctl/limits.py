"""Every number that bounds the output, in one table, with its source.

Three columns, as the clinical reference (A.5) proposes them: WARN asks the operator, a PROFILE refuses for a body
part, ABSOLUTE refuses for everybody. The last is a compile-time constant: no file, option or order reaches it.
:func:`narrow` intersects; there is no function that widens. The limiter (``safety``) does the refusing; files are
checked against the same table so that an author hears of a bound where the mistake stands.

Sources: IEC = IEC 60601-2-10 as cited in manufacturers' manuals; FDA = 510(k) guidance for powered muscle
stimulators, 9 June 1999, and 21 CFR 882.5888; project = a proposal of this project, not a standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, final

from stimctl.units import MINUTE, MS, SECOND, UM2_PER_CM2


@final
class Effect(StrEnum):
    """What a channel is for: it decides which rate, on-time and duty rules apply."""

    MOTOR = "motor"
    SENSORY = "sensory"


@final
class BodyPart(StrEnum):
    """The body-part profiles of the clinical reference, A.5."""

    FOREARM = "forearm"
    THENAR = "thenar"
    SHOULDER = "shoulder"


@final
class Sensation(StrEnum):
    """How well the patient feels at a site, as tested today (clinical reference B.9, C.4)."""

    NORMAL = "normal"
    REDUCED = "reduced"
    ABSENT = "absent"


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """One set of bounds. Every bound is inclusive; ``min`` bounds from below, all others from above."""

    peak_ua: int
    phase_width_min_us: int
    phase_width_max_us: int
    interphase_gap_max_us: int
    rate_min_mhz: int
    rate_max_mhz: int
    pulses_per_period_max: int
    charge_nc: int
    rms_ua: int
    rms_density_ua_cm2: int
    power_density_uw_cm2: int
    energy_uj: int
    net_charge_permille: int
    mean_dc_na: int
    on_time_us: int
    duty_permille: int
    ramp_up_min_us: int
    site_time_us: int
    step_ua: int
    step_interval_min_us: int
    rise_ua_per_s: int


ACCURACY_NUM: Final = 6
ACCURACY_DEN: Final = 5
"""R4: the standard-derived absolute limits are checked on the indicated amplitude times 6/5 (±20 % accuracy)."""

SMALL_PAD_UM2: Final = 10 * UM2_PER_CM2
"""Below this conductive area the thenar rows apply wherever the pad sits (A.5 names both thenar and small pads)."""

SMALL_PAD_PEAK_UA: Final = 60_000
"""Absolute peak on the thenar, and on pads under :data:`SMALL_PAD_UM2` anywhere (A.5; project)."""

PAD_AREA_MIN_UM2: Final = 2 * UM2_PER_CM2
PAD_AREA_MAX_UM2: Final = 200 * UM2_PER_CM2
"""Plausible conductive areas (project): a 2.0 cm round pad has 3.14 cm², 9 x 15 cm garments 135 cm²; the refusal
vectors 0, 0.25 and 2500 cm² of A.7 are unit mistakes and fall outside."""

DEAD_MAN_MAX_MS: Final = 500
"""Longest time a board may go on without a heartbeat (H14)."""

ABSOLUTE: Final = Limits(
    peak_ua=100_000,  # project
    phase_width_min_us=20,  # project
    phase_width_max_us=500,  # project
    interphase_gap_max_us=500,  # project: gaps of 100 to 200 µs are what the literature uses (A.6)
    rate_min_mhz=500,  # project
    rate_max_mhz=200_000,  # project
    pulses_per_period_max=10,  # project: bursts, which are for sensory stimulation alone; see MOTOR_PULSES_MAX
    charge_nc=30_000,  # project
    rms_ua=50_000,  # IEC: 50 mA rms up to 400 Hz
    rms_density_ua_cm2=2_000,  # IEC: 2 mA rms/cm² needs special attention; here nobody passes it
    power_density_uw_cm2=250_000,  # FDA: below 0.25 W/cm²
    energy_uj=300_000,  # IEC: 300 mJ per pulse into 500 ohm
    net_charge_permille=50,  # project
    mean_dc_na=100_000,  # project: 100 µA
    on_time_us=30 * SECOND,  # project, motor only
    duty_permille=800,  # project, motor only
    ramp_up_min_us=200 * MS,  # project
    site_time_us=120 * MINUTE,  # project
    step_ua=1_000,  # IEC amplitude control: steps of at most 1 mA; R2
    step_interval_min_us=200 * MS,  # project: 1 mA per 200 ms is the 5 mA/s below
    rise_ua_per_s=5_000,  # project
)

_FOREARM: Final = Limits(
    peak_ua=60_000,
    phase_width_min_us=50,
    phase_width_max_us=500,
    interphase_gap_max_us=250,
    rate_min_mhz=10_000,
    rate_max_mhz=50_000,
    pulses_per_period_max=2,
    charge_nc=20_000,
    rms_ua=20_000,
    rms_density_ua_cm2=1_500,
    power_density_uw_cm2=100_000,
    energy_uj=20_000,
    net_charge_permille=10,
    mean_dc_na=100_000,
    on_time_us=20 * SECOND,
    duty_permille=600,
    ramp_up_min_us=500 * MS,
    site_time_us=60 * MINUTE,
    step_ua=1_000,
    step_interval_min_us=500 * MS,  # two presses a second
    rise_ua_per_s=2_000,
)


PROFILES: Final[Mapping[BodyPart, Limits]] = MappingProxyType(
    {
        BodyPart.FOREARM: _FOREARM,
        BodyPart.THENAR: replace(_FOREARM, peak_ua=30_000, charge_nc=9_000),
        BodyPart.SHOULDER: replace(_FOREARM, peak_ua=80_000, charge_nc=24_000),
    }
)
"""The refuse column, motor rates. All numbers: project (A.5)."""

_WARN_PEAK_UA: Final = {BodyPart.FOREARM: 40_000, BodyPart.THENAR: 20_000, BodyPart.SHOULDER: 60_000}

WARN: Final[Mapping[BodyPart, Limits]] = MappingProxyType(
    {
        part: replace(
            refuse,
            peak_ua=_WARN_PEAK_UA[part],
            phase_width_max_us=400,
            charge_nc=min(12_000, refuse.charge_nc),
            rms_ua=10_000,
            rms_density_ua_cm2=1_000,
            power_density_uw_cm2=50_000,
            energy_uj=5_000,
            net_charge_permille=0,
            on_time_us=15 * SECOND,
            duty_permille=500,
            ramp_up_min_us=1 * SECOND,
            site_time_us=45 * MINUTE,
        )
        for part, refuse in PROFILES.items()
    }
)
"""The warn column, motor rates (which end below the 100 Hz that A.5 warns at). All numbers: project (A.5)."""

SENSORY_RATE_MIN_MHZ: Final = 1_000
SENSORY_RATE_MAX_MHZ: Final = 150_000
SENSORY_RATE_WARN_MHZ: Final = 100_000
"""Rates of sensory stimulation; motor rates stand in the profiles (A.5: 1-150 Hz, motor 10-50, warn above 100)."""

MOTOR_PULSES_MAX: Final = 3
"""Most pulses in a period for everybody's muscles (project): triplets (A.6); the profiles allow doublets."""

SENSORY_PULSES_MAX: Final = 10
"""Most pulses in a period of sensory stimulation (project): a burst of a tenth of a second (B.5, A.7 vector 15: 9).

Above two they are judged by what flows inside the burst (A.6), so no burst is stronger than the same pulses at 100 Hz.
"""

_MINIMA: Final = frozenset({"phase_width_min_us", "rate_min_mhz", "ramp_up_min_us", "step_interval_min_us"})


def narrow(*limits: Limits) -> Limits:
    """The intersection of limits: the largest of every minimum, the smallest of every other bound."""
    return Limits(
        **{
            f.name: (max if f.name in _MINIMA else min)(getattr(each, f.name) for each in limits)
            for f in fields(Limits)
        }
    )


def is_within(inner: Limits, outer: Limits) -> bool:
    """Whether ``inner`` allows nothing that ``outer`` refuses."""
    return narrow(inner, outer) == inner


def absolute(part: BodyPart, effect: Effect, *, smallest_pad_um2: int) -> Limits:
    """The absolute column for one channel; standard-derived rows still stand for indicated amplitude times 6/5 (R4).

    Sensory stimulation has no on-time or duty rule, and motor stimulation no bursts of pulses; the thenar and small pads
    have a lower peak.
    """
    limits = ABSOLUTE
    if part is BodyPart.THENAR or smallest_pad_um2 < SMALL_PAD_UM2:
        limits = replace(limits, peak_ua=SMALL_PAD_PEAK_UA)
    if effect is Effect.MOTOR:
        return replace(limits, pulses_per_period_max=MOTOR_PULSES_MAX)
    return untimed(limits)


def indicated(limits: Limits) -> Limits:
    """``limits`` of the absolute column as the amplitude that is shown meets them: R4's accuracy taken off.

    For display, rounded down. The limiter itself multiplies and compares exactly.
    """
    den, num = ACCURACY_DEN**2, ACCURACY_NUM**2
    return replace(
        limits,
        rms_ua=limits.rms_ua * ACCURACY_DEN // ACCURACY_NUM,
        rms_density_ua_cm2=limits.rms_density_ua_cm2 * ACCURACY_DEN // ACCURACY_NUM,
        power_density_uw_cm2=limits.power_density_uw_cm2 * den // num,
        energy_uj=limits.energy_uj * den // num,
    )


def profile(
    part: BodyPart,
    effect: Effect,
    *,
    smallest_pad_um2: int,
    sensation: Sensation = Sensation.NORMAL,
    senses_impedance: bool = True,
) -> Limits:
    """The refuse column for one channel.

    A pad under :data:`SMALL_PAD_UM2` brings the thenar peak and charge. Reduced sensation turns the warn column into
    the refuse column (project: B.9 asks for a lower ceiling, and pain is no stop signal there). A board that cannot
    sense impedance halves the density ceilings, because a peeling pad stays unseen (H11).
    """
    limits = _column(PROFILES, part, effect, smallest_pad_um2, SENSORY_RATE_MAX_MHZ)
    if sensation is not Sensation.NORMAL:
        warn = warning(part, effect, smallest_pad_um2=smallest_pad_um2)
        limits = narrow(limits, replace(warn, net_charge_permille=limits.net_charge_permille))
    if not senses_impedance:
        limits = replace(
            limits,
            rms_density_ua_cm2=limits.rms_density_ua_cm2 // 2,
            power_density_uw_cm2=limits.power_density_uw_cm2 // 4,  # heating goes with the square of the density
        )
    return limits


def warning(part: BodyPart, effect: Effect, *, smallest_pad_um2: int) -> Limits:
    """The warn column for one channel, always inside its :func:`profile` at normal sensation."""
    return _column(WARN, part, effect, smallest_pad_um2, SENSORY_RATE_WARN_MHZ)


def _column(
    table: Mapping[BodyPart, Limits], part: BodyPart, effect: Effect, smallest_pad_um2: int, sensory_rate_max_mhz: int
) -> Limits:
    """The row of ``table`` for a body part, narrowed for a small pad, with the rates and times of its effect."""
    limits, thenar = table[part], table[BodyPart.THENAR]
    if smallest_pad_um2 < SMALL_PAD_UM2:
        limits = replace(
            limits,
            peak_ua=min(limits.peak_ua, thenar.peak_ua),
            charge_nc=min(limits.charge_nc, thenar.charge_nc),
        )
    if effect is Effect.MOTOR:
        return limits
    return replace(
        untimed(limits),
        rate_min_mhz=SENSORY_RATE_MIN_MHZ,
        rate_max_mhz=sensory_rate_max_mhz,
        pulses_per_period_max=SENSORY_PULSES_MAX,
    )


def untimed(limits: Limits) -> Limits:
    """The same bounds without an on-time or duty rule, which are for motor stimulation (A.5)."""
    return replace(limits, on_time_us=limits.site_time_us, duty_permille=1_000)
