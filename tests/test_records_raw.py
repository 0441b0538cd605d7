"""Raw EMG beside the record: what was appended comes back, and a torn or damaged end is seen."""

from __future__ import annotations

import os
import stat
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.errors import OurBug, RecordError
from stimctl.records.raw import MAGIC, RawEmg, read_raw

FACTS = {"session": "s1", "rate_hz": 1000, "unit": "µV"}


def written(path: Path, chunks: int = 5, size: int = 7) -> bytes:
    with RawEmg(path, FACTS) as raw:
        for n in range(chunks):
            raw.append(n * size, 1_000 * n, array("d", range(n * size, (n + 1) * size)))
    return path.read_bytes()


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    written(tmp_path / "a.emg")
    found = read_raw(tmp_path / "a.emg")
    assert found.facts == FACTS
    assert found.torn == ""
    assert [chunk.first_index for chunk in found.chunks] == [0, 7, 14, 21, 28]
    assert [chunk.at_us for chunk in found.chunks] == [0, 1_000, 2_000, 3_000, 4_000]
    assert [value for chunk in found.chunks for value in chunk.values] == list(range(35))


def test_an_array_of_float64_goes_in_as_it_is(tmp_path: Path) -> None:
    values = np.array([1.5, -2.25, np.nan, np.inf])
    with RawEmg(tmp_path / "a.emg", FACTS) as raw:
        raw.append(0, 10, values)
        raw.append(4, 20, values[:0])
    first, second = read_raw(tmp_path / "a.emg").chunks
    assert np.array_equal(np.array(first.values), values, equal_nan=True)
    assert len(second.values) == 0


def test_every_append_is_in_the_file_at_once(tmp_path: Path) -> None:
    raw = RawEmg(tmp_path / "a.emg", FACTS)
    for n in range(3):
        raw.append(n, n, array("d", [n]))
        assert len(read_raw(tmp_path / "a.emg").chunks) == n + 1
    raw.close()
    raw.close()
    with pytest.raises(OurBug):
        raw.append(3, 3, array("d", [3]))


@given(cut=st.integers(0, 10_000))
def test_a_torn_end_costs_only_the_torn_chunk(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("raw") / "a.emg"
    whole = written(path)
    path.write_bytes(kept := whole[: cut % len(whole)])
    try:
        found = read_raw(path)
    except RecordError:
        with path.open("wb") as file:  # only without a whole first frame is there nothing to read
            file.write(kept)
        assert len(kept) < len(MAGIC) + 16 + 100
        return
    values = [value for chunk in found.chunks for value in chunk.values]
    assert values == list(range(len(values)))
    assert found.torn or len(kept) in _frame_ends(whole)


def _frame_ends(whole: bytes) -> set[int]:
    ends, at = set(), len(MAGIC)
    while at < len(whole):
        at += 16 + int.from_bytes(whole[at + 4 : at + 8], "little") + int.from_bytes(whole[at + 8 : at + 12], "little")
        ends.add(at)
    return ends


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_is_seen(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    path = tmp_path_factory.mktemp("raw") / "a.emg"
    raw = bytearray(written(path))
    raw[place % len(raw)] ^= 1 << bit
    path.write_bytes(raw)
    try:
        found = read_raw(path)
    except RecordError:
        return
    assert found.torn
    values = [value for chunk in found.chunks for value in chunk.values]
    assert values == list(range(len(values)))


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    before = written(tmp_path / "a.emg")
    with pytest.raises(RecordError):
        RawEmg(tmp_path / "a.emg", FACTS)
    assert (tmp_path / "a.emg").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_it_is_private(tmp_path: Path) -> None:
    written(tmp_path / "a.emg")
    assert stat.S_IMODE((tmp_path / "a.emg").stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_and_not_tried_again(tmp_path: Path) -> None:
    raw = RawEmg(tmp_path / "a.emg", FACTS)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, raw._file)
    os.close(full)
    with pytest.raises(RecordError, match="cannot be written"):
        raw.append(0, 0, array("d", [1]))
    with pytest.raises(RecordError, match="cannot be written"):
        raw.append(1, 1, array("d", [1]))
    assert raw.failed
    raw.close()


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        read_raw(tmp_path / "none.emg")
    (tmp_path / "b.emg").write_bytes(b"RIFF....WAVE")
    with pytest.raises(RecordError, match="not a raw EMG file"):
        read_raw(tmp_path / "b.emg")
