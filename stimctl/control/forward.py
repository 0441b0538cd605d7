"""Terminal bytes on their way to the face; a face that does not read them loses them, and nothing waits for it.

They come out as good UTF-8: Textual decodes its keys strictly, and one torn character from a mistuned terminal or a bad
line would end the screen, and with it the session. What makes no sense becomes U+FFFD, which no key is.
"""

from __future__ import annotations

import codecs
import os
from typing import Final, final

HELD_MAX: Final = 16_384
"""Bytes kept beside the pipe's own buffer for a face that is slow."""


@final
class Forwarder:
    """The write end of the face's standard input; belongs to the stop thread."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self.dropped = 0
        self._fd: int | None = fd
        self._held = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def send(self, data: bytes) -> None:
        """Pass ``data`` on, now or later. A read that does not fit is dropped whole, so that no key is cut in two."""
        text = self._decoder.decode(data).encode()
        if self._fd is None or len(self._held) + len(text) > HELD_MAX:
            self.dropped += len(text)
        else:
            self._held += text
        self.flush()

    def flush(self) -> None:
        """Write what is held, as far as the face takes it; never blocks, never raises."""
        if self._fd is None or not self._held:
            return
        try:
            del self._held[: os.write(self._fd, self._held)]
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def close(self) -> None:
        """The face sees the end of its input. Idempotent."""
        fd, self._fd = self._fd, None
        self._held.clear()
        if fd is not None:
            os.close(fd)
