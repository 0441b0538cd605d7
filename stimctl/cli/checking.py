"""``check``: every mistake in every file, for a person or for an editor."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stimctl.cli import say
from stimctl.errors import UsageError

if TYPE_CHECKING:
    from stimctl.control.authoring import Report


def check(arguments: argparse.Namespace) -> int:
    """Check every file; 0 when all are good, 1 when any has a fault."""
    files: list[str] = arguments.files
    if files.count("-") > 1:
        raise UsageError("standard input (-) can be checked once; give it once")
    if arguments.format == "json":
        reports = list(_reports(files))
        say.whole(json.dumps({"files": [_as_json(each) for each in reports]}, indent=2, ensure_ascii=False))
        return 0 if all(each.ok for each in reports) else 1
    faults = [_show(report) for report in _reports(files)]
    if len(files) > 1:
        bad = sum(1 for each in faults if each)
        tail = f", {bad} with {sum(faults)} fault{'s' * (sum(faults) != 1)}" if bad else ""
        say.problem(f"{len(files)} files: {len(files) - bad} good{tail}")
    return 1 if any(faults) else 0


def _reports(files: list[str]) -> Iterator[Report]:
    """A report for each file as soon as it is there, with a bar meanwhile."""
    from stimctl.control import authoring

    progress = say.Progress("checking")
    for done, report in enumerate(authoring.checks(files, sys.stdin.buffer), 1):
        progress.clear()
        yield report
        if len(files) > 1:
            progress(done, len(files))
    progress.clear()


def _show(report: Report) -> int:
    """Print one report; returns how many faults it has, at least one when it is not good."""
    for fault in report.faults:
        say.line(str(fault))
    for warning in report.warnings:
        where = f"{report.name}:{warning.line}:{warning.column}" if warning.line else report.name
        say.verdict(where, "warning", say.FAINT, warning.message)
    if report.ok:
        say.verdict(report.name, "good", say.GOOD)
        for each in report.summary:
            say.line(f"    {each}")
        return 0
    return max(len(report.faults), 1)


def _as_json(report: Report) -> dict[str, Any]:
    from stimctl.control import authoring

    return {
        "file": report.name,
        "ok": report.ok,
        "faults": [asdict(fault) for fault in report.faults],
        "warnings": [warning._asdict() for warning in report.warnings],
        "summary": list(report.summary),
        "figures": authoring.figures(report),
    }
