"""What a good file means, and that nothing but a good file becomes a model."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from stimctl.errors import OurBug
from stimctl.limits import PAD_AREA_MAX_UM2, PAD_AREA_MIN_UM2, BodyPart, Effect
from stimctl.protocols import (
    KINDS,
    PAD_MODELS,
    SITES,
    AnyProtocol,
    FesCyclic,
    FesEmgTriggered,
    Limb,
    PadModel,
    TensConventional,
    session_us,
)
from stimctl.units import UM2_PER_CM2, SquareMicrometre
from tests.protocol_texts import CYCLIC, EMG, GOOD, TENS, TWO, drop, edit, faults, good, put, the_fault


@pytest.mark.parametrize("name", GOOD)
def test_the_good_files_are_good(name: str) -> None:
    assert type(good(GOOD[name])) in KINDS.values()


def test_a_cyclic_file_says_what_it_says() -> None:
    protocol = good(CYCLIC)
    assert isinstance(protocol, FesCyclic)
    assert (protocol.format, protocol.kind, protocol.title) == (1, "fes-cyclic", "Test")
    assert protocol.sources == ("nobody: a test",)
    assert protocol.effect is Effect.MOTOR
    (channel,) = protocol.channels
    assert (channel.name, channel.muscle, channel.output) == ("extensors", "extensor digitorum communis", 1)
    assert (channel.amplitude_ma, channel.max_amplitude_ma) == (15.0, 25.0)
    assert (channel.phase_width_us, channel.rate_hz, channel.interphase_gap_us) == (300, 35, 0)
    assert channel.pads == ("proximal", "distal")
    assert channel.part is BodyPart.FOREARM
    assert channel.limb is Limb.ARM
    burst = protocol.burst
    assert (burst.ramp_up_s, burst.hold_s, burst.ramp_down_s, burst.rest_s) == (1.0, 5.0, 1.0, 10.0)
    assert (protocol.dose.repetitions, protocol.dose.sets, protocol.dose.set_rest_s) == (30, 2, 60)


def test_numbers_stay_as_they_were_written() -> None:
    channel = good(put(put(CYCLIC, "amplitude_ma", "15"), "rate_hz", "33.3")).channels[0]
    assert type(channel.amplitude_ma) is int
    assert type(channel.max_amplitude_ma) is float
    assert channel.rate_hz == 33.3


def test_an_emg_file_has_its_trigger() -> None:
    protocol = good(EMG)
    assert isinstance(protocol, FesEmgTriggered)
    trigger = protocol.trigger
    assert (trigger.channel, trigger.threshold_sd, trigger.threshold_uv) == ("extensors", 3.0, None)
    assert (trigger.dwell_ms, trigger.release_fraction, trigger.blanking_ms) == (50, 0.6, 15)
    assert (trigger.lockout_ms, trigger.baseline_s, trigger.max_triggers_per_min) == (300, 2.0, 6)
    assert (trigger.cue, trigger.attempt_window_s, trigger.on_missed) == (True, 8.0, "count")


def test_a_free_trigger_needs_no_window() -> None:
    text = drop(drop(put(EMG, "cue", "false"), "attempt_window_s"), "on_missed")
    protocol = good(text)
    assert isinstance(protocol, FesEmgTriggered)
    assert protocol.trigger.attempt_window_s is None


def test_a_tens_file_is_sensory_and_has_a_duration() -> None:
    protocol = good(put(TENS, "duration_min", "22.5"))
    assert isinstance(protocol, TensConventional)
    assert protocol.effect is Effect.SENSORY
    assert protocol.dose.duration_us == 22_500_000 * 60


def test_defaults_are_few() -> None:
    protocol = good(drop(put(drop(CYCLIC, "set_rest_s"), "sets", "1"), "interphase_gap_us"))
    assert isinstance(protocol, FesCyclic)
    assert protocol.dose.set_rest_s == 0
    assert protocol.channels[0].interphase_gap_us == 0
    good(drop(put(drop(CYCLIC, "set_rest_s"), "sets", "1"), "sets"))


def test_a_shared_pad_is_one_pad() -> None:
    protocol = good(TWO)
    assert set(protocol.pads) == {"proximal", "distal", "thumb"}
    assert [channel.pads for channel in protocol.channels] == [("proximal", "distal"), ("thumb", "distal")]
    assert protocol.pads["distal"].area_um2 == 25 * UM2_PER_CM2


def test_session_length_counts_everything() -> None:
    assert session_us(good(CYCLIC)) == (2 * 30 * 17 + 60) * 1_000_000
    assert session_us(good(EMG)) == (2 * 30 * (17 + 8) + 60) * 1_000_000
    assert session_us(good(TENS)) == 30 * 60 * 1_000_000
    free = drop(drop(put(EMG, "cue", "false"), "attempt_window_s"), "on_missed")
    assert session_us(good(free)) == (2 * 30 * 17 + 60) * 1_000_000


# --- frozen ----------------------------------------------------------------------------------------------------


def test_a_model_cannot_be_changed() -> None:
    protocol: Any = good(CYCLIC)
    with pytest.raises(ValidationError):
        protocol.title = "Another"
    with pytest.raises(ValidationError):
        protocol.channels[0].amplitude_ma = 60.0
    with pytest.raises(TypeError):
        protocol.pads["new"] = protocol.pads["distal"]
    with pytest.raises(AttributeError):
        protocol.channels.append(protocol.channels[0])
    with pytest.raises(ValidationError):
        protocol.channels[0].part = BodyPart.SHOULDER


def test_a_model_dumps_to_what_was_read() -> None:
    protocol = good(TWO)
    again = type(protocol).model_validate(protocol.model_dump(by_alias=True, exclude_unset=True))
    assert again == protocol


def test_every_kind_is_in_the_union() -> None:
    assert set(get_args(get_args(AnyProtocol)[0])) == set(KINDS.values())
    for kind, model in KINDS.items():
        assert get_args(model.model_fields["kind"].annotation) == (kind,)


# --- pads and sites --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cm2"),
    [  # the areas that the clinical reference computes with (A.7), pinned a second time
        ("square-50x50", 25.0),
        ("square-45x45", 20.25),
        ("round-25", 4.9087),
        ("round-32", 8.0425),
        ("round-50", 19.635),
        ("round-20", 3.1416),
        ("square-40x40", 16.0),
        ("rectangle-50x90", 45.0),
    ],
)
def test_pad_areas(name: str, cm2: float) -> None:
    assert math.isclose(PAD_MODELS[name].area_cm2, cm2, rel_tol=1e-4)
    assert PAD_MODELS[name].area_um2 <= cm2 * UM2_PER_CM2 * 1.0001


def test_pad_table_is_plausible_and_closed() -> None:
    assert len(PAD_MODELS) == 8
    for name, model in PAD_MODELS.items():
        assert name == model.name
        assert PAD_AREA_MIN_UM2 <= model.area_um2 <= PAD_AREA_MAX_UM2
    table: Any = PAD_MODELS
    with pytest.raises(TypeError):
        table["bigger"] = PAD_MODELS["round-50"]


@pytest.mark.parametrize("cm2", [0, 0.25, 2500, -25, math.nan])
def test_an_implausible_pad_cannot_be_listed(cm2: float) -> None:
    area: Any = cm2 if math.isnan(cm2) else int(cm2 * UM2_PER_CM2)
    with pytest.raises(OurBug, match="implausible"):
        PadModel("mistake", SquareMicrometre(area), "")


def test_sites_are_closed_and_on_one_arm() -> None:
    assert {name: site.part for name, site in SITES.items()} == {
        "forearm-dorsal": BodyPart.FOREARM,
        "forearm-volar": BodyPart.FOREARM,
        "thenar": BodyPart.THENAR,
        "hypothenar": BodyPart.THENAR,
        "hand-dorsal": BodyPart.THENAR,
        "upper-arm": BodyPart.FOREARM,
        "shoulder": BodyPart.SHOULDER,
    }
    assert {site.limb for site in SITES.values()} == {Limb.ARM}


@pytest.mark.parametrize(
    "site",
    [
        *("chest", "head", "eyes", "mouth", "neck", "front-of-neck", "carotid", "heart", "upper-back", "abdomen"),
        *("pelvis", "transthoracic", "Chest", "neck_front", "chest wall"),
    ],
)
def test_forbidden_placements_cannot_be_written(site: str) -> None:
    fault = the_fault(put(CYCLIC, "site", f'"{site}"'))
    assert fault.field == "channel[1].site"
    assert "forearm-dorsal" in fault.allowed
    if site != "chest wall":
        assert "forbidden placement" in fault.message


@pytest.mark.parametrize(
    "site", ["left-forearm", "forearm", "", "FOREARM-DORSAL", "forearm-dorsal ", "thigh", "back-of-hand"]
)
def test_unlisted_sites_cannot_be_written(site: str) -> None:
    fault = the_fault(put(CYCLIC, "site", f'"{site}"'))
    assert (fault.field, "is not on the list" in fault.message) == ("channel[1].site", True)


def test_a_channel_has_one_site_for_both_pads() -> None:
    """Pads have no site of their own, so no file can put them on two limbs (H08)."""
    fault = the_fault(edit(CYCLIC, ('model = "square-50x50"', 'model = "square-50x50"\nsite = "shoulder"')))
    assert (fault.field, fault.message) == ("pads.proximal.site", "unknown field")


def test_a_side_is_never_in_a_file() -> None:
    fault = the_fault(edit(CYCLIC, ("output = 1", 'output = 1\nside = "left"')))
    assert "session asks" in fault.message


# --- strictness ------------------------------------------------------------------------------------------------

NUMBERS = (
    *("amplitude_ma", "max_amplitude_ma", "phase_width_us", "rate_hz", "interphase_gap_us", "output"),
    *("ramp_up_s", "hold_s", "ramp_down_s", "rest_s", "repetitions", "sets", "set_rest_s"),
    *("threshold_sd", "dwell_ms", "release_fraction", "blanking_ms", "lockout_ms", "baseline_s"),
    *("attempt_window_s", "max_triggers_per_min", "format"),
)


@pytest.mark.parametrize("field", NUMBERS)
def test_only_finite_numbers_are_numbers(field: str) -> None:
    for value in ("nan", "-nan", "inf", "-inf", "true", "false", '"20"', '"20 mA"', "[20]", "{}"):
        assert field in {fault.field.split(".")[-1] for fault in faults(put(EMG, field, value))}, value


@pytest.mark.parametrize("value", ["nan", "inf", "true", '"30"', "2026-01-01", "07:32:00"])
def test_a_duration_is_a_number(value: str) -> None:
    assert the_fault(put(TENS, "duration_min", value)).field == "dose.duration_min"


@pytest.mark.parametrize("field", NUMBERS)
def test_no_number_is_negative_or_enormous(field: str) -> None:
    for value in ("-1", "-0.5", "1e300", "-1e300", "9" * 400):
        assert field in {fault.field.split(".")[-1] for fault in faults(put(EMG, field, value))}, value


@pytest.mark.parametrize("value", ["1", "0", '"true"', '"yes"', "1.0"])
def test_only_true_and_false_are_true_and_false(value: str) -> None:
    assert "trigger.cue" in {fault.field for fault in faults(put(EMG, "cue", value))}


@pytest.mark.parametrize("field", ["title", "purpose", "muscle"])
@pytest.mark.parametrize("value", ['""', '"  "', "3", "true", '"' + "x" * 900 + '"', '"a\\u001b[2J"', '"\\u202eabc"'])
def test_text_is_text_that_a_terminal_can_show(field: str, value: str) -> None:
    fault = the_fault(put(CYCLIC, field, value))
    assert fault.field.endswith(field)
    assert str(fault).isprintable()


def test_a_purpose_may_have_several_lines() -> None:
    assert "\n" in good(put(CYCLIC, "purpose", '"""one\ntwo"""')).purpose
    assert the_fault(put(CYCLIC, "title", '"one\\ntwo"')).field == "title"


@pytest.mark.parametrize("value", ["[]", '["a", "a"]', "[1]", '"a text"', '[""]', "{}"])
def test_sources_are_texts_and_never_missing(value: str) -> None:
    assert the_fault(put(CYCLIC, "sources", value)).field == "sources"


@pytest.mark.parametrize("value", ['""', '"Extensors"', '"1st"', '"a b"', '"ä"', "3", '"' + "a" * 33 + '"', '"a\\n"'])
def test_a_name_is_a_name(value: str) -> None:
    assert "channel[1].name" in {fault.field for fault in faults(put(CYCLIC, "name", value))}


@pytest.mark.parametrize(
    "value",
    ['["proximal"]', '["proximal", "proximal"]', '["proximal", "distal", "distal"]', "[]", '"proximal"', "[1, 2]"],
)
def test_a_channel_has_exactly_two_different_pads(value: str) -> None:
    assert the_fault(put(CYCLIC, "pads", value)).field == "channel[1].pads"


@pytest.mark.parametrize("value", ["0", "2", "1.0", '"1"', "true"])
def test_only_format_1_is_read(value: str) -> None:
    assert the_fault(put(CYCLIC, "format", value)).field == "format"


REQUIRED = (
    *("format", "kind", "title", "purpose", "sources", "model", "name", "muscle", "output", "site", "pads"),
    *("amplitude_ma", "max_amplitude_ma", "phase_width_us", "rate_hz", "ramp_up_s", "hold_s", "ramp_down_s", "rest_s"),
    *("repetitions", "channel", "threshold_sd", "dwell_ms", "release_fraction", "blanking_ms", "lockout_ms"),
    *("baseline_s", "cue", "attempt_window_s", "max_triggers_per_min"),
)


@pytest.mark.parametrize("field", REQUIRED)
def test_what_is_required_is_missed(field: str) -> None:
    fault = the_fault(drop(EMG, f"{field} ="))
    assert fault.field.split(".")[-1] == field
    assert fault.message.startswith("is missing")
    assert fault.line > 0


@pytest.mark.parametrize("table", ["[pads.proximal]", "[[channel]]", "[burst]", "[dose]", "[trigger]"])
def test_an_unknown_field_is_found_in_every_table(table: str) -> None:
    fault = the_fault(edit(EMG, (table, f"{table}\nextra = 1")))
    assert fault.field.endswith(".extra")
    assert fault.message == "unknown field"


@pytest.mark.parametrize(
    ("kind", "text"),
    [("fes-cyclic", "\n[trigger]\ncue = true\n"), ("tens-conventional", "\n[burst]\n")],
)
def test_a_kind_refuses_what_belongs_to_another(kind: str, text: str) -> None:
    base = CYCLIC if kind == "fes-cyclic" else TENS
    assert the_fault(base + text).message.startswith("unknown field")
