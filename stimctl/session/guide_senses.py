"""What guided work hears: the EMG of an electrode that only listens, or the angle of a joint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from stimctl.driver import BoardDriver
from stimctl.driver import Samples as BoardSamples
from stimctl.engine.guide_words import Heard
from stimctl.errors import UsageError
from stimctl.orders import EmgStatus
from stimctl.schedule.guided import CountBy, GuidePlan
from stimctl.sensors.angles import Angle, AngleSource
from stimctl.session.losses import Presence
from stimctl.session.search import Given, Search, angle_of, emg_of
from stimctl.units import SECOND

if TYPE_CHECKING:
    from stimctl.session.diary import Diary
    from stimctl.session.hearing import Hearing
    from stimctl.sim.patient import Patient

THOUSAND: Final = 1_000

SMOOTH_US: Final = 200_000
"""Time constant of the level that is shown and held against a goal; without it no hand could hold a bar still (project).
"""


@final
class PatientAngle:
    """The simulated patient's hand, as a goniometer would see it."""

    trouble = ""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "simulated patient"

    def read(self, now_us: int) -> Angle | None:
        """The opening of the hand now."""
        return Angle(now_us, self._patient.angle_deg(now_us))


@final
class Senses:
    """The one source of a plan, and what it says just now. All times are session µs."""

    def __init__(self, plan: GuidePlan, driver: BoardDriver | None, patient: Patient | None, given: Given) -> None:
        self._by = plan.count_by
        self._level_uv: float | None = None
        self._seen_us = self._measured_us = 0
        self._told = Presence("angle", "Angle")
        self.angles: AngleSource | None = PatientAngle(patient) if patient is not None else None
        self.hearing: Hearing | None = None
        self._search: Search | None = None
        self._path: Path | None = None
        self._plan, self._driver = plan, driver
        if plan.ear is not None and driver is None and given is None:
            raise UsageError(
                "this work listens to EMG: name the board whose input hears it, such as reference:PORT, or a stream"
            )
        if isinstance(given, Search):
            self._search = given
        else:
            self._take(given)
        if self._by is CountBy.ANGLE and self.angles is None and given is None:
            raise UsageError(
                "name the goniometer or glove that measures the angle, as in --angle lsl:NAME#CHANNEL; or use a file with"
                ' count_by = "key" or "emg"'
            )

    def _take(self, given: Given) -> None:
        """Listen to what was given and found, or to the board; measure the angle that was given."""
        if self._plan.ear is not None:
            from stimctl.session.hearing import Hearing  # brings NumPy, which only listening needs

            self.hearing = Hearing(emg_of(given), self._plan.ear, self._driver)
        elif (angle := angle_of(given)) is not None:
            from stimctl.sensors.gonio import Goniometer

            self.angles = Goniometer(angle)

    def _require_stream(self) -> None:
        """The stream that was looked for; raises :class:`UsageError` where it was not found, or not yet."""
        if self._search is None:
            return
        if not self._search.done:
            raise UsageError(f"{self._search.url} is still being looked for; try again in a moment")
        self._take(self._search)
        self._search = None
        if self.hearing is not None and self._path is not None:
            self.hearing.keep(self._path)

    def keep(self, path: Path) -> None:
        """Keep every chunk of EMG in a file at ``path``; raises :class:`RecordError` when it cannot be made."""
        self._path = path
        if self.hearing is not None:
            self.hearing.keep(path)

    def take(self, samples: BoardSamples, missing: int, now_us: int) -> None:
        """A chunk of EMG from the board; ``missing`` samples were lost before it."""
        if self.hearing is not None:
            self.hearing.take(samples, missing, now_us)

    def start(self, now_us: int) -> None:
        """Listen from now on; raises :class:`LinkLost` where nothing would ever come, and what keeps a stream away."""
        self._require_stream()
        if self.hearing is not None:
            self.hearing.start(now_us)

    def rest(self, now_us: int) -> None:
        """Let the board's samples end."""
        if self.hearing is not None:
            self.hearing.rest(now_us)

    def heard(self, now_us: int, *, counting: bool) -> Heard:
        """What came in since the last look."""
        if self._by is CountBy.EMG and self.hearing is not None:
            self.hearing.poll(now_us)
            ear = self.hearing.ear
            ear.listen(counting)
            onset = ear.take_onset() is not None
            level_uv = self._smoothed(ear.level_uv, now_us)
            value = None if level_uv is None else round(level_uv * THOUSAND)
            return Heard(onset=onset, value=value, ready=ear.ready and value is not None)
        if self._by is CountBy.ANGLE:
            angle = self._angle(now_us)
            return Heard(value=None if angle is None else round(angle * THOUSAND), ready=angle is not None)
        return Heard()

    def tell(self, diary: Diary, now_us: int) -> None:
        """Have it recorded when what is heard or measured is lost, comes back, or is not what it should be."""
        if self.hearing is not None:
            if self.hearing.is_on:
                self.hearing.told.tell(self.hearing, diary, now_us)
        elif self._by is CountBy.ANGLE and self.angles is not None:
            self._told.tell(self._absence(self.angles, now_us), diary, now_us)

    def _absence(self, angles: AngleSource, now_us: int) -> str:
        """Why there has been no angle for a second, or ""."""
        if self._angle(now_us) is not None or not self._measured_us:
            self._measured_us = now_us
        if 0 <= now_us - self._measured_us <= SECOND:
            return ""
        return angles.trouble or f"{angles.name} has given no angle that can be believed for a second"

    def _smoothed(self, level_uv: float | None, now_us: int) -> float | None:
        """The envelope without its flicker; what cannot be believed ends it."""
        elapsed_us, self._seen_us = now_us - self._seen_us, now_us
        if level_uv is None or self._level_uv is None:
            self._level_uv = level_uv
        else:
            self._level_uv += (level_uv - self._level_uv) * elapsed_us / (SMOOTH_US + elapsed_us)
        return self._level_uv

    def _angle(self, now_us: int) -> float | None:
        angle = self.angles.read(now_us) if self.angles is not None else None
        return None if angle is None or angle.is_stale(now_us) else angle.deg

    def angle_deg(self, now_us: int) -> float | None:
        """The angle for showing, a tenth of a degree fine; ``None`` where nothing measures one."""
        angle = self._angle(now_us)
        return None if angle is None else round(angle, 1)

    def next_due_us(self) -> int | None:
        """When a recording has its next chunk."""
        return self.hearing.next_due_us() if self.hearing is not None else None

    def emg(self) -> EmgStatus | None:
        """What a face shows of the EMG."""
        return self.hearing.status() if self.hearing is not None else None

    def close(self) -> None:
        """Let go of the raw file."""
        if self.hearing is not None:
            self.hearing.close()
