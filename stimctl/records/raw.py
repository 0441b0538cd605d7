"""Raw EMG beside the record: an append-only file of chunks, each with its own checksum.

A crash or a full disk can tear only the last chunk, and a reader sees that it is torn. Layout, little-endian: the
magic; then frames of (mark, length of head, length of body, CRC-32 of head and body), head (JSON), body. The first
frame holds no samples but the file's facts; each later one a chunk as float32.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, final

from stimctl.errors import OurBug, RecordError

MAGIC: Final = b"STIMCTL EMG 1\n"
BODY_MAX: Final = 1 << 22
"""Longest frame in bytes; a longer one in a file is damage, not data."""

_MARK: Final = 0x474D4531
_FRAME: Final = struct.Struct("<IIII")


@final
@dataclass(frozen=True, slots=True, eq=False)
class RawChunk:
    """A chunk as read back: its first sample's index, the session time of its end in µs, and its values."""

    first_index: int
    at_us: int
    values: array[float]


@final
@dataclass(frozen=True, slots=True, eq=False)
class RawFile:
    """A whole file: ``torn`` is "" or says where the readable part ends and why."""

    facts: dict[str, object]
    chunks: tuple[RawChunk, ...]
    torn: str


@final
class RawEmg:
    """A new file at ``path`` (0600), with ``facts`` such as session, rate_hz and unit as JSON values.

    Raises :class:`RecordError` when the file exists already or cannot be made. After a failed write
    :attr:`failed` says why and every later append raises at once.
    """

    def __init__(self, path: Path, facts: Mapping[str, object]) -> None:
        self.path = Path(path)
        self.failed = ""
        try:
            # O_EXCL: two sessions never share a file, and nothing is ever written over.
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _BINARY, 0o600)
        except OSError as error:
            raise RecordError(f"{self.path}: raw EMG cannot be kept here: {error.strerror or error}") from error
        self._open = True
        self._write(MAGIC + _frame(dict(facts), b""))

    def append(self, first_index: int, at_us: int, values: Iterable[float]) -> None:
        """Add a chunk; ``values`` are numbers, NaN and infinity among them, and are kept as float32.

        Raises :class:`RecordError` when it cannot be written. Costs one system call; the data survive a crash of
        this program at once, and a power cut when the system has written its buffers.
        """
        body = array("f", values)
        if _BIG_ENDIAN:
            body.byteswap()
        self._write(_frame({"first_index": first_index, "at_us": at_us}, body.tobytes()))

    def close(self) -> None:
        """Write through to the disk and close; idempotent."""
        if self._open:
            self._open = False
            with suppress(OSError):
                os.fsync(self._file)
            os.close(self._file)

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _write(self, data: bytes) -> None:
        if not self._open:
            raise OurBug("raw EMG after the end of its file")
        if self.failed:
            raise RecordError(self.failed)
        try:
            if (done := os.write(self._file, data)) != len(data):
                self.failed = f"{self.path}: the disk is full: only {done} of {len(data)} bytes were written"
        except OSError as error:
            self.failed = f"{self.path}: raw EMG cannot be written: {error.strerror or error}"
        if self.failed:
            raise RecordError(self.failed)


def read_raw(path: Path) -> RawFile:
    """Everything readable in the file at ``path``; raises :class:`RecordError` when that is nothing."""
    try:
        with Path(path).open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise RecordError(f"{path} is not a raw EMG file of stimctl")
            frames = _frames(file)
            facts, _, torn = next(frames, ({}, b"", "it is empty"))
            if torn:
                raise RecordError(f"{path}: its beginning is damaged: {torn}")
            chunks = []
            for head, body, why in frames:
                torn = torn or why
                if not why:
                    chunks.append(_chunk(head, body))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror or error}") from error
    return RawFile(facts, tuple(chunks), torn)


def _frame(head: Mapping[str, object], body: bytes) -> bytes:
    text = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    return _FRAME.pack(_MARK, len(text), len(body), zlib.crc32(body, zlib.crc32(text))) + text + body


def _frames(file: BinaryIO) -> Iterator[tuple[dict[str, object], bytes, str]]:
    """Head, body and "" for every whole frame; then, if there is a broken one, its place. Nothing after it is trusted."""
    while raw := file.read(_FRAME.size):
        at = file.tell() - len(raw)
        if len(raw) < _FRAME.size:
            yield {}, b"", f"torn at byte {at}"
            return
        mark, head_length, body_length, crc = _FRAME.unpack(raw)
        if mark != _MARK or head_length + body_length > BODY_MAX:
            yield {}, b"", f"damaged at byte {at}"
            return
        text, body = file.read(head_length), file.read(body_length)
        if len(text) + len(body) < head_length + body_length:
            yield {}, b"", f"torn at byte {at}"
            return
        if zlib.crc32(body, zlib.crc32(text)) != crc:
            yield {}, b"", f"damaged at byte {at}"
            return
        yield json.loads(text), body, ""


def _chunk(head: dict[str, object], body: bytes) -> RawChunk:
    values = array("f", body)
    if _BIG_ENDIAN:
        values.byteswap()
    return RawChunk(int(str(head["first_index"])), int(str(head["at_us"])), values)


_BINARY: Final = getattr(os, "O_BINARY", 0)
_BIG_ENDIAN: Final = array("H", b"\x00\x01")[0] == 1
