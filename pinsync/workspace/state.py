"""The two sides of a comparison: what a source's spelling means, and what it holds, tracker by tracker."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import merge
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from pinsync import layout
from pinsync.config import Settings, Tracker
from pinsync.errors import RepositoryError
from pinsync.model import Customization, Scope, Snapshot
from pinsync.workspace.configuration import ConfigurationSearch
from pinsync.workspace.read import fetch_live, parse_export, read_documents, read_export
from pinsync.workspace.source import (
    PLACES,
    Source,
    require_repository,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.api import Watcher
    from pinsync.document.record import Document
    from pinsync.repository import Repository
    from pinsync.workspace.store import Store


@dataclass(frozen=True, slots=True)
class Content:
    """What one side holds of one tracker.

    Attributes:
        snapshot: its customizations.
        documents: model → document, if they stand in files.
        prefix: what stands before the path in a document's ``source``.
    """

    snapshot: Snapshot
    documents: Mapping[str, Document] = field(default_factory=dict)
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """One side, opened.

    Attributes:
        source: where it is read from.
        settings: the configuration that goes with it; of a revision, the one committed there.
        repository: the repository, if there is one.
        store: the files on disk.
    """

    source: Source
    settings: Settings
    repository: Repository | None
    store: Store

    @property
    def in_files(self) -> bool:
        """Whether it is read from documents."""
        return self.source.kind not in ("live", "export")

    @property
    def trackers(self) -> tuple[Tracker, ...]:
        """The trackers it knows; files can be read without knowing any."""
        return self.settings.trackers or ((Tracker("default", ""),) if self.source.kind != "live" else ())

    def reading(self, tracker: Tracker) -> str:
        """Say what is read of a tracker, and from where."""
        match self.source.kind:
            case "live":
                return f"asking {' or '.join(tracker.hosts)}"
            case "export" | "nothing":
                return f"reading {self.source.text}"
            case "revision":
                return f"reading {self.source.prefix}{self.folder(tracker)} (commit {str(self.source.revision)[:12]})"
        return f"reading {self.folder(tracker)} of {PLACES[self.source.kind]}"

    def files(self, tracker: Tracker) -> Iterable[tuple[PurePosixPath, bytes]]:
        """Return path and bytes of each document of a tracker."""
        folder = self.folder(tracker)
        match self.source.kind:
            case "worktree":
                return worktree_documents(self.store, self.repository, self.settings.subfolder(tracker.name))
            case "index":
                return require_repository(self.repository, self.source.text).read_index(folder)
            case "revision":
                return require_repository(self.repository, self.source.text).read(
                    str(self.source.revision), folder, self.source.name
                )
        return ()

    def folder(self, tracker: Tracker) -> PurePosixPath:
        """Return where a tracker's documents lie, from the repository's root."""
        return layout.choose_folder(self.settings.directory, self.settings.subfolder(tracker.name))


def worktree_documents(
    store: Store, repository: Repository | None, tracker: str | None
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield path and bytes of each document of the working tree, sorted by path.

    Args:
        store: the files on disk.
        repository: the repository, if there is one.
        tracker: names the folder where there are several trackers.
    """
    unchecked = unchecked_documents(repository, layout.choose_folder(store.directory, tracker))
    yield from merge(store.documents(tracker), unchecked.items(), key=itemgetter(0))


def unchecked_documents(repository: Repository | None, folder: PurePosixPath) -> dict[PurePosixPath, bytes]:
    """Return path and text of each document that git doesn't check out, as in a sparse checkout.

    Such a document counts with its text in the index. Where the index is damaged there is none: to look at files needs
    no index, and whoever writes files is refused by git later.
    """
    if repository is None:
        return {}
    with suppress(RepositoryError):
        return dict(repository.read_unchecked(folder))
    return {}


def open_state(
    source: Source, today: Settings, repository: Repository | None, store: Store, environ: Mapping[str, str]
) -> State:
    """Open a side: find the configuration that goes with it.

    Of a revision and of the index it is the one committed there, where its folder was called otherwise too. Where there
    is none, today's goes with it if it isn't under git at all, but not one that came later: it could hide what came
    with it.

    Args:
        source: where it is read from.
        today: the configuration of the working tree.
        repository: the repository, if there is one.
        store: the files on disk.
        environ: the environment variables.

    Raises:
        ConfigError: the configuration committed there is refused.
    """
    state = State(source, today, repository, store)
    if repository is None or source.kind not in ("revision", "index"):
        return state
    search = ConfigurationSearch(today, repository, environ)
    found = search.find(partial(_committed, repository, source), renamed=source.kind == "revision")
    if found is None:
        return replace(state, settings=search.default)
    place, text = found
    return replace(state, settings=search.parse(text, place, source.prefix))


def _committed(repository: Repository, source: Source, path: PurePosixPath) -> bytes | None:
    if source.kind == "revision":
        return repository.read_file(str(source.revision), path, source.name)
    return repository.read_index_file(path)


def read_contents(
    old: State,
    new: State,
    trackers: tuple[Tracker | None, Tracker | None],
    scope: Scope,
    environ: Mapping[str, str],
    watcher: Watcher | None = None,
) -> tuple[Content, Content]:
    """Read both sides of one tracker; what the one says in canonical text the other needs not be parsed for.

    Args:
        old: the one side; its ``ignore`` holds for both.
        new: the other side.
        trackers: the tracker as either side knows it; None where a side doesn't.
        scope: the filters that go to the API.
        environ: where private keys are looked for.
        watcher: is told how a call of the API gets on.

    Raises:
        PinsyncError: a side can't be read or isn't to be trusted.
    """
    ignore = old.settings.ignore
    found: dict[int, Content] = {}
    states = (old, new)
    for side in sorted((0, 1), key=lambda side: states[side].in_files):  # rows first
        tracker, state = trackers[side], states[side]
        if tracker is None:
            found[side] = Content(Snapshot(()))
        elif state.in_files:
            known = found[1 - side].snapshot.customizations if found else ()
            found[side] = _documents(state, tracker, known, ignore)
        elif state.source.path is not None:
            found[side] = Content(read_export(state.source.path, ignore))
        elif state.source.kind == "export":
            found[side] = Content(parse_export(state.source.content, state.source.text, ignore))
        else:
            settings = replace(state.settings, ignore=ignore)
            found[side] = Content(fetch_live(tracker, settings, scope, environ, watcher))
    return found[0], found[1]


def _documents(
    state: State, tracker: Tracker, known: Iterable[Customization], ignore: Sequence[tuple[str, ...]]
) -> Content:
    prefix = state.source.prefix
    documents = read_documents(state.files(tracker), known, ignore, prefix=prefix)
    items = tuple(entry.customization for read in documents.values() for entry in read.entries)
    return Content(Snapshot(items), documents, prefix)


def pair_trackers(old: Sequence[Tracker], new: Sequence[Tracker]) -> Iterator[tuple[Tracker | None, Tracker | None]]:
    """Pair the trackers of two sides: by name and id, then by id, then by name; and a side's only one with the other's.

    Yields:
        Each tracker of either side once, those of ``old`` first, in their order.
    """
    if len(old) == len(new) == 1:
        yield old[0], new[0]
        return
    found: dict[str, Tracker] = {}
    free = list(new)
    for key in (attrgetter("name", "tracker_id"), attrgetter("tracker_id"), attrgetter("name")):
        waiting: dict[object, deque[Tracker]] = {}
        for other in free:
            waiting.setdefault(key(other), deque()).append(other)
        for tracker in old:
            if tracker.name not in found and (others := waiting.get(key(tracker))):
                found[tracker.name] = others.popleft()
        taken = {other.name for other in found.values()}
        free = [other for other in free if other.name not in taken]
    yield from ((tracker, found.get(tracker.name)) for tracker in old)
    yield from ((None, other) for other in free)
