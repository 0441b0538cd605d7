"""The keys: one meaning each, none near R, and loosening ones only when they stand alone (hazard H03)."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.control.keys import StopKey, StopScanner
from stimctl.orders import Order, OrderKind, Stage
from stimctl.session.wording import CAN
from stimctl.widgets.keys import LATE_US, LONE_US, LOOSENING, LOWERING, PRESSES, STOP_CHARACTERS, STOP_KEYS, Lone
from stimctl.widgets.offers import is_offered, offers
from tests.faces import session

RAISE = Order(OrderKind.RAISE)
FRAME_US = 50_000


def steps(presses_us: list[int], until_us: int, gate: Lone | None = None) -> list[int]:
    """When raises come out of a gate that is asked once a frame."""
    gate = gate or Lone()
    out = []
    events = sorted({*presses_us, *range(0, until_us, FRAME_US)})
    for now_us in events:
        for _ in range(presses_us.count(now_us)):
            gate.key(now_us, RAISE)
        if gate.due(now_us):
            out.append(now_us)
    return out


# --- alone -------------------------------------------------------------------------------------------------------


def test_one_press_is_one_step_after_its_wait() -> None:
    assert steps([1_000_000], 3_000_000) == [1_150_000]


@pytest.mark.parametrize("delay_ms", [180, 250, 500, 660, 1_000])
@pytest.mark.parametrize("every_ms", [10, 33, 50, 90, 119])
def test_a_held_key_is_one_step(delay_ms: int, every_ms: int) -> None:
    first = 100_000
    stream = range(first + delay_ms * 1_000, first + 10_000_000, every_ms * 1_000)
    assert len(steps([first, *stream], 12_000_000)) == 1


def test_a_hundred_keys_a_second_are_no_step() -> None:
    assert steps(list(range(0, 5_000_000, 10_000)), 6_000_000) == []


def test_pasted_keys_are_no_step() -> None:
    assert steps([1_000_000] * 5, 3_000_000) == []


def test_presses_apart_all_count() -> None:
    assert len(steps([1_000_000, 1_600_000, 2_200_000], 4_000_000)) == 3


def test_any_other_key_beside_it_counts_against_it() -> None:
    gate = Lone()
    assert gate.key(0, RAISE)
    gate.key(60_000)
    assert gate.due(300_000) is None
    assert not gate.key(100_000, RAISE)
    assert gate.due(500_000) is None


def test_what_a_stalled_screen_held_up_is_dropped() -> None:
    gate = Lone()
    gate.key(0, RAISE)
    assert gate.due(LATE_US + 1) is None
    gate.key(10_000_000, RAISE)
    assert gate.due(10_000_000 + LATE_US) == RAISE
    assert gate.due(10_000_000 + LATE_US) is None


def test_a_stop_takes_what_waits() -> None:
    gate = Lone()
    gate.key(0, RAISE)
    gate.drop()
    assert gate.due(200_000) is None


@given(st.lists(st.integers(0, 200), max_size=60))
def test_every_step_has_a_press_that_stood_alone(gaps_ms: list[int]) -> None:
    presses = [sum(gaps_ms[: at + 1]) * 1_000 for at in range(len(gaps_ms))]
    apart = [-LONE_US, *presses, 10**9]
    alone = sum(1 for (a, b), (_, c) in pairwise(pairwise(apart)) if b - a >= LONE_US and c - b >= LONE_US)
    assert len(steps(presses, 20_000_000)) <= alone


# --- the table ---------------------------------------------------------------------------------------------------


def test_no_key_means_two_things_at_once() -> None:
    """Answers belong to one kind of question each; marks and answers are never taken in one state."""
    for kinds in CAN.values():
        taken = [press for press in PRESSES if press.kind in kinds]
        for one, other in combinations(taken, 2):
            assert not set(one.keys) & set(other.keys), (one, other)


def test_no_stop_key_gives_an_order() -> None:
    given = {key for press in PRESSES for key in press.keys}
    assert not given & STOP_KEYS
    assert not given & STOP_CHARACTERS


def test_clearing_has_a_key_of_its_own_and_far_from_ctrl_c() -> None:
    (clear,) = (press for press in PRESSES if press.kind is OrderKind.CLEAR)
    assert not {key.lower() for key in clear.keys} & {"c", "x"}  # Ctrl+C with Ctrl let go too early


def test_the_face_stops_on_every_key_that_the_control_process_stops_on() -> None:
    for key in set(StopKey) - {StopKey.CTRL_LETTER}:  # of another alphabet, which has no name here
        assert {StopKey.ESC: "escape"}.get(key, key.lower()) in STOP_KEYS


def test_the_face_stops_on_the_same_characters_as_the_control_process() -> None:
    """All of Unicode's first plane, in which all spaces lie."""
    for code in (0, *range(0x20, 0xD800), *range(0xE000, 0x1_0000)):
        stops = StopKey.SPACE in StopScanner().feed(chr(code).encode())
        assert stops is (chr(code) in STOP_CHARACTERS), hex(code)
    assert {len(character) for character in STOP_CHARACTERS} == {1}


def test_nothing_lies_beside_raise() -> None:
    """The neighbours of R on QWERTY, QWERTZ and AZERTY do nothing while output may be on."""
    energised = {*CAN_WITH_OUTPUT}
    beside = set("edft45")
    assert not [press for press in PRESSES if press.kind in energised and beside & set(press.keys)]
    (up,) = (press for press in PRESSES if press.kind is OrderKind.RAISE)
    assert set(up.keys) == {"r", "R"}


CAN_WITH_OUTPUT = {kind for state, kinds in CAN.items() if OrderKind.LOWER in kinds for kind in kinds}


def test_lowering_never_waits() -> None:
    assert not LOWERING & LOOSENING
    assert OrderKind.FINISH not in LOOSENING


def test_what_lets_output_go_on_stands_alone() -> None:
    """A jammed H or K is nobody who is there, and nobody who looks (hazards H10, H32)."""
    assert {OrderKind.PRESENT, OrderKind.SKIN_CHECKED} <= LOOSENING


@pytest.mark.parametrize("every_ms", [10, 33, 119])
def test_a_held_key_that_acts_at_once_shows_a_person_by_its_beginning_alone(every_ms: int) -> None:
    gate, lower = Lone(), Order(OrderKind.LOWER)
    given = [gate.at_once(0, lower)]
    given += [gate.at_once(now_us, lower) for now_us in range(500_000, 9_000_000, every_ms * 1_000)]
    assert {order.kind for order in given} == {OrderKind.LOWER}, "each lowers, all the same"
    assert [order.repeated for order in given] == [False, False, *[True] * (len(given) - 2)]


def test_a_key_that_acts_at_once_takes_back_what_waits_and_waits_for_nothing() -> None:
    gate = Lone()
    gate.key(0, RAISE)
    assert gate.at_once(300_000, Order(OrderKind.LOWER)) == Order(OrderKind.LOWER)
    assert gate.due(600_000) is None


# --- on offer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", CAN, ids=lambda state: state.value)
def test_offers_fit_beside_stop_in_every_state(state: object) -> None:
    kinds = next(kinds for each, kinds in CAN.items() if each is state)
    for due in (False, True):
        status = session(Stage.RUN, "go on", *kinds, presence_due=due)
        lines = offers(status, None, 58).plain.split("\n")
        assert len(lines) <= 3, lines
        assert max(map(len, lines)) <= 58


def test_only_what_the_session_takes_is_offered() -> None:
    words = offers(session(Stage.RUN, "", OrderKind.PAUSE), None, 58).plain
    assert "pause" in words
    assert "raise" not in words


def test_presence_is_offered_when_it_is_due() -> None:
    (here,) = (press for press in PRESSES if press.kind is OrderKind.PRESENT)
    assert not is_offered(here, session(Stage.RUN, "", OrderKind.PRESENT))
    assert is_offered(here, session(Stage.RUN, "", OrderKind.PRESENT, presence_due=True))
