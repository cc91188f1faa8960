"""The history of the rules: what each commit of the main line changed in the meaning of the documents.

A commit is compared with its first parent, each read with its own configuration, so that a folder
or a tracker which was renamed is followed. What can't be read in a commit stands for what it was
before, so that nothing is taken for removed and the changes of all commits together lead from the
first state to the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinsync.config import check_trackers
from pinsync.drift.record import Place
from pinsync.history.states import Documents, State, States
from pinsync.history.versions import Fault, Version
from pinsync.workspace.state import pair_trackers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.config import Tracker
    from pinsync.drift.pairs import Pair
    from pinsync.history.configurations import Today
    from pinsync.model import Commit, Customization
    from pinsync.repository import CommitRange, Reader

    Line = tuple[PurePosixPath, int]
    """The path of a file, and a line of it."""


@dataclass(frozen=True, slots=True)
class TrackerStep:
    """What one commit did to one tracker's files.

    Attributes:
        name: the tracker's name.
        newest: what the newest commit calls it; None if that hasn't got it.
        tracker_id: its id.
        old: what stands in files that differ, on the parent's side; what is equal on both sides is
            left out.
        new: the same on the commit's side.
        old_lines: for each customization of ``old`` its file and line.
        new_lines: the same of ``new``.
        touched: the documents that differ, or lie elsewhere, those of the parent's side first.
    """

    name: str
    newest: str | None
    tracker_id: str
    old: Sequence[Customization]
    new: Sequence[Customization]
    old_lines: Sequence[Line]
    new_lines: Sequence[Line]
    touched: Sequence[Version]

    def place(self, pair: Pair) -> Place:
        """Return where a customization stands: on the commit's side, or on the parent's if it is gone.

        Args:
            pair: a pair of ``old`` and ``new``.
        """
        lines, index = self.new_lines, pair.new_index
        if index is None:
            lines, index = self.old_lines, pair.old_index
        if index is None:
            raise ValueError("a pair of nothing")
        path, line = lines[index]
        return Place(str(path), line)


@dataclass(frozen=True, slots=True)
class Step:
    """What one commit did.

    Attributes:
        commit: the commit.
        trackers: those of whose files any differs.
        faults: what can't be read in it and was otherwise in its parent, each with the model that
            stood there before, None if there was none.
    """

    commit: Commit
    trackers: tuple[TrackerStep, ...]
    faults: Mapping[Fault, str | None]


class History:
    """The way back from a commit along the main line.

    Args:
        reader: what reads git's objects.
        today: the working tree.
        tip: the full hash of the commit to begin at.

    Attributes:
        end: the commit at which a shallow clone ends; None in a whole clone. It can't be compared
            with its parent.
    """

    def __init__(self, reader: Reader, today: Today, tip: str) -> None:
        self._states = States(reader, today, tip)
        self._repository = today.repository
        self.end = today.repository.find_shallow_end(tip)

    @property
    def seen(self) -> Collection[Customization]:
        """Every customization met so far, once."""
        return self._states.versions.seen

    def newest(self, *, whole: bool = False) -> State | None:
        """Return what the newest commit holds; None if nothing ever could be read.

        Args:
            whole: with the fields that its configuration ignores.
        """
        return self._states.state(0, () if whole else None)

    def fault(self) -> Fault | None:
        """Return why the configuration of the newest commit can't be read, None if it can."""
        found = self._states.outline(0)
        return found if isinstance(found, Fault) else None

    def titled(self, tracker: str, items: Iterable[str]) -> Iterator[Customization]:
        """Yield the customizations for these items that were met yet, as `States.titled` does."""
        return self._states.titled(tracker, items)

    def steps(
        self,
        names: Sequence[str] = (),
        wanted: CommitRange | None = None,
        enough: Callable[[], bool] = lambda: True,
    ) -> Iterator[Step]:
        """Yield, for each commit that changed a tracker's files, what it did; the newest first.

        Args:
            names: the trackers, as the newest commit calls them; all if empty.
            wanted: the commits that are asked for; None for all.
            enough: tells, once all of those are found, whether older ones needn't be looked at.

        Raises:
            UsageError: no tracker of the newest commit has such a name, or the author's expression
                can't be read.
        """
        asked = None
        if wanted and wanted != (wanted.tip, None, None, None, None):
            asked = set(self._repository.select_commits(wanted, self._states.names))
        newest = self._newest(names)
        at = 0
        while (commit := self._states.commit(at)) and (asked is None or asked or not enough()):
            step, newest = self._step(at, commit, newest, every=not names)
            if step and (asked is None or commit.hash in asked):
                yield step
            if asked:
                asked.discard(commit.hash)
            at += 1

    def _newest(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the trackers that are followed, each by its name: those of the newest commit, or the named ones."""
        state = self.newest()
        known = [tracker.name for tracker in state.documents] if state else names
        check_trackers(names, known)
        return {name: name for name in names or known}

    def _step(
        self, at: int, commit: Commit, newest: Mapping[str, str], *, every: bool
    ) -> tuple[Step | None, Mapping[str, str]]:
        """Return what a commit did, and what the newest commit calls the trackers of its parent."""
        if self._states.outline(at) == self._states.outline(at + 1) or commit == self.end:
            return None, newest
        before = self._states.state(at + 1)
        after = self._states.state(at, before.settings.ignore if before else None)
        if after is None:
            fault = self._states.outline(at)
            return (Step(commit, (), {fault: None}) if isinstance(fault, Fault) else None), newest
        pairs = list(pair_trackers(list(before.documents) if before else [], list(after.documents)))
        trackers = [
            found
            for (left, right), name in _called(newest, pairs, every=every)
            if (tracker := right or left)
            and (found := _tracker_step(tracker, name, _side(before, left), _side(after, right)))
        ]
        faults = {
            fault: after.model(fault.path)
            for fault in sorted(after.faults - (before.faults if before else set()))
        }
        if not trackers and not faults:
            return None, _earlier(newest, pairs)
        return Step(commit, tuple(trackers), faults), _earlier(newest, pairs)


_Pair = tuple["Tracker | None", "Tracker | None"]


def _called(
    newest: Mapping[str, str], pairs: Iterable[_Pair], *, every: bool
) -> Iterator[tuple[_Pair, str | None]]:
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


def _side(state: State | None, tracker: Tracker | None) -> Documents | None:
    return state.documents[tracker] if state and tracker else None


def _tracker_step(
    tracker: Tracker, newest: str | None, before: Documents | None, after: Documents | None
) -> TrackerStep | None:
    """Return what differs between a tracker's two sides, None if nothing does."""
    moved = before is None or after is None or before.folder != after.folder
    sides_ = [dict(side.versions) if side else {} for side in (before, after)]
    touched = [
        [found for name, found in here.items() if moved or _differs(found, there.get(name))]
        for here, there in (sides_, reversed(sides_))
    ]
    if not any(touched):
        return None
    old, old_lines = _find_different(*touched)
    new, new_lines = _find_different(*reversed(touched))
    return TrackerStep(
        tracker.name,
        newest,
        tracker.tracker_id,
        old,
        new,
        old_lines,
        new_lines,
        [*touched[0], *touched[1]],
    )


def _find_different(
    versions: Iterable[Version], others: Iterable[Version]
) -> tuple[list[Customization], list[Line]]:
    """Return the customizations of one side that the other side lacks, and their lines.

    A customization without an id is always among them: the other side may have it less often.
    """
    there = {item.id: item for version in others for item in version.items}
    found: list[Customization] = []
    lines: list[Line] = []
    for version in versions:
        for item, line in zip(version.items, version.lines, strict=True):
            # Equal customizations are one object in the versions of a history.
            if item.id is None or there.get(item.id) is not item:
                found.append(item)
                lines.append((version.path, line))
    return found, lines


def _differs(one: Version, other: Version | None) -> bool:
    return one is not other and (
        other is None or one.blob != other.blob or one.items != other.items
    )
