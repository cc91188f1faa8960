"""Records of history, from which its reports are made: what commits changed, and which commit last set each pin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pinsync.canonical.pins import Pin
    from pinsync.drift.pairs import ChangeKind
    from pinsync.drift.record import PinChange, Place, Side, TrackerDrift
    from pinsync.model import Commit, Customization


@dataclass(frozen=True, slots=True)
class Entry:
    """What one commit changed, compared with its first parent.

    Attributes:
        commit: the commit.
        trackers: those of whose rules any changed in meaning.
        notes: what can't be read in it.
        reformatted: whether it only changed how files are written, or where they lie.
    """

    commit: Commit
    trackers: tuple[TrackerDrift, ...]
    notes: tuple[str, ...] = ()
    reformatted: bool = False


@dataclass(frozen=True, slots=True)
class Log:
    """The semantic log.

    Attributes:
        revision: the full hash of the newest commit looked at.
        entries: the newest first.
        shallow: the commit at which a shallow clone ends, if the log reaches it; what came before
            isn't known.
    """

    revision: str
    entries: Sequence[Entry]
    shallow: Commit | None = None


@dataclass(frozen=True, slots=True)
class Blamed:
    """A pin, and the commit that last changed it.

    Attributes:
        pin: the pin.
        change: what the commit did to it; None for a pin that is older than all that is known.
        commit: the commit; None likewise.
    """

    pin: Pin
    change: PinChange | None
    commit: Commit | None


@dataclass(frozen=True, slots=True)
class BlamedRule:
    """A customization with its pins, each with the commit that last changed it.

    Attributes:
        customization: the rule.
        place: where it stands.
        data: its plain data, the model included.
        pins: in the order of the file.
        kind: what the commit that last changed the rule, in whatever, did to it; None if it is
            older than all that is known.
        commit: that commit; None likewise.
    """

    customization: Customization
    place: Place
    data: Mapping[str, Any]
    pins: tuple[Blamed, ...]
    kind: ChangeKind | None
    commit: Commit | None


@dataclass(frozen=True, slots=True)
class BlamedTracker:
    """The rules of one tracker.

    Attributes:
        name: the tracker's name.
        tracker_id: its id.
        rules: those asked for, in the order of the file.
        names: the titles of pinned items, as far as they are known.
    """

    name: str
    tracker_id: str
    rules: tuple[BlamedRule, ...]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blame:
    """Which commit last set each pin.

    Attributes:
        model: the recommender model.
        source: the commit whose rules these are.
        at: the present, for ages.
        trackers: those that have such rules, in the configuration's order.
        shallow: the commit at which a shallow clone ends, if a pin is as old; what came before
            isn't known.
    """

    model: str
    source: Side
    at: datetime
    trackers: tuple[BlamedTracker, ...]
    shallow: Commit | None = None
