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
from stimctl.pulse import Command, symmetric
from stimctl.safety import Approved, Latch, Rule
from tests.limiter_rig import Rig, command

ZERO = symmetric(0, 300, 35_000)


def permit(rig: Rig | None = None) -> Approved:
    return cast(Approved, (rig or Rig()).send(ZERO))


# --- the latch ----------------------------------------------------------------------------------------------------


def test_a_fresh_latch_is_clear() -> None:
    latch = Latch()
    assert (latch.epoch, latch.tripped, latch.reason) == (0, False, "")


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

    __slots__ = ("_seal", "command", "epoch", "latch")


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
    fake: Any = Pretender()
    fake._seal, fake.command, fake.epoch, fake.latch = object(), command(ZERO), 0, Latch()
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
    assert "Approved" in repr(permit())
    assert "None" in repr(object.__new__(Approved))
