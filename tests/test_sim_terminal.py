"""The twin over a real pseudo-terminal, against a client that knows nothing but a file descriptor and the codec."""

from __future__ import annotations

import dataclasses
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import STOP_FRAME, Decoder, Frame
from stimctl.boards.reference.codes import Cause
from stimctl.errors import UsageError
from stimctl.sim.board import Twin
from stimctl.sim.patient import Patient
from stimctl.sim.terminal import SERIAL, clock_us, self_paced_twin, serve
from tests.serving import PATIENCE_S, Server
from tests.sim_host import Host, make_twin, train
from tests.twin_rig import dead_for_good

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing")


class Client(Host):
    """The same host, over a file descriptor and in real time; ``twin`` is a stand-in that is never fed."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._stream = Decoder()
        super().__init__(make_twin(), clock_us())
        self.heard.clear()

    def hear(self) -> list[m.Word]:
        return []

    def raw(self, data: bytes) -> list[m.Word]:
        """Write, and wait for the answers of this frame."""
        self.now_us = clock_us()
        self.write(data)
        return self.until(lambda frames: any(not isinstance(f.word, m.Event | m.Samples) for f in frames))

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.fd, data) :]

    def until(self, enough: Callable[[list[Frame]], bool]) -> list[m.Word]:
        frames: list[Frame] = []
        deadline = time.monotonic() + PATIENCE_S
        while not enough(frames):
            assert time.monotonic() < deadline, frames
            if select.select([self.fd], [], [], 0.1)[0]:
                frames += self._stream.feed(os.read(self.fd, 65_536))
        self.heard += [frame.word for frame in frames]
        return [frame.word for frame in frames]

    def event(self, cause: Cause) -> None:
        self.until(lambda frames: any(isinstance(f.word, m.Event) and f.word.cause is cause for f in frames))

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


Connect = Callable[[str | Path], Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens clients, and closes them whatever comes."""
    clients: list[Client] = []

    def opened(path: str | Path) -> Client:
        clients.append(Client(str(path)))
        return clients[-1]

    yield opened
    for client in clients:
        client.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server[Twin]]:
    server = Server(Twin(Patient(1), now_us=clock_us()), tmp_path / "board")
    yield server
    server.stop()


def test_a_session_over_the_wire(server: Server[Twin], tmp_path: Path, connect: Connect) -> None:
    assert server.path == str(tmp_path / "board")
    client = connect(server.path)
    assert identity(client).name.startswith("stimctl")
    client.ready()
    client.update({0: train(1_000)})
    assert server.twin.current_ua(0) == 1_000
    client.stop()
    assert not server.twin.energised
    client.close()
    server.said("client gone")
    for line in ("client connected", "armed", "OUTPUT ON", "output off", "disarmed: stopped"):
        server.said(line)


def test_a_client_that_goes_leaves_the_dead_man(server: Server[Twin], connect: Connect) -> None:
    client = connect(server.path)
    client.ready(dead_man_ms=200)
    client.update({0: train(1_000)})
    client.close()
    server.said("disarmed: dead-man tripped")
    stretch = server.twin.ledger[0].stretches[-1]
    assert stretch.end_us - stretch.start_us == 200_000
    again = connect(server.path)
    assert again.report().cause is Cause.DEAD_MAN
    again.ready()
    again.stop()
    again.close()
    server.said("client gone", times=2)


def test_a_client_that_does_not_read_stops_nothing(server: Server[Twin], connect: Connect) -> None:
    client = connect(server.path)
    client.ready(dead_man_ms=300)
    client.update({0: train(1_000)})
    client.say(m.Listen(1_000))
    request = client.frame(m.StatusRequest())
    for _ in range(1_000):  # far more answers than a terminal holds
        try:
            os.write(client.fd, request)
        except BlockingIOError:
            break
    server.said("disarmed: dead-man tripped")
    client.write(b"\xc0" + STOP_FRAME)
    client.event(Cause.DEAD_MAN) if not client.heard else None
    client.close()


def test_garbage_first_then_sense(server: Server[Twin], connect: Connect) -> None:
    client = connect(server.path)
    client.write(bytes(range(256)) * 8)
    assert isinstance(client.raw(STOP_FRAME)[-1], m.Stopped)
    client.close()


# --- the link --------------------------------------------------------------------------------------------------


def refuses(link: Path) -> None:
    with pytest.raises(UsageError, match="link"):
        serve(make_twin(), link_path=link, should_stop=lambda: True)


def test_the_link_overwrites_nothing_of_anybody_else(tmp_path: Path) -> None:
    file, folder, foreign = tmp_path / "file", tmp_path / "folder", tmp_path / "foreign"
    file.write_text("mine")
    folder.mkdir()
    foreign.symlink_to(file)
    for taken in (file, folder, foreign, tmp_path / "no" / "such" / "folder"):
        refuses(taken)
    assert file.read_text() == "mine"
    assert foreign.readlink() == file


def test_a_dead_link_whose_number_is_another_terminal_by_now_is_left_to_a_person(tmp_path: Path) -> None:
    link, (master, slave) = tmp_path / "board", os.openpty()
    try:
        link.symlink_to(os.ttyname(slave))
        with pytest.raises(UsageError, match="remove the link if none does"):
            serve(make_twin(), link_path=link, should_stop=lambda: True)
        assert str(link.readlink()) == os.ttyname(slave)
    finally:
        os.close(slave)
        os.close(master)


def test_a_dead_link_of_a_killed_twin_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    link = tmp_path / "board"
    link.symlink_to("/dev/pts/999999")
    seen = []
    serve(
        make_twin(), link_path=link, on_ready=lambda path: seen.append(Path(path).readlink()), should_stop=lambda: True
    )
    assert Path("/dev/pts/999999") not in seen
    assert not link.is_symlink()
    server = Server(make_twin(now_us=clock_us()), link)
    try:
        refuses(link)
        link.unlink()
        link.write_text("somebody else's by now")
    finally:
        server.stop()
    assert link.read_text() == "somebody else's by now"


# --- as a process ----------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from pathlib import Path
from stimctl.sim.terminal import self_paced_twin, serve
say = lambda line: print(line, flush=True)
serve(self_paced_twin(1), link_path=Path(sys.argv[1]), on_ready=lambda path: say("ready"), on_status=say)
say("over")
"""


class Process:
    """The twin in a process of its own."""

    def __init__(self, link: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(link)], stdout=subprocess.PIPE)
        self._lines: list[str] = []
        self.said("ready")

    def said(self, line: str) -> None:
        """Wait until it has printed ``line``."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE_S
        while line not in self._lines:
            assert time.monotonic() < deadline, self._lines
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                self._lines += os.read(self.process.stdout.fileno(), 4_096).decode().splitlines()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "board")
    yield process
    process.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(process: Process, tmp_path: Path, connect: Connect, number: int) -> None:
    client = connect(tmp_path / "board")
    client.ready()
    client.update({0: train(1_000)})
    process.process.send_signal(number)
    for line in ("OUTPUT ON", "output off", "over"):
        process.said(line)
    assert process.process.wait(PATIENCE_S) == 0
    assert not (tmp_path / "board").is_symlink()
    client.close()


def test_stopped_and_continued_it_is_at_zero_before_it_listens(
    process: Process, tmp_path: Path, connect: Connect
) -> None:
    client = connect(tmp_path / "board")
    client.ready(dead_man_ms=50)
    client.update({0: train(1_000)})
    process.said("OUTPUT ON")
    process.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.process.pid, os.WSTOPPED)
    stopped_us = clock_us()
    beat = client.frame(m.Heartbeat(client.counter + 1, (clock_us() // 1_000 + 77_777) % 2**32))
    client.write(beat)
    while clock_us() < stopped_us + 100_000:
        select.select([], [], [], 0.02)
    process.process.send_signal(signal.SIGCONT)
    words = client.until(lambda frames: any(isinstance(f.word, m.Nak) for f in frames))
    causes = [word.cause for word in words if isinstance(word, m.Event)]
    assert causes == [Cause.DEAD_MAN]  # and not one word between it and the refusal of what was queued
    report = client.report()
    assert not report.armed
    assert report.outputs[0].measured_ua == 0
    client.close()


def test_killed_it_leaves_a_link_that_the_next_one_takes_over(
    process: Process, tmp_path: Path, connect: Connect
) -> None:
    process.end()
    assert (tmp_path / "board").is_symlink()
    dead_for_good(tmp_path / "board")
    again = Server(self_paced_twin(1), tmp_path / "board")
    try:
        assert identity(connect(tmp_path / "board")).serial == SERIAL
    finally:
        again.stop()


def test_started_anew_it_is_the_same_board_with_fresh_challenges() -> None:
    """A session finds only its own board again, so that a pulled cable or a power cut can be rehearsed."""
    known, challenges = set(), set()
    for seed in range(3):  # another patient each time
        twin = self_paced_twin(seed)
        host = Host(twin, twin.now_us)
        said = host.identity()
        known.add(dataclasses.replace(said, challenge=0))
        challenges.add(said.challenge)
    assert [said.serial for said in known] == [SERIAL]
    assert len(challenges) == 3


def identity(client: Client) -> m.Identity:
    for word in client.raw(client.frame(m.Hello(), token=0)):
        if isinstance(word, m.Identity):
            return word
    raise AssertionError(client.heard)


def test_nobody_needs_to_cue_the_patient_of_the_wire() -> None:
    twin = self_paced_twin(3)
    start = twin.now_us
    twin.patient.angle_deg(start)
    twin.patient.angle_deg(start + 120_000_000)
    assert twin.patient.volition.attempts
