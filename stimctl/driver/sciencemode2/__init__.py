"""The driver of HASOMED's RehaStim 2: ``core`` takes orders, ``hearing`` asks and hears."""

from stimctl.driver.sciencemode2.core import ScienceMode2Driver

__all__ = ["ScienceMode2Driver"]
