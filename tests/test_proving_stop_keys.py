"""STOP, everywhere, in small: each key, each screen and each hindrance once. And that the prover can find something."""

from __future__ import annotations

import sys

import pytest

from tests.proving import stop_keys
from tests.proving.stop_hindrances import HINDRANCES
from tests.proving.stop_keys import Found, Report
from tests.proving.stop_plan import Trial, share, whole
from tests.proving.stop_screens import SCREENS
from tests.proving.stop_shapes import KEYS
from tests.twin_rig import Facts, Flow

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs pseudo-terminals and /proc")


@pytest.mark.waits(20)
@pytest.mark.timeout(400)  # real programs and real waits; the walk itself tells when it is stuck
@pytest.mark.parametrize("part", share())
def test_every_stop_key_is_heard_and_zero_is_confirmed(part: str) -> None:
    trials = share()[part]
    outcome = stop_keys.outcome([stop_keys.session(trials)])
    assert outcome.good, "\n".join(outcome.failures)
    assert outcome.rows[0].count == len(trials)


def test_the_share_has_each_key_each_screen_and_each_hindrance() -> None:
    trials = [trial for trials in share().values() for trial in trials]
    assert {trial.screen for trial in trials} == set(SCREENS)
    assert {trial.key for trial in trials} == set(KEYS)
    assert {trial.hindrance for trial in trials} == set(HINDRANCES)


def test_the_long_run_has_each_key_on_each_screen_and_with_each_hindrance() -> None:
    trials = {trial for trials in whole() for trial in trials}
    assert {(trial.screen, trial.key) for trial in trials} == {(screen, key) for screen in SCREENS for key in KEYS}
    split = {trial.key for trial in trials if trial.hindrance == "in-pieces"}
    assert split == {name for name, key in KEYS.items() if len(key.typed) > 1}
    for name, hindrance in HINDRANCES.items():
        if name != "in-pieces" and not hindrance.ends:
            assert {trial.key for trial in trials if trial.hindrance == name} == set(KEYS)


def test_a_miss_is_told_with_the_command_that_tries_it_again() -> None:
    missed = Found(Trial("titration", "esc", "resized"), "no stop for the key", zero=False, twice=False)
    outcome = stop_keys.outcome([Report((missed,), ())])
    assert not outcome.good
    [failure] = outcome.failures
    assert failure.endswith("python3 -m tests.proving.stop_keys titration/esc/resized")
    assert not stop_keys.outcome([Report((), ("the walk got stuck",))]).good


def test_a_walk_that_got_stuck_goes_on_with_what_is_left_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = [Trial("pads", key) for key in ("space", "esc", "ctrl-x")]
    asked: list[list[Trial]] = []

    def stuck(trials: list[Trial]) -> Report:
        asked.append(trials)
        return Report((Found(trials[0], "", zero=False, twice=True),), () if len(trials) == 1 else ("stuck",))

    monkeypatch.setattr(stop_keys, "_session", stuck)
    report = stop_keys.session(plan)
    assert [each.trial for each in report.found] == plan
    assert asked == [plan, plan[1:], plan[2:]]
    assert report.failures == ()
    monkeypatch.setattr(stop_keys, "_session", lambda _trials: Report((), ("stuck",)))
    assert stop_keys.session(plan).failures == ("stuck",)


@pytest.mark.parametrize(("start_us", "end_us", "wrong"), [(10, 50, 0), (10, 51, 1), (60, 70, 1), (80, 90, 0)])
def test_current_after_a_confirmed_zero_is_found(start_us: int, end_us: int, wrong: int) -> None:
    said = [(5, "armed"), (50, "disarmed: stopped"), (50, "output off"), (80, "armed")]
    facts = Facts((Flow(start_us, end_us, 1_000),), (), ())
    assert len(stop_keys.flowed_again(facts, said)) == wrong
