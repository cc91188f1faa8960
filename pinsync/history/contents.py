"""What a commit holds: the documents of each tracker, found with the configuration that is committed beside them."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync import layout
from pinsync.errors import ConfigError
from pinsync.history.versions import Fault, Ignored, Version, Versions
from pinsync.repository import listing
from pinsync.sources import sides
from pinsync.sources.sides import Source, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import PurePosixPath

    from pinsync.config import Settings, Tracker
    from pinsync.repository import Object, Reader, Repository
    from pinsync.store import Store

Files = dict[str, Version]
"""By file name."""

_RECENT: Final = 4
"""How many commits are kept in mind: one is looked at, then its parent, and that again as the next one."""


class Today(NamedTuple):
    """The working tree that history leads up to.

    Attributes:
        settings: its configuration.
        repository: the repository.
        store: the files on disk.
        environ: the environment variables.
    """

    settings: Settings
    repository: Repository
    store: Store
    environ: Mapping[str, str]


class Outline(NamedTuple):
    """A commit's configuration, and by tracker the folder of its documents; commits of equal ones hold the same."""

    settings: Settings
    folders: Mapping[str, Object | Fault | None]


class Contents(NamedTuple):
    """What a commit holds.

    Attributes:
        state: its configuration, and the trackers that this names.
        files: by tracker, its documents; one that can't be read stands for what it was before.
        blobs: by tracker and file name, the hash of each document's bytes.
        faults: what can't be read.
    """

    state: State
    files: Mapping[str, Files]
    blobs: Mapping[str, Mapping[str, str]]
    faults: tuple[Fault, ...]


class Commits:
    """Reads commits, the newest first as a rule, so that a configuration which was moved is found where it was.

    Args:
        reader: what reads git's objects.
        today: the working tree.
    """

    def __init__(self, reader: Reader, today: Today) -> None:
        self.versions = Versions(reader)
        self._reader = reader
        self._today = today
        self._places = sides.configuration_places(today.settings, today.repository)
        head = today.repository.head()
        self._newer = (head, self._places[0]) if head and self._places else None
        self._parsed: dict[tuple[PurePosixPath, str], Settings | Fault] = {}
        self._default: Settings | None = None
        self._mended: dict[tuple[str, Ignored], Contents | None] = {}
        self.outline = lru_cache(_RECENT)(self._outline)
        self._alone = lru_cache(_RECENT)(partial(self._read, before=None))

    def _outline(self, commit: str) -> Outline | Fault:
        """Return a commit's configuration and folders, or why the configuration can't be read."""
        settings = self._settings(commit)
        if isinstance(settings, Fault):
            return settings
        state = self._state(commit, settings)
        folders = {tracker.name: self._folder(commit, state.folder(tracker)) for tracker in state.trackers}
        return Outline(settings, folders)

    def _state(self, commit: str, settings: Settings) -> State:
        return State(Source("revision", commit, revision=commit), settings, self._today.repository, self._today.store)

    def _settings(self, commit: str) -> Settings | Fault:
        for place in self._places:
            found = self._reader.find(commit, place)
            if found and found.type == "blob":
                self._newer = commit, place
                return self._configured(place, found)
        if self._newer:
            moved = self._today.repository.origin(commit, *self._newer)
            self._newer = None
            if moved:
                self._places.insert(0, moved)
                return self._settings(commit)
        if self._default is None:
            today = self._today
            self._default = sides.without_configuration(today.settings, self._places, today.repository, today.environ)
        return self._default

    def _configured(self, place: PurePosixPath, found: Object) -> Settings | Fault:
        key = place, found.hash
        if key not in self._parsed:
            today = self._today
            text = found.content or b""
            try:
                settings = sides.configured(text, place, "", today.settings, today.repository, today.environ)
            except ConfigError as error:
                line = "" if error.line is None else f"line {error.line}: "
                self._parsed[key] = Fault(place, found.hash, f"{line}{error.reason}")
            else:
                self._parsed[key] = settings
        return self._parsed[key]

    def _folder(self, commit: str, folder: PurePosixPath) -> Object | Fault | None:
        """Return a folder; a link in its place is a fault: to git, what lies behind it isn't there."""
        for place in (folder, *(above for above in folder.parents if above.parts)):
            found = self._reader.find(commit, place)
            if found and found.type != "tree":
                return Fault(place, found.hash, "is a link or a file, expected a folder")
            if found:
                return found if place == folder else None
        return None

    def contents(self, commit: str, ignore: Ignored | None = None) -> Contents | None:
        """Return what a commit holds, what can't be read being as it was before; None if nothing ever could be.

        Args:
            commit: its full hash.
            ignore: paths of fields that don't count; None for those of its own configuration.
        """
        if ignore is None:
            outline = self.outline(commit)
            ignore = outline.settings.ignore if isinstance(outline, Outline) else ()
        waiting: list[str] = []
        at: str | None = commit
        found: Contents | None = None
        while at is not None and (at, ignore) not in self._mended:
            found = self._alone(at, ignore)
            if found and not found.faults:
                break
            waiting.append(at)
            at = self._reader.parent(at)
        else:
            found = self._mended[at, ignore] if at is not None else None
        for each in reversed(waiting):
            self._mended[each, ignore] = found = self._read(each, ignore, found)
        return found

    def _read(self, commit: str, ignore: Ignored, before: Contents | None) -> Contents | None:
        outline = self.outline(commit)
        if isinstance(outline, Fault):
            return before and before._replace(faults=(outline,))
        state = self._state(commit, outline.settings)
        files: dict[str, Files] = {}
        blobs: dict[str, dict[str, str]] = {}
        faults: list[Fault] = []
        for tracker in state.trackers:
            earlier = before.files.get(tracker.name, {}) if before else {}
            folder = outline.folders[tracker.name]
            if isinstance(folder, Fault):
                files[tracker.name], found = earlier, [folder]
                blobs[tracker.name] = {"": folder.blob}
            else:
                blobs[tracker.name], versions = self._documents(state, tracker, folder, ignore)
                files[tracker.name], found = _mended(versions, earlier)
            faults += found
        return Contents(state, files, blobs, tuple(faults))

    def _documents(
        self, state: State, tracker: Tracker, folder: Object | None, ignore: Ignored
    ) -> tuple[dict[str, str], dict[str, Version | Fault]]:
        place = state.folder(tracker)
        entries = {name: found for name, found in (listing(folder) if folder else ()) if layout.is_document(name)}
        versions = {
            name: self.versions.read(place / name, found.hash, ignore)
            if found.is_file
            else Fault(place / name, found.hash, "is a link, a folder or a submodule, expected a plain file")
            for name, found in entries.items()
        }
        return {name: found.hash for name, found in entries.items()}, versions


def _mended(found: Mapping[str, Version | Fault], before: Files) -> tuple[Files, list[Fault]]:
    """Return the documents that go together, those that are as before first, and what was wrong with the others."""
    whole = [version for version in found.values() if isinstance(version, Version)]
    ids = set().union(*(version.ids for version in whole))
    if len(whole) == len({version.model for version in whole}) == len(found) and len(ids) == sum(map(_named, whole)):
        return dict(zip(found, whole, strict=True)), []
    faults: list[Fault] = []
    files: Files = {}
    models: dict[str, Version] = {}
    ids = set()
    for name in sorted(found, key=lambda name: (name not in before or before[name].blob != found[name].blob, name)):
        version = found[name]
        fault = version if isinstance(version, Fault) else _conflict(version, models, ids)
        if fault is None and isinstance(version, Version):
            files[name] = models[version.model] = version
            ids |= version.ids
        elif fault:
            faults.append(fault)
    for fault in faults:
        earlier = before.get(fault.path.name)
        if earlier and earlier.model not in models:
            files[fault.path.name] = models[earlier.model] = _without(earlier, ids)
            ids |= earlier.ids
    return files, faults


def _named(version: Version) -> int:
    return len(version.ids)


def _conflict(version: Version, models: Mapping[str, Version], ids: Collection[str]) -> Fault | None:
    if version.model in models:
        reason = f"holds the model {version.model!r}, which {models[version.model].path} holds already"
        return Fault(version.path, version.blob, reason)
    shared = version.ids.intersection(ids)
    return Fault(version.path, version.blob, f"the id {min(shared)} stands in another document too") if shared else None


def _without(version: Version, ids: Iterable[str]) -> Version:
    """Return a version without what meanwhile stands elsewhere."""
    gone = version.ids.intersection(ids)
    kept = [pair for pair in zip(version.items, version.lines, strict=True) if pair[0].id not in gone]
    return version._replace(
        items=tuple(item for item, _ in kept), lines=tuple(line for _, line in kept), ids=version.ids - gone
    )
