"""Every bound that depends on what has been, or on where pads sit, dense around its edge: five steps to either side.

Bounds come from the second table, in every kind of channel and tightened by a file; what they mean is written out here
in fractions, from the clinical reference and from the limiter's own promises, and not taken from the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

import pytest

from stimctl.envelope.words import strength
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, BodyPart, Effect, Limits, Sensation
from stimctl.pulse import PulseTrain, symmetric
from stimctl.safety import Burst, Pad, Placement, Rule
from tests.limiter_rig import Rig, pads, placement, scaled
from tests.limits_oracle import breaches, charges_uc, column, squared_ma2, together_ma
from tests.limits_table import ACCURACY, BOUNDS, SINGLES, Channel, in_code

STEPS = range(-5, 6)
SECOND = 1_000_000
PLAN = Burst(ramp_up_us=2 * SECOND, hold_us=3 * SECOND, ramp_down_us=2 * SECOND, rest_us=30 * SECOND)
WEAK = symmetric(1_000, 200, 35_000)
ON, ZERO = scaled(WEAK, 100), scaled(WEAK, 0)

MOTORS = (Channel(), Channel(reduced=True), Channel("thenar", cm2=Fraction(5)), Channel("shoulder"))
KINDS = (*MOTORS, Channel(sensory=True), Channel("thenar", sensory=True, reduced=True, cm2=Fraction(5)))
FILE = {"on_time_us": 7_000_003, "duty_permille": 333, "ramp_up_min_us": 1_234_567, "site_time_us": 20_000_007,
        "step_ua": 700, "step_interval_min_us": 1_100_001, "rise_ua_per_s": 1_001}  # fmt: skip
"""A file that asks for less of everything."""


def bound(field: str, channel: Channel, file: dict[str, int]) -> int:
    """The tightest of the second table's columns and of a file, in the code's units."""
    row = BOUNDS[field]
    tightest = row.tightest(channel)
    assert tightest is not None
    ours = tightest * in_code(row.row["unit"], field)
    assert ours.denominator == 1
    theirs = file.get(field, int(ours))
    return min(int(ours), theirs) if row.is_most else max(int(ours), theirs)


def single(name: str) -> int:
    """A number that stands alone, in the code's units, by the name of its constant."""
    rows = {place.split(":")[1]: row for row in SINGLES for place in row["in"]}
    return int(rows[name]["value"] * in_code(rows[name]["unit"], name))


def placed(channel: Channel, file: dict[str, int] | None = None, burst: Burst = PLAN) -> Placement:
    area = int(channel.cm2 * 10**8)
    return placement(
        part=BodyPart(channel.part),
        effect=Effect.SENSORY if channel.sensory else Effect.MOTOR,
        sensation=Sensation.REDUCED if channel.reduced else Sensation.NORMAL,
        on=(Pad("a", area), Pad("b", area)),
        protocol=replace(ABSOLUTE, **(file or {})),
        burst=None if channel.sensory else burst,
    )


def at_level(place: Placement, train: PulseTrain, spent: dict[str, int] | None = None) -> Rig:
    """In titration, the level at ``train``, output at zero, long rested; raised in small steps, whatever a file asks."""
    rig = Rig(place, spent=spent)
    rig.limiter.open_titration(0, rig.now_us)
    for ua in (*range(500, train.amplitude_ua, 500), train.amplitude_ua):
        rig.wait(2 * SECOND)
        rig.limiter.raise_level(0, scaled(train, ua), rig.now_us)
    rig.wait(90 * SECOND)
    return rig


def said(rig: Rig, *trains: PulseTrain) -> Rule | None:
    """The rule that refuses a command, or None."""
    try:
        rig.send(*trains)
    except Refusal as refusal:
        return Rule(refusal.rule)
    return None


def held(rig: Rig, train: PulseTrain, channel: int = 0) -> Rule | None:
    """The rule that holds a raise, or None."""
    try:
        rig.limiter.raise_level(channel, train, rig.now_us)
    except Refusal as refusal:
        return Rule(refusal.rule)
    return None


def keep_on(rig: Rig, train: PulseTrain, us: int) -> None:
    """Approve it again and again for so long, but not at the end."""
    end_us = rig.now_us + us
    while end_us - rig.now_us > 900_000:
        rig.wait(900_000)
        rig.send(train)
    rig.now_us = end_us


FILES: tuple[tuple[str, dict[str, int]], ...] = (("no file", {}), ("file", FILE))
of_files = pytest.mark.parametrize("file", [f for _, f in FILES], ids=[name for name, _ in FILES])
of_motors = pytest.mark.parametrize("channel", MOTORS, ids=str)
of_kinds = pytest.mark.parametrize("channel", KINDS, ids=str)

# --- time on and off ------------------------------------------------------------------------------------------------


@of_files
@of_motors
def test_on_time(channel: Channel, file: dict[str, int]) -> None:
    """At the very end it has to be zero already: what is approved then would last beyond."""
    most_us = bound("on_time_us", channel, file)
    for step in STEPS:
        rig = at_level(placed(channel, file), WEAK)
        rig.send(ON)
        keep_on(rig, ON, most_us + step)
        assert said(rig, ON) == (Rule.ON_TIME if step >= 0 else None), step


@of_files
@of_motors
@pytest.mark.parametrize("on_us", [1, 999_983, 3_000_001])
def test_duty(channel: Channel, file: dict[str, int], on_us: int) -> None:
    """The share of time on, of a burst and the rest behind it, is at most the duty."""
    share = Fraction(bound("duty_permille", channel, file), 1_000)
    rest_us = ceil(on_us / share - on_us)
    for step in STEPS:
        if rest_us + step < 0:
            continue
        rig = at_level(placed(channel, file), WEAK)
        rig.send(ON)
        keep_on(rig, ON, on_us)
        rig.send(ZERO)
        assert rig.limiter.ready_at_us(0) == rig.now_us + rest_us
        rig.wait(rest_us + step)
        assert said(rig, ON) == (Rule.DUTY if step < 0 else None), step


@of_files
@of_kinds
def test_site_time(channel: Channel, file: dict[str, int]) -> None:
    """What a site has had today and what it has now are together less than its time."""
    most_us = bound("site_time_us", channel, file)
    for step in STEPS:
        rig = at_level(placed(channel, file), WEAK, spent={"forearm-dorsal": most_us - 4_000_009})
        rig.send(ON)
        keep_on(rig, ON, 4_000_009 + step)
        assert said(rig, ON) == (Rule.SITE_TIME if step >= 0 else None), step


def test_silence() -> None:
    longest_us = single("SILENCE_US")
    for step in STEPS:
        rig = at_level(placed(Channel()), WEAK)
        rig.send(WEAK)
        rig.wait(longest_us + step)
        assert said(rig, ZERO) == (Rule.CLOCK if step > 0 else None), step
        rig = at_level(placed(Channel()), WEAK)
        rig.send(ZERO)
        rig.wait(longest_us + step)
        assert said(rig, ZERO) is None


def test_clock() -> None:
    for step in STEPS:
        rig = Rig()
        rig.wait(1_000)
        rig.send(ZERO)
        rig.wait(step)
        assert said(rig, ZERO) == (Rule.CLOCK if step < 0 else None), step


def test_site_pause() -> None:
    """A rest counts as treatment for a minute and not a microsecond longer."""
    pause_us = single("SITE_PAUSE_US")
    for step in STEPS:
        rig = at_level(placed(Channel(sensory=True)), WEAK)
        before = rig.limiter.site_time_us("forearm-dorsal")
        rig.send(WEAK)
        rig.send(ZERO)
        rig.wait(pause_us + step)
        rig.send(ZERO)
        assert rig.limiter.site_time_us("forearm-dorsal") - before == pause_us + min(step, 0)


# --- ramps ------------------------------------------------------------------------------------------------------------


@of_files
@of_kinds
@pytest.mark.parametrize("top_ua", [3_001, 12_000])
def test_ramp_rate(channel: Channel, file: dict[str, int], top_ua: int) -> None:
    """From zero to the level takes the ramp, but for one step and one control period of it at once."""
    top, step_ua = symmetric(top_ua, 200, 35_000), bound("step_ua", channel, file)
    ramp_us = bound("ramp_up_min_us", channel, file)
    per_us = Fraction(top_ua, ramp_us)
    saved = step_ua + per_us * single("TICK_US")
    first, rise = floor(saved), 777
    wait_us = ceil((rise - (saved - first)) / per_us)
    for step in STEPS:
        rig = at_level(placed(channel, file), top)
        assert said(rig, scaled(top, first + step)) == (Rule.RAMP_RATE if step > 0 else None), step
        rig = at_level(placed(channel, file), top)
        rig.send(scaled(top, first))
        rig.wait(wait_us + step)
        assert said(rig, scaled(top, first + rise)) == (Rule.RAMP_RATE if step < 0 else None), step
        rig = at_level(placed(channel, file), top)
        rig.send(scaled(top, first))
        rig.wait(33_333)
        then = floor(saved - first + per_us * 33_333)
        assert said(rig, scaled(top, first + then + step)) == (Rule.RAMP_RATE if step > 0 else None), step


@pytest.mark.parametrize("step", STEPS)
def test_a_rise_in_width_or_rate_costs_what_it_is_worth(step: int) -> None:
    """At a level of 20 mA, 300 µs, 35 Hz: from a share s of its charge, or of its rms, it is (1 - s) 20 mA more."""
    top = symmetric(20_000, 300, 35_000)
    rig = at_level(placed(Channel()), top)
    rig.ramp_to(0, symmetric(20_000, 250, 35_000), 2 * SECOND)
    rig.wait(SECOND)
    most_us = floor(Fraction(3_000, 20_000) * 300)  # one step and one tick of 20 mA in half a second: 3 mA
    assert said(rig, symmetric(20_000, 250 + most_us + step, 35_000)) == (Rule.RAMP_RATE if step > 0 else None)
    rig = at_level(placed(Channel()), top)
    rig.ramp_to(0, symmetric(20_000, 300, 25_000), 2 * SECOND)
    rig.wait(SECOND)
    # 20 mA (sqrt(r / 35 Hz) - sqrt(25 / 35)) <= 3 mA, both roots taken in whole µA against the train's favour
    lowest_ua = int((Decimal(25) / 35).sqrt() * 20_000)
    highest_mhz = floor(Fraction(lowest_ua + 3_000, 20_000) ** 2 * 35_000)
    assert said(rig, symmetric(20_000, 300, highest_mhz + step)) == (Rule.RAMP_RATE if step > 0 else None)


# --- titration --------------------------------------------------------------------------------------------------------


@of_files
@of_kinds
@pytest.mark.parametrize("level_ua", [0, 1_000, 4_001])
def test_titration_step(channel: Channel, file: dict[str, int], level_ua: int) -> None:
    step_ua = bound("step_ua", channel, file)
    for step in STEPS:
        rig = at_level(placed(channel, file), scaled(WEAK, level_ua))
        expected = Rule.TITRATION_STEP if step > 0 else None
        assert held(rig, scaled(WEAK, level_ua + step_ua + step)) == expected, step


@of_files
@of_kinds
def test_titration_interval(channel: Channel, file: dict[str, int]) -> None:
    least_us = bound("step_interval_min_us", channel, file)
    for step in STEPS:
        rig = at_level(placed(channel, file), WEAK)
        rig.limiter.raise_level(0, scaled(WEAK, 1_001), rig.now_us)
        rig.wait(least_us + step)
        assert held(rig, scaled(WEAK, 1_002)) == (Rule.TITRATION_RATE if step < 0 else None), step


@of_kinds
@pytest.mark.parametrize("rate", [1_001, 777, 1])
def test_titration_rise(channel: Channel, rate: int) -> None:
    """So many µA for so long a wait, counted from the last raise."""
    wait_us = 1_100_001
    may_ua = floor(Fraction(rate * wait_us, SECOND))
    for step in STEPS:
        rig = at_level(placed(channel), WEAK)
        slow = Rig(placed(channel, {"rise_ua_per_s": rate}))
        slow.limiter.open_titration(0, slow.now_us)
        slow.limiter.raise_level(0, scaled(WEAK, 500), slow.now_us)
        slow.wait(wait_us)
        if 0 < may_ua + step <= 1_000:
            expected = Rule.TITRATION_RATE if step > 0 else None
            assert held(slow, scaled(WEAK, 500 + may_ua + step)) == expected, step
        assert rig.limiter.level(0) == WEAK


# --- stronger than a level or a ceiling, in whatever way ---------------------------------------------------------------

MIXED = PulseTrain(20_000, 250, 50, 10_000, 499, 35_000, 1)  # type: ignore[arg-type]


class Edit(NamedTuple):
    """A way to change the train; ``inside`` is weaker, ``outside`` stronger."""

    name: str
    inside: int
    outside: int

    def at(self, x: int, level: PulseTrain = MIXED) -> PulseTrain:
        changed: dict[str, Any] = {
            "amplitude": {"amplitude_ua": x, "recovery_amplitude_ua": x // 2},
            "width": {"phase_width_us": x, "recovery_width_us": 2 * x - 1},
            "rate": {"rate_mhz": x},
            "rate, weaker": {"amplitude_ua": 10_000, "recovery_amplitude_ua": 5_000, "rate_mhz": x},
            "gap": {"interphase_gap_us": x},
            "pulses": {"pulses_per_period": x, "rate_mhz": 11_000},
            "recovery": {"recovery_width_us": x},
            "recovery, weaker": {"amplitude_ua": 10_000, "recovery_amplitude_ua": 5_000, "recovery_width_us": x},
            "recovery amplitude": {"recovery_amplitude_ua": x},
        }[self.name]
        return replace(level, **changed)


EDITS = (
    Edit("amplitude", 10_000, 40_000),
    Edit("width", 200, 400),
    Edit("rate", 20_000, 50_000),
    Edit("rate, weaker", 20_000, 50_000),
    Edit("gap", 0, 200),
    Edit("pulses", 1, 2),
    Edit("recovery", 499, 520),
    Edit("recovery", 499, 480),
    Edit("recovery, weaker", 499, 520),
    Edit("recovery, weaker", 499, 480),
    Edit("recovery amplitude", 10_000, 11_000),
    Edit("recovery amplitude", 10_000, 9_000),
)


def is_weaker(t: PulseTrain, most: PulseTrain, step_ua: int = 0) -> bool:
    """In no way stronger, but for what a step of amplitude is to the level (H39; A.0 item 4)."""
    more = Fraction(most.amplitude_ua + step_ua, most.amplitude_ua)
    (charge, back), (most_charge, most_back) = charges_uc(t), charges_uc(most)
    return (
        t.amplitude_ua <= most.amplitude_ua * more
        and max(charge, back) <= max(most_charge, most_back) * more
        and squared_ma2(t) <= squared_ma2(most) * more**2
        and abs(charge - back) <= abs(most_charge - most_back) * more
        and t.interphase_gap_us <= most.interphase_gap_us
        and t.pulses_per_period <= most.pulses_per_period
        and t.rate_mhz * t.pulses_per_period <= most.rate_mhz * most.pulses_per_period * more
        and t.rate_mhz <= most.rate_mhz * more
        and Fraction(t.recovery_width_us, t.phase_width_us) <= Fraction(most.recovery_width_us, most.phase_width_us)
    )


def around(edit: Edit, step_ua: int = 0) -> Iterator[tuple[PulseTrain, bool]]:
    """Eleven trains around the edge, and whether each is weaker; those that no channel may have are left out."""
    inside, outside = edit.inside, edit.outside
    assert is_weaker(edit.at(inside), MIXED, step_ua)
    assert not is_weaker(edit.at(outside), MIXED, step_ua)
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if is_weaker(edit.at(middle), MIXED, step_ua) else (inside, middle)
    for step in STEPS:
        if inside + step >= 0 and not breaches(t := edit.at(inside + step), column("refuse", Channel()), Fraction(25)):
            yield t, is_weaker(t, MIXED, step_ua)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.name}-{edit.outside}")
def test_level(edit: Edit) -> None:
    """What is inside the level may still rise too fast; lowering to it is free."""
    for train, inside in around(edit):
        assert (said(at_level(placed(Channel()), MIXED), train) is Rule.LEVEL) is not inside, train
        rig = at_level(placed(Channel()), MIXED)
        if inside:
            rig.limiter.lower_level(0, train, rig.now_us)
            assert rig.limiter.level(0) == train
        else:
            with pytest.raises(Refusal, match=Rule.LEVEL):
                rig.limiter.lower_level(0, train, rig.now_us)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.name}-{edit.outside}")
def test_ceiling(edit: Edit) -> None:
    """Of a raise, of a command, and of what may be kept as a ceiling in the first place."""
    rig = Rig(placed(Channel()))
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, MIXED)
    rig.ramp_to(0, MIXED)
    for train, inside in around(edit):
        if inside:
            rig.limiter.set_ceiling(0, train, rig.now_us)
        else:
            with pytest.raises(Refusal, match=Rule.CEILING):
                rig.limiter.set_ceiling(0, train, rig.now_us)
    rig.limiter.set_ceiling(0, MIXED, rig.now_us)
    rig.send(ZERO)
    rig.limiter.open_treatment(rig.now_us)
    for train, inside in around(edit):
        assert (held(rig, train) is Rule.CEILING) is not inside, train
        assert (said(rig, train) is Rule.CEILING) is not inside, train
        rig.latch.clear()
        rig.limiter.open_treatment(rig.now_us)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.name}-{edit.outside}")
def test_one_step_in_whatever_way(edit: Edit) -> None:
    for train, inside in around(edit, 1_000):
        rig = at_level(placed(Channel()), MIXED)
        assert (held(rig, train) is Rule.TITRATION_STEP) is not inside, train


# --- plans and pads ---------------------------------------------------------------------------------------------------


def refused(place: Placement) -> Rule | None:
    try:
        Rig(place)
    except Refusal as refusal:
        return Rule(refusal.rule)
    return None


@of_files
@of_motors
def test_plans(channel: Channel, file: dict[str, int]) -> None:
    """Ramp, on-time and duty of a planned burst."""
    ramp_us, on_us = bound("ramp_up_min_us", channel, file), bound("on_time_us", channel, file)
    share = Fraction(bound("duty_permille", channel, file), 1_000)
    rest_us = ceil(7 * SECOND / share - 7 * SECOND)
    for step in STEPS:
        burst = PLAN._replace(ramp_up_us=ramp_us + step)
        assert refused(placed(channel, file, burst)) == (Rule.RAMP_UP if step < 0 else None)
        burst = PLAN._replace(hold_us=on_us - 4 * SECOND + step, rest_us=300 * SECOND)
        assert refused(placed(channel, file, burst)) == (Rule.ON_TIME if step > 0 else None)
        burst = PLAN._replace(rest_us=rest_us + step)
        assert refused(placed(channel, file, burst)) == (Rule.DUTY if step < 0 else None)
        burst = Burst(7 * SECOND + step, 0, 0, 300 * SECOND)  # a ramp as long as its burst is the longest
        assert refused(placed(channel, file, burst)) == (Rule.ON_TIME if 7 * SECOND + step > on_us else None)


def test_pad_area() -> None:
    least, most = single("PAD_AREA_MIN_UM2"), single("PAD_AREA_MAX_UM2")
    for step in STEPS:
        for area, inside in ((least + step, step >= 0), (most + step, step <= 0)):
            for on in ((Pad("a", area), Pad("b", 25 * 10**8)), (Pad("a", 25 * 10**8), Pad("b", area))):
                assert refused(placement(on=on)) == (None if inside else Rule.PAD_AREA)


@pytest.mark.parametrize("part", ["forearm", "shoulder"])
def test_small_pads(part: str) -> None:
    """Below 10 cm² of the smallest pad the thenar's bounds apply."""
    limit, row = single("SMALL_PAD_UM2"), BOUNDS["peak_ua"]
    for step in STEPS:
        for on in ((Pad("a", limit + step), Pad("b", 10**10)), (Pad("a", 10**10), Pad("b", limit + step))):
            limiter = Rig(placement(part=BodyPart(part), on=on)).limiter
            assert limiter.effective(0).peak_ua == row.listed("refuse", "thenar" if step < 0 else part) * 1_000


# --- pads that channels share ------------------------------------------------------------------------------------------


class Shared(NamedTuple):
    """A pad, the trains of all its users but the last, and what the last one has at ``x``."""

    rule: Rule
    cm2: Fraction
    others: tuple[PulseTrain, ...]
    last: PulseTrain
    file: dict[str, int] = {}  # noqa: RUF012

    def at(self, x: int) -> list[PulseTrain]:
        return [*self.others, scaled(self.last, x)]


TENS = symmetric(1_000, 200, 100_000)
DENSE = symmetric(1_000, 300, 150_000, pulses_per_period=2)
SHARED = (
    Shared(Rule.SHARED_PAD_PEAK, Fraction(25), (scaled(TENS, 29_999),), TENS),
    Shared(Rule.SHARED_PAD_PEAK, Fraction(25), (scaled(TENS, 9_999), scaled(DENSE, 7_001)), TENS),
    Shared(Rule.SHARED_PAD_CHARGE, Fraction(25), (symmetric(19_001, 499, 100_000),), symmetric(1, 500, 90_001)),
    Shared(Rule.SHARED_PAD_RMS, Fraction(45), (scaled(DENSE, 23_111),), DENSE),
    Shared(Rule.SHARED_PAD_RMS, Fraction(25), (scaled(TENS, 9_999),), DENSE, {"rms_ua": 9_001}),
    Shared(Rule.SHARED_PAD_DENSITY, Fraction(10), (scaled(DENSE, 9_011),), DENSE),
    Shared(Rule.SHARED_PAD_DENSITY, Fraction(25), (scaled(TENS, 9_999),), DENSE, {"power_density_uw_cm2": 1_001}),
    Shared(Rule.SHARED_PAD_DENSITY, Fraction(25), (scaled(TENS, 7_999), scaled(DENSE, 3_001)), DENSE,
           {"rms_density_ua_cm2": 333}),
)  # fmt: skip


def shared_breaches(shared: Shared, trains: list[PulseTrain]) -> set[str]:
    """Worst case: all pulses meet. Peak and charge of a file bound one output, its rms and densities the pad too."""
    channel, found = Channel(sensory=True, cm2=shared.cm2), set()
    rms_ma, cm2 = together_ma(trains), Decimal(shared.cm2.numerator) / shared.cm2.denominator
    file = {name: Fraction(us, in_code(BOUNDS[name].row["unit"], name)) for name, us in shared.file.items()}
    for bounds, factor, is_skin in (
        (column("absolute", channel), ACCURACY, True),
        (column("refuse", channel), Fraction(1), True),
        (file, Fraction(1), False),
    ):
        most = {name: Decimal(b.numerator) / b.denominator for name, b in bounds.items() if b is not None}
        ma = rms_ma * factor.numerator / factor.denominator
        sum_ma = Decimal(sum(t.amplitude_ua for t in trains)) / 1_000
        if is_skin and sum_ma > most["peak_ua"]:
            found.add("shared-pad-peak")
        if is_skin and sum(max(charges_uc(t)) for t in trains) > Fraction(bounds["charge_nc"] or 0) * 1_000:
            found.add("shared-pad-charge")
        if ma > most.get("rms_ua", Decimal("inf")):
            found.add("shared-pad-rms")
        over = ma > most.get("rms_density_ua_cm2", Decimal("inf")) * cm2
        if over or ma * ma * 500 / 10**6 > most.get("power_density_uw_cm2", Decimal("inf")) * cm2:
            found.add("shared-pad-density")
    return found


def users(shared: Shared, file: Limits) -> tuple[Placement, ...]:
    area = int(shared.cm2 * 10**8)
    return tuple(
        placement(number, effect=Effect.SENSORY, burst=None, protocol=file, site=f"site {number}",
                  on=(Pad("shared", area), *pads(45, f"own {number}")))
        for number in range(len(shared.others) + 1)
    )  # fmt: skip


@pytest.mark.parametrize("shared", SHARED, ids=lambda shared: f"{shared.rule}-{len(shared.others) + 1}")
def test_shared_pads(shared: Shared) -> None:
    """Judged by the pad itself, and by the door as a person raises the last channel beside the others."""
    rig = Rig(*users(shared, replace(ABSOLUTE, **shared.file)))
    ((pad, _),) = rig.limiter._shared
    inside, outside = 0, 200_000
    while outside - inside > 1:
        middle = (inside + outside) // 2
        inside, outside = (inside, middle) if shared_breaches(shared, shared.at(middle)) else (middle, outside)
    for step in STEPS:
        trains = shared.at(inside + step)
        expected, loads = shared_breaches(shared, trains), [strength(t) for t in trains]
        assert pad.allows(loads) is (not expected), step
        if expected:
            assert shared.rule in expected
            assert pad.finding(loads).rule in expected
        assert raised_beside(shared, trains) == (shared.rule if expected else None), step


def raised_beside(shared: Shared, trains: list[PulseTrain]) -> Rule | None:
    """The rule that holds the last raise, with every level put in place and a ceiling that is not in the way."""
    rig = Rig(*users(shared, replace(ABSOLUTE, **shared.file)))
    for number, train in enumerate(trains):
        state = rig.limiter._channels[number]
        state.ceiling = strength(scaled(train, 60_000))
    rig.limiter.open_treatment(rig.now_us)
    *others, last = trains
    for number, train in enumerate(others):
        rig.limiter._channels[number].set_level(train, strength(train))
    below = scaled(last, last.amplitude_ua - 1_000)
    rig.limiter._channels[len(others)].set_level(below, strength(below))
    return held(rig, last, len(others))


EDGES_OF_BOUNDS = {
    "on_time_us": "test_on_time",
    "duty_permille": "test_duty",
    "ramp_up_min_us": "test_ramp_rate",
    "site_time_us": "test_site_time",
    "step_ua": "test_titration_step",
    "step_interval_min_us": "test_titration_interval",
    "rise_ua_per_s": "test_titration_rise",
}
"""Which test probes a bound of the second table."""

EDGES_OF_RULES = {
    "clock": "test_clock",
    "pad-area": "test_pad_area",
    "on-time": "test_on_time",
    "duty": "test_duty",
    "ramp-up": "test_plans",
    "ramp-rate": "test_ramp_rate",
    "site-time": "test_site_time",
    "ceiling": "test_ceiling",
    "level": "test_level",
    "titration-step": "test_titration_step",
    "titration-rate": "test_titration_interval",
    "shared-pad-peak": "test_shared_pads",
    "shared-pad-charge": "test_shared_pads",
    "shared-pad-rms": "test_shared_pads",
    "shared-pad-density": "test_shared_pads",
}
"""Which test probes a rule."""
