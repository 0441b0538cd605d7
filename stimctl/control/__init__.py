"""The control process: the terminal's tap, the stop thread, the control loop, and the handle that faces hold.

::

    terminal ──bytes──▶ STOP THREAD ──the same bytes──▶ face (child, Textual)
    signals  ─────────▶     │  ▲                          │    ▲
                            │  └───── STOP, one byte ─────┤    │
                    stop_now│                      orders,│    │status
                            ▼                        beats▼    │
                       SESSION ◀──tick── CONTROL LOOP (main thread)

The stop thread calls ``session.stop_now`` before it does anything else with what it read, so a stop never waits for
painting, for a queue, or for the face to be alive. Nothing else runs in this process that could hold it up.

Doors: :func:`run_with_face` and :func:`run_headless` for who starts a session, :func:`run_face` and
:class:`FaceLink` for a face.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from stimctl.control.child import FACE
    from stimctl.control.clock import Clock, RealClock, VirtualClock
    from stimctl.control.contract import Ending, Operator, Outcome, SessionLike
    from stimctl.control.link import FaceLink, face_link, link_pair, run_face
    from stimctl.control.port import FacePort
    from stimctl.control.running import run_headless, run_with_face

__all__ = [
    "FACE",
    "Clock",
    "Ending",
    "FaceLink",
    "FacePort",
    "Operator",
    "Outcome",
    "RealClock",
    "SessionLike",
    "VirtualClock",
    "face_link",
    "link_pair",
    "run_face",
    "run_headless",
    "run_with_face",
]

_HOMES: Final = {
    "Clock": "clock",
    "Ending": "contract",
    "FACE": "child",
    "FaceLink": "link",
    "FacePort": "port",
    "Operator": "contract",
    "Outcome": "contract",
    "RealClock": "clock",
    "SessionLike": "contract",
    "VirtualClock": "clock",
    "face_link": "link",
    "link_pair": "link",
    "run_face": "link",
    "run_headless": "running",
    "run_with_face": "running",
}
"""Where each name stands. Fetched when asked for: `stimctl check` passes here and needs no sockets, signals or threads."""


def __getattr__(name: str) -> Any:
    """The door called ``name``, opened on its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
