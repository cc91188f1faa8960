"""The two sides of a comparison: their configurations, and their contents of each tracker."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from heapq import merge
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync import layout
from pinsync.config import Settings, Tracker
from pinsync.errors import RepositoryError
from pinsync.model import EVERYTHING, Customization, Scope, Snapshot
from pinsync.workspace.configuration import ConfigurationSearch
from pinsync.workspace.differences import read_differences
from pinsync.workspace.read import fetch_live, parse_documents, parse_export, read_export
from pinsync.workspace.source import PLACES, Source, require_repository

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.api import Watcher
    from pinsync.canonical.normalize import Ignored
    from pinsync.document.equal import EqualBlocks
    from pinsync.document.record import Document
    from pinsync.repository import Repository
    from pinsync.workspace.store import Store


class Content(Struct, frozen=True):
    """The customizations of one tracker on one side.

    Attributes:
        snapshot: the customizations.
        documents: model → document, if the source has files.
        prefix: the prefix of the path in a document's ``source``.
        equal: the blocks that the other side has too, and that snapshot and documents lack.
    """

    snapshot: Snapshot
    documents: Mapping[str, Document] = field(default_factory=dict)
    prefix: str = ""
    equal: tuple[EqualBlocks, ...] = ()

    @property
    def size(self) -> int:
        """The number of customizations."""
        return len(self.snapshot.customizations) + self.count_equal(EVERYTHING)

    def count_equal(self, scope: Scope) -> int:
        """Return the number of the equal blocks, of the models that the scope names if any."""
        count = 0
        for blocks in self.equal:
            # No blocks are passed over where tags decide.
            is_managed = scope.managed.includes(blocks.model, tuple)
            if is_managed and scope.model in (None, blocks.model):
                count += len(blocks.blocks)
        return count

    def find_targeting(self, identities: Collection[str], ignore: Ignored) -> list[Customization]:
        """Return the customizations in the equal blocks whose target is one of the items.

        Args:
            identities: the identities of the items.
            ignore: the paths of ignored fields.
        """
        items: list[Customization] = []
        for blocks in self.equal if identities else ():
            items += blocks.find_targeting(identities, ignore)
        return items


class State(Struct, frozen=True):
    """One side of a comparison with its configuration.

    Attributes:
        source: the source.
        settings: the configuration; for a revision, the committed configuration.
        repository: the repository, if there is one.
        store: the files on disk.
    """

    source: Source
    settings: Settings
    repository: Repository | None
    store: Store

    @property
    def in_files(self) -> bool:
        """Whether the side is read from documents."""
        return self.source.kind not in ("live", "export")

    @property
    def trackers(self) -> tuple[Tracker, ...]:
        """The trackers of the configuration."""
        if self.settings.trackers or self.source.kind == "live":
            return self.settings.trackers
        # Files can be read without a configured tracker.
        return (Tracker("default", ""),)

    def describe_reading(self, tracker: Tracker) -> str:
        """Return a progress message about reading a tracker."""
        match self.source.kind:
            case "live":
                return f"asking {' or '.join(tracker.hosts)}"
            case "export" | "nothing":
                return f"reading {self.source.text}"
            case "revision":
                commit = str(self.source.revision)[:12]
                return f"reading {self.source.prefix}{self.find_folder(tracker)} (commit {commit})"
        return f"reading {self.find_folder(tracker)} of {PLACES[self.source.kind]}"

    def read_documents(self, tracker: Tracker) -> Iterable[tuple[PurePosixPath, bytes]]:
        """Return path and bytes of each document of a tracker."""
        folder = self.find_folder(tracker)
        match self.source.kind:
            case "worktree":
                subfolder = self.settings.choose_subfolder(tracker.name)
                return read_worktree_documents(self.store, self.repository, subfolder)
            case "index":
                return require_repository(self.repository, self.source.text).read_index(folder)
            case "revision":
                repository = require_repository(self.repository, self.source.text)
                return repository.read_documents(
                    str(self.source.revision), folder, self.source.name
                )
        return ()

    def find_folder(self, tracker: Tracker) -> PurePosixPath:
        """Return the folder of a tracker's documents, from the repository's root."""
        return layout.choose_folder(
            self.settings.directory, self.settings.choose_subfolder(tracker.name)
        )


def read_worktree_documents(
    store: Store, repository: Repository | None, tracker: str | None
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield path and bytes of each document of the working tree, sorted by path.

    Args:
        store: the files on disk.
        repository: the repository, if there is one.
        tracker: the tracker's name, if there are several.
    """
    unchecked = read_unchecked_documents(repository, layout.choose_folder(store.directory, tracker))
    yield from merge(store.read_documents(tracker), unchecked.items(), key=itemgetter(0))


def read_unchecked_documents(
    repository: Repository | None, folder: PurePosixPath
) -> dict[PurePosixPath, bytes]:
    """Return path and staged text of each document that a sparse checkout leaves out."""
    if repository is None:
        return {}
    # Reading files needs no index, so a damaged index is no error here. Git refuses to write later.
    with suppress(RepositoryError):
        return dict(repository.read_skip_worktree(folder))
    return {}


def open_state(
    source: Source,
    today: Settings,
    repository: Repository | None,
    store: Store,
    environ: Mapping[str, str],
) -> State:
    """Return a side with its configuration.

    Args:
        source: the source.
        today: the configuration of the working tree.
        repository: the repository, if there is one.
        store: the files on disk.
        environ: the environment variables.

    Raises:
        ConfigError: the committed configuration is refused.
    """
    state = State(source, today, repository, store)
    if repository is None or source.kind not in ("revision", "index"):
        return state
    search = ConfigurationSearch(today, repository, environ)
    # Git finds renames by comparing commits, so the index has no former places.
    found = search.find(
        partial(_read_committed, repository, source), renamed=source.kind == "revision"
    )
    if found is None:
        return replace(state, settings=search.default)
    place, text = found
    return replace(state, settings=search.parse(text, place, source.prefix))


def _read_committed(repository: Repository, source: Source, path: PurePosixPath) -> bytes | None:
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
    *,
    whole: bool = True,
) -> tuple[Content, Content]:
    """Read both sides of one tracker.

    Args:
        old: the old side; its ``ignore`` applies to both.
        new: the new side.
        trackers: the tracker in the configuration of each side; None if a side lacks it.
        scope: the filters for the API.
        environ: the environment variables, for private keys.
        watcher: receives the progress of a call of the API.
        whole: whether to read blocks that are equal on both sides, too.

    Raises:
        PinsyncError: a side can't be read, or can't be trusted.
    """
    if not whole and (found := _read_differences((old, new), trackers)):
        return found
    ignore = old.settings.ignore
    contents: dict[int, Content] = {}
    states = (old, new)
    # Documents last: a block whose canonical text the other side has needs no parsing.
    for side in sorted((0, 1), key=lambda side: states[side].in_files):
        tracker, state = trackers[side], states[side]
        if tracker is None:
            contents[side] = Content(Snapshot(()))
        elif state.in_files:
            known = contents[1 - side].snapshot.customizations if contents else ()
            contents[side] = _parse_files(state, tracker, known, ignore)
        elif state.source.path is not None:
            contents[side] = Content(read_export(state.source.path, ignore))
        elif state.source.kind == "export":
            snapshot = parse_export(state.source.content, state.source.text, ignore)
            contents[side] = Content(snapshot)
        else:
            settings = replace(state.settings, ignore=ignore)
            snapshot = fetch_live(
                tracker,
                settings,
                scope,
                environ,
                watcher,
                keeps_answer=state.source.keeps_answer,
            )
            contents[side] = Content(snapshot)
    return contents[0], contents[1]


def _read_differences(
    states: tuple[State, State], trackers: tuple[Tracker | None, Tracker | None]
) -> tuple[Content, Content] | None:
    """Read the blocks of one tracker that differ; None if the sides have to be read one by one."""
    old, new = states
    old_tracker, new_tracker = trackers
    if not (old_tracker and new_tracker and old.in_files and new.in_files):
        return None
    files = list(old.read_documents(old_tracker)), list(new.read_documents(new_tracker))
    prefixes = old.source.prefix, new.source.prefix
    found = read_differences(*files, prefixes, old.settings.ignore)
    if found is None:
        return None
    contents = []
    for documents, prefix in zip((found.old, found.new), prefixes, strict=True):
        items = _list_customizations(documents)
        contents.append(Content(Snapshot(tuple(items)), documents, prefix, found.equal))
    return contents[0], contents[1]


def _parse_files(
    state: State,
    tracker: Tracker,
    known: Iterable[Customization],
    ignore: Sequence[tuple[str, ...]],
) -> Content:
    prefix = state.source.prefix
    documents = parse_documents(state.read_documents(tracker), known, ignore, prefix=prefix)
    return Content(Snapshot(tuple(_list_customizations(documents))), documents, prefix)


def _list_customizations(documents: Mapping[str, Document]) -> list[Customization]:
    items: list[Customization] = []
    for document in documents.values():
        items += [entry.customization for entry in document.entries]
    return items


def pair_trackers(
    old: Sequence[Tracker], new: Sequence[Tracker]
) -> Iterator[tuple[Tracker | None, Tracker | None]]:
    """Pair the trackers of two sides: by name and id, then by id, then by name.

    Yields:
        Each tracker of either side once, those of ``old`` first, in their order.
    """
    # A tracker that was renamed and has another id is still the only one.
    if len(old) == len(new) == 1:
        yield old[0], new[0]
        return
    pairs: dict[str, Tracker] = {}
    # From the surest match to the weakest.
    unpaired = list(new)
    for key in (attrgetter("name", "tracker_id"), attrgetter("tracker_id"), attrgetter("name")):
        candidates: dict[object, deque[Tracker]] = {}
        for tracker in unpaired:
            candidates.setdefault(key(tracker), deque()).append(tracker)
        for tracker in old:
            matches = candidates.get(key(tracker))
            if matches and tracker.name not in pairs:
                pairs[tracker.name] = matches.popleft()
        paired_names = {tracker.name for tracker in pairs.values()}
        unpaired = [tracker for tracker in unpaired if tracker.name not in paired_names]
    yield from ((tracker, pairs.get(tracker.name)) for tracker in old)
    yield from ((None, tracker) for tracker in unpaired)
