"""Files that others made, a small share of ``dev.py prove fuzz``: protocols, recordings, records; and bombs among them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from stimctl.cli import main
from stimctl.errors import FileError, RecordError
from stimctl.records.journal import Journal
from stimctl.sensors.recording import LINE_MAX, load
from tests.fuzzing import files
from tests.fuzzing.probe import Probe
from tests.fuzzing.share import holds


@pytest.mark.parametrize("probe", files.PROBES, ids=lambda probe: probe.name)
def test_a_file_is_taken_or_refused_in_a_sentence(probe: Probe) -> None:
    holds(probe)


# --- bombs --------------------------------------------------------------------------------------------------------


def test_a_table_of_short_lines_takes_no_more_memory_than_it_must(tmp_path: Path) -> None:
    """As a list of lists it took fifty times its size: three gigabytes of a file that may be opened."""
    path = tmp_path / "long.csv"
    count = 50_000
    path.write_bytes(b"1\n" * count)
    tracemalloc.start()
    try:
        found = load(path, rate_hz=1_000)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.values_uv) == count
    assert most < 30 * count


def test_one_endless_line_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes(b"1," * LINE_MAX)
    with pytest.raises(FileError, match="no table of samples"):
        load(path, rate_hz=1_000)


def test_an_array_that_says_it_is_huge_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "huge.npz"
    np.savez(path, x=np.arange(8, dtype=np.int16), fs=np.float64(1_000))
    data = path.read_bytes().replace(b"'shape': (8,), ", b"'shape':(9**9,)")
    path.write_bytes(data)
    with pytest.raises(FileError):
        load(path)


@pytest.mark.parametrize("place", [b"AUTOINCREMENT", b"BEFORE DELETE"])
def test_a_schema_that_is_no_text_is_damage(place: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SQLite quotes it in its complaint, and Python then fails to read the complaint."""
    path = tmp_path / "r.db"
    path.write_bytes(files.record().replace(place, place[:3] + b"\xcf" + place[4:]))
    for command in ("sessions", "verify"):
        assert main([command, "--store", str(path)]) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert "the record is damaged" in line
    with pytest.raises(RecordError):
        Journal(path, wall_clock=str)
