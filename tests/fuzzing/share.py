"""The everyday share: the first seeds of the long run, always the same."""

from __future__ import annotations

import contextlib

from tests.fuzzing.probe import Probe, run
from tests.proving.fuzz import seeds


def holds(probe: Probe) -> None:
    """Try the share; pytest's own hang guard stands in for the prover's."""
    failed = run(probe, seeds(probe, long=False), patience=contextlib.nullcontext)
    assert not failed, "\n".join(f"{each.probe} on seed {each.seed}: {each.why}" for each in failed[:3])
