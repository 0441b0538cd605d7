"""What no rule forbids in a file's channels, and a person should look at: each doubt with its reason and its field.

The same is asked of a schedule, before a session, and of a file that has faults: there a doubt often explains a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, final

from pydantic_core import PydanticCustomError

from stimctl.limits import Effect
from stimctl.protocols import antagonists, muscles
from stimctl.protocols.antagonists import Pulling
from stimctl.protocols.checks import Check, Name, Words
from stimctl.protocols.findings import Path


class Doubt(NamedTuple):
    """Something to look at, and the path of the field that says it."""

    path: Path
    message: str


class Planned(Pulling, Protocol):
    """What is read of a channel: of a schedule's, and of what a file states."""

    @property
    def effect(self) -> Effect:
        """Motor or sensory."""


def doubts(channels: Sequence[Planned | None]) -> Iterator[Doubt]:
    """What of the channels, in the file's order, needs a person's eye; ``None`` where nothing can be read of one."""
    several = len(channels) > 1
    for index, channel in enumerate(channels):
        if channel is not None and channel.effect is Effect.MOTOR:
            path: Path = ("channel", index, "muscle")
            for message in (*_muscle(channel, several=several), *_short(channel)):
                yield Doubt(path, f"{channel.name}: {message}")


# --- the muscle's words ------------------------------------------------------------------------------------------


def _muscle(channel: Planned, *, several: bool) -> Iterator[str]:
    """What of a muscle's words could not be judged, looks like a slip, or does not fit the site."""
    slips = [f"`{word}` (did you mean `{known}`?)" for word, known in muscles.slips(channel.muscle)]
    said, lies = muscles.pulls(channel.muscle), antagonists.OF_SITE.get(channel.site, "")
    if not said and several:
        yield f"{_unjudged(channel.muscle, slips)}: {_instead(lies)}"
    elif slips:
        yield f"muscle has a word that is not known here: {', '.join(slips)}"
    if lies and antagonists.OPPOSITE[lies] in said and lies not in said:
        yield (
            f"{channel.muscle} and {channel.site} do not agree: there lie the muscles of {lies}; check muscle and site"
        )


def _unjudged(muscle: str, slips: Sequence[str]) -> str:
    if slips:
        return f"muscle not recognised, {', '.join(slips)}"
    return f"no direction of pull is known of {muscle}" if muscles.is_known(muscle) else "muscle not recognised"


def _instead(lies: str) -> str:
    return f"antagonists judged by its site alone, as {lies}" if lies else "antagonists not judged"


def _short(channel: Planned) -> Iterator[str]:
    for short, long in muscles.abbreviated(channel.muscle):
        yield f"muscle {short} is read as {long}: write it out, so that nobody beside the patient has to guess"


# --- a file with faults ------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Stated:
    """A channel as far as a file states it in a form that can be read."""

    name: str
    muscle: str
    site: str
    effect: Effect


def stated(data: Mapping[str, Any], effect: Effect) -> list[Stated | None]:
    """The channels of a file's tables, whatever else is wrong with it; ``None`` for one whose muscle cannot be read."""
    channels = data.get("channel")
    if not isinstance(channels, list):
        return []
    return [_stated(number, each, effect) for number, each in enumerate(channels, 1)]


def _stated(number: int, channel: object, effect: Effect) -> Stated | None:
    if not isinstance(channel, dict) or not _passes(Words(60), channel.get("muscle")):
        return None
    name = channel["name"] if _passes(Name(), channel.get("name")) else f"channel[{number}]"
    site = channel.get("site")
    return Stated(name, channel["muscle"], site if isinstance(site, str) else "", effect)


def _passes(check: Check, value: object) -> bool:
    """Whether a text may be shown: what a check refuses could hold anything."""
    try:
        check.check(value)
    except PydanticCustomError:
        return False
    return True
