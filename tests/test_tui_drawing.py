"""How one status is drawn: nothing cut without a sign, nothing read as markup, nothing by colour alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from stimctl.orders import Counts, OrderKind, OutputWord, Progress, Stage
from stimctl.widgets import channels, frame, procedure
from stimctl.widgets.emg import braille, heading, nice_top
from stimctl.widgets.offers import offers
from stimctl.widgets.parts import GUIDE, HELP
from stimctl.widgets.words import bar, clock, edges, fit, flow, passed, tenths
from tests.faces import EMG, QUESTIONS, REVIEW, RUN, THRESHOLDS, channel

# --- words -------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z")), max_size=40), st.integers(1, 30))
def test_fit_is_exactly_as_wide_as_asked(text: str, cells: int) -> None:
    assert Content(fit(text, cells)).cell_length == cells


def test_what_is_cut_says_so() -> None:
    assert fit("extensor digitorum", 10) == "extensor …"
    assert edges(Content("a long left side"), Content("right"), 14).plain == "a long … right"


@given(st.integers(-5, 200), st.integers(0, 100), st.integers(0, 40))
def test_a_bar_is_as_long_as_it_should_be(done: int, whole: int, cells: int) -> None:
    drawn = bar(done, whole, cells)
    assert len(drawn) == cells
    assert drawn == "━" * drawn.count("━") + "╌" * drawn.count("╌")
    if whole and done >= whole:
        assert "╌" not in drawn


def test_times_are_cut_and_not_rounded() -> None:
    assert tenths(1_999_999) == "1.9"
    assert clock(725_999_999) == "12:05"


@given(st.lists(st.text("abc", min_size=1, max_size=20), max_size=12), st.integers(20, 60))
def test_flow_breaks_between_parts_only(parts: list[str], cells: int) -> None:
    lines = flow([Content(part) for part in parts], cells).plain.split("\n")
    assert all(len(line) <= cells for line in lines)
    assert [part for line in lines for part in line.split("   ") if part] == parts


# --- top ---------------------------------------------------------------------------------------------------------


def test_simulated_and_real_differ_in_words() -> None:
    simulated = frame.banner(RUN, 80).plain
    real = frame.banner(replace(RUN, simulated=False), 80).plain
    assert "SIMULATED" in simulated
    assert "SIMULATED" not in real
    assert "REAL BOARD" in real
    unknown = frame.banner(replace(RUN, simulated=False, stage=Stage.START), 80).plain
    assert "BOARD NOT YET KNOWN - treated as real" in unknown
    assert "reaches a person" not in unknown


@pytest.mark.parametrize("word", OutputWord)
def test_output_is_told_in_words_and_by_a_sign(word: OutputWord) -> None:
    line = frame.output_line(replace(RUN, output=word), 80).plain
    assert word in line
    assert {"○", "●", "▲"} & set(line) == {frame.OUTPUT[word][0]}
    assert "LEFT" in line


def alerts(stop_unanswered: bool = False, hint: str = "", **changes: object) -> list[str]:
    status = replace(RUN, **changes)  # type: ignore[arg-type]
    return frame.alert_lines(status, stop_unanswered=stop_unanswered, hint=hint).plain.split("\n")


def test_stopped_is_not_confirmed_until_the_board_says_so() -> None:
    assert "NOT CONFIRMED" in alerts(stopped=True)[0]
    assert "NOT CONFIRMED" in alerts(stop_unanswered=True)[0]
    confirmed = alerts(stopped=True, stop_confirmed=True, stop_reason="Space")
    assert "NOT" not in confirmed[0]
    assert confirmed[0].endswith("confirmed by the board")
    assert confirmed[1] == " Reason: Space"


def test_why_it_stopped_stands_apart_from_what_the_board_confirmed() -> None:
    lost = "the board does not answer"
    lines = alerts(stopped=True, stop_reason=lost, alarm="high", alarm_text=lost, messages=("STOP: old",))
    assert [lost in line for line in lines] == [True, False, False]  # told once
    assert "NOT CONFIRMED" in lines[1]
    wide = alerts(stopped=True, stop_confirmed=True, stop_reason="a long reason " * 8)
    assert "a long reason" not in wide[0]


def test_without_messages_nothing_old_is_shown() -> None:
    assert alerts(messages=()) == [""]


def test_the_gravest_stands_first_and_three_lines_are_the_most() -> None:
    lines = alerts(
        stopped=True, alarm="high", alarm_text="output unknown", refusal="R2 step", hint="press again", messages=("old",),
    )  # fmt: skip
    assert len(lines) == 3
    assert "output unknown" in lines[0]
    assert "NOT CONFIRMED" in lines[1]
    assert "R2 step" in lines[2]
    assert len(alerts(alarm="high", alarm_text="x", refusal="R2", hint="y", messages=("old",))) == 2
    assert max(map(len, lines)) <= 80


def test_nothing_crowds_out_what_is_asked() -> None:
    status = replace(REVIEW, alarm="high", alarm_text="the board cannot be reached", refusal="R", messages=("old",))
    lines = frame.alert_lines(status, stop_unanswered=True, hint="x", asked="Enter closes").plain.split("\n")
    assert [word in line for word, line in zip(("reached", "Enter closes", "NOT CONFIRMED"), lines, strict=True)] == [
        True
    ] * 3
    calm = frame.alert_lines(replace(REVIEW, messages=("old",)), stop_unanswered=False, hint="", asked="Enter closes")
    assert calm.plain == " Enter closes"


def test_alarms_differ_in_signs() -> None:
    signs = {grade: alerts(alarm=grade, alarm_text="x")[0].split("x")[0] for grade in ("low", "medium", "high")}
    assert len(set(signs.values())) == 3


def test_a_refusal_comes_before_a_hint_and_both_before_old_news() -> None:
    assert "R2" in alerts(refusal="R2", hint="press", messages=("old",))[0]
    assert "press" in alerts(hint="press", messages=("old",))[0]
    assert "old" in alerts(messages=("older", "old"))[0]


def test_presence_takes_the_place_of_the_next_action() -> None:
    assert "Press H" in frame.next_line(replace(RUN, presence_due=True)).plain


# --- channels ----------------------------------------------------------------------------------------------------

COLUMNS = {"run": channels.RUN_COLUMNS, "thresholds": channels.THRESHOLD_COLUMNS}


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("width", [78, 98, 110, 118, 198])
@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_the_table_fits_its_width(columns: tuple[channels.Column, ...], width: int, count: int) -> None:
    long = {"name": "a very long name of a channel indeed", "muscle": "m. extensor carpi radialis longus et brevis"}
    table = channels.channel_table([channel(at, **long) for at in range(count)], columns, width)
    lines = table.split("\n")
    assert len(lines) == count + 1
    assert {line.cell_length for line in lines[1:]} <= set(range(width - 30, width + 1))
    assert width > 120 or all("…" in line.plain for line in lines[1:])


def test_the_highest_numbers_keep_their_columns() -> None:
    most = channel(now_ua=100_000, level_ua=99_875, target_ua=99_875, ceiling_ua=99_875, measured_ua=119_999)
    lines = channels.channel_table([channel(), most], channels.RUN_COLUMNS, 78).split("\n")
    assert lines[1].cell_length == lines[2].cell_length
    assert " 99.875  99.875" in lines[2].plain


def test_now_target_ceiling_margin_and_measured_are_told() -> None:
    line = channels.channel_table([channel()], channels.RUN_COLUMNS, 120).split("\n")[1].plain
    assert line.split()[0] == "▶"
    for words in ("Finger extensors", "12.0", "14.0", "18.0", "4.0  22 %", "11.9"):
        assert words in line


def test_unknown_is_a_dash_and_never_a_zero() -> None:
    bare = channel(measured_ua=None, ceiling_ua=None)
    assert channels.margin_text(bare) == "–"
    line = channels.channel_table([bare], channels.RUN_COLUMNS, 78).split("\n")[1].plain
    assert line.count("–") == 3


def test_what_an_unheard_board_gives_is_a_dash_and_a_question() -> None:
    table = channels.channel_table([channel()], channels.RUN_COLUMNS, 158, known=False).plain
    assert "12.0" not in table
    assert "11.9" not in table
    assert "14.0" in table  # the target is still what was asked for
    assert "█" not in table
    assert "????" in channels.level_words(channel(), 60, known=False).plain
    assert "12.0" not in channels.channel_table([channel()], channels.THRESHOLD_COLUMNS, 78, known=False).plain


def test_milliamps_are_named_where_other_units_could_be_meant() -> None:
    first = channels.channel_table([channel()], channels.RUN_COLUMNS, 78).split("\n")[0].plain
    for part in ("now mA", "margin mA", "measured mA"):
        assert part in first


def test_a_target_that_todays_ceiling_does_not_reach_is_told() -> None:
    far = channel(target_ua=20_000, ceiling_ua=18_000)
    assert "▲20.0" in channels.channel_table([far], channels.RUN_COLUMNS, 78).plain
    assert "target above this patient's ceiling" in channels.level_words(far, 60).plain
    near = channel(target_ua=18_000, ceiling_ua=18_000)
    assert "▲" not in channels.channel_table([near], channels.RUN_COLUMNS, 78).plain
    assert "above" not in channels.level_words(near, 60).plain


def test_the_selected_channel_is_marked_by_a_sign() -> None:
    lines = channels.channel_table([channel(0), channel(1)], channels.RUN_COLUMNS, 78).plain.split("\n")
    assert [line[0] for line in lines] == [" ", "▶", " "]


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.integers(0, 100_000), st.integers(1, 60))
def test_a_level_bar_is_as_long_as_it_should_be(now: int, level: int, ceiling: int, cells: int) -> None:
    drawn = channels.level_bar(channel(now_ua=now, level_ua=level, ceiling_ua=ceiling), cells).plain
    assert len(drawn) == cells
    assert drawn == "".join(sign * drawn.count(sign) for sign in "█▒·")


@pytest.mark.parametrize("width", [50, 70, 90])
def test_the_selected_level_fits_between_its_keys(width: int) -> None:
    for each in (channel(), channel(ceiling_ua=None), channel(name="a very long name of a channel" * 3)):
        lines = channels.level_words(each, width).split("\n")
        assert len(lines) == 2
        assert max(line.cell_length for line in lines) <= width


def test_thresholds_tell_their_run() -> None:
    line = channels.channel_table(THRESHOLDS.channels, channels.THRESHOLD_COLUMNS, 78).plain.split("\n")[1]
    assert "1 of 2" in line
    assert "done" in channels.channel_table([channel()], channels.THRESHOLD_COLUMNS, 78).plain


# --- procedure ---------------------------------------------------------------------------------------------------


def test_progress_is_told_in_numbers() -> None:
    words = procedure.progress_lines(RUN.progress, 78).plain
    for part in ("ramp up", "1.2 of 2.0 s", "1 of 3", "repetition 7 of 20", "12:05 of 30:00 min"):
        assert part in words
    longest = Progress("waiting for effort", 10**9, 10**9, 999, 999, 99, 99, 10**10, 10**10)
    assert max(map(len, procedure.progress_lines(longest, 78).plain.split("\n"))) <= 78


def test_where_current_flows_on_no_bursts_are_counted() -> None:
    flow = Progress("stimulating", 10_000_000, 60_000_000, session_elapsed_us=10_000_000, session_length_us=60_000_000)
    words = procedure.progress_lines(flow, 78).plain + procedure.counts_line(Counts(stops=2), continuous=True).plain
    for part in ("stimulating", "0:10 of 1:00 min", "stops 2"):
        assert part in words
    for part in ("burst", "set ", "repetition", "delivered", "triggered"):
        assert part not in words
    assert "burst" not in GUIDE
    begin = replace(RUN, progress=flow, can=(OrderKind.BEGIN,))
    assert "count" in offers(replace(begin, progress=RUN.progress), None, 78).plain
    assert "count" not in offers(begin, None, 78).plain


def test_a_state_is_told_in_its_words() -> None:
    assert "ready to go" in frame.output_line(replace(RUN, state="raw-name", state_words="ready to go"), 80).plain
    assert "raw-name" in frame.output_line(replace(RUN, state="raw-name"), 80).plain


def test_the_triggers_level_is_not_called_a_threshold_of_the_patient() -> None:
    """Both are found in one session, and a missing one must not be taken for the other."""
    assert EMG.threshold_uv is not None
    assert "threshold" not in heading(EMG)
    assert "trigger level not measured yet" in heading(replace(EMG, threshold_uv=None))


def test_a_phase_without_a_length_shows_what_has_passed_and_no_zero() -> None:
    words = procedure.progress_lines(Progress("listening", 3_200_000, 0, 1, 20, 1, 1, 9_000_000, 0), 78).plain
    assert "3.2 s" in words
    assert "0:09 min" in words
    assert "of 0" not in words


@pytest.mark.parametrize(
    ("elapsed_s", "said"), [(79, "1:19 of 1:20 min"), (80.5, "1:20 of 1:20 min"), (90, "1:30, planned 1:20 min")]
)
def test_more_time_than_planned_is_said_without_a_contradiction(elapsed_s: float, said: str) -> None:
    assert passed(int(elapsed_s * 1_000_000), 80_000_000, clock, "min") == said


def test_own_effort_is_the_share_of_triggered_bursts() -> None:
    assert "effort 70 %" in procedure.counts_line(Counts(triggered=42, missed=12, assisted=6, by="key")).plain
    assert "effort –" in procedure.counts_line(Counts(by="attempt")).plain
    highest = Counts(999, 999, 999, 999, 0, 0, 99)
    assert len(procedure.counts_line(highest).plain) <= 78


def test_what_stands_in_the_way_carries_a_sign() -> None:
    rows = {question.id: procedure.question_row(question, 74).plain for question in QUESTIONS}
    assert rows["skin"].startswith("  ▲ no")
    assert rows["implant"].startswith("  ✓ no")
    assert rows["bleeding"].startswith("    ......")
    assert "because: Stable" in rows["heart"]
    without = replace(QUESTIONS[2], justification="")
    assert procedure.question_row(without, 74).plain.startswith("  ▲ yes")  # counts as unanswered
    assert procedure.question_row(replace(QUESTIONS[0], answer="yes"), 74).plain.startswith("  ▲ yes")


def test_long_questions_are_broken_under_their_own_words() -> None:
    row = procedure.question_row(replace(QUESTIONS[2], text="heart or vessels " * 8), 60).plain
    lines = row.split("\n")
    assert len(lines) >= 4
    assert max(map(len, lines)) <= 60
    assert all(line.startswith(" " * 12) for line in lines[1:])


def test_every_kind_of_question_says_how_it_is_answered() -> None:
    for question in QUESTIONS:
        assert len(procedure.answers(question, QUESTIONS)) >= 4


def test_the_row_that_the_keys_mean_carries_a_sign_and_not_a_colour_alone() -> None:
    for row in (procedure.question_row(QUESTIONS[0], 74, at=True), procedure.pads_row(channel(), at=True)):
        assert row.plain.startswith("▶ ")
    for row in (procedure.question_row(QUESTIONS[0], 74), procedure.pads_row(channel())):
        assert "▶" not in row.plain


def test_pads_say_whether_they_are_confirmed() -> None:
    assert "✓ confirmed" in procedure.pads_row(channel()).plain
    open_row = procedure.pads_row(channel(pads_confirmed=False, impedance_ohm=None, contact="")).plain
    assert "V confirms" in open_row
    assert "not known" in open_row


def test_brackets_are_letters() -> None:
    """Textual's labels read [red] as a colour; a file's text must not colour, hide or link anything."""
    name = "[red]x[/red] [@click=app.quit]y[/]"
    assert name in channels.channel_table([channel(name=name, muscle="m")], channels.RUN_COLUMNS, 158).plain
    assert name in channels.level_words(channel(name=name), 90).plain
    assert name in procedure.question_row(replace(QUESTIONS[0], text=name), 74).plain
    assert name in alerts(refusal=name)[0]


# --- EMG ---------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=80),
    st.none() | st.floats(0, 1e6),
    st.integers(1, 40),
    st.integers(1, 10),
)
def test_any_samples_draw_in_their_frame(values: list[float], line: float | None, cells: int, rows: int) -> None:
    drawn = braille(values, line, 100.0, cells, rows)
    assert [len(row) for row in drawn] == [cells] * rows
    assert all("\u2800" <= sign <= "\u28ff" for row in drawn for sign in row)


def test_the_newest_sample_stands_at_the_right() -> None:
    drawn = braille([0.0, 100.0], None, 100.0, 4, 1)
    assert drawn[0][:3] == "\u2800" * 3
    assert drawn[0][3] == chr(0x2800 | 0x40 | 0x08 | 0x10 | 0x20 | 0x80)  # low left, joined to high right


def test_gaps_stay_gaps() -> None:
    assert braille([math.nan, math.inf, -1.0], None, 100.0, 3, 2) == ["\u2800" * 3] * 2


def test_the_threshold_is_drawn_at_its_height_all_along() -> None:
    drawn = braille([], 50.0, 100.0, 6, 4)
    assert [set(row) == {"\u2800"} for row in drawn] == [True, False, True, True]
    assert "\u2800" not in drawn[1]


@given(st.floats(0.1, 1e7))
def test_the_scale_is_above_the_peak_and_not_far(peak: float) -> None:
    top = nice_top(peak)
    assert peak <= top
    assert top <= max(1.0, 2.5 * peak)


def test_stale_emg_says_so_and_tells_no_value_of_now() -> None:
    assert "STALE" in heading(EMG, stale=True)
    assert "now" not in heading(EMG, stale=True)
    assert "now" in heading(EMG)


def test_the_help_fits_the_smallest_window_without_breaking() -> None:
    lines = HELP.split("\n")
    assert len(lines) <= 11
    assert max(map(len, lines)) <= 79
