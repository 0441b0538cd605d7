"""One armed session with a board: its token, its settings on their way, its heartbeats, its read-back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from stimctl.boards import BoardFacts
from stimctl.boards.reference import codec
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.update import encode_update
from stimctl.driver.exchange import Exchange, Question
from stimctl.driver.health import Complaint, Contacts, Health
from stimctl.driver.line import Line
from stimctl.driver.words import Setup
from stimctl.errors import OurBug
from stimctl.safety import Approved, Latch
from stimctl.units import MS

DEAD_MAN_MS: Final = 400
"""What the board is armed with: between the 300 and 500 ms of F.3, five heartbeats long."""

HEARTBEAT_US: Final = 80 * MS
"""Longest time that a moving control loop leaves the dead-man unfed."""

UNAPPLIED_US: Final = 200 * MS
"""By then the newest setting must have arrived: two answers' time. It is never sent again, so the board is stopped."""

_U32: Final = 0xFFFF_FFFF


class ArmedSession:
    """From ARM until the token dies. Knows nothing of states; the driver asks it to act and judges by its answers."""

    def __init__(
        self,
        line: Line,
        exchange: Exchange,
        facts: BoardFacts,
        latch: Latch,
        token: int,
        setups: Iterable[Setup],
        contacts: Contacts,
    ) -> None:
        self._line, self._exchange, self._facts, self._latch = line, exchange, facts, latch
        self._contacts = contacts
        self.token = token
        self.is_sent = False
        """Whether ARM may have left; from then on the board may be armed, whatever it has said."""
        self.is_accepted = False
        """Whether the board has acknowledged ARM; from then on the dead-man runs."""
        self._setups = deque(setups)
        self.outputs = frozenset(setup.output for setup in self._setups)
        self._health: Health | None = None
        self._counter = self._fed_counter = 0
        self._fed_us = 0
        self._waiting: Approved | None = None
        self._unapplied: tuple[int, int] | None = None  # sequence and time of the newest update, until it is confirmed
        self.dropped = 0

    # --- arming ----------------------------------------------------------------------------------------------------

    def arm(self, challenge: int, epoch: int, counter: int, now_us: int) -> bool:
        """Send ARM unless anything was stopped since ``epoch``; returns whether it was sent."""
        self._line.renew_stop()
        self._counter = self._fed_counter = counter & _U32
        self._fed_us = now_us
        mask = sum(1 << output for output in self.outputs)
        word = m.Arm(challenge, DEAD_MAN_MS, mask, self._facts.limits_crc, self._counter, _host_ms(now_us))
        sequence = self._line.next_sequence()
        frame = codec.encode(word, sequence=sequence, token=self.token)
        self._health = Health(self.outputs, sequence, now_us, self._contacts, senses_current=self._facts.senses_current)
        self.is_sent = True  # before it is: another thread that asks meanwhile must not read "off"
        if not self._line.say_arm(frame, epoch):
            self.is_sent = False
            return False
        self._exchange.ask(sequence, Question(word, frame, now_us))
        return True

    def configure(self, setups: Iterable[Setup]) -> None:
        """Have more ceilings set; once there has been output, the board accepts none but narrower ones."""
        self._setups.extend(setups)

    def set_next_ceiling(self, now_us: int) -> bool:
        """Send the next CONFIGURE, one at a time; ``False`` when there is none left. Raises :class:`LinkLost`."""
        if not self._setups:
            return False
        one = self._setups.popleft()
        word = m.Configure(
            one.output,
            one.amplitude_ua,
            one.phase_width_us,
            one.interphase_gap_us,
            one.recovery_width_us,
            one.rate_mhz,
            one.pulses_per_period,
        )
        sequence = self._line.next_sequence()
        frame = codec.encode(word, sequence=sequence, token=self.token)
        self._line.say(frame)
        self._exchange.ask(sequence, Question(word, frame, now_us))
        return True

    # --- output ----------------------------------------------------------------------------------------------------

    def send(self, approved: Approved, now_us: int) -> None:
        """Write the update, or keep it until earlier frames have left: one at most, the newest."""
        self._check(approved)
        if self._waiting is not None:
            self.dropped += 1
        self._waiting = approved
        self.send_waiting(now_us)

    def send_waiting(self, now_us: int) -> None:
        """Write the kept update, if there is one and the line is free. What a stop has made void is dropped."""
        approved = self._waiting
        if approved is None or (approved.is_live() and self._line.is_busy()):
            return
        self._waiting = None
        sequence = self._line.next_sequence()
        frame = encode_update(
            approved, sequence=sequence, token=self.token, loop_counter=self._counter, host_ms=_host_ms(now_us)
        )
        if not self._line.say_approved(frame, approved):
            self.dropped += 1
            return
        self._exchange.ask(sequence, Question(None, frame, now_us))
        self._unapplied = (sequence, now_us)
        if self._health is not None:
            self._health.commanded(sequence, approved.command, now_us)
        self._note_fed(now_us)

    def _check(self, approved: Approved) -> None:
        if approved.latch is not self._latch:
            raise OurBug("approved under another latch than the one that stops this driver")
        beyond = [one.channel for one in approved.command.outputs if one.channel not in self.outputs]
        if beyond:
            raise OurBug(f"outputs {beyond} are not part of what was armed")

    # --- the dead-man ----------------------------------------------------------------------------------------------

    def beat(self, counter: int, now_us: int) -> None:
        """The control loop has come round; feed the dead-man when nothing else has for a while."""
        self._counter = counter & _U32
        if self._latch.tripped:
            return  # whatever else may fail to notice the stop: the dead-man ends it
        advanced = 0 < (self._counter - self._fed_counter) & _U32 < 0x8000_0000
        if not self.is_accepted or not advanced or now_us - self._fed_us < HEARTBEAT_US or self._line.is_busy():
            return
        if self._unapplied is not None:
            return  # it fed the dead-man itself, and a later sequence would hide whether the board has accepted it
        word = m.Heartbeat(self._counter, _host_ms(now_us))
        sequence = self._line.next_sequence()
        frame = codec.encode(word, sequence=sequence, token=self.token)
        self._line.say(frame)
        self._exchange.ask(sequence, Question(word, frame, now_us))
        self._note_fed(now_us)

    def _note_fed(self, now_us: int) -> None:
        # An update between two rounds of the loop carries the old counter and feeds nothing.
        if self._counter != self._fed_counter:
            self._fed_counter, self._fed_us = self._counter, now_us

    # --- read-back -------------------------------------------------------------------------------------------------

    def acknowledged(self, sequence: int) -> None:
        """The board has carried out the update ``sequence``."""
        if self._unapplied is not None and self._unapplied[0] == sequence:
            self._unapplied = None

    def judge(self, report: m.Report, now_us: int) -> tuple[Complaint, ...]:
        """What is wrong in a report; the report also confirms updates whose acknowledgement was lost."""
        if self._health is None:
            return ()
        self.acknowledged(report.last_sequence)
        return self._health.judge(report, now_us)

    def is_unapplied(self, now_us: int) -> bool:
        """Whether the newest setting is overdue: the board delivers an older one."""
        if self._unapplied is None:
            return False
        _, sent_us = self._unapplied
        return now_us - sent_us >= UNAPPLIED_US


def _host_ms(now_us: int) -> int:
    return now_us // MS & _U32
