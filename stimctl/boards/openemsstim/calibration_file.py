"""From a checked calibration file to the table that an openEMSstim is driven by."""

from __future__ import annotations

from stimctl.boards.openemsstim.calibration import Calibration, Unit
from stimctl.protocols.calibration import CalibrationFile
from stimctl.units import microamps, millihertz


def calibration_of(file: CalibrationFile) -> Calibration:
    """The calibration that ``file`` states, with channels counted from 0."""
    unit = Unit(
        name=file.unit,
        knobs=file.knobs,
        rate_mhz=millihertz(file.rate_hz),
        phase_width_us=file.phase_width_us,
        calibrated_by=file.calibrated_by,
        calibrated_on=file.calibrated_on,
    )
    measured = {
        each.output - 1: tuple(zip(each.percent, map(microamps, each.measured_ma), strict=True))
        for each in file.channels
    }
    return Calibration(unit, measured)
