"""The options of streams (LSL), for every command that holds a session."""

from __future__ import annotations

import argparse
from typing import Final

SCOPES: Final = ("machine", "link", "site")

ANGLE: Final = "a goniometer or glove, in degrees: lsl:NAME#CHANNEL or file:PATH"
OUT: Final = "send markers and measured current as LSL streams of this name; see docs/lsl.md"
SCOPE: Final = "how far LSL streams are looked for and sent: machine (default), link, site"


def options(parser: argparse._ActionsContainer, prefix: str = "") -> None:
    """Add them; ``prefix`` begins their names in the result."""
    parser.add_argument("--angle", dest=f"{prefix}angle", metavar="URL", help=ANGLE)
    parser.add_argument("--lsl-out", dest=f"{prefix}lsl_out", metavar="NAME", help=OUT)
    parser.add_argument("--lsl-scope", dest=f"{prefix}lsl_scope", metavar="SCOPE", choices=SCOPES, help=SCOPE)
