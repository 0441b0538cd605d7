"""TOML's complaints in the words of somebody who writes a prescription and has never heard of TOML.

``tomllib`` says what its parser expected, which is seldom what the author did. The slips that people make are told
apart by the text around the place; what is none of them keeps the parser's own words.
"""

from __future__ import annotations

import re
from typing import Final

_PLACE: Final = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)\Z")
_NUMBER: Final = re.compile(r"[+-]?\d[\d.]*\Z")
_NAME: Final = re.compile(r"[\w.-]+")
_UNIT: Final = re.compile(r"([A-Za-zµμ°%Ω]+)\s*(#|$)")

_OPEN_QUOTE: Final = (
    "Unterminated string",
    "Illegal character '\\n'",
    "Illegal character '\\r'",
    "Found invalid character '\\n'",
    'Expected "\'"',
    "Expected \"'''\"",
)
_TWICE: Final = ("Cannot overwrite a value", "Cannot declare", "Duplicate inline table key", "Cannot mutate")
REPEATED: Final = {
    "channel": "channel",
    "phase": "phase",
    "step": "step",
    "block": "block",
    "script": "sentence of a script",
}
"""The parts that stand once for each of several things, and what those are."""
_CURLY: Final = "“”„‟‘’‚«»"


def complaint(text: str, error: str) -> tuple[str, int, int]:
    """What is wrong with ``text`` where ``tomllib`` raised ``error``, in words, and the line and column of it."""
    match = _PLACE.search(error)
    said = _PLACE.sub("", error)
    lines = text.split("\n")
    line, column = len(lines), len(lines[-1]) + 1
    if match and match["line"]:
        line, column = int(match["line"]), int(match["column"])
    elif said.startswith(_OPEN_QUOTE):
        line, column = _last_quote(text, said) or (line, column)
    here = lines[line - 1] if line <= len(lines) else ""
    words = _words(said, here[: column - 1], here[column - 1 :])
    return words or f"{said[:1].lower()}{said[1:]}", line, column


def _last_quote(text: str, said: str) -> tuple[int, int] | None:
    """Where a text begins that goes on to the end of the file: at the last mark of its sort."""
    marks = ("'''", "'") if "'" in said else ('"""',)
    at = max(text.rfind(mark) for mark in marks)
    if at < 0:
        return None
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _words(said: str, before: str, after: str) -> str:
    """The slip by name, from the line before and after the place; "" when it is none that we know."""
    if said.startswith(_OPEN_QUOTE):
        return "the quotation mark is not closed"
    if said.startswith(_TWICE):
        return _twice(before)
    if said.startswith("Expected newline"):
        return _after_a_value(before.rstrip(), after.rstrip())
    if said.startswith("Invalid value"):
        return _no_value(after)
    if said.startswith("Expected '='"):
        return "an equals sign is missing: write name = value"
    if said.startswith("Unclosed array"):
        return "a list is not closed: a comma, a quotation mark or its ] is missing"
    return ""


def _twice(before: str) -> str:
    """A field, or a heading, that stands there a second time: which of the two counts is not ours to guess."""
    heading = before.lstrip().startswith("[")
    found = _NAME.search(before)
    if found is None:
        return "a field is stated twice; keep one"
    name = f"[{found[0]}]" if heading else found[0]
    if heading and found[0] in REPEATED:
        return (
            f"[{found[0]}] is stated twice; every {REPEATED[found[0]]} begins with [[{found[0]}]], in double brackets"
        )
    return f"`{name}` is stated twice; keep one"


def _after_a_value(before: str, after: str) -> str:
    if re.match(r"[\w.-]+\s*=", after):
        return "two fields on one line; write each on a line of its own"
    number = _NUMBER.search(before)
    if number is None:
        return ""
    if decimals := re.match(r",(\d+)", after):
        return f"a number has a point, not a comma: write a point: {number[0]}.{decimals[1]}"
    if after == "." or after.startswith((". ", ".#")):
        return f"a number does not end in a point: write {number[0]}.0"
    if unit := _UNIT.match(after):
        return f"a number stands alone, its unit is in the field's name: write {number[0]} without {unit[1]}"
    return ""


def _no_value(after: str) -> str:
    if after.startswith(tuple(_CURLY)):
        return 'quotation marks are straight ones here: write "..."'
    if decimals := re.match(r"\.(\d+)", after):
        return f"a number begins with a digit: write 0.{decimals[1]}"
    if word := re.match(r"(?i)true\b|false\b", after):
        return f"write {word[0].lower()} in small letters"
    if word := re.match(r"(?i)(?:yes|no|on|off)\b", after):
        return f'write true or false, not {word[0]}; a text stands in quotation marks: "..."'
    if after[:1].isalpha():
        return 'a text stands in quotation marks: "..."'
    return ""
