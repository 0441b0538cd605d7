"""Who a board says it is, and whether its limits are believed."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.boards import KINDS, board_url
from stimctl.boards.reference import layout
from stimctl.boards.reference.codes import Capability
from stimctl.boards.reference.facts import introduce, limits_of, table_crc
from stimctl.boards.reference.messages import Identity, LimitsTable
from stimctl.errors import LimitsDisagree, UsageError
from stimctl.limits import ABSOLUTE, Limits, is_within
from stimctl.transport import BAUD
from tests.wire_words import TABLE

NAMES = [field.name for field in fields(LimitsTable)]
AS_WIDE_AS_ALLOWED = LimitsTable(**{name: getattr(ABSOLUTE, name) for name in NAMES})
MINIMA = {"phase_width_min_us", "rate_min_mhz", "ramp_up_min_us"}
WHO = Identity("n", "s", "f", 4, 100, 1, 1_000, Capability(7), 1_000, 1)


def test_a_stop_is_the_same_number_for_ever_and_far_from_what_sets_output() -> None:
    """In every version of the wire; five bits lie between it and an update."""
    assert (layout.STOP_TYPE, layout.UPDATE_TYPE) == (0x5A, 0x04)
    assert (layout.STOP_TYPE ^ layout.UPDATE_TYPE).bit_count() == 5


def test_every_entry_of_the_table_is_a_limit() -> None:
    assert set(NAMES) <= {field.name for field in fields(Limits)}


@pytest.mark.parametrize("name", NAMES)
def test_one_wider_entry_is_refused_and_named(name: str) -> None:
    """At the absolute limit is inside; one step beyond it, in whichever direction is wider, is not."""
    assert limits_of(AS_WIDE_AS_ALLOWED) == ABSOLUTE
    wider = getattr(ABSOLUTE, name) + (-1 if name in MINIMA else 1)
    with pytest.raises(LimitsDisagree, match=f"{name} {wider} .*{getattr(ABSOLUTE, name)}"):
        limits_of(replace(AS_WIDE_AS_ALLOWED, **{name: wider}))


@given(st.builds(LimitsTable, *(st.integers(0, 2**32 - 1),) * len(NAMES)))
def test_a_table_is_taken_as_it_is_or_refused(table: LimitsTable) -> None:
    try:
        limits = limits_of(table)
    except LimitsDisagree:
        return
    assert is_within(limits, ABSOLUTE)
    assert all(getattr(limits, name) == getattr(table, name) for name in NAMES)


def test_several_wider_entries_are_all_named() -> None:
    with pytest.raises(LimitsDisagree, match=r"peak_ua.*ramp_up_min_us"):
        limits_of(replace(AS_WIDE_AS_ALLOWED, peak_ua=100_001, ramp_up_min_us=0))


def test_facts_are_what_the_board_said() -> None:
    facts = introduce(WHO, TABLE)
    assert (facts.name, facts.serial, facts.firmware, facts.outputs) == ("n", "s", "f", 4)
    assert (facts.amplitude_step_ua, facts.width_step_us, facts.rate_step_mhz) == (100, 1, 1_000)
    assert facts.limits == replace(ABSOLUTE, peak_ua=60_000)
    assert facts.limits_crc == table_crc(TABLE)
    assert (facts.senses_impedance, facts.senses_current, facts.analog_rate_hz) == (True, True, 1_000)


@pytest.mark.parametrize("bit", [Capability.IMPEDANCE, Capability.CURRENT, Capability.ANALOG_IN, Capability.SIMULATED])
def test_what_a_board_does_not_claim_it_cannot_do(bit: Capability) -> None:
    facts = introduce(replace(WHO, capabilities=Capability(15) & ~bit), TABLE)
    can = {
        Capability.IMPEDANCE: facts.senses_impedance,
        Capability.CURRENT: facts.senses_current,
        Capability.ANALOG_IN: bool(facts.analog_rate_hz),
        Capability.SIMULATED: facts.simulated,
    }
    assert [each for each, able in can.items() if not able] == [bit]


@given(st.sampled_from(NAMES), st.integers(0, 2**32 - 1))
def test_another_table_has_another_crc(name: str, value: int) -> None:
    other = replace(TABLE, **{name: value})
    assert (table_crc(other) == table_crc(TABLE)) == (other == TABLE)


@pytest.mark.parametrize("port", ["/dev/ttyACM0", "./board", "COM3", "socket://host:4000", "rfc2217://host:1?x=y"])
def test_board_urls_keep_their_port_whole(port: str) -> None:
    kind, rest = board_url(f"reference:{port}")
    assert (kind.scheme, rest) == ("reference", port)


@pytest.mark.parametrize("url", ["", "reference", "reference:", "refrence:/dev/x", ":/dev/x", "/dev/ttyACM0"])
def test_other_urls_are_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(UsageError, match="write reference:PORT"):
        board_url(url)


def test_a_kind_without_a_port_is_asked_for_one() -> None:
    with pytest.raises(UsageError, match="'p24' names no port; write p24:PORT"):
        board_url("p24")
    with pytest.raises(UsageError, match="or sim: for a simulated one"):
        board_url("sim")


def test_the_documents_baud_rate_is_the_ports() -> None:
    assert KINDS["reference"].baud == BAUD == 500_000
