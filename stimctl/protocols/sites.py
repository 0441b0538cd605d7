"""The places on the body where a protocol file may stimulate: a closed list, and the only one.

Forbidden placements (clinical reference C.3: head, eyes, mouth, front of the neck, through the chest, over the heart,
abdomen, pelvis ...) have no name here, so they cannot be written. Every site lies on the one treated arm, and a channel
has one site for both of its pads, so no file can send current from arm to arm across the chest (H08). Which arm, left
or right, is never in a file: the session asks (H07).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, final

from stimctl.limits import BodyPart


@final
class Limb(StrEnum):
    """The limb that a site lies on."""

    ARM = "arm"


@final
@dataclass(frozen=True, slots=True)
class Site:
    """A place for both pads of a channel, with the limb it lies on and the profile of limits that rules there."""

    name: str
    part: BodyPart
    limb: Limb
    where: str


SITES: Final = MappingProxyType(
    {
        site.name: site
        for site in (
            Site(
                "forearm-dorsal", BodyPart.FOREARM, Limb.ARM, "back of the forearm: wrist, finger and thumb extensors"
            ),
            Site("forearm-volar", BodyPart.FOREARM, Limb.ARM, "palm side of the forearm: finger and wrist flexors"),
            # The hand has the highest densities of all (B.8), so all of it takes the thenar row.
            Site("thenar", BodyPart.THENAR, Limb.ARM, "ball of the thumb"),
            Site("hypothenar", BodyPart.THENAR, Limb.ARM, "ball of the little finger"),
            Site("hand-dorsal", BodyPart.THENAR, Limb.ARM, "back of the hand: interossei"),
            # Nerve trunks run shallow in the upper arm and need little current (B.9): the lower, forearm row.
            Site("upper-arm", BodyPart.FOREARM, Limb.ARM, "upper arm, below the shoulder"),
            Site(
                "shoulder", BodyPart.SHOULDER, Limb.ARM, "posterior deltoid and supraspinatus, never towards the chest"
            ),
        )
    }
)
"""Every site by name."""

FORBIDDEN_WORDS: Final = frozenset(
    {"abdomen", "back", "belly", "breast", "carotid", "chest", "eye", "eyes", "face", "forehead", "genitals", "groin"}
    | {"head", "heart", "mouth", "neck", "pelvis", "sternum", "temple", "thorax", "throat", "transthoracic", "trunk"}
)
"""Words that show that a forbidden placement was meant, for a clearer refusal; the list above is what refuses."""
