"""Every board that the battery knows, by damaged streams: into its decoder and into its twin.

ScienceMode's own frames have a closer look in :mod:`tests.fuzzing.boards`, by a decoder that shares nothing with ours.
"""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any, Final

from stimctl.boards.reference.codec import END
from stimctl.units import MS, SECOND
from tests.battery_boards import BOARDS, REFERENCE, REHASTIM2_BOARD
from tests.board_battery import Described, stopped
from tests.fuzzing.boards import parts, worse
from tests.fuzzing.probe import Probe, given
from tests.sciencemode_naive import SM2, bodies

SIZES: Final = (1, 3, 8, 64, 700)
AFTER_US: Final = 3 * SECOND
LONGEST: Final = 1_000
"""Bytes that come at once; a session says fewer in a second."""

READ_US: Final = 5 * SECOND
"""By then a slow board has read three times as much. What it has no room for it loses, and of a stop behind that a part."""

SLOW: Final = ("openemsstim", "neurostimduino", "uecu")

OPENEMSSTIM: Final = next(board.name for board in BOARDS if board.name.startswith("openemsstim"))
"""All its firmwares print alike, so that one stands for them."""


def damaged(chance: random.Random, board: Described, words: tuple[bytes, ...]) -> bytes:
    """A few of ``words``, most of them hit, among others what other boards and hosts say."""
    other = chance.choice(BOARDS)
    pieces = chance.choices(words, k=chance.randint(1, 6))
    strange = (*other.answers, *other.commands, *board.commands, *board.answers)
    hit = [worse(each, chance.choice(strange), chance) if chance.random() < 0.8 else each for each in pieces]
    return b"".join(hit)[:LONGEST]


def heard(chance: random.Random, board: Described, stream: bytes) -> list[Any]:
    """What its decoder makes of the stream, which comes in any portions."""
    decoder, at = board.decoder(), 0
    words: list[Any] = []
    while at < len(stream):
        size = chance.choice(SIZES)
        words += decoder.feed(stream[at : at + size])
        at += size
        assert board.held(decoder) <= board.held_max
    return [word for word in words if board.claims(word)]


def standing(board: Described, stream: bytes) -> list[Any]:
    """What a board can have said in the stream: whole answers that stand in it, or its whole lines where it talks in lines."""
    if board.checked:
        whole = [each for each in board.answers if (each.strip(END) if board is REFERENCE else each) in stream]
        return [word for each in whole for word in board.believed(each)]
    return [word for line in stream.split(b"\n") for word in board.believed(line + b"\n")]


def is_accident(board: Described, stream: bytes, word: Any) -> bool:
    """Whether damage hit upon a right checksum of eight bits, by the word of a decoder that shares nothing with ours."""
    if board is not REHASTIM2_BOARD:
        return False
    return (word.number, word.command, word.payload) in [parts(body, SM2) for body in bodies(stream, SM2)]


def decoder(board: Described, chance: random.Random, _folder: Path) -> None:
    """Nothing is raised, no word comes out that does not stand there whole, and what follows the damage is heard."""
    last = chance.choice(board.answers)
    hit = damaged(chance, board, board.answers)
    stream = hit + board.resync + last
    with given(stream):
        words = heard(chance, board, stream)
        assert all(board.claims(word) and repr(word).isprintable() for word in words)
        assert words == board.believed(stream), "how it was cut made a difference"
        known = standing(board, stream)
        unknown = [word for word in words if not any(said(word) == said(each) for each in known)]
        strange = [word for word in unknown if not is_accident(board, stream, word)]
        assert not strange, f"nobody has said {strange}"
        assert said(words[-1]) == said(board.believed(last)[0]), "what follows was not heard"


def said(word: Any) -> Any:
    """A frame's word, or the word itself: where it stands in a stream does not count."""
    return getattr(word, "word", word)


def twin(board: Described, chance: random.Random, _folder: Path) -> None:
    """Nothing is raised in any of its states, and a stop after all that stops it."""
    assert board.twin is not None
    one = board.twin.states[chance.choice(sorted(board.twin.states))]()
    for _ in range(chance.randint(1, 3)):
        stream = damaged(chance, board, board.commands)
        with given(stream):
            one.feed(stream, one.now_us)
            one.advance(one.now_us + chance.choice((0, 1, 20, 300)) * MS)
            one.outgoing()
    if board.name.split()[0] in SLOW:
        one.advance(one.now_us + READ_US)
    stopped(one, board.twin.stop)
    if not board.twin.beyond_help(one):
        since_us = one.now_us
        one.advance(since_us + AFTER_US)
        assert not one.energised
        assert not any(ledger.active_after(since_us) for ledger in one.ledger), "the stop has not stopped it"


def idle(board: Described, chance: random.Random, _folder: Path) -> None:
    """Of commands of which none has arrived whole nothing flows: no phantom."""
    assert board.twin is not None
    one = board.twin.fresh()
    pieces = chance.choices(board.commands, k=chance.randint(1, 6))
    stream = b"".join(worse(each, chance.choice(board.answers), chance) + board.resync for each in pieces)
    if any(each in stream for each in board.commands):
        return
    with given(stream):
        one.feed(stream, one.now_us)
        one.advance(one.now_us + AFTER_US)
        assert not any(ledger.active_after(-1) for ledger in one.ledger), "a command that nobody has sent"


def probes(board: Described) -> tuple[Probe, ...]:
    """Those that make sense for it."""
    name = board.name.replace(",", "").replace(" ", "-")
    found = [Probe(f"{name}-twin", f"damaged commands to {board.name}", partial(twin, board))]
    if board.name.split()[0] != "openemsstim" or board.name == OPENEMSSTIM:
        found.append(Probe(f"{name}-codec", f"damaged answers of {board.name}", partial(decoder, board)))
    if board.checked and board.name != "uecu":  # its host's frames have a sum alone, which is blind to much
        found.append(Probe(f"{name}-idle", f"damaged commands alone to {board.name}", partial(idle, board)))
    return tuple(found)


PROBES: Final = tuple(probe for board in BOARDS for probe in probes(board))
