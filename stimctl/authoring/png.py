"""An SVG as PNG, by a library that needs nothing of the system but a typeface: resvg, which comes with ``stimctl[png]``.

What has no typeface is drawn without its words, and nobody is told: so it is tried on one letter first.
"""

from __future__ import annotations

from typing import Any, Final

from stimctl.errors import UsageError

MISSING: Final = (
    "a PNG needs the package resvg-py: install it with  pip install 'stimctl[png]'  or write an SVG,"
    " which every browser shows"
)
WORDLESS: Final = (
    "a PNG needs a typeface, and this computer has none that is known here: install one, such as DejaVu Sans"
    " (Debian and Ubuntu: fonts-dejavu-core), or write an SVG, which every browser shows"
)

TYPEFACES: Final = (
    *("DejaVu Sans", "Verdana", "Arial", "Helvetica", "Segoe UI", "Liberation Sans", "Noto Sans", "Open Sans"),
    *("Roboto", "Ubuntu", "Cantarell", "FreeSans", "Nimbus Sans", "Arimo", "Carlito", "Inter", "Lato"),
)
"""What systems have in the place of the general "sans-serif", the first that looks best."""

_BLANK: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
_LETTER: Final = _BLANK.format('<text x="2" y="16" font-family="sans-serif" font-size="16">H</text>')


def png(document: str) -> bytes:
    """``document`` as a PNG of twice its size in pixels; raises :class:`UsageError` where it cannot be drawn whole."""
    try:
        import resvg_py
    except ImportError:
        raise UsageError(MISSING) from None
    return bytes(resvg_py.svg_to_bytes(svg_string=document, zoom=2, sans_serif_family=_typeface(resvg_py)))


def _typeface(painter: Any) -> str:
    """The first typeface that leaves ink; raises :class:`UsageError` when none does."""
    blank = painter.svg_to_bytes(svg_string=_BLANK.format(""))
    for name in TYPEFACES:
        if painter.svg_to_bytes(svg_string=_LETTER, sans_serif_family=name) != blank:
            return name
    raise UsageError(WORDLESS)
