"""What an outside engineer would try on the limiter: values that lie, permits that were tampered with, doubles, re-entry.

Nothing here may end with output that was not judged: a command is refused and latches, or the permit is not live.
"""

from __future__ import annotations

import copy
import gc
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import pytest

from stimctl.errors import OurBug, Refusal
from stimctl.limits import ABSOLUTE, PROFILES, WARN, BodyPart, Effect, Limits, Sensation
from stimctl.pulse import Command, Output, PulseTrain, symmetric
from stimctl.safety import Approved, Latch, Limiter, Pad, Rule
from stimctl.units import SECOND
from tests.limiter_rig import BURST, PADS, TENS, Rig, command, pads, placement, scaled, zero

TRAIN = symmetric(10_000, 250, 35_000)
ZERO = zero(TRAIN)
HUGE = 10**5_000  # more digits than Python will print


class Liar(int):
    """An integer that says yes to every comparison."""

    def __lt__(self, other: object) -> bool:
        return True

    __le__ = __gt__ = __ge__ = __eq__ = __lt__

    def __hash__(self) -> int:
        return int.__hash__(self)

    def __index__(self) -> int:
        return 1

    __int__ = __index__

    def __mul__(self, other: object) -> int:
        return 0

    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__


class Index:
    """No integer, but it can be used as one."""

    def __index__(self) -> int:
        return 1


WRONG: list[Any] = [
    True, False, 1.0, float("nan"), float("inf"), -0.0, 1j, "1", b"1", None, (), [], Decimal(1), Decimal("NaN"),
    Fraction(1), Liar(60_001), Index(), object, np.int64(1), np.uint16(1), np.bool_(True), np.float64(1), np.array(1),
    np.array([1]), Sensation.NORMAL, Rule.PEAK,
]  # fmt: skip


def ident(value: object) -> str:
    return f"{type(value).__name__}"


def lie(thing: Any, **changed: Any) -> Any:
    """A copy with values that no type checker would let through."""
    return replace(thing, **changed)


def write(thing: object, name: str, value: object) -> None:
    """What frozen means to somebody who does not care."""
    object.__setattr__(thing, name, value)


def delivering(train: PulseTrain = TRAIN) -> tuple[Rig, Approved]:
    """In titration at ``train``, with a live permit for it."""
    rig = Rig()
    rig.limiter.open_titration(0, rig.now_us)
    rig.raise_to(0, train)
    rig.ramp_to(0, train)
    return rig, cast(Approved, rig.send(train))


def refused(rig: Rig, wrong: Any) -> Refusal:
    """A command that is refused, and latches."""
    with pytest.raises(Refusal) as caught:
        rig.limiter.approve(wrong, rig.now_us)
    assert rig.latch.tripped
    return caught.value


# --- values that are not what they seem -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [field.name for field in fields(PulseTrain)])
def test_no_field_of_a_train_takes_anything_but_an_integer(name: str) -> None:
    rig, old = delivering()
    for wrong in WRONG:
        assert refused(Rig(), command(lie(TRAIN, **{name: wrong}))).rule == Rule.TYPE
        for act in (rig.limiter.lower_level, rig.limiter.raise_level):
            with pytest.raises(Refusal) as caught:
                act(0, lie(TRAIN, **{name: wrong}), rig.now_us)
            assert caught.value.rule == Rule.TYPE
            assert rig.limiter.level(0) == TRAIN
            assert old.is_live()


@pytest.mark.parametrize("name", [field.name for field in fields(PulseTrain)])
def test_no_integer_is_too_large_to_be_refused(name: str) -> None:
    for value in (-1, -HUGE, HUGE, 2**63, 2**64, 2**31, 2**16, sys.maxsize + 1):
        rig = Rig()
        refusal = refused(rig, command(lie(TRAIN, **{name: value})))
        assert refusal.rule not in (Rule.LOCKED, Rule.FAULT)
        assert str(refusal)
        rig, old = delivering()
        with pytest.raises(Refusal):
            rig.limiter.raise_level(0, lie(TRAIN, **{name: value}), rig.now_us)
        assert old.is_live()
        assert rig.limiter.amplitude_ceiling_ua(0, lie(TRAIN, **{name: value})) >= 0


def test_no_channel_is_found_but_by_its_number() -> None:
    for channel in (*WRONG, -1, 1, HUGE):
        rig, _ = delivering()
        assert refused(rig, Command((Output(channel, TRAIN),))).rule == Rule.UNKNOWN_CHANNEL
        with pytest.raises(Refusal, match=Rule.UNKNOWN_CHANNEL):
            rig.limiter.effective(channel)


def test_no_time_is_taken_but_an_integer_that_does_not_fall() -> None:
    for now in (*WRONG, -HUGE, -1):
        rig, old = delivering()
        with pytest.raises(Refusal) as caught:
            rig.limiter.approve(command(TRAIN), now)
        assert caught.value.rule == Rule.CLOCK
        assert rig.latch.tripped
        assert not old.is_live()


def test_time_may_stand_still_and_may_be_huge_and_gives_nothing_away() -> None:
    rig, _ = delivering()
    for _ in range(50):  # no credit for asking often
        assert rig.send(TRAIN)
    with pytest.raises(Refusal):
        rig.limiter.approve(command(TRAIN), HUGE)
    rig.latch.clear()
    with pytest.raises(Refusal, match=Rule.CLOCK):  # and no way back from there
        rig.limiter.approve(command(ZERO), rig.now_us)
    rig.latch.clear()
    rig.limiter.approve(command(ZERO), HUGE)
    rig.limiter.open_titration(0, HUGE)
    with pytest.raises(Refusal, match=Rule.LEVEL):
        rig.limiter.approve(command(scaled(TRAIN, 1)), HUGE)


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_no_bound_is_taken_but_a_whole_number(name: str) -> None:
    for wrong in (*WRONG, -1):
        for kind in ("board", "protocol"):
            limits = lie(ABSOLUTE, **{name: wrong})
            with pytest.raises(Refusal) as caught:
                Rig(placement(protocol=limits if kind == "protocol" else ABSOLUTE),
                    board=limits if kind == "board" else ABSOLUTE)  # fmt: skip
            assert (caught.value.rule, caught.value.unit) == (Rule.TYPE, name)


def test_no_limits_without_their_bounds_and_of_no_other_kind() -> None:
    class Wide(Limits):  # type: ignore[misc]
        pass

    for wrong in (object.__new__(Limits), Wide(*[10**9] * 21), tuple(range(21)), None):
        with pytest.raises(Refusal, match=Rule.TYPE):
            Rig(placement(), board=wrong)  # type: ignore[arg-type]


def test_limits_that_are_written_to_later_change_nothing() -> None:
    board, file = replace(ABSOLUTE, peak_ua=5_000), replace(ABSOLUTE, charge_nc=2_000)
    rig = Rig(placement(protocol=file), board=board)
    write(board, "peak_ua", 10**9)
    write(file, "charge_nc", 10**9)
    assert (rig.limiter.effective(0).peak_ua, rig.limiter.effective(0).charge_nc) == (5_000, 2_000)
    refused(rig, command(symmetric(5_001, 250, 35_000)))
    rig.latch.clear()
    refused(rig, command(symmetric(5_000, 401, 35_000)))
    rig.latch.clear()
    assert refused(rig, command(symmetric(5_000, 400, 35_000))).rule == Rule.LOCKED


def test_the_tables_cannot_be_exchanged() -> None:
    for table in (PROFILES, WARN):
        assert type(table) is MappingProxyType
        with pytest.raises(TypeError):
            table[BodyPart.FOREARM] = ABSOLUTE  # type: ignore[index]


# --- members of an enum that are none ---------------------------------------------------------------------------------


def counterfeit(kind: Any, like: Any) -> Any:
    """An object of the enum's own class that is none of its members."""
    fake = str.__new__(kind, str(like))
    fake._name_, fake._value_ = like.name, like.value
    return fake


@pytest.mark.parametrize(
    ("field", "like"),
    [
        ("part", BodyPart.SHOULDER),
        ("effect", Effect.MOTOR),
        ("effect", Effect.SENSORY),
        ("sensation", Sensation.ABSENT),
    ],
)
def test_a_counterfeit_member_is_refused(field: str, like: Any) -> None:
    """It is equal to the real one and of its class, and every question "is it this one?" passes it over."""
    fake = counterfeit(type(like), like)
    assert (type(fake), fake, fake is like) == (type(like), like, False)
    with pytest.raises(Refusal, match=Rule.TYPE):
        Rig(placement()._replace(**{field: fake}))


@pytest.mark.parametrize("field", ["part", "effect", "sensation"])
@pytest.mark.parametrize("wrong", ["forearm", "motor", "normal", 0, None, Rule.PEAK, BodyPart, Effect], ids=str)
def test_what_is_no_member_is_refused(field: str, wrong: Any) -> None:
    with pytest.raises(Refusal, match=Rule.TYPE):
        Rig(placement()._replace(**{field: wrong}))


# --- containers that change ----------------------------------------------------------------------------------------------


class Shifty(tuple[Output, ...]):
    """A tuple that shows something else the second time."""

    __slots__ = ()
    shown: list[tuple[Output, ...]] = []  # noqa: RUF012

    def __iter__(self) -> Iterator[Output]:
        return iter(self.shown.pop(0) if self.shown else super())  # type: ignore[arg-type]


class ShiftyList(list[Output]):
    """The same of a list."""


def generator() -> Iterator[Output]:
    yield Output(0, ZERO)


@pytest.mark.parametrize(
    "outputs",
    [Shifty((Output(0, ZERO),)), ShiftyList([Output(0, ZERO)]), [Output(0, ZERO)], generator(), {Output(0, ZERO)},
     {0: ZERO}, "0", np.array([0])],
    ids=ident,
)  # fmt: skip
def test_only_a_tuple_lists_outputs(outputs: Any) -> None:
    assert refused(Rig(), Command(outputs)).rule == Rule.TYPE


@pytest.mark.parametrize("kind", [Command, Output, PulseTrain])
def test_no_subclass_of_what_is_judged(kind: Any) -> None:
    double = type("Double", (kind,), {"__slots__": ()})
    output = double(0, ZERO) if kind is Output else Output(0, double(*[0] * 7) if kind is PulseTrain else ZERO)
    wrong = double((output,)) if kind is Command else Command((output,))
    assert refused(Rig(), wrong).rule == Rule.TYPE


@pytest.mark.parametrize("wrong", [MappingProxyType({}), type("D", (dict,), {})(), [], (), 0, False, ""], ids=ident)
def test_time_spent_is_a_dictionary_or_none_at_all(wrong: Any) -> None:
    """Empty ones are not passed over."""
    with pytest.raises(Refusal, match=Rule.TYPE):
        Rig(spent=wrong)


def test_no_subclass_of_a_tuple_lists_placements() -> None:
    with pytest.raises(Refusal, match=Rule.TYPE):
        Limiter(type("T", (tuple,), {})((placement(),)), ABSOLUTE, Latch(), senses_impedance=True, now_us=0)


# --- a command that is written to after it was approved -----------------------------------------------------------------


def louder(approved: Approved) -> None:
    write(approved.command.outputs[0].train, "amplitude_ua", 99_000)


def wider(approved: Approved) -> None:
    write(approved.command.outputs[0].train, "phase_width_us", 500)


def lying(approved: Approved) -> None:
    write(approved.command.outputs[0].train, "amplitude_ua", Liar(99_000))


def other_train(approved: Approved) -> None:
    write(approved.command.outputs[0], "train", symmetric(99_000, 500, 50_000))


def no_train(approved: Approved) -> None:
    write(approved.command.outputs[0], "train", None)


def other_channel(approved: Approved) -> None:
    write(approved.command.outputs[0], "channel", 1)


def other_outputs(approved: Approved) -> None:
    write(approved.command, "outputs", (Output(0, symmetric(99_000, 500, 50_000)),))


def more_outputs(approved: Approved) -> None:
    write(approved.command, "outputs", (*approved.command.outputs, Output(1, symmetric(99_000, 500, 50_000))))


def same_outputs_in_a_list(approved: Approved) -> None:
    write(approved.command, "outputs", [*approved.command.outputs])


def no_outputs(approved: Approved) -> None:
    write(approved.command, "outputs", None)


def blank_outputs(approved: Approved) -> None:
    object.__delattr__(approved.command, "outputs")


TAMPERINGS = [louder, wider, lying, other_train, no_train, other_channel, other_outputs, more_outputs,
              same_outputs_in_a_list, no_outputs, blank_outputs]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_a_command_that_was_written_to_is_no_longer_approved(tamper: Callable[[Approved], None]) -> None:
    train = replace(TRAIN)  # its own, as this test spoils it
    rig, _ = delivering(train)
    approved = rig.limiter.approve(Command((Output(0, replace(TRAIN)),)), rig.now_us)
    assert approved.is_live()
    tamper(approved)
    assert approved.is_live() is False
    assert rig.send(TRAIN).is_live()  # type: ignore[attr-defined]


@pytest.mark.parametrize("field", [field.name for field in fields(PulseTrain)])
def test_every_number_of_every_output_is_bound_to_the_permit(field: str) -> None:
    two = Rig(placement(0), placement(1, on=pads(25, "c", "d")))
    trains = [replace(ZERO), replace(ZERO)]
    approved = cast(Approved, two.send(*trains))
    assert approved.is_live()
    write(trains[1], field, 12_345)
    assert not approved.is_live()


# --- permits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["command", "epoch", "latch", "serial", "is_live", "anything"])
def test_nothing_of_a_permit_can_be_exchanged(name: str) -> None:
    _, approved = delivering()
    for act in (write, setattr):
        with pytest.raises((AttributeError, OurBug)):
            act(approved, name, 99)
    assert approved.is_live()


def moved(approved: Approved) -> Approved:
    """The sealed facts of a live permit on an object of somebody's own."""
    fake = object.__new__(Approved)
    write(fake, "_sealed", approved._sealed)
    return fake


def with_another_command(approved: Approved) -> Approved:
    sealed = list(approved._sealed)
    sealed[2] = Command((Output(0, symmetric(99_000, 500, 50_000)),))
    fake = object.__new__(Approved)
    write(fake, "_sealed", tuple(sealed))
    return fake


def with_a_list(approved: Approved) -> Approved:
    fake = object.__new__(Approved)
    write(fake, "_sealed", list(approved._sealed))
    return fake


def with_another_seal(approved: Approved) -> Approved:
    fake = object.__new__(Approved)
    write(fake, "_sealed", (object(), id(fake), *approved._sealed[2:]))
    return fake


@pytest.mark.parametrize("forge", [moved, with_another_command, with_a_list, with_another_seal])
def test_the_facts_of_a_permit_are_worth_nothing_elsewhere(forge: Callable[[Approved], Approved]) -> None:
    _, approved = delivering()
    assert not forge(approved).is_live()
    assert approved.is_live()


def test_a_permit_whose_epoch_or_number_is_raised_stays_void() -> None:
    rig, approved = delivering()
    rig.limiter.lower_level(0, ZERO, rig.now_us)
    for name in ("serial", "epoch"):
        with pytest.raises((AttributeError, OurBug)):
            write(approved, name, 10**9)
    assert not approved.is_live()


def test_what_the_collector_knows_makes_no_permit() -> None:
    """The sealed tuple can be found from outside; it is bound to its own permit."""
    _, approved = delivering()
    (sealed,) = (each for each in gc.get_referents(approved) if type(each) is tuple)
    with pytest.raises(TypeError):
        sealed[4] = 99  # type: ignore[index]
    fake = object.__new__(Approved)
    write(fake, "_sealed", sealed)
    assert not fake.is_live()


def double(thing: Any) -> list[Callable[[], object]]:
    """Every ordinary way to make a second one."""
    ways: list[Callable[[], object]] = [
        lambda: copy.copy(thing),
        lambda: copy.deepcopy(thing),
        lambda: copy.deepcopy([thing]),
        lambda: thing.__reduce_ex__(2),
        lambda: type("Mine", (type(thing),), {}),
        lambda: type("Mine", (type(thing),), {"__slots__": ()}),
    ]
    return ways + [lambda protocol=p: pickle.dumps(thing, protocol) for p in range(pickle.HIGHEST_PROTOCOL + 1)]


@pytest.mark.parametrize("way", range(len(double(None))))
@pytest.mark.parametrize("what", ["permit", "limiter", "latch"])
def test_there_is_one_of_each(what: str, way: int) -> None:
    """A copied limiter would count its own raises and bursts; no stop would reach a copied latch."""
    rig, approved = delivering()
    thing = {"permit": approved, "limiter": rig.limiter, "latch": rig.latch}[what]
    with pytest.raises(OurBug, match=r"copied|subclasses"):
        double(thing)[way]()
    assert approved.is_live()


class Silent:
    """Swallows the hook by which a class hears of its subclasses."""

    def __init_subclass__(cls) -> None:
        pass


def test_a_subclass_by_the_back_door_is_of_no_use() -> None:
    mine: Any = type("Mine", (Silent, Limiter), {"_judge": lambda *_: None})
    with pytest.raises(OurBug, match=r"^Limiter has no subclasses$"):
        mine((placement(),), ABSOLUTE, Latch(), senses_impedance=True, now_us=0)
    latch: Any = type("Deaf", (Silent, Latch), {"trip": lambda *_: None})
    with pytest.raises(Refusal, match=Rule.TYPE):
        Limiter((placement(),), ABSOLUTE, latch(), senses_impedance=True, now_us=0)
    permit: Any = type("Forever", (Silent, Approved), {"is_live": lambda _: True})
    assert type(object.__new__(permit)) is not Approved  # a driver asks for exactly that


@pytest.mark.parametrize("name", ["_judge", "approve", "raise_level", "new_attribute"])
def test_no_method_of_a_limiter_can_be_put_in_its_place(name: str) -> None:
    limiter = Rig().limiter
    with pytest.raises(AttributeError):
        setattr(limiter, name, lambda *_: None)
    with pytest.raises(AttributeError):
        write(limiter, name, lambda *_: None)


# --- another limiter ---------------------------------------------------------------------------------------------------


def test_a_limiter_of_another_latch_opens_nothing_here() -> None:
    rig, approved = delivering()
    other, theirs = delivering()
    rig.latch.trip("stop")
    assert not approved.is_live()
    assert theirs.is_live()  # of its own latch, which a driver compares with its own
    assert theirs.latch is other.latch
    other.latch.trip("stop")
    assert not theirs.is_live()


def test_a_new_limiter_on_the_latch_begins_locked_and_voids_all() -> None:
    rig, approved = delivering()
    new = Limiter(rig.placements, ABSOLUTE, rig.latch, senses_impedance=True, now_us=rig.now_us)
    assert not approved.is_live()
    assert new.level(0) is None
    with pytest.raises(Refusal, match=Rule.LOCKED):
        new.approve(command(scaled(TRAIN, 1)), rig.now_us)


def test_a_limiter_that_was_closed_gives_nothing_until_it_is_opened_anew() -> None:
    rig, approved = delivering()
    rig.send(ZERO)
    rig.limiter.close()
    assert not approved.is_live()
    for act in (rig.limiter.raise_level, rig.limiter.set_ceiling):
        with pytest.raises(Refusal, match=Rule.LOCKED):
            act(0, scaled(TRAIN, 1_000), rig.now_us + 10 * SECOND)
    assert not rig.latch.tripped
    rig.wait(11 * SECOND)
    rig.send(ZERO)
    assert refused(rig, command(scaled(TRAIN, 1))).rule == Rule.LOCKED


# --- foreign code in the middle -----------------------------------------------------------------------------------------


class Meddler:
    """A value that acts when it is shown, compared or hashed."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.acted = 0

    def __repr__(self) -> str:
        self.acted += 1
        if self.acted < 3:
            self.act()
        return "meddler"

    __str__ = __repr__


def wrongs(meddler: object) -> list[Any]:
    return [meddler, Command(meddler), Command((meddler,)), Command((Output(meddler, ZERO),)),  # type: ignore[arg-type]
            Command((Output(0, meddler),)), command(lie(TRAIN, amplitude_ua=meddler))]  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("which", range(6))
def test_to_approve_from_within_a_refusal_gains_nothing(which: int) -> None:
    rig, _ = delivering()
    inner: list[Approved] = []
    meddler = Meddler(lambda: inner.append(rig.limiter.approve(command(TRAIN), rig.now_us)))
    refused(rig, wrongs(meddler)[which])
    assert not any(each.is_live() for each in inner)
    assert rig.limiter.level(0) is None


@pytest.mark.parametrize("which", range(6))
def test_to_raise_from_within_a_refusal_gains_nothing(which: int) -> None:
    rig, _ = delivering()
    rig.wait(SECOND)
    meddler = Meddler(lambda: rig.limiter.raise_level(0, scaled(TRAIN, 11_000), rig.now_us))
    refused(rig, wrongs(meddler)[which])
    assert rig.limiter.level(0) is None
    rig.latch.clear()
    assert refused(rig, command(scaled(TRAIN, 1))).rule == Rule.LOCKED


class Unspeakable(Exception):
    """An error that cannot be shown either."""

    def __repr__(self) -> str:
        raise Unspeakable

    __str__ = __repr__


def explode(error: type[BaseException]) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("error", [Unspeakable, RecursionError, MemoryError, Refusal, OurBug])
def test_whatever_cannot_be_shown_is_refused_and_latches(which: int, error: type[Exception]) -> None:
    rig, old = delivering()
    assert str(refused(rig, wrongs(Meddler(explode(error)))[which]))
    assert not old.is_live()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_in_the_middle_latches_and_goes_on_its_way(error: type[BaseException]) -> None:
    rig, old = delivering()
    with pytest.raises(error):
        rig.limiter.approve(wrongs(Meddler(explode(error)))[4], rig.now_us)
    assert rig.latch.tripped
    assert error.__name__ in rig.latch.reason
    assert not old.is_live()


def test_a_fault_of_our_own_names_itself_and_latches(monkeypatch: pytest.MonkeyPatch) -> None:
    rig, old = delivering()
    monkeypatch.setattr(type(rig.limiter._channels[0]), "measure", lambda *_: explode(Unspeakable)())
    refusal = refused(rig, command(TRAIN))
    assert (refusal.rule, refusal.value, refusal.bound) == (Rule.FAULT, "Unspeakable", "a judgement")
    assert rig.latch.reason == "limiter fault: Unspeakable"
    assert isinstance(refusal.__cause__, Unspeakable)
    assert not old.is_live()


# --- placements that lie --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["channel", "part", "effect", "sensation", "pads", "site", "protocol", "burst"])
def test_no_part_of_a_placement_takes_anything_else(field: str) -> None:
    for wrong in (each for each in WRONG if each is not None):
        if (field == "site" and type(wrong) is str) or (field == "sensation" and wrong is Sensation.NORMAL):
            continue  # that is one
        with pytest.raises(Refusal):
            Rig(placement()._replace(**{field: wrong}))


@pytest.mark.parametrize("field", BURST._fields)
def test_no_part_of_a_plan_takes_anything_else(field: str) -> None:
    for wrong in (*WRONG, -1):
        for place in (placement(), TENS):
            with pytest.raises(Refusal):
                Rig(place._replace(burst=BURST._replace(**{field: wrong})))


def test_no_part_of_a_pad_takes_anything_else() -> None:
    for wrong in (each for each in WRONG if type(each) is not str):
        for pad in (Pad(wrong, PADS[0].area_um2), Pad("a", wrong), wrong, ("a", PADS[0].area_um2)):
            with pytest.raises(Refusal):
                Rig(placement(on=(pad, PADS[1])))  # type: ignore[arg-type]
