"""Where a session's EMG comes from: the board's analog input, a stream (LSL), or a recording played as if it were live."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final, final

from stimctl.driver import BoardDriver, DriverState
from stimctl.driver import Samples as BoardSamples
from stimctl.errors import LinkLost, OurBug, RecordError, UsageError
from stimctl.orders import EmgStatus
from stimctl.records.raw import RawEmg
from stimctl.schedule import ControlPlan, EarPlan
from stimctl.sensors.gonio import AngleRecording
from stimctl.sensors.lsl import LslSource
from stimctl.sensors.onset import Onset
from stimctl.sensors.quality import Quality
from stimctl.sensors.recording import Recording, load_spec
from stimctl.sensors.replay import RecordingSource
from stimctl.sensors.samples import Chunk, Source
from stimctl.session.analog import BoardInput
from stimctl.session.ear import Ear
from stimctl.session.losses import Losses
from stimctl.session.own_ear import OwnEar
from stimctl.session.search import STREAM, Search, search

BOARD: Final = ("", "board:", "sim:")
"""EMG URLs that mean the board's own analog input."""


@final
class Hearing:
    """One ear and its source: for attempts, or for the effort of a muscle that is stimulated. All times are session µs."""

    def __init__(
        self, given: Recording | LslSource | None, plan: EarPlan | ControlPlan, driver: BoardDriver | None
    ) -> None:
        self._driver = driver
        self._source: Source | None = None
        self._stream = given if isinstance(given, LslSource) else None
        self._input: BoardInput | None = None
        self.told = Losses()
        """What the record knows of its losses."""
        self.untold: tuple[Onset, int] | None = None
        """What was heard in the pass at that time, and is not recorded yet."""
        self.told_of_rest = False
        """Whether it was recorded which resting level is in force."""
        facts = driver.facts if driver is not None else None
        if given is None:
            if facts is None or not facts.analog_rate_hz:
                raise UsageError("this board has no EMG input; give a source with --emg, such as file:recording.npz")
            self._input = BoardInput(facts.analog_rate_hz)
            self._ear = _ear(plan, facts.analog_rate_hz, "board")
        else:
            self._source = given if isinstance(given, LslSource) else RecordingSource(given)
            self._ear = _ear(plan, self._source.rate_hz, self._source.name)
        if (
            self._stream is not None
            and not self._stream.in_microvolts
            and getattr(plan, "threshold_uv", None) is not None
        ):
            raise UsageError(
                f"{self._stream.name} does not say that it is a voltage, and this protocol's threshold is in µV: have the"
                " sender name its channel's unit, or use threshold_sd"
            )
        self._on = False
        self._raw: RawEmg | None = None

    @property
    def ear(self) -> Ear:
        """The ear for attempts, where the session waits for some."""
        if isinstance(self._ear, OwnEar):
            raise OurBug("nobody waits for an attempt in this session")
        return self._ear

    @property
    def own(self) -> OwnEar:
        """The ear for the effort of a muscle that is stimulated, where the session follows one."""
        if isinstance(self._ear, Ear):
            raise OurBug("no effort is followed in this session")
        return self._ear

    def keep(self, path: Path) -> None:
        """Keep every chunk in a file at ``path`` from now on; raises :class:`RecordError` when it cannot be made."""
        self._raw = RawEmg(path, {"rate_hz": self._ear.rate_hz, "source": self._ear.source})

    def close(self) -> None:
        """Let go of the file, and of the stream."""
        if self._stream is not None:
            self._stream.close()
        if self._raw is not None:
            self._raw.close()

    @property
    def unkept(self) -> str:
        """Why samples are not kept any more, or ""."""
        return self._raw.failed if self._raw is not None else ""

    @property
    def finished(self) -> bool:
        """Whether a recording has come to its end."""
        return self._source is not None and self._source.finished

    def start(self, now_us: int) -> None:
        """Let samples come from now on; a recording starts at its beginning, once.

        Raises :class:`LinkLost` where a board or a stream is meant that is lost: nothing would ever come.
        """
        if self._source is None:
            if self._board.state is DriverState.LOST:
                raise LinkLost("the EMG input is on a board that is lost; stop, and clear to look for it again")
            self._board.listen(True, now_us)
            self._board_input.start(now_us)
        elif not self._on:
            self._source.start(now_us)
        if self.trouble:
            raise LinkLost(f"{self.trouble}; see to it, and try again")
        self._on = True
        self.quality_seen = Quality.GOOD  # how it was before nobody listened says nothing of how long it has been so

    def hear_through(self, driver: BoardDriver, now_us: int) -> None:
        """The board was found again: what is heard comes through ``driver``, and of rest it has to be learnt anew."""
        self._driver = driver
        if self._source is None:
            self._ear.forget()
            if self._on:
                driver.listen(True, now_us)
                self._board_input.start(now_us)

    @property
    def _board(self) -> BoardDriver:
        if self._driver is None:
            raise OurBug("a board is asked for samples where there is none")
        return self._driver

    @property
    def _board_input(self) -> BoardInput:
        if self._input is None:
            raise OurBug("samples of a board come to a session that listens to something else")
        return self._input

    @property
    def is_live(self) -> bool:
        """Whether it hears what a muscle does now, and not a recording that can be played once."""
        return self._source is None or self._stream is not None

    @property
    def trouble(self) -> str:
        """Why nothing that comes can be believed, or nothing can come, or "". Output ends with it."""
        if self._stream is not None:
            return self._stream.trouble
        return self._input.mismatch if self._input is not None else ""

    def silence(self, now_us: int) -> str:
        """Why nothing has come of a board's input for a while, or "". It bars triggers and ends no burst."""
        return self._input.silence(now_us) if self._input is not None and self._on else ""

    @property
    def losses(self) -> tuple[int, int]:
        """How often samples of a stream or a board were lost so far, and how many those were at least."""
        lossy = self._stream or self._input
        return (lossy.gaps, lossy.missing) if lossy is not None else (0, 0)

    @property
    def quality(self) -> Quality:
        """The state of the signal."""
        return self._ear.quality

    def note_output(self, now_us: int, *, on: bool) -> None:
        """Say in every pass whether pulses were ordered since the last one: a stream does not know where they stand."""
        if self._stream is not None:
            self._stream.output.step(now_us, on=on)

    @property
    def is_on(self) -> bool:
        """Whether samples are asked for."""
        return self._on

    def rest(self, now_us: int) -> None:
        """Let the samples of a board or a stream end; a recording goes on."""
        if self._stream is not None:
            self._on = False
        if self._source is None and self._on:
            self._board.listen(False, now_us)
            self._on = False

    def take(self, samples: BoardSamples, missing: int, now_us: int) -> None:
        """A chunk from the board; ``missing`` samples were lost before it."""
        if self._input is not None and (chunk := self._input.take(samples, missing, now_us)) is not None:
            self._hear(chunk, now_us)

    def _hear(self, chunk: Chunk, now_us: int) -> None:
        self._ear.hear(chunk, now_us)
        if self._raw is not None and not self._raw.failed:
            with contextlib.suppress(RecordError):  # it stays in ``unkept``; a treatment does not end for it
                self._raw.append(chunk.first_index, chunk.at_us, chunk.values_uv)

    def poll(self, now_us: int) -> None:
        """What the source has by now; silence is noticed."""
        if self._source is not None and self._on:
            for chunk in self._source.read(now_us):
                self._hear(chunk, now_us)
        if self._on:
            self._ear.watch(now_us)

    def next_due_us(self) -> int | None:
        """When a recording has its next chunk, or a stream is to be looked at."""
        return self._source.next_due_us() if self._source is not None and self._on else None

    def take_onset(self) -> Onset | None:
        """The onset heard since the last call."""
        return self.ear.take_onset()

    def status(self) -> EmgStatus:
        """What a face shows."""
        return self._ear.status()


def load_recording(url: str) -> Recording | Search | None:
    """The recording or the stream that an EMG URL names, ``None`` for the board's own input; a stream is only looked for.

    Raises :class:`UsageError` for what is no source, :class:`FileError` for a file that cannot be used.
    """
    if url in BOARD:
        return None
    if url.startswith(STREAM):
        return search(url)
    scheme, _, path = url.partition(":")
    if scheme != "file" or not path:
        raise UsageError(f"{url!r} is not an EMG source; write board:, sim:, lsl:NAME or file:PATH")
    return load_spec(path)


def is_replay(given: object) -> bool:
    """Whether what a session listens to was taken at another time: never with a patient (H47)."""
    return isinstance(given, (Recording, AngleRecording))


def _ear(plan: EarPlan | ControlPlan, rate_hz: float, source: str) -> Ear | OwnEar:
    return Ear(plan, rate_hz, source) if isinstance(plan, EarPlan) else OwnEar(plan, rate_hz, source)
