"""Plan the change of a tracker's ``items.json``; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pinsync.items.file import parse_items, render_items
from pinsync.items.record import update_items

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import PurePosixPath

    from pinsync.config.records import Tracker
    from pinsync.sync.to_files import Update
    from pinsync.workspace.items import FoundItems
    from pinsync.workspace.tree import Changes


class ItemsUpdate(Struct, frozen=True):
    """The ``items.json`` of a tracker before and after a search in the catalog.

    Attributes:
        tracker: the tracker.
        path: the path of the file.
        old: the bytes before; None without a file.
        text: the new text; None if the file stays as it is.
        mentioned: the number of items that documents mention.
        missing: the number of items that the catalog lacks.
        unseen: the number of items that weren't found in a catalog that wasn't read to its end.
        unread: the number of pages of the catalog that the limit of pages left unread.
        on_disk: the bytes on disk before; None without a file there. A file that a sparse checkout
            leaves out lies in the index alone.
    """

    tracker: Tracker
    path: PurePosixPath
    old: bytes | None
    text: bytes | None
    mentioned: int
    missing: int
    unseen: int
    unread: int
    on_disk: bytes | None = None


def plan_items(
    tracker: Tracker,
    path: PurePosixPath,
    old: bytes | None,
    mentioned: Collection[str],
    found: FoundItems,
) -> ItemsUpdate:
    """Return the update of a tracker's file.

    Args:
        tracker: the tracker.
        path: the path of the file.
        old: the bytes of the file; None without one.
        mentioned: the identities that documents mention.
        found: the items that the catalog has.

    Raises:
        FileError: the file is damaged, or of a newer format.
    """
    before = {} if old is None else parse_items(old, str(path))
    items = update_items(before, found.items, mentioned, is_whole=found.is_whole)
    text: bytes | None = render_items(items)
    # Git may convert line ends at checkout. A file without items isn't worth making.
    is_same = text == old.replace(b"\r\n", b"\n") if old is not None else not items
    absent = len(mentioned) - len(found.items)
    return ItemsUpdate(
        tracker=tracker,
        path=path,
        old=old,
        text=None if is_same else text,
        mentioned=len(mentioned),
        missing=absent if found.is_whole else 0,
        unseen=0 if found.is_whole else absent,
        unread=found.unread,
    )


def add_items(update: Update, items: ItemsUpdate, own: Changes) -> Update:
    """Return the update of a tracker's documents with the change of its ``items.json``.

    Args:
        update: the update of the documents.
        items: the update of the file with titles.
        own: with ``--commit``, the file as an earlier run wrote it, if no commit has it yet.
    """
    recorded = {**update.recorded, **own}
    if items.text is None:
        return replace(update, recorded=recorded)
    counts, path = update.counts, items.path
    if items.old is None:
        counts = counts._replace(written=counts.written + 1)
    else:
        counts = counts._replace(rewritten=counts.rewritten + 1)
    on_disk = dict(update.on_disk)
    if items.on_disk is not None:
        on_disk[path] = items.on_disk
    if recorded:
        recorded[path] = items.text
    return replace(
        update,
        files={**update.files, path: items.text},
        on_disk=on_disk,
        counts=counts,
        recorded=recorded,
    )
