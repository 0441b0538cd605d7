"""What times a trigger's way to the board's first frame: its patient, its file, and what counts as the first frame."""

from __future__ import annotations

import numpy as np

from benchmarks.trigger_latency import EFFORT_S, PROTOCOL, RATE_HZ, Starts, _flows
from stimctl.boards.reference import messages as m
from stimctl.protocols import loads, stimulating
from stimctl.pulse import symmetric
from stimctl.schedule import Steps, compile_schedule
from stimctl.units import SECOND


def test_an_effort_begins_when_it_is_told_to_and_is_over() -> None:
    person = Starts(1)
    person.try_at(2 * SECOND)
    rms = [float(np.sqrt(np.mean(person.emg(at, 100) ** 2))) for at in range(0, 4 * RATE_HZ, 100)]
    assert [at for at, uv in enumerate(rms) if uv > 10] == list(range(20, 20 + round(10 * EFFORT_S)))
    assert np.array_equal(person.emg(1_990, 20), np.concatenate([person.emg(1_990, 3), person.emg(1_993, 17)]))


def test_the_file_asks_for_bursts_as_close_as_any_may() -> None:
    schedule = compile_schedule(stimulating(loads(PROTOCOL, "bench")), Steps())
    assert schedule.trigger is not None
    assert schedule.trigger.min_interval_us == 2 * SECOND
    assert not schedule.trigger.cued
    assert schedule.ear is not None


def test_a_frame_at_zero_is_none_of_the_burst() -> None:
    zero, some = (m.Entry(0, symmetric(ua, 200, 35_000)) for ua in (0, 100))
    assert not _flows(m.Update(0, 0, (zero,)))
    assert _flows(m.Update(0, 0, (zero, some)))
