"""The control process over real terminals: what a person types, sends or breaks, and what the board hears."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios

import pytest

from stimctl.control.terminal import RESET
from tests.control_rig import CLEAR, END, FAIL, ON, REFUSED, STALL, Rig, gone

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs pseudo-terminals and pidfd_open"),
    pytest.mark.waits(1),
]

QUIET = {"TSTP": r"Ctrl\+Z pressed; stimctl does not suspend"}


def test_stop_keys_stop_first_and_still_reach_the_face() -> None:
    with Rig() as rig:
        rig.start()
        shapes = {
            b" ": "Space",
            b"\x18": r"Ctrl\+X",
            b"\x1b[32;1;32u": "Space",
            b"\x1b[120;5u": r"Ctrl\+X",
            b"\x1b[27;5;120~": r"Ctrl\+X",
            b"\x1b[27;1;27u": "Esc",
            b"\x1b": "Esc",
            b"\x1b[200~pill wait\x1b[201~": "Space",  # no letter that this face obeys
        }
        for typed, name in shapes.items():
            rig.type(typed)
            rig.wait(f"STOP {name} pressed\n", b"".join(b"<key %02x>" % byte for byte in typed))
        rig.type(END)
        rig.wait("CLOSE the session has ended\n")
        assert rig.finish() == 0
        assert rig.restored()


def test_a_key_report_in_pieces_stops_with_its_last_byte() -> None:
    with Rig() as rig:
        rig.start()
        for part in (b"\x1b[1", b"2", b"0", b";"):  # an Esc alone is a key, or with another behind it
            rig.type(part)
            rig.wait(*(b"<key %02x>" % byte for byte in part))
        assert b"STOP" not in rig.lines
        rig.type(b"5u")
        rig.wait(r"STOP Ctrl\+X pressed\n")
        rig.type(b"q")
        assert rig.finish() == 0


def test_an_arrow_and_a_moving_mouse_stop_nothing_and_esc_does_while_the_screen_hangs() -> None:
    with Rig() as rig:
        face = rig.start(on=False)
        rig.type(b"\x1b[A\x1b[<35;10;10M\x1bOP")
        rig.wait(b"<key 4f><key 50>")
        os.kill(face, signal.SIGSTOP)
        assert b"STOP" not in rig.lines
        rig.type(b"\x1b")
        rig.wait("STOP Esc pressed\n")
        os.kill(face, signal.SIGKILL)
        rig.finish()


def test_ctrl_c_stops_and_stays_and_a_second_one_ends() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(b"\x03")
        rig.wait(r"STOP Ctrl\+C pressed\n", b"<status output off True >")
        rig.type(b"\x03")
        rig.wait(r"STOP ended by a second Ctrl\+C\n", r"CLOSE ended by a second Ctrl\+C\n")
        assert rig.finish() == 130
        assert rig.restored()


def test_ctrl_z_stops_and_suspends_nothing() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(b"\x1a")
        rig.wait(f"STOP {QUIET['TSTP']}\n")
        rig.type(CLEAR + ON)
        rig.wait(b"<status OUTPUT ON False >")
        rig.type(b"q")
        rig.finish()


def test_ctrl_s_does_not_freeze_the_screen() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(b"\x13")
        rig.wait(b"<key 13>")
        rig.type(b" ")
        rig.wait("STOP Space pressed\n", b"<status output off True >")
        rig.type(b"q")
        rig.finish()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"])
def test_signals_stop_then_end_with_the_record_closed(name: str) -> None:
    with Rig() as rig:
        face = rig.start()
        number = int(getattr(signal, name))
        os.kill(rig.control, number)
        rig.wait(f"STOP ended by signal {number}\n", f"CLOSE ended by signal {number}\n")
        assert rig.finish() == 128 + number
        assert gone(face)
        assert rig.restored()


def test_hang_up_of_the_terminal_stops_and_ends() -> None:
    with Rig() as rig:
        face = rig.start()
        rig.hang_up()
        rig.wait("STOP (the terminal has gone|ended by signal 1)\n", "CLOSE ", "END\n")
        assert gone(face)
        assert gone(rig.control)


@pytest.mark.parametrize(("act", "told"), [("x", "exit code 8"), ("kill", "signal 9")])
def test_a_face_that_dies_leaves_output_off_and_the_terminal_usable(act: str, told: str) -> None:
    with Rig() as rig:
        face = rig.start()
        if act == "kill":
            os.kill(face, signal.SIGKILL)
        else:
            rig.type(act.encode())
        rig.wait("STOP the screen has gone\n", rf"CLOSE the screen died \({told}\)\n")
        rig.wait(
            b"\x18\x1b\\\\.*1049l.*\\[\\?25h", rf"screen died \({told}\); the board reports its output off".encode()
        )
        assert rig.finish() == 1
        assert rig.restored()


def test_a_face_that_leaves_properly_is_not_reset_again() -> None:
    with Rig() as rig:
        rig.start(on=False)
        rig.type(b"q")
        rig.wait("CLOSE the screen was closed\n")
        rig.wait("END\n")
        rig.wait(b"RC=0")
        assert RESET not in rig.screen
        assert rig.restored()


def test_a_frozen_face_is_a_stop_and_the_next_keys_too() -> None:
    with Rig() as rig:
        face = rig.start()
        os.kill(face, signal.SIGSTOP)
        rig.wait("STOP the screen stopped answering\n", r"NOTE the screen stopped answering [0-9]+ ms ago\n")
        rig.type(b" ")
        rig.wait("STOP Space pressed\n")
        os.kill(face, signal.SIGCONT)
        rig.wait(b"<status output off True >")
        rig.type(b"q")
        rig.finish()


def test_a_hanging_face_cannot_delay_a_stop_key_and_is_ended() -> None:
    with Rig() as rig:
        face = rig.start()
        rig.type(b"h")
        rig.wait(b"<key 68>")
        rig.type(b" ")
        rig.wait("STOP (Space pressed|the screen stopped answering)\n")
        os.kill(rig.control, signal.SIGTERM)
        rig.wait("CLOSE ")
        assert rig.finish() == 143
        assert gone(face)
        assert rig.restored()


def test_input_that_nobody_takes_cannot_delay_a_stop_key() -> None:
    with Rig() as rig:
        face = rig.start(on=False)
        os.kill(face, signal.SIGSTOP)
        flood = b"\x1b[<35;10;10M" * 100
        for _ in range(200):  # three times what pipe and buffer hold
            rig.type(flood)
        rig.type(b" ")
        rig.wait("STOP Space pressed\n")
        os.kill(face, signal.SIGKILL)
        rig.finish()


def test_a_flood_of_orders_cannot_delay_a_stop_key() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(b"f")
        rig.wait("ORDER note\n")
        rig.type(b" ")
        rig.wait("STOP Space pressed\n")
        rig.type(b"q")
        rig.wait("CLOSE ")
        rig.finish()


def test_the_screens_own_stop_has_its_own_way() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(b"s")
        rig.wait("STOP STOP pressed on the screen\n")
        rig.type(b"q")
        rig.finish()


def test_a_refused_order_is_shown_until_one_succeeds() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(REFUSED)
        rig.wait("ORDER raise\n", b"<status OUTPUT ON False not now>")
        rig.type(CLEAR)
        rig.wait(b"<status OUTPUT ON False >")
        rig.type(b"q")
        rig.finish()


def test_a_stalled_control_loop_is_stopped_while_it_stalls() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(STALL)
        rig.wait("STOP the control loop stalled\n", "NOTE control loop late 1 times, by up to [0-9]+ ms\n")
        rig.type(b"q")
        rig.finish()


def test_a_control_process_that_was_frozen_stops_when_it_wakes() -> None:
    with Rig() as rig:
        rig.start()
        os.kill(rig.control, signal.SIGSTOP)
        rig.quiet(0.5)
        os.kill(rig.control, signal.SIGCONT)
        rig.wait("STOP (control loop late|the control loop stalled)\n")
        rig.type(b"q")
        rig.finish()


def test_a_control_process_that_fails_stops_and_says_so() -> None:
    with Rig() as rig:
        rig.start()
        rig.type(FAIL)
        rig.wait(r"STOP stimctl failed \(ZeroDivisionError: planted\)\n", "CLOSE stimctl failed")
        rig.wait(b"stimctl failed [^\r]*planted\\); the board reports its output off")
        assert rig.finish() == 1
        assert rig.restored()


def test_output_that_is_not_confirmed_is_called_unknown() -> None:
    with Rig(confirms=False) as rig:
        rig.start()
        rig.type(b"q")
        rig.wait(b"USE THE STOP SWITCH")
        assert rig.finish() == 1


@pytest.mark.parametrize("frozen", [False, True])
def test_a_killed_control_process_takes_its_face_along_and_the_terminal_comes_back(frozen: bool) -> None:
    with Rig() as rig:
        face = rig.start()
        if frozen:
            os.kill(face, signal.SIGSTOP)
        os.kill(rig.control, signal.SIGKILL)
        assert gone(face)
        rig.wait(b"(?s)1049l.*control process died; the board ends output")
        assert rig.restored()


def test_a_control_process_killed_before_its_face_ever_listened_is_followed_too() -> None:
    with Rig() as rig:
        control = int(rig.wait("PID [0-9]+\n")[4:])
        face = int(rig.wait(b"<face [0-9]+>")[6:-1])
        os.kill(control, signal.SIGKILL)
        assert gone(face)
        rig.wait(b"control process died")
        assert rig.restored()


def test_a_hanging_face_follows_a_killed_control_process_too() -> None:
    with Rig() as rig:
        face = rig.start()
        rig.type(b"h")
        rig.wait(b"<key 68>")
        os.kill(rig.control, signal.SIGKILL)
        assert gone(face)
        rig.wait(b"control process died")
        assert rig.restored()


def test_keyboard_signals_do_not_reach_the_face() -> None:
    with Rig() as rig:
        face = rig.start(on=False)
        for name in ("SIGINT", "SIGTSTP", "SIGQUIT"):
            os.kill(face, getattr(signal, name))
        rig.type(b"k")
        rig.wait(b"<key 6b>")
        rig.type(b"q")
        assert rig.finish() == 0


# --- a real Textual app as the face ------------------------------------------------------------------------------


def test_textual_reads_its_keys_from_the_pipe_and_leaves_properly() -> None:
    with Rig("textual") as rig:
        rig.wait("PID", b"status output off [0-9]+ Size.width=80, height=24")
        rig.type(b"z")
        rig.wait(b"key z")
        rig.type(b"\x1b[A")
        rig.wait(b"key up")
        rig.type(ON)
        rig.wait("ORDER start\n", b"OUTPUT ON")
        rig.type(b" ")
        rig.wait("STOP Space pressed\n")
        rig.type(END)
        rig.wait("CLOSE the session has ended\n", b"\\[\\?1049l")
        assert rig.finish() == 0
        assert rig.restored()


def test_a_face_in_a_session_of_its_own_still_follows_the_terminals_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own, so that what it paints is not taken from what a stop has to run on; the kernel then tells it nothing."""
    monkeypatch.setenv("COLUMNS", "80")  # what somebody exported once is not the window's size
    monkeypatch.setenv("LINES", "24")
    with Rig("textual") as rig:
        face = int(rig.wait("PID", b"status output off [0-9]+ Size.width=80, height=24").split()[3])
        assert os.getsid(face) == face
        for columns, rows in ((101, 33), (80, 24)):
            termios.tcsetwinsize(rig.terminal, (rows, columns))
            rig.wait(b"width=%d, height=%d" % (columns, rows))
        rig.type(END)
        rig.wait("CLOSE the session has ended\n")
        assert rig.finish() == 0


def test_a_textual_face_is_killed_and_its_terminal_comes_back() -> None:
    with Rig("textual") as rig:
        face = int(rig.wait("PID", b"status output off [0-9]+ ").split()[-1])
        for number in (signal.SIGTSTP, signal.SIGCONT, signal.SIGINT):
            os.kill(face, number)  # Textual's own handlers for these would suspend it, or start it a second time
        rig.type(b"z")
        assert "?1049h" not in rig.wait(b"(?s).*key z")
        rig.type(ON)
        rig.wait("ORDER start\n")
        os.kill(face, signal.SIGKILL)
        rig.wait("STOP the screen has gone\n")
        rig.wait(b"\x18\x1b\\\\.*1049l.*\\[\\?25h")
        assert rig.finish() == 1
        assert rig.restored()


def test_a_textual_face_whose_control_process_is_killed_goes_and_gives_the_terminal_back() -> None:
    with Rig("textual") as rig:
        control = int(rig.wait("PID [0-9]+\n")[4:])
        face = int(rig.wait(b"status output off [0-9]+ ").split()[-1])
        os.kill(control, signal.SIGKILL)
        assert gone(face)
        rig.wait(b"control process died")
        assert rig.restored()


# --- headless --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [b" ", b"\x18", b"\x03"])
def test_headless_a_stop_key_stops_and_ends(typed: bytes) -> None:
    with Rig("headless-on") as rig:
        rig.wait("PID", b"<OUTPUT ON>")
        rig.type(typed)
        rig.wait("STOP (Space|Ctrl.[XC]) pressed\n", "CLOSE stopped: .*pressed\n")
        assert rig.finish() == 1
        assert rig.restored()


def test_headless_hang_up_stops_and_ends() -> None:
    with Rig("headless-on") as rig:
        rig.wait("PID", b"<OUTPUT ON>")
        rig.hang_up()
        rig.wait("STOP (the terminal has gone|ended by signal 1)\n", "CLOSE ", "END\n")


def test_headless_output_that_nobody_reads_holds_nothing_up() -> None:
    with Rig("headless-on") as rig:
        rig.wait("PID", b"<OUTPUT ON>")
        # The terminal's display is stopped from outside; its buffer is full and prints block.
        with contextlib.suppress(BlockingIOError):
            os.set_blocking(rig.slave, False)
            while True:
                os.write(rig.slave, b"x" * 4096)
        rig.type(b" ")
        rig.wait("STOP Space pressed\n", "CLOSE stopped: .*pressed\n")
