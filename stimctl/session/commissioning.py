"""What a board's commissioning means for who is about to use it: one line, and whether it is a warning.

No limit hangs on it. A board that nobody has commissioned is warned of and not refused: the bench may be in another room,
on another computer, or before stimctl; what protects is judged in every session anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, final

from stimctl.boards import BoardFacts
from stimctl.errors import RecordError
from stimctl.records import profiles
from stimctl.records.profiles import Profile
from stimctl.session.link import kind_of
from stimctl.units import MS, SECOND


@final
class Known(NamedTuple):
    """What is known of a board from its bench, in one line. ``warns``: it is for the list of warnings."""

    line: str
    warns: bool


def known(where: Path | None, facts: BoardFacts, url: str) -> Known | None:
    """What to tell of the board behind ``url``; ``None`` where nothing has to be told: no current flows on a simulated one.

    ``where`` is the folder of profiles.
    """
    if facts.simulated or where is None:
        return None
    if not facts.confirms_zero:
        return Known(f"this board cannot be commissioned by this program: {why_not(facts)}", warns=True)
    try:
        profile = profiles.read(where, kind_of(url), facts.serial)
    except RecordError as error:
        return Known(f"{error}; {_bench(url)}", warns=True)
    if profile is None:
        return Known(f"this board has not been commissioned: {_bench(url)}", warns=True)
    return judged(profile, facts, url)


def why_not(facts: BoardFacts) -> str:
    """What a bench would have to go by, and what to go by instead."""
    return (
        f"the {facts.name} confirms no stop, so whether it stops can only be seen on a dummy load with an oscilloscope"
    )


def lines(bench: Known | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to tell of it among the facts, and what among the warnings; each is one line or none."""
    if bench is None:
        return (), ()
    return ((), (bench.line,)) if bench.warns else ((bench.line,), ())


def judged(profile: Profile, facts: BoardFacts, url: str) -> Known:
    """What a profile says of the board that has just introduced itself."""
    if not profile.passed:
        return Known(f"this board failed its commissioning on {profile.day}: {profile.faults[0]}; {_bench(url)}", True)
    if profile.firmware != facts.firmware:
        was, now = profile.firmware or "unknown firmware", facts.firmware or "unknown firmware"
        return Known(f"commissioned on {profile.day} with {was}, and now it has {now}: {_bench(url)}", True)
    return Known(summary(profile), warns=False)


def summary(profile: Profile) -> str:
    """A passed commissioning in one line: what was found, and what this board cannot show."""
    parts = [
        f"stop {stop_text(profile.stop_us)}",
        f"dead-man {dead_man_text(profile)}",
        accuracy_text(profile),
    ]
    whose = "" if profile.serial else " (a board of this kind; it tells no serial number)"
    return f"commissioned {profile.day}{whose}: {', '.join(parts)}"


def stop_text(stop_us: int | None) -> str:
    """``23 ms``, rounded up."""
    return "not confirmed" if stop_us is None else f"{-(-stop_us // MS)} ms"


def dead_man_text(profile: Profile) -> str:
    """``1.2 s``, rounded up to a tenth; ``within`` where the board did not tell the moment."""
    if profile.dead_man_us is None:
        return "not shown by this board"
    tenths = -(-profile.dead_man_us * 10 // SECOND)
    return f"{'' if profile.dead_man_told else 'within '}{tenths // 10}.{tenths % 10} s"


def accuracy_text(profile: Profile) -> str:
    """By how much the measured steps were off at most."""
    worst = worst_permille(profile)
    if worst is None:
        return "current not measured by this board"
    return f"current within {-(-worst // 10)} %"


def worst_permille(profile: Profile) -> int | None:
    """The largest error of a measured step, in thousandths of what was set, rounded up; ``None``: nothing was measured."""
    errors = [
        -(-abs(step.measured_ua - step.level_ua) * 1_000 // step.level_ua)
        for step in profile.steps
        if step.measured_ua is not None and step.level_ua
    ]
    return max(errors, default=None)


def _bench(url: str) -> str:
    return f"run stimctl bench --board {url}"
