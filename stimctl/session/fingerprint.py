"""Which numbers judged a session: one hash over every bound of :mod:`stimctl.limits` (hazard H54).

A record that is read years later, or a copy of the program that somebody changed, can be told from another by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from typing import cast

from stimctl import limits


@cache
def limits_sha256() -> str:
    """The hash of all bounds by name, in hexadecimal. Whole numbers alone, so that it is the same everywhere."""
    public = sorted((name, value) for name, value in vars(limits).items() if name.isupper() and name[0] != "_")
    rows = [f"{name} {_text(value)}" for name, value in public]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _text(value: object) -> str:
    if is_dataclass(value):
        return _text(asdict(cast("limits.Limits", value)))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_text(each)}" for key, each in sorted(value.items())) + "}"
    return str(value)
