"""Look up items in the catalogs of trackers, and plan the changes of their ``items.json``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync import layout
from pinsync.errors import PinsyncError
from pinsync.sync.items import ItemsUpdate, plan_items
from pinsync.workspace.items import Search, fetch_items
from pinsync.workspace.parallel import run_in_parallel

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pinsync.config import Settings, Tracker
    from pinsync.terminal.console import Console
    from pinsync.workspace.tree import Head, WorkingTree

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
    try:
        found = fetch_items(tracker, settings, search, lookup.environ, lookup.console)
        return plan_items(tracker, path, place.read_file(path), row.identities, found)
    except PinsyncError as error:
        return error
