"""Somebody else's client drives P24's twin: the unmodified `science-mode-4` package, over a real pseudo-terminal.

What it sends and how long it waits is its own business. What came of it is read from the twin's ledger, whose times are
the twin's: they hold however busy this computer is.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, TypeVar

import pytest
from science_mode_4 import (
    Channel,
    ChannelPoint,
    Connector,
    DeviceP24,
    LowLevelHighVoltageSource,
    LowLevelMode,
    MidLevelChannelConfiguration,
    ResultAndError,
    SerialPortConnection,
    StimStatus,
)
from science_mode_4.protocol.exceptions import ProtocolError

from stimctl.sim.electrodes import OPEN_OHM
from stimctl.sim.ledger import Ledger, Stretch
from stimctl.sim.sciencemode4 import SWITCHING_US, ScienceMode4Board
from stimctl.sim.sciencemode_levels import KEPT_ALIVE_US
from stimctl.sim.terminal import KEEP, clock_us
from tests.serving import PATIENCE_S, Server

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing")

SECOND = 1_000_000
GOOD = [ResultAndError.NO_ERROR] * 8

T = TypeVar("T")
Plan = Callable[[Any], Coroutine[Any, Any, T]]
"""What is done with the client's ``DeviceP24``; it has no types."""


@pytest.fixture
def server() -> Iterator[Server[ScienceMode4Board]]:
    server = Server(ScienceMode4Board(now_us=clock_us(), device_id="SIM0000042", keep=KEEP))
    yield server
    server.stop()


def drive(server: Server[ScienceMode4Board], plan: Plan[T]) -> T:
    """A client comes, does what it wants, and goes."""
    port = SerialPortConnection(server.path)
    port.open()
    try:
        return asyncio.run(plan(DeviceP24(port)))
    finally:
        port.close()


def look(server: Server[ScienceMode4Board], what: Callable[[ScienceMode4Board], T]) -> T:
    """Something of the twin, while nothing happens to it."""
    seen: list[T] = []
    server.do(lambda: seen.append(what(server.twin)))
    return seen[0]


def biphasic(ma: float, us: int = 250, gap_us: int = 100) -> list[Any]:
    return [ChannelPoint(us, ma), ChannelPoint(gap_us, 0), ChannelPoint(us, -ma)]


def repeated(ma: float, period_ms: int = 20, ramp: int = 0, us: int = 250) -> Any:
    return MidLevelChannelConfiguration(True, ramp, period_ms, biphasic(ma, us))


def amplitudes_ua(ledger: Ledger) -> list[int]:
    return [stretch.train.amplitude_ua for stretch in ledger.stretches]


def begun_us(stretch: Stretch) -> list[int]:
    """When each pulse of a stretch began."""
    [(anchor_us, first, end)] = stretch.counts(stretch.start_us, stretch.end_us)
    return [anchor_us + number * stretch.period_ps // SECOND for number in range(first, end)]


def spacing_us(begun: list[int]) -> set[int]:
    return {later - earlier for earlier, later in itertools.pairwise(begun)}


# --- mid level -------------------------------------------------------------------------------------------------


def test_a_whole_session_of_the_mid_level(server: Server[ScienceMode4Board]) -> None:
    """Initialised, updated, asked, updated, stopped: the ledger has the client's milliamperes and its periods."""

    async def plan(device: Any) -> None:
        await device.initialize()
        assert device.get_layer_general().device_id == "SIM0000042"
        mid = device.get_layer_mid_level()
        await mid.init(True)
        await mid.update([repeated(20), None, None, None, None, repeated(10.5, 40, us=300)])
        for _ in range(4):  # longer than the board goes on unasked
            server.skip(SECOND * 6 // 10)
            told = await mid.get_current_data()
            assert told.is_stimulation_active_per_channel == [True, False, False, False, False, True, False, False]
            assert told.channel_error == GOOD
        await mid.update([repeated(12.5)])
        server.skip(SECOND)
        await mid.stop()
        status = await device.get_layer_general().get_stim_status()
        assert (status.stim_status, status.high_voltage_on) == (StimStatus.NO_LEVEL_INITIALIZED, False)

    drive(server, plan)
    twin = server.twin
    first, sixth = look(server, lambda twin: (twin.ledger[0], twin.ledger[5]))
    assert (amplitudes_ua(first), amplitudes_ua(sixth)) == ([20_000, 12_500], [10_500])
    assert {
        (s.train.phase_width_us, s.train.interphase_gap_us, s.train.recovery_width_us) for s in first.stretches
    } == {(250, 100, 250)}
    [other] = sixth.stretches
    assert (other.train.phase_width_us, other.train.recovery_amplitude_ua) == (300, 10_500)
    # The first channel's clock goes on through the change.
    begun = begun_us(first.stretches[0]) + begun_us(first.stretches[1])
    assert (spacing_us(begun), spacing_us(begun_us(other))) == ({20_000}, {40_000})
    assert len(begun) >= (2_400 + 1_000) // 20
    # One source for all: the sixth comes when the first pulse, and what lies between two, are over.
    assert begun_us(other)[0] - begun[0] == 250 + 100 + 250 + 60
    assert (first.net_pc, sixth.net_pc) == (0, 0)
    assert first.charge_pc == sum(len(begun_us(s)) * 250 * s.train.amplitude_ua for s in first.stretches)
    assert not any(ledger.pulses for number, ledger in enumerate(twin.ledger) if number not in (0, 5))
    pulses = first.pulses
    server.skip(10 * SECOND)
    assert look(server, lambda twin: (twin.ledger[0].pulses, twin.energised)) == (pulses, False)


def test_a_ramp_rises_pulse_by_pulse(server: Server[ScienceMode4Board]) -> None:
    async def plan(device: Any) -> None:
        mid = device.get_layer_mid_level()
        await mid.init(False)
        await mid.update([None, repeated(20, ramp=3)])
        server.skip(SECOND)
        await mid.stop()

    drive(server, plan)
    ledger = look(server, lambda twin: twin.ledger[1])
    assert amplitudes_ua(ledger) == [5_000, 10_000, 15_000, 20_000]
    assert [stretch.end_us - stretch.start_us for stretch in ledger.stretches][:3] == [20_000] * 3


def test_a_client_that_goes_leaves_two_seconds_of_current(server: Server[ScienceMode4Board]) -> None:
    """Counted from its last question, to the microsecond; and no later client finds anything running."""

    async def plan(device: Any) -> tuple[int, int]:
        mid = device.get_layer_mid_level()
        await mid.init(True)
        await mid.update([repeated(15)])
        server.skip(SECOND // 2)
        before_us = look(server, lambda twin: twin.now_us)
        await mid.get_current_data()
        return before_us, look(server, lambda twin: twin.now_us)

    before_us, after_us = drive(server, plan)
    server.said("client gone")
    server.skip(3 * SECOND)
    [stretch] = look(server, lambda twin: list(twin.ledger[0].stretches))
    assert before_us <= stretch.end_us - KEPT_ALIVE_US <= after_us

    async def later(device: Any) -> Any:
        return await device.get_layer_mid_level().get_current_data()

    assert drive(server, later).is_stimulation_active_per_channel == [False] * 8


def test_the_next_client_stops_what_it_finds_running(server: Server[ScienceMode4Board]) -> None:
    async def plan(device: Any) -> None:
        mid = device.get_layer_mid_level()
        await mid.init(True)
        await mid.update([repeated(15)])

    drive(server, plan)
    assert look(server, lambda twin: twin.current_ua(0)) == 15_000
    drive(server, lambda device: device.initialize())
    assert look(server, lambda twin: (twin.energised, twin.mid)) == (False, None)


def test_a_pad_that_falls_off_is_told_to_the_client(server: Server[ScienceMode4Board]) -> None:
    """And one that fell off at a current too low to notice is not: nothing flows there, and nobody knows."""

    async def plan(device: Any) -> list[Any]:
        mid = device.get_layer_mid_level()
        await mid.init(False)
        await mid.update([repeated(20), repeated(20), repeated(10)])
        for output in (0, 2):
            server.do(partial(server.twin.set_contact, output, OPEN_OHM, look(server, lambda twin: twin.now_us)))
        return [await mid.get_current_data() for _ in range(2)]

    for told in drive(server, plan):
        assert told.channel_error == [ResultAndError.ELECTRODE_ERROR, *GOOD[1:]]
        assert told.is_stimulation_active_per_channel[:3] == [False, True, True]
    assert look(server, lambda twin: [twin.current_ua(output) for output in range(3)]) == [0, 20_000, 0]


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        (repeated(130.5), "PARAMETER"),  # the client lets 150 mA pass, the board does not
        (repeated(20, period_ms=1, us=500), None),  # 1.1 ms of pulse in each ms
    ],
)
def test_what_the_board_does_not_take_gives_nothing(
    pattern: Any, error: str | None, server: Server[ScienceMode4Board]
) -> None:
    async def plan(device: Any) -> Any:
        mid = device.get_layer_mid_level()
        await mid.init(True)
        if error is not None:
            with pytest.raises(ProtocolError, match=error):
                await mid.update([pattern])
            return ResultAndError.NO_ERROR
        await mid.update([pattern])
        return (await mid.get_current_data()).channel_error[0]

    assert drive(server, plan) is (ResultAndError.NO_ERROR if error else ResultAndError.PULSE_TIMEOUT_ERROR)
    assert look(server, lambda twin: [ledger.on_us for ledger in twin.ledger]) == [0] * 8


def test_a_second_of_pulses_in_each_second_gives_nothing_and_nobody_says_so(server: Server[ScienceMode4Board]) -> None:
    """What stimctl refuses before it starts: every answer is good, the lamp is green, and no current flows."""

    async def plan(device: Any) -> Any:
        mid = device.get_layer_mid_level()
        await mid.init(True)
        await mid.update([repeated(20, period_ms=10, us=600)] * 8)
        return await mid.get_current_data()

    told = drive(server, plan)
    assert (told.result_error, told.channel_error) == (ResultAndError.NO_ERROR, GOOD)
    assert look(server, lambda twin: (twin.lamp, [ledger.on_us for ledger in twin.ledger])) == ("green", [0] * 8)


# --- low level -------------------------------------------------------------------------------------------------


async def answer(device: Any) -> Any:
    """The next answer, awaited as the client's own examples do: its low level waits for none."""
    deadline = time.monotonic() + PATIENCE_S
    while (packet := device.packet_buffer.get_packet_from_buffer()) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)
    return packet


def test_pulses_of_the_low_level_come_one_by_one(server: Server[ScienceMode4Board]) -> None:
    """Each where it was sent, as it was sent, once, and none before the one before it was answered."""
    sent = [
        (Channel.RED, Connector.YELLOW, 20.0),
        (Channel.WHITE, Connector.GREEN, 7.5),
        (Channel.RED, Connector.YELLOW, 21.5),
    ]

    async def plan(device: Any) -> None:
        await device.initialize()
        low = device.get_layer_low_level()
        await low.init(LowLevelMode.NO_MEASUREMENT, LowLevelHighVoltageSource.STANDARD)
        for channel, connector, ma in sent:
            low.send_channel_config(True, channel, connector, biphasic(ma))
            told = await answer(device)
            assert (told.result, told.channel, told.connector) == (ResultAndError.NO_ERROR, channel, connector)
        low.send_channel_config(False, Channel.BLUE, Connector.YELLOW, biphasic(30))  # configured, not executed
        assert (await answer(device)).result == ResultAndError.NO_ERROR
        await low.stop()

    drive(server, plan)
    red, white = look(server, lambda twin: (twin.ledger[0], twin.ledger[7]))
    assert (amplitudes_ua(red), amplitudes_ua(white)) == ([20_000, 21_500], [7_500])
    pulses = sorted((*red.stretches, *white.stretches))
    assert [stretch.end_us - stretch.start_us for stretch in pulses] == [600] * 3
    assert [len(begun_us(stretch)) for stretch in pulses] == [1] * 3
    assert [stretch.train.amplitude_ua for stretch in pulses] == [20_000, 7_500, 21_500]
    assert (red.charge_pc, red.net_pc) == (250 * 41_500, 0)
    assert [ledger.pulses for ledger in server.twin.ledger] == [2, 0, 0, 0, 0, 0, 0, 1]
    assert look(server, lambda twin: (twin.energised, twin.low)) == (False, None)


def test_the_low_level_measures_what_flows(server: Server[ScienceMode4Board]) -> None:
    """128 samples over the pulse, in the client's own unit, without a sign: what the twin's ledger says too."""

    async def plan(device: Any) -> Any:
        low = device.get_layer_low_level()
        await low.init(LowLevelMode.STIM_CURRENT, LowLevelHighVoltageSource.STANDARD)
        low.send_channel_config(True, Channel.BLACK, Connector.YELLOW, biphasic(20, us=256, gap_us=128))
        return await answer(device)

    told = drive(server, plan)
    assert (told.mode, told.sampling_time_in_microseconds) == (LowLevelMode.STIM_CURRENT, 5)
    assert len(told.measurement_samples) == 128
    assert set(told.measurement_samples) == {0.0, 20.0}
    assert look(server, lambda twin: twin.ledger[2].peak_ua) == 20_000


def test_ten_pulses_wait_and_each_is_given_once(server: Server[ScienceMode4Board]) -> None:
    """Ten at once, answers read afterwards: they come one after the other, never two at a time."""

    async def plan(device: Any) -> list[Any]:
        low = device.get_layer_low_level()
        await low.init(LowLevelMode.NO_MEASUREMENT, LowLevelHighVoltageSource.STANDARD)
        for number in range(10):
            low.send_channel_config(True, Channel.RED, Connector.GREEN, biphasic(10 + number))
        return [(await answer(device)).result for _ in range(10)]

    assert drive(server, plan) == [ResultAndError.NO_ERROR] * 10
    stretches = look(server, lambda twin: list(twin.ledger[4].stretches))
    assert [stretch.train.amplitude_ua for stretch in stretches] == [1_000 * (10 + number) for number in range(10)]
    assert all(later.start_us >= earlier.end_us for earlier, later in itertools.pairwise(stretches))


def test_without_high_voltage_no_pulse_comes(server: Server[ScienceMode4Board]) -> None:
    async def plan(device: Any) -> Any:
        low = device.get_layer_low_level()
        await low.init(LowLevelMode.NO_MEASUREMENT, LowLevelHighVoltageSource.OFF)
        low.send_channel_config(True, Channel.RED, Connector.YELLOW, biphasic(20))
        return (await answer(device)).result

    assert drive(server, plan) is ResultAndError.HV_ERROR
    assert look(server, lambda twin: twin.ledger[0].pulses) == 0


def test_only_one_level_at_a_time(server: Server[ScienceMode4Board]) -> None:
    """The other level's every word is refused with the client's own name for it, and what runs goes on."""

    async def plan(device: Any) -> None:
        mid, low = device.get_layer_mid_level(), device.get_layer_low_level()
        await mid.init(True)
        await mid.update([repeated(20)])
        for refused in (
            low.init(LowLevelMode.NO_MEASUREMENT, LowLevelHighVoltageSource.STANDARD),
            low.stop(),
        ):
            with pytest.raises(ProtocolError, match="NOT_INITIALIZED"):
                await refused
        assert look(server, lambda twin: twin.current_ua(0)) == 20_000
        await mid.stop()
        with pytest.raises(ProtocolError, match="NOT_INITIALIZED"):
            await mid.update([repeated(20)])

    drive(server, plan)
    assert look(server, lambda twin: twin.energised) is False


def test_a_broken_high_voltage_is_told(server: Server[ScienceMode4Board]) -> None:
    server.do(lambda: server.twin.break_high_voltage(server.twin.now_us))

    async def plan(device: Any) -> None:
        with pytest.raises(ProtocolError, match="HV_ERROR"):
            await device.get_layer_mid_level().init(True)

    drive(server, plan)


def test_a_stop_is_answered_once_the_high_voltage_has_gone(server: Server[ScienceMode4Board]) -> None:
    """The current has gone before that: at once."""

    async def plan(device: Any) -> tuple[int, int]:
        mid = device.get_layer_mid_level()
        await mid.init(True)
        await mid.update([repeated(20)])
        await mid.stop()
        return look(server, lambda twin: (twin.ledger[0].stretches[-1].end_us, twin.now_us))

    ended_us, answered_us = drive(server, plan)
    assert answered_us >= ended_us + SWITCHING_US
