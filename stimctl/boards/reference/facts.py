"""From a reference board's introduction to the facts about it, and whether its limits can be trusted."""

from __future__ import annotations

from dataclasses import fields, replace
from zlib import crc32

from stimctl.boards.facts import BoardFacts
from stimctl.boards.reference import layout
from stimctl.boards.reference.codes import Capability
from stimctl.boards.reference.messages import Identity, LimitsTable
from stimctl.errors import LimitsDisagree
from stimctl.limits import ABSOLUTE, Limits, is_within


def table_crc(table: LimitsTable) -> int:
    """CRC-32 over the table's payload, which ARM quotes."""
    return crc32(layout.pack(table))


def limits_of(table: LimitsTable) -> Limits:
    """The board's limits for the limiter; raises :class:`LimitsDisagree` if any is wider than the absolute ones."""
    own = {field.name: getattr(table, field.name) for field in fields(LimitsTable)}
    wide = [name for name, value in own.items() if not is_within(replace(ABSOLUTE, **{name: value}), ABSOLUTE)]
    if wide:
        listed = ", ".join(f"{name} {own[name]} (stimctl: {getattr(ABSOLUTE, name)})" for name in wide)
        raise LimitsDisagree(f"the board allows more than stimctl does: {listed}; it needs the right firmware")
    return replace(ABSOLUTE, **own)


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
        simulated=Capability.SIMULATED in identity.capabilities,
    )
