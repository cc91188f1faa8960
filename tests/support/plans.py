"""Plans of the drifts in `drifts`, for the reports of plans."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pinsync.drift.shoppers import find_shoppers
from pinsync.plan.checksum import compute_checksum
from pinsync.plan.decisions import drop_settled
from pinsync.plan.order import build_operations
from pinsync.plan.record import Permissions, Plan, TrackerPlan
from support import drifts
from support.planning import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pinsync.drift.record import Change, Drift, Moved, TrackerDrift


def move(changes: Iterable[Change]) -> list[Change]:
    """Let git and the shop move rules by turns."""
    movers: Iterable[Moved] = cycle(["git", "git", "shop", "git", "both", "unknown"])
    moved: list[Change] = []
    for change, mover in zip(changes, movers, strict=False):
        is_extra = change.old is None and mover != "git"
        moved.append(replace(change, moved="extra" if is_extra else mover))
    return moved


def build_plan(drift: Drift, permissions: Permissions = Permissions()) -> Plan:  # noqa: B008 - frozen
    """The plan of a drift from git to the shop."""
    trackers = tuple(plan_tracker(found, permissions, drift.at) for found in drift.trackers)
    seen = replace(drift, trackers=tuple(found.drift for found in trackers))
    checksum = compute_checksum(trackers) if drift.is_complete else None
    return Plan(seen, trackers, permissions, checksum)


def plan_tracker(found: TrackerDrift, permissions: Permissions, at: str) -> TrackerPlan:
    changes = move(drop_settled(found.changes))
    shop = [change.new for change in found.changes if change.new]
    operations, left = build_operations(changes, shop, permissions)
    seen = []
    for each in operations:
        change = replace(each.change, shoppers=find_shoppers(each.change, at))
        seen.append(replace(each, change=change))
    return TrackerPlan(replace(found, changes=tuple(changes)), tuple(seen), tuple(left))


def begin() -> Plan:
    """A shop that git knows nothing of."""
    plan = build_plan(drifts.no_commits())
    left = [replace(rule, reason="document") for rule in plan.left]
    trackers = tuple(
        replace(tracker, operations=(), left=tuple(left), is_new=True) for tracker in plan.trackers
    )
    return replace(plan, trackers=trackers, checksum=compute_checksum(trackers))


CASES: Final[dict[str, Callable[[], Plan]]] = {
    "shop": lambda: build_plan(drifts.shop()),
    "everything": lambda: build_plan(drifts.shop(), ALL),
    "afternoon": lambda: build_plan(drifts.afternoon(), Permissions(delete=True)),
    "in_sync": lambda: build_plan(drifts.in_sync()),
    "several": lambda: build_plan(drifts.several()),
    "nothing_known": lambda: build_plan(drifts.nothing_known()),
    "begin": begin,
}
