"""A protocol file as a model: strict, frozen, nothing unknown, one union told apart by ``kind``.

A model is a claim, not a permit: whatever it says is flown through the limiter before a session starts. Numbers stay
the author's decimals; :mod:`stimctl.units` converts them exactly, which was tried here. A further kind is a further
class with its own ``kind`` in :data:`Protocol`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from stimctl.protocols.fes import FesCyclic, FesEmgTriggered, FesSwitchTriggered
from stimctl.protocols.sequence import FesSequence
from stimctl.protocols.tens import TensConventional

_OfAnyKind: TypeAlias = FesCyclic | FesEmgTriggered | FesSwitchTriggered | FesSequence | TensConventional

Protocol: TypeAlias = Annotated[_OfAnyKind, Field(discriminator="kind")]
"""Any protocol."""

KINDS: Final[Mapping[str, type[_OfAnyKind]]] = MappingProxyType(
    {
        "fes-cyclic": FesCyclic,
        "fes-emg-triggered": FesEmgTriggered,
        "fes-switch-triggered": FesSwitchTriggered,
        "fes-sequence": FesSequence,
        "tens-conventional": TensConventional,
    }
)
"""The class of every ``kind``."""
