"""The account of an apply: golden files, the contract of its JSON, and hostile texts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from pinsync.errors import RemoteError
from pinsync.escape import INVISIBLE
from pinsync.reports import ACCOUNT_FORMATS, Style, load_account
from pinsync.reports.words.values import measure_width
from support import drifts, paths
from support.accounts import CASES, account
from support.hostile import TITLES
from support.planning import ALL
from support.plans import build_plan
from support.runners import find_foreign_commands
from support.schemas import check_report
from support.workflows import commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.apply.record import Account
    from pinsync.plan.record import Plan
    from support.golden import Golden

STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
GOLDEN: Final = paths.CASES / "accounts"
SUFFIXES: Final = {"text": "txt", "json": "json"}


def render(case: tuple[Plan, Sequence[Account]], format_: str, style: Style = STYLE) -> str:
    plan, accounts = case
    text: str = load_account(format_).render(accounts, plan, style)
    return text


def test_every_format_has_golden_files() -> None:
    assert set(SUFFIXES) == set(ACCOUNT_FORMATS)


@pytest.mark.parametrize("format_", SUFFIXES)
@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, format_: str, golden: Golden) -> None:
    golden(render(CASES[case](), format_), GOLDEN / f"{case}.{SUFFIXES[format_]}")


@pytest.mark.parametrize("case", CASES)
def test_the_record_keeps_its_contract(case: str) -> None:
    plan, accounts = CASES[case]()
    record = json.loads(render((plan, accounts), "json"))
    check_report("apply", record)
    assert record["planned"] == len(plan.operations)
    assert record["done"] == sum(len(each.done) for each in accounts)
    for tracker, each in zip(record["trackers"], accounts, strict=True):
        assert len(tracker["operations"]) == len(each.outcomes)
        assert len(tracker["left"]) == len(each.plan.left)
        assert tracker["exit_code"] == each.exit_code


@pytest.mark.parametrize("case", CASES)
def test_lines_fit_a_terminal(case: str) -> None:
    for line in render(CASES[case](), "text").splitlines():
        longest = max(map(measure_width, line.split(" ")))
        assert measure_width(line) <= 80 or longest > 40


def test_colours_add_nothing_but_colours() -> None:
    plain = render(CASES["stopped"](), "text")
    colored = render(CASES["stopped"](), "text", replace(STYLE, color=True))
    assert plain != colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_a_long_list_is_cut_and_counted() -> None:
    plan, accounts = CASES["stopped"]()
    missing = len(accounts[0].missing)
    assert missing > 20
    text = render((plan, accounts), "text")
    assert f"NOT DONE ({missing} rules)" in text
    assert f"… and {missing - 20} more; --format json lists all" in text


@pytest.mark.parametrize("format_", SUFFIXES)
def test_a_job_takes_no_line_for_a_command(format_: str) -> None:
    plan = build_plan(drifts.hostile(), ALL)
    accounts: list[Account] = []
    for tracker in plan.trackers:
        for title in TITLES:
            stop = RemoteError(title, hint=title)
            found = account(tracker, ["refused", "edited", "done"], stop=stop, notes=TITLES)
            outcomes = [replace(outcome, detail=title) for outcome in found.outcomes]
            accounts.append(replace(found, outcomes=tuple(outcomes)))
    report = render((plan, accounts), format_)
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    assert not commands(report)
    assert not find_foreign_commands(report)
