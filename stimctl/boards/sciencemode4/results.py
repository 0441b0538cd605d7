"""What a result means to whoever stands beside the patient, and what to do about it; the number stands in any case."""

from __future__ import annotations

from typing import Final, NamedTuple, final

from stimctl.boards.sciencemode4.codes import ChannelState, Result, result_text

_PADS: Final = "check that pads, cables and gel are in place, then clear"
_AGAIN: Final = "switch the board off and on; if it comes again, have it seen to"


@final
class Meaning(NamedTuple):
    """``pads``: it is about what is stuck on, and not about the board."""

    text: str
    pads: bool = False


_MEANINGS: Final = {
    Result.TRANSFER: Meaning("a command reached the board damaged; check the cable"),
    Result.PARAMETER: Meaning("the board does not take these settings; this is a fault of stimctl or of the firmware"),
    Result.PROTOCOL_VERSION: Meaning("the board speaks another version; check that the right board was named"),
    Result.STIMULATION_TIMEOUT: Meaning(f"the board's stimulation unit does not answer; {_AGAIN}"),
    Result.NOT_INITIALISED: Meaning(
        "the board has left the level that it was armed in: it restarted, or heard nothing for too long; check its supply"
    ),
    Result.HIGH_VOLTAGE: Meaning(
        "the board's high voltage failed; give it a port or charger with enough current, then switch it off and on"
    ),
    Result.DEMUX_TIMEOUT: Meaning(f"the board's channel switch does not answer; {_AGAIN}"),
    Result.ELECTRODE: Meaning(f"electrode error: {_PADS}", pads=True),
    Result.COMMAND_UNKNOWN: Meaning("the board does not know a command; check that the right board was named"),
    Result.PULSE_TIMEOUT: Meaning("the pulses do not fit into their period; use a lower rate or fewer outputs"),
    Result.FUEL_GAUGE: Meaning("the board cannot tell how full its battery is; charge it, or have it seen to"),
    Result.BUSY: Meaning("the board is busy with something else; wait, then try again"),
    Result.FUEL_GAUGE_NOT_PROGRAMMED: Meaning(
        "the board cannot tell how full its battery is; charge it, or have it seen to"
    ),
    Result.PULSE_CURRENT_LOW: Meaning(f"the current does not reach what was set: {_PADS}, or set less", pads=True),
}

_OF_STATE: Final = {
    ChannelState.ELECTRODE: Result.ELECTRODE,
    ChannelState.PULSE_TIMEOUT: Result.PULSE_TIMEOUT,
    ChannelState.CURRENT_LOW: Result.PULSE_CURRENT_LOW,
}


def meaning(result: int) -> Meaning:
    """What a result other than good means; a number without a name says so itself."""
    known = _MEANINGS.get(Result(result)) if result in _NAMED else None
    if known is None:
        return Meaning(f"the board reports an error; {_AGAIN} ({result_text(result)})")
    return Meaning(f"{known.text} ({result_text(result)})", known.pads)


def state_meaning(state: int) -> Meaning:
    """What one channel's state other than good means."""
    if state in _STATES:
        return meaning(_OF_STATE[ChannelState(state)])
    return Meaning(f"the board reports an error of this output; {_AGAIN} (state {state}, no known meaning)")


_NAMED: Final = frozenset(map(int, Result))
_STATES: Final = frozenset(map(int, _OF_STATE))
