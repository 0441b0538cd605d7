"""A second decoder of ScienceMode, to judge the first by: byte by byte, bit by bit, slow, and written from the documents.

It shares nothing with the code but this: what an intact frame is.
"""

from __future__ import annotations

from dataclasses import dataclass

START, STOP, ESCAPE, KEY = 0xF0, 0x0F, 0x81, 0x55


@dataclass(frozen=True)
class Wire:
    """What differs between the versions: fields in the head, and the longest frame."""

    version: int
    longest: int


SM4, SM2 = Wire(4, 1_200), Wire(2, 261)


def crc(data: bytes, width: int, polynomial: int) -> int:
    """A CRC from 0, not reflected, without a final XOR."""
    register = 0
    for byte in data:
        for bit in range(7, -1, -1):
            top = register >> (width - 1) & 1
            register = (register << 1) & ((1 << width) - 1)
            if top ^ (byte >> bit & 1):
                register ^= polynomial
    return register


def frame_at(stream: bytes, start: int, wire: Wire) -> tuple[int, bytes] | None:
    """The intact frame that begins at ``start``: where it ends, and its unstuffed body."""
    if stream[start] != START:
        return None
    at, fields = start + 1, []
    for _ in range(4 if wire.version == 4 else 2):
        if at + 1 >= len(stream) or stream[at] != ESCAPE:
            return None
        fields.append(stream[at + 1] ^ KEY)
        at += 2
    first, body = at, bytearray()
    while True:
        if at >= len(stream) or stream[at] == START:
            return None
        if stream[at] == STOP:
            break
        if stream[at] == ESCAPE:
            at += 1
            if at >= len(stream):
                return None
            body.append(stream[at] ^ KEY)
        else:
            body.append(stream[at])
        at += 1
    stuffed, end = stream[first:at], at + 1
    if wire.version == 4:
        right = fields == [*(end - start).to_bytes(2, "big"), *crc(stuffed, 16, 0x1021).to_bytes(2, "big")]
    else:
        right = fields == [crc(stuffed, 8, 0x07), len(stuffed)]
    return (end, bytes(body)) if right and end - start <= wire.longest and len(body) >= 2 else None


def bodies(stream: bytes, wire: Wire) -> list[bytes]:
    """The bodies of all intact frames, from the left."""
    found, at = [], 0
    while at < len(stream):
        frame = frame_at(stream, at, wire) if stream[at] == START else None
        if frame is None:
            at += 1
        else:
            at, body = frame
            found.append(body)
    return found


def walked(stream: bytes, wire: Wire) -> list[bytes]:
    """The same by the documents' single walk, which never looks back: it may lose what stands behind an escape torn off."""
    found, start, at = [], -1, 0
    while at < len(stream):
        if start >= 0 and stream[at] == ESCAPE:
            at += 2
            continue
        if stream[at] == START:
            start = at
        elif stream[at] == STOP and start >= 0:
            frame = frame_at(stream, start, wire)
            if frame is not None:
                found.append(frame[1])
            start = -1
        at += 1
    return found
