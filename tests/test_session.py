"""One session on the twin: the procedure in order, stops at any instant, faults, and what the record says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stimctl.driver import DriverState, OutputState
from stimctl.engine import ARMED, State
from stimctl.errors import RecordError, UsageError
from stimctl.orders import Order, OutputWord, Stage
from stimctl.orders import OrderKind as Kind
from stimctl.records.raw import read_raw
from stimctl.records.reading import sessions, verify
from stimctl.session.link import Link, open_link
from stimctl.session.wording import CAN, NEXT_ACTION, out_of_place
from stimctl.sim.faults import Fault, FaultKind
from stimctl.units import MINUTE, MS, SECOND
from tests.session_rig import CYCLIC, EMG, TENS, Made, Rig, rigs


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with rigs(lambda: tmp_path_factory.mktemp("rig")) as make:
        yield make


@pytest.fixture
def rig(made: Made) -> Rig:
    return made()


# --- from start to end -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [CYCLIC, EMG, TENS], ids=["cyclic", "emg", "tens"])
def test_a_session_goes_its_whole_way(made: Made, text: str) -> None:
    rig = made(text)
    rig.work()
    assert rig.session.ended
    ledger = rig.twin.ledger[0]
    assert ledger.peak_ua == 7_000, "nobody went beyond the titration's goal of 7 mA"
    assert ledger.net_pc == 0
    assert rig.twin.energised is False
    [row] = sessions(rig.store)
    assert (row.outcome, row.simulated, row.patient) == ("complete", True, "P-1")
    assert verify(rig.store).ok


def test_the_patients_attempts_set_off_the_bursts(made: Made) -> None:
    rig = made(EMG)
    rig.work(State.REVIEW)
    counts = rig.session.engine.counts()
    assert counts.triggered + counts.missed == 2
    assert counts.delivered == counts.triggered >= 1


def test_what_was_commanded_is_what_was_measured(rig: Rig) -> None:
    rig.work(State.REVIEW)
    commanded_uc = rig.session.engine.counts().charge_uc
    delivered_uc = sum(ledger.charge_pc for ledger in rig.twin.ledger) / 1e6
    assert delivered_uc == pytest.approx(commanded_uc, rel=0.03)
    assert rig.session.measured.charge_uc == pytest.approx(commanded_uc, rel=0.05)


def test_the_record_tells_the_procedure_in_order(rig: Rig) -> None:
    rig.work()
    kinds = rig.kinds()
    steps = [
        "session-opened",
        "open",
        "screened",
        "pads-confirmed",
        "placed",
        "titrate",
        "ceiling-found",
        "start",
        "begin",
    ]
    assert [kind for kind in kinds if kind in steps][: len(steps)] == steps
    assert kinds.count("burst-delivered") == 2
    assert kinds[-1] == "session-closed"


# --- nothing before its time ---------------------------------------------------------------------------------------


def test_every_state_has_its_orders_and_its_words() -> None:
    assert set(CAN) == set(NEXT_ACTION) == set(State)


@pytest.mark.parametrize("kind", Kind)
def test_an_order_out_of_place_is_refused_in_plain_words(kind: Kind) -> None:
    for state in State:
        words = out_of_place(kind, state)
        assert "'" not in words
        assert "-" not in words, "the program's own names for orders have hyphens"


def test_orders_that_do_not_belong_to_a_state_are_refused_and_change_nothing(rig: Rig) -> None:
    for state in (
        State.CHOOSING,
        State.SCREENING,
        State.PADS,
        State.THRESHOLDS,
        State.READY,
        State.TRIAL,
        State.REVIEW,
    ):
        rig.work(state)
        for kind in set(Kind) - set(CAN[state]):
            before = rig.status.channels
            with pytest.raises(UsageError, match="not possible now"):
                rig.session.order(Order(kind, value="yes"), rig.now_us)
            assert rig.state is state
            assert rig.status.channels == before


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"patient": "Jane Doe"}, "patient code"),
        ({"patient": ""}, "patient code"),
        ({"side": ""}, "affected side"),
        ({"protocol": ""}, "choose a protocol"),
        ({"protocol": "no-such-protocol"}, "no shipped protocol"),
        ({"board": "nonsense"}, "board"),
        ({"board": "reference:"}, "port"),
        ({"board": "reference:/nowhere/at/all"}, "/nowhere/at/all"),
    ],
)
def test_a_wrong_opening_says_what_is_wrong(rig: Rig, fields: dict[str, str], says: str) -> None:
    opening = {"protocol": str(rig.path), "patient": "P-1", "side": "left", "board": "sim:"} | fields
    assert says in rig.order(Kind.OPEN, **opening)
    assert rig.state is State.CHOOSING
    assert sessions(rig.store) == ()


def test_a_session_whose_raw_emg_cannot_be_kept_does_not_begin(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = made(EMG)

    def full(*_: object) -> None:
        raise RecordError("raw EMG cannot be kept here: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("stimctl.session.hearing.RawEmg", full)
        rig.session.order(rig.opening, rig.now_us)
        rig.go(SECOND)
    assert (rig.state, rig.status.output) == (State.CHOOSING, OutputWord.OFF)
    assert "the disk is full" in rig.status.refusal
    rig.work(State.SCREENING)
    assert rig.state is State.SCREENING, "with room on the disk it begins as if nothing had been"
    assert sorted(row.outcome for row in sessions(rig.store)) == ["not begun", "unfinished"]


def test_screening_has_no_default_answer_and_every_point_counts(rig: Rig) -> None:
    rig.work(State.SCREENING)
    assert all(not question.answer for question in rig.status.questions)
    for question in rig.status.questions:
        assert rig.order(Kind.NEXT) != "", "one open point keeps the session shut"
        answer = {"blocker": "no", "precaution": "yes", "check": "yes", "sensation": "normal"}[question.kind]
        if question.kind == "precaution":
            rig.order(Kind.ANSWER, name=question.id, value=answer)
            assert "reason" in rig.order(Kind.NEXT) or "not answered" in rig.refused[-1]
        assert rig.order(Kind.ANSWER, name=question.id, value=answer, text="mild, agreed with the ward") == ""
    assert rig.order(Kind.NEXT) == ""
    assert rig.state is State.PADS


def test_a_blocker_ends_the_session_before_anything_was_armed(rig: Rig) -> None:
    rig.work(State.SCREENING)
    rig.order(Kind.ANSWER, name="implant", value="yes")
    rig.order(Kind.NEXT)
    assert rig.state is State.REVIEW
    assert rig.twin.disarms == [] or not rig.twin.armed
    assert rig.twin.ledger[0].pulses == 0


@pytest.mark.parametrize("text", [CYCLIC, TENS], ids=["motor", "sensory"])
def test_where_nothing_is_felt_nothing_is_given(made: Made, text: str) -> None:
    rig = made(text)
    rig.work(State.SCREENING)
    for question in rig.status.questions:
        value = {"blocker": "no", "precaution": "no", "check": "yes", "sensation": "absent"}[question.kind]
        rig.order(Kind.ANSWER, name=question.id, value=value)
    rig.order(Kind.NEXT)
    assert rig.state in (State.SCREENING, State.REVIEW)


def test_pads_are_confirmed_one_by_one(rig: Rig) -> None:
    rig.work(State.PADS)
    assert "not confirmed" in rig.order(Kind.NEXT)
    assert "no channel" in rig.order(Kind.CONFIRM_PADS, name="extensor")
    rig.order(Kind.CONFIRM_PADS, name="extensors")
    assert rig.order(Kind.NEXT) == ""


# --- levels --------------------------------------------------------------------------------------------------------


def test_one_press_is_one_step_and_two_a_second_at_most(rig: Rig) -> None:
    rig.work(State.TITRATING)
    assert rig.order(Kind.RAISE) == ""
    assert rig.session.engine.lanes[0].level_ua == 1_000
    for _ in range(20):
        rig.order(Kind.RAISE)
        rig.go(20 * MS)
    assert rig.session.engine.lanes[0].level_ua == 1_000
    rig.go(200 * MS)
    assert rig.order(Kind.RAISE) == ""
    assert rig.session.engine.lanes[0].level_ua == 2_000
    assert rig.state is State.TITRATING, "a refused press is no breach"


def test_lowering_acts_in_the_same_moment(rig: Rig) -> None:
    rig.work(State.TRIAL)
    while rig.flowing_ua < 5_000:
        rig.work(most_us=100 * MS)
        assert rig.state is State.TRIAL
    rig.order(Kind.ZERO)
    assert rig.flowing_ua == 0
    rig.go(3 * SECOND)
    assert rig.flowing_ua == 0


def test_a_raise_is_held_at_the_ceiling_and_counted(rig: Rig) -> None:
    rig.work(State.TRIAL)
    for _ in range(12):
        rig.order(Kind.RAISE)
        rig.go(600 * MS)
    assert rig.session.engine.lanes[0].level_ua == 7_000
    assert "ceiling" in rig.refused[-1]
    assert rig.session.engine.counts().ceiling_hits >= 1
    rig.go(10 * SECOND)
    assert rig.twin.ledger[0].peak_ua <= 7_000


def test_the_ceiling_is_the_lower_of_two_runs(rig: Rig) -> None:
    rig.work(State.TITRATING)
    for most_ma in (5, 3):
        for _ in range(most_ma):
            rig.order(Kind.RAISE)
            rig.go(600 * MS)
        rig.go(5 * SECOND)
        for mark in ("sensory", "motor", "tolerated"):
            assert rig.order(Kind.MARK, value=mark) == ""
    assert rig.session.preparation.ceiling_ua(0) == 3_000
    rig.order(Kind.NEXT)
    assert rig.state is State.READY


def test_marks_stand_in_order_and_need_output(rig: Rig) -> None:
    rig.work(State.TITRATING)
    assert "no output" in rig.order(Kind.MARK, value="sensory")
    rig.order(Kind.RAISE)
    rig.go(5 * SECOND)
    assert "mark sensory before" in rig.order(Kind.MARK, value="motor")
    assert "not a threshold" in rig.order(Kind.MARK, value="pain")
    assert rig.order(Kind.MARK, value="sensory") == ""
    assert "run 1" in rig.order(Kind.NEXT)


def test_a_level_that_was_never_given_is_no_ceiling(rig: Rig) -> None:
    """Marked at once after the press, before any burst has reached the level."""
    rig.work(State.TITRATING)
    rig.order(Kind.RAISE)
    for mark in ("sensory", "motor", "tolerated"):
        assert "has not been given yet" in rig.order(Kind.MARK, value=mark)
    rig.go(5 * SECOND)
    assert rig.order(Kind.MARK, value="sensory") == ""


# --- stop ----------------------------------------------------------------------------------------------------------


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at_us=st.integers(0, 110 * SECOND), text=st.sampled_from([CYCLIC, EMG, TENS]))
def test_a_stop_at_any_instant_is_zero_and_stays_zero(made: Made, at_us: int, text: str) -> None:
    rig = made(text)
    rig.work(most_us=at_us)
    if rig.session.link is None or rig.session.ended:
        return
    state = rig.state
    rig.session.stop_now("test")
    assert rig.flowing_ua == 0, "the stop frame itself ends the output, before the session has heard of it"
    rig.tick()
    assert rig.state is State.STOPPED or (rig.state is state and state not in ARMED)
    if rig.state is not State.STOPPED:
        return
    rig.go(5 * SECOND)
    assert rig.flowing_ua == 0
    assert rig.order(Kind.RAISE) != ""
    assert rig.order(Kind.BEGIN) != ""
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state in (State.THRESHOLDS, State.READY)
    assert rig.status.output is OutputWord.OFF
    rig.go(5 * SECOND)
    assert rig.flowing_ua == 0, "clearing a stop switches nothing on"
    assert all(lane.level_ua == 0 for lane in rig.session.engine.lanes.values())
    rig.close()


def test_a_stop_in_a_setup_state_leaves_it_and_nothing_stays_latched(rig: Rig) -> None:
    for state in (State.SCREENING, State.PADS, State.THRESHOLDS, State.READY):
        rig.work(state)
        rig.until_off()
        rig.session.stop_now("Space pressed")
        rig.go(200 * MS)
        assert rig.state is state
        assert not rig.session.latch.tripped


def test_a_stop_while_the_board_arms_arms_nothing(rig: Rig) -> None:
    rig.work(State.READY)
    rig.until_off()
    assert rig.order(Kind.START) == ""
    rig.session.stop_now("test")
    rig.go(2 * SECOND)
    assert rig.state is State.STOPPED, "a board that was asked to arm may be armed"
    assert not rig.twin.armed
    rig.session.stop_now("test again")
    rig.go(2 * SECOND)
    assert rig.session.latch.tripped, "a stop is never a toggle"
    assert rig.order(Kind.START) != ""
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state is State.READY
    assert not rig.session.latch.tripped


def test_after_a_stop_the_session_can_go_on_from_zero(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.session.stop_now("test")
    rig.until_off()
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state is State.READY
    rig.work()
    assert rig.session.ended
    assert rig.session.engine.counts().delivered == 2


def test_resuming_after_a_pause_starts_at_zero(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    rig.order(Kind.PAUSE)
    assert rig.flowing_ua == 0
    rig.go(SECOND)
    assert rig.order(Kind.RESUME) == ""
    rig.go(20 * SECOND)
    assert rig.state is State.TRIAL
    assert rig.flowing_ua == 0


def test_after_a_long_pause_thresholds_are_found_again(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.order(Kind.PAUSE)
    rig.go(5 * MINUTE + SECOND)
    assert rig.state is State.THRESHOLDS
    assert rig.session.preparation.ceiling_ua(0) is None


# --- faults --------------------------------------------------------------------------------------------------------

STOPPING = [
    Fault(FaultKind.RESET),
    Fault(FaultKind.HANG),
    Fault(FaultKind.LINE_CUT),
    Fault(FaultKind.CONTACT_OPEN),
    Fault(FaultKind.CONTACT_PEEL, value=300),
    Fault(FaultKind.STUCK_OUTPUT, value=25_000),
    Fault(FaultKind.STOP_BUTTON),
    Fault(FaultKind.HARDWARE),
]


@pytest.mark.parametrize("fault", STOPPING, ids=lambda fault: fault.kind.value)
def test_every_fault_of_the_board_stops_the_session_and_names_itself(rig: Rig, fault: Fault) -> None:
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    rig.twin.advance(rig.now_us)
    rig.twin.inject(fault)
    rig.go(1_500 * MS)
    assert rig.state is State.STOPPED
    assert rig.status.alarm != ""
    assert rig.status.stop_reason
    assert "fault" in rig.kinds() or "link-lost" in rig.kinds()
    if fault.kind is not FaultKind.STUCK_OUTPUT:
        assert rig.flowing_ua == 0
        return
    assert rig.status.output is not OutputWord.OFF, "current still flows, and nobody may read that it does not"


def test_a_board_that_only_says_that_it_stopped_is_not_believed(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    rig.twin.advance(rig.now_us)
    rig.twin.inject(Fault(FaultKind.LIES_ABOUT_STOP))
    rig.session.stop_now("test")
    rig.go(1 * SECOND)
    assert rig.twin.energised
    assert rig.status.output is not OutputWord.OFF
    assert "not confirmed" in rig.order(Kind.CLEAR)


def test_a_cut_line_is_unknown_output_until_the_board_itself_says_zero(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    rig.twin.advance(rig.now_us)
    rig.twin.inject(Fault(FaultKind.LINE_CUT))
    rig.go(1 * SECOND)
    assert rig.status.output is OutputWord.UNKNOWN
    assert rig.status.alarm == "high"
    assert rig.flowing_ua == 0, "the board's own dead-man has ended it"


def test_a_control_loop_that_comes_late_stops(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.now_us += 400 * MS
    rig.tick()
    assert rig.state is State.STOPPED
    assert "late" in rig.status.stop_reason


def test_a_record_that_fails_ends_the_output(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    rig.journal.failed = "disk full"
    rig.go(100 * MS)
    assert rig.state is State.STOPPED
    assert rig.flowing_ua == 0


def test_stale_emg_triggers_nothing(made: Made) -> None:
    rig = made(EMG)
    rig.work(State.LISTENING)
    rig.twin.advance(rig.now_us)
    rig.twin.inject(Fault(FaultKind.EMG_STALE))
    rig.go(10 * SECOND)
    assert rig.session.engine.counts().triggered == 0
    assert rig.status.emg is not None
    assert rig.status.emg.quality == "stale"


# --- the status ----------------------------------------------------------------------------------------------------


def test_output_is_on_in_words_whenever_the_stage_is_armed(rig: Rig) -> None:
    rig.work(State.TITRATING)
    assert rig.session.engine.lanes[0].level_ua == 0
    assert rig.status.output is OutputWord.ON
    assert rig.session.stage.output is OutputState.ON


def test_the_stage_follows_the_state(rig: Rig) -> None:
    seen: list[Stage] = []
    while not rig.session.ended:
        rig.work(most_us=100 * MS)
        if not seen or seen[-1] is not rig.status.stage:
            seen.append(rig.status.stage)
        assert rig.status.simulated or rig.status.stage is Stage.START
    assert seen == [Stage.START, *list(Stage)[1:]] or seen == list(Stage)[1:]


def test_a_stop_while_thresholds_are_sought_stays_on_their_screen(rig: Rig) -> None:
    rig.work(State.TITRATING)
    rig.session.stop_now("Space")
    rig.go(100 * MS)
    assert (rig.state, rig.status.stage) == (State.STOPPED, Stage.THRESHOLDS)


def test_where_current_flows_on_nobody_is_told_of_bursts_and_rests(made: Made) -> None:
    rig = made(TENS)
    told: set[str] = set()
    for state in (*list(State)[1:7], State.REST, State.FLOWING, State.REVIEW):
        rig.work(state)
        status = rig.status
        told |= {status.next_action, status.state_words, status.progress.phase, *status.messages, *status.review}
        assert status.progress.repetitions == status.progress.sets == 0
        if state is State.TITRATING:
            rig.order(Kind.MARK, value="sensory")  # at zero
            rig.order(Kind.RAISE)
            told |= {rig.order(Kind.MARK, value="sensory")}  # too soon
    assert "stimulating" in told
    text = " ".join(told).lower()
    assert "has not been given yet" in text
    assert not [word for word in ("burst", "rest.", "rest ", "relax", "repetition", "trial;") if word in text]


def test_raw_emg_is_kept_beside_the_record(made: Made) -> None:
    rig = made(EMG)
    rig.work()
    [row] = sessions(rig.store)
    raw = read_raw(rig.store.with_name(f"{row.id}.emg"))
    assert raw.torn == ""
    assert raw.facts["rate_hz"] == 1_000
    assert sum(len(chunk.values) for chunk in raw.chunks) > 5_000


def test_what_an_order_did_is_recorded_at_once(made: Made) -> None:
    """Not with its group: a process that is killed right after a raise has it on the disk (kill -9 asks nobody)."""
    rig = made()
    rig.work(State.TITRATING)
    rig.journal.flush()
    rig.journal._group_s = 3_600.0
    assert rig.order(Kind.RAISE) == ""
    with rig.journal._changed:
        assert rig.journal._changed.wait_for(lambda: rig.journal.written == rig.journal._appended, 30.0)
    assert rig.kinds()[-1] == "level"


def test_a_board_that_no_session_came_of_is_let_go(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its port would be in use by ourselves when somebody tries again."""
    rig = made()

    def full(*_given: object, **_named: object) -> str:
        raise RecordError("the disk is nearly full")

    with monkeypatch.context() as patch:
        patch.setattr(rig.journal, "open_session", full)
        rig.session.order(rig.opening, rig.now_us)
        rig.go(SECOND)
    assert rig.status.refusal == "the disk is nearly full"
    assert rig.state is State.CHOOSING
    assert rig.session.link is None
    rig.session.order(rig.opening, rig.now_us)
    rig.go(SECOND)
    assert rig.state is State.SCREENING


# --- what an outside engineer tried ----------------------------------------------------------------------------------


def found(rig: Rig, *levels_ma: int) -> None:
    """Titrate by hand: one ascending run to each of ``levels_ma``."""
    rig.work(State.TITRATING)
    for most_ma in levels_ma:
        for _ in range(most_ma):
            rig.order(Kind.RAISE)
            rig.go(600 * MS)
        rig.go(5 * SECOND)
        for mark in ("sensory", "motor", "tolerated"):
            assert rig.order(Kind.MARK, value=mark) == ""


def test_a_found_ceiling_cannot_be_passed_or_marked_upwards(rig: Rig) -> None:
    found(rig, 5, 3)
    assert "ceiling is found" in rig.order(Kind.RAISE)
    assert rig.order(Kind.MARK, value="tolerated") != ""
    rig.go(10 * SECOND)
    assert rig.flowing_ua == 0
    assert rig.session.preparation.ceiling_ua(0) == 3_000


def test_titration_can_be_done_anew_and_only_as_a_whole(rig: Rig) -> None:
    found(rig, 5, 3)
    rig.order(Kind.NEXT)
    assert rig.state is State.READY
    rig.go(5 * MINUTE + SECOND)
    assert rig.state is State.THRESHOLDS
    found(rig, 4, 6)
    assert rig.session.preparation.ceiling_ua(0) == 4_000


def test_a_level_counts_as_given_only_after_it_stood(rig: Rig) -> None:
    rig.work(State.TITRATING)
    for _ in range(3):
        rig.order(Kind.RAISE)
        rig.go(510 * MS)
    while rig.flowing_ua < 3_000:
        rig.go(20 * MS)
    assert "has not been given yet" in rig.order(Kind.MARK, value="sensory")
    rig.go(600 * MS)
    assert rig.order(Kind.MARK, value="sensory") == ""


@pytest.mark.parametrize("kind", [Kind.FINISH, Kind.SELECT, Kind.NEXT, Kind.MARK, Kind.START])
def test_nothing_comes_between_the_order_to_arm_and_the_boards_answer(rig: Rig, kind: Kind) -> None:
    rig.work(State.THRESHOLDS)
    assert rig.order(Kind.START) == ""
    assert rig.order(kind, name="extensors", value="sensory") != ""
    rig.go(SECOND)
    assert rig.state is State.TITRATING


def test_screening_that_the_limiter_refuses_is_not_done(rig: Rig) -> None:
    rig.work(State.SCREENING)
    for question in rig.status.questions:
        value = {"blocker": "no", "precaution": "no", "check": "yes", "sensation": "absent"}[question.kind]
        rig.order(Kind.ANSWER, name=question.id, value=value)
    rig.order(Kind.NEXT)
    assert rig.state is State.REVIEW
    assert not rig.session.preparation.screened


def test_ceilings_do_not_outlive_five_minutes_in_any_state(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.session.stop_now("test")
    rig.go(6 * MINUTE)
    assert rig.state is State.STOPPED
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state is State.THRESHOLDS
    assert rig.session.preparation.ceiling_ua(0) is None


def test_one_press_by_two_ways_is_one_stop(rig: Rig) -> None:
    rig.work(State.READY)
    rig.until_off()
    rig.session.stop_now("Space pressed")
    rig.go(10 * MS)
    rig.session.stop_now("STOP pressed on the screen")
    rig.go(10 * MS)
    assert rig.session.engine.counts().stops == 1
    rig.go(2 * SECOND)
    rig.session.stop_now("Space pressed")
    rig.go(10 * MS)
    assert rig.session.engine.counts().stops == 2


def test_an_old_confirmation_never_stands_beside_new_output(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    assert not any("confirms" in line for line in rig.status.messages)
    rig.session.stop_now("test")
    rig.tick()
    assert not any("confirms" in line for line in rig.status.messages) or rig.status.stop_confirmed


def test_a_lost_contact_makes_pads_and_ceiling_doubtful(rig: Rig) -> None:
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    rig.twin.advance(rig.now_us)
    rig.twin.inject(Fault(FaultKind.CONTACT_OPEN))
    rig.go(2 * SECOND)
    assert rig.state is State.STOPPED
    rig.twin.heal(FaultKind.CONTACT_OPEN)
    rig.until_off()
    assert rig.order(Kind.CLEAR) == ""
    assert rig.state is State.PADS
    assert not any(channel.pads_confirmed for channel in rig.status.channels)
    assert rig.session.preparation.ceiling_ua(0) is None


def test_current_at_an_output_without_a_part_in_the_session_stops_it_and_makes_every_pad_doubtful(rig: Rig) -> None:
    """Its board does not notice; through whose pads it went, nobody knows (H22)."""
    rig.work(State.BURST)
    rig.go(2 * SECOND)
    assert 1 not in rig.session.engine.lanes
    rig.twin.advance(rig.now_us)
    rig.twin.inject(Fault(FaultKind.NO_SELF_CHECK))
    rig.twin.inject(Fault(FaultKind.STUCK_OUTPUT, output=1, value=8_000))
    rig.go(SECOND)
    assert rig.state is State.STOPPED
    assert "has no part in this session" in rig.session.stop_reason
    assert not any(channel.pads_confirmed for channel in rig.status.channels)
    assert rig.session.preparation.ceiling_ua(0) is None


def test_a_lost_boards_session_closes_and_its_record_says_that_output_is_unknown(rig: Rig) -> None:
    rig.work(until=State.BURST)
    rig.twin.inject(Fault(FaultKind.LINE_CUT))
    rig.go(2 * SECOND)
    assert not rig.order(Kind.FINISH)
    rig.session.stop_now("Ctrl+Q")  # quitting stops first, also here
    rig.go(SECOND)
    assert rig.status.output is OutputWord.UNKNOWN
    assert not rig.order(Kind.CLOSE)
    assert rig.session.ended
    assert rig.events()[-1].payload["output"] == "unknown"


def test_an_old_refusal_goes_with_the_next_order_that_is_taken(rig: Rig) -> None:
    rig.work(until=State.TITRATING)
    rig.go(SECOND)
    assert rig.order(Kind.NEXT)
    assert rig.status.refusal
    assert not rig.order(Kind.LOWER)
    assert rig.status.refusal == ""


def test_when_all_is_answered_the_next_action_names_the_key(rig: Rig) -> None:
    rig.work(until=State.SCREENING)
    for question in rig.status.questions:
        assert "Enter" not in rig.status.next_action
        good = {"check": "yes", "sensation": "normal"}.get(question.kind, "no")
        assert not rig.order(Kind.ANSWER, name=question.id, value=good)
    assert "Enter goes on" in rig.status.next_action
    assert not rig.order(Kind.ANSWER, name="metal", value="yes")  # no reason: open again, whatever it was before
    assert "needs a reason" in rig.status.next_action
    assert rig.order(Kind.NEXT)
    assert not rig.order(Kind.ANSWER, name="metal", value="no")
    assert not rig.order(Kind.NEXT)
    assert "Enter" not in rig.status.next_action
    for channel in rig.status.channels:
        assert not rig.order(Kind.CONFIRM_PADS, name=channel.name)
    assert "Enter goes on" in rig.status.next_action


def test_a_lost_boards_port_is_let_go_before_it_is_opened_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is still there is still ours, and nobody can open it twice."""
    rig.work(State.BURST)
    lost = rig.session.stage.driver
    rig.twin.inject(Fault(FaultKind.LINE_CUT))
    rig.go(2 * SECOND)
    assert lost.state is DriverState.LOST
    closed_first: list[bool] = []

    def opening(*args: Any, **keywords: Any) -> Link:
        closed_first.append(lost._line._transport._closed)  # type: ignore[attr-defined]
        return open_link(*args, **keywords)

    monkeypatch.setattr("stimctl.session.connection.open_link", opening)
    assert "looking for the board again" in rig.order(Kind.CLEAR)
    assert closed_first == [True]
    rig.go(SECOND)
    assert rig.order(Kind.CLEAR) == ""


def test_output_is_unknown_until_a_board_has_answered(rig: Rig) -> None:
    opening = {"protocol": str(rig.path), "patient": "P-1", "side": "left", "board": "sim:"}
    assert rig.order(Kind.OPEN, **opening) == ""
    assert rig.status.output is OutputWord.UNKNOWN
    assert rig.session.may_be_energised
    rig.go(SECOND)
    assert rig.status.output is OutputWord.OFF


def test_a_board_that_never_answers_stays_unknown(made: Made) -> None:
    rig = made()
    terminal, port = os.openpty()  # nobody at its other end: no board at all
    opening = {"protocol": str(rig.path), "patient": "P-1", "side": "left", "board": f"reference:{os.ttyname(port)}"}
    try:
        assert rig.order(Kind.OPEN, **opening) == ""
        rig.go(7 * SECOND)
    finally:
        os.close(port)
        os.close(terminal)
    assert rig.status.output is OutputWord.UNKNOWN
    assert rig.status.alarm == "high"
    assert rig.state is State.CHOOSING
    assert rig.order(Kind.CLOSE) == ""
    assert rig.session.output is OutputState.UNKNOWN


def test_site_time_is_in_the_record(rig: Rig) -> None:
    rig.work()
    last = [event.payload for event in rig.events() if event.kind == "site-time"][-1]
    assert last["forearm-dorsal"] > 20 * SECOND  # type: ignore[operator]


def test_raw_emg_that_could_not_be_kept_is_told_in_the_record(made: Made) -> None:
    rig = made(EMG)
    rig.work(State.READY)
    hearing = rig.session.hearing
    assert hearing is not None
    assert hearing._raw is not None
    hearing._raw.failed = "the disk is full"
    rig.work()
    assert rig.events()[-1].payload["raw_emg"] == "the disk is full"
