"""The driver of UECU boards: ``setting_up`` finds an empty board and makes its events, ``core`` gives it each pulse."""

from stimctl.driver.uecu.core import UecuDriver

__all__ = ["UecuDriver"]
