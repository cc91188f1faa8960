"""What the record of agreement says about the rules of a comparison."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.agreement.store import open_record
from pinsync.drift.pairs import describe_target
from pinsync.errors import FileError, RepositoryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinsync.agreement.record import Begun, Entry
    from pinsync.agreement.store import StoredRecord
    from pinsync.drift.record import Moved
    from pinsync.history.versions import IgnoredFields
    from pinsync.model import Commit, Customization
    from pinsync.repository import Repository


class Agreements:
    """The record of agreement of one tracker, for one main line.

    Args:
        repository: the repository.
        tip: the full hash of the main line's newest commit.
        record: the record; None if it can't be read.

    Attributes:
        fault: why the record can't be used; None if it can.
        interrupted: the targets of the rules that an interrupted run may have written already.
    """

    def __init__(self, repository: Repository, tip: str, record: StoredRecord | None) -> None:
        self.fault: str | None = None
        self.interrupted: list[str] = []
        self._repository = repository
        self._tip = tip
        self._record = record
        self._newer: dict[str, frozenset[str] | None] = {}

    @property
    def open_plan(self) -> Begun | None:
        """The open plan of a run that may have been killed."""
        return self._record.header.begun if self._record else None

    @cached_property
    def doubtful_targets(self) -> frozenset[tuple[str, tuple[str | None, ...]]]:
        """Model and target of the rules that the open plan creates."""
        operations = self.open_plan.operations if self.open_plan else ()
        creates = [each for each in operations if each.kind == "create"]
        return frozenset((each.model, each.target) for each in creates)

    @cached_property
    def doubtful_ids(self) -> frozenset[str | None]:
        """The ids of the shop's rules that the open plan changes or deletes."""
        operations = self.open_plan.operations if self.open_plan else ()
        return frozenset(each.rule_id for each in operations if each.kind != "create")

    def find(self, git: Customization | None, live: Customization | None) -> RuleAgreement:
        """Return what the record says about a rule."""
        entry = None
        if self._record and self.fault is None:
            try:
                entry = self._record.find(git, live)
            except (FileError, RepositoryError) as error:
                self.fault = error.message
        return RuleAgreement(self, entry)

    def is_newer(self, commit: Commit | None, other: str) -> bool | None:
        """Return whether a commit isn't contained in another one; see `bases.Line`."""
        if other not in self._newer:
            self._newer[other] = self._repository.list_newer(self._tip, other)
        newer = self._newer[other]
        if newer is None:
            return None
        return commit is None or commit.hash in newer

    @cached_property
    def contains_source(self) -> bool:
        """Whether the main line has all commits that the record speaks of."""
        if self._record is None:
            return False
        newer = self._repository.list_newer(self._record.header.source, self._tip)
        return newer is not None and not newer


class RuleAgreement(Struct, frozen=True):
    """What the record says about one rule; see `movers.Knowledge`."""

    agreements: Agreements
    entry: Entry | None

    def is_newer(self, commit: Commit | None, other: str) -> bool | None:
        """Return whether a commit isn't contained in another one."""
        return self.agreements.is_newer(commit, other)

    def limit(self, moved: Moved, git: Customization | None, live: Customization | None) -> Moved:
        """Return ``unknown`` for an answer ``git`` that the record doesn't allow."""
        if moved != "git":
            return moved
        # The record may know of an agreement that contradicts the history.
        if self.agreements.fault is not None:
            return "unknown"
        is_unknown_to_shop = live is None and self.entry is None
        if is_unknown_to_shop and not self.agreements.contains_source:
            return "unknown"
        rule = git or live
        if rule and self._is_in_doubt(git, live):
            self.agreements.interrupted.append(describe_target(rule))
            return "unknown"
        return moved

    def _is_in_doubt(self, git: Customization | None, live: Customization | None) -> bool:
        """Return whether an interrupted run may have written the rule already."""
        if live is None:
            targets = self.agreements.doubtful_targets
            return git is not None and (git.model, tuple(git.target)) in targets
        return live.updated_at is None and live.id in self.agreements.doubtful_ids


def open_agreements(
    repository: Repository,
    tracker_id: str,
    tip: str,
    ignore: IgnoredFields,
    known: Iterable[Customization],
) -> Agreements | None:
    """Return the record of agreement of a tracker; None if the repository has none.

    Args:
        repository: the repository.
        tracker_id: the id of the tracker.
        tip: the full hash of the main line's newest commit.
        ignore: the paths of the fields to leave out of the texts.
        known: rules of today, whose texts need no reading.
    """
    try:
        record = open_record(repository, tracker_id, ignore, known)
    except (FileError, RepositoryError) as error:
        agreements = Agreements(repository, tip, None)
        agreements.fault = error.message
        return agreements
    return Agreements(repository, tip, record) if record else None
