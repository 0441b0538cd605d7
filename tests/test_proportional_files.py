"""Files of the kind that follows the stimulated muscle's own EMG: what they say, what is refused, and that they fly."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.authoring.picture import picture
from stimctl.limits import ABSOLUTE
from stimctl.protocols import FesEmgProportional, dumps, library, library_text, loads, stimulating
from stimctl.schedule import FULL_PPM, Schedule, Steps, compile_schedule
from stimctl.schedule.following import EFFORT_MOST_PPM
from stimctl.session.rehearsal import _Flight, rehearse
from stimctl.session.summary import schedule_lines
from stimctl.units import MS, SECOND
from tests.protocol_texts import PROPORTIONAL, SECOND_CHANNEL, drop, edit, faults, good

AMPLITUDE = drop(PROPORTIONAL, "floor_width_us").replace('"width"', '"amplitude"')
SHIPPED = [entry.name for entry in library() if entry.kind == "fes-emg-proportional"]


def compiled(text: str, steps: Steps | None = None) -> Schedule:
    return compile_schedule(stimulating(loads(text, "file.toml")), steps or Steps())


# --- what a file becomes -----------------------------------------------------------------------------------------------


def test_a_file_becomes_an_opening_that_follows_the_muscle_between_its_pulses() -> None:
    assert isinstance(good(PROPORTIONAL), FesEmgProportional)
    control = compiled(PROPORTIONAL).control
    assert control is not None
    assert (control.source, control.floor_ppm, control.full_ppm) == ("own-emg", 250_000, 750_000)
    assert (control.stale_us, control.most_ppm) == (180 * MS, EFFORT_MOST_PPM)
    assert (control.period_us, control.blanking_us) == (SECOND // 35, 20 * MS)
    movement = compiled(PROPORTIONAL).movement
    assert movement is not None
    opening = movement.phases[0]
    assert (opening.cue, opening.goal(0).follows) == ("Try to open the hand", True)
    assert len(opening.goal(0).stair) == 241
    assert compiled(AMPLITUDE).ear is None


@pytest.mark.parametrize(("step_mhz", "period_us"), [(1, 28_571), (1_000, 28_571), (2_000, 29_411), (10_000, 33_333)])
def test_the_time_between_pulses_is_the_boards(step_mhz: int, period_us: int) -> None:
    control = compiled(PROPORTIONAL, Steps(rate_mhz=step_mhz)).control
    assert control is not None
    assert control.period_us == period_us


@pytest.mark.parametrize("text", [PROPORTIONAL, AMPLITUDE, *map(library_text, SHIPPED)])
def test_a_file_goes_through_the_model_and_back(text: str) -> None:
    protocol = loads(text, "file.toml")
    assert loads(dumps(protocol), "again.toml") == protocol


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (('"own-emg"', '"sound-hand-emg"'), "control.source", "is not on the list"),
        (("blanking_ms = 20\n", ""), "control.blanking_ms", "is missing"),
        (("blanking_ms = 20", "blanking_ms = 10"), "control.blanking_ms", "out of range"),
        (("blanking_ms = 20", "blanking_ms = 31"), "control.blanking_ms", "out of range"),
        (("rate_hz = 35", "rate_hz = 36"), "channel[1].rate_hz", "leaves less than 8 ms to hear the muscle in"),
        (("blanking_ms = 20", "blanking_ms = 21"), "channel[1].rate_hz", "leaves less than 8 ms to hear the muscle in"),
        (("rate_hz = 35", "rate_hz = 35\npulses_per_period = 2"), "channel[1].pulses_per_period", "leaves no time"),
        (("rate_hz = 35", "rate_hz = 20"), "control.stale_ms", "is over before the muscle is heard again"),
        (("stale_ms = 180", "stale_ms = 130"), "control.stale_ms", "is over before the muscle is heard again"),
        (("floor_width_us = 60\n", ""), "control.floor_width_us", 'is missing: modulates = "width"'),
        (("floor_percent = 25\nfull_percent = 75", "floor_percent = 45\nfull_percent = 60"), "control.full_percent",
         "lies too near to the dead zone's end"),
        (("slew_percent_per_s = 100", "slew_percent_per_s = 15"), "cycle.open_s", "ends before the slope"),
        (("open_s = 5.0", "open_s = 20.0"), "cycle.open_s", "together with the ramp is too long an opening"),
        (("relax_s = 10.0", "relax_s = 3.0"), "cycle.relax_s", "is too short for the opening before it"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_at_its_field(change: tuple[str, str], field: str, message: str) -> None:
    told = {fault.field: fault.message for fault in faults(edit(PROPORTIONAL, change))}
    assert told[field].startswith(message), told


def test_what_is_refused_for_the_ears_sake_has_its_source() -> None:
    for change in (("rate_hz = 35", "rate_hz = 50"), ("rate_hz = 35", "rate_hz = 30\npulses_per_period = 2")):
        told = faults(edit(PROPORTIONAL, change))
        assert any("hazard H24" in str(fault) for fault in told)


def test_a_second_channel_would_fall_into_the_gaps_that_are_heard() -> None:
    told = {fault.field: fault.message for fault in faults(PROPORTIONAL + SECOND_CHANNEL)}
    assert told["channel[2].name"].startswith("has no place beside the first")


# --- the dry flight ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_flies_and_says_what_it_follows(name: str) -> None:
    schedule = replace(compiled(library_text(name), Steps(1_000, 10, 1_000)), repetitions=3)
    flown = rehearse(schedule)
    assert (flown.bursts, flown.warnings) == (schedule.repetitions * schedule.sets, ())
    lines = schedule_lines(schedule)
    assert any("heard between the pulses: nothing below 25 %" in line for line in lines)
    assert any("until the muscle has been at rest" in line for line in lines)
    assert any(line.endswith("on a cue, as hard as the muscle itself tries") for line in lines)
    [trace] = picture(schedule).traces
    assert "follows the control signal: drawn at its full" in trace.words


@settings(max_examples=15)
@given(st.sampled_from((PROPORTIONAL, AMPLITUDE)), st.integers(0, 1 << 30), st.integers(20, 700), st.integers(1, 40))
def test_whatever_the_muscle_does_the_limiter_finds_nothing(text: str, seed: int, period_ms: int, divisor: int) -> None:
    def signal(now_us: int) -> int | None:
        draw = random.Random(seed + now_us // (period_ms * MS))
        return draw.choice((None, 0, draw.randrange(FULL_PPM // divisor), FULL_PPM))

    schedule = replace(compiled(text, Steps(500, 5, 1_000)), repetitions=2)
    assert _Flight(schedule, ABSOLUTE, senses_impedance=True, signal=signal).fly().bursts == 2
