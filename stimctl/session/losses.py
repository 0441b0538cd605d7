"""What a record is told of a signal that fails its session: that it is lost or back, what is missing, and what is wrong with it.

Each is told when it changes, and none of it more often than once in half a second: a loose plug must not fill a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from stimctl.units import MS, SECOND

if TYPE_CHECKING:
    from stimctl.session.diary import Diary
    from stimctl.session.hearing import Hearing

GOOD: Final = "good"
"""What a signal is taken for until it was something else for a while; the table of qualities brings NumPy."""

STANDS_US: Final = 500 * MS
"""A quality of the signal is told when it has stood for so long; each start goes through two others (project)."""


@final
class Presence:
    """Whether one signal is there: ``kind`` begins the words of the record, ``noun`` those of the screen."""

    def __init__(self, kind: str, noun: str) -> None:
        self._kind, self._noun = kind, noun
        self.is_lost = False

    def tell(self, why: str, diary: Diary, now_us: int) -> None:
        """``why`` it is lost, "" while it is there; told once either way."""
        if why and not self.is_lost:
            self.is_lost = True
            diary.write(f"{self._kind}-lost", {"why": why}, now_us, f"{self._noun}: {why}")
        elif self.is_lost and not why:
            self.is_lost = False
            diary.write(f"{self._kind}-back", {}, now_us, f"{self._noun}: the signal is back")


@final
class Gaps:
    """How much of one signal is missing by now, told once a second at the most."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lost, self._lost_us = (0, 0), -SECOND

    def tell(self, losses: tuple[int, int], diary: Diary, now_us: int) -> None:
        """``losses``: how often samples were lost so far, and how many those were at least."""
        if losses != self._lost and not 0 <= now_us - self._lost_us < SECOND:
            self._lost, self._lost_us = losses, now_us
            diary.write(f"{self._kind}-gap", {"gaps": losses[0], "samples_missing": losses[1]}, now_us)


@final
class Losses:
    """The same of an EMG, with what was lost of it on its way, and its quality."""

    def __init__(self) -> None:
        self.presence = Presence("emg", "EMG")
        self._gaps = Gaps("emg")
        self._quality = self._seen = GOOD
        self._seen_us = 0

    def tell(self, hearing: Hearing, diary: Diary, now_us: int) -> None:
        """Look at what is heard, in every pass in which something is listened to."""
        self._gaps.tell(hearing.losses, diary, now_us)
        self.presence.tell(hearing.trouble or hearing.silence(now_us), diary, now_us)
        self._tell_of_quality(hearing.quality.value, diary, now_us)

    def _tell_of_quality(self, quality: str, diary: Diary, now_us: int) -> None:
        """What bars triggers, and that it does not any more."""
        if quality != self._seen:
            self._seen, self._seen_us = quality, now_us
        if self._seen != self._quality and now_us - self._seen_us >= STANDS_US:
            self._quality = self._seen
            words = (
                "is good again"
                if quality == GOOD
                else f"{quality}; look at electrodes and lead, nothing is heard meanwhile"
            )
            diary.write("emg-quality", {"quality": quality}, now_us, f"EMG signal: {words}")
