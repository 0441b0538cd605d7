"""Which muscles pull against each other, as far as a channel's words and its site tell (hazard H44).

A file names muscles in words, so this reads words: what flexes and what extends the same joint, and so on. Where the
words say nothing, the side of the forearm does. It catches the slip of an opening and a closing muscle in one burst;
it is no anatomy, and what it overlooks is still seen in the trial bursts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from stimctl.limits import Effect

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


class Planned(Pulling, Protocol):
    """A channel of which it is known what it is for."""

    @property
    def effect(self) -> Effect:
        """Motor or sensory."""


def opposed(one: Pulling, other: Pulling) -> bool:
    """Whether two channels pull the same joint in opposite directions."""
    if joint(one) != joint(other):
        return False
    against = {_OPPOSITE[direction] for direction in directions(one)}
    return bool(against & directions(other))


def doubts(channels: Sequence[Planned]) -> Iterator[str]:
    """What of the muscles' words could not be judged, or does not fit the site: for a person to look at."""
    for channel in channels:
        if channel.effect is not Effect.MOTOR:
            continue
        said, lies = named(channel), _OF_SITE.get(channel.site, "")
        if not said and len(channels) > 1:
            yield f"{channel.name}: muscle not recognised: {_instead(lies)}"
        elif lies and _OPPOSITE[lies] in said and lies not in said:
            yield (
                f"{channel.name}: {channel.muscle} and {channel.site} do not agree: there lie the muscles of"
                f" {lies}; check muscle and site"
            )


def _instead(lies: str) -> str:
    return f"antagonists judged by its site alone, as {lies}" if lies else "antagonists not judged"


def joint(channel: Pulling) -> str:
    """What the channel moves: the thumb, the elbow, the shoulder, or wrist and fingers."""
    if re.search(r"pollic|thumb", channel.muscle.lower()):
        return "thumb"
    return _JOINT.get(channel.site, "wrist and fingers")


def named(channel: Pulling) -> frozenset[str]:
    """Where to the channel pulls, by its words; empty when they are not known here."""
    words = re.findall(r"[^\W\d_]+", channel.muscle.lower())
    return frozenset(pull for word in words for stem, pull in _DIRECTIONS.items() if word.startswith(stem))


def directions(channel: Pulling) -> frozenset[str]:
    """Where to the channel pulls: by its words, else by its site."""
    said = named(channel)
    return said if said or channel.site not in _OF_SITE else frozenset({_OF_SITE[channel.site]})
