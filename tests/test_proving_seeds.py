"""Five hundred seeded sessions of the whole chain, and that a seed is the same session everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proving import seeds
from tests.proving.sim_faults import KINDS
from tests.proving.sim_scenario import Scenario

BRINGERS = (109, 130, 176, 260, 340, 371, 414, 525, 531, 560, 563, 651, 657, 725, 749, 918, 968, 1094, 1310)
"""Everyday seeds in which every kind has been seen: tried first, relied on never."""


@pytest.mark.timeout(240)  # a hang guard for twenty-five sessions on a busy machine
@pytest.mark.parametrize("chunk", range(seeds.CHUNKS))
def test_seeded_sessions_hold_every_promise(chunk: int) -> None:
    tally = seeds.run_all(seeds.everyday(chunk))
    assert tally.sessions == seeds.CHUNK
    assert not tally.failures, "\n".join(tally.failures)


def test_the_everyday_sessions_are_five_hundred_others() -> None:
    chosen = [seed for chunk in range(seeds.CHUNKS) for seed in seeds.everyday(chunk)]
    assert len(set(chosen)) == len(chosen) == seeds.SHORT >= 500
    whole = [seed for seed in chosen if Scenario(seed).length_us > seeds.BRIEF_US]
    assert len(whole) >= 50  # sessions that come as far as a treatment


def test_no_chunk_of_them_runs_short_whatever_the_seeds_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new kind of fault makes other sessions of all seeds: none of a chunk's own may happen to be brief."""
    monkeypatch.setattr(seeds, "BRIEF_US", 0)
    chosen = [seed for chunk in (0, 17) for seed in seeds.everyday(chunk)]
    assert len(set(chosen)) == len(chosen) == 2 * seeds.CHUNK


def brings(world: Scenario) -> set[str]:
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
def test_every_kind_of_fault_really_occurs_in_these_sessions() -> None:
    """Runs those of them that bring a kind nobody has brought yet, until all have been seen."""
    missing = {*KINDS, *seeds.OTHERS}
    for seed in BRINGERS:
        missing -= set(seeds.run(seed).counts)
    chosen = [seed for chunk in range(seeds.CHUNKS if missing else 0) for seed in seeds.everyday(chunk)]
    drawn = {seed: brings(Scenario(seed)) for seed in chosen}
    for seed, named in sorted(drawn.items(), key=lambda item: -len(item[1])):
        if named & missing:
            missing -= set(seeds.run(seed).counts)
    assert not missing


def test_a_seed_is_the_same_session_in_every_process() -> None:
    """Here, and in processes that salt their hashes otherwise; step by step in one of them, by the digest in the other."""
    here = seeds.run(42, trace=True)
    code = "from tests.proving.seeds import run; print(run(42).digest, run(3).digest)"
    whole = elsewhere("1", "-m", "tests.proving.seeds", "--seed", "42", "--trace").splitlines()
    assert whole == [*here.trace, f"seed 42: no violations, digest {here.digest}"]
    assert len(whole) > 50
    assert elsewhere("4711", "-c", code).split() == [here.digest, seeds.run(3).digest]


def elsewhere(salt: str, *arguments: str) -> str:
    """What Python says to these in a process of its own."""
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONHASHSEED": salt},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_other_seeds_are_other_sessions() -> None:
    assert len({seeds.run(seed).digest for seed in range(3)}) == 3


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
