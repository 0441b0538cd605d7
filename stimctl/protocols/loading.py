"""Opening protocol files: from bytes to a model, or to one error that names every fault with its line.

Whatever the bytes, nothing but :class:`ProtocolError` is raised.
"""

from __future__ import annotations

import hashlib
import stat
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from stimctl.errors import Fault, ProtocolError
from stimctl.protocols.doubts import doubts, stated
from stimctl.protocols.findings import Finding, field_name, shown
from stimctl.protocols.models import AnyProtocol
from stimctl.protocols.places import NOWHERE, Place, Places, find_places
from stimctl.protocols.plan import Plan
from stimctl.protocols.plan_files import Standing, standing
from stimctl.protocols.plan_rules import block_findings
from stimctl.protocols.reading import effect_of, read
from stimctl.protocols.shipped import library_text
from stimctl.protocols.syntax import complaint

LARGEST_FILE: Final = 1 << 20
"""Bytes; a protocol of a hundred lines has four thousand."""


class Loaded(NamedTuple):
    """A protocol and the file it came from: ``sha256`` in hexadecimal, of the very bytes, and the text, for the record.

    ``blocks`` are those of a plan, opened, with ``None`` for a rest; any other kind has none.
    """

    protocol: AnyProtocol
    sha256: str
    name: str
    text: str
    blocks: tuple[Loaded | None, ...] = ()


def load(path: Path) -> AnyProtocol:
    """The protocol in the file at ``path``; raises :class:`ProtocolError` with every fault."""
    return load_with_hash(path).protocol


def load_with_hash(path: Path) -> Loaded:
    """The protocol in the file at ``path``, with the hash of its bytes; raises :class:`ProtocolError`."""
    return _opened(_from_path(path), path.parent)


def file_text(path: Path) -> str:
    """The text of the file at ``path``, whatever it says; raises :class:`ProtocolError` when it cannot be read."""
    return _text(_bytes(path), str(path))


def loads(text: str, name: str) -> AnyProtocol:
    """The protocol in ``text``; ``name`` stands for the file in faults. Raises :class:`ProtocolError`."""
    return loads_with_hash(text, name).protocol


def loads_with_hash(text: str, name: str, folder: Path | None = None) -> Loaded:
    """The protocol in ``text``, with the hash of its UTF-8 bytes; raises :class:`ProtocolError`.

    A plan's own files are looked for in ``folder``; without one it can name shipped protocols alone.
    """
    return _opened(_from_text(text, name), folder)


def _from_path(path: Path) -> Loaded:
    raw = _bytes(path)
    text = _text(raw, str(path))
    return Loaded(_parse(text, str(path)), hashlib.sha256(raw).hexdigest(), str(path), text)


def _from_text(text: str, name: str) -> Loaded:
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        _refuse(name, "the text holds half a character (a lone surrogate)")
    if len(raw) > LARGEST_FILE:
        _refuse(name, f"is too large for a protocol file, at most {LARGEST_FILE} bytes")
    return Loaded(_parse(text, name), hashlib.sha256(raw).hexdigest(), name, text)


def sha256(text: str) -> str:
    """The hash of ``text`` in UTF-8, in hexadecimal: what the record keeps."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# --- a plan's blocks ---------------------------------------------------------------------------------------------


def _opened(loaded: Loaded, folder: Path | None) -> Loaded:
    """A plan with its blocks, anything else as it is; raises :class:`ProtocolError` with every fault of all its files."""
    plan = loaded.protocol
    if not isinstance(plan, Plan):
        return loaded
    findings: list[Finding] = []
    broken: list[ProtocolError] = []
    blocks: list[Loaded | None] = []
    for index, block in enumerate(plan.blocks):
        opened: Loaded | str | None = None if block.file is None else _block(block.file, folder, broken)
        if isinstance(opened, str):
            findings.append(Finding(("block", index, "file"), opened, shown(block.file)))
        blocks.append(opened if isinstance(opened, Loaded) else None)
    if not findings:
        findings += block_findings(plan, [each.protocol if each else None for each in blocks])
    if findings:
        own = _placed(tuple(findings), loaded.name, loaded.text)
        faults = dict.fromkeys(fault for each in broken for fault in each.faults)
        raise ProtocolError((*own, *faults), tuple(dict.fromkeys(doubt for each in broken for doubt in each.doubts)))
    return loaded._replace(blocks=tuple(blocks))


def _block(file: str, folder: Path | None, broken: list[ProtocolError]) -> Loaded | str:
    """A block's file, or what is wrong with it; its own faults are put into ``broken``."""
    where = standing(file, folder)
    if not isinstance(where, Standing):
        return where
    try:
        opened = _shipped(file) if where.path is None else _from_path(where.path)
    except ProtocolError as error:
        broken.append(error)
        return f"cannot be used: {len(error.faults)} fault{'s' * (len(error.faults) > 1)} in {where.name}"
    if isinstance(opened.protocol, Plan):
        return "is a plan: a block is of another kind, so that no plan can come to hold itself"
    return opened


@cache
def _shipped(name: str) -> Loaded:
    """A shipped protocol, which cannot change: many plans have the same ones."""
    return _from_text(library_text(name), name)


# --- bytes -------------------------------------------------------------------------------------------------------


def _bytes(path: Path) -> bytes:
    """The content of a regular file; a pipe or device could block or never end."""
    name = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            _refuse(name, "is a folder or device, not a file; name a protocol file (.toml)")
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        _refuse(name, "there is no such file; `stimctl library` lists the protocols that come with stimctl")
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        _refuse(name, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(raw) > LARGEST_FILE:
        _refuse(name, f"is too large for a protocol file, at most {LARGEST_FILE} bytes")
    return raw


def _text(raw: bytes, name: str) -> str:
    try:
        # Some editors put a byte order mark in front, which says nothing in UTF-8.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        _refuse(name, "is not UTF-8 text; save it as UTF-8", Place(line, column))


# --- text --------------------------------------------------------------------------------------------------------


def _parse(text: str, name: str) -> AnyProtocol:
    data = tables(text, name)
    result = read(data)
    if not isinstance(result, tuple):
        return result
    doubted = tuple(Finding(path, message) for path, message in doubts(stated(data, effect_of(data))))
    raise ProtocolError(_placed(result, name, text), _placed(doubted, name, text))


def _placed(findings: tuple[Finding, ...], name: str, text: str) -> tuple[Fault, ...]:
    """Findings with their lines, in the order of the file."""
    places = find_places(text)
    faults = (_fault(finding, name, places) for finding in dict.fromkeys(findings))
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.column, fault.field)))


def tables(text: str, name: str) -> dict[str, Any]:
    """What TOML makes of ``text``; raises :class:`ProtocolError` with its place and an author's words."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        _refuse_syntax(text, name, str(error))
    except (ValueError, RecursionError, OverflowError) as error:  # numbers of thousands of digits, deep nesting
        _refuse(name, f"is not TOML that can be read: {type(error).__name__}")


def _refuse_syntax(text: str, name: str, message: str) -> NoReturn:
    """TOML's complaint, in an author's words."""
    words, line, column = complaint(text, message)
    _refuse(name, f"not TOML: {words}", Place(line, column))


def _fault(finding: Finding, name: str, places: Places | None) -> Fault:
    place = places.find(finding.path, at_key=finding.at_key) if places else NOWHERE
    field = field_name(finding.path)
    return Fault(name, *place, field, finding.message, finding.value, finding.allowed, finding.source)


def _refuse(name: str, message: str, place: Place = NOWHERE) -> NoReturn:
    raise ProtocolError((Fault(name, *place, "file", message),)) from None
