"""Read and write a record of agreement: the reference ``refs/pinsync/agreed/<tracker id>``."""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.agreement.files import (
    FOLDER,
    HEADER,
    EntryReader,
    build_damage_error,
    name_file,
    parse_header,
    render_record,
)
from pinsync.agreement.record import EntryIndex, Record, move_entries
from pinsync.repository import parse_tree
from pinsync.workspace.read import list_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinsync.agreement.record import Entry
    from pinsync.canonical.normalize import Ignored
    from pinsync.config import Tracker
    from pinsync.model import Customization
    from pinsync.repository import Repository

_REFERENCE: Final = "refs/pinsync/agreed/"


def name_reference(tracker_id: str) -> str:
    """Return the full name of the reference that has the record of a tracker."""
    return f"{_REFERENCE}{tracker_id}"


def is_only_tracker(tracker_id: str, trackers: Iterable[Tracker]) -> bool:
    """Return whether not more than one tracker has an id.

    Trackers of different hosts may share an id. They have no record, since it would be the same.
    """
    return sum(tracker.tracker_id == tracker_id for tracker in trackers) <= 1


class StoredRecord:
    """The record of a tracker as a commit has it; its entries are read when they are needed.

    Args:
        repository: the repository.
        commit: the full hash of the commit.
        reader: reads its entries.

    Attributes:
        commit: as above.
        header: the content of ``record.json``.
    """

    def __init__(self, repository: Repository, commit: str, reader: EntryReader) -> None:
        self.commit = commit
        self.header = reader.header
        self._repository = repository
        self._reader = reader
        self._parts: dict[str, dict[str, Entry]] = {}

    def find(self, git: Customization | None, live: Customization | None) -> Entry | None:
        """Return the entry of a rule; see `EntryIndex.find`.

        Raises:
            FileError: the record is damaged.
            RepositoryError: git can't read it.
        """
        first = git if git and git.id is not None else live
        # The other entries are read only for a rule without an entry of its id.
        if first and first.id is not None:
            part = self._read_part(name_file(first.id))
            if first.id in part:
                return part[first.id]
        return self._index.find(git, live)

    def read(self) -> Record:
        """Return the whole record.

        Raises:
            FileError: the record is damaged.
            RepositoryError: git can't read it.
        """
        entries: dict[str, Entry] = {}
        folder = self._repository.find_object(self.commit, PurePosixPath(FOLDER))
        for name, _ in parse_tree(folder) if folder else ():
            entries |= self._read_part(name)
        head = self.header
        return Record(head.tracker_id, head.source, head.applied, head.begun, entries)

    @cached_property
    def _index(self) -> EntryIndex:
        return EntryIndex(self.read().entries.values())

    def _read_part(self, name: str) -> dict[str, Entry]:
        if name not in self._parts:
            path = PurePosixPath(FOLDER, name)
            found = self._repository.find_object(self.commit, path)
            source = f"{name_reference(self.header.tracker_id)}:{path}"
            content = (found.content if found else b"") or b""
            entries = self._reader.read(content, source)
            self._parts[name] = {entry.shop_id: entry for entry in entries}
        return self._parts[name]


def open_record(
    repository: Repository,
    tracker_id: str,
    ignore: Ignored = (),
    known: Iterable[Customization] = (),
) -> StoredRecord | None:
    """Return the record of a tracker; None if the repository has none.

    Args:
        repository: the repository.
        tracker_id: the id of the tracker; empty for documents without a tracker.
        ignore: the paths of the fields to leave out of the texts.
        known: rules of today, whose texts need no reading.

    Raises:
        FileError: the record is damaged, of a newer format, or about another tracker.
        RepositoryError: git can't read it.
    """
    reference = name_reference(tracker_id)
    commit = repository.resolve_reference(reference) if tracker_id else None
    if commit is None:
        return None
    found = repository.find_object(commit, PurePosixPath(HEADER))
    if found is None or found.content is None:
        raise build_damage_error(reference, f"it has no {HEADER}")
    header = parse_header(found.content, f"{reference}:{HEADER}", tracker_id)
    return StoredRecord(repository, commit, EntryReader(header, ignore, list_texts(known)))


def write_record(repository: Repository, record: Record, old: str | None) -> str:
    """Write a record; return the full hash of its commit.

    Args:
        repository: the repository.
        record: the record.
        old: the full hash of the commit that the record was read from; None if there was none.

    Raises:
        SafetyError: somebody else wrote the record meanwhile.
        RepositoryError: git failed, for instance in a repository that can't be written.
    """
    files = render_record(record)
    return repository.commit_files(name_reference(record.tracker_id), files, old)


def reset_record(
    repository: Repository,
    tracker_id: str,
    commit: str,
    git: Sequence[Customization],
    live: Sequence[Customization],
) -> str:
    """Begin the record of a tracker anew from what agrees now; return the full hash of its commit.

    The record before, which may be damaged, stays as the parent of the new one.

    Args:
        repository: the repository.
        tracker_id: the id of the tracker.
        commit: the full hash of the main line's newest commit.
        git: the rules of that commit.
        live: all rules of the shop.

    Raises:
        SafetyError: somebody else wrote the record meanwhile.
        RepositoryError: git failed, for instance in a repository that can't be written.
    """
    old = repository.resolve_reference(name_reference(tracker_id))
    return write_record(repository, move_entries(None, tracker_id, commit, git, live), old)
