"""The account of a tracker: its parts, and its exit code."""

from __future__ import annotations

import pytest

from pinsync.apply.record import ACKNOWLEDGED, LEFT, MISSING, Account, Outcome, State
from pinsync.errors import PinsyncError, RemoteError, SafetyError, UsageError
from pinsync.plan.record import LeftRule, TrackerPlan
from support.drifts import in_sync
from support.planning import ALL, make, plan
from support.plans import plan_tracker

OPERATION = plan([make("a", text="/p/8/")], [make("a")])[0][0]
CREATION = plan([make(None, text="/p/8/")], [])[0][0]
EMPTY = plan_tracker(in_sync().trackers[0], ALL, "2026-01-01T00:00:00Z")


def build(*states: State, left: int = 0, stop: PinsyncError | None = None) -> Account:
    rule = LeftRule("update", OPERATION.change, "shop")
    tracker = TrackerPlan(EMPTY.drift, (OPERATION,) * len(states), (rule,) * left)
    outcomes = []
    for state in states:
        was_sent = state not in ("waiting", "changed", "held")
        outcomes.append(Outcome(OPERATION, state, was_sent=was_sent))
    return Account(tracker, tuple(outcomes), stop)


def test_every_state_but_done_is_left_or_missing() -> None:
    assert not LEFT & MISSING
    assert ACKNOWLEDGED - {"done"} <= LEFT | MISSING


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (build(), 0),
        (build("done", "done"), 0),
        (build("done", left=1), 1),
        (build("done", "edited"), 1),
        (build("changed"), 1),
        (build("held"), 1),
        (build("done", "refused"), 3),
        (build("lost", left=1), 3),
        (build("different"), 3),
        (build("unseen"), 3),
        (build("done", "waiting", stop=RemoteError("x")), 3),
        # After a write, every stop is 3; before it, the code of the error.
        (build("done", stop=SafetyError("x")), 3),
        (build("done", stop=UsageError("x")), 3),
        (build("waiting", stop=SafetyError("x")), 4),
        (build("waiting", stop=UsageError("x")), 2),
        (build("waiting", stop=RemoteError("x")), 3),
        (build(stop=SafetyError("x")), 4),
    ],
)
def test_the_exit_code(account: Account, code: int) -> None:
    assert account.exit_code == code


def test_writes_that_no_export_showed() -> None:
    account = build("done")
    assert Account(account.plan, account.outcomes, is_verified=False).exit_code == 3


def test_the_parts_of_an_account() -> None:
    account = build("done", "edited", "lost", "held", left=2)
    assert [outcome.state for outcome in account.done] == ["done"]
    assert [outcome.state for outcome in account.missing] == ["lost"]
    assert len(account.left) == 4
    assert account.has_written
    assert not build("waiting").has_written


@pytest.mark.parametrize(
    ("outcome", "is_doubtful"),
    [
        (Outcome(OPERATION, "done", rule_id="a"), False),
        (Outcome(OPERATION, "refused", rule_id="a"), False),
        (Outcome(OPERATION, "lost", rule_id="a"), True),
        (Outcome(OPERATION, "different", rule_id="a"), True),
        (Outcome(CREATION, "done", rule_id="b"), False),
        (Outcome(CREATION, "waiting"), False),
        # Acknowledged by a bulk call, which names no ids.
        (Outcome(CREATION, "done"), True),
        (Outcome(CREATION, "unseen"), True),
    ],
)
def test_an_outcome_is_doubtful_while_the_shop_may_still_show_it(
    outcome: Outcome, is_doubtful: bool
) -> None:
    assert outcome.is_doubtful == is_doubtful
