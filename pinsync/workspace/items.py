"""Read the items of a tracker: from the catalog, and from ``items.json`` on one side."""

from __future__ import annotations

from contextlib import closing
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct

from pinsync import layout
from pinsync.errors import FileError, RemoteError, RepositoryError
from pinsync.items.file import parse_items
from pinsync.items.record import Item, find_host, read_item

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pinsync.config import Settings, Tracker
    from pinsync.workspace.tree import Place


class PageWatcher(Protocol):
    """Watches the progress of a catalog export; ``name`` is the tracker's."""

    def show_page(self, name: str, number: int, pages: int) -> None:
        """Show the number of the page that was read, and of all pages."""

    def show_wait(self, name: str, text: str) -> None:
        """Show why and for how long the export waits."""


class Search(NamedTuple):
    """The items to look for in the catalog.

    Attributes:
        identities: the identities of the items.
        max_pages: the number of pages after which the search ends.
    """

    identities: Collection[str]
    max_pages: int


class FoundItems(Struct, frozen=True):
    """The result of a search in the catalog.

    Attributes:
        items: identity → item, for each item that was found.
        is_whole: whether the whole catalog was read, so that an item that wasn't found is missing.
        unread: the number of pages that ``max_pages`` left unread.
    """

    items: Mapping[str, Item]
    is_whole: bool
    unread: int = 0


def fetch_items(
    tracker: Tracker,
    settings: Settings,
    search: Search,
    environ: Mapping[str, str],
    watcher: PageWatcher,
) -> FoundItems:
    """Look for items in a tracker's catalog, until all are found or the catalog ends.

    Args:
        tracker: the tracker.
        settings: the time-out, and the limit of an answer's size.
        search: the items to look for.
        environ: the environment variables, for the private key.
        watcher: receives the progress.

    Raises:
        ConfigError: there is no private key.
        RemoteError: the catalog can't be read, or can't be trusted.
    """
    # Imported here because only this function needs the network.
    from pinsync import api, config  # noqa: PLC0415

    if not search.identities:
        return FoundItems({}, is_whole=False)
    key = config.read_private_key(tracker, environ)
    limits = settings.timeout, settings.safety.max_answer_bytes
    session = api.Session(tracker, key, *limits, watcher=_WaitWatcher(watcher))
    items: dict[str, Item] = {}
    try:
        with closing(api.read_catalog(session)) as pages:
            for page in pages:
                _raise_if_empty(tracker, page.total, len(search.identities))
                for entry in page.items:
                    if entry.identity in search.identities:
                        items[entry.identity] = read_item(entry.attributes)
                count = -(-page.total // api.PAGE_SIZE)
                watcher.show_page(tracker.name, page.number, max(count, page.number))
                if page.is_last or len(items) == len(search.identities):
                    return FoundItems(items, page.is_last)
                if page.number >= search.max_pages:
                    return FoundItems(items, is_whole=False, unread=max(count - page.number, 1))
    except api.RefusalError as error:
        # `api` never reads a setting, so the hint at the source of the key is added here.
        if error.is_of_key:
            error.hint = config.describe_refused_key(tracker, key, environ)
        raise
    raise AssertionError("the catalog has no last page")


def _raise_if_empty(tracker: Tracker, total: int, mentioned: int) -> None:
    """Refuse an empty catalog: more likely than a shop without items is an answer about nothing."""
    if total == 0:
        noun = "1 item" if mentioned == 1 else f"{mentioned} items"
        message = f"tracker {tracker.name}: the catalog is empty, but documents mention {noun}"
        hint = "nothing was changed; if the shop does have items, report it to the vendor"
        raise RemoteError(message, hint=hint)


class _WaitWatcher:
    """Shows waits only: the bytes of single pages would hide the number of the page."""

    def __init__(self, watcher: PageWatcher) -> None:
        self._watcher = watcher

    def show_bytes(self, _name: str, _count: int) -> None:
        """Show nothing."""

    def show_wait(self, name: str, text: str) -> None:
        """Show why and for how long the call waits before the next attempt."""
        self._watcher.show_wait(name, text)


class Titles(NamedTuple):
    """The titles and pictures of items at one place.

    Attributes:
        by_identity: identity → title.
        note: for people: why the titles of a file are missing; None if they aren't.
        images: identity → URL of a picture.
    """

    by_identity: Mapping[str, str]
    note: str | None = None
    images: Mapping[str, str] = MappingProxyType({})

    def add_to(self, names: Mapping[str, str], identities: Iterable[str]) -> dict[str, str]:
        """Return the names of items with the titles of some items instead, where they are known.

        Args:
            names: identity → title, from other sources.
            identities: the items that a report names.
        """
        known = self.by_identity
        return {**names, **{name: known[name] for name in identities if name in known}}

    def choose_images(self, identities: Iterable[str], hosts: Collection[str]) -> dict[str, str]:
        """Return identity → URL of a picture, for those of some items that are on some hosts."""
        images = self.images
        found = {name: images[name] for name in identities if name in images}
        return {name: url for name, url in found.items() if find_host(url) in hosts}


def read_titles(places: Iterable[tuple[Place, str | None]]) -> Titles:
    """Return the titles in the ``items.json`` of the first place that has one.

    Reports can do without titles, so a damaged file is only worth a note.

    Args:
        places: each place with the tracker's name, or None if there is only one tracker; the
            place that counts most comes first.
    """
    for place, tracker in places:
        path = layout.build_items_path(place.directory, tracker)
        try:
            text = place.read_file(path)
            if text is None:
                continue
            items = parse_items(text, f"{place.prefix}{path}")
        except (FileError, RepositoryError) as error:
            return Titles({}, f"the titles of items are missing: {error.message}")
        titles, images = {}, {}
        for identity, item in items.items():
            if item and item.title:
                titles[identity] = item.title
            if item and item.image:
                images[identity] = item.image
        return Titles(titles, images=images)
    return Titles({})
