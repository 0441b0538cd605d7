"""What stops a board that speaks ScienceMode 3 or 4: one write, made when this is imported.

Only one level can be active, and the stop of the other is answered with an error that changes nothing: both go out, so
that nobody has to know which it is. ``BREAK`` ends whatever half frame stands before them in the line.
"""

from __future__ import annotations

from typing import Final

from stimctl.boards.sciencemode.framing import BREAK
from stimctl.boards.sciencemode4.codec import LL_STOP_FRAME, ML_STOP_FRAME

STOP: Final = BREAK + ML_STOP_FRAME + LL_STOP_FRAME
"""Says it all in one write; confirmed by Get_stim_status alone: no level active, high voltage off."""
