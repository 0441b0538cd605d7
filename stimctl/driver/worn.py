"""One armed session with a board that keeps no ceilings of its own: what waits, what is out, what the board has taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, final

from stimctl.driver.words import Setup
from stimctl.errors import OurBug
from stimctl.pulse import Command, Output, PulseTrain
from stimctl.safety import Approved, Latch
from stimctl.units import MS

LOOK_US: Final = 200 * MS
"""How often an armed board is asked how its outputs are. Also what keeps it going, so far below its own time-out."""

WAIT_US: Final = 300 * MS
"""By then the newest setting must have left: it waits for one answer at most, and the board delivers an older one."""

LOOKS_RUNNING: Final = 2
"""H22, F.3: what only seems wrong counts from the second look running."""

_U32: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000


@final
class Worn:
    """From the order to arm until the end. Knows nothing of states or bytes."""

    def __init__(self, latch: Latch, setups: Iterable[Setup]) -> None:
        self._latch = latch
        self._ceilings = {setup.output: setup for setup in setups}
        self.is_sent = False
        """Whether the word that arms may have left; from then on the board may be armed, whatever it has said."""
        self.waiting: Approved | None = None
        self.waiting_us = 0
        """Since when the newest setting waits, or one that it took the place of."""
        self.out: Command | None = None
        """What is on its way and not yet answered."""
        self.taken: Command | None = None
        """What the board has taken, by its own word; ``None``: nothing yet."""
        self.dropped = 0
        self.wants_look = False
        self._looked_us: int | None = None
        self._counter = self._looked_counter = 0
        self._strikes: Counter[tuple[str, int]] = Counter()

    @property
    def outputs(self) -> frozenset[int]:
        """The outputs that have a part in this session."""
        return frozenset(self._ceilings)

    def ceiling(self, output: int) -> Setup:
        """The most that an output may deliver in this session."""
        return self._ceilings[output]

    # --- settings --------------------------------------------------------------------------------------------------

    def put(self, approved: Approved, now_us: int) -> None:
        """Keep what is to be sent: one at most, the newest. Raises :class:`OurBug` for what was not approved for this."""
        if approved.latch is not self._latch:
            raise OurBug("approved under another latch than the one that stops this driver")
        for output in approved.command.outputs:
            self._check(output)
        if self.waiting is not None:
            self.dropped += 1
        else:
            self.waiting_us = now_us
        self.waiting = approved

    def _check(self, output: Output) -> None:
        """The ceilings once more: this board does not know them."""
        ceiling = self._ceilings.get(output.channel)
        if ceiling is None:
            raise OurBug(f"output {output.channel} is not part of what was armed")
        if not _is_below(output.train, ceiling):
            raise OurBug(f"output {output.channel}: {output.train} is beyond the ceiling {ceiling}")

    def take_waiting(self) -> Approved | None:
        """What is to be sent now; what a stop has made void is dropped and counted."""
        approved, self.waiting = self.waiting, None
        if approved is not None and not approved.is_live():
            self.dropped += 1
            return None
        return approved

    def was_taken(self) -> None:
        """The board has taken what was on its way."""
        self.taken, self.out = self.out, None

    def is_overdue(self, now_us: int) -> bool:
        """Whether the newest setting has waited for too long: the board delivers an older one."""
        return self.waiting is not None and now_us - self.waiting_us >= WAIT_US

    def narrow(self, setups: Iterable[Setup]) -> None:
        """Replace ceilings by lower ones; raises :class:`OurBug` for a higher one, and for another output."""
        for setup in setups:
            now = self._ceilings.get(setup.output)
            if now is None or not _is_narrower(setup, now):
                raise OurBug(f"{setup} is no narrower than {now}")
            self._ceilings[setup.output] = setup

    def told_ua(self, output: int) -> int:
        """What the board has taken for an output, µA."""
        return 0 if self.taken is None else self.taken.amplitude_ua(output)

    # --- the dead-man ----------------------------------------------------------------------------------------------

    def beat(self, counter: int, now_us: int) -> None:
        """The control loop has come round; a look is owed to it when the last one is long enough ago.

        One look for one advance of the counter: a loop that hangs, or is imitated, keeps nothing going. Not before the board
        has taken a setting: until then nothing runs that could be kept going.
        """
        self._counter = counter & _U32
        if self._latch.tripped or self.taken is None or self.wants_look:
            return
        advanced = 0 < (self._counter - self._looked_counter) & _U32 < _HALF
        if advanced and (self._looked_us is None or now_us - self._looked_us >= LOOK_US):
            self.wants_look = True
            self._looked_counter, self._looked_us = self._counter, now_us

    # --- read-back -------------------------------------------------------------------------------------------------

    def holds(self, what: str, output: int, *, wrong: bool) -> bool:
        """Whether ``wrong`` has held for enough looks running."""
        strikes = self._strikes[what, output] + 1 if wrong else 0
        self._strikes[what, output] = strikes
        return strikes >= LOOKS_RUNNING


def _is_below(train: PulseTrain, ceiling: Setup) -> bool:
    return (
        0 <= train.amplitude_ua <= ceiling.amplitude_ua
        and 0 <= train.recovery_amplitude_ua <= ceiling.amplitude_ua
        and train.phase_width_us <= ceiling.phase_width_us
        and train.interphase_gap_us <= ceiling.interphase_gap_us
        and train.recovery_width_us <= ceiling.recovery_width_us
        and train.rate_mhz <= ceiling.rate_mhz
        and train.pulses_per_period <= ceiling.pulses_per_period
    )


def _is_narrower(setup: Setup, than: Setup) -> bool:
    return (
        setup.amplitude_ua <= than.amplitude_ua
        and setup.phase_width_us <= than.phase_width_us
        and setup.interphase_gap_us <= than.interphase_gap_us
        and setup.recovery_width_us <= than.recovery_width_us
        and setup.rate_mhz <= than.rate_mhz
        and setup.pulses_per_period <= than.pulses_per_period
    )
