"""Stream: from another process's push of a chunk to the samples in the session's hands.

A process of its own sends EMG at 1 kHz in chunks of 10 ms; the newest sample of each is stamped just before it is pushed, and
both ends read one clock, since they are on one computer and kept to its loopback interface. Timed is from that stamp until the
whole session (its control loop, limiter, driver, record and the twin beside it) has the chunk in its ear: transport, the wait
for the next look at the stream (every 5 ms), and the loop itself.

The floors, in the same run and from the same sender, before the session and after it: a process that does nothing but wait in
pylsl's ``pull_chunk`` for each chunk, and one that looks every 5 ms, as the session does.

``python3 -m benchmarks.lsl_latency [--chunks N]``; needs the extra ``lsl``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.timing import load, quantile, table
from stimctl.transport.lsl import keep_here, library

RATE_HZ: Final = 1_000
CHUNK: Final = 10
LOOK_S: Final = 0.005
CHUNKS: Final = 3_000
PROTOCOL: Final = "wrist-finger-extensors-emg"

WAITS: Final = "pylsl alone, waiting for each chunk"
LOOKS: Final = "pylsl alone, looking every 5 ms"
SESSION: Final = "a session, headless, on the twin"


# --- the processes -----------------------------------------------------------------------------------------------


def send(name: str) -> None:
    """Send noise of a resting muscle, for as long as anybody lets it."""
    pylsl = library()
    info = pylsl.StreamInfo(name, "EMG", 1, RATE_HZ, pylsl.cf_float32, name)
    channel = info.desc().append_child("channels").append_child("channel")
    channel.append_child_value("label", "EMG").append_child_value("unit", "microvolts")
    outlet = pylsl.StreamOutlet(info)
    keep_here()
    print("sending", flush=True)
    noise, pace = np.random.default_rng(1).normal(0.0, 3.0, (60 * RATE_HZ, 1)), threading.Event()
    begun_s, number = pylsl.local_clock(), 0
    while not pace.wait(max(0.0, begun_s + (number + 1) * CHUNK / RATE_HZ - pylsl.local_clock())):
        at = number * CHUNK % len(noise)
        outlet.push_chunk(noise[at : at + CHUNK].tolist(), pylsl.local_clock())
        number += 1


class Hand:
    """Takes what comes, pull by pull, and knows the ages of whole chunks: a pull may come between the samples of one."""

    def __init__(self) -> None:
        self._taken = 0
        self._found: list[tuple[int, float]] = []

    def take(self, count: int, age_s: float) -> None:
        """``count`` samples, of which the newest is so old."""
        self._taken += count
        self._found.append((self._taken % CHUNK, age_s))

    def ages(self) -> list[float]:
        """Of the pulls that ended with a chunk, which nearly all do: their place in the count tells where chunks end."""
        ends = Counter(place for place, _ in self._found).most_common(1)[0][0]
        return [age_s for place, age_s in self._found if place == ends]

    def __len__(self) -> int:
        return len(self._found)


def pull(name: str, count: int, *, waits: bool) -> list[float]:
    """The ages in s of ``count`` chunks as pylsl alone gives them."""
    pylsl = library()
    [info] = pylsl.resolve_bypred(f"name='{name}'", 1, 10.0)
    inlet, hand, pace = pylsl.StreamInlet(info, recover=False), Hand(), threading.Event()
    inlet.open_stream(10.0)
    while len(hand) < count:
        if not waits:
            pace.wait(LOOK_S)
        stamps = inlet.pull_chunk(1.0, max_samples=CHUNK)[1] if waits else inlet.pull_chunk(0.0)[1]
        if stamps:
            hand.take(len(stamps), pylsl.local_clock() - stamps[-1])
    return hand.ages()


def listen(name: str, count: int) -> list[float]:
    """The ages in s of ``count`` chunks when a session heard them; it is stopped behind the last one."""
    from stimctl.cli import main as stimctl
    from stimctl.session.ear import Ear
    from stimctl.transport.lsl_in import Stream

    clock, hand, stamped = library().local_clock, Hand(), [0.0]
    pulled, hear = Stream.pull, Ear.hear

    def seen(self: Stream, channel: int) -> Any:
        found = pulled(self, channel)
        if found is not None:
            stamped[0] = clock() - found.ages_us[-1] / 1e6
        return found

    def heard(self: Ear, chunk: Any, now_us: int) -> None:
        hand.take(len(chunk.values_uv), clock() - stamped[0])
        hear(self, chunk, now_us)
        if len(hand) == count:
            os.kill(os.getpid(), signal.SIGINT)

    Stream.pull, Ear.hear = seen, heard  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.toml"
        path.write_text(_waiting(), encoding="utf-8")
        stimctl(["run", str(path), "--emg", f"lsl:{name}", "--headless", "--store", f"{folder}/r.db"])
    return hand.ages()


def _waiting() -> str:
    """A shipped file whose attempts are waited for as long as may be, at a threshold that noise never passes."""
    from stimctl.control import authoring

    lines = authoring.library_text(PROTOCOL).splitlines()
    changes = {"threshold_sd": "20.0", "attempt_window_s": "30.0"}
    kept = [f"{key} = {changes[key]}" if (key := line.partition("=")[0].strip()) in changes else line for line in lines]
    return "\n".join(kept) + "\n"


# --- the run -------------------------------------------------------------------------------------------------------

_ROLES: Final[dict[str, Callable[[str, int], list[float]]]] = {
    WAITS: lambda name, count: pull(name, count, waits=True),
    LOOKS: lambda name, count: pull(name, count, waits=False),
    SESSION: listen,
}


def _measured(role: str, name: str, count: int) -> list[float]:
    """Ages in s, as a process of its own found them."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        command = [sys.executable, "-m", "benchmarks.lsl_latency", "--role", role, "--name", name, "--out", file.name]
        subprocess.run([*command, "--chunks", str(count)], check=True, stdout=subprocess.DEVNULL)
        return [float(age) for age in json.load(file)]


def compare(count: int) -> None:
    """Print the table."""
    name = f"stimctl-bench-{os.getpid()}"
    sender = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.lsl_latency", "--role", "send", "--name", name], stdout=subprocess.PIPE
    )
    try:
        assert sender.stdout is not None
        sender.stdout.readline()
        ages: dict[str, list[float]] = {WAITS: [], LOOKS: [], SESSION: []}
        for role, share in ((WAITS, 2), (LOOKS, 2), (SESSION, 1), (LOOKS, 2), (WAITS, 2)):
            ages[role] += _measured(role, name, count // share)
    finally:
        sender.terminate()
        sender.wait()
    heading = ("from push to hand, ms", "median", "p99", "max", "chunks")
    rows = [[role, *(f"{1e3 * quantile(found, share):.2f}" for share in (0.5, 0.99, 1.0)), str(len(found))]
            for role, found in ages.items()]  # fmt: skip
    table(heading, rows)
    print(f"one computer, loopback, {CHUNK} samples a chunk at {RATE_HZ} Hz; load at the end {load()}")


def main(args: list[str] | None = None) -> None:
    """Run it, or one of its processes."""
    parser = argparse.ArgumentParser(prog="benchmarks.lsl_latency")
    parser.add_argument("--chunks", type=int, default=CHUNKS)
    for hidden in ("--role", "--name", "--out"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    given = parser.parse_args(args or [])
    if given.role == "send":
        send(given.name)
    elif given.role:
        Path(given.out).write_text(json.dumps(_ROLES[given.role](given.name, given.chunks)), encoding="utf-8")
    else:
        compare(given.chunks)


if __name__ == "__main__":
    main(sys.argv[1:])
