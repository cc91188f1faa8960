"""Decide for each difference what a plan does: an operation, or a rule that is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.drift.pairs import build_content_key
from pinsync.plan.record import LeftRule, Permissions

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pinsync.drift.record import Change
    from pinsync.plan.record import OperationKind, Reason


def drop_settled(changes: Sequence[Change]) -> list[Change]:
    """Return the changes without those that leave nothing to apply.

    These are rules that the shop has under other ids: a rule that was created again, and rules that
    exchanged their texts. And pins that the API left out as asked.

    Args:
        changes: the changes from SOURCE to the shop.
    """
    edited = [change for change in changes if change.cause == "edited"]
    settled = _find_exchanges(edited)
    return [change for at, change in enumerate(edited) if at not in settled]


def _find_exchanges(changes: Sequence[Change]) -> set[int]:
    """Return the indexes of the rules that the shop has, in a circle, under the ids of each other.

    A rule that was created again is a circle of one.
    """
    wanted = [build_content_key(each.old) if each.old else None for each in changes]
    present = [build_content_key(each.new) if each.new else None for each in changes]
    owners = {key: at for at, key in enumerate(present) if key and wanted[at]}
    settled = {at for at, key in enumerate(wanted) if key and key == present[at]}
    visited = set(settled)
    for start in range(len(changes)):
        path: list[int] = []
        at: int | None = start
        while at is not None and at not in visited:
            visited.add(at)
            path.append(at)
            key = wanted[at]
            at = owners.get(key) if key else None
        if at is not None and at in path:
            settled.update(path[path.index(at) :])
    return settled


def find_kind(change: Change) -> OperationKind:
    """Return the operation that gives the shop the rule of SOURCE.

    Args:
        change: the change from SOURCE to the shop.
    """
    if change.old is None:
        return "delete"
    return "create" if change.new is None else "update"


def find_obstacle(
    change: Change, permissions: Permissions, absent: Collection[str]
) -> LeftRule | None:
    """Return why a rule is left alone; None if the plan has an operation for the rule.

    Args:
        change: the change from SOURCE to the shop.
        permissions: the options that allow more.
        absent: the models without a document in SOURCE and in all commits before it.
    """
    kind = find_kind(change)
    # A document that is missing isn't an empty one.
    if kind == "delete" and change.new and change.new.model in absent:
        return LeftRule(kind, change, "document")
    # Without git there is no mover: a JSON export doesn't tell who moved.
    reason: Reason = change.moved or "unknown"
    given = {
        "--delete": permissions.delete,
        "--overwrite-edits": permissions.overwrite_edits,
        "--recreate": permissions.recreate,
        "--delete-extra": permissions.delete_extra,
    }
    options = list_required(kind, reason)
    if all(given[option] for option in options):
        return None
    return LeftRule(kind, change, reason, options)


def list_required(kind: OperationKind, reason: Reason) -> tuple[str, ...]:
    """Return the options that an operation requires.

    Args:
        kind: the kind of write.
        reason: who moved.
    """
    if reason == "extra":
        return ("--delete-extra",)
    if reason == "git":
        return ("--delete",) if kind == "delete" else ()
    # Somebody changed the rule in the shop, or may have changed it.
    if kind == "create":
        return ("--recreate",)
    if kind == "delete":
        return "--overwrite-edits", "--delete"
    return ("--overwrite-edits",)
