"""The differences one by one, as people are asked about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from pinsync.escape import INVISIBLE
from pinsync.reports import Style
from pinsync.reports.drift import text
from pinsync.reports.drift.choice import list_differences, render_changed_rules
from support import drifts
from support.drifts import HEAD, LIVE, build_drift, state, tracker
from support.hostile import rows
from support.runners import find_commands

if TYPE_CHECKING:
    from pinsync.drift.record import Drift

STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))


def render_all(drift: Drift) -> str:
    """Return all that a person is shown."""
    shown: list[str] = []
    for difference in list_differences(drift, STYLE):
        shown += [difference.heading, difference.render()]
    return "".join([*shown, render_changed_rules(drift, STYLE, "write")])


@pytest.mark.parametrize("name", ["shop", "afternoon", "several"])
def test_each_rule_is_shown_as_in_the_text_report(name: str) -> None:
    drift: Drift = getattr(drifts, name)()
    report = text.render(drift, STYLE)
    differences = list_differences(drift, STYLE)
    assert len(differences) == sum(len(each.changes) for each in drift.trackers) > 1
    for difference in differences:
        assert f"\n{difference.render()}" in report
        assert f"\n{difference.heading.splitlines()[-1]}\n" in report


def test_rules_with_one_heading_are_neighbours() -> None:
    headings: list[str] = []
    for difference in list_differences(drifts.several(), STYLE):
        if difference.heading not in headings[-1:]:
            headings.append(difference.heading)
    assert len(set(headings)) == len(headings) > 1


def test_several_trackers_come_one_after_the_other() -> None:
    drift = drifts.several()
    names = [difference.tracker for difference in list_differences(drift, STYLE)]
    assert names == sorted(names, key=[each.name for each in drift.trackers].index)
    for difference in list_differences(drift, STYLE):
        assert difference.heading.startswith(difference.tracker)


def test_the_rules_once_more() -> None:
    drift = drifts.afternoon()
    (first, *lines) = render_changed_rules(drift, STYLE, "write").splitlines()
    count = sum(len(each.changes) for each in drift.trackers)
    assert first == f"{count} rules to write:"
    report = text.render(drift, STYLE).splitlines()
    assert set(lines) <= set(report)


def test_hostile_titles_are_data() -> None:
    sides = state({"basket": rows("")}), state({"basket": rows("!")})
    drift = build_drift(HEAD, LIVE, (replace(tracker(*sides), name="\x1b[2Jshop"),))
    shown = render_all(drift)
    assert not re.search(INVISIBLE, shown.replace("\n", ""))
    assert find_commands(shown) == []
