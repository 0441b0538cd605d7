"""TENS that changes, in a session on the twin: the operator's words, and what flowed against what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stimctl.engine import State
from stimctl.protocols import TENS_KINDS, loads
from stimctl.units import SECOND
from tests.session_rig import Made, Rig, rigs
from tests.test_tens_modes import ALTERNATING, MODULATED, SIMPLE, tens


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    with rigs(lambda: tmp_path) as make:
        yield make


def raised_by_its_own_words(rig: Rig, text: str) -> None:
    rig.work(State.TRIAL)
    aim = TENS_KINDS[loads(text, "x").kind].mode.aim
    assert rig.status.next_action == f"Raise to the working level: {aim}. Then begin."
    rig.work(State.FLOWING)
    rig.go(3 * SECOND)
    assert rig.state is State.FLOWING
    assert rig.flowing_ua > 0


@pytest.mark.parametrize("kind", SIMPLE)
def test_the_operator_raises_by_the_modes_own_words(made: Made, kind: str) -> None:
    raised_by_its_own_words(made(tens(kind)), tens(kind))


@pytest.mark.parametrize("text", [MODULATED, ALTERNATING], ids=["modulated", "alternating"])
def test_what_is_measured_is_what_flowed(made: Made, text: str) -> None:
    """A sweep's strongest pulses, taken for all of it, would tell of three times the charge."""
    rig = made(text)
    raised_by_its_own_words(rig, text)
    rig.go(27 * SECOND)
    commanded, measured = rig.session.engine.counts().charge_uc, rig.session.measured.charge_uc
    assert measured is not None
    assert commanded > 500
    assert abs(measured - commanded) < 0.1 * commanded
