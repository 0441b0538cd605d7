"""What a NeuroStimDuino can be told of a train, exactly; and who it is to a session, which the board itself does not tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from stimctl.boards.facts import BoardFacts
from stimctl.boards.neurostimduino import conversion
from stimctl.boards.neurostimduino.words import AMPLITUDE_STEP_UA, CHANNELS, RANGES, STEPS_MAX, Register
from stimctl.errors import OurBug, UsageError
from stimctl.limits import ABSOLUTE
from stimctl.pulse import PulseTrain
from stimctl.units import MS, SECOND

TRAIN_S: Final = 1
"""How long a train lasts that nobody prolongs, in s: the least that this board can be told."""

DELAY_MAX_MS: Final = RANGES[Register.DELAY_MS][1]

RATE_MIN_HZ: Final = 7
"""A train that is prolonged begins anew, after a delay of one period, so that no pulse comes too soon: it has to fit."""

_CLOCK_NS: Final = 6_400
_DEAD_MAN_MS: Final = TRAIN_S * SECOND // MS + DELAY_MAX_MS

_CAUTIONS: Final = (
    (
        "the NeuroStimDuino has no dead-man: it is driven in trains of 1 s that this program prolongs; if this computer"
        f" dies, stimulation goes on for up to {_DEAD_MAN_MS / 1_000:.1f} s"
    ),
    (
        "the NeuroStimDuino has no stop button: versions 1 and 2 have a slide switch for the high voltage, version 3 has"
        " none; know where the electrode leads come off"
    ),
    (
        "the NeuroStimDuino measures no current while it stimulates, and where its voltage (60 V, version 3: 35 V) does"
        " not carry a current it gives less and does not say so: look for dry and small pads"
    ),
    "its maker: research alone, from a battery, and no electrodes across the chest",
)


def registers(train: PulseTrain) -> dict[Register, int]:
    """What each register has to say; raises :class:`UsageError` for a train that the board cannot give exactly."""
    if train.pulses_per_period != 1:
        raise UsageError("NeuroStimDuino gives one pulse in each period: no doublets and no bursts")
    if (train.recovery_amplitude_ua, train.recovery_width_us) != (train.amplitude_ua, train.phase_width_us):
        raise UsageError("NeuroStimDuino is driven with equal phases alone")
    rate_hz = conversion.rate_hz(train.rate_mhz)
    if rate_hz < RATE_MIN_HZ:
        raise UsageError(
            f"{rate_hz} Hz: below {RATE_MIN_HZ} Hz its trains cannot be prolonged without a pulse too soon, and it has no"
            " dead-man, so that it is driven in short trains alone"
        )
    told = {
        Register.AMPLITUDE_UA: conversion.amplitude_ua(train.amplitude_ua),
        Register.WIDTH_US: conversion.width_us(train.phase_width_us),
        Register.GAP_US: conversion.gap_us(train.interphase_gap_us),
        Register.RATE_HZ: rate_hz,
        Register.DELAY_MS: -(-1_000 // rate_hz),
    }
    exact = (train.amplitude_ua, train.phase_width_us, train.rate_mhz)
    if exact != (told[Register.AMPLITUDE_UA], told[Register.WIDTH_US], rate_hz * 1_000):
        raise UsageError(f"NeuroStimDuino has no step of its own for {train}")
    return told


def told(train: PulseTrain) -> dict[Register, int]:
    """The same of a train that was approved in this board's own steps; raises :class:`OurBug`."""
    try:
        return registers(train)
    except UsageError as error:
        raise OurBug(f"{error}: it should have been refused before the start") from None


def misfit(trains: Iterable[tuple[int, PulseTrain]]) -> str:
    """Why the board cannot give these trains, in plain words; "" where it can."""
    for output, train in trains:
        try:
            registers(train)
        except UsageError as error:
            return f"output {output + 1}: {error}"
    return ""


def introduce(*, simulated: bool) -> BoardFacts:
    """The facts about any of them: its sketch tells neither a version nor a number."""
    return BoardFacts(
        name="NeuroStimDuino",
        serial="",
        firmware="",
        outputs=CHANNELS,
        amplitude_step_ua=AMPLITUDE_STEP_UA,
        width_step_us=1,
        rate_step_mhz=1_000,
        senses_impedance=False,
        senses_current=False,
        analog_rate_hz=0,
        limits=replace(
            ABSOLUTE,
            peak_ua=min(ABSOLUTE.peak_ua, STEPS_MAX * AMPLITUDE_STEP_UA),
            interphase_gap_max_us=min(ABSOLUTE.interphase_gap_max_us, RANGES[Register.GAP_US][1]),
            rate_min_mhz=max(ABSOLUTE.rate_min_mhz, RATE_MIN_HZ * 1_000),
            rate_max_mhz=min(ABSOLUTE.rate_max_mhz, RANGES[Register.RATE_HZ][1] * 1_000),
            pulses_per_period_max=1,
        ),
        limits_crc=0,
        simulated=simulated,
        dead_man_ms=_DEAD_MAN_MS,
        stop_switch=False,
        way_out="switch off the NeuroStimDuino's high voltage, or pull its electrode leads",
        cautions=_CAUTIONS,
        width_clock_ns=_CLOCK_NS,
    )
