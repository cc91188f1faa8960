"""The records of a drift: the sorted changes from one snapshot to another.

All reports, counts and exit codes come from these records. A record knows the source of a side only
by name.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec import Struct, field

from pinsync.canonical.fields import LABELS
from pinsync.canonical.moments import normalize_date_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pinsync.canonical.pins import Pin
    from pinsync.drift.pairs import ChangeKind, Pair
    from pinsync.errors import PinsyncError
    from pinsync.model import Commit, Customization, FailOn

FieldPath = tuple[str | int, ...]
PinKind = Literal["added", "removed", "moved", "replaced", "changed"]
Cause = Literal["edited", "expired", "catalog"]
Effect = Literal["shown", "label"]
When = Literal["now", "later", "never"]
Moved = Literal["shop", "git", "both", "unknown", "extra"]


class Missing(Enum):
    """The value of a field that a side lacks; None is JSON's null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class PinChange(Struct, frozen=True):
    """The change of one pin.

    Attributes:
        kind: the kind of change.
        old: the pin on the old side; None if it was added.
        new: the pin on the new side; None if it was removed.
        cause: the reason why the pin is missing, if it is missing from a live side.
    """

    kind: PinKind
    old: Pin | None
    new: Pin | None
    cause: Cause = "edited"


class FieldChange(Struct, frozen=True):
    """The change of one value outside the pins.

    Attributes:
        path: the keys and indexes that lead to the value.
        old: the old value; ``MISSING`` if the old side lacks it.
        new: the new value; ``MISSING`` if the new side lacks it.
    """

    path: FieldPath
    old: Any
    new: Any


class Place(Struct, frozen=True):
    """The place of a customization: the path of its file, and its first line, counted from 1."""

    file: str
    line: int


class LocatedCustomization(NamedTuple):
    """A customization in a file, and its place."""

    customization: Customization
    place: Place


class Shoppers(Struct, frozen=True):
    """When shoppers notice a change.

    Attributes:
        when: ``now``, ``later`` or ``never``.
        at: the first moment at which they notice it, if that is ``later``; an RFC 3339 date-time in
            UTC.
    """

    when: When
    at: str | None = None


class Base(Struct, frozen=True):
    """The last text on which git and the shop agreed.

    Attributes:
        rule: the rule; None if neither side had it.
    """

    rule: Customization | None


class Change(Struct, frozen=True):
    """The change of one customization.

    Attributes:
        kind: added, removed, changed or recreated (the same rule, or the same target, under another
            id).
        pair: both sides.
        old_data: the fields of the old side, its model included; empty if there is no old side.
        new_data: the fields of the new side, likewise.
        pins: the changes of the pins; all pins of an added or removed customization.
        fields: the changes of the other values; none for an added or removed customization.
        cause: ``edited`` by a person, or omitted by the API: ``expired``, or the item is no longer
            in the ``catalog``.
        place: the place of the old side in a file; the place of the new side if only the new side
            is read from files.
        shoppers: when shoppers notice the change; None if the report has no moment.
        moved: the side that changed the rule since git and the shop agreed: ``shop``, ``git``,
            ``both``, ``unknown``, or ``extra`` for a rule that git never had; None without a live
            side, and for a change that the API left out as asked.
        moved_in: the commit that brought git's text, or that removed the rule; None for uncommitted
            text, for a rule that git never had, and where the history ends before that commit.
        base: the base, if the record of agreement knows it and the answer isn't that one side alone
            moved; else None.
    """

    kind: ChangeKind
    pair: Pair
    old_data: Mapping[str, Any]
    new_data: Mapping[str, Any]
    pins: tuple[PinChange, ...]
    fields: tuple[FieldChange, ...]
    cause: Cause = "edited"
    place: Place | None = None
    shoppers: Shoppers | None = None
    moved: Moved | None = None
    moved_in: Commit | None = None
    base: Base | None = None

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
        """The old side; the new side if there is no old one."""
        return self.pair.sides[0]

    @property
    def data(self) -> Mapping[str, Any]:
        """The fields of the subject."""
        return self.new_data if self.old is None else self.old_data

    @property
    def id(self) -> str | None:
        """The id of the old side; the id of the new side if the old side has none."""
        for side in self.pair.sides:
            if side.id is not None:
                return side.id
        return None

    @property
    def effect(self) -> Effect:
        """``shown``: shoppers may see a difference; ``label``: tags, metadata or the id alone."""
        if self.pins or self.kind in ("added", "removed"):
            return "shown"
        if all(field.path[0] in LABELS for field in self.fields):
            return "label"
        return "shown"

    @property
    def updated_at(self) -> str | None:
        """The moment of the last change in UTC, by the new side if it has one, else by the old."""
        for side in reversed(self.pair.sides):
            if side.updated_at is not None:
                return normalize_date_time(side.updated_at)
        return None

    def is_failure(self, fail_on: FailOn) -> bool:
        """Whether the change makes a run fail that fails on such changes."""
        if fail_on == "now":
            return self.shoppers is not None and self.shoppers.when == "now"
        if fail_on == "shop":
            # A mover that isn't known may be the shop.
            return self.moved not in (None, "git")
        return fail_on == "any" or fail_on in (self.cause, self.effect)


def find_when(change: Change) -> When:
    """Return when shoppers notice a change of a report that has a moment."""
    if change.shoppers is None:
        raise ValueError("a change without a moment")
    return change.shoppers.when


class FileTexts(Struct, frozen=True):
    """The texts of one file on both sides, for a patch.

    Attributes:
        path: the path from the repository's root, with slashes.
        old: the text on the old side; None if the old side has no such file.
        new: the text on the new side; None if the new side has no such file.
    """

    path: str
    old: bytes | None
    new: bytes | None


class TrackerDrift(Struct, frozen=True):
    """The drift of one tracker.

    Attributes:
        name: the tracker's name.
        tracker_id: the tracker's id.
        changes: the changes, sorted by model, target and id.
        unchanged: the number of customizations that are equal on both sides.
        error: the error that prevented the comparison; then there are no changes.
        file: the path from the repository's root of the unreadable document, if that is the error.
        notes: remarks for the reader of a report.
        texts: the files that differ, if the command line asked for a patch.
        names: the known titles of items, by identity.
        is_history_cut: whether git's history ends before it tells who moved each rule.
        images: the URLs of pictures that a report may load, by identity.
    """

    name: str
    tracker_id: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    error: PinsyncError | None = None
    file: str | None = None
    notes: tuple[str, ...] = ()
    texts: tuple[FileTexts, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    is_history_cut: bool = False
    images: Mapping[str, str] = field(default_factory=dict)

    def count_changes(self) -> Counter[ChangeKind]:
        """Return the number of changes of each kind."""
        return Counter(change.kind for change in self.changes)


class Side(Struct, frozen=True):
    """One side of a comparison.

    Attributes:
        source: the user's spelling, or the default.
        revision: the full hash of a git revision; None for other sources.
        fetched_at: the moment of the API's answer; None for other sources.
        is_export: whether it is a JSON export.
    """

    source: str
    revision: str | None = None
    fetched_at: datetime | None = None
    is_export: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it is a state of the shop, asked for or saved."""
        return self.is_export or self.source == "@live"

    @property
    def is_committed(self) -> bool:
        """Whether it is a state in git."""
        # In a new repository HEAD has no commit yet, and so no revision.
        return self.revision is not None or self.source == "HEAD"


class Drift(Struct, frozen=True):
    """The result of a comparison.

    Attributes:
        old: the old side.
        new: the new side.
        trackers: the drift of each tracker, in the order of the configuration.
        at: the moment from which the changes are seen, as `format_utc` returns it.
        notes: remarks for the top of a report, such as a change of the configuration itself.
        is_unrestricted: whether neither a filter nor a flag restricts the comparison: all trackers
            are compared, each as it is configured.
    """

    old: Side
    new: Side
    trackers: tuple[TrackerDrift, ...]
    at: str
    notes: tuple[str, ...] = ()
    is_unrestricted: bool = True

    @property
    def is_against_shop(self) -> bool:
        """Whether exactly one side is a state of the shop."""
        return self.old.is_live != self.new.is_live

    @property
    def is_complete(self) -> bool:
        """Whether every tracker could be compared."""
        return all(tracker.error is None for tracker in self.trackers)

    @property
    def has_changes(self) -> bool | None:
        """Whether anything differs; None if that is unknown, because a tracker failed."""
        if any(tracker.changes for tracker in self.trackers):
            return True
        # A failed tracker may hide a change, so "in sync" would be a guess.
        return False if self.is_complete else None

    def count_changes(self) -> Counter[ChangeKind]:
        """Return the number of changes of each kind in all trackers."""
        return sum((tracker.count_changes() for tracker in self.trackers), Counter())

    def find_exit_codes(self, fail_on: FailOn) -> list[int]:
        """Return the exit code of each tracker by itself."""
        codes: list[int] = []
        for tracker in self.trackers:
            if tracker.error:
                codes.append(tracker.error.exit_code)
            else:
                codes.append(int(any(change.is_failure(fail_on) for change in tracker.changes)))
        return codes
