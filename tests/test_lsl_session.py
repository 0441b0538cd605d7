"""A session that listens to another process: its stream sets bursts off, and its death ends output, with its name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stimctl.cli import main
from stimctl.records.raw import read_raw
from stimctl.records.reading import events, sessions, verify
from stimctl.transport.lsl import library
from tests.lsl_rig import RATE_HZ, Sender
from tests.session_rig import EMG
from tests.twin_rig import Program

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs are driven by signals")

BURSTS = (
    EMG.replace("amplitude_ma = 6.0", "amplitude_ma = 1.0")
    .replace("max_amplitude_ma = 8.0", "max_amplitude_ma = 1.0")
    .replace("ramp_up_s = 1.0", "ramp_up_s = 0.5")
    .replace("hold_s = 2.0", "hold_s = 3.0")
    .replace("rest_s = 4.0", "rest_s = 3.0")
    .replace("repetitions = 2", "repetitions = 9")
    .replace("threshold_sd = 3.0", "threshold_sd = 8.0")
)


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    made = Sender(tmp_path, f"Bench-{os.getpid()}")
    yield made
    made.close()


def listener(name: str) -> Any:
    """Another recorder, which has found the session's markers."""
    pylsl = library()
    [info] = pylsl.resolve_bypred(f"name='{name}'", 1, 30.0)
    inlet = pylsl.StreamInlet(info, recover=False)
    inlet.open_stream(30.0)
    return inlet


def markers_until_the_end(told: Any) -> list[str]:
    """The words of all that comes, until its sender says that it closes."""
    words: list[str] = []
    while words[-1:] != ["session-closed"]:
        sample, _ = told.pull_sample(30.0)
        assert sample is not None, words
        words.append(sample[0].partition(" ")[0])
    return words


def heard_from_outside(pid: int) -> list[str]:
    """The sockets of a process that other computers could reach."""
    told = subprocess.run(["ss", "-H", "-lntup"], capture_output=True, text=True, check=True).stdout.splitlines()
    mine = [line.split()[4] for line in told if f"pid={pid}," in line]
    assert mine, "it does listen, for those on this computer"
    return [address for address in mine if not address.startswith(("127.", "0.0.0.0%lo:"))]


@pytest.mark.waits(30)
def test_another_process_sets_a_burst_off_and_its_death_ends_output(sender: Sender, tmp_path: Path) -> None:
    name = f"Bench-{os.getpid()}"
    (tmp_path / "protocol.toml").write_text(BURSTS, encoding="utf-8")
    options = ("--emg", f"lsl:{name}", "--lsl-out", f"{name}-told", "--headless", "--store", "./r.db")
    controller = Program("run", "protocol.toml", *options, cwd=tmp_path)
    try:
        controller.wait_for("ready; output off", patience_s=60.0)
        told = listener(f"{name}-told")
        if sys.platform == "linux":
            assert heard_from_outside(controller.process.pid) == []
        controller.wait_for("try 1 of 9: attempt heard, burst", patience_s=60.0)
        sender.process.kill()
        markers = markers_until_the_end(told)
        assert controller.wait() == 1
    finally:
        controller.close()
    order = ("trigger", "burst-begin", "fault", "burst-end", "session-closed")
    assert [each for each in markers if each in order] == list(order)
    gone = f"the sender of the LSL stream {name} is gone"
    assert gone in controller.text
    assert controller.lines[-1].endswith("the board reports its output off")
    store = tmp_path / "r.db"
    assert verify(store).ok
    assert main(["verify", "--store", str(store)]) == 0
    [row] = sessions(store)
    recorded = events(store, row.id)
    kinds = [each.kind for each in recorded]
    assert kinds.index("trigger") < kinds.index("fault") < kinds.index("emg-lost") < kinds.index("session-closed")
    assert {each.payload["reason"] for each in recorded if each.kind == "fault"} == {gone}
    assert [each.payload["why"] for each in recorded if each.kind == "emg-lost"] == [gone]
    kept = read_raw(tmp_path / f"{row.id}.emg")
    assert (kept.torn, kept.facts["rate_hz"], kept.facts["source"]) == ("", RATE_HZ, f"LSL {name}")
    assert sum(len(each.values) for each in kept.chunks) > 4 * RATE_HZ
