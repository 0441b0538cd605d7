"""The board twin: the reference board of ``hw/wire.md``, byte for byte, without a port and without a clock.

Bytes go in with the time of their arrival, bytes come out, and in between everything happens at its own instant: a
dead-man that ran out during a long jump trips when it ran out, before any byte that arrived later is looked at.
What flowed stands in :attr:`Twin.ledger`, and no frame has any say over that.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import STOP_FRAME, encode
from stimctl.boards.reference.codes import Cause
from stimctl.pulse import PulseTrain
from stimctl.sim.analog import CHUNK_MS_MAX, AnalogIn
from stimctl.sim.electrodes import DRIFT_STEP_US, Stage
from stimctl.sim.faults import Fault, FaultKind, FaultPlan, Line
from stimctl.sim.firmware import Firmware
from stimctl.sim.ledger import Ledger
from stimctl.sim.patient import Patient

_UNREAD_MAX: Final = 1 << 16  # bytes kept for a host that does not read
_DISARMS_MAX: Final = 100

_SAID: Final = {
    Cause.RESET: "reset",
    Cause.DEAD_MAN: "dead-man tripped",
    Cause.CONTACT_LOST: "contact lost",
    Cause.LIMIT_REFUSED: "limit refused",
    Cause.STOP_BUTTON: "stop button",
    Cause.OUTPUT_FAULT: "output fault",
    Cause.STOP_COMMAND: "stopped",
}


class Twin:
    """One board with one patient on its pads. Times are µs of one monotonic clock; one that steps back stands still.

    ``now_us`` is when it boots. ``chunk_ms`` (1 to 20) is the length of a chunk of samples; ``keep`` bounds how many
    stretches each ledger remembers, for a twin that runs for days. ``serial`` and ``boots`` (how often it was switched
    on, of which its challenges are made) come of the seed unless given. Not thread-safe.
    """

    def __init__(
        self,
        patient: Patient,
        *,
        seed: int = 0,
        faults: tuple[Fault, ...] = (),
        now_us: int = 0,
        chunk_ms: int = CHUNK_MS_MAX,
        keep: int | None = None,
        serial: str = "",
        boots: int = 0,
    ) -> None:
        self.patient = patient
        self.plan = FaultPlan(faults, now_us)
        self.now_us = now_us
        self.disarms: list[tuple[int, Cause]] = []
        """When and why sessions ended, oldest first; the newest 100."""
        self._rng = random.Random(f"board {seed}")  # noqa: S311 - a simulation, not a secret
        self._serial = serial or f"T{seed % 100_000:05d}"
        drawn = self._rng.randrange(1, 0x8000)  # always, so that the gains below are those of the seed
        self._boots = boots or drawn
        self.stages = tuple(
            Stage(n, self.plan, gain_permille=1_000 + self._rng.randint(-15, 15), keep=keep)
            for n in range(len(patient.sites))
        )
        self.analog = AnalogIn(patient, self.stages, self.plan, min(CHUNK_MS_MAX, max(1, chunk_ms)))
        self._in, self._out = Line(f"to board {seed}", self.plan), Line(f"from board {seed}", self.plan)
        self._ready = b""
        self._sequence = 0
        self._refreshed_us = now_us
        self._due_us: int | None = None
        self._told: tuple[bool, tuple[int, Cause] | None] = (False, None)
        self._firmware = self._boot()
        self._touch()

    # --- for whoever holds it ----------------------------------------------------------------------------------

    def feed(self, data: bytes, now_us: int) -> None:
        """Bytes arrive at ``now_us``. Whatever was due before comes first: a dead-man beats the bytes behind it."""
        self.advance(now_us)
        self._in.put(data, self.now_us)
        self._hear()
        self._touch()

    def advance(self, now_us: int) -> None:
        """Live on to ``now_us``, every event at its own time."""
        while self._due_us is not None and self._due_us <= now_us:
            self.now_us = max(self.now_us, self._due_us)
            self._live()
            self._touch()
        self.now_us = max(self.now_us, now_us)

    def outgoing(self) -> bytes:
        """Everything that the board has sent and that has come through the line by now; then forgotten."""
        self._fetch()
        data, self._ready = self._ready, b""
        return data

    def next_event_us(self, now_us: int) -> int | None:
        """When something happens next if no byte comes, ``now_us`` at the earliest; ``None`` for never."""
        return None if self._due_us is None else max(now_us, self._due_us)

    @property
    def ledger(self) -> tuple[Ledger, ...]:
        """What really flowed, by output."""
        return tuple(stage.ledger for stage in self.stages)

    def current_ua(self, output: int) -> int:
        """First-phase peak in µA that flows at ``output`` now."""
        return self.stages[output].ledger.current_ua()

    @property
    def energised(self) -> bool:
        """Whether current flows anywhere."""
        return any(stage.ledger.train is not None for stage in self.stages)

    active = energised  # its pulses come in trains alone

    @property
    def armed(self) -> bool:
        """Whether a session is open."""
        return self._firmware.armed

    @property
    def cause(self) -> Cause:
        """Why the board disarmed last; ``NONE`` since it was armed."""
        return self._firmware.cause

    def plugged(self, now_us: int) -> None:
        """A client has opened the port: this board does not notice."""

    def switch_off(self, now_us: int) -> None:
        """The twin ends: zero, as by a stop."""
        self.feed(STOP_FRAME, now_us)

    def news(self) -> list[str]:
        """Whether it has armed or disarmed since this was asked last, and why."""
        armed, last = self.armed, self.disarms[-1] if self.disarms else None
        was_armed, told = self._told
        self._told = armed, last
        lines = [f"disarmed: {_SAID.get(last[1], 'unknown cause')}"] if last is not None and last != told else []
        return [*lines, "armed"] if armed and not was_armed else lines

    def inject(self, fault: Fault) -> None:
        """Let something go wrong; a fault whose time has come acts at once."""
        self._change(lambda: self.plan.add(fault, self.now_us))

    def heal(self, kind: FaultKind) -> None:
        """Take every fault of this kind away."""
        self._change(lambda: self.plan.heal(kind, self.now_us))

    def set_contact(self, output: int, ohm: int) -> None:
        """Other pads, or other skin: a new contact impedance in ohm."""
        self.stages[output].contact_ohm = ohm
        self._refresh()
        self._touch()

    # --- for the firmware --------------------------------------------------------------------------------------

    def drive(self, output: int, train: PulseTrain | None) -> None:
        """Put out a train, or nothing; what the pads let through reaches the patient."""
        stage = self.stages[output]
        if stage.drive(train, self.now_us):
            self.patient.set_output(output, stage.ledger.train, self.now_us)

    def send(self, word: m.Word, token: int) -> None:
        """Put a word on the line, unless the program hangs."""
        if not self._hung():
            self._sequence = (self._sequence + 1) % 65_536
            self._out.put(encode(word, sequence=self._sequence, token=token), self.now_us)

    def noise(self) -> float:
        """The relative error of one reading."""
        return self._rng.uniform(-0.003, 0.003)

    def disarmed(self, cause: Cause) -> None:
        """Take note that a session ended."""
        self.disarms = [*self.disarms[1 - _DISARMS_MAX :], (self.now_us, cause)]

    # --- time --------------------------------------------------------------------------------------------------

    def _touch(self) -> None:
        """Something may have changed: look again for the next event."""
        said_us = self._out.next_us
        # Bytes that wait to be fetched are no reason to wake up; bytes that are still in the line are.
        line_us = said_us if said_us is not None and said_us > self.now_us else None
        times = [self.plan.edge_us, self._in.next_us, self.analog.due_us, line_us]
        if self._dead_man_works():
            times.append(self._firmware.deadline_us)
        if not self._frozen():
            times += [stage.due_us() for stage in self.stages]
        if self.plan.has(FaultKind.IMPEDANCE_DRIFT):
            times.append(self._refreshed_us + DRIFT_STEP_US)
        self._due_us = min([time for time in times if time is not None], default=None)

    def _live(self) -> None:
        """Everything that is due at this very instant; what protects comes first."""
        now = self.now_us
        deadline = self._firmware.deadline_us
        if deadline is not None and deadline <= now and self._dead_man_works():
            self._firmware.disarm(Cause.DEAD_MAN)
        if self.analog.due_us is not None and self.analog.due_us <= now:
            # Before faults come or go: the chunk is about the time until now.
            self._firmware.sample()
        if self.plan.edge_us is not None and self.plan.edge_us <= now:
            self._change(lambda: self.plan.move(now))
        if now >= self._refreshed_us + DRIFT_STEP_US:
            self._refresh()
        self._check_outputs()
        self._fetch()
        self._hear()

    def _fetch(self) -> None:
        data = self._out.take(self.now_us)
        if data:
            self._ready = (self._ready + data)[-_UNREAD_MAX:]

    def _hear(self) -> None:
        """Whatever has come through the line reaches the program, if there is one that runs."""
        data = self._in.take(self.now_us)
        if data and not self._hung():
            self._firmware.hear(data)

    def _hung(self) -> bool:
        return not self.plan.quiet and (self.plan.has(FaultKind.HANG) or self._frozen())

    def _frozen(self) -> bool:
        """Whether nothing but a reset can change the output any more."""
        return self.plan.has(FaultKind.HANG_ENERGISED)

    def _dead_man_works(self) -> bool:
        return not self._frozen() and not self.plan.has(FaultKind.DEAD_MAN_FAILS)

    # --- faults ------------------------------------------------------------------------------------------------

    def _change(self, act: Callable[[], None]) -> None:
        """Faults come or go by ``act``; those that have just come begin."""
        before = {kind for kind in FaultKind if self.plan.has(kind)}
        act()
        for kind in FaultKind:
            if self.plan.has(kind) and kind not in before:
                self._begin(kind)
        self._refresh()
        self._touch()

    def _begin(self, kind: FaultKind) -> None:
        """What a fault does in the moment in which it begins."""
        if kind is FaultKind.RESET:
            if self.armed:
                self.disarmed(Cause.RESET)
            self._firmware = self._boot()
        elif kind is FaultKind.LINE_CUT:
            self._in.clear()
            self._out.clear()
        elif kind is FaultKind.STOP_BUTTON and not self._frozen():
            self._firmware.disarm(Cause.STOP_BUTTON)  # wired to the stage: it works while the program hangs
        elif kind in (FaultKind.HOT, FaultKind.HARDWARE) and not self._frozen():
            self._firmware.disarm(Cause.OUTPUT_FAULT)

    def _boot(self) -> Firmware:
        """Power-up or reset: everything from the beginning, and every output at zero."""
        self._boots += 1
        self.analog.stop()
        self._in.clear()
        return Firmware(self, boots=self._boots, serial=self._serial)

    def _check_outputs(self) -> None:
        """The board's own watch over contacts and currents."""
        for stage in self.stages:
            if stage.due_us() is None or self._frozen():
                continue
            cause = stage.notice(self.now_us)
            if cause is not None:
                self._firmware.disarm(cause, stage.output)

    def _refresh(self) -> None:
        """Contacts or faults have changed: what flows may have, too."""
        self._refreshed_us = self.now_us
        for stage in self.stages:
            if stage.refresh(self.now_us):
                self.patient.set_output(stage.output, stage.ledger.train, self.now_us)
