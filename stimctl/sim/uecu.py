"""The twin of a UECU board: schedules that run until they are halted, whatever has become of the host.

The board's own program is not published. Where the guides leave something open, the worst that fits them is assumed: a
channel that was never set up has no limit, the limit holds before an unequal shape is scaled up, a halt lets the pulses
of the period that has begun come, and there is no time-out between bytes. A channel has one event at a time, as in the
published host. Periods are kept in mHz by the ledger: to one part in 30,000 where 1 s is no multiple of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Final, final

from stimctl.boards.uecu import layout
from stimctl.boards.uecu.codec import wrap
from stimctl.boards.uecu.device import Receiver
from stimctl.boards.uecu.words import CHANNELS, ONCE
from stimctl.pulse import PulseTrain, pulse_us
from stimctl.sim.chassis import Chassis
from stimctl.sim.felt import Felt
from stimctl.sim.patient import Patient
from stimctl.sim.uart import Uart
from stimctl.sim.uecu_parts import Bounds, Event, Schedule
from stimctl.units import MS, MilliHertz

CHECKSUM_CODE, TYPE_CODE, DATA_CODE, UNKNOWN_ID_CODE, LIMIT_CODE = 1, 2, 3, 4, 5
"""The twin's own: what the board's codes mean is not documented."""

_SCHEDULE_STATE: Final = 0x14
_SINGLE: Final = 0x1C
_SINGLE_ANSWER: Final = 0x49
_SINGLE_DATA: Final = struct.Struct(">BBBBBB")  # kind, priority, channel, width, amplitude, zone
_BAUD, _ROOM = 9_600, 256


@final
class Uecu(Chassis):
    """One board of four channels, switched on at ``now_us``."""

    def __init__(self, *, now_us: int = 0, keep: int | None = None, patient: Patient | None = None) -> None:
        super().__init__(CHANNELS, Uart(_BAUD, _ROOM), now_us=now_us, keep=keep, patient=patient)
        self.bounds = [Bounds() for _ in range(CHANNELS)]
        self.schedules: dict[int, Schedule] = {}
        self.events: dict[int, Event] = {}
        self.receiver = Receiver()
        self._count = 0
        self._last_us: dict[int, int] = {}  # by channel: until when a halted one may still put out
        self._once: list[tuple[int, int]] = []  # when, and which event
        self._felt = Felt()

    @property
    def active(self) -> bool:
        """Whether pulses come, be it one by one."""
        return self.energised or bool(self._felt.rests_us)

    # --- its program -------------------------------------------------------------------------------------------

    def _hear(self, byte: int) -> None:
        raw = self.receiver.feed(byte)
        if self.receiver.spoilt is not None:
            self._fail(CHECKSUM_CODE, self.receiver.spoilt)
        if raw is None:
            return
        handlers: dict[int, Callable[[bytes], None]] = {
            layout.HALT: self._halt,
            layout.NEW_SCHEDULE: self._new_schedule,
            layout.DROP_SCHEDULE: self._drop_schedule,
            layout.CHANGE_SCHEDULE: self._change_schedule,
            _SCHEDULE_STATE: self._set_state,
            layout.NEW_EVENT: self._new_event,
            layout.DROP_EVENT: self._drop_event,
            layout.CHANGE_EVENT: self._change_event,
            layout.GO: self._go,
            _SINGLE: self._single,
            layout.SET_UP: self._set_up,
        }
        if raw.number not in handlers:
            self._fail(TYPE_CODE, raw.number)
            return
        try:
            handlers[raw.number](raw.data)
        except (struct.error, ValueError):
            self._fail(DATA_CODE, raw.number)
        except KeyError:
            self._fail(UNKNOWN_ID_CODE, raw.number)
        self._flow()

    def _halt(self, data: bytes) -> None:
        _one(data)
        for schedule in self.schedules.values():
            self._end(schedule)

    def _end(self, schedule: Schedule) -> None:
        """No new period; what is due in the one that has begun still comes."""
        if schedule.since_us is None:
            return
        for event in self._events_of(schedule):
            due_us = self._due_in_period_us(schedule, event)
            train = self._train(event)
            if due_us >= self.now_us and train is not None:
                self._last_us[event.channel] = due_us + pulse_us(train)
        schedule.since_us = None

    def _due_in_period_us(self, schedule: Schedule, event: Event) -> int:
        since_us, period_us = schedule.since_us or 0, schedule.period_ms * MS
        begun_us = self.now_us if period_us == 0 else since_us + (self.now_us - since_us) // period_us * period_us
        return begun_us + event.delay_ms * MS

    def _new_schedule(self, data: bytes) -> None:
        sync, period_ms = layout.SCHEDULE_DATA.unpack(data)
        number = _free(self.schedules)
        self.schedules[number] = Schedule(sync, period_ms)
        self._answer(layout.SCHEDULE_MADE, bytes((number,)))

    def _change_schedule(self, data: bytes) -> None:
        number, sync, period_ms = layout.CHANGE_SCHEDULE_DATA.unpack(data)
        schedule = self.schedules[number]
        schedule.sync, schedule.period_ms = sync, period_ms
        if schedule.since_us is not None:
            schedule.since_us = None if period_ms == ONCE else self.now_us

    def _drop_schedule(self, data: bytes) -> None:
        del self.schedules[_one(data)]

    def _set_state(self, data: bytes) -> None:
        number, state = data
        schedule = self.schedules[number]
        if state:
            self._start(schedule)
        else:
            self._end(schedule)

    def _new_event(self, data: bytes) -> None:
        schedule, delay_ms, _, kind, port, width_us, ma, _ = layout.EVENT_DATA.unpack(data)
        event = Event(schedule, delay_ms, _channel(port), width_us, ma)
        number = _free(self.events)
        taken = any(each.channel == event.channel for each in self.events.values())
        if taken or kind != layout.STIMULUS or schedule not in self.schedules or not self._allowed(event):
            self._fail_event(number, event)
            return
        self.events[number] = event
        self._answer(layout.EVENT_MADE, bytes((number, schedule, kind, port)))

    def _change_event(self, data: bytes) -> None:
        number, width_us, ma, _ = layout.CHANGE_EVENT_DATA.unpack(data)
        event = replace(self.events[number], width_us=width_us, ma=ma)
        if self._allowed(event):
            self.events[number] = event
        else:
            self._fail_event(number, event)

    def _drop_event(self, data: bytes) -> None:
        del self.events[_one(data)]

    def _go(self, data: bytes) -> None:
        sync = _one(data)
        for schedule in self.schedules.values():
            if schedule.sync == sync:
                self._start(schedule)

    def _start(self, schedule: Schedule) -> None:
        if schedule.period_ms != ONCE:
            schedule.since_us = self.now_us
            return
        due = [(self.now_us + self.events[n].delay_ms * MS, n) for n in self._numbers_of(schedule)]
        self._once = sorted(self._once + due)

    def _single(self, data: bytes) -> None:
        _, _, port, width_us, ma, _ = _SINGLE_DATA.unpack(data)
        event = Event(0, 0, _channel(port), width_us, ma)
        if self._allowed(event):
            self._pulse(event)
            self._answer(_SINGLE_ANSWER, bytes((port,)))
        else:
            self._fail_event(0, event)

    def _set_up(self, data: bytes) -> None:
        port, ma, width_us, gap_us, shape, _ = layout.SET_UP_DATA.unpack(data)
        self.bounds[_channel(port)] = Bounds(ma, width_us, gap_us, shape)

    def _allowed(self, event: Event) -> bool:
        bounds = self.bounds[event.channel]
        return event.ma <= bounds.ma and event.width_us <= bounds.width_us

    def _fail(self, code: int, number: int) -> None:
        self._answer(layout.FAILED, bytes((code, number)))

    def _fail_event(self, number: int, event: Event) -> None:
        self._answer(layout.EVENT_FAILED, bytes((LIMIT_CODE, number, layout.STIMULUS, event.channel)))

    def _answer(self, number: int, data: bytes) -> None:
        self._count += 1
        self.say(wrap(number, data, self._count))

    # --- its hardware ------------------------------------------------------------------------------------------

    def _hardware_due_us(self) -> int | None:
        once_us = (due_us for due_us, _ in self._once[:1])
        return min([*self._last_us.values(), *once_us, *self._felt.rests_us.values()], default=None)

    def _ring(self) -> None:
        self._last_us = {channel: end_us for channel, end_us in self._last_us.items() if end_us > self.now_us}
        while self._once and self._once[0][0] <= self.now_us:
            event = self.events.get(self._once.pop(0)[1])
            if event is not None:
                self._pulse(event)
        self._felt.rested(self.now_us)
        self._flow()

    def _pulse(self, event: Event) -> None:
        """One pulse by itself. On a channel whose train runs it has no place of its own in the ledger."""
        train = self._train(event)
        if train is not None and self.ledger[event.channel].train is None:
            self.ledger[event.channel].pulse(train, self.now_us)
            interval_us = self._felt.interval_us(event.channel, self.now_us)
            self.feel(event.channel, replace(train, rate_mhz=MilliHertz(1_000_000_000 // interval_us)))

    def _flow(self) -> None:
        for channel in range(CHANNELS):
            running = [each for each in self.events.values() if each.channel == channel and self._runs(each)]
            if running:
                schedule = self.schedules[running[0].schedule]
                first_us = (schedule.since_us or 0) + running[0].delay_ms * MS
                self.drive(channel, self._train(running[0]), first_us=first_us)
            elif channel not in self._last_us or not self._still(channel):
                self._last_us.pop(channel, None)
                if self.ledger[channel].train is not None or channel not in self._felt.rests_us:
                    self.drive(channel, None)

    def _runs(self, event: Event) -> bool:
        schedule = self.schedules.get(event.schedule)
        return schedule is not None and schedule.since_us is not None

    def _still(self, channel: int) -> bool:
        """Whether a halted channel's event would still put something out."""
        return any(each.channel == channel and self._train(each) for each in self.events.values())

    def _train(self, event: Event) -> PulseTrain | None:
        schedule = self.schedules.get(event.schedule)
        return self.bounds[event.channel].train(event.ma, event.width_us, schedule.period_ms if schedule else ONCE)

    def _numbers_of(self, schedule: Schedule) -> list[int]:
        return [n for n, each in self.events.items() if self.schedules.get(each.schedule) is schedule]

    def _events_of(self, schedule: Schedule) -> list[Event]:
        return [self.events[n] for n in self._numbers_of(schedule)]


def _one(data: bytes) -> int:
    """The only byte of ``data``."""
    (byte,) = data
    return byte


def _channel(port: int) -> int:
    """The channel in the low nibble; raises ``ValueError`` for one that is not there."""
    if port & 0x0F >= CHANNELS:
        raise ValueError(port)
    return port & 0x0F


def _free(taken: dict[int, Schedule] | dict[int, Event]) -> int:
    """The lowest number from 1 that is free; raises ``ValueError`` when none is."""
    return next(iter(sorted(set(range(1, 256)) - set(taken)))) if len(taken) < 255 else _one(b"")
