"""What each commit of a main line holds: its configuration, and the documents of each tracker."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync import layout
from pinsync.drift.pairs import build_sort_key
from pinsync.history.configurations import Configurations, Outline, Today
from pinsync.history.versions import Fault, Ignored, Version, Versions
from pinsync.layout import is_document
from pinsync.repository import TreeEntry, parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePosixPath

    from pinsync.config import Settings, Tracker
    from pinsync.model import Commit, Customization
    from pinsync.repository import Object, Reader

_RECENT: Final = 2
"""How many states are kept: a commit's and its parent's, which is the next one's."""


_Thing = tuple[str, str, frozenset[str], Ignored]
"""A tracker, a file's name, what of it is asked for, and the fields that don't count."""


class Documents(NamedTuple):
    """The documents of one tracker in one commit.

    Attributes:
        folder: where they lie, from the repository's root.
        listed: by file name, what git says of each.
        versions: by file name, what each says; one that can't be read stands for what it said
            before.
        faults: by file name, why it can't be read.
        models: by model, the name of its file.
        owners: by id, the name of the file that has it.
    """

    folder: PurePosixPath
    listed: Mapping[str, TreeEntry]
    versions: Mapping[str, Version]
    faults: Mapping[str, Fault]
    models: Mapping[str, str]
    owners: Mapping[str, str]


class State(NamedTuple):
    """What a commit holds.

    Attributes:
        settings: its configuration.
        documents: by tracker, in the configuration's order.
        faults: what can't be read.
    """

    settings: Settings
    documents: Mapping[Tracker, Documents]
    faults: frozenset[Fault]

    def model(self, path: PurePosixPath) -> str | None:
        """Return the model of the document that a file stands for, None for no document."""
        for found in self.documents.values():
            if found.folder == path.parent and path.name in found.versions:
                return found.versions[path.name].model
        return None


class States:
    """Reads what the commits of a main line hold, the newest first.

    Args:
        reader: what reads git's objects.
        today: the working tree.
        tip: the full hash of the newest commit.
    """

    def __init__(self, reader: Reader, today: Today, tip: str) -> None:
        self.versions = Versions(reader)
        self._reader = reader
        self._configurations = Configurations(reader, today)
        self._coming = today.repository.walk_main_line(tip, self._configurations.names)
        self._line: list[Commit] = []
        self._outlines: dict[int, Outline | Fault] = {}
        self._states: dict[tuple[int, Ignored], State] = {}
        self._standing: dict[_Thing, tuple[int, Version | None]] = {}
        self._begins: dict[_Thing, int] = {}
        self._titled: dict[str, dict[str, list[Customization]]] = {}
        self._noted: dict[str, set[Customization]] = {}

    @property
    def names(self) -> list[str]:
        """What the files are called that a commit has to touch in order to count."""
        return self._configurations.names

    def commit(self, at: int) -> Commit | None:
        """Return the commit at a place of the line, from 0; None behind its end."""
        while len(self._line) <= at:
            found = next(self._coming, None)
            if found is None:
                return None
            self._line.append(found)
        return self._line[at]

    def outline(self, at: int) -> Outline | Fault | None:
        """Return a commit's configuration and folders, why they can't be told, or None behind the line's end."""
        if at not in self._outlines:
            commit = self.commit(at)
            if commit is None:
                return None
            _forget(self._outlines)
            self._outlines[at] = self._configurations.outline(commit.hash)
        return self._outlines[at]

    def state(self, at: int, ignore: Ignored | None = None) -> State | None:
        """Return what a commit holds; with a configuration that can't be read, what was there before that.

        Args:
            at: the commit's place in the line.
            ignore: paths of fields that don't count; None for those of its own configuration.
        """
        readable, faults = at, set[Fault]()
        while isinstance(outline := self.outline(readable), Fault):
            faults = faults or {outline}
            readable += 1
        if outline is None:
            return None
        key = readable, outline.settings.ignore if ignore is None else ignore
        if key not in self._states:
            found = self._read(readable, outline, key[1])
            _forget(self._states)
            self._states[key] = found
        found = self._states[key]
        return found._replace(faults=found.faults | faults) if faults else found

    def titled(self, tracker: str, items: Iterable[str]) -> Iterator[Customization]:
        """Yield the customizations for these items that were met yet and may have a title.

        The customizations for one item come from the newest commit to the oldest, those that were
        met in the same commit in canonical order.
        """
        known = self._titled.get(tracker, {})
        for item in items:
            yield from known.get(item, ())

    def _read(self, at: int, outline: Outline, ignore: Ignored) -> State:
        like = next(
            (found for (_, other), found in reversed(self._states.items()) if other == ignore), None
        )
        documents = {}
        for tracker, (folder, tree) in outline.folders.items():
            neighbour = like.documents.get(tracker) if like else None
            if neighbour and neighbour.folder != folder:
                neighbour = None
            documents[tracker] = self._documents(at, tracker.name, folder, tree, neighbour, ignore)
        faults = frozenset(fault for found in documents.values() for fault in found.faults.values())
        return State(outline.settings, documents, faults)

    def _documents(
        self,
        at: int,
        tracker: str,
        folder: PurePosixPath,
        tree: Object | None,
        like: Documents | None,
        ignore: Ignored,
    ) -> Documents:
        """Read a tracker's documents, as far as they aren't those of a neighbouring commit."""
        listed = {
            name: found for name, found in (parse_tree(tree) if tree else ()) if is_document(name)
        }
        draft = _Draft(like)
        for name in draft.names | listed.keys():
            if like is None or name in like.faults or listed.get(name) != like.listed.get(name):
                draft.drop(name)
        missing = sorted(listed.keys() - draft.versions.keys())
        read = {name: self._version(folder / name, listed[name], ignore) for name in missing}
        faults = draft.fill(read)
        contested: Mapping[str, frozenset[str]] = {}
        if any(
            isinstance(read[name], Version) for name in faults
        ):  # two that have one thing: who had it first?
            read = {
                name: self._version(folder / name, found, ignore)
                for name, found in sorted(listed.items())
            }
            contested = _contested(read)
            rank = partial(self._rank, at, tracker, ignore, contested)
            draft = _Draft(None)
            faults = draft.fill(dict(sorted(read.items(), key=rank)))
        self._note_titles(tracker, [found for found in read.values() if isinstance(found, Version)])
        for name in faults:
            earlier = self._before(at, tracker, name, contested.get(name, frozenset()), ignore)
            if earlier and earlier.model not in draft.models:
                draft.add(name, draft.rest(earlier))
        return Documents(folder, listed, draft.versions, faults, draft.models, draft.owners)

    def _rank(
        self,
        at: int,
        tracker: str,
        ignore: Ignored,
        contested: Mapping[str, frozenset[str]],
        entry: tuple[str, Version | Fault],
    ) -> tuple[int, bool]:
        """Return which comes first of files that have one thing: the one that had it first, or has the right name."""
        name, found = entry
        if name not in contested or isinstance(found, Fault):
            return 0, False
        return -self._begin(at, tracker, name, contested[name], ignore), layout.build_file_name(
            found.model
        ) != name

    def _begin(
        self, at: int, tracker: str, name: str, things: frozenset[str], ignore: Ignored
    ) -> int:
        """Return the place in the line of the commit since which a file has had some of these things."""
        key = tracker, name, things, ignore
        begin = self._begins.get(key, -1)
        if at <= begin:
            return begin
        while listed := self._listed(at + 1, tracker, name):
            version = self._version(*listed, ignore)
            if isinstance(version, Version) and things.isdisjoint(_things(version)):
                break
            at += 1
        self._begins[key] = at
        return at

    def _listed(self, at: int, tracker: str, name: str) -> tuple[PurePosixPath, TreeEntry] | None:
        """Return where a tracker's file lay in a commit, and what git says of it; None if it wasn't there."""
        outline = self.outline(at)
        while isinstance(outline, Fault):
            outline = self.outline(at := at + 1)
        folders = outline.folders if outline else {}
        folder, tree = next(
            (place for each, place in folders.items() if each.name == tracker), (None, None)
        )
        found = self._reader.find(f"{tree.hash}:{name}") if tree else None
        return (
            (folder / name, TreeEntry(True, found.hash)) if folder and found else None
        )  # a link's text is no document

    def _version(self, path: PurePosixPath, listed: TreeEntry, ignore: Ignored) -> Version | Fault:
        if not listed.is_file:
            return Fault(
                path, listed.hash, "is a link, a folder or a submodule, expected a plain file"
            )
        return self.versions.read(path, listed.hash, ignore)

    def _note_titles(self, tracker: str, versions: Iterable[Version]) -> None:
        """Take note of a commit's customizations that weren't met in a newer commit."""
        known = self._titled.setdefault(tracker, {})
        noted = self._noted.setdefault(tracker, set())
        new: set[Customization] = set()
        for version in versions:
            new.update(version.items)
        new -= noted
        noted |= new
        titled = [item for item in new if b"title" in item.text]
        for item in sorted(titled, key=build_sort_key):
            if item.target.identity is not None:
                known.setdefault(item.target.identity, []).append(item)

    def _before(
        self, at: int, tracker: str, name: str, things: frozenset[str], ignore: Ignored
    ) -> Version | None:
        """Return what a document said before it couldn't be read, or had any of these things; None for nothing."""
        key = tracker, name, things, ignore
        until, found = self._standing.get(key, (-1, None))
        if at < until:
            return found
        found, blob = None, ""
        while listed := self._listed(at := at + 1, tracker, name):
            if listed[1].hash == blob:
                continue
            blob = listed[1].hash
            version = self._version(*listed, ignore)
            if isinstance(version, Version) and things.isdisjoint(_things(version)):
                found = version
                break
        self._standing[key] = at, found
        return found


def _things(version: Version) -> Iterator[str]:
    """Yield what a document has that no other may have: its model, and the ids of its rules."""
    yield f"model {version.model}"
    yield from version.ids


def _contested(read: Mapping[str, Version | Fault]) -> dict[str, frozenset[str]]:
    """Return, by file name, what a document has that another has too."""
    whole = {
        name: list(_things(version))
        for name, version in read.items()
        if isinstance(version, Version)
    }
    counts = Counter(thing for things in whole.values() for thing in things)
    shared = {
        name: frozenset(thing for thing in things if counts[thing] > 1)
        for name, things in whole.items()
    }
    return {name: things for name, things in shared.items() if things}


class _Draft:
    """Documents that are being put together.

    Args:
        like: those that they begin as; None to begin with none.
    """

    def __init__(self, like: Documents | None) -> None:
        self.versions = dict(like.versions) if like else {}
        self.models = dict(like.models) if like else {}
        self.owners = dict(like.owners) if like else {}
        self.names = set(like.listed) if like else set[str]()

    def drop(self, name: str) -> None:
        """Take a document out."""
        version = self.versions.pop(name, None)
        if version is not None:
            del self.models[version.model]
            for owned in version.ids:
                del self.owners[owned]

    def add(self, name: str, version: Version) -> None:
        """Put a document in that is in conflict with none."""
        self.versions[name] = version
        self.models[version.model] = name
        self.owners.update(dict.fromkeys(version.ids, name))

    def fill(self, read: Mapping[str, Version | Fault]) -> dict[str, Fault]:
        """Put documents in, as far as they go together in this order; return what is wrong with the others."""
        faults: dict[str, Fault] = {}
        for name, found in read.items():
            fault = found if isinstance(found, Fault) else self.conflict(found)
            if fault is None and isinstance(found, Version):
                self.add(name, found)
            elif fault:
                faults[name] = fault
        return faults

    def conflict(self, version: Version) -> Fault | None:
        """Return why a document doesn't go together with the others."""
        if version.model in self.models:
            other = version.path.with_name(self.models[version.model])
            return Fault(
                version.path,
                version.blob,
                f"holds the model {version.model!r}, which {other} holds already",
            )
        if self.owners.keys().isdisjoint(version.ids):
            return None
        shared = next(owned for owned in version.ids if owned in self.owners)
        other = version.path.with_name(self.owners[shared])
        return Fault(version.path, version.blob, f"the id {shared} stands in {other} already")

    def rest(self, version: Version) -> Version:
        """Return a document without what meanwhile stands elsewhere."""
        pairs = zip(version.items, version.lines, strict=True)
        kept = [(item, line) for item, line in pairs if item.id not in self.owners]
        items = tuple(item for item, _ in kept)
        ids = tuple(item.id for item in items if item.id is not None)
        return version._replace(items=items, lines=[line for _, line in kept], ids=ids)


def _forget(kept: dict[int, Outline | Fault] | dict[tuple[int, Ignored], State]) -> None:
    """Make room for one more, and forget the oldest."""
    while len(kept) >= _RECENT:
        del kept[next(iter(kept))]  # type: ignore[arg-type]
