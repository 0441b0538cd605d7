"""A stop makes everything before it void, from any thread; and a permit is nobody's to make."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.errors import OurBug, Refusal
from stimctl.limits import ABSOLUTE
from stimctl.pulse import Command, PulseTrain, symmetric
from stimctl.safety import Approved, Latch, Limiter, Rule
from tests.limiter_rig import Rig, command, placement

ZERO = symmetric(0, 300, 35_000)


def permit(rig: Rig | None = None) -> Approved:
    return cast(Approved, (rig or Rig()).send(ZERO))


# --- the latch ----------------------------------------------------------------------------------------------------


def test_a_fresh_latch_is_clear() -> None:
    latch = Latch()
    assert (latch.epoch, latch.tripped, latch.reason) == (0, False, "")
    assert (latch.serial, latch.limiters, latch.live_epoch()) == (0, 0, 0)
    latch.trip("stop")
    assert latch.live_epoch() == -1
    latch.clear()
    assert latch.live_epoch() == 1


def test_permits_are_numbered_one_by_one() -> None:
    rig = Rig()
    assert [permit(rig).serial for _ in range(3)] == [1, 2, 3]
    assert rig.latch.serial == 3


@given(st.lists(st.sampled_from(["trip", "clear"])))
def test_every_trip_is_a_new_epoch_and_clearing_is_none(acts: list[str]) -> None:
    latch, trips, since_clear = Latch(), 0, []
    for number, act in enumerate(acts):
        if act == "trip":
            trips += 1
            since_clear.append(f"stop {number}")
            latch.trip(since_clear[-1])
        else:
            since_clear = []
            latch.clear()
        assert (latch.epoch, latch.tripped) == (trips, bool(since_clear))
        assert latch.reason == (since_clear[0] if since_clear else "")  # what stopped it, not what came after


def test_no_trip_is_lost_between_threads() -> None:
    latch, start = Latch(), threading.Barrier(4)

    def trip() -> None:
        start.wait()
        for _ in range(2_000):
            latch.trip("stop")

    threads = [threading.Thread(target=trip) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert latch.epoch == 8_000
    assert latch.tripped


# --- what a stop does to a permit -----------------------------------------------------------------------------------


def test_a_permit_lives_until_the_stop_and_never_again() -> None:
    rig = Rig()
    approved = permit(rig)
    assert (approved.command, approved.epoch, approved.latch) == (command(ZERO), 0, rig.latch)
    assert approved.is_live()
    rig.latch.trip("stop key")
    assert not approved.is_live()
    rig.latch.clear()
    assert not approved.is_live()
    assert permit(rig).is_live()
    assert permit(rig).epoch == 1


# --- what locks and lowerings do to a permit ------------------------------------------------------------------------

STRONG, WEAK = symmetric(20_000, 250, 35_000), symmetric(5_000, 250, 35_000)


def delivering(train: PulseTrain = STRONG) -> tuple[Rig, Approved]:
    """In titration at ``train``, with the permit for it."""
    rig = Rig()
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, train)
    rig.ramp_to(0, train)
    return rig, cast(Approved, rig.send(train))


@pytest.mark.parametrize("zero_first", [True, False])
def test_a_lock_reaches_permits_in_anybodys_hands(zero_first: bool) -> None:
    rig, old = delivering()
    rig.limiter.set_ceiling(0, WEAK, rig.now_us)
    nothing = permit(rig) if zero_first else None
    rig.limiter.close()
    assert not old.is_live()
    assert nothing is None or nothing.is_live()  # it may wait in a driver, and must not be lost there
    permit(rig)
    rig.wait(60_000_000)
    rig.limiter.open_treatment(rig.now_us)
    assert not old.is_live()
    assert permit(rig).is_live()


@pytest.mark.parametrize("way", ["open_titration", "open_treatment", "forget_ceiling"])
def test_every_way_of_opening_anew_makes_earlier_output_void(way: str) -> None:
    rig, old = delivering()
    rig.limiter.set_ceiling(0, STRONG, rig.now_us)
    given = {"open_titration": (0, rig.now_us), "open_treatment": (rig.now_us,), "forget_ceiling": (0,)}[way]
    getattr(rig.limiter, way)(*given)
    assert not old.is_live()


def test_a_lowering_makes_void_what_it_forbids_and_nothing_else() -> None:
    rig, strong = delivering()
    rig.limiter.lower_level(0, symmetric(20_000, 250, 35_000), rig.now_us)
    assert strong.is_live()
    rig.limiter.lower_level(0, symmetric(19_999, 250, 35_000), rig.now_us)
    assert not strong.is_live()


def test_a_lowering_spares_the_newest_command_but_no_older_one() -> None:
    """A driver may hold the first permit for it, while the same command is approved again and not sent again."""
    rig, strong = delivering()
    rig.wait(50_000)
    first, again = (cast(Approved, rig.send(WEAK)) for _ in range(2))
    assert strong.is_live()
    rig.limiter.lower_level(0, symmetric(6_000, 250, 35_000), rig.now_us)
    assert (strong.is_live(), first.is_live(), again.is_live()) == (False, True, True)
    rig.limiter.lower_level(0, ZERO, rig.now_us)
    assert not first.is_live()
    assert not again.is_live()


def test_a_raise_that_takes_something_back_makes_void_what_it_forbids() -> None:
    """A milliamp more and a shorter pulse: what waits in a driver is wider than anybody now wishes."""
    rig, old = delivering()
    rig.wait(1_000_000)
    rig.limiter.raise_level(0, symmetric(21_000, 200, 35_000), rig.now_us)
    assert not old.is_live()
    rig, old = delivering()
    rig.wait(1_000_000)
    rig.limiter.raise_level(0, symmetric(21_000, 250, 35_000), rig.now_us)
    assert old.is_live()


@pytest.mark.parametrize("down", ["rate", "gap", "pulses"])
def test_a_lowering_reaches_what_was_weaker_in_all_other_ways(down: str) -> None:
    """Since then peak, charge and rms only rose; the rate, the gap or the pulses fell."""
    top = symmetric(10_000, 200, 40_000, interphase_gap_us=100)
    low, high = (
        symmetric(10_000, 100, 40_000, interphase_gap_us=100),
        symmetric(10_000, 200, 20_000, interphase_gap_us=100),
    )
    if down == "gap":
        low, high = symmetric(10_000, 100, 40_000, interphase_gap_us=100), symmetric(10_000, 200, 40_000)
    if down == "pulses":
        top = symmetric(10_000, 200, 40_000, pulses_per_period=2)
        low, high = symmetric(10_000, 100, 20_000, pulses_per_period=2), symmetric(10_000, 200, 40_000)
    rig = Rig()
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, top)
    rig.ramp_to(0, low, 2_000_000)
    rig.wait(900_000)
    first = cast(Approved, rig.send(low))
    for us in range(110, 200, 10):
        rig.wait(500_000)
        rig.send(symmetric(10_000, us, low.rate_mhz, interphase_gap_us=low.interphase_gap_us,
                           pulses_per_period=low.pulses_per_period))  # fmt: skip
    rig.wait(500_000)
    second = cast(Approved, rig.send(high))
    assert first.is_live()
    rig.limiter.lower_level(0, high, rig.now_us)
    assert (first.is_live(), second.is_live()) == (False, True)


def test_what_was_taken_back_never_lives_again() -> None:
    rig = Rig()
    permits = [permit(rig) for _ in range(5)]
    rig.latch.void()
    rig.latch.void(before=2)
    assert not any(each.is_live() for each in permits)
    assert permit(rig).is_live()


def limiter_on(latch: Latch) -> Limiter:
    return Limiter((placement(),), ABSOLUTE, latch, senses_impedance=True, now_us=0)


def test_the_last_limiter_on_a_latch_is_the_only_one() -> None:
    """Two would each count their own bursts, levels and site time."""
    latch = Latch()
    first = limiter_on(latch)
    old = first.approve(command(ZERO), 0)
    second = limiter_on(latch)
    assert not old.is_live()
    new = second.approve(command(ZERO), 0)
    wishes: tuple[Callable[[], None], ...] = (
        lambda: first.open_treatment(0),
        lambda: first.open_titration(0, 0),
        lambda: first.raise_level(0, WEAK, 0),
    )
    for wish in wishes:
        with pytest.raises(Refusal, match=Rule.SUPERSEDED):
            wish()
    first.close()  # the old one can do the new one neither good nor harm
    first.forget_ceiling(0)
    first.lower_level(0, ZERO, 0)
    assert new.is_live()
    assert not latch.tripped
    with pytest.raises(Refusal) as caught:
        first.approve(command(ZERO), 0)
    assert caught.value.rule == Rule.SUPERSEDED
    assert latch.tripped


def test_a_limiter_that_could_not_be_made_takes_nothing_over() -> None:
    latch = Latch()
    approved = limiter_on(latch).approve(command(ZERO), 0)
    with pytest.raises(Refusal):
        Limiter((), ABSOLUTE, latch, senses_impedance=True, now_us=0)
    assert approved.is_live()


# --- latches and threads --------------------------------------------------------------------------------------------


def test_a_permit_of_one_latch_is_not_live_for_another() -> None:
    one, other = Rig(), Rig()
    approved = permit(one)
    assert approved.latch is not other.latch
    one.latch.trip("stop")
    assert not approved.is_live()
    assert permit(other).is_live()


def test_a_stop_while_a_command_is_judged_makes_its_permit_void(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stop comes from a signal handler or thread in the middle of approve()."""
    rig = Rig()
    judge = type(rig.limiter)._judge

    def stopped_in_the_middle(self: Any, command: object, now_us: int) -> None:
        judge(self, command, now_us)
        rig.latch.trip("stop key")

    monkeypatch.setattr(type(rig.limiter), "_judge", stopped_in_the_middle)
    approved = permit(rig)
    assert not approved.is_live()
    rig.latch.clear()
    assert not approved.is_live()


def test_stops_from_another_thread_at_any_moment() -> None:
    """A storm of stops beside a storm of commands: no permit is live unless its epoch is the present one."""
    rig, done = Rig(), threading.Event()

    def storm() -> None:
        while not done.is_set():
            rig.latch.trip("stop key")

    thread = threading.Thread(target=storm)
    thread.start()
    minted: list[Approved] = []
    try:
        for _ in range(500):
            rig.latch.clear()
            try:
                minted.append(permit(rig))
            except Refusal as refusal:
                assert refusal.rule == Rule.LATCHED  # noqa: PT017 - any other refusal is raised by the next line
            rig.wait(1)
    finally:
        done.set()
        thread.join()
    rig.latch.trip("the last")
    rig.latch.clear()
    assert not any(approved.is_live() for approved in minted)
    assert permit(rig).is_live()


# --- forgery ----------------------------------------------------------------------------------------------------------


class Pretender:
    """The same slots as a permit, with an eye on its class."""

    __slots__ = ("_sealed",)


def by_constructor() -> Approved:
    return Approved(object(), command(ZERO), 0, Latch())


def by_empty_constructor() -> Approved:
    return Approved()


def by_subclass() -> Approved:
    return type("Mine", (Approved,), {})()  # type: ignore[no-any-return]


def by_pickle() -> Approved:
    return pickle.loads(pickle.dumps(permit()))  # type: ignore[no-any-return]


def by_replace() -> Approved:
    return copy.replace(permit(), epoch=9)  # type: ignore[attr-defined, no-any-return]


def by_blank() -> Approved:
    return object.__new__(Approved)


def by_class_assignment() -> Approved:
    """With the facts of a permit that is live."""
    fake: Any = Pretender()
    fake._sealed = permit()._sealed
    fake.__class__ = Approved
    return cast(Approved, fake)


def by_blank_and_state() -> Approved:
    fake = object.__new__(Approved)
    fake.__setstate__((None, {"command": command(ZERO)}))  # type: ignore[attr-defined]
    return fake


FORGERIES: list[Callable[[], Approved]] = [
    by_constructor,
    by_empty_constructor,
    by_subclass,
    lambda: copy.copy(permit()),
    lambda: copy.deepcopy(permit()),
    by_pickle,
    by_replace,
    by_blank,
    by_class_assignment,
    by_blank_and_state,
]


def test_why_not_is_said() -> None:
    approved = permit()
    for act, words in (
        (by_constructor, "only the limiter approves"),
        (lambda: setattr(approved, "epoch", 9), "what is approved does not change"),
        (lambda: delattr(approved, "epoch"), "what is approved does not change"),
        (lambda: copy.copy(approved), "a Approved is not copied"),
        (by_subclass, "Approved has no subclasses"),
    ):
        with pytest.raises(OurBug) as caught:
            act()
        assert str(caught.value) == words


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_permit_cannot_be_made_or_is_not_live(forge: Callable[[], Approved]) -> None:
    try:
        forged = forge()
    except (OurBug, TypeError, AttributeError):
        return
    assert not forged.is_live()


@pytest.mark.parametrize("name", ["command", "epoch", "latch", "_seal", "something"])
def test_a_permit_does_not_change(name: str) -> None:
    approved = permit()
    with pytest.raises(OurBug):
        setattr(approved, name, Command(()))
    with pytest.raises(OurBug):
        delattr(approved, name)
    assert approved.is_live()


def test_a_permit_has_no_room_for_more() -> None:
    assert not hasattr(permit(), "__dict__")
    assert repr(permit()) == f"<Approved {command(ZERO)} at epoch 0>"
    assert repr(object.__new__(Approved)) == "<Approved nothing>"
