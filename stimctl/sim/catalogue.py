"""Every board that has a twin: its name, how its line is set, which variants of it there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, final

from stimctl.boards.openemsstim import dialects as d
from stimctl.errors import UsageError
from stimctl.sim.neurostimduino import NeuroStimDuino
from stimctl.sim.openemsstim import OpenEmsStim
from stimctl.sim.patient import DEFAULT_SITES, Patient
from stimctl.sim.rehastim2 import RehaStim2
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.sim.sciencemode_model import P24, REHAMOVE3, Model
from stimctl.sim.served import ANY, Served, Settings
from stimctl.sim.terminal import KEEP, SELF_PACED, SERIAL, clock_us, self_paced_twin
from stimctl.sim.tissue import Site
from stimctl.sim.uecu import Uecu

_SEEDS: Final = 1_000_000

Make = Callable[[str, int, bool], Served]
"""A twin of a variant, by a seed that was chosen or not."""


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of board. The first of its ``variants``, if it has any, is what it is unless somebody says which."""

    title: str
    settings: Settings | None
    make: Make
    variants: tuple[str, ...] = field(default=())

    def twin(self, variant: str, seed: int, *, chosen: bool) -> Served:
        """A twin that begins now; raises :class:`UsageError` for a variant that there is not."""
        if variant and variant not in self.variants:
            there = f"there are: {', '.join(self.variants)}" if self.variants else "it has none; leave --variant out"
            raise UsageError(f"{self.title} has no variant {variant!r}; {there}")
        return self.make(variant or next(iter(self.variants), ""), seed, chosen)


def entry(board: str) -> Entry:
    """What is known of the twin of ``board``; raises :class:`UsageError` when there is none."""
    if board not in BOARDS:
        raise UsageError(f"there is no twin of {board!r}; there are: {', '.join(BOARDS)}")
    return BOARDS[board]


_FIRMWARES: Final = {
    "master-2017": d.MASTER_2017,
    "dev": d.DEV,
    "multiplexer": d.MULTIPLEXER,
    "simple-multiplexer": d.SIMPLE_MULTIPLEXER,
    "master-2016": d.MASTER_2016,
    "fabbing": d.FABBING,
}


def _reference(_variant: str, seed: int, chosen: bool) -> Served:
    return self_paced_twin(seed, serial=f"{SERIAL}-{seed % _SEEDS}" if chosen else SERIAL)


def _sciencemode4(model: Model, _variant: str, seed: int, chosen: bool) -> Served:
    device_id = f"SIM{seed % _SEEDS + 1 if chosen else 0:07d}"
    patient = _patient(seed, 2 * DEFAULT_SITES)
    return ScienceMode4Board(model, now_us=clock_us(), device_id=device_id, keep=KEEP, patient=patient)


def _rehastim2(_variant: str, seed: int, _chosen: bool) -> Served:
    return RehaStim2(now_us=clock_us(), keep=KEEP, patient=_patient(seed, 2 * DEFAULT_SITES))


def _openemsstim(variant: str, seed: int, _chosen: bool) -> Served:
    return OpenEmsStim(_FIRMWARES[variant], now_us=clock_us(), keep=KEEP, patient=_patient(seed))


def _neurostimduino(variant: str, seed: int, _chosen: bool) -> Served:
    return NeuroStimDuino(version=int(variant), now_us=clock_us(), keep=KEEP, patient=_patient(seed))


def _uecu(_variant: str, seed: int, _chosen: bool) -> Served:
    return Uecu(now_us=clock_us(), keep=KEEP, patient=_patient(seed))


def _patient(seed: int, sites: tuple[Site, ...] = DEFAULT_SITES) -> Patient:
    return Patient(seed, sites, will=SELF_PACED)


BOARDS: Final[Mapping[str, Entry]] = {
    "reference": Entry("the reference board", ANY, _reference),
    "p24": Entry("P24", ANY, partial(_sciencemode4, P24)),
    "rehamove3": Entry("RehaMove3", Settings(3_000_000, stop_bits=2), partial(_sciencemode4, REHAMOVE3)),
    "rehastim2": Entry("RehaStim 2", Settings(460_800, parity="even"), _rehastim2),
    "openemsstim": Entry("openEMSstim", Settings(19_200), _openemsstim, tuple(_FIRMWARES)),
    "neurostimduino": Entry("NeuroStimDuino", Settings(115_200), _neurostimduino, ("2", "1", "3")),
    "uecu": Entry("UECU", Settings(9_600), _uecu),
}
