"""What is known of one board from its commissioning: a small file for each, beside the record.

A profile says what a board did on a dummy load. It opens nothing and widens nothing: no limit is read from it. So it is
plain TOML that a person can read, and a file that was edited, damaged or put there for another board counts as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, final

from stimctl.errors import RecordError
from stimctl.records.store import _prepare_folder

FORMAT: Final = 1

FOLDER: Final = "boards"
"""Stands beside the record."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}", re.ASCII)
_HEAD: Final = """\
# Written by `stimctl bench`: what this board did on a dummy load. No limit is read from here.
# Times in microseconds, currents in microamperes.
"""
_BYTES_MAX: Final = 64 << 10  # a profile has about one kilobyte


@final
@dataclass(frozen=True, slots=True)
class Step:
    """One level of current: what was set, and what the board measured, both µA; ``None`` where it measures nothing."""

    level_ua: int
    measured_ua: int | None = None


@final
@dataclass(frozen=True, slots=True)
class Profile:
    """One board's newest commissioning.

    ``output`` counts from 1, as on the board; ``phase_width_us`` and ``rate_mhz`` are those of the pulses that flowed.
    ``stop_us``: from the stop to the board's own word that it is at zero. ``dead_man_us``: from the last sign of progress to
    the board's stopping by itself; where it did not tell that moment (``dead_man_told``), when it was first seen to have
    stopped. ``None``: not measured. ``faults`` says what was not as it has to be; empty: passed. ``at``: wall clock.
    """

    board: str
    serial: str
    name: str
    firmware: str
    simulated: bool
    stimctl: str
    at: str
    output: int
    phase_width_us: int
    rate_mhz: int
    claimed_dead_man_ms: int
    stop_us: int | None = None
    dead_man_us: int | None = None
    dead_man_told: bool = False
    steps: tuple[Step, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return not self.faults

    @property
    def day(self) -> str:
        """The day of it, UTC."""
        return self.at[:10]


def folder(store: Path) -> Path:
    """Where the profiles stand that belong to the record ``store``; never made here."""
    return store.parent / FOLDER


def path_of(where: Path, board: str, serial: str) -> Path:
    """The file of one board. A board without a serial number shares it with all of its kind."""
    name = serial or "without-serial"
    if not _PLAIN.fullmatch(name):
        # A name from the wire must not become a path, nor two boards one file.
        name = f"{re.sub(r'[^A-Za-z0-9]+', '-', name)[:24]}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:16]}"
    return where / f"{board}-{name}.toml"


def prepare(where: Path) -> None:
    """Make ``where`` exist, safe from others; raises :class:`RecordError` where no profile could be kept."""
    try:
        _prepare_folder(where)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise RecordError(f"{where}: profiles of boards cannot be kept here: {why}") from error


def read(where: Path, board: str, serial: str) -> Profile | None:
    """The profile of a board, ``None`` where there is none; raises :class:`RecordError` for one that cannot be trusted."""
    path = path_of(where, board, serial)
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"{path}: the board's profile cannot be read: {error.strerror or error}") from None
    try:
        if len(data) > _BYTES_MAX:
            raise ValueError("it is too long for one")  # noqa: TRY301 - one way for all that is wrong with the text
        profile = _built(tomllib.loads(data.decode("utf-8")))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RecordError(f"{path} is no profile of a board: {error}") from None
    if (profile.board, profile.serial) != (board, serial):
        raise RecordError(f"{path} is the profile of another board: {profile.board} {profile.serial}".strip())
    return profile


def write(where: Path, profile: Profile) -> Path:
    """Keep ``profile`` in the place of the board's earlier one, whole or not at all; raises :class:`RecordError`."""
    path = path_of(where, profile.board, profile.serial)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    prepare(where)
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text(profile))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            with suppress(OSError):
                draft.unlink()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise RecordError(f"{path}: the board's profile cannot be kept here: {why}") from error
    return path


# --- TOML --------------------------------------------------------------------------------------------------------


def text(profile: Profile) -> str:
    """The file's text."""
    lines = [_HEAD + f"format = {FORMAT}"]
    for field in fields(Profile):
        value = getattr(profile, field.name)
        if value is not None and field.name != "steps":
            lines.append(f"{field.name} = {_value(value)}")
    for step in profile.steps:
        lines.append(f"\n[[steps]]\nlevel_ua = {step.level_ua}")
        if step.measured_ua is not None:
            lines.append(f"measured_ua = {step.measured_ua}")
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's escapes are TOML's as well, but for what is not printable: that may have come over a wire.
    return json.dumps("".join(sign if sign.isprintable() else "?" for sign in str(value)), ensure_ascii=False)


def _built(data: Mapping[str, Any]) -> Profile:
    given = dict(data)
    if given.pop("format", None) != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    steps = tuple(Step(**_only(each, {"level_ua", "measured_ua"})) for each in given.pop("steps", []))
    for name in ("faults", "notes"):
        given[name] = tuple(given.get(name, ()))
    profile = Profile(**_only(given, {field.name for field in fields(Profile)}), steps=steps)
    _check(profile)
    return profile


def _only(data: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    if unknown := sorted(set(data) - known):
        raise ValueError(f"it has {unknown[0]!r}, which no profile has")
    return dict(data)


_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "int | None": (int, type(None)),
}


def _check(profile: Profile) -> None:
    """Every value is of its own type, and no number is below nothing; a boolean is no number."""
    values = [(field.name, getattr(profile, field.name), _KINDS.get(str(field.type))) for field in fields(Profile)]
    values += [(name, each, (str,)) for name in ("faults", "notes") for each in getattr(profile, name)]
    values += [("level_ua", step.level_ua, (int,)) for step in profile.steps]
    values += [("measured_ua", step.measured_ua, (int, type(None))) for step in profile.steps]
    for name, value, kinds in values:
        if kinds is not None and (type(value) not in kinds or (type(value) is int and value < 0)):
            raise ValueError(f"{name} is {value!r}")
