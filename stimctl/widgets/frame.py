"""What stands above every screen: simulated or real, output, next action, alarms."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from stimctl.orders import OutputWord, Stage, Status
from stimctl.units import ma_text
from stimctl.widgets.channels import selected
from stimctl.widgets.words import MUTED, STRONG, edges, fit


def banner(status: Status | None, width: int) -> Content:
    """Simulated or real, in words, on every screen (hazard H47)."""
    # In a window that is too small the disclaimer gives way: what must not be mistaken stays whole.
    use = Content.styled("research use only, not a medical device " if width >= 80 else "", MUTED)
    if status is None:
        return edges(Content(" stimctl - waiting for the control process"), use, width)
    if status.remote:
        use = Content.styled(f" STOP KEY BY {fit(status.remote, 20).rstrip()} - may be late ", "bold $error reverse")
    if status.simulated:
        return edges(Content.styled(" SIMULATED - nobody is stimulated ", "bold $primary reverse"), use, width)
    if status.stage is Stage.START:
        return edges(Content.styled(" BOARD NOT YET KNOWN - treated as real ", "bold $warning"), use, width)
    if status.disabled:
        return edges(Content.styled(" A PERSON PRACTISES - output disabled ", "bold $warning reverse"), use, width)
    return edges(Content.styled(" REAL BOARD - current reaches a person ", "bold $warning reverse"), use, width)


OUTPUT: Final = {
    OutputWord.OFF: ("○", "bold $success"),
    OutputWord.ON: ("●", "bold $output reverse"),
    OutputWord.UNKNOWN: ("▲", "bold $error reverse"),
}


def output_line(status: Status, width: int) -> Content:
    """What leaves the board by its own report, the state, and for whom."""
    sign, style = OUTPUT[status.output]
    off = status.disabled and status.output is OutputWord.OFF
    word = "output disabled" if off else status.output_words or status.output
    left = Content.assemble(" ", (f" {sign} {word} ", style), "  ", status.state_words or status.state)
    stages = tuple(Stage)
    step = f"{stages.index(status.stage) + 1}/{len(stages)} {status.stage} "
    person = f"{fit(status.patient, 12).rstrip()}  {status.side.upper()}  " if status.patient else ""
    return edges(left, Content.assemble((person, STRONG), (step, MUTED)), width)


def tiny(status: Status | None, size: tuple[int, int], needed: tuple[int, int]) -> Content:
    """What a window that is too small still tells: output, the level that L lowers, what works and what does not."""
    parts: list[str | tuple[str, str]] = []
    if status is not None:
        sign, style = OUTPUT[status.output]
        parts.append((f" {sign} {status.output_words or status.output} ", style))
        chosen = selected(status.channels)
        if chosen is not None and status.stage in {Stage.THRESHOLDS, Stage.RUN}:
            parts.append((f"  {chosen.name}: set {ma_text(chosen.level_ua)} mA", STRONG))
        parts.append("\n")
    has, needs = (f"{width} x {height}" for width, height in (size, needed))
    parts.append(f" This window is {has}: enlarge it to {needs}. Until then only STOP, L lower, Z zero, P pause work.")
    return Content.assemble(*parts)


def next_line(status: Status) -> Content:
    """The next action; the presence prompt (hazard H32) and a look at the skin (H11) take its place, in this order."""
    if status.presence_due:
        return Content.styled(" ▶ Are you with the patient? Press H, or the output goes to zero.", "bold $warning")
    if status.skin_due and status.stage in {Stage.THRESHOLDS, Stage.RUN}:
        words = " ▶ Look at the skin around each pad, ask about burning. K: looks well. Else stop."
        return Content.styled(words, "bold $warning")
    return Content.assemble((" ▶ ", "bold $primary"), (status.next_action, STRONG))


ALARMS: Final = {
    "high": ("▲▲ ALARM, act now: ", "bold $error reverse"),
    "medium": ("▲ ALARM: ", "bold $warning"),
    "low": ("i ", "$primary"),
}


def alert_lines(status: Status, *, stop_unanswered: bool, hint: str, asked: str = "") -> Content:
    """At most two lines, three while stopped or asked something, the gravest first. Stopped is amber until the board
    itself confirms zero (hazard H35); why has a line of its own, so that a long reason cannot be read as what the board
    confirmed. What is asked stands first or behind a high alarm: nothing crowds out which key answers.
    """
    lines: list[Content] = []
    if status.alarm in ALARMS:
        sign, style = ALARMS[status.alarm]
        lines.append(Content.styled(f" {sign}{status.alarm_text} ", style))
    if stop_unanswered or (status.stopped and not status.stop_confirmed):
        what_to_do = (status.output_words or OutputWord.UNKNOWN).partition(" - ")[2].lower()
        text = f" ◆ STOP SENT, NOT CONFIRMED: treat output as ON, {what_to_do} "
        lines.append(Content.styled(text, "bold $warning reverse"))
    elif status.stopped:
        how = "output is disabled in this session" if status.disabled else "confirmed by the board"
        lines.append(Content.styled(f" ■ STOPPED, {how}", "bold $success"))
    reason = status.stop_reason if status.stopped and status.stop_reason != status.alarm_text else ""
    rest = [(status.refusal, " ✕ Refused: ", "$warning"), (hint, " ", "$primary"), (reason, " Reason: ", "")]
    told = bool(hint) and status.stage is Stage.REVIEW  # what the form says it has taken, the session says again
    rest.append((status.messages[-1] if status.messages and not asked and not told else "", " ", MUTED))
    lines += [Content.styled(f"{sign}{text}", style) for text, sign, style in rest if text]
    if asked:
        lines.insert(0, Content.styled(f" {asked}", "bold $primary"))
    lines.sort(key=lambda line: 0 if "▲▲" in line.plain else 1)
    return Content("\n").join(lines[: 3 if status.stopped or asked else 2])
