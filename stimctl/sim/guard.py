"""The board's own limiter: written apart from the host's, from the board's own table, and trusting nothing above it.

It shares no code with ``safety``, not even the formulas, because a mistake that both made would be none to either.
The rules are those of ``hw/wire.md``; a rule's number is its place in the limits table.
"""

from __future__ import annotations

from math import isqrt
from typing import Final, NamedTuple, final

from stimctl.boards.reference.codes import NO_RULE, Reason
from stimctl.boards.reference.messages import Configure, LimitsTable
from stimctl.pulse import PulseTrain
from stimctl.sim.ledger import APART_US

TABLE: Final = LimitsTable(
    peak_ua=100_000,
    phase_width_min_us=20,
    phase_width_max_us=500,
    interphase_gap_max_us=500,
    rate_min_mhz=500,
    rate_max_mhz=200_000,
    pulses_per_period_max=10,
    charge_nc=30_000,
    rms_ua=50_000,
    energy_uj=300_000,
    net_charge_permille=50,
    mean_dc_na=100_000,
    ramp_up_min_us=200_000,
)
"""What the reference board allows at most: the absolute column of the project's limits, typed in a second time."""

RULE_PEAK, RULE_WIDTH_MIN, RULE_WIDTH_MAX, RULE_GAP, RULE_RATE_MIN, RULE_RATE_MAX, RULE_PULSES = range(7)
RULE_CHARGE, RULE_RMS, RULE_ENERGY, RULE_NET, RULE_DC, RULE_RAMP = range(7, 13)

AMPLITUDE_STEP_UA: Final = 100
_LEAST_RISE_UA: Final = 1_000  # a rise of 1 mA is never too fast
_DOUBLET: Final = 2  # more pulses than these in a period are a burst
_BURST_MHZ: Final = 100_000
_FORGIVEN_US: Final = 100_000  # what a busy host and line may do to the spacing of frames (50 ms and 50 ms)


def breach(train: PulseTrain, table: LimitsTable) -> int | None:
    """Number of the first rule that a train with non-zero amplitude breaks; ``None`` when it is inside all."""
    current, width, gap = train.amplitude_ua, train.phase_width_us, train.interphase_gap_us
    back, back_width = train.recovery_amplitude_ua, train.recovery_width_us
    first_pc, back_pc = current * width, back * back_width
    larger_pc, net_pc = max(first_pc, back_pc), abs(first_pc - back_pc)
    pulses = train.pulses_per_period
    per_s = _inside_mhz(train.rate_mhz, pulses)
    square = current * first_pc + back * back_pc  # µA² µs of one pulse
    inside = (
        # Amplitude is the first phase's, also where rises are judged: no higher one may hide behind it.
        0 < current <= table.peak_ua and 0 <= back <= current,
        width >= table.phase_width_min_us,
        width <= table.phase_width_max_us,
        0 <= gap <= table.interphase_gap_max_us,
        train.rate_mhz >= table.rate_min_mhz > 0,
        train.rate_mhz <= table.rate_max_mhz and _fit(width + gap + back_width, pulses, train.rate_mhz),
        1 <= pulses <= table.pulses_per_period_max,
        larger_pc <= table.charge_nc * 1_000,
        square * per_s <= table.rms_ua * table.rms_ua * 1_000_000_000,
        square * 500 <= table.energy_uj * 1_000_000_000_000,  # 1e-18 J into 500 ohm
        net_pc * 1_000 <= table.net_charge_permille * larger_pc,
        net_pc * per_s <= table.mean_dc_na * 1_000_000,  # pC times mHz is 1e-6 nA
    )
    return None if all(inside) else inside.index(False)


def _inside_mhz(rate_mhz: int, pulses: int) -> int:
    """Pulses in 1000 s while they flow: in a burst no fewer than 100 Hz, however long the pause behind it."""
    return rate_mhz * pulses if pulses <= _DOUBLET else max(rate_mhz * pulses, _BURST_MHZ)


def _fit(pulse_us: int, pulses: int, rate_mhz: int) -> bool:
    """Whether the pulses of a period have room in it; 1000 s have 1e9 µs. Those of a burst need 10 ms each."""
    if pulses <= _DOUBLET:
        return pulse_us * pulses * rate_mhz <= 1_000_000_000
    return pulse_us <= APART_US and APART_US * pulses * rate_mhz <= 1_000_000_000


def breach_of_setup(setup: Configure, table: LimitsTable) -> int | None:
    """Number of the first rule that a CONFIGURE exceeds. Amplitude 0 locks the output and is always inside."""
    if setup.amplitude_ua == 0:
        return None
    inside = (
        setup.amplitude_ua <= table.peak_ua,
        setup.phase_width_us >= table.phase_width_min_us,
        setup.phase_width_us <= table.phase_width_max_us,
        setup.interphase_gap_us <= table.interphase_gap_max_us,
        setup.rate_mhz >= table.rate_min_mhz,
        setup.rate_mhz <= table.rate_max_mhz,
        1 <= setup.pulses_per_period <= table.pulses_per_period_max,
    )
    return None if all(inside) else inside.index(False)


def within_setup(train: PulseTrain, setup: Configure | None) -> bool:
    """Whether a train stays inside what CONFIGURE allows; an output that was never configured is locked."""
    return (
        setup is not None
        and train.amplitude_ua <= setup.amplitude_ua
        and train.recovery_amplitude_ua <= setup.amplitude_ua
        and train.phase_width_us <= setup.phase_width_us
        and train.interphase_gap_us <= setup.interphase_gap_us
        and train.recovery_width_us <= setup.recovery_width_us
        and train.rate_mhz <= setup.rate_mhz
        and train.pulses_per_period <= setup.pulses_per_period
    )


def widens(new: Configure, old: Configure | None) -> bool:
    """Whether ``new`` allows anything that ``old`` did not."""
    if old is None or old.amplitude_ua == 0:
        return new.amplitude_ua > 0
    pairs = (
        (new.amplitude_ua, old.amplitude_ua),
        (new.phase_width_us, old.phase_width_us),
        (new.interphase_gap_us, old.interphase_gap_us),
        (new.recovery_width_us, old.recovery_width_us),
        (new.rate_mhz, old.rate_mhz),
        (new.pulses_per_period, old.pulses_per_period),
    )
    return not all(mine <= before for mine, before in pairs)


@final
class Ramp:
    """How fast one output may rise: from zero to its ceiling in ``ramp_up_min_us``, whatever the frames' spacing.

    An account in time: waiting fills it, up to 100 ms (or what 1 mA costs, if more), and a rise takes from it what
    it would take at the steepest slope. Many small rises in quick frames so gain nothing over a few large ones. A rise
    may overdraw the account by less than one amplitude step.
    """

    def __init__(self, ceiling_ua: int, ramp_us: int, now_us: int) -> None:
        self._ramp = ramp_us
        self.ceiling_ua = ceiling_ua
        # Half of the forgiven time is there at once, the other half comes with waiting.
        self._empty_at_us = now_us - max(_FORGIVEN_US // 2, self._cost_us(_LEAST_RISE_UA))

    def allows(self, rise_ua: int, now_us: int) -> bool:
        """Whether the output may rise by ``rise_ua`` now."""
        return rise_ua <= 0 or self._cost_us(rise_ua) < self._filled_us(now_us) + self._cost_us(AMPLITUDE_STEP_UA)

    def take(self, rise_ua: int, now_us: int) -> None:
        """The output rises (or, negative, falls, which gives nothing back)."""
        if rise_ua > 0:
            self._empty_at_us = now_us - self._filled_us(now_us) + self._cost_us(rise_ua)

    def _filled_us(self, now_us: int) -> int:
        return min(max(_FORGIVEN_US, self._cost_us(_LEAST_RISE_UA)), now_us - self._empty_at_us)

    def _cost_us(self, rise_ua: int) -> int:
        return -(-rise_ua * self._ramp // self.ceiling_ua) if self.ceiling_ua > 0 else self._ramp


class Refused(NamedTuple):
    """Why something was not carried out: the wire's reason, and the number of the rule if one stands behind it."""

    reason: Reason
    rule: int = NO_RULE


@final
class Guard:
    """The second limiter of one session: the table, the outputs that ARM admitted, and what CONFIGURE allows them."""

    def __init__(self, table: LimitsTable, mask: int) -> None:
        self._table, self._mask = table, mask
        self._setups: dict[int, Configure] = {}
        self._ramps: dict[int, Ramp] = {}
        self._delivered = False

    def admits(self, output: int) -> bool:
        """Whether ARM named this output."""
        return bool(self._mask >> output & 1)

    def configure(self, setup: Configure, *, now_us: int) -> Refused | None:
        """Take over what an output may deliver, or say why not; once anything was delivered, nothing grows."""
        if not self.admits(setup.output):
            return Refused(Reason.OUTPUT)
        rule = breach_of_setup(setup, self._table)
        if rule is not None:
            return Refused(Reason.LIMIT, rule)
        if self._delivered and widens(setup, self._setups.get(setup.output)):
            return Refused(Reason.WIDENING)
        self._setups[setup.output] = setup
        # The account of rises lives on: else a CONFIGURE before each UPDATE would fill it afresh.
        ramp = self._ramps.setdefault(setup.output, Ramp(setup.amplitude_ua, self._table.ramp_up_min_us, now_us))
        ramp.ceiling_ua = setup.amplitude_ua
        return None

    def still_allows(self, output: int, train: PulseTrain) -> bool:
        """Whether a train that flows is inside what its output may deliver now."""
        return within_setup(train, self._setups.get(output))

    def judge(self, output: int, train: PulseTrain, before: PulseTrain | None, now_us: int) -> Refused | None:
        """Why ``train`` must not follow ``before`` at an output that ARM admitted."""
        if train.amplitude_ua % AMPLITUDE_STEP_UA:
            return Refused(Reason.MALFORMED)
        rule = breach(train, self._table)
        if rule is not None:
            return Refused(Reason.LIMIT, rule)
        if not within_setup(train, self._setups.get(output)):
            return Refused(Reason.CEILING)
        rises = self._ramps[output].allows(self._rise_ua(output, train, before), now_us)
        return None if rises else Refused(Reason.RISE, RULE_RAMP)

    def take(self, output: int, train: PulseTrain, before: PulseTrain | None, now_us: int) -> None:
        """``train`` now flows at ``output``."""
        self._delivered = True
        self._ramps[output].take(self._rise_ua(output, train, before), now_us)

    def _rise_ua(self, output: int, train: PulseTrain, before: PulseTrain | None) -> int:
        """The largest of the rises in amplitude, charge and rms; negative when the output falls in all three."""
        setup = self._setups[output]
        new = _heights_ua(train, setup)
        old = (0, 0, 0) if before is None else _heights_ua(before, setup)
        return max(now - then for now, then in zip(new, old, strict=True))


def _heights_ua(train: PulseTrain, setup: Configure) -> tuple[int, int, int]:
    """Amplitude, charge and rms; the last two as the amplitude that has them at the most that CONFIGURE allows.

    So a wider or faster pulse at an unchanged amplitude is a rise like any other (H39).
    """
    current, back = train.amplitude_ua, train.recovery_amplitude_ua
    first_pc, back_pc = current * train.phase_width_us, back * train.recovery_width_us
    square = (current * first_pc + back * back_pc) * _inside_mhz(train.rate_mhz, train.pulses_per_period)
    inside = _inside_mhz(setup.rate_mhz, setup.pulses_per_period)
    widest = 2 * setup.phase_width_us * inside  # of both phases, per µA²
    return current, max(first_pc, back_pc) // setup.phase_width_us, isqrt(square // widest)
