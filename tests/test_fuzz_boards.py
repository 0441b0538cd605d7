"""Lines to other people's boards, a small share of ``dev.py prove fuzz``: damaged frames are the frame or nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2.codes import Command as Command2
from stimctl.boards.uecu.codec import Decoder
from stimctl.sim.rehastim2 import RehaStim2
from tests.battery_boards import REHASTIM2_BOARD, UECU
from tests.fuzzing import batteries, boards
from tests.fuzzing.probe import Probe
from tests.fuzzing.share import holds
from tests.sciencemode_words import written2

FEED = RehaStim2.feed
FRAMES_ON = written2(m2.SinglePulse(0, 200, 20_000), 1)


@pytest.mark.parametrize("probe", boards.PROBES, ids=lambda probe: probe.name)
def test_damage_makes_no_frame_and_hides_none(probe: Probe) -> None:
    holds(probe)


@pytest.mark.parametrize("probe", batteries.PROBES, ids=lambda probe: probe.name)
def test_damaged_streams_are_no_error_and_no_command(probe: Probe) -> None:
    holds(probe)


class _Credulous(Decoder):
    """Takes whatever has the length of a frame."""

    def _end(self, tail: bytes, at: int) -> int:
        return super()._end(tail, at) if tail[at : at + 3] != b"\x02\x34\xaa" else self._length(tail, at)

    def _length(self, tail: bytes, at: int) -> int:
        end = at + 10 + tail[at + 7] if len(tail) >= at + 8 else 0
        return end if 0 < end <= len(tail) else 0


def test_a_decoder_without_a_checksum_would_be_found(tmp_path: Path) -> None:
    bad = replace(UECU, decoder=_Credulous)
    with pytest.raises(AssertionError, match=r"nobody has said|what follows"):
        for seed in range(20):
            batteries.decoder(bad, random.Random(seed), tmp_path)


def test_a_twin_that_takes_what_is_damaged_would_be_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def credulous(self: RehaStim2, data: bytes, now_us: int) -> None:
        FEED(self, data, now_us)
        for word in (codec2.encode(m2.Ack(Command2.INIT_ACK, 0), 0), FRAMES_ON):
            FEED(self, word, now_us)

    monkeypatch.setattr(RehaStim2, "feed", credulous)
    with pytest.raises(AssertionError, match="nobody has sent"):
        for seed in range(20):
            batteries.idle(REHASTIM2_BOARD, random.Random(seed), tmp_path)
