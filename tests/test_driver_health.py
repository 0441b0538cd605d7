"""Read-back over a long time: a setting that stands for an hour is still the setting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stimctl.boards.reference.codes import Cause, Trouble
from stimctl.boards.reference.messages import OutputReport, Report
from stimctl.driver.health import Contacts, Health, is_given, is_quiet
from stimctl.pulse import Command, Output, symmetric
from stimctl.units import MS


def report(sequence: int, applied_ua: int) -> Report:
    told = OutputReport(applied_ua=applied_ua, measured_ua=applied_ua, impedance_ohm=1_000)
    return Report(
        armed=True,
        listening=False,
        stop_button=False,
        cause=Cause.NONE,
        challenge=1,
        last_sequence=sequence % 0x1_0000,
        uptime_ms=0,
        dead_man_ms=400,
        outputs=(told,),
    )


def test_sequences_may_wrap_while_a_setting_stands() -> None:
    health = Health(frozenset({0}), 7, 0, Contacts(), senses_current=True)
    health.commanded(9, Command((Output(0, symmetric(12_000, 100, 100_000)),)), 0)
    for n in range(1, 80_000, 997):
        assert health.judge(report(9 + n, 12_000), n * 50 * MS) == ()


def test_a_wrong_amplitude_is_still_seen_after_the_wrap() -> None:
    health = Health(frozenset({0}), 7, 0, Contacts(), senses_current=True)
    health.commanded(9, Command((Output(0, symmetric(12_000, 100, 100_000)),)), 0)
    for n in (10, 40_000, 70_000):
        health.judge(report(n, 12_000), n * 50 * MS)
    health.judge(report(70_001, 15_000), 70_001 * 50 * MS)
    complaints = health.judge(report(70_002, 15_000), 70_002 * 50 * MS)
    assert any("15000" in complaint.text for complaint in complaints)


def test_only_recent_settings_are_kept() -> None:
    health = Health(frozenset({0}), 0, 0, Contacts(), senses_current=True)
    for n in range(1, 3_000):
        health.commanded(n, Command((Output(0, symmetric(1_000 + n, 100, 100_000)),)), n * 20 * MS)
        health.judge(report(n, 1_000 + n), n * 20 * MS)
    assert len(health._accepted) < 300


@pytest.mark.parametrize(
    ("level", "applied", "measured", "given"),
    [
        (4_000, 4_000, 4_060, True),
        (4_000, 4_000, 3_200, True),
        (4_000, 4_000, 3_199, False),
        (4_000, 4_000, 4_801, False),
        (4_000, 4_000, 3_000, False),  # still the pulse of the step before
        (1_000, 1_000, 0, False),
        (1_000, 1_000, None, False),
        (4_000, 3_000, 4_000, False),  # it has been told something else
        (0, 0, 0, False),  # zero is not a level that is given
    ],
)
def test_a_level_is_given_when_a_report_measures_it(
    level: int, applied: int, measured: int | None, given: bool
) -> None:
    told = OutputReport(applied, measured, None)
    assert is_given(told, level, senses_current=True) is given


def test_a_board_without_a_sensor_is_believed_by_its_setting() -> None:
    assert is_given(OutputReport(4_000, None, None), 4_000, senses_current=False)
    assert not is_given(OutputReport(3_000, None, None), 4_000, senses_current=False)


def test_a_report_of_before_the_arming_sets_no_baseline() -> None:
    health = Health(frozenset({0}), 7, 0, Contacts(), senses_current=True)

    def judge(sequence: int, ohm: int) -> tuple[object, ...]:
        told = OutputReport(applied_ua=0, measured_ua=0, impedance_ohm=ohm)
        return health.judge(replace(report(sequence, 0), outputs=(told,)), 0)

    for _ in range(3):
        assert judge(6, 60_000) == ()  # of the pads as they were
        assert judge(6, 500) == ()
    for _ in range(3):
        assert judge(7, 1_500) == ()  # three times as much as before arming: other pads
    assert judge(7, 2_300) == ()
    assert len(judge(7, 2_300)) == 1


@pytest.mark.parametrize(
    ("told", "complains"),
    [
        (OutputReport(0, 0, None), False),
        (OutputReport(0, 500, None), False),
        (OutputReport(0, 501, None), True),
        (OutputReport(0, None, None), True),
        (OutputReport(1, 0, None), True),
        (OutputReport(0, 0, 900, Trouble.CURRENT), True),
        (OutputReport(0, 0, 50_000, Trouble.OPEN), False),  # no pads are there
    ],
)
def test_an_output_without_a_part_in_the_session_must_be_silent(told: OutputReport, complains: bool) -> None:
    health = Health(frozenset({0}), 7, 0, Contacts(), senses_current=True)
    both = replace(report(7, 0), outputs=(OutputReport(0, 0, None), told))
    assert health.judge(both, 0) == (), "one garbled report stops nobody"
    assert [complaint.output for complaint in health.judge(both, 50 * MS)] == [1] * complains
    assert not any(complaint.pads for complaint in health.judge(both, 100 * MS))


def test_zero_is_not_believed_beside_a_current_that_the_board_calls_wrong() -> None:
    """A read-back that lies says zero; the board's own check of its current says otherwise (H22)."""
    silent = OutputReport(0, 0, None)
    assert is_quiet((silent, silent), senses_current=True)
    for senses in (True, False):
        assert not is_quiet((silent, replace(silent, trouble=Trouble.CURRENT)), senses_current=senses)
    assert is_quiet((silent, replace(silent, trouble=Trouble.OPEN)), senses_current=True)


# --- contacts, from one arming to the next (H11) ---------------------------------------------------------------


def test_the_first_value_is_the_middle_of_three_so_that_one_garbled_report_neither_stops_nor_hides() -> None:
    for garbled in (60_000, 10):
        for at in range(3):
            contacts = Contacts()
            for ohm in [*([1_000] * at), garbled, *([1_000] * (2 - at))]:
                contacts.first_ohm(0, ohm)
            assert contacts.first_ohm(0, 9_999) == 1_000


def test_the_very_first_report_is_compared_with_itself() -> None:
    contacts = Contacts()
    assert [contacts.first_ohm(0, ohm) for ohm in (1_000, 1_600)] == [1_000, 1_000]


def test_each_output_has_a_contact_of_its_own_until_its_pads_are_looked_at() -> None:
    contacts = Contacts()
    for output, ohm in ((0, 1_000), (1, 2_000)):
        for _ in range(3):
            contacts.first_ohm(output, ohm)
    contacts.forget(0)
    contacts.forget(5)
    assert contacts.first_ohm(0, 3_000) == 3_000
    assert contacts.first_ohm(1, 3_000) == 2_000


def test_a_rise_since_an_earlier_arming_is_a_complaint_about_the_pads() -> None:
    contacts = Contacts()

    def armed(ohm: int) -> list[object]:
        health = Health(frozenset({0}), 7, 0, contacts, senses_current=True)
        told = OutputReport(applied_ua=0, measured_ua=0, impedance_ohm=ohm)
        return [each for _ in range(3) for each in health.judge(replace(report(7, 0), outputs=(told,)), 0)]

    assert armed(1_000) == armed(1_500) == []
    assert armed(1_501)
    contacts.forget(0)
    assert armed(1_501) == []
