"""What only bears another name in the second of two files: a channel, pad or phase of which everything else is the same.

A name is known by what it stands for, and what it stands for may itself bear another name: a channel's pads, a phase's
channels. So a channel is first taken for the same by all that is said of it and the models of its pads, and stays it only
where its pads turn out to be the same ones, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, final

Tables = Mapping[str, Any]
Names = Mapping[str, str]


@final
class Renames(NamedTuple):
    """New names by old ones."""

    channels: Names
    pads: Names
    phases: Names


NONE: Final = Renames({}, {}, {})


def found(old: Tables, new: Tables) -> Renames:
    """What is in both files under two names."""
    channels = _channels(old, new)
    while True:
        pads = _pads(old, new, channels)
        sure = {one: other for one, other in channels.items() if _same_pads(old, new, one, other, pads)}
        if sure == channels:
            break
        channels = sure
    return Renames(channels, pads, _phases(old, new, channels))


def applied(old: Tables, names: Renames) -> dict[str, Any]:
    """The first file under the second one's names."""
    said = {part: _table(value, names) for part, value in old.items()}
    if "pads" in said:
        said["pads"] = {names.pads.get(pad, pad): value for pad, value in old["pads"].items()}
    if "channel" in said:
        said["channel"] = [_channel(each, names) for each in old["channel"]]
    if "phase" in said:
        said["phase"] = [_phase(each, names) for each in old["phase"]]
    return said


def _table(value: Any, names: Renames) -> Any:
    """A part such as ``[trigger]`` or ``[sequence]``, which names a channel or a phase."""
    if not isinstance(value, Mapping):
        return value
    said = dict(value)
    for key, known in (("channel", names.channels), ("release", names.phases)):
        if isinstance(said.get(key), str):
            said[key] = known.get(said[key], said[key])
    return said


def _channel(table: Tables, names: Renames) -> dict[str, Any]:
    pads = [names.pads.get(pad, pad) for pad in table["pads"]]
    return {**table, "name": names.channels.get(table["name"], table["name"]), "pads": pads}


def _phase(table: Tables, names: Renames) -> dict[str, Any]:
    goals = {names.channels.get(name, name): goal for name, goal in table["channel"].items()}
    return {**table, "name": names.phases.get(table["name"], table["name"]), "channel": goals}


# --- which are the same ------------------------------------------------------------------------------------------


def _channels(old: Tables, new: Tables) -> dict[str, str]:
    def known(table: Tables, pads: Tables) -> dict[str, Any]:
        return {**_without(table, "name"), "pads": [pads[pad]["model"] for pad in table["pads"]]}

    ones = [(each["name"], known(each, old["pads"])) for each in old.get("channel", ())]
    others = [(each["name"], known(each, new["pads"])) for each in new.get("channel", ())]
    return _matched(ones, others)


def _pads(old: Tables, new: Tables, channels: Names) -> dict[str, str]:
    """Pads of the same model in the same place of the same channels, where all of these say the same."""
    others = {each["name"]: each for each in new.get("channel", ())}
    votes: dict[str, set[str]] = {}
    for each in old.get("channel", ()):
        other = others.get(channels.get(each["name"], each["name"]))
        for pad, instead in zip(each["pads"], other["pads"] if other else (), strict=False):
            votes.setdefault(pad, set()).add(instead)
    sure = {pad: min(instead) for pad, instead in votes.items() if len(instead) == 1}
    return {
        pad: instead
        for pad, instead in sure.items()
        if pad not in new["pads"]
        and instead not in old["pads"]
        and old["pads"][pad] == new["pads"][instead]
        and list(sure.values()).count(instead) == 1
    }


def _same_pads(old: Tables, new: Tables, one: str, other: str, pads: Names) -> bool:
    before = next(each["pads"] for each in old["channel"] if each["name"] == one)
    after = next(each["pads"] for each in new["channel"] if each["name"] == other)
    return [pads.get(pad, pad) for pad in before] == list(after)


def _phases(old: Tables, new: Tables, channels: Names) -> dict[str, str]:
    under = NONE._replace(channels=channels)
    ones = [(each["name"], _without(_phase(each, under), "name")) for each in old.get("phase", ())]
    others = [(each["name"], _without(each, "name")) for each in new.get("phase", ())]
    return _matched(ones, others)


def _matched(ones: Sequence[tuple[str, Any]], others: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """The first of the new ones that is the same as each of those that are gone."""
    before, after = {name for name, _ in ones}, {name for name, _ in others}
    left = [each for each in others if each[0] not in before]
    matched: dict[str, str] = {}
    for name, known in ones:
        match = next((each for each in left if each[1] == known), None) if name not in after else None
        if match is not None:
            left.remove(match)
            matched[name] = match[0]
    return matched


def _without(table: Tables, key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}
