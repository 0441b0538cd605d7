"""What is asked before a session is left, in one line that names the key and what the record will say."""

from __future__ import annotations

from typing import Final

from stimctl.orders import OrderKind, OutputWord, Stage, Status

STOPPED: Final = "Stopped first. Enter quits; if the board did not confirm, use the stop switch."
QUIT: Final = "Quit and end this session? Enter quits, any other key stays."
UNCONFIRMED: Final = "Zero is not confirmed: use the stop switch. Enter closes all the same, output recorded as unknown"
NOT_CLOSED: Final = "Not closed yet. Enter leaves all the same: the board is stopped once more, and the record ends."


def closes(status: Status) -> bool:
    """Whether the session can be closed, as against being left in the middle."""
    return status.stage is Stage.REVIEW and OrderKind.CLOSE in status.can


def question(status: Status, missing: str, *, asked: bool) -> str:
    """What to ask; "" where nothing needs asking. ``missing`` is what the review lacks; ``asked``: a close was sent."""
    confirmed = status.output is OutputWord.OFF
    if not closes(status):
        return QUIT if confirmed else STOPPED
    if asked:
        return "" if confirmed else NOT_CLOSED
    if not confirmed:
        return f"{UNCONFIRMED}.{f' {missing}.' if missing else ''}"
    return f"{missing}. Enter closes anyway, any other key goes back." if missing else ""
