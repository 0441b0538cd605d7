"""Getting to know an openEMSstim: it boots when the port is opened, and one harmless text then names its firmware."""

from __future__ import annotations

from typing import Final, final

from stimctl.boards.openemsstim.codec import Decoder
from stimctl.boards.openemsstim.dialects import Dialect
from stimctl.boards.openemsstim.probe import BOOT_US, Probe
from stimctl.boards.openemsstim.words import Ready
from stimctl.errors import BoardFault, LinkLost, LinkTimeout
from stimctl.units import MS

SETTLE_US: Final = 500 * MS
"""After ``SETUP DONE``: what was written while it booted is read and printed then, and is no answer to the question."""

_READY: Final = b"SETUP DONE\n"


@final
class Acquaintance:
    """Waits for the boot, then for the probe. The port was opened at ``now_us``; raises :class:`LinkLost` for a stranger."""

    def __init__(self, now_us: int) -> None:
        self._opened_us = now_us
        self._decoder = Decoder()
        self._ready_us: int | None = None
        self._probe: Probe | None = None

    def feed(self, data: bytes, now_us: int) -> None:
        """Bytes came."""
        if self._probe is not None:
            with _refusing():
                self._probe.feed(data, now_us)
        elif any(isinstance(word, Ready) for word in self._decoder.feed(data)):
            self._ready_us = now_us

    def go_on(self, now_us: int) -> tuple[bytes, Dialect | None]:
        """What is to be written now, and the firmware once it is known."""
        if self._probe is None:
            if self._ready_us is None and now_us - self._opened_us >= BOOT_US:
                raise LinkTimeout(
                    "no openEMSstim: it has not said SETUP DONE within 15 s; press its reset button and try again"
                )
            if self._ready_us is None or now_us - self._ready_us < SETTLE_US:
                return b"", None
            self._probe = Probe(now_us)
            self._probe.feed(_READY, now_us)
        with _refusing():
            self._probe.advance(now_us)
        return self._probe.outgoing(), self._probe.dialect


class _refusing:  # noqa: N801 - used as a function
    """A device that the probe refuses is none to be connected to."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, BoardFault):
            raise LinkLost(str(error)) from None
