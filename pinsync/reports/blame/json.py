"""Blame for programs: a versioned contract, which ``blame.schema.json`` beside this module describes.

It grows only by new keys. A key whose value isn't known is null; left out is what a pin didn't have before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinsync.drift.changes import plain_data
from pinsync.reports.words import commits
from pinsync.reports.words.record import encode, identify

if TYPE_CHECKING:
    from pinsync.history.record import Blame, Blamed, BlamedRule
    from pinsync.reports import Style

VERSION: Final = 1

Record = dict[str, Any]


def render(blame: Blame, style: Style) -> str:  # noqa: ARG001 - as every format's
    """Return the blame as one JSON object (RFC 8259) in lines, with a final newline; the times are in UTC.

    Args:
        blame: what to show.
        style: not used.
    """
    return encode(
        {
            "version": VERSION,
            "source": blame.source.source,
            "revision": blame.source.revision,
            "complete": blame.shallow is None,
            "shallow": commits.build_commit(blame.shallow),
            "trackers": [
                {
                    "name": tracker.name,
                    "tracker_id": tracker.tracker_id,
                    "rules": [_build_rule(rule) for rule in tracker.rules],
                }
                for tracker in blame.trackers
            ],
        }
    )


def _build_rule(rule: BlamedRule) -> Record:
    return {
        **identify(rule.customization, plain_data(rule.customization), rule.place),
        "kind": rule.kind,
        "commit": commits.build_commit(rule.commit),
        "pins": [_build_pin(blamed) for blamed in rule.pins],
    }


def _build_pin(blamed: Blamed) -> Record:
    record: Record = {"pin": blamed.pin.data, "kind": None, "commit": commits.build_commit(blamed.commit)}
    if blamed.change:
        record["kind"] = blamed.change.kind
        if blamed.change.old is not None:
            record["from"] = blamed.change.old.data
    return record
