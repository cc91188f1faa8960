"""Read the content of each commit of a main line: its configuration and its documents."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING, Final, NamedTuple, TypeGuard

from pinsync import layout
from pinsync.drift.pairs import build_sort_key
from pinsync.history.configurations import Configurations, HistoryContext, Outline
from pinsync.history.versions import IgnoredFields, ReadFault, Version, VersionReader
from pinsync.layout import is_document
from pinsync.repository import TreeEntry, parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePosixPath

    from pinsync.config import Settings, Tracker
    from pinsync.model import Commit, Customization
    from pinsync.repository import Object, Reader

_MAX_KEPT: Final = 2
"""The number of cached states: a commit's and its parent's. The parent is the next commit."""

_NO_CLAIMS: Final = frozenset[str]()


class TrackerDocuments(NamedTuple):
    """The documents of one tracker in one commit.

    Attributes:
        folder: the path of the folder, from the repository's root.
        entries: file name → git's entry.
        versions: file name → the version of the document. A document that can't be read has an
            earlier version here.
        faults: file name → the reason why the document can't be read.
        models: model → file name.
        owners: the id of a customization → file name.
    """

    folder: PurePosixPath
    entries: Mapping[str, TreeEntry]
    versions: Mapping[str, Version]
    faults: Mapping[str, ReadFault]
    models: Mapping[str, str]
    owners: Mapping[str, str]


class CommitState(NamedTuple):
    """The content of a commit.

    Attributes:
        settings: the configuration.
        documents: tracker → documents, in the configuration's order.
        faults: the files that can't be read.
    """

    settings: Settings
    documents: Mapping[Tracker, TrackerDocuments]
    faults: frozenset[ReadFault]

    def find_model(self, path: PurePosixPath) -> str | None:
        """Return the model of the document at a path; None if there is no document."""
        for documents in self.documents.values():
            if documents.folder == path.parent and path.name in documents.versions:
                return documents.versions[path.name].model
        return None


class _Claimant(NamedTuple):
    """A document that is judged by older commits.

    Attributes:
        tracker: the tracker's name.
        name: the file name.
        claims: the claims that another document has too; none for a document that can't be read.
        ignore: the paths of the fields to ignore.
    """

    tracker: str
    name: str
    claims: frozenset[str]
    ignore: IgnoredFields


class CommitStates:
    """Reads the content of the commits of a main line, the newest first.

    Args:
        reader: reads git's objects.
        context: the working tree.
        tip: the full hash of the newest commit.
        version_reader: reads the documents; a new one if None.
    """

    def __init__(
        self,
        reader: Reader,
        context: HistoryContext,
        tip: str,
        version_reader: VersionReader | None = None,
    ) -> None:
        self.version_reader = version_reader or VersionReader(reader)
        self._reader = reader
        self._configurations = Configurations(reader, context)
        self._commits = context.repository.walk_main_line(tip, self._configurations.file_names)
        self._line: list[Commit] = []
        self._outlines: dict[int, Outline | ReadFault] = {}
        self._states: dict[tuple[int, IgnoredFields], CommitState] = {}
        # The walk goes from commit to commit, and the answer for a commit mostly holds for the
        # next one too. Without these caches the walk would take quadratic time.
        self._replacements: dict[_Claimant, tuple[int, Version | None]] = {}
        self._claim_starts: dict[_Claimant, int] = {}
        self._titled: dict[str, dict[str, list[Customization]]] = {}
        self._noted: dict[str, set[int]] = {}

    @property
    def file_names(self) -> list[str]:
        """Patterns for the names of the files that make a commit count."""
        return self._configurations.file_names

    def get_commit(self, at: int) -> Commit | None:
        """Return the commit at an index of the main line; None behind the last commit."""
        while len(self._line) <= at:
            commit = next(self._commits, None)
            if commit is None:
                return None
            self._line.append(commit)
        return self._line[at]

    def read_outline(self, at: int) -> Outline | ReadFault | None:
        """Return the configuration and the folders of a commit.

        Args:
            at: the commit's index in the main line.

        Returns:
            The reason if the configuration or a folder can't be read; None behind the last commit.
        """
        if at not in self._outlines:
            commit = self.get_commit(at)
            if commit is None:
                return None
            while len(self._outlines) >= _MAX_KEPT:
                del self._outlines[next(iter(self._outlines))]
            self._outlines[at] = self._configurations.read_outline(commit.hash)
        return self._outlines[at]

    def read_state(self, at: int, ignore: IgnoredFields | None = None) -> CommitState | None:
        """Return the content of a commit; None behind the last commit.

        If the configuration can't be read, return the content of the next older commit with a
        readable configuration.

        Args:
            at: the commit's index in the main line.
            ignore: the paths of the fields to ignore; None for the commit's own setting.
        """
        faults: set[ReadFault] = set()
        outline = self.read_outline(at)
        while isinstance(outline, ReadFault):
            # Only the commit's own fault: the faults of older commits belong to their own steps.
            faults = faults or {outline}
            at += 1
            outline = self.read_outline(at)
        if outline is None:
            return None
        if ignore is None:
            ignore = outline.settings.ignore
        state = self._states.get((at, ignore))
        if state is None:
            state = self._read_commit(at, outline, ignore)
            while len(self._states) >= _MAX_KEPT:
                del self._states[next(iter(self._states))]
            self._states[at, ignore] = state
        if faults:
            return state._replace(faults=state.faults | faults)
        return state

    def find_titled(self, tracker: str, items: Iterable[str]) -> Iterator[Customization]:
        """Yield the customizations of items that were read so far and may have a title.

        The customizations of one item are sorted from the newest commit to the oldest, and in
        canonical order within a commit.

        Args:
            tracker: the tracker's name.
            items: the identities of the items.
        """
        titled = self._titled.get(tracker, {})
        for item in items:
            yield from titled.get(item, ())

    def _read_commit(self, at: int, outline: Outline, ignore: IgnoredFields) -> CommitState:
        neighbour = self._find_neighbour(ignore)
        documents = {}
        faults: set[ReadFault] = set()
        for tracker, (folder, tree) in outline.folders.items():
            like = None
            if neighbour:
                like = neighbour.documents.get(tracker)
            # A version holds its path, so versions of another folder can't be used.
            if like and like.folder != folder:
                like = None
            found = self._read_tracker(at, tracker.name, folder, tree, like, ignore)
            documents[tracker] = found
            faults.update(found.faults.values())
        return CommitState(outline.settings, documents, frozenset(faults))

    def _find_neighbour(self, ignore: IgnoredFields) -> CommitState | None:
        """Return the state that was read last with the same ignored fields."""
        for (_, other), state in reversed(self._states.items()):
            if other == ignore:
                return state
        return None

    def _read_tracker(
        self,
        at: int,
        tracker: str,
        folder: PurePosixPath,
        tree: Object | None,
        like: TrackerDocuments | None,
        ignore: IgnoredFields,
    ) -> TrackerDocuments:
        """Read the documents of a tracker that differ from a neighbouring commit's."""
        entries: dict[str, TreeEntry] = {}
        if tree:
            entries.update((name, entry) for name, entry in parse_tree(tree) if is_document(name))
        if like and (documents := self._update_tracker(tracker, like, entries, ignore)):
            return documents
        # Most documents are the neighbour's, so the work depends only on the number of differences.
        draft = _Draft(like)
        for name in draft.names | entries.keys():
            # A document with a fault is read again: its earlier version depends on the commit.
            if like is None or name in like.faults or entries.get(name) != like.entries.get(name):
                draft.remove(name)
        missing = entries.keys() - draft.versions.keys()
        read = self._read_versions(folder, entries, missing, ignore)
        faults = draft.add_all(read)
        contested: Mapping[str, frozenset[str]] = {}
        if any(isinstance(read[name], Version) for name in faults):
            # Documents claim the same model or id. The earlier owner keeps it, and may be a
            # document that didn't change.
            read = self._read_versions(folder, entries, entries.keys(), ignore)
            contested = _find_contested_claims(read)
            rank = partial(self._rank_claimant, at, tracker, ignore, contested)
            draft = _Draft(None)
            faults = draft.add_all(dict(sorted(read.items(), key=rank)))
        self._note_titles(tracker, read.values())
        for name in faults:
            claimant = _Claimant(tracker, name, contested.get(name, _NO_CLAIMS), ignore)
            earlier = self._find_replacement(at, claimant)
            # Meanwhile another document may hold the model.
            if earlier and earlier.model not in draft.models:
                draft.add(name, draft.drop_known_ids(earlier))
        return TrackerDocuments(folder, entries, draft.versions, faults, draft.models, draft.owners)

    def _update_tracker(
        self,
        tracker: str,
        like: TrackerDocuments,
        entries: Mapping[str, TreeEntry],
        ignore: IgnoredFields,
    ) -> TrackerDocuments | None:
        """Read the documents of a commit in which no file, model or id came or went.

        Args:
            tracker: the tracker's name.
            like: the documents of a neighbouring commit.
            entries: file name → git's entry.
            ignore: the paths of the fields to ignore.

        Returns:
            None if the commit isn't such a commit, or has documents with faults.
        """
        if like.faults or entries.keys() != like.entries.keys():
            return None
        names = [name for name, entry in entries.items() if entry != like.entries[name]]
        read = self._read_versions(like.folder, entries, names, ignore)
        versions = dict(like.versions)
        for name, version in read.items():
            old = like.versions[name]
            if isinstance(version, ReadFault):
                return None
            if version.model != old.model or version.ids != old.ids:
                return None
            versions[name] = version
        self._note_titles(tracker, read.values())
        # The owners of all ids are the same, which spares a copy of a large dict in each commit.
        return like._replace(entries=entries, versions=versions)

    def _read_versions(
        self,
        folder: PurePosixPath,
        entries: Mapping[str, TreeEntry],
        names: Iterable[str],
        ignore: IgnoredFields,
    ) -> dict[str, Version | ReadFault]:
        return {
            name: self._read_version(folder / name, entries[name], ignore) for name in sorted(names)
        }

    def _rank_claimant(
        self,
        at: int,
        tracker: str,
        ignore: IgnoredFields,
        contested: Mapping[str, frozenset[str]],
        entry: tuple[str, Version | ReadFault],
    ) -> tuple[int, bool]:
        """Sort key for documents with the same claims: earlier owners, then canonical names."""
        name, version = entry
        if name not in contested or isinstance(version, ReadFault):
            return 0, False
        start = self._find_claim_start(at, _Claimant(tracker, name, contested[name], ignore))
        return -start, layout.build_file_name(version.model) != name

    def _find_claim_start(self, at: int, claimant: _Claimant) -> int:
        """Return the index of the commit since which a document has had one of its claims."""
        known = self._claim_starts.get(claimant, -1)
        if at <= known:
            return known
        while file := self._find_file(at + 1, claimant):
            # A version that can't be read is taken to have the claims.
            if _is_free_of(self._read_version(*file, claimant.ignore), claimant.claims):
                break
            at += 1
        self._claim_starts[claimant] = at
        return at

    def _find_file(self, at: int, claimant: _Claimant) -> tuple[PurePosixPath, TreeEntry] | None:
        """Return the path and git's entry of a document in a commit; None if it is absent."""
        outline = self.read_outline(at)
        while isinstance(outline, ReadFault):
            at += 1
            outline = self.read_outline(at)
        if outline is None:
            return None
        for tracker, (folder, tree) in outline.folders.items():
            if tracker.name == claimant.tracker:
                if tree and (found := self._reader.find(f"{tree.hash}:{claimant.name}")):
                    # The mode isn't known here. A link's target, read as a document, is a fault.
                    return folder / claimant.name, TreeEntry(True, found.hash)
                return None
        return None

    def _read_version(
        self, path: PurePosixPath, entry: TreeEntry, ignore: IgnoredFields
    ) -> Version | ReadFault:
        if not entry.is_file:
            reason = "is a link, a folder or a submodule, expected a plain file"
            return ReadFault(path, entry.hash, reason)
        return self.version_reader.read(path, entry.hash, ignore)

    def _note_titles(self, tracker: str, versions: Iterable[Version | ReadFault]) -> None:
        """Remember the customizations of a commit that no newer commit had."""
        titled = self._titled.setdefault(tracker, {})
        # By their addresses, which take a tenth of the time of their hashes: equal customizations
        # of a history are one object, which the reader of versions keeps.
        noted = self._noted.setdefault(tracker, set())
        new: list[Customization] = []
        for version in versions:
            if isinstance(version, Version):
                addresses = list(map(id, version.items))
                unnoted = set(addresses).difference(noted)
                new += compress(version.items, map(unnoted.__contains__, addresses))
                noted |= unnoted
        # The bytes are searched, since parsing every customization for its title would take long.
        candidates = [item for item in new if b"title" in item.text]
        for item in sorted(candidates, key=build_sort_key):
            if item.target.identity is not None:
                titled.setdefault(item.target.identity, []).append(item)

    def _find_replacement(self, at: int, claimant: _Claimant) -> Version | None:
        """Return the last version of a document without its claims that can be read."""
        until, replacement = self._replacements.get(claimant, (-1, None))
        if at < until:
            return replacement
        replacement, blob = None, ""
        at += 1
        while file := self._find_file(at, claimant):
            path, entry = file
            if entry.hash != blob:
                blob = entry.hash
                version = self._read_version(path, entry, claimant.ignore)
                if _is_free_of(version, claimant.claims):
                    replacement = version
                    break
            at += 1
        self._replacements[claimant] = at, replacement
        return replacement


def _list_claims(version: Version) -> Iterator[str]:
    """Yield the claims of a document, which no other document may have: its model, and its ids."""
    yield f"model {version.model}"
    yield from version.ids


def _is_free_of(version: Version | ReadFault, claims: frozenset[str]) -> TypeGuard[Version]:
    """Whether a document can be read and has none of the claims."""
    return isinstance(version, Version) and claims.isdisjoint(_list_claims(version))


def _find_contested_claims(
    versions: Mapping[str, Version | ReadFault],
) -> dict[str, frozenset[str]]:
    """Return, by file name, the claims that another document has too."""
    claims: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for name, version in versions.items():
        if isinstance(version, Version):
            claims[name] = list(_list_claims(version))
            counts.update(claims[name])
    contested = {}
    for name, own in claims.items():
        if shared := frozenset(claim for claim in own if counts[claim] > 1):
            contested[name] = shared
    return contested


class _Draft:
    """The documents of a tracker while they are put together.

    Args:
        like: the documents to begin with; None to begin without documents.
    """

    def __init__(self, like: TrackerDocuments | None) -> None:
        self.versions: dict[str, Version] = {}
        self.models: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self.names: set[str] = set()
        if like:
            self.versions.update(like.versions)
            self.models.update(like.models)
            self.owners.update(like.owners)
            self.names.update(like.entries)

    def remove(self, name: str) -> None:
        """Remove a document, if there is one of this name."""
        version = self.versions.pop(name, None)
        if version is not None:
            del self.models[version.model]
            for owned in version.ids:
                del self.owners[owned]

    def add(self, name: str, version: Version) -> None:
        """Add a document without conflicts."""
        self.versions[name] = version
        self.models[version.model] = name
        self.owners.update(dict.fromkeys(version.ids, name))

    def add_all(self, versions: Mapping[str, Version | ReadFault]) -> dict[str, ReadFault]:
        """Add documents in this order.

        Returns:
            File name → fault of each document that can't be read, or that conflicts with an
            earlier one.
        """
        faults: dict[str, ReadFault] = {}
        for name, version in versions.items():
            if isinstance(version, ReadFault):
                faults[name] = version
            elif conflict := self._find_conflict(version):
                faults[name] = conflict
            else:
                self.add(name, version)
        return faults

    def _find_conflict(self, version: Version) -> ReadFault | None:
        """Return the conflict of a document with the other documents, if there is one."""
        if version.model in self.models:
            other = version.path.with_name(self.models[version.model])
            reason = f"holds the model {version.model!r}, which {other} holds already"
            return ReadFault(version.path, version.blob, reason)
        for owned in version.ids:
            if owned in self.owners:
                other = version.path.with_name(self.owners[owned])
                reason = f"the id {owned} stands in {other} already"
                return ReadFault(version.path, version.blob, reason)
        return None

    def drop_known_ids(self, version: Version) -> Version:
        """Return a document without the customizations that now stand in other documents."""
        items = []
        lines = []
        for item, line in zip(version.items, version.lines, strict=True):
            if item.id not in self.owners:
                items.append(item)
                lines.append(line)
        ids = tuple(item.id for item in items if item.id is not None)
        return version._replace(items=tuple(items), lines=lines, ids=ids)
