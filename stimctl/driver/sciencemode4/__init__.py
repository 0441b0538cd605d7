"""The driver of HASOMED's P24 and RehaMove3: ``core`` takes orders, ``asking`` gets to know, ``hearing`` tells and hears.

``level`` is what a session differs in by the level it is armed in, ``midlevel`` and ``lowlevel``; ``looking`` judges the read-back.
"""

from stimctl.driver.sciencemode4.core import ScienceMode4Driver

__all__ = ["ScienceMode4Driver"]
