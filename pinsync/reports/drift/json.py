"""The report for programs: a versioned contract, described by ``diff.schema.json``.

The contract grows only by new keys. A key with an unknown value is null; a key that a side can't
have is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.reports.words.record import Record, build_change, encode, format_utc

if TYPE_CHECKING:
    from pinsync.drift.record import Drift, Side, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style

VERSION: Final = 1

_SUMMARY: Final = ("added", "removed", "changed", "recreated")


def render(drift: Drift, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the drift as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        drift: the drift.
        style: not used. Times are in UTC, and the report is always complete.
    """
    record: Record = {
        "version": VERSION,
        "drift": drift.has_changes,
        "complete": drift.is_complete,
        "from": _build_side(drift.old),
        "to": _build_side(drift.new),
        "trackers": [_build_tracker(tracker) for tracker in drift.trackers],
        **_build_notes(drift.notes),
    }
    return encode(record)


def _build_side(side: Side) -> Record:
    # Files have no revision, and only live is fetched. A key that a side can't have is left out.
    record: Record = {"source": side.source}
    if side.revision is not None:
        record["revision"] = side.revision
    if side.fetched_at is not None:
        record["fetched_at"] = format_utc(side.fetched_at)
    return record


def _build_notes(notes: tuple[str, ...]) -> Record:
    return {"notes": list(notes)} if notes else {}


def _build_tracker(tracker: TrackerDrift) -> Record:
    counts = tracker.count_changes()
    summary = {kind: counts[kind] for kind in _SUMMARY}
    return {
        "name": tracker.name,
        "tracker_id": tracker.tracker_id,
        "complete": tracker.error is None,
        "error": None if tracker.error is None else _build_error(tracker.error),
        "summary": {**summary, "unchanged": tracker.unchanged},
        "changes": [build_change(change) for change in tracker.changes],
        **_build_notes(tracker.notes),
    }


def _build_error(error: PinsyncError) -> Record:
    return {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
