"""The few words of the record that both its write side and its read side must agree on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, final

from stimctl.errors import UsageError

SESSION_OPENED: Final = "session-opened"
SESSION_CLOSED: Final = "session-closed"
BURST_DELIVERED: Final = "burst-delivered"
"""One row of this kind for each burst that ended; the list of sessions counts them, so a crash cannot lose the count."""

BLOCKED: Final = "blocked"
STOPPING: Final = frozenset({"stop", "stop-arming", "fault"})
CLEARING: Final = frozenset({"clear-to-screening", "clear-to-pads", "clear-to-thresholds", "clear-to-ready"})
"""The kinds that tell why a session came to no regular end: its screening, a stop or fault, and that one was cleared."""

COMPLETE: Final = "complete"
"""The outcome of a session that gave the whole dose."""

UNFINISHED: Final = "unfinished"
"""The outcome shown for a session whose closing row is missing: it was killed, or is still running."""

BOARDLESS: Final = "no board"
"""What stands in a board's place where a session opened none."""

_PATIENT: Final = re.compile(r"[A-Za-z0-9-]{1,16}")
_MONTH: Final = r"(0?[1-9]|1[0-2])"
_DAY: Final = r"(0?[1-9]|[12]\d|3[01])"
_YEAR: Final = r"(19|20)\d\d"
_BIRTH_DATE: Final = re.compile(
    # With its century a date is one wherever it stands in the code: 19480315, P-15031948, 1948-3-15, 15-03-1948.
    rf"(?<!\d)((19|20)\d{{6}}|(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2]){_YEAR}|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]){_YEAR}"
    rf"|{_YEAR}-{_MONTH}-{_DAY}|{_DAY}-{_MONTH}-{_YEAR}|{_MONTH}-{_DAY}-{_YEAR})(?!\d)"
    # Without it, six digits may be a number of the clinic's own, so that only the bare ones are taken for a date.
    r"|^(\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])|(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])\d\d)$"
)
_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


def patient_code(text: str) -> str:
    """``text`` itself when it is a pseudonymous code, else :class:`UsageError`.

    A code is 1 to 16 ASCII letters, digits or hyphens: no blank, so that no full name fits by accident (H46), and
    nothing that reads as a date of birth.
    """
    if type(text) is not str or not _PATIENT.fullmatch(text):
        raise UsageError(
            f"{text!r} is not a patient code: use 1 to 16 letters, digits or hyphens, and never a name or birth date"
        )
    if _BIRTH_DATE.search(text):
        raise UsageError(
            f"{text!r} is not a patient code: it reads as a date of birth, which would name the patient; use the code"
            " from your own list, such as P-017"
        )
    return text


def is_kind(text: object) -> bool:
    """Whether ``text`` can name a kind of event: small letters, digits and hyphens, at most 40."""
    return type(text) is str and _KIND.fullmatch(text) is not None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMeta:
    """What is known when a session opens (clinical reference D, steps 0, 1 and 3).

    ``patient`` is a pseudonymous code. ``protocol_sha256`` is the hash of the protocol file's bytes and
    ``protocol_text`` the file itself, so that the record can be read when the file is long gone. ``board`` holds the
    board's own facts (name, serial, firmware ...) as JSON values. ``extra`` is for anything else, also JSON values.
    """

    patient: str
    protocol_title: str
    protocol_kind: str
    protocol_sha256: str
    protocol_text: str
    simulated: bool
    board: Mapping[str, object]
    stimctl_version: str
    side: str = ""
    emg: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class Event:
    """One row as read back. ``mono_us`` is the session's monotonic clock, ``wall`` UTC as ISO 8601, ``hash`` is hex."""

    seq: int
    session: str
    mono_us: int
    wall: str
    kind: str
    payload: dict[str, object]
    hash: str


@final
@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in a list. ``duration_us`` spans its first to its last row; ``bursts`` counts delivered bursts.

    ``why`` says what kept it from a regular end, as far as the record tells: the stop or fault that was in force to
    the last, or the answer in the screening. ``treated`` is ``False`` when the screening ended it.
    """

    id: str
    started: str
    patient: str
    protocol: str
    simulated: bool
    outcome: str
    duration_us: int
    bursts: int
    why: str = ""
    treated: bool = True


@final
@dataclass(frozen=True, slots=True)
class Verdict:
    """What :func:`stimctl.records.reading.verify` found.

    ``rows`` were read in all or up to the first bad one; ``first_bad`` is the sequence number where the chain
    breaks (``None``: all is well, or the fault is not in one row), ``why`` says how. ``head`` is the last good
    row's hash in hex: whoever notes it on paper can later prove that nothing up to it was changed or cut off.
    """

    ok: bool
    rows: int
    first_bad: int | None
    why: str
    head: str
