"""The calibration of a board that knows percent and no mA: from the file that a URL names, or from its twin itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stimctl.boards import split_calibration
from stimctl.boards.openemsstim.calibration import Calibration, Unit
from stimctl.boards.openemsstim.calibration_file import calibration_of
from stimctl.boards.openemsstim.fit import usable
from stimctl.errors import UsageError
from stimctl.protocols.calibration import load_calibration
from stimctl.protocols.days import number_of
from stimctl.pulse import PulseTrain, symmetric

if TYPE_CHECKING:
    from stimctl.sim.openemsstim import OpenEmsStim
    from stimctl.sim.patient import Patient


def from_file(path: str) -> Calibration | None:
    """What the file at ``path`` states; ``None`` for no file. Raises :class:`ProtocolError`, and :class:`UsageError`."""
    if not path:
        return None
    found = calibration_of(load_calibration(Path(path)))
    try:
        return usable(found)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def must_be_past(url: str, today: str) -> None:
    """Refuse a board whose calibration was measured on a day that has not been: somebody's clock or file is wrong.

    ``today`` is the day in UTC; where the file was written it may be tomorrow already. Raises :class:`UsageError`.
    """
    _, path = split_calibration(url)
    found = from_file(path) if today else None
    if found is None:
        return
    if not number_of(found.unit.calibrated_on) <= number_of(today) + 1:
        raise UsageError(
            f"{path}: calibrated_on is {found.unit.calibrated_on}, and this computer's clock says {today}: nobody can have"
            " measured it then; correct the file, or the clock"
        )


def simulated(path: str, now_us: int, patient: Patient) -> tuple[OpenEmsStim, Calibration]:
    """A twin, and what was measured behind it: by the file, with a unit that gives nowhere more; else by its own numbers."""
    from stimctl.boards.openemsstim.dialects import MASTER_2017
    from stimctl.sim.openemsstim import UNIT, OpenEmsStim, measured, unit_below

    calibration = from_file(path) or _of(UNIT, measured())
    points = [point for channel in calibration.measured.values() for point in channel]
    shape = symmetric(UNIT.amplitude_ua, calibration.unit.phase_width_us, calibration.unit.rate_mhz)
    unit = unit_below(points, shape) if path else UNIT
    return OpenEmsStim(MASTER_2017, now_us=now_us, unit=unit, patient=patient), calibration


def _of(unit: PulseTrain, points: tuple[tuple[int, int], ...]) -> Calibration:
    """The twin's own numbers, as somebody would have measured them."""
    told = Unit("simulated unit", "as it is", unit.rate_mhz, unit.phase_width_us, "stimctl", "the day it was written")
    return usable(Calibration(told, dict.fromkeys(range(2), points)))  # type: ignore[arg-type]
