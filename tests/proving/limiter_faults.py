"""Faults in the limiter's arithmetic, each of which a theorem has to refute with integers that show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.proving.planting import Plant

RULES: Final = "stimctl.envelope.rules"
WORDS: Final = "stimctl.envelope.words"
PLACING: Final = "stimctl.envelope.placing"
ACCOUNTS: Final = "stimctl.envelope.accounts"
LIMITS: Final = "stimctl.limits"
SAFETY: Final = "stimctl.safety"
PULSE: Final = "stimctl.pulse"

FIRST: Final = "columns: forearm, motor, normal, impedance unseen"
"""Any of the columns' theorems would do for what is the same in all of them."""

TRAIN: Final = {
    "amplitude_ua": 20_000,
    "phase_width_us": 300,
    "interphase_gap_us": 13_900,
    "recovery_amplitude_ua": 20_000,
    "recovery_width_us": 310,
    "rate_mhz": 35_000,
    "pulses_per_period": 2,
}
SMALL_TRAIN: Final = TRAIN | {"interphase_gap_us": 100}
BURST: Final = SMALL_TRAIN | {"recovery_width_us": 290, "rate_mhz": 2_000, "pulses_per_period": 9}
AREAS: Final = {f"{name}.area_um2": 25 * 10**8 for name in ("source0", "source1")}
LITTLE_DC: Final = AREAS | {
    "amplitude_ua": 1_000_001,
    "phase_width_us": 1,
    "interphase_gap_us": 0,
    "recovery_amplitude_ua": 0,
    "recovery_width_us": 0,
    "rate_mhz": 1,
    "pulses_per_period": 1,
}
LITTLE_ENERGY: Final = LITTLE_DC | {"amplitude_ua": 1, "phase_width_us": 1_388_888_889, "rate_mhz": 0}
EDGE: Final = SMALL_TRAIN | {
    f"{name}.{what}": value
    for name in ("absolute", "other")
    for what, value in (("area_um2", 25 * 10**8), ("rms_ua", 50_000), ("rms_density_ua_cm2", 2_000))
}
"""Some integers are pinned down while a counterexample is looked for, as finding one is far harder than a proof that
there is none: the train for rules on trains, areas and levels for others."""

SHARED = {
    f"{name}.{what}": value
    for name in ("absolute", "profile", "board")
    for what, value in (("area_um2", 25 * 10**8), ("rms_ua", 10**6), ("rms_density_ua_cm2", 10**6))
} | {"absolute.rms_ua": 145, "root0": 2_000_000, "root1": 2_000_000}
SHARED |= {f"channel{n}.mean_square": 4 * 10**12 for n in (0, 1)}
LEVEL: Final = {"level.peak_ua": 10_000, "level.charge_pc": 3_000_000, "level.mean_square": 4 * 10**15}

GIVEN: Final = "approve, treatment, on before"
COMMAND: Final = SMALL_TRAIN | {
    "interphase_gap_us": 0,
    "recovery_width_us": 300,
    "open": 1,
    "rise": 0,
    "on_since_us": 0,
}

Fault = tuple[str, Plant, Mapping[str, int]]
"""The theorem that must fall, the fault, and the integers that are pinned down."""

FAULTS: Final[tuple[Fault, ...]] = (
    ("every source of two", Plant(RULES, "limits.charge_nc * 1_000\n", "limits.charge_nc * 1_000_000\n", "a thousandfold charge"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(RULES, "limits.mean_dc_na * 1_000_000", "limits.mean_dc_na * 1_000_001", "a little more DC"), LITTLE_DC),
    ("every source of two", Plant(RULES, "rms_ua**2 * PERIODS * den // num", "rms_ua**2 * PERIODS", "R4 forgotten for rms"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(RULES, "return self.limits.energy_uj * SQUARE_PER_UJ * den // num", "return -(-self.limits.energy_uj * SQUARE_PER_UJ * den // num)", "energy rounded up"), LITTLE_ENERGY),
    ("every source of two", Plant(RULES, "first * charge + recovery * recovery * back", "first * charge", "one phase's energy"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(RULES, "takes, dense = width + gap + back, rate * pulses", "takes, dense = width + gap + back, rate", "a doublet's DC"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(RULES, "net = abs(charge - recovery * back)", "net = charge - recovery * back", "one sign only"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(RULES, "takes, dense = width + gap + back, rate", "takes, dense = width + back, rate", "gap left out"), TRAIN | AREAS),
    ("every source of two", Plant(RULES, "den // (10_000_000 * num)", "den // (1_000_000 * num)", "a tenfold density"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(RULES, "area_um2 * 20_000 * den", "area_um2 * 40_000 * den", "twice the power"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(WORDS, "pulse_rate = train.rate_mhz * pulses", "pulse_rate = train.rate_mhz", "one of a doublet"), SMALL_TRAIN | AREAS),
    ("every source of two", Plant(WORDS, "(BURST_RATE_MHZ if pulses > DOUBLET else pulse_rate)", "pulse_rate", "a burst's rms with its pauses"), BURST | AREAS),
    ("every source of two", Plant(RULES, "takes, dense = APART_US, BURST_RATE_MHZ", "takes, dense = APART_US, dense", "a burst's DC with its pauses"), BURST | AREAS),
    ("every source of two", Plant(RULES, "takes, dense = APART_US, BURST_RATE_MHZ", "dense = BURST_RATE_MHZ", "a burst longer than its period"), BURST | {"rate_mhz": 12_000} | AREAS),
    ("every source of two", Plant(RULES, "if takes > APART_US:", "if takes < 0:", "pulses that meet inside a burst"), BURST | {"interphase_gap_us": 9_700} | AREAS),
    ("every source of two", Plant(LIMITS, "(max if f.name in _MINIMA else min)", "(min if f.name in _MINIMA else max)", "widened"), SMALL_TRAIN | AREAS),
    ("nothing too much", Plant(RULES, "0 <= gap <= lim.interphase_gap_max_us", "0 <= gap < lim.interphase_gap_max_us", "edge lost"), EDGE),
    (FIRST, Plant(PLACING, "area = min(pad.area_um2", "area = max(pad.area_um2", "the largest pad in place of the smallest"), {}),
    (FIRST, Plant(LIMITS, "return replace(limits, pulses_per_period_max=MOTOR_PULSES_MAX)", "return limits", "bursts of pulses for muscles"), {}),
    (FIRST, Plant(LIMITS, "power_density_uw_cm2 // 4", "power_density_uw_cm2 // 2", "half in place of a quarter"), {}),
    (FIRST, Plant(LIMITS, "if smallest_pad_um2 < SMALL_PAD_UM2:", "if smallest_pad_um2 <= SMALL_PAD_UM2:", "one µm² off"), {}),
    ("roundings", Plant(WORDS, "return -(-numerator // denominator)", "return numerator // denominator", "rounded down"), {}),
    ("roundings", Plant(WORDS, "isqrt(quotient - 1) + 1", "isqrt(quotient) + 1", "squares one too high"), {}),
    ("limits", Plant(PLACING, "is not int or value < 0", "is not int or value < -1", "a bound below zero"), {}),
    ("placements, two pads", Plant(PLACING, "PAD_AREA_MIN_UM2 <= pad.area_um2", "0 <= pad.area_um2", "a pad of no area"), {}),
    ("plans, motor", Plant(PLACING, "burst.ramp_up_us + burst.hold_us + burst.ramp_down_us", "burst.ramp_up_us + burst.hold_us", "ramps down are on as well"), {}),
    ("burst", Plant(ACCOUNTS, "* (1_000 - duty), duty)", "* (1_000 - duty), 1_000)", "rest as a share of the whole"), {}),
    ("burst", Plant(ACCOUNTS, "self._on_since_us < self.limits.on_time_us", "self._on_since_us <= self.limits.on_time_us", "one µs on"), {}),
    ("shared by two", Plant(RULES, "square * len(loads) <= self._mean_square", "square <= self._mean_square", "as if never at once"), SHARED),
    ("shared by two", Plant(PULSE, "math.isqrt(4 * a * b - 1) + 1", "math.isqrt(2 * a * b - 1) + 1", "half of the product"), SHARED),
    ("raise", Plant(WORDS, "old.charge_pc * higher // peak", "old.charge_pc * (higher + 1) // peak", "a step and a bit"), LEVEL),
    ("raise", Plant(ACCOUNTS, "lim.rise_ua_per_s * waited_us // SECOND", "lim.rise_ua_per_s * waited_us // MS", "per ms"), LEVEL),
    ("rising", Plant(WORDS, "max(rise, ceil_div((new", "max(rise, -ceil_div((new", "charge no rise"), LEVEL),
    ("ramp", Plant(ACCOUNTS, "self._credit -= rise * ramp_us", "self._credit -= rise", "a rise that costs next to nothing"), LEVEL),
    ("ramp", Plant(ACCOUNTS, "if credit < most else most", "if credit > most else most", "credit without end"), LEVEL),
    ("site", Plant(ACCOUNTS, "self._counted_to_us = now_us\n\n    def warm", "self._counted_to_us = self._counted_to_us\n\n    def warm", "twice"), {}),
    (GIVEN, Plant(ACCOUNTS, "        if not self.level.covers(s):\n", "        if self.level.covers(s):\n", "the level upside down"), COMMAND),
    (GIVEN, Plant(SAFETY, "                if self._treating:\n", "                if not self._treating:\n", "the ceiling is not asked for"), COMMAND),
    (GIVEN, Plant(SAFETY, "self._approved_at_us > SILENCE_US", "self._approved_at_us > 2 * SILENCE_US", "twice the silence"), COMMAND),
)  # fmt: skip
