"""The latch that a stop sets, and the permit that a stop, a lock or a lowering makes void."""

from __future__ import annotations

from typing import Final, Never, final

from stimctl.errors import OurBug
from stimctl.pulse import Command


@final
class Latch:
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
        self._live_from = 0
        self.serial = 0
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
class Approved:
    """A command that the limiter has judged: the only thing that a codec turns into amplitudes.

    The limiter alone makes these, and nothing copies, pickles, changes or subclasses them; so a permit cannot be
    forged by accident, or casually. Python stops nobody who is determined (``object.__setattr__`` and this module's
    private seal are in everyone's reach): this guards against mistakes, not against malice.
    """

    __slots__ = ("_seal", "command", "epoch", "latch", "serial")

    command: Command
    epoch: int
    latch: Latch
    serial: int

    def __init__(self, *_: object) -> None:
        raise OurBug("only the limiter approves")

    def is_live(self) -> bool:
        """Whether this may still leave: made by the limiter, no stop since and none in force, and not taken back."""
        latch = getattr(self, "latch", None)
        return (
            type(latch) is Latch
            and getattr(self, "_seal", None) is _SEAL
            and self.epoch == latch.live_epoch()
            and not latch.is_void(self.serial)
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise OurBug("what is approved does not change")

    def __delattr__(self, name: str) -> None:
        raise OurBug("what is approved does not change")

    def __init_subclass__(cls) -> Never:
        raise OurBug("Approved has no subclasses")

    def __copy__(self) -> Never:
        raise OurBug("a permit is not copied")

    def __deepcopy__(self, memo: object) -> Never:
        raise OurBug("a permit is not copied")

    def __reduce_ex__(self, protocol: object) -> Never:
        raise OurBug("a permit is not copied")

    def __repr__(self) -> str:
        return f"<Approved {getattr(self, 'command', None)} at epoch {getattr(self, 'epoch', None)}>"


# The slots' own setters: the one way past __setattr__, and quicker than object.__setattr__.
_blank = object.__new__
_set_seal = Approved.__dict__["_seal"].__set__
_set_command = Approved.__dict__["command"].__set__
_set_epoch = Approved.__dict__["epoch"].__set__
_set_latch = Approved.__dict__["latch"].__set__
_set_serial = Approved.__dict__["serial"].__set__


def approve(command: Command, epoch: int, latch: Latch) -> Approved:
    """Mint a permit; for the limiter, in this room, and nobody else."""
    permit = _blank(Approved)
    _set_seal(permit, _SEAL)
    _set_command(permit, command)
    _set_epoch(permit, epoch)
    _set_latch(permit, latch)
    latch.serial += 1
    _set_serial(permit, latch.serial)
    return permit
