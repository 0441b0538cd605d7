"""Today's range of a muscle that sets bursts off: five seconds at rest, then the best of three attempts; output off.

What comes of it is a threshold for this person and day. It is taken by starting the treatment, and measured again by going
on: nothing is in force that nobody has looked at. The treatment still learns a resting level of its own.
"""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING, Final, final

from stimctl.errors import UsageError
from stimctl.units import MS, SECOND

if TYPE_CHECKING:
    from stimctl.session.core import Session
    from stimctl.session.ear import Ear

REST_US: Final = 5 * SECOND
ATTEMPT_US: Final = 4 * SECOND
"""How long rest and one attempt are measured (project): a reaction, a rise, and a second or two at the top."""

SETTLE_US: Final = SECOND
"""The first second of rest does not count: the hand comes to lie."""

ATTEMPTS: Final = 3
LOOK_US: Final = 20 * MS
"""How often the envelope is looked at meanwhile."""

SHARE: Final = 0.3
"""Where between rest and the best attempt the threshold lies: 20 to 50 % of the best are usual (clinical reference, B.3)."""

LEAST_UV: Final = 3.0
"""An attempt that rises less over rest is lost in the noise of a good amplifier, 1 to 2 µV (project)."""

_SPARSE: Final = 20
_NAMES: Final = ("rest", *(f"attempt {number}" for number in range(1, ATTEMPTS + 1)))


@final
class EffortRange:
    """The measuring, step by step; all levels are envelopes in µV."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._began_us: int | None = None
        self._looked_us = 0
        self.restart()

    def restart(self) -> None:
        """Nothing is known any more."""
        self._levels_uv: list[float] = []
        self._loudest_rest_uv = 0.0
        self._began_us = None
        self.threshold_uv: float | None = None

    @property
    def measuring(self) -> bool:
        """Whether a step is being measured."""
        return self._began_us is not None

    @property
    def step(self) -> int:
        """The step that is measured now or next: 0 for rest, then each attempt; past the last where all is known."""
        return len(self._levels_uv)

    @property
    def levels_uv(self) -> tuple[float, ...]:
        """What was measured so far: rest, then the attempts."""
        return tuple(self._levels_uv)

    def begin(self, now_us: int) -> None:
        """Measure the next step from now on; after the last one, rest again."""
        if self.step > ATTEMPTS:
            self.restart()
        self._values.clear()
        self._began_us = self._looked_us = now_us

    def hear(self, level_uv: float | None, now_us: int) -> bool:
        """Take the newest envelope; whether a step was measured with it. Raises :class:`UsageError` with what does not fit."""
        if self._began_us is None:
            return False
        since_us = now_us - self._began_us
        if level_uv is not None and now_us - self._looked_us >= LOOK_US and (self.step or since_us >= SETTLE_US):
            self._looked_us = now_us
            self._values.append(level_uv)
        if since_us < (ATTEMPT_US if self.step else REST_US):
            return False
        self._began_us = None
        self._finish()
        return True

    def _finish(self) -> None:
        if len(self._values) < _SPARSE:
            raise UsageError(
                f"too little of the EMG could be believed while {_NAMES[self.step]} was measured: look at the electrodes,"
                " then measure it again"
            )
        # The most that was held for a moment, and not a single peak: a knock is no effort.
        loud_uv = quantiles(self._values, n=10)[-1]
        if not self.step:
            self._loudest_rest_uv = loud_uv
            self._levels_uv.append(median(self._values))
            return
        if not loud_uv >= self._levels_uv[0] + LEAST_UV:
            raise UsageError(
                f"{_NAMES[self.step]} came to {loud_uv:.1f} µV, rest to {self._levels_uv[0]:.1f} µV: too near to tell apart;"
                " try it again, or look at the electrodes"
            )
        self._levels_uv.append(loud_uv)
        if self.step > ATTEMPTS:
            self._place()

    def _place(self) -> None:
        rest_uv, attempts_uv = self._levels_uv[0], self._levels_uv[1:]
        found_uv = rest_uv + SHARE * (max(attempts_uv) - rest_uv)
        loudest_uv, weakest_uv = self._loudest_rest_uv, min(attempts_uv)
        if not loudest_uv < found_uv < weakest_uv:
            self.restart()
            at_rest = not loudest_uv < found_uv
            raise UsageError(
                f"a threshold of {found_uv:.1f} µV would be "
                + (
                    f"passed at rest ({loudest_uv:.1f} µV): relax"
                    if at_rest
                    else f"missed by an attempt ({weakest_uv:.1f} µV): try alike"
                )
                + ", and measure all again"
            )
        self.threshold_uv = found_uv

    def bars(self) -> tuple[float | None, ...]:
        """The level of each step, and the threshold where it is found; nothing before anything was begun."""
        if not (self._levels_uv or self.measuring):
            return ()
        known = (*self._levels_uv, *[None] * (ATTEMPTS + 1 - self.step))
        found = () if self.threshold_uv is None else (self.threshold_uv,)
        return tuple(None if uv is None else round(uv, 1) for uv in (*known, *found))

    def words(self) -> str:
        """What is measured now, or what the next key does."""
        if self.measuring:
            return (
                f"Output off. Attempt {self.step} of {ATTEMPTS}: open the hand as hard as it comfortably goes."
                if self.step
                else "Output off. Measuring rest: the arm lies still."
            )
        if self.threshold_uv is not None:
            return f"Output off. Trigger level {self.threshold_uv:.1f} µV: Start accepts it, Enter measures again."
        if self.step:
            return f"Output off. Let go; Enter measures attempt {self.step} of {ATTEMPTS}."
        return ""


# --- in a session ------------------------------------------------------------------------------------------------


def begin(session: Session, ear: Ear, now_us: int) -> None:
    """Measure the next step; the simulated patient does as it is told."""
    if ear.range.measuring:
        raise UsageError("the EMG is being measured; wait until it is done")
    ear.range.begin(now_us)
    patient = session.link.patient if session.link is not None else None
    if patient is not None:
        (patient.exert if ear.range.step else patient.let_go)(now_us)


def follow(session: Session, ear: Ear, now_us: int, *, trying: bool) -> None:
    """Every pass: let a measuring go on, and put the threshold where it was accepted."""
    if ear.range.measuring:
        _measure(session, ear, now_us, trying=trying)
    elif ear.placing_uv is not None and ear.ready:
        _place(session, ear, ear.placing_uv, now_us)


def _measure(session: Session, ear: Ear, now_us: int, *, trying: bool) -> None:
    done = False
    if trying:
        try:
            done = ear.range.hear(ear.level_uv, now_us)
        except UsageError as error:
            session.refusal = str(error)
            session.diary.write("emg-unmeasured", {"why": str(error)}, now_us)
    else:
        ear.range.restart()  # started or stopped in the middle: half a range is none
    patient = session.link.patient if session.link is not None else None
    if patient is not None and not ear.range.measuring:
        patient.let_go(now_us)
    if done and ear.range.threshold_uv is not None:
        rest_uv, *attempts_uv = (round(uv, 2) for uv in ear.range.levels_uv)
        found_uv = round(ear.range.threshold_uv, 2)
        facts = {"rest_uv": rest_uv, "attempts_uv": attempts_uv, "threshold_uv": found_uv}
        words = f"EMG at rest {rest_uv:.1f} µV, best of {ATTEMPTS} attempts {max(attempts_uv):.1f} µV"
        session.diary.write("emg-range", facts, now_us, words)
        ear.place()


def _place(session: Session, ear: Ear, wished_uv: float, now_us: int) -> None:
    """Once the resting level is known, today's threshold; over a rest that is louder than that, the file's own stays."""
    try:
        ear.put_threshold_uv(wished_uv)
    except UsageError as error:
        why = f"the threshold measured before stays unused: {error}"
        session.diary.write("threshold-set", {"threshold_uv": None, "why": str(error)}, now_us, why)
        return
    session.diary.write(
        "threshold-set", {"threshold_uv": round(wished_uv, 2)}, now_us, f"Trigger level {wished_uv:.1f} µV"
    )
