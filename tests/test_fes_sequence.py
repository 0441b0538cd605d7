"""Tasks in phases: rules over every way through them, the course of a session, what is said and what is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.engine import State
from stimctl.engine.course import Course
from stimctl.engine.delivery import Delivery
from stimctl.orders import OrderKind as Kind
from stimctl.protocols import FesSequence, dumps, library, library_text, loads, stimulating
from stimctl.protocols.sequence import By
from stimctl.protocols.ways import Leg, Track, Ways
from stimctl.schedule import FULL_PPM, Advance, Goal, MovementPlan, PhasePlan, Steps, compile_schedule
from stimctl.session.rehearsal import rehearse
from stimctl.session.tasks import SWITCH
from stimctl.units import MS, SECOND
from tests.protocol_texts import SEQUENCE, TRIGGER, edit, faults, good, line_of, the_fault
from tests.schedules import TRIGGER as WAITS
from tests.session_rig import Rig

EXTENSORS, FLEXORS = 0, 1
SHIPPED = [entry.name for entry in library() if entry.kind == "fes-sequence"]
SHORT = edit(
    SEQUENCE,
    ("repetitions = 20\nsets = 2\nset_rest_s = 60", "repetitions = 2"),
    ("amplitude_ma = 15.0\nmax_amplitude_ma = 25.0", "amplitude_ma = 6.0\nmax_amplitude_ma = 8.0"),
    ("amplitude_ma = 12.0\nmax_amplitude_ma = 20.0", "amplitude_ma = 6.0\nmax_amplitude_ma = 8.0"),
)
ATTEMPT = edit(SEQUENCE, ('advance = "key"', 'advance = "attempt"')) + edit(
    TRIGGER, ('cue = true\nattempt_window_s = 8.0\non_missed = "count"\n', "cue = false\n")
)


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_sequence_becomes_a_movement_with_a_goal_for_each_channel() -> None:
    schedule = compile_schedule(good(SEQUENCE), Steps())
    movement = schedule.movement
    assert movement is not None
    assert [phase.name for phase in movement.phases] == ["reach", "grasp", "hold", "release", "relax"]
    assert (movement.release, movement.rest_us) == (3, 10 * SECOND)
    assert movement.phases[1].goals[FLEXORS] == Goal(FULL_PPM, SECOND, 400 * MS)
    assert movement.phases[2].goals[FLEXORS].share_ppm == 600_000
    assert movement.phases[2].goal(EXTENSORS) == Goal()
    assert [phase.advance for phase in movement.phases].count(Advance.KEY) == 1
    assert (schedule.trigger, schedule.ear) == (None, None)


@pytest.mark.parametrize("text", [SEQUENCE, ATTEMPT, *map(library_text, SHIPPED)])
def test_a_sequence_goes_through_a_file_and_back(text: str) -> None:
    protocol = loads(text, "file.toml")
    written = dumps(protocol)
    assert loads(written, "again.toml") == protocol
    assert "channel.extensors = { share_percent = " in written or "channel.ulnar" in written
    assert dumps(loads(written, "again.toml")) == written


def test_goals_may_stand_under_a_heading_of_their_own() -> None:
    inline = "channel.extensors = { share_percent = 0, ramp_s = 0.5 }"
    assert good(edit(SEQUENCE, (inline, "[phase.channel.extensors]\nshare_percent = 0\nramp_s = 0.5"))) == good(
        SEQUENCE
    )


WRONG = [
    (('release = "release"', 'release = "relese"'), "sequence.release", "no phase has this name (did you mean `release`?)"),
    (('release = "release"', 'release = "reach"'), "sequence.release", "is the first phase"),
    (('name = "relax"', 'name = "rest"'), "phase[5].name", "is what follows the last phase"),
    (('name = "relax"', 'name = "grasp"'), "phase[2].name", "is the name of another phase too"),
    (("channel.flexors = { share_percent = 60", "channel.flexor = { share_percent = 60"), "phase[3].channel.flexor",
     "phase `hold`: no channel has this name (did you mean `flexors`?)"),
    (("share_percent = 60, ramp_s = 0.6", "share_percent = 160, ramp_s = 0.6"), "phase[3].channel.flexors.share_percent",
     "out of range"),
    (("share_percent = 60, ramp_s = 0.6", "share_percent = 60, ramp_s = 0.2"), "phase[3].channel.flexors.ramp_s",
     "phase `hold`, channel `flexors`: rises too fast"),
    (("share_percent = 60, ramp_s = 0.6", "share_percent = 60, ramp_s = 6"), "phase[3].channel.flexors.ramp_s",
     "phase `hold`, channel `flexors`: delay_s and ramp_s together are longer than the phase"),
    (("channel.extensors = { share_percent = 0, ramp_s = 0.4 }\n", ""), "phase[2].name",
     "phase `grasp` says nothing of channel `extensors`, which may be on when it begins"),
    (("share_percent = 0, ramp_s = 0.5 }", "share_percent = 40, ramp_s = 0.5 }"), "phase[5].channel.extensors",
     "channel `extensors` may still be on when the last phase, `relax`, ends"),
    ((", delay_s = 0.4 }", " }"), "phase[2].channel.flexors",
     "phase `grasp`: `flexors` (flexor digitorum superficialis: flexion) and `extensors` (extensor digitorum communis:"),
    (('name = "release"\n', 'name = "release"\nadvance = "key"\n'), "phase[4].advance",
     "phase `release` is the release or follows it"),
    (("rest_s = 10.0", "rest_s = 1.0"), "sequence.rest_s", "is too short: on one way through the phases channel"),
    (('start = "time"', 'start = "key"'), "switch", 'is missing: start = "key" needs a [switch]'),
    (('advance = "key"', 'advance = "attempt"'), "trigger", 'is missing: "attempt" needs a [trigger]'),
    (("share_percent = 60,", "share_percen = 60,"), "phase[3].channel.flexors.share_percen",
     "unknown field (did you mean `share_percent`?)"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field", "message"), WRONG, ids=[case[2][:40] for case in WRONG])
def test_what_is_wrong_is_named_with_its_phase_and_channel(change: tuple[str, str], field: str, message: str) -> None:
    found = faults(edit(SEQUENCE, change))
    assert (field, message) in {(fault.field, fault.message[: len(message)]) for fault in found}
    assert all(fault.line > 0 for fault in found)


def test_a_fault_of_a_goal_stands_on_its_line() -> None:
    text = edit(SEQUENCE, (", delay_s = 0.4 }", " }"))
    fault = the_fault(text)
    assert fault.line == line_of(text, "channel.flexors = { share_percent = 100")
    assert (fault.value, fault.source[:21]) == ("0.4 s", "project (hazard H44),")


def test_declared_antagonists_may_work_together() -> None:
    text = edit(
        SEQUENCE, (", delay_s = 0.4 }", " }"), ("rest_s = 10.0", 'rest_s = 10.0\nantagonists_together = "test"')
    )
    assert compile_schedule(good(text), Steps()).antagonists_together == "test"


def test_a_channel_can_be_on_too_long_on_a_way_that_skips() -> None:
    """Reach to its end, then straight to the release: 13 s, 0.4 s and 8 s of extensors without a break."""
    text = edit(SEQUENCE, ('length_s = 3.0\ncue = "Reach"', 'length_s = 13.0\ncue = "Reach"'),
                ('length_s = 3.0\ncue = "Let go"', 'length_s = 8.0\ncue = "Let go"'), ("rest_s = 10.0", "rest_s = 40.0"))  # fmt: skip
    (fault,) = [each for each in faults(text) if "too long without a break" in each.message]
    assert fault.field.startswith("phase[")
    assert float(fault.value.removesuffix(" s")) == pytest.approx(21.4, abs=0.001)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SEQUENCE + TRIGGER, "has no meaning: nothing in this file waits for an"),
        (
            edit(ATTEMPT, ("cue = false", "cue = true\nattempt_window_s = 5")),
            "must be false: here an attempt ends a phase",
        ),
    ],
)
def test_a_trigger_stands_where_something_waits_for_it(text: str, message: str) -> None:
    assert the_fault(text).message.startswith(message)


def test_an_attempt_in_a_phase_brings_an_ear_and_no_trigger() -> None:
    schedule = compile_schedule(good(ATTEMPT), Steps())
    assert schedule.trigger is None
    assert schedule.ear is not None
    assert schedule.ear.channel == EXTENSORS


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_sequence_flies(name: str) -> None:
    schedule = compile_schedule(stimulating(loads(library_text(name), name)), Steps())
    assert rehearse(schedule).bursts == schedule.repetitions * schedule.sets


# --- every way -------------------------------------------------------------------------------------------------------


_TENTH = 100 * MS
_GOALS = st.builds(
    Goal,
    st.sampled_from((0, 0, FULL_PPM)),
    st.integers(0, 4).map(_TENTH.__mul__),
    st.integers(0, 4).map(_TENTH.__mul__),
)


@st.composite
def plans(draw: st.DrawFn) -> MovementPlan:
    """Phases of less than two seconds for two channels, with events and a release."""
    count = draw(st.integers(2, 5))
    phases = tuple(
        PhasePlan(
            f"p{index}",
            draw(st.integers(1, 15)) * _TENTH,
            {EXTENSORS: draw(_GOALS), FLEXORS: draw(_GOALS)},
            advance=draw(st.sampled_from(Advance)),
        )
        for index in range(count)
    )
    return MovementPlan(phases, SECOND, draw(st.integers(1, count - 1)))


def track(plan: MovementPlan, output: int) -> list[Track]:
    goals = [phase.goal(output) for phase in plan.phases]
    return [Track(goal.share_ppm > 0, goal.delay_us, goal.settled_us) for goal in goals]


@given(plans(), st.data())
def test_no_walk_is_worse_than_the_worst_way(plan: MovementPlan, data: st.DataObject) -> None:
    """Random walks of the engine's own course stay within what the rules reckon with."""
    assert plan.release is not None
    ways = Ways([Leg(phase.length_us, phase.advance is not Advance.TIME) for phase in plan.phases], plan.release)
    one, other = track(plan, EXTENSORS), track(plan, FLEXORS)
    most, step_us = ways.together(one, other).us, 20 * MS
    walk, both_us, on_us, now_us = Course(plan, (EXTENSORS, FLEXORS), 0), 0, 0, 0
    may_be_on = ways.may_be_on(one)
    while not walk.over:
        event = data.draw(st.sampled_from((*(Advance.TIME,) * 30, Advance.KEY, Advance.ATTEMPT)))
        for turn in walk.step(now_us, event):
            if turn.phase and walk.share_ppm(EXTENSORS, turn.at_us):
                assert any(may_be_on)
        shares = [walk.share_ppm(output, now_us) for output in (EXTENSORS, FLEXORS)]
        both_us = both_us + step_us if all(shares) else 0
        on_us += step_us if shares[0] else 0
        assert both_us <= most + 2 * step_us
        now_us += step_us
    worst_on_us, cycle_us = ways.worst_share(one, plan.rest_us, 500)
    slack_us = 2 * step_us * len(plan.phases)
    assert on_us * 1_000 - 500 * (now_us + plan.rest_us) <= worst_on_us * 1_000 - 500 * cycle_us + slack_us * 1_000


def test_the_worst_way_is_found() -> None:
    """Reach wholly, the grasp cut while they still go out, everything else skipped: 3.4 s and 3.5 s of extensors."""
    plan = compile_schedule(good(SEQUENCE), Steps()).movement
    assert plan is not None
    ways = Ways([Leg(phase.length_us, phase.advance is not Advance.TIME) for phase in plan.phases], 3)
    one, other = track(plan, EXTENSORS), track(plan, FLEXORS)
    assert ways.worst_share(one, plan.rest_us, 600) == (6_900 * MS - 1, 17_400 * MS - 1)
    assert ways.together(one, one).us == 6_900 * MS - 1
    assert ways.together(one, other).us <= MS
    assert ways.may_be_on(one) == [False, True, False, True, True, False]


def test_what_comes_on_as_its_phase_ends_is_on_in_the_next() -> None:
    """A jump at the very end of a phase: no shipped rule lets it through, and the ways must still see it."""
    jump, stay = Track(on=True, delay_us=100, settled_us=100), Track(on=True, delay_us=0, settled_us=50)
    ways = Ways([Leg(100, waits=False), Leg(200, waits=False)], 1)
    assert ways.may_be_on([jump, stay])[1]
    assert ways.together([jump, stay], [stay, stay]).us == 200


# --- a session on the twin -------------------------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, SHORT)
    yield made
    made.close()


def in_phase(rig: Rig, name: str) -> Rig:
    """A session with nobody at the switch, in its first movement's phase of that name."""
    if rig.state is State.CHOOSING:
        rig.work(until=State.TRIAL)
        rig.work(until=State.REST)
    for _ in range(600):
        if rig.state is State.BURST and rig.status.progress.phase == name:
            return rig
        rig.go(50 * MS)
    raise AssertionError(name)


def currents(rig: Rig) -> tuple[int, int]:
    rig.twin.advance(rig.now_us)
    return rig.twin.current_ua(EXTENSORS), rig.twin.current_ua(FLEXORS)


def test_a_whole_session_takes_its_turns_and_the_patient_presses(rig: Rig) -> None:
    rig.work()
    assert rig.session.ended
    counts = rig.session.engine.counts()
    assert counts.delivered == 2
    assert counts.phases_met + counts.phases_missed == 2
    told = [event.payload["phase"] for event in rig.events() if event.kind == "phase"]
    assert told == ["reach", "grasp", "hold", "release", "relax", "rest"] * 2
    assert any(line.startswith("Phases that waited for something") for line in rig.session.review())


def test_the_hand_opens_closes_and_opens(rig: Rig) -> None:
    in_phase(rig, "reach")
    assert rig.status.next_action == f"Now: Reach; {SWITCH} lets go. Watch hand and skin."
    rig.go(1_500 * MS)
    extensors, flexors = currents(rig)
    assert extensors > 0 == flexors
    in_phase(rig, "hold")
    rig.go(700 * MS)
    extensors, flexors = currents(rig)
    assert flexors > 0 == extensors
    assert "Hold" in rig.status.next_action
    assert f"{SWITCH} goes on" in rig.status.next_action
    assert rig.status.progress.cue == "Hold"


def test_whose_thresholds_come_next_and_how_many_are_left_is_told(rig: Rig) -> None:
    rig.work(until=State.THRESHOLDS)
    assert rig.status.next_action.startswith("Start with extensors:")
    assert "2 of 2 channels" in rig.status.next_action
    rig.order(Kind.SELECT, name="flexors")
    assert rig.status.next_action.startswith("Start with flexors:")


def test_a_press_ends_the_phase_that_waits_for_it(rig: Rig) -> None:
    in_phase(rig, "hold")
    assert Kind.KEY in rig.status.can
    assert rig.order(Kind.KEY) == ""
    rig.go(50 * MS)
    assert rig.status.progress.phase == "release"
    assert rig.session.engine.counts().phases_met == 1


def test_a_press_that_never_comes_leads_to_the_release_and_is_counted(rig: Rig) -> None:
    in_phase(rig, "hold")
    rig.go(5 * SECOND)
    assert rig.status.progress.phase == "release"
    assert rig.session.engine.counts().phases_missed == 1
    assert "Nothing came in time: on to release" in rig.status.messages
    rig.go(4 * SECOND)
    assert rig.state is State.REST
    assert currents(rig) == (0, 0)


def test_a_press_in_a_phase_of_time_leads_to_the_release(rig: Rig) -> None:
    in_phase(rig, "grasp")
    rig.go(200 * MS)
    assert rig.order(Kind.KEY) == ""
    rig.go(50 * MS)
    assert rig.status.progress.phase == "release"
    assert rig.session.engine.counts().phases_skipped == 1
    assert rig.order(Kind.KEY) == "the switch has nothing to do now"


def test_an_early_release_opens_the_hand_once_it_has_rested_as_long_as_it_worked(rig: Rig) -> None:
    in_phase(rig, "hold")
    rig.order(Kind.KEY)
    rig.go(3 * SECOND)
    assert currents(rig)[0] > 0


def test_a_pause_in_a_phase_is_zero_at_once_and_begins_anew(rig: Rig) -> None:
    in_phase(rig, "hold")
    rig.go(SECOND)
    rig.order(Kind.PAUSE)
    rig.go(200 * MS)
    assert currents(rig) == (0, 0)


def reach_by_attempt(text: str) -> str:
    """The same, with an attempt that ends the first phase."""
    heard = edit(TRIGGER, ('cue = true\nattempt_window_s = 8.0\non_missed = "count"\n', "cue = false\n"))
    return edit(text, ('name = "reach"', 'name = "reach"\nadvance = "attempt"')) + heard


def test_in_a_trial_the_switch_stands_for_an_attempt(tmp_path: Path) -> None:
    """Nobody listens in a trial: without it the phases behind the attempt could not be tried."""
    with contextlib.closing(Rig(tmp_path, reach_by_attempt(SHORT))) as rig:
        rig.work(until=State.TRIAL)
        rig.go(50 * MS)
        assert rig.status.progress.phase == "reach"
        assert "as an attempt will later" in rig.status.next_action
        assert Kind.KEY in rig.status.can
        assert rig.order(Kind.KEY) == ""
        rig.go(50 * MS)
        assert rig.status.progress.phase == "grasp"
        assert "attempt" not in rig.status.next_action


@pytest.mark.parametrize(
    ("state", "robot", "leads_to"),
    [(State.TRIAL, False, "grasp"), (State.TRIAL, True, "release"), (State.BURST, False, "release")],
)
def test_only_a_hand_in_a_trial_stands_for_an_attempt(state: State, leads_to: str, *, robot: bool) -> None:
    schedule = compile_schedule(good(reach_by_attempt(SEQUENCE)), Steps())
    delivery = Delivery(replace(schedule, trigger=replace(WAITS, by=Advance.KEY, robot=robot)))
    delivery.enter(state, None, 0)
    delivery.hear(SECOND, Advance.KEY, None)
    part = delivery.part(SECOND)
    assert part is not None
    assert part[0] == leads_to


def test_words_of_what_a_phase_ends_by_are_the_engines() -> None:
    assert set(get_args(By)) == {each.value for each in Advance}


def test_the_protocol_is_whole() -> None:
    protocol = good(SEQUENCE)
    assert isinstance(protocol, FesSequence)
    assert len(protocol.phases) == 5
