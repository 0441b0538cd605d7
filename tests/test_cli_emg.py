"""``stimctl emg``: onsets as they would have fired live, the reasons, pictures, proposals, and one line for what is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from stimctl.cli import main
from stimctl.sensors.playing import detector
from stimctl.sensors.recording import load
from stimctl.sensors.samples import Chunk

Out = pytest.CaptureFixture[str]
DATA = Path(__file__).parent / "data" / "emg"
SPLICE = DATA / "splice_16dB_0.npz"

EFFORTS_S = (3.0, 5.0, 7.0, 9.0)


def values(length_s: float = 11.0, efforts_s: tuple[float, ...] = EFFORTS_S, rate_hz: int = 500) -> np.ndarray:
    """Noise, and in it efforts of 0.7 s, fifteen times as strong."""
    made = np.random.default_rng(2).normal(0.0, 2.0, round(length_s * rate_hz))
    for start_s in efforts_s:
        made[round(start_s * rate_hz) : round((start_s + 0.7) * rate_hz)] *= 15
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV file with EMG, labels and pulses side by side, at 500 Hz."""
    emg = values()
    effort = np.zeros(len(emg), dtype=int)
    for start_s in EFFORTS_S:
        effort[round(start_s * 500) : round((start_s + 0.7) * 500)] = 1
    rows = "\n".join(f"{uv:.3f};{mark};{int(at == 900)}" for at, (uv, mark) in enumerate(zip(emg, effort, strict=True)))
    path = tmp_path / "attempt.csv"
    path.write_text(f"emg_uv;effort;pulse\n{rows}\n", encoding="utf-8")
    return path


def said(capsys: Out, *args: str | Path, code: int = 0) -> str:
    assert main(["emg", *map(str, args)]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


# --- onsets ------------------------------------------------------------------------------------------------------


def test_one_onset_a_line_near_each_effort(table: Path, capsys: Out) -> None:
    found = [int(line) for line in said(capsys, table, "--rate", "500", "--column", "emg_uv").splitlines()]
    assert len(found) == len(EFFORTS_S)
    for index, start_s in zip(found, EFFORTS_S, strict=True):
        assert 0 <= index - start_s * 500 <= 150
        assert (index + 1) % 5 == 0  # the last sample of a chunk of 10 ms


@pytest.mark.parametrize("chunk_ms", ["2", "10", "50"])
def test_it_is_what_the_detector_says_live(chunk_ms: str, capsys: Out) -> None:
    recording = load(SPLICE)
    size = round(float(chunk_ms) * recording.rate_hz / 1e3)
    live, listening = [], detector(recording.rate_hz)
    for first in range(0, len(recording.values_uv), size):
        part = recording.values_uv[first : first + size]
        if listening.push(Chunk(first, recording.rate_hz, part, first)):
            live.append(first + len(part) - 1)
    assert said(capsys, SPLICE, "--chunk-ms", chunk_ms).split() == [str(index) for index in live]
    assert len(live) >= 10


def test_settings_can_be_tried(table: Path, capsys: Out) -> None:
    assert said(capsys, table, "--rate", "500", "--threshold-uv", "500") == ""
    slow = said(capsys, table, "--rate", "500", "--dwell-ms", "300").split()
    fast = said(capsys, table, "--rate", "500", "--dwell-ms", "10").split()
    assert all(int(one) > int(other) for one, other in zip(slow, fast, strict=True))


def test_pulses_in_a_column_are_told_to_the_detector(tmp_path: Path, capsys: Out) -> None:
    emg, pulses = values(6.0, ()), np.zeros(3_000, dtype=int)
    pulses[2_000:2_500:12] = 1  # a train of 40 Hz or so, each with an artefact of 4 ms
    for at in np.flatnonzero(pulses):
        emg[at : at + 2] += 400.0
    path = tmp_path / "train.csv"
    path.write_text("emg,stim\n" + "\n".join(f"{uv:.2f},{mark}" for uv, mark in zip(emg, pulses, strict=True)))
    assert said(capsys, path, "--rate", "500") != ""
    assert said(capsys, path, "--rate", "500", "--pulses", "stim") == ""


# --- reasons -----------------------------------------------------------------------------------------------------


def test_reasons_for_each_onset(table: Path, capsys: Out) -> None:
    lines = said(capsys, table, "--rate", "500", "--labels", "effort", "--explain").splitlines()
    assert lines[0] == "attempt.csv: 11.0 s at 500 Hz, in chunks of 10 ms"
    at = lines.index(
        next(line for line in lines if line.split() == ["sample", "time", "s", "envelope", "threshold", "baseline"])
    )
    for row, start_s in zip(lines[at + 1 : -1], EFFORTS_S, strict=True):
        sample, time_s, envelope, threshold, baseline = map(float, row.split())
        assert time_s == pytest.approx((sample + 1) / 500, abs=0.001)
        assert start_s <= time_s <= start_s + 0.3
        assert envelope > threshold > baseline > 0
    assert re.match(
        r"by the file's labels: 4 of 4 efforts heard, known \d+ ms after their onset .* 0 false alarms", lines[-1]
    )


def test_the_same_for_a_program(table: Path, capsys: Out) -> None:
    found = json.loads(said(capsys, table, "--rate", "500", "--labels", "effort", "--format", "json"))
    plain = said(capsys, table, "--rate", "500").split()
    assert [str(onset["sample"]) for onset in found["onsets"]] == plain
    assert found["rate_hz"] == 500
    assert found["score"]["hits"] == 4
    assert found["rest"]["state"] == "ready"
    assert found["settings"]["threshold_sd"] is not None
    assert all(onset["certain_sample"] <= onset["sample"] for onset in found["onsets"])


# --- pictures ----------------------------------------------------------------------------------------------------


def test_a_picture_in_the_terminal(table: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = said(capsys, table, "--rate", "500", "--labels", "effort", "--plot").splitlines()
    assert max(map(len, lines)) <= 80
    [onsets] = [line for line in lines if line.startswith("onsets")]
    [labels] = [line for line in lines if line.startswith("labels")]
    assert onsets.count("▲") == 4
    marked = [at for at, sign in enumerate(labels) if sign == "━"]
    assert all(at in marked for at, sign in enumerate(onsets) if sign == "▲")
    assert any("█" in line for line in lines[3:13])
    assert lines[-1] == "█ envelope  ─ threshold  ▲ onset  ━ labelled effort"


def test_a_picture_as_svg(table: Path, tmp_path: Path, capsys: Out) -> None:
    output = tmp_path / "attempt.svg"
    assert said(capsys, table, "--rate", "500", "--plot", "-o", output) == f"{output} is written\n"
    root = ET.fromstring(output.read_text(encoding="utf-8"))
    tips = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert sum(1 for tip in tips if tip.startswith("onset known at")) == 4
    curves = [each.get("points") or "" for each in root.iter("{http://www.w3.org/2000/svg}polyline")]
    assert len(curves) == 2, "an envelope and a threshold"
    assert all(0 <= float(xy) <= 1_080 for curve in curves for xy in re.split("[ ,]", curve))
    # it stays as it is
    assert main(["emg", str(table), "--rate", "500", "--plot", "-o", str(output)]) == 2
    assert "is there already" in capsys.readouterr().err


# --- settings ----------------------------------------------------------------------------------------------------


def test_settings_are_proposed_with_what_to_expect(table: Path, capsys: Out) -> None:
    text = said(capsys, table, "--rate", "500", "--labels", "effort", "--dwell-ms", "300", "--tune")
    assert text.startswith("# rests on: labels; 4 efforts\n")
    [before, after] = re.findall(
        r"^#   (\d) of 4 efforts heard, known (\d+) ms.* (\d+) false alarm", text, re.MULTILINE
    )
    assert (after[0], after[2]) == ("4", "0")
    assert int(after[1]) < int(before[1])
    assert re.search(r"^\[trigger\]\nthreshold_sd = [\d.]+\ndwell_ms = [\d.]+\n", text, re.MULTILINE)


def test_without_labels_it_looks_back_and_says_so(table: Path, capsys: Out) -> None:
    found = json.loads(said(capsys, table, "--rate", "500", "--column", "emg_uv", "--tune", "--format", "json"))
    assert (found["basis"], found["efforts"]) == ("hindsight", 4)
    assert found["proposed"]["score"]["hits"] == 4
    assert found["proposed"]["score"]["false_alarms"] == 0


def test_too_few_efforts_propose_nothing(tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "one.csv"
    path.write_text("\n".join(f"{uv:.2f}" for uv in values(8.0, (4.0,))))
    assert main(["emg", str(path), "--rate", "500", "--tune"]) == 1
    assert "1 clear effort after the first 2 s, and settings need at least 3" in capsys.readouterr().err


# --- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "args", "code", "says"),
    [
        (None, ["--rate", "500"], 1, "there is no such file"),
        ("emg_uv,load\n" + "1,2\n" * 3_000, ["--rate", "500", "--column", "emg_vu"], 1, "did you mean 'emg_uv'?"),
        ("a,b\n" + "1,2\n" * 3_000, ["--rate", "500"], 1, "which column is the EMG?"),
        ("1\n2\nnan\n" * 1_000, ["--rate", "500"], 1, "r.csv:3: expected 1 finite numbers"),
        ("1\n2\nx\n" * 1_000, ["--rate", "500"], 1, "r.csv:3: expected 1 finite numbers"),
        ("1\n2\n" * 1_000, [], 1, "the sampling rate is not known"),
        ("1\n2\n" * 100, ["--rate", "500"], 1, "0.4 s at 500 Hz are too short"),
        ("1\n2\n" * 1_000, ["--rate", "50"], 1, "allowed is 100 to 10000 Hz"),
        ("1\n2\n" * 1_000, ["--rate", "0"], 2, "'0' is not a number from 1 to 1e+06 Hz"),
        ("1\n2\n" * 1_000, ["--rate", "nan"], 2, "is not a number"),
        ("1\n2\n" * 1_000, ["--rate", "500", "--chunk-ms", "0"], 2, "from 0.5 to 200 ms"),
        ("1\n2\n" * 1_000, ["--rate", "500", "--threshold-sd", "5", "--threshold-uv", "5"], 2, "give one of the two"),
        ("1\n2\n" * 1_000, ["--rate", "500", "-o", "x.svg"], 2, "-o is for the picture"),
        ("1\n2\n" * 1_000, ["--rate", "500", "--plot", "-o", "x.gif"], 2, "ends in .svg or .png"),
        ("1\n2\n" * 1_000, ["--rate", "500", "--plot", "--tune"], 2, "not allowed with"),
        ("5\n" * 3_000, ["--rate", "500"], 1, "no resting level was found"),
    ],
)  # fmt: skip
def test_one_line_for_what_is_wrong(
    content: str | None, args: list[str], code: int, says: str, tmp_path: Path, capsys: Out
) -> None:
    path = tmp_path / "r.csv"
    if content is not None:
        path.write_text(content)
    assert main(["emg", str(path), *args]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


def test_a_rate_that_the_file_contradicts(capsys: Out) -> None:
    assert main(["emg", str(SPLICE), "--rate", "2000"]) == 1
    assert "says it was taken at 1000 Hz, and --rate says 2000 Hz" in capsys.readouterr().err
    assert said(capsys, SPLICE, "--rate", "1000") == said(capsys, SPLICE)


def test_the_help_fits_a_terminal(capsys: Out) -> None:
    assert main(["emg", "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 79
