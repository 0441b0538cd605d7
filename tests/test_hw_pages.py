"""The pages of hw/ against the code: how lines are set, the numbers that the code goes by, the calibration that is shown."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stimctl.boards import KINDS
from stimctl.boards.openemsstim.calibration_file import calibration_of
from stimctl.boards.openemsstim.fit import usable
from stimctl.protocols.calibration import loads_calibration
from stimctl.sim.catalogue import BOARDS
from stimctl.sim.served import Settings

HW = Path(__file__).parents[1] / "hw"
SECTIONS = (
    "Line",
    "Wiring",
    "What the board does by itself",
    "What software cannot promise",
    "Numbers",
    "Sources",
)
OURS = re.compile(r"ours|inferred|both|the Arduino's own")
"""What stands in the place of a source where there is none to name."""

PER = {
    "s": 1_000_000,
    "ms": 1_000,
    "µs": 1,
    "us": 1,
    "mA": 1_000,
    "ma": 1_000,
    "µA": 1,
    "ua": 1,
    "V": 1_000,
    "mV": 1,
    "mv": 1,
    "Hz": 1_000,
    "hz": 1_000,
    "mHz": 1,
    "mhz": 1,
}
"""Units of time in µs, of current in µA, of voltage in mV, of rates in mHz; also as they end a constant's name."""

KEY = re.compile(r"[A-Z][A-Z0-9]*\b")
"""How sources are named; behind a colon stands where in them."""


class Row(NamedTuple):
    """One line of a page's table of numbers."""

    what: str
    value: str
    module: str
    expression: str
    unit: str
    source: str


def text_of(board: str) -> str:
    return (HW / board / "README.md").read_text(encoding="utf-8")


def section(board: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text_of(board), re.DOTALL | re.MULTILINE)
    assert found is not None, f"hw/{board}: no section {title}"
    return found[1].strip()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def numbers(board: str) -> Iterator[Row]:
    """The rows. A constant whose name does not end with its unit has it behind the code."""
    for line in section(board, "Numbers").splitlines()[2:]:
        what, value, code, source = cells(line)
        found = re.fullmatch(r"`([\w.]+)`: `([^`]+)`(?: in (\w+))?", code)
        assert found is not None, line
        ending = re.search(r"_([a-z]+)\W*$", found[2].lower())
        yield Row(what, value, found[1], found[2], found[3] or (ending[1] if ending else ""), source)


def plain(number: str) -> float:
    return float(number.replace(" ", ""))


def stated(value: str) -> tuple[float, ...]:
    """``50 to 500 ms`` in µs; what has no unit of time, current or voltage is a count."""
    found = re.fullmatch(r"([\d. ]*\d)(?: to ([\d. ]*\d))?(?: (\D+))?", value)
    assert found is not None, value
    per = PER.get(found[3] or "", 1)
    return tuple(round(plain(each) * per, 3) for each in found.group(1, 2) if each)


def coded(row: Row) -> tuple[float, ...]:
    """What the code has, in the same units."""
    value = eval(row.expression, vars(importlib.import_module(f"stimctl.{row.module}")))  # the page is ours
    return tuple(round(each * PER.get(row.unit, 1), 3) for each in (value if isinstance(value, tuple) else (value,)))


def sources(board: str) -> set[str]:
    """Those at the end of the page."""
    return set(re.findall(rf"\*\*({KEY.pattern})\*\*", section(board, "Sources")))


# --- every board has its page ----------------------------------------------------------------------------------


def test_every_board_has_a_page_and_the_index_leads_to_it() -> None:
    index = (HW / "README.md").read_text(encoding="utf-8")
    assert {path.parent.name for path in HW.glob("*/README.md")} == set(BOARDS) == {*BOARDS, *KINDS}
    for board in BOARDS:
        assert f"({board}/README.md)" in index


@pytest.mark.parametrize("board", BOARDS)
def test_a_page_has_all_that_one_looks_for(board: str) -> None:
    titles = re.findall(r"^## (.+)$", text_of(board), re.MULTILINE)
    assert [title for title in titles if title in SECTIONS] == list(SECTIONS)


@pytest.mark.parametrize("board", BOARDS)
def test_links_lead_somewhere(board: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(board)):
        assert (HW / board / target).exists(), target


# --- sources ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", BOARDS)
def test_every_source_that_is_named_stands_at_the_end(board: str) -> None:
    page = text_of(board)
    body = page[: page.index("## Numbers")]
    named = [*re.findall(r"\[([^\]]+)\](?!\()", body), *(row.source for row in numbers(board))]
    tags = {tag.split(":")[0] for each in named for tag in re.split(r"[,;]\s", each)}
    assert {tag for tag in tags if KEY.fullmatch(tag)} == sources(board)


@pytest.mark.parametrize("board", BOARDS)
def test_every_number_has_a_source(board: str) -> None:
    for row in numbers(board):
        assert KEY.match(row.source) or OURS.match(row.source), row


# --- the code --------------------------------------------------------------------------------------------------


def line_of(board: str) -> tuple[str, ...]:
    """How the page says that the port has to be set."""
    return tuple(cells(section(board, "Line").splitlines()[2]))


@pytest.mark.parametrize("board", KINDS)
def test_the_line_is_set_as_the_page_says(board: str) -> None:
    kind = KINDS[board]
    parity = {"N": "none", "E": "even", "O": "odd"}[kind.parity]
    flow = "RTS/CTS" if kind.flow_control else "none"
    assert line_of(board) == (f"{kind.baud:,}".replace(",", " "), "8", parity, str(kind.stop_bits), flow)


@pytest.mark.parametrize("board", [board for board, entry in BOARDS.items() if entry.settings is not None])
def test_the_twin_wants_the_line_of_the_page(board: str) -> None:
    baud, _, parity, stop_bits, _ = line_of(board)
    parity = "no" if parity == "none" else parity
    assert BOARDS[board].settings == Settings(int(baud.replace(" ", "")), parity, int(stop_bits))


@pytest.mark.parametrize("board", BOARDS)
def test_the_numbers_are_the_codes(board: str) -> None:
    rows = list(numbers(board))
    assert rows
    assert [row for row in rows if stated(row.value) != coded(row)] == []


def test_the_calibration_that_is_shown_is_one() -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", text_of("openemsstim"), re.DOTALL)
    read = loads_calibration(shown, "hw/openemsstim/README.md")
    assert set(usable(calibration_of(read)).measured) == {0}
