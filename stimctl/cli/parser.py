"""Every command, its options, its help and an example of its use."""

from __future__ import annotations

import argparse
import functools
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from stimctl import __version__
from stimctl.cli import (
    authoring,
    boards_parser,
    checking,
    drafting_parser,
    hearing_parser,
    records,
    running,
    say,
    sim_parser,
    streaming,
    tidying,
)

EXIT_CODES: Final = "exit codes: 0 all good, 1 faults, 2 wrong usage, 70 a bug in stimctl, 128 + N ended by signal N"

KINDS: Final = (
    "fes-cyclic", "fes-emg-triggered", "fes-switch-triggered", "fes-sequence", "fes-contralateral",
    "fes-emg-proportional",
    "tens-conventional", "tens-sensory", "tens-acupuncture-like", "tens-burst", "tens-brief-intense",
    "tens-modulated", "tens-alternating", "activity", "biofeedback", "plan",
)  # fmt: skip
"""The kinds of protocol, for the help; ``control.authoring`` has the last word."""


BOARD: Final = (
    "sim: (default), sim:p24 and the like for another board's twin, or KIND:PORT; KIND is reference, p24, rehamove3,"
    " rehastim2, neurostimduino, openemsstim or uecu; PORT is a serial device, socket://HOST:PORT or rfc2217://HOST:PORT"
)
EMG: Final = "sim:, board:, lsl:NAME or file:PATH (default: the board's own)"
ROBOT: Final = "a robot glove's phase line: sim: (default on the simulated board) or line:PORT"
SEED: Final = "the simulated patient's seed; the same N, the same patient"
STORE: Final = "the record (default: in your user data folder)"

REMOTE: Final = "--remote-terminal"
REMOTELY: Final = (
    "use a real board although this terminal is reached by SSH, tmux or the like; see docs/responsibilities.md"
)


def _board(url: str) -> str:
    if not url:  # a script's variable that is not set must not mean the simulated board
        raise argparse.ArgumentTypeError("names no board; write sim: or KIND:PORT")
    return url


class _Parser(argparse.ArgumentParser):
    """argparse whose errors are one line; ``incomplete`` is what it says when an argument is missing."""

    incomplete = ""

    def error(self, message: str) -> NoReturn:
        if self.incomplete and "are required" in message:
            message = self.incomplete
        if file := re.match(r"argument COMMAND: invalid choice: '([^']*\.toml)'", message):
            message = f"{file[1]} is no command; to run it: stimctl run {file[1]}"
        self.exit(2, f"{say.harmless(f'{self.prog}: {message}; see {self.prog} --help')}\n")


START: Final = "start_"
"""Begins the names of the start screen's options in the result: a command's own would overwrite them unseen."""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """``argv`` as :func:`build` has it; the start screen's options before a command are an error, not a silence."""
    parser = build()
    arguments = parser.parse_args(argv)
    if arguments.run is not running.start:
        for name, value in vars(arguments).items():
            if name.startswith(START) and value is not None:
                option = f"--{name.removeprefix(START).replace('_', '-')}"
                parser.error(f"{option} stands after the command, as in: stimctl COMMAND {option} ...")
    return arguments


def build() -> argparse.ArgumentParser:
    """The parser; its result has ``run``, which takes the result and returns an exit code."""
    parser = _Parser(
        prog="stimctl",
        description="A session controller for electrical stimulation in hand rehabilitation after stroke. Without a "
        "command it opens the screen, on the simulated board. Research software, not a certified medical device.",
        epilog=f"example: stimctl demo\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"stimctl {__version__}")
    parser.set_defaults(run=running.start)
    _start(parser.add_argument_group("the start screen's options, without a command"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    adder = functools.partial(_command, commands)
    for add in (_demo, _run, _check):
        add(commands)
    drafting_parser.preview(adder)
    drafting_parser.diff(adder)
    for add in (_fmt, _new):
        add(commands)
    drafting_parser.library(adder)
    hearing_parser.emg(adder)
    _schema(commands)
    sim_parser.sim(adder, _seed)
    boards_parser.both(adder, store=_store, form=_format, remote=_remote)
    for add in (_sessions, _verify):
        add(commands)
    return parser


def _start(group: argparse._ArgumentGroup) -> None:
    """What the start screen begins with."""
    group.add_argument("--board", dest=f"{START}board", metavar="URL", type=_board, help=BOARD)
    group.add_argument("--emg", dest=f"{START}emg", metavar="URL", help=EMG)
    group.add_argument("--robot", dest=f"{START}robot", metavar="URL", help=ROBOT)
    group.add_argument("--seed", dest=f"{START}seed", metavar="N", type=_seed, help=SEED)
    group.add_argument("--store", dest=f"{START}store", metavar="PATH", help=STORE)
    group.add_argument(REMOTE, dest=f"{START}remote_terminal", action="store_true", default=None, help=REMOTELY)
    streaming.options(group, START)


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for what add_subparsers returns


def _command(
    commands: Commands[_Parser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    does: str,
    *examples: str,
    more: str = "",
) -> _Parser:
    """A command with its one line, its longer words and its examples."""
    word = "example" if len(examples) == 1 else "examples"
    parser = commands.add_parser(
        name,
        help=does,
        description=textwrap.fill(f"{does[0].upper()}{does[1:]}. {more}".strip(), 79),
        epilog=f"{word}:\n" + "\n".join(f"  {each}" for each in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def _demo(commands: Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "demo",
        running.demo,
        "a full guided session on the simulated board and patient, nothing to answer",
        "stimctl demo",
        "stimctl demo --headless --speed max",
        more="Without a terminal it prints plain lines of progress.",
    )
    _simulation(parser)
    parser.add_argument("--headless", action="store_true", help="no screen: print progress and end by itself")


def _run(commands: Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "run",
        running.run,
        "one session with a protocol file",
        "stimctl run wrist.toml",
        "stimctl run wrist.toml --board reference:/dev/ttyACM0",
        "stimctl run wrist.toml --emg file:recording.csv --headless --speed max",
        more="Every session starts at zero. STOP is Space, Esc, Ctrl+X or Ctrl+C, on every screen; without a screen "
        "it is Ctrl+C. The file is checked before anything opens; a name that stimctl library lists will do as well.",
    )
    parser.add_argument("protocol", metavar="FILE", help="the protocol file (TOML), or a shipped one's name")
    parser.incomplete = "run needs a protocol file, FILE; plain stimctl opens the start screen"
    parser.add_argument("--board", metavar="URL", type=_board, default="sim:", help=BOARD)
    parser.add_argument("--emg", metavar="URL", default="", help=EMG)
    parser.add_argument("--robot", metavar="URL", default="", help=ROBOT)
    parser.add_argument("--headless", action="store_true", help="no screen: print progress and end by itself")
    _remote(parser)
    _simulation(parser)


def _remote(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(REMOTE, action="store_true", help=REMOTELY)


def _simulation(parser: argparse.ArgumentParser) -> None:
    streaming.options(parser)
    parser.add_argument("--seed", metavar="N", type=_seed, help=SEED)
    parser.add_argument(
        "--speed",
        metavar="X",
        type=sim_parser.speed,
        help="X times as fast as life, or max (with --headless); on the simulated board only",
    )
    _store(parser)


def _check(commands: Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "check",
        checking.check,
        "validate protocol files and rehearse them through the limiter",
        "stimctl check wrist.toml",
        "stimctl check --format json protocols/*.toml",
        "stimctl check wrist-finger-extensors-cyclic",
        more="Each fault is one line: file:line:column: field: what is wrong, what is allowed, where the limit comes "
        "from. Exit code 0 when all files are good, 1 when any has a fault.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="a protocol file, a shipped one's name, or - for standard input"
    )
    _format(parser)


def _fmt(commands: Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "fmt",
        tidying.fmt,
        "lay protocol files out alike, comments kept, nothing that they say changed",
        "stimctl fmt wrist.toml",
        "stimctl fmt --check *.toml",
        more="A file is written only when its layout changes, and then whole or not at all.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="protocol files; - for standard input to output")
    parser.add_argument("--check", action="store_true", help="only say which files are not tidy")


def _new(commands: Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "new",
        authoring.new,
        "a commented protocol file to start from",
        "stimctl new fes-cyclic -o wrist.toml",
        more=f"KIND is one of {', '.join(KINDS)}. An existing file is never overwritten.",
    )
    parser.add_argument("kind", metavar="KIND", help="what kind of protocol")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it here and not to standard output")


def _schema(commands: Commands[_Parser]) -> None:
    _command(
        commands,
        "schema",
        authoring.schema,
        "the JSON Schema of protocol files, for an editor",
        "stimctl schema > stimctl.schema.json",
    )


def _sessions(commands: Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "sessions",
        records.sessions,
        "the recorded sessions, or every event of one",
        "stimctl sessions",
        "stimctl sessions last",
        more="ID may be shortened as long as it is unmistakable; last is the newest.",
    )
    parser.add_argument("id", metavar="ID", nargs="?", help="show the events of this session")
    _store(parser)
    _format(parser)


def _verify(commands: Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "verify",
        records.verify,
        "walk the record's hash chain and say whether every row is as it was written",
        "stimctl verify",
    )
    _store(parser)


def _store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="PATH", help=STORE)


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def _seed(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
