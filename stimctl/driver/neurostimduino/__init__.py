"""The driver of NeuroStimDuino: ``core`` takes what is said to it and by it, ``told`` orders what it is told next."""

from stimctl.driver.neurostimduino.core import NeuroStimDuinoDriver

__all__ = ["NeuroStimDuinoDriver"]
