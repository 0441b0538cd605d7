"""The board's analog input on the session's clock: the age of what was held up, and what of it cannot be believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.reference.messages import Samples
from stimctl.engine import State
from stimctl.session.analog import HALF_US, BoardClock, BoardInput
from stimctl.sim.analog import AnalogIn
from stimctl.sim.faults import Fault, FaultKind
from stimctl.units import MS, SECOND
from tests.session_rig import EMG, Rig

RATE_HZ = 1_000
COUNT = 10
BOOT_US = 5_000_000
"""How far the board's clock is from the session's."""


def samples(number: int, *, rate_hz: int = RATE_HZ, every_us: int = 10 * MS) -> Samples:
    """The chunk of that number, whose first value was taken at its time by the board's own clock."""
    return Samples(number * COUNT, rate_hz, 100, BOOT_US + number * every_us, (1,) * COUNT)


def taken_us(number: int) -> int:
    """When the last value of a chunk was taken, by the session's clock."""
    return (number + 1) * 10 * MS - MS


# --- time ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 150 * MS), min_size=2, max_size=60))
def test_a_chunk_that_was_held_up_is_as_old_as_it_is(held_us: list[int]) -> None:
    """Behind one that came at once, the age is what the way took, to the µs; never is anything from the future."""
    heard = BoardInput(RATE_HZ)
    now_us = 0
    for number, late_us in enumerate([0, *held_us]):
        now_us = max(now_us, taken_us(number) + late_us)  # one line, in order
        chunk = heard.take(samples(number), 0, now_us)
        assert chunk is not None
        assert now_us - chunk.at_us == now_us - taken_us(number) >= 0


def test_a_board_whose_quartz_is_fast_or_slow_is_followed() -> None:
    """100 in a million for ten minutes: 60 ms, of which no more than the last twenty seconds' two is ever seen."""
    for drift in (-1e-4, 1e-4):
        clock = BoardClock()
        ages = [
            now_us - clock.session_us(round(now_us * (1 + drift)), now_us) for now_us in range(0, 600 * SECOND, SECOND)
        ]
        assert min(ages) >= 0
        assert max(ages) <= (2 * HALF_US + 2 * SECOND) * 1e-4


def test_a_clock_that_jumps_back_makes_samples_old_and_not_young() -> None:
    clock = BoardClock()
    for n in range(5):
        clock.session_us(BOOT_US + n * SECOND, n * SECOND)
    assert 6 * SECOND - clock.session_us(BOOT_US + 3 * SECOND, 6 * SECOND) == 3 * SECOND


# --- belief ------------------------------------------------------------------------------------------------------------


def played(heard: BoardInput, numbers: range, **given_: int) -> list[bool]:
    return [heard.take(samples(n, **given_), 0, taken_us(n)) is not None for n in numbers]


def test_another_rate_than_the_board_has_said_is_named() -> None:
    heard = BoardInput(RATE_HZ)
    assert played(heard, range(3), rate_hz=2_000) == [False] * 3
    assert heard.mismatch == "the board's EMG comes at 2000 Hz, and it has said 1000 Hz"
    heard.start(0)
    assert heard.mismatch == ""


@pytest.mark.parametrize("every_us", [9_500, 10_500, -10_000])
def test_another_pace_by_its_own_clock_is_named_and_forgiven_when_it_is_right_again(every_us: int) -> None:
    heard = BoardInput(RATE_HZ)
    assert all(played(heard, range(100)))
    played(heard, range(100, 700), every_us=every_us)
    assert "says 1000 Hz and gives" in heard.mismatch
    fresh = BoardInput(RATE_HZ)
    played(fresh, range(250), every_us=every_us)
    played(fresh, range(10_000, 10_600))
    assert fresh.mismatch == ""


def test_lost_samples_are_counted_and_are_no_other_pace() -> None:
    heard = BoardInput(RATE_HZ)
    for number in [*range(100), *range(150, 600)]:
        assert heard.take(samples(number), 500 if number == 150 else 0, taken_us(number)) is not None
    assert (heard.gaps, heard.missing, heard.mismatch) == (1, 500, "")


def test_silence_is_named_after_a_second() -> None:
    heard = BoardInput(RATE_HZ)
    heard.start(SECOND)
    assert heard.silence(2 * SECOND) == ""
    assert heard.silence(2 * SECOND + 1) == "the board's EMG input has given nothing for 1 s"


# --- in a session ------------------------------------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, EMG.replace("threshold_sd = 3.0", "threshold_sd = 8.0"))
    yield made
    made.close()


def told(rig: Rig) -> list[tuple[str, Any]]:
    words = {
        "emg-lost": "why",
        "emg-back": "",
        "emg-quality": "quality",
        "emg-gap": "samples_missing",
        "fault": "reason",
    }
    return [(each.kind, each.payload.get(words[each.kind], "")) for each in rig.events() if each.kind in words]


def inject(rig: Rig, kind: FaultKind, for_us: int) -> None:
    rig.twin.advance(rig.now_us)
    rig.twin.inject(Fault(kind, rig.now_us, rig.now_us + for_us))
    rig.go(for_us + 2 * SECOND)


def test_an_input_that_stops_bars_the_trigger_and_is_recorded_until_it_is_back(rig: Rig) -> None:
    rig.work(State.LISTENING)
    inject(rig, FaultKind.EMG_STALE, 3 * SECOND)
    silent = "the board's EMG input has given nothing for 1 s"
    kinds = told(rig)
    missing = kinds.pop(next(at for at, (kind, _) in enumerate(kinds) if kind == "emg-gap"))
    assert kinds == [("emg-quality", "stale"), ("emg-lost", silent), ("emg-back", ""), ("emg-quality", "good")]
    assert 2_900 <= missing[1] <= 3_100
    assert rig.session.engine.counts().triggered == 0


@pytest.mark.parametrize(
    ("kind", "quality"),
    [(FaultKind.EMG_FLAT, "flat"), (FaultKind.EMG_RAILED, "lead-off"), (FaultKind.EMG_HUM, "mains")],
)
def test_a_signal_that_is_bad_for_a_while_is_recorded(rig: Rig, kind: FaultKind, quality: str) -> None:
    rig.work(State.LISTENING)
    inject(rig, kind, 2 * SECOND)
    assert told(rig)[-1] == ("emg-quality", "good")
    assert quality in [value for kind, value in told(rig) if kind == "emg-quality"]


def test_a_board_that_turns_to_another_rate_ends_output(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.work(State.LISTENING)
    chunk = AnalogIn.chunk

    def faster(self: AnalogIn, boot_us: int) -> Samples | None:
        made = chunk(self, boot_us)
        return None if made is None else replace(made, rate_hz=2 * made.rate_hz)

    monkeypatch.setattr(AnalogIn, "chunk", faster)
    rig.go(SECOND)
    assert (rig.state, rig.flowing_ua) == (State.STOPPED, 0)
    assert [kind for kind, _ in told(rig)][:2] == ["fault", "emg-lost"]
    assert "and it has said" in dict(told(rig))["fault"]
