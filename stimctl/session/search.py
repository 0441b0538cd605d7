"""Looking for an LSL stream while the control loop goes on: a search takes seconds, and a pass may not.

What was asked for on the command line is looked for before there is a loop (:func:`ahead`), and taken from there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeAlias, final

from stimctl.errors import OurBug, StimctlError, UsageError

if TYPE_CHECKING:
    from stimctl.sensors.effort import SoundEffort
    from stimctl.sensors.gonio import AngleRecording, AngleStream
    from stimctl.sensors.lsl import LslSource
    from stimctl.sensors.recording import Recording

STREAM: Final = "lsl:"
"""How the URL of a stream begins; the rooms that read it bring NumPy."""

ANGLE: Final = "angle:"
"""What goes before the URL of a goniometer or glove, where there is room for one source of a session, EMG or angle."""

_ahead: dict[str, Search] = {}


Given: TypeAlias = "Recording | AngleRecording | Search | None"
"""What the user has named beside the board: read already, or looked for."""


@final
class Search:
    """One search, in a thread of its own. Whether ``url`` makes sense at all is known at once: :class:`UsageError`."""

    def __init__(self, url: str) -> None:
        from stimctl.sensors.streams import address
        from stimctl.transport.lsl import library

        self.url, self._meant = url, address(url.removeprefix(ANGLE))
        library()
        self._source: LslSource | AngleStream | None = None
        self._error: StimctlError | None = None
        self._thread = threading.Thread(target=self._look, name="stimctl-lsl-search", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        from stimctl.sensors.gonio import AngleStream
        from stimctl.sensors.lsl import LslSource
        from stimctl.transport.lsl_in import find

        try:
            found = find(self._meant.key, self._meant.value)
            try:
                kind = AngleStream if self.url.startswith(ANGLE) else LslSource
                self._source = kind(found, self._meant.channel)
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

    def result(self) -> LslSource | AngleStream:
        """What was found; raises what was wrong. Ask only when it is :attr:`done`."""
        if self._error is not None:
            raise self._error
        if self._source is None:
            raise OurBug("a search was asked before its end")
        return self._source


def emg_of(given: Given) -> Recording | LslSource | None:
    """What the ears are given of it, once it was found; an angle is nothing to hear."""
    if given is None:
        return None
    from stimctl.sensors.lsl import LslSource
    from stimctl.sensors.recording import Recording

    found = given.result() if isinstance(given, Search) else given
    return found if isinstance(found, (Recording, LslSource)) else None


def angle_of(given: Given) -> AngleStream | AngleRecording | None:
    """The goniometer or glove of it, once it was found."""
    if given is None:
        return None
    from stimctl.sensors.gonio import AngleRecording, AngleStream

    found = given.result() if isinstance(given, Search) else given
    return found if isinstance(found, (AngleStream, AngleRecording)) else None


def effort_of(given: Given) -> SoundEffort | None:
    """The effort of the sound hand, by the EMG of it; raises :class:`UsageError` for one that cannot be followed."""
    if (found := emg_of(given)) is None:
        return None
    from stimctl.sensors.effort import SoundEffort

    return SoundEffort(found)


def is_stream(url: str) -> bool:
    """Whether a URL is that of a stream, of EMG or of an angle."""
    return url.removeprefix(ANGLE).startswith(STREAM)


def ahead(url: str) -> None:
    """Look for a stream now, and wait; raises :class:`UsageError`. The next search for ``url`` finds it at once."""
    if not is_stream(url):
        return
    found = Search(url)
    found.wait()
    found.result()
    _ahead[url] = found


def search(url: str) -> Search:
    """A search for ``url``, or the one that was made ahead of it."""
    return _ahead.pop(url, None) or Search(url)


def given_angle(url: str) -> Search | AngleRecording:
    """The goniometer or glove that ``angle:URL`` names, a stream only looked for; raises what keeps it from being read."""
    if is_stream(url):
        return search(url)
    scheme, _, path = url.removeprefix(ANGLE).partition(":")
    if scheme == "board":
        raise UsageError(
            f"{url.removeprefix(ANGLE)} is no angle: a board has one analog input on its line, and that is EMG; have the"
            " goniometer or glove sent as a stream (lsl:NAME#CHANNEL)"
        )
    if scheme != "file" or not path:
        raise UsageError(f"{url.removeprefix(ANGLE)!r} is not a source of angles; write lsl:NAME#CHANNEL or file:PATH")
    from stimctl.sensors.gonio import AngleRecording
    from stimctl.sensors.recording import load_spec

    return AngleRecording(load_spec(path))
