"""The terminal face: shows one frozen status, sends orders, and stops.

It decides nothing. The stage on the screen is the session's stage, the keys on offer are the orders that the session
takes now, and what is out of date is corrected by the next status. There is no modal dialog anywhere: questions are
lines, help is a panel, and nothing ever lies above STOP (hazard H34).

STOP has two ways. The control process reads the terminal before this face does and acts by itself; here every key
passes :meth:`Face.on_event` before any widget sees it, so that text fields, lists and buttons cannot swallow one.
"""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final, final

from textual import events, on
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.filter import LineFilter
from textual.widgets import Button, ContentSwitcher, Input, OptionList, RadioSet, Static

from stimctl.orders import Order, OrderKind, OutputWord, Stage, Status
from stimctl.widgets import channels, frame, leaving
from stimctl.widgets.bells import Bells
from stimctl.widgets.dose import DosePane
from stimctl.widgets.forms import Entry, PadsPane, ScreeningForm, StartForm
from stimctl.widgets.handle import FaceHandle
from stimctl.widgets.keys import ASKED, LOOSENING, LOWERING, PRESSES, STOP_CHARACTERS, STOP_KEYS, Lone, Press
from stimctl.widgets.offers import is_offered, offers
from stimctl.widgets.parts import HELP, THEME, Cap, Plain, Say, Wish
from stimctl.widgets.review import ReviewForm
from stimctl.widgets.words import Words

BEAT_S: Final = 0.1
"""The beat to the control process, from the event loop itself: a screen that hangs must fall silent (F.3)."""

FRAME_S: Final = 0.05
"""How often a new status is looked for: 20 frames/s."""

WIDTH, HEIGHT = 80, 24
STOP_ANSWER_US: Final = 1_000_000
"""How long the screen says "not confirmed" when no session answers and the board reports its output off anyway."""

BELL_EVERY: Final = int(2 / FRAME_S)
"""Frames between two bells of a high alarm. A terminal has one bell and no melodies."""

PANES: Final = {
    Stage.START: "start",
    Stage.SCREENING: "screening",
    Stage.PADS: "pads",
    Stage.THRESHOLDS: "dose",
    Stage.RUN: "dose",
    Stage.REVIEW: "review",
}
WORDS: Final = ("banner", "output", "next", "alert", "tiny", "keys")
FOCUS: Final = {
    Stage.SCREENING: "#questions",
    Stage.PADS: "#placements",
    Stage.REVIEW: "#skin",  # letters typed before a field had the focus were taken as keys, and Q closed
}


@final
class Face(App[None]):
    """The whole screen. ``clock`` returns monotonic µs; ``painted`` is called after the first painting."""

    CSS_PATH = "tui.tcss"
    TITLE = "stimctl"
    ENABLE_COMMAND_PALETTE = False  # a modal screen that would lie above STOP
    ALLOW_SELECT = False
    AUTO_FOCUS = None
    VERTICAL_BREAKPOINTS = [(0, "short"), (32, "tall")]  # noqa: RUF012  Textual declares it on the instance
    BINDINGS: ClassVar = []

    def __init__(
        self, handle: FaceHandle, library: Sequence[Entry], *, protocol: str = "", board: str = "sim:", emg: str = "",
        clock: Callable[[], int] = lambda: time.monotonic_ns() // 1_000, painted: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self._handle, self._clock, self._when_painted = handle, clock, painted
        self._start = StartForm(tuple(library), {"protocol": protocol, "board": board, "emg": emg})
        self._status: Status | None = None
        self._lone, self._bells, self._dose = Lone(), Bells(), DosePane(self._click)
        self._screening, self._pads, self._review = ScreeningForm(), PadsPane(), ReviewForm()
        self._stop_us: int | None = None
        self._hint = ""
        self._ask: tuple[str, dict[str, Callable[[], None]]] | None = None  # a question, and what its keys do
        self._frames = 0
        self._leaving = self._small = False
        self._words = {name: Words(name) for name in WORDS}  # held here: looking them up cost more than painting

    # --- what is on the screen --------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Everything at once: building a screen later would hold up the beat."""
        words = self._words
        yield from (words["banner"], words["output"], words["next"], words["alert"])
        with ContentSwitcher(initial="start", id="stages"):
            yield self._start
            yield self._screening
            yield self._pads
            yield self._dose
            yield self._review
        yield words["tiny"]
        with Horizontal(id="foot"):
            yield words["keys"]
            yield Cap("■  S T O P\nSpace  Esc\nCtrl+X  Ctrl+C", 20, "stop", self._stop)
        yield Static(Content(HELP), id="help")

    # --- life -------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Beat, and look for news."""
        self.set_interval(BEAT_S, self._handle.beat)
        self.set_interval(FRAME_S, self.tick)
        self._paint()
        self._start.first().focus()
        self.call_after_refresh(self._when_painted)

    def tick(self) -> None:
        """One frame: the order whose wait is over, the newest status, the bell."""
        self._frames += 1
        if not self._words["output"].is_attached:  # the last frames of a face that is leaving
            return
        if self._handle.closed:
            self.exit()  # why it ended is said once the terminal is back: by the control process, or for it
            return
        if order := self._lone.due(self._clock()):
            self._give(order)
        status = self._handle.poll()
        if status is not None:
            self._take(status)
        elif self._stop_us is not None and self._status:
            self._paint_top(self._status)
        if self._status and self._status.alarm == "high" and self._frames % BELL_EVERY == 0:
            self.bell()

    def _take(self, status: Status) -> None:
        before, self._status = self._status, status
        if before is None or before.stage is not status.stage:
            self._enter(status.stage)
        elif (before.state, before.stopped) != (status.state, status.stopped):
            self._hint = ""  # it was about what is over
            if status.stage in FOCUS and before.stopped is not status.stopped:  # a field would swallow U
                self.set_focus(None if status.stopped else self.query_one(FOCUS[status.stage]))
        if self._bells.news(status):
            self.bell()
        self._paint()

    def _enter(self, stage: Stage) -> None:
        self._lone.drop()
        self._hint, self._ask = "", None
        self.query_one(ContentSwitcher).current = PANES[stage]
        if stage is Stage.REVIEW:
            self._review.begin()
        # A field that keeps the focus while output may be on would swallow L; on those screens nothing has it.
        typed_into = self.focused is not None and self._start in self.focused.ancestors
        if stage is not Stage.START or not typed_into:
            first = self._start.first() if stage is Stage.START else None
            self.set_focus(self.query_one(FOCUS[stage]) if stage in FOCUS else first)

    def on_resize(self, event: events.Resize) -> None:
        """Below 80 x 24 only output, level, alarms and STOP are shown, and only what lowers is taken."""
        self._small = event.size.width < WIDTH or event.size.height < HEIGHT
        self.screen.set_class(self._small, "small")
        self._handle.beat()  # a layout of every widget lies on either side of this: two silences, not a long one
        if self._small:
            self._lone.drop()
            self._ask = None
        self.call_after_refresh(self._paint)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """No colour codes at all under NO_COLOR."""
        return (Plain(),) if self.no_color else super().get_line_filters()

    # --- painting ---------------------------------------------------------------------------------------------

    def _paint(self) -> None:
        status, width = self._status, self.size.width
        self._words["banner"].show(frame.banner(status, width))
        if self._small:
            self._words["tiny"].show(frame.tiny(status, self.size, (WIDTH, HEIGHT)), resize=True)
        if status is None:
            return
        self._paint_top(status)
        if status.stage is Stage.SCREENING:
            self._screening.show(status.questions)
        elif status.stage is Stage.PADS:
            self._pads.show(status)
        elif PANES[status.stage] == "dose":
            self._dose.show(status, width - 2)
        elif status.stage is Stage.REVIEW:
            self._review.show(status.review)
        question = self._screening.at(status.questions) if status.stage is Stage.SCREENING else None
        self._words["keys"].show(offers(status, question, width - 22))

    def _paint_top(self, status: Status) -> None:
        hint = self._hint or (" ".join(self._handle.notes) if status.stage is Stage.START else "")
        asked, unanswered = self._ask[0] if self._ask else "", self._stop_unanswered(status)
        alert = frame.alert_lines(status, stop_unanswered=unanswered, hint=hint, asked=asked)
        self._words["output"].show(frame.output_line(status, self.size.width))
        self._words["next"].show(frame.next_line(status), resize=True)
        self._words["alert"].show(alert, resize=True)

    def _say(self, hint: str) -> None:
        self._hint = hint
        self._paint()

    # --- stop -------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """The second way of every stop key, and the only one of Esc and of the mouse. Never a toggle."""
        self._handle.stop()
        self._lone.drop()
        self._ask, self._stop_us = None, self._clock()
        self._paint()

    def _stop_unanswered(self, status: Status) -> bool:
        if self._stop_us is None:
            return False
        waited = self._clock() - self._stop_us > STOP_ANSWER_US and status.output is OutputWord.OFF
        if status.stopped or waited:
            self._stop_us = None
        return self._stop_us is not None

    # --- keys -------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Every key, before any widget. A forwarded event was here already."""
        if isinstance(event, events.Key) and not event.is_forwarded and self._key(event):
            return
        if isinstance(event, events.Paste):
            self._lone.key(self._clock())
            if self._small:
                return
        await super().on_event(event)

    def _key(self, event: events.Key) -> bool:
        """Whether ``event`` was taken here; if not, the focused widget gets it."""
        if event.key in STOP_KEYS or event.character in STOP_CHARACTERS:
            self._stop()
            return True
        (ask, self._ask), self._hint = (self._ask, None), ""
        typing = isinstance(self.focused, Input) or self._in_review
        if self._small:
            self._blind(event.key)
        elif event.key == "f1" or (event.character == "?" and not typing):
            self.query_one("#help").toggle_class("open")
        elif event.key == "ctrl+q" or (event.key in {"q", "Q"} and not typing):
            self._quit()
        elif ask and event.key in ask[1]:
            ask[1][event.key]()
        elif typing or not self._command(event.key):
            self._lone.key(self._clock())
            return self._in_review and self._review.write(event)
        return True

    @property
    def _in_review(self) -> bool:
        return self._status is not None and self._status.stage is Stage.REVIEW

    def _blind(self, key: str) -> None:
        """What cannot be read must not be raised: a window that is too small lowers and stops, and that is all."""
        if key in {"q", "Q", "ctrl+q"} and self._at_rest:
            self._quit()
        elif not self._command(key):
            self._lone.key(self._clock())
            self._say("Refused: enlarge the window. Here only STOP, L, Z and P work.")

    def _command(self, key: str) -> bool:
        status = self._status
        if status is None or (key == "enter" and isinstance(self.focused, Button | RadioSet)):
            return False
        dosing = PANES[status.stage] == "dose"
        for press in PRESSES:
            offered = is_offered(press, status) and (not self._small or press.kind in LOWERING)
            if key in press.keys and (offered or (dosing and press.kind in LOWERING)):
                order = self._order(press, key, status)
                if order is not None:
                    self._post(order)
                    return True
        if dosing and not self._small and key in {"up", "plus"}:
            self._say("R raises. Up and plus do not: they lie beside the keys that lower.")
        return False

    def _question(self, text: str, orders: dict[str, Order]) -> None:
        """Ask in a line what one more key answers: never a dialog, and L and STOP go on working."""
        self._ask = (text, {key: partial(self._give, order) for key, order in orders.items()})
        self._paint()

    def _order(self, press: Press, key: str, status: Status) -> Order | None:
        """The order that ``press`` means here, or ``None`` where it means nothing."""
        if press.kind is OrderKind.ANSWER:
            return self._screening.answer(press.value, status.questions)
        if press.kind is OrderKind.CONFIRM_PADS:
            channel = self._pads.at(status)
            return Order(press.kind, name=channel.name) if channel else None
        if press.kind is OrderKind.SELECT:
            name = channels.neighbour(status.channels, -1 if key == "left" else 1)
            return Order(press.kind, name=name) if name else None
        if press.kind in ASKED:
            self._question(*ASKED[press.kind])
            return None
        return Order(press.kind, value=press.value)

    # --- orders -----------------------------------------------------------------------------------------------

    def _click(self, kind: OrderKind) -> Callable[[], None]:
        """What a click on a key cap does: the same as the key."""
        return lambda: self._post(Order(kind)) if self._status and kind in {*self._status.can, *LOWERING} else None

    def _post(self, order: Order) -> None:
        """Send ``order`` now, or when its key turns out to have stood alone."""
        if order.kind not in LOOSENING:
            self._give(self._lone.at_once(self._clock(), order))
        elif not self._lone.key(self._clock(), order):
            self._say("One press, one step: keys that follow each other within 0.12 s do not count.")

    def _give(self, order: Order) -> None:
        self._handle.send(order)
        if order.kind is OrderKind.ANSWER and self._status:
            self._screening.advance(order, self._status.questions)

    @property
    def _at_rest(self) -> bool:
        """Whether there is nothing yet that quitting could leave behind."""
        status = self._status
        return status is None or (status.stage is Stage.START and status.output is OutputWord.OFF)

    def _quit(self) -> None:
        """Stop first where zero is not confirmed, also in the review of a lost board; then ask, close or leave."""
        status = self._status
        if status is None or self._at_rest:
            self.exit()
            return
        if status.output is not OutputWord.OFF:
            self._stop()
        asked = self._leaving and not (status.refusal and status.output is OutputWord.OFF)  # refused then; zero by now
        act = self._close if leaving.closes(status) and not asked else self._leave
        if words := leaving.question(status, self._review.missing, asked=asked):
            self._ask = (words, {"enter": act})
        else:
            act()
        self._paint()

    def _close(self) -> None:
        """Close the session, and first keep what is written and was not sent."""
        self._leaving = True
        for order in (*self._review.keep(), Order(OrderKind.CLOSE)):
            self._give(order)

    def _leave(self) -> None:
        """Go without a close, for instance because the board is lost; a text is kept also then."""
        for order in self._review.keep():
            self._give(order)
        self.exit()

    @on(Wish)
    def _on_wish(self, event: Wish) -> None:
        if self._status and event.order.kind in self._status.can:
            self._give(event.order)
            if self._in_review:
                self._say(self._review.taken(event.order))
        else:
            self._say(f"The session does not take '{event.order.kind}' now.")

    @on(Say)
    def _on_say(self, event: Say) -> None:
        self._say(event.text)

    @on(OptionList.OptionHighlighted, "#questions")
    @on(OptionList.OptionHighlighted, "#placements")
    def _on_question(self) -> None:
        self._paint()


def settle() -> None:
    """Take what exists out of the collector's sight: its full passes over it took up to 400 ms."""
    gc.collect()
    gc.freeze()


def run_tui(
    handle: FaceHandle, library: Sequence[Entry], *, protocol: str = "", board: str = "sim:", emg: str = ""
) -> None:
    """Show the face on this terminal until the operator quits or the control process has gone.

    ``library`` is shown on the start screen; ``protocol``, ``board`` and ``emg`` fill its fields beforehand. Keys come
    from standard input, which may be a pipe. Ctrl+C as a kernel signal stops, too, and does not end the face.
    """
    signal.signal(signal.SIGINT, lambda *_: handle.stop())
    Face(handle, library, protocol=protocol, board=board, emg=emg, painted=settle).run()
