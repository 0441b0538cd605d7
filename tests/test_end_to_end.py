"""Two programs and a real pseudo-terminal between them: whatever happens to either, output ends and the record tells.

Every fault strikes while current flows steadily, and would leave it flowing for seconds if nobody did anything. What
the board put out is proved by the twin's own ledger, and when it had to end by the times at which bytes reached it:
the dead-man's 500 ms are exact however busy the machine is.
"""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stimctl.boards.reference.codes import Cause
from stimctl.cli import main
from stimctl.records.reading import events, sessions, verify
from stimctl.records.words import UNFINISHED, Event, SessionRow
from stimctl.sim.terminal import clock_us
from tests.session_rig import CYCLIC, TENS
from tests.twin_rig import Board, Facts, Program, dead_for_good

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing"),
    pytest.mark.waits(4),
]

DEAD_MAN_US = 500_000

STEADY = TENS.replace("amplitude_ma = 6.0", "amplitude_ma = 12.0").replace(
    "max_amplitude_ma = 8.0", "max_amplitude_ma = 15.0"
)
"""Sensory, so that from its second second on current flows without a break, first of all while thresholds are found."""

SHORT = (
    CYCLIC.replace("amplitude_ma = 6.0", "amplitude_ma = 1.0")
    .replace("max_amplitude_ma = 8.0", "max_amplitude_ma = 1.0")
    .replace("ramp_up_s = 1.0", "ramp_up_s = 0.5")
    .replace("hold_s = 2.0", "hold_s = 0.5")
    .replace("ramp_down_s = 1.0", "ramp_down_s = 0.2")
    .replace("rest_s = 4.0", "rest_s = 1.5")
    .replace("repetitions = 2", "repetitions = 1")
)

TOO_BUSY = r"control loop late|it took too long on the way"

COMMAND = ("run", "protocol.toml", "--board", "reference:./board", "--headless", "--store", "./r.db")


class Scene:
    """A folder with a board, a controller and a record in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "r.db"
        self._programs: list[Program] = []

    def board(self, *options: str) -> Board:
        board = Board(self.folder, *options)
        self._programs.append(board)
        board.wait_for(r"^\d+ ready$")
        return board

    def program(self, *arguments: str) -> Program:
        self._programs.append(Program(*arguments, cwd=self.folder))
        return self._programs[-1]

    def controller(self, text: str = STEADY, *options: str) -> Program:
        (self.folder / "protocol.toml").write_text(text, encoding="utf-8")
        return self.program(*COMMAND, *options)

    def running(self, *options: str) -> tuple[Board, Program]:
        """A board that puts out current on the orders of a controller."""
        board = self.board(*options)
        controller = self.controller()
        board.wait_for("OUTPUT ON")
        return board, controller

    def recorded(self, kind: str) -> None:
        """Wait until another process can read an event of this kind; long before its group would have its turn."""
        end_us = clock_us() + 30_000_000
        while not [each for row in sessions(self.store) for each in events(self.store, row.id) if each.kind == kind]:
            assert clock_us() < end_us, f"no {kind} was recorded"

    def record(self) -> tuple[SessionRow, tuple[Event, ...]]:
        """The one session that was recorded, as a person may read it."""
        assert verify(self.store).ok
        assert main(["verify", "--store", str(self.store)]) == 0
        assert main(["sessions", "last", "--store", str(self.store)]) == 0
        [row] = sessions(self.store)
        return row, events(self.store, row.id)

    def was_too_busy(self) -> bool:
        """Whether a program says that this computer let it down: then a session ends by itself, as it must."""
        return any(program.says(TOO_BUSY) for program in self._programs)

    def begin_anew(self) -> None:
        """Leave all as it is, and begin in a folder of its own."""
        self.close()
        self._programs.clear()
        self.folder /= "again"
        self.folder.mkdir()
        self.store = self.folder / "r.db"

    def close(self) -> None:
        for program in self._programs:
            program.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def found(recorded: tuple[Event, ...], kind: str) -> Event:
    """The one event of this kind."""
    [event] = [each for each in recorded if each.kind == kind]
    return event


def within_commands(facts: Facts, recorded: tuple[Event, ...]) -> None:
    """Nothing ever flowed beyond the highest level that the record has a press for by then."""
    levels = [(each.mono_us, each.payload["level_ua"]) for each in recorded if each.kind == "level"]
    assert facts.flows
    for flow in facts.flows:
        asked = [level for time_us, level in levels if time_us <= flow.start_us and isinstance(level, int)]
        assert flow.peak_ua <= max(asked, default=0), (flow, levels)


def ended_by_dead_man(facts: Facts) -> int:
    """When the board ended output by itself, after the last bytes by no more than its dead-man; nothing flowed again."""
    ended_us = facts.ended_us(Cause.DEAD_MAN)
    assert ended_us - facts.last_fed_us(ended_us) <= DEAD_MAN_US
    assert facts.flows
    assert max(flow.end_us for flow in facts.flows) <= ended_us
    assert facts.flows[-1].end_us == ended_us, "the fault struck while nothing flowed"
    return ended_us


# --- all is well --------------------------------------------------------------------------------------------------


@pytest.mark.waits(15)
def test_a_whole_session_over_the_pseudo_terminal(scene: Scene) -> None:
    sim = scene.program("sim", "reference", "--link", "./board")
    sim.wait_for("Ready. Open it with: stimctl run FILE --board reference:./board")
    controller = scene.controller(SHORT)
    assert controller.wait() == 0, controller.text
    assert controller.lines[0].startswith("SIMULATED")
    assert controller.lines[-1].endswith("the board reports its output off")
    sim.wait_for("client gone")
    said = [line for line in sim.lines if line in ("OUTPUT ON", "output off")]
    assert said == ["OUTPUT ON", "output off"] * (len(said) // 2), "on and off in turn, and off at the end"
    assert len(said) >= 2 * 4, "two threshold runs, one trial, one burst"
    row, recorded = scene.record()
    assert (row.outcome, row.simulated, row.bursts) == ("complete", True, 1)
    assert found(recorded, "session-closed").payload["output"] == "off"


def test_a_second_controller_is_refused_and_the_first_goes_on(scene: Scene) -> None:
    board, controller = scene.running()
    for port in ("./board", str((scene.folder / "board").readlink())):
        second = scene.program("run", "protocol.toml", "--board", f"reference:{port}", "--headless", "--store", "2.db")
        assert second.wait() == 2
        assert second.lines == [f"stimctl: {port} is in use by another program; end that one first"]
    assert controller.process.poll() is None, controller.text
    controller.signal(signal.SIGTERM)
    assert controller.wait() == 143
    facts = board.ask()
    assert [cause for _, cause in facts.disarms] == [Cause.STOP_COMMAND], "the first one was never disturbed"


# --- the controller -----------------------------------------------------------------------------------------------


def test_a_controller_that_is_killed(scene: Scene) -> None:
    board, controller = scene.running()
    scene.recorded("level")
    controller.signal(signal.SIGKILL)
    killed_us = clock_us()
    board.wait_for("dead-man tripped")
    assert controller.wait() == -signal.SIGKILL
    row, recorded = scene.record()
    assert row.outcome == UNFINISHED
    assert recorded[-1].kind == "level", "what was pressed last is on the disk, and how it ended is not made up"
    assert recorded[-1].mono_us <= killed_us
    (scene.folder / "r.db").rename(scene.folder / "first.db")
    again = scene.program(*COMMAND)  # the port is free again
    again.wait_for("screening; output off")
    again.signal(signal.SIGTERM)
    assert again.wait() == 143
    facts = board.ask()
    ended_by_dead_man(facts)
    within_commands(facts, recorded)


@pytest.mark.parametrize(
    ("number", "code", "why"),
    [
        (signal.SIGTERM, 143, "ended by signal 15"),
        (signal.SIGHUP, 129, "ended by signal 1"),
        (signal.SIGINT, 1, "Ctrl+C pressed"),
    ],
)
def test_a_controller_that_is_told_to_end(scene: Scene, number: signal.Signals, code: int, why: str) -> None:
    board, controller = scene.running()
    controller.signal(number)
    assert controller.wait() == code, controller.text
    assert controller.lines[-1].endswith("the board reports its output off")
    board.wait_for("client gone")
    facts = board.ask()
    ended_us = facts.ended_us(Cause.STOP_COMMAND)
    assert facts.flows[-1].end_us == ended_us
    row, recorded = scene.record()
    stop, closed = found(recorded, "stop"), recorded[-1]
    assert why in str(stop.payload["reason"])
    assert stop.payload["state"] == "stopped"
    assert (closed.kind, closed.payload["output"]) == ("session-closed", "off")
    assert "stop-confirmed" in [each.kind for each in recorded]
    assert row.outcome not in ("complete", UNFINISHED)
    within_commands(facts, recorded)


def test_a_controller_that_is_suspended(scene: Scene) -> None:
    """SIGSTOP cannot be caught: the board ends output, and a controller that comes back does not resume it."""
    board, controller = scene.running()
    controller.signal(signal.SIGSTOP)
    stopped_us = clock_us()
    board.is_alive_after(stopped_us + 1_100_000)
    assert "disarmed: dead-man tripped" in board.text
    controller.signal(signal.SIGCONT)
    assert controller.wait() != 0, controller.text
    assert controller.lines[-1].endswith("the board reports its output off")
    facts = board.ask()
    ended_by_dead_man(facts)
    row, recorded = scene.record()
    assert row.outcome not in ("complete", UNFINISHED)
    assert re.search(r"late|stalled", " ".join(str(each.payload.get("reason", "")) for each in recorded))
    within_commands(facts, recorded)


# --- the board ----------------------------------------------------------------------------------------------------


def cannot_be_reached(scene: Scene, controller: Program) -> None:
    """The controller's own account of a board that has gone: nothing is known, and everybody is told so."""
    assert controller.wait() == 1, controller.text
    assert "OFF NOT CONFIRMED" in controller.lines[-1].upper() or "UNKNOWN" in controller.lines[-1].upper(), (
        controller.text
    )
    assert "the session has ended: " in controller.lines[-1], controller.text
    assert "CANNOT BE REACHED" in controller.lines[-1].upper(), controller.text
    row, recorded = scene.record()
    assert row.outcome not in ("complete", UNFINISHED)
    assert found(recorded, "link-lost").payload["why"]
    assert "cannot be reached" in str(found(recorded, "fault").payload["reason"])
    assert (recorded[-1].kind, recorded[-1].payload["output"]) == ("session-closed", "unknown")


def test_a_board_that_is_killed(scene: Scene) -> None:
    board, controller = scene.running()
    board.signal(signal.SIGKILL)
    cannot_be_reached(scene, controller)
    assert board.wait() == -signal.SIGKILL
    dead_for_good(scene.folder / "board")
    after = scene.board()  # a board that is switched on again takes the dead one's place, at zero
    assert after.ask().flows == ()


def test_a_board_that_is_switched_off(scene: Scene) -> None:
    board, controller = scene.running()
    (scene.folder / "board").unlink()  # and its name is gone, too
    facts = board.ask()
    assert facts.flows[-1].end_us == facts.ended_us(Cause.STOP_COMMAND)
    cannot_be_reached(scene, controller)


def test_a_wire_that_is_cut(scene: Scene) -> None:
    board, controller = scene.running()
    board.signal(signal.SIGUSR1)
    board.wait_for("dead-man tripped")
    cannot_be_reached(scene, controller)
    facts = board.ask()
    ended_us = facts.ended_us(Cause.DEAD_MAN)
    cut_us = int(board.wait_for("wire cut").split()[0])
    # Bytes go on arriving at the cut end; what got through came before the cut.
    assert ended_us - max(time_us for time_us in facts.fed_us if time_us <= cut_us) <= DEAD_MAN_US
    assert facts.flows[-1].end_us == ended_us
    within_commands(facts, scene.record()[1])


def test_a_board_that_is_suspended(scene: Scene) -> None:
    """As a brown-out would: its clock goes on, so that it ends output before it looks at what came meanwhile."""
    board, controller = scene.running()
    board.signal(signal.SIGSTOP)
    stopped_us = clock_us()
    assert controller.wait() == 1, controller.text
    while clock_us() <= stopped_us + 1_100_000:
        controller.watch(0.1)
    board.signal(signal.SIGCONT)
    board.wait_for("disarmed: ")
    facts = board.ask()
    ended_us = facts.disarms[0][0]
    assert facts.disarms[0][1] is Cause.DEAD_MAN
    assert ended_us - facts.last_fed_us(ended_us) <= DEAD_MAN_US
    assert max(flow.end_us for flow in facts.flows) <= ended_us
    _, recorded = scene.record()
    assert recorded[-1].kind == "session-closed"
    within_commands(facts, recorded)


# --- the line -----------------------------------------------------------------------------------------------------


def test_garbage_on_the_line(scene: Scene) -> None:
    """A third program writes into the same terminal: no byte of it becomes current, and it is survived or told."""
    board, controller = scene.running()
    noise = random.Random(1)
    third = os.open(str(scene.folder / "board"), os.O_WRONLY | os.O_NOCTTY)
    try:
        for _ in range(30):
            os.write(third, noise.randbytes(noise.randrange(1, 60)))
            board.wait_for("alive", after=len(board.lines))
    finally:
        os.close(third)
    if controller.process.poll() is None:
        controller.signal(signal.SIGTERM)
    code = controller.wait()
    facts = board.ask()
    row, recorded = scene.record()
    within_commands(facts, recorded)
    assert code in (1, 143), controller.text
    assert row.outcome not in ("complete", UNFINISHED)
    assert [each for each in recorded if each.kind in ("fault", "stop")], "it ended for a reason that is told"
    ended_us, cause = facts.disarms[-1]
    assert cause in (Cause.STOP_COMMAND, Cause.DEAD_MAN)
    assert facts.flows[-1].end_us <= ended_us


# --- what is refused ----------------------------------------------------------------------------------------------


def test_a_real_board_is_not_run_by_a_script(scene: Scene) -> None:
    board = scene.board("--claims-to-be-real")
    controller = scene.controller(STEADY, "--remote-terminal")  # whoever runs the tests may sit anywhere
    assert controller.wait() == 1, controller.text
    [line] = [each for each in controller.lines if each.startswith("stimctl: ")]
    assert "a real board needs a person" in line
    assert "leave out --headless" in line
    assert "SIMULATED" not in controller.text
    facts = board.ask()
    assert facts.flows == ()
    row, _ = scene.record()
    assert (row.simulated, row.bursts) == (False, 0)


def test_a_real_board_is_not_run_from_afar(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """H33: refused by the real program over the real wire, before the record is opened and anything is armed."""
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.8 22")
    board = scene.board("--claims-to-be-real")
    controller = scene.controller()
    assert controller.wait() != 0
    assert "reached by SSH" in controller.lines[-1]
    assert "--remote-terminal" in controller.lines[-1]
    assert board.ask().flows == ()
    assert sessions(scene.store) == ()


def test_every_fault_of_a_protocol_is_a_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).parent / "data" / "protocols" / "three-mistakes.toml"
    assert main(["run", str(path), "--headless", "--speed", "max", "--store", str(tmp_path / "r.db")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith(f"{path}:") and line.split(":")[1].isdecimal() for line in lines)


def test_a_board_without_a_name_is_not_the_simulated_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "x.toml", "--board", ""]) == 2
    assert "--board: names no board; write sim: or KIND:PORT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--board", "toaster:1"), 2, "'toaster:1' names no kind of board that stimctl knows; write reference:PORT"),
        (("--board", "reference:absent"), 2, "there is no port absent; is the board plugged in, or the simulator"),
        (("--board", "reference:"), 2, "names no port; write reference:PORT"),
    ],
)
def test_a_board_that_is_not_there_is_one_line(
    options: tuple[str, ...], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = tmp_path / "cyclic.toml"
    protocol.write_text(CYCLIC, encoding="utf-8")
    assert main(["run", str(protocol), "--headless", *options, "--store", str(tmp_path / "r.db")]) == code
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("stimctl: ")
    assert says in line
    assert "output off" not in line, "nobody asked any board"
