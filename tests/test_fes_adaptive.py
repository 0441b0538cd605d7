"""A threshold that follows the patient: the file, the steps, and a session on the twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.protocols import dumps, loads
from stimctl.schedule import Steps, compile_schedule
from stimctl.sensors.adapting import Adapting
from tests.protocol_texts import EMG, drop, edit, good, put, the_fault
from tests.session_rig import EMG as SHORT
from tests.session_rig import Rig

LAST = "max_triggers_per_min = 6\n"
ADAPTIVE = edit(
    put(EMG, "threshold_sd", "8.0"),
    (LAST, LAST + "adapt_percent = 10\nadapt_least_percent = 60\nadapt_most_percent = 150\n"),
)


def test_the_steps_reach_the_ear_and_the_file() -> None:
    protocol = good(ADAPTIVE)
    ear = compile_schedule(protocol, Steps()).ear
    assert ear is not None
    assert ear.adapting == (10, 60, 150)
    assert loads(dumps(protocol), "again") == protocol
    plain = compile_schedule(good(EMG), Steps()).ear
    assert plain is not None
    assert plain.adapting is None


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (drop(ADAPTIVE, "adapt_least"), "trigger.adapt_least_percent", "is missing: a threshold that adapts"),
        (drop(ADAPTIVE, "adapt_most"), "trigger.adapt_most_percent", "is missing: a threshold that adapts"),
        (
            put(ADAPTIVE, "threshold_sd", "3.0"),
            "trigger.adapt_least_percent",
            "lets the threshold fall too near to rest",
        ),
        (put(ADAPTIVE, "adapt_percent", "40"), "trigger.adapt_percent", "out of range"),
        (
            drop(drop(edit(ADAPTIVE, ("cue = true", "cue = false")), "attempt_window_s"), "on_missed"),
            "trigger.adapt_percent",
            "needs cue = true",
        ),
    ],
)
def test_what_cannot_adapt_is_refused(text: str, field: str, message: str) -> None:
    fault = the_fault(text)
    assert (fault.field, fault.message[: len(message)]) == (field, message)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 25), st.integers(30, 100), st.integers(100, 300))
def test_the_threshold_stays_between_its_ends_and_above_rest(
    heard: list[bool], step: int, least: int, most: int
) -> None:
    adapting = Adapting(step, least, most)
    for success in heard:
        before = adapting.percent
        (adapting.heard if success else adapting.missed)()
        assert least <= adapting.percent <= most
        assert abs(adapting.percent - before) <= step
        assert adapting.percent >= before if success else adapting.percent <= before
        assert adapting.threshold_uv(2.0, 6.0) > 2.0
    assert Adapting(step, least, most).threshold_uv(2.0, 6.0) == 6.0


def test_a_session_asks_for_more_after_a_success_and_less_after_a_miss(tmp_path: Path) -> None:
    last = "max_triggers_per_min = 10\n"
    text = edit(
        put(put(SHORT, "threshold_sd", "8.0"), "repetitions", "6"),
        (last, last + "adapt_percent = 10\nadapt_least_percent = 60\nadapt_most_percent = 200\n"),
    )
    rig = Rig(tmp_path, text)
    rig.work()
    told = [each for each in rig.events() if each.kind in ("trigger", "missed", "threshold-adapted")]
    steps = [each.payload for each in told if each.kind == "threshold-adapted"]
    percent, previous = 100, None
    for outcome, step in zip([each.kind for each in told if each.kind != "threshold-adapted"], steps, strict=True):
        percent += 10 if outcome == "trigger" else -10
        assert step["percent"] == percent
        threshold_uv = step["threshold_uv"]
        assert isinstance(threshold_uv, float)
        if previous is not None:
            assert (threshold_uv > previous) is (outcome == "trigger")
        previous = threshold_uv
    assert len(steps) == 6
    rig.close()
