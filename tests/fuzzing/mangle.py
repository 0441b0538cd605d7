"""Bytes and texts made worse: what people, editors, disks, cables and ill will do to them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

ODD: Final = (
    *(
        b"\x00",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\r\n",
        b"\n",
        b"\t",
        b"\x1b[2J",
        b"\x7f",
        b"\xc3",
        b"\xed\xa0\x80",
    ),
    *(
        b"nan",
        b"inf",
        b"-inf",
        b"-0",
        b"1e999",
        b"-1e999",
        b"0x10",
        b"1_000",
        b"1__0",
        b"9" * 400,
        b"9" * 5_000,
        b"1e-999",
    ),
    *(
        b"true",
        b"false",
        b'"on"',
        b"on",
        b"null",
        b"None",
        b"[]",
        b"{}",
        b"[[]]",
        b"''",
        b'"',
        b"'",
        b'"""',
        b"#",
        b"=",
        b".",
    ),
    *(
        b"1979-05-27T07:32:00Z",
        b"07:32:00",
        b"a.b.c = 1\n",
        b"a = {b = 1, b = 2}\n",
        b"[a]\n[a]\n",
        b"[" * 300,
        b"{a=" * 300,
    ),
    *(
        "\u202e".encode(),
        "\uff11\uff12".encode(),
        "\u2028".encode(),
        "\U0001f4a5".encode(),
        "µ".encode(),
        "，".encode(),
    ),
    *(b";", b",", b"%s", b"%n", b"../../x", b"$(x)", b"`x`", b"' OR 1=1 --", b"\\u0000", b"\\U0001F4A5", b"A" * 3_000),
)
"""Pieces that have broken a parser somewhere."""


def mangled(data: bytes, chance: random.Random, *, most: int = 4) -> bytes:
    """``data`` after one to ``most`` mishaps."""
    for _ in range(chance.randint(1, most)):
        data = chance.choice(MISHAPS)(data, chance)
    return data


def _place(data: bytes, chance: random.Random) -> int:
    return chance.randrange(len(data) + 1)


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + chance.choice(ODD) + data[at:]


def _replace(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + chance.choice(ODD) + data[at + chance.randint(1, 8) :]


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return b"\x01"
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: _place(data, chance)]


def _drop(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + data[at + chance.randint(1, 60) :]


def _double(data: bytes, chance: random.Random) -> bytes:
    a, b = sorted((_place(data, chance), _place(data, chance)))
    return data[:b] + data[a:b] + data[b:]


def _noise(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + chance.randbytes(chance.randint(1, 40)) + data[at:]


def _value(data: bytes, chance: random.Random) -> bytes:
    """What stands behind an equals sign, a comma or a colon becomes something else."""
    parts = chance.choice((b" = ", b",", b":"))
    places = [at for at in range(len(data)) if data.startswith(parts, at)]
    if not places:
        return _insert(data, chance)
    start = chance.choice(places) + len(parts)
    end = next((at for at in range(start, len(data)) if data[at] in b"\n,;}]"), len(data))
    return data[:start] + chance.choice(ODD) + data[end:]


def _lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return chance.choice((b"\n", b"\n", b"\r\n", b"\r")).join(lines)


def _whole(data: bytes, chance: random.Random) -> bytes:
    """The whole of it in another shape."""
    text = data.decode("utf-8", "replace")
    return chance.choice(
        (
            lambda: text.encode("utf-16"),
            lambda: b"\xef\xbb\xbf" + data,
            lambda: text.upper().encode(),
            lambda: text.replace("=", ":").encode(),
            lambda: data[::-1],
            lambda: data + data,
            lambda: b"",
        )
    )()


Mishap = Callable[[bytes, random.Random], bytes]
MISHAPS: Final[Sequence[Mishap]] = (
    *(_insert, _insert, _replace, _replace, _flip, _flip, _flip, _cut, _drop, _double, _noise),
    *(_value, _value, _value, _value, _lines, _whole),
)


def text(chance: random.Random, longest: int = 40) -> str:
    """Any text, lone surrogates and control characters among it."""
    draw: tuple[Callable[[], str], ...] = (
        lambda: chr(chance.randrange(32, 127)),
        lambda: chr(chance.randrange(0x110000)),
        lambda: chr(chance.randrange(0xD800, 0xE000)),
        lambda: chr(chance.randrange(32)),
        lambda: chance.choice(ODD).decode("utf-8", "surrogateescape"),
    )
    return "".join(chance.choices(draw, (60, 10, 3, 5, 10))[0]() for _ in range(chance.randrange(longest)))
