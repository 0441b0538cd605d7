"""What the screen is put together from: colours, the help text, fields, key caps, lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final, TypeVar, final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.message import Message
from textual.theme import Theme
from textual.widgets import Input, OptionList, RadioButton, RadioSet, Static

from stimctl.orders import Order

Item = TypeVar("Item")

GUIDE: Final = """\
One channel at a time, the others at zero. Two rising runs, each from zero:
   1  when it is first felt        2  at the first twitch
   3  at the most that is tolerated well; the level goes back to zero
The lower of the two most tolerated levels is this channel's ceiling today.
Mark while the current stands, once it has reached the level set."""
"""Finding thresholds, in the words of the clinical reference, D 6."""

HELP: Final = """\
 STOP       Space, Ctrl+X, Ctrl+C, Esc or a click on STOP: always, everywhere.
            U clears the stop; output stays off, and you raise again from zero.
 R raises   one step for one press; a held or pasted key does not count again.
 L lowers   at once, as often as pressed; so do down and minus. Z: to zero.
 Screening  Y yes  N no   1 normal  2 reduced  3 absent   Pads: V confirms
 Thresholds 1 first felt   2 first twitch   3 most tolerated
 Session    ← → channel S start  B begin  A switch  P pause  G go on  W wrap up
            H I am here   K skin looks well   I pain   M mitt on  O mitt off
            Enter next step   Q or Ctrl+Q quit (stops first)
 Typing     Space is STOP, so _ writes a space in reasons and notes.
 Help       ? or F1 shows and hides this panel; nothing else changes."""

THEME: Final = Theme(
    name="stimctl",
    primary="#6cb6c9",
    secondary="#8fa3b5",
    warning="#f0a945",
    error="#f0625a",
    success="#7cc59a",
    foreground="#dbe3ea",
    background="#11161b",
    surface="#171e25",
    panel="#202932",
    dark=True,
    variables={"output": "#f5d547", "selected": "#ffffff", "emg": "#8fd0a8"},
)


class Wish(Message):
    """A form asks for an order; the face sends it if the session takes it now."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order


class Say(Message):
    """A form has something to tell the operator."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


@final
class Plain(LineFilter):
    """For NO_COLOR: no colour at all, where Textual's own filter would paint in greys. Bold and reverse stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002  Textual's signature
        """``segments`` without colours."""
        return [
            Segment(
                text, Style(bold=style.bold, reverse=style.reverse, underline=style.underline) if style else None, c
            )
            for text, style, c in segments
        ]


@final
class Prose(Input):
    """A field for sentences. Space is STOP also here, so an underscore writes the space between words."""

    def insert_text_at_cursor(self, text: str) -> None:
        """Insert ``text``, typed or pasted."""
        super().insert_text_at_cursor(text.replace("_", " "))


@final
class Side(RadioButton):
    """One of two sides. Textual tells chosen from not chosen by colour alone; here an empty circle fills."""

    BUTTON_INNER = " "

    def __init__(self, side: str) -> None:
        super().__init__(Content(side.upper()), id=side)

    def watch_value(self) -> None:
        """Fill or empty the circle."""
        self.BUTTON_INNER = "●" if self.value else " "
        super().watch_value()


@final
class Sides(RadioSet, inherit_bindings=False):
    """The affected side. The arrows point to it, and nothing is marked before one was pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose('left')", show=False),
        Binding("right", "choose('right')", show=False),
        Binding("enter", "leave", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(Side("left"), Side("right"), id="side", compact=True)

    def action_choose(self, side: str) -> None:
        """Choose ``side``."""
        self.query_one(f"#{side}", Side).value = True

    def action_leave(self) -> None:
        """On to the next field, once there is a choice."""
        if self.pressed_button is None:
            self.post_message(Say("← chooses left, → chooses right."))
        else:
            self.screen.focus_next()


@final
class Cap(Static):
    """A key drawn on the screen. It acts when the mouse button goes down, not when it comes up again."""

    def __init__(self, words: str, cells: int, id: str, act: Callable[[], None]) -> None:  # noqa: A002  Textual's own name
        lines = words.split("\n")
        # Drawn in full breadth, so that without colours reverse makes a block of it.
        super().__init__(Content("\n".join(f"{line:^{cells}}" for line in lines)), id=id)
        self._act = act

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Act, and keep the keyboard's focus where it is."""
        event.stop()
        event.prevent_default()
        self._act()


@final
class Sheet(OptionList):
    """A list of rows with a cursor. Only rows that changed are drawn again, and the cursor stays where it is."""

    def __init__(self, id: str) -> None:  # noqa: A002  Textual's own name for it
        super().__init__(id=id, markup=False, compact=True)

    def show(self, rows: Sequence[Content]) -> None:
        """Show ``rows``."""
        if self.option_count != len(rows):
            self.set_options(rows)
            self.highlighted = 0 if rows else None
            return
        for at, row in enumerate(rows):
            old = self.get_option_at_index(at).prompt
            if not (isinstance(old, Content) and row.is_same(old)):
                self.replace_option_prompt_at_index(at, row)

    def at(self, items: Sequence[Item]) -> Item | None:
        """The one of ``items`` whose row the cursor stands on."""
        return items[self.highlighted] if self.highlighted is not None and self.highlighted < len(items) else None
