"""Lines to other people's boards, a small share of ``dev.py prove fuzz``: damaged frames are the frame or nothing."""

from __future__ import annotations

import pytest

from tests.fuzzing import boards
from tests.fuzzing.probe import Probe
from tests.fuzzing.share import holds


@pytest.mark.parametrize("probe", boards.PROBES, ids=lambda probe: probe.name)
def test_damage_makes_no_frame_and_hides_none(probe: Probe) -> None:
    holds(probe)
