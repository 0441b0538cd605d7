"""What really flowed at one output: every change, every pulse, and the sums, exact to the pC.

Kept by arithmetic and not pulse by pulse: between two changes the pulses stand at known times, so an hour of
stimulation costs nothing until somebody asks for its pulses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple, final

from stimctl.pulse import PulseTrain, net_charge_pc, period_ps, phase_charge_pc, pulse_us

APART_US: Final = 10_000
"""Interval between the pulses of one period: doublets have less where their period is too short for it."""

_PS: Final = 1_000_000


class Exact(NamedTuple):
    """What a train cannot tell: its period where that is no whole number of mHz, pulses that are not of two plain phases.

    ``apart_us`` lies between the pulses of one period; ``charge_pc`` is that of a pulse's largest phase, ``net_pc`` what
    is left after it, ``peak_ua`` the highest current of either sign.
    """

    period_us: int
    apart_us: int
    charge_pc: int
    net_pc: int
    peak_ua: int


class Stretch(NamedTuple):
    """``train`` flowed in ``[start_us, end_us)``; its periods count from ``anchor_us``, ``period_ps`` apart."""

    start_us: int
    end_us: int
    anchor_us: int
    train: PulseTrain
    exact: Exact | None = None

    @property
    def period_ps(self) -> int:
        """Length of one period in ps."""
        return period_ps(self.train) if self.exact is None else self.exact.period_us * _PS

    @property
    def sums(self) -> tuple[int, int, int]:
        """Charge and net charge of one pulse in pC, and its peak in µA."""
        train = self.train
        if self.exact is not None:
            return self.exact.charge_pc, self.exact.net_pc, self.exact.peak_ua
        return phase_charge_pc(train), net_charge_pc(train), max(train.amplitude_ua, train.recovery_amplitude_ua)

    def counts(self, first_us: int, end_us: int) -> Iterator[tuple[int, int, int]]:
        """For each pulse of a period: its own anchor, and the half-open range of periods in ``[first_us, end_us)``."""
        period = self.period_ps
        apart_us = APART_US if self.exact is None else self.exact.apart_us
        inner = min(apart_us, period // _PS // self.train.pulses_per_period)
        for position in range(self.train.pulses_per_period):
            anchor = self.anchor_us + position * inner
            # The k-th pulse is at anchor + k * period rounded down, so the first at or after t is k = ceil((t - anchor) / period).
            low = max(0, -(-(first_us - anchor) * _PS // period))
            yield anchor, low, max(low, -(-(end_us - anchor) * _PS // period))


@final
class Ledger:
    """The record of one output. ``keep`` bounds how many stretches are remembered; the sums go on for ever."""

    def __init__(self, keep: int | None = None) -> None:
        self.stretches: deque[Stretch] = deque(maxlen=keep)
        self.train: PulseTrain | None = None
        self.exact: Exact | None = None
        self.pulses = 0
        self.charge_pc = 0
        self.net_pc = 0
        self.peak_ua = 0
        self.on_us = 0
        self._since_us = self._anchor_us = 0
        self._last_pulse_us: int | None = None
        self._last_ua = 0

    def set(
        self, train: PulseTrain | None, now_us: int, *, first_us: int | None = None, exact: Exact | None = None
    ) -> None:
        """From ``now_us`` on, ``train`` flows; ``None`` or zero amplitude: nothing. Times must not run backwards.

        ``first_us`` is a time at which the board has, or would have, begun a pulse; a board that has a pulse clock of
        its own tells it. Without one the clock is the reference board's, which knows no quick restarts. ``exact`` is
        what the train cannot tell.
        """
        train = None if train is None or train.amplitude_ua == 0 or train.rate_mhz == 0 else train
        exact = None if train is None else exact
        if (train, exact) == (self.train, self.exact) and first_us in (None, self._anchor_us):
            return
        before = self.train
        self._close(now_us)
        self.train, self.exact, self._since_us = train, exact, now_us
        if train is None:
            return
        if first_us is not None:
            self._anchor_us = first_us
            return
        in_step = before is not None and (before.rate_mhz, before.pulses_per_period) == (
            train.rate_mhz,
            train.pulses_per_period,
        )
        if not in_step:
            # The pulse clock never starts sooner than one period after the newest pulse: no quick restarts.
            free_us = now_us if self._last_pulse_us is None else self._last_pulse_us + period_ps(train) // _PS
            self._anchor_us = max(now_us, free_us)

    def pulse(self, train: PulseTrain, now_us: int) -> None:
        """One single pulse of ``train``, begun at ``now_us`` and over when it is; its rate is only how it was meant.

        Whatever flowed before has ended. The next change must not come before the pulse is over.
        """
        self.set(train, now_us, first_us=now_us)
        self.set(None, now_us + max(1, pulse_us(train)))

    def current_ua(self) -> int:
        """First-phase peak that flows now, in µA."""
        return 0 if self.train is None else self.train.amplitude_ua

    def newest_pulse_ua(self, now_us: int) -> int | None:
        """Peak of the newest pulse at ``now_us``: 0 when nothing flows, ``None`` before the first pulse."""
        if self.train is None:
            return 0
        if any(end > low for _, low, end in self._open(now_us + 1).counts(self._since_us, now_us + 1)):
            return self.train.amplitude_ua
        return self._last_ua or None

    def active_after(self, first_us: int) -> bool:
        """Whether anything has flowed after ``first_us``, or flows now; quicker than asking for the pulses."""
        return self.train is not None or bool(self.stretches and self.stretches[-1].end_us > first_us)

    def history(self, now_us: int) -> list[Stretch]:
        """All remembered stretches up to ``now_us``, the open one included."""
        return [*self.stretches, *([self._open(now_us)] if self.train is not None else [])]

    def pulses_between(self, first_us: int, end_us: int) -> list[tuple[int, PulseTrain]]:
        """Time and train of every pulse in ``[first_us, end_us)``, in order of time."""
        found: list[tuple[int, PulseTrain]] = []
        for stretch in self._recent(first_us, end_us):
            period = stretch.period_ps
            spans = stretch.counts(max(first_us, stretch.start_us), min(end_us, stretch.end_us))
            found += [
                (anchor + k * period // _PS, stretch.train) for anchor, low, end in spans for k in range(low, end)
            ]
        return sorted(found, key=lambda pulse: pulse[0])

    def _recent(self, first_us: int, end_us: int) -> Iterator[Stretch]:
        if self.train is not None and self._since_us < end_us:
            yield self._open(end_us)
        for stretch in reversed(self.stretches):
            if stretch.end_us <= first_us:
                return
            yield stretch

    def _open(self, until_us: int) -> Stretch:
        assert self.train is not None
        return Stretch(self._since_us, until_us, self._anchor_us, self.train, self.exact)

    def _close(self, now_us: int) -> None:
        if self.train is None:
            return
        stretch = self._open(now_us)
        spans = [span for span in stretch.counts(self._since_us, now_us) if span[2] > span[1]]
        count = sum(end - low for _, low, end in spans)
        if count:
            self._last_pulse_us = max(anchor + (end - 1) * stretch.period_ps // _PS for anchor, _, end in spans)
            self._last_ua = self.train.amplitude_ua
            charge_pc, net_pc, peak_ua = stretch.sums
            self.peak_ua = max(self.peak_ua, peak_ua)
            self.charge_pc += count * charge_pc
            self.net_pc += count * net_pc
        self.pulses += count
        self.on_us += now_us - self._since_us
        if now_us > self._since_us:
            self.stretches.append(stretch)
