"""One cycle of a protocol as something to look at, before anybody draws it: bands in time, and a trace for each channel.

It is made of the schedule alone. Whatever has a length in time is shown at its longest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, final

from stimctl.authoring import curve, margins
from stimctl.authoring.curve import Piece
from stimctl.authoring.facts import ChannelFacts, Facts, facts
from stimctl.engine.lanes import SENSORY_RAMP_US
from stimctl.limits import warning
from stimctl.pulse import PulseTrain, phase_charge_pc
from stimctl.schedule import FULL_PPM, Advance, ChannelPlan, MovementPlan, Schedule
from stimctl.schedule.guided import GuidePlan
from stimctl.session.summary import pulse_words, rms_words
from stimctl.units import SECOND, ma_text, seconds_text

_UNKNOWN_SHARE: Final = 6
"""A wait of unknown length is drawn as the sixth part of a cycle, and says that it is not to scale."""

_ENDS: Final = {Advance.TIME: "", Advance.KEY: "until the key", Advance.ATTEMPT: "until the attempt"}
_FEW: Final = 4
"""So many different pulses are told one by one."""


@final
class Band(NamedTuple):
    """A stretch of time with a name: a phase, a wait before it, or the rest. µs from the picture's beginning."""

    name: str
    begin_us: int
    end_us: int
    active: bool
    note: str = ""
    cue: str = ""


@final
class Point(NamedTuple):
    """A corner of an envelope: when (µs), and how much of the level (0 to 1)."""

    at_us: int
    share: float


@final
class Sweep(NamedTuple):
    """Something about the pulses that changes in a cycle: its name and unit, and its value from each moment on (µs)."""

    name: str
    unit: str
    steps: tuple[tuple[int, float], ...]

    @property
    def most(self) -> float:
        """The highest value."""
        return max(value for _, value in self.steps)

    def __str__(self) -> str:
        return f"{self.name} {min(value for _, value in self.steps):g} to {self.most:g} {self.unit}"


@final
class Trace(NamedTuple):
    """One channel: its envelope, the levels that are drawn (mA), what is said beside it, and what its pulses go through."""

    name: str
    points: tuple[Point, ...]
    prescribed_ma: float
    most_ma: float
    warn_ma: float
    limit_ma: float
    limit_name: str
    words: tuple[str, ...]
    sweeps: tuple[Sweep, ...]


@final
class Picture(NamedTuple):
    """Everything that a painter needs."""

    title: str
    kind: str
    words: tuple[str, ...]
    length_us: int
    bands: tuple[Band, ...]
    traces: tuple[Trace, ...]


def picture(schedule: Schedule) -> Picture:
    """The picture of a schedule; one without output has bands alone."""
    found = facts(schedule)
    bands = tuple(_joined(_bands(schedule)))
    length_us = bands[-1].end_us if bands else 0
    start_us = next((band.begin_us for band in bands if band.active), 0)
    traces = tuple(
        _trace(plan, each, schedule, start_us, length_us)
        for plan, each in zip(schedule.channels, found.channels, strict=True)
    )
    return Picture(schedule.title, schedule.kind, tuple(_words(schedule, found)), length_us, bands, traces)


def guided_picture(title: str, kind: str, plan: GuidePlan) -> Picture:
    """The picture of guided work: the steps of one repetition, every wait at its longest; nothing flows."""
    bands, now_us = [], 0
    for number, step in enumerate(plan.steps, 1):
        end_us = now_us + step.length_us + step.hold_us
        bands.append(Band(f"step {number}", now_us, end_us, active=bool(number % 2), note=step.say))
        now_us = end_us
    sets = f"{plan.sets} sets of " if plan.sets > 1 else ""
    words = (
        f"Prescribed: {sets}{plan.repetitions} repetitions, at most {seconds_text(plan.longest_us)} in all",
        "No output: nothing is stimulated. One repetition:",
    )
    return Picture(title, kind, words, now_us, tuple(bands), ())


# --- time -------------------------------------------------------------------------------------------------------


def _bands(schedule: Schedule) -> Iterator[Band]:
    movement = schedule.movement
    if movement is None:
        if schedule.flow_us:
            yield Band("flow", 0, schedule.flow_us, active=True)
        return
    now_us = 0
    for wait in _waits(schedule, movement):
        yield wait
        now_us = wait.end_us
    for phase in movement.phases:
        ends = _ENDS[phase.advance]
        note = f"{ends}, at most {seconds_text(phase.length_us)}" if ends else ""
        yield Band(phase.name, now_us, now_us + phase.length_us, active=True, note=note, cue=phase.cue)
        now_us += phase.length_us
    if movement.rest_us:
        yield Band("rest", now_us, now_us + movement.rest_us, active=False)


def _joined(bands: Iterator[Band]) -> Iterator[Band]:
    """Bands of one name that follow each other as one: a sweep has many short steps."""
    last: Band | None = None
    for band in bands:
        if (
            last is not None
            and (band.name, band.note, band.active) == (last.name, last.note, last.active)
            and not band.cue
        ):
            last = last._replace(end_us=band.end_us)
            continue
        if last is not None:
            yield last
        last = band
    if last is not None:
        yield last


def _waits(schedule: Schedule, movement: MovementPlan) -> Iterator[Band]:
    """What comes before a movement that something sets off."""
    trigger = schedule.trigger
    if trigger is None:
        return
    begin_us = 0
    for number, each in enumerate(trigger.script, 1):
        yield Band(f"script {number}", begin_us, begin_us + each.length_us, active=False, cue=each.say)
        begin_us += each.length_us
    what = "robot glove" if trigger.robot else "key" if trigger.by is Advance.KEY else "attempt"
    if trigger.window_us:
        what_comes = "movement" if schedule.kind == "fes-sequence" else "burst"
        missed = f"then the {what_comes} comes anyway" if trigger.assist_missed else "then it counts as missed"
        note = f"at most {seconds_text(trigger.window_us)}, {missed}"
        yield Band(
            f"waits for the {what}",
            begin_us,
            begin_us + trigger.window_us,
            active=False,
            note=note,
            cue="try" if trigger.cued else "",
        )
    else:
        drawn_us = max(SECOND, movement.cycle_us // _UNKNOWN_SHARE)
        yield Band(f"waits for the {what}", 0, drawn_us, active=False, note="as long as it takes; not to scale")


# --- a channel --------------------------------------------------------------------------------------------------


def _trace(plan: ChannelPlan, each: ChannelFacts, schedule: Schedule, start_us: int, length_us: int) -> Trace:
    pieces = _pieces(plan, schedule)
    area = min(pad.area_um2 for pad in plan.pads)
    limit_ua, limit_name = margins.highest(plan)
    return Trace(
        name=plan.name,
        points=tuple(_points(pieces, start_us, length_us)),
        prescribed_ma=plan.target_ua / 1e3,
        most_ma=plan.max_ua / 1e3,
        warn_ma=warning(plan.part, plan.effect, smallest_pad_um2=area).peak_ua / 1e3,
        limit_ma=limit_ua / 1e3,
        limit_name=limit_name,
        words=tuple(_channel_words(plan, each, pieces, schedule)),
        sweeps=tuple(_sweeps(pieces, start_us)),
    )


def _sweeps(pieces: tuple[Piece, ...], start_us: int) -> Iterator[Sweep]:
    """What is not the same all through the cycle: rate, width, pulses that stand together."""
    for name, unit, value in _CHANGING:
        steps = tuple((start_us + piece.begin_us, value(piece.train)) for piece in pieces if piece.on)
        if len({each for _, each in steps}) > 1:
            yield Sweep(name, unit, steps)


_CHANGING: Final[tuple[tuple[str, str, Callable[[PulseTrain], float]], ...]] = (
    ("rate", "Hz", lambda train: train.rate_mhz / 1000),
    ("phase width", "µs", lambda train: train.phase_width_us),
    ("pulses in a period", "", lambda train: train.pulses_per_period),
)


def _pieces(plan: ChannelPlan, schedule: Schedule) -> tuple[Piece, ...]:
    if schedule.movement is not None:
        return curve.steady(plan, schedule.movement)
    end_us = schedule.flow_us
    ending_us = max(0, end_us - SENSORY_RAMP_US)
    return (
        Piece(0, 0, ending_us, FULL_PPM, FULL_PPM, plan.shape, follows=False),
        Piece(0, ending_us, end_us, FULL_PPM, 0, plan.shape, follows=False),
    )


def _points(pieces: tuple[Piece, ...], start_us: int, length_us: int) -> Iterator[Point]:
    yield Point(0, 0.0)
    for piece in pieces:
        if piece.end_us > piece.begin_us:
            yield Point(start_us + piece.begin_us, piece.from_ppm / FULL_PPM)
            yield Point(start_us + piece.end_us, piece.to_ppm / FULL_PPM)
    end_us = start_us + max((piece.end_us for piece in pieces), default=0)
    if end_us < length_us:
        yield Point(end_us, 0.0)
        yield Point(length_us, 0.0)


def _channel_words(
    plan: ChannelPlan, each: ChannelFacts, pieces: tuple[Piece, ...], schedule: Schedule
) -> Iterator[str]:
    yield f"{each.muscle}; output {each.output}"
    yield f"{ma_text(plan.target_ua)} mA prescribed, at most {ma_text(plan.max_ua)} mA"
    trains = list(dict.fromkeys(piece.train for piece in pieces if piece.on)) or [plan.shape]
    if len(trains) == 1:
        yield pulse_words(trains[0])
    elif len(trains) <= _FEW and schedule.movement is not None:
        for train in trains:
            yield f"{_phases_of(train, pieces, schedule.movement)}: {_train_words(train, plan)}"
    else:
        yield _ranges(trains)
    yield f"{each.charge_prescribed_uc:.1f} µC per phase, at most {each.charge_uc:.1f}; {rms_words(each.rms_ma, each.rms_period_ma)} at most"
    yield f"{each.rms_density_ma_cm2:.2f} mA/cm² rms at most on `{each.worst_pad}`"
    yield f"nearest limit: {each.nearest}"
    if any(piece.follows for piece in pieces):
        yield "follows the control signal: drawn at its full"


def _phases_of(train: PulseTrain, pieces: tuple[Piece, ...], movement: MovementPlan) -> str:
    indices = dict.fromkeys(piece.phase for piece in pieces if piece.on and piece.train == train)
    return ", ".join(dict.fromkeys(movement.phases[index].name for index in indices))


def _train_words(train: PulseTrain, plan: ChannelPlan) -> str:
    most_uc = phase_charge_pc(train.at(plan.max_ua)) / 1e6
    return f"{train.phase_width_us} µs at {train.rate_mhz / 1000:g} Hz, at most {most_uc:.1f} µC"


def _ranges(trains: list[PulseTrain]) -> str:
    widths = sorted({train.phase_width_us for train in trains})
    rates = sorted({train.rate_mhz / 1000 for train in trains})
    width = f"{widths[0]} to {widths[-1]} µs" if len(widths) > 1 else f"{widths[0]} µs"
    rate = f"{rates[0]:g} to {rates[-1]:g} Hz" if len(rates) > 1 else f"{rates[0]:g} Hz"
    return f"{width} per phase at {rate}"


# --- the whole --------------------------------------------------------------------------------------------------


def _words(schedule: Schedule, found: Facts) -> Iterator[str]:
    yield found.prescribed
    if schedule.channels:
        yield (
            f"In all, at most: {seconds_text(round(found.length_s * 1e6))}, on for"
            f" {seconds_text(round(found.on_s * 1e6))}; duty {found.duty_percent:.0f} % of a cycle;"
            f" {found.pulses} pulses; {found.charge_mc:.0f} mC per phase"
        )
