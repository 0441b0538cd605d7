"""The line between driver and twin: latency, a speed, a buffer that fills, cuts in the middle of frames, a plug.

What the host hands over is read here with a decoder of our own (``hw/wire.md`` is its source), so that a fault in the
codec under test cannot blind the eye that watches it.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, final

from stimctl.errors import LinkLost
from stimctl.sim.board import Twin
from stimctl.transport.link import Tailed
from tests.proving.sim_threads import Time

BOARD_FD: Final = 7

ARM, CONFIGURE, UPDATE, HEARTBEAT, STOP = 0x02, 0x03, 0x04, 0x05, 0x5A

_END: Final = b"\xc0"
_HEAD: Final = struct.Struct("<BBHHI")
_ENTRY: Final = struct.Struct("<BIHHIHIB")
_BUFFER: Final = 4_096  # bytes that an operating system takes before a writer has to wait
_JAMMED: Final = 48  # the same while the line is jammed


@final
class Seen(NamedTuple):
    """A frame as the host wrote it: what it is, under which token, and the highest first-phase peak in it."""

    kind: int
    token: int
    sequence: int
    peak_ua: int


def read_frames(data: bytes) -> list[Seen]:
    """Every intact frame in ``data``."""
    found = []
    for stuffed in data.split(_END):
        body = stuffed.replace(b"\xdb\xdc", _END).replace(b"\xdb\xdd", b"\xdb")
        if len(body) < 14 or zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
            continue
        _, kind, _, sequence, token = _HEAD.unpack_from(body)
        peak = max([entry[1] for entry in _ENTRY.iter_unpack(body[19:-4])], default=0) if kind == UPDATE else 0
        found.append(Seen(kind, token, sequence, peak))
    return found


@final
class Quirks:
    """What is wrong with the line now; the same for every connection over it."""

    def __init__(self) -> None:
        self.unplugged = False
        self.jammed = False
        self.split = False
        self.slow_write_us = 0


@final
class SimWire(Tailed):
    """One connection. ``latency_us`` and ``byte_us`` are 0 for the simulator inside the program, as ``sim:`` has it."""

    def __init__(
        self,
        twin: Twin,
        time: Time,
        quirks: Quirks,
        told: Callable[[Seen], None],
        *,
        latency_us: int,
        byte_us: int,
        cut: Callable[[int], int],
    ) -> None:
        super().__init__("simulated board")
        if quirks.unplugged:
            raise LinkLost("the simulated board is unplugged")
        self.twin, self._time, self._quirks, self._told, self._cut = twin, time, quirks, told, cut
        self.latency_us, self._byte_us = latency_us, byte_us
        self._out: deque[tuple[int, int, bytes]] = deque()  # begins to leave, has arrived, bytes
        self._in: deque[tuple[int, bytes]] = deque()
        self._free_us = 0

    # --- the host's side -----------------------------------------------------------------------------------------

    def write(self, data: bytes, *, urgent: bool = False) -> None:
        self._time.now_us += self._quirks.slow_write_us
        for seen in read_frames(data):
            self._told(seen)
        super().write(data, urgent=urgent)

    def fileno(self) -> int | None:
        return BOARD_FD if self.latency_us else None

    def _push(self, data: bytes) -> int:
        if self._quirks.unplugged:
            raise LinkLost("the simulated board was unplugged")
        waiting = sum(len(each) for _, _, each in self._out if self._byte_us)
        taken = data[: max(0, (_JAMMED if self._quirks.jammed else _BUFFER) - waiting)]
        pieces = [taken]
        if self._quirks.split and len(taken) > 1:
            at = 1 + self._cut(len(taken) - 1)
            pieces = [taken[:at], taken[at:]]
        for piece in pieces:
            self._leave(piece, pause_us=0 if piece is taken else 3_000)
        self.pump()
        return len(taken)

    def _leave(self, data: bytes, *, pause_us: int) -> None:
        if not data:
            return
        begin_us = max(self._time.now_us, self._free_us) + pause_us
        each_us = 2_000 if self._quirks.jammed else self._byte_us
        self._free_us = begin_us + len(data) * each_us
        self._out.append((begin_us, self._free_us + self.latency_us, data))

    def _discard(self) -> None:
        """Throw away what has not begun to leave."""
        while self._out and self._out[-1][0] > self._time.now_us:
            self._out.pop()
        self._free_us = self._out[-1][1] - self.latency_us if self._out else self._time.now_us

    def _pull(self) -> bytes:
        if self._quirks.unplugged:
            raise LinkLost("the simulated board was unplugged")
        self.pump()
        data = b""
        while self._in and self._in[0][0] <= self._time.now_us:
            data += self._in.popleft()[1]
        return data

    def _shut(self) -> None:
        """What was handed over is on its way and arrives; nobody reads any more."""

    # --- the world's side ----------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Let everything happen on the line and on the board that is due by now."""
        now_us = self._time.now_us
        while self._out and self._out[0][1] <= now_us:
            _, at_us, data = self._out.popleft()
            if not self._quirks.unplugged:
                self._advance(at_us)
                self.twin.feed(data, at_us)
                self._listen(at_us)
        self._advance(now_us)

    def _advance(self, now_us: int) -> None:
        self.twin.advance(now_us)
        self._listen(now_us)

    def _listen(self, now_us: int) -> None:
        said = self.twin.outgoing()
        if said and not self._closed and not self._quirks.unplugged:
            self._in.append((now_us + self.latency_us, said))

    @property
    def spent(self) -> bool:
        """Whether nobody holds it any more and nothing of it is under way."""
        return self._closed and not self._out

    def readable(self) -> bool:
        """Whether the host has something to read."""
        return bool(self._in) and self._in[0][0] <= self._time.now_us

    def next_event_us(self, now_us: int) -> int | None:
        """When something reaches either side next."""
        times = [self._out[0][1]] if self._out else []
        if self._in:
            times.append(self._in[0][0])
        twin_us = self.twin.next_event_us(now_us)
        if twin_us is not None:
            times.append(twin_us + self.latency_us)
        return max(now_us, min(times)) if times else None
