"""What a command's FILE stands for: a file, standard input, or a protocol that comes with stimctl."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Final

from stimctl import protocols
from stimctl.errors import Fault, ProtocolError
from stimctl.protocols import Loaded, library_text, load_with_hash, loads_with_hash
from stimctl.protocols.checks import nearest
from stimctl.protocols.loading import LARGEST_FILE

STDIN: Final = "-"


def loaded(name: str, stdin: IO[bytes]) -> Loaded:
    """The protocol of a file, of ``stdin`` for ``-``, or the shipped one of that name where there is no such file.

    Raises :class:`ProtocolError`.
    """
    if name == STDIN:
        return loads_with_hash(_piped(stdin), "<stdin>", Path())
    if _is_there(name):
        return load_with_hash(Path(name))
    names = [entry.name for entry in protocols.library()]
    if name in names:
        return loads_with_hash(library_text(name), name)
    meant = nearest(name.removesuffix(".toml"), names)
    what = f"there is no such file{meant}; `stimctl library` lists the protocols that come with stimctl"
    raise ProtocolError((Fault(name, 0, 0, "file", what),))


def _is_there(name: str) -> bool:
    """Whether there is something of that name, be it what it may: it then says itself why it cannot be read."""
    try:
        return not name or os.path.lexists(name)
    except ValueError:  # a NUL character
        return True


def _piped(stdin: IO[bytes]) -> str:
    """What is piped in; no more of what never ends than a file may have."""
    raw = stdin.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        what = f"is too large for a protocol file, at most {LARGEST_FILE} bytes"
        raise ProtocolError((Fault("<stdin>", 0, 0, "file", what),))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProtocolError((Fault("<stdin>", 0, 0, "file", f"is not UTF-8 text (byte {error.start})"),)) from None


def tidied(name: str, stdin: IO[bytes]) -> tuple[str, str]:
    """The text of a file, or of ``stdin`` for ``-``, as it is and as it looks when tidy.

    Raises :class:`ProtocolError` for what cannot be read or is no TOML. Whether it is a good protocol does not matter.
    """
    if name == STDIN:
        text = _piped(stdin)
        return text, protocols.tidy(text, "<stdin>")
    text = protocols.file_text(Path(name))
    return text, protocols.tidy(text, name)
