"""Guided work on the screen: output disabled, the step, the goal, and the bell that means success."""

from __future__ import annotations

from dataclasses import replace

from stimctl.orders import GuideStatus, OrderKind, OutputWord, Progress, Stage
from stimctl.widgets import frame
from stimctl.widgets.bells import Bells
from stimctl.widgets.frame import output_line
from stimctl.widgets.guided import guide_lines
from stimctl.widgets.offers import offers
from tests.faces import session

K = OrderKind
GUIDE = GuideStatus(
    say="Lift the hand", after="Rest", counting=True, unit="°", value=9.0, goal=10.0, done=3, prescribed=20
)
RUN = session(
    Stage.RUN,
    "Lift the hand",
    K.KEY,
    K.NEXT,
    K.WEAR,
    disabled=True,
    guide=GUIDE,
    progress=Progress("step 1 of 2", 1, 8),
)


def test_the_output_line_says_disabled_unless_a_board_says_otherwise() -> None:
    assert "output disabled" in output_line(RUN, 80).plain
    unknown = replace(RUN, output=OutputWord.UNKNOWN)
    assert OutputWord.UNKNOWN in output_line(unknown, 80).plain
    assert "output disabled" not in output_line(replace(RUN, disabled=False), 80).plain


def test_no_banner_and_no_stop_speaks_of_current_or_of_a_board_that_is_not_there() -> None:
    there = frame.banner(replace(RUN, simulated=False), 100).plain
    assert "output disabled" in there
    assert "current" not in there
    assert "SIMULATED" in frame.banner(replace(RUN, simulated=True), 100).plain
    stopped = replace(RUN, stopped=True, stop_confirmed=True, stop_reason="Space")
    words = frame.alert_lines(stopped, stop_unanswered=False, hint="").plain
    assert "STOPPED, output is disabled" in words
    assert "confirmed by the board" not in words


def test_the_goal_is_a_bar_with_a_mark_in_words_too() -> None:
    short = guide_lines(RUN, GUIDE, 78).plain
    assert "Lift the hand" in short
    assert "9.0 of 10 °" in short
    assert "there" not in short
    assert "● there" in guide_lines(RUN, replace(GUIDE, value=10.0), 78).plain
    assert "– of 10" in guide_lines(RUN, replace(GUIDE, value=None), 78).plain
    assert max(len(line) for line in short.split("\n")) <= 78


def test_the_bell_rings_once_for_each_measured_success_and_each_beat() -> None:
    bells = Bells()
    assert not bells.news(RUN)
    reached = replace(RUN, guide=replace(GUIDE, counted=1, reached=1))
    assert bells.news(reached)
    assert not bells.news(reached)
    beat = replace(
        RUN, guide=replace(GUIDE, counted=1, beat_us=1_000_000), progress=Progress("step 1 of 1", 999_999, 9)
    )
    assert not bells.news(beat)
    assert bells.news(replace(beat, progress=Progress("step 1 of 1", 1_000_001, 9)))


def test_the_keys_on_offer_are_those_of_work_without_output() -> None:
    words = offers(RUN, None, 58).plain
    assert "A count one" in words
    assert "mitt put on" in words
    assert "mitt off" not in words
    worn = offers(replace(RUN, guide=replace(GUIDE, wearing=True)), None, 58).plain
    assert "mitt off" in worn
    assert "mitt put on" not in worn
