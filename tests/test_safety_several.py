"""Two channels and more: what is kept of each, what is judged of all, and what one limiter leaves to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from stimctl.envelope.words import strength
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, Sensation
from stimctl.pulse import PulseTrain, symmetric
from stimctl.safety import Approved, Limiter, Pad, Rule
from stimctl.units import MINUTE, SECOND
from tests.limiter_rig import TENS, Rig, area, command, pads, placement, scaled, zero

TRAIN = symmetric(1_000, 200, 35_000)
ZERO = zero(TRAIN)
TWO = (placement(0), placement(1, on=pads(25, "c", "d"), site="hand"))
THREE = (*TWO, placement(2, on=pads(25, "e", "f"), site="hand"))


def treating(*places: Any, train: PulseTrain = TRAIN) -> Rig:
    rig = Rig(*places)
    rig.treat(*[train] * len(places))
    return rig


def permit(rig: Rig, *trains: PulseTrain) -> Approved:
    return cast(Approved, rig.send(*trains))


def rule_of(rig: Rig, *trains: PulseTrain) -> Rule:
    with pytest.raises(Refusal) as caught:
        rig.send(*trains)
    return Rule(caught.value.rule)


@pytest.mark.parametrize("on", [(TRAIN, ZERO), (ZERO, TRAIN), (TRAIN, TRAIN)])
def test_closing_with_any_channel_on_makes_all_output_void(on: tuple[PulseTrain, PulseTrain]) -> None:
    rig = treating(*TWO)
    old = permit(rig, *on)
    rig.limiter.close()
    assert not old.is_live()
    assert [rig.limiter.level(channel) for channel in (0, 1)] == [None, None]


@pytest.mark.parametrize("channel", [0, 1])
def test_silence_with_any_channel_on_latches(channel: int) -> None:
    rig = treating(*TWO)
    rig.send(*rig.others_zero(channel, TRAIN))
    rig.wait(SECOND + 1)
    assert rule_of(rig, ZERO, ZERO) == Rule.CLOCK


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_every_channel_has_its_own_burst(channel: int) -> None:
    """And its own rest behind it, also after a stop that nobody saw the end of."""
    rig = treating(*THREE)
    for _ in range(20):
        rig.send(*rig.others_zero(channel, TRAIN))
        rig.wait(SECOND)
    assert rule_of(rig, *rig.others_zero(channel, TRAIN)) == Rule.ON_TIME
    ready = [rig.limiter.ready_at_us(each) > rig.now_us for each in range(3)]
    assert ready == [each == channel for each in range(3)]


def test_a_stop_ends_the_burst_of_every_channel() -> None:
    rig = treating(*TWO)
    rig.send(TRAIN, TRAIN)
    rig.wait(500_000)
    rig.send(TRAIN, TRAIN)
    ready_us = rig.now_us + SECOND + SECOND  # 1.5 s on in all, and two thirds of it as rest
    rig.latch.trip("stop")
    assert [rig.limiter.ready_at_us(each) for each in (0, 1)] == [ready_us, ready_us]
    rig.latch.clear()
    rig.limiter.open_treatment(rig.now_us)
    assert [rig.limiter.level(each) for each in (0, 1)] == [None, None]


def test_in_titration_after_treatment_the_old_ceiling_is_in_nobodys_way() -> None:
    rig = treating(*TWO)
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, scaled(TRAIN, 5_000))
    rig.ramp_to(0, scaled(TRAIN, 5_000))
    rig.send(ZERO, ZERO)
    rig.limiter.close()
    rig.wait(SECOND)
    with pytest.raises(Refusal) as caught:  # closed is closed, before any ceiling is asked
        rig.limiter.raise_level(1, scaled(TRAIN, 1_001), rig.now_us)
    assert caught.value.rule == Rule.LOCKED


def test_time_goes_on_at_every_site_and_in_every_call() -> None:
    rig = treating(*THREE)
    before = rig.limiter.site_times_us()
    rig.send(TRAIN, TRAIN, TRAIN)
    rig.wait(SECOND)
    rig.limiter.lower_level(0, ZERO, rig.now_us)  # does not look at the clock
    assert rig.limiter.site_times_us() == before
    rig.limiter.raise_level(1, TRAIN, rig.now_us)  # does
    assert {site: us - before[site] for site, us in rig.limiter.site_times_us().items()} == dict.fromkeys(
        before, SECOND
    )


# --- pads in common ----------------------------------------------------------------------------------------------------

STRONG = symmetric(1_000, 100, 100_000)


def chain() -> tuple[Any, ...]:
    """Channels 0 and 1 on one pad, 1 and 2 on another."""
    names = (("s", "a"), ("s", "t"), ("t", "b"))
    return tuple(
        TENS._replace(channel=n, site=f"site {n}", pads=tuple(Pad(name, area(25)) for name in each))
        for n, each in enumerate(names)
    )


@pytest.mark.parametrize(("levels", "pad"), [((31, 30, 1), "s"), ((1, 30, 31), "t"), ((30, 30, 30), None)])
def test_every_pad_in_common_is_judged(levels: tuple[int, int, int], pad: str | None) -> None:
    """60 mA together on each; a raise is held, and a command that got there all the same is refused."""
    rig = Rig(*chain())
    rig.treat(*[scaled(STRONG, ma * 1_000) for ma in levels]) if pad is None else rig.treat(
        *[scaled(STRONG, 1_000)] * 3
    )
    last = 0 if pad == "s" else 2
    for number, ma in enumerate(levels):
        state, train = rig.limiter._channels[number], scaled(STRONG, ma * 1_000)
        state.ceiling = strength(scaled(STRONG, 60_000))
        below = scaled(STRONG, (ma - 1) * 1_000) if number == last and ma > 1 else train
        state.set_level(below, strength(below))
    rig.wait(SECOND)
    raised = scaled(STRONG, levels[last] * 1_000)
    if pad is None:
        rig.limiter.raise_level(last, raised, rig.now_us)
        return
    with pytest.raises(Refusal) as caught:
        rig.limiter.raise_level(last, raised, rig.now_us)
    assert caught.value.bound_from == f"profile forearm, pad {pad}"
    for number, ma in enumerate(levels):
        state = rig.limiter._channels[number]
        state.set_level(scaled(STRONG, ma * 1_000), strength(scaled(STRONG, ma * 1_000)))
    for tick in range(1, 98):
        rig.wait(20_000)
        rig.send(*(scaled(STRONG, ma * 10 * tick) for ma in levels))
    rig.wait(SECOND)
    with pytest.raises(Refusal) as caught:
        rig.send(*(scaled(STRONG, ma * 1_000) for ma in levels))
    assert (caught.value.rule, caught.value.bound_from) == (Rule.SHARED_PAD_PEAK, f"profile forearm, pad {pad}")


@pytest.mark.parametrize("whose", ["board", "protocol"])
def test_what_a_board_or_a_file_allows_one_output_is_no_bound_of_a_pad(whose: str) -> None:
    """20 mA and 2 µC for each output: on the pad in common twice that."""
    narrow = replace(ABSOLUTE, peak_ua=20_000, charge_nc=2_000)
    names = (("s", "a"), ("s", "b"))
    two = tuple(
        TENS._replace(channel=n, site=f"site {n}", protocol=narrow if whose == "protocol" else ABSOLUTE,
                      pads=tuple(Pad(name, area(25)) for name in each))
        for n, each in enumerate(names)
    )  # fmt: skip
    rig, top = Rig(*two, board=narrow if whose == "board" else ABSOLUTE), scaled(STRONG, 20_000)
    rig.treat(top, top)
    assert [rig.limiter.level(n) for n in (0, 1)] == [top, top]


def test_what_is_felt_and_what_the_board_senses_narrow_a_channel() -> None:
    assert Rig(placement(sensation=Sensation.REDUCED)).limiter.effective(0).peak_ua == 40_000
    assert Rig(senses_impedance=False).limiter.effective(0).rms_density_ua_cm2 == 750


def test_a_fresh_channel_has_no_ceiling() -> None:
    assert Rig().limiter.ceiling(0) is None


# --- one limiter after another -----------------------------------------------------------------------------------------


def test_what_the_old_limiter_does_leaves_the_new_ones_permits_alone() -> None:
    """The old one had output on, so that closing it would take everything back."""
    rig = treating(placement())
    rig.send(TRAIN)
    new = Limiter(rig.placements, ABSOLUTE, rig.latch, senses_impedance=True, now_us=rig.now_us)
    approved = new.approve(command(ZERO), rig.now_us)
    rig.limiter.close()
    rig.limiter.lower_level(0, ZERO, rig.now_us)
    rig.limiter.forget_ceiling(0)
    assert approved.is_live()
    assert not rig.latch.tripped


def test_the_first_permit_of_a_limiter_stays_live_through_a_lock() -> None:
    """Whichever limiter on the latch it is, and whether or not there were permits before."""
    rig = Rig()
    first = permit(rig, ZERO)
    rig.limiter.close()
    assert first.is_live()
    for _ in range(3):
        permit(rig, ZERO)
    new = Limiter(rig.placements, ABSOLUTE, rig.latch, senses_impedance=True, now_us=rig.now_us)
    assert not first.is_live()
    again = new.approve(command(ZERO), rig.now_us)
    new.close()
    assert again.is_live()


def test_a_train_without_amplitude_stands_for_its_shape() -> None:
    """Nothing at all where the board or the file allows nothing."""
    for file, highest in ((replace(ABSOLUTE, peak_ua=7), 7), (replace(ABSOLUTE, peak_ua=0), 0)):
        rig = Rig(placement(protocol=file))
        for train in (ZERO, TRAIN, scaled(TRAIN, 1)):
            assert rig.limiter.amplitude_ceiling_ua(0, train) == highest


def test_every_time_spent_is_looked_at_and_none_is_a_time_too() -> None:
    assert Rig().limiter.site_times_us() == {"forearm-dorsal": 0}
    assert Rig(spent={"a": 0, "b": 1}).limiter.site_times_us() == {"a": 0, "b": 1, "forearm-dorsal": 0}
    for spent in ({"a": 1, "b": -1}, {"a": -1, "b": 1}):
        with pytest.raises(Refusal, match=Rule.TYPE):
            Rig(spent=spent)


def test_a_fresh_limiter_is_ready_from_the_beginning() -> None:
    assert Rig().limiter.ready_at_us(0) == 0


def test_time_spent_elsewhere_today_is_nobodys_here() -> None:
    rig = Rig(spent={"shoulder": 60 * MINUTE})
    assert rig.limiter.site_time_us("shoulder") == 60 * MINUTE
    assert rig.limiter.site_time_us("nowhere") == 0
