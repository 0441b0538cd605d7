"""What every board's twin is built into that is not the reference board's: its time, its line, a ledger for each output.

Bytes go in with the time of their arrival, bytes come out, and in between everything happens at its own instant. What is
inside is told by the board: its program (which may be deaf for a while) and its hardware (which never is).
"""

from __future__ import annotations

from typing import Final

from stimctl.pulse import PulseTrain
from stimctl.sim.ledger import Exact, Ledger
from stimctl.sim.patient import Patient
from stimctl.sim.uart import Uart

FOR_EVER_US: Final = 1 << 62

_UNREAD_MAX: Final = 1 << 16  # bytes kept for a host that does not read
_NEWS_MAX: Final = 100


class Chassis:
    """One board with or without a patient. Times are µs of one monotonic clock; one that steps back stands still.

    ``keep`` bounds how many stretches each ledger remembers. Not thread-safe.
    """

    def __init__(
        self, outputs: int, uart: Uart, *, now_us: int = 0, keep: int | None = None, patient: Patient | None = None
    ) -> None:
        self.now_us = now_us
        self.ledger = tuple(Ledger(keep) for _ in range(outputs))
        self.uart = uart
        self._patient = patient
        self._said = b""
        self._news: list[str] = []
        self._deaf_until_us = now_us

    # --- for whoever holds it ----------------------------------------------------------------------------------

    def feed(self, data: bytes, now_us: int) -> None:
        """A host writes ``data`` at ``now_us``; it comes in byte for byte, at line speed."""
        self.advance(now_us)
        self.uart.put(data, self.now_us)

    def advance(self, now_us: int) -> None:
        """Live on to ``now_us``, every event at its own time."""
        while (due_us := self._due_us()) is not None and due_us <= now_us:
            self.now_us = max(self.now_us, due_us)
            self._live()
        self.now_us = max(self.now_us, now_us)

    def outgoing(self) -> bytes:
        """Everything that the board has said by now; then forgotten."""
        data, self._said = self._said, b""
        return data

    def next_event_us(self, now_us: int) -> int | None:
        """When something happens next if no byte is written, ``now_us`` at the earliest; ``None`` for never."""
        due_us = self._due_us()
        return None if due_us is None else max(now_us, due_us)

    def plugged(self, now_us: int) -> None:
        """A client has opened the port; here nobody notices."""

    def switch_off(self, now_us: int) -> None:
        """The power goes: no current any more, and no program."""
        self.advance(now_us)
        for output in range(len(self.ledger)):
            self.drive(output, None)
        self._deaf_until_us = FOR_EVER_US

    def news(self) -> list[str]:
        """What a person beside the board would have seen since this was asked last."""
        news, self._news = self._news, []
        return news

    def current_ua(self, output: int) -> int:
        """First-phase peak in µA that flows at ``output`` now."""
        return self.ledger[output].current_ua()

    @property
    def energised(self) -> bool:
        """Whether current flows anywhere."""
        return any(ledger.train is not None for ledger in self.ledger)

    @property
    def active(self) -> bool:
        """Whether pulses come; single ones leave pauses in which no current flows."""
        return self.energised

    # --- for the board -----------------------------------------------------------------------------------------

    def drive(
        self, output: int, train: PulseTrain | None, *, first_us: int | None = None, exact: Exact | None = None
    ) -> None:
        """From now on ``train`` flows at ``output``, its first pulse at ``first_us`` or now; or nothing."""
        self.ledger[output].set(train, self.now_us, first_us=first_us, exact=exact)
        self.feel(output, self.ledger[output].train)

    def feel(self, output: int, train: PulseTrain | None) -> None:
        """What the patient has of what flows at ``output``; pulses that come one by one are no train in the ledger."""
        if self._patient is not None and output < len(self._patient.sites):
            self._patient.set_output(output, train, self.now_us)

    def show(self, line: str) -> None:
        """A lamp, a display: something that a person sees."""
        self._news = [*self._news[1 - _NEWS_MAX :], line]

    def say(self, data: bytes) -> None:
        """The board writes."""
        self._said = (self._said + data)[-_UNREAD_MAX:]

    def deafen(self, us: int) -> None:
        """The program does something that keeps it from all else for so long; what is written waits as far as it may."""
        self._deaf_until_us = max(self.now_us, self._deaf_until_us) + us

    @property
    def deaf(self) -> bool:
        """Whether the program is busy."""
        return self.now_us < self._deaf_until_us

    def _hear(self, byte: int) -> None:
        """The program reads a byte."""
        raise NotImplementedError

    def _program_due_us(self) -> int | None:
        """When the program has something to do, unless it is deaf then."""
        return None

    def _run(self) -> None:
        """The program does what is due now."""

    def _hardware_due_us(self) -> int | None:
        """When something happens that no program can put off."""
        return None

    def _ring(self) -> None:
        """What is due now in the hardware happens."""

    # --- time --------------------------------------------------------------------------------------------------

    def _due_us(self) -> int | None:
        times = [self.uart.next_us, self._hardware_due_us()]
        own_us = self._program_due_us()
        if own_us is not None or self.uart.waiting:
            times.append(max(self._deaf_until_us, self.now_us if own_us is None or self.uart.waiting else own_us))
        return min((time for time in times if time is not None), default=None)

    def _live(self) -> None:
        """Everything that is due at this very instant; what protects comes first."""
        hard_us = self._hardware_due_us()
        if hard_us is not None and hard_us <= self.now_us:
            self._ring()
        self.uart.arrive(self.now_us)
        self._go_on()
        while self.uart.waiting and not self.deaf:
            self._hear(self.uart.take())
            self._go_on()

    def _go_on(self) -> None:
        while not self.deaf and (due_us := self._program_due_us()) is not None and due_us <= self.now_us:
            self._run()
