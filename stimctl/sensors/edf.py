"""EDF, EDF+ and BDF recordings, by edfio: a small reader with NumPy alone below it, and an extra that few need.

A reader of our own would be short for the plain format, and long for what files of the field really hold: annotations between
the signals, discontinuous records, headers in other encodings. So a library reads, and what it doubts is refused here.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import numpy as np

from stimctl.errors import FileError
from stimctl.sensors.samples import Samples
from stimctl.sensors.streams import microvolts

ENDINGS: Final = (".edf", ".bdf")

MISSING: Final = "reading EDF needs the package edfio, which is not installed: pip install 'stimctl[edf]'"

_BROKEN: Final = (
    ValueError, TypeError, KeyError, IndexError, EOFError, ArithmeticError, MemoryError, RuntimeError, AttributeError,
    UnicodeError, struct.error, Warning,
)  # fmt: skip
"""What edfio and NumPy raise over damaged files, and what they warn of: a file that has to be guessed at is not used."""


@final
class Signal(NamedTuple):
    """One signal of a file, in µV where its header names a voltage, else in the header's own unit."""

    rate_hz: float
    values: Samples


def load(path: Path, column: str | None) -> Signal:
    """The signal whose label, or number from 1, is ``column``; without one, the only one, or the only one called EMG.

    Raises :class:`FileError` for anything that cannot be used as it is.
    """
    try:
        import edfio
    except ImportError:
        raise FileError(f"{path}: {MISSING}") from None
    read = edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _refuse_holes(path)
            file = read(path)
            signal = file.signals[_chosen(path, [each.label for each in file.signals], column)]
            scale = microvolts(signal.physical_dimension)
            values = np.asarray(signal.data, dtype=np.float64) * (1.0 if scale is None else scale)
            return Signal(float(signal.sampling_frequency), values)
    except _BROKEN as error:
        raise FileError(f"{path}: is not a usable EDF file: {' '.join(str(error).split())[:200]}") from error


def _refuse_holes(path: Path) -> None:
    """EDF+ and BDF+ say in their header whether records are missing between others: then no sample has a place."""
    with path.open("rb") as file:
        head = file.read(256)
    if head[192:197] in (b"EDF+D", b"BDF+D"):
        raise FileError(
            f"{path}: is discontinuous ({head[192:197].decode()}): time is missing in it; export it in one piece"
        )


def _chosen(path: Path, labels: list[Any], wanted: str | None) -> int:
    shown = ", ".join(f"{number} {label}" for number, label in enumerate(labels[:32], start=1)) or "none"
    if wanted is not None:
        if labels.count(wanted) == 1:
            return labels.index(wanted)
        if wanted.isdecimal() and 1 <= int(wanted) <= len(labels):
            return int(wanted) - 1
        raise FileError(f"{path}: there is no one signal {wanted!r}; there are {shown}")
    named = [number for number, label in enumerate(labels) if "emg" in str(label).lower()]
    if len(labels) == 1 or len(named) == 1:
        return named[0] if len(named) == 1 else 0
    raise FileError(f"{path}: which signal is the EMG? Name one with ?column=: {shown}")
