"""Read-back of a P24 or RehaMove3: whether its outputs do what they took. Neither tells a current, so there is none to judge.

What the board itself calls an error of an output needs one answer; what only seems wrong needs two running (H22, F.3).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stimctl.boards.reference.codes import Trouble
from stimctl.boards.reference.messages import OutputReport
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import ChannelState
from stimctl.boards.sciencemode4.results import state_meaning
from stimctl.driver.health import Complaint
from stimctl.driver.worn import Worn
from stimctl.units import ma_text


class _Seen(NamedTuple):
    """``active`` is ``None`` where the board does not tell it of each output."""

    active: bool | None
    state: int


_TROUBLE: Final = {ChannelState.GOOD: Trouble.NONE, ChannelState.ELECTRODE: Trouble.OPEN}


def quiet_outputs(count: int) -> tuple[OutputReport, ...]:
    """Outputs of which the board has said that no level is active and nothing feeds them; measured is nothing."""
    return (OutputReport(0, None, None),) * count


def look(
    word: m.ChannelStates | m.ElectrodeErrors, worn: Worn, count: int
) -> tuple[tuple[OutputReport, ...], list[Complaint]]:
    """What each output does, by the board's word, and what is wrong with that."""
    outputs, complaints = [], []
    for number in range(count):
        seen, told_ua = _seen(word, number, worn), worn.told_ua(number)
        complaints += _judge(number, seen, told_ua, worn)
        trouble = Trouble.HARDWARE if seen.state not in _TROUBLE else _TROUBLE[ChannelState(seen.state)]
        outputs.append(OutputReport(0 if seen.active is False else told_ua, None, None, trouble))
    return tuple(outputs), complaints


def _seen(word: m.ChannelStates | m.ElectrodeErrors, number: int, worn: Worn) -> _Seen:
    if isinstance(word, m.ChannelStates):
        return _Seen(word.active[number], word.states[number])
    # One bit for all: it is told of outputs that should run. Of those that should not, nothing is known (decision 16).
    active = word.running if worn.told_ua(number) else None
    return _Seen(active, ChannelState.ELECTRODE if word.errors[number] else ChannelState.GOOD)


def _judge(number: int, seen: _Seen, told_ua: int, worn: Worn) -> list[Complaint]:
    complaints = []
    has_part = number in worn.outputs
    if seen.state != ChannelState.GOOD and (has_part or seen.active):
        meant = state_meaning(seen.state)
        complaints.append(Complaint(number, meant.text, pads=meant.pads and has_part))
    if worn.holds("silent", number, wrong=bool(told_ua) and seen.active is False):
        text = f"does not run where {ma_text(told_ua)} mA were set: the board has switched it off by itself"
        complaints.append(Complaint(number, text))
    if worn.holds("running", number, wrong=not told_ua and seen.active is True):
        text = "runs where it was set to zero" if has_part else "runs, and has no part in this session"
        complaints.append(Complaint(number, text))
    return complaints
