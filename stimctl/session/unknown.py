"""What a face says instead of "use the stop switch" where the board has none."""

from __future__ import annotations

from stimctl.boards import BoardFacts
from stimctl.driver import OutputState


def output_words(output: OutputState, facts: BoardFacts | None) -> str:
    """Where to reach when nobody knows what flows: not every board has a stop switch, and all have leads. Else ""."""
    if output is not OutputState.UNKNOWN or facts is None or facts.stop_switch:
        return ""
    return "OUTPUT UNKNOWN - PULL THE ELECTRODE LEADS"
