"""Lines that others write to, a small share of ``dev.py prove fuzz``: the board's wire, the face's link, the terminal."""

from __future__ import annotations

import pytest

from tests.fuzzing import lines
from tests.fuzzing.probe import Probe
from tests.fuzzing.share import holds


@pytest.mark.parametrize("probe", lines.PROBES, ids=lambda probe: probe.name)
def test_bytes_are_words_or_nothing(probe: Probe) -> None:
    holds(probe)
