"""What a clinician is told: the lines of a run without a screen, the cue, the counts, the bell, and the last words."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from stimctl.control.contract import REPORTED_OFF, Outcome, how_off
from stimctl.control.telling import Teller
from stimctl.engine import Engine, State
from stimctl.limits import Sensation
from stimctl.orders import Counts, GuideStatus, OrderKind, OutputWord, Progress, Stage, Status
from stimctl.protocols import library_text, loads, stimulating
from stimctl.records.words import BOARDLESS
from stimctl.schedule import Advance, Steps, compile_schedule
from stimctl.session.dose import review_lines
from stimctl.session.titration import Thresholds
from stimctl.units import MINUTE, SECOND
from stimctl.widgets.bells import Bells
from stimctl.widgets.frame import alert_lines
from stimctl.widgets.offers import offers
from stimctl.widgets.procedure import counts_line, progress_lines
from tests import protocol_texts as texts
from tests.faces import channel
from tests.protocol_texts import edit, good
from tests.schedules import TRIGGER, cyclic, tens
from tests.session_rig import EMG, LOOK_US, Rig

SETS, REPETITIONS = 2, 20


def treatment(
    state: State, counts: Counts, *, cue: str = "", phase: str = "", kind: str = "fes-emg-triggered", **more: object
) -> Status:
    """A status in the treatment, with its progress where the engine has it: at the next repetition when one is over."""
    over = counts.delivered + counts.missed
    under_way = state in (State.BURST, State.LISTENING)
    progress = Progress(
        phase or state.value,
        repetition=over % REPETITIONS + under_way,
        repetitions=REPETITIONS,
        set=over // REPETITIONS + 1,
        sets=SETS,
        cue=cue,
    )
    status = Status(
        Stage.RUN, state.value, "", OutputWord.ON, simulated=True, board="twin", protocol_kind=kind, progress=progress,
        counts=counts, channels=(channel(now_ua=0),),
    )  # fmt: skip
    return replace(status, **more)  # type: ignore[arg-type]


class Told:
    """What a teller says, without its introduction."""

    def __init__(self, first: Counts) -> None:
        self.lines: list[str] = []
        self._teller = Teller(self.lines.append)
        self._teller(treatment(State.REST, first))
        self.lines.clear()

    def hear(self, *statuses: Status) -> list[str]:
        """The lines that these bring, without their time."""
        self.lines.clear()
        for status in statuses:
            self._teller(status)
        return [line[8:] for line in self.lines]


# --- lines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "came", "failed"),
    [
        ("attempt", "attempt heard, burst", "no attempt"),
        ("key", "switch pressed, burst", "switch not pressed"),
        ("robot", "the glove opened, burst", "the glove did not open"),
    ],
)
def test_what_became_of_an_attempt_is_one_line(by: str, came: str, failed: str) -> None:
    told = Told(Counts(by=by))
    now = Counts(triggered=1, by=by)
    assert told.hear(treatment(State.BURST, now)) == [f"try 1 of 20 in set 1 of 2: {came}"]
    now = replace(now, delivered=1)
    assert told.hear(treatment(State.REST, now), treatment(State.LISTENING, now)) == []
    now = replace(now, missed=1)
    assert told.hear(treatment(State.REST, now)) == [f"try 2 of 20 in set 1 of 2: {failed}, missed"]
    now = replace(now, assisted=1)
    assert told.hear(treatment(State.BURST, now)) == [f"try 3 of 20 in set 1 of 2: {failed}, assisted burst"]


def test_what_was_missed_last_in_a_set_is_told_with_its_own_number_and_then_the_rest() -> None:
    told = Told(Counts(delivered=19, triggered=19, by="attempt"))
    assert told.hear(treatment(State.REST, Counts(delivered=19, triggered=19, missed=1, by="attempt"))) == [
        "try 20 of 20 in set 1 of 2: no attempt, missed",
        "rest before set 2 of 2; OUTPUT ON (0 mA now), set: Finger extensors at 14.0 mA",
    ]


def test_what_was_missed_last_of_all_is_told_though_the_treatment_is_over() -> None:
    told = Told(Counts(delivered=39, triggered=39, by="attempt"))
    last = treatment(State.REST, Counts(delivered=39, triggered=39, missed=1, by="attempt"))
    lines = told.hear(replace(last, stage=Stage.REVIEW, state="review", output=OutputWord.OFF))
    assert lines[0] == "try 20 of 20 in set 2 of 2: no attempt, missed"
    assert lines[1].startswith("review")


def test_a_cue_is_told_when_it_first_comes_and_not_forty_times() -> None:
    told = Told(Counts(by="attempt"))
    waits = treatment(State.LISTENING, Counts(by="attempt"), cue="Try to open", phase="attempt awaited")
    assert told.hear(waits, waits) == ["attempt awaited: Try to open"]
    later = Counts(delivered=1, triggered=1, by="attempt")
    again = treatment(State.LISTENING, later, cue="Try to open", phase="attempt awaited")
    assert told.hear(again) == ["try 1 of 20 in set 1 of 2: attempt heard, burst"]
    assert told.hear(treatment(State.BURST, later, cue="Grasp", phase="grasp")) == ["grasp: Grasp"]


@pytest.mark.parametrize(
    ("kind", "what"), [("fes-cyclic", "burst"), ("fes-sequence", "movement"), ("fes-emg-proportional", "opening")]
)
def test_what_nobody_is_asked_to_set_off_has_one_line_a_cycle(kind: str, what: str) -> None:
    told = Told(Counts())
    lines = []
    for number in range(1, 41):
        lines += told.hear(treatment(State.BURST, Counts(delivered=number - 1), kind=kind))
        lines += told.hear(treatment(State.REST, Counts(delivered=number), kind=kind))
    assert len(lines) == 40 + 1 + 1, "and the rest before each later set, the one that never comes with it"
    assert lines[0] == f"{what} 1 of 20 in set 1 of 2"
    assert f"{what} 20 of 20 in set 2 of 2" in lines


def test_levels_and_output_are_told_when_they_change() -> None:
    told = Told(Counts(by="attempt"))
    rest = treatment(State.REST, Counts(by="attempt"))
    assert told.hear(rest) == []
    [raised] = told.hear(replace(rest, channels=(channel(now_ua=0, level_ua=15_000),)))
    assert raised.endswith("set: Finger extensors at 15.0 mA")
    [lost] = told.hear(replace(rest, output=OutputWord.UNKNOWN, channels=(channel(now_ua=0, level_ua=15_000),)))
    assert "OUTPUT UNKNOWN" in lost


def test_several_between_two_looks_are_counted() -> None:
    told = Told(Counts(by="attempt"))
    [line] = told.hear(treatment(State.REST, Counts(missed=2, by="attempt")))
    assert line.endswith("no attempt, missed (2 times)")


def test_a_message_that_comes_again_is_told_again() -> None:
    told = Told(Counts(by="key"))
    rest = treatment(State.REST, Counts(by="key"))
    once, twice = replace(rest, messages=("Nothing came",)), replace(rest, messages=("Nothing came", "Nothing came"))
    assert told.hear(once, once) == ["Nothing came"]
    assert told.hear(twice, twice) == ["Nothing came"]
    assert told.hear(replace(rest, messages=("Nothing came", "STOP"))) == ["STOP"]


def test_guided_work_says_each_of_its_sentences_once() -> None:
    told = Told(Counts())
    guide = GuideStatus(say="Open the hand", counting=True)
    doing = treatment(State.REST, Counts(), guide=guide, disabled=True, output=OutputWord.OFF)
    doing = replace(doing, state="doing")
    lines = told.hear(doing, doing, replace(doing, guide=replace(guide, say="Relax", counting=False)), doing)
    assert lines == ["try: Open the hand", "doing; output disabled", "say: Relax"]


def test_while_thresholds_are_found_the_next_run_and_the_key_behind_the_last_are_told(tmp_path: Path) -> None:
    said = []
    with contextlib.closing(Rig(tmp_path)) as rig:
        rig.work(until=State.THRESHOLDS)
        assert rig.status.next_action == "Start: the output stage arms at zero."
        rig.work(until=State.TITRATING)
        while rig.state is State.TITRATING:
            said.append(rig.status.next_action)
            rig.work(most_us=LOOK_US)
    assert [words.partition(":")[0] for words in dict.fromkeys(said)] == [
        "Raise step by step. While the current stands, mark",
        "Run 2, from zero again",
        "Its ceiling is found",
    ]


def test_a_curve_of_before_does_not_stand_there_as_if_it_were_now(tmp_path: Path) -> None:
    with contextlib.closing(Rig(tmp_path, EMG)) as rig:
        rig.work(until=State.READY)
        rig.go(SECOND)
        assert rig.status.emg is not None, "the trigger can be tried"
        rig.work(until=State.TRIAL)
        assert rig.status.emg is None, "in a trial nobody listens"
        rig.work(until=State.REST)
        rig.go(SECOND)
        assert rig.status.emg is not None


# --- the last words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disabled", "board", "says"),
    [
        (False, "twin", REPORTED_OFF),
        (True, "twin", f"output was disabled throughout; {REPORTED_OFF}"),
        (True, BOARDLESS, "output was disabled throughout, and no board was opened"),
    ],
)
def test_nothing_is_reported_by_a_board_that_is_not_there(board: str, says: str, *, disabled: bool) -> None:
    status = treatment(State.REST, Counts(), disabled=disabled, board=board, output=OutputWord.OFF)
    assert how_off(status) == says
    assert Outcome(0, "over", OutputWord.OFF, off=says).line == f"stimctl: over; {says}"
    assert Outcome(0, "over", OutputWord.UNKNOWN, off=says).line.endswith("USE THE STOP SWITCH")


@pytest.mark.parametrize(
    ("flowed_us", "line"),
    [
        (0, "Delivered 0 s of 2:00 min (0 %)"),
        (45 * SECOND, "Delivered 45 s of 2:00 min (37 %)"),
        (2 * MINUTE + SECOND, "Delivered 2:00 min of 2:00 min (100 %)"),
    ],
)
def test_a_flow_says_how_much_of_it_was_given(flowed_us: int, line: str) -> None:
    engine = Engine(tens(2 * MINUTE))
    engine._delivery.flowed_us = flowed_us
    assert line in review_lines(engine, {}, None)


@pytest.mark.parametrize(
    ("name", "worked_ua", "hint"),
    [
        ("tens-conventional-forearm", 5_000, True),
        ("tens-sensory-forearm-tone", 9_000, True),
        ("tens-conventional-forearm", 4_999, False),
        ("tens-acupuncture-like-forearm", 9_000, False),
    ],
)
def test_tens_that_is_to_be_felt_alone_says_when_it_was_above_the_first_twitch(
    name: str, worked_ua: int, *, hint: bool
) -> None:
    schedule = compile_schedule(stimulating(loads(library_text(name), name)), Steps())
    engine, plan = Engine(schedule), schedule.channels[0]
    found = Thresholds(plan.effect, Sensation.NORMAL, [{"sensory": 1_000, "motor": 5_000, "tolerated": 9_000}] * 2)
    engine.lanes[plan.channel].worked_ua = worked_ua
    said = [line for line in review_lines(engine, {plan.channel: found}, None) if "without a contraction" in line]
    assert len(said) == hint


# --- counts --------------------------------------------------------------------------------------------------------


def test_a_glove_is_nobodys_effort() -> None:
    words = counts_line(Counts(delivered=7, triggered=7, missed=2, by="robot")).plain
    assert "led by the glove 7" in words
    assert "glove did not open 2" in words
    assert "effort" not in words
    assert len(counts_line(Counts(999, 999, 999, 0, 0, 0, 99, by="robot")).plain) <= 78


def test_where_the_clock_brings_bursts_no_attempts_are_counted() -> None:
    assert counts_line(Counts(delivered=7, stops=1)).plain == "delivered 7  stops 1"
    waited = counts_line(Counts(delivered=7, phases_met=5, phases_missed=1, phases_skipped=1)).plain
    assert waited == "delivered 7  phases met 5  not met 2  stops 0"


@pytest.mark.parametrize(
    ("by", "robot", "word"),
    [(Advance.ATTEMPT, False, "attempt"), (Advance.KEY, False, "key"), (Advance.KEY, True, "robot")],
)
def test_counts_say_what_sets_off(by: Advance, word: str, *, robot: bool) -> None:
    assert Engine(cyclic(trigger=replace(TRIGGER, by=by, robot=robot))).counts().by == word
    assert Engine(cyclic()).counts().by == ""


def test_what_was_just_recorded_is_said_once() -> None:
    review = treatment(State.REST, Counts(), stage=Stage.REVIEW, messages=("Pain: 1 of 10",))
    said = alert_lines(review, stop_unanswered=False, hint="Pain recorded: 1 of 10.").plain
    assert said.strip() == "Pain recorded: 1 of 10."
    assert "Pain: 1 of 10" in alert_lines(review, stop_unanswered=False, hint="").plain


def test_another_channel_is_offered_where_there_is_one() -> None:
    one = treatment(State.REST, Counts(), can=(OrderKind.SELECT, OrderKind.LOWER))
    assert "channel" not in offers(one, None, 78).plain
    assert "channel" in offers(replace(one, channels=(channel(0), channel(1))), None, 78).plain


@pytest.mark.parametrize("by", ["attempt", "key", "robot", "assisted"])
def test_the_phase_in_which_something_is_awaited_has_room_on_the_screen(by: str) -> None:
    waits = replace(TRIGGER, by=Advance("key" if by == "robot" else "attempt" if by == "assisted" else by))
    engine = Engine(cyclic(trigger=replace(waits, robot=by == "robot", assist_missed=by == "assisted")))
    engine.state = State.LISTENING
    phase = engine.dose.progress(engine.state, None, 0, 0).phase
    assert phase in progress_lines(engine.dose.progress(engine.state, None, 0, 0), 78).plain


# --- the cue ---------------------------------------------------------------------------------------------------------

ROBOT = edit(texts.SWITCH, ('source = "key"', 'source = "robot"'))
STARTED = edit(texts.SEQUENCE, ('start = "time"', 'start = "attempt"')) + texts.TRIGGER


@pytest.mark.parametrize(
    ("text", "say"),
    [
        (texts.EMG, "Try to open the hand"),
        (texts.SWITCH, "Try to open the hand"),
        (ROBOT, "Try along with the glove"),
        (STARTED, "Try to open the hand"),
        (edit(texts.EMG, ('site = "forearm-dorsal"', 'site = "forearm-volar"')), "Try the movement"),
        (edit(texts.EMG, ("cue = true", 'cue = true\nsay = "Spread your fingers"')), "Spread your fingers"),
        (edit(texts.SWITCH, ("cue = true", 'cue = true\nsay = "Lift the wrist"')), "Lift the wrist"),
        (edit(STARTED, ("cue = true", 'cue = true\nsay = "Reach"')), "Reach"),
        (edit(texts.EMG, ('cue = true\nattempt_window_s = 8.0\non_missed = "count"', 'cue = false\nsay = "Reach"')), "Reach"),
    ],
)  # fmt: skip
def test_what_a_patient_is_told_to_try_is_the_files_or_fits_the_muscle(text: str, say: str) -> None:
    schedule = compile_schedule(good(text), Steps())
    assert schedule.trigger is not None
    assert schedule.trigger.say == say
    assert f'To set it off the patient is told: "{say}".' in schedule.guide, "and whoever reads it before the start"


def test_it_is_the_cue_while_an_attempt_is_waited_for_and_at_no_other_time() -> None:
    engine = Engine(cyclic(trigger=replace(TRIGGER, say="Reach")))
    for state in (State.TRIAL, State.REST, State.LISTENING, State.BURST):
        engine.state = state
        assert engine.dose.progress(state, None, 0, 0).cue == ("Reach" if state is State.LISTENING else "")


def test_the_bell_rings_as_a_window_opens_and_not_before_it() -> None:
    """Who tries on an earlier one has tried when nobody listened, and is told that it was missed."""
    bells, counts = Bells(), Counts(by="attempt")
    rest = treatment(State.REST, counts)
    soon = replace(rest, progress=replace(rest.progress, phase_elapsed_us=9_500_000, phase_length_us=10_000_000))
    assert not bells.news(soon)
    opens = treatment(State.LISTENING, counts, cue="Reach", phase="attempt awaited")
    assert bells.news(opens)
    assert not bells.news(opens)
    assert Bells().news(replace(soon, counts=Counts())), "before a burst that the clock brings it does"
