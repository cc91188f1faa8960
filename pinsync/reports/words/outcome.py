"""The line that sums up an export."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pinsync.drift.pairs import CHANGE_KINDS
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from pinsync.sync.to_files import Update


def summarize_update(update: Update, where: str, *, would: str = "") -> str:
    """Return the line with the counts of changed customizations and files of a tracker.

    Args:
        update: the documents before and after.
        where: the end of the line: ``in`` a folder or ``on`` a branch.
        would: stands before the verb of an action that isn't done.
    """
    kinds = Counter(pair.kind for pair in update.pairs)
    changes = [
        f"{kinds[kind]} {kind}" for kind in CHANGE_KINDS if kind != "recreated" or kinds[kind]
    ]
    actions: list[str] = []
    for verb, count in update.counts._asdict().items():
        if count:
            # Only the first count has the noun: "2 files written, 1 deleted".
            number = f"{count}" if actions else pluralize(count, "file")
            actions.append(f"{number} {would}{verb}")
    files = ", ".join(actions) or "nothing to write"
    return f"{update.tracker.name}: {', '.join(changes)} · {files} {where}"
