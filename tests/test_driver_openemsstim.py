"""The driver of openEMSstim on its twin in six firmwares: half a second at a time, never off, only the ledger judges."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from stimctl.boards import board_url, split_calibration
from stimctl.boards.openemsstim import dialects as d
from stimctl.boards.openemsstim.calibration import Calibration, Unit
from stimctl.boards.openemsstim.dialects import Dialect
from stimctl.boards.openemsstim.fit import DEAD_MAN_MS, misfit, usable
from stimctl.boards.openemsstim.probe import QUESTION
from stimctl.boards.openemsstim.stopping import BEFORE_PROBE, emergency, orderly
from stimctl.driver import Armed, Connected, DriverState, Faulted, Lost, OutputState, Setup, Unconfirmed
from stimctl.driver.openemsstim import OpenEmsStimDriver
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE, is_within
from stimctl.pulse import PulseTrain, symmetric
from stimctl.session.measuring import from_file
from stimctl.sim.openemsstim import UNIT, OpenEmsStim, measured, unit_below
from stimctl.units import MicroAmp
from tests.trains_rig import MS, SECOND, TrainsRig, states

ON, UNKNOWN = OutputState.ON, OutputState.UNKNOWN
ALL = pytest.mark.parametrize("dialect", d.DIALECTS, ids=lambda dialect: dialect.name)
UNIT_TOLD = Unit("Trainer 3", "programme 2, knob at 4", 35_000, 200, "M. M.", "2026-03-31")
CALIBRATION = Calibration(UNIT_TOLD, dict.fromkeys(range(4), measured()))
DEAD_US = DEAD_MAN_MS * MS
LOWEST_US = 220 * MS
"""A stop closes each relay at the lowest step for a millisecond, and for 50 more while another one is opened first."""


class Rig(TrainsRig[OpenEmsStim]):
    setups = (Setup(0, 30_000, 200, 0, 200, 35_000), Setup(1, 20_000, 200, 0, 200, 35_000))
    rate_mhz, width_us, connect_us = 35_000, 200, 9 * SECOND
    connect_step_us = 20 * MS  # it boots for most of that time

    def __init__(self, dialect: Dialect = d.MASTER_2017, calibration: Calibration | None = CALIBRATION) -> None:
        super().__init__(
            lambda now_us: OpenEmsStim(dialect, now_us=now_us),
            lambda line, latch, tokens: OpenEmsStimDriver(
                line, latch, tokens=tokens, calibration=calibration, simulated=True
            ),
        )

    def texts(self, since: int = 0) -> list[str]:
        """Texts that have left the host, hex forms as what they stand for."""
        lines = b"".join(data for _, data in self.line.writes[since:]).decode().split("\n")
        plain = [bytes.fromhex(line[5:-1]).decode() if line.startswith("WV,0,") else line for line in lines]
        return [line for line in plain if line]

    def drives(self, since: int = 0) -> list[str]:
        """Those of them that close a relay for longer than the stop does."""
        return [text for text in self.texts(since) if "T450" in text]

    def flows_after(self, since_us: int) -> bool:
        """Whether anything but a stop's millisecond at the lowest step flowed after that."""
        self.twin.advance(self.now_us)
        lowest_ua = measured()[0][1]
        return any(
            stretch.end_us > since_us
            and (stretch.train.amplitude_ua > lowest_ua or stretch.end_us - max(since_us, stretch.start_us) > LOWEST_US)
            for ledger in self.twin.ledger
            for stretch in ledger.history(self.now_us)
        )


def the_fault(rig: Rig, us: int = SECOND) -> str:
    """The first thing that is told; the latch holds, and nobody says off."""
    told = rig.run(us)
    assert told, "nobody noticed"
    assert isinstance(told[0], Faulted)
    assert rig.latch.tripped
    assert rig.driver.output is UNKNOWN
    return str(told[0].error)


# --- getting to know ---------------------------------------------------------------------------------------------


@ALL
def test_each_firmware_is_told_and_driven_and_stopped(dialect: Dialect) -> None:
    rig = Rig(dialect).connected()
    [connected] = rig.events
    assert isinstance(connected, Connected)
    assert (connected.facts.firmware, connected.facts.outputs) == (dialect.name, dialect.channels)
    assert rig.silent_since(0)
    rig.driver.arm(rig.setups, rig.now_us)
    rig.run(SECOND)
    rig.send(12_000, 9_000)
    rig.run(300 * MS)
    assert rig.peaks_ua(100 * MS)[:2] == [11_921, 8_941]
    begun_us = rig.now_us
    rig.driver.stop("Space")
    rig.run(3 * SECOND)
    assert rig.driver.state is DriverState.STOPPED
    assert rig.driver.output is UNKNOWN
    assert not rig.flows_after(begun_us + 300 * MS)
    assert any(isinstance(event, Unconfirmed) for event in rig.events)


@ALL
def test_getting_to_know_a_board_closes_no_relay(dialect: Dialect) -> None:
    rig = Rig(dialect).connected()
    said = b"".join(data for _, data in rig.line.writes)
    assert said.startswith(BEFORE_PROBE.writes[0] + QUESTION)
    assert not [text for text in rig.texts() if "I" in text]
    assert not any(ledger.stretches for ledger in rig.twin.ledger)


def test_what_it_is_and_cannot_do_is_said_at_connect() -> None:
    facts = Rig().connected().driver.facts
    assert facts is not None
    assert (facts.simulated, facts.confirms_zero, facts.stop_switch, facts.dead_man_ms) == (True, False, False, 500)
    assert is_within(facts.limits, ABSOLUTE)
    said = " ".join(facts.cautions)
    for words in (
        "M. M. measured on 2026-03-31 behind Trainer 3",
        "programme 2",
        "35 Hz, 200 µs",
        "nothing below 8.627",
    ):
        assert words in said
    for words in ("within 0.5 s", "never shown as off", "no stop button"):
        assert words in said


@pytest.mark.parametrize("said", [b"", b"Welcome to NeuroStimDuino\r\n", b"\xff\x00" * 40])
def test_another_device_or_none_is_one_clear_message(said: bytes) -> None:
    rig = Rig()
    rig.line.change = lambda _: said
    rig.driver.open(rig.now_us)
    told = rig.run(17 * SECOND, step=20 * MS)
    assert [type(each) for each in told] == [Lost]
    assert "has not said SETUP DONE within 15 s" in str(told[0].error)  # type: ignore[union-attr]
    assert rig.driver.output is UNKNOWN


def test_an_unknown_firmware_is_refused() -> None:
    rig = Rig()
    rig.line.change = lambda said: said.replace(b"SINGLE-CHAR", b"SOMETHING")
    rig.driver.open(rig.now_us)
    told = rig.run(9 * SECOND)
    assert [type(each) for each in told] == [Lost]
    assert "no firmware is known" in str(told[0].error)  # type: ignore[union-attr]
    assert not rig.drives()


# --- the calibration ---------------------------------------------------------------------------------------------


def test_without_a_calibration_it_is_refused_for_people_with_one_message() -> None:
    rig = Rig(calibration=None).connected()
    why = rig.driver.misfit([(0, rig.train(12_000))])
    assert "without a calibration file it is refused for people" in why
    assert "openemsstim:PORT?calibration=FILE" in why
    with pytest.raises(UsageError, match="calibration file"):
        rig.driver.arm(rig.setups, rig.now_us)
    rig.run(SECOND)
    assert not rig.drives()


@pytest.mark.parametrize(
    ("train", "words"),
    [
        (symmetric(12_000, 200, 30_000), "asks for 30 Hz, and the unit was measured at 35 Hz"),
        (symmetric(12_000, 250, 35_000), "asks for 250 µs"),
        (symmetric(40_000, 200, 35_000), "nobody has measured more than 33.411 mA"),
        (symmetric(8_000, 200, 35_000), "stays below 8.627 mA"),
        (symmetric(12_000, 200, 35_000, pulses_per_period=2), "one pulse in each period"),
        (symmetric(12_000, 200, 35_000, interphase_gap_us=100), "no gap"),
    ],
)
def test_what_it_cannot_give_is_said_with_the_reason(train: PulseTrain, words: str) -> None:
    assert words in misfit(CALIBRATION, [(1, train)])
    assert misfit(CALIBRATION, [(0, symmetric(12_000, 200, 35_000))]) == ""


def test_a_channel_that_nobody_measured_is_not_used() -> None:
    half = Calibration(UNIT_TOLD, {0: measured()})
    assert "not in the calibration" in misfit(half, [(1, symmetric(12_000, 200, 35_000))])
    with pytest.raises(UsageError, match=r"\[2\] are not in the calibration"):
        Rig(calibration=half).connected().driver.arm(Rig.setups, 99 * SECOND)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (((1, 10_500), (2, 11_000)), "weaken the unit"),
        (((1, 5_000), (9, 6_500)), "measure some percents in between"),
    ],
)
def test_a_calibration_by_which_nobody_could_be_raised_gently_is_refused(
    points: tuple[tuple[int, int], ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        usable(Calibration(UNIT_TOLD, {0: tuple((percent, MicroAmp(ua)) for percent, ua in points)}))
    assert usable(CALIBRATION) is CALIBRATION


def test_the_file_is_named_behind_the_port() -> None:
    assert split_calibration("openemsstim:/dev/ttyUSB0?calibration=a b.toml") == (
        "openemsstim:/dev/ttyUSB0",
        "a b.toml",
    )
    assert (
        split_calibration("openemsstim:rfc2217://h:1?timeout=3?calibration=c")[0]
        == "openemsstim:rfc2217://h:1?timeout=3"
    )
    assert board_url("openemsstim:/dev/x?calibration=f")[1] == "/dev/x"
    with pytest.raises(UsageError, match="needs no calibration"):
        split_calibration("p24:/dev/x?calibration=f")
    with pytest.raises(UsageError, match="names no calibration file"):
        split_calibration("openemsstim:/dev/x?calibration=")
    with pytest.raises(UsageError, match=r"is a calibration file; write openemsstim:PORT\?calibration=FILE"):
        split_calibration("openemsstim:/dev/x?calib=f")


def test_a_calibration_that_cannot_be_used_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text(
        'format = 1\nboard = "openemsstim"\nunit = "u"\nknobs = "k"\nrate_hz = 35\nphase_width_us = 200\n'
        'load_ohm = 500\ncalibrated_by = "w"\ncalibrated_on = 2026-03-31\n'
        "[[channel]]\noutput = 1\npercent = [1, 20]\nmeasured_ma = [4.1, 7.9]\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match=r"unit\.toml: calibration, channel 1: from 1 % to 20 %"):
        from_file(str(path))


def test_a_simulated_unit_gives_nowhere_more_than_was_measured() -> None:
    points = ((10, 2_000), (50, 4_000), (100, 5_000))
    unit = unit_below(points, UNIT)
    shown = dict(measured(unit))
    assert all(shown[percent] <= ua for percent, ua in points)
    assert any(shown[percent] >= ua * 99 // 100 for percent, ua in points)


# --- delivering --------------------------------------------------------------------------------------------------


def test_what_flows_is_the_measured_current_next_below() -> None:
    rig = Rig().armed()
    for level in range(0, 20_000, 500):
        rig.send(level, 0)
        rig.run(200 * MS)
        flows = rig.peaks_ua(100 * MS)[0]
        assert flows <= level
        assert flows == max((ua for _, ua in measured() if ua <= level), default=0)
        assert rig.reports[-1].outputs[0].applied_ua == (level if flows else 0)
    assert rig.reports[-1].outputs[0].measured_ua is None


def test_every_text_carries_less_than_half_a_second() -> None:
    rig = Rig().delivering(12_000, 9_000)
    rig.run(3 * SECOND)
    texts = [text for text in rig.texts() if "I" in text]
    assert len(texts) > 10
    assert {text.partition("T")[2] for text in texts} == {"450G"}
    assert not [text for text in rig.texts() if text[0] in "12qawser"]


def test_the_loop_prolongs_for_as_long_as_it_lasts() -> None:
    rig = Rig().delivering(12_000, 9_000)
    begun_us = rig.now_us
    rig.run(5 * SECOND)
    assert [len(rig.pulses(n, begun_us)) for n in (0, 1)] == [175, 175]  # not one is missing


def test_a_hung_loop_ends_it_within_half_a_second_however_much_is_polled() -> None:
    rig = Rig().delivering(12_000)
    rig.beating, hung_us = False, rig.now_us
    rig.run(400 * MS)
    said = len(rig.line.writes)
    rig.run(2 * SECOND)
    assert not rig.flows_after(hung_us + DEAD_US + 150 * MS)
    assert not rig.drives(said)
    assert rig.latch.tripped


def test_a_dead_host_ends_it_within_half_a_second() -> None:
    rig = Rig().delivering(12_000, 9_000)
    dead_us = rig.now_us
    rig.now_us += 10 * SECOND
    assert rig.silent_since(dead_us + DEAD_US + 150 * MS)  # one relay after the other, 50 ms each


def test_zero_is_an_open_relay_and_the_other_goes_on() -> None:
    rig = Rig().delivering(12_000, 9_000)
    rig.send(0, 9_000)
    rig.run(150 * MS)
    assert not rig.twin.sockets[0].closed
    assert rig.twin.sockets[1].closed
    rig.send(0, 0)
    rig.run(200 * MS)
    assert not any(socket.closed for socket in rig.twin.sockets)
    rig.run(SECOND)
    assert rig.peaks_ua(500 * MS) == [0, 0]


@pytest.mark.parametrize("wait_ms", range(0, 1_200, 100))
def test_a_setting_after_a_rest_waits_for_no_look(wait_ms: int) -> None:
    """The question whether it reads makes the board deaf for a while; a look that finds nothing closed adds nothing to that."""
    rig = Rig().armed()
    rig.send(0, 0)
    rig.run(2 * SECOND + wait_ms * MS, step=100 * MS)
    rig.send(12_000, 0)
    rig.run(300 * MS, step=100 * MS)
    assert not any(isinstance(event, Faulted) for event in rig.events)
    assert rig.twin.sockets[0].closed


@pytest.mark.parametrize("ua", [30_100, 12_050])
def test_the_ceilings_stand_here_since_the_board_has_none(ua: int) -> None:
    rig = Rig().armed()
    if ua > 30_000:
        with pytest.raises(OurBug, match="ceiling"):
            rig.send(ua)
    else:
        rig.send(ua)
        rig.run(200 * MS)
        assert rig.peaks_ua(100 * MS)[0] <= ua


# --- stop --------------------------------------------------------------------------------------------------------

STATES = states(12_000, 9_000, connecting_us=2 * SECOND, arming_us=40 * MS)


@pytest.mark.parametrize("state", STATES)
def test_a_stop_in_every_state_opens_every_relay_and_is_never_off(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    stopped_us, written = rig.now_us, len(rig.line.writes)
    rig.driver.stop("Space")
    assert len(rig.line.writes) == written + 1
    rig.latch.clear()
    rig.run(4 * SECOND)
    assert not rig.flows_after(stopped_us + 250 * MS)
    assert not any(socket.closed for socket in rig.twin.sockets)
    assert rig.driver.output is UNKNOWN
    assert not rig.drives(written)


@ALL
@pytest.mark.parametrize("goal", ["stopped", "disarmed"])
def test_a_stop_is_said_in_full_and_the_board_is_given_the_time_to_read_it(dialect: Dialect, goal: str) -> None:
    rig = Rig(dialect).delivering(12_000, 9_000)
    written = len(rig.line.writes)
    expected = orderly(dialect, {0, 1}) if goal == "disarmed" else emergency(dialect, {0, 1})
    if goal == "disarmed":
        rig.driver.disarm(rig.now_us)
    else:
        rig.driver.stop("Space")
    rig.run(expected.ends_us - 50 * MS)
    said = rig.line.writes[written + (goal == "stopped") :]  # the first was written at once, and is said once more
    assert tuple(data for _, data in said) == expected.writes
    assert min(b - a for (a, _), (b, _) in itertools.pairwise(said)) >= expected.apart_us
    assert expected.apart_us == (250 if dialect.channels == 4 else 150) * MS
    assert rig.driver.state is DriverState.STOPPING
    assert rig.twin.uart.lost == 0
    rig.run(SECOND)
    assert rig.driver.state.value == goal


@ALL
def test_a_stop_touches_no_channel_that_was_never_armed(dialect: Dialect) -> None:
    """Its millisecond at the lowest step would be felt there, and was no part of anything that was approved."""
    rig = Rig(dialect).connected()
    for _ in range(2):
        rig.driver.stop("Space")
        rig.run(4 * SECOND)
        rig.latch.clear()
    assert not any(ledger.stretches for ledger in rig.twin.ledger)
    rig.driver.arm(rig.setups[:1], rig.now_us)
    rig.run(SECOND)
    rig.send(12_000)
    rig.run(300 * MS)
    rig.driver.stop("Space")
    rig.run(4 * SECOND)
    assert rig.twin.ledger[0].pulses
    assert not any(ledger.stretches for ledger in rig.twin.ledger[1:])


@pytest.mark.parametrize("dialect", [each for each in d.DIALECTS if each.stop is not None], ids=lambda each: each.name)
def test_what_ends_a_session_in_order_lets_no_more_pulse_through(dialect: Dialect) -> None:
    rig = Rig(dialect).delivering(12_000, 9_000)
    ended_us = rig.now_us
    rig.driver.disarm(rig.now_us)
    rig.run(3 * SECOND)
    assert rig.silent_since(ended_us + 150 * MS)
    assert rig.driver.state is DriverState.DISARMED


def test_a_stop_in_the_midst_of_an_orderly_end_is_a_whole_one() -> None:
    rig = Rig().delivering(12_000, 9_000)
    rig.driver.disarm(rig.now_us)
    rig.run(200 * MS)
    written = len(rig.line.writes)
    rig.driver.stop("Space")
    rig.run(4 * SECOND)
    said = [data for _, data in rig.line.writes[written:]]
    assert [data for data in said if b"\nWV" in data][-6:] == list(emergency(d.MASTER_2017, {0, 1}).writes)
    assert rig.driver.state is DriverState.STOPPED


@ALL
def test_stops_that_are_hammered_toggle_nothing(dialect: Dialect) -> None:
    """More is written than waits for the board: what is lost must not leave a tail that is a command by itself."""
    rig = Rig(dialect).delivering(12_000, 9_000)
    begun_us = rig.now_us
    for _ in range(60):
        rig.driver.stop("Space")
        rig.run(10 * MS)
    rig.run(4 * SECOND)
    assert not rig.twin.crashed
    assert not any(socket.closed for socket in rig.twin.sockets)
    assert not rig.flows_after(begun_us + SECOND)


@pytest.mark.parametrize("state", STATES)
def test_a_board_that_falls_silent_in_any_state_is_lost_and_never_off(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    rig.line.mute, silent_us, written = True, rig.now_us, len(rig.line.writes)
    rig.run(18 * SECOND)
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert rig.latch.tripped
    assert not rig.flows_after(silent_us + 2 * SECOND)
    assert len(rig.drives(written)) <= 8  # prolonged until two echoes are missed


@pytest.mark.parametrize("state", STATES)
def test_a_cable_pulled_in_any_state_ends_it_by_itself(state: str) -> None:
    rig = Rig()
    STATES[state](rig)
    pulled_us = rig.now_us
    rig.link.close()
    told = rig.run(3 * SECOND)
    assert [type(each) for each in told][-1:] == [Lost]
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert not rig.flows_after(pulled_us + DEAD_US + 150 * MS)


def test_writes_that_reach_nobody_stop_it() -> None:
    rig = Rig().delivering(12_000, 9_000)
    rig.line.deaf, stuck_us = True, rig.now_us
    rig.run(6 * SECOND)
    assert rig.latch.tripped
    assert (rig.driver.state, rig.driver.output) == (DriverState.LOST, UNKNOWN)
    assert not rig.flows_after(stuck_us + DEAD_US + 150 * MS)


def test_nothing_approved_before_a_stop_leaves_after_it() -> None:
    rig = Rig().armed()
    rig.send(12_000, 9_000)
    written = len(rig.line.writes)
    rig.send(20_000, 9_000)
    rig.driver.stop("Space")
    rig.latch.clear()
    rig.run(3 * SECOND)
    assert not rig.drives(written)


# --- what goes wrong ---------------------------------------------------------------------------------------------


def test_a_board_that_boots_again_is_noticed_and_not_driven_on() -> None:
    rig = Rig().delivering(12_000)
    rig.twin.reset(rig.now_us)
    written = len(rig.line.writes)
    rig.run(10 * SECOND)
    assert rig.latch.tripped
    assert len(rig.drives(written)) <= 8
    assert rig.driver.output is UNKNOWN


def test_what_it_could_not_do_is_a_fault() -> None:
    rig = Rig().delivering(12_000)
    rig.line.extra = b"Unknown command: C0\r\n"
    assert "could do nothing with" in the_fault(rig)


def test_an_echo_of_what_was_not_said_is_a_fault() -> None:
    rig = Rig().delivering(12_000)
    rig.line.extra = b"\tUSB: received command: C0I90T5000G\r\n"
    assert "was not told" in the_fault(rig)


def test_arming_waits_for_a_board_that_reads() -> None:
    rig = Rig().connected()
    rig.driver.arm(rig.setups, rig.now_us)
    rig.line.mute = True
    told = rig.run(2 * SECOND)
    assert Armed() not in told
    assert isinstance(told[-1], Lost)


def test_a_latched_session_does_not_arm() -> None:
    rig = Rig().connected()
    rig.driver.stop("Space")
    rig.run(3 * SECOND)
    with pytest.raises(UsageError, match="Space"):
        rig.driver.arm(rig.setups, rig.now_us)
    rig.latch.clear()
    rig.driver.arm(rig.setups, rig.now_us)
    assert Armed() in rig.run(SECOND)


def test_limits_hold_on_the_ledger_over_a_whole_course() -> None:
    rig = Rig().armed()
    for level in (*range(0, 20_000, 500), *range(20_000, -1, -500)):
        rig.send(level, level // 2)
        rig.run(60 * MS)
    rig.driver.disarm(rig.now_us)
    rig.run(3 * SECOND)
    assert [ledger.peak_ua <= most for ledger, most in zip(rig.twin.ledger, (20_000, 10_000), strict=True)] == [
        True
    ] * 2
    assert rig.twin.uart.lost == 0
    assert rig.apart_us(0) >= 28_571
