"""Files of the kind that follows the sound hand: what they say, what is refused, what they become, and that they fly."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.limits import ABSOLUTE
from stimctl.protocols import FesContralateral, Protocol, dumps, library, library_text, loads, session_us, stimulating
from stimctl.schedule import FULL_PPM, ControlPlan, Schedule, Steps, compile_schedule
from stimctl.session.rehearsal import _Flight, rehearse
from stimctl.session.summary import schedule_lines
from stimctl.units import MS, SECOND
from tests.protocol_texts import CONTRALATERAL, SECOND_CHANNEL, drop, edit, faults, good, the_fault

AMPLITUDE = drop(CONTRALATERAL, "floor_width_us").replace('"width"', '"amplitude"')
SHIPPED = [entry.name for entry in library() if entry.kind == "fes-contralateral"]


def compiled(text: str, steps: Steps | None = None) -> Schedule:
    return compile_schedule(stimulating(loads(text, "file.toml")), steps or Steps())


# --- what a file becomes -----------------------------------------------------------------------------------------------


def test_a_file_becomes_an_opening_that_follows_and_a_way_down() -> None:
    protocol: Protocol = good(CONTRALATERAL)
    assert isinstance(protocol, FesContralateral)
    schedule = compiled(CONTRALATERAL)
    assert schedule.control == ControlPlan("sound-hand-angle", "width", 150_000, 850_000, FULL_PPM, 150 * MS)
    movement = schedule.movement
    assert movement is not None
    opening, down = movement.phases
    assert (opening.length_us, opening.cue, down.length_us, movement.rest_us) == (
        6 * SECOND,
        "Open wide",
        500 * MS,
        14 * SECOND,
    )
    goal = opening.goal(0)
    assert (goal.share_ppm, goal.ramp_us, goal.follows) == (FULL_PPM, SECOND, True)
    assert (down.goal(0).share_ppm, down.goal(0).follows) == (0, True)
    assert session_us(protocol) == schedule.longest_us == 10 * movement.cycle_us


@pytest.mark.parametrize("step_us", [1, 3, 5, 10, 25])
def test_the_stair_goes_from_the_floor_to_the_width_that_levels_are_found_with(step_us: int) -> None:
    schedule = compiled(CONTRALATERAL, Steps(width_us=step_us))
    assert schedule.movement is not None
    [plan] = schedule.channels
    stair = schedule.movement.phases[0].goal(0).stair
    widths = [train.phase_width_us for train in stair]
    assert stair[-1] == plan.shape
    assert 60 <= widths[0] < 60 + step_us
    assert all(not width % step_us for width in widths)


def test_a_signal_that_changes_the_amplitude_has_no_stair() -> None:
    schedule = compiled(AMPLITUDE)
    assert schedule.movement is not None
    assert [phase.goal(0).stair for phase in schedule.movement.phases] == [(), ()]


@pytest.mark.parametrize("text", [CONTRALATERAL, AMPLITUDE, *map(library_text, SHIPPED)])
def test_a_file_goes_through_the_model_and_back(text: str) -> None:
    protocol = loads(text, "file.toml")
    assert loads(dumps(protocol), "again.toml") == protocol


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (("floor_percent = 15", "floor_percent = 3"), "control.floor_percent", "out of range"),
        (("stale_ms = 150", "stale_ms = 500"), "control.stale_ms", "out of range"),
        (("slew_percent_per_s = 100", "slew_percent_per_s = 400"), "control.slew_percent_per_s", "out of range"),
        (('"sound-hand-angle"', '"own-emg"'), "control.source", "is not on the list"),
        (("full_percent = 85", "full_percent = 50\nx = 1"), "control.x", "unknown field"),
        (("floor_percent = 15\nfull_percent = 85", "floor_percent = 45\nfull_percent = 60"), "control.full_percent",
         "lies too near to the dead zone's end"),
        (("floor_width_us = 60\n", ""), "control.floor_width_us", 'is missing: modulates = "width"'),
        (("floor_width_us = 60", "floor_width_us = 40"), "control.floor_width_us", "is outside the limits of this place"),
        (("floor_width_us = 60", "floor_width_us = 290"), "channel[1].phase_width_us", "leaves the signal nothing"),
        (('modulates = "width"', 'modulates = "amplitude"'), "control.floor_width_us", "has no meaning with"),
        (("slew_percent_per_s = 100", "slew_percent_per_s = 15"), "cycle.open_s", "ends before the slope"),
        (("open_s = 6.0", "open_s = 20.0"), "cycle.open_s", "together with the ramp is too long an opening"),
        (("relax_s = 14.0", "relax_s = 4.0"), "cycle.relax_s", "is too short for the opening before it"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_at_its_field(change: tuple[str, str], field: str, message: str) -> None:
    told = {fault.field: fault.message for fault in faults(edit(CONTRALATERAL, change))}
    assert told[field].startswith(message), told


def test_two_muscles_that_pull_against_each_other_cannot_follow_one_signal() -> None:
    second = SECOND_CHANNEL.replace('muscle = "extensor pollicis longus"', 'muscle = "flexor digitorum superficialis"')
    fault = the_fault(
        edit(
            CONTRALATERAL + second,
            ('site = "forearm-dorsal"\npads = ["thumb"', 'site = "forearm-volar"\npads = ["thumb"'),
        )
    )
    assert fault.field == "channel[2].muscle"
    assert fault.message.endswith("(extensor digitorum communis: extension): all channels follow the same signal")


# --- the dry flight ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_flies_with_the_signal_and_without_one_and_says_what_it_follows(name: str) -> None:
    schedule = replace(compiled(library_text(name), Steps(1_000, 10, 1_000)), repetitions=3)
    assert rehearse(schedule).bursts == schedule.repetitions * schedule.sets
    lines = schedule_lines(schedule)
    assert any(line.startswith("Follows the ") for line in lines)
    assert any(line.endswith("on a cue, as far as the sound hand leads") for line in lines)


STEPS = st.builds(Steps, st.sampled_from((1, 100, 500, 1_000)), st.sampled_from((1, 5, 10)), st.just(1_000))


@settings(max_examples=25)
@given(
    st.sampled_from((CONTRALATERAL, AMPLITUDE)),
    STEPS,
    st.integers(0, 1 << 30),
    st.integers(20, 700),
    st.integers(1, 40),
)
def test_whatever_the_hand_does_the_limiter_finds_nothing(
    text: str, steps: Steps, seed: int, period_ms: int, divisor: int
) -> None:
    """Flickers, small and large, slow and fast, and losses between: each in its own dead zone, too."""

    def signal(now_us: int) -> int | None:
        draw = random.Random(seed + now_us // (period_ms * MS))
        return draw.choice((None, 0, draw.randrange(FULL_PPM // divisor), FULL_PPM))

    schedule = replace(compiled(text, steps), repetitions=2)
    flown = _Flight(schedule, ABSOLUTE, senses_impedance=True, signal=signal).fly()
    assert flown.bursts == 2


def test_without_a_signal_nothing_is_given_beyond_finding_thresholds() -> None:
    schedule = replace(compiled(CONTRALATERAL), repetitions=2)
    flights = [
        _Flight(replace(schedule, repetitions=count), ABSOLUTE, senses_impedance=True, signal=lambda _: None).fly()
        for count in (1, 5)
    ]
    assert flights[0].charge_uc == flights[1].charge_uc
