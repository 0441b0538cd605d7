"""Nobody knows what flows: every line that says so sends the hand to something that this board has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stimctl.control.contract import Outcome
from stimctl.control.telling import Teller
from stimctl.engine import State
from stimctl.orders import OutputWord, Status
from stimctl.units import SECOND
from stimctl.widgets.frame import alert_lines, output_line, tiny
from tests.session_rig import Rig

LEADS = "OUTPUT UNKNOWN - PULL THE ELECTRODE LEADS"


def lost(folder: Path, kind: str) -> Status:
    """A session whose cable was pulled."""
    rig = Rig(folder)
    rig.opening = replace(rig.opening, board=f"sim:{kind}")
    rig.operator._opening = rig.opening
    rig.work(State.TITRATING)
    driver: Any = rig.session.stage.driver
    (driver._line._transport if kind else driver._transport).close()
    rig.go(5 * SECOND)
    status = rig.status
    rig.close()
    return status


@pytest.mark.parametrize("kind", ["p24", "rehamove3", "neurostimduino"])
def test_a_board_without_a_stop_switch_sends_nobody_to_one(kind: str, tmp_path: Path) -> None:
    status = lost(tmp_path, kind)
    assert status.output is OutputWord.UNKNOWN
    alarm = replace(status, alarm="", alarm_text="", messages=(), stop_reason="")
    heard: list[str] = []
    Teller(heard.append)(status)
    lines = [
        output_line(status, 80).plain,
        tiny(status, (20, 5), (80, 24)).plain,
        heard[-1],
        Outcome(1, "over", status.output, unknown=status.output_words).line,
    ]
    assert all(LEADS in line for line in lines)
    told = alert_lines(alarm, stop_unanswered=True, hint="").plain
    assert "treat output as ON, pull the electrode leads" in told
    assert not [line for line in (*lines, told) if "switch" in line.lower()]


@pytest.mark.parametrize("kind", ["rehastim2"])
def test_a_board_with_one_is_stopped_by_it(kind: str, tmp_path: Path) -> None:
    status = lost(tmp_path, kind)
    assert OutputWord.UNKNOWN in output_line(status, 80).plain
    assert "use the stop switch" in alert_lines(status, stop_unanswered=True, hint="").plain


def test_a_board_that_reports_its_output_needs_no_other_words(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.opening = replace(rig.opening, board="sim:p24")
    rig.operator._opening = rig.opening
    rig.work(State.TITRATING)
    assert rig.status.output_words == ""
    rig.close()
