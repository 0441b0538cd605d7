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

from stimctl.errors import UsageError
from stimctl.protocols.fes import FesCyclic, FesEmgTriggered, FesSwitchTriggered
from stimctl.protocols.following import FesContralateral, FesEmgProportional
from stimctl.protocols.guided import Activity, Biofeedback, Guided
from stimctl.protocols.plan import Plan
from stimctl.protocols.sequence import FesSequence
from stimctl.protocols.tens import TENS_KINDS, AnyTens

_OfAnyKind: TypeAlias = (
    FesCyclic | FesEmgTriggered | FesSwitchTriggered | FesSequence | FesContralateral | FesEmgProportional | AnyTens
)

Protocol: TypeAlias = Annotated[_OfAnyKind, Field(discriminator="kind")]
"""Any protocol that stimulates."""

AnyProtocol: TypeAlias = Annotated[_OfAnyKind | Activity | Biofeedback | Plan, Field(discriminator="kind")]
"""Any protocol, also one without output, and a plan of several."""

KINDS: Final[Mapping[str, type[_OfAnyKind | Guided | Plan]]] = MappingProxyType(
    {
        "fes-cyclic": FesCyclic,
        "fes-emg-triggered": FesEmgTriggered,
        "fes-switch-triggered": FesSwitchTriggered,
        "fes-sequence": FesSequence,
        "fes-contralateral": FesContralateral,
        "fes-emg-proportional": FesEmgProportional,
        **TENS_KINDS,
        "activity": Activity,
        "biofeedback": Biofeedback,
        "plan": Plan,
    }
)
"""The class of every ``kind``."""


def stimulating(protocol: AnyProtocol) -> Protocol:
    """``protocol`` as one with an output; raises :class:`UsageError` for one that has none."""
    if isinstance(protocol, (Activity, Biofeedback)):
        raise UsageError(f"{protocol.kind} is a kind without output: nothing can be stimulated with it")
    if isinstance(protocol, Plan):
        raise UsageError("a plan is made of blocks, each a session of its own: stimctl run FILE holds them in order")
    return protocol
