"""The one door through which a driver's amplitudes leave for an openEMSstim: what it has been told, and what comes next.

Nothing of it is the board's own word.
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

from stimctl.boards.openemsstim.calibration import Calibration
from stimctl.boards.openemsstim.codec import encode
from stimctl.boards.openemsstim.dialects import Dialect
from stimctl.boards.openemsstim.fit import TIME_MS, percent
from stimctl.boards.openemsstim.stopping import CLOSING_US
from stimctl.boards.openemsstim.words import Drive
from stimctl.errors import OurBug
from stimctl.safety import Approved
from stimctl.units import MS, SECOND

TIME_US: Final = TIME_MS * MS

SETTLED_US: Final = 20 * MS
"""A relay whose time ends sooner is left to it: it would be closed again."""

_BYTE_US: Final = 10 * SECOND // 19_200
_PAUSE_US: Final = 5 * MS


class Write(NamedTuple):
    """Bytes, how long until the board has read them, and what it has been told then: percent by channel."""

    data: bytes
    takes_us: int
    percents: dict[int, int]


@final
class Relays:
    """The relays of one board in one armed session."""

    def __init__(self, dialect: Dialect, calibration: Calibration) -> None:
        self._dialect, self._calibration = dialect, calibration
        self._percent: dict[int, int] = {}
        self._ends_us: dict[int, int] = {}

    def closed(self) -> dict[int, int]:
        """Percent of each channel that was told to be on."""
        return {channel: share for channel, share in self._percent.items() if share}

    def has_run_out(self, now_us: int) -> bool:
        """Whether a channel that should be on has been let go by the board: nobody prolonged it in time."""
        return any(self._ends_us[channel] <= now_us for channel in self.closed())

    def change(self, approved: Approved, now_us: int) -> Write:
        """What brings every channel to what was approved, or next below it; what lessens goes first. Empty: nothing to say."""
        wanted = self._wanted(approved)
        closed, off = self.closed(), [n for n, share in wanted.items() if not share]
        told = {n: share for n, share in wanted.items() if share and share != closed.get(n)}
        opened = [n for n in off if n in closed and self._ends_us[n] > now_us + SETTLED_US]
        if opened and not any(wanted.values()) and self._dialect.stop is not None:
            data = encode(self._dialect.stop, self._dialect.form)
        else:
            data = b"".join(encode(Drive(n, 1, 1), self._dialect.form) for n in opened)
        ordered = sorted(told, key=lambda n: (told[n] > closed.get(n, 0), n))
        data += b"".join(encode(Drive(n, told[n], TIME_MS), self._dialect.form) for n in ordered)
        return self._write(data, told | dict.fromkeys(off, 0), len(opened) and self._dialect.channels)

    def prolong(self, approved: Approved) -> Write:
        """The same once more, for as long again, of what was approved last."""
        wanted = self._wanted(approved)
        closed = {n: share for n, share in self.closed().items() if share <= wanted.get(n, 0)}
        data = b"".join(encode(Drive(n, share, TIME_MS), self._dialect.form) for n, share in sorted(closed.items()))
        return self._write(data, closed, 0)

    def wrote(self, write: Write, now_us: int) -> None:
        """It has left at ``now_us``."""
        for channel, share in write.percents.items():
            self._percent[channel] = share
            self._ends_us[channel] = now_us + TIME_US

    def _wanted(self, approved: Approved) -> dict[int, int]:
        """Percent by channel: what was measured to be no more than was approved; 0 is an open relay."""
        if type(approved) is not Approved:
            raise OurBug(f"{type(approved).__name__} is not what the limiter approved")
        return {
            output.channel: percent(self._calibration, output.channel, output.train.amplitude_ua)
            for output in approved.command.outputs
        }

    @staticmethod
    def _write(data: bytes, percents: dict[int, int], opening: int) -> Write:
        return Write(data, len(data) * _BYTE_US + opening * CLOSING_US + _PAUSE_US, percents)
