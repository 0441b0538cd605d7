"""The range of a muscle before the start: rest, three attempts, a threshold of this person and day, taken or made again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.engine import State
from stimctl.errors import UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.session.effort import ATTEMPT_US, ATTEMPTS, LOOK_US, REST_US, SHARE, EffortRange
from tests.session_rig import EMG, Rig

SECOND_US = 1_000_000


def measured(found: EffortRange, level_uv: float | None, now_us: int = 0) -> int:
    """Measure one step of a level that does not move; returns when it was done."""
    found.begin(now_us)
    while found.measuring:
        found.hear(level_uv, now_us)
        now_us += LOOK_US
    return now_us


# --- the measuring -----------------------------------------------------------------------------------------------


@given(st.floats(0.5, 20.0), st.lists(st.floats(33.0, 60.0), min_size=ATTEMPTS, max_size=ATTEMPTS))
def test_the_threshold_lies_between_rest_and_every_attempt(rest_uv: float, attempts_uv: list[float]) -> None:
    found = EffortRange()
    for level_uv in (rest_uv, *attempts_uv):
        assert len(found.bars()) < 2 + ATTEMPTS
        measured(found, level_uv)
    assert found.threshold_uv is not None
    assert found.threshold_uv == pytest.approx(rest_uv + SHARE * (max(attempts_uv) - rest_uv))
    assert rest_uv < found.threshold_uv < min(attempts_uv)
    assert found.bars() == tuple(round(uv, 1) for uv in (rest_uv, *attempts_uv, found.threshold_uv))


def test_each_step_takes_its_time() -> None:
    found = EffortRange()
    assert measured(found, 2.0) - LOOK_US == REST_US
    assert measured(found, 20.0) - LOOK_US == ATTEMPT_US
    assert (found.step, found.levels_uv) == (2, (2.0, 20.0))


def test_the_first_second_of_rest_does_not_count() -> None:
    found = EffortRange()
    found.begin(0)
    for now_us in range(0, REST_US + LOOK_US, LOOK_US):
        found.hear(50.0 if now_us < SECOND_US else 2.0, now_us)
    assert found.levels_uv == (2.0,)


def test_a_knock_is_no_effort() -> None:
    found = EffortRange()
    measured(found, 2.0)
    found.begin(0)
    for now_us in range(0, ATTEMPT_US + LOOK_US, LOOK_US):
        found.hear(500.0 if now_us < SECOND_US // 5 else 20.0, now_us)
    assert found.levels_uv[1] == pytest.approx(20.0)


def test_what_is_not_believed_is_no_measurement_and_is_made_again() -> None:
    found = EffortRange()
    with pytest.raises(UsageError, match="while rest was measured: look at the electrodes"):
        measured(found, None)
    assert (found.measuring, found.step) == (False, 0)
    measured(found, 2.0)
    with pytest.raises(UsageError, match=r"attempt 1 came to 4\.5 µV, rest to 2\.0 µV: too near"):
        measured(found, 4.5)
    assert found.step == 1, "rest stays known"


def test_a_threshold_that_an_attempt_would_miss_is_none() -> None:
    found = EffortRange()
    for level_uv in (2.0, 100.0, 100.0):
        measured(found, level_uv)
    with pytest.raises(UsageError, match="missed by an attempt"):
        measured(found, 20.0)
    assert (found.threshold_uv, found.levels_uv) == (None, ())


def test_a_threshold_that_rest_would_pass_is_none() -> None:
    found = EffortRange()
    found.begin(0)
    for now_us in range(0, REST_US + LOOK_US, LOOK_US):
        found.hear(2.0 if now_us % (5 * LOOK_US) else 12.0, now_us)  # it twitches
    measured(found, 20.0)
    measured(found, 20.0)
    with pytest.raises(UsageError, match=r"passed at rest \(12\.0 µV\): relax"):
        measured(found, 20.0)
    assert found.threshold_uv is None


def test_after_all_it_begins_anew() -> None:
    found = EffortRange()
    for level_uv in (2.0, 20.0, 20.0, 20.0):
        measured(found, level_uv)
    found.begin(0)
    assert (found.step, found.threshold_uv) == (0, None)
    assert found.bars() == (None,) * (1 + ATTEMPTS)


# --- in a session ------------------------------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, EMG)
    try:
        made.work(State.READY)
        made.go(3 * SECOND_US)
        yield made
    finally:
        made.close()


def measure_all(rig: Rig) -> None:
    for step in range(1 + ATTEMPTS):
        assert rig.order(Kind.NEXT) == ""
        rig.go(REST_US + SECOND_US)
        assert rig.status.refusal == "", step


def payloads(rig: Rig, kind: str) -> list[dict[str, object]]:
    return [json.loads(json.dumps(each.payload)) for each in rig.events() if each.kind == kind]


def test_measured_with_output_off_shown_as_bars_and_taken_by_the_start(rig: Rig) -> None:
    flowed = sum(ledger.charge_pc for ledger in rig.twin.ledger)
    assert "Enter measures rest and three attempts" in rig.status.next_action
    measure_all(rig)
    emg = rig.status.emg
    assert emg is not None
    rest, *attempts, threshold = emg.efforts_uv
    assert rest is not None
    assert threshold is not None
    assert rest < threshold < min(level for level in attempts if level is not None)
    assert emg.threshold_uv == pytest.approx(threshold, abs=0.06), "it can be tried at once"
    assert f"Trigger level {threshold:.1f} µV: Start accepts it" in rig.status.next_action
    assert sum(ledger.charge_pc for ledger in rig.twin.ledger) == flowed
    [told] = payloads(rig, "emg-range")
    assert told["threshold_uv"] == pytest.approx(threshold, abs=0.06)

    assert rig.order(Kind.START) == ""
    rig.work(State.LISTENING)
    emg = rig.status.emg
    assert emg is not None
    assert emg.efforts_uv == ()
    assert emg.threshold_uv == pytest.approx(threshold, abs=0.06), "today's, over a rest of the treatment's own"
    assert len(payloads(rig, "threshold-set")) == 2  # for the try, and for the treatment


def test_without_it_the_files_own_threshold_is_in_force(rig: Rig) -> None:
    assert rig.order(Kind.START) == ""
    rig.work(State.LISTENING)
    assert payloads(rig, "threshold-set") == []


def test_while_it_is_measured_nothing_starts(rig: Rig) -> None:
    assert rig.order(Kind.NEXT) == ""
    rig.go(SECOND_US)
    assert Kind.START not in rig.status.can
    assert Kind.NEXT not in rig.status.can
    assert "wait until it is done" in rig.order(Kind.NEXT)
    assert "Measuring rest" in rig.status.next_action
    rig.go(REST_US)
    assert {Kind.START, Kind.NEXT} <= set(rig.status.can)


def test_going_on_after_all_measures_all_again_and_half_a_range_is_none(rig: Rig) -> None:
    measure_all(rig)
    assert rig.order(Kind.NEXT) == ""
    rig.go(REST_US + SECOND_US)
    assert rig.order(Kind.START) == ""
    rig.work(State.LISTENING)
    assert len(payloads(rig, "threshold-set")) == 1, "only of the try before"


def test_a_start_that_comes_in_the_middle_of_a_measuring_leaves_none(rig: Rig) -> None:
    measure_all(rig)
    assert rig.order(Kind.NEXT) == ""
    rig.go(SECOND_US)
    rig.order(Kind.START)
    rig.work(State.LISTENING)
    assert rig.session.hearing is not None
    assert not rig.session.hearing.ear.range.measuring
    assert rig.session.hearing.ear.range.threshold_uv is None
