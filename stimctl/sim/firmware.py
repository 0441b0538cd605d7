"""The program on the board: what it does with each word (``hw/wire.md``, "Rules of the board").

One :class:`Firmware` lives from one boot to the next and forgets everything in between, as a real one does. It tells
:class:`Body`, the rest of the board, what to put out; whether that flows is decided there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol, final

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import Decoder, Frame
from stimctl.boards.reference.codes import NO_OUTPUT, NO_RULE, Capability, Cause, Reason, Trouble
from stimctl.boards.reference.facts import table_crc
from stimctl.pulse import PulseTrain
from stimctl.sim import guard
from stimctl.sim.analog import AnalogIn
from stimctl.sim.electrodes import Stage
from stimctl.sim.faults import FaultKind, FaultPlan
from stimctl.sim.gate import DEAD_MAN_MS, Gate

NAME: Final = "stimctl reference board (twin)"
FIRMWARE: Final = "twin 1"

_U32: Final = 1 << 32
_TRIPS: Final = (Reason.LIMIT, Reason.CEILING, Reason.RISE)
_EVERYTHING: Final = Capability.IMPEDANCE | Capability.CURRENT | Capability.ANALOG_IN | Capability.SIMULATED


class Body(Protocol):
    """The board around its program."""

    now_us: int
    stages: tuple[Stage, ...]
    plan: FaultPlan
    analog: AnalogIn

    def drive(self, output: int, train: PulseTrain | None) -> None:
        """Put out a train, or nothing."""

    def send(self, word: m.Word, token: int) -> None:
        """Put a word on the line."""

    def noise(self) -> float:
        """The relative error of one reading."""

    def disarmed(self, cause: Cause) -> None:
        """Take note that a session ended."""


@final
class Firmware:
    """From one boot to the next. ``boots`` counts them, so that no challenge comes twice."""

    def __init__(self, body: Body, *, boots: int, serial: str) -> None:
        self._body = body
        self._serial = serial
        self._gate = Gate()
        self._decoder = Decoder()
        self._guard = guard.Guard(guard.TABLE, 0)
        self._boot_us = body.now_us
        self._challenge = (boots << 16) % _U32
        self.cause = Cause.RESET
        self._zero()
        self._body.send(m.Event(Cause.RESET, NO_OUTPUT, 0, 0), 0)

    @property
    def armed(self) -> bool:
        """Whether a session is open."""
        return self._gate.token != 0

    @property
    def deadline_us(self) -> int | None:
        """When the dead-man trips."""
        return self._gate.deadline_us

    def hear(self, data: bytes) -> None:
        """Carry out every frame that ``data`` completes."""
        for frame in self._decoder.feed(data):
            handler = _HANDLERS.get(type(frame.word))
            if handler is not None:  # a word that only boards say is nobody's command
                handler(self, frame, frame.word)

    def disarm(self, cause: Cause, output: int = NO_OUTPUT, value: int = 0) -> None:
        """Zero first, then everything else. A board that is disarmed already has nothing to tell, but for its button."""
        self._zero()
        if not self.armed and cause is not Cause.STOP_BUTTON:
            return
        self._close(cause)
        self._body.send(m.Event(cause, output, value, self._uptime_ms()), 0)

    def sample(self) -> None:
        """Send the chunk of samples that is complete."""
        chunk = self._body.analog.chunk(self._boot_us)
        if chunk is not None:
            self._body.send(chunk, 0)

    # --- inside ------------------------------------------------------------------------------------------------

    @property
    def _now_us(self) -> int:
        return self._body.now_us

    def _uptime_ms(self) -> int:
        return (self._now_us - self._boot_us) // 1_000 % _U32

    def _table(self) -> m.LimitsTable:
        wide = self._body.plan.has(FaultKind.WIDE_LIMITS)
        return replace(guard.TABLE, peak_ua=2 * guard.TABLE.peak_ua) if wide else guard.TABLE

    def _answer(self, frame: Frame, word: m.Word) -> None:
        """With the token for whoever knows it, so that a second program on the line does not learn it by asking."""
        self._body.send(word, frame.token if frame.token == self._gate.token else 0)

    def _ack(self, frame: Frame) -> None:
        self._answer(frame, m.Ack(frame.sequence))

    def _nak(self, frame: Frame, reason: Reason, output: int = NO_OUTPUT, rule: int = NO_RULE) -> None:
        self._answer(frame, m.Nak(frame.sequence, reason, output, rule))

    def _zero(self) -> None:
        for stage in self._body.stages:
            self._body.drive(stage.output, None)

    def _close(self, cause: Cause) -> None:
        if self.armed:
            self._body.disarmed(cause)
        self._gate.disarm()
        self.cause = cause
        self._challenge = (self._challenge + 1) % _U32

    # --- words -------------------------------------------------------------------------------------------------

    def _hello(self, frame: Frame, _word: m.Hello) -> None:
        name = "another board" if self._body.plan.has(FaultKind.WRONG_IDENTITY) else NAME
        identity = m.Identity(
            name,
            self._serial,
            FIRMWARE,
            len(self._body.stages),
            guard.AMPLITUDE_STEP_UA,
            1,
            1,
            _EVERYTHING,
            self._body.analog.rate_hz,
            self._challenge,
        )
        self._answer(frame, identity)
        self._answer(frame, self._table())

    def _arm(self, frame: Frame, word: m.Arm) -> None:
        if self._gate.repeats(frame):
            return self._ack(frame)
        reason = self._arm_refusal(frame, word)
        if reason is not None:
            return self._nak(frame, reason)
        for stage in self._body.stages:
            self._body.drive(stage.output, None)
            stage.forget()
        self._guard = guard.Guard(self._table(), word.outputs)
        self.cause = Cause.NONE
        self._challenge = (self._challenge + 1) % _U32
        self._gate.arm(frame, word, self._now_us, self._uptime_ms())
        return self._ack(frame)

    def _arm_refusal(self, frame: Frame, word: m.Arm) -> Reason | None:
        if self.armed:
            return Reason.ARMED
        if frame.token == 0:
            return Reason.TOKEN
        if word.challenge != self._challenge:
            return Reason.CHALLENGE
        if word.limits_crc != table_crc(self._table()):
            return Reason.LIMITS
        if not DEAD_MAN_MS[0] <= word.dead_man_ms <= DEAD_MAN_MS[1]:
            return Reason.DEAD_MAN
        if not 0 < word.outputs < 1 << len(self._body.stages):
            return Reason.OUTPUT
        hardware = any(Trouble.HARDWARE in stage.trouble(self._now_us) for stage in self._body.stages)
        return Reason.FAULT if hardware or self._body.plan.has(FaultKind.STOP_BUTTON) else None

    def _configure(self, frame: Frame, word: m.Configure) -> None:
        if not self._may_go_on(frame, word):
            return
        refusal = self._guard.configure(word, now_us=self._now_us)
        if refusal is not None:
            self._nak(frame, refusal.reason, word.output, refusal.rule)
            return
        self._gate.accept(frame)
        for stage in self._body.stages:
            # A ceiling that was lowered under what flows: the board does not guess how much less would be meant.
            if stage.wanted is not None and not self._guard.still_allows(stage.output, stage.wanted):
                self._body.drive(stage.output, None)
        self._ack(frame)

    def _update(self, frame: Frame, word: m.Update) -> None:
        if not self._may_go_on(frame, word):
            return
        for entry in word.entries:
            refusal = self._refuses(entry)
            if refusal is not None:
                self._breach(frame, entry.output, refusal)
                return
        self._gate.accept(frame)
        self._gate.feed(word.loop_counter, self._now_us)
        trains = {entry.output: entry.train for entry in word.entries if entry.train.amplitude_ua}
        for stage in self._body.stages:
            train = trains.get(stage.output)
            if train is not None:
                self._guard.take(stage.output, train, stage.wanted, self._now_us)
            self._body.drive(stage.output, train)
        self._ack(frame)

    def _heartbeat(self, frame: Frame, word: m.Heartbeat) -> None:
        if self._may_go_on(frame, word):
            self._gate.accept(frame)
            self._gate.feed(word.loop_counter, self._now_us)
            self._ack(frame)

    def _may_go_on(self, frame: Frame, word: m.Configure | m.Update | m.Heartbeat) -> bool:
        """Judge token, sequence and age; answer unless it may."""
        if self._gate.repeats(frame):
            self._ack(frame)
            return False
        reason = self._gate.refusal(frame)
        if reason is None and not isinstance(word, m.Configure):
            late = self._gate.expired(word.host_ms, self._now_us, self._uptime_ms())
            reason = Reason.EXPIRED if late else None
        if reason is not None:
            self._nak(frame, reason)
        return reason is None

    def _refuses(self, entry: m.Entry) -> guard.Refused | None:
        """Why this entry must not be carried out."""
        if entry.train.amplitude_ua == 0:
            return None
        if not self._guard.admits(entry.output):
            return guard.Refused(Reason.OUTPUT)
        stage = self._body.stages[entry.output]
        if stage.trouble(self._now_us):
            return guard.Refused(Reason.FAULT)
        return self._guard.judge(entry.output, entry.train, stage.wanted, self._now_us)

    def _breach(self, frame: Frame, output: int, refused: guard.Refused) -> None:
        """Not carried out; what a sound host never sends also ends the session."""
        if refused.reason in _TRIPS:
            self._zero()  # before the answer is even written
        self._nak(frame, refused.reason, output, refused.rule)
        if refused.reason in _TRIPS:
            self.disarm(Cause.LIMIT_REFUSED, output, refused.rule)

    def _status(self, frame: Frame, _word: m.StatusRequest) -> None:
        self._answer(frame, m.Status(frame.sequence, self._report(frame)))

    def _listen(self, frame: Frame, word: m.Listen) -> None:
        if word.rate_hz not in (0, self._body.analog.rate_hz):
            return self._nak(frame, Reason.UNSUPPORTED)
        if word.rate_hz:
            self._body.analog.start(self._now_us)
        else:
            self._body.analog.stop()
        return self._ack(frame)

    def _stop(self, frame: Frame, _word: m.Stop) -> None:
        if self._body.plan.has(FaultKind.IGNORES_STOP):
            return
        if not self._body.plan.has(FaultKind.LIES_ABOUT_STOP):
            self._zero()
        self._close(Cause.STOP_COMMAND)
        self._answer(frame, m.Stopped(frame.sequence, self._report(frame)))

    def _report(self, frame: Frame) -> m.Report:
        noise = self._body.noise()
        return m.Report(
            armed=self.armed,
            listening=self._body.analog.listening,
            stop_button=self._body.plan.has(FaultKind.STOP_BUTTON),
            cause=self.cause,
            challenge=self._challenge,
            last_sequence=self._gate.sequence_for(frame),
            uptime_ms=self._uptime_ms(),
            dead_man_ms=self._gate.left_ms(self._now_us),
            outputs=tuple(stage.report(self._now_us, noise) for stage in self._body.stages),
        )


_HANDLERS: Final[dict[type[m.Word], Callable[..., None]]] = {
    m.Hello: Firmware._hello,  # noqa: SLF001 - the table of this class, which needs the class to be there
    m.Arm: Firmware._arm,  # noqa: SLF001
    m.Configure: Firmware._configure,  # noqa: SLF001
    m.Update: Firmware._update,  # noqa: SLF001
    m.Heartbeat: Firmware._heartbeat,  # noqa: SLF001
    m.StatusRequest: Firmware._status,  # noqa: SLF001
    m.Listen: Firmware._listen,  # noqa: SLF001
    m.Stop: Firmware._stop,  # noqa: SLF001
}
