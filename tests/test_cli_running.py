"""What the command line asks of the control process: exactly what was typed, and nothing that cannot be."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from stimctl.cli import main

Out = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Asked:
    """What the door to the control process got."""

    way: str
    request: Any


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """The real request type in front of a door that writes down what it is given."""
    from stimctl.control import start

    heard: list[Asked] = []

    def door(way: str) -> Any:
        def opened(*given: Any) -> int:
            heard.append(Asked(way, given[0] if way != "sim" else given[:3]))
            return 0

        return opened

    for name, way in (("run_headless", "headless"), ("run_interactive", "screen"), ("run_sim", "sim")):
        monkeypatch.setattr(start, name, door(way))
    return heard


def terminal(monkeypatch: pytest.MonkeyPatch, *, there: bool) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: there, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: there)


def test_nothing_opens_the_screen_on_the_simulated_board(asked: list[Asked]) -> None:
    assert main([]) == 0
    [only] = asked
    assert (only.way, only.request.protocol, only.request.board, only.request.demo) == ("screen", None, "sim:", False)


def test_the_start_screen_takes_its_options(asked: list[Asked]) -> None:
    assert main(["--store", "r.db", "--seed", "7", "--emg", "file:x.csv"]) == 0
    assert main(["--board", "reference:./board"]) == 0
    first, second = (each.request for each in asked)
    assert (first.store, first.seed, first.emg, first.board, first.protocol) == ("r.db", 7, "file:x.csv", "sim:", None)
    assert (second.board, second.seed, second.store, second.emg) == ("reference:./board", None, None, "")


def test_the_start_screens_seed_is_the_simulated_boards(asked: list[Asked], capsys: Out) -> None:
    assert main(["--board", "reference:./board", "--seed", "1"]) == 2
    assert "--seed is the simulated board's" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize("option", ["--store", "--board", "--emg", "--seed"])
def test_an_option_before_a_command_is_not_lost_in_silence(option: str, asked: list[Asked], capsys: Out) -> None:
    assert main([option, "1", "run", "a.toml"]) == 2
    assert f"{option} stands after the command" in capsys.readouterr().err
    assert main(["run", "a.toml", option, "1"]) == 0
    assert len(asked) == 1


def test_run_passes_on_what_was_typed(asked: list[Asked]) -> None:
    typed = ["run", "a.toml", "--headless", "--emg", "file:x.csv", "--seed", "7", "--speed", "2.5", "--store", "r.db"]
    assert main(typed) == 0
    [only] = asked
    request = only.request
    assert only.way == "headless"
    assert (request.protocol, request.board, request.emg) == ("a.toml", "sim:", "file:x.csv")
    assert (request.seed, request.speed, request.store) == (7, 2.5, "r.db")


def test_run_on_a_board(asked: list[Asked]) -> None:
    assert main(["run", "a.toml", "--board", "reference:./board"]) == 0
    assert (asked[0].way, asked[0].request.board) == ("screen", "reference:./board")


def test_as_fast_as_it_goes(asked: list[Asked]) -> None:
    assert main(["run", "a.toml", "--headless", "--speed", "max"]) == 0
    assert asked[0].request.speed == math.inf


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["run", "a.toml", "--board", "reference:./board", "--headless", "--speed", "2"], "--speed"),
        (["run", "a.toml", "--board", "reference:./board", "--speed", "1"], "--speed"),
        (["run", "a.toml", "--board", "reference:./board", "--seed", "1"], "--seed"),
        (["run", "a.toml", "--board", "SIM:x", "--speed", "2"], "--speed"),
        (["run", "a.toml", "--speed", "max"], "--headless"),
    ],
)
def test_time_and_chance_bend_on_the_simulated_board_alone(
    typed: list[str], says: str, asked: list[Asked], capsys: Out
) -> None:
    assert main(typed) == 2
    assert asked == []
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(("there", "way"), [(True, "screen"), (False, "headless")])
def test_the_demo_paints_where_it_can(
    there: bool, way: str, asked: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(monkeypatch, there=there)
    assert main(["demo", "--seed", "3"]) == 0
    [only] = asked
    assert (only.way, only.request.demo, only.request.seed, only.request.board) == (way, True, 3, "sim:")


def test_the_demo_prints_when_asked_to(asked: list[Asked], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, there=True)
    assert main(["demo", "--headless"]) == 0
    assert asked[0].way == "headless"


def test_a_twin(asked: list[Asked]) -> None:
    assert main(["sim", "reference", "--link", "./board", "--seed", "5"]) == 0
    assert asked == [Asked("sim", ("reference", "./board", 5))]


def test_the_doors_own_exit_code_is_ours(asked: list[Asked], monkeypatch: pytest.MonkeyPatch) -> None:
    start: ModuleType = sys.modules["stimctl.control.start"]
    monkeypatch.setattr(start, "run_headless", lambda _request, _say: 130)
    assert main(["run", "a.toml", "--headless"]) == 130
    assert asked == []
