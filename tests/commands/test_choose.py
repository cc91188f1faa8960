"""Rule by rule, for each command that asks: the decisions lead back to the changes."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pinsync.commands.choose import count_decisions, decide_changes
from pinsync.plan.order import build_operations
from pinsync.plan.record import Permissions
from pinsync.reports import Style
from pinsync.terminal.choose import Meanings
from pinsync.terminal.console import Console
from support import drifts
from support.plans import build_plan

if TYPE_CHECKING:
    from pinsync.commands.choose import DecidedChange
    from pinsync.drift.record import Drift

APPLY = Meanings("leave the shop", "change the shop", "later", acting="git")


@pytest.fixture
def lines() -> list[str]:
    """What was shown."""
    return []


def decide(
    drift: Drift, answers: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> list[DecidedChange]:
    typed = "".join(f"{answer}\n" for answer in answers).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed)))
    console = Console(out=lambda text: lines.append(str(text)), err=lines.append)
    return decide_changes(drift, Style(ZoneInfo("UTC")), APPLY, console)


def test_a_plan_is_cut_down_to_the_rules_of_which_gits_is_taken(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = build_plan(drifts.afternoon())
    decided = decide(plan.drift, "gsng", lines, monkeypatch)
    (tracker,) = plan.drift.trackers
    assert len(decided) == len(tracker.changes) > 4
    assert all(each.change in tracker.changes for each in decided)
    assert count_decisions(decided).startswith(f"{len(decided)} rules: 1 as in the shop, 2 as in")
    # The movers stay, and what somebody chose needs no further permission.
    chosen = [each.change for each in decided if each.decision == "git"]
    shop = [change.new for change in tracker.changes if change.new]
    everything = Permissions(True, True, True, True)
    operations, left = build_operations(chosen, shop, everything, set())
    assert len(operations) + len(left) == 2


def test_each_decision_belongs_to_its_tracker(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drift = drifts.several()
    decided = decide(drift, "", lines, monkeypatch)
    for tracker in drift.trackers:
        own = [each.change for each in decided if each.tracker == tracker.name]
        assert sorted(map(repr, own)) == sorted(map(repr, tracker.changes))
