"""Which muscles pull against each other, as far as a channel's words and its site tell (hazard H44).

A file names muscles in words, so this reads words: what flexes and what extends the same joint, and so on. Where the
words say nothing, the side of the forearm does. It catches the slip of an opening and a closing muscle in one burst;
it is no anatomy, and what it overlooks is still seen in the trial bursts.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from stimctl.protocols import muscles

OPPOSITE: Final = {
    "flexion": "extension",
    "extension": "flexion",
    "abduction": "adduction",
    "adduction": "abduction",
    "pronation": "supination",
    "supination": "pronation",
}

OF_SITE: Final = {"forearm-dorsal": "extension", "forearm-volar": "flexion"}
"""What lies there, where the words say nothing."""

_JOINT: Final = {"upper-arm": "elbow", "shoulder": "shoulder"}
"""What the muscles of a site move, unless they are the thumb's; wrist and fingers otherwise."""


class Pulling(Protocol):
    """What is read of a channel: of a file's, and of a schedule's."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def muscle(self) -> str:
        """The muscle, in words."""

    @property
    def site(self) -> str:
        """Where its pads lie."""


def opposed(one: Pulling, other: Pulling) -> bool:
    """Whether two channels pull the same joint in opposite directions."""
    if joint(one) != joint(other):
        return False
    against = {OPPOSITE[direction] for direction in directions(one)}
    return bool(against & directions(other))


def joint(channel: Pulling) -> str:
    """What the channel moves: the thumb, the elbow, the shoulder, or wrist and fingers."""
    if re.search(r"pollic|thumb", muscles.spelt_out(channel.muscle)):
        return "thumb"
    return _JOINT.get(channel.site, "wrist and fingers")


def directions(channel: Pulling) -> frozenset[str]:
    """Where to the channel pulls: by its words, else by its site."""
    said = muscles.pulls(channel.muscle)
    return said if said or channel.site not in OF_SITE else frozenset({OF_SITE[channel.site]})


def told(channel: Pulling) -> str:
    """A channel with its muscle and where to it pulls, for a message: its author sees which of the words was wrong."""
    pull = " and ".join(sorted(directions(channel)))
    by = "" if muscles.pulls(channel.muscle) else f" by its site, {channel.site}"
    return f"`{channel.name}` ({channel.muscle}: {pull}{by})"
