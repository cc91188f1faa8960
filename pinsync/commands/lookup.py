"""Look up items in the catalogs of trackers, and plan the changes of their ``items.json``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync import layout
from pinsync.errors import PinsyncError
from pinsync.sync.items import ItemsUpdate, plan_items
from pinsync.workspace.items import Search, fetch_items
from pinsync.workspace.parallel import run_in_parallel
from pinsync.workspace.tree import WorkingTree

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.config import Settings, Tracker
    from pinsync.terminal.console import Console
    from pinsync.workspace.tree import Head

MAX_PAGES: Final = 200
"""The number of pages of a catalog that are read by default: 100,000 items."""


class Mentioned(Struct, frozen=True):
    """The items that the documents of a tracker mention.

    Attributes:
        tracker: the tracker.
        identities: the identities of the items.
    """

    tracker: Tracker
    identities: Collection[str]


class Lookup(Struct, frozen=True):
    """The settings of a look-up.

    Attributes:
        place: the place of the files to change.
        settings: the configuration.
        environ: the environment variables, for private keys.
        console: shows the progress.
        max_pages: the number of pages after which the search in a catalog ends.
    """

    place: WorkingTree | Head
    settings: Settings
    environ: Mapping[str, str]
    console: Console
    max_pages: int = MAX_PAGES

    def plan_updates(self, rows: Sequence[Mentioned]) -> list[ItemsUpdate | PinsyncError]:
        """Return the update, or the error, of each tracker; all catalogs are read in parallel."""
        names = [row.tracker.name for row in rows]
        with self.console.show_phase("looking up items of", names) as done:
            return run_in_parallel(
                partial(_plan_update, self), rows, lambda row: done(row.tracker.name)
            )


def _plan_update(lookup: Lookup, row: Mentioned) -> ItemsUpdate | PinsyncError:
    """Return the update of a tracker, or the error; called by several threads."""
    place, settings, tracker = lookup.place, lookup.settings, row.tracker
    path = layout.build_items_path(place.directory, settings.choose_subfolder(tracker.name))
    search = Search(row.identities, lookup.max_pages)
    count = len(row.identities)
    lookup.console.step(f"{tracker.name}: looking for {count} items in the catalog")
    try:
        found = fetch_items(tracker, settings, search, lookup.environ, lookup.console)
        update = plan_items(tracker, path, place.read_file(path), row.identities, found)
        return replace(update, on_disk=_read_disk(place, path))
    except PinsyncError as error:
        return error


def _read_disk(place: WorkingTree | Head, path: PurePosixPath) -> bytes | None:
    """Return the bytes of a file on disk; None without one, and for a commit."""
    return place.store.read(path) if isinstance(place, WorkingTree) else None
