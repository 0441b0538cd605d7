"""LSL streams that are sent: markers as text, and numbers that the board measures. Nobody who sends ever waits.

What is sent goes into a queue, and from there to liblsl in a thread of its own: a slow consumer, a lock in the library or a busy
computer holds up nothing but that thread, and what it cannot keep up with is dropped and counted. Whoever wants to record
streams looks for them by name; with nobody there, nothing leaves.
"""

from __future__ import annotations

import queue
import threading
from typing import Any, Final, NamedTuple, final

from stimctl.errors import UsageError
from stimctl.transport.lsl import keep_here, library

HELD_MAX: Final = 4_096
"""What may wait in the queue: some minutes of markers."""

KEPT_S: Final = 60
"""How much of a stream liblsl keeps for a consumer that does not read; the oldest goes first."""

LAST_S: Final = 0.3
"""How long the last markers have to reach a consumer before the streams end."""

CLOSE_S: Final = 2.0


class _Sent(NamedTuple):
    """Values for one of the two streams, by the layer's own clock in s."""

    at_s: float
    marker: str
    numbers: tuple[float, ...]
    labels: tuple[str, ...]


@final
class Outlet:
    """Two streams, ``NAME`` of type Markers and ``NAME current`` in µA; the second begins with its first numbers.

    Raises :class:`UsageError` where there is no LSL, or where its streams could not be kept to this computer.
    """

    def __init__(self, name: str) -> None:
        if not name.strip() or not name.isprintable() or len(name) > 60:
            raise UsageError(f"{name!r} is no name for an LSL stream; write a short one, such as stimctl")
        pylsl = library()
        self.name = name
        self.dropped = 0
        """How much was not sent because too much waited."""
        self.failed = ""
        """Why nothing is sent any more, or ""."""
        self._numbers: Any = None
        self._labels: tuple[str, ...] = ()
        info = pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"stimctl-{name}-markers")
        self._markers: Any = pylsl.StreamOutlet(info, 0, KEPT_S)
        if not keep_here():
            self._markers = None
            raise UsageError(
                "this system cannot keep an LSL stream to this computer; where your network may read it, add --lsl-scope link"
            )
        self._queue: queue.SimpleQueue[_Sent | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="stimctl-lsl-out", daemon=True)
        self._thread.start()

    def clock_s(self) -> float:
        """The layer's own clock, by which streams are brought together."""
        return float(library().local_clock())

    def mark(self, text: str, at_s: float) -> None:
        """Send a marker. Any thread; never waits."""
        self._put(_Sent(at_s, text, (), ()))

    def measure(self, labels: tuple[str, ...], values: tuple[float, ...], at_s: float) -> None:
        """Send a row of numbers, always with the same labels; others begin another stream. Any thread; never waits."""
        self._put(_Sent(at_s, "", values, labels))

    def _put(self, sent: _Sent) -> None:
        if self._queue.qsize() >= HELD_MAX:
            self.dropped += 1
        else:
            self._queue.put(sent)

    def close(self) -> None:
        """Send what waits, and end; bounded by :data:`CLOSE_S`. Idempotent."""
        self._queue.put(None)
        self._thread.join(CLOSE_S)

    # --- in the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while (sent := self._queue.get()) is not None:
                self._send(sent)
            if any(each is not None and each.have_consumers() for each in (self._markers, self._numbers)):
                threading.Event().wait(LAST_S)  # liblsl has no way to ask whether all has gone
        except Exception as error:  # noqa: BLE001 - whatever it is, a session goes on without its streams
            self.failed = f"{type(error).__name__}: {error}"
        self._markers = self._numbers = None

    def _send(self, sent: _Sent) -> None:
        if sent.labels:
            if sent.labels != self._labels:
                self._begin_numbers(sent.labels)
            self._numbers.push_sample(list(sent.numbers), sent.at_s)
        else:
            self._markers.push_sample([sent.marker], sent.at_s)

    def _begin_numbers(self, labels: tuple[str, ...]) -> None:
        pylsl = library()
        info = pylsl.StreamInfo(
            f"{self.name} current", "Stimulation", len(labels), pylsl.IRREGULAR_RATE, pylsl.cf_float32,
            f"stimctl-{self.name}-current",
        )  # fmt: skip
        channels = info.desc().append_child("channels")
        for label in labels:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label).append_child_value("unit", "microamperes")
        self._numbers = pylsl.StreamOutlet(info, 0, KEPT_S)
        self._labels = labels
        if not keep_here():
            raise UsageError("the stream of currents cannot be kept to this computer")
