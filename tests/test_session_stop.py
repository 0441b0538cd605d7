"""The stop inside the session: what each stop, trip and fault means in each state, to the microsecond."""

from __future__ import annotations

from typing import cast

import pytest

from stimctl.driver import DriverState, OutputState, Setup
from stimctl.engine import Event, State
from stimctl.errors import UsageError
from stimctl.limits import Effect, Sensation
from stimctl.session.core import HERE, Session
from stimctl.session.course import AGAIN_US, NOBODY_THERE, OLD_US
from stimctl.session.diary import Diary
from stimctl.session.hearing import Hearing
from stimctl.session.stage import OutputStage
from stimctl.session.titration import Thresholds
from tests.driver_board import SETUPS, Bench
from tests.session_bench import WISHES, Page, SessionBench, link

T_US = 10_000_000


def stopped(rig: SessionBench, reason: str, now_us: int = T_US) -> None:
    """A stop, and the pass in which the session hears of it."""
    rig.session.stop_now(reason)
    rig.session._take_stops(now_us)


def asked_to_arm(rig: SessionBench, event: Event = Event.TITRATE) -> SessionBench:
    """The board has been asked to arm and has not answered."""
    rig.session.intend(event, 0, rig.now_us)
    rig.session.stage.arm(SETUPS, rig.now_us)
    assert rig.driver_state is DriverState.ARMING
    return rig


def heard_nothing_wrong(rig: SessionBench) -> bool:
    return rig.session.stop_reason == "" and rig.session.alarm == ("", "") and not rig.session.went_wrong


# --- the beginning -----------------------------------------------------------------------------------------------


def test_the_times_of_the_course() -> None:
    """One press comes by two ways within a second; ceilings hold for five minutes (procedure D, step 11)."""
    assert (AGAIN_US, OLD_US) == (1_000_000, 300_000_000)
    assert NOBODY_THERE == "nobody answered the presence prompt"


def test_a_session_begins_with_what_it_was_given_and_with_nothing_under_way() -> None:
    session = Session(cast(Diary, Page()), lambda: 0, wishes=WISHES, seed=7, reach=HERE)
    assert (session.wishes, session.seed, session.reach) == (WISHES, 7, HERE)
    assert not session.is_arming
    assert session._ticked_us is None, "no pass can be late before there was one"


def test_the_very_first_moment_has_no_earlier_stop() -> None:
    rig = SessionBench(State.PAUSED)
    stopped(rig, "Space pressed", 0)
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["stop"])


# --- stopping ----------------------------------------------------------------------------------------------------


def test_a_stop_is_one_trip_and_one_frame_before_the_session_hears_of_it() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session.stop_now("Space pressed")
    assert (rig.bench.latch.epoch, rig.bench.latch.reason) == (1, "Space pressed")
    assert rig.new_stops == 1
    assert rig.state is State.BURST
    assert rig.page.rows == []


def test_before_a_protocol_is_chosen_a_stop_trips_the_latch_and_stops_the_board_that_is_there() -> None:
    rig = SessionBench(None)
    rig.session.stop_now("Space pressed")
    assert (rig.bench.latch.epoch, rig.new_stops) == (1, 0)
    rig.session.connection.link = link(rig.bench.driver)
    rig.session.stop_now("Space pressed")
    assert rig.new_stops == 1


def test_a_stop_reaches_the_stage_even_where_the_connection_knows_of_no_board() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session.connection.link = None
    rig.session.stop_now("Space pressed")
    assert (rig.bench.latch.epoch, rig.new_stops) == (1, 1)


def test_a_stop_reaches_a_board_that_is_not_yet_the_stages() -> None:
    rig, other = SessionBench(State.READY), Bench().connected()
    rig.session.connection.link = link(other.driver)
    before = len(other.board.heard)
    rig.session.stop_now("Space pressed")
    other.board.work()
    assert len(other.board.heard) == before + 1


# --- what a stop means ---------------------------------------------------------------------------------------------


def test_a_stop_of_output_holds_the_session_and_says_why() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.page.say("the last burst was fine")
    stopped(rig, "Space pressed")
    assert rig.state is State.STOPPED
    [(kind, payload, at_us)] = rig.page.rows
    assert (kind, payload["reason"], at_us) == ("stop", "Space pressed", T_US)
    assert rig.page.lines == ["STOP: Space pressed"]
    assert rig.session.stop_reason == "Space pressed"
    assert rig.bench.latch.tripped


def test_a_stop_where_nothing_can_flow_leaves_everything_as_it_is() -> None:
    rig = SessionBench(State.READY)
    rig.page.say("ready")
    stopped(rig, "Space pressed")
    assert (rig.state, rig.page.kinds, rig.page.lines) == (State.READY, ["stop"], ["ready"])
    assert heard_nothing_wrong(rig)


@pytest.mark.parametrize("by_intent", [False, True])
def test_a_stop_while_the_board_may_be_arming_holds(by_intent: bool) -> None:
    """Either the board was asked, or output was not known to be off before the stop."""
    rig = SessionBench(State.READY)
    if by_intent:
        rig.session.intend(Event.START, 0, 0)
    else:
        rig.session._was_off = False
    stopped(rig, "Space pressed")
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["stop-arming"])
    assert rig.session.stop_reason == "Space pressed"
    assert not rig.session.is_arming


def test_a_stop_of_output_that_was_on_is_an_ordinary_stop() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session._was_off = False
    stopped(rig, "Space pressed")
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["stop"])


def test_stops_before_the_beginning_and_after_the_end_are_no_events() -> None:
    before = SessionBench(None)
    stopped(before, "Space pressed")
    assert (before.state, before.page.rows) == (State.CHOOSING, [])
    after = SessionBench(State.REVIEW)
    after.session._ended_as = OutputState.OFF
    after.session.stop_now("one")
    after.session.stop_now("two")
    after.session._take_stops(T_US)
    assert (after.state, after.page.rows, not after.session._stops) == (State.ENDED, [], True)


# --- one press by two ways -----------------------------------------------------------------------------------------


def test_a_second_stop_while_stopped_keeps_the_first_reason_however_late_it_comes() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session.stop_now("Space pressed")
    rig.session.stop_now("STOP on the screen")
    rig.session._take_stops(T_US)
    stopped(rig, "Ctrl+C", T_US + 5 * AGAIN_US)
    assert rig.session.stop_reason == "Space pressed"
    assert [(kind, payload.get("reason")) for kind, payload, _ in rig.page.rows] == [
        ("stop", "Space pressed"),
        ("stop-again", "STOP on the screen"),
        ("stop-again", "Ctrl+C"),
    ]
    assert rig.page.rows[1] == ("stop-again", {"reason": "STOP on the screen"}, T_US)


@pytest.mark.parametrize(("later_us", "kind"), [(AGAIN_US - 1, "stop-again"), (AGAIN_US, "stop")])
def test_a_second_stop_within_a_second_is_the_same_act(later_us: int, kind: str) -> None:
    rig = SessionBench(State.READY)
    stopped(rig, "Space pressed")
    stopped(rig, "STOP on the screen", T_US + later_us)
    assert rig.page.kinds == ["stop", kind]


def test_a_stop_right_after_arming_anew_is_another_act() -> None:
    rig = SessionBench(State.READY)
    stopped(rig, "Space pressed")
    rig.session.engine.state = State.TRIAL
    stopped(rig, "Space pressed", T_US + 1)
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["stop", "stop"])


# --- the latch -------------------------------------------------------------------------------------------------------


def test_the_latch_opens_again_where_nothing_was_armed_and_zero_is_confirmed() -> None:
    rig = SessionBench(State.READY)
    rig.session.stop_now("Space pressed")
    rig.session._take_stops(T_US)
    assert rig.bench.latch.tripped, "the board has not confirmed yet"
    assert rig.bench.run()
    rig.session._take_stops(T_US)
    assert not rig.bench.latch.tripped
    assert (rig.state, rig.page.kinds) == (State.READY, ["stop"])


def test_the_latch_opens_again_before_a_protocol_is_chosen() -> None:
    rig = SessionBench(None)
    stopped(rig, "Space pressed")
    assert not rig.bench.latch.tripped


def test_the_latch_stays_while_the_session_is_stopped() -> None:
    rig = SessionBench(State.BURST, armed=True)
    stopped(rig, "Space pressed")
    rig.bench.run()
    assert rig.session.output is OutputState.OFF
    rig.session._take_stops(T_US)
    assert rig.bench.latch.tripped, "a person clears it"
    assert rig.page.kinds == ["stop"]


def test_a_trip_without_a_word_is_a_fault_where_current_could_flow() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.bench.latch.trip("a driver's own finding")
    rig.session._take_stops(T_US)
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["fault"])
    assert rig.session.stop_reason == "a driver's own finding"


def test_a_trip_without_a_word_is_a_fault_while_the_board_is_asked_to_arm() -> None:
    rig = asked_to_arm(SessionBench(State.THRESHOLDS))
    rig.bench.latch.trip("a driver's own finding")
    rig.session._take_stops(T_US)
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["fault"])


def test_a_trip_without_a_word_is_none_where_nothing_can_flow() -> None:
    rig = SessionBench(State.READY)
    rig.bench.latch.trip("somebody")
    rig.bench.run()
    rig.session._take_stops(T_US)
    assert (rig.state, rig.page.kinds, rig.bench.latch.tripped) == (State.READY, [], False)


def test_a_clear_latch_is_no_fault() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session._mind_the_latch(T_US)
    assert (rig.state, rig.page.kinds) == (State.BURST, [])


def test_a_stop_that_comes_during_a_pass_is_the_next_ones() -> None:
    """Its reason may be put down already, and its trip come a moment later: the latch was seen before the reasons."""
    rig = SessionBench(State.READY)
    rig.session._stops.append("Space pressed")
    rig.page.react = lambda kind: rig.bench.latch.trip("Space pressed") if kind == "stop" else None
    rig.bench.driver._epoch = 1  # the driver has dealt with it: zero is confirmed
    rig.session._take_stops(T_US)
    assert rig.bench.latch.tripped
    rig.session._take_stops(T_US)
    assert not rig.bench.latch.tripped


def stop_under_way(rig: SessionBench, reason: str = "Space pressed") -> SessionBench:
    """A stop that has put down its reason, which the session took, and has not tripped the latch yet."""
    rig.session._stops.append(reason)
    rig.session._take_stops(T_US)
    assert not rig.bench.latch.tripped
    return rig


def test_a_stop_that_trips_the_latch_after_the_board_was_asked_to_arm_is_no_fault() -> None:
    rig = asked_to_arm(stop_under_way(SessionBench(State.THRESHOLDS)))
    rig.bench.latch.trip("Space pressed")
    rig.session._take_stops(T_US + AGAIN_US)
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["stop", "stop-arming"])
    assert rig.session.stop_reason == "Space pressed"


def test_a_stop_that_trips_the_latch_after_the_board_was_armed_is_no_fault() -> None:
    rig = stop_under_way(SessionBench(State.READY, armed=True))
    rig.session.engine.state = State.TRIAL
    rig.bench.latch.trip("Space pressed")
    rig.session._take_stops(T_US + AGAIN_US)
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["stop", "stop"])


def test_a_trip_for_another_reason_than_the_last_stops_is_a_fault() -> None:
    rig = asked_to_arm(stop_under_way(SessionBench(State.THRESHOLDS)))
    rig.bench.latch.trip("a driver's own finding")
    rig.session._take_stops(T_US + AGAIN_US)
    assert (rig.state, rig.page.kinds) == (State.STOPPED, ["stop", "fault"])


def test_a_stop_that_has_tripped_the_latch_already_is_told_once() -> None:
    rig = SessionBench(State.READY)
    stopped(rig, "Space pressed")
    rig.session.intend(Event.START, 0, T_US)
    rig.session._take_stops(T_US + AGAIN_US)
    assert rig.page.kinds == ["stop", "fault"], "the latch is tripped: nothing new was pressed"


def test_a_stop_under_way_that_is_followed_by_another_one_is_told_once() -> None:
    rig = asked_to_arm(stop_under_way(SessionBench(State.THRESHOLDS)))
    rig.session.stop_now("Space pressed")
    rig.session._take_stops(T_US + AGAIN_US)
    assert rig.page.kinds == ["stop", "stop-arming"]


def test_a_stop_under_way_is_told_once_where_nothing_was_begun() -> None:
    rig = stop_under_way(SessionBench(State.READY))
    rig.bench.latch.trip("Space pressed")
    rig.session._take_stops(T_US + AGAIN_US)
    assert (rig.state, rig.page.kinds) == (State.READY, ["stop"])


def test_without_any_stop_a_trip_has_no_stop_to_belong_to() -> None:
    """Not even one whose whole reason is a letter."""
    rig = SessionBench(State.BURST, armed=True)
    rig.bench.latch.trip("x")
    rig.session._take_stops(T_US)
    assert rig.page.kinds == ["fault"]


def test_a_latch_that_was_cleared_after_a_fault_stops_nothing_that_is_begun_later() -> None:
    rig = SessionBench(State.READY)
    rig.bench.latch.trip("a driver's own finding")
    rig.bench.latch.clear()
    rig.session.intend(Event.START, 0, T_US)
    rig.session._take_stops(T_US)
    assert (rig.state, rig.page.kinds) == (State.READY, [])


# --- what follows ------------------------------------------------------------------------------------------------------


def test_the_stage_stays_armed_in_an_armed_state() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session._follow_the_engine(T_US)
    assert (rig.driver_state, rig.page.rows) == (DriverState.ARMED, [])


def test_the_stage_stays_while_the_board_is_asked_to_arm() -> None:
    rig = asked_to_arm(SessionBench(State.THRESHOLDS))
    rig.session._follow_the_engine(T_US)
    assert rig.driver_state is DriverState.ARMING


def test_the_stage_is_disarmed_in_every_other_state_and_the_sites_times_noted() -> None:
    rig = SessionBench(State.PAUSED, armed=True)
    rig.session._follow_the_engine(T_US)
    assert rig.driver_state is DriverState.STOPPING
    assert rig.page.rows == [("site-time", {"forearm-dorsal": 0}, T_US)]
    assert rig.new_stops == 1


def test_a_board_that_nobody_waits_for_any_more_is_disarmed() -> None:
    rig = asked_to_arm(SessionBench(State.THRESHOLDS))
    rig.session._intent = None
    rig.session._follow_the_engine(T_US)
    assert rig.driver_state is DriverState.STOPPING
    assert rig.page.kinds == ["site-time"]


def test_what_is_disarmed_is_not_disarmed_again() -> None:
    rig = SessionBench(State.PAUSED)
    rig.session._follow_the_engine(T_US)
    assert (rig.page.rows, rig.new_stops) == ([], 0)


class Ears:
    """Stands in for a hearing."""

    def __init__(self) -> None:
        self.rested: list[int] = []

    def rest(self, now_us: int) -> None:
        self.rested.append(now_us)


@pytest.mark.parametrize(
    ("state", "rested"), [(State.PAUSED, [T_US]), (State.READY, []), (State.TRIAL, []), (State.REVIEW, [T_US])]
)
def test_the_ears_rest_outside_treatment_except_where_the_operator_watches_them(
    state: State, rested: list[int]
) -> None:
    rig, ears = SessionBench(state), Ears()
    rig.session.hearing = cast(Hearing, ears)
    rig.session._follow_the_engine(T_US)
    assert ears.rested == rested


@pytest.mark.parametrize(
    ("state", "now_us", "void"),
    [
        (State.PAUSED, OLD_US, True),
        (State.PAUSED, OLD_US - 1, False),
        (State.READY, OLD_US, True),
        (State.READY, OLD_US - 1, False),
        (State.STOPPED, OLD_US, False),
        (State.TRIAL, OLD_US, False),
    ],
)
def test_ceilings_grow_old_in_a_pause_and_before_the_start(state: State, now_us: int, void: bool) -> None:
    rig = SessionBench(state)
    rig.session.preparation.thresholds[0] = Thresholds(Effect.MOTOR, Sensation.NORMAL)
    rig.session._follow_the_engine(now_us)
    assert rig.state is (State.THRESHOLDS if void else state)
    assert (not rig.session.preparation.thresholds, bool(rig.page.lines)) == (void, void)


def test_ceilings_do_not_grow_old_while_the_board_is_asked_to_arm() -> None:
    rig = asked_to_arm(SessionBench(State.PAUSED), Event.RESUME)
    rig.session.preparation.thresholds[0] = Thresholds(Effect.MOTOR, Sensation.NORMAL)
    rig.session._follow_the_engine(OLD_US)
    assert (rig.state, len(rig.session.preparation.thresholds), rig.page.lines) == (State.PAUSED, 1, [])


def test_what_an_order_brought_disarms_first_and_is_then_written_down() -> None:
    rig, ears = SessionBench(State.BURST, armed=True), Ears()
    rig.session.hearing = cast(Hearing, ears)
    seen: list[DriverState] = []
    rig.page.react = lambda _: seen.append(rig.driver_state)
    rig.session.happen(Event.PAUSE, T_US, by="P")
    assert (rig.state, rig.page.kinds) == (State.PAUSED, ["site-time", "pause"])
    assert set(seen) == {DriverState.STOPPING}
    assert rig.page.rows[1][1]["by"] == "P"
    assert ears.rested == [T_US]


# --- what the engine's own clock brings ----------------------------------------------------------------------------------


def test_a_stop_that_time_brought_is_a_stop_like_any_other() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session.engine.happen(Event.STOP, T_US)
    rig.session._time_brought((Event.BURST_OVER, Event.STOP), T_US)
    assert (rig.bench.latch.epoch, rig.bench.latch.reason, rig.new_stops) == (1, NOBODY_THERE, 1)
    rows = [(kind, payload.get("reason")) for kind, payload, _ in rig.page.rows]
    assert rows == [("burst-delivered", None), ("stop", NOBODY_THERE)]
    assert (rig.session.stop_reason, rig.page.lines) == (NOBODY_THERE, [f"STOP: {NOBODY_THERE}"])
    rig.session.engine.state = State.READY
    stopped(rig, "Space pressed", T_US + AGAIN_US - 1)
    assert rig.page.kinds[-1] == "stop-again"


def test_a_pause_that_time_brought_says_why_and_trips_nothing() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session.engine.happen(Event.PAUSE, T_US)
    rig.session._time_brought((Event.PAUSE,), T_US)
    assert (rig.driver_state, rig.bench.latch.epoch) == (DriverState.STOPPING, 0)
    assert [(kind, payload.get("reason")) for kind, payload, _ in rig.page.rows] == [
        ("site-time", None),
        ("pause", NOBODY_THERE),
    ]
    assert (rig.session.stop_reason, rig.page.lines) == ("", [f"Paused: {NOBODY_THERE}"])


def test_what_ends_no_output_is_only_written_down() -> None:
    rig = SessionBench(State.REST, armed=True)
    rig.session._time_brought((Event.BURST_OVER,), T_US)
    assert (rig.driver_state, rig.page.kinds, rig.page.lines) == (DriverState.ARMED, ["burst-delivered"], [])


def test_nothing_that_happened_is_nothing() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session._time_brought((), T_US)
    assert (rig.driver_state, rig.page.rows, rig.page.lines) == (DriverState.ARMED, [], [])


# --- faults --------------------------------------------------------------------------------------------------------------


def test_a_fault_stops_latches_shows_and_records() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session.intend(Event.RESUME, 0, 0)
    rig.session.fault("the board is hot", T_US)
    assert (rig.state, rig.new_stops, rig.bench.latch.reason) == (State.STOPPED, 1, "the board is hot")
    assert (rig.session.is_arming, rig.session.went_wrong) == (False, True)
    assert (rig.session.stop_reason, rig.session.alarm) == ("the board is hot", ("medium", "the board is hot"))
    assert rig.page.lines == ["FAULT: the board is hot"]
    [(kind, payload, at_us)] = rig.page.rows
    assert (kind, payload["reason"], at_us) == ("fault", "the board is hot", T_US)


def test_the_first_reason_stays_unless_worse_comes() -> None:
    rig = SessionBench(State.BURST, armed=True)
    rig.session.fault("the board is hot", T_US)
    rig.session.fault("a pad is loose", T_US)
    assert (rig.session.stop_reason, rig.session.alarm) == ("the board is hot", ("medium", "the board is hot"))
    rig.session.fault("output is stuck", T_US, alarm="high")
    assert (rig.session.stop_reason, rig.session.alarm) == ("the board is hot", ("high", "output is stuck"))
    assert rig.page.lines == ["FAULT: the board is hot"]
    assert rig.page.kinds == ["fault"] * 3
    assert rig.state is State.STOPPED


# --- the board's answer to arming ------------------------------------------------------------------------------------------


def test_an_arming_that_nobody_wants_any_more_is_undone() -> None:
    rig = SessionBench(State.THRESHOLDS, armed=True)
    rig.session.armed_by_board(T_US)
    assert (rig.driver_state, rig.state) == (DriverState.STOPPING, State.THRESHOLDS)
    assert heard_nothing_wrong(rig)


def test_an_arming_under_a_tripped_latch_opens_nothing() -> None:
    rig = SessionBench(State.THRESHOLDS, armed=True)
    rig.session.intend(Event.TITRATE, 0, 0)
    rig.bench.latch.trip("somebody")
    rig.page.say("STOP: somebody")
    rig.session.armed_by_board(T_US)
    assert (rig.state, rig.session.is_arming, rig.page.rows) == (State.THRESHOLDS, True, [])
    assert rig.page.lines == ["STOP: somebody"], "what is said of the stop stays to be read"


def test_an_armed_board_opens_limiter_and_engine_at_zero() -> None:
    rig = SessionBench(State.THRESHOLDS, armed=True)
    rig.page.say("an old line")
    rig.session.intend(Event.TITRATE, 0, 0)
    rig.session.armed_by_board(T_US)
    assert (rig.state, rig.driver_state) == (State.TITRATING, DriverState.ARMED)
    assert not rig.session.is_arming
    assert (rig.page.kinds, rig.page.lines) == (["titrate", "armed"], [])
    assert (rig.session._armed_us, rig.session._ticked_us) == (T_US, T_US), "neither ceilings nor the loop are late"
    assert all(lane.level_ua == 0 for lane in rig.session.engine.lanes.values())


def test_what_the_limiter_does_not_open_is_a_fault() -> None:
    rig = SessionBench(State.READY, armed=True)
    rig.session.intend(Event.START, 0, 0)
    rig.session.armed_by_board(T_US)
    assert (rig.state, rig.session.is_arming, rig.page.kinds) == (State.STOPPED, False, ["fault"])
    assert "ceiling" in rig.session.stop_reason
    assert rig.driver_state is DriverState.STOPPING


def test_a_stop_in_the_midst_of_opening_is_left_to_the_next_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = SessionBench(State.THRESHOLDS, armed=True)
    rig.session.intend(Event.TITRATE, 0, 0)
    disarmed: list[int] = []
    monkeypatch.setattr(OutputStage, "disarm", lambda _stage, _zero, now_us: disarmed.append(now_us))
    rig.page.react = lambda kind: rig.bench.latch.trip("Space pressed") if kind == "" else None
    rig.session.armed_by_board(T_US)
    assert (rig.state, rig.session.is_arming, disarmed) == (State.THRESHOLDS, True, [T_US])
    assert heard_nothing_wrong(rig)


def test_the_bench_refuses_what_its_board_does_not_have() -> None:
    """The stand-ins are no softer than what they stand in for."""
    rig = SessionBench(State.READY)
    rig.bench.latch.trip("somebody")
    with pytest.raises(UsageError, match="cannot be armed"):
        rig.session.stage.arm((Setup(0, 1, 1, 1, 1, 1),), T_US)
