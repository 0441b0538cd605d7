"""One row or line for each step of the procedure: a question, a pair of pads, a burst, a dose."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from textual.content import Content

from stimctl.orders import ChannelStatus, Counts, Progress, Question
from stimctl.widgets.words import MUTED, NONE, STRONG, bar, clock, fit, passed, tenths

ANSWERS: Final = {
    "blocker": ("Y yes: the session ends here", "N no"),
    "precaution": ("Y yes, with the reason to treat", "N no"),
    "check": ("Y yes, done", "N not done: cannot go on"),
    "sensation": ("1 normal", "2 reduced", "3 absent"),
}
"""What each kind of question can be answered, and what follows."""


BLOCKED: Final = "No treatment: Enter ends the session here. N changes the answer."
"""What a blocker answered with yes means, said where it was answered."""


CURSOR: Final = {True: "▶ ", False: "  "}
"""Which row the keys mean: a sign, for colour alone is not read by everybody."""


EFFORTS: Final = ("rest", "attempt 1", "attempt 2", "attempt 3", "threshold")
"""What is measured of a muscle before the start, in this order."""


def is_open(question: Question) -> bool:
    """Whether ``question`` still keeps the session shut: no answer, a check not done, a precaution without reason."""
    needs_reason = question.kind == "precaution" and question.answer == "yes" and not question.justification
    return not question.answer or (question.kind == "check" and question.answer != "yes") or needs_reason


def is_blocking(question: Question) -> bool:
    """Whether ``question`` forbids treatment as it is answered."""
    return question.kind == "blocker" and question.answer == "yes"


def answers(question: Question, questions: Sequence[Question]) -> tuple[str, ...]:
    """How ``question`` can be answered, how many of ``questions`` are, and how many of those answers do not do."""
    done = [each for each in questions if each.answer]
    left = sum(1 for each in done if is_open(each) or is_blocking(each))
    rest = f", {left} must still be done or changed" if left else ""
    return (f"{len(done)} of {len(questions)} answered{rest}", *ANSWERS.get(question.kind, ()), "↑↓ question")


def question_row(question: Question, width: int, *, at: bool = False) -> Content:
    """Answer, question and reason in lines of ``width``; what stands in the way and the one ``at`` the cursor carry a
    sign (hazard H52).
    """
    bad = is_blocking(question) or question.answer == "absent" or bool(question.answer and is_open(question))
    answer = f"{'▲ ' if bad else '✓ ' if question.answer else '  '}{question.answer or '......'}"
    style = "bold $warning" if bad else "$success" if question.answer else MUTED
    indent, room = "\n" + " " * 12, max(20, width - 12)
    text = indent.join(textwrap.wrap(question.text, room))
    if is_blocking(question):
        text += indent + indent.join(textwrap.wrap(BLOCKED, room))
    reason = (
        indent + indent.join(textwrap.wrap(f"because: {question.justification}", room))
        if question.justification
        else ""
    )
    return Content.assemble((CURSOR[at], "bold $primary"), (f"{answer:<10}", style), text, (reason, MUTED))


def pads_row(channel: ChannelStatus, *, at: bool = False) -> Content:
    """One channel to confirm: what sits where, and how well it touches."""
    contact = channel.contact or "not known"
    if channel.impedance_ohm is not None and "Ω" not in contact:
        contact += f" ({channel.impedance_ohm / 1_000:.1f} kΩ)"
    done = ("✓ confirmed", "$success") if channel.pads_confirmed else ("… V confirms", "$warning")
    return Content.assemble(
        (CURSOR[at], "bold $primary"), (f"output {channel.output}  {channel.name}", STRONG),
        f"  {channel.muscle}, {channel.site}\n",
        (f"    {channel.pads}, contact {contact}   ", MUTED), done,
    )  # fmt: skip


def progress_lines(progress: Progress, width: int) -> Content:
    """What is going on now, the set and the session: each with a bar, and the same in words and numbers.

    Where current flows on there are no sets.
    """
    p = progress
    rows = (
        ("now", p.phase or "-", p.phase_elapsed_us, p.phase_length_us,
         passed(p.phase_elapsed_us, p.phase_length_us, tenths, "s")),
        ("set", f"{p.set} of {p.sets}", p.repetition, p.repetitions, f"repetition {p.repetition} of {p.repetitions}"),
        ("session", "treatment time", p.session_elapsed_us, p.session_length_us,
         passed(p.session_elapsed_us, p.session_length_us, clock, "min")),
    )  # fmt: skip
    cells = max(6, width - 54)
    lines = [
        Content.assemble((f"{label:<9}", MUTED), fit(word, 19), (bar(done, whole, cells), "$primary"), f"  {numbers}")
        for label, word, done, whole, numbers in rows
        if p.repetitions or label != "set"
    ]
    return Content("\n").join(lines)


def counts_line(counts: Counts, *, continuous: bool = False) -> Content:
    """The dose so far. No bursts are counted where there are none, and no attempts where nobody is asked for any."""
    pairs: list[tuple[str, int | str]] = [] if continuous else [("delivered", counts.delivered), *_set_off(counts)]
    if counts.phases_met + counts.phases_missed + counts.phases_skipped:
        pairs += [("phases met", counts.phases_met), ("not met", counts.phases_missed + counts.phases_skipped)]
    pairs.append(("stops", counts.stops))
    parts = [Content.assemble((f"{name} ", MUTED), (str(value), STRONG)) for name, value in pairs]
    return Content("  ").join(parts)


def effort_lines(levels_uv: Sequence[float | None], measuring: int, width: int) -> Content:
    """Rest, each attempt and the threshold that comes of them, as bars in µV over one scale; the number says the same."""
    top, cells = max((uv or 0.0 for uv in levels_uv), default=0.0), max(6, width - 26)
    lines = []
    for at, uv in enumerate(levels_uv):
        name = EFFORTS[at] if at < len(EFFORTS) else ""
        words = "measuring ..." if at == measuring else NONE if uv is None else f"{uv:.1f} µV"
        filled = (bar(round(10 * (uv or 0.0)), round(10 * top), cells), "$primary")
        lines.append(Content.assemble((f"{name:<11}", MUTED), filled, f"  {words}"))
    return Content("\n").join(lines)


def _set_off(counts: Counts) -> list[tuple[str, int | str]]:
    """How bursts came about; % voluntary as in the clinical reference, D.2: a robot's turn is nobody's effort."""
    if not counts.by:
        return []
    if counts.by == "robot":
        return [("led by the glove", counts.triggered), ("glove did not open", counts.missed)]
    tries = counts.triggered + counts.missed + counts.assisted
    own = f"{100 * counts.triggered // tries} %" if tries else NONE
    named = [("triggered", counts.triggered), ("missed", counts.missed), ("assisted", counts.assisted)]
    return [*named, ("effort", own)]
