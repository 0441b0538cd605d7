"""Sessions that follow the stimulated muscle's own EMG, on the twin: no effort is zero, whatever flowed before; more is more."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from stimctl.engine import Event, State
from stimctl.errors import OurBug, UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.records.raw import read_raw
from stimctl.schedule import FULL_PPM, ControlPlan
from stimctl.sensors.quality import Quality
from stimctl.session.calibration import MEASURE_US
from stimctl.session.following import GONE_US
from stimctl.session.leading import OwnMuscle, source_of
from stimctl.session.link import Link
from stimctl.session.own_ear import OwnEar
from stimctl.sim.emg import Pulse
from stimctl.sim.faults import Fault, FaultKind
from stimctl.sim.patient import Patient
from stimctl.sim.volition import EFFORT_MOST_US, Attempt
from stimctl.units import MS, SECOND
from tests.following_rig import brief, following, opened, payloads, width_us
from tests.protocol_texts import PROPORTIONAL, drop, edit
from tests.session_rig import Rig

WIDTH = brief(PROPORTIONAL, ("relax_s = 10.0", "relax_s = 8.0"), ("repetitions = 10", "repetitions = 2"))
AMPLITUDE = edit(drop(WIDTH, "floor_width_us"), ('"width"', '"amplitude"'))
PLAN = ControlPlan("own-emg", "width", 250_000, 750_000, FULL_PPM, 180 * MS, period_us=28_571, blanking_us=20 * MS)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rigged(tmp_path, WIDTH) as made:
        yield made


@contextlib.contextmanager
def rigged(folder: Path, text: str, *, seed: int = 1) -> Iterator[Rig]:
    made = Rig(folder, text, seed=seed)
    try:
        yield made
    finally:
        made.close()


def own(rig: Rig) -> OwnEar:
    assert rig.session.hearing is not None
    return rig.session.hearing.own


def patient(rig: Rig) -> Patient:
    assert rig.session.link is not None
    assert rig.session.link.patient is not None
    return rig.session.link.patient


def tries_with(rig: Rig, strength: float) -> None:
    """From now on the patient answers every cue with this share of the best effort; with 0, never."""
    person, exert = patient(rig), patient(rig).exert

    def answer(now_us: int, _strength: float | None = None) -> Attempt | None:
        return exert(now_us, strength) if strength else None

    person.exert = answer  # type: ignore[method-assign, assignment]


# --- a whole session -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "seed"), [(WIDTH, 2), (AMPLITUDE, 3)])
def test_a_whole_session_measures_follows_and_records(tmp_path: Path, text: str, seed: int) -> None:
    with rigged(tmp_path, text, seed=seed) as rig:
        rig.work()
        assert rig.session.ended
        assert rig.session.engine.counts().delivered == 2
        [found] = payloads(rig, "control-range")
        assert (found["unit"], found["source"]) == ("µV", "the muscle's own EMG (board)")
        assert [told["most_percent"] for told in payloads(rig, "opening")] == [100, 100]
        assert "control-lost" not in rig.kinds()
        review = rig.session.review()
        assert "Openings led by the muscle: 2 of 2 (100 % voluntary); signal lost 0 times" in review
        dose = rig.session.totals()["dose"]
        assert isinstance(dose, dict)
        assert dose["openings"] == {"led": 2, "of": 2, "led_percent": 100, "signal_losses": 0}
        assert any("as hard as the muscle itself tries" in line for line in review)
        assert any(line.startswith("Range of the muscle's own EMG: ") for line in review)
        [raw] = tmp_path.rglob("*.emg")
        assert sum(len(chunk.values) for chunk in read_raw(raw).chunks) > 30_000


def test_the_operator_is_told_what_to_do_and_sees_the_effort(rig: Rig) -> None:
    rig.work(until=State.READY)
    rig.go(200 * MS)
    assert "The hand lies relaxed: Enter measures it" in rig.status.next_action
    assert rig.order(Kind.START).startswith("measure the signal first: the muscle at rest, then the best effort")
    opened(rig)
    assert "Now: Try to open the hand. Signal [####" in rig.status.next_action
    emg = rig.status.emg
    assert emg is not None
    assert (emg.quality, emg.threshold_uv) == ("good", None)
    assert max(emg.envelope_uv) > 3 * min(emg.envelope_uv)


# --- the muscle drives nothing by being driven --------------------------------------------------------------------------


@pytest.mark.parametrize("text", [WIDTH, AMPLITUDE])
def test_a_patient_who_does_not_try_is_never_stimulated(tmp_path: Path, text: str) -> None:
    with rigged(tmp_path, text) as rig:
        rig.work(until=State.REST)
        tries_with(rig, 0.0)
        patient(rig).let_go(rig.now_us)
        while not rig.session.engine.complete:
            rig.go(100 * MS)
            assert rig.flowing_ua == 0
        assert (following(rig).openings, following(rig).followed, following(rig).losses) == (2, 0, 0)


@pytest.mark.parametrize(
    ("text", "share", "seed"),
    [(WIDTH, 150_000, 1), (WIDTH, FULL_PPM, 4), (AMPLITUDE, 500_000, 4), (AMPLITUDE, FULL_PPM, 1)],
)
def test_output_that_was_forced_on_dies_away_without_an_effort(
    tmp_path: Path, text: str, share: int, seed: int
) -> None:
    """From any level: two seconds of it, then the muscle alone leads again, and is heard to do nothing."""
    with rigged(tmp_path, text, seed=seed) as rig:
        rig.work(until=State.REST)
        tries_with(rig, 0.0)
        rig.work(until=State.BURST)
        follower = following(rig).follower
        places = []
        for _ in range(40):
            follower.ppm, follower.latched = share, False
            step, follower.step = follower.step, lambda *_: share  # type: ignore[method-assign]
            rig.go(50 * MS)
            follower.step = step  # type: ignore[method-assign]
            sample = own(rig).read()
            found = following(rig).calibration.range
            assert found is not None
            places += [] if sample is None else [found.place_ppm(sample.value)]
        assert rig.flowing_ua > 0
        assert len(places) > 30
        assert max(places[5:]) < following(rig).plan.floor_ppm  # all that was heard behind the pulses is rest
        assert own(rig)._effort.all_pulsed
        rig.go(60 * MS)
        for _ in range(20):
            assert rig.flowing_ua == 0
            rig.go(100 * MS)


def test_more_effort_is_more_stimulation(tmp_path: Path) -> None:
    """In one session, opening by opening."""
    widths: list[float] = []
    with rigged(tmp_path, edit(WIDTH, ("repetitions = 2", "repetitions = 4"))) as rig:
        rig.work(until=State.REST)
        usual = patient(rig).exert
        for strength in (0.15, 0.45, 0.6, 1.0):
            patient(rig).exert = usual  # type: ignore[method-assign]
            tries_with(rig, strength)
            rig.work(until=State.BURST)
            opened_widths = []
            while rig.state is State.BURST:
                opened_widths.append(width_us(rig))
                rig.go(50 * MS)
            widths.append(float(np.mean(opened_widths[-60:])))  # 3 s: how soon the patient answers is another matter
        assert rig.session.engine.complete
    assert widths[0] == 0
    assert all(more > 1.2 * less for less, more in pairwise(widths)), widths


def test_when_the_muscle_lets_go_nothing_flows(rig: Rig) -> None:
    opened(rig)
    assert width_us(rig) > 0
    patient(rig).let_go(rig.now_us)
    rig.go(1_200 * MS)
    assert rig.state is State.BURST
    assert (width_us(rig), rig.flowing_ua) == (0, 0)


def test_a_muscle_that_did_not_let_go_in_the_rest_gets_nothing_in_the_next_opening(rig: Rig) -> None:
    """A spasm, or a muscle that hears itself by a way that nobody thought of."""
    opened(rig)
    person = patient(rig)
    person.let_go = lambda now_us: None  # type: ignore[method-assign]  # noqa: ARG005
    rig.work(until=State.REST)
    rig.work(until=State.BURST)
    for _ in range(45):
        rig.go(100 * MS)
        assert rig.flowing_ua == 0
    assert rig.state is State.BURST
    assert "Let go first" in rig.status.next_action


# --- the dead zone is measured with stimulation on ----------------------------------------------------------------------


def measured(rig: Rig) -> str:
    """Measure both ends; why they were refused."""
    rig.go(SECOND)
    for _ in range(2):
        assert rig.order(Kind.NEXT) == ""
        rig.go(MEASURE_US + 200 * MS)
    return rig.status.refusal


def test_a_muscle_that_is_heard_while_only_the_stimulation_acts_may_not_lead(rig: Rig) -> None:
    rig.work(until=State.TITRATING)
    tense = Attempt(rig.now_us, rig.now_us + EFFORT_MOST_US, 0.8, 60_000, 60_000)
    patient(rig).volition.attempts.append(tense)
    rig.work(until=State.READY)
    patient(rig).volition.attempts.clear()
    refusal = measured(rig)
    assert "stimulation alone was heard as" in refusal
    assert "find the thresholds again" in refusal
    assert following(rig).calibration.range is None
    assert Kind.START not in rig.status.can


def test_from_a_muscle_that_would_drive_itself_one_key_leads_back_to_the_thresholds(rig: Rig) -> None:
    rig.work(until=State.TITRATING)
    tense = Attempt(rig.now_us, rig.now_us + EFFORT_MOST_US, 0.8, 60_000, 60_000)
    patient(rig).volition.attempts.append(tense)
    rig.work(until=State.READY)
    patient(rig).volition.attempts.clear()
    assert "find the thresholds again" in measured(rig)
    assert "Enter: back to the thresholds" in rig.status.next_action
    assert rig.order(Kind.NEXT) == ""
    assert rig.state is State.THRESHOLDS
    assert rig.session.preparation.thresholds == {}
    rig.operator._marked.clear()  # another search, by a person who has looked at the electrodes
    rig.work(until=State.READY)
    rig.go(SECOND)
    assert "Enter measures it" in rig.status.next_action, "the doubt ended with the thresholds that it was about"
    assert measured(rig) == "", "what was heard in the search before is not held against this one"
    assert Kind.START in rig.status.can


def test_a_script_does_not_look_at_electrodes_and_ends_where_thresholds_are_doubted(rig: Rig) -> None:
    rig.work(until=State.READY)
    own(rig).unasked_uv = None
    assert measured(rig)
    rig.work(most_us=60 * SECOND)
    assert rig.session.ended


def test_a_doubt_ends_with_its_thresholds_also_where_those_grew_old(rig: Rig) -> None:
    rig.work(until=State.READY)
    own(rig).unasked_uv = None
    assert measured(rig)
    rig.session.preparation.void_thresholds()
    rig.session.happen(Event.EXPIRED, rig.now_us)
    rig.operator._marked.clear()
    rig.work(until=State.READY)
    rig.go(SECOND)
    assert "Enter measures it" in rig.status.next_action


def test_a_range_is_measured_anew_after_thresholds_were(rig: Rig) -> None:
    """It was judged by what stimulation sounded like then, through electrodes that may have been moved since."""
    rig.work(until=State.READY)
    assert measured(rig) == ""
    rig.session.preparation.void_thresholds()
    rig.session.happen(Event.EXPIRED, rig.now_us)
    rig.operator._marked.clear()
    rig.work(until=State.READY)
    rig.go(SECOND)
    assert following(rig).calibration.range is None
    assert Kind.START not in rig.status.can


def test_where_nothing_was_heard_while_thresholds_were_found_nothing_may_lead(rig: Rig) -> None:
    rig.work(until=State.READY)
    own(rig).unasked_uv = None
    assert "nothing was heard while thresholds were found" in measured(rig)
    assert Kind.START not in rig.status.can


def test_thresholds_are_found_with_the_ear_open_and_rest_is_what_it_hears(rig: Rig) -> None:
    rig.work(until=State.READY)
    unasked_uv = own(rig).unasked_uv
    assert unasked_uv is not None
    assert measured(rig) == ""
    found = following(rig).calibration.range
    assert found is not None
    assert unasked_uv < found.rest + 0.15 * (found.full - found.rest)


# --- losses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.EMG_FLAT, FaultKind.EMG_RAILED, FaultKind.EMG_HUM, FaultKind.EMG_STALE])
def test_an_input_that_fails_is_zero_until_the_muscle_has_rested_and_then_a_pause(rig: Rig, kind: FaultKind) -> None:
    opened(rig)
    assert rig.flowing_ua > 0
    rig.twin.inject(Fault(kind, rig.now_us))
    before_us = width_us(rig)
    for _ in range(60):
        rig.go(10 * MS)
        if rig.flowing_ua:
            assert width_us(rig) <= max(before_us, 250)
    assert rig.flowing_ua == 0
    assert rig.kinds().count("control-lost") == 1
    assert "Look at the EMG electrodes" in rig.status.next_action
    rig.go(GONE_US)
    assert rig.state is State.PAUSED
    assert rig.flowing_ua == 0


def test_a_board_that_does_not_tell_of_its_pulses_is_not_believed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(rig)
    monkeypatch.setattr(type(rig.twin.analog), "_pulses", silent(type(rig.twin.analog)._pulses))
    rig.go(600 * MS)
    assert rig.flowing_ua == 0
    assert own(rig).watch(rig.now_us) in (Quality.GAP, Quality.GOOD)
    assert "control-lost" in rig.kinds()


def silent(found: Callable[..., list[Pulse]]) -> Callable[..., list[Pulse]]:
    """The same pulses in the signal, and none of them told."""

    class Untold(list[Pulse]):
        def __bool__(self) -> bool:
            return False

    return lambda *args: Untold(found(*args))


def test_when_samples_stop_coming_it_is_zero_within_their_age(rig: Rig) -> None:
    opened(rig)
    assert rig.flowing_ua > 0
    rig.twin.analog.stop()
    rig.go(240 * MS)
    assert rig.flowing_ua == 0


# --- where nothing can be followed -----------------------------------------------------------------------------------


def test_a_board_whose_input_is_missing_or_too_slow_is_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.work(until=State.SCREENING)
    link = rig.session.link
    assert link is not None
    assert isinstance(source_of(PLAN, Link(link.driver, None, link.next_event_us)), OwnMuscle)
    facts = link.driver.facts
    for rate_hz, why in ((0, "no EMG input"), (250, "a faster EMG input")):
        monkeypatch.setattr(link.driver, "facts", _with_rate(facts, rate_hz))
        with pytest.raises(UsageError, match=why):
            source_of(PLAN, link)


def _with_rate(facts: object, rate_hz: int) -> object:
    from dataclasses import replace

    return replace(facts, analog_rate_hz=rate_hz)  # type: ignore[type-var]


def test_a_recording_cannot_lead_and_no_ear_is_taken_for_the_other(rig: Rig, tmp_path: Path) -> None:
    refused = rig.order(
        Kind.OPEN,
        protocol=str(rig.path),
        patient="P-1",
        side="left",
        board="sim:",
        emg="file:" + str(tmp_path / "x.npz"),
    )
    assert "was not recorded while this stimulation flowed" in refused
    rig.work(until=State.SCREENING)
    assert rig.session.hearing is not None
    with pytest.raises(OurBug):
        _ = rig.session.hearing.ear
