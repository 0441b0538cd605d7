"""Somebody else's client drives RehaStim 2's twin: the unmodified `pysciencemode` package, over a real pseudo-terminal.

It runs as a program of its own, as it waits for answers without end and leaves threads behind. What came of what it sends is
read from the twin's ledger, whose times are the twin's: they hold however busy this computer is. What it is known to do
wrong is not leant on: it keeps no board going for longer than 1.2 s between two commands, and cannot ask for the mode.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from stimctl.boards.sciencemode2.codes import Mode
from stimctl.sim.electrodes import OPEN_OHM
from stimctl.sim.ledger import Ledger
from stimctl.sim.rehastim2 import WATCHDOG_US, RehaStim2
from stimctl.sim.terminal import KEEP, clock_us
from tests.serving import PATIENCE_S, Server

pytest.importorskip("pysciencemode", reason="of the extra `peers`")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the client sets parity, which other systems refuse here"
)

MS = 1_000

CLIENT = """\
import os, sys
from pysciencemode import Channel, Device, Modes, Rehastim2

def channel(number, ma, us, mode=Modes.SINGLE, slow=False):
    return Channel(mode, number, ma, us, slow, device_type=Device.Rehastim2)

def tell(word):
    os.write(int(sys.argv[2]), word.encode() + b"\\n")

board = Rehastim2(port=sys.argv[1])
tell("ready")
for line in sys.stdin:
    try:
        exec(line)
        tell("done")
    except Exception as error:
        tell(repr(error))
"""
"""The client, and each line that it is given as one of its user's program. It prints what it likes: words to us go apart."""

T = TypeVar("T")


class Client:
    """The client in a process of its own, driven line by line."""

    def __init__(self, port: str) -> None:
        self._told, tell = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, port, str(tell)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(tell,),
        )
        os.close(tell)
        self._heard = b""

    def do(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()
        self.says("done")

    def says(self, word: str) -> None:
        """Wait for its next word."""
        while b"\n" not in self._heard:
            assert select.select([self._told], [], [], PATIENCE_S)[0], "the client waits for ever"
            more = os.read(self._told, 4_096)
            assert more, "the client is gone"
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        assert line.decode() == word

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        self.kill()
        os.close(self._told)


@pytest.fixture
def server() -> Iterator[Server[RehaStim2]]:
    server = Server(RehaStim2(now_us=clock_us(), keep=KEEP))
    yield server
    server.stop()


@pytest.fixture
def client(server: Server[RehaStim2]) -> Iterator[Client]:
    client = Client(server.path)
    try:
        client.says("ready")
        yield client
    finally:
        client.close()


def look(server: Server[RehaStim2], what: Callable[[RehaStim2], T]) -> T:
    """Something of the twin, while nothing happens to it."""
    seen: list[T] = []
    server.do(lambda: seen.append(what(server.twin)))
    return seen[0]


def ledger_of(server: Server[RehaStim2], number: int) -> Ledger:
    return look(server, lambda twin: twin.ledger[number - 1])


def amplitudes_ua(ledger: Ledger) -> list[int]:
    return [stretch.train.amplitude_ua for stretch in ledger.stretches]


def test_a_whole_session_of_the_channel_list_mode(server: Server[RehaStim2], client: Client) -> None:
    """Initialised, started, updated, paused, ended: the ledger has the client's milliamperes, widths and period.

    10 and 85 are bytes that this client escapes though nothing asks for it; they arrive as what they are all the same.
    """
    client.do("pair = [channel(1, 20, 200), channel(6, 10, 266)]")
    client.do("board.init_channel(stimulation_interval=25, list_channels=pair)")
    assert look(server, lambda twin: (twin.mode, twin.connected)) == (Mode.INITIALISED, True)
    client.do("board.start_stimulation()")
    server.skip(200 * MS)
    client.do("board.start_stimulation(upd_list_channels=[channel(1, 85, 85), channel(6, 11, 20)])")
    server.skip(200 * MS)
    client.do("board.pause_stimulation()")
    assert look(server, lambda twin: (twin.mode, twin.energised)) == (Mode.STARTED, False)
    server.skip(200 * MS)
    client.do("board.start_stimulation()")
    client.do("board.end_stimulation()")
    assert look(server, lambda twin: (twin.mode, twin.energised)) == (Mode.START, False)
    first, sixth = ledger_of(server, 1), ledger_of(server, 6)
    assert (amplitudes_ua(first), amplitudes_ua(sixth)) == ([20_000, 85_000, 85_000], [10_000, 11_000, 11_000])
    widths = [[stretch.train.phase_width_us for stretch in each.stretches] for each in (first, sixth)]
    assert widths == [[200, 85, 85], [266, 20, 20]]
    for stretch in (*first.stretches, *sixth.stretches):
        assert (stretch.train.interphase_gap_us, stretch.train.pulses_per_period) == (100, 1)
        assert stretch.period_ps == 25_000 * 1_000_000
    assert first.pulses >= 2 * 200 // 25


def test_doublets_and_channels_that_skip_rounds(server: Server[RehaStim2], client: Client) -> None:
    client.do("three = [channel(2, 15, 300, Modes.DOUBLET), channel(3, 12, 240, Modes.SINGLE, True)]")
    client.do("board.init_channel(40, three, inter_pulse_interval=10, low_frequency_factor=3)")
    client.do("board.start_stimulation()")
    server.skip(400 * MS)
    client.do("board.end_stimulation()")
    [doublet], [slow] = ledger_of(server, 2).stretches, ledger_of(server, 3).stretches
    assert (doublet.train.pulses_per_period, doublet.exact.apart_us if doublet.exact else 0) == (2, 10_000)
    assert (doublet.period_ps, slow.period_ps) == (40_000 * 1_000_000, 160_000 * 1_000_000)


def test_a_client_that_dies_leaves_the_boards_own_time_out_of_current(
    server: Server[RehaStim2], client: Client
) -> None:
    client.do("board.init_channel(20, [channel(1, 30, 250)])")
    client.do("board.start_stimulation()")
    client.kill()
    last_us = look(server, lambda twin: twin.now_us)
    server.skip(WATCHDOG_US)
    assert look(server, lambda twin: (twin.mode, twin.energised, twin.connected)) == (Mode.START, False, False)
    [stretch] = ledger_of(server, 1).stretches
    assert stretch.end_us <= last_us + WATCHDOG_US


def test_a_pad_that_falls_off_stops_everything_and_an_update_brings_nothing_back(
    server: Server[RehaStim2], client: Client
) -> None:
    client.do("pair = [channel(1, 30, 250), channel(2, 20, 250)]")
    client.do("board.init_channel(20, pair)")
    client.do("board.start_stimulation()")
    server.do(lambda: server.twin.set_contact(1, OPEN_OHM, server.twin.now_us))
    server.skip(100 * MS)
    assert look(server, lambda twin: (twin.mode, twin.energised)) == (Mode.START, False)
    client.do("board.start_stimulation()")
    assert not look(server, lambda twin: twin.energised)


def test_what_the_client_garbles_does_nothing(server: Server[RehaStim2], client: Client) -> None:
    """Its question for the mode goes out as a command that there is not, and some of its packet numbers as others."""
    client.do("board.init_channel(20, [channel(1, 30, 250)])")
    client.do('board._send_packet("GetStimulationMode"); board._get_last_ack()')
    for ma in range(1, 18):  # past the numbers 10 and 15
        client.do(f"board.start_stimulation(upd_list_channels=[channel(1, {ma}, 250)])")
        server.skip(40 * MS)
    client.do("board.end_stimulation()")
    assert amplitudes_ua(ledger_of(server, 1)) == [ma * 1_000 for ma in range(1, 18)]
    assert not look(server, lambda twin: twin.energised)
