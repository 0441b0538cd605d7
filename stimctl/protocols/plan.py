"""The kind that joins others: a plan, one sitting made of blocks in their order, and how often in a week it is held.

A plan has no pads, channels or steps of its own. Each block is a whole file with its own rules, limits and thresholds; the
plan adds what holds for them together: one dose of time, and a week.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, final

from pydantic import BeforeValidator, Field

from stimctl.protocols.checks import Quantity, Words
from stimctl.protocols.strict import Head, Strict, as_tuple
from stimctl.units import microseconds

MAX_BLOCKS: Final = 20

_WINDOW: Final = "project, window of plausibility against unit mistakes"
_REST_S: Final = Quantity("s", 10, 7_200, _WINDOW, (("ms", 1e-3), ("min", 60.0)), exact=microseconds)
# The longest day of treatment that a trial asked for: constraint-induced practice, 6 h; half as long again for its rests.
_LONGEST_MIN: Final = Quantity(
    "min", 5, 540, "project; constraint-induced trials: 6 h of practice a day", (("s", 1 / 60), ("h", 60.0)), whole=True
)
# Trials went up to three sessions of NMES a day (Powell 1999: 3 x 30 min).
_PER_DAY: Final = Quantity("", 1, 4, "project; NMES trials held up to 3 sessions a day", whole=True)
_DAYS: Final = Quantity("", 1, 7, "a week has seven days", whole=True)
_REST_H: Final = Quantity("h", 1, 96, _WINDOW, (("min", 1 / 60), ("s", 1 / 3600), ("days", 24.0)))


@final
class PlanBlock(Strict):
    """One block: a file, or a rest."""

    file: Annotated[str, Words(200)] | None = None
    """What is done: the name of a shipped protocol, or a file's path from the folder in which the plan stands."""
    rest_s: Annotated[int | float, _REST_S] | None = None
    """A rest of this length in s, instead of a file."""
    say: Annotated[str, Words(200)] | None = None
    """What is said at the beginning of a rest; only with rest_s."""


@final
class PlanDose(Strict):
    """What all blocks may come to together."""

    longest_min: Annotated[int, _LONGEST_MIN]
    """How long all blocks and rests may take together at most, in min; preparing them is not counted."""


@final
class PlanWeek(Strict):
    """How often the plan is held."""

    sessions_per_day: Annotated[int, _PER_DAY]
    """How often on one day."""
    days_per_week: Annotated[int, _DAYS]
    """On how many days of a week."""
    min_rest_h: Annotated[int | float, _REST_H]
    """Hours that must lie between the end of one session of the plan and the beginning of the next."""


@final
class Plan(Head):
    """One sitting of several blocks."""

    kind: Literal["plan"]
    """What sort of protocol this is."""
    dose: PlanDose
    """What all blocks may come to together."""
    week: PlanWeek | None = None
    """How often the plan is held; absent: as often as the operator decides."""
    blocks: Annotated[
        tuple[PlanBlock, ...],
        Field(min_length=1, max_length=MAX_BLOCKS),
        BeforeValidator(as_tuple),
        Field(alias="block"),
    ]
    """The blocks, in their order."""
