"""Claim the record of agreement of a tracker for an apply, so that no other run writes meanwhile.

Before its first write an apply adds its plan to the record and pushes the record. Whoever comes
second finds the plan, or is refused by the remote. At the end the entries of the rules replace the
plan. The plan of a run that was killed stays, so that later runs doubt its rules.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.agreement.main_line import NO_MAIN_LINE
from pinsync.agreement.record import Begun, acknowledge_writes, move_entries
from pinsync.agreement.store import name_reference, open_record, write_record
from pinsync.agreement.update import open_main_line
from pinsync.errors import RepositoryError, SafetyError
from pinsync.repository import FETCH_RECORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pinsync.agreement.main_line import MainLine
    from pinsync.agreement.record import BegunOperation, Record, Write
    from pinsync.agreement.store import StoredRecord
    from pinsync.model import Customization
    from pinsync.repository import Repository
    from pinsync.workspace.workspace import Workspace

_ATTEMPTS: Final = 3


class Result(Struct, frozen=True):
    """What an apply knows at its end.

    Attributes:
        writes: the writes that were acknowledged.
        settled: the operations of the plan that are no longer in doubt.
        git: the rules of the commit that was applied.
        live: all rules of the shop afterwards; None if they aren't known.
        is_applied: whether the commit was applied as a whole.
    """

    writes: Sequence[Write] = ()
    settled: Collection[BegunOperation] = ()
    git: Sequence[Customization] = ()
    live: Sequence[Customization] | None = None
    is_applied: bool = False


def check_main_line(workspace: Workspace, repository: Repository, commit: str) -> MainLine:
    """Return the main line, or refuse a commit that isn't one of its first-parent line.

    Args:
        workspace: the configuration and the files.
        repository: the repository.
        commit: the full hash of the commit to apply.

    Raises:
        SafetyError: the commit isn't on the main line, or git doesn't tell which branch that is.
    """
    line = open_main_line(workspace, repository)
    if line is None:
        message = "git doesn't tell which branch is the main line, whose commits alone are applied"
        raise SafetyError(message, hint=NO_MAIN_LINE.rpartition(": ")[2])
    if not repository.is_on_main_line(line.tip, commit):
        message = f"{commit[:12]} isn't on the main line, {line.reference}"
        hint = "merge it first; or give the shop any state with pinsync restore"
        raise SafetyError(message, hint=hint)
    return line


def find_open_plan(repository: Repository, tracker_id: str) -> Begun | None:
    """Return the plan of an apply that hasn't ended, on whatever machine; None if there is none.

    Args:
        repository: the repository.
        tracker_id: the id of the tracker.

    Raises:
        FileError: the record is damaged.
        SafetyError: the record on the remote is newer, or the remote can't be read.
    """
    stored = open_record(repository, tracker_id)
    remote = _read_remote(repository, name_reference(tracker_id))
    _check_fetched(repository, tracker_id, stored, remote)
    return stored.header.begun if stored else None


def _read_remote(repository: Repository, reference: str) -> str | None:
    """Return the full hash of a record on the remote; None without a record or a remote."""
    if not repository.has_origin():
        return None
    try:
        return repository.read_remote_reference(reference)
    except RepositoryError as error:
        raise SafetyError(error.message, hint=error.hint) from error


def _check_fetched(
    repository: Repository, tracker_id: str, stored: StoredRecord | None, remote: str | None
) -> None:
    """Refuse a record that the remote has moved."""
    commit = stored.commit if stored else None
    if remote is None or remote == commit:
        return
    if commit is None or not repository.is_on_main_line(commit, remote):
        reference = name_reference(tracker_id)
        message = f"the record of agreement on the remote is newer than {reference}"
        raise SafetyError(message, hint=FETCH_RECORDS)


class Claim:
    """The record of agreement of one tracker during an apply.

    Args:
        repository: the repository.
        line: the main line.
        tracker_id: the id of the tracker.
        commit: the full hash of the commit to apply, which is on the main line.

    Attributes:
        reference: the full name of the reference that has the record.
        doubtful: the operations of earlier runs that were in doubt when this run began.

    Raises:
        FileError: the record is damaged.
        SafetyError: the record on the remote is newer, or the remote can't be read.
    """

    def __init__(
        self, repository: Repository, line: MainLine, tracker_id: str, commit: str
    ) -> None:
        self._repository = repository
        self._line = line
        self._tracker_id = tracker_id
        self._commit = commit
        self.reference = name_reference(tracker_id)
        self.doubtful: frozenset[BegunOperation] = frozenset()
        self._stored = open_record(repository, tracker_id)
        self._has_origin = repository.has_origin()
        self._remote = _read_remote(repository, self.reference)

    @property
    def open_plan(self) -> Begun | None:
        """The plan of a run that hasn't ended; None if there is none."""
        return self._stored.header.begun if self._stored else None

    def check_absent(self, reason: str, hint: str) -> None:
        """Refuse to work without the record if there is one.

        Args:
            reason: the reason why the record isn't used.
            hint: the remedy.

        Raises:
            SafetyError: the repository or its remote has a record.
        """
        if self._stored or self._remote:
            message = f"{reason}: there is a record of agreement, {self.reference}"
            raise SafetyError(message, hint=hint)

    def check_current(self) -> None:
        """Refuse a record that the remote has moved, and a commit older than the record.

        Raises:
            SafetyError: see above.
        """
        repository, stored = self._repository, self._stored
        _check_fetched(repository, self._tracker_id, stored, self._remote)
        if stored is None or repository.is_on_main_line(self._commit, stored.header.source):
            return
        source = stored.header.source
        if repository.is_on_main_line(self._line.tip, source):
            message = f"{self._commit[:12]} is older than {source[:12]}, which was applied already"
            raise SafetyError(message, hint="to go back, run pinsync restore")
        message = f"the main line lacks {source[:12]}, of which the record of agreement speaks"
        if repository.read_shallow_ends():
            hint = "this clone is shallow: git fetch --unshallow, or fetch-depth: 0 in CI"
            raise SafetyError(message, hint=hint)
        hint = (
            "fetch the main line; if somebody forced it to another history, run pinsync plan "
            "--reset-record"
        )
        raise SafetyError(message, hint=hint)

    def recover(
        self, commit: str, writes: Sequence[Write], doubtful: Collection[BegunOperation]
    ) -> None:
        """Take over what the journal of an interrupted run knows.

        Args:
            commit: the full hash of the commit that the run applied.
            writes: the writes that were acknowledged.
            doubtful: the operations whose writes were sent without an answer.

        Raises:
            SafetyError: somebody else wrote the record meanwhile.
            RepositoryError: git failed.
        """
        if self._stored is None:
            raise ValueError("there is no record to take over")
        record = self._stored.read()
        if writes:
            record = self._acknowledge(record, commit, writes)
        self._write(_narrow(record, doubtful), self._stored.commit)

    def begin(
        self,
        started: str,
        machine: str,
        operations: Sequence[BegunOperation],
        git: Sequence[Customization],
        live: Sequence[Customization],
    ) -> None:
        """Add a plan to the record, and push the record.

        Args:
            started: the moment of the start.
            machine: the name of this machine.
            operations: the operations of the plan.
            git: the rules of the commit to apply.
            live: all rules of the shop.

        Raises:
            SafetyError: somebody else wrote the record since it was read, or it can't be pushed.
        """
        if self._stored:
            before = self._stored.read()
            commit = self._stored.commit
        else:
            before = move_entries(None, self._tracker_id, self._commit, git, live)
            # Nothing was applied yet, and this run may fail.
            first = self._repository.find_first_commit(self._commit)
            before = replace(before, applied=first)
            commit = None
        doubtful = before.begun.operations if before.begun else ()
        self.doubtful = frozenset(doubtful)
        begun = Begun(started, machine, tuple(dict.fromkeys((*doubtful, *operations))))
        try:
            self._write(replace(before, begun=begun), commit)
            self._push()
        except (SafetyError, RepositoryError) as error:
            self._withdraw(before, begun)
            raise SafetyError(error.message, hint=error.hint) from error
        except KeyboardInterrupt:
            # Git goes on, so the remote may have the plan by now.
            self._withdraw(before, begun)
            raise

    def close(self, result: Result) -> None:
        """Let the entries of the rules replace the plan, and push the record.

        Raises:
            SafetyError: the record can't be written, or can't be pushed.
            RepositoryError: git failed.
        """
        for attempt in range(_ATTEMPTS):
            stored = open_record(self._repository, self._tracker_id, known=result.live or ())
            record = self._finish(stored.read() if stored else None, result)
            if record is None or (stored and record == stored.read()):
                break
            try:
                write_record(self._repository, record, stored.commit if stored else None)
                break
            except SafetyError:
                # An export may move entries at any time.
                if attempt + 1 == _ATTEMPTS:
                    raise
        self._push()

    def _finish(self, record: Record | None, result: Result) -> Record | None:
        """Return the record at the end; None if there is still none."""
        if record:
            record = self._acknowledge(record, self._commit, result.writes)
            settled = set(result.settled)
            begun = record.begun.operations if record.begun else ()
            record = _narrow(record, [each for each in begun if each not in settled])
        # An export may have moved the record to a newer commit meanwhile.
        is_newest = self._commit == self._line.tip and (
            record is None or self._repository.is_on_main_line(self._commit, record.source)
        )
        if result.live is not None and is_newest:
            record = move_entries(record, self._tracker_id, self._commit, result.git, result.live)
        if record and result.is_applied:
            record = replace(record, applied=self._commit)
        return record

    def _acknowledge(self, record: Record, commit: str, writes: Sequence[Write]) -> Record:
        """Return the record after writes; an export may have moved it to a newer commit."""
        is_on_main_line = self._repository.is_on_main_line

        @cache
        def is_newer(other: str) -> bool:
            return other != commit and is_on_main_line(other, commit)

        record = acknowledge_writes(record, commit, writes, is_newer)
        if writes and is_on_main_line(commit, record.source):
            record = replace(record, source=commit)
        return record

    def _write(self, record: Record, old: str | None) -> None:
        write_record(self._repository, record, old)
        self._stored = open_record(self._repository, self._tracker_id)

    def _push(self) -> None:
        commit = self._repository.resolve_reference(self.reference)
        if not self._has_origin or commit in (None, self._remote):
            return
        self._repository.push_reference(self.reference, str(commit), self._remote)
        self._remote = commit

    def _withdraw(self, before: Record, begun: Begun) -> None:
        """Take a plan out of the record that was never carried out."""
        stored = open_record(self._repository, self._tracker_id)
        if stored and stored.header.begun == begun:
            self._write(replace(stored.read(), begun=before.begun), stored.commit)


def _narrow(record: Record, operations: Collection[BegunOperation]) -> Record:
    """Return a record whose open plan has these operations alone."""
    if record.begun is None:
        return record
    begun = replace(record.begun, operations=tuple(operations)) if operations else None
    return replace(record, begun=begun)
