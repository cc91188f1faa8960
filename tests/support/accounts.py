"""Accounts of the plans in `plans`, for the reports of applies."""

from __future__ import annotations

from itertools import cycle
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from msgspec.structs import replace

from pinsync.apply.record import Account, Outcome
from pinsync.errors import RemoteError, SafetyError
from support import drifts
from support.planning import ALL
from support.plans import build_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pinsync.apply.record import State
    from pinsync.errors import PinsyncError
    from pinsync.plan.record import Plan, TrackerPlan

Case: TypeAlias = "tuple[Plan, list[Account]]"

HOST: Final = "https://live.luigisbox.tech"
# A path is printed as the machine spells it.
BACKUP: Final = cast("Path", PurePosixPath("/state/backup-1234-5678-20261130T153300.000000Z.json"))
JOURNAL: Final = cast("Path", PurePosixPath("/state/journal-1234-5678-20261130T153300.jsonl"))
DETAILS: Final[dict[State, str]] = {
    "edited": "somebody changed it right after the write",
    "changed": "somebody changed it since the plan",
    "held": "another rule still has the target",
    "refused": "tracker shop: the host answered 422 Unprocessable Entity",
    "lost": "the answer to the write was lost",
    "different": "the shop dropped target_metadata",
}


def account(
    tracker: TrackerPlan,
    states: Sequence[State],
    *,
    stop: PinsyncError | None = None,
    notes: tuple[str, ...] = (),
    is_verified: bool = True,
) -> Account:
    """The account of a tracker whose operations have these states by turns."""
    outcomes: list[Outcome] = []
    for operation, state in zip(tracker.operations, cycle(states), strict=False):
        was_sent = state not in ("waiting", "changed", "held")
        rule_id = operation.id or ("new-id" if state == "done" else None)
        detail = DETAILS.get(state, "")
        outcomes.append(Outcome(operation, state, detail, rule_id=rule_id, was_sent=was_sent))
    has_files = bool(tracker.operations)
    return Account(
        tracker,
        tuple(outcomes),
        stop,
        is_verified,
        BACKUP if has_files else None,
        JOURNAL if has_files else None,
        HOST if has_files else "",
        notes,
    )


def done() -> Case:
    """All is done."""
    plan = build_plan(drifts.shop(), ALL)
    return plan, [account(plan.trackers[0], ["done"])]


def left() -> Case:
    """All of the plan is done, and some rules are left to people."""
    plan = build_plan(drifts.shop())
    return plan, [account(plan.trackers[0], ["done", "edited"])]


def stopped() -> Case:
    """A run that ended early, with every state."""
    plan = build_plan(drifts.large(60), ALL)
    states: list[State] = ["done", *DETAILS, "unseen", "waiting"]
    stop = RemoteError("the answer to a write was lost", hint="run the command again")
    return plan, [account(plan.trackers[0], states, stop=stop, notes=("a note",))]


def unread() -> Case:
    """The shop couldn't be read at the end."""
    plan = build_plan(drifts.one_pin(), ALL)
    note = "the shop couldn't be read afterwards: 503 Service Unavailable"
    return plan, [account(plan.trackers[0], ["done"], notes=(note,), is_verified=False)]


def refused() -> Case:
    """Nothing was sent."""
    plan = build_plan(drifts.one_pin(), ALL)
    stop = SafetyError("the record of agreement moved", hint="fetch it")
    return plan, [Account(plan.trackers[0], stop=stop)]


def nothing() -> Case:
    """Nothing was to be done."""
    plan = build_plan(drifts.in_sync(), ALL)
    return plan, [account(plan.trackers[0], ["done"])]


def several() -> Case:
    """Several trackers, of which the first two differ."""
    plan = build_plan(drifts.shop(), ALL)
    (first,) = plan.trackers
    others = [
        replace(first, drift=replace(first.drift, name=name, tracker_id=id_))
        for name, id_ in (("de", "1111-2222"), ("sk", "3333-4444"))
    ]
    plan = replace(plan, trackers=tuple(others))
    stop = RemoteError("the run was interrupted", hint="run the command again to finish")
    accounts = [account(others[0], ["done"]), account(others[1], ["waiting"], stop=stop)]
    return plan, accounts


CASES: Final[dict[str, Callable[[], Case]]] = {
    "done": done,
    "left": left,
    "stopped": stopped,
    "unread": unread,
    "refused": refused,
    "nothing": nothing,
    "several": several,
}
