"""What an export did, in one line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pinsync.drift.pairs import KINDS
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from pinsync.sync.to_files import Update


def summarize_update(update: Update, where: str, *, would: str = "") -> str:
    """Return the line that tells what became of a tracker's documents.

    Args:
        update: the documents before and after.
        where: ``in`` which folder or ``on`` which branch, the end of the line.
        would: stands before the verb of an action that isn't done.
    """
    kinds = Counter(pair.kind for pair in update.pairs)
    changes = [f"{kinds[kind]} {kind}" for kind in KINDS if kind != "recreated" or kinds[kind]]
    done = [(count, verb) for verb, count in update.counts._asdict().items() if count]
    parts = [f"{count if at else pluralize(count, 'file')} {would}{verb}" for at, (count, verb) in enumerate(done)]
    return f"{update.tracker.name}: {', '.join(changes)} · {', '.join(parts) or 'nothing to write'} {where}"
