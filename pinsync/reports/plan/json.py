"""The report of a plan for programs: a versioned contract, described by ``plan.schema.json``.

The contract grows only by new keys. Each change leads from the shop's rule to SOURCE's rule, also
for the rules that are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from pinsync.plan.order import build_shop_change
from pinsync.plan.record import OperationKind
from pinsync.reports.words.record import Record, build_change, encode, format_utc

if TYPE_CHECKING:
    from pinsync.errors import PinsyncError
    from pinsync.model import Customization
    from pinsync.plan.record import LeftRule, Operation, Plan, TrackerPlan
    from pinsync.reports import Style

VERSION: Final = 1
_KINDS: Final[tuple[OperationKind, ...]] = get_args(OperationKind)


def render(plan: Plan, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the plan as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        plan: the plan.
        style: not used. Times are in UTC, and the report is always complete.
    """
    drift = plan.drift
    source: Record = {"source": drift.old.source}
    if drift.old.revision is not None:
        source["revision"] = drift.old.revision
    if plan.since is not None:
        source["since"] = plan.since or None
    shop: Record = {"source": drift.new.source}
    if drift.new.fetched_at is not None:
        shop["fetched_at"] = format_utc(drift.new.fetched_at)
    permissions = plan.permissions
    record: Record = {
        "version": VERSION,
        "checksum": plan.checksum,
        "to_apply": _has_operations(plan),
        "complete": drift.is_complete,
        "source": source,
        "shop": shop,
        "options": {
            "delete": permissions.delete,
            "overwrite_edits": permissions.overwrite_edits,
            "recreate": permissions.recreate,
            "delete_extra": permissions.delete_extra,
        },
        "trackers": [_build_tracker(tracker) for tracker in plan.trackers],
        **_build_notes(drift.notes),
    }
    return encode(record)


def _has_operations(plan: Plan) -> bool | None:
    if plan.operations:
        return True
    # A failed tracker may hide an operation.
    return False if plan.drift.is_complete else None


def _build_notes(notes: tuple[str, ...]) -> Record:
    return {"notes": list(notes)} if notes else {}


def _build_tracker(tracker: TrackerPlan) -> Record:
    drift = tracker.drift
    kinds = [operation.kind for operation in tracker.operations]
    summary = {kind: kinds.count(kind) for kind in _KINDS}
    return {
        "name": drift.name,
        "tracker_id": drift.tracker_id,
        "complete": drift.error is None,
        "error": None if drift.error is None else _build_error(drift.error),
        "summary": {**summary, "left": len(tracker.left)},
        "operations": [_build_operation(operation) for operation in tracker.operations],
        "left": [_build_left(rule) for rule in tracker.left],
        **_build_notes(drift.notes),
    }


def _build_error(error: PinsyncError) -> Record:
    return {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}


def _build_operation(operation: Operation) -> Record:
    return {
        "operation": operation.kind,
        "swapped": operation.swapped,
        "change": build_change(operation.change),
    }


def _build_left(rule: LeftRule) -> Record:
    change = build_shop_change(rule.kind, rule.change.new, rule.change.old, rule.change)
    return {
        "operation": rule.kind,
        "reason": rule.reason,
        "options": list(rule.options),
        "holder": _identify(rule.holder),
        "change": build_change(change),
    }


def _identify(holder: Customization | None) -> Record | None:
    """Return the rule that has the target; None if that isn't the reason."""
    return None if holder is None else {"model": holder.model, "id": holder.id}
