"""The mid level: the board repeats what it was told until it is told otherwise, or hears nothing for 2 s."""

from __future__ import annotations

from typing import Final, final

from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import Command
from stimctl.boards.sciencemode4.devices import Device
from stimctl.driver.sciencemode4.level import Level, Seen, Setting
from stimctl.driver.sciencemode4.looking import look
from stimctl.driver.worn import Worn

_UPDATE: Final = "the newest setting"


@final
class MidLevel(Level):
    """An update is the whole picture, and Get_current_data is both the look and what keeps the board going."""

    opened = Command.ML_INIT_ACK

    def __init__(self, device: Device) -> None:
        self.opening = m.MlInit(device.stop_all_on_error)
        self.look = m.GetCurrentData(device.selection)

    def begun(self, worn: Worn) -> None:
        """Nothing is known of what runs before an update was taken."""

    def next_setting(self, worn: Worn, now_us: int) -> Setting | None:  # noqa: ARG002 - whatever the time
        """The newest, as a whole."""
        approved = worn.take_waiting()
        return None if approved is None else Setting(_UPDATE, approved, Command.ML_UPDATE_ACK)

    def has_left(self, setting: Setting, worn: Worn) -> None:
        """It is on its way."""
        worn.out = setting.approved.command

    def is_void(self, worn: Worn) -> None:
        """It is dropped."""
        worn.dropped += 1

    def was_taken(self, word: m.BoardWord, worn: Worn, count: int, now_us: int) -> None:  # noqa: ARG002 - it says no more
        """From now on the board repeats it; how, the next look shows."""
        worn.was_taken()

    def looked(self, word: m.BoardWord, worn: Worn, count: int) -> Seen | None:
        """What each output does."""
        if not isinstance(word, m.ChannelStates | m.ElectrodeErrors):
            return None
        outputs, complaints = look(word, worn, count)
        return Seen(outputs, tuple(complaints))
