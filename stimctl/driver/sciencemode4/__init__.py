"""The driver of HASOMED's P24 and RehaMove3: ``core`` takes orders, ``hearing`` asks and hears, ``looking`` judges the read-back."""

from stimctl.driver.sciencemode4.core import ScienceMode4Driver

__all__ = ["ScienceMode4Driver"]
