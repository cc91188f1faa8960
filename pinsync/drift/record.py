"""Drift: the sorted changes from one snapshot to another, each with what a person and a machine must know of it.

Everything that reports, counts or decides an exit code reads the records below; none of them knows
where a side came from but by its name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from pinsync.canonical.fields import LABELS
from pinsync.canonical.moments import normalize_date_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pinsync.canonical.pins import Pin
    from pinsync.drift.pairs import Kind, Pair
    from pinsync.errors import PinsyncError
    from pinsync.model import Customization, FailOn

Path = tuple[str | int, ...]
PinKind = Literal["added", "removed", "moved", "replaced", "changed"]
Cause = Literal["edited", "expired", "catalog"]
Effect = Literal["shown", "label"]


class Missing(Enum):
    """The value of what a side doesn't have; None is JSON's null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class PinChange:
    """What happened to one pin; a side that has it not is None. The cause tells why it is missing, where it is."""

    kind: PinKind
    old: Pin | None
    new: Pin | None
    cause: Cause = "edited"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What happened to one value outside the pins; a side that has it not is ``MISSING``."""

    path: tuple[str | int, ...]
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a customization stands: a file's path and its line, from 1."""

    file: str
    line: int


class Placed(NamedTuple):
    """A customization of a file, and where it stands."""

    customization: Customization
    place: Place


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one customization.

    Attributes:
        kind: added, removed, changed or recreated (the same rule, or the same target, under another
            id).
        pair: both sides.
        old_data: the plain data of the old side, its model included; empty if there is none.
        new_data: the same of the new side.
        pins: what happened to its pins; for an added or removed customization all of them.
        fields: what happened to its other values; none for an added or removed one.
        cause: ``edited`` by somebody, or left out by the API: ``expired``, or its item no longer in
            the ``catalog``.
        place: where the old side stands in a file, or the new one where only that is a file.
    """

    kind: Kind
    pair: Pair
    old_data: Mapping[str, Any]
    new_data: Mapping[str, Any]
    pins: tuple[PinChange, ...]
    fields: tuple[FieldChange, ...]
    cause: Cause = "edited"
    place: Place | None = None

    @property
    def old(self) -> Customization | None:
        """The old side; None if the customization was added."""
        return self.pair.old

    @property
    def new(self) -> Customization | None:
        """The new side; None if the customization was removed."""
        return self.pair.new

    @property
    def subject(self) -> Customization:
        """The side that names it: the old one where there is one."""
        return self.pair.sides[0]

    @property
    def data(self) -> Mapping[str, Any]:
        """The plain data of the subject."""
        return self.new_data if self.old is None else self.old_data

    @property
    def id(self) -> str | None:
        """Its id; that of the old side where both have one."""
        return next((side.id for side in self.pair.sides if side.id is not None), None)

    @property
    def effect(self) -> Effect:
        """``shown``: shoppers may see a difference; ``label``: tags, metadata or the id alone."""
        only_labels = not self.pins and self.kind in ("changed", "recreated")
        return (
            "label"
            if only_labels and all(field.path[0] in LABELS for field in self.fields)
            else "shown"
        )

    @property
    def updated_at(self) -> str | None:
        """When the vendor last saw a change, in UTC, if a side says so."""
        known = [side.updated_at for side in self.pair.sides if side.updated_at is not None]
        return normalize_date_time(known[-1]) if known else None

    def counts_for(self, fail_on: FailOn) -> bool:
        """Whether it makes a run that fails on such changes fail."""
        return fail_on == "any" or fail_on in (self.cause, self.effect)


@dataclass(frozen=True, slots=True)
class Texts:
    """One file on both sides, for a patch.

    Attributes:
        path: from the repository's root, with slashes.
        old: its text on the one side; None if there is no such file.
        new: its text on the other.
    """

    path: str
    old: bytes | None
    new: bytes | None


@dataclass(frozen=True, slots=True)
class TrackerDrift:
    """The drift of one tracker.

    Attributes:
        name: the tracker's name.
        tracker_id: its id.
        changes: sorted by model, target and id.
        unchanged: how many customizations are the same on both sides.
        error: what kept it from being compared, if anything did; then there are no changes.
        file: the document that can't be read, from the repository's root, if that is the error.
        notes: what a reader should know of it besides.
        texts: the files that differ, if somebody asked for a patch.
        names: the titles of pinned items, as far as either side knows one.
    """

    name: str
    tracker_id: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    error: PinsyncError | None = None
    file: str | None = None
    notes: tuple[str, ...] = ()
    texts: tuple[Texts, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def counts(self) -> Counter[Kind]:
        """Return how many customizations are of each kind of change."""
        return Counter(change.kind for change in self.changes)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        source: as the user spelled it, or the default.
        revision: the full hash, of a git revision.
        fetched_at: when the API answered, of the live state.
    """

    source: str
    revision: str | None = None
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """The whole of a comparison.

    Attributes:
        old: the side that is compared from.
        new: the side that is compared to.
        trackers: each tracker's, in the configuration's order.
        notes: what a reader should know first, such as that the configuration itself changed.
        whole: whether it is of all that is configured, as it is configured: no filter, no flag.
    """

    old: Side
    new: Side
    trackers: tuple[TrackerDrift, ...]
    notes: tuple[str, ...] = ()
    whole: bool = True

    @property
    def complete(self) -> bool:
        """Whether every tracker could be compared."""
        return all(tracker.error is None for tracker in self.trackers)

    @property
    def found(self) -> bool | None:
        """Whether anything differs; None if nothing was found but a part is missing."""
        if any(tracker.changes for tracker in self.trackers):
            return True
        return False if self.complete else None

    def counts(self) -> Counter[Kind]:
        """Return how many customizations of all trackers are of each kind of change."""
        return sum((tracker.counts() for tracker in self.trackers), Counter())

    def exit_codes(self, fail_on: FailOn) -> list[int]:
        """Return the exit code that each tracker by itself gives."""
        return [
            tracker.error.exit_code
            if tracker.error
            else int(any(change.counts_for(fail_on) for change in tracker.changes))
            for tracker in self.trackers
        ]
