"""What helps while a file is written: the schema's sentences for every kind, and the name that was probably meant."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stimctl.errors import ProtocolError
from stimctl.protocols import KINDS, library, library_text, loads, schema, template
from tests.authored import shipped

SCHEMA = schema()


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_kind_has_a_sentence_in_the_schema(kind: str) -> None:
    """Down through every table, not only where somebody thought of looking."""
    name = SCHEMA["discriminator"]["mapping"][kind].rpartition("/")[2]
    assert name == KINDS[kind].__name__
    seen: set[str] = set()
    for path, rule in fields(name, seen):
        sentence = rule.get("description", "")
        assert len(sentence.split()) >= 3, path
        assert sentence.endswith("."), path
    stated = {info.alias or field for field, info in KINDS[kind].model_fields.items()}
    assert stated == set(SCHEMA["$defs"][name]["properties"])
    assert len(seen) >= 3


def fields(name: str, seen: set[str]) -> list[tuple[str, dict[str, Any]]]:
    """Every field of a definition and of those that it leads to."""
    seen.add(name)
    found = []
    for field, rule in SCHEMA["$defs"][name]["properties"].items():
        found.append((f"{name}.{field}", rule))
        for inner in re.findall(r"#/\$defs/(\w+)", str(rule)):
            if inner not in seen:
                found += fields(inner, seen)
    return found


@pytest.mark.parametrize("text", [text for _, text in shipped()], ids=[name for name, _ in shipped()])
def test_a_misspelt_part_names_the_one_that_was_meant(text: str) -> None:
    parts = sorted(set(re.findall(r"^\[\[?([a-z]+)", text, re.MULTILINE)))
    assert parts
    for part in parts:
        wrong = re.sub(rf"^(\[\[?){part}\b", rf"\g<1>{part}x", text, flags=re.MULTILINE)
        with pytest.raises(ProtocolError) as caught:
            loads(wrong, "file.toml")
        fault = next(each for each in caught.value.faults if each.field == f"{part}x")
        assert f"did you mean `{part}`?" in fault.message
        assert fault.line == 1 + wrong[: wrong.index(f"[{part}x")].count("\n")


@pytest.mark.parametrize("text", [text for _, text in shipped()], ids=[name for name, _ in shipped()])
def test_a_misspelt_word_of_a_closed_list_names_the_one_that_was_meant(text: str) -> None:
    words = re.findall(
        r"^(kind|model|site|on_missed|technique|exercise|source|count_by|counts) = \"([a-z-]{5,}|plan)\"",
        text,
        re.MULTILINE,
    )
    assert words
    for field, word in words:
        wrong = text.replace(f'{field} = "{word}"', f'{field} = "{word[:-2]}{word[-1]}{word[-2]}"', 1)
        if wrong == text:
            continue
        with pytest.raises(ProtocolError) as caught:
            loads(wrong, "file.toml")
        fault = next(each for each in caught.value.faults if each.field.rpartition(".")[2] == field)
        assert word in fault.message.partition("did you mean")[2], (str(fault), word)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_template_and_a_shipped_file(kind: str) -> None:
    assert template(kind).startswith("#:schema protocol.schema.json\n")
    assert loads(template(kind), "new.toml").kind == kind
    assert kind in {entry.kind for entry in library()}


def test_every_shipped_file_begins_with_the_line_that_editors_look_for() -> None:
    for entry in library():
        assert library_text(entry.name).startswith("#:schema protocol.schema.json\n"), entry.name
