"""The records of history that its reports render: the changes of commits, and the blame of pins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pinsync.canonical.pins import Pin
    from pinsync.drift.pairs import ChangeKind
    from pinsync.drift.record import PinChange, Place, Side, TrackerDrift
    from pinsync.model import Commit, Customization


class LogEntry(Struct, frozen=True):
    """The changes of one commit, compared with its first parent.

    Attributes:
        commit: the commit.
        trackers: the trackers with changed rules.
        notes: notes on the files that can't be read.
        reformatted: whether the commit only reformatted or moved files.
    """

    commit: Commit
    trackers: tuple[TrackerDrift, ...]
    notes: tuple[str, ...] = ()
    reformatted: bool = False


class Log(Struct, frozen=True):
    """The semantic log.

    Attributes:
        revision: the full hash of the newest commit that was read.
        entries: the entries, the newest first.
        shallow: the commit at which a shallow clone ends, if the log reaches it. Older changes are
            unknown then.
    """

    revision: str
    entries: Sequence[LogEntry]
    shallow: Commit | None = None


class BlamedPin(Struct, frozen=True):
    """A pin, and the commit that last changed it.

    Attributes:
        pin: the pin.
        change: the change of the pin in the commit; None for a pin that is older than the known
            history.
        commit: the commit; None for a pin that is older than the known history.
    """

    pin: Pin
    change: PinChange | None
    commit: Commit | None


class BlamedRule(Struct, frozen=True):
    """A customization with its pins and the commits that last changed them.

    Attributes:
        customization: the rule.
        place: file and line of the rule.
        data: the plain data of the rule, the model included.
        pins: the pins in the order of the file.
        kind: the kind of the last change of the rule, in any field; None for a rule that is older
            than the known history.
        commit: the commit of that change; None for a rule that is older than the known history.
    """

    customization: Customization
    place: Place
    data: Mapping[str, Any]
    pins: tuple[BlamedPin, ...]
    kind: ChangeKind | None
    commit: Commit | None


class BlamedTracker(Struct, frozen=True):
    """The rules of one tracker.

    Attributes:
        name: the tracker's name.
        tracker_id: the tracker's id.
        rules: the rules of the report, in the order of the file.
        names: the known titles of items.
    """

    name: str
    tracker_id: str
    rules: tuple[BlamedRule, ...]
    names: Mapping[str, str] = field(default_factory=dict)


class Blame(Struct, frozen=True):
    """The last commit of each pin of a model.

    Attributes:
        model: the recommender model.
        source: the commit with the rules.
        at: the present, for ages.
        trackers: the trackers with such rules, in the configuration's order.
        shallow: the commit at which a shallow clone ends, if a pin is that old. Older changes are
            unknown then.
    """

    model: str
    source: Side
    at: datetime
    trackers: tuple[BlamedTracker, ...]
    shallow: Commit | None = None
