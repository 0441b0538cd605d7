"""The latch that a stop sets, and the permit that a stop, a lock or a lowering makes void."""

from __future__ import annotations

from operator import is_
from typing import Final, Never, final

from stimctl.errors import OurBug
from stimctl.pulse import Command


class Unique:
    """What there is one of: neither copied nor pickled nor subclassed, so that nobody works on a double by mistake."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if cls.__bases__ != (Unique,):
            raise OurBug(f"{cls.__bases__[0].__name__} has no subclasses")

    def __copy__(self) -> Never:
        raise OurBug(f"a {type(self).__name__} is not copied")

    def __deepcopy__(self, memo: object) -> Never:
        raise OurBug(f"a {type(self).__name__} is not copied")

    def __reduce_ex__(self, protocol: object) -> Never:
        raise OurBug(f"a {type(self).__name__} is not copied")


@final
class Latch(Unique):
    """Set by anything that stops output; shared by the limiter, the driver and the stop path.

    :meth:`trip` may be called from any thread or signal handler at any moment. It is one append to a list, which
    cannot be lost to a race as ``epoch += 1`` can: the length of the list is the epoch, and the latch is tripped
    while trips are in it that nobody has cleared. So no moment exists in which one of the two has changed and the
    other has not.

    It also numbers the permits and knows from which on they are live, so that a lock reaches permits that are already
    in somebody's hands. That part, and :meth:`clear`, belong to the one thread that works with the limiter; others
    only read it.
    """

    __slots__ = ("_cleared", "_live_from", "_trips", "limiters", "serial")

    def __init__(self) -> None:
        self._trips: list[str] = []
        self._cleared = 0
        self._live_from = self.serial = 0
        """The number of the newest permit."""
        self.limiters = 0
        """How many limiters have been made on this latch: the last one alone approves."""

    @property
    def epoch(self) -> int:
        """How often the latch has been tripped; only grows."""
        return len(self._trips)

    @property
    def tripped(self) -> bool:
        """Whether output must stay at zero."""
        return len(self._trips) != self._cleared

    def live_epoch(self) -> int:
        """The epoch while the latch is clear, -1 while it is tripped: one look for what is asked of every command."""
        trips = len(self._trips)
        return trips if trips == self._cleared else -1

    @property
    def reason(self) -> str:
        """What tripped it first since it was last clear; empty when clear."""
        later = self._trips[self._cleared :]
        return later[0] if later else ""

    def trip(self, reason: str) -> None:
        """Stop: everything approved until now is void, and nothing is approved until a person clears the latch."""
        self._trips.append(reason)

    def take_over(self) -> int:
        """A new limiter begins: what earlier ones approved is void. Its number."""
        self.void()
        self.limiters += 1
        return self.limiters

    def void(self, before: int | None = None) -> None:
        """Make permits void: those with a number below ``before``, or all until now. None comes to life again."""
        self._live_from = max(self._live_from, self.serial + 1 if before is None else before)

    def is_void(self, serial: int) -> bool:
        """Whether the permit of this number was taken back."""
        return serial < self._live_from

    def clear(self) -> None:
        """A person's deliberate act. The epoch stays, so what was approved before the stop stays void."""
        self._cleared = len(self._trips)


_SEAL: Final = object()


@final
class Approved(Unique):
    """A command that the limiter has judged: the only thing that a codec turns into amplitudes.

    The limiter alone makes these, and nothing copies, pickles, changes or subclasses them. What a permit says stands in
    one tuple, sealed and bound to this very object, beside every integer that was judged: a permit whose facts were
    moved to another object, or whose command was written to since, is not live. Python stops nobody who is determined
    (this module's private names are in everyone's reach): this guards against mistakes and tricks, not against malice.
    """

    __slots__ = ("_sealed",)

    _sealed: tuple[object, int, Command, tuple[object, ...], int, Latch, int]

    def __init__(self, *_: object) -> None:
        raise OurBug("only the limiter approves")

    @property
    def command(self) -> Command:
        """What was judged."""
        return self._sealed[2]

    @property
    def epoch(self) -> int:
        """The latch's epoch when it was judged."""
        return self._sealed[4]

    @property
    def latch(self) -> Latch:
        """The latch under which it was judged."""
        return self._sealed[5]

    @property
    def serial(self) -> int:
        """Its number among the permits of its latch."""
        return self._sealed[6]

    def is_live(self) -> bool:
        """Whether this may still leave: made by the limiter and unchanged, no stop since or in force, not taken back."""
        sealed = getattr(self, "_sealed", None)
        if type(sealed) is not tuple or sealed[0] is not _SEAL or sealed[1] != id(self):
            return False
        _, _, command, words, epoch, latch, serial = sealed
        return epoch == latch.live_epoch() and not latch.is_void(serial) and _is_unchanged(command, words)

    def __setattr__(self, name: str, value: object) -> None:
        raise OurBug("what is approved does not change")

    def __delattr__(self, name: str) -> None:
        raise OurBug("what is approved does not change")

    def __repr__(self) -> str:
        if not hasattr(self, "_sealed"):
            return "<Approved nothing>"
        return f"<Approved {self.command} at epoch {self.epoch}>"


def _words(command: Command) -> tuple[object, ...]:
    """The outputs of a command and every integer in them, written out because it runs for every command."""
    words: list[object] = [command.outputs]
    for output in command.outputs:
        t = output.train
        words += (
            output.channel,
            t.amplitude_ua,
            t.phase_width_us,
            t.interphase_gap_us,
            t.recovery_amplitude_ua,
            t.recovery_width_us,
            t.rate_mhz,
            t.pulses_per_period,
        )
    return tuple(words)


def _is_unchanged(command: Command, words: tuple[object, ...]) -> bool:
    """Whether a command still holds the very objects that were judged: equal ones could be lying about it."""
    try:
        return command.outputs is words[0] and all(map(is_, _words(command), words))
    except AttributeError:
        return False


# The slot's own setter: the one way past __setattr__, and quicker than object.__setattr__.
_blank = object.__new__
_seal = Approved.__dict__["_sealed"].__set__


def approve(command: Command, epoch: int, latch: Latch) -> Approved:
    """Mint a permit; for the limiter, in this room, and nobody else."""
    permit = _blank(Approved)
    latch.serial = serial = latch.serial + 1
    _seal(permit, (_SEAL, id(permit), command, _words(command), epoch, latch, serial))
    return permit
