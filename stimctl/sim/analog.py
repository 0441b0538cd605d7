"""The board's analog input: the patient's EMG in chunks of counts, with the pulses that stand in it."""

from __future__ import annotations

from typing import Final, final

import numpy as np

from stimctl.boards.reference.messages import Samples
from stimctl.sim.electrodes import Stage
from stimctl.sim.emg import RESPONSE_US, Pulse
from stimctl.sim.faults import FaultKind, FaultPlan
from stimctl.sim.patient import Patient
from stimctl.sim.volition import Floats
from stimctl.units import SECOND

SCALE_NV: Final = 100
"""One count: 0.1 µV, so that the rails stand at ±3.3 mV."""

CHUNK_MS_MAX: Final = 20

_RAIL: Final = 32_767
_HUM_UV: Final = 500
_DRIFT_UV, _DRIFT_HZ = 1_500, 0.4  # sweat, or a pad that hangs by its edge


@final
class AnalogIn:
    """Sampling on the patient's own grid of absolute sample indices; the wire counts from the LISTEN on."""

    def __init__(self, patient: Patient, stages: tuple[Stage, ...], plan: FaultPlan, chunk_ms: int) -> None:
        self.rate_hz = patient.emg_rate_hz
        self._patient, self._stages, self._plan = patient, stages, plan
        self._count = max(1, chunk_ms * self.rate_hz // 1_000)
        self._origin = 0
        self._next: int | None = None

    @property
    def listening(self) -> bool:
        """Whether samples are being sent."""
        return self._next is not None

    @property
    def due_us(self) -> int | None:
        """When the next chunk is complete."""
        return None if self._next is None else self._time_us(self._next + self._count)

    def start(self, now_us: int) -> None:
        """Sample from the next point of the grid on; a second start changes nothing."""
        if self._next is None:
            self._next = self._origin = -(-now_us * self.rate_hz // SECOND)

    def stop(self) -> None:
        """No more samples."""
        self._next = None

    def chunk(self, boot_us: int) -> Samples | None:
        """The chunk that is complete now; ``None`` when a fault keeps it from being sent."""
        assert self._next is not None
        first, self._next = self._next, self._next + self._count
        start_us, end_us = self._time_us(first), self._time_us(first + self._count)
        pulses = self._pulses(start_us - RESPONSE_US, end_us)
        signal = self._spoilt(self._patient.emg(first, self._count, pulses), first)
        if self._plan.has(FaultKind.EMG_STALE):
            return None
        # minimum and maximum, because np.clip costs ten times as much on twenty samples
        counts = np.minimum(np.maximum(np.rint(signal * (1_000 / SCALE_NV)), -_RAIL - 1), _RAIL).astype(np.int16)
        marks = (
            sorted({p.t_us * self.rate_hz // SECOND - first for p in pulses if p.t_us >= start_us}) if pulses else ()
        )
        return Samples(
            first_index=(first - self._origin) % (1 << 32),
            rate_hz=self.rate_hz,
            scale_nv=SCALE_NV,
            board_time_us=start_us - boot_us,
            values=tuple(counts.tolist()),
            pulses=tuple(marks),
        )

    def _pulses(self, first_us: int, end_us: int) -> list[Pulse]:
        found = [
            self._patient.pulse(at_us, stage.output, train)
            for stage in self._stages
            if stage.ledger.active_after(first_us)
            for at_us, train in stage.ledger.pulses_between(first_us, end_us)
        ]
        return sorted(found)

    def _spoilt(self, signal: Floats, first: int) -> Floats:
        """The signal as a bad electrode or input would give it."""
        if self._plan.quiet:
            return signal
        if self._plan.has(FaultKind.EMG_FLAT):
            return np.zeros_like(signal)
        if self._plan.has(FaultKind.EMG_RAILED):
            return np.full_like(signal, 1e6)
        if self._plan.has(FaultKind.EMG_SHORTED):
            signal = 0.05 * self._patient.electrode.rest(first, self._count)
        off = self._plan.get(FaultKind.EMG_LEAD_OFF)
        if off is not None:
            signal = self._wave(first, _DRIFT_HZ, _DRIFT_UV) + self._wave(first, 50.0, off.value or _HUM_UV)
        for fault, hz, uv in (
            (self._plan.get(FaultKind.EMG_HUM), 50.0, _HUM_UV),
            (self._plan.get(FaultKind.EMG_DRIFT), _DRIFT_HZ, _DRIFT_UV),
        ):
            if fault is not None:
                signal = signal + self._wave(first, hz, fault.value or uv)
        return signal

    def _wave(self, first: int, hz: float, uv: int) -> Floats:
        turn = 2 * np.pi * hz / self.rate_hz
        wave: Floats = uv * np.sin(turn * np.arange(first, first + self._count, dtype=np.float64))
        return wave

    def _time_us(self, index: int) -> int:
        return index * SECOND // self.rate_hz
