"""The trigger as such: over a threshold for so long, then not again before a fall to the release level."""

from __future__ import annotations

from typing import final


@final
class Comparator:
    """Compares an envelope, value by value; ``dwell`` and ``release`` count values.

    It begins, and begins again after :meth:`hold`, in the state in which the envelope must first be at the release
    level: whatever is going on when it is switched on is not a fresh effort.
    """

    def __init__(self, dwell: int, release: int) -> None:
        self._dwell, self._release = dwell, release
        self.hold()

    def hold(self) -> None:
        """No rise counts before the envelope has been at the release level."""
        self._held, self._low_for, self._over_for = True, 0, 0

    def ignore_rise(self) -> None:
        """If a rise is under way, it does not count."""
        if self._over_for:
            self.hold()

    def interrupt(self) -> None:
        """The dwell begins again; a release that was reached stays reached."""
        self._low_for = self._over_for = 0

    @property
    def held(self) -> bool:
        """Whether the envelope must fall before a rise counts."""
        return self._held

    def let_go(self) -> None:
        """The effort is over, as is known from elsewhere: the next rise counts."""
        self._held, self._low_for, self._over_for = False, 0, 0

    def push(self, envelope_uv: float, threshold_uv: float, release_uv: float, *, sure: bool = True) -> bool:
        """Whether a rise became complete with this value; a NaN is never over and never under anything.

        A rise that is long enough and not ``sure`` yet waits for it.
        """
        if self._held:
            self._low_for = self._low_for + 1 if envelope_uv <= release_uv else 0
            self._held = self._low_for < self._release
            return False
        self._over_for = self._over_for + 1 if envelope_uv > threshold_uv else 0
        if self._over_for < self._dwell or not sure:
            return False
        self.hold()
        return True
