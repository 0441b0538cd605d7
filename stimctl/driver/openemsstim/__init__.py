"""The driver of openEMSstim: ``connecting`` tells its firmware, ``core`` drives it."""

from stimctl.driver.openemsstim.core import OpenEmsStimDriver

__all__ = ["OpenEmsStimDriver"]
