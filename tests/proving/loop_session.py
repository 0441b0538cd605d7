"""One whole session of the closed loop: what it took for an attempt, beside what the patient knows to have tried.

The loop is closed as in life: the session's bursts go through limiter and driver to the twin, their pulses flow in the
patient's arm, artefact, M-wave and reflex stand in the EMG, and the board sends that back to the session's ear.
"""

from __future__ import annotations

import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple, final
from unittest.mock import patch

from stimctl.engine import State
from stimctl.protocols import library_text
from stimctl.records.words import Event
from stimctl.schedule import Advance, compile_schedule
from stimctl.session import opening
from stimctl.sim import patient as sim_patient
from stimctl.sim.tissue import Site
from stimctl.sim.volition import Attempt
from stimctl.units import MINUTE, MS, SECOND
from tests.flown import brief_schedule
from tests.protocol_texts import edit
from tests.proving.loop_people import CONDITIONS, Person
from tests.session_rig import Rig

LINGERS_US: Final = 100 * MS + 20 * MS + 50 * MS
"""How long after an effort an onset can still be its: a last motor unit's potential outlasts it by less than 0.1 s, the board's
chunk is 20 ms long, and the session looks at it within one more pass. Before it began, an onset is never its: not by 1 µs."""

SHORTLY_US: Final = 2 * SECOND
"""After the last pulse an onset without an effort still counts as the stimulator's doing: the response in the muscle is over
after 20 ms, the reflex and the hand that falls back after 1.3 s, the windows of the detector after 0.5 s."""

FOLLOWS_US: Final = 2 * SECOND
"""When a share that follows an effort must be back at zero behind it: 0.4 s of past are in the level, the whole way down takes
1 s at the slew of the shipped file, and a reading may be 0.18 s old."""

_ASSIST: Final = ('on_missed = "count"', 'on_missed = "assist"')
_OPEN: Final = ('name = "open"\nlength_s = 3.0', 'name = "open"\nadvance = "attempt"\nlength_s = 7.0')
_HOLD: Final = ('name = "hold"\nlength_s = 4.0', 'name = "hold"\nadvance = "attempt"\nlength_s = 7.0')
_BETWEEN: Final = (
    ("rest_s = 12.0", "rest_s = 16.0"),
    ("blanking_ms = 25", "blanking_ms = 15"),
    ("rate_hz = 35", "rate_hz = 30"),
    ("rate_hz = 35", "rate_hz = 30"),
)
"""So that enough is left to hear between two pulses at the board's 1,000 samples a second."""

_BY_TIME: Final = (
    ('start = "attempt"', 'start = "time"'),
    ("cue = true", "cue = false"),
    ("say =", "# say ="),
    ("attempt_window_s =", "# attempt_window_s ="),
    ("on_missed =", "# on_missed ="),
)

TEXTS: Final[dict[str, tuple[str, tuple[tuple[str, str], ...]]]] = {
    "wrist-finger-extensors-emg": ("wrist-finger-extensors-emg", ()),
    "wrist-finger-extensors-emg-adaptive": ("wrist-finger-extensors-emg-adaptive", ()),
    "hand-opening-two-channel-emg": ("hand-opening-two-channel-emg", ()),
    "grasp-release-emg-sequence": ("grasp-release-emg-sequence", ()),
    "demonstration-emg": ("demonstration-emg", ()),
    "task, heard while it opens": ("grasp-release-emg-sequence", (_OPEN, *_BETWEEN, *_BY_TIME)),
    "task, heard while it holds": ("grasp-release-emg-sequence", (_HOLD, *_BETWEEN)),
    "wrist-finger-extensors-emg-proportional": ("wrist-finger-extensors-emg-proportional", ()),
}
"""The shipped files, and one of them changed twice so that an attempt is waited for while pulses flow; the hardest place."""


SELF_LED: Final = "wrist-finger-extensors-emg-proportional"
"""The file in which a muscle leads its own stimulation, heard between the pulses."""


@final
class Job(NamedTuple):
    """One session to run. ``willing``: whether the person ever tries; ``brief``: the everyday share of it."""

    text: str
    condition: str
    seed: int
    willing: bool = True
    brief: bool = False

    def __str__(self) -> str:
        return f"{self.text}, {self.condition}, seed {self.seed}{'' if self.willing else ', nobody tries'}"


@final
class Found(NamedTuple):
    """What came of it. Times in simulated µs.

    ``late_ms``: of each effort that was heard, from its first motor unit to the pass that took it. ``again``: onsets of an effort
    that was heard before. ``own``: onsets without an effort, while pulses flowed or shortly after; ``alarms``: elsewhere.
    """

    late_ms: tuple[float, ...] = ()
    missed: int = 0
    again: int = 0
    own: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    bursts: int = 0
    listened_us: int = 0
    in_bursts_us: int = 0
    simulated_us: int = 0
    faults: tuple[str, ...] = ()

    @property
    def attempts(self) -> int:
        """Efforts that began while somebody listened."""
        return len(self.late_ms) + self.missed

    def words(self) -> str:
        """For a person."""
        late = ", ".join(f"{ms:.0f}" for ms in self.late_ms)
        lines = [
            f"{self.simulated_us / MINUTE:.1f} min simulated, {self.bursts} bursts",
            f"{self.listened_us / MINUTE:.1f} min listening, {self.in_bursts_us / MINUTE:.1f} of them in bursts",
            f"{self.attempts} attempts, {self.missed} missed, {self.again} heard twice; late by ms: {late or 'none'}",
            *(f"SELF-TRIGGER {words}" for words in self.own),
            *(f"false alarm {words}" for words in self.alarms),
            *(f"WRONG {words}" for words in self.faults),
        ]
        return "\n".join(lines)


class Loop(Rig):
    """The rig, with a person who answers cues inside movements and lets go of what is held."""

    def __init__(self, folder: Path, job: Job) -> None:
        self.job, self.people = job, list[Person]()
        self.windows: list[tuple[int, int]] = []
        """From when to when an attempt would have been taken."""
        self.led: list[tuple[int, int]] = []
        """From when to when a muscle led its own stimulation."""
        self.in_bursts_us = 0
        self._seen_us, self._asked = 0, (State.CHOOSING, -1)
        name, changes = TEXTS[job.text]
        text = edit(library_text(name), *changes)
        super().__init__(folder, text if job.willing else text.replace(*_ASSIST), seed=job.seed)

    def meet(self, seed: int, sites: tuple[Site, ...]) -> Person:
        """In the place of the patient that a simulated board brings."""
        self.people.append(Person(seed, sites, CONDITIONS[self.job.condition], willing=self.job.willing))
        return self.people[-1]

    def tick(self) -> None:
        """One pass, and what the person does in it."""
        waits = self._waiting
        if waits:
            self._note(self.windows)
            self.in_bursts_us += self.now_us - self._seen_us if self.state is State.BURST else 0
        if self._leads:
            self._note(self.led)
        self._seen_us = self.now_us
        super().tick()
        if waits and self.state is State.BURST and self.job.willing:
            self._ask(self.people[-1])
        elif self.state is State.BURST and (due_us := self.people[-1].lets_go_us) is not None and self.now_us >= due_us:
            self.people[-1].let_go(self.now_us)

    def _note(self, spells: list[tuple[int, int]]) -> None:
        """What has held since the last pass."""
        begin_us = spells.pop()[0] if spells and spells[-1][1] == self._seen_us else self._seen_us
        spells.append((begin_us, self.now_us))

    @property
    def _waiting(self) -> bool:
        """Whether an attempt would be taken now."""
        if self.state is State.BURST:
            return self.session.engine.awaits is Advance.ATTEMPT or self.session.following is not None
        return self.state is State.LISTENING

    @property
    def _leads(self) -> bool:
        following = self.session.following
        return following is not None and self.state is State.BURST and following.follower.ppm > 0

    def _ask(self, person: Person) -> None:
        """Say "now" once more in a movement that waits for an attempt, as soon as the one before it is over."""
        now = self.state, self.session.engine.counts().delivered
        if self._asked != now and self.session.following is None and person.idle(self.now_us):
            self._asked = now
            person.cue(self.now_us)

    # --- afterwards ------------------------------------------------------------------------------------------------

    @property
    def taken_us(self) -> tuple[int, ...]:
        """When something was taken for an attempt, by the record; or began to lead."""
        told = [each.mono_us for each in self.events() if each.kind == "trigger" or _ended_by_attempt(each)]
        return tuple(sorted([*told, *(begin_us for begin_us, _ in self.led)]))

    def flowed(self, at_us: int) -> bool:
        """Whether pulses flowed then or shortly before, by the twin's own ledger."""
        return any(
            each.start_us <= at_us <= each.end_us + SHORTLY_US
            for ledger in self.twin.ledger
            for each in ledger.history(self.now_us)
        )

    def found(self) -> Found:
        """Every onset beside every effort."""
        person, events = self.people[-1], self.events()
        heard: dict[Attempt, int] = {}
        again, stray = 0, []
        for at_us in self.taken_us:
            effort = next((each for each in person.tried if each.onset_us <= at_us <= each.gone_us + LINGERS_US), None)
            if effort is None:
                stray.append((at_us, "nobody tried"))
            elif effort in heard:
                again += 1
            else:
                heard[effort] = at_us
        stray += [
            (end_us, "went on without an effort") for begin_us, end_us in self.led if self._drives(begin_us, end_us)
        ]
        told = [(self.flowed(at_us), f"{self.job}: {why} at {at_us / SECOND:.3f} s") for at_us, why in stray]
        [closed] = [each for each in events if each.kind == "session-closed"]
        return Found(
            late_ms=tuple((at_us - person.began_us(effort)) / MS for effort, at_us in heard.items()),
            missed=sum(each not in heard and self._listened(person.began_us(each)) for each in person.tried),
            again=again,
            own=tuple(words for flowed, words in told if flowed),
            alarms=tuple(words for flowed, words in told if not flowed),
            bursts=sum(each.kind == "burst-delivered" for each in events),
            listened_us=sum(end - begin for begin, end in self.windows),
            in_bursts_us=self.in_bursts_us,
            simulated_us=self.now_us,
            faults=()
            if self.job.brief or closed.payload["outcome"] == "complete"
            else (f"{self.job}: {closed.payload}",),
        )

    def _drives(self, begin_us: int, end_us: int) -> bool:
        """Whether the stimulation led itself: longer than any effort that was under way explains."""
        last_us = max((each.gone_us for each in self.people[-1].tried if each.onset_us <= end_us), default=begin_us)
        return end_us > last_us + FOLLOWS_US

    def _listened(self, at_us: int) -> bool:
        return any(begin <= at_us <= end for begin, end in self.windows)


def _ended_by_attempt(event: Event) -> bool:
    return event.kind == "phase" and event.payload["by"] == Advance.ATTEMPT.value and not event.payload["missed"]


def run(job: Job) -> Found:
    """Run one session from the questions to the closed record; what it raises is a fault."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            loop = Loop(folder, job)
            stack.callback(loop.close)
            stack.enter_context(patch.object(sim_patient, "Patient", loop.meet))
            if job.brief:
                stack.enter_context(
                    patch.object(opening, "compile_schedule", lambda *a: brief_schedule(compile_schedule(*a)))
                )
            loop.work()
            return loop.found()
        except Exception:  # noqa: BLE001 - whatever it was
            return Found(faults=(f"{job}: {traceback.format_exc()}",))
