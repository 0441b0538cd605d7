"""An SVG as PNG, by a library that needs nothing of the system: resvg, which comes with ``stimctl[png]``."""

from __future__ import annotations

from stimctl.errors import UsageError

MISSING = (
    "a PNG needs the package resvg-py: install it with  pip install 'stimctl[png]'  or write an SVG,"
    " which every browser shows"
)


def png(document: str) -> bytes:
    """``document`` as a PNG of twice its size in pixels; raises :class:`UsageError` without the package."""
    try:
        import resvg_py
    except ImportError:
        raise UsageError(MISSING) from None
    return bytes(resvg_py.svg_to_bytes(svg_string=document, zoom=2))
