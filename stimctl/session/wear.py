"""The wear log: when the restraint of the sound hand was put on and taken off in this session."""

from __future__ import annotations

from typing import final

from stimctl.errors import UsageError


@final
class Wear:
    """Adds up the time for which it was on."""

    def __init__(self) -> None:
        self._since_us: int | None = None
        self._before_us = 0

    @property
    def on(self) -> bool:
        """Whether it is worn now."""
        return self._since_us is not None

    def put(self, on: bool, now_us: int) -> None:
        """Put on or taken off; raises :class:`UsageError` for what is so already."""
        if on is self.on:
            raise UsageError(f"the restraint is {'on' if on else 'off'} already")
        if self._since_us is not None:
            self._before_us += now_us - self._since_us
        self._since_us = now_us if on else None

    def worn_us(self, now_us: int) -> int:
        """How long it was worn so far, µs."""
        return self._before_us + (now_us - self._since_us if self._since_us is not None else 0)
