"""Every way through the phases of a task: time-outs, events that come early, phases that are skipped.

What is longest or worst is found exactly, by following at once all ways that end in the same state: how long each phase
lasts matters only at the corners of the envelopes, and just beside them. Times in µs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, final

_NEVER_US: Final = 1 << 62


@final
class Leg(NamedTuple):
    """A phase: its longest time, and whether an event, the key among them, may end it sooner."""

    length_us: int
    waits: bool


@final
class Track(NamedTuple):
    """One channel in one phase: whether it goes somewhere but zero, from when on it moves, and when it has arrived."""

    on: bool
    delay_us: int
    settled_us: int

    def when(self, was_on: bool) -> tuple[int, int]:
        """From when to when it is on in its phase, if the phase lasts for ever."""
        if self.on:
            return (0 if was_on else self.delay_us), _NEVER_US
        return 0, (self.settled_us if was_on else 0)


@final
class Most(NamedTuple):
    """The most of something, and in which phase, counting from 0, it comes about."""

    us: int
    phase: int


@final
class Ways:
    """Phases, and the one to which a missed event and a skip lead."""

    def __init__(self, legs: Sequence[Leg], release: int) -> None:
        self._legs, self._release = legs, release

    def exits(self, index: int, tracks: Sequence[Track]) -> Iterator[tuple[int, int]]:
        """How long a phase may last, and which one then follows."""
        leg, ahead = self._legs[index], index < self._release
        if not leg.waits:
            yield leg.length_us, index + 1
        else:
            yield leg.length_us, max(index + 1, self._release)
        if not (leg.waits or ahead):
            return
        for length_us in self._corners(leg, tracks):
            if leg.waits:
                yield length_us, index + 1
            if ahead:
                yield length_us, self._release

    @staticmethod
    def _corners(leg: Leg, tracks: Sequence[Track]) -> list[int]:
        marks = {0, leg.length_us}
        marks |= {
            mark for track in tracks for at in (track.delay_us, track.settled_us) for mark in (at - 1, at, at + 1)
        }
        return sorted(mark for mark in marks if 0 <= mark <= leg.length_us)

    def together(self, one: Sequence[Track], other: Sequence[Track], bound_us: int = _NEVER_US) -> Most:
        """The longest that two channels are on at the same time, without a break; of one channel with itself, on at all.

        Where it is longer than ``bound_us``, the first phase in which it is, and the longest up to there.
        """
        most = Most(0, 0)
        states: list[dict[tuple[bool, ...], int]] = [{} for _ in (*self._legs, None)]
        states[0] = {(False, False): 0}
        for index in range(len(self._legs)):
            if most.us > bound_us:
                break
            tracks = (one[index], other[index])
            for was, carried_us in states[index].items():
                spans = [track.when(on) for track, on in zip(tracks, was, strict=True)]
                begin_us, end_us = max(span[0] for span in spans), min(span[1] for span in spans)
                for length_us, after in self.exits(index, tracks):
                    run_us = max(0, min(end_us, length_us) - begin_us) + (carried_us if begin_us == 0 else 0)
                    most = max(most, Most(run_us, index), key=lambda each: each.us)
                    still = _still(spans, length_us)
                    kept_us = run_us if all(still) else 0
                    state = states[min(after, len(self._legs))]
                    state[still] = max(state.get(still, 0), kept_us)
        return most

    def may_be_on(self, track: Sequence[Track]) -> list[bool]:
        """Whether a channel may be on when each phase begins; and, last of all, when the last one ends."""
        reached: list[set[bool]] = [set() for _ in (*self._legs, None)]
        reached[0] = {False}
        for index in range(len(self._legs)):
            for was_on in reached[index]:
                span = track[index].when(was_on)
                for length_us, after in self.exits(index, (track[index],)):
                    reached[min(after, len(self._legs))] |= set(_still([span], length_us))
        return [True in each for each in reached]

    def worst_share(self, track: Sequence[Track], rest_us: int, permille: int) -> tuple[int, int]:
        """Time on and length of the cycle, rest included, on that way which is most over ``permille`` of time on."""
        states: list[dict[bool, tuple[int, int, int]]] = [{} for _ in (*self._legs, None)]
        states[0] = {False: (0, 0, 0)}
        for index in range(len(self._legs)):
            for was_on, (_, on_us, all_us) in states[index].items():
                span = track[index].when(was_on)
                for length_us, after in self.exits(index, (track[index],)):
                    on = on_us + max(0, min(span[1], length_us) - span[0])
                    score = (on * 1_000 - permille * (all_us + length_us), on, all_us + length_us)
                    state, (still,) = states[min(after, len(self._legs))], _still([span], length_us)
                    state[still] = max(state.get(still, score), score)
        _, on_us, all_us = max(states[-1].values())
        return on_us, all_us + rest_us


def _still(spans: Sequence[tuple[int, int]], length_us: int) -> tuple[bool, ...]:
    """Which channels are on when a phase ends after ``length_us``; one that moves from this very moment on is."""
    return tuple(begin_us <= length_us < end_us for begin_us, end_us in spans)
