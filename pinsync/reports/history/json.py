"""History for programs: a versioned contract, described by ``history.schema.json``.

The contract grows only by new keys. A change looks the same as in the report of ``diff``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinsync.reports.words import commits
from pinsync.reports.words.record import build_change, encode

if TYPE_CHECKING:
    from pinsync.drift.record import TrackerDrift
    from pinsync.history.record import Log, LogEntry
    from pinsync.reports import Style

VERSION: Final = 1


def render(log: Log, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the log as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        log: the log.
        style: not used. Times are in UTC.
    """
    return encode(
        {
            "version": VERSION,
            "revision": log.revision,
            "complete": log.shallow is None,
            "shallow": commits.build_commit(log.shallow),
            "commits": [_build_entry(entry) for entry in log.entries],
        }
    )


def _build_entry(entry: LogEntry) -> dict[str, Any]:
    # An entry always has a commit: `or` satisfies the type checker.
    return {
        **(commits.build_commit(entry.commit) or {}),
        "reformatted": entry.reformatted,
        "notes": list(entry.notes),
        "trackers": [_build_tracker(tracker) for tracker in entry.trackers],
    }


def _build_tracker(tracker: TrackerDrift) -> dict[str, Any]:
    changes = [build_change(change) for change in tracker.changes]
    return {"name": tracker.name, "tracker_id": tracker.tracker_id, "changes": changes}
