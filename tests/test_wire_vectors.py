"""The wire's document and its code say the same: the vectors of ``hw/wire.md``, both ways."""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

import pytest

from stimctl.boards.reference import codes, layout
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import BODY_MAX, STOP_FRAME, VERSION, WIRE_MAX, Decoder, encode
from stimctl.boards.reference.update import encode_update
from tests.wire_words import EXAMPLES, permit

DOCUMENT = (Path(__file__).parents[1] / "hw" / "wire.md").read_text()
VECTORS = {
    name: bytes.fromhex(line)
    for name, line in re.findall(r"^\| ([A-Z?]+) \| (c0 [0-9a-f ]+ c0) \|$", DOCUMENT, re.MULTILINE)
}


def test_every_word_has_a_vector() -> None:
    assert list(VECTORS) == [name for name, *_ in EXAMPLES]
    assert {type(word) for *_, word in EXAMPLES} == set(layout.WORD_OF.values())


@pytest.mark.parametrize(("name", "sequence", "token", "word"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_vector_both_ways(name: str, sequence: int, token: int, word: m.Word) -> None:
    (frame,) = Decoder().feed(VECTORS[name])
    assert (frame.sequence, frame.token, frame.word) == (sequence, token, word)
    if isinstance(word, m.Update):
        approved = permit(word)
        written = encode_update(
            approved, sequence=sequence, token=token, loop_counter=word.loop_counter, host_ms=word.host_ms
        )
    else:
        written = encode(word, sequence=sequence, token=token)
    assert written == VECTORS[name]


def test_the_constant_stop_is_the_first_vector() -> None:
    assert VECTORS["STOP"] == STOP_FRAME
    assert STOP_FRAME[:1] == STOP_FRAME[-1:] == b"\xc0"


def test_the_documents_figures_are_the_codes() -> None:
    assert f"version {VERSION}\n" in DOCUMENT
    assert f"at most {BODY_MAX} bytes" in DOCUMENT
    assert f"collected more than {WIRE_MAX} bytes" in DOCUMENT
    assert f"more than {codes.TTL_MS} ms has waited" in DOCUMENT
    assert crc32(b"123456789") == 0xCBF43926
    assert "CBF43926" in DOCUMENT


@pytest.mark.parametrize("number", sorted(layout.WORD_OF))
def test_the_document_lists_every_type(number: int) -> None:
    assert re.search(rf"^\| {number:02X} \| ", DOCUMENT, re.MULTILINE)


def test_the_document_lists_every_code() -> None:
    reasons = DOCUMENT[DOCUMENT.index("- Reason:") : DOCUMENT.index("- Measured is")]
    assert re.findall(r"\b(\d+) [a-z]", reasons) == [str(int(reason)) for reason in codes.Reason]
    causes = DOCUMENT[DOCUMENT.index("- Cause:") : DOCUMENT.index("- Reason:")]
    assert re.findall(r"\b(\d+) [a-zS]", causes) == [str(int(cause)) for cause in codes.Cause]
    for kind, start, end in (
        (codes.Capability, "- Capabilities:", "- Trouble:"),
        (codes.Trouble, "- Trouble:", "- Cause:"),
    ):
        bits = DOCUMENT[DOCUMENT.index(start) : DOCUMENT.index(end)]
        assert re.findall(r"\b(\d+) [a-z]", bits) == [str(int(bit)) for bit in kind]
