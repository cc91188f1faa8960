"""The history of the rules: what each commit of the main line changed in the meaning of the documents.

A commit is compared with its first parent, each read with its own configuration, so that a folder or a tracker which
was renamed is followed. What can't be read in a commit stands for what it was before, so that nothing is taken for
removed and the changes of all commits together lead from the first state to the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.compare.drift import Place
from pinsync.errors import UsageError, suggestion
from pinsync.history.contents import Commits, Contents, Today
from pinsync.history.versions import Fault
from pinsync.sources import sides

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.config import Tracker
    from pinsync.history.versions import Ignored, Version
    from pinsync.model import Commit, Customization
    from pinsync.repository import Reader

_MAX_INDEXED: Final = 64
"""How many versions of documents are kept by target; a commit differs from its parent in few."""

__all__ = ["History", "Step", "Today", "TrackerStep"]


@dataclass(frozen=True, slots=True)
class TrackerStep:
    """What one commit did to one tracker's files.

    Attributes:
        name: the tracker's name.
        newest: what the newest commit calls it; None if that hasn't got it.
        tracker_id: its id.
        old: what stands in files that differ, on the parent's side; what is equal on both sides is left out.
        new: the same on the commit's side.
        models: the models of the files that differ, or lie elsewhere.
        differing: the documents of the files that differ, those of the parent's side first.
        before: all of the tracker's documents on the parent's side.
        after: the same on the commit's side.
    """

    name: str
    newest: str | None
    tracker_id: str
    old: Sequence[Customization]
    new: Sequence[Customization]
    models: frozenset[str]
    differing: Sequence[Version]
    before: Sequence[Version]
    after: Sequence[Version]

    def places(self, wanted: Iterable[Customization]) -> dict[int, Place]:
        """Return, by ``id()`` of each, where what differs stands: on the commit's side, or the parent's if gone."""
        missing = {id(item) for item in wanted}
        return {
            id(item): Place(str(version.path), line)
            for version in self.differing
            for item, line in zip(version.items, version.lines, strict=True)
            if id(item) in missing
        }


@dataclass(frozen=True, slots=True)
class Step:
    """What one commit did.

    Attributes:
        commit: the commit.
        trackers: those of whose files any differs.
        faults: what can't be read in it and was otherwise in its parent.
    """

    commit: Commit
    trackers: tuple[TrackerStep, ...]
    faults: tuple[Fault, ...]


class History:
    """Compares commits with their parents.

    Args:
        reader: what reads git's objects.
        today: the working tree that history leads up to.
    """

    def __init__(self, reader: Reader, today: Today) -> None:
        self._commits = Commits(reader, today)
        self._targets: dict[int, tuple[Sequence[Customization], Mapping[str | None, Sequence[Customization]]]] = {}

    def contents(self, commit: str, ignore: Ignored | None = None) -> Contents | None:
        """Return what a commit holds, what can't be read being as it was before; None if nothing ever could be.

        Args:
            commit: its full hash.
            ignore: paths of fields that don't count; None for those of its own configuration.
        """
        return self._commits.contents(commit, ignore)

    def seen(self) -> Iterator[Customization]:
        """Yield every customization met so far, some of them twice."""
        return self._commits.versions.seen()

    def targeting(self, items: Iterable[str], step: TrackerStep) -> Iterator[Customization]:
        """Yield the customizations that are for one of these items, those of the commit's side first."""
        for version in (*step.after, *step.before):
            targets = self._by_target(version.items)
            for item in items:
                yield from targets.get(item, ())

    def _by_target(self, items: Sequence[Customization]) -> Mapping[str | None, Sequence[Customization]]:
        """Return a document's customizations by the item they are for, which is kept while neighbours are read."""
        if id(items) not in self._targets:
            found: dict[str | None, list[Customization]] = {}
            for item in items:
                found.setdefault(item.target.identity, []).append(item)
            if len(self._targets) >= _MAX_INDEXED:
                self._targets.clear()
            self._targets[id(items)] = items, found  # the items too, or their id() could become another's
        return self._targets[id(items)][1]

    def steps(self, commits: Iterable[Commit], names: Sequence[str] = ()) -> Iterator[Step]:
        """Yield, for each commit that changed a tracker's files, what it did.

        Args:
            commits: the newest first; one without a parent is compared with nothing.
            names: the trackers, as the newest commit calls them; all if empty.

        Raises:
            UsageError: no tracker of the newest commit has such a name.
        """
        newest: Mapping[str, str] | None = None
        for commit in commits:
            if newest is None:
                newest = self._newest(commit.hash, names)
            outline = self._commits.outline(commit.hash)
            earlier = self._commits.outline(commit.parent) if commit.parent else None
            if outline == earlier:
                continue
            before = self._commits.contents(commit.parent) if commit.parent else None
            after = self._commits.contents(commit.hash, before.state.settings.ignore if before else None)
            if after:
                pairs = _paired(before, after)
                if step := _step(commit, before, after, _called(newest, pairs, every=not names)):
                    yield step
                newest = _earlier(newest, pairs)
            elif isinstance(outline, Fault):
                yield Step(commit, (), (outline,))

    def _newest(self, commit: str, names: Sequence[str]) -> Mapping[str, str]:
        """Return the trackers that are followed, each by its name: those of a commit, or the named ones of them."""
        contents = self._commits.contents(commit)
        known = [tracker.name for tracker in contents.state.trackers] if contents else names
        _check(names, known)
        return {name: name for name in names or known}


_Pair = tuple["Tracker | None", "Tracker | None"]


def _paired(before: Contents | None, after: Contents) -> list[_Pair]:
    if before is None:
        return [(None, tracker) for tracker in after.state.trackers]
    return list(sides.paired(before.state, after.state))


def _called(newest: Mapping[str, str], pairs: Iterable[_Pair], *, every: bool) -> Iterator[tuple[_Pair, str | None]]:
    """Yield the trackers that are asked for, each with what the newest commit calls it."""
    for pair in pairs:
        name = next((newest.get(tracker.name) for tracker in reversed(pair) if tracker), None)
        if every or name is not None:
            yield pair, name


def _earlier(newest: Mapping[str, str], pairs: Iterable[_Pair]) -> Mapping[str, str]:
    """Return what the newest commit calls trackers, by their names on the parent's side.

    One that isn't there may have been there before under the name that it has on the commit's side.
    """
    now = {right.name for _, right in pairs if right}
    found = {name: at_last for name, at_last in newest.items() if name not in now}
    for pair, name in _called(newest, pairs, every=False):
        tracker = next(tracker for tracker in pair if tracker)
        if name is not None:
            found[tracker.name] = name
    return found


def _step(
    commit: Commit, before: Contents | None, after: Contents, pairs: Iterable[tuple[_Pair, str | None]]
) -> Step | None:
    trackers = []
    for (left, right), newest in pairs:
        tracker = right or left
        if tracker and (found := _tracker_step(tracker, newest, _side(before, left), _side(after, right))):
            trackers.append(found)
    known = set(before.faults) if before else set()
    faults = tuple(fault for fault in after.faults if fault not in known)
    return Step(commit, tuple(trackers), faults) if trackers or faults else None


def _check(names: Sequence[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f'no tracker is named "{name}"', hint=suggestion(name, known))


class _Side(NamedTuple):
    """A tracker's documents on one side, the hashes of its files, and where they lie."""

    files: Mapping[str, Version]
    blobs: Mapping[str, str]
    folder: PurePosixPath | None

    def differing(self, other: _Side) -> list[Version]:
        """Return the documents that the other side hasn't got, or of which it has another version."""
        return [version for name, version in self.files.items() if version.items is not other.items(name)]

    def items(self, name: str) -> tuple[Customization, ...] | None:
        """Return what a document says, None if there is none of that name."""
        return self.files[name].items if name in self.files else None


def _side(contents: Contents | None, tracker: Tracker | None) -> _Side:
    if contents is None or tracker is None:
        return _Side({}, {}, None)
    return _Side(contents.files[tracker.name], contents.blobs[tracker.name], contents.state.folder(tracker))


def _tracker_step(tracker: Tracker, newest: str | None, before: _Side, after: _Side) -> TrackerStep | None:
    """Return what differs between a tracker's two sides, None if nothing does."""
    if before[1:] == after[1:]:
        return None
    versions = before.differing(after), after.differing(before)
    old, new = ([item for version in side for item in version.items] for side in versions)
    same = {id(item) for item in old if item.id is not None} & {id(item) for item in new}
    moved = before.folder != after.folder
    touched = [*before.files.values(), *after.files.values()] if moved else [*versions[0], *versions[1]]
    return TrackerStep(
        tracker.name,
        newest,
        tracker.tracker_id,
        [item for item in old if id(item) not in same],
        [item for item in new if id(item) not in same],
        frozenset(version.model for version in touched),
        [*versions[0], *versions[1]],
        list(before.files.values()),
        list(after.files.values()),
    )
