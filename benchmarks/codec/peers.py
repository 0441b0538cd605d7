"""The same jobs with other people's packages, as their own callers would do them; what they write is held against ours."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

from benchmarks.codec import ours, work

SCIENCE_MODE_4: Final = "science-mode-4"
PYSCIENCEMODE: Final = "pysciencemode"

Ways = dict[str, Callable[[], ours.Steps]]


class Package(NamedTuple):
    """How to get it, and how to use it."""

    how: str
    ways: Callable[[], Ways]


def found() -> dict[str, Ways]:
    """The packages that are installed."""
    ways = {}
    for name, package in PACKAGES.items():
        try:
            with quiet():
                ways[name] = package.ways()
        except ImportError:
            continue
    return ways


@contextmanager
def quiet() -> Iterator[None]:
    """One of them writes a line when it is imported."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def agree(way: Callable[[], ours.Steps], own: Callable[[], ours.Steps]) -> Callable[[], ours.Steps]:
    """The way, once its first few steps have been seen to give what ours do."""
    for theirs, mine in islice(zip(way(), own(), strict=True), 20):
        assert theirs() == mine()
    return way


class Port:
    """A port that has one read's worth of bytes."""

    def __init__(self) -> None:
        self.waiting = b""

    def read(self, _size: int = 0) -> bytes:
        """All that waits."""
        data, self.waiting = self.waiting, b""
        return data

    def inWaiting(self) -> int:  # noqa: N802 - pyserial's name of old, which pysciencemode uses
        """How much that is."""
        return len(self.waiting)


# --- science-mode-4 --------------------------------------------------------------------------------------------


def science_mode_4() -> Ways:
    """Its packets, protocol builder and packet buffer. It cannot read an update: a whole frame opened stands for that."""
    package: Any = importlib.import_module("science_mode_4")
    protocol: Any = importlib.import_module("science_mode_4.protocol.protocol").Protocol
    level: Any = importlib.import_module("science_mode_4.mid_level.mid_level_types")
    packets: Any = importlib.import_module("science_mode_4.mid_level.mid_level_update")
    low: Any = importlib.import_module("science_mode_4.low_level.low_level_channel_config")
    point = importlib.import_module("science_mode_4.protocol.channel_point").ChannelPoint
    assert package

    def update(given: list[work.Points], number: int) -> Any:
        packet = packets.PacketMidLevelUpdate()
        packet.number = number
        packet.channel_configuration = [
            level.MidLevelChannelConfiguration(
                True, work.RAMP, work.PERIOD_US // 1_000, [point(us, ua / 1_000) for us, ua in each]
            )
            for each in given
        ]
        return packet

    def pulse(given: work.Points, number: int) -> Any:
        packet = low.PacketLowLevelChannelConfig()
        packet.number = number
        packet.execute_stimulation = True
        packet.points = [point(us, ua / 1_000) for us, ua in given]
        return packet

    def updates() -> ours.Steps:
        given = enumerate(work.updates())
        return (partial(protocol.packet_to_bytes, update(each, at % 64)) for at, each in given)

    def updates_numbers() -> ours.Steps:
        def one(given: list[work.Points], number: int) -> object:
            return protocol.packet_to_bytes(update(given, number))

        return (partial(one, given, at % 64) for at, given in enumerate(work.updates()))

    def pulses() -> ours.Steps:
        given = enumerate(work.amplitudes())
        return (partial(protocol.packet_to_bytes, pulse(work.pulse(ua), at % 64)) for at, ua in given)

    def pulses_numbers() -> ours.Steps:
        def one(given: work.Points, number: int) -> object:
            return protocol.packet_to_bytes(pulse(given, number))

        return (partial(one, work.pulse(ua), at % 64) for at, ua in enumerate(work.amplitudes()))

    def opened() -> ours.Steps:
        def one(frame: bytes) -> object:
            start, stop = protocol.find_packet_in_buffer(frame)
            return protocol.extract_packet_data(frame[start : stop + 1])

        return (partial(one, frame) for frame in ours.written())

    return {
        work.UPDATE: agree(updates, ours.update),
        work.UPDATE_NUMBERS: agree(updates_numbers, ours.update),
        work.UPDATE_NEW: updates,
        work.PULSE: agree(pulses, ours.pulse),
        work.PULSE_NUMBERS: agree(pulses_numbers, ours.pulse),
        work.PULSE_NEW: pulses,
        work.ANSWERS: partial(_buffered, ours.session),
        work.ANSWERS_NEW: partial(_buffered, ours.anything),
        work.UPDATE_READ: opened,
    }


class Awaited(dict[tuple[int, int], int]):
    """Every answer is awaited, so that none is logged as unexpected."""

    def get(self, _key: object, _default: object = None) -> int:
        """One."""
        return 1

    def __missing__(self, _key: object) -> int:
        return 1


def _buffered(frames: Callable[[], list[bytes]]) -> ours.Steps:
    """Through its packet buffer, each frame in a read of its own, to the packet that tells the result."""
    buffers: Any = importlib.import_module("science_mode_4.utils.packet_buffer")
    factories: Any = importlib.import_module("science_mode_4.protocol.packet_factory")
    port = Port()
    buffer = buffers.PacketBuffer(port, factories.PacketFactory())
    buffer._open_acknowledges = Awaited()  # noqa: SLF001 - see there

    def one(frame: bytes) -> object:
        port.waiting = frame
        return buffer.get_packet_from_buffer()

    return (partial(one, frame) for frame in frames())


# --- pysciencemode ---------------------------------------------------------------------------------------------


def pysciencemode() -> Ways:
    """Its payload and packet builders, and its reading of a port, which looks at neither length nor checksum."""
    utils: Any = importlib.import_module("pysciencemode.utils")
    device: Any = importlib.import_module("pysciencemode.rehastim2_interface").Rehastim2
    generic: Any = importlib.import_module("pysciencemode.sciencemode").RehastimGeneric

    def lists() -> ours.Steps:
        return (partial(one, given, at % 256) for at, given in enumerate(work.lists()))

    def one(given: list[tuple[int, int]], number: int) -> object:
        builder = object.__new__(device)
        builder.packet_count, builder.mode = number, [0] * len(given)
        builder.pulse_width, builder.amplitude = [us for us, _ in given], [ma for _, ma in given]
        return builder._packet_start_stimulation()

    def acks() -> ours.Steps:
        reader = object.__new__(generic)
        reader.port = Port()

        def read(frame: bytes) -> object:
            reader.port.waiting = frame
            return reader._read_packet()

        return (partial(read, frame) for frame in ours.acks())

    assert utils
    return {work.LIST: lists, work.ACKS: acks}


PACKAGES: Final = {
    SCIENCE_MODE_4: Package("python3 dev.py bench has it", science_mode_4),
    PYSCIENCEMODE: Package("python3 dev.py bench has it", pysciencemode),
}
