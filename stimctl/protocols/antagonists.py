"""Which muscles pull against each other, as far as a channel's words and its site tell (hazard H44).

A file names muscles in words, so this reads words: what flexes and what extends the same joint, and so on. Where the
words say nothing, the side of the forearm does. It catches the slip of an opening and a closing muscle in one burst;
it is no anatomy, and what it overlooks is still seen in the trial bursts.
"""

from __future__ import annotations

import re
from typing import Final

from stimctl.protocols.models import Channel

_DIRECTIONS: Final = {
    "flex": "flexion",
    "biceps": "flexion",
    "brachialis": "flexion",
    "grip": "flexion",
    "clos": "flexion",
    "exten": "extension",
    "triceps": "extension",
    "anconeus": "extension",
    "open": "extension",
    "abduct": "abduction",
    "adduct": "adduction",
    "pronat": "pronation",
    "supinat": "supination",
}
"""What a word that begins so says about the pull."""

_OPPOSITE: Final = {
    "flexion": "extension",
    "extension": "flexion",
    "abduction": "adduction",
    "adduction": "abduction",
    "pronation": "supination",
    "supination": "pronation",
}

_OF_SITE: Final = {"forearm-dorsal": "extension", "forearm-volar": "flexion"}
"""What lies there, where the words say nothing."""

_JOINT: Final = {"upper-arm": "elbow", "shoulder": "shoulder"}
"""What the muscles of a site move, unless they are the thumb's; wrist and fingers otherwise."""


def opposed(one: Channel, other: Channel) -> bool:
    """Whether two channels pull the same joint in opposite directions."""
    if joint(one) != joint(other):
        return False
    against = {_OPPOSITE[direction] for direction in directions(one)}
    return bool(against & directions(other))


def joint(channel: Channel) -> str:
    """What the channel moves: the thumb, the elbow, the shoulder, or wrist and fingers."""
    if re.search(r"pollic|thumb", channel.muscle.lower()):
        return "thumb"
    return _JOINT.get(channel.site, "wrist and fingers")


def directions(channel: Channel) -> frozenset[str]:
    """Where to the channel pulls."""
    words = re.findall(r"[^\W\d_]+", channel.muscle.lower())
    said = {pull for word in words for stem, pull in _DIRECTIONS.items() if word.startswith(stem)}
    if not said and channel.site in _OF_SITE:
        said = {_OF_SITE[channel.site]}
    return frozenset(said)
