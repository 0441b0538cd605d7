"""From bytes to one clear error: places, files that are no files, and several faults at once."""

from __future__ import annotations

import builtins
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from stimctl.errors import Fault, FileError, ProtocolError
from stimctl.protocols import KINDS, load, load_with_hash, loads, loads_with_hash, sha256
from stimctl.protocols.findings import field_name, shown
from stimctl.protocols.loading import LARGEST_FILE
from stimctl.protocols.places import Place, Places, find_places
from tests.protocol_texts import CYCLIC, EMG, GOOD, TWO, edit, faults, good, line_of, put, the_fault

DATA = Path(__file__).parent / "data" / "protocols"


# --- several faults --------------------------------------------------------------------------------------------


def test_three_mistakes_are_named_with_their_lines() -> None:
    path = DATA / "three-mistakes.toml"
    with pytest.raises(ProtocolError) as caught:
        load(path)
    named = {fault.field: (fault.line, fault.column) for fault in caught.value.faults}
    assert named == {
        "pads.distal": (10, 1),  # which is left over because of the misspelt one
        "channel[1].pads": (17, 8),
        "channel[1].phase_width_us": (20, 18),
        "burst.ramp_up_s": (24, 13),
    }
    lines = str(caught.value).split("\n")
    assert len(lines) == 4
    assert all(line.startswith(f"{path}:") for line in lines)
    assert [fault.line for fault in caught.value.faults] == sorted(fault.line for fault in caught.value.faults)


def test_faults_of_every_sort_come_together() -> None:
    text = edit(
        TWO,
        ('kind = "fes-emg-triggered"', 'kind = "fes-emg-trigered"'),
        ("phase_width_us = 300", "phase_width = 300"),
        ("max_amplitude_ma = 25.0", "max_amplitude_ma = 61"),
        ("rate_hz = 35", "rate_hz = 60"),
        ("interphase_gap_us = 0", "interphase_gap_us = 300"),
        ("hold_s = 5.0", "hold_s = 5000"),
        ("ramp_up_s = 1.0", "ramp_up_s = 0.3"),
        ("output = 2", "output = 1"),
        ("repetitions = 30", "repetitions = true"),
        ("threshold_sd = 3.0", ""),
        ('channel = "extensors"', 'channel = "extensor"'),
        ('model = "round-25"', 'model = "round-26"'),
    )
    named = {fault.field for fault in faults(text)}
    assert named == {
        *("kind", "channel[1].phase_width", "channel[1].max_amplitude_ma"),
        *("channel[1].rate_hz", "channel[1].interphase_gap_us", "burst.hold_s", "burst.ramp_up_s"),
        *("channel[1].output", "channel[2].output", "dose.repetitions", "trigger.threshold_sd", "trigger.channel"),
        "pads.thumb.model",
    }


@pytest.mark.parametrize("value", ["fes-cyclc", "tens", "", "burst-tens"])
def test_an_unknown_kind_does_not_hide_the_rest(value: str) -> None:
    found = faults(edit(CYCLIC, ('"fes-cyclic"', f'"{value}"'), ("rate_hz = 35", "rate_hz = 60")))
    assert {"kind", "channel[1].rate_hz"} <= {fault.field for fault in found}
    kind = next(fault for fault in found if fault.field == "kind")
    assert kind.allowed == ", ".join(KINDS)


@pytest.mark.parametrize("value", ["3", "true", "[]", "{}", "1979-05-27"])
def test_a_kind_of_another_type(value: str) -> None:
    assert "kind" in {fault.field for fault in faults(edit(CYCLIC, ('"fes-cyclic"', value)))}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("channel = 3", "written as [[channel]]"),
        ("channel = []", "too few"),
        ("channel = [1, 2]", "a table"),
        ("pads = 3", "tables such as"),
        ("pads = {}", "too few"),
        ("pads = { proximal = 1, distal = 2 }", "a table"),
    ],
)
def test_tables_of_another_shape(table: str, words: str) -> None:
    head = CYCLIC[: CYCLIC.index("[pads")]
    found = faults(head + table + "\n")
    name = table.split(" ", maxsplit=1)[0]
    assert any(fault.field.startswith(name) and words in fault.message for fault in found)


@pytest.mark.parametrize("table", ["burst", "dose"])
@pytest.mark.parametrize("value", ["3", '"x"', "[]", "true"])
def test_a_table_that_is_none(table: str, value: str) -> None:
    start = CYCLIC.index(f"[{table}]")
    end = CYCLIC.find("\n\n", start)
    text = f"{table} = {value}\n" + CYCLIC[:start] + (CYCLIC[end:] if end > 0 else "")
    assert table in {fault.field for fault in faults(text)}


def test_too_many_channels_and_an_empty_file() -> None:
    assert any(fault.field == "channel" and "too many" in fault.message for fault in faults(many(9)))
    named = {fault.field for fault in faults("")}
    assert {"kind", "format", "title", "purpose", "sources", "pads", "channel"} <= named


def many(count: int) -> str:
    start, end = CYCLIC.index("[[channel]]"), CYCLIC.index("[burst]")
    channels = "".join(
        CYCLIC[start:end]
        .replace("output = 1", f"output = {min(n, 8)}")
        .replace('"extensors"', f'"c{n}"')
        .replace('"proximal"', f'"pad-{n}"')
        for n in range(1, count + 1)
    )
    pads = "".join(f'[pads.pad-{n}]\nmodel = "square-50x50"\n' for n in range(1, count + 1))
    return (CYCLIC[:start] + channels + pads + CYCLIC[end:]).replace('[pads.proximal]\nmodel = "square-50x50"\n', "")


def test_eight_channels_are_read_and_judged_together() -> None:
    """All return through one pad: 8 times 7.5 mA are the 60 mA of one channel."""
    weak = many(8).replace("amplitude_ma = 15.0", "amplitude_ma = 5.0").replace("= 25.0", "= 7.5")
    good(weak)
    assert {fault.field for fault in faults(weak.replace("= 7.5", "= 7.501"))} == {"pads.distal.model"}
    crowd = {fault.field for fault in faults(many(60))}  # one fault for all, and no long reckoning about pairs
    assert "channel" in crowd
    assert "pads.distal.model" not in crowd


def test_the_same_fault_is_named_once() -> None:
    found = faults(edit(TWO, ("ramp_up_s = 1.0", "ramp_up_s = 0.3")))
    assert len(found) == len(set(found)) == 1


# --- places ----------------------------------------------------------------------------------------------------


def test_a_wrong_value_is_pointed_at() -> None:
    text = put(EMG, "rate_hz", "   60")
    fault = the_fault(text)
    assert (fault.line, fault.column) == (line_of(text, "rate_hz"), len("rate_hz =    ") + 1)


def test_an_unknown_field_is_pointed_at_by_its_key() -> None:
    text = edit(CYCLIC, ("rate_hz = 35", "rate_hz = 35\n  ratte_hz = 35"))
    fault = the_fault(text)
    assert (fault.line, fault.column) == (line_of(text, "  ratte_hz"), 3)


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("ramp_up_s = 1.0\n", "[burst]"),
        ('site = "forearm-dorsal"\n', "[[channel]]"),
        ("dwell_ms = 50\n", "[trigger]"),
        ('model = "square-50x50"\n', "[pads.proximal]"),
    ],
)
def test_a_missing_field_is_pointed_at_by_its_table(line: str, header: str) -> None:
    text = edit(EMG, (line, ""))
    assert (the_fault(text).line, the_fault(text).column) == (line_of(text, header), 1)


def test_a_missing_table_is_pointed_at_by_the_file() -> None:
    text = EMG[: EMG.index("[trigger]")]
    fault = the_fault(text)
    assert (fault.field, fault.line, fault.column) == ("trigger", 1, 1)


def test_the_right_one_of_several_channels_is_pointed_at() -> None:
    fault = the_fault(edit(TWO, ("phase_width_us = 200", "phase_width_us = 20")))
    assert fault.field == "channel[2].phase_width_us"
    assert fault.line == line_of(TWO, "phase_width_us = 200")


def test_columns_count_characters_not_bytes() -> None:
    text = 'burst = { "µµ" = 1 }'
    places = Places(text)
    assert places.find(("burst", "µµ"), at_key=True) == Place(1, 11)
    assert places.find(("burst", "µµ"), at_key=False) == Place(1, 18)


@pytest.mark.parametrize(
    ("text", "path", "key", "value"),
    [
        ("a = 1", ("a",), (1, 1), (1, 5)),
        ("a.b.c = 1", ("a", "b", "c"), (1, 1), (1, 9)),
        ("[a]\nb = 1", ("a", "b"), (2, 1), (2, 5)),
        ("[a.b]\nc = 1", ("a", "b", "c"), (2, 1), (2, 5)),
        ("[a.b]\nc = 1", ("a",), (1, 1), (1, 1)),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1, "b"), (4, 1), (4, 5)),
        ("[[a]]\n[[a]]\n[a.x]\nb = 2", ("a", 1, "x", "b"), (4, 1), (4, 5)),
        ("[[a]]\n[[a.x]]\nb = 1\n[[a.x]]\nb = 2", ("a", 0, "x", 1, "b"), (5, 1), (5, 5)),
        ('["a b"]\n"c d" = 1', ("a b", "c d"), (2, 1), (2, 9)),
        ("'a.b' = 1", ("a.b",), (1, 1), (1, 9)),
        ('"\\u0061" = 1', ("a",), (1, 1), (1, 12)),
        ("a = [1, # one\n 2]", ("a", 1), (1, 1), (2, 2)),
        ("a = { b = { c = 1 } }", ("a", "b", "c"), (1, 13), (1, 17)),
        ("a = [ { b = 1 }, { b = 2 } ]", ("a", 1, "b"), (1, 20), (1, 24)),
        ("x = 1", ("a", "b"), (1, 1), (1, 1)),
        ("", ("a",), (1, 1), (1, 1)),
    ],
)
def test_places(text: str, path: tuple[str | int, ...], key: tuple[int, int], value: tuple[int, int]) -> None:
    places = Places(text)
    assert places.find(path, at_key=False) == value
    assert places.find(path, at_key=True) == key


def test_without_the_grammar_only_the_place_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("tree_sitter"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert find_places(CYCLIC) is None
    fault = the_fault(put(CYCLIC, "rate_hz", "60"))
    assert (fault.line, fault.column, fault.field) == (0, 0, "channel[1].rate_hz")


def test_a_good_file_is_read_without_the_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tree_sitter", "tree_sitter_toml"):
        monkeypatch.setitem(sys.modules, name, None)
    good(CYCLIC)


# --- not TOML --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = \n", 1, 5),
        ("a = 1\nb = = 2\n", 2, 5),
        ("a = 1\na = 2\n", 2, 6),  # a key twice, which other parsers let pass (H37)
        ("[a]\n[a]\n", 2, 3),
        ("a = 1 b = 2", 1, 7),
        ("a = 007", 1, 6),
        ('a = "open', 1, 10),
        ("a = [1, 2", 1, 10),
        ("a = 1\n\n[", 3, 2),
        ("a = yes", 1, 5),
        ("a: 1", 1, 2),
        ("\x00", 1, 1),
        ("a = 2026-13-45", 1, 9),
    ],
)
def test_a_slip_in_toml_is_one_fault_with_its_place(text: str, line: int, column: int) -> None:
    fault = the_fault(text)
    assert (fault.line, fault.column, fault.field) == (line, column, "file")
    assert fault.message.startswith("not TOML: ")
    assert "(at" not in fault.message


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a = 1\nrest_s = 4,0 # s", 2, "write a point: 4.0"),
        ("a = -14,25\n", 1, "write a point: -14.25"),
        ("a = 5.\n", 1, "write 5.0"),
        ("a = .5\n", 1, "write 0.5"),
        ("a = 15 mA\n", 1, "write 15 without mA"),
        ("a = 300µs\n", 1, "write 300 without µs"),
        ("rate_hz = 1\nrate_hz = 2\n", 2, "`rate_hz` is stated twice"),
        ("[burst]\n[burst]\n", 2, "`[burst]` is stated twice"),
        ("a = {b = 1, b = 2}\n", 1, "stated twice"),
        ("[[channel]]\na = 1\n[channel]\n", 3, "[[channel]], in double brackets"),
        ('a = "open', 1, "the quotation mark is not closed"),
        ('a = "open\nb = 1\n', 1, "the quotation mark is not closed"),
        ("a = 'open\nb = 1\n", 1, "the quotation mark is not closed"),
        ("a = 'open\nb = 'x'\n", 1, "the quotation mark is not closed"),
        ("b = 1\na = '''open\nb = 1\n", 2, "the quotation mark is not closed"),
        ('b = 1\na = """open\nb = 1\n', 2, "the quotation mark is not closed"),
        ('a = ["x, "y"]\n', 1, "a list is not closed"),
        ("a = “x”\n", 1, "straight"),
        ("a = True\n", 1, "write true in small letters"),
        ("a = forearm\n", 1, "in quotation marks"),
        ("a 5\n", 1, "equals sign"),
        ("a = 1 b = 2", 1, "a line of its own"),
    ],
)
def test_a_slip_is_told_in_its_authors_words(text: str, line: int, says: str) -> None:
    fault = the_fault(text)
    assert says in fault.message
    assert fault.line == line


def test_what_is_wrong_with_the_whole_file_has_no_line(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError) as caught:
        load(tmp_path / "absent.toml")
    assert str(caught.value).startswith(f"{tmp_path / 'absent.toml'}: there is no such file")
    assert str(Fault("a.toml", 0, 0, "dose", "is missing")) == "a.toml: dose: is missing"
    assert str(Fault("a.toml", 2, 3, "file", "x")) == "a.toml:2:3: file: x"


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "9" * 10_000, "a." * 3_000 + "b = 1"])
def test_monstrous_toml_is_refused(text: str) -> None:
    assert all(fault.file == "file.toml" for fault in faults(text))


def test_half_a_character_is_refused() -> None:
    assert "half a character" in the_fault(CYCLIC.replace("Test", "\ud800")).message


@pytest.mark.parametrize("value", ["1e2", "1_00", "0x64", "0b1100100", "1_0e1"])
def test_numbers_may_be_written_in_any_way_that_toml_has(value: str) -> None:
    """TOML's other notations are unambiguous, unlike YAML's (H37): each is exactly 100."""
    tens = put(GOOD["tens"], "rate_hz", value)
    assert good(tens).channels[0].rate_hz == 100


# --- files -----------------------------------------------------------------------------------------------------


def write(folder: Path, raw: bytes) -> Path:
    path = folder / "file.toml"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("name", GOOD)
def test_a_file_and_its_text_are_the_same(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, GOOD[name].encode())
    loaded = load_with_hash(path)
    assert loaded.protocol == load(path) == loads(GOOD[name], "x")
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == sha256(GOOD[name])
    assert loaded.name == str(path)
    assert loads_with_hash(GOOD[name], "x").sha256 == loaded.sha256


def test_every_byte_is_in_the_hash(tmp_path: Path) -> None:
    plain = load_with_hash(write(tmp_path, CYCLIC.encode()))
    marked = load_with_hash(write(tmp_path, b"\xef\xbb\xbf" + CYCLIC.replace("\n", "\r\n").encode()))
    assert plain.protocol == marked.protocol
    assert plain.sha256 != marked.sha256


def test_places_hold_with_other_line_ends(tmp_path: Path) -> None:
    text = put(CYCLIC, "rate_hz", "60")
    with pytest.raises(ProtocolError) as caught:
        load(write(tmp_path, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()))
    assert (caught.value.faults[0].line, caught.value.faults[0].column) == (line_of(text, "rate_hz"), 11)


@pytest.mark.parametrize(
    ("raw", "line", "column"),
    [(b"\xff", 1, 1), (b"a = 1\nb = '\xe4'\n", 2, 6), ("µ = '".encode() + b"\xc3'", 1, 6), (b"a=1\n\x80", 2, 1)],
)
def test_other_encodings_are_refused(tmp_path: Path, raw: bytes, line: int, column: int) -> None:
    path = write(tmp_path, raw)
    with pytest.raises(ProtocolError, match="UTF-8") as caught:
        load(path)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.column) == (str(path), line, column)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    good(CYCLIC + "#" * (LARGEST_FILE - len(CYCLIC)))
    path = write(tmp_path, CYCLIC.encode() + b"#" * LARGEST_FILE)
    with pytest.raises(ProtocolError, match="too large"):
        load(path)
    assert "too large" in the_fault(path.read_text()).message


def test_no_file_no_folder_no_device(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "absent.toml", "no such file"),
        (tmp_path, "not a file"),
        (tmp_path / "a\x00b", "cannot be read"),
        (tmp_path / ("x" * 5_000), "cannot be read"),
        (write(tmp_path, b"") / "below.toml", "cannot be read"),
    ):
        with pytest.raises(FileError, match=words) as caught:
            load(path)
        assert len(str(caught.value).split("\n")) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    with pytest.raises(ProtocolError, match="not a file"):
        load(pipe)


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path, CYCLIC.encode())
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ProtocolError, match="cannot be read"):
        load(path)


# --- words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.50, "1.5"),
        (float("nan"), "nan"),
        ("a", '"a"'),
        ("\x1b[2J", '"\\x1b[2J"'),
        ("x" * 100, '"' + "x" * 57 + '..."'),
        ([1, 2], "a list of 2"),
        ({}, "a table"),
        pytest.param(10**5_000, "a huge number", id="huge"),
    ],
)
def test_values_are_shown_safely(value: object, text: str) -> None:
    assert shown(value) == text


def test_fields_are_named_as_a_person_counts() -> None:
    assert field_name(("channel", 0, "rate_hz")) == "channel[1].rate_hz"
    assert field_name(("pads", "\x1b")) == "pads.\\x1b"
    assert field_name(()) == "file"


def test_a_fault_cannot_reach_the_terminal_with_control_characters() -> None:
    found = faults(CYCLIC + '"\\u001b[31m" = 1\n[pads."\\u0007"]\nmodel = "\\u001b"\n')
    assert all(str(fault).isprintable() for fault in found)
