"""A stream that fails a session, in every way a stream can: what ends output, what only bars the trigger, what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stimctl.engine import State
from stimctl.errors import LinkLost
from stimctl.orders import OutputWord
from stimctl.protocols import library_text
from stimctl.records.reading import events, sessions
from stimctl.records.words import Event
from stimctl.session import search
from stimctl.transport.lsl_in import Pulled
from stimctl.units import MS, SECOND
from tests.session_rig import EMG, Rig
from tests.test_guided_session import Rig as GuidedRig
from tests.test_lsl_source import Made, facts

RATE_HZ = 1_000
LAG_US = 4 * MS
URL = "lsl:Amp"


class Live(Made):
    """A sender of a muscle at rest, as long as the virtual clock goes on; what is wrong with it can be said at any time."""

    def __init__(self) -> None:
        super().__init__(facts())
        self.clock: Callable[[], int] = lambda: 0
        self.sends = True
        self.shift_us = 0
        self.pace = 1.0
        self.wrong: float | None = None
        self._random = np.random.default_rng(3)
        self._sent = 0
        self._begun_us = 0

    def pull(self, channel: int) -> Pulled | None:
        now_us = self.clock()
        due = round((now_us - LAG_US) * self.pace * RATE_HZ / SECOND)
        count, self._sent = max(0, due - self._sent), max(due, self._sent)
        if self.lost:
            raise LinkLost(self.lost)
        if not self.sends or not count:
            return None
        count = min(count, RATE_HZ)
        values = self._random.normal(0.0, 3.0, count)
        if self.wrong is not None:
            values[:] = self.wrong
        taken_us = (now_us - LAG_US + self.shift_us) - np.arange(count)[::-1] * SECOND / RATE_HZ / self.pace
        return Pulled(values, now_us - taken_us)


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Live:
    made = Live()
    monkeypatch.setattr("stimctl.transport.lsl_in.find", lambda *_: made)
    search.ahead(URL)
    return made


@pytest.fixture
def rig(tmp_path: Path, live: Live) -> Iterator[Rig]:
    made = Rig(tmp_path, EMG.replace("threshold_sd = 3.0", "threshold_sd = 8.0"), emg=URL)
    live.clock = lambda: made.now_us
    yield made
    made.close()


def said(recorded: tuple[Event, ...], *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    return [(each.kind, dict(each.payload)) for each in recorded if each.kind in kinds]


SIGNAL = ("emg-lost", "emg-back", "emg-gap", "emg-quality", "fault")


def waiting(rig: Rig) -> Rig:
    """Armed, and waiting for an attempt."""
    rig.work(State.LISTENING)
    rig.go(3 * SECOND)
    assert rig.state in (State.LISTENING, State.REST)
    assert said(rig.events(), *SIGNAL) == []
    return rig


def test_a_resting_level_is_told_as_often_as_it_is_learnt(rig: Rig) -> None:
    """Once while the trigger is tried, and once in the treatment."""
    rig.work(State.READY)
    rig.go(4 * SECOND)
    waiting(rig)
    found = [payload for _, payload in said(rig.events(), "rest-found")]
    assert len(found) == 2
    assert all(each["rest_uv"] < each["threshold_uv"] for each in found)


def test_a_sender_that_is_gone_ends_output_and_comes_back_to_zero(rig: Rig, live: Live) -> None:
    waiting(rig)
    live.lost = "the sender of the LSL stream Amp is gone"
    rig.go(SECOND)
    assert (rig.state, rig.flowing_ua, rig.status.output) == (State.STOPPED, 0, OutputWord.OFF)
    live.lost = ""
    rig.go(2 * SECOND)
    assert rig.state is State.STOPPED, "its return begins nothing"
    signal = said(rig.events(), *SIGNAL)
    assert [kind for kind, _ in signal if kind != "emg-gap"][:2] == ["fault", "emg-lost"]
    assert (
        dict(signal)["emg-lost"]["why"] == dict(signal)["fault"]["reason"] == "the sender of the LSL stream Amp is gone"
    )


def test_a_sender_that_falls_silent_ends_output(rig: Rig, live: Live) -> None:
    waiting(rig)
    live.sends = False
    rig.go(900 * MS)
    assert rig.state is not State.STOPPED, "a hiccup bars the trigger alone"
    assert rig.status.emg is not None
    assert rig.status.emg.quality == "stale"
    rig.go(SECOND)
    assert (rig.state, rig.flowing_ua) == (State.STOPPED, 0)
    assert "has given nothing for" in dict(said(rig.events(), "emg-lost"))["emg-lost"]["why"]


def test_a_sender_at_another_rate_ends_output(rig: Rig, live: Live) -> None:
    waiting(rig)
    live._sent = round(live._sent * 0.9)
    live.pace = 0.9
    rig.go(4 * SECOND)
    assert (rig.state, rig.flowing_ua) == (State.STOPPED, 0)
    assert "it says 1000 samples a second and gives 9" in dict(said(rig.events(), "emg-lost"))["emg-lost"]["why"]


def test_stamps_that_jump_ahead_are_a_loss_and_no_trigger(rig: Rig, live: Live) -> None:
    """By 150 ms and back: the clock of the sender was set, twice. What it takes for the future is absent."""
    waiting(rig)
    live.shift_us = -150 * MS
    rig.go(SECOND)
    live.shift_us = 0
    rig.go(2 * SECOND)
    recorded = rig.events()
    gaps = said(recorded, "emg-gap")
    assert gaps
    assert gaps[-1][1]["gaps"] >= 2
    assert gaps[-1][1]["samples_missing"] > 100
    assert (rig.session.engine.counts().triggered, said(recorded, "fault")) == (0, [])


def test_a_stamp_far_from_now_is_no_signal(rig: Rig, live: Live) -> None:
    waiting(rig)
    live.shift_us = -3 * SECOND
    rig.go(3 * SECOND)
    assert (rig.state, rig.flowing_ua) == (State.STOPPED, 0)
    assert "ms old" in dict(said(rig.events(), "emg-lost"))["emg-lost"]["why"]
    live.shift_us = 0


@pytest.mark.parametrize(("wrong", "quality"), [(float("nan"), "gap"), (float("inf"), "gap"), (7.0, "flat")])
def test_values_that_are_none_bar_the_trigger_and_are_recorded(
    rig: Rig, live: Live, wrong: float, quality: str
) -> None:
    waiting(rig)
    live.wrong = wrong
    rig.go(2 * SECOND)
    live.wrong = None
    rig.go(2 * SECOND)
    recorded = rig.events()
    assert [payload["quality"] for _, payload in said(recorded, "emg-quality")] == [quality, "good"]
    assert (rig.session.engine.counts().triggered, said(recorded, "fault", "emg-lost")) == (0, [])


def test_with_output_off_a_loss_is_only_told(rig: Rig, live: Live) -> None:
    rig.work(State.READY)
    rig.go(SECOND)
    live.lost = "the sender of the LSL stream Amp is gone"
    rig.go(SECOND)
    live.lost = ""
    rig.go(2 * SECOND)
    kinds = [kind for kind, _ in said(rig.events(), "emg-lost", "emg-back", "fault")]
    assert kinds == ["emg-lost", "emg-back"]
    assert any("the signal is back" in line for line in rig.status.messages)


# --- work without output --------------------------------------------------------------------------------------------


@pytest.fixture
def guided(tmp_path: Path, live: Live) -> Iterator[GuidedRig]:
    made = GuidedRig(tmp_path, library_text("biofeedback-emg-extensors"), emg=URL)
    live.clock = lambda: made.now_us
    yield made
    made.session.close("test over", made.now_us)
    made.journal.close()


def test_guided_work_records_what_its_stream_lost(guided: GuidedRig, live: Live) -> None:
    guided.work(until="doing")
    guided.work(most_us=3 * SECOND)
    live.lost = "the sender of the LSL stream Amp is gone"
    guided.work(most_us=SECOND)
    live.lost = ""
    guided.work(most_us=3 * SECOND)
    live.wrong = 7.0
    guided.work(most_us=2 * SECOND)
    guided.journal.flush()
    [row] = sessions(guided.store)
    recorded = [each for each in events(guided.store, row.id) if each.kind in SIGNAL]
    kinds = [each.kind for each in recorded]
    assert [kind for kind in kinds if kind in ("emg-lost", "emg-back")] == ["emg-lost", "emg-back"]
    assert "emg-gap" in kinds
    assert [each.payload["quality"] for each in recorded if each.kind == "emg-quality"][-1] == "flat"
    assert [each.payload["why"] for each in recorded if each.kind == "emg-lost"] == [
        "the sender of the LSL stream Amp is gone"
    ]


class Bent(Live):
    """A goniometer at a wrist that does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = facts(100.0, ("wrist",), "degrees")


def test_guided_work_records_an_angle_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live, url = Bent(), f"angle:{URL}"
    monkeypatch.setattr("stimctl.transport.lsl_in.find", lambda *_: live)
    search.ahead(url)
    rig = GuidedRig(tmp_path, library_text("biofeedback-angle-wrist"), emg=url)
    live.clock = lambda: rig.now_us
    try:
        rig.work(until="doing")
        rig.work(most_us=2 * SECOND)
        live.lost = "the sender of the LSL stream Amp is gone"
        rig.work(most_us=2 * SECOND)
        live.lost = ""
        rig.work(most_us=2 * SECOND)
        live.sends = False
        rig.work(most_us=2 * SECOND)
        rig.journal.flush()
        [row] = sessions(rig.store)
        told = [
            (each.kind, each.payload.get("why")) for each in events(rig.store, row.id) if each.kind.startswith("angle-")
        ]
    finally:
        rig.session.close("test over", rig.now_us)
        rig.journal.close()
    silent = "LSL Amp has given no angle that can be believed for a second"
    gone = "the sender of the LSL stream Amp is gone"
    assert told == [("angle-lost", gone), ("angle-back", None), ("angle-lost", silent)]
