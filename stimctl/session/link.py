"""From a board URL to a driver: ``sim:``, or ``SCHEME:PORT`` for a real one.

``sim:`` is the reference board's twin in this process, ``sim:p24`` another's, each with a virtual patient; every other board
is reached through a transport. What was measured behind a board that knows no mA is named behind it:
``openemsstim:PORT?calibration=FILE``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from stimctl.boards import KINDS, board_url, split_calibration
from stimctl.driver import BoardDriver, Driver, Paced, driver_for
from stimctl.errors import UsageError
from stimctl.safety import Latch
from stimctl.sensors.signals import OpenSignal
from stimctl.session.measuring import from_file, simulated
from stimctl.transport import open_transport
from stimctl.transport.address import host_elsewhere

if TYPE_CHECKING:
    from stimctl.sim.patient import Patient
    from stimctl.sim.served import Wired

SIMULATED: Final = "sim:"
"""A twin in this process: the reference board's, unless a name follows."""

SIMULATED_KINDS: Final = ("p24", "rehamove3", "rehastim2", "neurostimduino", "openemsstim", "uecu")
"""What may follow."""

_PATIENT_SITES: Final = {
    "forearm-dorsal": "dorsal-forearm",
    "forearm-volar": "volar-forearm",
    "upper-arm": "dorsal-forearm",
    "thenar": "thenar",
    "hypothenar": "thenar",
    "hand-dorsal": "thenar",
    "shoulder": "posterior-deltoid",
}
"""Protocol sites and the row of thresholds that the virtual patient has for them."""


class Link(NamedTuple):
    """A driver, and the virtual patient where there is one in this process."""

    driver: BoardDriver
    patient: Patient | None
    next_event_us: Callable[[int], int | None]
    signal: OpenSignal | None = None
    """A goniometer, a glove or an amplifier of the sound hand that was given beside the board."""
    answer_us: int = 0
    """How long the board may take to say who it is, where that is longer than is usual."""


def open_link(url: str, latch: Latch, *, clock: Callable[[], int], seed: int, sites: dict[int, str]) -> Link:
    """Open ``url``; raises :class:`UsageError` for one that makes no sense and :class:`LinkLost` if nobody is there.

    ``sites`` says for the virtual patient where the pads of each output sit.
    """
    if is_simulated(url):
        return _simulated(url.removeprefix(SIMULATED), latch, clock, seed, sites)
    kind, port = board_url(url)
    calibration = from_file(split_calibration(url)[1])  # first: a file that is wrong is told before the port is opened
    transport = open_transport(
        port, baud=kind.baud, parity=kind.parity, stop_bits=kind.stop_bits, flow_control=kind.flow_control
    )
    driver = driver_for(kind.scheme, transport, latch, tokens=_token, calibration=calibration)
    return Link(driver, None, _with_pace(driver, _nothing_due), answer_us=kind.answer_us)


def elsewhere(url: str) -> str:
    """The computer at which the board behind ``url`` stands, if that is not this one; else "".

    Raises :class:`UsageError` for a URL that makes no sense.
    """
    return "" if is_simulated(url) else host_elsewhere(board_url(url)[1])


def is_simulated(url: str) -> bool:
    """Whether ``url`` means a twin in this process, where no current flows and time may be hurried."""
    return url.startswith(SIMULATED)


def kind_of(url: str) -> str:
    """The scheme of the kind of board that ``url`` means, a simulated one's as well."""
    board, _ = split_calibration(url)
    kind = board.removeprefix(SIMULATED) if is_simulated(url) else board.partition(":")[0]
    return kind or "reference"


def _simulated(kind: str, latch: Latch, clock: Callable[[], int], seed: int, sites: dict[int, str]) -> Link:
    # Imported late: the simulator brings NumPy, which a session on a real board without EMG never needs.
    from stimctl.sim.board import Twin
    from stimctl.sim.link import SimLink
    from stimctl.sim.patient import DEFAULT_SITES, Patient
    from stimctl.sim.tissue import Site

    kind, calibration_file = split_calibration(kind)
    if kind and kind not in SIMULATED_KINDS:
        known = ", ".join(SIMULATED + name for name in ("", *SIMULATED_KINDS))
        raise UsageError(f"{SIMULATED}{kind} is no board that stimctl can simulate; write {known}")
    count = max(len(DEFAULT_SITES), 1 + max(sites, default=0))
    worn = {output: Site(_PATIENT_SITES[site]) for output, site in sites.items()}
    patient = Patient(seed, tuple(worn.get(n, DEFAULT_SITES[n % len(DEFAULT_SITES)]) for n in range(count)))
    if kind == "openemsstim":
        twin, calibration = simulated(calibration_file, clock(), patient)
        ems = SimLink(twin, clock)
        driver = driver_for(kind, ems, latch, tokens=_token, simulated=True, calibration=calibration)
        return Link(driver, patient, ems.next_event_us, answer_us=KINDS[kind].answer_us)
    if kind:
        line = SimLink(_twin(kind, clock(), patient), clock)
        driver = driver_for(kind, line, latch, tokens=_token, simulated=True)
        return Link(driver, patient, _with_pace(driver, line.next_event_us))
    link = SimLink(Twin(patient, seed=seed), clock)
    return Link(Driver(link, latch, tokens=_token), patient, link.next_event_us)


def _twin(kind: str, now_us: int, patient: Patient) -> Wired:
    """One of :data:`SIMULATED_KINDS`."""
    from stimctl.sim.neurostimduino import NeuroStimDuino
    from stimctl.sim.rehastim2 import RehaStim2
    from stimctl.sim.sciencemode4 import ScienceMode4Board
    from stimctl.sim.sciencemode_model import P24, REHAMOVE3
    from stimctl.sim.uecu import Uecu

    if kind == "rehastim2":
        return RehaStim2(now_us=now_us, patient=patient)
    if kind == "neurostimduino":
        return NeuroStimDuino(now_us=now_us, patient=patient)
    if kind == "uecu":
        return Uecu(now_us=now_us, patient=patient)
    return ScienceMode4Board({"p24": P24, "rehamove3": REHAMOVE3}[kind], now_us=now_us, patient=patient)


def _token() -> int:
    return secrets.randbelow(2**32 - 1) + 1


def _with_pace(driver: BoardDriver, line_due_us: Callable[[int], int | None]) -> Callable[[int], int | None]:
    """When the board has something to say, or its driver wants the control loop to come round, whichever is first."""
    if not isinstance(driver, Paced):
        return line_due_us

    def due_us(now_us: int) -> int | None:
        times = (driver.due_us(now_us), line_due_us(now_us))
        return min((time for time in times if time is not None), default=None)

    return due_us


def _nothing_due(now_us: int) -> int | None:  # noqa: ARG001 - a real board comes in its own time
    return None
