"""The last step: what was done, and what remains to be written down before the session closes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input

from stimctl.orders import Order, OrderKind
from stimctl.widgets.forms import row
from stimctl.widgets.parts import Prose, Say, Wish
from stimctl.widgets.words import MUTED, Words

PAIN: Final = frozenset(map(str, range(11)))
"""The numeric rating scale of the clinical reference, D.1."""

SKIN: Final = {"ok": "looks well", "event": "event"}
"""What each answer about the skin is called on its button."""


@final
class ReviewForm(Vertical):
    """What was done, and what remains to be noted: skin, pain, remarks.

    It remembers what the session took, for a question that nobody answered is easily overlooked, and what was written
    and not sent, for a text must not be lost because a key was not pressed.
    """

    def __init__(self) -> None:
        super().__init__(id="review")
        self._skin: Order | None = None
        self._pain = ""
        self._notes = 0

    def compose(self) -> ComposeResult:
        """The results above, three lines to fill in and what came of them below."""
        yield VerticalScroll(Words("results"))
        words = Prose(placeholder="nothing, or what was seen; Enter", compact=True, id="skin")
        buttons = [Button(text, id=name, compact=True) for name, text in SKIN.items()]
        for button in buttons:
            button.active_effect_duration = 0  # a button ignores presses while it looks pressed
        yield row("Skin at each pad", words, *buttons)
        yield row("Pain now, 0-10", Input(placeholder="0 none, 10 worst; Enter sends", compact=True, id="pain"))
        yield row("Note", Prose(placeholder="_ writes a space; Enter sends", compact=True, id="note"))
        yield Words("noted")

    def begin(self) -> None:
        """Another session's review: nothing of it is recorded yet."""
        self._skin, self._pain, self._notes = None, "", 0

    def show(self, results: Sequence[str]) -> None:
        """Show what was done, a line each, and what is recorded of the rest."""
        self.query_one("#results", Words).show(Content("\n").join(map(Content, results)), resize=True)
        skin = SKIN[self._skin.value] if self._skin else "not yet"
        pain = f"{self._pain} of 10" if self._pain else "not yet"
        words = f" ({self._skin.text})" if self._skin and self._skin.text else ""
        noted = f"Recorded: skin {skin}{words}, pain {pain}, notes {self._notes}"
        self.query_one("#noted", Words).show(Content.styled(noted, MUTED if self._skin and self._pain else "$warning"))

    # --- what is recorded, and what is not --------------------------------------------------------------------

    def taken(self, order: Order) -> str:
        """Remember an order that the session took; returns what to tell the operator."""
        if order.kind is OrderKind.SKIN_CHECKED:
            before, self._skin = self._skin, order
            self.query_one("#skin", Input).clear()  # it is recorded; a correction begins with an empty field
            instead = f" in place of '{SKIN[before.value]}'; the record keeps both" if before else ""
            return f"Skin recorded: '{SKIN[order.value]}'{instead}."
        if order.kind is OrderKind.PAIN:
            before_pain, self._pain = self._pain, order.value
            return f"Pain recorded: {order.value} of 10{f' in place of {before_pain}' if before_pain else ''}."
        if order.kind is OrderKind.NOTE:
            self._notes += 1
            return "Note recorded."
        return ""

    @property
    def missing(self) -> str:
        """What closing now would leave out, as one sentence without its full stop; empty when there is nothing."""
        parts = (
            "" if self._skin else "skin not recorded",
            "" if self._pain else "pain not recorded",
            "text not sent (kept as a note)" if self.unsent() else "",
        )
        return ", ".join(filter(None, parts)).capitalize()

    def unsent(self) -> list[Order]:
        """Notes that keep what is written and was not sent."""
        rests = (("skin", "skin: ", ""), ("pain", "pain: ", self._pain), ("note", "", ""))
        texts = [(says, self._text(name), sent) for name, says, sent in rests]
        return [Order(OrderKind.NOTE, text=says + text) for says, text, sent in texts if text and text != sent]

    def keep(self) -> list[Order]:
        """The notes of :meth:`unsent`, once: the fields are empty afterwards."""
        kept = self.unsent()
        for field in self.query(Input):
            field.clear()
        return kept

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    # --- filling in -------------------------------------------------------------------------------------------

    def write(self, event: events.Key) -> bool:
        """Put a letter into the field for the skin when no field has the focus: nothing typed may vanish."""
        if isinstance(self.screen.focused, Input) or not event.is_printable or event.character is None:
            return False
        field = self.query_one("#skin", Input)
        field.focus()
        field.cursor_position = len(field.value)  # getting the focus selects it all, and a letter would replace it
        field.insert_text_at_cursor(event.character)
        return True

    @on(Input.Submitted, "#skin")
    def _on_words(self) -> None:
        """Words about the skin are an event. That it looks well is a button, and takes an empty field."""
        if self._text("skin"):
            self._record("event")
        else:
            self.post_message(Say("Not recorded yet. An event: write what was seen, Enter. Tab, Enter: looks well."))

    @on(Button.Pressed)
    def _on_skin(self, event: Button.Pressed) -> None:
        words, name = self._text("skin"), event.button.id or ""
        if name == "event" and not words:
            self.post_message(Say("Say in a few words what was seen; a skin event needs them."))
        elif name == "ok" and words:
            self.post_message(
                Say("Not recorded: the field holds words. Enter records an event; empty it for looks well.")
            )
        else:
            self._record(name)
            return
        self.query_one("#skin").focus()

    def _record(self, skin: str) -> None:
        self.post_message(Wish(Order(OrderKind.SKIN_CHECKED, value=skin, text=self._text("skin"))))
        self.query_one("#pain").focus()

    @on(Input.Submitted, "#pain")
    def _on_pain(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text in PAIN:
            self.post_message(Wish(Order(OrderKind.PAIN, value=text)))
            self.query_one("#note").focus()
        else:
            self.post_message(Say("Pain is a whole number from 0 to 10."))

    @on(Input.Submitted, "#note")
    def _on_note(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.post_message(Wish(Order(OrderKind.NOTE, text=event.value.strip())))
            event.input.clear()
