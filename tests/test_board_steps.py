"""What becomes of a protocol's numbers on a board that counts widths in ticks, or has no pulse without a gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards.neurostimduino.conversion import width_us as told_us
from stimctl.protocols import stimulating
from stimctl.schedule import Steps, compile_schedule
from stimctl.session.opening import load_protocol
from stimctl.session.pressing import press_ua
from stimctl.session.rehearsal import rehearse

TICKS = Steps(width_clock_ns=6_400)


@given(st.integers(7, 2_000))
def test_a_width_in_ticks_is_what_the_boards_own_conversion_tells(width_us: int) -> None:
    told = TICKS.width_down_us(width_us)
    assert told == told_us(width_us) <= width_us
    assert TICKS.width_down_us(told) == told
    assert width_us - told < 7


@given(st.integers(0, 600), st.integers(1, 50))
def test_a_width_in_steps_is_rounded_down(width_us: int, step_us: int) -> None:
    told = Steps(width_us=step_us).width_down_us(width_us)
    assert told % step_us == 0
    assert 0 <= width_us - told < step_us


@given(st.integers(1, 500), st.integers(1, 500), st.sampled_from([Steps(), Steps(width_us=10), TICKS]))
def test_every_width_of_a_board_between_two_is_found_once(one_us: int, other_us: int, steps: Steps) -> None:
    least_us, full_us = sorted((one_us, other_us))
    most_us = steps.width_down_us(full_us)
    found = steps.widths_us(least_us, most_us)
    assert found == tuple(sorted(set(found)))
    assert found[-1] == most_us
    assert all(steps.width_down_us(width_us) == width_us for width_us in found)
    assert all(least_us <= width_us <= most_us for width_us in found) or found == (most_us,)


def test_a_gap_that_a_board_cannot_leave_out_is_in_the_plan_and_told() -> None:
    protocol = stimulating(load_protocol("wrist-finger-extensors-emg").protocol)
    schedule = compile_schedule(protocol, Steps(gap_min_us=10))
    assert schedule.channels[0].shape.interphase_gap_us == 10
    assert any("interphase gap 0 µs becomes 10 µs" in line for line in schedule.rounded)
    assert compile_schedule(protocol, Steps()).channels[0].shape.interphase_gap_us == 0


def test_a_press_in_rehearsal_is_a_press_of_the_board() -> None:
    """Steps that do not divide a milliampere: whole milliamperes rounded down to them would now and then be more than one."""
    protocol = stimulating(load_protocol("thenar-cyclic").protocol)
    schedule = compile_schedule(protocol, Steps(240))
    assert press_ua(schedule.channels[0]) == 960
    assert rehearse(schedule).bursts == schedule.repetitions * schedule.sets
