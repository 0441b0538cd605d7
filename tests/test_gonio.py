"""A goniometer or glove that is named: its unit, its age, its loss; and that only what follows an angle is given one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from stimctl.cli import main
from stimctl.errors import UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.sensors.gonio import AHEAD_US, AngleRecording, AngleStream, Goniometer
from stimctl.sensors.recording import Recording
from stimctl.sensors.signals import SignalSource
from stimctl.session.search import Search
from stimctl.units import MS, SECOND
from tests.following_rig import brief
from tests.protocol_texts import CONTRALATERAL
from tests.session_rig import CYCLIC, EMG, Rig
from tests.test_lsl_source import Made, facts


def stream(unit: str = "degrees", rate_hz: float = 50.0, labels: tuple[str, ...] = ("wrist",)) -> Made:
    return Made(facts(rate_hz, labels, unit))


def test_the_newest_angle_has_its_own_time() -> None:
    made = stream()
    source: SignalSource = AngleStream(made)
    assert (source.name, source.unit, source.least_span) == ("LSL Amp", "degrees", 15.0)
    assert source.read(0) is None
    made.now_us = SECOND
    made.lay([10.0, 20.0, 30.0], [SECOND - 45 * MS, SECOND - 25 * MS, SECOND - 5 * MS])
    assert source.read(SECOND) == (SECOND - 5 * MS, 30.0)
    assert source.read(2 * SECOND) == (SECOND - 5 * MS, 30.0), "it stays, and grows old"


def test_a_glove_in_radians_is_read_in_degrees() -> None:
    made = stream("rad", labels=("thumb", "index"))
    made.lay([math.pi / 4], [-MS])
    source = AngleStream(made, "index")
    assert source.name == "LSL Amp #index"
    sample = source.read(0)
    assert sample is not None
    assert sample.value == pytest.approx(90.0), "the made-up stream doubles its second channel"


@pytest.mark.parametrize("unit", ["", "microvolts", "percent"])
def test_a_number_that_is_no_angle_is_refused(unit: str) -> None:
    with pytest.raises(
        UsageError, match="an angle is wanted: have its sender name the channel's unit, degrees or radians"
    ):
        AngleStream(stream(unit))


@pytest.mark.parametrize("rate_hz", [0.0, 5.0, math.nan])
def test_a_stream_too_slow_is_refused(rate_hz: float) -> None:
    with pytest.raises(UsageError, match="angles a second; 10 are needed"):
        AngleStream(stream(rate_hz=rate_hz))


def test_a_sender_that_is_gone_gives_nothing_and_may_come_back() -> None:
    made = stream()
    source = AngleStream(made)
    made.lay([10.0], [0])
    assert source.read(0)
    made.lost = "gone"
    assert source.read(MS) is None
    made.lost = ""
    assert source.read(2 * MS) is None, "what it said before is not said again"
    source.close()
    assert made.closed


@pytest.mark.parametrize(("value", "at_us"), [(math.nan, 0), (math.inf, 0), (1.0, math.nan), (1.0, -math.inf)])
def test_what_is_no_number_is_no_angle(value: float, at_us: float) -> None:
    made = stream()
    source = AngleStream(made)
    made.lay([10.0], [0])
    assert source.read(0)
    made.lay([value], [at_us])
    assert source.read(MS) is None
    assert Goniometer(source).read(MS) is None


def test_a_little_ahead_is_now_and_more_is_told_as_it_is() -> None:
    made = stream()
    gonio = Goniometer(AngleStream(made))
    for ahead_us in (AHEAD_US, AHEAD_US + MS):
        made.lay([10.0], [ahead_us])
        angle = gonio.read(0)
        assert angle is not None
        assert angle.is_stale(0) is (ahead_us > AHEAD_US)
    assert gonio.name == "LSL Amp"


def test_a_recording_is_played_once_and_then_grows_old() -> None:
    source = AngleRecording(Recording("a.csv", 100.0, np.arange(100.0)))
    assert source.read(SECOND) == (SECOND, 0.0)
    assert source.read(SECOND + 505 * MS) == (SECOND + 500 * MS, 50.0)
    assert source.read(9 * SECOND) == (SECOND + 990 * MS, 99.0)
    assert Goniometer(source).name == "a.csv"


LED = brief(CONTRALATERAL)

# --- in a session --------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hand.csv"
    path.write_text("\n".join(f"{30 * math.sin(n / 50):.2f}" for n in range(1_000)), encoding="utf-8")
    return path


def opened(tmp_path: Path, text: str, emg: str) -> tuple[str, str]:
    """What the session said, and what it follows."""
    rig = Rig(tmp_path, text, emg=emg)
    try:
        refused = rig.order(
            Kind.OPEN, **{key: getattr(rig.opening, key) for key in ("protocol", "patient", "side", "emg")}
        )
        rig.go(100 * MS)
        following = rig.session.following
        return refused or rig.session.refusal, following.source.name if following is not None else ""
    finally:
        rig.close()


def test_the_sound_hand_is_followed_by_what_was_named(tmp_path: Path, file: Path) -> None:
    assert opened(tmp_path, LED, f"angle:file:{file}?rate=100") == ("", "hand.csv")
    assert opened(tmp_path, LED, "") == ("", "the simulated sound hand")


def test_what_follows_no_angle_is_given_none(tmp_path: Path, file: Path) -> None:
    url = f"angle:file:{file}?rate=100"
    assert "follows no angle; leave out file:" in opened(tmp_path, CYCLIC, url)[0]
    assert "a fes-emg-triggered protocol follows no angle; leave out file:" in opened(tmp_path, EMG, url)[0]
    for board in ("angle:board:", "angle:board:2"):
        assert "is no angle: a board has one analog input" in opened(tmp_path, LED, board)[0]
    assert "'glove:1' is not a source of angles" in opened(tmp_path, LED, "angle:glove:1")[0]
    assert "there is no such file" in opened(tmp_path, LED, "angle:file:none.csv")[0]


def test_the_command_takes_one_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["run", "x.toml", "--headless", "--emg", "lsl:A", "--angle", "lsl:B", "--store", str(tmp_path / "r.db")]
    assert main(given) == 2
    assert "give --emg or --angle, not both" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--angle", "--lsl-out"])
def test_an_option_that_names_nothing_is_not_taken_for_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["run", "x.toml", "--headless", option, "", "--store", str(tmp_path / "r.db")]) == 2
    assert option in capsys.readouterr().err


def test_the_stream_of_an_angle_is_looked_for_without_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def find(key: str, value: str) -> Made:
        asked.append((key, value))
        return stream(labels=("thumb", "index"))

    monkeypatch.setattr("stimctl.transport.lsl_in.find", find)
    looked = Search("angle:lsl:type=Gonio#index")
    looked.wait()
    assert (asked, looked.result().name) == ([("type", "Gonio")], "LSL Amp #index")
    assert isinstance(looked.result(), AngleStream)
