"""A robot glove that leads: its lines, what is believed of them, sessions on the twin, and the end of output."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.cli.parser import parse
from stimctl.control import start
from stimctl.control.start import RunRequest
from stimctl.engine import State
from stimctl.errors import LinkLost, UsageError
from stimctl.orders import Order
from stimctl.orders import OrderKind as Kind
from stimctl.protocols import dumps, library_text, loads, stimulating
from stimctl.schedule import Advance, Schedule, Steps, compile_schedule
from stimctl.sensors.glove import GAP_US, READY_US, SETTLE_US, STALE_US, GloveReader, Lines, Turn, WiredGlove, heard
from stimctl.session import glove as leading
from stimctl.session.glove import Glove
from stimctl.session.guide_opening import recording
from stimctl.session.opening import Wishes
from stimctl.session.rehearsal import rehearse
from stimctl.sim.glove import BOUNCE_US, SimulatedGlove
from stimctl.transport import open_lines
from stimctl.units import MS, SECOND
from tests import protocol_texts as texts
from tests.protocol_texts import edit, good, the_fault
from tests.session_rig import CYCLIC, Rig

ROBOT = (
    CYCLIC.replace("fes-cyclic", "fes-switch-triggered")
    + """
[switch]
source = "robot"
cue = false
lockout_ms = 500
max_triggers_per_min = 12
"""
)
SEQUENCE = (
    edit(
        texts.SEQUENCE,
        ('start = "time"', 'start = "key"'),
        ('name = "reach"\n', 'name = "reach"\nadvance = "key"\n'),
        ("repetitions = 20\nsets = 2\nset_rest_s = 60", "repetitions = 2"),
        ("amplitude_ma = 15.0\nmax_amplitude_ma = 25.0", "amplitude_ma = 6.0\nmax_amplitude_ma = 8.0"),
        ("amplitude_ma = 12.0\nmax_amplitude_ma = 20.0", "amplitude_ma = 6.0\nmax_amplitude_ma = 8.0"),
    )
    + ROBOT[ROBOT.index("\n[switch]") :]
)
SHIPPED = ("robot-glove-with-extensors", "robot-glove-open-grasp-sequence")


def compiled(text: str) -> Schedule:
    return compile_schedule(good(text), Steps())


class Scripted:
    """A glove in a test's hands."""

    name = "a scripted glove"

    def __init__(self) -> None:
        self.ready, self.opening, self.lost, self.age_us, self.silent = True, False, False, 0, False
        self.closed = self.moves = False

    def permit(self, *, moves: bool) -> None:
        if self.lost:
            raise LinkLost("gone")
        self.moves = moves

    def read(self, now_us: int) -> Lines | None:
        if self.lost:
            raise LinkLost("gone")
        return None if self.silent else Lines(now_us - self.age_us, self.ready, self.opening)

    def close(self) -> None:
        self.closed = True


# --- the lines -------------------------------------------------------------------------------------------------------


def ready_reader(*, opening: bool = False) -> GloveReader:
    reader = GloveReader()
    for at_us in range(0, READY_US + 1, 100 * MS):
        assert reader.step(at_us, Lines(at_us, ready=True, opening=opening)) is None
    assert reader.fault == ""
    return reader


def test_a_glove_is_ready_once_it_stood_ready_for_a_while_and_that_is_no_turn() -> None:
    reader = GloveReader()
    assert reader.fault
    for at_us in range(0, READY_US, 50 * MS):
        reader.step(at_us, Lines(at_us, ready=True, opening=True))
        assert reader.fault
    reader.step(READY_US, Lines(READY_US, ready=True, opening=True))
    assert (reader.fault, reader.opening) == ("", True)


def test_a_turn_is_heard_once_when_its_contact_stands() -> None:
    reader, turns = ready_reader(), []
    begin_us = READY_US + MS
    for at_us in range(begin_us, begin_us + 60 * MS, MS):
        bouncing = at_us - begin_us < 9 * MS and (at_us // MS) % 2 == 0
        turn = reader.step(at_us, Lines(at_us, ready=True, opening=not bouncing))
        turns += [(turn, at_us - begin_us)] if turn is not None else []
    assert [turn for turn, _ in turns] == [Turn.OPENS]
    assert SETTLE_US <= turns[0][1] <= SETTLE_US + 10 * MS


def test_a_spike_on_the_line_is_no_turn() -> None:
    reader = ready_reader()
    for at_us in range(READY_US + MS, READY_US + SECOND, MS):
        spike = at_us // MS % 100 < SETTLE_US // MS - 1
        assert reader.step(at_us, Lines(at_us, ready=True, opening=spike)) is None


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "its line is lost"),
        (Lines(READY_US + 20 * MS - STALE_US - 1, ready=True, opening=False), "its line is stale"),
        (Lines(READY_US + 21 * MS, ready=True, opening=False), "its line is stale"),
        (Lines(READY_US + 20 * MS, ready=False, opening=False), "reports a fault or its stop"),
    ],
    ids=["lost", "stale", "future", "not ready"],
)
def test_one_bad_reading_is_a_fault_at_once_and_its_end_is_not(told: Lines | None, why: str) -> None:
    reader = ready_reader()
    reader.step(READY_US + 20 * MS, told)
    assert why in reader.fault
    at_us = READY_US + 40 * MS
    reader.step(at_us, Lines(at_us, ready=True, opening=True))
    assert why in reader.fault


def test_what_was_not_listened_to_is_not_known() -> None:
    reader = ready_reader()
    at_us = READY_US + GAP_US + 1
    reader.step(at_us, Lines(at_us, ready=True, opening=False))
    assert reader.fault == "was not listened to for a while"


_SAMPLES = st.lists(
    st.tuples(
        st.integers(1, 120).map(MS.__mul__),
        st.sampled_from((True, True, True, True, True, True, False)),
        st.booleans(),
        st.sampled_from((0, 0, 0, 0, 0, STALE_US, STALE_US + 1, -1)),
        st.sampled_from((True, True, True, True, True, True, True, False)),
    ),
    max_size=80,
)


@given(_SAMPLES)
def test_no_history_of_lines_is_believed_too_soon(samples: list[tuple[int, bool, bool, int, bool]]) -> None:
    """Ready: every reading of the last half second was good. A turn: while ready, after standing, and never twice the same."""
    reader, now_us = GloveReader(), 0
    good_from: int | None = None
    stood_from, level, last_turn = 0, None, None
    for step_us, ready, opening, age_us, there in samples:
        now_us += step_us
        turn = reader.step(now_us, Lines(now_us - age_us, ready, opening) if there else None)
        is_good = there and ready and 0 <= age_us <= STALE_US
        good_from = None if not is_good else now_us if good_from is None else good_from
        if not is_good or opening is not level:
            stood_from = now_us
        level = opening if is_good else None
        assert (reader.fault == "") <= (good_from is not None and now_us - good_from >= READY_US)
        assert bool(reader.fault) or is_good
        if reader.fault:
            last_turn = None
        if turn is not None:
            assert not reader.fault
            assert now_us - stood_from >= SETTLE_US
            assert turn is not last_turn
            last_turn = turn


# --- where they are read ---------------------------------------------------------------------------------------------


class Port:
    """What of pyserial's port is used."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.options, self.cts, self._dsr, self.open = options, False, True, True
        self.rts = True

    @property
    def dsr(self) -> bool:
        if not self.open:
            raise OSError(5, "Input/output error")
        return self._dsr

    def fileno(self) -> int:
        raise OSError("a port without one")

    def close(self) -> None:
        self.open = False


def test_a_port_is_taken_for_this_process_alone_and_its_end_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stimctl.transport.lines.serial.serial_for_url", Port)
    source = WiredGlove(open_lines("/dev/null"))
    port = source._lines._port
    assert isinstance(port, Port)
    assert port.options["exclusive"]
    assert source.read(5) == Lines(5, ready=True, opening=False)
    assert port.rts is False
    source.permit(moves=True)
    assert port.rts
    port.cts, port._dsr = True, False
    assert source.read(6) == Lines(6, ready=False, opening=True)
    source.close()
    with pytest.raises(LinkLost, match="the lines cannot be read"):
        source.read(7)
    assert heard(source, 8) is None


def test_a_port_without_such_lines_is_refused() -> None:
    master, slave = os.openpty()
    try:
        with pytest.raises(UsageError, match="no modem control lines"):
            open_lines(os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("url", ["rfc2217://localhost:1", "socket://localhost:1", "loop://"])
def test_a_line_over_a_network_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="wired to this computer"):
        open_lines(url)


def test_which_glove_goes_with_which_session() -> None:
    robot, plain = compiled(ROBOT), compiled(CYCLIC)
    leading.check(robot, "", simulated=True)
    leading.check(robot, "line:/dev/ttyUSB1", simulated=False)
    leading.check(plain, "", simulated=False)
    for schedule, url, simulated, why in (
        (plain, "sim:", True, "leave out --robot sim:"),
        (robot, "line:", True, "is not a robot glove"),
        (robot, "file:x", True, "is not a robot glove"),
        (robot, "", False, "name its line"),
        (robot, "sim:", False, "a simulated glove leads nobody"),
    ):
        with pytest.raises(UsageError, match=why):
            leading.check(schedule, url, simulated=simulated)
    assert leading.opened(plain, "", 1) is None


def test_the_simulated_glove_opens_and_closes_and_bounces() -> None:
    glove = SimulatedGlove(4)
    assert not any(glove.read(at_us).opening for at_us in range(0, 20 * SECOND, SECOND))
    glove.permit(moves=True)
    reader, turns, raw = GloveReader(), [], 0
    before = False
    for at_us in range(0, 40 * SECOND, MS):
        told = glove.read(at_us)
        raw += told.opening is not before
        before = told.opening
        if (turn := reader.step(at_us, told)) is not None:
            turns.append((at_us, turn))
    assert len(turns) >= 4
    assert all(one[1] is not other[1] for one, other in pairwise(turns))
    assert raw >= 2 * len(turns)
    assert SETTLE_US > BOUNCE_US
    assert SimulatedGlove(4).opening(7 * SECOND) == glove.opening(7 * SECOND)


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_glove_is_a_switch_whose_burst_it_can_end() -> None:
    schedule = compiled(ROBOT)
    assert schedule.trigger is not None
    assert (schedule.trigger.by, schedule.trigger.robot) == (Advance.KEY, True)
    assert schedule.movement is not None
    assert schedule.movement.release == 2
    key = compiled(ROBOT.replace('"robot"', '"key"'))
    assert key.movement is not None
    assert key.movement.release is None
    assert any("robot glove" in line for line in schedule.guide)


def test_a_file_with_a_glove_goes_through_and_back() -> None:
    for text in (ROBOT, SEQUENCE):
        protocol = loads(text, "file.toml")
        assert loads(dumps(protocol), "again.toml") == protocol


def test_what_would_work_against_the_glove_is_refused() -> None:
    cued = edit(ROBOT, ("cue = false", 'cue = true\nattempt_window_s = 8\non_missed = "assist"'))
    assert the_fault(cued).field == "switch.on_missed"
    abrupt = edit(ROBOT, ("ramp_down_s = 1.0", "ramp_down_s = 0"))
    assert the_fault(abrupt).field == "burst.ramp_down_s"
    assert good(edit(abrupt, ('"robot"', '"key"'))).kind == "fes-switch-triggered"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_flies_with_the_glove_opening_whenever_it_may(name: str) -> None:
    schedule = compile_schedule(stimulating(loads(library_text(name), name)), Steps())
    assert rehearse(schedule).bursts == schedule.repetitions * schedule.sets


def test_the_flight_is_that_of_a_glove_that_never_cuts_a_burst_short() -> None:
    key = rehearse(compiled(ROBOT.replace('"robot"', '"key"')))
    assert rehearse(compiled(ROBOT)).on_time_us == key.on_time_us


# --- a session on the twin -------------------------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, ROBOT)
    yield made
    made.close()


def led(rig: Rig) -> tuple[Glove, Scripted]:
    """The session's glove with a scripted one in its place, once it is open."""
    rig.work(until=State.SCREENING)
    found, source = rig.session.glove, Scripted()
    assert found is not None
    found.source = source
    source.permit(moves=True)
    return found, source


def waiting(rig: Rig) -> Scripted:
    """A session that waits for its scripted glove to open."""
    _, source = led(rig)
    rig.work(until=State.TRIAL)
    rig.work(until=State.REST)
    while rig.state is not State.LISTENING:
        rig.go(100 * MS)
    return source


def in_burst(rig: Rig) -> Scripted:
    source = waiting(rig)
    source.opening = True
    rig.go(100 * MS)
    assert rig.state is State.BURST
    rig.go(1_500 * MS)
    assert rig.flowing_ua > 0
    return source


@pytest.mark.parametrize("text", [ROBOT, SEQUENCE], ids=["burst", "sequence"])
def test_a_whole_session_goes_with_the_simulated_glove(tmp_path: Path, text: str) -> None:
    rig = Rig(tmp_path, text)
    try:
        rig.work()
        assert rig.session.ended
        assert rig.session.engine.complete
        assert rig.session.engine.counts().triggered == 2
        turns = [event.payload["glove"] for event in rig.events() if event.kind == "robot-turn"]
        assert {"opens", "closes"} == set(turns)
        assert rig.kinds().count("robot-ready") == 1
        assert any(line.startswith("Robot glove: opened") for line in rig.session.review())
        assert any("set off by the robot glove's opening" in line for line in rig.session.review())
        assert not rig.session.went_wrong
    finally:
        rig.close()


def test_opening_sets_off_a_burst_and_closing_ends_it_by_its_ramp(rig: Rig) -> None:
    source = in_burst(rig)
    source.opening = False
    rig.go(100 * MS)
    assert rig.status.progress.phase == "ramp down"
    assert rig.flowing_ua > 0
    rig.go(SECOND)
    assert (rig.state, rig.flowing_ua) == (State.REST, 0)
    assert rig.session.engine.counts().phases_skipped == 1


def test_a_turn_that_comes_in_the_rest_is_not_kept(rig: Rig) -> None:
    source = waiting(rig)
    for opening in (True, False):
        source.opening = opening
        rig.go(1_500 * MS)
    while rig.state is not State.REST:
        rig.go(100 * MS)
    source.opening = True
    rig.go(6 * SECOND)
    assert (rig.state, rig.flowing_ua) == (State.LISTENING, 0)
    source.opening = False
    rig.go(SECOND)
    source.opening = True
    rig.go(SECOND)
    assert rig.state is State.BURST


def test_the_key_is_not_the_glove(rig: Rig) -> None:
    waiting(rig)
    assert Kind.KEY not in rig.status.can
    assert rig.order(Kind.KEY) == "the switch has nothing to do now"
    assert rig.status.next_action.startswith("The robot glove opens next")
    rig.go(5 * SECOND)
    assert rig.flowing_ua == 0


BROKEN = {
    "not ready": ("ready", False, "reports a fault or its stop"),
    "unplugged": ("lost", True, "its line is lost"),
    "silent": ("silent", True, "its line is lost"),
    "stale": ("age_us", STALE_US + 1, "its line is stale"),
    "future": ("age_us", -1, "its line is stale"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_glove_that_is_not_ready_ends_a_burst_at_once_and_for_good(rig: Rig, case: str) -> None:
    source = in_burst(rig)
    name, value, why = BROKEN[case]
    whole = getattr(source, name)
    setattr(source, name, value)
    rig.go(60 * MS)
    assert rig.flowing_ua == 0
    assert rig.twin.stages[0].ledger.train is None or rig.twin.current_ua(0) == 0
    assert rig.state is State.STOPPED
    assert rig.session.stop_reason.startswith("the robot glove ")
    assert why in rig.status.alarm_text
    assert rig.session.latch.tripped
    setattr(source, name, whole)  # the glove is well again, and nothing comes back by itself
    for _ in range(10):
        source.opening = not source.opening
        rig.go(SECOND)
        assert (rig.state, rig.flowing_ua) == (State.STOPPED, 0)
    assert [kind for kind in rig.kinds() if kind in ("fault", "robot-not-ready")] == ["fault", "robot-not-ready"]
    assert rig.session.glove is not None
    assert rig.session.glove.faults == 1


def test_a_stop_takes_the_gloves_permission_to_move_and_clearing_gives_it_back(rig: Rig) -> None:
    source = in_burst(rig)
    assert source.moves
    rig.session.stop_now("test")
    rig.go(20 * MS)
    assert not source.moves
    rig.until_off()
    rig.go(500 * MS)
    assert not source.moves
    assert rig.order(Kind.CLEAR) == ""
    rig.go(20 * MS)
    assert source.moves


@pytest.mark.parametrize("state", [State.TITRATING, State.TRIAL])
def test_a_fault_ends_thresholds_and_trial_as_well(rig: Rig, state: State) -> None:
    _, source = led(rig)
    rig.work(until=state)
    source.ready = False
    rig.go(60 * MS)
    assert rig.state is State.STOPPED
    rig.go(SECOND)
    assert rig.flowing_ua == 0


def test_nothing_starts_before_the_glove_is_ready(rig: Rig) -> None:
    _, source = led(rig)
    rig.work(until=State.THRESHOLDS)
    source.ready = False
    rig.go(500 * MS)
    assert Kind.START not in rig.status.can
    assert "nothing starts before it is ready" in rig.status.next_action
    assert "nothing is armed before it is ready" in rig.order(Kind.START)
    source.ready = True
    rig.go(300 * MS)
    assert "nothing is armed" in rig.order(Kind.START)
    rig.go(600 * MS)
    assert rig.order(Kind.START) == ""


def test_a_fault_while_the_board_arms_is_a_fault(rig: Rig) -> None:
    _, source = led(rig)
    rig.work(until=State.THRESHOLDS)
    rig.go(SECOND)
    assert rig.order(Kind.START) == ""
    source.lost = True
    rig.go(SECOND)
    assert rig.state is State.STOPPED
    assert rig.flowing_ua == 0


@pytest.mark.parametrize("seed", range(3))
def test_over_any_history_nothing_flows_while_the_glove_is_not_ready(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rig = Rig(tmp_path, ROBOT.replace("repetitions = 2", "repetitions = 90"))
    try:
        source, bad, flowed, stops = waiting(rig), False, 0, 0
        for _ in range(250):
            source.opening ^= chance.random() < 0.15
            bad = chance.random() < (0.6 if bad else 0.04)
            source.ready, source.lost = not bad or chance.random() < 0.5, False
            source.lost = bad and source.ready
            rig.go(chance.choice((40, 100, 400)) * MS)
            flowed += rig.flowing_ua > 0
            stops += rig.state is State.STOPPED
            if bad:
                assert rig.flowing_ua == 0
                assert not rig.session.engine.armed
            elif rig.state is State.STOPPED:
                rig.until_off()
                rig.order(Kind.CLEAR)
            elif rig.state is State.READY:
                rig.order(Kind.START)
            elif rig.state is State.TRIAL:
                rig.order(Kind.RAISE)
                rig.order(Kind.BEGIN)
        assert flowed
        assert stops
    finally:
        rig.close()


def test_the_command_lines_glove_is_the_sessions(tmp_path: Path) -> None:
    request = RunRequest(protocol="x.toml", robot="line:/dev/no-such-port")
    assert start._opening(request).robot == "line:/dev/no-such-port"
    parsed = parse(["run", "x.toml", "--robot", "sim:"])
    assert parsed.robot == "sim:"
    assert parse(["--robot", "sim:"]).start_robot == "sim:"
    rig = Rig(tmp_path, ROBOT)
    try:
        rig.session.wishes = Wishes(robot=request.robot)  # a screen gives an order without one
        rig.order(Kind.OPEN, protocol=str(rig.path), patient="P-1", side="right", board="sim:")
        rig.go(SECOND)
        assert rig.session.case is None
        assert rig.status.refusal.startswith("there is no port /dev/no-such-port")
        assert rig.session.glove is None
    finally:
        rig.close()


def test_the_glove_is_let_go_of_with_the_session(rig: Rig) -> None:
    _, source = led(rig)
    rig.close()
    assert source.closed


def test_a_guided_file_is_given_no_glove() -> None:
    class Plan:
        ear = None

    with pytest.raises(UsageError, match="led by no robot glove"):
        recording(Order(Kind.OPEN, robot="sim:"), Plan())  # type: ignore[arg-type]
