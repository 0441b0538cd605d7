"""Site time of the last 24 hours: recorded as a real board's sessions would be, for the twin's count for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stimctl.errors import RecordError
from stimctl.records.journal import Journal
from stimctl.records.words import SessionMeta
from stimctl.session.carry import spent_lately_us
from stimctl.units import MINUTE

META = SessionMeta(
    patient="P-9",
    protocol_title="t",
    protocol_kind="fes-cyclic",
    protocol_sha256="0",
    protocol_text="",
    simulated=False,
    board={},
    stimctl_version="0",
    side="left",
)
SITE = "forearm-dorsal"


class Book:
    """A record whose wall clock the test sets. Nothing that is written here takes more than it says."""

    def __init__(self, folder: Path) -> None:
        self.wall = "2026-03-01T10:00:00.000+00:00"
        self.journal = Journal(folder / "day.db", wall_clock=lambda: self.wall)

    def add(self, wall: str, minutes: int, *, until: str = "", meta: SessionMeta = META) -> None:
        """A session that was opened at ``wall`` and gave a site ``minutes``, the last at ``until``."""
        self.wall = wall
        self.journal.open_session(meta, mono_us=0)
        self.journal.append("site-time", {SITE: 5}, mono_us=1)
        self.wall = until or wall
        self.journal.append("site-time", {SITE: minutes * MINUTE}, mono_us=minutes * MINUTE)
        self.journal.close_session("complete", mono_us=minutes * MINUTE + 1)

    def spent(self, wall: str, meta: SessionMeta = META) -> float:
        """Minutes that a session which is opened at ``wall`` finds."""
        self.wall = wall
        session = self.journal.open_session(meta, mono_us=0)
        spent = spent_lately_us(self.journal.path, meta.patient, meta.side, session)
        self.journal.close_session("not begun", mono_us=1)
        return spent.get(SITE, 0) / MINUTE


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path)
    yield made
    made.journal.close()


def day(number: int, time: str = "10:00:00", month: int = 3) -> str:
    return f"2026-{month:02}-{number:02}T{time}.000+00:00"


def test_site_time_goes_on_from_earlier_sessions_of_the_day(book: Book) -> None:
    for minutes in (10, 20):
        book.add(day(1), minutes)
    book.add(day(1), 7, meta=replace(META, side="right"))
    book.add(day(1), 8, meta=replace(META, simulated=True))
    assert book.spent(day(1, "14:00:00")) == 30
    assert book.spent(day(1, "14:00:00"), replace(META, side="right")) == 7
    assert book.spent(day(1, "14:00:00"), replace(META, patient="P-8")) == 0
    assert book.spent(day(2, "14:00:00")) == 0


def test_no_midnight_gives_a_site_another_hour(book: Book) -> None:
    """00:00 UTC is 16:00 in California."""
    book.add(day(1, "23:00:00"), 59, until=day(1, "23:59:00"))
    assert book.spent(day(2, "00:00:10")) == 59
    assert book.spent(day(2, "22:00:00")) == 59
    assert book.spent(day(2, "23:58:59")) == pytest.approx(59, abs=1e-6)
    assert book.spent(day(2, "23:59:00")) == 0


def test_a_session_across_the_edge_counts_by_its_rows(book: Book) -> None:
    book.wall = day(1)
    book.journal.open_session(META, mono_us=0)
    for minutes, wall in ((10, "10:10:00"), (25, "10:25:00"), (30, "10:30:00")):
        book.wall = day(1, wall)
        book.journal.append("site-time", {SITE: minutes * MINUTE}, mono_us=minutes * MINUTE)
    book.journal.close_session("complete", mono_us=30 * MINUTE)
    assert book.spent(day(2, "10:09:59")) == 30
    assert book.spent(day(2, "10:10:00")) == 20
    assert book.spent(day(2, "10:29:59")) == 5


def test_codes_that_differ_in_capitals_are_one_persons(book: Book) -> None:
    book.add(day(1), 20)
    assert book.spent(day(1, "11:00:00"), replace(META, patient="p-9")) == 20


@pytest.mark.parametrize(
    "wall",
    [
        "",
        "yesterday",
        "2026-02-01T10:00:00.000",
        "9999-99-99T10:00:00.000+00:00",
        "2026-02-29T10:00:00.000+00:00",
        "2026-02-01T24:00:00.000+00:00",
        "2026-02-01T10:00:00.000+01:00",
    ],
)
def test_a_time_that_cannot_be_read_counts_as_now(book: Book, wall: str) -> None:
    book.add(wall, 20)
    assert book.spent(day(1)) == 20


def test_a_row_whose_own_time_cannot_be_read_counts_as_now(book: Book) -> None:
    book.add(day(1), 20, until="?")
    assert book.spent(day(9)) == pytest.approx(20, abs=1e-6)


def test_with_no_time_of_our_own_everything_counts(book: Book) -> None:
    book.add(day(1), 20)
    assert book.spent("?") == 20


def test_what_is_still_to_come_counts_as_now(book: Book) -> None:
    """The clock was set back since."""
    book.add(day(5), 20)
    assert book.spent(day(2)) == 20


def test_a_clock_that_was_set_back_for_a_session_does_not_hide_it(book: Book) -> None:
    """A computer without a battery: 1970 for one session, and right again afterwards."""
    book.add(day(1), 1)
    book.add("1970-01-01T00:00:05.000+00:00", 20)
    assert book.spent(day(3)) == 20, "it began before this one, and after the first"
    assert book.spent(day(3, "23:00:00")) == 20
    assert book.spent(day(5)) == 0


def test_a_clock_that_is_set_right_in_the_midst_does_not_hide_what_follows(book: Book) -> None:
    book.add("1970-01-01T00:00:05.000+00:00", 20, until=day(3))
    assert book.spent(day(3, "11:00:00")) == pytest.approx(20, abs=1e-6)


def test_a_long_session_is_not_over_because_its_rows_were_set_back(book: Book) -> None:
    book.add(day(1), 20, until="1970-01-01T00:00:05.000+00:00")
    assert book.spent(day(2, "10:19:59")) == pytest.approx(20, abs=1e-6)
    assert book.spent(day(2, "10:20:00")) == 0


def test_the_end_of_the_calendar_counts_as_now(book: Book) -> None:
    book.add("9999-12-31T23:59:59.000+00:00", 20)
    assert book.spent("9999-12-31T23:59:59.500+00:00") == 20


def test_a_row_that_holds_something_else_is_an_error(book: Book) -> None:
    book.journal.open_session(META, mono_us=0)
    book.journal.append("site-time", {SITE: -1}, mono_us=1)
    book.journal.close_session("complete", mono_us=2)
    with pytest.raises(RecordError, match="something else"):
        book.spent(day(1))
