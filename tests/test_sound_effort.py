"""The EMG of the sound hand as a signal to follow: effort and nothing else, whatever pulses reach its electrodes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.control.start import _listens
from stimctl.engine import State
from stimctl.errors import UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.protocols import library_text, loads
from stimctl.sensors.effort import SoundEffort
from stimctl.sensors.lsl import LslSource
from stimctl.sensors.recording import Recording
from stimctl.sensors.signals import OpenSignal, Sample
from stimctl.session import search
from stimctl.session.following import GONE_US
from stimctl.transport.lsl_in import Pulled
from stimctl.units import MS, SECOND
from tests.following_rig import following, opened, payloads
from tests.session_rig import CYCLIC, Rig
from tests.test_following_session import EMG
from tests.test_lsl_losses import LAG_US, RATE_HZ, URL, Live
from tests.test_lsl_source import Made, facts

GONE = "the sender of the LSL stream Amp is gone"


def noise(seconds: float, uv: float = 3.0, rate_hz: int = RATE_HZ) -> Any:
    return np.random.default_rng(5).normal(0.0, uv, round(seconds * rate_hz))


def level(values: Any, rate_hz: int = RATE_HZ, *, every_us: int = 20 * MS) -> float | None:
    """The level at the end of a recording, looked at every so often."""
    effort = SoundEffort(Recording("sound.csv", float(rate_hz), np.asarray(values, dtype=np.float64)))
    found: Sample | None = None
    for now_us in range(0, len(values) * SECOND // rate_hz + every_us, every_us):
        found = effort.read(now_us)
    return None if found is None else found.value


def pulsed(values: Any, rate_per_s: int, uv: float) -> Any:
    """With artefacts of 2 ms, ``uv`` at their top and both ways, at that rate."""
    out, length = values.copy(), 2 * RATE_HZ // 1_000
    for start in range(7, len(out) - length, RATE_HZ // rate_per_s):
        out[start : start + length] += uv * np.where(np.arange(length) % 2, -1.0, 1.0)
    return out


# --- the level ---------------------------------------------------------------------------------------------------------


def test_more_effort_is_a_higher_level() -> None:
    rest, some, most = (level(noise(2.0, uv)) for uv in (3.0, 30.0, 150.0))
    assert rest is not None
    assert some is not None
    assert most is not None
    assert 8 * rest < some < most / 4


@pytest.mark.parametrize("rate_per_s", [12, 25, 35, 50])
def test_pulses_of_the_other_arm_are_no_effort(rate_per_s: int) -> None:
    """A hundred times the noise: a mean would be at 20 and more times the level of rest."""
    quiet, loud = level(noise(2.0)), level(pulsed(noise(2.0), rate_per_s, 300.0))
    assert quiet is not None
    assert loud is not None
    assert 0.6 * quiet < loud < 1.8 * quiet


def test_mains_and_drift_are_no_effort() -> None:
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    quiet, humming = level(noise(2.0)), level(noise(2.0) + 30 * np.sin(2 * math.pi * 50 * t) + 500 * t)
    assert quiet is not None
    assert humming is not None
    assert humming < 2 * quiet


@given(st.lists(st.integers(1, 150), min_size=1, max_size=30))
def test_how_a_stream_is_cut_changes_nothing(lengths: list[int]) -> None:
    values = noise(0.6)
    ends = sorted({min(end, 600) for end in (*itertools.accumulate(lengths), *range(150, 601, 150))})
    assert cut(values, ends) == cut(values, list(range(100, 601, 100)))


def cut(values: Any, ends: list[int]) -> float | None:
    """The level after a stream that came in these pieces."""
    stream = Made(facts())
    effort = SoundEffort(LslSource(stream))
    effort.read(0)
    found = None
    for start, end in itertools.pairwise((0, *ends)):
        stream.now_us = end * MS
        stream.lay(values[start:end], np.arange(start + 1, end + 1) * MS)
        found = effort.read(stream.now_us)
    return None if found is None else found.value


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 1e13])
def test_what_is_no_number_is_no_effort(wrong: float) -> None:
    values = noise(1.0)
    values[-3] = wrong
    assert level(values) is None


def test_a_lead_that_is_off_is_no_effort() -> None:
    assert level(np.concatenate((noise(1.0), np.full(300, 7.0)))) is None
    assert level(np.round(noise(2.0, 0.6))) is not None, "a coarse converter stands still now and then"


def test_before_half_a_level_was_heard_there_is_none() -> None:
    assert level(noise(0.12)) is None
    assert level(noise(0.14)) is not None


def test_behind_a_loss_it_is_heard_anew() -> None:
    stream = Made(facts())
    effort = SoundEffort(LslSource(stream))
    found = []
    for number in range(1, 100):
        stream.now_us = number * 10 * MS
        if number != 50:
            stream.lay(noise(0.01), stream.now_us - np.arange(10)[::-1] * MS + (100 * MS if number > 50 else 0))
        found.append(effort.read(stream.now_us) is not None)
    assert found[40]
    assert effort.losses[0] == 1
    assert not any(found[50:60])


def test_what_cannot_be_followed_is_refused() -> None:
    with pytest.raises(UsageError, match=r"sound\.csv gives 250 samples a second, and 500 are needed"):
        SoundEffort(Recording("sound.csv", 250.0, noise(1.0)))
    with pytest.raises(UsageError, match="does not say that it is a voltage"):
        SoundEffort(LslSource(Made(facts(unit=""))))


def test_a_block_is_given_the_source_that_it_has_a_use_for() -> None:
    led = {name: loads(library_text(name), name) for name in (
        "contralateral-hand-opening", "contralateral-with-extensors-amplitude", "wrist-finger-extensors-emg-proportional",
        "wrist-finger-extensors-emg", "biofeedback-angle-wrist",
    )}  # fmt: skip
    assert [_listens(each, "lsl:A") for each in led.values()] == [False, True, False, True, False]
    assert [_listens(each, "angle:lsl:A") for each in led.values()] == [True, False, False, False, True]


# --- in a session ------------------------------------------------------------------------------------------------------


class Arm(Live):
    """A sender at the simulated patient's sound arm; ``leak_uv`` of each pulse at the other arm reach its electrodes."""

    def __init__(self) -> None:
        super().__init__()
        self.rig: Rig | None = None
        self.leak_uv = 0.0

    def pull(self, channel: int) -> Pulled | None:
        pulled = super().pull(channel)
        link = self.rig.session.link if self.rig is not None else None
        if pulled is None or link is None or link.patient is None or self.rig is None:
            return pulled
        values = pulled.values / 3.0 * link.patient.sound.emg_uv(self.rig.now_us - LAG_US)
        if self.leak_uv and self.rig.flowing_ua:
            values = values + self.leak_uv * np.where(np.arange(len(values)) % 2, -1.0, 1.0)
        return Pulled(values, pulled.ages_us)


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Arm:
    made = Arm()
    monkeypatch.setattr("stimctl.transport.lsl_in.find", lambda *_: made)
    search.ahead(URL)
    return made


@pytest.fixture
def rig(tmp_path: Path, arm: Arm) -> Iterator[Rig]:
    made = Rig(tmp_path, EMG, emg=URL)
    arm.rig, arm.clock = made, lambda: made.now_us
    yield made
    made.close()


def test_a_whole_session_is_led_by_a_stream(rig: Rig, arm: Arm) -> None:
    rig.work()
    assert isinstance(following(rig).source, OpenSignal)
    assert rig.session.engine.counts().delivered == 3
    [found] = payloads(rig, "control-range")
    assert (found["unit"], found["source"]) == ("µV", "LSL Amp")
    assert all(int(str(told["most_percent"])) > 80 for told in payloads(rig, "opening"))
    assert arm.closed, "it is let go of with the session"


def test_a_sender_that_is_gone_is_zero_and_the_record_names_it(rig: Rig, arm: Arm) -> None:
    opened(rig)
    assert rig.flowing_ua > 0
    arm.lost = GONE
    rig.go(600 * MS)
    assert rig.flowing_ua == 0
    assert [told["why"] for told in payloads(rig, "control-lost")] == [GONE]
    rig.go(GONE_US)
    assert rig.state is State.PAUSED
    assert [told["reason"] for told in payloads(rig, "pause")] == [GONE]
    assert [told["gaps"] for told in payloads(rig, "control-gap")] == [1]


def test_pulses_that_would_lead_themselves_are_refused_before_anything_follows(rig: Rig, arm: Arm) -> None:
    """A leak as large as the effort, in every sample: no blocks are left between pulses."""
    arm.leak_uv = 150.0
    rig.work(State.READY)
    said = ""
    for _ in range(2):
        rig.order(Kind.NEXT)
        rig.go(4 * SECOND)
        said = rig.session.refusal
    assert "it would drive itself; find the thresholds again" in said
    assert Kind.START not in rig.status.can


def test_a_file_leads_a_simulated_session_and_no_other_kind_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    np.savetxt(
        path,
        np.column_stack((noise(9.0), noise(9.0, 50.0))),
        fmt="%.2f",
        delimiter=",",
        header="paretic,sound",
        comments="",
    )
    url = f"file:{path}?rate=1000&column=sound"
    assert asked(tmp_path, EMG, url) == ("", "both.csv")
    assert "listens to no EMG; leave out file:" in asked(tmp_path, CYCLIC, url)[0]


def asked(folder: Path, text: str, emg: str) -> tuple[str, str]:
    """Why a session was refused, and what it follows."""
    rig = Rig(folder, text, emg=emg)
    try:
        opening = {key: getattr(rig.opening, key) for key in ("protocol", "patient", "side", "emg")}
        refused = rig.order(Kind.OPEN, **opening)
        rig.go(100 * MS)
        return refused or rig.session.refusal, following(rig).source.name if rig.session.following else ""
    finally:
        rig.close()
