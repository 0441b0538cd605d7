"""The provers' table: what is shown, what a prover that dies or is misnamed does, and that all of them stand."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import pytest

from tests.proving.__main__ import PROVERS, apart, here, main
from tests.proving.planting import ROOT, Plant, path_of, plant
from tests.proving.table import Outcome, Row, from_json, table, to_json


def test_a_table_shows_every_row_and_every_failure() -> None:
    fine = Outcome("seeds", (Row("sessions", 10_000), Row("violations", 0, remark="none")))
    bad = Outcome("mutants", (Row("surviving", 2, good=False),), ("one survives: run it again",))
    assert (fine.good, bad.good) == (True, False)
    text = table([fine, bad])
    assert [line.split() for line in text.splitlines() if line] == [
        ["seeds", "sessions", "10,000", "ok"],
        ["violations", "0", "ok", "none"],
        ["mutants", "surviving", "2", "NO"],
        ["mutants:", "one", "survives:", "run", "it", "again"],
    ]


def test_a_failure_without_a_bad_row_is_bad() -> None:
    assert not Outcome("seeds", (Row("sessions", 1),), ("a crash",)).good


def test_a_prover_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["nonsense"])
    assert "there is no prover 'nonsense'" in capsys.readouterr().err


def test_an_outcome_comes_whole_from_one_process_to_the_other() -> None:
    outcome = Outcome("seeds", (Row("sessions", 3), Row("violations", 1, good=False, remark="µ")), ("a", "b"))
    assert from_json(to_json(outcome)) == outcome


def test_a_prover_that_cannot_run_does_not_hold() -> None:
    outcome = here("no_such_prover", long=False)
    assert not outcome.good
    assert "ModuleNotFoundError" in outcome.failures[0]


def test_a_prover_that_dies_does_not_hold() -> None:
    outcome = apart("no_such_prover", long=False)  # its process knows no such name, and leaves without a word for us
    assert outcome.failures == ("it died with exit code 2",)
    assert not outcome.good


@pytest.mark.parametrize("name", PROVERS)
def test_every_prover_stands(name: str) -> None:
    found = importlib.util.find_spec(f"tests.proving.{name}")
    assert found is not None
    assert "def prove(*, long: bool) -> Outcome:" in Path(found.origin or "").read_text(encoding="utf-8")


def test_a_plant_must_be_found_exactly_once() -> None:
    assert "class Command_:" in Plant("stimctl.pulse", "class Command:", "class Command_:", "none").source()
    with pytest.raises(ValueError, match="0 places"):
        Plant("stimctl.safety", "no such text", "", "none").source()
    with pytest.raises(ValueError, match="instead of one"):
        Plant("stimctl.safety", "self", "", "none").source()


def test_planting_comes_too_late_once_the_code_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stimctl.safety", types.ModuleType("stimctl.safety"))
    with pytest.raises(RuntimeError, match="too late to plant"):
        plant({"stimctl.safety": ""})


def test_packages_and_modules_are_found_where_they_lie() -> None:
    assert path_of("stimctl.driver") == ROOT / "stimctl" / "driver" / "__init__.py"
    assert path_of("stimctl.driver.line") == ROOT / "stimctl" / "driver" / "line.py"
