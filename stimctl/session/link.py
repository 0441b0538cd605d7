"""From a board URL to a driver: ``sim:``, or ``SCHEME:PORT`` for a real one.

``sim:`` is the twin in this process, with a virtual patient; every other board is reached through a transport.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from stimctl.boards import board_url
from stimctl.driver import Driver
from stimctl.safety import Latch
from stimctl.sensors.signals import OpenSignal
from stimctl.transport import open_transport
from stimctl.transport.address import host_elsewhere

if TYPE_CHECKING:
    from stimctl.sim.patient import Patient

SIMULATED: Final = "sim:"
"""The twin in this process."""

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

    driver: Driver
    patient: Patient | None
    next_event_us: Callable[[int], int | None]
    signal: OpenSignal | None = None
    """A goniometer, a glove or an amplifier of the sound hand that was given beside the board."""


def open_link(url: str, latch: Latch, *, clock: Callable[[], int], seed: int, sites: dict[int, str]) -> Link:
    """Open ``url``; raises :class:`UsageError` for one that makes no sense and :class:`LinkLost` if nobody is there.

    ``sites`` says for the virtual patient where the pads of each output sit.
    """
    if url == SIMULATED:
        return _simulated(latch, clock, seed, sites)
    kind, port = board_url(url)
    return Link(Driver(open_transport(port, baud=kind.baud), latch, tokens=_token), None, _nothing_due)


def elsewhere(url: str) -> str:
    """The computer at which the board behind ``url`` stands, if that is not this one; else "".

    Raises :class:`UsageError` for a URL that makes no sense.
    """
    return "" if url == SIMULATED else host_elsewhere(board_url(url)[1])


def _simulated(latch: Latch, clock: Callable[[], int], seed: int, sites: dict[int, str]) -> Link:
    # Imported late: the simulator brings NumPy, which a session on a real board without EMG never needs.
    from stimctl.sim.board import Twin
    from stimctl.sim.link import SimLink
    from stimctl.sim.patient import DEFAULT_SITES, Patient
    from stimctl.sim.tissue import Site

    count = max(len(DEFAULT_SITES), 1 + max(sites, default=0))
    worn = {output: Site(_PATIENT_SITES[site]) for output, site in sites.items()}
    patient = Patient(seed, tuple(worn.get(n, DEFAULT_SITES[n % len(DEFAULT_SITES)]) for n in range(count)))
    link = SimLink(Twin(patient, seed=seed), clock)
    return Link(Driver(link, latch, tokens=_token), patient, link.next_event_us)


def _token() -> int:
    return secrets.randbelow(2**32 - 1) + 1


def _nothing_due(now_us: int) -> int | None:  # noqa: ARG001 - a real board comes in its own time
    return None
