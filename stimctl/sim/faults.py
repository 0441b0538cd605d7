"""What can go wrong with a board, its pads, its analog input and the line to it (clinical reference, F.2).

A fault begins at a given time, ends at another or never, and may concern one output. :class:`Line` spoils bytes;
everything else is acted out by the twin.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, final


@final
class FaultKind(StrEnum):
    """Every fault that can be injected. ``value`` of a :class:`Fault` is explained beside each that uses it."""

    # the line
    LINE_CUT = "line-cut"  # nothing passes in either direction
    LINE_DROP = "line-drop"  # value: bytes lost of a thousand
    LINE_FLIP = "line-flip"  # value: bytes with a flipped bit of a thousand
    LINE_DUPLICATE = "line-duplicate"  # value: deliveries made twice of a thousand
    LINE_DELAY = "line-delay"  # value: ms by which every delivery is late
    # the processor
    RESET = "reset"
    HANG = "hang"  # silent; the dead-man, in hardware of its own, still works
    HANG_ENERGISED = "hang-energised"  # silent, and output goes on as it was
    DEAD_MAN_FAILS = "dead-man-fails"
    IGNORES_STOP = "ignores-stop"  # no answer, no effect
    LIES_ABOUT_STOP = "lies-about-stop"  # says STOPPED; the output stage goes on
    WIDE_LIMITS = "wide-limits"  # the table at connect, and the limiter with it, allow twice the peak
    WRONG_IDENTITY = "wrong-identity"  # introduces itself as another board
    # the output stage
    STUCK_OUTPUT = "stuck-output"  # value: µA that flow whatever is commanded
    LYING_READBACK = "lying-readback"  # reports as measured what it applies
    NO_SELF_CHECK = "no-self-check"  # the board does not notice a wrong current or an open contact
    HOT = "hot"
    HARDWARE = "hardware"
    STOP_BUTTON = "stop-button"
    # the pads
    CONTACT_OPEN = "contact-open"
    CONTACT_SHORT = "contact-short"
    CONTACT_PEEL = "contact-peel"  # value: contact area that is left, of a thousand
    IMPEDANCE_DRIFT = "impedance-drift"  # value: growth in thousandths a minute
    # the analog input
    EMG_FLAT = "emg-flat"
    EMG_RAILED = "emg-railed"
    EMG_HUM = "emg-hum"  # value: peak in µV, 500 when 0
    EMG_STALE = "emg-stale"  # no samples come
    EMG_DRIFT = "emg-drift"  # value: peak in µV by which the baseline wanders, 1500 when 0
    EMG_LEAD_OFF = "emg-lead-off"  # a floating input, hum and wandering; value: peak of the hum in µV, 500 when 0
    EMG_SHORTED = "emg-shorted"  # the leads touch each other: the amplifier's own noise, a twentieth of the rest


ALL_OUTPUTS: Final = -1


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in ``[at_us, until_us)``; ``until_us=None`` is for ever. ``output`` where a fault concerns one."""

    kind: FaultKind
    at_us: int = 0
    until_us: int | None = None
    output: int = ALL_OUTPUTS
    value: int = 0

    def active(self, now_us: int) -> bool:
        """Whether it is there at ``now_us``."""
        return self.at_us <= now_us and (self.until_us is None or now_us < self.until_us)

    def concerns(self, output: int) -> bool:
        """Whether it is a fault of this output."""
        return self.output in (ALL_OUTPUTS, output)


@final
class FaultPlan:
    """All faults of one twin, and which of them are there now. ``move`` goes on in time, one edge at a time."""

    def __init__(self, faults: tuple[Fault, ...], now_us: int) -> None:
        self._faults = faults
        self._now_us = now_us
        self._active: dict[FaultKind, list[Fault]] = {}
        self.quiet = True
        """Whether no fault at all is there now."""
        self._edge_us: int | None = None
        self._refresh()

    def add(self, fault: Fault, now_us: int) -> None:
        """One more fault; one whose time has come is there at once."""
        self._faults = (*self._faults, fault)
        self.move(now_us)

    def heal(self, kind: FaultKind, now_us: int) -> None:
        """Take every fault of this kind away."""
        self._faults = tuple(fault for fault in self._faults if fault.kind is not kind)
        self.move(now_us)

    def move(self, now_us: int) -> None:
        """Go on to ``now_us``."""
        self._now_us = now_us
        self._refresh()

    @property
    def edge_us(self) -> int | None:
        """When the next fault begins or ends."""
        return self._edge_us

    def get(self, kind: FaultKind, output: int | None = None) -> Fault | None:
        """The fault of this kind (and output) that is there now; the one that was listed last wins."""
        here = self._active.get(kind)
        if not here:
            return None
        return next((fault for fault in reversed(here) if output is None or fault.concerns(output)), None)

    def has(self, kind: FaultKind, output: int | None = None) -> bool:
        """Whether such a fault is there now."""
        return not self.quiet and self.get(kind, output) is not None

    def _refresh(self) -> None:
        self._active = {}
        for fault in self._faults:
            if fault.active(self._now_us):
                self._active.setdefault(fault.kind, []).append(fault)
        self.quiet = not self._active
        edges = [t for f in self._faults for t in (f.at_us, f.until_us) if t is not None and t > self._now_us]
        self._edge_us = min(edges, default=None)


@final
class Line:
    """One direction of the line: bytes in at one time, what is left of them out at the same or a later one."""

    def __init__(self, seed: str, plan: FaultPlan) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - noise, not a secret
        self._plan = plan
        self._waiting: list[tuple[int, bytes]] = []

    def put(self, data: bytes, now_us: int) -> None:
        """Bytes enter the line."""
        if not data:
            return
        delay = None
        if not self._plan.quiet:  # a line without faults costs nothing
            if self._plan.has(FaultKind.LINE_CUT):
                return
            data = self._spoil(data)
            delay = self._plan.get(FaultKind.LINE_DELAY)
        at = now_us if delay is None else now_us + delay.value * 1_000
        # A line keeps the order of bytes, also when a delay ends.
        self._waiting.append((max(at, self._waiting[-1][0]) if self._waiting else at, data))

    def take(self, now_us: int) -> bytes:
        """Bytes that have come through by ``now_us``."""
        if not self._waiting:
            return b""
        out = b""
        while self._waiting and self._waiting[0][0] <= now_us:
            out += self._waiting.pop(0)[1]
        return out

    def clear(self) -> None:
        """Forget what is under way."""
        self._waiting.clear()

    @property
    def next_us(self) -> int | None:
        """When the next bytes come through."""
        return self._waiting[0][0] if self._waiting else None

    def _spoil(self, data: bytes) -> bytes:
        duplicate, drop, flip = map(
            self._plan.get, (FaultKind.LINE_DUPLICATE, FaultKind.LINE_DROP, FaultKind.LINE_FLIP)
        )
        if duplicate is not None and self._strikes(duplicate):
            data = data * 2
        if drop is not None:
            data = bytes(byte for byte in data if not self._strikes(drop))
        if flip is not None:
            data = bytes(byte ^ 1 << self._rng.randrange(8) if self._strikes(flip) else byte for byte in data)
        return data

    def _strikes(self, fault: Fault) -> bool:
        return self._rng.random() * 1_000 < fault.value
