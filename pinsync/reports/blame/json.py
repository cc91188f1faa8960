"""Blame for programs: a versioned contract, described by ``blame.schema.json``.

The contract grows only by new keys. A key with an unknown value is null; the old pin of an added
pin is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinsync.reports.words import commits
from pinsync.reports.words.record import encode, identify

if TYPE_CHECKING:
    from pinsync.history.record import Blame, BlamedPin, BlamedRule, BlamedTracker
    from pinsync.reports import Style

VERSION: Final = 1

Record = dict[str, Any]


def render(blame: Blame, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the blame as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        blame: the blame.
        style: not used. Times are in UTC.
    """
    return encode(
        {
            "version": VERSION,
            "source": blame.source.source,
            "revision": blame.source.revision,
            "complete": blame.shallow is None,
            "shallow": commits.build_commit(blame.shallow),
            "trackers": [_build_tracker(tracker) for tracker in blame.trackers],
        }
    )


def _build_tracker(tracker: BlamedTracker) -> Record:
    return {
        "name": tracker.name,
        "tracker_id": tracker.tracker_id,
        "rules": [_build_rule(rule) for rule in tracker.rules],
    }


def _build_rule(rule: BlamedRule) -> Record:
    return {
        **identify(rule.customization, rule.data, rule.place),
        "kind": rule.kind,
        "commit": commits.build_commit(rule.commit),
        "pins": [_build_pin(blamed) for blamed in rule.pins],
    }


def _build_pin(blamed: BlamedPin) -> Record:
    record: Record = {
        "pin": blamed.pin.data,
        "kind": None,
        "commit": commits.build_commit(blamed.commit),
    }
    # Without a change, the pin is older than the history that can be read.
    if blamed.change:
        record["kind"] = blamed.change.kind
        if blamed.change.old is not None:
            record["from"] = blamed.change.old.data
    return record
