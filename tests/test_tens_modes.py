"""The modes of TENS: each has its own ranges, and a number of another mode is refused by that mode's name."""

from __future__ import annotations

import pytest

from stimctl.protocols import TENS_KINDS, Tens, library, library_text, loads
from stimctl.protocols.tens_modes import MODES, Mode
from tests.protocol_texts import TENS, edit, faults, good, put, the_fault

SIMPLE = sorted(MODES)


def tens(kind: str, extra: str = "") -> str:
    """A file of ``kind`` in the middle of its own ranges."""
    mode = TENS_KINDS[kind].mode
    text = edit(TENS, ("tens-conventional", kind), ("[dose]", f"{extra}[dose]"))
    text = put(text, "rate_hz", f"{sum(mode.rate_hz) / 2:g}")
    text = put(text, "phase_width_us", f"{sum(mode.width_us) // 2:g}")
    return put(text, "duration_min", f"{min(mode.duration_min[1], 30):g}")


SWEEP = "[modulation]\nperiod_s = 12\nrate_to_hz = 2\nphase_width_to_us = 200\n\n"
TURNS = "[alternation]\nlow_rate_hz = 2\nlow_phase_width_us = 300\nlow_s = 3\nhigh_s = 3\n\n"
MODULATED = tens("tens-modulated", SWEEP)
ALTERNATING = tens("tens-alternating", TURNS)


@pytest.mark.parametrize("kind", SIMPLE)
def test_each_end_of_each_range_is_in_the_mode(kind: str) -> None:
    mode = MODES[kind]
    good(tens(kind))
    for key, ends in (("rate_hz", mode.rate_hz), ("phase_width_us", mode.width_us)):
        for end in ends:
            good(put(tens(kind), key, f"{end:g}"))
    for end in mode.duration_min:
        good(put(tens(kind), "duration_min", f"{min(50, max(1, end)):g}"))


@pytest.mark.parametrize("kind", SIMPLE)
@pytest.mark.parametrize(("key", "step"), [("rate_hz", 0.01), ("phase_width_us", 1)])
def test_one_step_beyond_is_another_mode(kind: str, key: str, step: float) -> None:
    mode = MODES[kind]
    low, high = mode.rate_hz if key == "rate_hz" else mode.width_us
    for value in (low - step, high + step):
        found = faults(put(tens(kind), key, f"{value:g}"))
        assert {fault.field for fault in found if fault.source == mode.source} <= {f"channel[1].{key}"}
        if 20 <= value <= 500 or key == "rate_hz":
            assert any(fault.source == mode.source for fault in found), (kind, value)


@pytest.mark.parametrize(
    ("kind", "minutes"), [("tens-brief-intense", "15.1"), ("tens-sensory", "14"), ("tens-acupuncture-like", "46")]
)
def test_a_time_of_another_mode_is_refused(kind: str, minutes: str) -> None:
    fault = the_fault(put(tens(kind), "duration_min", minutes))
    assert fault.field == "dose.duration_min"
    assert fault.source == MODES[kind].source


@pytest.mark.parametrize(
    ("kind", "key", "value", "named"),
    [
        ("tens-conventional", "rate_hz", "2", "tens-acupuncture-like"),
        ("tens-conventional", "phase_width_us", "250", "tens-sensory or tens-brief-intense"),
        ("tens-sensory", "rate_hz", "60", "tens-conventional"),
        ("tens-acupuncture-like", "rate_hz", "100", "tens-conventional or tens-sensory or tens-brief-intense"),
        ("tens-brief-intense", "phase_width_us", "100", "tens-conventional or tens-sensory"),
    ],
)
def test_the_mode_that_was_meant_is_named(kind: str, key: str, value: str, named: str) -> None:
    text = put(put(tens(kind), "rate_hz", "100" if MODES[kind].rate_hz[1] > 20 else "5"), key, value)
    fault = the_fault(text)
    assert fault.message == f"is not what {kind} means; that is {named}"
    assert fault.allowed


def test_a_number_of_no_mode_names_none() -> None:
    (fault,) = [each for each in faults(put(tens("tens-conventional"), "rate_hz", "30")) if "means" in each.message]
    assert fault.message == "is not what tens-conventional means"


@pytest.mark.parametrize("kind", sorted(TENS_KINDS))
def test_every_kind_is_a_mode_with_an_aim_of_its_own_and_a_shipped_file(kind: str) -> None:
    model = TENS_KINDS[kind]
    assert issubclass(model, Tens)
    assert isinstance(model.mode, Mode)
    assert model.mode.aim
    assert len({each.mode.aim for each in TENS_KINDS.values()}) == len(TENS_KINDS)
    assert model.mode.source.startswith("TENS modes")
    shipped = [loads(library_text(entry.name), entry.name) for entry in library() if entry.kind == kind]
    assert shipped
    assert all(type(each) is model for each in shipped)


# --- what changes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("rate_to_hz", "1.9", "modulation.rate_to_hz"),
        ("rate_to_hz", "150.1", "modulation.rate_to_hz"),
        ("phase_width_to_us", "49", "modulation.phase_width_to_us"),
        ("phase_width_to_us", "251", "modulation.phase_width_to_us"),
        ("period_s", "3.9", "modulation.period_s"),
    ],
)
def test_a_sweep_stays_in_its_mode(key: str, value: str, field: str) -> None:
    good(MODULATED)
    found = faults(put(MODULATED, key, value))
    assert any(fault.field == field for fault in found)


def test_a_sweep_that_changes_nothing_is_refused() -> None:
    text = MODULATED.replace("rate_to_hz = 2\n", "").replace("phase_width_to_us = 200\n", "")
    fault = the_fault(text)
    assert fault.field == "modulation"
    assert "changes nothing" in fault.message
    good(text.replace("period_s = 12\n", "period_s = 12\namplitude_to_percent = 50\n"))


def test_the_strongest_corner_of_a_sweep_is_judged() -> None:
    """250 µs at the other end: 80 mA at the shoulder are 20 µC; and 150 Hz there with 250 µs are 20.5 mA rms at 75 mA."""
    text = put(put(put(MODULATED, "phase_width_us", "100"), "rate_hz", "100"), "max_amplitude_ma", "60")
    text = put(put(text, "phase_width_to_us", "250"), "rate_to_hz", "150")
    good(text)
    small = text.replace("square-50x50", "round-50").replace('"forearm-dorsal"', '"shoulder"')
    good(put(small, "max_amplitude_ma", "70"))
    fault = the_fault(put(small, "max_amplitude_ma", "75"))
    assert "with phase_width_us = 250 and rate_hz = 150 gives too much" in fault.message
    assert "20.5 mA rms" in fault.value


def test_pads_that_sweeps_share_are_judged_at_their_corners() -> None:
    second = (
        '\n[[channel]]\nname = "second"\nmuscle = "none"\noutput = 2\nsite = "forearm-dorsal"\n'
        'pads = ["distal", "far"]\namplitude_ma = 1\nmax_amplitude_ma = 15\nphase_width_us = 100\nrate_hz = 100\n'
        '\n[pads.far]\nmodel = "square-50x50"\n'
    )
    text = put(put(put(MODULATED, "max_amplitude_ma", "15"), "phase_width_us", "100"), "rate_hz", "100") + second
    text = edit(text, ('[pads.distal]\nmodel = "square-50x50"', '[pads.distal]\nmodel = "round-20"'))
    assert "1.5 mA rms/cm²" in "".join(fault.allowed for fault in faults(put(text, "phase_width_to_us", "250")))
    good(text.replace("phase_width_to_us = 200\n", "amplitude_to_percent = 50\n"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("low_rate_hz", "10.1"), ("low_rate_hz", "0.9"), ("low_phase_width_us", "49"), ("low_s", "1"), ("high_s", "31")],
)
def test_what_alternates_is_a_low_rate_for_some_seconds(key: str, value: str) -> None:
    good(ALTERNATING)
    assert {fault.field for fault in faults(put(ALTERNATING, key, value))} == {f"alternation.{key}"}


def test_the_corner_of_an_alternation_is_judged() -> None:
    """500 µs at the low rate: 41 mA are 20.5 µC."""
    text = put(put(ALTERNATING, "low_phase_width_us", "500"), "max_amplitude_ma", "41")
    assert "20.5 µC" in the_fault(text).value
    good(put(text, "max_amplitude_ma", "40"))
