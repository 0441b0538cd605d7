"""The inside of a P24 or a RehaMove3: levels, high voltage and electrodes, and what flows of it all.

No program can put any of this off; what the program says and hears stands in ``sciencemode4``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stimctl.boards.sciencemode.framing import STOP
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codec import encode
from stimctl.boards.sciencemode4.codes import (
    COLOURS,
    SAMPLES,
    ChannelState,
    HighVoltage,
    Measurement,
    Result,
    Status,
)
from stimctl.sim.chassis import Chassis
from stimctl.sim.electrodes import DEFAULT_OHM, OPEN_OHM
from stimctl.sim.patient import Patient
from stimctl.sim.sciencemode_levels import LowLevel, MidLevel, Running
from stimctl.sim.sciencemode_model import MILLIVOLTS, Model
from stimctl.sim.sciencemode_pulse import flow_of, given, lasts_us
from stimctl.sim.uart import Uart
from stimctl.units import SECOND

LINE_MAX: Final = 2_048
"""What the program reads of a frame without an end."""

_BAUD, _ROOM, _BITS = 3_000_000, 1 << 16, 11
_WEAK: Final = (4, 5)  # less than this share of what was asked for


class ScienceMode4Stage(Chassis):
    """The output side of one board. ``mid`` and ``low`` are the levels that are open; never both."""

    def __init__(self, model: Model, *, now_us: int, keep: int | None, patient: Patient | None) -> None:
        uart = Uart(_BAUD, _ROOM, _BITS, ends=STOP, longest=LINE_MAX)
        super().__init__(model.dialect.channels, uart, now_us=now_us, keep=keep, patient=patient)
        self.model = model
        self.contact_ohm = [DEFAULT_OHM] * model.dialect.channels
        self.lamp = "green"
        self._flowed_us = now_us
        self.mid: MidLevel | None = None
        self.low: LowLevel | None = None
        self.voltage, self.broken = HighVoltage.OFF, False

    @property
    def status(self) -> Status:
        """Which level is open."""
        if self.mid is not None:
            return Status.MID_LEVEL_RUNNING if self.mid.running else Status.MID_LEVEL
        return Status.NONE if self.low is None else Status.LOW_LEVEL

    def set_contact(self, output: int, ohm: int, now_us: int) -> None:
        """Other pads, or other skin; from 20 kohm on there is no contact."""
        self.advance(now_us)
        self.contact_ohm[output] = ohm
        self._flow()

    def break_high_voltage(self, now_us: int) -> None:
        """The source fails: nothing is given any more until the board is started anew."""
        self.advance(now_us)
        self.broken, self.voltage = True, HighVoltage.OFF
        self._cut()
        self._flow()

    @property
    def active(self) -> bool:
        """Whether pulses come, be it one by one."""
        return self.energised or (self.low is not None and bool(self.low.felt.rests_us))

    def _close(self) -> None:
        """No level is open and nothing flows, at once."""
        self.mid = self.low = None
        self._cut()
        self._light()

    def _cut(self) -> None:
        for output in range(len(self.ledger)):
            self.drive(output, None)

    def _hardware_due_us(self) -> int | None:
        if self.mid is not None:
            return min(self.mid.due_us(self._flowed_us), default=None)
        return None if self.low is None else min(self.low.due_us(self.now_us), default=None)

    def _ring(self) -> None:
        if self.mid is not None:
            if self.mid.deadline_us is not None and self.mid.deadline_us <= self.now_us:
                self.mid.running.clear()
                self.mid.deadline_us = None
            self._flow()
        if self.low is not None:
            self._ring_low(self.low)

    def _ring_low(self, low: LowLevel) -> None:
        for output in low.felt.rested(self.now_us):
            self.feel(output, None)
            self._light()
        if low.giving is not None and low.giving[0] <= self.now_us:
            _, output, answer = low.giving
            low.giving = None
            self.ledger[output].set(None, self.now_us)
            self.say(answer)
        if low.giving is None and low.queue:
            self._next_pulse(low)

    def _most_ua(self, output: int) -> int:
        ohm = self.contact_ohm[output]
        return 0 if ohm >= OPEN_OHM else MILLIVOLTS[self.voltage] * 1_000 // max(1, ohm)

    def _wrong(self, output: int, points: Sequence[m.Point]) -> ChannelState:
        """What the board notices of a pulse that it gives."""
        peak_ua = max(abs(point.current_ua) for point in points) if points else 0
        if self.contact_ohm[output] >= OPEN_OHM:
            noticed = peak_ua and peak_ua >= self.model.notices_from_ua
            return ChannelState.ELECTRODE if noticed else ChannelState.GOOD
        part, whole = _WEAK
        weak = self._most_ua(output) * whole < peak_ua * part and self.model.judges_pulses
        return ChannelState.CURRENT_LOW if weak and self.voltage is not HighVoltage.OFF else ChannelState.GOOD

    def _flow(self) -> None:
        """Bring what the mid level gives up to date with patterns, contacts and high voltage."""
        self._flowed_us = self.now_us
        if self.mid is not None:
            self._judge(self.mid)
            silent = self._silent
            for output in range(len(self.ledger)):
                self._flow_at(output, None if silent else self.mid.running.get(output))
        self._light()

    def _judge(self, mid: MidLevel) -> None:
        for output, running in sorted(mid.running.items()):
            pattern = running.pattern
            long = lasts_us(pattern.points) > pattern.period_us
            wrong = ChannelState.PULSE_TIMEOUT if long else self._wrong(output, pattern.points)
            if wrong is not ChannelState.GOOD and output in mid.running:
                mid.fail(output, wrong)

    @property
    def _silent(self) -> bool:
        """Whether the mid level gives nothing, whatever it was told."""
        return self.mid is None or self.mid.overloaded or self.voltage is HighVoltage.OFF

    def _flow_at(self, output: int, running: Running | None) -> None:
        flow = None
        if running is not None:
            points = given(running.pattern.points, self._most_ua(output), running.parts(self.now_us))
            flow = flow_of(points, running.pattern.period_us)
        if running is None or flow is None:
            self.drive(output, None)
        else:
            self.drive(output, flow.train, first_us=running.anchor_us, exact=flow.exact)

    def _light(self) -> None:
        mid = self.mid
        wrong = self.broken or (mid is not None and bool(mid.states))
        runs = self.active or (mid is not None and bool(mid.running) and not self._silent)
        self._show("yellow and red" if runs and wrong else "red" if wrong else "yellow" if runs else "green")

    def _show(self, lamp: str) -> None:
        if lamp != self.lamp:
            self.lamp = lamp
            self.show(f"lamp {lamp}")

    # --- single pulses -----------------------------------------------------------------------------------------

    def _told(self, number: int, word: m.ChannelConfig, result: Result, points: Sequence[m.Point]) -> bytes:
        """The answer to a pulse, with what was measured while it was given."""
        measurement = self.low.measurement if self.low is not None and points else Measurement.NONE
        sampling_us = -(-lasts_us(points) // SAMPLES)
        samples = tuple(self._samples(word, points, measurement, sampling_us)) if measurement else ()
        answer = m.ChannelConfigAck(
            *(result, word.colour, word.socket, measurement, sampling_us if measurement else 0, samples)
        )
        return encode(answer, number, self.model.dialect)

    def _samples(self, word: m.ChannelConfig, points: Sequence[m.Point], kind: int, every_us: int) -> list[int]:
        """In hundredths of mA or V, without a sign."""
        ohm, by_us = self.contact_ohm[word.socket * COLOURS + word.colour], 0
        if kind == Measurement.HIGH_VOLTAGE:
            return [MILLIVOLTS[self.voltage] // 10] * SAMPLES
        samples: list[int] = []
        for point in points:
            by_us += point.duration_us
            more = min(SAMPLES, -(-by_us // max(1, every_us))) - len(samples)
            ua = abs(point.current_ua)
            samples += [(ua if kind == Measurement.CURRENT else ua * ohm // 1_000) // 10] * more
        return samples + [0] * (SAMPLES - len(samples))

    def _next_pulse(self, low: LowLevel) -> None:
        """The oldest pulse that waits is given; its answer follows it."""
        waiting = low.queue.popleft()
        word, output = waiting.word, waiting.word.socket * COLOURS + waiting.word.colour
        points = given(word.points, self._most_ua(output)) if word.execute else []
        state = self._wrong(output, word.points) if word.execute else ChannelState.GOOD
        result = {ChannelState.ELECTRODE: Result.ELECTRODE, ChannelState.CURRENT_LOW: Result.PULSE_CURRENT_LOW}.get(
            state, Result.GOOD
        )
        if word.execute and self.voltage is HighVoltage.OFF:
            points, result = [], Result.HIGH_VOLTAGE
        flow = flow_of(points, SECOND)
        if flow is not None:
            interval_us = low.felt.interval_us(output, self.now_us)
            self.ledger[output].set(flow.train, self.now_us, first_us=self.now_us, exact=flow.exact)
            felt = flow_of(points, interval_us)
            self.feel(output, None if felt is None else felt.train)
        self._light()
        low.giving = (self.now_us + max(1, lasts_us(points)), output, self._told(waiting.number, word, result, points))
