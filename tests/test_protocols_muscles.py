"""A muscle's words: what is read of them, what is asked about them, and how a fault speaks of the muscles it is about."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from stimctl.control import authoring
from stimctl.control.authoring import Report
from stimctl.protocols import loads, muscles
from tests import protocol_texts as texts
from tests.protocol_texts import CONTRALATERAL, CYCLIC, SEQUENCE, TENS, TWO, edit, line_of, the_fault
from tests.test_plans import text as plan_text

EDC, EPL, FDS = "extensor digitorum communis", "extensor pollicis longus", "flexor digitorum superficialis"


def checked(text: str) -> Report:
    [report] = authoring.check(["-"], io.BytesIO(text.encode()))
    return report


def asked(text: str) -> list[tuple[int, str]]:
    """The warnings about muscles, each with its line."""
    told = [(each.line, each.message) for each in checked(text).warnings]
    return [(line, message) for line, message in told if not message.startswith(("trigger: ", "all channels: "))]


def brief(text: str) -> str:
    return texts.put(text, "repetitions", "2")  # what is good is flown


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("muscle", "pulls"),
    [
        ("EDC", {"extension"}),
        ("edc", {"extension"}),
        ("FDS/FDP", {"flexion"}),
        ("ECRL + ECRB", {"extension"}),
        ("APL, EPL", {"abduction", "extension"}),
        ("ADP", {"adduction"}),
        ("PT", {"pronation"}),
        ("FDI", set()),
        ("what they pt", set()),  # of two letters only capitals are an abbreviation
        ("Wrist FLEXORS", {"flexion"}),
        ("opponens pollicis", set()),
        ("", set()),
    ],
)
def test_where_to_a_name_pulls(muscle: str, pulls: set[str]) -> None:
    assert muscles.pulls(muscle) == pulls


@pytest.mark.parametrize("long", [*muscles.ABBREVIATIONS.values()])
def test_what_an_abbreviation_stands_for_is_known_and_has_no_slip(long: str) -> None:
    assert muscles.is_known(long)
    assert list(muscles.slips(long)) == []
    assert list(muscles.abbreviated(long)) == []


@pytest.mark.parametrize(
    ("muscle", "slips"),
    [
        ("extensor digitorum comunis", [("comunis", "communis")]),
        ("Flxor digitorum", [("Flxor", "flexor")]),
        ("etxensor digitorm", [("etxensor", "extensor"), ("digitorm", "digitorum")]),
        ("wrist and finger extensors, flexors of the thumbs", []),
        ("interossei, lumbricals", []),
        ("what opens and closes the hand", []),
        ("the longer one of both", []),
    ],
)
def test_a_slip_of_the_pen_is_seen_and_a_plain_word_is_none(muscle: str, slips: list[tuple[str, str]]) -> None:
    assert list(muscles.slips(muscle)) == slips


def test_no_shipped_file_has_a_slip_or_an_abbreviation() -> None:
    for entry in authoring.library():
        protocol = loads(authoring.library_text(entry.name), entry.name)
        for channel in getattr(protocol, "channels", ()):
            assert [*muscles.slips(channel.muscle), *muscles.abbreviated(channel.muscle)] == [], entry.name


# --- warnings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([(EPL, "EPL")], ["thumb: muscle EPL is read as extensor pollicis longus: write it out"]),
        (
            [(EPL, "extnsr pollicis")],
            ["thumb: muscle not recognised, `extnsr` (did you mean `extensor`?): antagonists judged by its site alone"],
        ),
        ([(EPL, "the thumb's")], ["thumb: muscle not recognised: antagonists judged by its site alone, as extension"]),
        ([(EPL, "opponens")], ["thumb: no direction of pull is known of opponens: antagonists judged by its site"]),
        ([(EPL, "extensor policis longus")], ["thumb: muscle has a word that is not known here: `policis` (did you"]),
        ([(EPL, "FPL")], ["thumb: FPL and forearm-dorsal do not agree", "thumb: muscle FPL is read as"]),
    ],
)
def test_a_warning_about_a_muscle_stands_on_its_line(changes: list[tuple[str, str]], said: list[str]) -> None:
    text = brief(edit(TWO, *changes))
    line = line_of(text, f'muscle = "{changes[0][1]}')
    told = asked(text)
    assert [at for at, _ in told] == [line] * len(said), told
    assert all(message.startswith(start) for (_, message), start in zip(told, said, strict=True)), told


def test_one_muscle_alone_needs_no_direction_but_no_slip_either() -> None:
    assert asked(brief(edit(CYCLIC, (EDC, "the big one")))) == []
    [(line, message)] = asked(brief(edit(CYCLIC, (EDC, "the big extnsor"))))
    assert (line, "did you mean `extensor`" in message) == (line_of(CYCLIC, "muscle"), True)


def test_what_moves_nothing_is_not_asked_for_its_muscle() -> None:
    assert asked(texts.put(edit(TENS, (EDC, "felt over EDC, comunis")), "duration_min", "1")) == []


# --- beside faults ---------------------------------------------------------------------------------------------------


def test_warnings_about_muscles_are_there_beside_faults() -> None:
    text = edit(SEQUENCE, (EDC, "extensor digitorum comunis"), (", delay_s = 0.4 }", " }"))
    report = checked(text)
    assert (report.ok, len(report.faults)) == (False, 1)
    [warning] = report.warnings
    assert (warning.line, warning.column) == (line_of(text, 'muscle = "extensor'), 10)
    assert "did you mean `communis`" in warning.message


@pytest.mark.parametrize(
    "change",
    [
        ('name = "extensors"', 'name = "\\u001b[2J"'),
        ('site = "forearm-dorsal"', "site = 3"),
        ('muscle = "extensor digitorum comunis"', "muscle = 3"),
        ('muscle = "extensor digitorum comunis"', 'muscle = "comunis \\u001b[2J"'),
        ('muscle = "extensor digitorum comunis"\n', ""),
        ('kind = "fes-sequence"', 'kind = "fes-sequense"'),
        ('kind = "fes-sequence"\n', ""),
    ],
)
def test_a_broken_channel_breaks_no_warning_and_shows_nothing_that_a_terminal_obeys(change: tuple[str, str]) -> None:
    report = checked(edit(SEQUENCE, (EDC, "extensor digitorum comunis"), change))
    assert not report.ok
    words = [each.message for each in report.warnings]
    assert all(word.isprintable() for word in words)
    assert len(words) == ("muscle" not in change[0])


@pytest.mark.parametrize("channel", ["channel = 3", "channel = [3]", "[channel]\nmuscle = 3"])
def test_no_channel_that_can_be_read_is_no_warning(channel: str) -> None:
    report = checked('format = 1\nkind = "fes-cyclic"\n' + channel)
    assert (report.ok, report.warnings) == (False, ())


def test_a_plans_block_is_asked_about_in_its_own_file(tmp_path: Path) -> None:
    block = edit(SEQUENCE, (EDC, "extensor digitorum comunis"), ("rest_s = 10.0", "rest_s = 1.0"))
    (tmp_path / "block.toml").write_text(block)
    (tmp_path / "plan.toml").write_text(plan_text('[[block]]\nfile = "block.toml"\n', stages=""))
    [report] = authoring.check([str(tmp_path / "plan.toml")], io.BytesIO())
    [warning] = report.warnings
    where = f"{tmp_path / 'block.toml'}:{line_of(block, 'muscle')}: extensors: muscle has a word"
    assert (report.ok, warning.line, warning.message.startswith(where)) == (False, 0, True), warning


def test_a_file_is_its_own_however_its_path_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = edit(CYCLIC, (EDC, "extensor digitorum comunis"), ("rate_hz = 35", "rate_hz = 350"))
    Path("odd.toml").write_text(text)
    [report] = authoring.check(["./odd.toml"], io.BytesIO())
    assert [each.line for each in report.warnings] == [line_of(text, "muscle")]


# --- the antagonists' fault ------------------------------------------------------------------------------------------


def test_antagonists_of_a_task_are_named_with_their_muscles() -> None:
    message = the_fault(edit(SEQUENCE, (", delay_s = 0.4 }", " }"))).message
    assert f"`flexors` ({FDS}: flexion) and `extensors` ({EDC}: extension) pull against each other" in message


def test_antagonists_in_one_burst_are_named_with_their_muscles_and_what_the_site_says() -> None:
    second = texts.SECOND_CHANNEL.replace(EPL, "the big one").replace("forearm-dorsal", "forearm-volar")
    fault = the_fault(CYCLIC + second)
    assert (
        f"`thumb` (the big one: flexion by its site, forearm-volar) pulls against `extensors` ({EDC}:" in fault.message
    )


def test_antagonists_that_follow_one_signal_are_named_with_their_muscles() -> None:
    fault = the_fault(CONTRALATERAL + texts.SECOND_CHANNEL.replace(EPL, "FDS"))
    assert fault.message.startswith(
        f"`thumb` (FDS: flexion) pulls against `extensors` ({EDC}: extension): all channels"
    )
