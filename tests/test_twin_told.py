"""What `stimctl sim` tells the author of another client before anybody has opened the port."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stimctl.control import twin


def told(board: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def serve(*_: object, on_ready: Callable[[str], None], **__: object) -> None:
        on_ready("/dev/pts/1")

    monkeypatch.setattr(twin, "serve", serve)
    assert twin.serve_twin(board, "", "./x", 1, lines.append, chosen=True) == 0
    return lines


def test_parity_that_a_pseudo_terminal_cannot_have_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux, opening one with it is an invalid argument, which says nothing of parity."""
    lines = told("rehastim2", monkeypatch)
    assert "even parity" in lines[2]
    assert "no parity: a pseudo-terminal has none" in lines[3]


@pytest.mark.parametrize(("board", "many"), [("p24", 2), ("rehamove3", 3), ("uecu", 3)])
def test_where_the_board_has_none_nothing_is_said(board: str, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(told(board, monkeypatch)) == many
