"""Five hundred seeded sessions of the whole chain, and that a seed is the same session everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.proving import seeds
from tests.proving.sim_faults import KINDS
from tests.proving.sim_world import World

CHUNK = 25


@pytest.mark.timeout(240)  # a hang guard for twenty-five sessions on a busy machine
@pytest.mark.parametrize("first", range(0, seeds.SHORT, CHUNK))
def test_seeded_sessions_hold_every_promise(first: int) -> None:
    tally = seeds.run_all(range(first, first + CHUNK))
    assert tally.sessions == CHUNK
    assert not tally.failures, "\n".join(tally.failures)


@pytest.mark.timeout(240)
def test_every_kind_of_fault_really_occurs_in_these_sessions(tmp_path: Path) -> None:
    """Runs those of them that bring a kind nobody has brought yet, until all have been seen."""
    drawn = {seed: {blow.kind for blow in World(seed, tmp_path).blows} for seed in range(seeds.SHORT)}
    missing, seen = {*KINDS, *seeds.OTHERS}, Counter[str]()
    for seed, kinds in sorted(drawn.items(), key=lambda item: -len(item[1])):
        others = missing - set(KINDS)
        if kinds & missing or others:
            seen += seeds.run(seed).counts
            missing -= set(seen)
        if not missing:
            break
    assert not missing


@pytest.mark.parametrize("seed", [3, 42])
def test_a_seed_is_the_same_session_in_every_process(seed: int) -> None:
    said = {
        subprocess.run(
            [sys.executable, "-m", "tests.proving.seeds", "--seed", str(seed), "--trace"],
            check=False,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[1],
            env={**os.environ, "PYTHONHASHSEED": salt},
        ).stdout
        for salt in ("1", "4711")
    }
    assert len(said) == 1
    [one] = said
    assert seeds.run(seed).digest in one
    assert one.count("\n") > 50


def test_other_seeds_are_other_sessions() -> None:
    assert len({seeds.run(seed).digest for seed in range(5)}) == 5


def test_a_failing_seed_names_the_command_that_replays_it(capsys: pytest.CaptureFixture[str]) -> None:
    tally = seeds.Tally()
    result = seeds.run(1)
    result.wrong.append("1.0000 s: made up")
    tally.add(result)
    [failure] = tally.failures
    assert "made up" in failure
    assert failure.endswith("(replay: python -m tests.proving.seeds --seed 1 --trace)")
    assert seeds.main(["--seed", "1"]) == 0
    assert result.digest in capsys.readouterr().out
    outcome = seeds.outcome(tally)
    assert not outcome.good
    assert outcome.rows[0].count == 1
