"""The protocol files that come with stimctl, and the templates that are made from them."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

from stimctl.errors import UsageError
from stimctl.protocols.checks import nearest
from stimctl.protocols.models import KINDS

_SUFFIX: Final = ".toml"
_EXAMPLES: Final = {
    "fes-cyclic": "wrist-finger-extensors-cyclic",
    "fes-emg-triggered": "wrist-finger-extensors-emg",
    "fes-switch-triggered": "wrist-finger-extensors-switch",
    "fes-sequence": "grasp-release-sequence",
    "fes-contralateral": "contralateral-hand-opening",
    "fes-emg-proportional": "wrist-finger-extensors-emg-proportional",
    "tens-conventional": "tens-conventional-forearm",
    "tens-sensory": "tens-sensory-forearm-tone",
    "tens-acupuncture-like": "tens-acupuncture-like-forearm",
    "tens-burst": "tens-burst-forearm",
    "tens-brief-intense": "tens-brief-intense-forearm",
    "tens-modulated": "tens-modulated-forearm",
    "tens-alternating": "tens-alternating-forearm",
    "activity": "exercise-make-a-fist",
    "biofeedback": "biofeedback-emg-extensors",
    "plan": "plan-stage-1",
}


class Entry(NamedTuple):
    """One shipped protocol. ``path`` is readable like a ``Path``, also from inside a zip archive."""

    name: str
    kind: str
    title: str
    path: Traversable


@cache
def library() -> tuple[Entry, ...]:
    """Every shipped protocol, by name."""
    folder = resources.files("stimctl.protocols") / "library"
    files = [each for each in folder.iterdir() if each.name.endswith(_SUFFIX)]
    return tuple(sorted(_entry(file) for file in files))


def _entry(file: Traversable) -> Entry:
    head = tomllib.loads(file.read_text("utf-8"))
    return Entry(file.name.removesuffix(_SUFFIX), head["kind"], head["title"], file)


def library_text(name: str) -> str:
    """The text of a shipped protocol, comments and all; raises :class:`UsageError` for an unknown name."""
    for entry in library():
        if entry.name == name:
            return entry.path.read_text("utf-8")
    names = [entry.name for entry in library()]
    raise UsageError(f"no shipped protocol is called `{name}`{nearest(name, names)}; there are {', '.join(names)}")


def template(kind: str) -> str:
    """A commented file of ``kind`` to start from, which loads as it is; raises :class:`UsageError` for another kind."""
    if kind not in KINDS:
        raise UsageError(f"no kind of protocol is called `{kind}`{nearest(kind, KINDS)}; there are {', '.join(KINDS)}")
    body = library_text(_EXAMPLES[kind]).partition("\n\n")[2]
    return _HEAD.format(kind=kind, example=_EXAMPLES[kind]) + body


_HEAD: Final = """\
#:schema protocol.schema.json
# A protocol of kind {kind}, to be changed into your own. It begins as a copy of the shipped `{example}`.
#
# - Change title, purpose and sources first: the sources must say where YOUR numbers come from.
# - Every number has its unit in its name. phase_width_us is ONE phase; amplitudes are the peak of the first phase.
# - See what is wrong with it:            stimctl check FILE
# - Completion and help in an editor:     stimctl schema > protocol.schema.json   (beside this file)
# - Rehearse it on the simulated board:   stimctl run FILE
# - Every field, explained:               docs/protocol-files.md

"""
