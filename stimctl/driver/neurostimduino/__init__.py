"""The driver of NeuroStimDuino: ``saying`` is what it is told and when, ``core`` hears what comes back."""

from stimctl.driver.neurostimduino.core import NeuroStimDuinoDriver

__all__ = ["NeuroStimDuinoDriver"]
