"""Every bound and every unit mistake, each with the field it is reported at.

The numbers here are written a second time on purpose (clinical reference, A.5 and A.7), so that a slip in the table of
limits or in its use turns a test red.
"""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimctl import pulse
from stimctl.limits import ABSOLUTE, BodyPart, Effect, Limits, profile
from stimctl.protocols import bounds
from stimctl.protocols.output import Channel
from stimctl.units import UM2_PER_CM2, SquareMicrometre
from tests.protocol_texts import BRIEF, CYCLIC, EMG, TENS, TWO, drop, edit, faults, good, line_of, put, the_fault

# --- units (A.7, H04) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "looks_like", "meant"),
    [
        ("phase_width_us", "0.3", "ms", "300"),
        ("phase_width_us", "300000", "ns", "300"),
        ("phase_width_us", "0.0003", "s", "300"),
        ("amplitude_ma", "20000", "µA", "20"),
        ("amplitude_ma", "0.02", "A", "20"),
        ("max_amplitude_ma", "25000", "µA", "25"),
        ("max_amplitude_ma", "0.025", "A", "25"),
        ("rate_hz", "35000", "mHz", "35"),
        ("rate_hz", "0.035", "kHz", "35"),
        ("ramp_up_s", "1000", "ms", "1"),
        ("hold_s", "5000", "ms", "5"),
        ("ramp_down_s", "500", "ms", "0.5"),
        ("rest_s", "10000", "ms", "10"),
        ("set_rest_s", "60000", "ms", "60"),
        ("dwell_ms", "0.05", "s", "50"),
        ("blanking_ms", "15000", "µs", "15"),
        ("lockout_ms", "0.3", "s", "300"),
        ("baseline_s", "2000", "ms", "2"),
        ("attempt_window_s", "8000", "ms", "8"),
        ("release_fraction", "60", "%", "0.6"),
    ],
)
def test_a_number_in_another_unit_is_refused_and_named(field: str, value: str, looks_like: str, meant: str) -> None:
    text = put(EMG, field, value)
    found = [fault for fault in faults(text) if fault.field.endswith(f".{field}")]
    assert f"looks like {looks_like}, " in found[0].message
    assert f"did you mean {meant}?" in found[0].message
    assert found[0].line == line_of(text, f"{field} =")
    assert found[0].allowed
    assert found[0].source


@pytest.mark.parametrize(("value", "looks_like"), [("1800", "s"), ("0.5", "h")])
def test_a_duration_in_another_unit(value: str, looks_like: str) -> None:
    assert f"looks like {looks_like}, the field is in min; did you mean 30?" in (
        the_fault(put(TENS, "duration_min", value)).message
    )


@pytest.mark.parametrize(("value", "looks_like"), [("0.02", "mV"), ("20000", "nV")])
def test_a_threshold_in_another_unit(value: str, looks_like: str) -> None:
    text = edit(EMG, ("threshold_sd = 3.0", f"threshold_uv = {value}"))
    assert f"looks like {looks_like}" in the_fault(text).message


@pytest.mark.parametrize(
    "field", ["rate_hz", "phase_width_us", "amplitude_ma", "max_amplitude_ma", "repetitions", "sets"]
)
def test_zero_is_no_setting(field: str) -> None:
    assert field in {fault.field.split(".")[-1] for fault in faults(put(EMG, field, "0"))}


@pytest.mark.parametrize("field", ["area_cm2", "area_mm2", "area_m2", "area"])
@pytest.mark.parametrize("value", ["0", "0.25", "25", "2500"])
def test_an_area_cannot_be_stated(field: str, value: str) -> None:
    fault = the_fault(edit(CYCLIC, ('model = "square-50x50"', f'model = "square-50x50"\n{field} = {value}')))
    assert fault.field == f"pads.proximal.{field}"
    assert fault.message.startswith("unknown field")


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("phase_width_us = 300", "pulse_width_us = 600", "phase_width_us: the width of ONE phase"),
        ("phase_width_us = 300", "phase_width = 300", "`phase_width_us`"),
        ("phase_width_us = 300", "phase_width_ms = 0.3", "`phase_width_us`"),
        ("rate_hz = 35", "frequency_hz = 35", "rate_hz"),
        ("amplitude_ma = 15.0", "amplitude_ua = 15000", "`amplitude_ma`"),
        ("hold_s = 5.0", "on_s = 7.0", "hold_s"),
        ("rest_s = 10.0", "off_s = 10.0", "rest_s"),
        ("rest_s = 10.0", "period_s = 17.0", "the period follows"),
        ("repetitions = 30", "repetition = 30", "`repetitions`"),
    ],
)
def test_a_field_in_another_word_is_named(old: str, new: str, hint: str) -> None:
    fault = the_fault(edit(CYCLIC, (old, new)))  # the missing field is the same mistake
    assert fault.message.startswith("unknown field")
    assert hint in fault.message


@pytest.mark.parametrize(
    ("field", "value", "step"),
    [
        ("amplitude_ma", "15.0001", "0.001 mA"),
        ("max_amplitude_ma", "24.99995", "0.001 mA"),
        ("rate_hz", "35.0001", "0.001 Hz"),
        ("ramp_up_s", "1.0000001", "0.000001 s"),
    ],
)
def test_a_number_finer_than_we_keep_is_refused_not_rounded(field: str, value: str, step: str) -> None:
    assert step in the_fault(put(CYCLIC, field, value)).message


@pytest.mark.parametrize(("field", "value"), [("phase_width_us", "300.0"), ("repetitions", "30.0"), ("output", "1.0")])
def test_a_whole_number_is_written_whole(field: str, value: str) -> None:
    fault = the_fault(put(CYCLIC, field, value))
    assert f"must be a whole number, write {value[:-2]}" in fault.message


# --- limits of the body part (A.5) -----------------------------------------------------------------------------


def channel(site: str, pads: str, ma: str, width: str, rate: str, base: str = CYCLIC) -> str:
    text = base.replace("square-50x50", pads)
    for field, value in (("site", f'"{site}"'), ("max_amplitude_ma", ma), ("phase_width_us", width), ("rate_hz", rate)):
        text = put(text, field, value)
    return put(text, "amplitude_ma", "1")


@pytest.mark.parametrize(
    ("site", "pads", "ma", "width", "rate", "field"),
    [
        ("forearm-dorsal", "square-50x50", "60", "300", "50", ""),
        ("forearm-dorsal", "square-50x50", "60.001", "300", "50", "max_amplitude_ma"),
        ("forearm-volar", "square-50x50", "60.001", "300", "50", "max_amplitude_ma"),
        ("upper-arm", "square-50x50", "60.001", "300", "50", "max_amplitude_ma"),
        ("shoulder", "square-50x50", "80", "300", "50", ""),
        ("shoulder", "square-50x50", "80.001", "250", "50", "max_amplitude_ma"),
        ("thenar", "square-50x50", "30", "300", "50", ""),
        ("thenar", "square-50x50", "30.001", "100", "50", "max_amplitude_ma"),
        ("hand-dorsal", "square-50x50", "30.001", "100", "50", "max_amplitude_ma"),
        ("hypothenar", "round-25", "30.001", "100", "50", "max_amplitude_ma"),
        ("forearm-dorsal", "round-32", "30.001", "100", "50", "max_amplitude_ma"),  # a small pad anywhere
        ("shoulder", "round-20", "30.001", "100", "50", "max_amplitude_ma"),
        # charge per phase: 20 µC forearm, 9 thenar and small pads, 24 shoulder
        ("forearm-dorsal", "square-50x50", "40", "500", "50", ""),
        ("forearm-dorsal", "square-50x50", "40.001", "500", "50", "max_amplitude_ma"),
        ("thenar", "square-50x50", "18", "500", "50", ""),
        ("thenar", "square-50x50", "18.001", "500", "50", "max_amplitude_ma"),
        ("forearm-dorsal", "round-25", "18.001", "500", "50", "max_amplitude_ma"),
        ("shoulder", "square-50x50", "48", "500", "50", ""),
        ("shoulder", "square-50x50", "48.001", "500", "50", "max_amplitude_ma"),
        # phase width and rate
        ("forearm-dorsal", "square-50x50", "20", "50", "50", ""),
        ("forearm-dorsal", "square-50x50", "20", "49", "50", "phase_width_us"),
        ("forearm-dorsal", "square-50x50", "20", "501", "50", "phase_width_us"),
        ("forearm-dorsal", "square-50x50", "20", "300", "10", ""),
        ("forearm-dorsal", "square-50x50", "20", "300", "9.999", "rate_hz"),
        ("forearm-dorsal", "square-50x50", "20", "300", "50.001", "rate_hz"),
    ],
)
def test_bounds_of_a_body_part(site: str, pads: str, ma: str, width: str, rate: str, field: str) -> None:
    text = channel(site, pads, ma, width, rate)
    if not field:
        good(text)
        return
    fault = the_fault(text)
    assert fault.field == f"channel[1].{field}"
    assert fault.line == line_of(text, f"{field} =")
    assert fault.value
    assert fault.allowed
    assert "project" in fault.source


@pytest.mark.parametrize(
    ("rate", "width", "ma", "field"),
    [
        ("150", "150", "20", ""),
        ("150.001", "150", "20", "rate_hz"),
        ("80", "150", "20", ""),
    ],
)
def test_bounds_of_sensory_stimulation(rate: str, width: str, ma: str, field: str) -> None:
    text = channel("forearm-dorsal", "square-50x50", ma, width, rate, BRIEF)
    if field:
        assert {fault.field for fault in faults(text)} == {f"channel[1].{field}"}
        assert any(fault.source.startswith("project") for fault in faults(text))
    else:
        good(text)


def test_rms_density_on_a_small_pad_is_refused() -> None:
    """27 mA, 250 µs, 150 Hz: 7.39 mA rms on 3.14 cm² is 2.35 mA/cm², while the charge of 6.75 µC is fine."""
    text = channel("forearm-dorsal", "round-20", "27", "250", "150", BRIEF)
    found = faults(text)
    assert {fault.field for fault in found} == {"channel[1].max_amplitude_ma"}
    assert any("2.35 mA rms/cm²" in fault.value and "1.5 mA rms/cm²" in fault.allowed for fault in found)
    assert any("IEC 60601-2-10" in fault.source for fault in found)


def test_rms_density_is_judged_on_the_smaller_pad() -> None:
    text = channel("forearm-dorsal", "square-50x50", "27", "250", "150", BRIEF)
    good(text)
    for name in ("proximal", "distal"):
        small = edit(text, (f'[pads.{name}]\nmodel = "square-50x50"', f'[pads.{name}]\nmodel = "round-20"'))
        assert "on the smaller pad" in faults(small)[0].message


def test_rms_is_refused() -> None:
    """50 mA, 400 µs, 150 Hz: 17.3 mA rms is fine; 60 mA, 333 µs: 18.97; at 500 µs and 40 mA 15.5. So TENS at 20.0; 75 mA, 250 µs: 20.54."""
    strongest = pulse.symmetric(60_000, 333, 150_000)
    assert not list(bounds.train_breaches(strongest, profile_of(BodyPart.SHOULDER, Effect.SENSORY)))
    stronger = pulse.symmetric(65_000, 333, 150_000)
    breaches = list(bounds.train_breaches(stronger, profile_of(BodyPart.SHOULDER, Effect.SENSORY)))
    assert [breach.limit for breach in breaches] == ["rms_ua"]
    text = channel("shoulder", "rectangle-50x90", "75", "250", "150", BRIEF)
    assert "20.5 mA rms" in the_fault(text).value


def test_the_absolute_bound_is_named_where_it_alone_binds() -> None:
    """At 500 µs and 200 Hz, 93.1 mA is 41.64 mA rms indicated, 49.96 with the allowance; 93.2 mA is 50.02."""
    wide = dataclasses.replace(ABSOLUTE, rms_ua=10**9, rms_density_ua_cm2=10**9, power_density_uw_cm2=10**9)
    for ma, named in ((93.1, []), (93.2, ["rms_ua"])):
        train = pulse.symmetric(round(ma * 1_000), 500, 200_000)
        breaches = list(bounds.train_breaches(train, dataclasses.replace(wide, charge_nc=10**9)))
        assert [breach.limit for breach in breaches] == named
        assert all("IEC" in breach.source and "50 mA" in breach.allowed for breach in breaches)


def test_one_small_pad_brings_the_small_pads_bounds() -> None:
    text = put(CYCLIC, "max_amplitude_ma", "30.5")
    good(text)
    for name in ("proximal", "distal"):
        small = edit(text, (f'[pads.{name}]\nmodel = "square-50x50"', f'[pads.{name}]\nmodel = "round-32"'))
        assert the_fault(put(small, "phase_width_us", "200")).allowed == "at most 30 mA"


@pytest.mark.parametrize(
    ("value", "words"), [("false", "not numbers"), ("true", "not numbers"), ("inf", "finite"), ("nan", "finite")]
)
@pytest.mark.parametrize("field", ["interphase_gap_us", "ramp_down_s", "set_rest_s", "max_amplitude_ma"])
def test_what_is_no_number_is_called_so(field: str, value: str, words: str) -> None:
    (fault,) = [fault for fault in faults(put(CYCLIC, field, value)) if fault.field.endswith(field)]
    assert words in fault.message


def profile_of(part: BodyPart, effect: Effect) -> Limits:
    return profile(part, effect, smallest_pad_um2=25 * UM2_PER_CM2)


# --- channels together -----------------------------------------------------------------------------------------


def test_shared_pads_add_up() -> None:
    """20 mA, 250 µs, 150 Hz: 5.48 mA rms. One on 4.91 cm² is 1.12 mA/cm²; two at once are 11 mA rms, 2.23 mA/cm²."""
    one = channel("forearm-dorsal", "round-25", "20", "250", "150", BRIEF)
    other = """
[[channel]]
name = "second"
muscle = "none"
output = 2
site = "forearm-dorsal"
pads = ["distal", "far"]
amplitude_ma = 1
max_amplitude_ma = 20
phase_width_us = 250
rate_hz = 150
[pads.far]
model = "square-50x50"
"""
    good(one)
    good(one + other.replace('"distal"', '"near"') + '[pads.near]\nmodel = "round-25"\n')
    found = faults(one + other)
    assert {fault.field for fault in found} == {"pads.distal.model"}
    assert "extensors and second together" in found[0].message
    values = {fault.value for fault in found}
    assert {"40 mA", "10 µC per phase", "2.23 mA rms/cm²"} <= values


def test_a_shared_pad_is_judged_as_if_all_pulses_came_at_once() -> None:
    """Two channels of vector 2 on 25 cm²: not 0.29933 mA/cm², which needs pulses that never overlap, but 0.42332."""
    load = bounds.together([pulse.symmetric(40_000, 250, 35_000)] * 2, 25 * UM2_PER_CM2)
    assert math.isclose(math.sqrt(load.mean_square_e9 / 1e9) / 1e3, 2 * 5.2915, rel_tol=1e-3)
    assert load.density_ok(424)
    assert not load.density_ok(423)


def test_the_rms_current_of_channels_that_share_a_pad_adds_up() -> None:
    trains = [pulse.symmetric(24_000, 300, 150_000, pulses_per_period=2)] * 2
    column = bounds.refuse_column(BodyPart.FOREARM, Effect.SENSORY, 45 * UM2_PER_CM2)
    assert [breach.limit for breach in bounds.shared_breaches(trains, 45 * UM2_PER_CM2, column)] == ["rms_ua"]
    assert not list(bounds.shared_breaches(trains[:1], 45 * UM2_PER_CM2, column))


def test_a_large_pad_is_shared_by_its_own_bounds() -> None:
    """The thumb's small pad takes 30 mA at most; the large one that both return through takes 60 mA of both."""
    fits = put(TWO, "max_amplitude_ma", "44")
    good(fits)
    fault = the_fault(put(TWO, "max_amplitude_ma", "44.001"))
    assert (fault.field, fault.value, fault.allowed) == ("pads.distal.model", "60.001 mA", "at most 60 mA")


@pytest.mark.parametrize("pads", ['["proximal", "distal"]', '["distal", "proximal"]'])
def test_channels_on_the_same_two_pads_are_refused(pads: str) -> None:
    """Whatever one does, the other could have done: no titration could tell whose ceiling was found."""
    text = edit(TWO, ('["thumb", "distal"]', pads), ('[pads.thumb]\nmodel = "round-25"\n', ""))
    fault = the_fault(text)
    assert fault.field == "channel[2].pads"
    assert fault.line == text[: text.rindex("pads = [")].count("\n") + 1
    assert "pads of extensors too: two channels on the same two pads cannot be told apart" in fault.message
    assert "one at a time" in fault.allowed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (('name = "thumb"', 'name = "extensors"'), "name"),
        (("output = 2", "output = 1"), "output"),
    ],
)
def test_names_and_outputs_are_unique(change: tuple[str, str], field: str) -> None:
    assert [fault.field for fault in faults(edit(TWO, change))] == [f"channel[1].{field}", f"channel[2].{field}"]


@pytest.mark.parametrize("value", ["0", "-1", "9", "1.5", "true", '"A"'])
def test_an_output_is_a_printed_number(value: str) -> None:
    assert the_fault(put(CYCLIC, "output", value)).field == "channel[1].output"


def test_an_unused_pad_is_a_slip() -> None:
    fault = the_fault(CYCLIC + '[pads.spare]\nmodel = "round-32"\n')
    assert fault.field == "pads.spare"
    assert "not used" in fault.message


def test_a_pad_that_is_not_there() -> None:
    found = faults(edit(CYCLIC, ('["proximal", "distal"]', '["proximal", "distl"]')))
    assert [fault.field for fault in found] == ["pads.distal", "channel[1].pads"]
    assert "did you mean `distal`?" in found[1].message


@pytest.mark.parametrize("wrong", ["Distal", "distal ", "1distal"])
def test_a_pad_that_is_no_name_is_named_with_the_nearest(wrong: str) -> None:
    found = [each for each in faults(edit(CYCLIC, ('"distal"]', f'"{wrong}"]'))) if each.field == "channel[1].pads"]
    assert [each.message for each in found] == [f"no pad `{wrong}` under [pads] (did you mean `distal`?)"]


@pytest.mark.parametrize("wrong", ["5", '"\\u001b[31m"', '""', f'"{"x" * 99}"'])
def test_a_pad_that_cannot_be_a_name(wrong: str) -> None:
    found = [each for each in faults(edit(CYCLIC, ('"distal"]', f"{wrong}]"))) if each.field == "channel[1].pads"]
    assert len(found) == 1
    assert "\x1b" not in found[0].message


@pytest.mark.parametrize("word", ["forearm", "forearms", "Forearm", "forearm-"])
def test_which_side_of_the_forearm_is_never_guessed(word: str) -> None:
    message = the_fault(put(CYCLIC, "site", f'"{word}"')).message
    assert "`forearm-dorsal` or `forearm-volar`" in message
    assert "did you mean `forearm-volar`?" in the_fault(put(CYCLIC, "site", '"forearm-voler"')).message


def test_a_bound_that_a_small_pad_brings_names_the_pad() -> None:
    small = edit(
        put(CYCLIC, "max_amplitude_ma", "59.0"), ('distal]\nmodel = "square-50x50"', 'distal]\nmodel = "round-25"')
    )
    found = [fault.message for fault in faults(small) if fault.field == "channel[1].max_amplitude_ma"]
    assert found
    assert all("because pad `distal` is under 10 cm²" in each for each in found if "smaller pad" not in each)
    assert "because" in found[0]
    large = faults(put(CYCLIC, "max_amplitude_ma", "119.0"))
    assert large
    assert not [fault for fault in large if "because pad" in fault.message]


@pytest.mark.parametrize("word", ["yes", "no", "On", "off"])
def test_a_truth_is_written_true_or_false(word: str) -> None:
    assert f"write true or false, not {word}" in the_fault(put(EMG, "cue", word)).message


def test_no_pad_that_is_there_still_judges_the_site() -> None:
    text = put(edit(CYCLIC, ('["proximal", "distal"]', '["a", "b"]')), "max_amplitude_ma", "61")
    assert "channel[1].max_amplitude_ma" in {fault.field for fault in faults(text)}


def test_the_working_level_is_within_its_maximum() -> None:
    fault = the_fault(put(CYCLIC, "amplitude_ma", "25.001"))
    assert (fault.field, fault.value, fault.allowed) == ("channel[1].amplitude_ma", "25.001 mA", "at most 25.0 mA")
    good(put(CYCLIC, "amplitude_ma", "25"))


# --- time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ramp_up_s": "0.5"}, ""),
        ({"ramp_up_s": "0.499999"}, "ramp_up_s"),
        ({"ramp_up_s": "0.1"}, "ramp_up_s"),
        ({"hold_s": "18", "rest_s": "20"}, ""),
        ({"hold_s": "18.000001", "rest_s": "20"}, "hold_s"),
        ({"ramp_up_s": "16", "rest_s": "20"}, "hold_s"),  # a ramp longer than a burst may be
        ({"hold_s": "4", "rest_s": "4"}, ""),
        ({"hold_s": "4", "rest_s": "3.999999"}, "rest_s"),
        ({"hold_s": "4", "rest_s": "1"}, "rest_s"),
        ({"repetitions": "86", "sets": "2"}, ""),
        ({"repetitions": "87", "sets": "2"}, "repetitions"),
    ],
)
def test_bounds_of_a_burst_and_a_session(changes: dict[str, str], field: str) -> None:
    """Ramp-up 0.5 s, on-time 20 s, duty 60 %, 60 min at a site (A.5) less 10 for what comes before."""
    text = CYCLIC
    for key, value in changes.items():
        text = put(text, key, value)
    if field:
        fault = the_fault(text)
        assert fault.field.endswith(f".{field}")
        assert fault.value
        assert fault.allowed
        assert "project" in fault.source
    else:
        good(text)


def test_tens_is_not_too_long() -> None:
    good(put(TENS, "duration_min", "50"))
    fault = the_fault(put(TENS, "duration_min", "50.5"))
    assert (fault.field, fault.value, fault.allowed) == ("dose.duration_min", "50.5 min", "at most 50 min")
    assert "finding thresholds and the trial count there too" in fault.message


@pytest.mark.parametrize(
    "text", [put(TENS, "duration_min", "59"), put(drop(CYCLIC, "set_rest_s"), "repetitions", "448")]
)
def test_a_treatment_that_the_site_time_would_cut_short_is_refused(text: str) -> None:
    """What the thresholds and the trial had of the hour is not there for the treatment."""
    for key, value in (("sets", "1"), ("hold_s", "2"), ("rest_s", "4")) if "[burst]" in text else ():
        text = put(text, key, value)
    assert "too long for one site" in the_fault(text).message


def test_waiting_for_attempts_counts_as_session() -> None:
    good(put(put(EMG, "repetitions", "58"), "attempt_window_s", "8"))
    assert the_fault(put(put(EMG, "repetitions", "58"), "attempt_window_s", "10")).field == "dose.repetitions"


def test_a_rest_between_sets_is_stated() -> None:
    assert the_fault(drop(CYCLIC, "set_rest_s")).field == "dose.set_rest_s"
    good(put(CYCLIC, "set_rest_s", "0"))


# --- trigger ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (('channel = "extensors"', 'channel = "flexors"'), "channel"),
        (("threshold_sd = 3.0", ""), "threshold_sd"),
        (("threshold_sd = 3.0", "threshold_sd = 3.0\nthreshold_uv = 20"), "threshold_uv"),
        (("threshold_sd = 3.0", "threshold_sd = 1.0"), "threshold_sd"),
        (("release_fraction = 0.6", "release_fraction = 1.0"), "release_fraction"),
        (("release_fraction = 0.6", "release_fraction = 0"), "release_fraction"),
        (("blanking_ms = 15", "blanking_ms = 14"), "blanking_ms"),
        (("lockout_ms = 300", "lockout_ms = 299"), "lockout_ms"),
        (("attempt_window_s = 8.0", ""), "attempt_window_s"),
        (('on_missed = "count"', 'on_missed = "help"'), "on_missed"),
        (("max_triggers_per_min = 6", "max_triggers_per_min = 0"), "max_triggers_per_min"),
    ],
)
def test_a_trigger_is_complete_and_consistent(change: tuple[str, str], field: str) -> None:
    assert the_fault(edit(EMG, change)).field == f"trigger.{field}"


def test_a_trigger_by_microvolts() -> None:
    good(edit(EMG, ("threshold_sd = 3.0", "threshold_uv = 12.5")))


def test_without_a_cue_nothing_is_missed() -> None:
    found = faults(put(EMG, "cue", "false"))
    assert [fault.field for fault in found] == ["trigger.attempt_window_s", "trigger.on_missed"]


# --- the arithmetic, against floats ----------------------------------------------------------------------------

TRAINS = st.builds(
    pulse.symmetric,
    st.integers(1, 100_000),
    st.integers(20, 500),
    st.integers(500, 200_000),
    interphase_gap_us=st.integers(0, 500),
)
AREAS = st.sampled_from([int(cm2 * UM2_PER_CM2) for cm2 in (3.1415, 4.9087, 8.0425, 16, 20.25, 25, 45)])


@given(train=TRAINS, area=AREAS)
def test_exact_judgements_agree_with_the_formulas_of_the_reference(train: pulse.PulseTrain, area: int) -> None:
    limits = profile_of(BodyPart.FOREARM, Effect.SENSORY)
    figures = pulse.figures(train, SquareMicrometre(area))
    load = bounds.Load(pulse.mean_square_e9(train), area)
    named = {breach.limit for breach in (*bounds.train_breaches(train, limits), *bounds.pad_breaches(load, limits))}
    for name, value, bound in (
        ("charge_nc", figures.charge_uc, 20.0),
        ("rms_ua", figures.rms_ma, 20.0),
        ("energy_uj", figures.energy_mj, 20.0),
        ("rms_density_ua_cm2", figures.rms_density_ma_cm2, 1.5),
        ("power_density_uw_cm2", figures.power_density_mw_cm2, 100.0),
    ):
        if not math.isclose(value, bound, rel_tol=1e-9):
            assert (name in named) == (value > bound)


@given(train=TRAINS, area=AREAS)
def test_the_absolute_column_is_judged_with_its_allowance(train: pulse.PulseTrain, area: int) -> None:
    """R4: rms, densities and energy at 1.2 times the indicated amplitude, whatever a profile says."""
    wide = dataclasses.replace(ABSOLUTE, rms_ua=10**9, rms_density_ua_cm2=10**9, power_density_uw_cm2=10**9)
    figures = pulse.figures(train, SquareMicrometre(area))
    load = bounds.Load(pulse.mean_square_e9(train), area)
    named = {breach.limit for breach in (*bounds.train_breaches(train, wide), *bounds.pad_breaches(load, wide))}
    for name, value, bound in (
        ("rms_ua", figures.rms_ma * 1.2, 50.0),
        ("rms_density_ua_cm2", figures.rms_density_ma_cm2 * 1.2, 2.0),
        ("power_density_uw_cm2", figures.power_density_mw_cm2 * 1.44, 250.0),
    ):
        if not math.isclose(value, bound, rel_tol=1e-9):
            assert (name in named) == (value > bound)


def test_a_pulse_ends_before_the_next_begins() -> None:
    """No file can write such a pulse within its windows; the rule holds all the same."""
    assert bounds.fits_its_period(pulse.symmetric(1, 500, 1_000_000))
    assert not bounds.fits_its_period(pulse.symmetric(1, 501, 1_000_000))
    assert not bounds.fits_its_period(pulse.symmetric(1, 500, 1_000_000, interphase_gap_us=1))


def test_every_bound_that_is_judged_has_a_source() -> None:
    names = {field.name for field in dataclasses.fields(Limits)}
    assert set(bounds.SOURCES) <= names
    assert set(bounds.ABSOLUTE_SOURCES) == set(bounds.SOURCES)
    # what a file cannot state: its pulses are symmetric and single, and titration belongs to the session
    elsewhere = {"pulses_per_period_max", "net_charge_permille", "mean_dc_na"}
    assert names - set(bounds.SOURCES) == elsewhere | {"step_ua", "step_interval_min_us", "rise_ua_per_s"}


def test_a_channel_is_judged_at_its_maximum() -> None:
    channel = good(put(CYCLIC, "max_amplitude_ma", "40.5")).channels[0]
    assert isinstance(channel, Channel)
    assert bounds.train(channel) == pulse.symmetric(40_500, 300, 35_000)
