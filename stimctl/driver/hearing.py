"""What each word of the board means to a driver."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import Frame
from stimctl.boards.reference.codes import NO_OUTPUT, Cause, Reason
from stimctl.boards.reference.facts import introduce
from stimctl.driver import words as w
from stimctl.driver.conversation import IDLE, LIVE, Conversation
from stimctl.driver.health import Complaint
from stimctl.driver.words import DriverState
from stimctl.errors import BoardFault, LimitsDisagree, LinkLost

LOUD_ANSWERS: Final = 3
"""Answers to a stop that still show current before that is called a fault: a pulse may be under way at the first."""

_S = DriverState
_RULES: Final = tuple(field.name for field in fields(m.LimitsTable))


class Hearing(Conversation):
    """Takes frames, one at a time, in the order in which they came."""

    def _hear(self, frame: Frame, now_us: int) -> None:
        word = frame.word
        if self._state is _S.LOST:
            return
        match word:
            case m.Identity() | m.LimitsTable():
                self._introduced(word, now_us)
            case m.Ack():
                self._acknowledged(word.reply_to, now_us)
            case m.Nak():
                self._refused(word, now_us)
            case m.Status():
                self._answered(frame.token, word, now_us)
            case m.Stopped():
                self._stopped(word, now_us)
            case m.Samples():
                self._sampled(word)
            case m.Event():
                self._told(word, now_us)
            case _:
                pass  # a host's words: an echo on the line

    # --- getting to know -------------------------------------------------------------------------------------------

    def _introduced(self, word: m.Identity | m.LimitsTable, now_us: int) -> None:
        if type(word) is m.Identity:
            self._identity = word
        elif type(word) is m.LimitsTable:
            self._table = word
        self._connect(now_us)

    def _connect(self, now_us: int) -> None:
        """Connected once all three have come: identity, limits, and a stop's confirmation."""
        if self._state is not _S.CONNECTING or self._identity is None or self._table is None:
            return
        if not self._answers or not self._is_quiet():
            return
        try:
            self.facts = introduce(self._identity, self._table)
        except LimitsDisagree as error:
            self._events.append(w.Faulted(error))
            raise LinkLost(f"the board at {self._name} is not used: {error}") from None
        self._state, self._status_us = _S.DISARMED, now_us
        self._events.append(w.Connected(self.facts))

    # --- commands --------------------------------------------------------------------------------------------------

    def _acknowledged(self, sequence: int, now_us: int) -> None:
        question = self._exchange.answered(sequence)
        session = self._session
        if question is None or session is None:
            return
        if question.word is None:
            session.acknowledged(sequence)
        elif type(question.word) is m.Arm:
            session.is_accepted = True
            session.set_next_ceiling(now_us)
        elif type(question.word) is m.Configure and not session.set_next_ceiling(now_us):
            self._armed()

    def _armed(self) -> None:
        if self._state is _S.ARMING:
            self._state = _S.ARMED
            self._events.append(w.Armed())

    def _refused(self, nak: m.Nak, now_us: int) -> None:
        question = self._exchange.answered(nak.reply_to)
        if question is None:
            return
        output = None if nak.output == NO_OUTPUT else nak.output
        rule = _RULES[nak.rule] if nak.rule < len(_RULES) else ""
        text = f"the board refused {question.name}: {w.REASON_TEXT[nak.reason]}{f' ({rule})' if rule else ''}"
        self._events.append(w.Refused(question.name, nak.reason, output, rule, text))
        if type(question.word) is m.Listen:
            return
        if self._state is _S.ARMING:
            self._begin_stop(_S.DISARMED, now_us)
        elif self._state is _S.ARMED and nak.reason not in {Reason.EXPIRED, Reason.STALE}:
            # What came late or out of order is made good by the next setting, or noticed as missing.
            self._halt(text, now_us)

    # --- reports ---------------------------------------------------------------------------------------------------

    def _answered(self, token: int, word: m.Status, now_us: int) -> None:
        question = self._exchange.answered(word.reply_to)
        self._note(word.report)
        self._doubt = False
        if self._state in IDLE and (word.report.armed or not self._is_quiet()):
            self._fault("the board delivers although it was not armed; use the stop switch", now_us)
        elif self._state is _S.ARMING and self._session is not None and not self._session.is_sent:
            if question is not None and question.sent_us >= self._since_us:
                self._arm_now(word.report.challenge, now_us)
        elif self._session is not None and self._session.is_accepted:
            self._supervise(token, word.report, now_us)

    def _arm_now(self, challenge: int, now_us: int) -> None:
        if self._session is None or not self._session.arm(challenge, self._epoch, self._counter, now_us):
            self._notice_stop(now_us)

    def _note(self, report: m.Report) -> None:
        """Keep the newest report; a clock that runs backwards is a board that was reset behind our back (R6)."""
        last = self._report
        self._report = report
        if self._state is not _S.CONNECTING:
            if last is not None and (report.uptime_ms - last.uptime_ms) % 0x1_0000_0000 >= 0x8000_0000:
                raise LinkLost(f"the board at {self._name} was reset; connect again")
            self._events.append(w.Reported(report.armed, report.listening, report.stop_button, report.outputs))

    def _supervise(self, token: int, report: m.Report, now_us: int) -> None:
        """Read-back of an armed session."""
        if self._session is None:
            return
        if not report.armed:
            self._disarmed(report.cause, now_us)
        elif token != self._session.token:  # a board answers with its token only to whoever asks with it
            self._fault("the board is armed for somebody else, or another program is on the line", now_us)
        else:
            self._complain(self._session.judge(report, now_us), now_us)

    def _complain(self, complaints: tuple[Complaint, ...], now_us: int) -> None:
        texts = [f"output {complaint.output + 1} {complaint.text}" for complaint in complaints]
        for complaint, text in zip(complaints, texts, strict=True):
            self._events.append(w.Faulted(BoardFault(text), complaint.output, pads=complaint.pads))
        if texts:
            self._halt("; ".join(texts), now_us)

    def _disarmed(self, cause: Cause, now_us: int) -> None:
        text = w.CAUSE_TEXT[cause]
        self._events.append(w.Disarmed(cause, text))
        self._halt(text, now_us)

    def _stopped(self, word: m.Stopped, now_us: int) -> None:
        self._note(word.report)
        if word.reply_to != self._line.stop_sequence:
            return  # of an earlier stop: it says nothing about this one
        if self._state is _S.CONNECTING:
            self._answers = True
            self._connect(now_us)
        elif self._state is _S.STOPPING and self._is_quiet():
            self._state, self._status_us = self._goal, now_us
            self._events.append(w.Stopped())
        elif self._state is _S.STOPPING:
            self._since_us = now_us  # it hears us, so that saying it again may yet help
            self._loud += 1
            if self._loud == LOUD_ANSWERS:
                error = BoardFault("the board was told to stop, but reports output; use the stop switch")
                self._events.append(w.Faulted(error))

    # --- unasked ---------------------------------------------------------------------------------------------------

    def _sampled(self, word: m.Samples) -> None:
        chunk = self._analog.take(word) if self._listening else None
        if chunk is not None:
            self._events.append(chunk)

    def _told(self, word: m.Event, now_us: int) -> None:
        if self._state is _S.CONNECTING:
            return
        self._events.append(w.Told(word.cause, None if word.output == NO_OUTPUT else word.output, word.value))
        if word.cause is Cause.RESET:
            raise LinkLost(f"the board at {self._name} was reset; connect again")
        if self._state in LIVE and self._session is not None and self._session.is_accepted:
            self._disarmed(word.cause, now_us)
