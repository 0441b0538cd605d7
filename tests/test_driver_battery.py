"""Every driver of a board with a language of its own goes through the battery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from stimctl.boards.neurostimduino.stopping import STOP as NSD_STOP
from stimctl.boards.sciencemode.decoder import FrameDecoder
from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2.device import WATCHDOG_US
from stimctl.boards.sciencemode2.stopping import STOP as STOP_2
from stimctl.boards.sciencemode4 import codec as codec4
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4.devices import P24, REHAMOVE3, SILENT_US, Device
from stimctl.boards.sciencemode4.stopping import STOP as STOP_4
from stimctl.driver import DriverState, OutputState
from stimctl.driver.line import Line
from stimctl.driver.neurostimduino import NeuroStimDuinoDriver
from stimctl.driver.plain import CONNECT_US, Plain
from stimctl.driver.question import Question
from stimctl.driver.sciencemode2 import ScienceMode2Driver
from stimctl.driver.sciencemode4 import ScienceMode4Driver
from stimctl.driver.sciencemode4.hearing import Hearing
from stimctl.driver.worn import Worn
from stimctl.envelope.latch import approve
from stimctl.errors import LinkLost
from stimctl.units import MS, SECOND
from tests import p24_rig, rehastim2_rig
from tests import test_driver_neurostimduino as nsd
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

DRIVEN = (P24_DRIVEN, REHAMOVE3_DRIVEN, P24_SLOW, REHAMOVE3_SLOW, REHASTIM2_DRIVEN, NEUROSTIMDUINO_DRIVEN)


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
