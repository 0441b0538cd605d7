"""What one command costs in the limiter, all rules, beside two floors of the same run.

Goal: at most 5 µs for each channel of a command. The floors say how fast this machine and this Python are right now: a
method call that does nothing, and the bare comparisons that any limiter would have to make.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter_ns
from typing import Final

from benchmarks.timing import quantile, table
from stimctl.limits import ABSOLUTE, BodyPart, Effect, Sensation
from stimctl.pulse import Command, Output, PulseTrain, symmetric
from stimctl.safety import Burst, Latch, Limiter, Pad, Placement
from stimctl.units import MS, SECOND, UM2_PER_CM2, MicroAmp

GOAL_NS: Final = 5_000
ROUNDS: Final = 20_000
TICK_US: Final = 20 * MS
TRAIN: Final = symmetric(20_000, 300, 35_000)


class Nothing:
    """A limiter that judges nothing: the price of a call."""

    def approve(self, _command: Command, _now_us: int) -> None:
        """Do nothing."""

    def compare(self, command: Command, _now_us: int) -> bool:
        """Compare every field of every train with two numbers, and no more."""
        for output in command.outputs:
            t = output.train
            if not (
                0 <= t.amplitude_ua <= 60_000
                and 50 <= t.phase_width_us <= 500
                and 0 <= t.interphase_gap_us <= 250
                and 0 <= t.recovery_amplitude_ua <= 60_000
                and 0 <= t.recovery_width_us <= 5_000
                and 10_000 <= t.rate_mhz <= 50_000
                and 1 <= t.pulses_per_period <= 2
            ):
                return False
        return True


def placement(channel: int) -> Placement:
    """A forearm channel of its own site; all channels share one pad."""
    pads = (Pad("shared", 25 * UM2_PER_CM2), Pad(f"pad {channel}", 25 * UM2_PER_CM2))
    burst = Burst(SECOND, 5 * SECOND, SECOND, 10 * SECOND)
    return Placement(
        channel, BodyPart.FOREARM, Effect.MOTOR, Sensation.NORMAL, pads, f"site {channel}", ABSOLUTE, burst
    )


def command(channels: int, ua: int) -> Command:
    """The same amplitude on every channel."""
    return Command(tuple(Output(channel, at(ua)) for channel in range(channels)))


def at(ua: int) -> PulseTrain:
    """The benchmark's train at another amplitude."""
    return replace(TRAIN, amplitude_ua=MicroAmp(ua), recovery_amplitude_ua=MicroAmp(ua))


class Session:
    """A limiter in treatment with its levels up, and its clock."""

    def __init__(self, channels: int) -> None:
        self.channels, self.now_us = channels, 0
        placements = tuple(placement(channel) for channel in range(channels))
        self.limiter = Limiter(placements, ABSOLUTE, Latch(), senses_impedance=True, now_us=0)
        for channel in range(channels):
            self.limiter.open_titration(channel, self.now_us)
            self._press(channel)
            for tick in range(1, 51):
                self.now_us += TICK_US
                self.limiter.approve(self._alone(channel, TRAIN.amplitude_ua * tick // 50), self.now_us)
            self.limiter.set_ceiling(channel, TRAIN, self.now_us)
            self.limiter.approve(command(channels, 0), self.now_us)
        self.limiter.open_treatment(self.now_us)
        for channel in range(channels):
            self._press(channel)

    def _press(self, channel: int) -> None:
        for ua in range(1_000, TRAIN.amplitude_ua + 1, 1_000):
            self.now_us += 500 * MS
            self.limiter.raise_level(channel, at(ua), self.now_us)

    def _alone(self, channel: int, ua: int) -> Command:
        outputs = (Output(each, at(ua if each == channel else 0)) for each in range(self.channels))
        return Command(tuple(outputs))

    def burst(self) -> list[tuple[Command, int]]:
        """One burst as an engine would send it, control period by control period: ramp, plateau, ramp, rest."""
        ramp = [20_000 * tick // 50 for tick in range(1, 51)]
        amplitudes = [*ramp, *[20_000] * 250, *reversed(ramp), *[0] * 500]
        commands = []
        for ua in amplitudes:
            self.now_us += TICK_US
            commands.append((command(self.channels, ua), self.now_us))
        return commands


def measure(call: Callable[[Command, int], object], commands: list[tuple[Command, int]]) -> list[int]:
    """Nanoseconds of each call."""
    took = []
    for each, now_us in commands:
        begun = perf_counter_ns()
        call(each, now_us)
        took.append(perf_counter_ns() - begun)
    return took


def row(name: str, took: list[int], per: int) -> tuple[str, str, str]:
    """Median and 99th percentile in ns, per channel."""
    return name, f"{quantile(took, 0.5) / per:.0f}", f"{quantile(took, 0.99) / per:.0f}"


def rows(channels: int) -> list[tuple[str, str, str]]:
    """The floors and the limiter on the same commands."""
    session, nothing = Session(channels), Nothing()
    commands: list[tuple[Command, int]] = []
    while len(commands) < ROUNDS:
        commands += session.burst()
    on = [each for each in commands if each[0].amplitude_ua(0)]
    took = list(zip(measure(session.limiter.approve, commands), commands, strict=True))
    return [
        row(f"{channels} ch: a call that does nothing", measure(nothing.approve, on), channels),
        row(f"{channels} ch: every field compared", measure(nothing.compare, on), channels),
        row(f"{channels} ch: approve(), output on", [ns for ns, each in took if each[0].amplitude_ua(0)], channels),
        row(f"{channels} ch: approve(), at zero", [ns for ns, each in took if not each[0].amplitude_ua(0)], channels),
    ]


def main() -> None:
    """Print the table."""
    gc.collect()
    gc.freeze()  # as in the control process
    table(("ns a channel of a command", "median", "p99"), [*rows(1), *rows(2)])
    gc.unfreeze()
    print(f"goal: {GOAL_NS} ns with output on")


if __name__ == "__main__":
    main()
