"""The read side: lists what was written, and finds every change."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.errors import RecordError
from stimctl.records import chain, reading, words
from stimctl.records.chain import GENESIS, Row, row_hash
from stimctl.records.journal import Journal
from stimctl.session.wording import EVENT_KIND
from tests.records_kit import meta, raw_rows, tamper, wall_clock

COLUMNS = ("seq", "session", "mono_us", "wall", "kind", "payload", "prev", "hash")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed record of two sessions and twelve rows."""
    path = tmp_path_factory.mktemp("written") / "sessions.sqlite3"
    with Journal(path, wall_clock=wall_clock()) as journal:
        for code in ("P-01", "P-02"):
            journal.open_session(meta(code), mono_us=1_000)
            for n in range(4):
                journal.append(words.BURST_DELIVERED, {"n": n}, mono_us=2_000 + n)
            journal.close_session("complete", mono_us=9_000)
    return path


@pytest.fixture
def path(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path / "copy.sqlite3"))


# --- listing --------------------------------------------------------------------------------------------------


def test_sessions_are_listed(written: Path) -> None:
    first, second = reading.sessions(written)
    assert (first.patient, second.patient) == ("P-01", "P-02")
    assert (first.bursts, first.duration_us, first.outcome, first.simulated) == (4, 8_000, "complete", True)
    assert first.protocol == "Wrist extension"
    assert first.started < second.started
    assert len(reading.events(written, first.id)) == 6
    assert reading.events(written, "nobody") == ()


STOPPED = {"state": "stopped"}


@pytest.mark.parametrize(
    ("rows", "outcome", "why", "treated"),
    [
        ([], "ended early", "", True),
        ([("blocked", {"because": ["A pacemaker?", "Pregnant?"]})], "ended early", "A pacemaker?; Pregnant?", False),
        ([("stop", {"reason": "STOP (Space)", **STOPPED})], "ended early", "STOP (Space)", True),
        ([("stop-arming", {"reason": "STOP (Space)", **STOPPED})], "ended early", "STOP (Space)", True),
        ([("fault", {"reason": "no link", **STOPPED})], "ended early", "no link", True),
        # The first reason stays, as it does on the screen.
        ([("fault", {"reason": "no link", **STOPPED}), ("stop", {"reason": "x", **STOPPED})], "x", "no link", True),
        ([("stop", {"reason": "x", **STOPPED}), ("clear-to-ready", {})], "ended early", "", True),
        ([("stop", {"reason": "tried before the start", "state": "screening"})], "ended early", "", True),
        ([("stop", {"reason": "x", **STOPPED})], "complete", "", True),
        ([("stop", {"reason": "x", **STOPPED})], None, "x", True),
        ([("blocked", {}), ("stop", STOPPED)], "ended early", "", False),
    ],
)
def test_why_a_session_came_to_no_regular_end(
    tmp_path: Path, rows: list[tuple[str, dict[str, object]]], outcome: str | None, why: str, treated: bool
) -> None:
    path = tmp_path / "s.sqlite3"
    with Journal(path, wall_clock=wall_clock()) as journal:
        journal.open_session(meta(), mono_us=0)
        for kind, payload in rows:
            journal.append(kind, payload, mono_us=1)
        if outcome is not None:
            journal.close_session(outcome, mono_us=2)
    (row,) = reading.sessions(path)
    assert (row.outcome, row.why, row.treated) == (outcome or words.UNFINISHED, why, treated)


def test_the_reasons_are_looked_for_under_the_names_that_a_session_gives_them() -> None:
    assert {words.BLOCKED, *words.STOPPING, *words.CLEARING} <= set(EVENT_KIND.values())


def test_a_running_session_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    with Journal(path, wall_clock=wall_clock()) as journal:
        journal.open_session(meta(simulated=False), mono_us=0)
        journal.append(words.BURST_DELIVERED, mono_us=5_000_000, durable=True)
        (row,) = reading.sessions(path)
        assert (row.outcome, row.bursts, row.simulated, row.duration_us) == (words.UNFINISHED, 1, False, 5_000_000)
        assert reading.verify(path).ok
        journal.append("more", mono_us=6_000_000, durable=True)
        assert reading.verify(path).rows == 3


def test_a_missing_record_is_said_plainly(tmp_path: Path) -> None:
    for ask in (reading.sessions, reading.verify):
        with pytest.raises(RecordError, match="there is no record here"):
            ask(tmp_path / "none.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_reading_changes_nothing(written: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(written, tmp_path / "copy ?#%.sqlite3"))
    before = path.read_bytes()
    reading.sessions(path)
    reading.verify(path)
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_a_record_on_a_read_only_medium(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        assert reading.verify(path).ok
    finally:
        path.parent.chmod(0o700)


def test_the_default_place_is_in_the_users_data_and_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    place = reading.default_store()
    assert place.parent.name == "stimctl"
    assert not place.parent.exists()


# --- the chain ------------------------------------------------------------------------------------------------


FIELD = st.text(alphabet="ab:,\x00é", max_size=4)
ROWS = st.builds(Row, st.integers(1, 3), FIELD, st.integers(-2, 99), FIELD, FIELD, FIELD)


@given(ROWS, ROWS)
def test_different_rows_never_share_an_encoding(one: Row, other: Row) -> None:
    assert (row_hash(GENESIS, one) == row_hash(GENESIS, other)) is (one == other)


@pytest.mark.parametrize("boundary", range(5))
def test_a_character_cannot_move_to_the_next_field(boundary: int) -> None:
    """As plain text both rows read the same; their lengths tell them apart."""
    texts = ["11"] * 6
    texts[boundary], texts[boundary + 1] = "1", "111"

    def row(seq: str, session: str, mono_us: str, wall: str, kind: str, payload: str) -> Row:
        return Row(int(seq), session, int(mono_us), wall, kind, payload)

    assert row_hash(GENESIS, row(*texts)) != row_hash(GENESIS, row(*["11"] * 6))


@given(ROWS, st.binary(min_size=32, max_size=32))
def test_a_hash_holds_the_one_before(row: Row, prev: bytes) -> None:
    assert (row_hash(prev, row) == row_hash(GENESIS, row)) is (prev == GENESIS)


@given(ROWS)
def test_text_and_its_bytes_hash_alike(row: Row) -> None:
    seq, session, mono_us, wall, kind, payload = (str(field).encode() for field in row)
    stored = Row(int(seq), session, int(mono_us), wall, kind, payload)
    assert row_hash(GENESIS, stored) == row_hash(GENESIS, row)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_canonical_json_does_not_depend_on_order(payload: dict[str, object]) -> None:
    turned = dict(reversed(payload.items()))
    assert chain.canonical(payload) == chain.canonical(turned)
    assert chain.canonical(payload).isascii()


# --- finding changes ------------------------------------------------------------------------------------------


def test_an_untouched_record_verifies(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    verdict = reading.verify(path, progress=lambda done, total: seen.append((done, total)))
    assert (verdict.ok, verdict.rows, verdict.first_bad, verdict.why) == (True, 12, None, "")
    assert verdict.head == bytes(raw_rows(path)[-1][7]).hex()  # type: ignore[call-overload]


@settings(max_examples=40)
@given(data=st.data())
def test_any_changed_byte_is_found_in_its_row(
    written: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = Path(shutil.copy(written, tmp_path_factory.mktemp("tampered") / "s.sqlite3"))
    row = data.draw(st.integers(1, 12), "row")
    column = data.draw(st.sampled_from(COLUMNS[1:]), "column")
    stored = raw_rows(path)[row - 1][COLUMNS.index(column)]
    if isinstance(stored, int):
        change: object = stored ^ (1 << data.draw(st.integers(0, 60), "bit"))
    else:
        raw = bytearray(stored.encode() if isinstance(stored, str) else bytes(stored))  # type: ignore[call-overload]
        raw[data.draw(st.integers(0, len(raw) - 1), "byte")] ^= 1 << data.draw(st.integers(0, 7), "bit")
        change = bytes(raw)
    value = "CAST(? AS TEXT)" if isinstance(stored, str) else "?"
    tamper(path, f"UPDATE event SET {column} = {value} WHERE seq = {row}", change)
    verdict = reading.verify(path)
    assert not verdict.ok
    assert verdict.first_bad == row
    assert verdict.rows == row - 1
    assert str(row) in verdict.why


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("DELETE FROM event WHERE seq = 5", 6),
        ("DELETE FROM event WHERE seq = 1", 2),
        ("UPDATE event SET seq = 40 WHERE seq = 12", 40),
        ("UPDATE event SET seq = -seq WHERE seq = 3", -3),
        (
            "INSERT INTO event SELECT 13, session, mono_us, wall, kind, payload, prev, hash FROM event WHERE seq = 12",
            13,
        ),
    ],
)
def test_missing_moved_and_added_rows_are_found(path: Path, statement: str, first_bad: int) -> None:
    tamper(path, statement)
    verdict = reading.verify(path)
    assert (verdict.ok, verdict.first_bad) == (False, first_bad)


def test_a_row_that_was_hashed_anew_no_longer_leads_to_the_next(path: Path) -> None:
    seq, session, mono_us, wall, kind, _, prev, _ = raw_rows(path)[4]
    row = Row(seq, session, mono_us, wall, kind, "{}")  # type: ignore[arg-type]
    own = row_hash(prev, row)  # type: ignore[arg-type]
    tamper(path, "UPDATE event SET payload = ?, hash = ? WHERE seq = 5", row.payload, own)
    assert reading.verify(path).first_bad == 6


def test_a_cut_end_is_found(path: Path) -> None:
    tamper(path, "DELETE FROM event WHERE seq > 9")
    verdict = reading.verify(path)
    assert not verdict.ok
    assert verdict.rows == 9
    assert "cut off" in verdict.why


def test_an_emptied_record_is_found(path: Path) -> None:
    tamper(path, "DELETE FROM event")
    assert not reading.verify(path).ok


def test_a_rewritten_chain_has_another_head(path: Path) -> None:
    """Whoever re-hashes everything is found by the head that was noted elsewhere, and by nothing else."""
    noted = reading.verify(path).head
    prev = GENESIS
    for seq, session, mono_us, wall, kind, payload, *_ in raw_rows(path):
        row = Row(seq, session, mono_us, wall, kind, str(payload).replace("P-01", "P-09"))  # type: ignore[arg-type]
        own = row_hash(prev, row)
        tamper(path, "UPDATE event SET payload = ?, prev = ?, hash = ? WHERE seq = ?", row.payload, prev, own, seq)
        prev = own
    assert reading.verify(path).ok
    assert reading.verify(path).head != noted


@pytest.mark.parametrize("name", ["event_no_update", "event_no_delete", "event_in_order"])
def test_a_removed_trigger_is_found(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"DROP TRIGGER {name}")
    verdict = reading.verify(path)
    assert not verdict.ok
    assert name in verdict.why


def test_a_damaged_page_is_a_verdict_and_an_error(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096 + 8 : 4096 + 400] = b"\xff" * 392
    path.write_bytes(raw)
    verdict = reading.verify(path)
    assert not verdict.ok
    assert verdict.why


def test_payload_damage_is_one_clear_error(path: Path) -> None:
    tamper(path, "UPDATE event SET payload = 'no json' WHERE seq = 1")
    with pytest.raises(RecordError, match="stimctl verify"):
        reading.sessions(path)
