"""Compare each commit of the main line with its first parent.

Each commit is read with its own configuration, so that renamed folders and trackers are followed.
An unreadable file counts with its last readable version. So no rule seems to be removed, and the
changes of all commits together lead from the first state to the last.
"""

from __future__ import annotations

from itertools import compress, count
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.config import check_trackers
from pinsync.drift.record import Place
from pinsync.history.states import CommitState, CommitStates, TrackerDocuments
from pinsync.history.versions import ReadFault, Version
from pinsync.workspace.state import pair_trackers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.config import Tracker
    from pinsync.drift.pairs import Pair
    from pinsync.history.configurations import HistoryContext
    from pinsync.model import Commit, Customization
    from pinsync.repository import CommitRange, Reader

    Line = tuple[PurePosixPath, int]
    """The path of a file, and the number of a line in it."""
    TrackerPair = tuple[Tracker | None, Tracker | None]
    """A tracker in the parent and in the commit; None on a side that lacks the tracker."""

_get_id: Final = attrgetter("id")


class TrackerStep(Struct, frozen=True):
    """The difference that one commit made to one tracker's files.

    Attributes:
        name: the tracker's name.
        newest_name: the tracker's name in the newest commit; None if the newest commit lacks it.
        tracker_id: the tracker's id.
        old: the customizations of the parent's differing files that the commit lacks.
        new: the customizations of the commit's differing files that the parent lacks.
        old_lines: file and line of each customization in ``old``.
        new_lines: file and line of each customization in ``new``.
        touched: the documents that differ or were moved, the parent's first.
    """

    name: str
    newest_name: str | None
    tracker_id: str
    old: Sequence[Customization]
    new: Sequence[Customization]
    old_lines: Sequence[Line]
    new_lines: Sequence[Line]
    touched: Sequence[Version]

    def locate(self, pair: Pair) -> Place:
        """Return the place of a customization: in the commit, or in the parent if it was removed.

        Args:
            pair: a pair of ``old`` and ``new``.
        """
        lines, index = self.new_lines, pair.new_index
        if index is None:
            lines, index = self.old_lines, pair.old_index
        if index is None:
            raise ValueError("a pair without sides")
        path, line = lines[index]
        return Place(str(path), line)


class Step(Struct, frozen=True):
    """The difference that one commit made.

    Attributes:
        commit: the commit.
        trackers: the trackers with differing files.
        faults: the faults that the parent lacks → the model of the last readable version, None if
            there is none.
    """

    commit: Commit
    trackers: tuple[TrackerStep, ...]
    faults: Mapping[ReadFault, str | None]


class History:
    """Walks from a commit back along the main line.

    Args:
        reader: reads git's objects.
        context: the working tree.
        tip: the full hash of the first commit of the walk.

    Attributes:
        end: the commit at which a shallow clone ends; None in a full clone. It can't be compared
            with its parent.
    """

    def __init__(self, reader: Reader, context: HistoryContext, tip: str) -> None:
        self._states = CommitStates(reader, context, tip)
        self._repository = context.repository
        self.end = context.repository.find_shallow_end(tip)

    @property
    def customizations(self) -> Collection[Customization]:
        """Every distinct customization that was read so far."""
        return self._states.version_reader.customizations

    def read_newest(self, *, whole: bool = False) -> CommitState | None:
        """Return the content of the newest commit; None if no configuration can be read.

        Args:
            whole: whether to read the fields that the configuration ignores, too.
        """
        return self._states.read_state(0, () if whole else None)

    def find_fault(self) -> ReadFault | None:
        """Return why the configuration of the newest commit can't be read; None if it can."""
        outline = self._states.read_outline(0)
        return outline if isinstance(outline, ReadFault) else None

    def find_titled(self, tracker: str, items: Iterable[str]) -> Iterator[Customization]:
        """Yield the customizations of items that may have a title.

        See `CommitStates.find_titled`.
        """
        return self._states.find_titled(tracker, items)

    def walk_steps(
        self,
        names: Sequence[str] = (),
        range_: CommitRange | None = None,
        is_enough: Callable[[], bool] = lambda: True,
    ) -> Iterator[Step]:
        """Yield the step of each commit that changed a tracker's files, the newest first.

        Args:
            names: the names of trackers in the newest commit; empty for all trackers.
            range_: the commits to yield; None for all commits.
            is_enough: returns, once all commits of the range were yielded, whether to end the walk
                there.

        Raises:
            UsageError: the newest commit has no tracker of such a name, or git can't read the
                author's expression.
        """
        selected = None
        # A range without conditions selects every commit, so git needn't be asked.
        if range_ and range_ != (range_.tip, None, None, None, None):
            selected = set(self._repository.select_commits(range_, self._states.file_names))
        # The commit's name of each tracker to follow → its name in the newest commit.
        newest_names = self._list_newest_names(names)
        at = 0
        while commit := self._states.get_commit(at):
            if selected is not None and not selected and is_enough():
                return
            step, newest_names = self._compare(at, commit, newest_names, every=not names)
            if step and (selected is None or commit.hash in selected):
                yield step
            # Once the set is empty, the walk may end before the first commit.
            if selected:
                selected.discard(commit.hash)
            at += 1

    def _list_newest_names(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return name → name in the newest commit of the trackers to follow."""
        state = self.read_newest()
        known = [tracker.name for tracker in state.documents] if state else names
        check_trackers(names, known)
        return {name: name for name in names or known}

    def _compare(
        self, at: int, commit: Commit, newest_names: Mapping[str, str], *, every: bool
    ) -> tuple[Step | None, Mapping[str, str]]:
        """Return a commit's step, and the newest names of the parent's trackers."""
        # Equal outlines have equal trees, so the documents needn't be read. At the end of a shallow
        # clone the parent is missing, and all rules would seem to be added.
        outline = self._states.read_outline(at)
        if outline == self._states.read_outline(at + 1) or commit == self.end:
            return None, newest_names
        before = self._states.read_state(at + 1)
        old_trackers: list[Tracker] = []
        old_faults: frozenset[ReadFault] = frozenset()
        ignore = None
        if before:
            old_trackers = list(before.documents)
            old_faults = before.faults
            # Both sides ignore the parent's fields, so that a commit can't hide its own changes.
            ignore = before.settings.ignore
        after = self._states.read_state(at, ignore)
        if after is None:
            if isinstance(outline, ReadFault):
                return Step(commit, (), {outline: None}), newest_names
            return None, newest_names
        pairs = list(pair_trackers(old_trackers, list(after.documents)))
        trackers = []
        for pair, name in _name_pairs(newest_names, pairs, every=every):
            if step := compare_tracker(pair, name, before, after):
                trackers.append(step)
        faults = {
            fault: after.find_model(fault.path) for fault in sorted(after.faults - old_faults)
        }
        newest_names = _rename_for_parent(newest_names, pairs)
        if not trackers and not faults:
            return None, newest_names
        return Step(commit, tuple(trackers), faults), newest_names


def _name_pairs(
    newest_names: Mapping[str, str], pairs: Iterable[TrackerPair], *, every: bool
) -> Iterator[tuple[TrackerPair, str | None]]:
    """Yield the pairs of the trackers to follow, each with its name in the newest commit."""
    for pair in pairs:
        old, new = pair
        name = None
        if tracker := new or old:
            name = newest_names.get(tracker.name)
        if every or name is not None:
            yield pair, name


def _rename_for_parent(
    newest_names: Mapping[str, str], pairs: Sequence[TrackerPair]
) -> Mapping[str, str]:
    """Return the parent's name of each tracker to follow → its name in the newest commit."""
    present = {new.name for _, new in pairs if new}
    # A tracker that the commit lacks may have existed earlier, under the same name.
    renamed = {name: newest for name, newest in newest_names.items() if name not in present}
    for (old, new), newest in _name_pairs(newest_names, pairs, every=False):
        tracker = old or new
        if tracker and newest is not None:
            renamed[tracker.name] = newest
    return renamed


def compare_tracker(
    pair: TrackerPair, newest_name: str | None, before: CommitState | None, after: CommitState
) -> TrackerStep | None:
    """Return the difference between the two sides of a tracker; None if there is none."""
    old_tracker, new_tracker = pair
    tracker = new_tracker or old_tracker
    if tracker is None:
        return None
    old_documents = before.documents[old_tracker] if before and old_tracker else None
    new_documents = after.documents[new_tracker] if new_tracker else None
    old_touched = _select_touched(old_documents, new_documents)
    new_touched = _select_touched(new_documents, old_documents)
    if not old_touched and not new_touched:
        return None
    old, old_lines = _find_different(old_touched, new_touched)
    new, new_lines = _find_different(new_touched, old_touched)
    return TrackerStep(
        tracker.name,
        newest_name,
        tracker.tracker_id,
        old,
        new,
        old_lines,
        new_lines,
        [*old_touched, *new_touched],
    )


def _select_touched(
    documents: TrackerDocuments | None, others: TrackerDocuments | None
) -> list[Version]:
    """Return the documents of one side that differ from the other side, or lie elsewhere there."""
    if documents is None:
        return []
    if others is None or others.folder != documents.folder:
        return list(documents.versions.values())
    return [
        version
        for name, version in documents.versions.items()
        if _is_different(version, others.versions.get(name))
    ]


def _find_different(
    versions: Iterable[Version], others: Iterable[Version]
) -> tuple[list[Customization], list[Line]]:
    """Return the customizations of one side that the other side lacks, and their lines."""
    counterparts: dict[str | None, Customization] = {}
    for version in others:
        counterparts.update(zip(map(_get_id, version.items), version.items, strict=True))
    # Of equal rules without an id, the other side may have fewer.
    counterparts.pop(None, None)
    different: list[Customization] = []
    lines: list[Line] = []
    for version in versions:
        # Equal customizations are one object in the versions of a history, so comparing their
        # texts isn't necessary. A loop over all of them would take five times as long as `map`.
        own = map(counterparts.get, map(_get_id, version.items))
        for index in compress(count(), map(is_not, own, version.items)):
            different.append(version.items[index])
            lines.append((version.path, version.lines[index]))
    return different, lines


def _is_different(version: Version, other: Version | None) -> bool:
    if version is other:
        return False
    # One blob can have different customizations: those whose ids stand elsewhere are dropped.
    return other is None or version.blob != other.blob or version.items != other.items
