"""The engine: what should flow now. Pure: events and time in, a wished command out."""

from stimctl.engine.machine import NEVER_US, Engine
from stimctl.engine.table import ARMED, DELIVERING, TABLE, Event, State, mermaid

__all__ = ["ARMED", "DELIVERING", "NEVER_US", "TABLE", "Engine", "Event", "State", "mermaid"]
