"""What a result means to whoever stands beside the patient, and what to do about it; the number stands in any case."""

from __future__ import annotations

from typing import Final

from stimctl.boards.sciencemode2.codes import Result, StimulationError, result_text

_AGAIN: Final = "switch the board off and on; if it comes again, have it seen to"

_RESULTS: Final[dict[int, str]] = {
    Result.TRANSFER: "a command reached the board damaged; check the cable",
    Result.PARAMETER: "the board does not take these settings; this is a fault of stimctl or of the firmware",
    Result.WRONG_MODE: (
        "the board has left the mode that it was armed in: it restarted, or heard nothing for too long; check its supply"
    ),
    Result.BUSY: "the board is busy with something else; wait, then try again",
}

_ERRORS: Final[dict[int, str]] = {
    StimulationError.EMERGENCY_SWITCH: (
        "the emergency switch is pressed, or not plugged in: release it or plug it in, look at the patient, then clear"
    ),
    StimulationError.ELECTRODE: (
        "electrode error, and the board does not tell of which output: check that all pads, cables and gel are in place,"
        " then clear"
    ),
    StimulationError.STIMULATION_MODULE: f"the board's stimulation module failed; {_AGAIN}",
}


def meaning(result: int) -> str:
    """What a result other than good means; a number without a name says so itself."""
    return f"{_RESULTS.get(result, f'the board reports an error; {_AGAIN}')} ({result_text(result)})"


def error_meaning(error: int) -> str:
    """Why the board has stopped by itself."""
    return f"{_ERRORS.get(error, f'the board has stopped by itself; {_AGAIN}')} (error {error})"


def is_about_pads(error: int) -> bool:
    """Whether an error is about what is stuck on, and not about the board."""
    return error == StimulationError.ELECTRODE
