"""The first steps, in which something is typed or confirmed: the start, the screening, the pads.

A form checks what only a form can know, that a field is empty or that a number is none, and asks for an order with a
:class:`~stimctl.widgets.parts.Wish`. Whether an answer is good enough is the session's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label, OptionList, RadioSet, Static

from stimctl.orders import ChannelStatus, Order, OrderKind, Question, Status
from stimctl.widgets.parts import Prose, Say, Sheet, Sides, Wish
from stimctl.widgets.procedure import is_open, pads_row, question_row
from stimctl.widgets.words import MUTED, STRONG, Words

WELCOME: Final = """\
Research software, not a certified medical device. A real board needs a physical switch within reach \
that takes its output away.
STOP: Space, Ctrl+X, Ctrl+C or Esc, on every screen, also while typing."""

FIELDS: Final = {
    "protocol": ("Protocol", "from the list, or a file's path", "a protocol"),
    "patient": ("Patient code", "a code, never a name", "a patient code"),
    "board": ("Board", "sim: or e.g. reference:/dev/ttyUSB0", "a board"),
    "emg": ("EMG", "empty: what the board hears", ""),
}
"""The start form: label, placeholder, and what to call a field that must not be empty."""


class Entry(Protocol):
    """A protocol of the library, as the start screen lists it."""

    @property
    def name(self) -> str:
        """What opens it."""

    @property
    def kind(self) -> str:
        """What kind of therapy it is."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def summary(self) -> str:
        """One line more; may be empty."""


def row(label: str, *widgets: Static | Input | RadioSet | Button) -> Horizontal:
    """A labelled line of a form."""
    return Horizontal(Label(Content(label)), *widgets, classes="row")


@final
class StartForm(Horizontal):
    """Protocol, patient, side, board, EMG. Nothing that concerns the patient has a default."""

    def __init__(self, library: Sequence[Entry], preset: Mapping[str, str]) -> None:
        super().__init__(id="start")
        self._library, self._preset = library, preset
        self._at: int | None = None
        self._moved = False

    def compose(self) -> ComposeResult:
        """The library at the left, the form at the right."""
        rows = [
            Content.assemble(
                (entry.title, STRONG), (f"\n{': '.join(filter(None, (entry.kind, entry.summary)))}", MUTED)
            )
            for entry in self._library
        ]
        yield OptionList(*rows, id="library", compact=True)
        with Vertical(id="form"):
            yield Label(Content(WELCOME))
            yield self._field("protocol")
            yield self._field("patient")
            yield row("Affected side ← →", Sides())
            yield self._field("board")
            yield self._field("emg")
            yield Button("Open the session", id="open", compact=True)

    def first(self) -> Widget:
        """Where to begin: the list, or the patient where a protocol is given."""
        return self.query_one("#patient" if self.query_one("#protocol", Input).value else "#library")

    def _field(self, name: str) -> Horizontal:
        label, hint, _ = FIELDS[name]
        return row(label, Input(self._preset.get(name, ""), placeholder=hint, compact=True, id=name))

    @on(OptionList.OptionSelected, "#library")
    def _on_protocol(self, event: OptionList.OptionSelected) -> None:
        """Enter takes what the list was moved to; a list that nobody moved must not overwrite a file's path."""
        field, name = self.query_one("#protocol", Input), self._library[event.option_index].name
        before = field.value.strip()
        if self._moved or not before:
            field.value, self._moved = name, False
        if before and before != name:
            kept = f"Still {before}: ↑ ↓ in the list first, to replace it."
            self.post_message(Say(f"Protocol: {name}, in place of {before}." if field.value == name else kept))
        self.query_one("#patient").focus()

    @on(OptionList.OptionHighlighted, "#library")
    def _on_move(self, event: OptionList.OptionHighlighted) -> None:
        self._moved = self._moved or self._at not in {None, event.option_index}
        self._at = event.option_index

    @on(Input.Submitted)
    def _on_line(self) -> None:
        self.screen.focus_next()

    @on(Button.Pressed)
    def _on_open(self) -> None:
        text: dict[str, Any] = {name: self.query_one(f"#{name}", Input).value.strip() for name in FIELDS}
        pressed = self.query_one("#side", RadioSet).pressed_button
        side = (pressed.id or "") if pressed else ""
        missing = [words for name, (*_, words) in FIELDS.items() if words and not text[name]]
        if missing or not side:
            self.post_message(Say(f"Still missing: {', '.join([*missing, *([] if side else ['the affected side'])])}."))
            return
        # Simulated and real do not mix (hazard H47): without another wish, EMG comes from where the output goes.
        text["emg"] = text["emg"] or ("sim:" if text["board"].startswith("sim:") else "board:")
        protocol, patient, board, emg = (text[name] for name in ("protocol", "patient", "board", "emg"))
        opening = Order(OrderKind.OPEN, side=side, protocol=protocol, patient=patient, board=board, emg=emg)
        self.post_message(Wish(opening))


@final
class ScreeningForm(Vertical):
    """The questions, one row each, answered at the cursor; and the reason that a precaution needs."""

    def __init__(self) -> None:
        super().__init__(id="screening")
        self._reason_for = ""

    def compose(self) -> ComposeResult:
        """The list and, hidden, the field for a reason."""
        yield Sheet("questions")
        yield Prose(id="reason", placeholder="Why is treatment still right? _ writes a space, Enter keeps it")

    def show(self, questions: Sequence[Question]) -> None:
        """Show ``questions`` with their answers."""
        width = self.app.size.width - 4  # the padding, and a scroll bar
        sheet = self.query_one(Sheet)
        sheet.show([question_row(each, width, at=at == sheet.highlighted) for at, each in enumerate(questions)])

    def at(self, questions: Sequence[Question]) -> Question | None:
        """The question at the cursor."""
        return self.query_one(Sheet).at(questions)

    def advance(self, given: Order, questions: Sequence[Question]) -> None:
        """After an answer ``given``: move the cursor to the next open question below, then to one above; stay where there is none.

        Never back up to a blocker: whoever answers on in the rhythm of the checks would say yes to it.
        """
        if given.name == self._reason_for and given.value == "yes":
            return  # it waits for its reason: the cursor stays where it belongs
        if given.name == self._reason_for:
            self.ask_reason("")  # answered otherwise: a reason left over must not bring the yes back
        sheet = self.query_one(Sheet)
        here = sheet.highlighted or 0
        above = [at for at in range(here) if questions[at].kind != "blocker"]
        order = [*range(here + 1, len(questions)), *above]
        sheet.highlighted = next((at for at in order if is_open(questions[at])), here)

    def answer(self, value: str, questions: Sequence[Question]) -> Order | None:
        """The order for ``value`` at the cursor; ``None`` where it is no answer, or was given here.

        Yes to a precaution is given at once, without its reason: an earlier answer must not stand while it is written.
        """
        question = self.at(questions)
        if question is None or (question.kind == "sensation") is (value in {"yes", "no"}):
            return None
        if question.kind == "precaution" and value == "yes":
            self.ask_reason(question.id, question.justification)
            self.post_message(Wish(Order(OrderKind.ANSWER, name=question.id, value="yes")))
            return None
        return Order(OrderKind.ANSWER, name=question.id, value=value)

    def ask_reason(self, question: str, before: str = "") -> None:
        """Show the field for the reason of ``question``, with the one given before; hide it for an empty one."""
        self._reason_for = question
        field = self.query_one(Prose)
        field.value = before
        field.display = bool(question)
        (field if question else self.query_one(Sheet)).focus()

    @on(Input.Submitted)
    def _on_reason(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text:
            self.post_message(Wish(Order(OrderKind.ANSWER, name=self._reason_for, value="yes", text=text)))
        else:
            self.post_message(Say("Yes to a precaution needs a reason: until there is one it counts as unanswered."))
        self.ask_reason("")


@final
class PadsPane(Vertical):
    """The channels to confirm, and what the protocol gives them."""

    def __init__(self) -> None:
        super().__init__(id="pads")

    def compose(self) -> ComposeResult:
        """The channels above, the prescription below."""
        yield Sheet("placements")
        yield VerticalScroll(Words("summary"))

    def show(self, status: Status) -> None:
        """Show the channels of ``status``, its warnings and its summary."""
        sheet = self.query_one(Sheet)
        sheet.show([pads_row(each, at=at == sheet.highlighted) for at, each in enumerate(status.channels)])
        warnings = [Content.styled(f"▲ {text}", "$warning") for text in status.warnings]
        lines = Content("\n").join([*warnings, *map(Content, status.summary)])
        self.query_one(Words).show(lines, resize=True)

    def at(self, status: Status) -> ChannelStatus | None:
        """The channel at the cursor."""
        return self.query_one(Sheet).at(status.channels)
