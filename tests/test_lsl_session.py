"""A session that listens to another process: its stream sets bursts off, and its death ends output, with its name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stimctl.cli import main
from stimctl.records.raw import read_raw
from stimctl.records.reading import events, sessions, verify
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


@pytest.mark.waits(30)
def test_another_process_sets_a_burst_off_and_its_death_ends_output(sender: Sender, tmp_path: Path) -> None:
    name = f"Bench-{os.getpid()}"
    (tmp_path / "protocol.toml").write_text(BURSTS, encoding="utf-8")
    options = ("--emg", f"lsl:{name}", "--headless", "--store", "./r.db")
    controller = Program("run", "protocol.toml", *options, cwd=tmp_path)
    try:
        controller.wait_for("burst 1 of 9; OUTPUT ON", patience_s=60.0)
        sender.process.kill()
        assert controller.wait() == 1
    finally:
        controller.close()
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
