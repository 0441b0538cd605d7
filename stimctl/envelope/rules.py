"""The rules that need no memory: is this train, this placement, this shared pad inside its bounds?

Everything is exact integer arithmetic: roots are avoided by comparing squares, and every check reads "unless inside,
refuse". Where the clinical reference leaves a choice, the stricter reading is taken:

* Net charge is a share of the FIRST phase's charge (A.6's Q), and a recovery phase never exceeds the first phase's
  amplitude, so the amplitude that is shown is always the peak that is delivered.
* R4's factor 6/5 applies to rms, both densities and energy of the absolute column, so 36/25 on squares.
* A burst, which is more than two pulses in a period, is judged by what flows inside it, in rms, densities and mean DC
  (A.6), and has to have room for its pulses 10 ms apart.
* Charge density has no bound in A.5; it is reported (:func:`stimctl.pulse.figures`), not judged. Shannon's k permits
  and refuses nothing (A.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt
from typing import Final, NamedTuple, final

from stimctl.envelope.words import (
    PERIODS,
    Finding,
    Row,
    Rule,
    Strength,
    ceil_div,
    ceil_root,
    strength,
)
from stimctl.limits import (
    ACCURACY_DEN,
    ACCURACY_NUM,
    Limits,
    narrow,
)
from stimctl.pulse import (
    APART_US,
    BURST_RATE_MHZ,
    DOUBLET,
    PulseTrain,
    busy_us,
    coincident_square,
    dense_rate_mhz,
    net_charge_pc,
    pulse_square_ua2us,
    pulse_us,
)

SQUARE_PER_UJ: Final = 2_000_000_000
"""µA² µs of a pulse that has 1 µJ at 500 ohm: 1e-6 J / 500 ohm is 2e-9 A² s."""


@final
class Source(NamedTuple):
    """One set of limits with its name, as it applies to a pad of ``area_um2``; with R4's factor if ``accuracy``.

    ``of_output``: its peak and charge bound one output (a board's, a file's), not what outputs add up to in the skin.
    """

    name: str
    limits: Limits
    area_um2: int
    accuracy: bool = False
    of_output: bool = False

    def most_square(self) -> int:
        """The largest square of one pulse, in µA² µs: its energy is 500 ohm times that, in 1e-18 J, so 2e9 per µJ."""
        num, den = self._accuracy()
        return self.limits.energy_uj * SQUARE_PER_UJ * den // num

    def most_mean_square(self) -> int:
        """The largest mean square m = Irms² 1e9 that rms, rms density and power density all allow."""
        num, den = self._accuracy()
        return min(self.limits.rms_ua**2 * PERIODS * den // num, self.most_density())

    def most_density(self) -> int:
        """The same for the two densities alone.

        rms density: (Irms 1e8 / A)² <= J² gives m <= (J A)² / 1e7. Power density in µW/cm²:
        Irms² 500e-6 1e8 / A <= P gives m <= 20_000 P A.
        """
        num, den = self._accuracy()
        return min(
            (self.limits.rms_density_ua_cm2 * self.area_um2) ** 2 * den // (10_000_000 * num),
            self.limits.power_density_uw_cm2 * self.area_um2 * 20_000 * den // num,
        )

    def findings(self, train: PulseTrain, s: Strength, channel: int | None = None) -> Iterator[Finding]:
        """Every bound that a well-typed train passes, named; the first is the one that a refusal states.

        Values are rounded up to the unit of their bound. That is exact: a number is at most a whole bound if, and
        only if, the number rounded up is.
        """
        for rule, value, least, most, unit in (*self._pulse_rows(train), *self._sum_rows(train, s)):
            if not least <= value <= most:
                yield Finding(rule, value, least if value < least else most, unit, channel, self.name)

    def _pulse_rows(self, t: PulseTrain) -> tuple[Row, ...]:
        """What can be read off the train itself."""
        lim, first = self.limits, t.amplitude_ua
        fits = PERIODS // t.rate_mhz if t.rate_mhz > 0 else 0
        return (
            (Rule.PEAK, first, 0, lim.peak_ua, "µA"),
            (Rule.PHASE_WIDTH, t.phase_width_us, lim.phase_width_min_us, lim.phase_width_max_us, "µs"),
            (Rule.GAP, t.interphase_gap_us, 0, lim.interphase_gap_max_us, "µs"),
            (Rule.RECOVERY, t.recovery_amplitude_ua, 0, first, "µA"),
            (Rule.RECOVERY, t.recovery_width_us, 0, PERIODS, "µs"),
            (Rule.RATE, t.rate_mhz, lim.rate_min_mhz, lim.rate_max_mhz, "mHz"),
            (Rule.PULSES, t.pulses_per_period, 1, lim.pulses_per_period_max, "pulses"),
            (Rule.PULSE_FITS_PERIOD, busy_us(t), 0, fits, "µs"),
            *(((Rule.PULSE_FITS_PERIOD, pulse_us(t), 0, APART_US, "µs"),) if t.pulses_per_period > DOUBLET else ()),
        )

    def _sum_rows(self, t: PulseTrain, s: Strength) -> tuple[Row, ...]:
        """What has to be worked out (A.6)."""
        lim, (num, den) = self.limits, self._accuracy()
        net, first_charge = abs(net_charge_pc(t)), t.amplitude_ua * t.phase_width_us
        mean_dc_na = ceil_div(net * dense_rate_mhz(t), 1_000_000)
        energy_uj = ceil_div(pulse_square_ua2us(t) * num, den * SQUARE_PER_UJ)
        return (
            (Rule.CHARGE, ceil_div(s.charge_pc, 1_000), 0, lim.charge_nc, "nC"),
            (Rule.ENERGY, energy_uj, 0, lim.energy_uj, "µJ"),
            (Rule.NET_CHARGE, net, 0, lim.net_charge_permille * first_charge // 1_000, "pC"),
            (Rule.MEAN_DC, mean_dc_na, 0, lim.mean_dc_na, "nA"),
            (Rule.RMS, self.rms_ua(s.mean_square), 0, lim.rms_ua, "µA rms"),
            *self.density_rows(s.mean_square),
        )

    def rms_ua(self, mean_square: int) -> int:
        """The rms current of a mean square, rounded up, with R4's factor where it applies."""
        num, den = self._accuracy()
        return ceil_root(mean_square * num, PERIODS * den)

    def density_rows(self, mean_square: int) -> tuple[Row, Row]:
        """The two densities of a mean square on this pad, which channels may share."""
        lim, (num, den) = self.limits, self._accuracy()
        density = ceil_root(mean_square * num * 10_000_000, den * self.area_um2**2)
        power = ceil_div(mean_square * num, den * self.area_um2 * 20_000)
        return (
            (Rule.RMS_DENSITY, density, 0, lim.rms_density_ua_cm2, "µA/cm² rms"),
            (Rule.POWER_DENSITY, power, 0, lim.power_density_uw_cm2, "µW/cm²"),
        )

    def _accuracy(self) -> tuple[int, int]:
        """The factor on squares, as a fraction."""
        return (ACCURACY_NUM**2, ACCURACY_DEN**2) if self.accuracy else (1, 1)


@final
class Gate:
    """What every source of a channel allows, multiplied out once: the question asked of each command.

    It answers yes or no at speed; the sources, asked one by one, then name the breach. Two ways to the same
    judgement on purpose: the tests hold them against each other.
    """

    __slots__ = ("_charge_pc", "_dc", "_limits", "_mean_square", "_peak_ua", "_square", "sources")

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self.sources = sources
        self._limits = limits = narrow(*(source.limits for source in sources))
        self._peak_ua, self._charge_pc = limits.peak_ua, limits.charge_nc * 1_000
        self._dc = limits.mean_dc_na * 1_000_000
        self._square = min(source.most_square() for source in sources)
        self._mean_square = min(source.most_mean_square() for source in sources)

    def allows(self, t: PulseTrain, s: Strength) -> bool:
        """Whether a well-typed train of strength ``s`` is inside every bound of every source."""
        lim, first, width, rate = self._limits, t.amplitude_ua, t.phase_width_us, t.rate_mhz
        recovery, back = t.recovery_amplitude_ua, t.recovery_width_us
        gap, pulses = t.interphase_gap_us, t.pulses_per_period
        charge = first * width
        net = abs(charge - recovery * back)
        takes, dense = width + gap + back, rate * pulses
        if pulses > DOUBLET:
            if takes > APART_US:
                return False
            takes, dense = APART_US, BURST_RATE_MHZ
        return (
            0 <= recovery <= first <= self._peak_ua
            and lim.phase_width_min_us <= width <= lim.phase_width_max_us
            and 0 <= gap <= lim.interphase_gap_max_us
            and back >= 0
            and lim.rate_min_mhz <= rate <= lim.rate_max_mhz
            and 1 <= pulses <= lim.pulses_per_period_max
            and takes * pulses * rate <= PERIODS
            and s.charge_pc <= self._charge_pc
            and first * charge + recovery * recovery * back <= self._square
            and net * 1_000 <= lim.net_charge_permille * charge
            and net * dense <= self._dc
            and s.mean_square <= self._mean_square
        )

    def finding(self, train: PulseTrain, s: Strength, channel: int) -> Finding:
        """The first breach, source by source, of a train that :meth:`allows` refused."""
        for source in self.sources:
            for finding in source.findings(train, s, channel):
                return finding
        return Finding(Rule.FAULT, 0, 0, "breaches named", channel, "two judgements that disagree")

    def highest_peak_ua(self, train: PulseTrain) -> int:
        """The highest whole µA at which ``train``, scaled in exact proportion, is allowed; 0 if there is none."""
        s, net = strength(train), abs(net_charge_pc(train))
        peak = s.peak_ua
        if not (peak > 0 and self._shape_fits(train, s)):
            return 0
        return min(
            _highest_ua(s, self._peak_ua, self._charge_pc, self._mean_square),
            isqrt(self._square * peak * peak // pulse_square_ua2us(train)),
            self._dc * peak // (net * dense_rate_mhz(train)) if net else self._peak_ua,
        )

    def _shape_fits(self, train: PulseTrain, s: Strength) -> bool:
        """Whether everything that does not grow with the amplitude is inside."""
        return all(f.rule in _GROWS for source in self.sources for f in source.findings(train, s))


def _highest_ua(s: Strength, peak_ua: int, charge_pc: int, mean_square: int) -> int:
    """The highest whole µA of a train of strength ``s``, scaled in proportion, under these three bounds."""
    peak = s.peak_ua
    return min(peak_ua, charge_pc * peak // s.charge_pc, isqrt(mean_square * peak * peak // s.mean_square))


_GROWS: Final = frozenset(
    {Rule.PEAK, Rule.CHARGE, Rule.ENERGY, Rule.MEAN_DC, Rule.RMS, Rule.RMS_DENSITY, Rule.POWER_DENSITY}
)
"""The rules that a lower amplitude can satisfy."""


@final
class SharedPad:
    """A pad that several channels use, judged as if all their pulses came at the same moment (H41).

    A.6 adds squares up, which holds for pulses that never overlap. No board here promises that: peaks, charges and
    rms currents are added up as they are. Peak and charge of one output's own sources (board, file) bound one output
    and are left out; what bounds the skin, and every rms and density bound, applies to the sum.
    """

    __slots__ = ("_charge_pc", "_mean_square", "_peak_ua", "name", "sources")

    def __init__(self, name: str, sources: tuple[Source, ...]) -> None:
        self.name, self.sources = name, sources
        skin = [source.limits for source in sources if not source.of_output]
        self._peak_ua = min(limits.peak_ua for limits in skin)
        self._charge_pc = min(limits.charge_nc for limits in skin) * 1_000
        self._mean_square = min(source.most_mean_square() for source in sources)

    def allows(self, loads: Sequence[Strength]) -> bool:
        """Whether channels of these strengths are together inside every bound."""
        peak = charge = square = 0
        for s in loads:
            peak += s.peak_ua
            charge += s.charge_pc
            square += s.mean_square
        return (
            0 <= peak <= self._peak_ua
            and 0 <= charge <= self._charge_pc
            and square >= 0
            # (Σ √a)² is at most n Σ a: most commands need no root.
            and (square * len(loads) <= self._mean_square or _together(loads) <= self._mean_square)
        )

    def highest_peak_ua(self, s: Strength) -> int:
        """The highest whole µA at which a train of strength ``s``, scaled in proportion, is allowed by itself."""
        return _highest_ua(s, self._peak_ua, self._charge_pc, self._mean_square)

    def finding(self, loads: Sequence[Strength]) -> Finding:
        """The first bound that the sum passes."""
        for source in self.sources:
            for rule, value, most, unit in _pad_rows(source, loads):
                if not 0 <= value <= most:
                    return Finding(rule, value, most, unit, None, f"{source.name}, pad {self.name}")
        return Finding(Rule.FAULT, 0, 0, "breaches named", None, "two judgements that disagree")


def _together(loads: Sequence[Strength]) -> int:
    """The mean square of pulses that coincide."""
    return coincident_square([s.mean_square for s in loads])


def _pad_rows(source: Source, loads: Sequence[Strength]) -> Iterator[tuple[Rule, int, int, str]]:
    """What a source bounds on a shared pad: the rule, the sum, the most that is allowed, the unit."""
    lim, square = source.limits, _together(loads)
    if not source.of_output:
        yield Rule.SHARED_PAD_PEAK, sum(s.peak_ua for s in loads), lim.peak_ua, "µA"
        charge_nc = ceil_div(sum(s.charge_pc for s in loads), 1_000)
        yield Rule.SHARED_PAD_CHARGE, charge_nc, lim.charge_nc, "nC"
    yield Rule.SHARED_PAD_RMS, source.rms_ua(square), lim.rms_ua, "µA rms"
    for _, value, _, most, unit in source.density_rows(square):
        yield Rule.SHARED_PAD_DENSITY, value, most, unit
