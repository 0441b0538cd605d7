"""The dry flight's short cut: what it leaves out is the same again to the last command, or nothing is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimctl.engine.lanes import Lane
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, Limits
from stimctl.protocols import KINDS, library, library_text, loads, stimulating
from stimctl.protocols.output import Stimulation
from stimctl.pulse import Command
from stimctl.safety import Rule
from stimctl.schedule import (
    FULL_PPM,
    Advance,
    ChannelPlan,
    Goal,
    MovementPlan,
    PhasePlan,
    Schedule,
    Steps,
    burst,
    compile_schedule,
)
from stimctl.session import recurrence, rehearsal
from stimctl.session.recurrence import Shorter, Watch, shorter
from stimctl.session.rehearsal import Rehearsal, _Flight, rehearse
from stimctl.units import MINUTE, MS, SECOND, MicroAmp
from tests.protocol_texts import put
from tests.schedules import TRIGGER, channel, cyclic, tens
from tests.test_tens_flow import compiled
from tests.test_tens_modes import ALTERNATING, MODULATED


class Seen(_Flight):  # type: ignore[misc]
    """A flight that writes down every command and its time."""

    def _judge(self) -> None:
        if not hasattr(self, "commands"):
            self.commands: list[tuple[int, Command]] = []
        super()._judge()
        if self._engine.armed:
            self.commands.append((self._now_us, self._engine.command()))


def whole(schedule: Schedule, board: Limits = ABSOLUTE) -> tuple[Rehearsal, list[tuple[int, Command]]]:
    flight = Seen(schedule, board, senses_impedance=True)
    return flight.fly(), flight.commands


def abridged(schedule: Schedule) -> tuple[Rehearsal | None, list[tuple[int, Command]]]:
    """The short flight, and its commands with those that were left out put in where they belong."""
    short = shorter(schedule)
    assert short is not None
    flight = Seen(short.schedule, ABSOLUTE, senses_impedance=True, short=short)
    flown, commands = flight.fly_for_all(), flight.commands
    watch = flight._watch
    assert isinstance(watch, Watch)
    later_us = 0
    full: list[tuple[int, Command]] = []
    cycles = list(watch.cycles)
    for at_us, command in commands:
        full.append((at_us + later_us, command))
        if cycles and at_us == cycles[0][1].now_us:
            one, other = cycles.pop(0)
            again = [(us, each) for us, each in commands if one.now_us < us <= other.now_us]
            for _ in range(short.times):
                later_us += other.now_us - one.now_us
                full += [(us + later_us, each) for us, each in again]
    return flown, full


def refusal(fly: Callable[[Schedule, Limits], object], plan: Schedule, board: Limits = ABSOLUTE) -> str:
    """What refuses a schedule, with its moment; "" for nothing."""
    try:
        fly(plan, board)
    except Refusal as refused:
        return f"{refused} at {refused.now_us}"
    return ""


def low(plan: ChannelPlan) -> ChannelPlan:
    """The same with little to raise, which is no business of this file."""
    return replace(plan, max_ua=MicroAmp(min(plan.max_ua, 2_000)))


def alike(schedule: Schedule) -> None:
    """Figures and every command are those of the whole flight, and something was left out."""
    flown, commands = abridged(schedule)
    assert (flown, commands) == whole(schedule)


FILES = [entry.name for entry in library() if issubclass(KINDS[entry.kind], Stimulation)]

IDLE = "robot-glove-open-grasp-sequence"
"""One of its channels has nothing to do; since when is part of how it stands, so all of it is flown."""


@pytest.mark.parametrize("name", FILES)
def test_every_shipped_file_is_judged_as_if_all_of_it_were_flown(name: str) -> None:
    """At a low level and cut to what leaves something out, for whose sake the rest is only repeated."""
    plan = compile_schedule(stimulating(loads(library_text(name), name)), Steps())
    cut = replace(
        plan, channels=tuple(map(low, plan.channels)), repetitions=7 + plan.repetitions % 2, sets=min(plan.sets, 2)
    )
    if plan.continuous:
        cycle_us = plan.movement.cycle_us if plan.movement else 900 * MS
        cut = replace(cut, flow_us=5 * cycle_us + 5 * SECOND + 123)
    flown, commands = abridged(cut)
    assert (flown is None) == (name == IDLE)
    assert name == IDLE or (flown, commands) == whole(cut)


times = st.sampled_from([0, 20 * MS, 500 * MS, 1_010 * MS, 1_333_337])
movements = st.builds(
    burst,
    st.sampled_from([1_000_001, 1_500 * MS]),
    times,
    times,
    st.sampled_from([4 * SECOND, 7_777_777, 61 * SECOND]),
)


@settings(deadline=None, max_examples=8)
@given(movements, st.integers(7, 10), st.integers(1, 2), st.booleans(), st.booleans())
def test_bursts_of_any_times_are_the_same_again(
    movement: MovementPlan, repetitions: int, sets: int, two: bool, triggered: bool
) -> None:
    names = ("extensors", "flexors")[: 1 + two]
    channels = tuple(low(replace(channel(name, output), site=name)) for output, name in enumerate(names))
    trigger = replace(TRIGGER, lockout_us=3_333_333) if triggered else None
    plan = cyclic(*channels, movement=movement, repetitions=repetitions, sets=sets, trigger=trigger)
    refused = refusal(whole, plan)
    assert refusal(rehearse, plan) == refused
    if not refused:
        assert abridged(plan) == whole(plan)


@pytest.mark.parametrize("flow_us", [40 * SECOND, 2 * MINUTE + 7])
@pytest.mark.parametrize("text", [MODULATED, ALTERNATING])
def test_a_flow_that_changes_is_the_same_again(text: str, flow_us: int) -> None:
    text = put(put(text, "period_s", "4.1"), "max_amplitude_ma", "15") if text == MODULATED else text
    alike(compiled(text, flow_us))


@pytest.mark.parametrize("flow_us", [20 * SECOND, 31 * SECOND + 1])
def test_a_steady_flow_is_the_same_again(flow_us: int) -> None:
    alike(tens(flow_us))


def test_what_ends_early_in_every_second_movement_is_the_same_again() -> None:
    work = PhasePlan("work", 4 * SECOND, others=Goal(FULL_PPM, SECOND), advance=Advance.KEY)
    rest = PhasePlan("let go", SECOND, others=Goal(0, SECOND))
    alike(cyclic(movement=MovementPlan((work, rest), 6 * SECOND), repetitions=8, sets=2))


# --- when there is no short cut ------------------------------------------------------------------------------------


def test_what_nobody_has_thought_about_is_flown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute that comes to engine or limiter has to be given its meaning before anything is left out again."""
    plan = cyclic(low(channel()), repetitions=7)
    known = recurrence._STANDING
    assert rehearsal._abridged(plan, ABSOLUTE, senses_impedance=True) is not None
    for owner, meanings in known.items():
        less = {**known, owner: dict(list(meanings.items())[1:])}
        monkeypatch.setattr(recurrence, "_STANDING", less)
        assert rehearsal._abridged(plan, ABSOLUTE, senses_impedance=True) is None, owner


def test_an_engine_that_changes_with_time_is_flown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a lane that gives a little less with every movement, and so never stands as before."""
    plan = cyclic(low(channel()), repetitions=12)
    move = Lane.move

    def tiring(self: Lane, aim: Any, now_us: int, elapsed_us: int) -> None:
        move(self, aim, now_us, elapsed_us)
        self.worked_ua = now_us

    monkeypatch.setattr(Lane, "move", tiring)
    assert rehearsal._abridged(plan, ABSOLUTE, senses_impedance=True) is None
    assert rehearse(plan, whole=False) == whole(plan)[0]


@pytest.mark.parametrize("plan", [cyclic(channel(), repetitions=9, sets=2), tens(MINUTE)], ids=["bursts", "flow"])
def test_a_site_comes_to_its_limit_at_the_same_moment(plan: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where all that is flown in short would be inside."""
    _, commands = whole(plan)
    length_us = commands[-1][0]
    for most_us in (length_us - 30 * SECOND, length_us - SECOND, length_us):
        board = replace(ABSOLUTE, site_time_us=most_us)
        refused = refusal(whole, plan, board)
        assert refusal(rehearse, plan, board) == refused
        assert bool(refused) is (most_us < length_us)


def test_site_time_that_is_left_out_is_counted() -> None:
    """The short flight alone stays far inside what the whole one passes."""
    plan = cyclic(repetitions=20)
    board = replace(ABSOLUTE, site_time_us=3 * MINUTE)
    short = shorter(plan)
    assert short is not None
    whole(short.schedule, board)
    refused = refusal(whole, plan, board)
    assert Rule.SITE_TIME in refused
    assert refusal(rehearse, plan, board) == refused


@pytest.mark.parametrize(("left_us", "taken"), [(1_900 * MS, False), (2 * SECOND, True)])
def test_nothing_is_left_out_where_the_end_of_a_flow_is_in_sight(left_us: int, taken: bool) -> None:
    """The first cycle of two begins with the rise from nothing, so the second would have to do."""
    plan = compiled(ALTERNATING, MINUTE)
    assert plan.movement is not None
    cycle_us = plan.movement.cycle_us
    short = Shorter(replace(plan, flow_us=2 * cycle_us + left_us), 3, cycle_us)
    flown = _Flight(short.schedule, ABSOLUTE, senses_impedance=True, short=short).fly_for_all()
    assert flown == (whole(replace(plan, flow_us=5 * cycle_us + left_us))[0] if taken else None)
