"""The last step: what was done, and what remains to be written down before the session closes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from textual import on
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
        words = Prose(placeholder="what was seen; _ writes a space", compact=True, id="skin")
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
        noted = f"Recorded: skin {skin}, pain {pain}, notes {self._notes}"
        self.query_one("#noted", Words).show(Content.styled(noted, MUTED if self._skin and self._pain else "$warning"))

    # --- what is recorded, and what is not --------------------------------------------------------------------

    def taken(self, order: Order) -> str:
        """Remember an order that the session took; returns what to tell the operator."""
        if order.kind is OrderKind.SKIN_CHECKED:
            before, self._skin = self._skin, order
            instead = f" in place of '{SKIN[before.value]}'" if before else ""
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
        sent_skin = self._skin.text if self._skin else ""
        rests = (("skin", "skin: ", sent_skin), ("pain", "pain: ", self._pain), ("note", "", ""))
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

    @on(Input.Submitted, "#skin")
    def _on_words(self) -> None:
        """Words alone are no answer. The step leads to 'event': the button that a hurried Enter may press."""
        if self._text("skin"):
            self.query_one("#event").focus()
            self.post_message(Say("Not recorded yet. Enter: an event. Shift+Tab, Enter: looks well."))
        else:
            self.post_message(Say("Not recorded yet. Tab leads to 'looks well' and 'event'; Enter there records it."))

    @on(Button.Pressed)
    def _on_skin(self, event: Button.Pressed) -> None:
        words = self._text("skin")
        if event.button.id == "event" and not words:
            self.post_message(Say("Say in a few words what was seen; a skin event needs them."))
            self.query_one("#skin").focus()
        else:
            self.post_message(Wish(Order(OrderKind.SKIN_CHECKED, value=event.button.id or "", text=words)))
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
