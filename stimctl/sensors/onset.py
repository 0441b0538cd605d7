"""The interface of an onset detector: what the session may ask of any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

from stimctl.sensors.quality import Quality
from stimctl.sensors.rest import Rest
from stimctl.sensors.samples import Chunk


@final
@dataclass(frozen=True, slots=True)
class Onset:
    """One attempt of the patient.

    ``index`` is the sample, counted as in :class:`Chunk`, with which the onset became certain, and ``at_us`` the
    session time of that sample; neither depends on how the samples were cut into chunks. ``envelope_uv`` and
    ``threshold_uv`` are what was compared there.
    """

    index: int
    at_us: int
    envelope_uv: float
    threshold_uv: float


class Detector(Protocol):
    """Finds onsets in a stream of chunks of one rate. No clock, no thread, bounded memory.

    It is born disarmed. Whether armed or not it must be given every chunk, because it follows the signal at all
    times: an effort that began before :meth:`arm` is not an onset, and after each onset the envelope must fall to
    ``release_uv`` before there can be another (H24). Nothing is found while ``quality`` is not good, before the
    resting level is known, or within the settings' refractory time.
    """

    @property
    def armed(self) -> bool:
        """Whether onsets are reported."""

    @property
    def ready(self) -> bool:
        """Whether an onset could be reported with the next effort: armed, rest known, signal good and released."""

    @property
    def quality(self) -> Quality:
        """The state of the signal as of the last chunk or :meth:`watch`."""

    @property
    def rest(self) -> Rest:
        """The resting level, or how far its search has come."""

    @property
    def envelope_uv(self) -> float | None:
        """The newest value of the envelope; ``None`` while there is none to believe."""

    @property
    def threshold_uv(self) -> float | None:
        """The level that an onset must pass; ``None`` until known."""

    @property
    def release_uv(self) -> float | None:
        """The level that the envelope must fall to before the next onset; ``None`` until known."""

    def push(self, chunk: Chunk) -> tuple[Onset, ...]:
        """Take the next chunk; the onsets that it made certain. Raises ``OurBug`` for another rate."""

    def watch(self, now_us: int) -> Quality:
        """Tell the time when no chunk came: past the age limit the quality becomes stale."""

    def arm(self) -> None:
        """Listen, from the next sample on."""

    def disarm(self) -> None:
        """Do not listen, from the next sample on; the signal is still followed."""

    def reset(self) -> None:
        """Forget the signal, as after a change of electrodes or source; the resting level stays, disarmed."""

    def calibrate(self) -> None:
        """Forget the resting level too and learn it anew from the next quiet signal; disarmed."""

    def set_threshold_uv(self, threshold_uv: float) -> None:
        """Put the threshold where an operator wants it. Raises ``UsageError`` unless it lies over the resting level."""
