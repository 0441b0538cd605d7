"""Looking for an LSL stream while the control loop goes on: a search takes seconds, and a pass may not.

What was asked for on the command line is looked for before there is a loop (:func:`ahead`), and taken from there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, final

from stimctl.errors import OurBug, StimctlError, UsageError

if TYPE_CHECKING:
    from stimctl.sensors.lsl import LslSource

STREAM: Final = "lsl:"
"""How the URL of a stream begins; the rooms that read it bring NumPy."""

_ahead: dict[str, Search] = {}


@final
class Search:
    """One search, in a thread of its own. Whether ``url`` makes sense at all is known at once: :class:`UsageError`."""

    def __init__(self, url: str) -> None:
        from stimctl.sensors.streams import address
        from stimctl.transport.lsl import library

        self.url, self._meant = url, address(url)
        library()
        self._source: LslSource | None = None
        self._error: StimctlError | None = None
        self._thread = threading.Thread(target=self._look, name="stimctl-lsl-search", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        from stimctl.sensors.lsl import LslSource
        from stimctl.transport.lsl_in import find

        try:
            found = find(self._meant.key, self._meant.value)
            try:
                self._source = LslSource(found, self._meant.channel)
            except StimctlError:
                found.close()
                raise
        except StimctlError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - whatever liblsl or a stream may say: nobody sees it in a thread
            self._error = UsageError(f"{self.url} cannot be listened to: {type(error).__name__}: {error}")

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Until it has ended: where no loop waits for the caller."""
        self._thread.join()

    def result(self) -> LslSource:
        """What was found; raises what was wrong. Ask only when it is :attr:`done`."""
        if self._error is not None:
            raise self._error
        if self._source is None:
            raise OurBug("a search was asked before its end")
        return self._source


def ahead(url: str) -> None:
    """Look for a stream now, and wait; raises :class:`UsageError`. The next search for ``url`` finds it at once."""
    if not url.startswith(STREAM):
        return
    found = Search(url)
    found.wait()
    found.result()
    _ahead[url] = found


def search(url: str) -> Search:
    """A search for ``url``, or the one that was made ahead of it."""
    return _ahead.pop(url, None) or Search(url)
