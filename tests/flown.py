"""Whole runs of shipped files on the twin, and whether record and review tell what the twin knows to have flowed.

A brief run is the same file with less of its dose, and nothing else changed: two repetitions, in two sets where it has sets,
short rests between these, and a few seconds of a flow or of a guided step. It goes through thresholds, trial, treatment and review as the
whole one does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast
from unittest.mock import patch

import numpy as np

from stimctl.authoring import drafts
from stimctl.control.start import RunRequest, run_headless
from stimctl.driver.sciencemode4.lowlevel import is_slow
from stimctl.protocols import Loaded, Plan, library, library_text, loads, loads_with_hash
from stimctl.records import reading
from stimctl.records.words import Event, SessionRow
from stimctl.schedule import Schedule, compile_schedule
from stimctl.schedule.guided import GuidePlan, StepPlan, compile_guide
from stimctl.session import guide_rooms, opening
from stimctl.session.dose import prescribed_line
from stimctl.session.guide_wording import prescribed_line as guided_line
from stimctl.sim import link as sim_link
from stimctl.sim.board import Twin
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.units import MS, SECOND, seconds_text
from tests.sensors_kit import noise

BRIEF_FLOW_US: Final = 10 * SECOND
BRIEF_STEP_US: Final = 12 * SECOND
BRIEF_REST_US: Final = 5 * SECOND

LATE_US: Final = 250 * MS
"""How far what flows may reach beyond the row that tells of its beginning or end: a pass, and the board's own tenth."""

OFF_SHARE: Final = 0.02
"""By how much the sums may differ from the twin's pulses: its outputs are up to 1.5 % off, and a pulse stands for a period."""

OFF_TRAINS: Final = {"NeuroStimDuino": 0.06, "UECU": 0.06}
"""How much less than commanded may flow on boards that are given train by train, or pulse by pulse: each change waits for the
line and the board, and what was due meanwhile is left out. Never more flows."""

OFF_MEASURED: Final = 0.05
"""The same for what the board measures: it reports ten times a second, and a ramp goes on between two reports."""


def brief_schedule(schedule: Schedule) -> Schedule:
    """The same, with a small dose."""
    cycle_us = schedule.movement.cycle_us if schedule.movement is not None and schedule.continuous else 0
    return replace(
        schedule,
        repetitions=min(schedule.repetitions, 1 if schedule.sets > 1 else 2),
        sets=min(schedule.sets, 2),
        set_rest_us=min(schedule.set_rest_us, BRIEF_REST_US),
        flow_us=min(schedule.flow_us, BRIEF_FLOW_US + cycle_us),
    )


def brief_guide(plan: GuidePlan) -> GuidePlan:
    """The same, with a small dose."""
    return replace(
        plan,
        repetitions=min(plan.repetitions, 1 if plan.sets > 1 else 2),
        sets=min(plan.sets, 2),
        set_rest_us=min(plan.set_rest_us, BRIEF_REST_US),
        steps=tuple(map(_brief_step, plan.steps)),
    )


def _brief_step(step: StepPlan) -> StepPlan:
    return replace(step, length_us=min(step.length_us, max(BRIEF_STEP_US, step.hold_us + SECOND)))


# --- a run ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class One:
    """One session of a run: what the record says, and the board that it ran on. ``plan``: what was to be done."""

    row: SessionRow
    events: tuple[Event, ...]
    twin: Twin
    plan: Schedule | GuidePlan

    @property
    def opened(self) -> dict[str, Any]:
        """The record's first row."""
        return self.events[0].payload

    @property
    def closed(self) -> dict[str, Any]:
        """The record's last row."""
        return self.events[-1].payload

    @property
    def review(self) -> list[str]:
        """What the operator read at the end."""
        return cast(list[str], self.closed["review"])

    def count(self, kind: str) -> int:
        """How many rows are of this kind."""
        return sum(each.kind == kind for each in self.events)


@dataclass(frozen=True)
class Flown:
    """A run of one file: its exit code, what was said, and its sessions, one or as many as a plan has blocks."""

    name: str
    code: int
    said: tuple[str, ...]
    sessions: tuple[One, ...]


def fly(name: str, seed: int, folder: Path, *, brief: bool, board: str = "sim:", emg: str = "") -> Flown:
    """Run a shipped file without a screen, as fast as it goes."""
    twins: list[Twin] = []
    said: list[str] = []

    def linked(twin: Twin, *rest: Any) -> sim_link.SimLink[Twin]:
        twins.append(twin)
        return original(twin, *rest)

    original, store = sim_link.SimLink, folder / f"{name}-{seed}.db"
    with ExitStack() as stack:
        stack.enter_context(patch.object(sim_link, "SimLink", linked))
        if brief:
            stack.enter_context(
                patch.object(opening, "compile_schedule", lambda *a: brief_schedule(compile_schedule(*a)))
            )
            stack.enter_context(patch.object(guide_rooms, "compile_guide", lambda *a: brief_guide(compile_guide(*a))))
        request = RunRequest(protocol=name, seed=seed, speed=math.inf, store=str(store), board=board, emg=emg)
        code = run_headless(request, said.append)
    rows = reading.sessions(store)
    pairs = zip(rows, twins, strict=True)
    return Flown(name, code, tuple(said), tuple(_one(store, row, twin, brief=brief) for row, twin in pairs))


def _one(store: Path, row: SessionRow, twin: Twin, *, brief: bool) -> One:
    events = reading.events(store, row.id)
    text = str(events[0].payload["protocol_text"])
    plan = drafts.draft(Loaded(loads(text, row.protocol), "", "", text)).plan
    assert isinstance(plan, (Schedule, GuidePlan))
    if brief:
        plan = brief_schedule(plan) if isinstance(plan, Schedule) else brief_guide(plan)
    return One(row, events, twin, plan)


def listens(name: str) -> bool:
    """Whether a shipped file waits for attempts, or shows an effort, in EMG."""
    text = library_text(name)
    return "\n[trigger]" in text or "\n[emg]" in text


def attempts(folder: Path) -> str:
    """The URL of a recording of six minutes, with an effort every eight seconds: for boards that hear nothing themselves."""
    rate_hz, path = 1_000, folder / "attempts.npz"
    values = noise(360.0, rate_hz, 3.0)
    for start_s in range(12, 358, 8):
        values[start_s * rate_hz : start_s * rate_hz + 1_500] *= 20
    np.savez(path, x=values, fs=np.float64(rate_hz))
    return f"file:{path}"


@cache
def blocks(name: str) -> tuple[str, ...]:
    """The shipped files that a plan is made of; none of a file of another kind."""
    loaded = loads_with_hash(library_text(name), name)
    return tuple(each.name for each in loaded.blocks if each is not None) if isinstance(loaded.protocol, Plan) else ()


def fewest() -> tuple[str, ...]:
    """Files that together have every shipped one in them: a plan's blocks are flown with the plan."""
    # Every worker asks as it collects, so only plans are opened.
    within = {block for entry in library() if entry.kind == "plan" for block in blocks(entry.name)}
    return tuple(entry.name for entry in library() if entry.name not in within)


# --- what must hold ----------------------------------------------------------------------------------------------


def faults(flown: Flown) -> list[str]:
    """What is wrong with a run, in whole sentences; none where record, review and twin agree."""
    # Of a board that confirms no zero nobody says that it is off, and no run on it ends well.
    known = all(one.opened["board"].get("confirms_zero", True) for one in flown.sessions)
    wanted_code = 0 if known else 1
    found = [] if flown.code == wanted_code else [f"exit code {flown.code}: {' / '.join(flown.said[-3:])}"]
    wanted = blocks(flown.name) or (flown.name,)
    if len(flown.sessions) != len(wanted):
        return [*found, f"{len(flown.sessions)} sessions in the record instead of {len(wanted)}"]
    for block, one in zip(wanted, flown.sessions, strict=True):
        check = _stimulated if isinstance(one.plan, Schedule) else _guided
        found += [f"{block}: {each}" for each in (*_ended(one, library_text(block)), *check(one))]
        found += [f"{block}: `{line}` was not said" for line in one.review if f"  {line}" not in flown.said]
    return found


def _ended(one: One, text: str) -> Iterator[str]:
    if one.row.outcome != "complete":
        yield f"ended as {one.row.outcome}: {one.row.why}"
    if one.opened["protocol_text"] != text:
        yield "the record has another text"
    if getattr(one.twin, "armed", False) or one.twin.energised:  # not every board has a word for it
        yield "the board is still armed"


def _differ(what: str, told: object, known: object) -> Iterator[str]:
    if told != known:
        yield f"{what}: the record has {told}, and it was {known}"


def _says(one: One, words: str) -> Iterator[str]:
    if not any(words in line for line in one.review):
        yield f"no line of the review says `{words}`"


def _stimulated(one: One) -> Iterator[str]:
    schedule = cast(Schedule, one.plan)
    yield from _says(one, prescribed_line(schedule))
    yield from _differ("output", one.closed["output"], "off" if one.opened["board"]["confirms_zero"] else "unknown")
    yield from _flow(one, schedule) if schedule.continuous else _bursts(one, schedule)
    if schedule.trigger is not None:
        yield from _attempts(one, robot=schedule.trigger.robot)
    yield from _sums(one)
    yield from _where_it_flowed(one, schedule)


def _flow(one: One, schedule: Schedule) -> Iterator[str]:
    dose = one.closed["dose"]
    yield from _differ("prescribed", dose["prescribed"], {"flow_us": schedule.flow_us})
    yield from _differ("delivered", dose["delivered"]["flow_us"], schedule.flow_us)
    whole = seconds_text(schedule.flow_us)
    yield from _says(one, f"Delivered {whole} of {whole} (100 %)")


def _bursts(one: One, schedule: Schedule) -> Iterator[str]:
    dose, bursts, missed = one.closed["dose"], one.count("burst-delivered"), one.count("missed")
    assert schedule.movement is not None
    prescribed = {"repetitions": schedule.repetitions, "sets": schedule.sets, "burst_us": schedule.movement.on_us}
    yield from _differ("prescribed", dose["prescribed"], prescribed)
    yield from _differ("bursts", (one.closed["delivered"], dose["delivered"]["bursts"], one.row.bursts), (bursts,) * 3)
    yield from _differ("repetitions", bursts + missed, schedule.repetitions * schedule.sets)
    yield from _says(one, f"Delivered {bursts} of {schedule.repetitions * schedule.sets} ")
    if schedule.control is not None:
        led = sum(each.kind == "opening" and cast(int, each.payload["most_percent"]) > 0 for each in one.events)
        yield from _differ("openings", (dose["openings"]["led"], dose["openings"]["of"]), (led, bursts))
        yield from _says(one, f": {led} of {bursts} ({100 * led // bursts} % voluntary)")


def _attempts(one: One, *, robot: bool) -> Iterator[str]:
    triggered, missed, assisted = (one.count(kind) for kind in ("trigger", "missed", "assist"))
    share = None if robot else 100 * triggered // (triggered + missed + assisted)
    known = {"triggered": triggered, "missed": missed, "assisted": assisted, "voluntary_percent": share}
    yield from _differ("attempts", one.closed["dose"]["attempts"], known)
    words = f"Attempts: {triggered} triggered, {missed} missed, {assisted} assisted ({share} % voluntary)"
    yield from _says(one, f"Set off by the robot glove: {triggered};" if robot else words)


def _sums(one: One) -> Iterator[str]:
    """Charge and time on, against the twin's own ledger."""
    dose = one.closed["dose"]
    commanded_uc, measured_uc = dose["commanded"]["charge_uc"], dose["delivered"]["charge_uc"]
    flowed_uc = sum(ledger.charge_pc for ledger in one.twin.ledger) / 1e6
    less = OFF_TRAINS.get(one.opened["board"]["name"], 0.0)
    for what, told, off in (("commanded", commanded_uc, OFF_SHARE), ("measured", measured_uc, OFF_MEASURED)):
        if told is None and one.opened["board"]["senses_current"]:
            yield f"charge {what}: the record has none, and the board measures it"
        elif told is not None and not -max(off, less) * told <= flowed_uc - told <= off * told + _anew_uc(one):
            yield f"charge {what}: the record has {told} µC, and {flowed_uc:.0f} µC flowed"
    spells = _spells(one, _period_us(one))
    on_us = sum(end - begin for begin, end in spells)
    rest_us = len(spells) * _asked_us(one)  # such a spell ends with its last pulse, and is over a period later at most
    if not -OFF_SHARE * on_us <= dose["commanded"]["on_us"] - on_us <= max(OFF_SHARE, less) * on_us + rest_us:
        yield f"time on: the record has {dose['commanded']['on_us']} µs, and it was {on_us} µs"
    measured = "" if measured_uc is None else f", {measured_uc / 1000:.1f} mC by the board's own"
    yield from _says(one, f"{commanded_uc / 1000:.1f} mC commanded{measured}")


def _period_us(one: One) -> int:
    """Within which pulses are one stretch where each is given by itself; a board that is given trains has stretches."""
    if one.opened["board"]["name"] != "UECU":
        return 2 * _asked_us(one)
    schedule = cast(Schedule, one.plan)
    return 2 * 10**9 // min(plan.shape.rate_mhz for plan in schedule.channels)


def _asked_us(one: One) -> int:
    """How far apart pulses are that the computer asks a ScienceMode board for one by one; 0 where the board times them."""
    rates_mhz = [plan.shape.rate_mhz for plan in cast(Schedule, one.plan).channels]
    slow = isinstance(one.twin, ScienceMode4Board) and is_slow(rates_mhz)
    return 10**9 // min(rates_mhz) if slow else 0


def _anew_uc(one: One) -> float:
    """What a board that counts periods may give besides: at worst it begins a new period at once, a pulse for each change."""
    if not one.opened["board"]["period_step_us"]:
        return 0.0
    pairs = [pair for ledger in one.twin.ledger for pair in pairwise(ledger.history(one.twin.now_us))]
    changes = [new for old, new in pairs if new.start_us == old.end_us and new.period_ps != old.period_ps]
    return sum(new.sums[0] for new in changes) / 1e6


def _spells(one: One, gap_us: int) -> list[tuple[int, int]]:
    """When anything flowed at any output; what lies no more than ``gap_us`` apart is one."""
    stretches = sorted(
        (each.start_us, each.end_us) for ledger in one.twin.ledger for each in ledger.history(one.twin.now_us)
    )
    found: list[tuple[int, int]] = []
    for begin, end in stretches:
        if found and begin <= found[-1][1] + gap_us:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _where_it_flowed(one: One, schedule: Schedule) -> Iterator[str]:
    """From the beginning of the treatment on, current flows where the record has a burst or the flow, and nowhere else."""
    told = list(_told(one, "dose-done" if schedule.continuous else "burst-delivered"))
    began_us = next(each.mono_us for each in one.events if each.kind == "begin")
    flowed = [spell for spell in _spells(one, LATE_US) if spell[0] >= began_us]
    for begin, end in flowed:
        if not any(first - LATE_US <= begin and end <= last + LATE_US for first, last in told):
            yield f"current flowed from {begin} to {end} µs, where the record has no burst"
    empty = [each for each in told if not any(begin < each[1] and each[0] < end for begin, end in flowed)]
    if empty and schedule.control is None:  # a hand that leads may stay closed
        yield f"nothing flowed in {len(empty)} of {len(told)} bursts of the record"


def _told(one: One, over: str) -> Iterator[tuple[int, int]]:
    """Beginning and end of what the record says to have flowed in the treatment."""
    began: int | None = None
    for each in one.events:
        if each.kind in ("to-burst", "trigger", "assist", "to-flow"):
            began = each.mono_us
        elif each.kind == over and began is not None:
            yield began, each.mono_us
            began = None


def _guided(one: One) -> Iterator[str]:
    plan, told = cast(GuidePlan, one.plan), one.closed
    yield from _differ("prescribed", told["prescribed"], plan.prescribed)
    yield from _differ("repetitions", told["done"] + told["missed"] + told["unheard"], plan.prescribed)
    yield from _differ("output", told["output"], "disabled")
    yield from _differ("pulses", sum(ledger.pulses for ledger in one.twin.ledger), 0)
    yield from _says(one, guided_line(plan))
    yield from _says(one, f"Done: {told['done']} of {plan.prescribed} repetitions")
    for kind in ("done", "missed", "unheard", "counted"):
        yield from _differ(kind, told[kind], one.count(f"repetition-{kind}"))
    judged = told["reached"] + told["missed"]
    yield from _differ("share reached", told["reached_percent"], 100 * told["reached"] // judged if judged else None)
    if judged:
        yield from _says(
            one, f"Attempts: {told['reached']} reached, {told['missed']} missed ({told['reached_percent']} %"
        )
