"""Read-back: whether what a board reports is what it was told, and whether the pads still hold (hazards H11, H12, H22).

Pure: reports and times go in, complaints come out. A complaint needs two reports running, so that one garbled
measurement stops nobody's treatment; what the board itself calls trouble needs one.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from statistics import median_low
from typing import Final, final

from stimctl.boards.reference.codes import Trouble
from stimctl.boards.reference.messages import OutputReport, Report
from stimctl.pulse import Command
from stimctl.units import MS, SECOND

NEAR_ZERO_UA: Final = 500
"""Measured current that still counts as none (project): above a converter's noise, far below a sensory threshold."""

TOLERANCE_UA: Final = 2_000
"""H22: measured and commanded may differ by 2 mA ..."""

TOLERANCE_PERCENT: Final = 20
"""... or by 20 %, whichever is more (IEC accuracy, A.1)."""

REPORTS_RUNNING: Final = 2
"""H22, F.3: a mismatch counts from the second report running."""

IMPEDANCE_MAX_OHM: Final = 10_000
"""Contact impedance beyond which a pad counts as off (project): several times a good gel pad's."""

IMPEDANCE_RISE_PERCENT: Final = 50
"""H11: a rise by more than this over the first value since the pads were confirmed counts as a peeling pad."""

FIRST_REPORTS: Final = 3
"""The first value is the middle one of so many: one garbled measurement neither stops anybody nor hides a peeling pad."""

SETTLE_US: Final = 100 * MS
"""How long, beyond two periods, a measurement may still show an earlier setting: it is of the newest pulse."""

_HISTORY: Final = 512

_KEEP_US: Final = 5 * SECOND
"""How long settings are remembered: beyond two periods of the slowest rate and the settling time."""


@final
@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong with one output, in words. ``pads``: with what is stuck on, not with what flows."""

    output: int
    text: str
    pads: bool = False


@final
@dataclass(frozen=True, slots=True)
class _Sent:
    sequence: int
    sent_us: int
    command: Command | None  # None: all zero, as after arming


class Contacts:
    """How each output's pads conducted when they were new, in ohm.

    Outlives every arming: a pad peels in a pause as well, and the ceilings were found with the pads as they were at first.
    Only a person who has looked at the pads makes a value void.
    """

    def __init__(self) -> None:
        self._first: dict[int, list[int]] = {}

    def first_ohm(self, output: int, impedance_ohm: int) -> int:
        """What to compare a measurement with; one of the first is taken in."""
        first = self._first.setdefault(output, [])
        if len(first) < FIRST_REPORTS:
            first.append(impedance_ohm)
        return first[0] if len(first) < FIRST_REPORTS else median_low(first)

    def forget(self, output: int) -> None:
        """The next measurements are the first ones."""
        self._first.pop(output, None)


@final
class Health:
    """Judges the reports of one armed session over ``outputs``; made anew at each arming, unlike ``contacts``."""

    def __init__(
        self, outputs: frozenset[int], armed_sequence: int, now_us: int, contacts: Contacts, *, senses_current: bool
    ) -> None:
        self._outputs, self._contacts, self._senses_current = outputs, contacts, senses_current
        self._sent = deque([_Sent(armed_sequence, now_us, None)], maxlen=_HISTORY)
        self._accepted: list[_Sent] = []
        self._strikes: Counter[tuple[str, int]] = Counter()

    def commanded(self, sequence: int, command: Command, now_us: int) -> None:
        """An update left under ``sequence``."""
        self._sent.append(_Sent(sequence, now_us, command))

    def judge(self, report: Report, now_us: int) -> tuple[Complaint, ...]:
        """What is wrong in ``report``, with the session's outputs and with those that must be silent."""
        accepted = self._take_accepted(report.last_sequence, now_us)
        complaints = []
        for number in sorted(self._outputs):
            if number >= len(report.outputs):
                complaints.append(Complaint(number, "is missing from the board's report"))
                continue
            told = report.outputs[number]
            complaints += self._current(number, told, accepted, now_us)
            # A report of before the arming tells of the pads as they were; it may set no baseline, nor complain.
            complaints += self._contact(number, told, told.impedance_ohm if accepted else None)
        for number, told in enumerate(report.outputs):
            if number not in self._outputs:
                complaints += self._silence(number, told)
        return tuple(complaints)

    def _take_accepted(self, last_sequence: int, now_us: int) -> list[_Sent]:
        """The settings that the board has taken, up to the one in force; old ones are let go.

        What was accepted once stays so: a setting may stand for an hour, and sequences wrap after 65,536 frames.
        """
        while self._sent and _is_not_after(self._sent[0].sequence, last_sequence):
            self._accepted.append(self._sent.popleft())
        recent = next((n for n, sent in enumerate(self._accepted) if sent.sent_us >= now_us - _KEEP_US), None)
        del self._accepted[: max(0, (len(self._accepted) if recent is None else recent) - 1)]
        return self._accepted

    def _current(self, number: int, told: OutputReport, accepted: list[_Sent], now_us: int) -> list[Complaint]:
        commanded = _amplitude(accepted[-1], number) if accepted else 0
        complaints = []
        if self._holds("applied", number, wrong=told.applied_ua != commanded):
            complaints.append(Complaint(number, f"applies {told.applied_ua} µA where {commanded} µA were commanded"))
        if not self._senses_current:
            return complaints
        low, high = _recent_range(accepted, number, now_us)
        inside = told.measured_ua is not None and low - _tolerance(low) <= told.measured_ua <= high + _tolerance(high)
        if self._holds("measured", number, wrong=not inside):
            complaints.append(Complaint(number, f"delivers {told.measured_ua} µA where {commanded} µA were commanded"))
        return complaints

    def _silence(self, number: int, told: OutputReport) -> list[Complaint]:
        """Current at an output that nobody armed flows into somebody, too. Its contact is nobody's business: no pads are there."""
        loud = not is_quiet((told,), senses_current=self._senses_current)
        if not self._holds("silence", number, wrong=loud):
            return []
        return [
            Complaint(
                number, f"delivers {told.measured_ua} µA, applies {told.applied_ua} µA, and has no part in this session"
            )
        ]

    def _contact(self, number: int, told: OutputReport, impedance: int | None) -> list[Complaint]:
        complaints = [_of_trouble(number, told.trouble)] if told.trouble else []
        if impedance is None:
            return complaints
        first = self._contacts.first_ohm(number, impedance)
        if self._holds("rise", number, wrong=100 * impedance > (100 + IMPEDANCE_RISE_PERCENT) * first):
            text = f"contact impedance rose from {first} to {impedance} ohm: check the pads"
            complaints.append(Complaint(number, text, pads=True))
        if self._holds("high", number, wrong=impedance > IMPEDANCE_MAX_OHM):
            complaints.append(Complaint(number, f"contact impedance is {impedance} ohm: check the pads", pads=True))
        return complaints

    def _holds(self, what: str, number: int, *, wrong: bool) -> bool:
        """Whether ``wrong`` has held for enough reports running."""
        strikes = self._strikes[what, number] + 1 if wrong else 0
        self._strikes[what, number] = strikes
        return strikes >= REPORTS_RUNNING


def _of_trouble(number: int, trouble: Trouble) -> Complaint:
    return Complaint(number, f"reports {trouble.name}".lower(), pads=not trouble & ~(Trouble.OPEN | Trouble.SHORT))


def _is_not_after(sequence: int, last: int) -> bool:
    return (last - sequence) % 0x1_0000 < 0x8000


def _amplitude(sent: _Sent, number: int) -> int:
    return 0 if sent.command is None else sent.command.amplitude_ua(number)


def _tolerance(ua: int) -> int:
    return max(TOLERANCE_UA, ua * TOLERANCE_PERCENT // 100)


def _recent_range(accepted: list[_Sent], number: int, now_us: int) -> tuple[int, int]:
    """Lowest and highest amplitude in force since a time that a measurement may still stem from.

    Without it every ramp would look like a fault: at 120 mA/s the newest pulse is 3.4 mA behind the newest setting.
    """
    low = high = _amplitude(accepted[-1], number) if accepted else 0
    since = now_us - SETTLE_US - _two_periods_us(accepted, number)
    for index in range(len(accepted) - 1, 0, -1):
        if accepted[index].sent_us < since:
            break  # this one was in force through the whole window
        earlier = _amplitude(accepted[index - 1], number)
        low, high = min(low, earlier), max(high, earlier)
    return low, high


def _two_periods_us(accepted: list[_Sent], number: int) -> int:
    """Two periods of the newest train of an output that had a rate, at most 4 s."""
    for sent in reversed(accepted):
        if sent.command is None:
            break
        for output in sent.command.outputs:
            if output.channel == number and output.train.rate_mhz > 0:
                return min(2_000_000_000 // output.train.rate_mhz, 4_000_000)
    return 0


def is_given(told: OutputReport, level_ua: int, *, senses_current: bool) -> bool:
    """Whether an output really delivers ``level_ua``: told so, and measured within 20 % (IEC accuracy, A.1).

    Without the 2 mA of :data:`TOLERANCE_UA`, within which nothing at all would pass for a first step of 1 mA. Just after
    a small step the pulse before it may pass for the new level, for one period at most. A board that cannot measure
    is believed by its setting.
    """
    if level_ua <= 0 or told.applied_ua != level_ua:
        return False
    if not senses_current:
        return True
    return told.measured_ua is not None and 100 * abs(told.measured_ua - level_ua) <= TOLERANCE_PERCENT * level_ua


def is_quiet(outputs: tuple[OutputReport, ...], *, senses_current: bool) -> bool:
    """Whether every output is at zero, by setting and, on a board that can, by measurement.

    Not where the board itself says that its current is wrong: a reading of zero beside that is one of the two that lie.
    """
    return all(
        told.applied_ua == 0
        and not told.trouble & Trouble.CURRENT
        and (not senses_current or (told.measured_ua is not None and told.measured_ua <= NEAR_ZERO_UA))
        for told in outputs
    )
