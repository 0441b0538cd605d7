"""The words between a face and the session: orders go down, one frozen status comes up.

Both are plain frozen values of built-in types, so that they cross a process boundary as JSON and a test can
write them by hand. ``Stop`` is deliberately not here: it has its own way (``control``), without a queue.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, final

from stimctl.errors import UsageError


@final
class OrderKind(StrEnum):
    """What an operator can ask of a session."""

    OPEN = "open"  # protocol, patient, side, board, emg, robot
    ANSWER = "answer"  # name=question id, value="yes"|"no", text=justification
    CONFIRM_PADS = "confirm-pads"  # name=channel
    NEXT = "next"  # on to the next step of the procedure, when this one is complete
    SELECT = "select"  # name=channel
    RAISE = "raise"  # one step up on the selected channel
    LOWER = "lower"  # one step down on the selected channel
    ZERO = "zero"  # the selected channel to zero
    MARK = "mark"  # value="sensory"|"motor"|"tolerated": what the patient reports at this level
    START = "start"  # arm, at zero
    BEGIN = "begin"  # trial bursts are fine: count repetitions from here
    PAUSE = "pause"
    RESUME = "resume"  # from zero, by a fresh raise
    FINISH = "finish"  # end the session before its time
    CLEAR = "clear"  # unlatch after a stop or fault; never resumes output
    PRESENT = "present"  # the operator answers the presence prompt
    SKIN_CHECKED = "skin-checked"  # value="ok"|"event", text=comment
    NOTE = "note"  # text
    PAIN = "pain"  # value="0".."10": numeric rating scale
    CLOSE = "close"  # leave the review; the session ends
    KEY = "key"  # the switch, by the patient or the operator: sets off, advances or counts
    WEAR = "wear"  # value="on"|"off": the restraint of the sound hand is put on, or taken off


@final
@dataclass(frozen=True, slots=True)
class Order:
    """One order. Fields that an order does not use stay empty."""

    kind: OrderKind
    name: str = ""
    value: str = ""
    text: str = ""
    protocol: str = ""
    patient: str = ""
    side: str = ""
    board: str = ""
    emg: str = ""
    robot: str = ""
    repeated: bool = field(default=False, kw_only=True)
    """Whether its key came in a stream, as a held or jammed one does: then it shows nobody's presence."""


@final
class Stage(StrEnum):
    """The step of the procedure that a face shows; each is one screen."""

    START = "start"
    SCREENING = "screening"
    PADS = "pads"
    THRESHOLDS = "thresholds"
    RUN = "run"
    REVIEW = "review"


@final
class OutputWord(StrEnum):
    """The one line that an operator must be able to believe. From the board's own report, never from our wish."""

    OFF = "output off"
    ON = "OUTPUT ON"
    UNKNOWN = "OUTPUT UNKNOWN - USE THE STOP SWITCH"


@final
@dataclass(frozen=True, slots=True)
class Question:
    """One screening question. ``kind``: "blocker" ends here on yes, "precaution" needs a justification on yes,
    "check" must be confirmed with yes, "sensation" is answered normal, reduced or absent for a site.
    """

    id: str
    text: str
    kind: str
    answer: str = ""
    justification: str = ""


@final
@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One channel as an operator sees it. Amplitudes in µA; ``None`` where nothing is known; below ``least_ua`` nothing flows."""

    name: str
    muscle: str
    site: str
    output: int
    pads: str
    pads_confirmed: bool
    selected: bool
    now_ua: int
    measured_ua: int | None
    level_ua: int
    target_ua: int
    ceiling_ua: int | None
    max_ua: int
    impedance_ohm: int | None
    contact: str
    sensory_ua: int | None
    motor_ua: int | None
    tolerated_ua: int | None
    threshold_run: int
    given_ua: int = 0
    least_ua: int = 0


@final
@dataclass(frozen=True, slots=True)
class Progress:
    """Where burst, set and session stand, in µs. ``phase`` is a word such as "ramp up", ``cue`` what the patient is told in it.

    ``repetitions`` is 0 where current flows on. Session time is time of treatment: it stands still in trial, pause and stop.
    """

    phase: str = ""
    phase_elapsed_us: int = 0
    phase_length_us: int = 0
    repetition: int = 0
    repetitions: int = 0
    set: int = 0
    sets: int = 0
    session_elapsed_us: int = 0
    session_length_us: int = 0
    cue: str = ""


@final
@dataclass(frozen=True, slots=True)
class Counts:
    """Dose so far: bursts by how they came about, charge per phase in µC summed over outputs, stops and ceiling hits; phases
    that waited: those that were ended so, never, or skipped. ``by``: "attempt", "key" or "robot" sets off, "" the clock.
    """

    delivered: int = 0
    triggered: int = 0
    missed: int = 0
    assisted: int = 0
    charge_uc: int = 0
    on_time_us: int = 0
    stops: int = 0
    ceiling_hits: int = 0
    phases_met: int = 0
    phases_missed: int = 0
    phases_skipped: int = 0
    by: str = ""


@final
@dataclass(frozen=True, slots=True)
class EmgStatus:
    """The newest stretch of EMG envelope in µV, oldest first, at ``points_per_s``; the detector's lines; today's range."""

    source: str
    listening: bool
    quality: str
    envelope_uv: tuple[float, ...] = ()
    points_per_s: int = 25
    threshold_uv: float | None = None
    release_uv: float | None = None
    efforts_uv: tuple[float | None, ...] = ()  # rest, each attempt, and the threshold once found; None as yet
    measuring: int = -1  # which of these is measured now


@final
@dataclass(frozen=True, slots=True)
class GuideStatus:
    """Guided work as an operator sees it; times in µs. ``value`` and ``goal`` are in ``unit``, ``None`` where nothing is
    measured. ``unheard`` are attempts in which nothing could be. ``beat_us`` is the metronome's, 0 for none.
    """

    say: str = ""
    after: str = ""
    counting: bool = False
    unit: str = ""
    value: float | None = None
    goal: float | None = None
    done: int = 0
    prescribed: int = 0
    reached: int = 0
    missed: int = 0
    unheard: int = 0
    counted: int = 0
    beat_us: int = 0
    worn_us: int = 0
    wear_us: int = 0
    wearing: bool = False


@final
@dataclass(frozen=True, slots=True)
class Status:
    """Everything a face may show, frozen. ``alarm`` is "" or "low", "medium", "high" (clinical reference, F.5). ``remote``: how
    the terminal of a session on a real board is reached, "" where it stands beside it. ``state`` names the session's
    state to a program, ``state_words`` to a person, where that differs; so do ``output_words`` with the output.
    """

    stage: Stage
    state: str
    next_action: str
    output: OutputWord
    simulated: bool
    board: str
    stopped: bool = False
    stop_confirmed: bool = False
    stop_reason: str = ""
    alarm: str = ""
    alarm_text: str = ""
    refusal: str = ""
    protocol: str = ""
    protocol_kind: str = ""
    summary: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    patient: str = ""
    side: str = ""
    questions: tuple[Question, ...] = ()
    channels: tuple[ChannelStatus, ...] = ()
    progress: Progress = Progress()
    counts: Counts = Counts()
    emg: EmgStatus | None = None
    messages: tuple[str, ...] = ()
    presence_due: bool = False
    review: tuple[str, ...] = ()
    can: tuple[OrderKind, ...] = ()
    now_us: int = 0
    remote: str = ""
    skin_due: bool = False
    state_words: str = ""
    output_words: str = ""
    disabled: bool = False  # no output stage at all: nothing in this session can arm a board
    guide: GuideStatus | None = None


# --- to and from JSON ------------------------------------------------------------------------------------------


def to_json(value: Order | Status) -> bytes:
    """One line of UTF-8 JSON, without the newline. Half a character (a lone surrogate, as a file's name may have) passes,
    both ways: no name may end a session.
    """
    text = json.dumps(dataclasses.asdict(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def order_from_json(line: bytes) -> Order:
    """The order in ``line``; raises :class:`UsageError` for anything that is not exactly one."""
    return typing.cast(Order, _read(Order, line))


def status_from_json(line: bytes) -> Status:
    """The status in ``line``; raises :class:`UsageError` for anything that is not exactly one."""
    return typing.cast(Status, _read(Status, line))


def _read(kind: type, line: bytes) -> object:
    try:
        return _build(kind, json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(f"not a {kind.__name__.lower()}: {error}") from None


def _build(kind: Any, data: Any) -> Any:
    """Rebuild ``data`` as ``kind``, refusing what does not fit; only the shapes used above."""
    origin = typing.get_origin(kind)
    if origin is tuple:
        return tuple(_build(typing.get_args(kind)[0], item) for item in data)
    if origin in (types.UnionType, typing.Union):
        return None if data is None else _build(typing.get_args(kind)[0], data)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _build(hints[name], item) for name, item in data.items()})  # type: ignore[operator]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(data)
    if kind is float and type(data) is int:
        return float(data)
    if type(data) is not kind:
        raise TypeError(f"{data!r} is not {kind.__name__}")
    return data
