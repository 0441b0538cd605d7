"""What is kept of a bench, and what every session says of it when it begins."""

from __future__ import annotations

import itertools
import os
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards import BoardFacts
from stimctl.driver import driver_for
from stimctl.errors import RecordError
from stimctl.orders import Order, OrderKind
from stimctl.records import profiles
from stimctl.records.profiles import Profile, Step
from stimctl.safety import Latch
from stimctl.session import asking, commissioning, opening
from stimctl.session.link import Link
from stimctl.session.opening import Case, Opening, Reach
from stimctl.sim.link import SimLink
from stimctl.sim.sciencemode4 import ScienceMode4Board

MS = 1_000
SECOND = 1_000_000

GOOD = Profile(
    board="p24",
    serial="A000123",
    name="P24",
    firmware="1.0.0",
    simulated=False,
    stimctl="0.1.0",
    at="2026-11-23T11:00:00+00:00",
    output=1,
    phase_width_us=96,
    rate_mhz=50_000,
    claimed_dead_man_ms=2_000,
    stop_us=22_001,
    dead_man_us=1_150_000,
    dead_man_told=True,
    steps=(Step(5_000, 5_100), Step(10_000)),
)
URL = "p24:/dev/ttyACM0"

# --- the file ----------------------------------------------------------------------------------------------------


def test_a_profile_is_plain_toml_for_its_owner_alone(tmp_path: Path) -> None:
    path = profiles.write(tmp_path / "boards", GOOD)
    assert path == tmp_path / "boards" / "p24-A000123.toml"
    data = tomllib.loads(path.read_text())
    assert (data["board"], data["stop_us"]) == ("p24", 22_001)
    assert data["steps"] == [{"level_ua": 5_000, "measured_ua": 5_100}, {"level_ua": 10_000}]
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o077 == 0


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.lists(st.text(max_size=40), max_size=3),
    st.lists(st.tuples(st.integers(0, 10**6), st.none() | st.integers(0, 10**6)), max_size=4),
    st.none() | st.integers(0, 10**9),
)
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    serial: str,
    name: str,
    faults: list[str],
    steps: list[tuple[int, int | None]],
    stop_us: int | None,
) -> None:
    """Whatever a board calls itself: what cannot be printed is replaced, and nothing gets out of its place."""
    where = tmp_path_factory.mktemp("p") / "boards"
    told = replace(
        GOOD,
        serial=serial,
        name=name,
        faults=tuple(faults),
        steps=tuple(Step(*each) for each in steps),
        stop_us=stop_us,
    )
    path = profiles.write(where, told)
    assert path.parent == where
    assert list(where.iterdir()) == [path]

    def shown(text: str) -> str:
        return "".join(sign if sign.isprintable() else "?" for sign in text)

    again = profiles._built(tomllib.loads(path.read_text(encoding="utf-8")))
    assert again == replace(
        told, serial=shown(serial), name=shown(name), faults=tuple(shown(fault) for fault in faults)
    )
    if shown(serial) == serial:
        assert profiles.read(where, "p24", serial) == again


def test_a_newer_one_takes_the_place_of_the_older(tmp_path: Path) -> None:
    profiles.write(tmp_path, GOOD)
    profiles.write(tmp_path, replace(GOOD, faults=("too slow",)))
    found = profiles.read(tmp_path, "p24", "A000123")
    assert found is not None
    assert not found.passed


def test_a_board_that_was_never_tried_has_none(tmp_path: Path) -> None:
    assert profiles.read(tmp_path / "nowhere", "p24", "A000123") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("format = 1", "format = 2"),
        ("stop_us = 22001", "stop_us = true"),
        ("stop_us = 22001", "stop_us = -1"),
        ("stop_us = 22001", "stop_us = 2.5"),
        ("output = 1", 'output = "1"'),
        ("output = 1", "output = 1\nmore = 1"),
        ("simulated = false", "simulated = 0"),
        ("faults = []", "faults = [1]"),
        ("level_ua = 5000", "level_ua = 5000\nbelow_ua = 1"),
        ("level_ua = 10000", 'level_ua = "10000"'),
        ('name = "P24"\n', ""),
        ("[[steps]]", "[steps]"),
        ("format = 1", "format = = 1"),
        ('serial = "A000123"', 'serial = "A000124"'),
        ('board = "p24"', 'board = "uecu"'),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_none(old: str, new: str, tmp_path: Path) -> None:
    path = profiles.write(tmp_path, GOOD)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RecordError, match=r"p24-A000123\.toml"):
        profiles.read(tmp_path, "p24", "A000123")


def test_neither_is_one_of_endless_length_nor_a_folder(tmp_path: Path) -> None:
    path = profiles.write(tmp_path, GOOD)
    path.write_text(path.read_text() + "#" * 100_000)
    with pytest.raises(RecordError, match="too long"):
        profiles.read(tmp_path, "p24", "A000123")
    path.unlink()
    path.mkdir()
    with pytest.raises(RecordError, match="cannot be read"):
        profiles.read(tmp_path, "p24", "A000123")
    with pytest.raises(RecordError, match="cannot be kept"):
        profiles.write(tmp_path, GOOD)
    assert list(tmp_path.iterdir()) == [path]  # nothing half written is left behind


@pytest.mark.parametrize("serial", ["../../etc/x", "", ".", "a/b", "a\\b", "x" * 300, "con:", "\x00", "-rf"])
def test_a_name_from_the_wire_becomes_no_path(serial: str, tmp_path: Path) -> None:
    path = profiles.path_of(tmp_path, "p24", serial)
    assert path.parent == tmp_path
    assert path.name.startswith("p24-")
    assert len(path.name) < 80


def test_boards_without_a_number_share_the_file_of_their_kind(tmp_path: Path) -> None:
    assert profiles.path_of(tmp_path, "neurostimduino", "").name == "neurostimduino-without-serial.toml"


def test_the_profiles_stand_beside_the_record(tmp_path: Path) -> None:
    assert profiles.folder(tmp_path / "sessions.sqlite3") == tmp_path / "boards"


# --- what is said of it ------------------------------------------------------------------------------------------


def facts(device_id: str = "A000123") -> BoardFacts:
    """A P24 as it introduces itself; one whose number is no twin's is real to everybody."""
    now_us = SECOND
    link = SimLink(ScienceMode4Board(now_us=now_us, device_id=device_id), lambda: now_us)
    driver = driver_for("p24", link, Latch(), tokens=itertools.count(7).__next__)
    driver.open(now_us)
    while driver.facts is None:
        now_us += 5 * MS
        driver.poll(now_us)
    return driver.facts


REAL = facts()


def test_a_passed_bench_is_one_plain_line(tmp_path: Path) -> None:
    profiles.write(tmp_path, GOOD)
    told = commissioning.known(tmp_path, REAL, URL)
    assert told == ("commissioned 2026-11-23: stop 23 ms, dead-man 1.2 s, current within 2 %", False)


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        (None, f"this board has not been commissioned: run stimctl bench --board {URL}"),
        (replace(GOOD, faults=("the stop took long",)), "failed its commissioning on 2026-11-23: the stop took long"),
        (replace(GOOD, firmware="0.9"), "commissioned on 2026-11-23 with 0.9, and now it has 1.0.0"),
    ],
)
def test_anything_else_is_a_warning(profile: Profile | None, says: str, tmp_path: Path) -> None:
    if profile is not None:
        profiles.write(tmp_path, profile)
    told = commissioning.known(tmp_path, REAL, URL)
    assert told is not None
    assert told.warns
    assert says in told.line
    assert f"stimctl bench --board {URL}" in told.line


def test_a_damaged_profile_is_a_warning_and_ends_nothing(tmp_path: Path) -> None:
    profiles.write(tmp_path, GOOD).write_text("format = 3")
    told = commissioning.known(tmp_path, REAL, URL)
    assert told is not None
    assert told.warns
    assert "is no profile of a board" in told.line


def test_nothing_is_said_of_a_simulated_board(tmp_path: Path) -> None:
    assert commissioning.known(tmp_path, facts("SIM0000001"), URL) is None


def test_a_board_that_confirms_nothing_cannot_be_commissioned_and_is_not_sent_there(tmp_path: Path) -> None:
    told = commissioning.known(tmp_path, replace(REAL, confirms_zero=False), URL)
    assert told is not None
    assert told.warns
    assert "oscilloscope" in told.line
    assert "stimctl bench" not in told.line


def test_what_a_board_cannot_show_is_not_claimed() -> None:
    poor = replace(GOOD, serial="", steps=(Step(5_000),), dead_man_us=None, dead_man_told=False)
    line = commissioning.summary(poor)
    assert "current not measured by this board" in line
    assert "dead-man not shown by this board" in line
    assert "it tells no serial number" in line
    assert "dead-man within 2.5 s" in commissioning.summary(replace(GOOD, dead_man_us=2_410_000, dead_man_told=False))


# --- at the start of a session -----------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Case]:
    """Opens a session on a P24 that is no twin, as far as anybody can tell."""

    def open_case(where: Path | None, device_id: str = "A000123") -> Case:
        now_us = SECOND

        def link(_url: str, latch: Latch, **_: Any) -> Link:
            line = SimLink(ScienceMode4Board(now_us=SECOND, device_id=device_id), lambda: now_us)
            driver = driver_for("p24", line, latch, tokens=itertools.count(7).__next__)
            return Link(driver, None, line.next_event_us)

        monkeypatch.setattr(opening, "open_link", link)
        order = Order(OrderKind.OPEN, protocol="thenar-cyclic", patient="P-1", side="right", board=URL)
        begun = Opening(order, Latch(), clock=lambda: now_us, seed=1, now_us=now_us, reach=Reach(), profiles=where)
        while (case := begun.ready(now_us)) is None:
            now_us += 5 * MS
        return case

    return open_case


def test_a_session_begins_with_what_is_known_of_its_board(opened: Callable[..., Case], tmp_path: Path) -> None:
    untried = opened(tmp_path)
    assert f"this board has not been commissioned: run stimctl bench --board {URL}" in untried.warnings
    profiles.write(tmp_path, GOOD)
    tried = opened(tmp_path)
    line = "commissioned 2026-11-23: stop 23 ms, dead-man 1.2 s, current within 2 %"
    assert line in tried.summary
    assert not [warning for warning in tried.warnings if "commission" in warning]
    assert opening.meta(tried, {}, {"seed": 1}).extra == {"seed": 1, "bench": line}
    profiles.write(tmp_path, replace(GOOD, faults=("too slow",)))
    assert [warning for warning in opened(tmp_path).warnings if "failed its commissioning" in warning]


def test_a_simulated_board_needs_no_bench(opened: Callable[..., Case], tmp_path: Path) -> None:
    case = opened(tmp_path, "SIM0000001")
    assert not [line for line in (*case.summary, *case.warnings) if "commission" in line]
    assert opening.meta(case, {}, {}).extra == {}


def test_a_board_in_the_list_says_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from stimctl.cli.boards import lines
    from stimctl.control import boards as door

    monkeypatch.setattr(door, "ask", lambda *_: REAL)
    [untried] = door.look([URL], str(tmp_path / "s"), lambda _found: None)
    assert any("warning: this board has not been commissioned" in line for line in lines(untried))
    assert any("not been commissioned" in warning for warning in door.as_json(untried)["warnings"])
    profiles.write(tmp_path / "boards", GOOD)
    [tried] = door.look([URL], str(tmp_path / "s"), lambda _found: None)
    assert any(line.startswith("  bench        commissioned 2026-11-23") for line in lines(tried))


def test_asking_waits_no_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that neither answers nor gives up is given up."""
    now_us = SECOND

    class Deaf:
        def open(self, now_us: int) -> None:
            pass

        def poll(self, now_us: int) -> tuple[()]:
            return ()

        def close(self) -> None:
            closed.append(True)

    closed: list[bool] = []
    monkeypatch.setattr(asking, "open_link", lambda *_, **__: Link(Deaf(), None, lambda _: None))  # type: ignore[arg-type]
    begun = asking.Asking(URL, lambda: now_us, 2 * SECOND)
    assert begun.answer(now_us + 2 * SECOND - 1) is None
    with pytest.raises(ConnectionError, match="no board answered"):
        begun.answer(now_us + 2 * SECOND)
    begun.close()
    assert closed == [True]
