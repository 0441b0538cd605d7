"""From a kind of board to its driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stimctl.boards.openemsstim.calibration import Calibration
from stimctl.boards.sciencemode4.devices import P24, REHAMOVE3, Device
from stimctl.driver.contract import BoardDriver
from stimctl.driver.core import Driver
from stimctl.driver.neurostimduino import NeuroStimDuinoDriver
from stimctl.driver.openemsstim import OpenEmsStimDriver
from stimctl.driver.sciencemode2 import ScienceMode2Driver
from stimctl.driver.sciencemode4 import ScienceMode4Driver
from stimctl.driver.uecu import UecuDriver
from stimctl.errors import OurBug
from stimctl.safety import Latch
from stimctl.transport import Transport

_SCIENCEMODE_4: Final[dict[str, Device]] = {"p24": P24, "rehamove3": REHAMOVE3}


def driver_for(
    scheme: str,
    transport: Transport,
    latch: Latch,
    *,
    tokens: Callable[[], int],
    simulated: bool = False,
    calibration: Calibration | None = None,
) -> BoardDriver:
    """The driver of ``stimctl.boards.KINDS[scheme]``; ``tokens`` gives a new number from 1 to 2^32-1 each time.

    ``simulated``: the caller has made the twin at the other end; some boards have no word for what they are.
    ``calibration``: what was measured behind a board that knows no mA.
    """
    if scheme == "reference":
        return Driver(transport, latch, tokens=tokens)
    if scheme == "rehastim2":
        return ScienceMode2Driver(transport, latch, tokens=tokens, simulated=simulated)
    if scheme == "openemsstim":
        return OpenEmsStimDriver(transport, latch, tokens=tokens, calibration=calibration, simulated=simulated)
    if scheme == "uecu":
        return UecuDriver(transport, latch, tokens=tokens, simulated=simulated)
    if scheme == "neurostimduino":
        return NeuroStimDuinoDriver(transport, latch, tokens=tokens, simulated=simulated)
    device = _SCIENCEMODE_4.get(scheme)
    if device is None:
        raise OurBug(f"no driver for {scheme}")
    return ScienceMode4Driver(transport, latch, device, tokens=tokens)
