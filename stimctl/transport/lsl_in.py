"""LSL streams that are read: found by what they say of themselves, and pulled without ever waiting."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from stimctl.errors import LinkLost, UsageError
from stimctl.transport.lsl import MACHINE, keep_here, library, scope

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

FIND_S: Final = 3.0
"""How long to look for a stream that is named. Senders answer within 0.6 s on one computer (measured)."""

ALONE_S: Final = 1.0
"""How long to look for another one of the same name, so that the first to answer is not taken for the only one."""

LIST_S: Final = 0.7
OPEN_S: Final = 2.0
"""How long a stream that was found may take to open, and to say which channels it has."""

BUFFER_S: Final = 1
"""What liblsl keeps of a stream that nobody reads; older samples are of no use."""

MOST: Final = 8_192
"""Samples taken in one pull at the most; what is left has the next one."""

LOOK_S: Final = 1.0
"""How long each search for a stream takes that was lost."""

CORRECT_S: Final = 1.0
"""How often the sender's clock is compared again; liblsl measures it every two seconds, in a thread of its own."""

_NUMBERS: Final = ("float32", "double64", "int8", "int16", "int32", "int64")
_CLOSED: Final = "it was let go of"


# --- what is found -----------------------------------------------------------------------------------------------


class Pulled(NamedTuple):
    """Samples of one channel, oldest first, and how long ago each was taken when they were pulled, in µs."""

    values: Floats
    ages_us: Floats


@final
@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a stream says of itself. ``labels`` and ``units`` of its channels are "" where it says nothing."""

    name: str
    kind: str
    source_id: str
    host: str
    rate_hz: float
    labels: tuple[str, ...]
    units: tuple[str, ...]

    @property
    def format(self) -> tuple[object, ...]:
        """What must not change where a stream comes back."""
        return self.rate_hz, self.labels, self.units

    def __str__(self) -> str:
        """As a list for a person shows it."""
        return f"{_clean(self.name)} ({_clean(self.kind) or 'no type'}, {len(self.labels)} channels at {self.rate_hz:g} Hz, {self.host})"


def find(key: str, value: str) -> Stream:
    """The one stream whose ``key`` (name, type or source_id) is ``value``, open; takes :data:`FIND_S` and a little.

    Raises :class:`UsageError` for none, for several, and for one that has no even rate or no numbers.
    """
    pylsl, predicate = library(), _equals(key, value)
    found = pylsl.resolve_bypred(predicate, 2, ALONE_S) or pylsl.resolve_bypred(predicate, 1, FIND_S - ALONE_S)
    if len(found) > 1:
        raise UsageError(
            f"there are {len(found)} LSL streams whose {key} is {value!r}: {_list(found)}; name one by its source_id, as in"
            " --emg lsl:source_id=..."
        )
    if not found:
        others = _list(pylsl.resolve_streams(LIST_S))
        raise UsageError(
            f"no LSL stream whose {key} is {value!r} was found {_where()} within {FIND_S:g} s; there"
            f" {f'are: {others}' if others else 'is none at all'}"
        )
    return Stream(found[0])


def _where() -> str:
    return "on this computer (--lsl-scope link looks beyond it)" if scope() == MACHINE else f"in the scope {scope()!r}"


def _equals(key: str, value: str) -> str:
    """An XPath predicate; the language has no way to escape a quote."""
    quote = '"' if "'" in value else "'"
    if not value or quote in value or not value.isprintable():
        raise UsageError(f"{value!r} cannot be the {key} of an LSL stream that is looked for")
    return f"{key}={quote}{value}{quote}"


def _list(found: list[Any]) -> str:
    shown = [
        f"{_clean(each.name())} (source_id {_clean(each.source_id()) or 'none'}, {_clean(each.hostname())})"
        for each in found[:8]
    ]
    return ", ".join(shown) + (", ..." if len(found) > 8 else "")


def _clean(said: str) -> str:
    """What a stream says, fit for a line: anybody may have written it."""
    return "".join(sign if sign.isprintable() else "?" for sign in said[:80])


def _refuse(info: Any) -> None:
    """What cannot be listened to, in one line."""
    name = _clean(info.name())
    if info.nominal_srate() <= 0:
        raise UsageError(f"the LSL stream {name} has no even rate: it carries events, and not samples")
    if not any(getattr(library(), f"cf_{word}") == info.channel_format() for word in _NUMBERS):
        raise UsageError(f"the LSL stream {name} carries text, and not numbers")


# --- what is read --------------------------------------------------------------------------------------------------


@final
class _Line:
    """One connection to a sender."""

    def __init__(self, info: Any) -> None:
        pylsl = library()
        self._asked_s = pylsl.local_clock()
        self._correction_s: float | None = None
        # Not to be recovered by liblsl, which would do so in silence: a break has to be seen.
        self._inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S, recover=False)
        self._inlet.open_stream(OPEN_S)
        self.facts = _facts(self._inlet.info(OPEN_S))
        self._correct()
        keep_here()

    def _correct(self) -> None:
        """Ask how far the sender's clock is off. The answer comes from a thread of liblsl's, a moment after the first time."""
        pylsl = library()
        first = self._correction_s is None
        try:
            self._correction_s = self._inlet.time_correction(0.0)
        except pylsl.util.TimeoutError:
            return
        if first:
            keep_here()  # the socket that asks the time was opened by that thread

    def pull(self, channel: int) -> Pulled | None:
        """As :meth:`Stream.pull`; raises :class:`RuntimeError` where the sender is gone."""
        pylsl = library()
        values, stamps = self._inlet.pull_chunk(0.0, max_samples=MOST, as_numpy=True)
        now_s = pylsl.local_clock()
        if self._correction_s is None or not 0 <= now_s - self._asked_s < CORRECT_S:
            self._asked_s = now_s
            self._correct()
        if self._correction_s is None or not len(stamps):
            return None
        return Pulled(values[:, channel].astype("float64"), (now_s - self._correction_s - stamps) * 1e6)


@final
class Stream:
    """An open stream. :meth:`pull` never waits; one whose sender went is looked for again, in a thread of its own."""

    def __init__(self, info: Any) -> None:
        _refuse(info)
        try:
            self._line: _Line | None = _Line(info)
        except RuntimeError as error:  # pylsl's own kinds are all of this one
            raise UsageError(f"the LSL stream {_clean(info.name())} was found and cannot be opened: {error}") from None
        self.facts = self._line.facts
        self._lost = ""
        self._found: _Line | None = None
        said = (("name", self.facts.name), ("type", self.facts.kind), ("source_id", self.facts.source_id))
        self._identity = " and ".join(_equals(key, value) for key, value in said if value)

    def pull(self, channel: int) -> Pulled | None:
        """What has come of ``channel`` (from 0); ``None`` for nothing, and until the sender's clock is known.

        Raises :class:`LinkLost` while its sender is gone, or :meth:`close` was called.
        """
        if self._line is None and self._found is not None:
            self._line, self._found, self._lost = self._found, None, ""
        if self._line is None:
            raise LinkLost(self._lost)
        try:
            return self._line.pull(channel)
        except RuntimeError:
            self._lost = f"the sender of the LSL stream {_clean(self.facts.name)} is gone"
            self._line = None
            threading.Thread(target=self._look_again, name="stimctl-lsl", daemon=True).start()
            raise LinkLost(self._lost) from None

    def _look_again(self) -> None:
        """Until the same stream is there again, with the same rate and channels."""
        while self._lost != _CLOSED:
            try:
                found = library().resolve_bypred(self._identity, 1, LOOK_S)
                line = _Line(found[0]) if len(found) == 1 else None
            except RuntimeError:
                continue  # it went again
            if line is not None and line.facts.format == self.facts.format:
                self._found = line
                return

    def close(self) -> None:
        """Let go of it. Idempotent; never waits."""
        self._lost, self._line, self._found = _CLOSED, None, None


def _facts(info: Any) -> StreamFacts:
    labels, units = [], []
    channel = info.desc().child("channels").child("channel")
    for _ in range(info.channel_count()):
        labels.append(_clean(channel.child_value("label")))
        units.append(_clean(channel.child_value("unit")))
        channel = channel.next_sibling("channel")
    return StreamFacts(
        name=info.name(),
        kind=info.type(),
        source_id=info.source_id(),
        host=_clean(info.hostname()),
        rate_hz=info.nominal_srate(),
        labels=tuple(labels),
        units=tuple(units),
    )
