"""Update the records of agreement after an export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.agreement.main_line import NO_MAIN_LINE, find_main_line
from pinsync.agreement.record import add_proposals, move_entries
from pinsync.agreement.store import name_reference, open_record, reset_record, write_record
from pinsync.drift.pairs import Pair, build_content_key, is_in_filters, match_customizations
from pinsync.errors import FileError, RepositoryError, SafetyError
from pinsync.model import EVERYTHING
from pinsync.workspace.read import parse_documents
from pinsync.workspace.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.agreement.main_line import MainLine
    from pinsync.agreement.record import Record
    from pinsync.model import Customization, Scope
    from pinsync.repository import Repository
    from pinsync.workspace.workspace import Workspace

_ATTEMPTS: Final = 3
"""The number of attempts to write a record that somebody else writes at the same time."""


class Exported(Struct, frozen=True):
    """The export of one tracker.

    Attributes:
        tracker_id: the id of the tracker.
        live: the answer of the API.
        written: the rules of the documents afterwards.
        scope: the filter of the answer.
    """

    tracker_id: str
    live: Sequence[Customization]
    written: Sequence[Customization]
    scope: Scope


class Keeper:
    """Updates the records of agreement. It is made before the export writes or commits.

    Args:
        workspace: the configuration and the files.
        repository: the repository.
    """

    def __init__(self, workspace: Workspace, repository: Repository) -> None:
        self._workspace = workspace
        self._repository = repository
        self._head = repository.resolve_head()
        self._line = open_main_line(self._workspace, self._repository)

    def keep(self, exports: Sequence[Exported]) -> Iterator[str]:
        """Update the records, and yield notes for people.

        Args:
            exports: the trackers whose rules were written.
        """
        after = self._repository.resolve_head()
        line = (
            self._line if after == self._head else open_main_line(self._workspace, self._repository)
        )
        if after is None:
            return
        if line is None:
            yield NO_MAIN_LINE
            return
        tips: list[str] = []
        if self._line and self._line.tip == self._head:
            tips.append(self._line.tip)
        if after != self._head and after == line.tip:
            # The export has committed to the main line, which so has all of the answer.
            tips.append(line.tip)
        for exported in exports:
            try:
                self._update(exported, tips)
            except (FileError, SafetyError) as error:
                yield f"note: the record of agreement stays as it is: {error.message}"
            except RepositoryError:
                # As in a repository that can't be written, where nobody can do anything about it.
                continue

    def reset(self, exports: Sequence[Exported]) -> Iterator[str]:
        """Begin the records anew from the rules on which the main line and the shop agree now.

        Args:
            exports: the trackers, each with its whole answer.

        Yields:
            A line for each tracker, for people.

        Raises:
            RepositoryError: git doesn't tell which branch is the main line, or can't write.
            FileError: a document of the main line can't be read.
            SafetyError: somebody else wrote the record meanwhile.
        """
        if self._line is None:
            hint = "run git remote set-head origin --auto"
            raise RepositoryError("git doesn't tell which branch is the main line", hint=hint)
        for exported in exports:
            tip = self._line.tip
            git = self._read_rules(exported, tip)
            reset_record(self._repository, exported.tracker_id, tip, git, exported.live)
            yield f"the record of agreement of {exported.tracker_id} begins at {tip[:12]}"

    def _update(self, exported: Exported, tips: Sequence[str]) -> None:
        """Update the record of one tracker.

        Args:
            exported: the export.
            tips: the full hashes of the main line's commits that are compared with the shop.

        Raises:
            FileError: the record or a document can't be read.
            SafetyError: somebody else writes the record all the time.
            RepositoryError: git failed.
        """
        for attempt in range(_ATTEMPTS):
            stored = open_record(self._repository, exported.tracker_id, known=exported.live)
            before = stored.read() if stored else None
            after = self._compare(before, exported, tips)
            if after is None or after == before:
                return
            try:
                write_record(self._repository, after, stored.commit if stored else None)
            except SafetyError:
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return

    def _compare(
        self, record: Record | None, exported: Exported, tips: Sequence[str]
    ) -> Record | None:
        """Return the record after the export; None if there is still none."""
        is_whole = exported.scope == EVERYTHING
        if is_whole and self._head in tips:
            record = self._move(record, exported, tips[0])
        # The newest commit before the export's own, which is the one that may take the proposal.
        if record and self._head and self._line:
            head = self._read_rules(exported, self._head)
            record = add_proposals(record, list_written(head, exported), self._line.tip)
        if is_whole and tips and tips[-1] != self._head:
            record = self._move(record, exported, tips[-1])
        return record

    def _move(self, record: Record | None, exported: Exported, tip: str) -> Record | None:
        """Return the record after the comparison of a commit with the shop.

        Raises:
            FileError: the record is newer than the commit, or belongs to another history.
        """
        if record and not self._repository.is_on_main_line(tip, record.source):
            message = (
                f"the main line lacks the commit {record.source[:12]} that it speaks of: fetch the "
                f"main line, or begin the record anew with `pinsync plan --reset-record` if "
                f"somebody forced the main line to another history"
            )
            raise FileError(message, source=name_reference(exported.tracker_id))
        git = self._read_rules(exported, tip)
        return move_entries(record, exported.tracker_id, tip, git, exported.live)

    def _read_rules(self, exported: Exported, commit: str) -> list[Customization]:
        """Return the rules of a tracker in a commit."""
        state = self._workspace.open_source(_name_source(commit))
        ignore = self._workspace.tree.settings.ignore
        rules: list[Customization] = []
        for tracker in state.trackers:
            if tracker.tracker_id == exported.tracker_id:
                files = state.read_documents(tracker)
                documents = parse_documents(files, exported.live, ignore, prefix="HEAD:")
                for document in documents.values():
                    rules += [entry.customization for entry in document.entries]
        return rules


def open_main_line(workspace: Workspace, repository: Repository) -> MainLine | None:
    """Return the main line; None if git doesn't tell, or before the first commit.

    Args:
        workspace: the configuration and the files.
        repository: the repository.
    """

    def read_setting(commit: str) -> str | None:
        try:
            return workspace.open_source(_name_source(commit)).settings.main_branch
        except (FileError, RepositoryError):
            return None

    return find_main_line(repository, workspace.tree.settings.main_branch, read_setting)


def _name_source(commit: str) -> Source:
    return Source("revision", "HEAD", revision=commit)


def list_written(head: Sequence[Customization], exported: Exported) -> Iterator[Pair]:
    """Yield the rules that an export writes otherwise than HEAD has them.

    Args:
        head: the rules of HEAD.
        exported: the export.

    Yields:
        The rule of HEAD, and the rule of the shop. A rule that the export left as it was, as work
        of a person or as a change that isn't in the shop yet, isn't among them.
    """
    live = {rule.id: rule for rule in exported.live}
    for pair in match_customizations(head, exported.written):
        if not pair.kind:
            continue
        if pair.new:
            answer = live.get(pair.new.id)
            if answer and build_content_key(answer) == build_content_key(pair.new):
                yield Pair(pair.old, answer)
        elif pair.old and pair.old.id not in live and is_in_filters(pair.old, exported.scope):
            yield Pair(pair.old, None)
