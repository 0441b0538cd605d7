"""Planted faults, each of which the seeded sessions have to catch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proving.planted import Hunt, sources
from tests.proving.planted_faults import PLANTED, Planted
from tests.proving.planting import Plant


@pytest.mark.timeout(240)  # a hang guard for all hunts on a busy machine
def test_planted_faults_are_caught() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.proving.planted", "--json"],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    hunts = [Hunt(*json.loads(line)) for line in done.stdout.splitlines()]
    assert sorted(each.name for each in hunts) == sorted(each.name for each in PLANTED), done.stderr
    assert not [each.line for each in hunts if each.seed is None], done.stderr
    assert done.returncode == 0


def test_there_are_enough_of_them_and_no_two_alike() -> None:
    assert len(PLANTED) >= 35
    assert len({each.name for each in PLANTED}) == len(PLANTED)
    assert len({each.plants for each in PLANTED}) == len(PLANTED)
    assert all(each.harm for each in PLANTED)


def test_a_plant_whose_place_is_gone_fails() -> None:
    gone = Planted("gone", (Plant("stimctl.driver.line", "no such line", "", "none"),))
    with pytest.raises(ValueError, match="0 places instead of one"):
        sources(gone)
