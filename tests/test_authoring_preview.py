"""``preview``: one cycle as a picture, on the terminal, as SVG and as PNG, for whatever a schedule may hold."""

from __future__ import annotations

import re
import struct
import sys
import types
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.authoring import blocks, svg
from stimctl.authoring.picture import Picture, picture
from stimctl.authoring.png import png
from stimctl.cli import main
from stimctl.control import authoring
from stimctl.protocols import library
from stimctl.pulse import symmetric
from stimctl.schedule import FULL_PPM, Advance, Goal, MovementPlan, PhasePlan, Schedule, Steps, compile_schedule
from stimctl.units import MS, SECOND
from tests.protocol_texts import TENS, TWO, good
from tests.schedules import channel, cyclic

Out = pytest.CaptureFixture[str]
NAMES = [entry.name for entry in library()]


def seen(text: str) -> Picture:
    from stimctl.protocols import stimulating

    return picture(compile_schedule(stimulating(good(text)), Steps()))


def shapes(document: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(document).iter(f"{{http://www.w3.org/2000/svg}}{tag}"))


def words(document: str) -> str:
    return "\n".join(each.text or "" for each in shapes(document, "text"))


def plainly(text: str, role: str) -> str:
    return text


# --- what is in a picture --------------------------------------------------------------------------------------


def test_the_window_the_phases_and_the_rest_follow_each_other() -> None:
    bands = seen(TWO).bands
    assert [(band.name, band.begin_us / SECOND, band.end_us / SECOND) for band in bands] == [
        ("waits for the attempt", 0, 8),
        ("ramp up", 8, 9),
        ("hold", 9, 14),
        ("ramp down", 14, 15),
        ("rest", 15, 25),
    ]
    assert bands[0].cue


def test_an_envelope_has_its_corners_where_the_phases_have_theirs() -> None:
    trace = seen(TWO).traces[0]
    points = [(point.at_us / SECOND, point.share) for point in trace.points]
    for corner in ((8, 0.0), (9, 1.0), (14, 1.0), (15, 0.0), (25, 0.0)):
        assert corner in points
    assert (trace.prescribed_ma, trace.most_ma, trace.warn_ma) == (15.0, 25.0, 40.0)
    assert (round(trace.limit_ma), trace.limit_name) == (60, "peak")


def test_the_limit_that_is_drawn_is_the_first_that_more_amplitude_would_reach() -> None:
    """400 µs on the forearm: 20 µC are reached at 50 mA, before the peak of 60 mA is."""
    trace = seen(TWO.replace("phase_width_us = 300", "phase_width_us = 400")).traces[0]
    assert (round(trace.limit_ma), trace.limit_name) == (50, "charge per phase")


def task() -> Schedule:
    """Reach, grasp until the key, release: an extensor and a flexor with goals of their own, and pulses of their own."""
    soft = symmetric(0, 200, 20_000)
    phases = (
        PhasePlan("reach", 3 * SECOND, MappingProxyType({0: Goal(FULL_PPM, SECOND)}), cue="Open the hand"),
        PhasePlan(
            "grasp",
            6 * SECOND,
            MappingProxyType({1: Goal(600_000, SECOND, 400 * MS, pulses=soft)}),
            advance=Advance.KEY,
        ),
        PhasePlan("release", 2 * SECOND, MappingProxyType({0: Goal(FULL_PPM, SECOND, follows=True)})),
    )
    return cyclic(channel("extensors", 0), channel("flexors", 1), movement=MovementPlan(phases, 5 * SECOND, release=2))


def test_a_task_is_drawn_from_its_schedule_alone() -> None:
    drawn = picture(task())
    assert [band.name for band in drawn.bands] == ["reach", "grasp", "release", "rest"]
    assert drawn.bands[1].note == "until the key, at most 6 s"
    extensors, flexors = drawn.traces
    assert max(point.share for point in flexors.points) == 0.6
    assert any("follows the control signal" in said for said in extensors.words)
    assert any(said.startswith("200 µs per phase at 20 Hz") or "200 µs at 20 Hz" in said for said in flexors.words), (
        flexors.words
    )
    document = svg.svg(drawn)
    assert "cue: Open the hand" in words(document)
    assert "grasp: until the key, at most 6 s" in words(document)


def test_the_nearest_limit_is_told_as_a_check_tells_it() -> None:
    assert "nearest limit: pulse rate 70 % (35 of 50 Hz)" in seen(TWO).traces[0].words


def test_what_comes_by_itself_in_a_task_is_a_movement() -> None:
    text = authoring.library_text("grasp-release-sequence")
    notes = [band.note for band in seen(text.replace('on_missed = "count"', 'on_missed = "assist"')).bands]
    assert "at most 8 s, then the movement comes anyway" in notes


# --- on the terminal -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [40, 57, 110])
def test_every_shipped_protocol_fits_every_width(name: str, width: int, capsys: Out) -> None:
    assert main(["preview", name, "--width", str(width)]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert "\x1b" not in out
    entry = next(each for each in library() if each.name == name)
    assert entry.title.split()[0] in out


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(1, 40_000), min_size=1, max_size=9),
    shares=st.lists(st.integers(0, FULL_PPM), min_size=9, max_size=9),
    ramps=st.lists(st.integers(0, 20_000), min_size=9, max_size=9),
    rest_ms=st.integers(0, 90_000),
    width=st.integers(1, 300),
)
def test_no_movement_is_too_odd_to_be_drawn(
    lengths: list[int], shares: list[int], ramps: list[int], rest_ms: int, width: int
) -> None:
    phases = tuple(
        PhasePlan(f"phase {at}", ms * MS, MappingProxyType({0: Goal(shares[at], ramps[at] * MS)}), cue='<go> & "now"')
        for at, ms in enumerate(lengths)
    )
    drawn = picture(cyclic(channel(), movement=MovementPlan(phases, rest_ms * MS)))
    text = blocks.drawn(drawn, width, plainly)
    assert max(map(len, text.splitlines())) <= max(width, blocks.LEAST)
    ET.fromstring(svg.svg(drawn))
    times = [point.at_us for point in drawn.traces[0].points]
    assert times == sorted(times)


def test_a_ramp_shorter_than_a_column_is_seen_all_the_same() -> None:
    spike = (PhasePlan("spike", 20 * MS, MappingProxyType({0: Goal(FULL_PPM, 10 * MS)})),)
    text = blocks.drawn(picture(cyclic(channel(), movement=MovementPlan(spike, 60 * SECOND))), 60, plainly)
    assert "█" in text.split("prescribed ")[0]


def test_a_terminal_without_the_signs_gets_plain_ones() -> None:
    text = blocks.drawn(seen(TENS), 80, plainly, blocks.PLAIN)
    assert not set(text) & set("".join(blocks.BLOCKS)) - set(" ")


def test_colour_is_left_out_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["preview", NAMES[1], "--width", "60"]) == 0
    coloured = capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["preview", NAMES[1], "--width", "60"]) == 0
    plain = capsys.readouterr().out
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain


# --- into a file -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_protocol_as_svg(name: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    assert main(["preview", name, "-o", str(path)]) == 0
    document = path.read_text("utf-8")
    entry = next(each for each in library() if each.name == name)
    assert entry.title in words(document)
    for element in ET.fromstring(document).iter():
        for number in re.findall(r"-?\d+\.?\d*", element.get("points", "")):
            assert -1 <= float(number) <= 10_000


def test_limits_phases_charge_and_dose_are_in_the_svg() -> None:
    said = words(svg.svg(seen(TWO)))
    for part in ("limit 60 mA (peak)", "warns from 40 mA", "hold 5 s", "rest 10 s", "cue: try"):
        assert part in said, part
    for part in ("4.5 µC per phase, at most 7.5", "mA rms at most", "duty 41 % of a cycle", "2 sets of 30 bursts"):
        assert part in said, part


def test_a_picture_never_takes_the_place_of_a_file(tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "mine.svg"
    path.write_text("precious")
    assert main(["preview", NAMES[0], "-o", str(path)]) == 2
    assert path.read_text() == "precious"
    assert main(["preview", NAMES[0], "-o", str(tmp_path / "mine.gif")]) == 2
    assert ".svg or .png" in capsys.readouterr().err
    assert not (tmp_path / "mine.gif").exists()


def test_without_the_package_a_png_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    path = tmp_path / "mine.png"
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert main(["preview", NAMES[0], "-o", str(path)]) == 2
    assert "pip install 'stimctl[png]'" in capsys.readouterr().err
    assert not path.exists()


LETTER = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20">{}</svg>'


def with_typefaces(*names: str) -> types.ModuleType:
    """The painter on a computer that has just these typefaces; each of its letters is a black square."""
    import resvg_py

    def painted(**given: Any) -> bytes:
        words = re.compile(r"<text[^>]*font-family=\"sans-serif\".*?</text>")
        square = '<rect width="9" height="9"/>' if given.pop("sans_serif_family", "") in names else ""
        return bytes(resvg_py.svg_to_bytes(**given | {"svg_string": words.sub(square, given["svg_string"])}))

    painter = types.ModuleType("resvg_py")
    monkey: Any = painter
    monkey.svg_to_bytes = painted
    return painter


def test_a_png_is_twice_the_size_and_has_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    words = LETTER.format('<text y="16" font-family="sans-serif">H</text>')
    monkeypatch.setitem(sys.modules, "resvg_py", with_typefaces("Noto Sans"))  # whatever this computer has
    drawn = png(words)
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", drawn[16:24]) == (60, 40)
    assert drawn != png(LETTER.format(""))


def test_a_picture_without_its_words_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", with_typefaces())
    assert main(["preview", NAMES[0], "-o", str(tmp_path / "mine.png")]) == 2
    assert "a PNG needs a typeface" in capsys.readouterr().err
    assert not (tmp_path / "mine.png").exists()


def test_the_whole_picture_is_a_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", with_typefaces("Lato"))
    path = tmp_path / "mine.png"
    assert main(["preview", NAMES[0], "-o", str(path)]) == 0
    raw = path.read_bytes()
    assert raw[:4] == b"\x89PNG"
    assert raw[-8:-4] == b"IEND"


def test_a_file_with_faults_has_no_picture(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "bad.toml").write_text("kind = 3\n")
    assert main(["preview", str(tmp_path / "bad.toml")]) == 1
    assert "bad.toml:1:" in capsys.readouterr().err
