"""The low level: this computer asks for each pulse, and what nobody asks for does not come.

A pulse leaves in a round of the control loop, one for one round, and never before the one before it was answered: nothing waits in
the board that a stop would have to overtake. The board answers after the pulse. A period is counted from that answer, so that two
pulses of an output are never closer than was judged, whatever the line and the loop have held up; what comes late moves all
that follows, and what was missed is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from stimctl.boards.reference.messages import OutputReport
from stimctl.boards.sciencemode4 import messages as m
from stimctl.boards.sciencemode4.codes import COLOURS, Command, HighVoltage, Status
from stimctl.boards.sciencemode4.devices import Device
from stimctl.boards.sciencemode4.patterns import patterns_of
from stimctl.driver.sciencemode4.level import Level, Seen, Setting
from stimctl.driver.worn import Worn
from stimctl.pulse import Command as Order
from stimctl.pulse import Output, PulseTrain
from stimctl.safety import Approved
from stimctl.units import MS

SLOW_MHZ: Final = 10_000
"""Up to this rate a computer times each pulse (project): all of acupuncture-like TENS, each of whose pulses is felt by itself.

Faster trains are felt as one, and a hand that they hold up must not hang from how punctual a program is.
"""

ROOM_US: Final = 20 * MS
"""A look leaves so much time before a pulse: a board answers in 15 ms (P24, seen from Python)."""

YIELDS_US: Final = 50 * MS
"""For so long at most, however many outputs want their pulses."""

_U32: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000
_FED: Final = frozenset({HighVoltage.V30, HighVoltage.V60, HighVoltage.V90, HighVoltage.V120, HighVoltage.V150})


def is_slow(rates_mhz: Iterable[int]) -> bool:
    """Whether the highest rate of every output of a session is so low that its pulses can be asked for one by one."""
    return all(0 < rate_mhz <= SLOW_MHZ for rate_mhz in rates_mhz)


@final
class LowLevel(Level):
    """Each pulse by itself. ``counter`` is that of the control loop's last round before it was armed."""

    opened = Command.LL_INIT_ACK

    def __init__(self, device: Device, counter: int) -> None:
        self.opening = m.LlInit()
        self.look = m.Bare(Command.GET_STIM_STATUS)
        self._tells_where = device.dialect.measures
        self._counter = counter & _U32  # of the round in which the last pulse left
        self._permit: Approved | None = None
        self._periods: dict[int, int] = {}  # what of the permit flows, and how often
        self._has_left = True
        self._trains: dict[int, PulseTrain] = {}  # what the answer awaited is about
        self._given: dict[int, PulseTrain] = {}  # of what flows: as the board has said that it gave it
        self._given_us: dict[int, int] = {}
        self._yields_since_us: int | None = None

    def begun(self, worn: Worn) -> None:
        """Nothing is given that was not asked for: that is known, and looks may begin."""
        worn.taken = Order(())

    # --- saying ----------------------------------------------------------------------------------------------------

    def next_setting(self, worn: Worn, now_us: int) -> None:  # noqa: ARG002 - it leaves when its pulses do
        """The newest takes the place of the one before, which awaits no answer; the board hears of it by its pulses."""
        approved = worn.take_waiting()
        if approved is None:
            return
        worn.dropped += self.unsaid
        self._drop()  # first: what cannot be told raises, and leaves nothing behind
        self._periods = {each.channel: each.period_us for each in patterns_of(approved.command)}
        self._permit, self._has_left = approved, not self._periods  # zero takes effect by itself
        self._given = {output: self._given[output] for output in self._periods if output in self._given}
        worn.taken = self._flowing

    def next_pulse(self, worn: Worn, counter: int, now_us: int) -> Setting | None:
        """The one that has been due for longest, if the loop has come round since the last."""
        self.next_setting(worn, now_us)
        advanced = 0 < (counter - self._counter) & _U32 < _HALF
        due_us = self.due_us()
        if self._permit is None or due_us is None or due_us > now_us or not advanced:
            return None
        self._counter = counter & _U32
        output = min(self._periods, key=lambda each: (self._due_us(each), each))
        return Setting(f"a pulse of output {output + 1}", self._permit, Command.LL_CHANNEL_CONFIG_ACK, output)

    def due_us(self) -> int | None:
        """When the next pulse is due."""
        return min(map(self._due_us, self._periods), default=None)

    def _due_us(self, output: int) -> int:
        before_us = self._given_us.get(output)
        return 0 if before_us is None else before_us + self._periods[output]

    def lets_look(self, now_us: int) -> bool:
        """A pulse that is due in a moment comes first."""
        due_us = self.due_us()
        since_us = now_us if self._yields_since_us is None else self._yields_since_us
        if due_us is not None and 0 < due_us - now_us <= ROOM_US and now_us - since_us < YIELDS_US:
            self._yields_since_us = since_us
            return False
        self._yields_since_us = None
        return True

    @property
    def lapses(self) -> bool:
        """Whether there were pulses to come."""
        return bool(self._periods)

    @property
    def unsaid(self) -> int:
        """Whether the setting in force has not left in a pulse."""
        return int(not self._has_left)

    def has_left(self, setting: Setting, worn: Worn) -> None:  # noqa: ARG002 - nothing has been taken yet
        """A pulse is on its way."""
        self.asked, self._has_left = setting.output, True
        self._trains = {each.channel: each.train for each in setting.approved.command.outputs}

    def is_void(self, worn: Worn) -> None:
        """No pulse of it leaves any more."""
        worn.dropped += self.unsaid
        self._drop()

    def _drop(self) -> None:
        self._permit, self._periods, self._has_left = None, {}, True

    # --- hearing ---------------------------------------------------------------------------------------------------

    def was_taken(self, word: m.BoardWord, worn: Worn, count: int, now_us: int) -> Seen | None:
        """A pulse was given."""
        output = self.asked
        if output is None or not isinstance(word, m.ChannelConfigAck):
            return None
        if self._tells_where and word.socket * COLOURS + word.colour != output:
            return Seen(
                (), fault=f"the board says that it gave a pulse elsewhere than at output {output + 1}; {_AGAIN}"
            )
        self._given_us[output], self._given[output] = now_us, self._trains[output]
        worn.taken = self._flowing
        return Seen(self._reports(worn, count))

    def looked(self, word: m.BoardWord, worn: Worn, count: int) -> Seen | None:
        """Whether the level is open, and fed."""
        if not isinstance(word, m.StimStatus):
            return None
        if word.status != Status.LOW_LEVEL:
            return Seen((), fault=f"the board has left the level that it was armed in (status {word.status}); {_LEFT}")
        if word.high_voltage not in _FED:
            return Seen((), fault=f"the board's high voltage failed (it tells {word.high_voltage}); {_FEED}")
        return Seen(self._reports(worn, count))

    @property
    def _flowing(self) -> Order:
        return Order(tuple(Output(output, train) for output, train in sorted(self._given.items())))

    @staticmethod
    def _reports(worn: Worn, count: int) -> tuple[OutputReport, ...]:
        return tuple(OutputReport(worn.told_ua(output), None, None) for output in range(count))


_AGAIN: Final = "look at the pads, switch the board off and on, and if it comes again, have it seen to"
_LEFT: Final = "it restarted, or another program uses it: check its supply, and that nothing else is on the line"
_FEED: Final = "give it a port or charger with enough current, then switch it off and on"
