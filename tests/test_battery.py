"""Every board passes the battery, and the battery is one that a bad board would not pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stimctl.boards.stops import StopSequence
from tests import battery_boards as boards
from tests.board_battery import BoardBattery, CodecBattery, Described


class KnownCodec(CodecBattery):
    """The battery of codecs, beside all boards that there are."""

    others = staticmethod(boards.all_boards)


class Known(BoardBattery):
    """The whole battery, beside all boards that there are."""

    others = staticmethod(boards.all_boards)


class TestReference(Known):
    board = boards.REFERENCE


class TestMaster2017(Known):
    board = boards.OPENEMSSTIM[0]


class TestDev(Known):
    board = boards.OPENEMSSTIM[1]


class TestMultiplexer(Known):
    board = boards.OPENEMSSTIM[2]


class TestSimpleMultiplexer(Known):
    board = boards.OPENEMSSTIM[3]


class TestMaster2016(Known):
    board = boards.OPENEMSSTIM[4]


class TestFabbing(Known):
    board = boards.OPENEMSSTIM[5]


class TestNeuroStimDuino(Known):
    board = boards.NEUROSTIMDUINO


class TestUecu(Known):
    board = boards.UECU


class TestP24(Known):
    board = boards.P24_BOARD


class TestRehaMove3(Known):
    board = boards.REHAMOVE3_BOARD


class TestRehaStim2(Known):
    board = boards.REHASTIM2_BOARD


def test_every_board_has_its_class() -> None:
    """The whole battery for those with a twin; the ear's for those that have none yet."""
    whole = {each.board.name for each in Known.__subclasses__()}
    assert whole == {each.name for each in boards.BOARDS if each.twin is not None}
    ears = {each.board.name for each in KnownCodec.__subclasses__()}
    assert ears == {each.name for each in boards.BOARDS if each.twin is None}


# --- a battery that passes everything would be none ---------------------------------------------------------------


class Bad:
    """A decoder with a fault: splits matter, damage is believed, it holds what comes, and it raises."""

    def __init__(self) -> None:
        self.kept = b""

    def feed(self, data: bytes) -> tuple[object, ...]:
        self.kept += data
        if b"\xff" in data:
            raise ValueError(data)
        return (data[:1],) if data else ()


def with_twin(board: Described, **changes: Any) -> Described:
    assert board.twin is not None
    return replace(board, twin=replace(board.twin, **changes))


BAD_DECODER = replace(boards.UECU, decoder=Bad, claims=lambda _: True, held=lambda bad: len(bad.kept))
BAD_STOP = with_twin(boards.UECU, stop=StopSequence((b"\x00",), 0, 0, ""))
BAD_SILENCE = with_twin(boards.UECU, silent_us=500_000)
BAD_CLAIM = with_twin(boards.REFERENCE, silent_us=None)
BAD_TRIGGER = with_twin(boards.NEUROSTIMDUINO, states={"running": boards.running_neurostimduino})
NO_TWIN = replace(boards.UECU, twin=None)


@pytest.mark.parametrize(
    ("board", "test"),
    [
        (BAD_DECODER, "test_byte_by_byte_is_the_same"),
        (BAD_DECODER, "test_what_other_boards_say_is_nothing"),
        (BAD_DECODER, "test_what_hosts_say_is_nothing"),
        (BAD_STOP, "test_the_stop_stops_in_every_state"),
        (BAD_SILENCE, "test_silence_in_every_state"),
        (BAD_CLAIM, "test_silence_in_every_state"),
        (BAD_TRIGGER, "test_nothing_flows_unasked"),
        (BAD_TRIGGER, "test_what_other_boards_are_told_does_nothing_to_it"),
        (NO_TWIN, "test_nothing_flows_unasked"),
        (BAD_TRIGGER, "test_it_runs_where_it_should"),
    ],
)
def test_a_bad_board_fails(board: Described, test: str) -> None:
    one = type("One", (BoardBattery,), {"board": board, "others": staticmethod(boards.all_boards)})
    with pytest.raises((AssertionError, ValueError)):
        getattr(one(), test)()
