"""Every bound of one train, dense around its edge: five steps of every input that moves it, in every column.

The edges are worked out by :mod:`tests.limits_oracle` from the second table; a row that nothing here or in
``test_safety_edges_memory`` probes is a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.envelope.placing import sources
from stimctl.envelope.review import warn_source
from stimctl.envelope.rules import Gate, Source
from stimctl.envelope.words import strength
from stimctl.errors import Refusal
from stimctl.limits import ABSOLUTE, BodyPart, Effect, Limits, Sensation
from stimctl.pulse import PulseTrain, symmetric
from stimctl.safety import Pad, Placement, Rule
from tests import test_safety_edges_memory as memory
from tests.limiter_rig import BURST, Rig, placement
from tests.limits_oracle import RULE_OF, always, breaches, column
from tests.limits_table import BOUNDS, PARTS, Channel, in_code
from tests.test_safety_rules import LOOSE

STEPS = range(-5, 6)
OPEN = replace(LOOSE, net_charge_permille=10**12)
AREAS = (Fraction(2), Fraction(999_999_999, 10**8), Fraction(10), Fraction(25))
CHANNELS = [
    Channel(part, sensory=sensory, cm2=cm2, reduced=reduced, blind=blind)
    for part in PARTS
    for sensory in (False, True)
    for cm2 in AREAS
    for reduced in (False, True)
    for blind in (False, True)
]


class Knob(NamedTuple):
    """One input of a train: the train at ``x``, and two values with the edge between them."""

    name: str
    at: Callable[[int], PulseTrain]
    inside: int
    outside: int


def pulse(**changed: int) -> PulseTrain:
    return replace(symmetric(1_000, 300, 35_000), **changed)  # type: ignore[arg-type]


def both(ua: int, us: int, mhz: int, pulses: int = 1) -> PulseTrain:
    return symmetric(ua, us, mhz, pulses_per_period=pulses)


def longer(us: int) -> PulseTrain:
    """A recovery phase of its own length."""
    return pulse(amplitude_ua=30_000, recovery_amplitude_ua=30_000, recovery_width_us=us)


UA, US, MHZ = 10**7, 10**6, 10**6
KNOBS: dict[str, tuple[Knob, ...]] = {
    "peak_ua": (Knob("amplitude", lambda x: both(x, 50, 10_000), 0, UA),),
    "phase_width_min_us": (Knob("width", lambda x: both(1, x, 30_000), 200, 0),),
    "phase_width_max_us": (Knob("width", lambda x: both(1, x, 1_000), 200, 100_000),),
    "interphase_gap_max_us": (Knob("gap", lambda x: pulse(interphase_gap_us=x), 0, 10_000),),
    "rate_min_mhz": (Knob("rate", lambda x: both(1, 100, x), 30_000, 1),),
    "rate_max_mhz": (Knob("rate", lambda x: both(1, 100, x), 30_000, MHZ),),
    "pulses_per_period_max": (Knob("pulses", lambda x: both(1, 50, 1_000, x), 1, 99),),
    "charge_nc": (
        Knob("amplitude", lambda x: both(x, 499, 1_000), 0, UA),
        Knob("width", lambda x: both(59_999, x, 1_000), 0, 10_000),
        Knob("recovery", longer, 1, 10_000),
        Knob("recovery amplitude", lambda x: pulse(amplitude_ua=UA, recovery_amplitude_ua=x, recovery_width_us=777,
                                                   phase_width_us=1), 1, UA),
    ),
    "energy_uj": (
        Knob("amplitude", lambda x: both(x, 497, 10_000), 0, UA),
        Knob("width", lambda x: both(400_000, x, 100), 0, 100_000),
        Knob("recovery", lambda x: pulse(amplitude_ua=400_000, recovery_amplitude_ua=399_999, rate_mhz=100,
                                         recovery_width_us=x, phase_width_us=1), 0, 100_000),
    ),
    "net_charge_permille": (
        Knob("recovery up", lambda x: pulse(amplitude_ua=30_000, recovery_amplitude_ua=10_000, recovery_width_us=x),
             900, 2_000),
        Knob("recovery down", lambda x: pulse(amplitude_ua=30_000, recovery_amplitude_ua=10_000, recovery_width_us=x),
             900, 0),
        Knob("amplitude", lambda x: pulse(amplitude_ua=x, recovery_amplitude_ua=29_999), 29_999, 60_000),
        Knob("width", lambda x: pulse(amplitude_ua=30_000, recovery_amplitude_ua=30_000, phase_width_us=x), 300, 900),
        Knob("recovery amplitude", lambda x: pulse(amplitude_ua=30_000, recovery_amplitude_ua=x), 30_000, 0),
    ),
    "mean_dc_na": (
        Knob("recovery up", lambda x: pulse(amplitude_ua=30_000, recovery_amplitude_ua=29_999, recovery_width_us=x),
             300, 9_000),
        Knob("recovery down", lambda x: pulse(amplitude_ua=39_999, recovery_amplitude_ua=39_999, rate_mhz=50_001,
                                              phase_width_us=487, recovery_width_us=x), 487, 0),
        Knob("rate", lambda x: pulse(amplitude_ua=39_999, recovery_amplitude_ua=31_234, rate_mhz=x), 1, MHZ),
        Knob("doublet", lambda x: pulse(amplitude_ua=39_999, recovery_amplitude_ua=x, pulses_per_period=2), 39_999, 0),
        Knob("burst", lambda x: pulse(amplitude_ua=39_999, recovery_amplitude_ua=x, rate_mhz=2_003,
                                      pulses_per_period=9), 39_999, 0),
    ),
    "rms_ua": (),
    "rms_density_ua_cm2": (),
    "power_density_uw_cm2": (),
}  # fmt: skip
MEAN_SQUARE = (
    Knob("amplitude", lambda x: both(x, 491, 150_007), 0, UA),
    Knob("width", lambda x: both(100_003, x, 49_999), 0, 10_000),
    Knob("rate", lambda x: both(70_001, 457, x), 1, MHZ),
    Knob("doublet", lambda x: both(x, 251, 30_011, 2), 0, UA),
    Knob("burst", lambda x: both(x, 251, 2_003, 9), 0, UA),
    Knob("burst width", lambda x: both(80_001, x, 2_003, 9), 0, 4_999),
    Knob(
        "recovery", lambda x: pulse(amplitude_ua=90_001, recovery_amplitude_ua=80_003, recovery_width_us=x), 0, 20_000
    ),
)
KNOBS |= {field: MEAN_SQUARE for field, knobs in KNOBS.items() if not knobs}


def placed(channel: Channel, protocol: Limits = ABSOLUTE) -> Placement:
    area = int(channel.cm2 * 10**8)
    return placement(
        part=BodyPart(channel.part),
        effect=Effect.SENSORY if channel.sensory else Effect.MOTOR,
        sensation=Sensation.REDUCED if channel.reduced else Sensation.NORMAL,
        on=(Pad("a", area), Pad("b", area + 7)),
        burst=None if channel.sensory else BURST,
        protocol=protocol,
    )


def edge(is_passed: Callable[[int], bool], knob: Knob) -> int | None:
    """The last value, seen from inside, that is not passed; None if the knob does not reach the edge."""
    inside, outside = knob.inside, knob.outside
    if is_passed(inside) or not is_passed(outside):
        return None
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (inside, middle) if is_passed(middle) else (middle, outside)
    return inside


# --- each bound of each column by itself ----------------------------------------------------------------------------


def distinct(name: str) -> dict[tuple[Any, ...], Channel]:
    """The channels between which a column makes a difference."""
    return {(channel.cm2, *column(name, channel).values()): channel for channel in reversed(CHANNELS)}


CASES = [pytest.param(name, field, id=f"{name}-{field}") for name in ("absolute", "refuse", "warn") for field in KNOBS]


def in_column(name: str, channel: Channel) -> Source:
    """The production code's column for a channel."""
    if name == "warn":
        return warn_source(placed(channel))
    whose = sources(placed(channel), ABSOLUTE, senses_impedance=not channel.blind)
    return whose[0] if name == "absolute" else whose[1]


@pytest.mark.parametrize(("name", "field"), CASES)
def test_a_bound_by_itself_around_its_edge(name: str, field: str) -> None:
    """All other bounds are out of the way: only this one can say no."""
    seen: set[tuple[Any, ...]] = set()
    reached = set()
    for channel in distinct(name).values():
        full, bound = in_column(name, channel), BOUNDS[field].at(name, channel)
        if (channel.cm2 if "density" in field else 0, bound) in seen:
            continue
        seen.add((channel.cm2 if "density" in field else 0, bound))
        alone = full._replace(limits=replace(OPEN, **{field: getattr(full.limits, field)}))
        for knob in KNOBS[field]:
            if probe(alone, knob, RULE_OF[field], {field: bound}, channel.cm2, accuracy=name == "absolute"):
                reached.add(knob.name)
    assert reached == {knob.name for knob in KNOBS[field]}


def probe(source: Source, knob: Knob, rule: str, bounds: Any, cm2: Fraction, *, accuracy: bool) -> bool:
    """Eleven values around the edge; whether there is one."""
    found = edge(lambda x: rule in breaches(knob.at(x), bounds, cm2, accuracy=accuracy), knob)
    if found is None:
        return False
    gate = Gate((source,))
    for step in STEPS:
        if found + step < 0:
            continue  # see ALWAYS
        t = knob.at(found + step)
        expected, s = breaches(t, bounds, cm2, accuracy=accuracy), strength(t)
        assert {str(f.rule) for f in source.findings(t, s, 0)} == expected, (knob.name, step, t)
        assert gate.allows(t, s) is (not expected), (knob.name, step, t)
    return True


ALWAYS = {
    "peak": Knob("amplitude", lambda x: pulse(amplitude_ua=x, recovery_amplitude_ua=0), 100, -100),
    "gap": Knob("gap", lambda x: pulse(interphase_gap_us=x), 100, -100),
    "pulses-per-period": Knob("pulses", lambda x: pulse(pulses_per_period=x, rate_mhz=1_000), 20, -20),
    "recovery": Knob("amplitude", lambda x: pulse(recovery_amplitude_ua=x), 0, 99_000),
    "recovery down": Knob("amplitude", lambda x: pulse(recovery_amplitude_ua=x), 100, -100),
    "recovery width": Knob("width", lambda x: pulse(recovery_width_us=x), 100, -100),
    "pulse-fits-period": Knob("rate", lambda x: pulse(rate_mhz=x), 1, 10**8),
    "pulse-fits-period gap": Knob("gap", lambda x: pulse(interphase_gap_us=x), 1, 10**6),
    "pulse-fits-period pulses": Knob("pulses", lambda x: pulse(interphase_gap_us=2_000, pulses_per_period=x), 1, 90),
    "pulse-fits-period burst": Knob("rate", lambda x: pulse(rate_mhz=x, pulses_per_period=9), 1, 10**8),
    "pulse-fits-period burst pulse": Knob(
        "gap", lambda x: pulse(interphase_gap_us=x, rate_mhz=2_000, pulses_per_period=3), 1, 10**6
    ),
    "pulse-fits-period width": Knob("width", lambda x: pulse(phase_width_us=x), 1, 10**6),
    "pulse-fits-period back": Knob("recovery", lambda x: pulse(recovery_width_us=x), 1, 10**6),
}


@pytest.mark.parametrize("name", ALWAYS)
def test_what_no_table_is_needed_for_around_its_edge(name: str) -> None:
    knob, source = ALWAYS[name], Source("test", LOOSE, 25 * 10**8)
    found = edge(lambda x: bool(always(knob.at(x))), knob)
    assert found is not None
    for step in STEPS:
        t = knob.at(found + step)
        s, expected = strength(t), always(t)
        assert {str(f.rule) for f in source.findings(t, s, 0)} >= expected, (step, t)
        assert Gate((source,)).allows(t, s) is (not expected), (step, t)


# --- through the door ------------------------------------------------------------------------------------------------


def judged(rig: Rig, t: PulseTrain) -> Refusal:
    """What a locked limiter says to a command: its first breach, or that it is locked."""
    rig.latch.clear()
    with pytest.raises(Refusal) as refusal:
        rig.send(t)
    assert rig.latch.tripped
    return refusal.value


def refused_by(t: PulseTrain, channel: Channel, board: dict[str, Fraction], file: dict[str, Fraction]) -> tuple[str, set[str]]:  # fmt: skip
    """The first source that a train is too much for, with all rules that it names; "session" if there is none."""
    for name, bounds, accuracy in (
        ("absolute", column("absolute", channel), True),
        (f"profile {channel.part}", column("refuse", channel), False),
        ("board", board, False),
        ("protocol", file, False),
    ):
        if rules := breaches(t, bounds, channel.cm2, accuracy=accuracy):
            return name, rules
    return "session", {"locked"}


def check_door(
    rig: Rig, t: PulseTrain, channel: Channel, board: dict[str, Fraction], file: dict[str, Fraction]
) -> None:
    if t.amplitude_ua == 0:
        return  # a well-formed zero passes
    whose, rules = refused_by(t, channel, board, file)
    refusal = judged(rig, t)
    assert (refusal.bound_from, refusal.rule in rules) == (whose, True), (t, refusal, rules)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("sensory", [False, True], ids=["motor", "sensory"])
def test_through_the_door_around_every_edge(part: str, sensory: bool) -> None:
    """Whatever binds first, in every kind of channel."""
    for channel in CHANNELS:
        if (channel.part, channel.sensory) == (part, sensory) and channel.cm2 in AREAS[1::2]:
            rig = Rig(placed(channel), senses_impedance=not channel.blind)
            for knob in {id(knob): knob for knobs in KNOBS.values() for knob in knobs}.values():
                around(rig, knob, channel, {}, {})


def around(rig: Rig, knob: Knob, channel: Channel, board: dict[str, Fraction], file: dict[str, Fraction]) -> bool:
    found = edge(lambda x: refused_by(knob.at(x), channel, board, file)[0] != "session", knob)
    if found is None:
        return False
    for step in STEPS:
        check_door(rig, knob.at(found + step), channel, board, file)
    return True


@pytest.mark.parametrize("field", KNOBS)
@pytest.mark.parametrize("whose", ["board", "protocol"])
def test_a_board_and_a_file_bind_around_their_edges(field: str, whose: str) -> None:
    """One bound of the board or of the file, a good deal tighter than the profile's."""
    channel, bound = Channel(sensory=True), BOUNDS[field]
    profile = bound.at("refuse", channel)
    assert profile is not None
    factor, reached = in_code(bound.row["unit"], field), False
    for share in (Fraction(1, 2), Fraction(3, 5), Fraction(1, 50)) if bound.is_most else (Fraction(3, 2), Fraction(2)):
        code = int(profile * share * factor)
        tighter = replace(ABSOLUTE, **{field: code})
        given = {field: Fraction(code, factor)}
        rig = Rig(placed(channel, tighter if whose == "protocol" else ABSOLUTE),
                  board=tighter if whose == "board" else ABSOLUTE)  # fmt: skip
        board, file = (given, {}) if whose == "board" else ({}, given)
        for knob in (*KNOBS[field], *GENTLE.get(field, ())):
            reached |= around(rig, knob, channel, board, file)
    assert reached


DENSE = Knob("amplitude", lambda x: both(x, 400, 149_999, 2), 0, 50_000)
GENTLE: dict[str, tuple[Knob, ...]] = {
    "rms_ua": (DENSE,),
    "rms_density_ua_cm2": (DENSE,),
    "power_density_uw_cm2": (DENSE,),
    "energy_uj": (Knob("amplitude", lambda x: both(x, 320, 10_000), 0, 200_000),),
    "mean_dc_na": (Knob("recovery", lambda x: pulse(amplitude_ua=30_000, recovery_amplitude_ua=30_000, rate_mhz=150_000,
                                                    phase_width_us=500, recovery_width_us=x), 500, 400),),
}  # fmt: skip


# --- nothing is left out --------------------------------------------------------------------------------------------


def test_every_bound_of_the_table_has_its_edges() -> None:
    assert set(KNOBS) == set(RULE_OF)
    assert set(KNOBS) | set(memory.EDGES_OF_BOUNDS) == set(BOUNDS) == {field.name for field in fields(Limits)}
    assert all(callable(getattr(memory, name)) for name in memory.EDGES_OF_BOUNDS.values())


NO_EDGE = {"type", "unknown-channel", "duplicate-channel", "missing-channel", "fault", "pads", "sensation", "burst-plan",
           "locked", "latched", "superseded"}  # fmt: skip
"""Rules without a number: their tests are in ``test_safety_limiter`` and ``test_safety_attacks``."""


def test_every_rule_has_its_edges() -> None:
    of_trains = set(RULE_OF.values()) | {name.split()[0] for name in ALWAYS}
    assert of_trains | set(memory.EDGES_OF_RULES) | NO_EDGE == set(Rule)
    assert all(callable(getattr(memory, name)) for name in memory.EDGES_OF_RULES.values())


# --- sparse elsewhere -----------------------------------------------------------------------------------------------

trains = st.builds(
    PulseTrain,
    st.integers(-2, 120_000),
    st.integers(0, 600),
    st.integers(-1, 600),
    st.integers(-2, 120_000),
    st.integers(-1, 2_500),
    st.integers(0, 210_000),
    st.integers(0, 4),
)


@given(trains, st.sampled_from(CHANNELS))
def test_anywhere_each_column_says_what_the_formulas_say(t: PulseTrain, channel: Channel) -> None:
    for name in ("absolute", "refuse", "warn"):
        source = in_column(name, channel)
        found = {str(f.rule) for f in source.findings(t, strength(t), 0)}
        assert found == breaches(t, column(name, channel), channel.cm2, accuracy=name == "absolute"), name
        assert Gate((source,)).allows(t, strength(t)) is (not found)
