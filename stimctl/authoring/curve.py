"""The course of one output through a cycle: straight pieces, each with its pulses; and what they add up to.

Every phase is taken at its longest, every control signal at its full strength: this is what a file asks for at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple, final

from stimctl.engine.lanes import SENSORY_RAMP_US, ending_ppm
from stimctl.pulse import PulseTrain
from stimctl.schedule import FULL_PPM, ChannelPlan, MovementPlan, Schedule

_MHZ_US: Final = 10**9
"""mHz times µs in one period."""


@final
class Piece(NamedTuple):
    """A straight piece of an envelope: from when to when (µs), from which share to which (ppm), in what pulses."""

    phase: int
    begin_us: int
    end_us: int
    from_ppm: int
    to_ppm: int
    train: PulseTrain
    follows: bool

    @property
    def on(self) -> bool:
        """Whether anything flows in it."""
        return self.end_us > self.begin_us and (self.from_ppm > 0 or self.to_ppm > 0)

    def share_ppm(self, at_us: int) -> Fraction:
        """The share at a moment inside."""
        return self.from_ppm + Fraction(
            (self.to_ppm - self.from_ppm) * (at_us - self.begin_us), self.end_us - self.begin_us
        )


@final
class Sum(NamedTuple):
    """What flowed: time on in µs, pulses, and the charge per phase in pC for each µA of the whole level."""

    on_us: int = 0
    pulses: Fraction = Fraction(0)
    pc_per_ua: Fraction = Fraction(0)

    def plus(self, other: Sum, times: int = 1) -> Sum:
        """Both together, the other one several times."""
        return Sum(
            self.on_us + times * other.on_us,
            self.pulses + times * other.pulses,
            self.pc_per_ua + times * other.pc_per_ua,
        )


def cycle(plan: ChannelPlan, movement: MovementPlan, from_ppm: int = 0) -> tuple[tuple[Piece, ...], int]:
    """The pieces of one movement, without its rest, for an output that comes in at a share; and the share it ends at."""
    pieces: list[Piece] = []
    begin_us, was_ppm = 0, from_ppm
    for index, phase in enumerate(movement.phases):
        goal = phase.goal(plan.channel)
        marks = sorted(
            {0, phase.length_us} | {mark for mark in (goal.delay_us, goal.settled_us) if mark < phase.length_us}
        )
        for start, end in pairwise(marks):
            # A jump at the very beginning of a piece belongs to it: the share that it comes in with is past.
            first = goal.share(was_ppm, start)
            last = first if end <= goal.delay_us or start >= goal.settled_us else goal.share(was_ppm, end)
            train = goal.pulses or plan.shape
            pieces.append(Piece(index, begin_us + start, begin_us + end, first, last, train, goal.follows))
        begin_us, was_ppm = begin_us + phase.length_us, goal.share(was_ppm, phase.length_us)
    return tuple(pieces), (0 if movement.rest_us else was_ppm)


def steady(plan: ChannelPlan, movement: MovementPlan) -> tuple[Piece, ...]:
    """The cycle as it is once it has gone round: what a picture shows."""
    pieces, end_ppm = cycle(plan, movement)
    return pieces if movement.rest_us else cycle(plan, movement, end_ppm)[0]


def added(pieces: Iterable[Piece]) -> Sum:
    """What straight pieces add up to."""
    total = Sum()
    for piece in pieces:
        if piece.on:
            length_us = piece.end_us - piece.begin_us
            rate = piece.train.rate_mhz * piece.train.pulses_per_period
            pulses = Fraction(length_us * rate, _MHZ_US)
            share = Fraction(piece.from_ppm + piece.to_ppm, 2 * FULL_PPM)
            total = total.plus(Sum(length_us, pulses, pulses * share * piece.train.phase_width_us))
    return total


def treatment(plan: ChannelPlan, schedule: Schedule) -> Sum:
    """What one output gives in the whole treatment: every repetition at its longest, or the flow with its end."""
    if schedule.continuous:
        return _flow(plan, schedule)
    if schedule.movement is None:
        return Sum()
    return Sum().plus(added(cycle(plan, schedule.movement)[0]), schedule.repetitions * schedule.sets)


def _flow(plan: ChannelPlan, schedule: Schedule) -> Sum:
    """A flow: its movement again and again, or one level; the last second goes down to nothing."""
    total, now_us, from_ppm = Sum(), 0, 0
    known: dict[int, tuple[tuple[Piece, ...], int, Sum]] = {}
    ending_us = max(0, schedule.flow_us - SENSORY_RAMP_US)
    while now_us < schedule.flow_us:
        if from_ppm not in known:
            pieces, end_ppm = _round(plan, schedule, from_ppm)
            known[from_ppm] = (pieces, end_ppm, added(pieces))
        pieces, end_ppm, whole = known[from_ppm]
        cycle_us = schedule.movement.cycle_us if schedule.movement else schedule.flow_us
        if now_us + cycle_us <= ending_us:
            total = total.plus(whole)
        else:
            total = total.plus(_ending(pieces, now_us, ending_us, schedule.flow_us))
        now_us, from_ppm = now_us + cycle_us, end_ppm
    return total


def _round(plan: ChannelPlan, schedule: Schedule, from_ppm: int) -> tuple[tuple[Piece, ...], int]:
    if schedule.movement is not None:
        return cycle(plan, schedule.movement, from_ppm)
    return (Piece(0, 0, schedule.flow_us, FULL_PPM, FULL_PPM, plan.shape, follows=False),), FULL_PPM


def _ending(pieces: Iterable[Piece], now_us: int, ending_us: int, end_us: int) -> Sum:
    """Pieces that begin at ``now_us``, cut at the flow's end and bent down in its last second."""
    total = Sum()
    for piece in pieces:
        for begin, end in _between(piece, (ending_us - now_us, end_us - now_us)):
            if piece.on and now_us + begin < end_us:
                total = total.plus(_bent(piece, begin, end, end_us - now_us))
    return total


def _between(piece: Piece, cuts: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    marks = [piece.begin_us, *(cut for cut in cuts if piece.begin_us < cut < piece.end_us), piece.end_us]
    yield from pairwise(marks)


def _bent(piece: Piece, begin_us: int, end_us: int, left_us: int) -> Sum:
    """One piece under the ending's slope: the product of two straight lines, which Simpson's rule adds up exactly."""
    middle = Fraction(begin_us + end_us, 2)
    values = [
        piece.from_ppm * _ending_share(left_us - at)
        + (piece.to_ppm - piece.from_ppm)
        * Fraction(at - piece.begin_us)
        / (piece.end_us - piece.begin_us)
        * _ending_share(left_us - at)
        for at in (Fraction(begin_us), middle, Fraction(end_us))
    ]
    share = (values[0] + 4 * values[1] + values[2]) / 6 / FULL_PPM
    pulses = Fraction((end_us - begin_us) * piece.train.rate_mhz * piece.train.pulses_per_period, _MHZ_US)
    return Sum(end_us - begin_us, pulses, pulses * share * piece.train.phase_width_us)


def _ending_share(left_us: Fraction) -> Fraction:
    """:func:`stimctl.engine.lanes.ending_ppm`, between its whole numbers too."""
    assert ending_ppm(SENSORY_RAMP_US) == FULL_PPM
    return max(Fraction(0), min(left_us / SENSORY_RAMP_US, Fraction(1)))


def on_together_us(schedule: Schedule) -> int:
    """How long any output is on in the whole treatment, in µs."""
    if schedule.continuous and schedule.movement is None:
        return schedule.flow_us
    if schedule.movement is None:
        return 0
    spans = sorted(
        (piece.begin_us, piece.end_us)
        for plan in schedule.channels
        for piece in steady(plan, schedule.movement)
        if piece.on
    )
    on_us = reached_us = 0
    for begin, end in spans:
        on_us += max(0, end - max(begin, reached_us))
        reached_us = max(reached_us, end)
    if schedule.continuous:
        return on_us * schedule.flow_us // schedule.movement.cycle_us
    return on_us * schedule.repetitions * schedule.sets
