"""What stops a RehaStim 2: one write, made when this is imported.

Its answer says that the word was taken. That nothing flows is said by GetStimulationMode alone: mode *start*, no list.
``BREAK`` ends whatever half frame stands before it in the line.
"""

from __future__ import annotations

from typing import Final

from stimctl.boards.sciencemode.framing import BREAK
from stimctl.boards.sciencemode2.codec import STOP_FRAME

STOP: Final = BREAK + STOP_FRAME
