"""The engine: what should flow now. Pure: events and time in, a wished command out."""

from stimctl.engine.lanes import LATE_US
from stimctl.engine.machine import NEVER_US, Engine
from stimctl.engine.table import ARMED, DELIVERING, STAGES, TABLE, Event, State, mermaid, state_words

__all__ = [
    "ARMED",
    "DELIVERING",
    "LATE_US",
    "NEVER_US",
    "STAGES",
    "TABLE",
    "Engine",
    "Event",
    "State",
    "mermaid",
    "state_words",
]
