"""Shelves for programs: a versioned contract, described by ``show.schema.json``.

The contract grows only by new keys. A key with an unknown value is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinsync.reports.words.record import encode, identify
from pinsync.shelf.shelf import PIN_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.reports import Style
    from pinsync.shelf.shelf import Shelf, Shelves, Slot, TrackerShelves

VERSION: Final = 1

Record = dict[str, Any]


def render(shelves: Shelves, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the shelves as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        shelves: the shelves.
        style: not used. Times are in UTC.
    """
    return encode(
        {
            "version": VERSION,
            "at": shelves.at,
            "source": shelves.source.source,
            "revision": shelves.source.revision,
            "trackers": [_build_tracker(tracker) for tracker in shelves.trackers],
        }
    )


def _build_tracker(tracker: TrackerShelves) -> Record:
    counts = tracker.count_states()
    return {
        "name": tracker.name,
        "tracker_id": tracker.tracker_id,
        "rules": [_build_rule(shelf, tracker.names) for shelf in tracker.shelves],
        # Zeros too, so that a program can add the counts of several trackers.
        "counts": {
            "rules": len(tracker.shelves),
            "pins": counts.total(),
            **{state: counts[state] for state in PIN_STATES},
        },
    }


def _build_rule(shelf: Shelf, titles: Mapping[str, str]) -> Record:
    return {
        **identify(shelf.item, shelf.data, shelf.place),
        "pins": [_build_pin(slot, titles) for slot in shelf.slots],
    }


def _build_pin(slot: Slot, titles: Mapping[str, str]) -> Record:
    identity = slot.pin.identity
    title = None if identity is None else titles.get(identity)
    return {"state": slot.state, "pin": slot.pin.data, "title": title}
