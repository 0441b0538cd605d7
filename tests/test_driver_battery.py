"""Every driver of a board with a language of its own goes through the battery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from stimctl.boards.neurostimduino.stopping import STOP as NSD_STOP
from stimctl.boards.openemsstim.codec import LINE_FEED
from stimctl.boards.openemsstim.codec import encode as encode_ems
from stimctl.boards.openemsstim.dialects import DIALECTS, Dialect
from stimctl.boards.openemsstim.echoes import Echoes
from stimctl.boards.openemsstim.probe import BOOT_US
from stimctl.boards.openemsstim.stopping import BEFORE_PROBE, CLOSING_US, emergency
from stimctl.boards.openemsstim.update import Relays
from stimctl.boards.openemsstim.words import StopAll
from stimctl.boards.sciencemode.decoder import FrameDecoder
from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2.device import WATCHDOG_US
from stimctl.boards.sciencemode2.stopping import STOP as STOP_2
from stimctl.boards.sciencemode4 import codec as codec4
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4.devices import P24, REHAMOVE3, SILENT_US, Device
from stimctl.boards.sciencemode4.stopping import STOP as STOP_4
from stimctl.boards.uecu.stopping import STOP as UECU_STOP
from stimctl.driver import DriverState, OutputState, Stopped, Unconfirmed
from stimctl.driver.line import Line
from stimctl.driver.neurostimduino import NeuroStimDuinoDriver
from stimctl.driver.openemsstim import OpenEmsStimDriver
from stimctl.driver.openloop import OpenLoop
from stimctl.driver.plain import CONNECT_US, Plain
from stimctl.driver.question import Question
from stimctl.driver.sciencemode2 import ScienceMode2Driver
from stimctl.driver.sciencemode4 import ScienceMode4Driver
from stimctl.driver.sciencemode4.hearing import Hearing
from stimctl.driver.uecu import UecuDriver
from stimctl.driver.uecu.setting_up import GIVE_UP_US
from stimctl.driver.worn import Worn
from stimctl.envelope.latch import approve
from stimctl.errors import LinkLost
from stimctl.safety import Latch
from stimctl.sim.openemsstim import measured
from stimctl.units import MS, SECOND
from tests import p24_rig, rehastim2_rig
from tests import test_driver_neurostimduino as nsd
from tests import test_driver_openemsstim as ems
from tests import test_driver_uecu as uecu
from tests.battery_boards import BOARDS
from tests.driver_battery import Driven, DriverBattery


def _opened(rig: Any) -> None:
    rig.driver.open(rig.now_us)


def _arming(rig: Any, setups: Any) -> None:
    rig.connected()
    rig.driver.arm(setups, rig.now_us)
    assert rig.driver.state is DriverState.ARMING


def _armed(rig: Any) -> None:
    """At zero, which a session says at once."""
    rig.armed()
    rig.send(0, 0)
    rig.run(300 * MS)


def _stopping(rig: Any, *ua: int) -> None:
    rig.delivering(*ua)
    rig.driver.stop("first")
    rig.driver.poll(rig.now_us)
    assert rig.driver.state is DriverState.STOPPING


def _stopped(rig: Any, *ua: int) -> None:
    rig.delivering(*ua)
    rig.driver.stop("first")
    rig.run(SECOND)
    for _ in range(100):  # a stop that nothing confirms takes as long as it takes to say
        rig.run(0 if rig.driver.state is DriverState.STOPPED else 50 * MS)
    assert rig.driver.state is DriverState.STOPPED


def states(setups: Any, *ua: int) -> dict[str, Callable[[Any], object]]:
    """The same for all; ``ua`` is what runs."""
    return {
        "connecting": _opened,
        "at rest": lambda rig: rig.connected(),
        "arming": lambda rig: _arming(rig, setups),
        "armed": _armed,
        "starting": lambda rig: rig.armed().send(*ua),
        "running": lambda rig: rig.delivering(*ua),
        "stopping": lambda rig: _stopping(rig, *ua),
        "stopped": lambda rig: _stopped(rig, *ua),
    }


def _raises_4(data: bytes, device: Device) -> bool:
    raising = (m4.Update, m4.ChannelConfig, m4.MlInit, m4.LlInit)
    return any(isinstance(frame.word, raising) for frame in codec4.Decoder(device.dialect).feed(data))


def _raises_2(data: bytes) -> bool:
    raising = (m2.InitChannelList, m2.StartChannelList, m2.SinglePulse)
    return any(isinstance(frame.word, raising) for frame in codec2.Decoder().feed(data))


def _sciencemode4_slow(device: Device) -> Driven:
    """The same in the low level: once nobody asks, what was asked for last is all that comes."""
    return replace(
        _sciencemode4(device),
        name=f"sciencemode4 {device.title} low level",
        fresh=lambda: p24_rig.Rig(device, slow=True),
        states=states(p24_rig.SLOW_SETUPS, 20_000, 16_000),
        silent_us=p24_rig.SLOW_US + 10 * MS,
        pulse_us=p24_rig.SLOW_US,
    )


def _sciencemode4(device: Device) -> Driven:
    return Driven(
        name=f"sciencemode4 {device.title}",
        fresh=lambda: p24_rig.Rig(device),
        another=lambda rig, latch: ScienceMode4Driver(rig.link, latch, device, tokens=lambda: 99),
        states=states(p24_rig.SETUPS, 20_000, 16_000),
        stop=STOP_4,
        stops_us=2 * MS,
        confirms_us=3 * SECOND,
        silent_us=SILENT_US,
        connects_us=CONNECT_US,
        raises=lambda data: _raises_4(data, device),
        steps_ua=(500, 4_000, 12_500, 30_000),
    )


P24_DRIVEN, REHAMOVE3_DRIVEN = map(_sciencemode4, (P24, REHAMOVE3))
P24_SLOW, REHAMOVE3_SLOW = map(_sciencemode4_slow, (P24, REHAMOVE3))

REHASTIM2_DRIVEN = Driven(
    name="sciencemode2",
    fresh=rehastim2_rig.Rig,
    another=lambda rig, latch: ScienceMode2Driver(rig.link, latch, tokens=lambda: 99),
    states=states(rehastim2_rig.SETUPS, 20_000, 16_000),
    stop=STOP_2,
    stops_us=2 * MS,
    confirms_us=3 * SECOND,
    silent_us=WATCHDOG_US,
    connects_us=CONNECT_US,
    raises=_raises_2,
    steps_ua=(1_000, 4_000, 13_000, 30_000),
)

NEUROSTIMDUINO_DRIVEN = Driven(
    name="neurostimduino",
    fresh=nsd.Rig,
    another=lambda rig, latch: NeuroStimDuinoDriver(rig.link, latch, tokens=lambda: 99),
    states=states(nsd.Rig.setups, 9_600, 4_800),
    stop=NSD_STOP.writes[0],
    stops_us=20 * MS,
    confirms_us=3 * SECOND,
    silent_us=nsd.TRAIN_US,
    connects_us=CONNECT_US,
    raises=lambda data: b"STIM" in data,
    steps_ua=(240, 4_800, 9_600, 19_920),
    words=2,
)

_EMS_UA = (12_000, 9_000)
_EMS_ORDER = sorted(ua for _, ua in measured())


def _opened_again(rig: Any, latch: Latch) -> OpenEmsStimDriver:
    """Opening its port resets the board."""
    rig.twin.reset(rig.now_us)
    return OpenEmsStimDriver(rig.link, latch, tokens=lambda: 99, calibration=ems.CALIBRATION)


def _raises_ems(data: bytes) -> bool:
    """Whether a relay is closed for longer than a stop does: in the hex form, too."""
    lines = data.decode("ascii", "replace").split("\n")
    texts = [bytes.fromhex(line[5:-1]).decode() if line.startswith("WV,0,") else line for line in lines]
    return any("I" in text and not text.endswith("I1T1G") for text in texts)


def _openemsstim(dialect: Dialect) -> Driven:
    """Half a second at a time; whether a relay has opened it never says."""
    word = dialect.stop or StopAll()
    there = states(ems.Rig.setups, *_EMS_UA)
    untouched, touched = emergency(dialect, ()), emergency(dialect, (0, 1))
    return Driven(
        name=f"openemsstim {dialect.name}",
        fresh=lambda: ems.Rig(dialect),
        another=_opened_again,
        states=there,
        stop=LINE_FEED + encode_ems(word, dialect.form),
        first=BEFORE_PROBE.writes[0],
        in_full={state: untouched if state == "at rest" else touched for state in there if state != "connecting"},
        stops_us=300 * MS,
        stop_lets_ua=_EMS_ORDER[0],
        ends_us=touched.ends_us,
        confirms_us=3 * SECOND,
        silent_us=650 * MS,
        closes_us=150 * MS if dialect.stop is not None else 650 * MS,
        connects_us=10 * SECOND,
        gives_up_us=BOOT_US + SECOND,
        raises=_raises_ems,
        repeats=True,
        notices_us=1_500 * MS,
        steps_ua=tuple(ua for ua in _EMS_ORDER if ua <= 30_000)[::20],
        lags_us=dialect.channels * CLOSING_US + 50 * MS,
    )


def _raises_uecu(data: bytes) -> bool:
    return data.startswith(uecu.GO) or (data.startswith(uecu.CHANGE) and any(data[5:7]))


UECU_DRIVEN = Driven(
    name="uecu",
    fresh=uecu.Rig,
    another=lambda rig, latch: UecuDriver(rig.link, latch, tokens=lambda: 99),
    states=states(uecu.Rig.setups, 12_000, 9_000),
    stop=UECU_STOP.writes[0],
    in_full=dict.fromkeys([state for state in states((), 0) if state != "connecting"], UECU_STOP),
    stops_us=uecu.DEAD_US,
    confirms_us=4 * SECOND,
    silent_us=uecu.DEAD_US,
    connects_us=2 * SECOND,
    gives_up_us=GIVE_UP_US + SECOND,
    raises=_raises_uecu,
    repeats=True,
    notices_us=3 * SECOND,
    steps_ua=(1_000, 4_000, 13_000, 30_000),
    words=3,  # two changes, and the first go
    lags_us=uecu.DEAD_US,
)

OPENEMSSTIM_DRIVEN = tuple(map(_openemsstim, DIALECTS))
DRIVEN = (
    *(P24_DRIVEN, REHAMOVE3_DRIVEN, P24_SLOW, REHAMOVE3_SLOW, REHASTIM2_DRIVEN, NEUROSTIMDUINO_DRIVEN),
    *(*OPENEMSSTIM_DRIVEN, UECU_DRIVEN),
)


def strangers_of(name: str) -> Callable[[], Mapping[str, tuple[bytes, ...]]]:
    """What the boards of other families say, one of each family: the first word of a name is the family's."""
    family = name.split(maxsplit=1)[0]
    families = {each.name.split()[0]: each.answers[:12] for each in BOARDS if each.name.split()[0] != family}
    return lambda: families


class TestP24(DriverBattery):
    driven = P24_DRIVEN
    strangers = strangers_of(driven.name)


class TestRehaMove3(DriverBattery):
    driven = REHAMOVE3_DRIVEN
    strangers = strangers_of(driven.name)


class TestP24LowLevel(DriverBattery):
    driven = P24_SLOW
    strangers = strangers_of(driven.name)


class TestRehaMove3LowLevel(DriverBattery):
    driven = REHAMOVE3_SLOW
    strangers = strangers_of(driven.name)


class TestRehaStim2(DriverBattery):
    driven = REHASTIM2_DRIVEN
    strangers = strangers_of(driven.name)


class TestNeuroStimDuino(DriverBattery):
    driven = NEUROSTIMDUINO_DRIVEN
    strangers = strangers_of(driven.name)


class TestMaster2017(DriverBattery):
    driven = OPENEMSSTIM_DRIVEN[0]
    strangers = strangers_of(driven.name)


class TestDev(DriverBattery):
    driven = OPENEMSSTIM_DRIVEN[1]
    strangers = strangers_of(driven.name)


class TestMultiplexer(DriverBattery):
    driven = OPENEMSSTIM_DRIVEN[2]
    strangers = strangers_of(driven.name)


class TestSimpleMultiplexer(DriverBattery):
    driven = OPENEMSSTIM_DRIVEN[3]
    strangers = strangers_of(driven.name)


class TestMaster2016(DriverBattery):
    driven = OPENEMSSTIM_DRIVEN[4]
    strangers = strangers_of(driven.name)


class TestFabbing(DriverBattery):
    driven = OPENEMSSTIM_DRIVEN[5]
    strangers = strangers_of(driven.name)


class TestUecu(DriverBattery):
    driven = UECU_DRIVEN
    strangers = strangers_of(driven.name)


def test_every_description_has_its_class() -> None:
    assert {each.driven.name for each in DriverBattery.__subclasses__()} == {each.name for each in DRIVEN}


# --- a battery that passes everything would be none ---------------------------------------------------------------


def _forgetful(self: FrameDecoder[Any], data: bytes) -> tuple[Any, ...]:
    self._tail = b""
    return _FEED(self, data)


def _fed_by_polls(self: ScienceMode2Driver, worn: Worn, now_us: int) -> None:
    worn.wants_look = True
    _SPEAK(self, worn, now_us)


def _believing(self: Plain) -> OutputState:
    return OutputState.OFF if self.state is DriverState.STOPPING else _OUTPUT.fget(self)


def _hoping(self: Plain, error: LinkLost) -> None:
    """A lost link that is taken for a bad moment."""


def _again(self: ScienceMode2Driver, question: Question, now_us: int) -> None:
    """What is not answered is said once more, whatever it was."""
    if question.setting and self._worn is not None and self._worn.out is not None:
        approved = approve(self._worn.out, self._latch.epoch, self._latch)
        self._update(self._worn, approved, now_us)


def _nothing(*_args: Any, **_more: Any) -> None:
    pass


def _pulsed_by_polls(self: Hearing, worn: Worn, now_us: int) -> None:
    self._counter += 1
    self._pulse(self._counter, now_us)
    _SPEAK_4(self, worn, now_us)


_SPEAK_4 = Hearing._speak
_FEED, _SPEAK = FrameDecoder.feed, ScienceMode2Driver._speak
_OUTPUT: Any = Plain.output


@pytest.mark.parametrize(
    ("where", "name", "fault", "test"),
    [
        (Line, "write_stop", _nothing, "test_a_stop_in_every_state_is_one_write_and_confirmed"),
        (Line, "write_stop", _nothing, "test_closing_stops_in_every_state"),
        (Line, "write_stop", _nothing, "test_another_connection_begins_with_a_stop_and_arms_nothing"),
        (Plain, "output", property(_believing), "test_a_stop_in_every_state_is_one_write_and_confirmed"),
        (Plain, "_lose", _hoping, "test_a_cable_pulled_in_every_state"),
        (Plain, "_lose", _hoping, "test_a_write_that_fails_in_every_state"),
        (Plain, "_mind_absence", _nothing, "test_a_sleep_in_every_state"),
        (Plain, "_overdue", _nothing, "test_a_board_that_hears_nothing_in_every_state"),
        (ScienceMode2Driver, "_missed", _again, "test_a_board_that_falls_silent_in_every_state"),
        (ScienceMode2Driver, "_speak", _fed_by_polls, "test_a_loop_that_hangs_keeps_nothing_going_in_every_state"),
        (FrameDecoder, "feed", _forgetful, "test_how_its_words_are_split_makes_no_difference"),
    ],
)
def test_a_bad_driver_fails(where: type, name: str, fault: object, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, name, fault)
    with pytest.raises(AssertionError):
        getattr(TestRehaStim2(), test)()


@pytest.mark.parametrize(
    ("where", "name", "fault", "test"),
    [
        (Hearing, "_speak", _pulsed_by_polls, "test_a_loop_that_hangs_keeps_nothing_going_in_every_state"),
        (Hearing, "_mind_absence", Plain._mind_absence, "test_a_sleep_in_every_state"),
        (Hearing, "_lose", _hoping, "test_a_write_that_fails_in_every_state"),
        (Plain, "_overdue", _nothing, "test_a_board_that_hears_nothing_in_every_state"),
    ],
)
def test_a_bad_pulse_clock_fails(
    where: type, name: str, fault: object, test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, fault)
    with pytest.raises(AssertionError):
        getattr(TestP24LowLevel(), test)()


# --- and of boards that never confirm anything ----------------------------------------------------------------------


def _taken_for_zero(self: OpenLoop) -> None:
    _LIFE(self)
    self._quiet = True


def _told_as_stopped(self: OpenLoop, now_us: int) -> None:
    _INSIST(self, now_us)
    self._events = [Stopped() if isinstance(event, Unconfirmed) else event for event in self._events]


def _once(self: OpenLoop, now_us: int) -> None:
    """One part of a stop is a stop: it was always enough when somebody looked."""
    self._written = len(self._sequence.writes) - 1 if self._written else 0
    _INSIST(self, now_us)


def _at_once(self: OpenLoop, now_us: int) -> None:
    """What is said quickly is over quickly."""
    while not self._is_said:
        self._begun_us = now_us - self._written * self._sequence.apart_us
        _INSIST(self, now_us)
    _INSIST(self, now_us)


def _catching_up(self: OpenLoop, now_us: int) -> None:
    """What is due is due, however late the loop is."""
    begun_us = self._begun_us
    _INSIST(self, now_us)
    self._begun_us = begun_us if self._written > 1 else self._begun_us


def _blind_to_time(self: OpenLoop, now_us: int) -> None:
    self._polled_us = now_us


def _prolonging_by_polls(self: OpenEmsStimDriver, worn: Worn, now_us: int) -> None:
    worn.wants_look = True
    _PROLONG(self, worn, now_us)


def _going_by_polls(self: UecuDriver, worn: Worn, now_us: int) -> None:
    self._go(self._went_counter + 1, now_us)
    _GO_ON(self, worn, now_us)


def _never_late(self: UecuDriver, loop_counter: int, now_us: int) -> None:
    self._beaten_us = now_us
    _BEAT(self, loop_counter, now_us)


_LIFE, _INSIST, _BEAT = OpenLoop._shows_life, OpenLoop._insist, UecuDriver.beat
_PROLONG, _GO_ON = OpenEmsStimDriver._speak, UecuDriver._speak
_IN_FULL = "test_a_stop_that_nothing_confirms_is_said_in_full_and_never_called_stopped"
_LATE = "test_a_loop_that_comes_late_says_no_two_parts_of_a_stop_at_once"
_HANGS = "test_a_loop_that_hangs_keeps_nothing_going_in_every_state"


@pytest.mark.parametrize(
    ("board", "where", "name", "fault", "test"),
    [
        (TestDev, OpenLoop, "_shows_life", _taken_for_zero, "test_a_stop_in_every_state_is_one_write_and_confirmed"),
        (TestUecu, OpenLoop, "_shows_life", _taken_for_zero, "test_it_runs_where_it_should"),
        (TestUecu, OpenLoop, "_insist", _told_as_stopped, _IN_FULL),
        (TestDev, OpenLoop, "_insist", _once, _IN_FULL),
        (TestUecu, OpenLoop, "_insist", _at_once, _IN_FULL),
        (TestMultiplexer, OpenLoop, "_insist", _nothing, _IN_FULL),
        (TestMultiplexer, OpenLoop, "_insist", _nothing, "test_a_stop_in_every_state_is_one_write_and_confirmed"),
        (TestFabbing, OpenLoop, "_insist", _catching_up, _LATE),
        (TestUecu, OpenLoop, "_insist", _catching_up, _LATE),
        (TestDev, OpenLoop, "_mind_absence", _blind_to_time, "test_a_sleep_in_every_state"),
        (TestUecu, UecuDriver, "beat", _never_late, "test_a_sleep_in_every_state"),
        (TestDev, Relays, "has_run_out", _nothing, "test_a_sleep_in_every_state"),
        (TestDev, OpenEmsStimDriver, "_speak", _prolonging_by_polls, _HANGS),
        (TestUecu, UecuDriver, "_speak", _going_by_polls, _HANGS),
        (TestDev, Echoes, "advance", _nothing, "test_a_board_that_falls_silent_in_every_state"),
        (TestUecu, OpenLoop, "_missed", _nothing, "test_a_board_that_hears_nothing_in_every_state"),
        (TestMaster2017, Line, "write_stop", _nothing, "test_closing_stops_in_every_state"),
        (TestUecu, Line, "write_stop", _nothing, "test_a_stop_in_every_state_is_one_write_and_confirmed"),
        (TestDev, Plain, "_lose", _hoping, "test_a_cable_pulled_in_every_state"),
    ],
)
def test_a_bad_driver_of_a_board_that_confirms_nothing_fails(
    board: type[DriverBattery],
    where: type,
    name: str,
    fault: object,
    test: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, name, fault)
    with pytest.raises(AssertionError):
        getattr(board(), test)()
