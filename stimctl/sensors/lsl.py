"""Samples of an LSL stream on the session's own clock: its name, its channel, its unit, and whether it can be believed.

A sender stamps its samples by a clock of its own. What is pulled comes with its age, by that clock and by what liblsl has
measured it to be off; the session's time less that age is when a sample was taken. Stamps that jump mean that samples are
missing; stamps that run at another rate than the stream says mean that nothing of it can be right. Method and bounds are the
project's; nothing here waits, or reads a clock of this computer.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, final

import numpy as np

from stimctl.errors import LinkLost, UsageError
from stimctl.sensors.pulses import Output
from stimctl.sensors.samples import RATE_MAX_HZ, RATE_MIN_HZ, STALE_US, Chunk, Samples
from stimctl.sensors.streams import Inlet, Pulled, channel_of, microvolts

JUMP_US: Final = 50_000
"""Samples are missing where a stamp comes so much later than its place, and time went back where it is as much earlier.
Senders stamp whole chunks when their scheduler lets them: up to here that is jitter (project)."""

FOLLOW: Final = 0.1
"""The share of each chunk's deviation by which the places of the following ones are moved: clocks drift."""

RATE_SHARE: Final = 0.03
RATE_US: Final = 2_000_000
"""A stream whose stamps give another rate than it says, by more than this share over this long, is not believed."""

LOST_US: Final = 1_000_000
"""A stream that has given nothing fresh for so long is lost: output ends. What is late by less only bars the trigger."""

AHEAD_US: Final = 5_000
"""So far may a stamp lie in the future, by what is not known of the sender's clock; it then counts as now."""

POLL_US: Final = 5_000
"""How often a stream is looked at: nothing wakes the control loop when samples come."""

BREAKS_MAX: Final = 4
"""A pull with more breaks than this is not taken at all."""

HICCUPS: Final = 2
"""So many breaks in :data:`RATE_US` are losses, which a rate is not judged by; more of them are another rate."""


@final
class LslSource:
    """A :class:`stimctl.sensors.samples.Source` over one channel of an open stream.

    ``output`` says when pulses may have stood in the signal. Values are in µV where the stream names its unit, else in its
    own counts. Raises :class:`UsageError` for a rate at which nothing can be heard, and a channel that is not there.
    """

    finished = False

    def __init__(self, inlet: Inlet, channel: str = "", output: Output | None = None) -> None:
        facts = inlet.facts
        if not RATE_MIN_HZ <= facts.rate_hz <= RATE_MAX_HZ:
            raise UsageError(
                f"the LSL stream {facts.name} has {facts.rate_hz:g} samples a second; {RATE_MIN_HZ:g} to {RATE_MAX_HZ:g}"
                " can be used"
            )
        self._inlet, self._channel = inlet, channel_of(facts, channel)
        label = facts.labels[self._channel]
        self.name = f"LSL {facts.name}{f' #{label or self._channel + 1}' if len(facts.labels) > 1 else ''}"
        self.rate_hz = facts.rate_hz
        self.unit = facts.units[self._channel]
        self._scale = microvolts(self.unit)
        self.output = output or Output()
        self._step_us = 1e6 / facts.rate_hz
        self.trouble = ""
        """Why nothing of it is believed just now, "" while all is well."""
        self.gaps = self.missing = 0
        """How often its stamps have jumped, and how many samples that were at least."""
        self._begin(0)
        self._index = 0

    @property
    def in_microvolts(self) -> bool:
        """Whether the stream names a unit of voltage."""
        return self._scale is not None

    def _begin(self, now_us: int) -> None:
        self._started_us = self._fresh_us = self._read_us = now_us
        self._place_us: float | None = None  # when the next sample is to be taken
        self._age_us = 0.0
        self._window: deque[tuple[float, int]] = deque()
        self._jumps_us: deque[float] = deque(maxlen=HICCUPS + 1)
        self._taken = 0
        self._rate_trouble = ""

    def start(self, now_us: int) -> None:
        """Begin with what is taken from now on; what waits in the stream is older."""
        self._begin(now_us)
        self._index += 1  # whatever comes next does not follow what went before
        self.trouble = ""
        self.read(now_us)

    def next_due_us(self) -> int:
        """When to look again."""
        return self._read_us + POLL_US

    def close(self) -> None:
        """Let go of the stream."""
        self._inlet.close()

    def read(self, now_us: int) -> tuple[Chunk, ...]:
        """What came since the last call, cut where samples are missing. Nothing while the stream cannot be believed."""
        self._read_us = now_us
        try:
            pulled = self._inlet.pull(self._channel)
        except LinkLost as error:
            self._break()
            self.trouble = str(error)
            return ()
        chunks: tuple[Chunk, ...] = ()
        if pulled is not None:
            chunks = self._taken_in(pulled, now_us)
        self._judge(now_us)
        return () if self._rate_trouble else chunks

    # --- places ----------------------------------------------------------------------------------------------------

    def _taken_in(self, pulled: Pulled, now_us: int) -> tuple[Chunk, ...]:
        times_us = now_us - pulled.ages_us
        values = pulled.values * (1.0 if self._scale is None else self._scale)
        fresh = times_us > self._started_us
        if not np.isfinite(times_us).all() or not fresh.any():
            return ()
        first = int(np.argmax(fresh))
        times_us, values = times_us[first:], values[first:]
        newest_us = float(times_us[-1])
        self._taken += len(times_us)
        chunks: list[Chunk] = []
        while len(times_us):
            end = self._unbroken(times_us)
            if end:
                chunks.append(self._chunk(times_us[:end], values[:end], now_us))
                times_us, values = times_us[end:], values[end:]
            elif len(chunks) >= BREAKS_MAX:
                self._break()
                return ()
            else:
                self._jump(float(times_us[0]))
        self._watch_the_rate(newest_us)
        return tuple(chunks)

    def _unbroken(self, times_us: Samples) -> int:
        """How many samples stand at their places."""
        if self._place_us is None:
            self._place_us = float(times_us[0])
        off = times_us - (self._place_us + self._step_us * np.arange(len(times_us)))
        broken = np.abs(off) > JUMP_US
        return int(np.argmax(broken)) if broken.any() else len(times_us)

    def _jump(self, to_us: float) -> None:
        """Go on at ``to_us``: the index leaves out what is missing, so that nobody takes the two ends for neighbours."""
        assert self._place_us is not None
        missing = max(1, round((to_us - self._place_us) / self._step_us))
        self._index += missing
        self.gaps, self.missing = self.gaps + 1, self.missing + missing
        self._place_us = to_us
        self._jumps_us.append(to_us)

    def _break(self) -> None:
        """Whatever comes next does not follow what went before."""
        if self._place_us is not None:
            self.gaps, self.missing, self._index = self.gaps + 1, self.missing + 1, self._index + 1
        self._place_us = None
        self._window.clear()

    def _chunk(self, times_us: Samples, values: Samples, now_us: int) -> Chunk:
        assert self._place_us is not None
        places = self._place_us + self._step_us * np.arange(len(times_us))
        self._place_us = float(places[-1]) + self._step_us + FOLLOW * float(np.mean(times_us - places))
        last_us = float(times_us[-1])
        at_us = now_us if now_us < last_us <= now_us + AHEAD_US else round(last_us)
        self._age_us = now_us - at_us
        if 0 <= self._age_us <= STALE_US:
            self._fresh_us = now_us
        first, self._index = self._index, self._index + len(values)
        offsets = self.output.offsets(at_us, len(values), self._step_us)
        return Chunk(first, self.rate_hz, np.ascontiguousarray(values, dtype=np.float64), at_us, offsets)

    # --- belief ----------------------------------------------------------------------------------------------------

    def _watch_the_rate(self, newest_us: float) -> None:
        """Samples over stamps: a sender that gives another rate than it says is heard at the wrong pitch."""
        self._window.append((newest_us, self._taken))
        begun_us, taken = self._window[0]
        span_us = newest_us - begun_us
        if span_us < RATE_US:
            return
        rate_hz = (self._taken - taken) * 1e6 / span_us
        hiccups = sum(begun_us <= each_us for each_us in self._jumps_us)
        if not 0 < hiccups <= HICCUPS:
            off = abs(rate_hz - self.rate_hz) > RATE_SHARE * self.rate_hz
            self._rate_trouble = f"it says {self.rate_hz:g} samples a second and gives {rate_hz:.0f}" if off else ""
        while len(self._window) > 1 and self._window[1][0] <= newest_us - RATE_US:
            self._window.popleft()

    def _judge(self, now_us: int) -> None:
        """What is wrong by now, in words."""
        silent_us = now_us - self._fresh_us
        if self._rate_trouble:
            self.trouble = f"the LSL stream {self._inlet.facts.name} is not what it says: {self._rate_trouble}"
        elif 0 <= silent_us <= LOST_US:
            self.trouble = "" if silent_us < STALE_US else self.trouble
        elif self._place_us is not None and not 0 <= self._age_us <= STALE_US and math.isfinite(self._age_us):
            self.trouble = f"the samples of the LSL stream {self._inlet.facts.name} are {self._age_us / 1e3:.0f} ms old"
        else:
            self.trouble = f"the LSL stream {self._inlet.facts.name} has given nothing for {silent_us / 1e6:.1f} s"
