"""Words that raise an output are made nowhere but in their own board's package, until a door takes an ``Approved``."""

from __future__ import annotations

import pytest

from stimctl.boards.neurostimduino import words as nsd
from stimctl.boards.openemsstim import words as ems
from stimctl.boards.uecu import words as uecu
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


@pytest.mark.parametrize(("package", "word"), [(name, word) for name, words in RAISING.items() for word in words])
def test_a_word_that_raises_stays_at_home(package: str, word: type) -> None:
    assert all(user.startswith(f"{package}.") for user in users(word.__name__)), users(word.__name__)


def test_and_there_it_is_made_for_stopping_alone() -> None:
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
    assert made == STOPPING


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
