"""dev.py makes the environment that the lock describes, mends a half-made one, and says what to do otherwise."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()


def load_dev() -> Any:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """dev.py, with its environment in a folder of the test's own and a pip that only writes down what it is told."""
    module = load_dev()
    monkeypatch.setattr(module, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(module, "STAMP", str(tmp_path / ".venv" / "stimctl-dev.stamp"))
    module.asked = []

    def pip(*args: str) -> None:
        module.asked.append(args)

    monkeypatch.setattr(module, "pip", pip)
    return module


@pytest.fixture
def bare(dev: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Environments without ensurepip's three seconds; whether they "work" is up to a file."""
    real = subprocess.run

    def quick(command: list[str], **more: Any) -> Any:
        if "venv" in command:
            command = [*command, "--without-pip"]
            (Path(dev.VENV) / "works").touch()
        return real(command, **more)

    monkeypatch.setattr(dev.subprocess, "run", quick)
    monkeypatch.setattr(dev, "works", (Path(dev.VENV) / "works").exists)
    return dev


# --- the lock --------------------------------------------------------------------------------------------------


def pinned() -> list[Requirement]:
    return [Requirement(line.rstrip(" \\")) for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]


def wanted() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    return [
        Requirement(text) for text in (*PROJECT["dependencies"], *(each for extra in extras.values() for each in extra))
    ]


@pytest.mark.parametrize("python", ["3.11.2", "3.12.0", "3.13.1", "3.14.0"])
def test_the_lock_holds_what_the_project_asks_for(python: str) -> None:
    place = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    here = [each for each in pinned() if each.marker is None or each.marker.evaluate(place)]
    for requirement in wanted():
        [pin] = [each for each in here if each.name.lower() == requirement.name.lower()]
        [version] = pin.specifier
        assert version.operator == "==", requirement
        assert Version(version.version) in requirement.specifier


def test_every_pin_has_a_hash() -> None:
    for block in re.split(r"\n(?=[a-z])", LOCK)[1:]:
        assert "--hash=sha256:" in block, block


def test_the_lock_names_no_host() -> None:
    assert not re.search(r"https?:|--index|--find-links|--extra|file:", LOCK)


# --- an old Python, a Python without venv ----------------------------------------------------------------------


def test_it_parses_on_an_old_python() -> None:
    ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 7))


def test_an_old_python_hears_what_to_do(dev: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(dev.sys, "version_info", (3, 8, 18, "final", 0))
    monkeypatch.setattr(dev, "newer_python", lambda: None)
    assert dev.main(["dev.py", "demo"]) == 1
    assert "needs Python 3.11 or newer, and this is 3.8" in capsys.readouterr().err


def test_an_old_python_hands_over_to_a_newer_one(dev: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[list[str]] = []
    monkeypatch.setattr(dev.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(dev.sys, "argv", ["dev.py", "run", "library"])
    monkeypatch.setattr(dev, "newer_python", lambda: "/usr/bin/python3.12")

    def become(command: list[str]) -> int:
        handed.append(command)
        return 3

    monkeypatch.setattr(dev, "become", become)
    with pytest.raises(SystemExit) as left:
        dev.main(["dev.py", "run", "library"])
    assert left.value.code == 3
    assert handed == [["/usr/bin/python3.12", str(ROOT / "dev.py"), "run", "library"]]


def test_a_python_without_venv_hears_which_package(dev: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(dev, "_answers", lambda _python, _code: False)
    assert dev.main(["dev.py", "test"]) == 1
    assert "apt install python3-venv" in capsys.readouterr().err
    assert not Path(dev.VENV).exists()


# --- making and mending ----------------------------------------------------------------------------------------


def test_a_fresh_clone_is_filled_from_the_lock_with_hashes(bare: Any) -> None:
    bare.prepare()
    assert [("--require-hashes" in args, "--no-deps" in args) for args in bare.asked] == [(True, True), (False, True)]
    assert bare.ready()
    bare.prepare()
    assert len(bare.asked) == 2  # ready: nothing more is asked


def test_an_attempt_that_was_cut_short_is_made_again_from_nothing(bare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(*_args: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(bare, "pip", cut_short)
        bare.prepare()
    debris = Path(bare.VENV, "half-installed")
    debris.touch()
    assert not bare.ready()
    bare.prepare()
    assert not debris.exists()
    assert bare.ready()


def test_an_environment_without_pip_is_half_made(dev: Any) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", dev.VENV], check=True)
    assert Path(dev.venv_python()).exists()
    assert not dev.works()
    dev.write_stamp(dev.wanted_stamp())
    assert not dev.ready()


def test_a_changed_lock_makes_it_again(bare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare.prepare()
    Path(bare.VENV, "from-the-old-lock").touch()
    changed = tmp_path / "requirements.lock"
    changed.write_text(LOCK + "\n")
    monkeypatch.setattr(bare, "LOCK", str(changed))
    bare.prepare()
    assert not Path(bare.VENV, "from-the-old-lock").exists()


def test_somebodys_own_environment_is_filled_and_not_removed(bare: Any) -> None:
    Path(bare.VENV).mkdir()
    for name in ("works", "their-own"):
        Path(bare.VENV, name).touch()
    bare.prepare()
    assert Path(bare.VENV, "their-own").exists()
    assert bare.ready()


def test_a_link_is_never_followed_and_emptied(bare: Any, tmp_path: Path, capsys: Any) -> None:
    treasure = tmp_path / "elsewhere" / "treasure"
    treasure.parent.mkdir()
    treasure.touch()
    Path(bare.VENV).symlink_to(treasure.parent)
    assert bare.main(["dev.py", "test"]) == 1
    assert "move it away" in capsys.readouterr().err
    assert treasure.exists()


def test_a_failing_pip_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load_dev()
    monkeypatch.setattr(module, "venv_python", lambda: sys.executable)
    with pytest.raises(module.Trouble, match="Check the network"):
        module.pip("install", "--no-index", "--require-hashes", "-r", str(tmp_path / "absent.lock"))


def test_two_at_once_take_turns(dev: Any) -> None:
    with dev.turn(), open(dev.VENV + ".lock", "a+b") as other:  # noqa: PTH123 - as dev.py opens it
        assert not dev._try_lock(other)
    with open(dev.VENV + ".lock", "a+b") as other:  # noqa: PTH123
        assert dev._try_lock(other)


# --- what it is told -------------------------------------------------------------------------------------------


def test_an_unknown_command_names_the_known_ones(dev: Any, capsys: Any) -> None:
    assert dev.main(["dev.py", "tset"]) == 2
    assert "demo, run, test, check, prove, bench" in capsys.readouterr().err


@pytest.mark.parametrize(("argv", "code"), [(["dev.py"], 2), (["dev.py", "--help"], 0)])
def test_help_lists_the_commands(dev: Any, argv: list[str], code: int, capsys: Any) -> None:
    assert dev.main(argv) == code
    assert "dev.py demo" in capsys.readouterr().out


def test_the_exit_code_is_the_commands_own() -> None:
    code = "import dev, sys; sys.exit(dev.become([sys.executable, '-c', 'import sys; sys.exit(7)']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 7


@pytest.mark.skipif(os.name == "nt", reason="Windows has no exec")
def test_the_command_takes_our_place() -> None:
    """One process: Ctrl+C, stop and the terminal reach the command itself and nothing in between."""
    code = "import dev, os, sys; dev.become([sys.executable, '-c', f'import os; print(os.getpid() == {os.getpid()})'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "True\n"


def test_one_failing_check_does_not_hide_the_next(dev: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr(dev, "venv_python", lambda: sys.executable)
    checks = (("first", ("-c", "import sys; sys.exit(1)")), ("second", ("-c", "print('second ran')")))
    monkeypatch.setattr(dev, "CHECKS", checks)
    assert dev.check([]) == 1
    out, err = capfd.readouterr()
    assert "second ran" in out
    assert "failed: first" in err
