"""Protocol files: what a therapist writes in TOML, as strict models, and every fault with its line.

``load`` and ``loads`` open a file; ``library``, ``template`` and ``schema`` help to write one. The word protocol always
means therapy here; what travels on a wire is a codec.
"""

from __future__ import annotations

from stimctl.protocols.fes import (
    BurstTimes,
    FesCyclic,
    FesDose,
    FesEmgTriggered,
    FesSwitchTriggered,
    Sentence,
    Switch,
    Trigger,
)
from stimctl.protocols.following import Control, Cycle, FesContralateral, FesEmgProportional, Led, OwnControl
from stimctl.protocols.guided import Activity, Biofeedback, Guided
from stimctl.protocols.layout import tidy
from stimctl.protocols.loading import Loaded, file_text, load, load_with_hash, loads, loads_with_hash, sha256
from stimctl.protocols.models import KINDS, AnyProtocol, Protocol, stimulating
from stimctl.protocols.output import Channel, PadUse
from stimctl.protocols.pads import PAD_MODELS, PadModel
from stimctl.protocols.plan import Plan, PlanBlock, PlanWeek
from stimctl.protocols.schemas import schema
from stimctl.protocols.sequence import Course, FesSequence, Phase, PhaseGoal
from stimctl.protocols.shipped import Entry, library, library_text, template
from stimctl.protocols.sites import SITES, Limb, Site
from stimctl.protocols.tens import TENS_KINDS, Tens, TensConventional, TensDose
from stimctl.protocols.time_rules import session_us
from stimctl.protocols.writing import dumps

__all__ = [
    "KINDS",
    "PAD_MODELS",
    "SITES",
    "TENS_KINDS",
    "Activity",
    "AnyProtocol",
    "Biofeedback",
    "BurstTimes",
    "Channel",
    "Control",
    "Course",
    "Cycle",
    "Entry",
    "FesContralateral",
    "FesCyclic",
    "FesDose",
    "FesEmgProportional",
    "FesEmgTriggered",
    "FesSequence",
    "FesSwitchTriggered",
    "Guided",
    "Led",
    "Limb",
    "Loaded",
    "OwnControl",
    "PadModel",
    "PadUse",
    "Phase",
    "PhaseGoal",
    "Plan",
    "PlanBlock",
    "PlanWeek",
    "Protocol",
    "Sentence",
    "Site",
    "Switch",
    "Tens",
    "TensConventional",
    "TensDose",
    "Trigger",
    "dumps",
    "file_text",
    "library",
    "library_text",
    "load",
    "load_with_hash",
    "loads",
    "loads_with_hash",
    "schema",
    "session_us",
    "sha256",
    "stimulating",
    "template",
    "tidy",
]
