"""The face in a headless terminal: STOP from everywhere, orders as pressed, and the session's stage on the screen."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence, Sized
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, ContentSwitcher, Input, OptionList, RadioSet

from stimctl import tui
from stimctl.orders import GuideStatus, Order, OrderKind, OutputWord, Stage, Status
from stimctl.tui import PANES, Face
from stimctl.widgets import channels
from stimctl.widgets.forms import ScreeningForm
from stimctl.widgets.keys import LONE_US, PRESSES, Lone
from tests.faces import (
    EMG,
    LIBRARY,
    PADS,
    QUESTIONS,
    REVIEW,
    RUN,
    SCREENING,
    START,
    STEPS,
    THRESHOLDS,
    Clock,
    FakeHandle,
    channel,
)

K = OrderKind
STOPS = ("space", "escape", "ctrl+x", "ctrl+c", "ctrl+z", "ctrl+@")
SIZE = (80, 24)


class Bench:
    """A running face with its handle, clock and keyboard."""

    def __init__(self, face: Face, handle: FakeHandle, clock: Clock, pilot: Pilot[None]) -> None:
        self.face, self.handle, self.clock, self.pilot = face, handle, clock, pilot

    async def show(self, status: Status) -> None:
        self.handle.statuses.append(status)
        self.face.tick()
        await self.quiet()

    async def reset(self, size: tuple[int, int]) -> None:
        face = self.face
        for field in face.query(Input):
            field.value = ""
        face.set_focus(None)
        face.query_one("#help").remove_class("open")
        face._status, face._lone, face._hint, face._ask, face._stop_us, face._leaving = (
            None,
            Lone(),
            "",
            None,
            None,
            False,
        )
        self.handle.sent.clear()
        self.handle.statuses.clear()
        self.handle.stops = 0
        if face.size != size:
            await self.pilot.resize_terminal(*size)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Keys a moment apart, as a person gives them."""
        for key in keys:
            self.clock.pass_ms(500)
            await self.keys(key)
            self.clock.pass_ms(LONE_US // 1_000)
            self.face.tick()

    async def type(self, text: str) -> None:
        """Letters without a pause, as into a field."""
        await self.keys(*text)

    def key(self, key: str) -> None:
        """One key event, as the terminal's driver posts it, without the pilot's waits."""
        self.face.post_message(events.Key(key, {"space": " ", "minus": "-"}.get(key, key if len(key) == 1 else None)))

    async def keys(self, *keys: str) -> None:
        """Keys without a pause between them. The pilot's own press waits 60 ms for each."""
        for key in keys:
            self.key(key)
        await self.quiet()

    async def quiet(self) -> None:
        """Let what was posted pass from the application to the screen, on to a widget, and what it says come back."""
        nodes = (self.face, self.face.screen, *self.face.screen.walk_children(Widget))
        # Looked at thousands of times: the bare queues.
        waiting: list[Sized] = [node._message_queue.values for node in nodes]
        still = 0
        while still < 20:  # the test's own time limit is the guard
            await asyncio.sleep(0)
            still = 0 if any(waiting) else still + 1

    async def lines(self) -> list[str]:
        await self.pilot.pause()
        strips = self.face.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    async def text(self) -> str:
        return "\n".join(await self.lines())

    @property
    def kinds(self) -> list[OrderKind]:
        return [order.kind for order in self.handle.sent]


@asynccontextmanager
async def bench(
    *statuses: Status, size: tuple[int, int] = SIZE, protocol: str = "", board: str = "sim:"
) -> AsyncIterator[Bench]:
    handle, clock = FakeHandle(), Clock()
    face = Face(handle, LIBRARY, clock=clock, protocol=protocol, board=board)
    async with face.run_test(size=size) as pilot:
        one = Bench(face, handle, clock, pilot)
        for status in statuses:
            await one.show(status)
        yield one


class Stage80:
    """One face for all tests of this file that leave it running: starting one takes longer than most of them."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.context = bench()
        self.bench = self.runner.run(self._open())

    async def _open(self) -> Bench:
        return await self.context.__aenter__()

    def play(self, test: Callable[[Bench], Awaitable[None]], statuses: Sequence[Status], size: tuple[int, int]) -> None:
        async def go() -> None:
            await self.bench.reset(size)
            for status in statuses:
                await self.bench.show(status)
            await self.bench.pilot.pause()  # quiet queues are not yet a screen that is laid out
            await test(self.bench)

        self.runner.run(go())

    def close(self) -> None:
        async def end() -> None:
            await self.context.__aexit__(None, None, None)

        self.runner.run(end())
        self.runner.close()


_open: list[Stage80] = []


@pytest.fixture(scope="module", autouse=True)
def _curtain() -> Iterator[None]:
    yield
    while _open:
        _open.pop().close()


def play(test: Callable[[Bench], Awaitable[None]], *statuses: Status, size: tuple[int, int] = SIZE) -> None:
    """Run an asynchronous test on the shared face, which shows ``statuses`` first."""
    if not _open:
        _open.append(Stage80())
    _open[0].play(test, statuses, size)


def on(*statuses: Status, size: tuple[int, int] = SIZE) -> Callable[..., Callable[[], None]]:
    """Turn an asynchronous function into one that runs on the shared face."""
    return lambda test: lambda: play(test, *statuses, size=size)


def alone(*statuses: Status, protocol: str = "", board: str = "sim:") -> Callable[..., Callable[[], None]]:
    """The same on a face of its own, for tests that end it or fill its forms."""

    async def go(test: Callable[[Bench], Awaitable[None]]) -> None:
        async with bench(*statuses, protocol=protocol, board=board) as one:
            await test(one)

    return lambda test: lambda: asyncio.run(go(test))


# --- stop --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (60, 18), (120, 40)], ids=["usual", "too small", "large"])
@pytest.mark.parametrize("step", STEPS)
def test_every_stop_key_stops_on_every_screen_in_every_focus(step: str, size: tuple[int, int]) -> None:
    async def go(one: Bench) -> None:
        focuses: list[Widget | None] = [None, *one.face.screen.query("Input, OptionList, Button, RadioSet")]
        assert len(focuses) > 10
        for focus in focuses:
            one.face.set_focus(focus)
            one.handle.stops = 0
            for at, key in enumerate(STOPS, 1):
                await one.keys(key)
                assert one.handle.stops == at, (step, focus, key)
        assert one.handle.sent == []
        assert one.face.is_running

    play(go, STEPS[step], size=size)


@pytest.mark.parametrize("situation", ["help", "question", "reason", "waiting"])
def test_stop_works_whatever_is_open(situation: str) -> None:
    async def go(one: Bench) -> None:
        if situation == "help":
            await one.press("?")
        elif situation == "question":
            await one.press("w")
        elif situation == "reason":
            one.face.query_one("#questions", OptionList).highlighted = 3
            await one.press("y")
            assert isinstance(one.face.focused, Input)
        else:
            await one.keys("r")
        for key in STOPS:
            await one.keys(key)
        assert one.handle.stops == len(STOPS)
        one.clock.pass_ms(300)
        one.face.tick()
        yes = [Order(K.ANSWER, name="metal", value="yes")]  # at once, still without its reason
        assert one.handle.sent == (yes if situation == "reason" else [])  # also not the raise that was waiting

    play(go, SCREENING if situation == "reason" else RUN)


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u3000"])
def test_every_kind_of_space_stops_also_while_typing(space: str) -> None:
    async def go(one: Bench) -> None:
        note = one.face.query_one("#note", Input)
        note.focus()
        one.face.post_message(events.Key("whatever", space))
        await one.pilot.pause()
        assert one.handle.stops == 1
        assert note.value == ""

    play(go, REVIEW)


@pytest.mark.parametrize("step", STEPS)
def test_the_drawn_stop_stops(step: str) -> None:
    async def go(one: Bench) -> None:
        await one.pilot.mouse_down("#stop")
        assert one.handle.stops == 1
        stop = one.face.query_one("#stop").region
        for other in ("#raise", "#lower"):
            region = one.face.query_one(other).region
            assert stop.area > region.area

    play(go, STEPS[step])


def test_there_is_never_a_screen_above_the_screen() -> None:
    async def go(one: Bench) -> None:
        for key in ("ctrl+p", "ctrl+backslash", "f1", "?", "w", "q", "ctrl+q"):
            await one.keys(key)
            assert len(one.face.screen_stack) == 1

    alone(*STEPS.values())(go)()


@on(RUN)
async def _stop_is_amber(one: Bench) -> None:
    await one.keys("space")
    assert "NOT CONFIRMED" in await one.text()
    await one.show(RUN)  # on its way before the stop arrived
    assert "NOT CONFIRMED" in await one.text()
    await one.show(replace(RUN, stopped=True, output=OutputWord.UNKNOWN))
    assert "NOT CONFIRMED" in await one.text()
    await one.show(replace(RUN, stopped=True, stop_confirmed=True, output=OutputWord.OFF, stop_reason="Space"))
    assert "NOT CONFIRMED" not in await one.text()
    assert "STOPPED, confirmed by the board" in await one.text()
    assert "Reason: Space" in await one.text()


def test_a_stop_is_amber_until_the_board_confirms() -> None:
    _stop_is_amber()


@on(START)
async def _stop_without_session(one: Bench) -> None:
    await one.keys("space")
    assert "NOT CONFIRMED" in await one.text()
    one.clock.pass_ms(1_500)
    await one.show(START)
    assert "NOT CONFIRMED" not in await one.text()


def test_a_stop_with_nothing_to_stop_does_not_stay_amber() -> None:
    _stop_without_session()


STOPPED = replace(
    RUN, stopped=True, stop_confirmed=True, output=OutputWord.OFF, state="stopped", can=(K.CLEAR, K.FINISH, K.NOTE)
)


@on(STOPPED)
async def _clear(one: Bench) -> None:
    await one.press("space", "ctrl+c", "escape", "enter", "c", "x")
    assert one.handle.sent == []
    await one.press("u")
    assert one.handle.sent == [Order(K.CLEAR)]


def test_clearing_has_its_own_key_and_sends_nothing_else() -> None:
    _clear()


def test_the_interrupt_signal_stops_and_does_not_end_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = FakeHandle()
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Face, "run", lambda _self: signal.raise_signal(signal.SIGINT))
    try:
        tui.run_tui(handle, LIBRARY)
    finally:
        signal.signal(signal.SIGINT, before)
    assert handle.stops == 1


# --- raise and lower ---------------------------------------------------------------------------------------------


@on(RUN)
async def _one_press(one: Bench) -> None:
    await one.keys("r")
    one.face.tick()
    assert one.handle.sent == []
    one.clock.pass_ms(119)
    one.face.tick()
    assert one.handle.sent == []
    one.clock.pass_ms(1)
    one.face.tick()
    one.face.tick()
    assert one.handle.sent == [Order(K.RAISE)]


def test_one_press_raises_one_step() -> None:
    _one_press()


@on(RUN)
async def _held(one: Bench) -> None:
    await one.keys("r")
    one.clock.pass_ms(150)
    one.face.tick()
    one.clock.pass_ms(350)
    for _ in range(100):
        await one.keys("r")
        one.clock.pass_ms(33)
        one.face.tick()
    assert "One press, one step" in await one.text()
    await one.show(replace(RUN, state="resting"))
    assert "One press, one step" not in await one.text()  # old news
    one.clock.pass_ms(1_000)
    one.face.tick()
    assert one.kinds == [K.RAISE]


def test_a_held_raise_key_is_one_step() -> None:
    _held()


@on(RUN)
async def _paste(one: Bench) -> None:
    one.face.post_message(events.Paste("rrr"))
    one.face.post_message(events.Paste("r"))
    await one.pilot.pause()
    await one.keys("r", "r", "r")  # a terminal without bracketed paste
    await one.keys(*"wrong")
    one.clock.pass_ms(200)
    one.face.tick()
    assert K.RAISE not in one.kinds


def test_nothing_pasted_raises() -> None:
    _paste()


@on(RUN)
async def _lower(one: Bench) -> None:
    for _ in range(20):
        await one.keys("l", "down", "minus", "L")
    assert one.kinds == [K.LOWER] * 80


def test_lowering_acts_at_every_event() -> None:
    _lower()


@on(RUN)
async def _lower_cancels(one: Bench) -> None:
    await one.keys("r", "l")
    one.clock.pass_ms(200)
    one.face.tick()
    assert one.kinds == [K.LOWER]


def test_lowering_takes_back_a_raise_that_waits() -> None:
    _lower_cancels()


@on(replace(RUN, can=()))
async def _lower_unoffered(one: Bench) -> None:
    await one.press("l", "z", "p", "r", "s", "g", "b", "u", "enter")
    assert one.kinds == [K.LOWER, K.ZERO, K.PAUSE]


def test_lowering_is_sent_even_if_not_on_offer_and_nothing_else_is() -> None:
    _lower_unoffered()


@on(RUN)
async def _up(one: Bench) -> None:
    await one.press("up", "plus")
    assert one.handle.sent == []
    assert "R raises" in await one.text()


def test_keys_beside_lower_do_not_raise() -> None:
    _up()


@on(RUN)
async def _caps(one: Bench) -> None:
    await one.pilot.mouse_down("#lower")
    assert one.kinds == [K.LOWER]
    one.clock.pass_ms(500)
    await one.pilot.mouse_down("#raise")
    assert one.kinds == [K.LOWER]
    one.clock.pass_ms(150)
    one.face.tick()
    assert one.kinds == [K.LOWER, K.RAISE]
    lower, raise_ = (one.face.query_one(name).region for name in ("#lower", "#raise"))
    assert raise_.x - lower.right > 40


def test_drawn_keys_obey_the_same_rules_and_stand_far_apart() -> None:
    _caps()


@on(RUN, replace(RUN, stage=Stage.REVIEW, can=(K.CLOSE,)))
async def _stage_drops(one: Bench) -> None:
    await one.show(RUN)
    await one.keys("r")
    one.clock.pass_ms(50)
    await one.show(THRESHOLDS)
    one.clock.pass_ms(100)
    one.face.tick()
    assert one.handle.sent == []


def test_another_stage_drops_what_waits() -> None:
    _stage_drops()


# --- other orders ------------------------------------------------------------------------------------------------


@on(replace(RUN, channels=tuple(channel(at, selected=at == 1) for at in range(3))))
async def _select(one: Bench) -> None:
    await one.press("left", "right")
    assert one.handle.sent == [Order(K.SELECT, name="Finger extensors"), Order(K.SELECT, name="Thumb")]


def test_arrows_select_the_neighbour() -> None:
    _select()


def test_selection_does_not_run_around() -> None:
    listed = [channel(at, selected=at == 0) for at in range(3)]
    assert channels.neighbour(listed, -1) == ""
    assert channels.neighbour([replace(each, selected=False) for each in listed], 1) == "Finger extensors"
    assert channels.neighbour([], 1) == ""


@on(THRESHOLDS)
async def _mark(one: Bench) -> None:
    await one.press("1", "2", "3", "z")
    assert one.handle.sent == [
        Order(K.MARK, value="sensory"), Order(K.MARK, value="motor"), Order(K.MARK, value="tolerated"), Order(K.ZERO),
    ]  # fmt: skip


def test_thresholds_are_marked_by_number() -> None:
    _mark()


@on(replace(RUN, can=(K.START, K.BEGIN, K.RESUME, K.NEXT, K.CLEAR)))
async def _start_orders(one: Bench) -> None:
    await one.press("s", "b", "g", "enter", "u")
    assert one.kinds == [K.START, K.BEGIN, K.RESUME, K.NEXT, K.CLEAR]


def test_each_order_has_its_key() -> None:
    _start_orders()


@on(RUN)
async def _finish(one: Bench) -> None:
    await one.press("w")
    assert "Enter ends it" in await one.text()
    await one.press("l", "enter")
    assert one.kinds == [K.LOWER]
    await one.press("w", "enter")
    assert one.kinds == [K.LOWER, K.FINISH]


def test_ending_early_asks_in_a_line_and_any_other_key_goes_on() -> None:
    _finish()


@on(replace(RUN, can=(*RUN.can, K.PAIN, K.SKIN_CHECKED)))
async def _monitor(one: Bench) -> None:
    await one.press("i", "4", "i", "t", "i", "l", "4", "k")
    assert one.handle.sent == [
        Order(K.PAIN, value="4"), Order(K.PAIN, value="10"), Order(K.LOWER), Order(K.SKIN_CHECKED, value="ok"),
    ]  # fmt: skip


def test_pain_and_skin_are_noted_during_the_run_without_a_field() -> None:
    _monitor()


@on(replace(RUN, presence_due=True, can=(*RUN.can, K.PRESENT)))
async def _jammed(one: Bench) -> None:
    await one.press("x")
    for key in ("h", "k", "l"):
        await one.keys(*[key] * 40)
        one.clock.pass_ms(500)
        one.face.tick()
    assert one.handle.sent == [Order(K.LOWER), *[Order(K.LOWER, repeated=True)] * 39]


def test_a_jammed_key_answers_no_presence_prompt() -> None:
    _jammed()


@on(replace(RUN, presence_due=True, can=(*RUN.can, K.PRESENT)))
async def _present(one: Bench) -> None:
    assert "Press H" in await one.text()
    await one.press("space")
    assert one.handle.sent == []
    await one.press("h")
    assert one.handle.sent == [Order(K.PRESENT)]


def test_presence_is_answered_by_a_named_key_and_not_by_stop() -> None:
    _present()


# --- forms -------------------------------------------------------------------------------------------------------


@alone(START)
async def _open_form(one: Bench) -> None:
    face = one.face
    await one.press("down", "enter")
    assert face.query_one("#protocol", Input).value == "cyclic"
    face.query_one("#open", Button).active_effect_duration = 0  # a button ignores what comes while it looks pressed
    face.query_one("#open", Button).press()
    await one.pilot.pause()
    assert one.handle.sent == []
    assert "a patient code, the affected side" in await one.text()
    face.query_one("#patient").focus()
    await one.type("P-017")
    await one.press("enter")  # from field to field
    assert face.focused is face.query_one("#side")
    assert not face.query_one("#side", RadioSet).pressed_button
    await one.press("enter")
    assert "← chooses left, → chooses right" in await one.text()
    await one.press("left", "right", "enter", "enter", "enter")
    assert face.focused is face.query_one("#open")
    await one.press("enter")
    assert one.handle.sent == [
        Order(K.OPEN, protocol="cyclic", patient="P-017", side="right", board="sim:", emg="sim:")
    ]  # fmt: skip


def test_a_session_is_opened_with_everything_named() -> None:
    _open_form()


@alone(START, protocol="x_y.toml", board="reference:/dev/ttyUSB0")
async def _preset(one: Bench) -> None:
    face = one.face
    face.query_one("#patient", Input).value = "P-1"
    face.query_one("#side", RadioSet).focus()
    await one.keys("left")
    face.query_one("#open", Button).press()
    await one.pilot.pause()
    assert one.handle.sent[0] == Order(
        K.OPEN, protocol="x_y.toml", patient="P-1", side="left", board="reference:/dev/ttyUSB0", emg="board:"
    )


def test_presets_fill_the_form_and_emg_follows_the_board() -> None:
    _preset()


@alone(START, protocol="my.toml")
async def _prefilled(one: Bench) -> None:
    face, field = one.face, one.face.query_one("#protocol", Input)
    assert face.focused is face.query_one("#patient")
    await one.type("P")
    await one.show(replace(START, state="another"))
    face.query_one("#library").focus()
    await one.press("enter")
    assert field.value == "my.toml"
    assert "Still my.toml" in await one.text()
    face.query_one("#library").focus()
    await one.press("down", "enter")
    assert field.value == "cyclic"
    assert "Protocol: cyclic, in place of my.toml" in await one.text()
    assert face.query_one("#patient", Input).value == "P"


def test_a_list_that_was_not_moved_replaces_no_path() -> None:
    _prefilled()


@on(START)
async def _underscore(one: Bench) -> None:
    one.face.query_one("#protocol").focus()
    await one.type("my_file.toml")
    assert one.face.query_one("#protocol", Input).value == "my_file.toml"


def test_an_underscore_in_a_path_stays_one() -> None:
    _underscore()


@on(SCREENING)
async def _screen(one: Bench) -> None:
    sheet = one.face.query_one("#questions", OptionList)
    sheet.highlighted = 1
    await one.press("n")
    assert one.handle.sent.pop() == Order(K.ANSWER, name="bleeding", value="no")
    assert sheet.highlighted == 3  # the next open one
    sheet.highlighted = 6
    await one.press("y", "n")
    assert one.handle.sent == []  # sensation is normal, reduced or absent
    await one.press("2")
    assert one.handle.sent.pop() == Order(K.ANSWER, name="sensation:forearm-dorsal", value="reduced")
    sheet.highlighted = 4
    await one.press("1")
    assert one.handle.sent == []


def test_questions_are_answered_one_by_one() -> None:
    _screen()


def answered(**answers: str) -> Status:
    """A screening of :data:`QUESTIONS`: everything as it should be, but for ``answers``."""
    good = {"blocker": "no", "precaution": "no", "check": "yes", "sensation": "normal"}
    asked = [replace(each, answer=answers.get(each.id.replace("-", "_"), good[each.kind])) for each in QUESTIONS]
    return replace(
        SCREENING, questions=tuple(replace(each, justification="") for each in asked), can=(K.ANSWER, K.NEXT)
    )


@on(answered(implant="", skin="no", heart="yes", metal=""))
async def _next_open(one: Bench) -> None:
    sheet = one.face.query_one("#questions", OptionList)
    assert "6 of 8 answered, 2 must still be done or changed" in await one.text()
    sheet.highlighted = 1
    for at in (2, 3, 5):  # a yes without its reason, no answer, a check that is not done
        await one.press("n")
        assert sheet.highlighted == at
    await one.press("y")
    assert sheet.highlighted == 2  # from the top again, past the blocker that is still open


def test_the_cursor_goes_to_what_is_still_open_and_never_back_to_a_blocker() -> None:
    _next_open()


@on(answered(bleeding="yes"))
async def _blocked(one: Bench) -> None:
    words = await one.text()
    assert "No treatment: Enter ends the session here. N changes the answer." in words
    assert "Enter no treatment: end here" in words
    assert "1 must still be done or changed" in words
    await one.show(answered())
    words = await one.text()
    assert "No treatment" not in words
    assert "Enter next step" in words
    assert "must still" not in words


def test_a_blocker_says_that_it_ends_the_session_and_can_be_changed() -> None:
    _blocked()


@on(SCREENING)
async def _held_no(one: Bench) -> None:
    sheet = one.face.query_one("#questions", OptionList)
    sheet.highlighted = 0
    await one.keys(*["n"] * 50)
    one.clock.pass_ms(200)
    one.face.tick()
    assert one.handle.sent == []
    assert sheet.highlighted == 0


def test_a_held_no_does_not_answer_the_screening() -> None:
    _held_no()


@on(SCREENING)
async def _reason(one: Bench) -> None:
    form, sheet = one.face.query_one(ScreeningForm), one.face.query_one("#questions", OptionList)
    field = form.query_one("#reason", Input)
    sheet.highlighted = 3
    yes = Order(K.ANSWER, name="metal", value="yes")
    await one.press("y")
    assert one.face.focused is field
    assert one.handle.sent == [yes]  # an earlier no must not stand while the reason is written
    assert sheet.highlighted == 3
    await one.keys("enter")
    assert one.handle.sent == [yes]
    assert "counts as unanswered" in await one.text()
    await one.press("y")
    await one.type("old_plate_no_pain")
    await one.keys("enter")
    await one.pilot.pause()
    assert one.handle.sent == [yes, yes, replace(yes, text="old plate no pain")]
    assert not field.display
    assert sheet.has_focus


def test_yes_to_a_precaution_needs_its_reason() -> None:
    _reason()


def test_a_stop_during_the_screening_can_be_cleared_although_a_reason_was_being_written() -> None:
    @on(SCREENING)
    async def go(one: Bench) -> None:
        one.face.query_one("#questions", OptionList).highlighted = 3
        await one.press("y")
        assert isinstance(one.face.focused, Input)
        await one.show(replace(SCREENING, stopped=True, stop_confirmed=True, can=(K.CLEAR,), stop_reason="the link"))
        words = await one.text()
        assert "2/6 screening" in words
        assert "Y yes" not in words, "nothing is answered while a stop is in force"
        await one.press("u")
        assert one.kinds == [K.ANSWER, K.CLEAR]
        await one.show(SCREENING)
        assert one.face.focused is one.face.query_one("#questions")

    go()


def test_no_answer_is_filled_in() -> None:
    blank = replace(SCREENING, questions=tuple(replace(each, answer="", justification="") for each in QUESTIONS))

    async def go(one: Bench) -> None:
        assert (await one.text()).count("......") == len(QUESTIONS)
        assert f"0 of {len(QUESTIONS)} answered" in await one.text()

    play(go, blank)


@on(PADS)
async def _pads(one: Bench) -> None:
    await one.press("down", "v", "down", "v")
    assert one.handle.sent == [
        Order(K.CONFIRM_PADS, name="Wrist extensors"), Order(K.CONFIRM_PADS, name="Thumb"),
    ]  # fmt: skip


def test_pads_are_confirmed_one_by_one() -> None:
    _pads()


@on(REVIEW)
async def _review(one: Bench) -> None:
    face = one.face
    await one.pilot.click("#event")
    assert one.handle.sent == []
    face.query_one("#skin").focus()
    await one.type("red_spot")
    await one.pilot.click("#event")
    await one.pilot.pause()
    await one.pilot.click("#ok")
    face.query_one("#pain").focus()
    await one.type("11")
    await one.keys("enter")
    face.query_one("#pain", Input).value = "3"
    await one.keys("enter")
    face.query_one("#note").focus()
    await one.type("went_well")
    await one.keys("enter")
    await one.pilot.pause()
    assert one.handle.sent == [
        Order(K.SKIN_CHECKED, value="event", text="red spot"), Order(K.SKIN_CHECKED, value="ok"),
        Order(K.PAIN, value="3"), Order(K.NOTE, text="went well"),
    ]  # fmt: skip


def test_the_review_takes_skin_pain_and_notes() -> None:
    _review()


@on(REVIEW)
async def _review_focus(one: Bench) -> None:
    assert one.face.focused is one.face.query_one("#skin")
    await one.press("q", "k", "r")
    assert one.face.query_one("#skin", Input).value == "qkr"
    assert one.handle.sent == []


def test_letters_typed_on_arrival_are_words_and_close_nothing() -> None:
    _review_focus()


@on(REVIEW)
async def _skin_enter(one: Bench) -> None:
    await one.press("enter", "enter", "enter")  # held over from the question before
    assert one.handle.sent == []
    assert one.face.focused is one.face.query_one("#skin")
    assert "Not recorded yet" in await one.text()
    await one.type("spot")
    await one.press("enter")
    assert one.handle.sent == [Order(K.SKIN_CHECKED, value="event", text="spot")]
    assert "Recorded: skin event (spot), pain not yet" in await one.text()
    await one.pilot.click("#ok")
    assert one.handle.sent[1:] == [Order(K.SKIN_CHECKED, value="ok")]
    assert "Skin recorded: 'looks well' in place of 'event'; the record keeps both" in await one.text()
    assert "Recorded: skin looks well" in await one.text()


def test_enter_records_the_skins_words_as_an_event_and_a_correction_follows() -> None:
    _skin_enter()


@on(REVIEW)
async def _skin_words(one: Bench) -> None:
    field = one.face.query_one("#skin", Input)
    await one.type("blist")
    await one.press("tab")
    assert one.face.focused is one.face.query_one("#ok")
    await one.press("enter")
    assert one.handle.sent == []
    assert "Not recorded: the field holds words" in await one.text()
    await one.press("tab")
    await one.type("erq")  # a q on a button is a letter as well: it closes nothing
    assert field.value == "blisterq"
    assert one.face.focused is field
    one.face.set_focus(None)
    await one.type("k")
    assert field.value == "blisterqk"
    await one.press("enter")
    assert one.handle.sent == [Order(K.SKIN_CHECKED, value="event", text="blisterqk")]


def test_a_finding_about_the_skin_is_neither_lost_nor_recorded_as_the_opposite() -> None:
    _skin_words()


@on(REVIEW)
async def _unsent(one: Bench) -> None:
    await one.type("red_spot")
    one.face.query_one("#pain", Input).value = "1"
    one.face.query_one("#note").focus()
    await one.type("tired")
    await one.press("ctrl+q")
    words = " ".join((await one.text()).split())
    assert "Skin not recorded, pain not recorded, text not sent (kept as a note). Enter closes anyway" in words
    await one.press("enter")
    assert one.handle.sent == [
        Order(K.NOTE, text="skin: red spot"), Order(K.NOTE, text="pain: 1"), Order(K.NOTE, text="tired"), Order(K.CLOSE),
    ]  # fmt: skip


def test_closing_drops_no_text() -> None:
    _unsent()


@alone(replace(REVIEW, output=OutputWord.UNKNOWN))
async def _unsent_lost(one: Bench) -> None:
    lost = replace(
        REVIEW, output=OutputWord.UNKNOWN, alarm="high", alarm_text="the board cannot be reached", messages=("x",)
    )
    await one.show(lost)
    await one.type("spot")
    await one.press("ctrl+q", "ctrl+q")
    assert one.handle.stops == 2
    words = " ".join((await one.text()).split())
    assert "Zero is not confirmed: use the stop switch. Enter closes all the same, output recorded as unknown" in words
    await one.press("enter")
    assert one.handle.sent == [Order(K.NOTE, text="skin: spot"), Order(K.CLOSE)]
    await one.show(replace(lost, refusal="the board has not confirmed zero yet; close again when it has"))
    await one.press("ctrl+q")
    assert "Not closed yet. Enter leaves" in await one.text()
    assert not one.face._exit
    await one.press("enter")
    assert one.face._exit


def test_a_lost_boards_review_closes_says_how_and_drops_no_text() -> None:
    _unsent_lost()


@alone(replace(REVIEW, output=OutputWord.UNKNOWN))
async def _refused_close(one: Bench) -> None:
    await one.press("ctrl+q", "enter")
    assert one.kinds == [K.CLOSE]
    await one.show(replace(REVIEW, refusal="the board has not confirmed zero yet; close again when it has"))
    await one.press("ctrl+q", "enter")  # zero by now: it is closed, and not merely left
    assert one.kinds == [K.CLOSE, K.CLOSE]
    assert not one.face._exit


def test_a_close_that_was_refused_can_be_given_again() -> None:
    _refused_close()


@on(replace(REVIEW, can=(K.CLOSE,)))
async def _unoffered(one: Bench) -> None:
    await one.pilot.click("#ok")
    await one.pilot.pause()
    assert one.handle.sent == []
    assert "does not take" in await one.text()


def test_a_form_does_not_send_what_is_not_taken() -> None:
    _unoffered()


# --- leaving -----------------------------------------------------------------------------------------------------


@alone(RUN)
async def _quit_running(one: Bench) -> None:
    await one.press("q")
    assert one.handle.stops == 1
    assert one.face.is_running
    assert "Stopped first" in await one.text()
    await one.press("l")
    await one.press("enter")
    assert one.face._exit is False
    await one.show(replace(RUN, output=OutputWord.OFF))
    await one.press("ctrl+q")
    assert "Enter quits" in await one.text()
    await one.press("enter")
    assert one.face._exit


def test_quitting_stops_first_and_then_asks() -> None:
    _quit_running()


@alone(START)
async def _quit_start(one: Bench) -> None:
    await one.press("q")
    assert one.face._exit
    assert one.handle.stops == 0


def test_quitting_before_a_session_just_quits() -> None:
    _quit_start()


@alone(REVIEW)
async def _close(one: Bench) -> None:
    await one.press("ctrl+q")
    assert one.handle.sent == []
    assert "Skin not recorded, pain not recorded. Enter closes anyway" in await one.text()
    await one.press("tab", "enter")  # any other key goes back
    assert one.kinds == [K.SKIN_CHECKED]
    one.face.query_one("#pain", Input).value = "0"
    await one.press("enter")
    assert one.kinds == [K.SKIN_CHECKED, K.PAIN]
    await one.press("ctrl+q")
    assert one.handle.sent[2:] == [Order(K.CLOSE)]
    assert one.face._exit is False
    one.handle.closed = True
    one.face.tick()
    assert one.face._exit


def test_the_review_closes_and_the_face_goes_when_control_has_gone() -> None:
    _close()


# --- the screen --------------------------------------------------------------------------------------------------


def test_the_stage_shown_is_the_sessions() -> None:
    async def go(one: Bench) -> None:
        for step in [*STEPS.values(), *reversed(STEPS.values())]:
            await one.show(step)
            assert one.face.query_one(ContentSwitcher).current == PANES[step.stage]
            assert f"{step.stage}" in (await one.lines())[1]
            if PANES[step.stage] == "dose":
                assert one.face.focused is None

    play(go)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40)])
def test_the_run_screen_fits_without_scrolling(count: int, size: tuple[int, int]) -> None:
    busy = replace(
        RUN,
        channels=tuple(channel(at, name=f"a very long channel name {at}", selected=at == 0) for at in range(count)),
        alarm="high", alarm_text="the board does not answer", stopped=True,
        can=(*RUN.can, K.BEGIN, K.PAIN, K.SKIN_CHECKED, K.PRESENT), presence_due=True,
    )  # fmt: skip

    async def go(one: Bench) -> None:
        screen = one.face.screen
        assert screen.max_scroll_y == 0
        shown = [widget for widget in screen.walk_children(Widget) if widget.display and widget.region]
        assert {"channels", "bar", "progress", "counts", "emg", "stop", "keys"} <= {widget.id for widget in shown}
        for widget in shown:
            assert screen.region.contains_region(widget.region), widget
            assert widget.max_scroll_y == 0, widget
        boxes = [widget.region for widget in shown if widget.id in DRAWN]
        assert not [pair for at, a in enumerate(boxes) for b in boxes[at + 1 :] if (pair := a.intersection(b))]
        words = await one.text()
        for at in range(count):
            assert f"a very long channel name {at}"[:12] in words
        for part in (
            "OUTPUT ON",
            "ALARM",
            "NOT CONFIRMED",
            "S T O P",
            "12:05 of 30:00 min",
            "trigger level 32 µV",
            "help",
        ):
            assert part in words, part

    play(go, busy, size=size)


DRAWN = {
    "banner",
    "output",
    "next",
    "alert",
    "channels",
    "bar",
    "lower",
    "raise",
    "progress",
    "counts",
    "emg",
    "keys",
    "stop",
}


@on(RUN, size=(60, 18))
async def _small(one: Bench) -> None:
    words = await one.text()
    for part in ("60 x 18", "80 x 24", "S T O P", "SIMULATED", "OUTPUT ON", "Finger extensors: set 14.0 mA"):
        assert part in words
    await one.pilot.resize_terminal(80, 24)
    await one.pilot.pause()
    assert "80 x 24" not in await one.text()
    assert "12:05" in await one.text()


def test_a_small_window_says_so_and_keeps_what_matters() -> None:
    _small()


@on(replace(RUN, can=tuple(K)), size=(60, 18))
async def _blind(one: Bench) -> None:
    await one.press("r", "s", "b", "g", "u", "enter", "right", "w", "i", "k", "h", "y", "v", "up", "?", "q", "ctrl+q")
    assert one.handle.sent == []
    assert one.face.is_running
    assert "enlarge the window" in await one.text()
    await one.press("l", "down", "z", "p")
    assert one.kinds == [K.LOWER, K.LOWER, K.ZERO, K.PAUSE]


def test_a_small_window_lowers_and_stops_and_nothing_else() -> None:
    _blind()


@on(RUN)
async def _shrinks(one: Bench) -> None:
    await one.keys("r")
    await one.pilot.resize_terminal(60, 18)
    one.clock.pass_ms(150)
    one.face.tick()
    assert one.handle.sent == []


def test_a_raise_that_waits_is_dropped_when_the_window_shrinks() -> None:
    _shrinks()


@on(REVIEW, size=(60, 18))
async def _blind_typing(one: Bench) -> None:
    note = one.face.query_one("#note", Input)
    note.focus()
    await one.keys("a")
    one.face.post_message(events.Paste("b"))
    await one.quiet()
    assert note.value == ""


def test_nothing_is_typed_into_a_field_that_is_not_shown() -> None:
    _blind_typing()


@on(RUN)
async def _help(one: Bench) -> None:
    await one.press("?")
    words = await one.text()
    assert "always, everywhere" in words
    panel = words[words.index("STOP       Space") :]
    for key in {press.cap for press in PRESSES} - {"←→"}:
        assert f" {key} " in panel, key
    for part in ("OUTPUT ON", "Finger extens", "R ▲", "S T O P"):
        assert part in words
    await one.press("l")
    assert one.kinds == [K.LOWER]
    await one.press("f1")
    assert "always, everywhere" not in await one.text()


def test_help_is_a_panel_that_hides_neither_output_nor_stop() -> None:
    _help()


@on(replace(RUN, output=OutputWord.UNKNOWN))
async def _unheard(one: Bench) -> None:
    words = await one.text()
    for part in ("OUTPUT UNKNOWN", "EMG sim: STALE", "????"):
        assert part in words
    assert "11.9" not in words
    await one.show(RUN)
    words = await one.text()
    assert "STALE" not in words
    assert "11.9" in words


def test_a_board_that_is_not_heard_shows_no_values_as_if_they_were_new() -> None:
    _unheard()


@on(THRESHOLDS)
async def _no_emg(one: Bench) -> None:
    silent = replace(EMG, listening=False, envelope_uv=())
    for shown, emg in ((False, None), (False, silent), (True, EMG), (True, replace(silent, listening=True))):
        await one.show(replace(THRESHOLDS, emg=emg))
        assert ("EMG" in "\n".join((await one.lines())[4:])) is shown


def test_the_emg_is_shown_only_while_there_is_something_to_hear() -> None:
    _no_emg()


@on(replace(RUN, guide=GuideStatus(say="Bend the fingers", done=3, prescribed=20), disabled=True))
async def _own_counts(one: Bench) -> None:
    screen = await one.text()
    assert "done 3 of 20" in screen
    assert "delivered" not in screen
    await one.show(RUN)
    assert "delivered" in await one.text()


def test_work_without_output_has_its_own_counts_and_delivers_nothing() -> None:
    _own_counts()


def test_markup_is_shown_as_it_stands() -> None:
    evil = "[red]x[/] [@click=app.quit]y"
    marked = replace(
        RUN,
        next_action=evil,
        refusal=evil,
        state="[b]",
        channels=(channel(name="[red]a[/]", muscle="[u]m"),),
        patient="[i]P",
    )

    async def go(one: Bench) -> None:
        words = await one.text()
        assert words.count(evil) == 2
        for part in ("[b]", "[red]a[/]", "[u]m", "[i]P"):
            assert part in words
        await one.show(replace(SCREENING, questions=(replace(QUESTIONS[0], text=evil),)))
        assert evil in await one.text()
        await one.show(replace(REVIEW, review=(evil,)))
        assert evil in await one.text()
        await one.show(replace(PADS, summary=(evil,), warnings=(evil,)))
        assert (await one.text()).count(evil) == 2

    play(go, marked)


def test_no_color_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def go(one: Bench) -> None:
        for step in STEPS.values():
            await one.show(step)
            await one.pilot.pause()
            strips = one.face.screen._compositor.render_strips()
            styles = [segment.style for strip in strips for segment in strip if segment.style]
            assert not [style for style in styles if style.color or style.bgcolor]
            # what colour set apart is set apart without it
            stops = [segment for strip in strips for segment in strip if "S T O P" in segment.text]
            assert all(segment.style and segment.style.reverse for segment in stops)
            assert stops

    alone()(go)()


def test_the_chosen_side_is_told_by_a_sign() -> None:
    async def go(one: Bench) -> None:
        assert "●" not in "".join((await one.lines())[4:])
        plain = [one.face.query_one(f"#{side}").get_visual_style("toggle--label") for side in ("left", "right")]
        assert plain[0] == plain[1]  # none looks chosen before one is
        one.face.query_one("#side", RadioSet).focus()
        await one.keys("left")
        await one.pilot.pause()
        assert "●▌ LEFT" in await one.text()
        assert (await one.text()).count("●") == 1

    alone(START)(go)()


def test_it_beats_from_its_event_loop() -> None:
    async def go(one: Bench) -> None:
        while one.handle.beats < 3:  # the test's own time limit is the guard
            await one.pilot.pause(0.02)

    play(go, RUN)


def test_a_high_alarm_rings_and_goes_on_ringing(monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[int] = []
    monkeypatch.setattr(Face, "bell", lambda _self: rings.append(1))

    async def go(one: Bench) -> None:
        assert not rings
        await one.show(replace(RUN, alarm="low", alarm_text="soon"))
        assert not rings
        await one.show(replace(RUN, alarm="high", alarm_text="unknown"))
        first = len(rings)
        assert first >= 1
        for _ in range(2 * tui.BELL_EVERY):
            one.face.tick()
        assert len(rings) >= first + 2

    play(go, RUN)


def test_nothing_is_repainted_for_the_same_status() -> None:
    async def go(one: Bench) -> None:
        painted: list[str] = []
        await one.pilot.pause()  # the first picture, its layout and all that follows from it
        for widget in one.face.screen.walk_children(Widget):
            widget.refresh = lambda *_a, _id=widget.id, **_k: painted.append(_id)  # type: ignore[assignment]
        await one.show(replace(RUN, now_us=1))
        assert painted == []
        await one.show(replace(RUN, counts=replace(RUN.counts, delivered=27)))
        assert painted == ["counts"]

    alone(RUN)(go)()


def test_the_readmes_picture_calls_nobody(tmp_path: Path) -> None:
    picture = (Path(__file__).parents[1] / "docs" / "run-screen.svg").read_text(encoding="utf-8")
    assert "@font-face" not in picture
    assert [part for part in picture.split("http")[1:] if not part.startswith("://www.w3.org/")] == []
    for part in ("OUTPUT&#160;ON", "SIMULATED"):
        assert part in picture
