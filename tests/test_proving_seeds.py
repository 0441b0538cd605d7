"""Five hundred seeded sessions of the whole chain, and that a seed is the same session everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
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


def brings(world: World) -> set[str]:
    """What a seed has drawn; not all of it need come true."""
    named = {blow.kind for blow in world.blows} | {f"stop {stop.how}" for stop in world.stops} | {world.end_how}
    begin_us = world.time.now_us
    if any(blow.kind.startswith("disk") and blow.at_us <= begin_us for blow in world.blows):
        named.add("no record, no session")
    if world.habits.pause > 0.02:
        named |= {"order pause", "order resume"}
    stalls = [blow for blow in world.blows if blow.kind == "loop-stall"]
    if any(blow.at_us <= stop.at_us < blow.until_us for blow in stalls for stop in world.stops):
        named.add("stop in a stall")
    return named


@pytest.mark.timeout(240)
def test_every_kind_of_fault_really_occurs_in_these_sessions(tmp_path: Path) -> None:
    """Runs those of them that bring a kind nobody has brought yet, until all have been seen."""
    drawn = {seed: brings(World(seed, tmp_path)) for seed in range(seeds.SHORT)}
    missing = {*KINDS, *seeds.OTHERS}
    for seed, named in sorted(drawn.items(), key=lambda item: -len(item[1])):
        if named & missing:
            missing -= set(seeds.run(seed).counts)
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
