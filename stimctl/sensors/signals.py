"""A signal that stimulation may follow: one number, in a source's own unit, and when it was taken.

A source is small on purpose: a goniometer, a glove or a stream on the network has a name, a unit and a newest value. It never
says what a value means; rest and the whole opening are measured with the patient each time.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, final, runtime_checkable


@final
class Sample(NamedTuple):
    """A value and its session time in µs. A value that is no number, or a time that is not past, is for the reader to doubt."""

    at_us: int
    value: float


class SignalSource(Protocol):
    """Where a control signal comes from; the session asks for the newest sample. Never blocks."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def unit(self) -> str:
        """The unit of its values, such as degrees or µV."""

    @property
    def least_span(self) -> float:
        """How far rest and the whole opening lie apart at the least, in its unit, for anything to be followed."""

    def read(self, now_us: int) -> Sample | None:
        """The newest sample by ``now_us``; ``None`` while there is none."""


@runtime_checkable
class OpenSignal(SignalSource, Protocol):
    """A source that was named at the start, and is let go of at the end."""

    @property
    def trouble(self) -> str:
        """Why nothing comes, in words that name the cause; "" while all is well, or where nobody can know."""

    @property
    def losses(self) -> tuple[int, int]:
        """How often samples were lost so far, and how many those were at least."""

    def close(self) -> None:
        """Let go of it. Idempotent; never waits."""


@runtime_checkable
class MayHearPulses(Protocol):
    """A source in which the pulses can stand that follow it, so that it might lead itself (hazard H24)."""

    @property
    def unasked_uv(self) -> float | None:
        """The most that was heard of pulses which nothing drove, in µV; ``None`` before there were any."""

    def expect(self, *, stimulated: bool, led: bool) -> None:
        """Say whether pulses are on their way, and whether they follow what is heard."""
