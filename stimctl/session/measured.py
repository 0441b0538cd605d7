"""What the board measures: current and impedance now, and the charge that these reports add up to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from stimctl.driver import Reported, is_given
from stimctl.pulse import PulseTrain
from stimctl.schedule import ChannelPlan, Schedule


@final
class Measured:
    """The newest report of each output, and the measured charge per phase since the beginning."""

    def __init__(self, schedule: Schedule, *, senses_current: bool) -> None:
        self._shapes = {plan.channel: plan.shape for plan in schedule.channels}
        self._senses_current = senses_current
        self._given_ua: dict[int, int] = {}
        self._current_ua: dict[int, int | None] = {}
        self._impedance_ohm: dict[int, int | None] = {}
        self._charge_e9pc: int | None = None
        self._reported_us: int | None = None

    def take(self, report: Reported, now_us: int, shapes: Mapping[int, PulseTrain]) -> None:
        """Add a report: until it came, the current before it is taken to have flowed, in the pulses of that time.

        ``shapes``: the pulses that each output has now; a sweep's strongest would tell of a charge that never was.
        """
        if self._reported_us is not None:
            self._add_charge(now_us - self._reported_us)
        self._reported_us = now_us
        self._shapes.update(shapes)
        for channel in self._shapes:
            if channel < len(report.outputs):
                told = report.outputs[channel]
                if is_given(told, told.applied_ua, senses_current=self._senses_current):
                    self._given_ua[channel] = max(told.applied_ua, self._given_ua.get(channel, 0))
                self._current_ua[channel] = told.measured_ua
                self._impedance_ohm[channel] = told.impedance_ohm

    def given_ua(self, plan: ChannelPlan) -> int:
        """The highest amplitude, µA, that a report has shown to flow since :meth:`forget`."""
        return self._given_ua.get(plan.channel, 0)

    def forget(self, plan: ChannelPlan) -> None:
        """The channel begins again from zero."""
        self._given_ua.pop(plan.channel, None)

    def forget_all(self) -> None:
        """Every channel begins again from zero, as after each arming."""
        self._given_ua.clear()

    def _add_charge(self, elapsed_us: int) -> None:
        for channel, shape in self._shapes.items():
            current_ua = self._current_ua.get(channel)
            if current_ua is not None:
                flowed = current_ua * shape.phase_width_us * shape.rate_mhz * shape.pulses_per_period * elapsed_us
                self._charge_e9pc = (self._charge_e9pc or 0) + flowed

    def current_ua(self, plan: ChannelPlan) -> int | None:
        """Newest measured current, µA."""
        return self._current_ua.get(plan.channel)

    def impedance_ohm(self, plan: ChannelPlan) -> int | None:
        """Newest contact impedance, ohm."""
        return self._impedance_ohm.get(plan.channel)

    @property
    def charge_uc(self) -> int | None:
        """Measured charge per phase, µC, summed over outputs; ``None`` if the board does not measure."""
        return None if self._charge_e9pc is None else self._charge_e9pc // 10**15
