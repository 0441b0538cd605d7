"""Sessions that follow the sound hand, on the twin: measuring, following, losses, refusals, the record."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from stimctl.engine import State
from stimctl.engine.following import STUCK_US
from stimctl.errors import UsageError
from stimctl.orders import OrderKind as Kind
from stimctl.schedule import ControlPlan
from stimctl.sensors.signals import Sample
from stimctl.session.calibration import MEASURE_US, Calibration, Range
from stimctl.session.following import GONE_US, Following
from stimctl.session.leading import source_of
from stimctl.session.link import Link
from stimctl.sim.sound import SoundHand
from stimctl.units import MS, SECOND
from tests.following_rig import brief, following, opened, payloads, width_us
from tests.protocol_texts import CONTRALATERAL, drop, edit
from tests.session_rig import CYCLIC, Rig

WIDTH = brief(
    CONTRALATERAL, ("open_s = 6.0", "open_s = 5.0"), ("relax_s = 14.0", "relax_s = 8.0"), ('cue = "Open wide"\n', ""),
    ("repetitions = 10", "repetitions = 3"),
)  # fmt: skip
EMG = edit(drop(WIDTH, "floor_width_us"), ('"width"', '"amplitude"'), ('"sound-hand-angle"', '"sound-hand-emg"'))
PLAN = ControlPlan("sound-hand-angle", "width", 150_000, 850_000, 1_000_000, 150 * MS)


class Bent:
    """A source in another's place, whose samples go through ``bend``."""

    def __init__(self, following: Following, bend: Callable[[Sample], Sample | None]) -> None:
        self.inner, self.bend = following.source, bend
        self.name, self.unit, self.least_span = self.inner.name, self.inner.unit, self.inner.least_span

    def read(self, now_us: int) -> Sample | None:
        sample = self.inner.read(now_us)
        return None if sample is None else self.bend(sample)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, WIDTH)
    yield made
    made.close()


# --- a whole session -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [WIDTH, EMG])
def test_a_whole_session_measures_follows_and_records(tmp_path: Path, text: str) -> None:
    rig = Rig(tmp_path, text)
    try:
        rig.work()
        assert rig.session.ended
        assert rig.session.engine.counts().delivered == 3
        [found] = payloads(rig, "control-range")
        assert found["unit"] == ("degrees" if text == WIDTH else "µV")
        assert [told["most_percent"] for told in payloads(rig, "opening")] == [100, 100, 100]
        assert "control-lost" not in rig.kinds()
        assert "Openings led by the sound hand: 3 of 3 (100 % voluntary); signal lost 0 times" in rig.session.review()
        assert any("as far as the sound hand leads" in line for line in rig.session.review())
    finally:
        rig.close()


def test_the_width_follows_the_hand_and_comes_to_the_full_one(rig: Rig) -> None:
    opened(rig, after_us=0)
    widths = []
    for _ in range(40):
        rig.go(100 * MS)
        widths.append(width_us(rig))
    assert widths[0] == 0
    assert max(widths) == 250
    assert {60 < width < 250 for width in widths} == {True, False}
    assert "Now: Open both hands. Signal [################" in rig.status.next_action


def test_when_the_sound_hand_relaxes_within_the_time_nothing_flows(rig: Rig) -> None:
    opened(rig)
    assert width_us(rig) == 250
    assert rig.session.link is not None
    assert rig.session.link.patient is not None
    rig.session.link.patient.sound.relax(rig.now_us)
    rig.go(1_300 * MS)
    assert rig.state is State.BURST
    assert (width_us(rig), rig.flowing_ua) == (0, 0)


def test_a_hand_that_never_opens_is_never_stimulated(rig: Rig) -> None:
    rig.work(until=State.TRIAL)
    rig.work(until=State.REST)
    rest = following(rig).calibration.range
    assert rest is not None
    following(rig).source = Bent(following(rig), lambda told: Sample(told.at_us, rest.rest + told.at_us % 7 / 100))
    while not rig.session.engine.complete:
        rig.go(100 * MS)
        assert rig.flowing_ua == 0
    assert (following(rig).openings, following(rig).followed) == (3, 0)


# --- losses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bend",
    [
        lambda _: None,
        lambda told: Sample(told.at_us, math.nan),
        lambda told: Sample(told.at_us, math.inf),
        lambda told: Sample(told.at_us - 151 * MS, told.value),
        lambda told: Sample(told.at_us + 30 * MS, told.value),
        lambda told: Sample(told.at_us, 10 * told.value),
    ],
    ids=["absent", "nan", "endless", "stale", "future", "wild"],
)
def test_a_signal_that_cannot_be_believed_is_zero_until_the_hand_has_rested(
    rig: Rig, bend: Callable[[Sample], Sample | None]
) -> None:
    opened(rig)
    assert rig.flowing_ua > 0
    whole = following(rig).source
    following(rig).source = Bent(following(rig), bend)
    rig.go(150 * MS)
    assert rig.flowing_ua == 0
    assert "zero" in rig.status.next_action
    following(rig).source = whole  # and the hand is still wide open
    rig.go(SECOND)
    assert rig.state is State.BURST
    assert rig.flowing_ua == 0
    assert "Relax the sound hand first" in rig.status.next_action
    assert rig.kinds().count("control-lost") == rig.kinds().count("control-back") == 1
    rig.work(until=State.REST)
    rig.work(until=State.BURST)
    rig.go(3 * SECOND)
    assert rig.flowing_ua > 0


def test_samples_that_stop_coming_are_zero_within_their_age(rig: Rig) -> None:
    opened(rig)
    last = following(rig).source.read(rig.now_us)
    following(rig).source = Bent(following(rig), lambda _: last)
    rig.go(150 * MS)
    assert rig.flowing_ua > 0
    rig.go(60 * MS)
    assert rig.flowing_ua == 0


def test_a_stuck_sensor_is_found_although_it_says_that_it_is_fresh(rig: Rig) -> None:
    opened(rig, after_us=2 * SECOND)
    last = following(rig).source.read(rig.now_us)
    assert last is not None
    following(rig).source = Bent(following(rig), lambda told: Sample(told.at_us, last.value))
    rig.go(STUCK_US + 100 * MS)
    assert rig.flowing_ua == 0
    assert payloads(rig, "control-lost")[0]["why"] == "stuck"


def test_a_signal_that_stays_away_pauses_the_treatment(rig: Rig) -> None:
    opened(rig)
    following(rig).source = Bent(following(rig), lambda _: None)
    rig.go(GONE_US + 200 * MS)
    assert rig.state is State.PAUSED
    assert "signal is gone" in str(payloads(rig, "pause"))
    assert rig.flowing_ua == 0


def test_after_a_pause_an_open_hand_moves_nothing(rig: Rig) -> None:
    opened(rig)
    wide = following(rig).source.read(rig.now_us)
    assert wide is not None
    following(rig).source = Bent(following(rig), lambda told: Sample(told.at_us, wide.value + told.at_us % 7 / 100))
    rig.order(Kind.PAUSE)
    rig.until_off()
    assert rig.order(Kind.RESUME) == ""
    rig.go(200 * MS)
    assert rig.state is State.TRIAL
    for second in range(20):
        rig.go(SECOND)
        assert second >= 7 or rig.order(Kind.RAISE) == ""  # to its ceiling
        assert rig.flowing_ua == 0
    assert rig.session.engine.lanes[0].level_ua == 7_000


# --- measuring -------------------------------------------------------------------------------------------------------


def ready(rig: Rig) -> Rig:
    while rig.state is not State.READY:
        rig.work(until=State.READY)
    return rig


def test_nothing_is_armed_before_the_range_is_known(rig: Rig) -> None:
    ready(rig)
    assert Kind.START not in rig.status.can
    assert "Enter measures it" in rig.status.next_action
    rig.go(SECOND)
    assert rig.order(Kind.START).startswith("measure the signal first")
    for words in ("at rest", "wide open"):
        assert rig.order(Kind.NEXT) == ""
        assert words in rig.status.next_action
        assert Kind.NEXT not in rig.status.can
        rig.go(MEASURE_US + 200 * MS)
    assert Kind.START in rig.status.can
    assert "Range of the sound hand" in rig.status.next_action
    assert rig.order(Kind.NEXT) == ""  # again, from the beginning
    assert rig.order(Kind.START) != ""


def test_a_hand_that_hardly_opens_gives_no_range(rig: Rig) -> None:
    ready(rig)
    following(rig).source = Bent(following(rig), lambda told: Sample(told.at_us, told.value / 10))
    for _ in range(2):
        rig.order(Kind.NEXT)
        rig.go(MEASURE_US + 200 * MS)
    assert following(rig).calibration.range is None
    assert "are needed" in rig.status.refusal
    assert "relaxed" in rig.status.next_action


LOSS = range(SECOND, SECOND + PLAN.stale_us + 100 * MS, 50 * MS)


def measured(values: dict[str, Callable[[int], float]], *, lost: range = range(0)) -> Range | None:
    calibration = Calibration(PLAN)
    source = type("Any", (), {"name": "a glove", "unit": "degrees", "least_span": 15.0, "read": lambda _: None})()
    for number, step in enumerate(("rest", "open")):
        begin_us = number * 10 * SECOND
        calibration.begin(begin_us)
        for at_us in range(begin_us, begin_us + MEASURE_US + 50 * MS, 50 * MS):
            sample = None if at_us in lost else Sample(at_us, values[step](at_us))
            calibration.hear(sample, source, at_us)
    return calibration.range


def test_the_range_is_the_middle_of_what_was_held_and_either_end_may_be_the_higher() -> None:
    assert measured({"rest": lambda _: 5.0, "open": lambda _: 75.0}) == Range(5.0, 75.0)
    assert measured({"rest": lambda _: 170.0, "open": lambda _: 100.0}) == Range(170.0, 100.0)
    assert Range(170.0, 100.0).place_ppm(135.0) == 500_000
    assert Range(0.0, 10.0).place_ppm(1e300) == 1_000_000_000


@pytest.mark.parametrize(
    ("values", "lost", "why"),
    [
        ({"rest": lambda _: 5.0, "open": lambda _: 12.0}, range(0), "are needed"),
        ({"rest": lambda at: 5.0 + (at // (50 * MS) % 2) * 14, "open": lambda _: 75.0}, range(0), "the dead zone ends at 15 %"),
        ({"rest": lambda _: 5.0, "open": lambda _: 75.0}, LOSS, "was lost while rest was measured"),
        ({"rest": lambda _: 5.0, "open": lambda _: math.nan}, range(0), "was lost while the whole opening was measured"),
    ],
)  # fmt: skip
def test_what_does_not_make_a_range_is_said(values: dict[str, Callable[[int], float]], lost: range, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        measured(values, lost=lost)


def test_a_moment_that_cannot_be_believed_is_left_out_of_a_range() -> None:
    """Muscle looks like hum for a moment now and then; as long as nothing flows, no measuring has to end for that."""
    moment = range(SECOND, SECOND + PLAN.stale_us, 50 * MS)
    assert measured({"rest": lambda _: 5.0, "open": lambda _: 75.0}, lost=moment) == Range(5.0, 75.0)


# --- where nothing can be followed -----------------------------------------------------------------------------------


def test_without_a_source_the_kind_is_refused_with_a_sentence(rig: Rig) -> None:
    rig.work(until=State.SCREENING)
    link = rig.session.link
    assert link is not None
    for source, what in (
        ("sound-hand-angle", "name its goniometer or glove, as in --angle lsl:NAME#CHANNEL"),
        ("sound-hand-emg", "name its amplifier's stream, as in --emg lsl:NAME#CHANNEL"),
    ):
        plan = ControlPlan(source, "width", 1, 2, 3, 4)
        assert source_of(plan, link).name == "the simulated sound hand"
        with pytest.raises(UsageError, match=what):
            source_of(plan, Link(link.driver, None, link.next_event_us))


def test_where_nothing_is_followed_enter_has_nothing_to_measure(tmp_path: Path) -> None:
    other = Rig(tmp_path, CYCLIC)
    try:
        other.work(until=State.READY)
        if other.state is State.READY:
            assert Kind.NEXT not in other.status.can
            assert "not possible now" in other.order(Kind.NEXT)
    finally:
        other.close()


# --- the simulated hand ----------------------------------------------------------------------------------------------


def test_the_sound_hand_is_smooth_seeded_and_the_same_however_often_it_is_asked() -> None:
    one, other = SoundHand(3), SoundHand(3)
    for hand in (one, other):
        hand.open(SECOND)
    angles = [one.angle_deg(at_us) for at_us in range(0, 4 * SECOND, 10 * MS)]
    assert other.angle_deg(4 * SECOND - 10 * MS) == angles[-1]
    assert max(abs(b - a) for a, b in pairwise(angles)) < 5
    assert angles[-1] - angles[0] > 45
    assert one.emg_uv(4 * SECOND) > 10 * one.emg_uv(0)
    one.relax(4 * SECOND)
    assert one.opening(6 * SECOND) == 0.0
