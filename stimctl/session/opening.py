"""Opening a session: the protocol, the board behind the URL, and what they make together.

Procedure D, step 0 and 1: the board is found and asked who it is before anything else; the schedule is compiled in its
steps and flown through a fresh limiter; the record is opened. Whatever fails here, nothing was armed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from stimctl import __version__
from stimctl.driver import BoardFacts, Connected, Faulted, Lost
from stimctl.errors import LinkTimeout, UsageError
from stimctl.orders import Order
from stimctl.protocols import Loaded, library_text, load_with_hash, loads_with_hash, stimulating
from stimctl.records.words import SessionMeta, patient_code
from stimctl.safety import Latch
from stimctl.schedule import Schedule, Steps, compile_schedule
from stimctl.session import commissioning, glove
from stimctl.session.fitting import cautions, misfit
from stimctl.session.leading import ANGLE_SOURCE, EMG_SOURCE, OWN, source_of
from stimctl.session.link import SIMULATED, Link, elsewhere, open_link
from stimctl.session.rehearsal import Rehearsal, rehearse
from stimctl.session.search import ANGLE, Given, Search, angle_of, effort_of, emg_of, given_angle, is_stream
from stimctl.session.summary import file_line, schedule_lines, warning_lines
from stimctl.units import SECOND

if TYPE_CHECKING:
    from stimctl.sensors.lsl import LslSource
    from stimctl.sensors.recording import Recording

ANSWER_US: Final = 5 * SECOND
"""How long a board may take to say who it is."""

NETWORK: Final = "a network"
"""How a board is reached that stands at another computer."""

SIDES: Final = ("left", "right")


@final
@dataclass(frozen=True, slots=True)
class Wishes:
    """What a session is to be opened with; a face shows them as pre-filled fields."""

    protocol: str = ""
    patient: str = ""
    side: str = ""
    board: str = SIMULATED
    emg: str = ""
    robot: str = ""


@final
@dataclass(frozen=True, slots=True)
class Reach:
    """How an operator reaches a board from here: ``by`` "" where nothing speaks against the terminal's standing beside it.

    ``accepted``: a stop key that comes from afar is accepted. ``hurried``: the session's clock is not real time, so
    that every bound of time would be another one in a person; nothing makes that acceptable.
    """

    by: str = ""
    accepted: bool = False
    hurried: bool = False

    def to(self, board: str) -> str:
        """By what a stop key comes from this terminal to ``board``, a URL; "" where both stand here."""
        return ", ".join(filter(None, (self.by, NETWORK if elsewhere(board) else "")))

    def refusal(self, board: str) -> str:
        """Why ``board``, which is a real one, may not be used from here, or ""."""
        if self.hurried:
            return (
                f"{board} is a real board, and this session's time is not real time: --speed would stretch or shorten"
                " every limit of it. Start again without --speed"
            )
        if self.accepted or not self.to(board):
            return ""
        far = f"this terminal is reached by {self.by}" if self.by else f"{board} stands at {elsewhere(board)}"
        return (
            f"{far}: a stop key may come late or never, and nobody may be there to press it. A real board is run at the"
            " computer beside it. Where your procedure has a person with a physical stop switch at the patient, add"
            " --remote-terminal"
        )


@final
@dataclass(frozen=True, slots=True)
class Case:
    """An opened session's fixed facts."""

    wishes: Wishes
    loaded: Loaded
    schedule: Schedule
    rehearsal: Rehearsal
    summary: tuple[str, ...]
    warnings: tuple[str, ...]
    simulated: bool
    senses_current: bool
    board: str
    recording: Recording | LslSource | None
    """What is listened to instead of the board's own input."""
    bench: str = ""
    """What is known of the board from its commissioning; "" for a simulated one."""


def load_protocol(name: str) -> Loaded:
    """A file's protocol, or the library's of that name; raises :class:`ProtocolError` or :class:`UsageError`."""
    if not name:
        raise UsageError("choose a protocol: a file, or a name that `stimctl library` lists")
    if name.endswith(".toml") or "/" in name or "\\" in name or _exists(name):
        return load_with_hash(Path(name))
    return loads_with_hash(library_text(name), name)


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # too long for a file's name, as what is typed or pasted by mistake
        return False


@final
class Opening:
    """A session on its way: waits for the board's answer. Raises from its constructor what can be known at once."""

    def __init__(
        self,
        order: Order,
        latch: Latch,
        *,
        clock: Callable[[], int],
        seed: int,
        now_us: int,
        reach: Reach,
        profiles: Path | None = None,
    ) -> None:
        self._reach, self._profiles = reach, profiles
        patient_code(order.patient)
        if order.side not in SIDES:
            raise UsageError(f"the affected side is {' or '.join(SIDES)}, not {order.side!r}")
        self.wishes = Wishes(
            order.protocol, order.patient, order.side, order.board or SIMULATED, order.emg, order.robot
        )
        self.loaded = load_protocol(order.protocol)
        if reach.hurried and is_stream(order.emg):
            raise UsageError(f"{order.emg} comes in real time, and this session's time is not: leave out --speed")
        self._given = _recording(order.emg, self.loaded)
        sites = {channel.output - 1: channel.site for channel in stimulating(self.loaded.protocol).channels}
        self.link: Link = open_link(self.wishes.board, latch, clock=clock, seed=seed, sites=sites)
        self._until_us = now_us + max(ANSWER_US, self.link.answer_us)
        self._connected = False
        self.link.driver.open(now_us)

    def ready(self, now_us: int) -> Case | None:
        """The case once the board has answered, and a stream was found; raises what went wrong, or what is refused."""
        for event in self.link.driver.poll(now_us):
            if isinstance(event, (Lost, Faulted)):
                raise event.error
            self._connected = self._connected or isinstance(event, Connected)
        if self._connected:
            return self._case() if not isinstance(self._given, Search) or self._given.done else None
        if now_us >= self._until_us:
            raise LinkTimeout(f"{self.wishes.board}: no board answered; check the port, the cable and the power")
        return None

    def _refuse_on_a_real_board(self) -> None:
        """What is for simulated boards alone: nothing simulated, replayed or hurried may drive current in a person (H47)."""
        from stimctl.session.hearing import is_replay  # brings NumPy, which only listening needs

        if is_replay(self._given) or self.wishes.emg == "sim:":
            raise UsageError(
                f"{self.wishes.board} is a real board, and {self.wishes.emg} is not what this patient's muscles do now;"
                " use board:, the board's own input"
            )
        if refusal := self._reach.refusal(self.wishes.board):
            raise UsageError(refusal)

    def _case(self) -> Case:
        facts = self.link.driver.facts
        assert facts is not None
        if not facts.simulated:
            self._refuse_on_a_real_board()
        steps = _steps(facts)
        schedule = compile_schedule(stimulating(self.loaded.protocol), steps)
        glove.check(schedule, self.wishes.robot, simulated=facts.simulated)
        # What is followed goes with the link, as the simulated patient does whose place it takes.
        effort = effort_of(self._given) if _followed(self.loaded) == EMG_SOURCE else None
        self.link = self.link._replace(signal=effort or angle_of(self._given))
        if schedule.control is not None:
            source_of(schedule.control, self.link)  # raises where nothing can be followed
        for plan in schedule.channels:
            if plan.channel >= facts.outputs:
                raise UsageError(f"{plan.name} needs output {plan.channel + 1}; {facts.name} has {facts.outputs}")
        if why := misfit(schedule, self.link.driver):
            raise UsageError(f"{facts.name} cannot give this protocol: {why}")
        rehearsal = rehearse(schedule, facts.limits, senses_impedance=facts.senses_impedance)
        bench = commissioning.known(self._profiles, facts, self.wishes.board)
        tried, untried = commissioning.lines(bench)
        return Case(
            self.wishes,
            self.loaded,
            schedule,
            rehearsal,
            (*schedule_lines(schedule), *tried, file_line(self.loaded.sha256)),
            (
                *cautions(schedule, self.link.driver),
                *untried,
                *warning_lines(rehearsal.warnings, schedule, self.loaded.text),
            ),
            facts.simulated,
            facts.senses_current,
            f"{facts.name} {facts.serial}".strip(),
            emg_of(self._given),
            bench.line if bench is not None else "",
        )


def _steps(facts: BoardFacts) -> Steps:
    return Steps(
        facts.amplitude_step_ua,
        facts.width_step_us,
        facts.rate_step_mhz,
        facts.period_step_us,
        facts.width_clock_ns,
        facts.gap_min_us,
    )


def _recording(url: str, loaded: Loaded) -> Given:
    """What to listen to or to follow, if anything was named; a protocol that has no use for it is not given it in silence."""
    from stimctl.session.hearing import BOARD, load_recording  # brings NumPy, which only listening needs

    source = _followed(loaded)
    if url.startswith(ANGLE):
        if source != ANGLE_SOURCE:
            raise UsageError(f"a {loaded.protocol.kind} protocol follows no angle; leave out {url.removeprefix(ANGLE)}")
        return given_angle(url)
    if getattr(loaded.protocol, "trigger", None) is not None:  # whatever its kind: it says how an attempt is heard
        return load_recording(url)
    if url not in BOARD:
        if source == EMG_SOURCE:
            return load_recording(url)
        if source == OWN:
            raise UsageError(
                f"{url} was not recorded while this stimulation flowed: its own EMG is heard by the board alone"
            )
        raise UsageError(f"a {loaded.protocol.kind} protocol listens to no EMG; leave out {url}")
    return None


def _followed(loaded: Loaded) -> str:
    """The source of what a protocol follows, or ""."""
    return str(getattr(getattr(loaded.protocol, "control", None), "source", ""))


def meta(case: Case, facts: Mapping[str, object], extra: Mapping[str, object]) -> SessionMeta:
    """The first row of the record."""
    wishes = case.wishes
    return SessionMeta(
        patient=wishes.patient,
        protocol_title=case.schedule.title,
        protocol_kind=case.schedule.kind,
        protocol_sha256=case.loaded.sha256,
        protocol_text=case.loaded.text,
        simulated=case.simulated,
        board=facts,
        stimctl_version=__version__,
        side=wishes.side,
        emg=wishes.emg,
        extra={**extra, **({"bench": case.bench} if case.bench else {})},
    )


def board_facts(link: Link) -> dict[str, object]:
    """The board's own facts as JSON values."""
    facts = link.driver.facts
    assert facts is not None
    told = {key: value for key, value in asdict(facts).items() if isinstance(value, (str, int, bool, dict))}
    return told | {"cautions": list(facts.cautions)}
