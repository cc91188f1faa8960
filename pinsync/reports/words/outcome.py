"""The lines that sum up an export, and the items of ``items.json``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pinsync.drift.pairs import CHANGE_KINDS
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.sync.items import ItemsUpdate
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


def summarize_items(update: ItemsUpdate, path: str, *, would: str = "") -> str:
    """Return the line with the counts of a tracker's items.

    Args:
        update: the items before and after.
        path: the path of the file, for people.
        would: stands before the verb of an action that isn't done.
    """
    parts = [pluralize(update.mentioned, "item")]
    if update.missing:
        parts.append(f"{update.missing} not in the catalog")
    if update.unseen:
        parts.append(f"{update.unseen} not seen")
    action = f"nothing to write in {path}" if update.text is None else f"{path} {would}written"
    return f"{update.tracker.name}: {', '.join(parts)} · {action}"


def list_item_notes(update: ItemsUpdate) -> Iterator[str]:
    """Yield the notes about the search of a tracker's items in its catalog."""
    name = update.tracker.name
    if update.unread:
        pages = pluralize(update.unread, "page")
        items = pluralize(update.unseen, "item")
        yield (
            f"{name}: {pages} of the catalog left unread, and {items} not seen; "
            f"pinsync items --max-pages N reads on"
        )
    if update.missing == update.mentioned > 1:
        yield (
            f"{name}: none of the {update.mentioned} items is in the catalog; are their "
            f"identities spelled as in the catalog?"
        )
