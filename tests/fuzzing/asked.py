"""What is typed, and what the environment says."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import serial

from stimctl.boards import board_url
from stimctl.errors import FileError, StimctlError, UsageError
from stimctl.sensors.recording import Recording
from stimctl.session.hearing import load_recording
from stimctl.session.search import Search
from stimctl.transport import open_transport
from tests.fuzzing.files import record, sound
from tests.fuzzing.mangle import mangled, text
from tests.fuzzing.probe import Probe, command, given, no_streams

# --- arguments ----------------------------------------------------------------------------------------------------

WORDS = (
    *("check", "run", "demo", "sessions", "verify", "library", "new", "schema", "--help", "--version", "--", "-"),
    *(
        "--board",
        "--emg",
        "--seed",
        "--speed",
        "--store",
        "--format",
        "--headless",
        "--link",
        "-o",
        "json",
        "text",
        "max",
    ),
    *(
        "p.toml",
        "r.db",
        "..",
        "/",
        "/dev/null",
        "/dev/zero",
        "fifo",
        "folder",
        "last",
        "fes-cyclic",
        "tens-conventional",
    ),
    *(
        "sim:",
        "reference:",
        "reference:/dev/zero",
        "reference:spy:///dev/null?file=copy",
        "file:/dev/zero",
        "file:fifo",
    ),
    *("reference:loop://", "reference:hwgrep://.*", "reference:socket://h:1?logging=debug", "file:folder", "file:r.db"),
    *(
        "0",
        "-1",
        "1e3",
        "nan",
        "x" * 5_000,
        "\udcff.toml",
        "a\x00b",
        "\x1b[2J",
        "p.toml\n",
        "-x",
        "--x=y",
        "@p.toml",
        "%s",
        "é",
    ),
)
LONG_ONES = frozenset({"demo", "sim"})
"""Commands that do much, or never end, when everything about them is right: only asked for with something wrong."""


def arguments(chance: random.Random, folder: Path) -> None:
    """Words in any order: done, or one line of what is wrong. No session runs: where one would, there is no terminal."""
    scene(folder)
    words = [chance.choice(WORDS) if chance.random() < 0.85 else text(chance, 12) for _ in range(chance.randint(1, 6))]
    if chance.random() < 0.6:
        words.insert(0, chance.choice(("check", "run", "sessions", "verify", "library", "new", "schema")))
    for at, word in enumerate(words):
        if word == "-o" and words[at + 1 : at + 2] and words[at + 1].startswith(("/", "..")):
            words[at + 1] = "folder"  # whoever names a place outside wants it written there
    if LONG_ONES & set(words) or ("run" in words and "--headless" in words):
        words.append("--no-such-option")
    with given(words), no_terminal():
        command(*words, stdin=b"format = 1\n")


def scene(folder: Path) -> None:
    """A few things that a word may name: a file that is none, a record, a pipe that nobody writes to, a folder."""
    (folder / "p.toml").write_text("format = 1\n")
    (folder / "r.db").write_bytes(record())
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")


@contextmanager
def no_terminal() -> Iterator[None]:
    """A screen would wait for keys; and no home but the scratch folder, for what is written without being told where."""
    home = {name: str(Path.cwd() / "home") for name in ("HOME", "XDG_DATA_HOME", "TMPDIR", "LOCALAPPDATA", "APPDATA")}
    with mock.patch.dict(os.environ, home), mock.patch("os.isatty", return_value=False):
        yield


# --- URLs ---------------------------------------------------------------------------------------------------------

PORTS = (
    *(
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/tty",
        "/dev/ptmx",
        "/dev/stdin",
        "/proc/self/fd/0",
        "/proc/self/mem",
    ),
    *(
        "fifo",
        "folder",
        "p.toml",
        "socket",
        "dangling",
        "loop",
        ".",
        "",
        "/",
        "~",
        "COM1",
        "\\\\.\\COM3",
        "CON",
        "\\\\host\\x",
    ),
    *(
        "spy:///dev/null?file=copy",
        "spy://loop://?file=copy",
        "alt:///dev/null?class=PosixPollSerial",
        "loop://?logging=debug",
    ),
    *("hwgrep://.*&n=1", "cp2110://1:2:3", "socket://127.0.0.1:1?logging=debug", "socket://[::1]:1", "socket://a@b:1"),
    *(
        "rfc2217://127.0.0.1:1?timeout=9",
        "rfc2217://127.0.0.1:1?logging=debug",
        "rfc2217://x:1?poll_modem&ign_set_control",
    ),
    *(
        "os://x",
        "..://x",
        "protocol_spy://x",
        "serial.urlhandler.protocol_spy://x",
        "file:///etc/passwd",
        "http://127.0.0.1/",
    ),
)


def board(chance: random.Random, folder: Path) -> None:
    """Any text behind --board: only devices and well-formed network ports reach pyserial, the rest is one sentence."""
    scene(folder)
    (folder / "dangling").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    port = chance.choice(PORTS).encode("utf-8", "surrogateescape")
    if chance.random() < 0.6:
        port = mangled(port, chance, most=2)
    url = f"{chance.choice(('reference:', 'reference:', 'reference:', '', 'Reference:', 'sim:'))}{os.fsdecode(port)}"
    reached: list[str] = []

    def opened(name: str, **_more: object) -> None:
        reached.append(name)
        raise serial.SerialException("not here")

    with given(url), mock.patch("serial.serial_for_url", opened):
        try:
            kind, where = board_url(url)
            open_transport(where, baud=kind.baud)
        except StimctlError:
            pass
        for name in reached:
            if "://" in name:
                assert name.startswith(("socket://", "rfc2217://"))
                assert not set("@\n\r\0 ") & set(name)
                assert "logging" not in name
            else:
                assert Path(name).is_char_device()


def emg(chance: random.Random, folder: Path) -> None:
    """Any text behind --emg: a recording, a stream, the board's own input, or one sentence; no device or pipe is waited for."""
    scene(folder)
    (folder / "r.csv").write_text("1\n2\n3\n")
    place = chance.choice(
        (*PORTS, "r.csv", "r.csv?rate=1000", "r.csv?rate=1e9", "r.csv?rate=1000&rate=2", "r.csv?x", "?", "?rate=1")
    )
    raw = place.encode("utf-8", "surrogateescape")
    url = f"{chance.choice(('file:', 'file:', 'file://', 'lsl:', 'board:', ''))}{os.fsdecode(mangled(raw, chance) if chance.random() < 0.5 else raw)}"
    with given(url), no_streams():
        try:
            found = load_recording(url)
            if isinstance(found, Search):
                found.wait()
                found.result()
        except (UsageError, FileError):
            return
        if isinstance(found, Recording):
            sound(found)


# --- the environment ----------------------------------------------------------------------------------------------

NAMES = (
    *("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "USERPROFILE", "TMPDIR", "TEMP", "PWD", "USER", "LOGNAME", "SHELL"),
    *(
        "TERM",
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLORTERM",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "LANGUAGE",
        "TZ",
    ),
    *("STIMCTL_DEBUG", "STIMCTL_FACE", "STIMCTL_UNSAFE", "STIMCTL_LIMIT", "SSH_CONNECTION", "SSH_TTY", "TMUX", "STY"),
    *(
        "PYTHONIOENCODING",
        "PYTHONPATH",
        "PYTHONOPTIMIZE",
        "PYTHONUTF8",
        "TEXTUAL",
        "SOURCE_DATE_EPOCH",
        "PAGER",
        "EDITOR",
    ),
)
SAYINGS = (
    "",
    "0",
    "1",
    "-5",
    "nan",
    "99999999999999",
    "dumb",
    "C",
    "xx_YY.utf-99",
    "/dev/null",
    "/dev/null/x",
    "rel/ative",
    "~",
    "x" * 5_000,
    "\udcff",
    "\x1b[2J",
    "a=b",
    "$(x)",
)
COMMANDS = (
    ("--version",), ("--help",), ("run", "--help"), ("library",), ("sessions",), ("verify",), ("check", "p.toml"),
    ("new", "fes-cyclic", "-o", "n.toml"), ("run", "p.toml"), (), ("sessions", "--store", "r.db"),
)  # fmt: skip


def environment(chance: random.Random, folder: Path) -> None:
    """Any environment: the commands do what they do, or say in a line why not; nothing is written where nobody said."""
    scene(folder)
    changed = {chance.choice(NAMES): chance.choice(SAYINGS) for _ in range(chance.randint(1, 6))}
    missing = [chance.choice(NAMES) for _ in range(chance.randrange(3))]
    asked = chance.choice(COMMANDS)
    with given((changed, missing, asked)), no_terminal(), no_home(), mock.patch.dict(os.environ, changed):
        for name in missing:
            os.environ.pop(name, None)
        command(*asked)


@contextmanager
def no_home() -> Iterator[None]:
    """A user whom the system does not know: nobody's real home is ever meant where the environment names none."""
    with mock.patch("pwd.getpwuid", side_effect=KeyError("no such user")):
        yield


PROBES = (
    Probe("arguments", "command lines", arguments, record),
    Probe("board", "board URLs", board, record),
    Probe("emg", "EMG URLs", emg, record),
    Probe("environment", "environments", environment, record),
)
