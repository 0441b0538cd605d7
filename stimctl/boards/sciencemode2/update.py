"""The one door through which a driver's amplitudes leave for a board that speaks ScienceMode 2."""

from __future__ import annotations

from stimctl.boards.sciencemode2.lists import NOTHING, group
from stimctl.boards.sciencemode2.messages import InitChannelList, StartChannelList
from stimctl.boards.sciencemode2.output import encode_output
from stimctl.errors import OurBug
from stimctl.safety import Approved


def encode_approved(approved: Approved, listed: InitChannelList, *, number: int) -> bytes:
    """The frame that makes the board's list give what was approved, and nothing else; ``number`` is 0 to 255.

    A channel of the list that is not named, or is at zero, gives nothing: the board takes no list with one left out.
    Raises :class:`OurBug` for anything but an ``Approved``, for an output that is named twice or is not in the list, and
    :class:`~stimctl.boards.sciencemode.fit.DoesNotFit` for what the board cannot be told exactly.
    """
    if type(approved) is not Approved:
        raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
    trains = {output.channel + 1: output.train for output in approved.command.outputs}
    if len(trains) != len(approved.command.outputs):
        raise OurBug(f"one update names an output twice: {[each.channel for each in approved.command.outputs]}")
    if strangers := trains.keys() - set(listed.active):
        raise OurBug(f"channels {sorted(strangers)} are not in the list {listed.active}")
    groups = [group(trains[channel], listed) if channel in trains else NOTHING for channel in listed.active]
    return encode_output(StartChannelList(tuple(groups)), number)
