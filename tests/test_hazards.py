"""The table of hazards names every hazard, tests that are there and code that is there; its page is made from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.hazards import IDS, PAGE, ROOT, Hazard, anchor, faults, is_a_test, is_defined, is_told, load, page

HAZARDS = load()


def test_every_hazard_has_its_tests_and_its_code() -> None:
    assert faults(HAZARDS) == []
    assert tuple(hazard.id for hazard in HAZARDS) == IDS


def test_the_page_is_made_from_the_table() -> None:
    """Make it again with ``python -m tests.hazards`` after a change."""
    assert PAGE.read_text(encoding="utf-8") == page(HAZARDS)


def test_no_test_is_named_twice_for_one_hazard() -> None:
    assert [h.id for h in HAZARDS if len(set(h.tests)) != len(h.tests) or len(set(h.code)) != len(h.code)] == []


# --- the check itself: each way of being wrong is found ------------------------------------------------------------


def spoilt(**changes: object) -> list[str]:
    """The faults of the table whose first row was changed so."""
    return faults((replace(HAZARDS[0], **changes), *HAZARDS[1:]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": "H99"}, "H01: is missing"),
        ({"id": "H02"}, "H02: is there 2 times"),
        ({"id": "H55"}, "H55: is no known hazard"),
        ({"tests": ()}, "H01: no test shows"),
        ({"tests": ("tests/test_engine.py::test_that_nobody_wrote",)}, "does not exist"),
        ({"tests": ("tests/test_engine.py",)}, "does not exist"),
        ({"tests": ("tests/test_nothing.py::test_a",)}, "does not exist"),
        ({"tests": ("tests/test_engine.py::run",)}, "does not exist"),
        ({"tests": ("tests/hazards.py::load",)}, "does not exist"),
        ({"code": ("stimctl/safety.py::Limiter.approves",)}, "is gone"),
        ({"code": ("stimctl/nowhere.py::f",)}, "is gone"),
        ({"code": ("tests/hazards.py::load",)}, "is gone"),
        ({"code": ()}, "no code holds it"),
        ({"kind": ("hardware",), "told": ()}, "told nowhere"),
        ({"kind": ("later",)}, "is no kind"),
        ({"severity": "S9"}, "is no severity"),
        ({"mitigation": ""}, "mitigation is empty"),
        ({"told": ("README.md#no-such-heading",)}, "tells nothing"),
        ({"told": ("stimctl/widgets/frame.py::nobody says this",)}, "tells nothing"),
        ({"told": ("docs/nowhere.md#a",)}, "tells nothing"),
        ({"told": ("README.md",)}, "tells nothing"),
    ],
    ids=str,
)
def test_a_table_that_is_wrong_is_found(changes: dict[str, object], says: str) -> None:
    assert any(says in fault for fault in spoilt(**changes)), spoilt(**changes)


def test_a_row_that_is_missing_is_found() -> None:
    assert faults(HAZARDS[:20] + HAZARDS[21:]) == ["H21: is missing"]


def test_names_are_found_where_they_are_defined_and_nowhere_else() -> None:
    assert is_defined("stimctl/safety.py::Limiter.approve")
    assert is_defined("stimctl/limits.py::ABSOLUTE")
    assert is_defined("tests/test_transport.py::Battery.test_close_is_idempotent_and_final")
    assert not is_defined("stimctl/safety.py::strength"), "imported there, defined elsewhere"
    assert not is_defined("stimctl/safety.py::approve"), "a method is named with its class"
    assert not is_a_test("tests/test_transport.py::Battery.test_close_is_idempotent_and_final"), "pytest asks its heirs"


def test_what_is_told_is_a_heading_or_a_text_and_no_comment(tmp_path: Path) -> None:
    assert is_told("docs/responsibilities.md#what-the-board-and-its-wiring-must-do")
    assert is_told("README.md::not a certified medical device")
    code = tmp_path / "a.py"
    code.write_text('"""said in a docstring"""\n# said in a comment\nX = "said on a screen"\n', encoding="utf-8")
    assert is_told("a.py::said on a screen", tmp_path)
    assert not is_told("a.py::said in a comment", tmp_path)
    assert not is_told("a.py::said in a docstring", tmp_path)
    assert anchor("H44, and what?") == "h44-and-what"


def test_an_unknown_or_missing_field_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hazards.toml"
    for text in ('[[hazard]]\nid = "H01"\n', '[[hazard]]\nid = "H01"\nsafe = true\n'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(TypeError):
            load(path)


def test_the_table_lies_beside_its_page() -> None:
    assert isinstance(HAZARDS[0], Hazard)
    assert PAGE.parent == ROOT / "docs"
