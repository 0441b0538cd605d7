"""Words that raise an output are made nowhere but in their own board's package, behind a door that takes an ``Approved``."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from stimctl.boards.neurostimduino import words as nsd
from stimctl.boards.neurostimduino.update import Picture, at_zero
from stimctl.boards.openemsstim import words as ems
from stimctl.boards.openemsstim.calibration import Calibration, Unit
from stimctl.boards.openemsstim.dialects import MASTER_2016
from stimctl.boards.openemsstim.update import Relays
from stimctl.boards.uecu import words as uecu
from stimctl.boards.uecu.update import Events
from stimctl.errors import OurBug
from stimctl.pulse import Command, Output, symmetric
from stimctl.units import MicroAmp
from tests.test_walls_code import users
from tests.walls import trees

BOARDS = "stimctl.boards"
RAISING = {
    f"{BOARDS}.openemsstim": (ems.Drive,),
    f"{BOARDS}.neurostimduino": (nsd.Set, nsd.Stimulate),
    f"{BOARDS}.uecu": (uecu.NewEvent, uecu.ChangeEvent, uecu.SetUp),
}
"""By package; each word here says how much, or for how long."""

STOPPING = {f"{BOARDS}.openemsstim.stopping": 1, f"{BOARDS}.uecu.stopping": 1}
"""Where one is made all the same: the lowest step for a millisecond, and zero."""

DOORS = {f"{BOARDS}.openemsstim.update": 3, f"{BOARDS}.neurostimduino.update": 8, f"{BOARDS}.uecu.update": 5}
"""Where they are made from what was approved, or, to set a board up, without any amplitude."""


@pytest.mark.parametrize(("package", "word"), [(name, word) for name, words in RAISING.items() for word in words])
def test_a_word_that_raises_stays_at_home(package: str, word: type) -> None:
    assert all(user.startswith(f"{package}.") for user in users(word.__name__)), users(word.__name__)


def test_and_there_it_is_made_for_stopping_and_behind_doors_alone() -> None:
    """Elsewhere it is only taken apart: in patterns, annotations and unions."""
    import ast

    made: dict[str, int] = {}
    for package, words in RAISING.items():
        names = {word.__name__ for word in words}
        for module, tree in trees().items():
            if not module.startswith(f"{package}."):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                    made[module] = made.get(module, 0) + 1
    assert made == STOPPING | DOORS


def test_a_door_opens_for_what_was_approved_alone() -> None:
    forged = SimpleNamespace(command=Command((Output(0, symmetric(9_600, 295, 35_000)),)))
    unit = Unit("", "", 35_000, 200, "", "")
    relays = Relays(MASTER_2016, Calibration(unit, {0: ((1, MicroAmp(5_000)),)}))
    picture = Picture()
    picture.channels[0].since_us = 0
    with pytest.raises(OurBug, match="approved"):
        relays.change(forged, 0)  # type: ignore[arg-type]
    with pytest.raises(OurBug, match="approved"):
        relays.prolong(forged)  # type: ignore[arg-type]
    with pytest.raises(OurBug, match="approved"):
        picture.next_word(forged)  # type: ignore[arg-type]
    with pytest.raises(OurBug, match="approved"):
        picture.prolong(0, forged)  # type: ignore[arg-type]
    events = Events((1, 2, 3, 4), 7)
    for each in (events.next_change, events.go, lambda it: events.changed(0, it)):
        with pytest.raises(OurBug, match="approved"):
            each(forged)  # type: ignore[arg-type]


def test_what_sets_a_board_up_has_no_amplitude() -> None:
    words = list(at_zero({0: symmetric(9_600, 295, 35_000)}))
    amplitudes = [
        word.value for word in words if isinstance(word, nsd.Set) and word.register is nsd.Register.AMPLITUDE_UA
    ]
    assert len(amplitudes) >= 2
    assert not any(amplitudes)
    assert all(isinstance(word, nsd.Set) for word in words)


def test_what_is_made_for_stopping_is_the_least_that_there_is() -> None:
    from stimctl.boards.openemsstim.stopping import STOPS
    from stimctl.boards.uecu.stopping import STOP

    texts = b"".join(write for sequence in STOPS.values() for write in sequence.writes).split(b"\n")
    drives = {text for text in texts if b"I" in text}
    assert drives == {f"C{channel}I1T1G".encode() for channel in range(4)}
    zero = bytes((0x19, 4))
    at = [place for place in range(len(STOP.writes[0])) if STOP.writes[0].startswith(zero, place)]
    assert len(at) == 4
    assert all(STOP.writes[0][place + 3 : place + 5] == b"\x00\x00" for place in at)
