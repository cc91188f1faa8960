"""The arrival of texts in git: the dates of commits, and whether an export brought a rule."""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.drift.pairs import collect_ids
from pinsync.errors import RepositoryError
from pinsync.history.configurations import Configurations
from pinsync.history.document_walk import list_changed_ids
from pinsync.history.states import CommitStates
from pinsync.history.steps import compare_tracker
from pinsync.history.versions import VersionReader
from pinsync.layout import is_document
from pinsync.repository import CommitMessage, format_export_line, parse_message
from pinsync.workspace.state import pair_trackers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinsync.history.configurations import HistoryContext
    from pinsync.history.versions import IgnoredFields
    from pinsync.model import Commit
    from pinsync.repository import Reader

UNSHALLOW: Final = "fetch the history with `git fetch --unshallow`, or with `fetch-depth: 0` in CI"


class UncommittedArrival(Struct, frozen=True):
    """The arrival of text that isn't committed; see `movers.Arrival`."""

    commit: None
    moment: int

    def has_export_of(self, _rule_id: str) -> bool | None:
        """Return False: only a commit has a message."""
        return False


class CommitArrival(Struct, frozen=True):
    """The arrival of text with a commit of the main line; see `movers.Arrival`.

    Attributes:
        lookup: reads commits.
        commit: the commit.
        tracker_id: the id of the shop's tracker.
        explain: takes the reason why a trace ends.
    """

    lookup: CommitLookup
    commit: Commit
    tracker_id: str
    explain: Callable[[str], None]

    @property
    def moment(self) -> int:
        """The date of the commit, in seconds since 1970."""
        # A date in the future proves nothing about what the shop has now.
        return min(self.lookup.read_message(self.commit.hash).moment, self.lookup.now)

    def has_export_of(self, rule_id: str) -> bool | None:
        """Return whether an export brought the rule, also within a merged branch."""
        message = self.lookup.read_message(self.commit.hash)
        if message.has_export_line(self.tracker_id):
            return True
        if not message.is_merge:
            return False
        found = self.lookup.has_merged_export(message.parents, self.tracker_id, rule_id)
        if found is None:
            self.explain(self.lookup.explain_merge(self.commit))
        return found


class CommitLookup:
    """Reads what the commits of a main line say of themselves.

    Args:
        reader: reads git's objects.
        context: the repository and the configuration of the working tree.
        ignore: the paths of the fields to ignore.
        now: the present, in seconds since 1970.
    """

    def __init__(
        self, reader: Reader, context: HistoryContext, ignore: IgnoredFields, now: int
    ) -> None:
        self.now = now
        self.configurations = Configurations(reader, context)
        self.version_reader = VersionReader(reader)
        self._reader = reader
        self._context = context
        self._repository = context.repository
        self._ignore = ignore
        self._messages: dict[str, CommitMessage] = {}
        self._merged: dict[str, frozenset[str] | None] = {}
        self._exports: dict[tuple[str, ...], tuple[list[str], bool]] = {}

    @cached_property
    def _shallow_ends(self) -> frozenset[str]:
        return self._repository.read_shallow_ends()

    def has_text(self, blobs: Sequence[str], text: bytes) -> bool:
        """Return whether one of several blobs may have a text."""
        for blob in blobs:
            found = self._reader.find(blob)
            if found is None or found.content is None or text in found.content:
                return True
        return False

    def read_message(self, commit: str) -> CommitMessage:
        """Return the parents and the message of a commit.

        Raises:
            RepositoryError: git lacks the commit.
        """
        if commit not in self._messages:
            found = self._reader.find(commit)
            if found is None:
                raise RepositoryError(f"commit {commit} is missing")
            self._messages[commit] = parse_message(found)
        return self._messages[commit]

    def has_merged_export(
        self, parents: Sequence[str], tracker_id: str, rule_id: str
    ) -> bool | None:
        """Return whether a merge brought an export that changed a rule; None if it isn't known.

        Args:
            parents: the full hashes of the merge's parents.
            tracker_id: the id of the tracker.
            rule_id: the id of the rule.
        """
        key = *parents, tracker_id
        if key not in self._exports:
            self._exports[key] = self._find_merged_exports(parents, tracker_id)
        exports, is_known = self._exports[key]
        for commit in exports:
            changed = self._list_changed(commit)
            if changed is None:
                is_known = False
            elif rule_id in changed:
                return True
        return False if is_known else None

    def _find_merged_exports(
        self, parents: Sequence[str], tracker_id: str
    ) -> tuple[list[str], bool]:
        """Return the exports that a merge brought, and whether git has all commits it brought."""
        commits = self._repository.list_side_commits(parents, format_export_line(tracker_id))
        exports = [
            commit for commit in commits if self.read_message(commit).has_export_line(tracker_id)
        ]
        if not self._shallow_ends:
            return exports, True
        return exports, self._shallow_ends.isdisjoint(self._repository.list_side_commits(parents))

    def explain_merge(self, merge: Commit) -> str:
        """Return why it isn't known whether a merge brought an export."""
        reason = f"the commits that the merge {merge.short} brought can't all be read"
        return f"{reason}; {UNSHALLOW}" if self._shallow_ends else reason

    def _list_changed(self, commit: str) -> frozenset[str] | None:
        """Return the ids of the rules that a merged commit changed; None if they can't be read."""
        if commit not in self._merged:
            self._merged[commit] = self._compare_merged(commit)
        return self._merged[commit]

    def _compare_merged(self, commit: str) -> frozenset[str] | None:
        if commit in self._shallow_ends:
            return None
        names = self.configurations.file_names
        changes = next(self._repository.walk_changes(commit, names), None)
        # A commit that touched no document isn't the first of its line.
        if changes is None or changes.commit.hash != commit:
            return frozenset()
        ids: set[str] = set()
        for file in changes.files:
            found = None
            if is_document(PurePosixPath(file.path).name) and file.is_plain:
                old = self._reader.find(file.old) if file.old else None
                new = self._reader.find(f"{commit}:{file.path}")
                found = list_changed_ids(old and old.content, new and new.content)
            if found is None:
                return self._compare_states(commit)
            ids |= found
        return frozenset(ids)

    def _compare_states(self, commit: str) -> frozenset[str] | None:
        states = CommitStates(self._reader, self._context, commit, self.version_reader)
        before, after = (states.read_state(at, self._ignore) for at in (1, 0))
        if after is None or after.faults or (before and before.faults):
            return None
        ids: set[str] = set()
        # Of all trackers, since ids are unique and a tracker may have had another name or id.
        older = list(before.documents) if before else []
        for pair in pair_trackers(older, list(after.documents)):
            if step := compare_tracker(pair, None, before, after):
                ids |= collect_ids((*step.old, *step.new))
        return frozenset(ids)
