"""Recordings of EMG drive whole sessions: the bursts follow the labelled efforts, and nothing else.

A recording's first sample falls on the moment in which counting begins (the record's ``begin``). What counts is what
the record says happened and what the twin's own ledger says flowed; the labels were never shown to the session.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from stimctl.cli import main
from stimctl.records.reading import events, sessions, verify
from stimctl.records.words import Event, SessionRow
from stimctl.sensors.recording import Recording, load
from stimctl.sim import board
from stimctl.sim.ledger import Stretch
from tests.session_rig import CYCLIC, TRIGGER

DATA = Path(__file__).parent / "data" / "emg"

EARLY_US = 25_000
LATE_US = 500_000
"""How far before and after its label an effort may be heard; labels by consensus are good to 25 ms themselves."""

ON_US = 1_200_000

_CHANGES = {
    '"fes-cyclic"': '"fes-emg-triggered"',
    "ramp_up_s = 1.0": "ramp_up_s = 0.5",
    "hold_s = 2.0": "hold_s = 0.5",
    "ramp_down_s = 1.0": "ramp_down_s = 0.2",
    "rest_s = 4.0": "rest_s = 1.2",
    "repetitions = 2": "repetitions = 50",
    "threshold_sd = 3.0": "threshold_sd = 8.0",
    "release_fraction = 0.6": "release_fraction = 0.5",
    "blanking_ms = 20": "blanking_ms = 25",
    "cue = true": "cue = false",
    "attempt_window_s = 6.0\n": "",
    "max_triggers_per_min = 10": "max_triggers_per_min = 25",
}


def changed(text: str, changes: dict[str, str]) -> str:
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


FREE = changed(CYCLIC + TRIGGER, _CHANGES)
"""Listens until an effort comes, as the shipped protocols do; bursts are short, so that they swallow few efforts."""

LONG = changed(FREE, {"hold_s = 0.5": "hold_s = 3.0", "rest_s = 1.2": "rest_s = 3.7"})
"""For efforts held for 5 s: listens again only when they are over."""


class Run(NamedTuple):
    """A session that a recording drove. Times are µs since the recording's first sample."""

    code: int
    row: SessionRow
    events: tuple[Event, ...]
    began_us: int
    flowed: tuple[Stretch, ...]

    def times_us(self, kind: str) -> list[int]:
        return [each.mono_us - self.began_us for each in self.events if each.kind == kind]

    @property
    def listened_us(self) -> list[tuple[int, int]]:
        """The stretches in which an effort would have been answered."""
        ends = sorted(self.times_us("trigger") + self.times_us("missed") + self.times_us("finish"))
        return [(start, min(end for end in ends if end > start)) for start in self.times_us("to-listening")]

    @property
    def counted(self) -> list[tuple[int, int]]:
        """What flowed since counting began, as the twin's ledger has it."""
        return [(s.start_us - self.began_us, s.end_us - self.began_us) for s in self.flowed if s.end_us > self.began_us]


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> list[board.Twin]:
    """The twins that are made from here on, with everything that they remember."""
    made: list[board.Twin] = []
    build = board.Twin.__init__

    def watched(self: board.Twin, *given: object, **named: object) -> None:
        made.append(self)
        build(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(board.Twin, "__init__", watched)
    return made


def run(folder: Path, recording: Path, twins: list[board.Twin], text: str = FREE) -> Run:
    """``stimctl run`` with a recording for its EMG, as fast as it goes."""
    protocol, store = folder / "protocol.toml", folder / "r.db"
    protocol.write_text(text, encoding="utf-8")
    given = ["--emg", f"file:{recording}", "--headless", "--speed", "max", "--seed", "1", "--store", str(store)]
    code = main(["run", str(protocol), *given])
    assert verify(store).ok
    [row], [twin] = sessions(store), twins
    recorded = events(store, row.id)
    [begun] = [each for each in recorded if each.kind == "begin"]
    return Run(code, row, recorded, begun.mono_us, tuple(twin.ledger[0].history(twin.now_us)))


def labelled_us(recording: Recording) -> list[int]:
    return [round(index * 1e6 / recording.rate_hz) for index in recording.labels.onsets]


@pytest.mark.parametrize(
    ("name", "text", "least"),
    [("splice_16dB_0", FREE, 11), ("syn_10dB_0", FREE, 10), ("bsn_ap16b", FREE, 4), ("myo_19999-1_ext", LONG, 6)],
    ids=["splice", "syn", "bsn", "myo"],
)
def test_bursts_follow_the_labelled_efforts(
    name: str, text: str, least: int, tmp_path: Path, twins: list[board.Twin], capsys: pytest.CaptureFixture[str]
) -> None:
    path = DATA / f"{name}.npz"
    done = run(tmp_path, path, twins, text)
    recording = load(path)
    onsets, heard = labelled_us(recording), done.times_us("trigger")

    # Each burst has its effort, outside of what nobody could judge ...
    for time_us in heard:
        if not any(start <= time_us * recording.rate_hz / 1e6 <= end for start, end in recording.labels.ignore):
            assert [onset for onset in onsets if onset - EARLY_US <= time_us <= onset + LATE_US], (
                f"no effort at {time_us}"
            )
    # ... each effort that fell into a listening stretch has its burst ...
    awaited = [onset for onset in onsets if any(start <= onset <= end for start, end in done.listened_us)]
    assert len(awaited) >= least, "the protocol swallows efforts, so that the test shows little"
    for onset in awaited:
        assert [time_us for time_us in heard if onset - EARLY_US <= time_us <= onset + LATE_US], f"{onset} was missed"
    # ... every one is delivered, each to its end ...
    delivered = done.times_us("burst-delivered")
    assert len(delivered) == len(heard) == done.row.bursts
    # ... and current flows in those bursts, and at no other time.
    bursts = list(zip(heard, delivered, strict=True))
    for start, end in bursts:
        assert [flow for flow in done.counted if start <= flow[0] and flow[1] <= end]
    for flow in done.counted:
        assert [burst for burst in bursts if burst[0] <= flow[0] and flow[1] <= burst[1]], f"{flow} is in no burst"

    assert done.code == 0
    assert done.row.outcome == "ended early"
    [finish] = [each for each in done.events if each.kind == "finish"]
    assert finish.payload["reason"] == f"the recording {path.name} has ended"
    assert f"Finished: the recording {path.name} has ended; bursts delivered: {len(heard)}" in capsys.readouterr().out


def test_stimulation_in_a_recording_sets_nothing_off(tmp_path: Path, twins: list[board.Twin]) -> None:
    """Forty-hertz trains with artefact and M-wave, and no effort in a whole minute (hazard H24)."""
    done = run(tmp_path, DATA / "stim_selftrig_0.npz", twins)
    assert done.times_us("trigger") == []
    assert done.counted == []
    assert (done.code, done.row.outcome, done.row.bursts) == (0, "ended early", 0)


def made(folder: Path, *, length_s: float, efforts_s: tuple[float, ...], noise_uv: float = 2.0) -> Path:
    """A recording at 1 kHz: noise, and in it efforts of half a second, twenty times as strong."""
    path = folder / "made.npz"
    values = np.random.default_rng(5).normal(0.0, noise_uv, round(length_s * 1_000))
    for start_s in efforts_s:
        values[round(start_s * 1_000) : round(start_s * 1_000) + 500] *= 20
    np.savez(path, x=values, fs=np.float64(1_000))
    return path


def test_a_burst_set_off_at_the_very_end_is_given_whole(tmp_path: Path, twins: list[board.Twin]) -> None:
    done = run(tmp_path, made(tmp_path, length_s=6.0, efforts_s=(5.6,)), twins)
    [heard], [delivered], [finish] = (done.times_us(kind) for kind in ("trigger", "burst-delivered", "finish"))
    assert heard < 6_000_000 < delivered <= finish
    assert delivered - heard == pytest.approx(ON_US, abs=20_000)
    assert done.counted[-1][1] <= delivered


def test_a_dose_that_is_done_is_not_cut_short(tmp_path: Path, twins: list[board.Twin]) -> None:
    once = FREE.replace("repetitions = 50", "repetitions = 1")
    done = run(tmp_path, made(tmp_path, length_s=6.0, efforts_s=(5.0,)), twins, once)
    assert (done.code, done.row.outcome, done.row.bursts) == (0, "complete", 1)
    assert done.times_us("finish") == []


def test_a_recording_too_short_for_a_resting_level(
    tmp_path: Path, twins: list[board.Twin], capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(tmp_path, made(tmp_path, length_s=1.0, efforts_s=()), twins)
    assert (done.code, done.row.outcome, done.row.bursts) == (0, "ended early", 0)
    assert "has ended before a resting level was found" in capsys.readouterr().out
    assert done.counted == []


def test_a_cued_session_ends_with_its_recording_too(tmp_path: Path, twins: list[board.Twin]) -> None:
    cued = FREE.replace("cue = false", "cue = true\nattempt_window_s = 3.0")
    done = run(tmp_path, made(tmp_path, length_s=12.0, efforts_s=(4.0,)), twins, cued)
    assert len(done.times_us("trigger")) == 1
    assert done.times_us("missed")
    assert 12_000_000 <= done.times_us("finish")[0] <= 12_300_000


def test_the_same_seed_and_recording_are_the_same_session(tmp_path: Path, twins: list[board.Twin]) -> None:
    path = made(tmp_path, length_s=12.0, efforts_s=(5.0, 9.0))
    told = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        done = run(folder, path, twins)
        told.append([(each.mono_us, each.kind) for each in done.events])
        twins.clear()
    assert told[0] == told[1]


def test_a_protocol_that_listens_to_nothing_takes_no_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = tmp_path / "cyclic.toml"
    protocol.write_text(CYCLIC, encoding="utf-8")
    given = ["--emg", f"file:{DATA / 'bsn_ap16b.npz'}", "--headless", "--speed", "max"]
    assert main(["run", str(protocol), *given, "--store", str(tmp_path / "r.db")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("stimctl: a fes-cyclic protocol listens to no EMG; leave out file:")


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("file:absent.npz", 1, "absent.npz: there is no such file"),
        ("file:", 2, "not an EMG source"),
        ("telepathy:", 2, "not an EMG source"),
        (f"file:{DATA / 'ORIGIN.md'}", 1, "ORIGIN.md:"),
    ],
)
def test_a_recording_that_cannot_be_used_is_one_line_and_no_session(
    url: str, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol, store = tmp_path / "free.toml", tmp_path / "r.db"
    protocol.write_text(FREE, encoding="utf-8")
    given = ["--emg", url, "--headless", "--speed", "max", "--store", str(store)]
    assert main(["run", str(protocol), *given]) == code
    said = capsys.readouterr()
    assert said.out == "", "no board was asked, so nothing is said about one"
    assert len(said.err.splitlines()) == 1
    assert says in said.err
    assert sessions(store) == ()
