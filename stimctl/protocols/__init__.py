"""Protocol files: what a therapist writes in TOML, as strict models."""

from __future__ import annotations

from stimctl.protocols.models import (
    BurstTimes,
    Channel,
    FesCyclic,
    FesDose,
    FesEmgTriggered,
    PadUse,
    Protocol,
    TensConventional,
    TensDose,
    Trigger,
)

__all__ = [
    "BurstTimes",
    "Channel",
    "FesCyclic",
    "FesDose",
    "FesEmgTriggered",
    "PadUse",
    "Protocol",
    "TensConventional",
    "TensDose",
    "Trigger",
]
