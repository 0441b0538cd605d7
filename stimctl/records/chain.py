"""How a row becomes bytes, and bytes a hash that holds the row before it: the whole of the chain's arithmetic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from stimctl.errors import OurBug

GENESIS: Final = bytes(32)
"""What stands for "the hash before the first row"."""

PAYLOAD_MAX: Final = 1 << 20
"""Longest payload in characters; a protocol file is some kB, so anything longer is a runaway."""

_TAG: Final = b"stimctl journal row, version 1"


class Row(NamedTuple):
    """The hashed fields of one event, in table order. Text may be ``str`` or the bytes that are on the disk."""

    seq: int
    session: str | bytes
    mono_us: int
    wall: str | bytes
    kind: str | bytes
    payload: str | bytes


def canonical(payload: Mapping[str, object]) -> str:
    """``payload`` as JSON in the one form that is hashed: sorted keys, no blanks, ASCII, no NaN or infinity.

    ASCII because an operator's note may hold half a surrogate pair, which has no UTF-8 form. Raises
    :class:`OurBug` for what is not JSON: the caller made it, no user did.
    """
    if any(type(key) is not str for key in payload):
        raise OurBug("an event's payload has a key that is not text")
    try:
        text = json.dumps(dict(payload), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise OurBug(f"an event's payload is not JSON: {error}") from None
    if len(text) > PAYLOAD_MAX:
        raise OurBug(f"an event's payload has {len(text)} characters, {PAYLOAD_MAX} are allowed")
    return text


def row_hash(prev: bytes, row: Row) -> bytes:
    """SHA-256 over the previous hash and every field, each led by its length.

    The lengths make the encoding unambiguous: no two different rows give the same bytes, wherever a delimiter
    might have been smuggled into a text.
    """
    digest = hashlib.sha256(_TAG)
    for field in (prev, *row):
        raw = field if isinstance(field, bytes) else str(field).encode()
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.digest()
