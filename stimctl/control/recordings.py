"""The door of ``stimctl emg``: a recording heard as it would have been live, with reasons, a picture, or settings for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from stimctl.authoring import envelope, png
from stimctl.authoring.envelope import Trace
from stimctl.errors import FileError, UsageError
from stimctl.sensors import hindsight, playing, tuning
from stimctl.sensors.playing import Played
from stimctl.sensors.quality import Quality
from stimctl.sensors.recording import Labels, Recording, load
from stimctl.sensors.scoring import CALIBRATION_S, Score, Truth, score
from stimctl.sensors.settings import DEFAULT, OnsetSettings
from stimctl.units import SECOND

SUFFIXES: Final = (".svg", ".png")
"""How a picture's file may end."""

RATE_OFF: Final = 0.01
"""A rate may differ by this share from the one that the file names: clocks do, mistaken units do not."""

LEAST_EFFORTS: Final = 3
"""From fewer efforts nothing can be said about settings."""

AGREED: Final = (
    "in hindsight: there are no labels, so efforts are where two of three looks at the whole recording agree"
)
LABELLED: Final = "labels"


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be heard and how. ``labels`` and ``pulses`` are columns of the file that are not zero during efforts, and
    in each sample in which a stimulation pulse began. What is ``None`` is as it comes.
    """

    file: str
    rate_hz: float | None = None
    column: str | None = None
    labels: str | None = None
    pulses: str | None = None
    chunk_ms: float = playing.CHUNK_MS
    threshold_sd: float | None = None
    threshold_uv: float | None = None
    dwell_ms: float | None = None

    def settings(self) -> OnsetSettings:
        """How to listen; raises :class:`UsageError` for what is out of range."""
        settings = DEFAULT
        if self.threshold_uv is not None:
            settings = replace(settings, threshold_sd=None, threshold_uv=self.threshold_uv)
        elif self.threshold_sd is not None:
            settings = replace(settings, threshold_sd=self.threshold_sd, threshold_uv=None)
        return settings if self.dwell_ms is None else replace(settings, dwell_ms=self.dwell_ms)


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """A recording as it was heard. ``unit`` of its values; ``score`` where there are labels."""

    recording: Recording
    settings: OnsetSettings
    chunk_ms: float
    played: Played
    unit: str
    truth: Truth | None
    score: Score | None


@final
@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings for a recording: those that it was heard with and the better ones, each with what came of it."""

    basis: str
    efforts: int
    left_out_s: float
    now: tuning.Candidate
    best: tuning.Candidate


def hear(asked: Asked) -> Answer:
    """Play the recording. Raises :class:`FileError` and :class:`UsageError` for what cannot be heard."""
    settings, recording = asked.settings(), _opened(asked)
    _require_length(asked.file, recording, settings)
    played = playing.play(recording, settings, asked.chunk_ms)
    truth = _truth(recording, settings) if recording.labels.onsets else None
    # The file does not always say: NPZ files scale to µV, columns hold whatever was written.
    unit = "µV" if asked.column and asked.column.lower().endswith("_uv") else "units"
    return Answer(
        recording, settings, asked.chunk_ms, played, unit, truth, score(played.ends, truth) if truth else None
    )


def why_deaf(answer: Answer) -> str:
    """Why no onset could have been heard at all; "" where one could."""
    played = answer.played
    if any(point.threshold is not None for point in played.points):
        return ""
    worst = next((quality for quality in played.shares() if quality is not Quality.GOOD), None)
    signal = f"; the signal was {worst.value} for {played.shares()[worst]:.0%} of the time" if worst is not None else ""
    return (
        f"no resting level was found, so no onset could be heard ({played.rest.state}{signal});"
        f" the recording has to begin with {answer.settings.baseline_s:g} s of quiet muscle"
    )


def tune(asked: Asked, progress: Callable[[int, int], None]) -> Proposal:
    """Settings for this recording, by its labels or in hindsight; raises :class:`FileError` where it holds too little."""
    settings, recording = asked.settings(), _opened(asked)
    _require_length(asked.file, recording, settings)
    labelled = bool(recording.labels.onsets)
    truth = _truth(recording, settings) if labelled else hindsight.truth(recording, settings.baseline_s)
    efforts = score((), truth).efforts
    if efforts < LEAST_EFFORTS:
        found = (
            f"{efforts} labelled effort{'s' * (efforts != 1)}"
            if labelled
            else f"{efforts} clear effort{'s' * (efforts != 1)}"
        )
        raise FileError(
            f"{asked.file}: {found} after the first {settings.baseline_s:g} s, and settings need at least {LEAST_EFFORTS}"
        )
    candidates = tuning.tried(recording, truth, settings, asked.chunk_ms, progress)
    left_out_s = sum(stop - start for start, stop in truth.ignore) / recording.rate_hz
    basis = LABELLED if labelled else AGREED
    return Proposal(basis, efforts, left_out_s, candidates[0], tuning.best(candidates))


# --- opening -----------------------------------------------------------------------------------------------------


def _opened(asked: Asked) -> Recording:
    path = Path(asked.file)
    recording = load(path, rate_hz=asked.rate_hz, column=asked.column)
    if asked.rate_hz is not None and path.suffix.lower() == ".npz":
        own_hz = load(path).rate_hz
        if not abs(own_hz - asked.rate_hz) <= RATE_OFF * own_hz:
            raise FileError(
                f"{path}: says it was taken at {own_hz:g} Hz, and --rate says {asked.rate_hz:g} Hz; leave out --rate"
            )
    if asked.labels is None and asked.pulses is None:
        return recording
    marked = recording.labels
    if asked.labels is not None:
        spans = tuple(_stretches(load(path, rate_hz=recording.rate_hz, column=asked.labels).values_uv))
        starts, ends = tuple(start for start, _ in spans), tuple(end for _, end in spans)
        marked = Labels(starts, ends, marked.ignore, marked.pulses)
    if asked.pulses is not None:
        column = load(path, rate_hz=recording.rate_hz, column=asked.pulses).values_uv
        marked = Labels(marked.onsets, marked.ends, marked.ignore, tuple(np.flatnonzero(column).tolist()))
    return Recording(recording.name, recording.rate_hz, recording.values_uv, marked)


def _stretches(column: np.ndarray[Any, np.dtype[np.float64]]) -> Iterator[tuple[int, int]]:
    """Where the column is not zero: first sample and end of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], column != 0, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _require_length(name: str, recording: Recording, settings: OnsetSettings) -> None:
    seconds = len(recording.values_uv) / recording.rate_hz
    if not seconds > settings.baseline_s:
        raise FileError(
            f"{name}: {seconds:.3g} s at {recording.rate_hz:g} Hz are too short: the resting level alone takes"
            f" {settings.baseline_s:g} s; is the rate right?"
        )


def _truth(recording: Recording, settings: OnsetSettings) -> Truth:
    labels, length = recording.labels, len(recording.values_uv)
    ends = labels.ends
    if len(ends) != len(labels.onsets):  # onsets alone: an effort ends before the next begins
        ends = tuple(min(length, each) for each in (*labels.onsets[1:], length))
    calibration_s = max(CALIBRATION_S, settings.baseline_s)
    return Truth(recording.rate_hz, length, labels.onsets, ends, labels.ignore, calibration_s=calibration_s)


# --- pictures and programs ---------------------------------------------------------------------------------------


def plot_text(answer: Answer, width: int, paint: Callable[[str, str], str], *, plain: bool) -> str:
    """The picture for a terminal of ``width`` columns; ``plain``: of ASCII alone."""
    text = envelope.drawn(_trace(answer), width, paint, plain=plain)
    return text.replace("µ", "u") if plain else text


def plot_file(answer: Answer, output: str) -> str | bytes:
    """The picture as what ``output`` ends in; raises :class:`UsageError` for another ending."""
    require_picture(output)
    document = envelope.svg(_trace(answer))
    return document if Path(output).suffix.lower() == ".svg" else png.png(document)


def require_picture(output: str) -> None:
    """Raise :class:`UsageError` for a name that is no picture's, before anything long is begun."""
    if Path(output).suffix.lower() not in SUFFIXES:
        raise UsageError(f"{output}: a picture's name ends in {' or '.join(SUFFIXES)}")


def _trace(answer: Answer) -> Trace:
    rate, played = answer.recording.rate_hz, answer.played

    def us(samples: int) -> int:
        return round(samples * SECOND / rate)

    efforts = () if answer.truth is None else zip(answer.truth.onsets, answer.truth.ends, strict=True)
    return Trace(
        answer.recording.name,
        (f"{len(played.onsets)} onsets, chunks of {answer.chunk_ms:g} ms, {settings_words(answer.settings)}",),
        answer.unit,
        us(len(answer.recording.values_uv)),
        tuple((us(point.end), point.envelope, point.threshold) for point in played.points),
        tuple(us(end) for end in played.ends),
        tuple((us(start), us(end)) for start, end in efforts),
    )


def settings_words(settings: OnsetSettings) -> str:
    """The settings that an author can write into a protocol."""
    level = f"{settings.threshold_sd:g} SD" if settings.threshold_sd is not None else f"{settings.threshold_uv:g}"
    return f"threshold {level}, dwell {settings.dwell_ms:g} ms"


def as_json(answer: Answer) -> dict[str, Any]:
    """The same for a program."""
    rate, played = answer.recording.rate_hz, answer.played
    return {
        "file": answer.recording.name,
        "rate_hz": rate,
        "samples": len(answer.recording.values_uv),
        "chunk_ms": answer.chunk_ms,
        "settings": settings_json(answer.settings),
        "rest": {"state": str(played.rest.state), "level": played.rest.level_uv, "sd": played.rest.sd_uv},
        "signal": {str(quality): round(share, 4) for quality, share in played.shares().items()},
        "onsets": [
            {
                "sample": onset.sample,
                "time_s": round((onset.sample + 1) / rate, 6),
                "certain_sample": onset.certain,
                "envelope": _finite(onset.envelope),
                "threshold": _finite(onset.threshold),
                "baseline": onset.baseline,
            }
            for onset in played.onsets
        ],
        "score": None if answer.score is None else score_json(answer.score),
    }


def settings_json(settings: OnsetSettings) -> dict[str, float | None]:
    """Settings as a protocol's ``[trigger]`` names them."""
    names = ("threshold_sd", "threshold_uv", "dwell_ms", "release_fraction", "blanking_ms", "baseline_s")
    return {name: getattr(settings, name) for name in names}


def score_json(found: Score) -> dict[str, float | int | None]:
    """A score by its names."""
    return {
        "efforts": found.efforts,
        "hits": len(found.late_s),
        "hit_percent": found.hit_percent,
        "again": found.again,
        "false_alarms": found.false,
        "false_per_min": found.false_per_min,
        "median_ms": found.late_ms(0.5),
        "p95_ms": found.late_ms(0.95),
        "quiet_s": found.quiet_s,
    }


def proposal_json(found: Proposal) -> dict[str, Any]:
    """A proposal for a program."""

    def candidate(each: tuning.Candidate) -> dict[str, Any]:
        return {"settings": settings_json(each.settings), "score": score_json(each.score)}

    return {
        "basis": LABELLED if found.basis == LABELLED else "hindsight",
        "efforts": found.efforts,
        "left_out_s": found.left_out_s,
        "now": candidate(found.now),
        "proposed": candidate(found.best),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
