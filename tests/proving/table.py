"""What a prover reports, and the one table made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: ``count`` of ``what``, whether that is as it must be, and what else to know."""

    what: str
    count: int
    good: bool = True
    remark: str = ""


@dataclass(frozen=True)
class Outcome:
    """All that one prover found. ``failures`` are whole sentences, each with the command that shows it again."""

    prover: str
    rows: tuple[Row, ...]
    failures: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.failures and all(row.good for row in self.rows)


def table(outcomes: Iterable[Outcome]) -> str:
    """The rows of all provers, one below the other; failures at the end."""
    outcomes = tuple(outcomes)
    rows = [(each.prover, row) for each in outcomes for row in each.rows]
    width = max((len(row.what) for _, row in rows), default=0)
    lines, last = [], ""
    for prover, row in rows:
        mark = "ok" if row.good else "NO"
        lines.append(
            f"{prover if prover != last else '':12} {row.what:{width}} {row.count:>9,}  {mark}  {row.remark}".rstrip()
        )
        last = prover
    lines += [f"\n{each.prover}: {failure}" for each in outcomes for failure in each.failures]
    return "\n".join(lines)


def to_json(outcome: Outcome) -> str:
    """An outcome on its way from the process that ran the prover."""
    return json.dumps(asdict(outcome))


def from_json(text: str) -> Outcome:
    """What :func:`to_json` wrote."""
    found = json.loads(text)
    return Outcome(found["prover"], tuple(Row(**row) for row in found["rows"]), tuple(found["failures"]))
