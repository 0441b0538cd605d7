"""Pads that are smaller than what is used at their place: a warning with its source, on the pad's own line."""

from __future__ import annotations

import io
from typing import NamedTuple

import pytest

from stimctl.control import authoring
from stimctl.limits import Effect
from stimctl.protocols import PAD_MODELS, SITES
from stimctl.protocols.doubts import doubts, stated
from stimctl.protocols.muscles import meant
from stimctl.protocols.pads import least, smaller
from tests.protocol_texts import CYCLIC, TENS, edit, line_of, put


class Pad(NamedTuple):
    name: str
    model: str


def too_small(site: str, muscle: str) -> set[str]:
    usual = least(site, meant(muscle))
    assert usual is not None
    return {pad.model for pad in smaller([Pad(model, model) for model in PAD_MODELS], usual)}


def told(text: str) -> list[tuple[int, str]]:
    [report] = authoring.check(["-"], io.BytesIO(text.encode()))
    return [(each.line, each.message) for each in report.warnings]


@pytest.mark.parametrize(
    ("site", "muscle", "models"),
    [
        ("forearm-dorsal", "extensor digitorum communis", {"round-20", "round-25"}),
        ("forearm-volar", "FDS", {"round-20", "round-25"}),
        ("upper-arm", "biceps", {"round-20", "round-25"}),
        ("forearm-dorsal", "extensor pollicis longus", {"round-20"}),
        ("forearm-dorsal", "EPL", {"round-20"}),
        ("forearm-dorsal", "extensor policis longus", {"round-20"}),  # one slip is one warning
        ("forearm-volar", "interossei, by the ulnar nerve", {"round-20"}),
        ("thenar", "abductor pollicis brevis", set()),
        ("hypothenar", "abductor digiti minimi", set()),
        ("hand-dorsal", "first dorsal interosseous", set()),
        ("shoulder", "posterior deltoid", {"round-20", "round-25", "round-32", "round-50", "square-40x40"}),
    ],
)
def test_what_is_smaller_than_what_the_reference_gives(site: str, muscle: str, models: set[str]) -> None:
    """Clinical reference B.8, restated here in models."""
    assert too_small(site, muscle) == models


def test_every_site_has_a_size() -> None:
    assert all(least(site, "extensor") is not None for site in SITES)
    assert least("", "extensor") is None


@pytest.mark.parametrize("text", [put(CYCLIC, "repetitions", "2"), put(TENS, "duration_min", "1")], ids=["fes", "tens"])
def test_a_small_pad_is_told_on_its_line_with_its_source(text: str) -> None:
    text = edit(
        put(text, "max_amplitude_ma", "16.0"), ('distal]\nmodel = "square-50x50"', 'distal]\nmodel = "round-20"')
    )
    [(line, message)] = told(text)
    assert line == line_of(text, "[pads.distal]") + 1
    assert message.startswith("extensors: pad `distal`, round-20, is smaller than what is used at forearm-dorsal: ")
    assert message.endswith(
        "take round-32 or larger (clinical reference B.8: 5 x 5 cm on the forearm, 3.2 cm round over its small muscles)"
    )


def test_a_large_enough_pad_is_not_spoken_of() -> None:
    text = put(put(CYCLIC, "repetitions", "2"), "max_amplitude_ma", "16.0")
    assert told(text.replace("square-50x50", "round-32")) == []


def test_a_level_that_only_a_small_pad_makes_strong_is_told_with_that_pad() -> None:
    """The bound is the hand's: on a forearm nobody would know it, and a longer phase would not help."""
    text = edit(put(put(CYCLIC, "repetitions", "2"), "max_amplitude_ma", "25.0"), ("square-50x50", "round-32"))
    [(_, message)] = told(text)
    assert (
        "peak 25 mA is beyond 20 mA (warn forearm; that of the hand, because pad `proximal` is under 10 cm²)" in message
    )
    assert message.endswith("take a larger one, or lower max_amplitude_ma")
    brief = put(put(CYCLIC, "repetitions", "2"), "phase_width_us", "200")
    [(_, plain)] = told(put(brief, "max_amplitude_ma", "40.5"))
    assert "because pad" not in plain
    assert "(warn forearm): strong for this place" in plain


def test_on_the_hand_its_own_level_is_not_called_that_of_a_small_pad() -> None:
    brief = put(put(put(CYCLIC, "repetitions", "2"), "max_amplitude_ma", "20.5"), "muscle", '"opponens pollicis"')
    [(_, message)] = told(put(brief, "site", '"thenar"').replace("square-50x50", "round-25"))
    assert "peak 20.5 mA is beyond 20 mA (warn thenar): strong for this place" in message


def test_a_small_pad_is_told_beside_faults_as_well() -> None:
    text = edit(CYCLIC, ("square-50x50", "round-20"), ("rate_hz = 35", "rate_hz = 350"))
    [(line, message)] = told(text)
    assert (line, "pad `proximal`, round-20" in message) == (line_of(text, "model"), True)


@pytest.mark.parametrize(
    "pads",
    [
        {},
        3,
        {"proximal": 3},
        {"proximal": {}},
        {"proximal": {"model": 7}},
        {"proximal": {"model": "round-21"}},
        {"\x1b[2J": {"model": "round-20"}},
    ],
)
@pytest.mark.parametrize("named", [["proximal", "\x1b[2J"], [["x"], 3], 3, None])
def test_pads_that_cannot_be_read_are_passed_over(pads: object, named: object) -> None:
    channel = {"name": "x", "muscle": "extensor digitorum", "site": "forearm-dorsal", "pads": named}
    assert list(doubts(stated({"channel": [channel], "pads": pads}, Effect.MOTOR))) == []
