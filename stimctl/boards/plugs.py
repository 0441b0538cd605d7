"""Which kinds of board may stand behind a USB port, by what its plug says of itself. A hint for a person, never a proof.

The numbers are those of the serial adapter, and most adapters are in everything: so nobody is asked because of them.
Sources: HASOMED devices: the vendor's Python package looks for 0483:5740, an STM32's virtual port; RehaStim 2 and RehaMove3
have an FTDI chip. UECU: FTDI cable. openEMSstim: an Arduino Nano, with an FTDI chip or, as a copy, a CH340. NeuroStimDuino:
an Arduino Due or Mega.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stimctl.boards import KINDS

_FTDI: Final = ("rehastim2", "rehamove3", "uecu", "openemsstim")

_MAY_BE: Final[Mapping[tuple[int, int], tuple[str, ...]]] = {
    (0x0483, 0x5740): ("p24",),
    (0x0403, 0x6001): _FTDI,
    (0x0403, 0x6014): _FTDI,
    (0x0403, 0x6015): _FTDI,
    (0x1A86, 0x7523): ("openemsstim",),
}

_ARDUINO: Final = (0x2341, 0x2A03)
"""Vendor numbers of Arduino and of the boards of arduino.org."""


def may_be(usb: tuple[int, int]) -> tuple[str, ...]:
    """The schemes of the kinds whose plug has these numbers, vendor and product, as far as stimctl drives them."""
    vendor, _ = usb
    kinds = ("neurostimduino", "openemsstim") if vendor in _ARDUINO else _MAY_BE.get(usb, ())
    return tuple(kind for kind in kinds if kind in KINDS)
