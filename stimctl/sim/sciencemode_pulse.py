"""What comes of a pulse that is a chain of points: the train that a ledger and a patient understand, and its exact sums.

A train has two phases. Of a chain that has other ones, the train tells the first and takes all that follow for the
second, each as long as it lasts and as high as its highest point; charge and peak stand beside it as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple, final

from stimctl.boards.sciencemode4.messages import Point
from stimctl.boards.sciencemode4.points import DURATION_MIN_US
from stimctl.pulse import PulseTrain
from stimctl.sim.ledger import Exact
from stimctl.units import SECOND, MicroAmp, MicroSecond, MilliHertz

SPACE_US: Final = 60
"""What a board needs between two pulses: the vendor's library counts so much for each."""

_MHZ_US: Final = 1_000 * SECOND


@final
class Flow(NamedTuple):
    """One channel's pulses as they flow."""

    train: PulseTrain
    exact: Exact


def given(points: Sequence[Point], most_ua: int, parts: tuple[int, int] = (1, 1)) -> list[Point]:
    """The points as the board gives them: a share of each, no shorter than it can, no higher than its voltage carries."""
    part, whole = parts
    return [
        Point(
            max(DURATION_MIN_US, point.duration_us),
            max(-most_ua, min(most_ua, _part(point.current_ua, part, whole))),
        )
        for point in points
        if point.duration_us
    ]


def lasts_us(points: Sequence[Point]) -> int:
    """How long a pulse takes."""
    return sum(max(DURATION_MIN_US, point.duration_us) for point in points if point.duration_us)


def flow_of(points: Sequence[Point], period_us: int) -> Flow | None:
    """What flows when these points, each as given, come once in every period; ``None``: nothing."""
    runs = [list(run) for _, run in groupby(points, key=lambda point: _sign(point.current_ua))]
    while runs and not runs[0][0].current_ua:
        del runs[0]
    if not runs:
        return None
    first, after = runs[0], runs[1:]
    gap = after.pop(0) if after and not after[0][0].current_ua else []
    later = [run for run in after if run[0].current_ua]
    sign = _sign(first[0].current_ua)
    train = PulseTrain(
        MicroAmp(_peak(first)),
        MicroSecond(_length(first)),
        MicroSecond(_length(gap) if later else 0),
        MicroAmp(max((_peak(run) for run in later), default=0)),
        MicroSecond(sum(_length(run) for run in later)),
        MilliHertz(_MHZ_US // period_us),
    )
    charges = [abs(_charge(run)) for run in runs]
    net = sign * sum(_charge(run) for run in runs)
    return Flow(train, Exact(period_us, 0, max(charges), net, max(_peak(run) for run in runs)))


def _part(current_ua: int, part: int, whole: int) -> int:
    """Rounded towards zero, so that both phases stay alike."""
    return _sign(current_ua) * (abs(current_ua) * part // whole)


def _sign(current_ua: int) -> int:
    return (current_ua > 0) - (current_ua < 0)


def _peak(run: Sequence[Point]) -> int:
    return max(abs(point.current_ua) for point in run)


def _length(run: Sequence[Point]) -> int:
    return sum(point.duration_us for point in run)


def _charge(run: Sequence[Point]) -> int:
    return sum(point.duration_us * point.current_ua for point in run)
