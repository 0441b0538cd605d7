"""The shipped files, the templates and the schema: they load, they agree, and they leave room to the limits."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from stimctl.errors import UsageError
from stimctl.limits import SMALL_PAD_UM2, BodyPart, warning
from stimctl.protocols import (
    KINDS,
    PAD_MODELS,
    SITES,
    FesEmgTriggered,
    Guided,
    Plan,
    library,
    library_text,
    load,
    loads,
    schema,
    session_us,
    template,
)
from stimctl.protocols import __all__ as exported
from stimctl.protocols.bounds import train
from stimctl.protocols.fes import Fes
from stimctl.protocols.models import AnyProtocol
from stimctl.pulse import figures
from stimctl.units import MINUTE, microseconds
from tests.protocol_texts import GOOD

LIBRARY = Path(__file__).parents[1] / "stimctl" / "protocols" / "library"
NAMES = [entry.name for entry in library()]
WARN_PEAK_MA = {BodyPart.FOREARM: 40, BodyPart.THENAR: 20, BodyPart.SHOULDER: 60}


# --- the library -----------------------------------------------------------------------------------------------


def test_the_library_has_what_was_promised() -> None:
    assert sorted(NAMES) == NAMES
    assert set(NAMES) >= {
        *("wrist-finger-extensors-cyclic", "wrist-finger-extensors-emg", "hand-opening-two-channel-emg"),
        *("thenar-cyclic", "tens-conventional-forearm"),
    }
    assert {entry.kind for entry in library()} == set(KINDS)
    assert sorted(path.stem for path in LIBRARY.glob("*.toml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_file_loads_and_says_where_it_comes_from(name: str) -> None:
    text = library_text(name)
    protocol = loads(text, name)
    entry = next(entry for entry in library() if entry.name == name)
    assert (entry.kind, entry.title) == (protocol.kind, protocol.title)
    assert protocol == load(LIBRARY / f"{name}.toml")
    assert len(protocol.sources) >= 2
    assert len(protocol.purpose) > 60
    assert text.startswith("#:schema protocol.schema.json\n# ")
    assert text.count("#") >= 6


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_file_keeps_clear_of_every_warning(name: str) -> None:
    """A.5's warn column: 40 (20, 60) mA, 12 µC, 10 mA rms, 1 mA/cm², 50 % duty, 1 s ramp, 45 min."""
    protocol = loads(library_text(name), name)
    if isinstance(protocol, (Guided, Plan)):
        return  # nothing flows, or in blocks that are files of their own
    for channel in protocol.channels:
        area = min(protocol.pads[pad].area_um2 for pad in channel.pads)
        small = area < SMALL_PAD_UM2
        strongest = figures(train(protocol.strongest(channel)), area)
        assert channel.max_amplitude_ma <= (20 if small else WARN_PEAK_MA[channel.part])
        assert strongest.charge_uc <= 9
        assert strongest.rms_ma <= 10
        assert strongest.rms_density_ma_cm2 <= 0.75  # half of the refusal: also right for a board without impedance
        assert channel.amplitude_ma < channel.max_amplitude_ma
        assert channel.rate_hz * 1_000 <= warning(channel.part, protocol.effect, smallest_pad_um2=area).rate_max_mhz
    assert session_us(protocol) <= 45 * MINUTE
    if isinstance(protocol, Fes):
        on = protocol.burst.ramp_up_s + protocol.burst.hold_s + protocol.burst.ramp_down_s
        assert microseconds(protocol.burst.ramp_up_s) >= 1_000_000
        assert on <= 0.5 * (on + protocol.burst.rest_s)
        assert on <= 15


def test_an_unknown_name_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean `thenar-cyclic`") as caught:
        library_text("thenar-cylic")
    assert "tens-conventional-forearm" in str(caught.value)


@pytest.mark.parametrize("name", ["", "../models", "thenar-cyclic.toml", "/etc/passwd", "protocol.schema"])
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(UsageError):
        library_text(name)


# --- templates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_loads_and_explains_itself(kind: str) -> None:
    text = template(kind)
    assert loads(text, "new.toml").kind == kind
    assert "stimctl check" in text
    assert "YOUR numbers" in text
    assert text.count("#:schema") == 1
    assert all(len(line) < 400 for line in text.split("\n"))


def test_a_template_of_no_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean `fes-cyclic`"):
        template("fes-cyclc")


# --- the schema ------------------------------------------------------------------------------------------------


def test_the_shipped_schema_is_the_schema() -> None:
    """Make it again with ``stimctl schema > stimctl/protocols/library/protocol.schema.json`` after a change."""
    assert json.loads((LIBRARY / "protocol.schema.json").read_text("utf-8")) == schema()


def test_every_field_has_a_sentence_and_every_unit_is_named() -> None:
    units = {"ma": "mA", "us": "µs", "hz": "Hz", "s": " s", "ms": " ms", "min": "min", "uv": "µV", "sd": "deviations"}
    seen = 0
    for definition in schema()["$defs"].values():
        assert definition["additionalProperties"] is False
        for name, field in definition["properties"].items():
            seen += 1
            sentence = field["description"]
            assert sentence.endswith(".")
            assert sentence[:1].isupper() or sentence.startswith("true:")
            unit = name.rpartition("_")[2]
            if "_" in name and unit in units and name != "max_triggers_per_min":
                assert units[unit] in sentence, name
    assert seen > 50


def test_the_schema_is_json_and_says_what_it_is() -> None:
    document = json.loads(json.dumps(schema(), allow_nan=False))
    assert document["$schema"].startswith("https://json-schema.org/")
    assert document["discriminator"]["propertyName"] == "kind"
    assert set(document["discriminator"]["mapping"]) == set(KINDS)
    channel = document["$defs"]["Channel"]
    assert channel["properties"]["site"]["enum"] == list(SITES)
    assert document["$defs"]["PadUse"]["properties"]["model"]["enum"] == list(PAD_MODELS)
    assert "output" in channel["required"]
    assert "interphase_gap_us" not in channel["required"]
    assert "null" not in json.dumps(document)


@pytest.mark.parametrize("text", [*GOOD.values(), *map(library_text, NAMES)])
def test_good_files_fit_the_schema(text: str) -> None:
    """A small judge of our own, for the few words that our schema uses."""
    document = schema()
    data = tomllib.loads(text)
    kind = document["discriminator"]["mapping"][data["kind"]]
    fits(data, {"$ref": kind}, document)


def fits(value: Any, rule: dict[str, Any], document: dict[str, Any]) -> None:
    if "$ref" in rule:
        fits(value, document["$defs"][rule["$ref"].rpartition("/")[2]], document)
        return
    shape: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    assert isinstance(value, shape[rule["type"]])
    if isinstance(value, dict):
        fields, patterns = rule.get("properties", {}), rule.get("patternProperties", {})
        assert set(rule.get("required", ())) <= set(value)
        for key, item in value.items():
            inner = fields.get(key) or next(each for pattern, each in patterns.items() if re.match(pattern, key))
            fits(item, inner, document)
    elif isinstance(value, list):
        assert rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", 99)
        for item in value:
            fits(item, rule["items"], document)
    elif isinstance(value, str):
        assert value in rule.get("enum", [value])
        assert re.match(rule.get("pattern", ""), value)
    else:
        assert rule.get("minimum", value) <= value <= rule.get("maximum", value)
    assert value == rule.get("const", value)


def test_the_union_is_told_apart_by_kind() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(AnyProtocol)
    for text in GOOD.values():
        data = tomllib.loads(text)
        assert type(adapter.validate_python(data)) is KINDS[data["kind"]]


# --- the guide for authors ----------------------------------------------------------------------------------------

GUIDE = (Path(__file__).parents[1] / "docs" / "protocol-files.md").read_text("utf-8")


GUIDED_PARTS = ("activity", "step", "feedback", "emg", "angle", "block", "week")


def rows(name: str) -> list[str]:
    return [line for line in GUIDE.split("\n") if re.match(rf"\| (`\w+`, )*`{re.escape(name)}`(, `\w+`)* \|", line)]


def test_the_example_of_the_guide_loads() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert loads(example, "guide").kind == "fes-emg-triggered"


def test_the_guide_explains_every_field_with_its_range() -> None:
    for definition in schema()["$defs"].values():
        for name, field in definition["properties"].items():
            if name in (
                "pads",
                "channel",
                "burst",
                "dose",
                "trigger",
                "switch",
                "sequence",
                "control",
                "cycle",
                "phase",
                "modulation",
                "alternation",
                "packet",
                "script",
                *GUIDED_PARTS,
            ):
                assert f"[{name}" in GUIDE
                continue
            assert rows(name), name
            if "minimum" in field:
                window = f"{field['minimum']:g} to {field['maximum']:g}"
                assert any(window in row.replace("10000", "1e+04") or window in row for row in rows(name)), (
                    name,
                    window,
                )


def test_the_guide_lists_every_pad_site_and_kind() -> None:
    for name, model in PAD_MODELS.items():
        assert f"{model.area_cm2:.3g} cm²" in rows(name)[0].replace(".0 cm²", " cm²").replace("20.3", f"{20.25:.3g}")
    for name, site in SITES.items():
        assert str(site.part) in rows(name)[0].split("|")[3]
    for kind in KINDS:
        assert rows(kind)


# --- the room --------------------------------------------------------------------------------------------------


def test_public_names_are_sorted_and_there() -> None:
    import stimctl.protocols as room

    assert list(exported) == sorted(exported, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert all(hasattr(room, name) for name in exported)


def test_what_slows_a_start_is_not_imported() -> None:
    """``stimctl check`` starts cold in 300 ms: no NumPy, no Textual, and no grammar until there is a fault."""
    script = (
        "import sys; from stimctl.protocols import library, load; [load(entry.path) for entry in library()];"
        "print([name for name in ('numpy', 'textual', 'serial', 'tree_sitter', 'tree_sitter_toml') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=LIBRARY.parents[2]
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_a_threshold_and_the_source_that_is_given_for_it_agree(name: str) -> None:
    protocol = loads(library_text(name), name)
    if isinstance(protocol, FesEmgTriggered):
        said = next(source for source in protocol.sources if source.startswith("Threshold"))
        assert f"{protocol.trigger.threshold_sd:g} suits" in said
