"""What a host knows of a connected board, and whether its limits can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import final
from zlib import crc32

from stimctl.boards.reference import layout
from stimctl.boards.reference.codes import Capability
from stimctl.boards.reference.messages import Identity, LimitsTable
from stimctl.errors import LimitsDisagree
from stimctl.limits import ABSOLUTE, Limits, is_within


@final
@dataclass(frozen=True, slots=True)
class BoardFacts:
    """A board as it has introduced itself. Steps: amplitude in µA, width in µs, rate in mHz.

    ``limits`` is for the limiter: the board's own table, and the absolute limits for what a board cannot know
    (pads, sites, what a channel is for). ``analog_rate_hz`` is 0 without an analog input.
    """

    name: str
    serial: str
    firmware: str
    outputs: int
    amplitude_step_ua: int
    width_step_us: int
    rate_step_mhz: int
    senses_impedance: bool
    senses_current: bool
    analog_rate_hz: int
    limits: Limits
    limits_crc: int


def table_crc(table: LimitsTable) -> int:
    """CRC-32 over the table's payload, which ARM quotes."""
    return crc32(layout.pack(table))


def limits_of(table: LimitsTable) -> Limits:
    """The board's limits for the limiter; raises :class:`LimitsDisagree` if any is wider than the absolute ones."""
    own = {field.name: getattr(table, field.name) for field in fields(LimitsTable)}
    limits = replace(ABSOLUTE, **own)
    if not is_within(limits, ABSOLUTE):
        wide = [name for name in own if not is_within(replace(ABSOLUTE, **{name: own[name]}), ABSOLUTE)]
        listed = ", ".join(f"{name} {own[name]} (at most: {getattr(ABSOLUTE, name)})" for name in wide)
        raise LimitsDisagree(f"the board's limits are wider than stimctl's: {listed}; it needs the right firmware")
    return limits


def introduce(identity: Identity, table: LimitsTable) -> BoardFacts:
    """The facts from a board's two answers to HELLO; raises :class:`LimitsDisagree`."""
    return BoardFacts(
        name=identity.name,
        serial=identity.serial,
        firmware=identity.firmware,
        outputs=identity.outputs,
        amplitude_step_ua=identity.amplitude_step_ua,
        width_step_us=identity.width_step_us,
        rate_step_mhz=identity.rate_step_mhz,
        senses_impedance=Capability.IMPEDANCE in identity.capabilities,
        senses_current=Capability.CURRENT in identity.capabilities,
        analog_rate_hz=identity.analog_rate_hz if Capability.ANALOG_IN in identity.capabilities else 0,
        limits=limits_of(table),
        limits_crc=table_crc(table),
    )
