"""``stimctl boards``: ports are listed unopened, boards answer at named ports, and no question is an order to another board."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stimctl.boards import KINDS, board_url
from stimctl.boards.openemsstim.dialects import MASTER_2017
from stimctl.boards.openemsstim.fit import introduce
from stimctl.boards.plugs import may_be
from stimctl.cli import main
from stimctl.cli.boards import lines
from stimctl.control import boards as door
from stimctl.control import start
from stimctl.driver import Connected, DriverState, driver_for
from stimctl.errors import LinkLost, UsageError
from stimctl.safety import Latch
from stimctl.sim.catalogue import BOARDS, Entry
from stimctl.sim.ledger import Ledger
from stimctl.sim.link import SimLink
from stimctl.sim.served import Served
from stimctl.transport import open_transport, ports
from stimctl.transport.ports import SerialPort
from tests.serving import Server
from tests.test_driver_openemsstim import CALIBRATION

MS = 1_000
SECOND = 1_000_000

SHOWN = tuple(kind for kind in KINDS if kind in BOARDS)
TWINS = [(kind, variant) for kind in BOARDS for variant in (BOARDS[kind].variants or ("",))]


@pytest.fixture
def served() -> Iterator[Any]:
    """Serves twins, and ends them all."""
    servers: list[Server[Any]] = []

    def serve(kind: str, variant: str = "") -> Server[Any]:
        entry = BOARDS[kind]
        servers.append(Server(entry.twin(variant, 5, chosen=True), settings=entry.settings))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


def nothing_flowed(twin: Any) -> bool:
    ledgers: tuple[Ledger, ...] = tuple(twin.ledger)
    return not twin.active and not any(ledger.pulses or ledger.on_us or ledger.train for ledger in ledgers)


# --- the list ----------------------------------------------------------------------------------------------------


def plug(device: str, vid: int | None = None, pid: int | None = None, **more: str | None) -> SimpleNamespace:
    told = {"description": "n/a", "manufacturer": None, "serial_number": None, **more}
    return SimpleNamespace(device=device, vid=vid, pid=pid, **told)


def test_ports_stand_in_the_order_in_which_people_count() -> None:
    found = ports.serial_ports(lambda: [plug("/dev/ttyUSB10"), plug("/dev/ttyUSB2"), plug("/dev/ttyACM0")])
    assert [port.device for port in found] == ["/dev/ttyACM0", "/dev/ttyUSB2", "/dev/ttyUSB10"]
    assert found[0] == SerialPort("/dev/ttyACM0")


def test_a_plug_is_described_by_what_it_says_of_itself() -> None:
    [found] = ports.serial_ports(
        lambda: [plug("/dev/ttyACM0", 0x0483, 0x5740, description="Port", manufacturer="Maker", serial_number="17")]
    )
    assert (found.description, found.serial, found.usb_text) == ("Maker Port", "17", "0483:5740")
    assert may_be(found.usb) == ("p24",)
    assert may_be((0, 0)) == ()


def test_a_list_that_cannot_be_read_is_one_line() -> None:
    def broken() -> list[Any]:
        raise OSError("no such table")

    with pytest.raises(LinkLost, match="name a port instead"):
        ports.serial_ports(broken)


def test_ports_that_nobody_named_are_not_even_opened(
    served: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = served("p24")
    heard = list[bytes]()
    monkeypatch.setattr(server.twin, "feed", lambda data, _now_us: heard.append(data))
    monkeypatch.setattr(door, "serial_ports", lambda: (SerialPort(server.path, "STM32", usb=(0x0483, 0x5740)),))
    assert main(["boards"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{server.path}: STM32 (0483:5740): not asked")
    assert f"it may be p24:{server.path}" in out
    server.do(lambda: None)
    assert (server.lines, b"".join(heard)) == ([], b"")


def test_no_ports_are_no_fault(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(door, "serial_ports", lambda: ())
    assert main(["boards"]) == 0
    assert "no serial port was found" in capsys.readouterr().out
    assert main(["boards", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


# --- who answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SHOWN)
def test_every_kind_with_a_driver_answers_and_puts_out_nothing(
    kind: str, served: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server = served(kind)
    hurry = threading.Thread(target=lambda: (server.said("client connected"), server.skip(10 * SECOND)))
    hurry.start()  # past the seconds for which some of them boot
    assert main(["boards", f"{kind}:{server.path}"]) == 0
    hurry.join()
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"{kind}:{server.path}: ")
    for word in ("outputs", "measures", "dead-man", "stop button"):
        assert f"\n  {word}" in out
    assert "client connected" in server.lines
    server.do(lambda: None)
    assert nothing_flowed(server.twin)


def test_what_is_missing_is_said(served: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", f"p24:{served('p24').path}"]) == 0
    out = capsys.readouterr().out
    assert "stop button  none: pull the P24's USB plug" in out
    assert "warning: the P24 has no stop button" in out
    assert "measures     neither its current nor the pads' contact" in out
    assert "bench" not in out  # no current flows in a simulated one


def test_a_program_gets_the_same(served: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server = served("p24")
    assert main(["boards", "--format", "json", f"p24:{server.path}", "p24:/dev/nowhere"]) == 2
    there, nowhere = json.loads(capsys.readouterr().out)
    assert (there["answered"], there["board"], there["serial"]) == (True, "p24", "SIM0000006")
    assert (there["stop_button"], there["dead_man_ms"], there["senses_current"]) == (False, 2_000, False)
    assert there["outputs"] == 8
    assert there["warnings"]
    assert (nowhere["answered"], nowhere["port"]) == (False, "/dev/nowhere")
    assert "no port /dev/nowhere" in nowhere["problem"]


def test_a_board_of_per_cent_that_nobody_has_measured_is_told_no_ma() -> None:
    for calibration, words, most_ua in (
        (None, "2, in per cent: ", None),
        (CALIBRATION, "2, up to 33.411 mA in steps", 33_411),
    ):
        facts = introduce(MASTER_2017, calibration, simulated=False)
        found = door.Found("/dev/x", url="openemsstim:/dev/x", facts=facts)
        assert words in "\n".join(lines(found))
        assert door.as_json(found)["amplitude_max_ua"] == most_ua
        assert ("100.0 mA" in "\n".join(lines(found))) is False


def test_a_pseudo_terminal_needs_no_kind(served: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server = served("p24")
    assert main(["boards", server.path]) == 0
    assert capsys.readouterr().out.startswith(f"p24:{server.path}: P24 SIM0000006")


def test_a_rehamove3_twin_understands_how_its_port_is_set(served: Any) -> None:
    """Its line has two stop bits: those of a pseudo-terminal carry nothing, but the twin tells by them who is set wrongly."""
    server = served("rehamove3")
    assert main(["boards", f"rehamove3:{server.path}"]) == 0
    assert not [line for line in server.lines if "not understood" in line]


def test_twins_in_this_process_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", "sim:", "sim:p24"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sim: stimctl reference board")
    assert "\nsim:p24: P24" in out


# --- who does not ------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_one_line(served: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server = served("p24")
    other = open_transport(server.path)
    try:
        assert main(["boards", f"p24:{server.path}"]) == 2
    finally:
        other.close()
    out, err = capsys.readouterr()
    assert out == f"{server.path}: {server.path} is in use by another program; end that one first\n"
    assert err == ""


def test_a_port_that_may_not_be_opened_is_one_line(
    served: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("serial.serial_for_url", forbidden)
    assert main(["boards", f"p24:{served('p24').path}"]) == 2
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "no permission to open" in out


def test_a_port_without_its_kind_is_not_asked(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real port, that is: anything may be plugged into it."""
    monkeypatch.setattr(door, "is_pseudo", lambda _port: False)
    monkeypatch.setattr("stimctl.transport.address.check", lambda _port: None)
    monkeypatch.setattr(door, "ask", lambda *_: pytest.fail("it was asked"))
    assert main(["boards", "/dev/ttyUSB0"]) == 2
    assert "/dev/ttyUSB0: not asked: nothing is sent to what is not named" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["p25:/dev/ttyACM0", "p24:", "reference:"])
def test_a_name_that_makes_no_sense_opens_nothing(
    name: str, served: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "ask", lambda *_: pytest.fail("it was asked"))
    assert main(["boards", f"p24:{served('p24').path}", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


class Hurried:
    """A clock that jumps instead of waiting."""

    waits = False

    def __init__(self) -> None:
        self._now_us = SECOND

    def now_us(self) -> int:
        return self._now_us

    def sleep_until(self, us: int, fds: Any = ()) -> None:
        self._now_us = max(us, self._now_us)

    def late_us(self, due_us: int) -> int:
        return 0


def test_silence_is_one_line_and_exit_1() -> None:
    master, slave = os.openpty()
    try:
        path = os.ttyname(slave)
        [named] = door.look([f"p24:{path}"], None, lambda _found: None, Hurried())
        [bare] = door.look([path], None, lambda _found: None, Hurried())
    finally:
        os.close(master)
        os.close(slave)
    assert (named.code, named.facts) == (1, None)
    assert named.problem == f"what is at {path} does not answer as a P24; check port and power"
    assert bare.problem.startswith(f"nobody that stimctl knows answers at {path}")
    assert door.code([named, bare]) == 1


@pytest.mark.parametrize("kind", ["p24", "uecu"])
def test_a_session_whose_board_does_not_answer_exits_with_the_same_code(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 is for what was typed wrong; a script that asks and then runs has to read both alike."""
    monkeypatch.setattr(start, "RealClock", Hurried)
    master, slave = os.openpty()
    try:
        command = ["run", "thumb-extensors-cyclic", "--headless", "--store", str(tmp_path / "record.db")]
        assert main([*command, "--board", f"{kind}:{os.ttyname(slave)}"]) == 1
    finally:
        os.close(master)
        os.close(slave)
    assert "does not answer as a" in capsys.readouterr().err
    assert main([*command, "--board", f"{kind}:{tmp_path}/none"]) == 2


def test_an_unknown_kind_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="p24:PORT"):
        door.look(["p25:/dev/ttyACM0"], None, lambda _found: None)


# --- no question is an order to another board --------------------------------------------------------------------


def asked(kind: str, twin: Served, *, most_us: int) -> bool:
    """Let the driver of ``kind`` ask ``twin`` until it gives up; whether it took it for its own."""
    now_us = SECOND
    link = SimLink(twin, lambda: now_us)
    driver = driver_for(kind, link, Latch(), tokens=iter(range(7, 1_000)).__next__)
    twin.plugged(now_us)
    driver.open(now_us)
    while now_us < SECOND + most_us:
        events = driver.poll(now_us)
        known = any(isinstance(event, Connected) for event in events)
        if known or driver.state is DriverState.LOST:
            break
        now_us += 10 * MS
        twin.advance(now_us)
        assert not twin.active
    driver.close()  # which is a stop once more
    twin.advance(now_us + SECOND)
    return known


def made(entry: Entry, variant: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from stimctl.sim import catalogue

    monkeypatch.setattr(catalogue, "clock_us", lambda: SECOND)
    monkeypatch.setattr("stimctl.sim.terminal.clock_us", lambda: SECOND)
    return entry.twin(variant, 3, chosen=True)


@pytest.mark.parametrize(
    ("kind", "twin"), [each for each in itertools.product(KINDS, TWINS) if each[0] != each[1][0]], ids=str
)
def test_no_kind_s_question_is_an_order_to_another_board(
    kind: str, twin: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that a wrongly named board is sent, by every board of which there is a twin: nobody answers, and nothing flows."""
    name, variant = twin
    board = made(BOARDS[name], variant, monkeypatch)
    assert not asked(kind, board, most_us=20 * SECOND)
    assert nothing_flowed(board)


@pytest.mark.parametrize(("kind", "variant"), [each for each in TWINS if each[0] in KINDS], ids=str)
def test_nor_does_it_energise_its_own(kind: str, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    board = made(BOARDS[kind], variant, monkeypatch)
    assert asked(kind, board, most_us=20 * SECOND)
    assert nothing_flowed(board)


# --- twins say how they are opened -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SHOWN)
def test_a_served_twin_is_opened_by_what_it_says(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words after --board are a board's URL, for every kind that a session can open."""
    from stimctl.control import twin

    monkeypatch.setattr(twin, "serve", lambda *_, on_ready, **__: on_ready("./board"))
    said: list[str] = []
    assert twin.serve_twin(kind, "", "./board", 1, said.append, chosen=True) == 0
    [line] = [each for each in said if "--board" in each]
    url = shlex.split(line.partition("--board ")[2])[0]
    known, port = board_url(url)
    assert (known.scheme, port) == (kind, "./board")


@pytest.mark.parametrize("command", ["boards", "bench"])
def test_help_fits_a_terminal(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 79
