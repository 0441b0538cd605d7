"""How every screen looks, as pictures: ``pytest --snapshot-update`` after a change that was meant, and look at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from stimctl.orders import OrderKind, OutputWord, Status
from stimctl.tui import Face
from tests.faces import EMG, LIBRARY, RUN, STEPS, Clock, FakeHandle, channel

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
Compare = Callable[..., bool]


def picture(compare: Compare, status: Status, size: tuple[int, int], *keys: str) -> bool:
    face = Face(FakeHandle(status), LIBRARY, clock=Clock())

    async def show(pilot: Pilot[None]) -> None:
        face.tick()
        await pilot.press(*keys)
        await pilot.pause()

    return compare(face, terminal_size=size, run_before=show)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("simulated", [True, False], ids=["simulated", "real"])
@pytest.mark.parametrize("step", STEPS)
def test_screen(snap_compare: Compare, step: str, simulated: bool, size: tuple[int, int]) -> None:
    board = "sim:" if simulated else "reference:/dev/ttyUSB0"
    assert picture(snap_compare, replace(STEPS[step], simulated=simulated, board=board), size)


STOPPED = replace(
    RUN, stopped=True, output=OutputWord.UNKNOWN, alarm="high", alarm_text="the board does not confirm the stop",
    channels=tuple(channel(at) for at in range(4)),
)  # fmt: skip


def test_stop_not_confirmed(snap_compare: Compare) -> None:
    assert picture(snap_compare, STOPPED, SIZES["80x24"])


def test_stop_confirmed(snap_compare: Compare) -> None:
    done = replace(STOPPED, output=OutputWord.OFF, stop_confirmed=True, stop_reason="Space", alarm="", emg=None)
    assert picture(snap_compare, done, SIZES["80x24"])


def test_help(snap_compare: Compare) -> None:
    assert picture(snap_compare, RUN, SIZES["80x24"], "?")


def test_too_small(snap_compare: Compare) -> None:
    assert picture(snap_compare, RUN, (60, 18))


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(snap_compare, STOPPED, SIZES["80x24"])


MEASURING = replace(
    RUN, state="ready", output=OutputWord.OFF, can=(),
    next_action="Output off. Attempt 2 of 3: open the hand as hard as it comfortably goes.",
    channels=tuple(replace(each, now_ua=0, measured_ua=0, level_ua=0) for each in RUN.channels),
    emg=replace(EMG, efforts_uv=(2.1, 31.4, None, None), measuring=2),
)  # fmt: skip


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_muscles_range_while_it_is_measured(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert picture(snap_compare, MEASURING, size)


def test_the_muscles_range_to_take_or_to_make_again(snap_compare: Compare) -> None:
    found = replace(
        MEASURING,
        next_action="Output off. Trigger level 12.9 µV: Start accepts it, Enter measures again.",
        can=(OrderKind.NEXT, OrderKind.START, OrderKind.FINISH),
        emg=replace(EMG, efforts_uv=(2.1, 31.4, 38.0, 24.2, 12.9)),
    )
    assert picture(snap_compare, found, SIZES["80x24"])
