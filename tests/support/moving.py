"""What the tests of "who moved" share: the shop as a JSON export, and the answers in a line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.diffing import diffed
from support.exporting import put

if TYPE_CHECKING:
    from support.command_line import CommandLine
    from support.diffing import Report

Record = dict[str, Any]

LINE = "Pinsync-Export: 1234-5678"
CONFIGURATION = "format: 1\ntrackers:\n  shop:\n    tracker_id: 1234-5678\n"
LIVE = "live.json"


def stamp(at: float) -> str:
    """Return a moment, in hours after the beginning of 2026, as `histories.commit` counts them."""
    hours, minutes = divmod(round(at * 60), 60)
    day, hour = divmod(hours, 24)
    return f"2026-01-{day + 1:02}T{hour:02}:{minutes:02}:00Z"


def save(*rules: Record, model: str = "basket", at: float | None = None) -> None:
    """Save the shop as a JSON export.

    Args:
        rules: the rules, which may have a model of their own.
        model: the model of the others.
        at: when they were saved, as `stamp` takes it; None for an answer that doesn't say so.
    """
    rows = []
    for rule in rules:
        dated = {} if at is None else {"updated_at": stamp(at)}
        rows.append({"model": model, **dated, **rule})
    put(Path(LIVE), json.dumps({"results": rows}))


def tell(report: Report) -> list[str]:
    """Return who moved, and the subject of the commit, of each change: ``git: Swap strings``."""
    answers = []
    for change in report.changes:
        commit = change["moved_in"]
        subject = commit["subject"] if commit else "-"
        answers.append(f"{change['moved']}: {subject}")
    return answers


def ask(pinsync: CommandLine, *sources: str) -> list[str]:
    """Compare git's side with the saved shop, in both directions; return the answers."""
    git = sources or ("HEAD",)
    answers = tell(diffed(pinsync, *git, LIVE))
    assert sorted(tell(diffed(pinsync, LIVE, *git))) == sorted(answers)
    return answers
