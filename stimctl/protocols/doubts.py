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
from stimctl.protocols.output import MODEL
from stimctl.protocols.pads import StuckOn, least, smaller


class Doubt(NamedTuple):
    """Something to look at, and the path of the field that says it."""

    path: Path
    message: str


class Planned(Pulling, Protocol):
    """What is read of a channel: of a schedule's, and of what a file states."""

    @property
    def effect(self) -> Effect:
        """Motor or sensory."""

    @property
    def pads(self) -> Sequence[StuckOn]:
        """Its pads, as far as their models are known."""


def doubts(channels: Sequence[Planned | None]) -> Iterator[Doubt]:
    """What of the channels, in the file's order, needs a person's eye; ``None`` where nothing can be read of one."""
    several = len(channels) > 1
    for index, channel in enumerate(channels):
        if channel is not None and channel.effect is Effect.MOTOR:
            path: Path = ("channel", index, "muscle")
            for message in (*_muscle(channel, several=several), *_short(channel)):
                yield Doubt(path, f"{channel.name}: {message}")
        if channel is not None:
            yield from _small_pads(channel)


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


# --- pads --------------------------------------------------------------------------------------------------------


def _small_pads(channel: Planned) -> Iterator[Doubt]:
    usual = least(channel.site, muscles.meant(channel.muscle))
    if usual is None:
        return
    for pad in smaller(channel.pads, usual):
        message = (
            f"{channel.name}: pad `{pad.name}`, {pad.model}, is smaller than what is used at {channel.site}: the current is"
            f" denser under it and finds the muscle less surely; take {usual.model} or larger"
            f" (clinical reference B.8: {usual.used})"
        )
        yield Doubt(("pads", pad.name, "model"), message)


# --- a file with faults ------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Stated:
    """A channel as far as a file states it in a form that can be read."""

    name: str
    muscle: str
    site: str
    effect: Effect
    pads: tuple[StatedPad, ...]


@final
class StatedPad(NamedTuple):
    """A pad that a file names, with a model that there is."""

    name: str
    model: str


def stated(data: Mapping[str, Any], effect: Effect) -> list[Stated | None]:
    """The channels of a file's tables, whatever else is wrong with it; ``None`` for one whose muscle cannot be read."""
    channels = data.get("channel")
    if not isinstance(channels, list):
        return []
    pads = _pads(data.get("pads"))
    return [_stated(number, each, effect, pads) for number, each in enumerate(channels, 1)]


def _pads(pads: object) -> dict[str, StatedPad]:
    """The pads whose name and model can be read."""
    known = ((name, pad) for name, pad in pads.items() if isinstance(pad, dict)) if isinstance(pads, dict) else ()
    return {
        name: StatedPad(name, pad["model"])
        for name, pad in known
        if _passes(Name(), name) and _passes(MODEL, pad.get("model"))
    }


def _stated(number: int, channel: object, effect: Effect, pads: Mapping[str, StatedPad]) -> Stated | None:
    if not isinstance(channel, dict) or not _passes(Words(60), channel.get("muscle")):
        return None
    name = channel["name"] if _passes(Name(), channel.get("name")) else f"channel[{number}]"
    site = channel.get("site")
    named = channel.get("pads")
    own = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    stuck = tuple(pads[each] for each in dict.fromkeys(own) if each in pads)
    return Stated(name, channel["muscle"], site if isinstance(site, str) else "", effect, stuck)


def _passes(check: Check, value: object) -> bool:
    """Whether a text may be shown: what a check refuses could hold anything."""
    try:
        check.check(value)
    except PydanticCustomError:
        return False
    return True
