"""EDF, EDF+ and BDF: what is read is what was written, and what cannot be used is one clear line."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.errors import FileError
from stimctl.sensors.recording import load, load_spec

SECONDS = 4


def wave(rate_hz: int, seed: int = 1) -> Any:
    return np.round(np.random.default_rng(seed).normal(0.0, 20.0, SECONDS * rate_hz), 2)


def write(path: Path, *signals: tuple[str, int, str], annotated: bool = False) -> Path:
    """A file with a signal for each label, rate and unit."""
    bdf = path.suffix == ".bdf"
    make_signal: Any = edfio.BdfSignal if bdf else edfio.EdfSignal
    make_file: Any = edfio.Bdf if bdf else edfio.Edf
    made = [
        make_signal(wave(rate, seed), rate, label=label, physical_dimension=unit, physical_range=(-200.0, 200.0))
        for seed, (label, rate, unit) in enumerate(signals, start=1)
    ]
    notes = (edfio.EdfAnnotation(1.0, None, "effort"),) if annotated else None
    make_file(made, annotations=notes).write(path)
    return path


@pytest.mark.parametrize("ending", ["edf", "bdf"])
@pytest.mark.parametrize("annotated", [False, True])
def test_what_was_written_is_read(tmp_path: Path, ending: str, annotated: bool) -> None:
    path = write(tmp_path / f"x.{ending}", ("EXT", 1_000, "uV"), annotated=annotated)
    recording = load(path)
    assert (recording.name, recording.rate_hz, len(recording.values_uv)) == (path.name, 1_000.0, SECONDS * 1_000)
    assert np.abs(recording.values_uv - wave(1_000)).max() < 400 / 60_000
    assert not recording.values_uv.flags.writeable


def test_a_signal_is_chosen_by_its_label_or_number(tmp_path: Path) -> None:
    path = write(tmp_path / "x.edf", ("EXT", 1_000, "uV"), ("ECG", 500, "mV"), ("FLEX", 2_000, ""))
    assert load(path, column="EXT").rate_hz == 1_000
    assert load_spec(f"{path}?column=2").rate_hz == 500
    assert np.abs(load(path, column="ECG").values_uv - 1_000 * wave(500, 2)).max() < 10, "in µV"
    assert np.abs(load(path, column="3").values_uv - wave(2_000, 3)).max() < 0.01, "in its own unit"
    for wanted in ("emg", "0", "4", ""):
        with pytest.raises(FileError, match=r"no one signal '.*'; there are 1 EXT, 2 ECG, 3 FLEX"):
            load(path, column=wanted)
    with pytest.raises(FileError, match=r"which signal is the EMG\? Name one with \?column=: 1 EXT, 2 ECG, 3 FLEX"):
        load(path)


def test_the_only_one_called_emg_is_it(tmp_path: Path) -> None:
    assert load(write(tmp_path / "x.edf", ("EEG Cz", 500, "uV"), ("EMG ext", 1_000, "uV"))).rate_hz == 1_000


def test_a_rate_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.edf", ("EXT", 1_000, "uV"))
    assert load(path, rate_hz=1_000.0).rate_hz == 1_000
    with pytest.raises(FileError, match="says itself that it has 1000 samples a second; leave out the rate"):
        load(path, rate_hz=500.0)
    slow = write(tmp_path / "slow.edf", ("EXT", 50, "uV"))
    with pytest.raises(FileError, match="a rate of 50 Hz"):
        load(slow)


def test_a_file_with_holes_in_its_time_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.edf", ("EXT", 1_000, "uV"), annotated=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:192] + b"EDF+D" + whole[197:])
    with pytest.raises(FileError, match=r"is discontinuous \(EDF\+D\): time is missing in it"):
        load(path)


@pytest.mark.parametrize("left", [0, 100, 300, 600, 5_000])
def test_a_file_that_breaks_off_is_one_line(tmp_path: Path, left: int) -> None:
    path = write(tmp_path / "x.edf", ("EXT", 1_000, "uV"))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(FileError, match="is not a usable EDF file") as raised:
        load(path)
    assert "\n" not in str(raised.value)


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 511), junk=st.binary(min_size=1, max_size=8))
def test_a_damaged_header_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.edf"
    write(path, ("EXT", 1_000, "uV"))
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + junk + whole[at + len(junk) :])
    said = ""
    try:
        values = load(path).values_uv
    except FileError as error:
        values, said = np.zeros(1), str(error)
    assert np.isfinite(values).all()
    assert "\n" not in said


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.edf", ("EXT", 1_000, "uV"))
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name == "edfio":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(FileError, match=r"pip install 'stimctl\[edf\]'"):
        load(path)
