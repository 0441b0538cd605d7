"""What pulses leave of the signal: far from any, nobody looks, and that must not show."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.sensors.around import AroundPulses, Left
from stimctl.sensors.samples import Samples
from tests.sensors_kit import noise

RATE, BLOCK = 1_000.0, 5


def told(left: Left) -> tuple[object, ...]:
    """``left`` as what can be compared; a frame says something in a train only."""
    free, heard, in_train, frame = left
    own = None if heard is None else heard.tolist()
    return (
        None if free is None else free.tolist(),
        own if free is not None else None,
        in_train,
        frame if in_train else None,
    )


def played(values: Samples, pulses: list[int], blanking_ms: float = 3.0, *, lazily: bool) -> list[tuple[object, ...]]:
    """What was left of each block, plain ones included."""
    found: list[tuple[object, ...]] = []
    around = AroundPulses(RATE, BLOCK, blanking_ms)
    for first in range(0, len(values), BLOCK):
        raw = values[first : first + BLOCK]
        if offsets := tuple(at - first for at in pulses if first <= at < first + BLOCK):
            around.note(first, offsets)
        if lazily and first >= around.plain_from:
            around.passed = float(raw[-1])
            found.append((raw.tolist(), None, False, None))
            continue
        left = around.look(raw, first, 9.0)
        found.append(told(left))
        if left[0] is not None:
            around.keep(float(left[0][-1]))
    return found


def stimulated(seconds: float, pulses: list[int], seed: int) -> Samples:
    """Noise, and at each pulse an artefact that a first pulse can be aligned on."""
    values = noise(seconds, RATE, 3.0, seed)
    for at in pulses:
        values[at : at + 2] += 900.0, -700.0
    return values


@settings(max_examples=60)
@given(
    trains=st.lists(st.tuples(st.integers(20, 400), st.integers(1, 20), st.integers(4, 90)), max_size=4),
    blanking_ms=st.sampled_from([3.0, 27.0, 99.0]),
    seed=st.integers(0, 99),
)
def test_a_signal_that_was_passed_by_is_known_like_one_that_was_looked_at(
    trains: list[tuple[int, int, int]], blanking_ms: float, seed: int
) -> None:
    pulses, at = [], 0
    for pause, count, interval in trains:
        pulses += [at + pause + interval * number for number in range(count)]
        at = pulses[-1]
    values = stimulated((at + 300) // BLOCK * BLOCK / RATE, pulses, seed)
    assert played(values, pulses, blanking_ms, lazily=True) == played(values, pulses, blanking_ms, lazily=False)


def test_nothing_heard_in_a_block_is_replaced_by_what_came_before_it() -> None:
    values = np.arange(200.0)
    left = played(values, [150], lazily=True)
    assert left[29] == ([145.0, 146.0, 147.0, 148.0, 149.0], None, False, None)
    assert [each[0] for each in left[30:35]] == [None] * 5  # 25 ms
    later = played(values, [152], lazily=True)
    assert later[30] == ([150.0, 151.0, 151.0, 151.0, 151.0], [True, True, False, False, False], False, None)
