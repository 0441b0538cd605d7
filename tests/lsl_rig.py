"""A sender of LSL streams as a program of its own, for tests of what another process may do to a session.

Run as a module it sends one stream of EMG: four seconds of rest and an effort of one, again and again, for as long as it
lives. It keeps to this computer as the program under test does.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any

import numpy as np

from stimctl.transport.lsl import keep_here, library
from tests.twin_rig import Program

RATE_HZ = 1_000
EVERY_S = 0.01


def outlet(name: str, **said: Any) -> Any:
    """An open outlet of float32 channels; ``labels`` and ``units`` go into its description."""
    pylsl = library()
    labels, units = said.get("labels", ("EMG",)), said.get("units", ("microvolts",))
    kind, form = said.get("kind", "EMG"), said.get("form", "float32")
    info = pylsl.StreamInfo(
        name, kind, len(labels), said.get("rate_hz", RATE_HZ), getattr(pylsl, f"cf_{form}"), said.get("source_id", name)
    )
    channels = info.desc().append_child("channels")
    for label, unit in zip(labels, units, strict=True):
        channels.append_child("channel").append_child_value("label", label).append_child_value("unit", unit)
    made = pylsl.StreamOutlet(info)
    assert keep_here()
    return made


def signal(seconds: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rest of 3 µV, and after every four seconds of it an effort of 80 µV for one."""
    random = np.random.default_rng(1)
    values = random.normal(0.0, 3.0, round(seconds * RATE_HZ))
    for start in range(4 * RATE_HZ, len(values), 5 * RATE_HZ):
        values[start : start + RATE_HZ] += random.normal(0.0, 80.0, len(values[start : start + RATE_HZ]))
    return values


class Sender(Program):
    """The program; it says "sending" once its stream is open."""

    def __init__(self, cwd: Path, name: str) -> None:
        super().__init__(name, cwd=cwd, module="tests.lsl_rig")
        self.wait_for("sending")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    name = parser.parse_args().name
    made, values = outlet(name), signal(60.0)
    print("sending", flush=True)
    begun_s, sent, pace = library().local_clock(), 0, threading.Event()
    while not pace.wait(EVERY_S):
        now_s = library().local_clock()
        due = int((now_s - begun_s) * RATE_HZ)
        if due > sent:
            made.push_chunk([[values[n % len(values)]] for n in range(sent, due)], begun_s + due / RATE_HZ)
            sent = due


if __name__ == "__main__":
    main()
