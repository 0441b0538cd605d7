"""Recordings of EMG from a file: CSV, EDF or NumPy's NPZ, read whole, checked, with their labels where they have any."""

from __future__ import annotations

import csv
import difflib
import itertools
import math
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, final

import numpy as np

from stimctl.errors import FileError
from stimctl.sensors.edf import ENDINGS
from stimctl.sensors.edf import load as load_edf
from stimctl.sensors.samples import RATE_MAX_HZ, RATE_MIN_HZ, Samples

FILE_MAX_BYTES: Final = 256 << 20
"""Largest NPZ file, unpacked, and largest EDF file: some hours of one channel at 4 kHz."""

CSV_MAX_BYTES: Final = 64 << 20
"""Largest CSV file: an hour at 1 kHz. Two characters may be a number, so it takes up to four times that in memory."""

LINE_MAX: Final = 1 << 16
"""Longest line of a CSV file, in characters: thousands of columns, which no recording of a hand has."""

TIME_COLUMNS: Final = ("time_s", "time", "t", "t_s")
"""Names of a CSV column that holds seconds, from which the rate can be taken."""

_EMG_COLUMNS: Final = ("emg_uv", "emg", "value", "x")
_EVENNESS: Final = 0.01


@final
@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What somebody marked in a recording; all are sample indexes. ``onsets`` and ``ends`` of true efforts, ``ignore``
    spans that nobody could judge, ``pulses`` of a stimulator.
    """

    onsets: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    ignore: tuple[tuple[int, int], ...] = ()
    pulses: tuple[int, ...] = ()


@final
@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One channel: ``values_uv`` in µV, or in counts where the file does not say, at ``rate_hz``."""

    name: str
    rate_hz: float
    values_uv: Samples
    labels: Labels = Labels()


def load(path: Path, *, rate_hz: float | None = None, column: str | None = None) -> Recording:
    """The recording in ``path``, by its ending: ``.npz``, ``.edf`` or ``.bdf``, else CSV.

    CSV: numbers parted by comma, semicolon or tab, with or without one line of names; ``column`` picks one by name
    or by number from 1, the default is the only one that is not time, or one called emg. The rate is ``rate_hz``, else
    that of a column ``time_s``. NPZ: keys ``x`` and ``fs``, and if wanted ``lsb`` (µV a count), ``onsets``,
    ``offsets``, ``ignore`` and ``stim``. EDF and BDF: ``column`` picks a signal; the file knows its rate. Raises :class:`FileError` for anything that cannot be used as it is.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise FileError(f"{path}: there is no such file")
        packed, edf = path.suffix.lower() == ".npz", path.suffix.lower() in ENDINGS
        limit = FILE_MAX_BYTES if packed or edf else CSV_MAX_BYTES
        if path.stat().st_size > limit:
            raise FileError(f"{path}: larger than {limit >> 20} MB; cut it")
        if packed:
            return _load_npz(path, rate_hz, column)
        if edf:
            return _load_edf(path, rate_hz, column)
        return _load_csv(path, rate_hz, column)
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error


def load_spec(spec: str) -> Recording:
    """The recording that ``PATH``, ``PATH?rate=1000`` or ``PATH?rate=1000&column=emg`` names, as in ``file:`` URLs."""
    path, mark, query = spec.rpartition("?")
    if not mark or _is_file(spec):
        return load(Path(spec))
    options = dict(part.partition("=")[::2] for part in query.split("&"))
    if unknown := sorted(options.keys() - {"rate", "column"}):
        raise FileError(f"{spec}: unknown option {unknown[0]!r}; there are rate and column")
    rate = options.get("rate")
    return load(Path(path), rate_hz=None if rate is None else _rate(spec, rate), column=options.get("column"))


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # too long for a file's name
        return False


def _finished(path: Path, rate_hz: float, values: Samples, labels: Labels) -> Recording:
    """The last checks, common to all formats."""
    if not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
        raise FileError(f"{path}: a rate of {rate_hz:g} Hz, allowed is {RATE_MIN_HZ:g} to {RATE_MAX_HZ:g} Hz")
    if not len(values):
        raise FileError(f"{path}: holds no samples")
    finite = np.isfinite(values)
    if not finite.all():
        raise FileError(f"{path}: sample {int(np.argmin(finite)) + 1} is not a finite number")
    values.flags.writeable = False
    return Recording(path.name, rate_hz, values, labels)


def _rate(where: object, text: str) -> float:
    try:
        rate_hz = float(text)
    except ValueError:
        rate_hz = math.nan
    if not 0 < rate_hz < math.inf:
        raise FileError(f"{where}: {text!r} is not a sampling rate in Hz")
    return rate_hz


def _load_edf(path: Path, rate_hz: float | None, column: str | None) -> Recording:
    signal = load_edf(path, column)
    if rate_hz not in (None, signal.rate_hz):
        raise FileError(f"{path}: says itself that it has {signal.rate_hz:g} samples a second; leave out the rate")
    return _finished(path, signal.rate_hz, signal.values, Labels())


# --- CSV -------------------------------------------------------------------------------------------------------


def _load_csv(path: Path, rate_hz: float | None, column: str | None) -> Recording:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names, rows = _table(path, _lines(path, file))
            # Not a list of rows: a hostile file of short ones would take fifty times its size.
            table = array("d", itertools.chain.from_iterable(rows))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path}: is not a CSV text file: {error}") from error
    if not table:
        raise FileError(f"{path}: holds no samples")
    values = np.frombuffer(table, dtype=np.float64).reshape(-1, len(names))
    at = next((i for i, name in enumerate(names) if name.lower() in TIME_COLUMNS), None)
    chosen = _column(path, names, column, at)
    if rate_hz is None:
        if at is None:
            raise FileError(f"{path}: the sampling rate is not known; give it, or a column time_s in seconds")
        rate_hz = _rate_of(path, values[:, at])
    return _finished(path, rate_hz, values[:, chosen].copy(), Labels())


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    """The file's lines, of which none is so long that it alone fills the memory."""
    while line := file.readline(LINE_MAX):
        if len(line) == LINE_MAX:
            raise FileError(f"{path}: has a line of more than {LINE_MAX} characters; it is no table of samples")
        yield line


def _table(path: Path, lines: Iterator[str]) -> tuple[list[str], Iterator[list[float]]]:
    """The columns' names (their numbers, from 1, where they have none) and the rows after them."""
    first = next(lines, "")
    delimiter = max(";\t,", key=first.count)
    cells = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter), [])]
    if not cells:
        raise FileError(f"{path}: holds no samples")
    # A first row with a NaN in it is a bad row of numbers, not a row of names.
    headless = all(map(_is_number, cells))
    numbered = _numbers(cells) if headless else None
    if headless and numbered is None:
        raise FileError(f"{path}:1: expected finite numbers, found {first.strip()!r}")
    names = cells if numbered is None else [str(i + 1) for i in range(len(cells))]

    def rows() -> Iterator[list[float]]:
        if numbered is not None:
            yield numbered
        for line, row in enumerate(csv.reader(lines, delimiter=delimiter), start=2):
            if not row:
                continue
            numbers = _numbers(row)
            if numbers is None or len(numbers) != len(names):
                raise FileError(f"{path}:{line}: expected {len(names)} finite numbers, found {delimiter.join(row)!r}")
            yield numbers

    return names, rows()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(cells: list[str]) -> list[float] | None:
    """The cells as numbers; ``None`` unless all are finite ones."""
    numbers = [float(cell) if _is_number(cell) else math.nan for cell in cells]
    return numbers if all(map(math.isfinite, numbers)) else None


def _column(path: Path, names: list[str], wanted: str | None, time_at: int | None) -> int:
    if wanted is not None:
        if wanted in names:
            return names.index(wanted)
        if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            return int(wanted) - 1
        meant = "".join(f" (did you mean {each!r}?)" for each in difflib.get_close_matches(wanted[:64], names, n=1))
        raise FileError(f"{path}: there is no column {wanted!r}{meant}; there are {', '.join(names)}")
    others = [i for i in range(len(names)) if i != time_at]
    if len(others) == 1:
        return others[0]
    if known := [i for name in _EMG_COLUMNS for i in others if names[i].lower() == name]:
        return known[0]
    raise FileError(f"{path}: which column is the EMG? Name one of {', '.join(names)}")


def _rate_of(path: Path, seconds: Samples) -> float:
    """The rate of evenly spaced times; a rate that is guessed from uneven ones would shift every onset."""
    steps = np.diff(seconds)
    if len(steps) < 1 or not np.all(steps > 0):
        raise FileError(f"{path}: the time column does not rise; give the sampling rate instead")
    mean = float(seconds[-1] - seconds[0]) / len(steps)
    grid = seconds[0] + mean * np.arange(len(seconds))
    # Times are often printed with few digits: each may be off by a little, but must not drift by a sample.
    if not np.all(np.abs(seconds - grid) <= 0.5 * mean):
        raise FileError(f"{path}: the times are not evenly spaced; samples seem to be missing")
    rate = 1 / mean
    return float(round(rate)) if abs(rate - round(rate)) <= _EVENNESS * rate else rate


_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, TypeError, KeyError, EOFError, SyntaxError,
    ArithmeticError, MemoryError, RuntimeError,
)  # fmt: skip
"""What zipfile and NumPy raise over damaged files, each layer its own."""

# --- NPZ -------------------------------------------------------------------------------------------------------


def _load_npz(path: Path, rate_hz: float | None, column: str | None) -> Recording:
    if column is not None:
        raise FileError(f"{path}: an NPZ file has one channel and no columns")
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > FILE_MAX_BYTES:
                raise FileError(f"{path}: larger than {FILE_MAX_BYTES >> 20} MB when unpacked; cut it")
        # Never a pickle: it would run whatever the file's author wished.
        with np.load(path, allow_pickle=False) as arrays:
            rate = rate_hz if rate_hz is not None else _scalar(path, arrays, "fs", None)
            samples = _array(path, arrays, "x", 1).astype(np.float64) * _scalar(path, arrays, "lsb", 1.0)
            return _finished(path, rate, samples, _labels(path, arrays, len(samples)))
    except _BROKEN as error:
        raise FileError(f"{path}: is not a usable NPZ file: {error}") from error


def _labels(path: Path, arrays: Any, length: int) -> Labels:
    def indexes(key: str) -> tuple[int, ...]:
        if key not in arrays:
            return ()
        found = _array(path, arrays, key, 1)
        if found.size and (found.dtype.kind not in "iu" or found.min() < 0 or found.max() > length):
            raise FileError(f"{path}: {key!r} does not hold sample indexes of this recording")
        return tuple(map(int, found))

    spans: tuple[tuple[int, int], ...] = ()
    if "ignore" in arrays and arrays["ignore"].size:
        ignore = _array(path, arrays, "ignore", 2)
        spans = tuple((int(a), int(b)) for a, b in ignore.reshape(-1, 2))
    pulses = tuple(pulse for pulse in indexes("stim") if pulse < length)
    return Labels(indexes("onsets"), indexes("offsets"), spans, pulses)


def _array(path: Path, arrays: Any, key: str, dimensions: int) -> np.ndarray[Any, np.dtype[Any]]:
    if key not in arrays:
        raise FileError(f"{path}: has no {key!r}; an EMG file holds x (samples) and fs (Hz)")
    found: object = arrays[key]
    if not isinstance(found, np.ndarray) or found.ndim != dimensions or found.dtype.kind not in "iuf":
        raise FileError(f"{path}: {key!r} must have {dimensions} dimension(s) of numbers")
    return found


def _scalar(path: Path, arrays: Any, key: str, otherwise: float | None) -> float:
    if otherwise is not None and key not in arrays:
        return otherwise
    value = float(_array(path, arrays, key, 0))
    if not 0 < value < math.inf:
        raise FileError(f"{path}: {key!r} is {value}, it must be a positive number")
    return value
