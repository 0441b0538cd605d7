"""Whatever the bytes: a protocol inside the limits, or one error that names faults. Never anything else.

What is accepted is judged here a second time, in floats and with the numbers of the clinical reference (A.5) written
out again, so that a hole in the exact judgement shows.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl.errors import ProtocolError
from stimctl.limits import BodyPart
from stimctl.protocols import (
    AnyProtocol,
    FesCyclic,
    FesEmgProportional,
    FesEmgTriggered,
    FesSequence,
    FesSwitchTriggered,
    Guided,
    Led,
    Plan,
    Tens,
    library,
    library_text,
    load,
    loads,
)
from stimctl.protocols.bounds import train
from stimctl.pulse import figures
from tests.protocol_texts import GOOD

TEXTS = [*GOOD.values(), *(library_text(entry.name) for entry in library())]
SEED = int(os.environ.get("STIMCTL_FUZZ_SEED", "20261122"))
ROUNDS = int(os.environ.get("STIMCTL_FUZZ_ROUNDS", "1000"))

VALUES = (
    *("0", "-1", "1", "0.3", "0.02", "2", "12.5", "30", "61", "100", "150", "300", "500", "20000", "300000", "1e300"),
    *("nan", "inf", "true", '"20"', '""', "[]", "{}", '"extensors"', '"thenar"', '"shoulder"', '"chest"', '"round-20"'),
    *('"rectangle-50x90"', '["proximal", "distal"]', '["distal", "wrist"]', "1979-05-27", '"fes-cyclic"'),
    *('"tens-conventional"', '"fes-emg-triggered"', "0x10", "9" * 400, '"\\u001b[2J"'),
)
CHARACTERS = "\n\r\t \"'=[]{}.,#0123456789eE+-_abxyzµ\x00\x1b\ufeff"

PEAK_MA = {BodyPart.FOREARM: 60, BodyPart.THENAR: 30, BodyPart.SHOULDER: 80}
CHARGE_UC = {BodyPart.FOREARM: 20, BodyPart.THENAR: 9, BodyPart.SHOULDER: 24}


def judge(protocol: AnyProtocol) -> None:
    """Assert what A.5 asks of an accepted protocol, worked out anew; one without output is asked nothing."""
    if isinstance(protocol, (Guided, Plan)):
        return
    sensory = isinstance(protocol, Tens)
    on_pad: dict[str, list[tuple[float, float, float]]] = {}
    for channel in protocol.channels:
        part, areas = channel.part, [protocol.pads[name].area_um2 for name in channel.pads]
        strongest = figures(train(protocol.strongest(channel)), min(areas))
        small = min(areas) < 10e8
        assert (
            0 < channel.amplitude_ma <= channel.max_amplitude_ma <= (min(30, PEAK_MA[part]) if small else PEAK_MA[part])
        )
        assert 50 <= channel.phase_width_us <= 500
        assert 0 <= channel.interphase_gap_us <= 250
        assert (1 if sensory else 10) <= channel.rate_hz <= (150 if sensory else 50)
        assert strongest.charge_uc <= (min(9, CHARGE_UC[part]) if small else CHARGE_UC[part]) + 1e-9
        assert strongest.rms_ma <= 20 + 1e-9
        assert strongest.rms_density_ma_cm2 <= 1.5 + 1e-9
        assert strongest.power_density_mw_cm2 <= 100 + 1e-9
        assert strongest.energy_mj <= 20 + 1e-9
        for name in channel.pads:
            on_pad.setdefault(name, []).append((channel.max_amplitude_ma, strongest.charge_uc, strongest.rms_ma))
    for name, users in on_pad.items():  # as if all their pulses came at once
        peak, charge, rms = map(sum, zip(*users, strict=True))
        area, parts = protocol.pads[name].area_um2 / 1e8, [c.part for c in protocol.channels if name in c.pads]
        assert rms / area <= 1.5 + 1e-9
        assert rms <= 20 + 1e-9
        assert peak <= min(30 if area < 10 else 80, *(PEAK_MA[part] for part in parts)) + 1e-9
        assert charge <= min(9 if area < 10 else 24, *(CHARGE_UC[part] for part in parts)) + 1e-9
    assert len({frozenset(channel.pads) for channel in protocol.channels}) == len(protocol.channels)
    assert len({channel.output for channel in protocol.channels}) == len(protocol.channels)
    assert len({channel.name for channel in protocol.channels}) == len(protocol.channels)
    assert set(on_pad) == set(protocol.pads)
    if isinstance(protocol, Tens):
        assert 0 < protocol.dose.duration_min <= 50
        return
    if isinstance(protocol, FesSequence):
        names = [phase.name for phase in protocol.phases]
        assert protocol.sequence.release in names[1:]
        assert len(set(names)) == len(names)
        cycle = sum(phase.length_s for phase in protocol.phases) + protocol.sequence.rest_s
        assert 0 < protocol.dose.sets * protocol.dose.repetitions * cycle <= 3600 + 1e-6
        return
    dose = protocol.dose
    rise, on, rest = opening(protocol) if isinstance(protocol, Led) else bursting(protocol)
    assert rise >= 0.5
    assert 0 < on <= 20 + 1e-9
    assert on / (on + rest) <= 0.6 + 1e-9
    assert 0 < dose.sets * dose.repetitions * (on + rest) <= 3600 + 1e-6


def bursting(protocol: FesCyclic | FesEmgTriggered | FesSwitchTriggered) -> tuple[float, float, float]:
    """How long a burst rises, is on and rests, in s."""
    burst = protocol.burst
    return burst.ramp_up_s, burst.ramp_up_s + burst.hold_s + burst.ramp_down_s, burst.rest_s


def opening(protocol: Led) -> tuple[float, float, float]:
    """The same of an opening in which the signal goes from rest to all at once, and stays."""
    control, cycle = protocol.control, protocol.cycle
    assert 0 < control.floor_percent < control.full_percent <= 100
    assert 0 < control.stale_ms <= 200
    if isinstance(protocol, FesEmgProportional):
        [channel] = protocol.channels
        assert 15 <= protocol.control.blanking_ms <= 30
        assert channel.pulses_per_period == 1
        assert 1_000 / channel.rate_hz - protocol.control.blanking_ms >= 8 - 1e-9
        assert control.stale_ms >= 3_000 / channel.rate_hz + 45
    if control.modulates == "width":
        assert control.floor_width_us is not None
        assert all(50 <= control.floor_width_us < channel.phase_width_us for channel in protocol.channels)
    return 100 / control.slew_percent_per_s, cycle.open_s + cycle.ramp_down_s, cycle.relax_s


def try_text(text: str) -> bool:
    """Load; whether it was accepted. Anything but a protocol or an error with faults fails the test."""
    protocol, error = outcome(lambda: loads(text, "fuzz.toml"))
    if protocol is not None:
        judge(protocol)
        return True
    assert error is not None
    assert error.faults
    assert len(str(error).split("\n")) == len(error.faults)
    for fault in error.faults:
        assert fault.message
        assert 0 <= fault.line <= text.count("\n") + 1
        assert str(fault).isprintable()
    return False


def outcome(attempt: Callable[[], AnyProtocol]) -> tuple[AnyProtocol | None, ProtocolError | None]:
    """What came of it; any other exception goes through."""
    try:
        return attempt(), None
    except ProtocolError as error:
        return None, error


# --- mutations -------------------------------------------------------------------------------------------------


def mutate(text: str, chance: random.Random) -> str:
    """One to three slips of the sort that people and disks make."""
    for _ in range(chance.randint(1, 3)):
        text = chance.choice(SLIPS)(text, chance)
    return text


def _one_character(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(CHARACTERS) + text[at + chance.randint(0, 1) :]


def _a_line_less(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    del lines[chance.randrange(len(lines))]
    return "\n".join(lines) or " "


def _a_line_twice(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "\n".join(lines)


def _another_value(text: str, chance: random.Random) -> str:
    fields = list(re.finditer(r"(?m)^\w+ = (.*)$", text))
    if not fields:
        return text
    field = chance.choice(fields)
    return text[: field.start(1)] + chance.choice(VALUES) + text[field.end(1) :]


def _another_number(text: str, chance: random.Random) -> str:
    numbers = list(re.finditer(r"(?m)(?<= = )\d{1,9}(\.\d+)?\b", text))
    if not numbers:
        return text
    number = chance.choice(numbers)
    scaled = float(number.group()) * chance.choice((0.001, 0.1, 0.5, 0.9, 1.1, 1.5, 2, 3, 10, 1000))
    return (
        text[: number.start()] + (f"{scaled:.3f}" if "." in number.group() else str(int(scaled))) + text[number.end() :]
    )


def _values_swapped(text: str, chance: random.Random) -> str:
    fields = list(re.finditer(r"(?m)^\w+ = (.*)$", text))
    if len(fields) < 2:
        return text
    one, two = sorted(chance.sample(fields, 2), key=lambda field: field.start())
    return text[: one.start(1)] + two[1] + text[one.end(1) : two.start(1)] + one[1] + text[two.end(1) :]


def _cut_off(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)] or " "


SLIPS = (
    *(_one_character, _a_line_less, _a_line_twice, _another_value, _another_value),
    *(_another_number, _another_number, _another_number, _values_swapped, _cut_off),
)


def test_a_thousand_slips_are_refused_or_harmless() -> None:
    """Seeded; STIMCTL_FUZZ_SEED and STIMCTL_FUZZ_ROUNDS widen the search by hand."""
    chance = random.Random(SEED)
    accepted = 0
    for _ in range(ROUNDS):
        text = mutate(chance.choice(TEXTS), chance)
        try:
            accepted += try_text(text)
        except Exception:
            print(text)
            raise
    # both ends are exercised: a search that accepts all or nothing looks at nothing
    assert ROUNDS * 0.03 < accepted < ROUNDS * 0.6


@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_slips_that_shrink(text: str, chance: random.Random) -> None:
    try_text(mutate(text, chance))


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    assert not try_text(text)


@given(st.binary(max_size=200), st.sampled_from(TEXTS), st.integers(0, 10_000))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, raw: bytes, text: str, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.toml"
    whole = text.encode()
    path.write_bytes(whole[: at % len(whole)] + raw + whole[at % len(whole) :])
    protocol, error = outcome(lambda: load(path))
    if protocol is not None:
        judge(protocol)
    else:
        assert error is not None
        assert error.faults


# --- tables of any shape ---------------------------------------------------------------------------------------

LEAVES = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["extensors", "round-25", "thenar"])
)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
HUGE = "0x" + "f" * 20_000


@pytest.mark.parametrize("name", GOOD)
def test_a_number_too_large_to_be_written_is_a_fault_wherever_it_stands(name: str) -> None:
    """Python refuses to turn it into decimal text; each field must find other words for it."""
    lines = GOOD[name].split("\n")
    for index, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        for value in (HUGE, f"[{HUGE}]", f"{{ x = {HUGE} }}") if equals else ():
            text = "\n".join([*lines[:index], f"{key} = {value}", *lines[index + 1 :]])
            with pytest.raises(ProtocolError) as caught:
                loads(text, "file.toml")
            assert any(fault.line == index + 1 for fault in caught.value.faults), key
            assert all(len(str(fault)) < 1_000 for fault in caught.value.faults)


KEYS = ["format", "kind", "title", "purpose", "sources", "pads", "channel", "burst", "dose", "trigger", "other"]


@given(st.dictionaries(st.sampled_from(KEYS), SHAPES), st.sampled_from(sorted(GOOD)))
def test_any_shape_below_a_good_name(shapes: dict[str, object], name: str) -> None:
    """Straight into the reader: what TOML could hold, where it does not belong."""
    import tomllib

    from stimctl.protocols.reading import read

    result = read({**tomllib.loads(GOOD[name]), **shapes})
    if not isinstance(result, tuple):
        judge(result)
    else:
        assert result
