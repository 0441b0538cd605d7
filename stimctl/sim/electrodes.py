"""The last stage of one output: what is commanded, what the pads let through, and what the board measures of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final, final

from stimctl.boards.reference.codes import Cause, Trouble
from stimctl.boards.reference.messages import OutputReport
from stimctl.pulse import PulseTrain, period_ps, symmetric
from stimctl.sim.faults import FaultKind, FaultPlan
from stimctl.sim.ledger import Ledger
from stimctl.units import MINUTE, MicroAmp

COMPLIANCE_MV: Final = 120_000
"""Most voltage of the output stage: 120 V, so that 100 mA pass 1.2 kohm; more contact resistance lowers the current."""

DEFAULT_OHM: Final = 1_000
"""A fresh 5 x 5 cm gel pad pair with the tissue between, for short pulses (0.5 to 2 kohm, general knowledge)."""

SHORT_OHM: Final = 100
OPEN_OHM: Final = 20_000
"""Below and above these, the board calls the contact short or open."""

LEAD_OFF_US: Final = 5_000
"""An open contact is noticed within this, whether or not pulses flow (a sense current far below perception)."""

DRIFT_STEP_US: Final = 1_000_000
"""How often a drifting impedance is brought up to date."""

_RESTING: Final = OutputReport(0, 0, None)

_STUCK_WIDTH_US, _STUCK_MHZ = 250, 35_000
_OFF_UA, _OFF_SHARE = 2_000, 5  # wrong current: off by more than 2 mA and more than a fifth


@final
class Stage:
    """One output. ``wanted`` is what it has been told; the :class:`~stimctl.sim.ledger.Ledger` has what flows."""

    def __init__(self, output: int, plan: FaultPlan, *, gain_permille: int, keep: int | None) -> None:
        self.output = output
        self.ledger = Ledger(keep)
        self.wanted: PulseTrain | None = None
        self.contact_ohm: int = DEFAULT_OHM
        self._wrong = False  # the board has found the current to be wrong
        self._plan = plan
        self._gain_permille = gain_permille
        self._wrong_due_us: int | None = None
        self._open_due_us: int | None = None
        self._measured_ohm: int | None = None

    def impedance_ohm(self, now_us: int) -> int:
        """Contact impedance now: a peeling pad's grows as its area shrinks (clinical reference, A.6)."""
        if self._plan.quiet:
            return self.contact_ohm
        if self._plan.has(FaultKind.CONTACT_SHORT, self.output):
            return SHORT_OHM // 2
        if self._plan.has(FaultKind.CONTACT_OPEN, self.output):
            return 100 * OPEN_OHM
        ohm = self.contact_ohm
        peel = self._plan.get(FaultKind.CONTACT_PEEL, self.output)
        if peel is not None:
            ohm = ohm * 1_000 // max(1, peel.value)
        drift = self._plan.get(FaultKind.IMPEDANCE_DRIFT, self.output)
        if drift is not None:
            ohm += ohm * drift.value * (now_us - drift.at_us) // (1_000 * MINUTE)
        return max(1, ohm)

    def drive(self, train: PulseTrain | None, now_us: int) -> bool:
        """Tell the stage; whether what flows has changed."""
        self.wanted = None if train is None or train.amplitude_ua == 0 else train
        return self.refresh(now_us)

    def refresh(self, now_us: int) -> bool:
        """Bring what flows up to date with command, contact and faults; whether it has changed."""
        before = self.ledger.train
        if before is not None and self.ledger.newest_pulse_ua(now_us) is not None:
            self._measured_ohm = self.impedance_ohm(now_us)
        flowing = self._let_through(now_us)
        self.ledger.set(flowing, now_us)
        self._watch(now_us)
        return self.ledger.train != before

    def due_us(self) -> int | None:
        """When the board will have noticed a fault of this output, unless it goes away before."""
        if self._open_due_us is None or self._wrong_due_us is None:
            return self._open_due_us or self._wrong_due_us
        return min(self._open_due_us, self._wrong_due_us)

    def notice(self, now_us: int) -> Cause | None:
        """What the board notices about this output now. A wrong current is noticed once, until it has been right."""
        if self._wrong_due_us is not None and self._wrong_due_us <= now_us:
            self._wrong, self._wrong_due_us = True, None
            return Cause.OUTPUT_FAULT
        if self._open_due_us is not None and self._open_due_us <= now_us:
            self._open_due_us = None
            return Cause.CONTACT_LOST
        return None

    def trouble(self, now_us: int) -> Trouble:
        """What is wrong with this output now."""
        ohm = self.impedance_ohm(now_us)
        trouble = Trouble.OPEN if ohm >= OPEN_OHM else Trouble.SHORT if ohm <= SHORT_OHM else Trouble.NONE
        if self._plan.quiet and not self._wrong:
            return trouble
        if self._wrong and self._off():
            trouble |= Trouble.CURRENT
        if self._plan.has(FaultKind.HOT, self.output):
            trouble |= Trouble.HOT
        if self._plan.has(FaultKind.HARDWARE, self.output):
            trouble |= Trouble.HARDWARE
        return trouble

    def forget(self) -> None:
        """A new session begins: what was measured in an earlier one was of other pads, perhaps."""
        self._measured_ohm = None

    def report(self, now_us: int, noise: float) -> OutputReport:
        """What the board says of this output; ``noise`` is this reading's relative error."""
        if self._rests:
            return _RESTING
        trouble = self.trouble(now_us)
        newest = self.ledger.newest_pulse_ua(now_us)
        if self.ledger.train is not None and newest is not None:
            self._measured_ohm = self.impedance_ohm(now_us)
        ohm = self._measured_ohm
        if ohm is not None:
            ohm = None if trouble is not Trouble.NONE and trouble & Trouble.OPEN else round(ohm * (1 + noise))
        return OutputReport(self._commanded_ua(), self._measured_ua(newest, noise), ohm, trouble)

    @property
    def _rests(self) -> bool:
        """Whether this output has put out nothing since it was armed and nothing is wrong: its reports are the same."""
        idle = self.wanted is None and self.ledger.train is None and self._measured_ohm is None
        return idle and self._plan.quiet and not self._wrong and SHORT_OHM < self.contact_ohm < OPEN_OHM

    def _measured_ua(self, newest_ua: int | None, noise: float) -> int:
        if self._plan.has(FaultKind.LYING_READBACK, self.output):
            return self._commanded_ua()
        return round((newest_ua or 0) * (self._gain_permille / 1_000) * (1 + noise))

    def _let_through(self, now_us: int) -> PulseTrain | None:
        """The train that flows, given the contact; a stuck stage does not listen to commands."""
        stuck = self._plan.get(FaultKind.STUCK_OUTPUT, self.output)
        train = self.wanted if stuck is None else symmetric(stuck.value, _STUCK_WIDTH_US, _STUCK_MHZ)
        ohm = self.impedance_ohm(now_us)
        if train is None or ohm >= OPEN_OHM:
            return None
        return clipped(train, COMPLIANCE_MV * 1_000 // ohm)

    def _commanded_ua(self) -> int:
        return 0 if self.wanted is None else self.wanted.amplitude_ua

    def _off(self) -> bool:
        off = abs(self.ledger.current_ua() - self._commanded_ua())
        return off > _OFF_UA and off * _OFF_SHARE > self._commanded_ua()

    def _watch(self, now_us: int) -> None:
        """Start or stop the clocks of the board's own checks."""
        blind = self._plan.has(FaultKind.NO_SELF_CHECK, self.output)
        is_open = self.wanted is not None and not blind and self.impedance_ohm(now_us) >= OPEN_OHM
        self._open_due_us = None if not is_open else self._open_due_us or now_us + LEAD_OFF_US
        train = self.ledger.train
        if train is None or blind or not self._off():
            self._wrong_due_us = None
            self._wrong = self._wrong and self._off()
        elif self._wrong_due_us is None and not self._wrong:
            self._wrong_due_us = now_us + 2 * period_ps(train) // 1_000_000  # two pulses


def clipped(train: PulseTrain, most_ua: int) -> PulseTrain | None:
    """The train as far as the compliance voltage carries it, its phases still balanced; ``None`` if nothing is left."""
    if train.amplitude_ua <= most_ua and train.recovery_amplitude_ua <= most_ua:
        return train
    first, back = train.amplitude_ua, train.recovery_amplitude_ua
    unit = math.gcd(first, back)
    parts = most_ua * unit // max(first, back)  # scaled down to a whole µA in both phases
    if parts <= 0:
        return None
    return replace(
        train, amplitude_ua=MicroAmp(first // unit * parts), recovery_amplitude_ua=MicroAmp(back // unit * parts)
    )
