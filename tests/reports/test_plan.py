"""The reports of a plan: golden files, hostile texts, sizes, and the contract of the JSON report."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pinsync.errors import UsageError
from pinsync.escape import INVISIBLE
from pinsync.plan.record import Permissions, Plan
from pinsync.reports import PLAN_FORMATS, Style, load_plan
from pinsync.reports.words.page import MAX_CHARS, MIN_CHARS, measure
from pinsync.reports.words.values import measure_width
from support import drifts, paths
from support.planning import ALL
from support.plans import CASES, build_plan
from support.runners import find_foreign_commands
from support.schemas import check_report
from support.workflows import commands

if TYPE_CHECKING:
    from support.golden import Golden

STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
GOLDEN: Final = paths.CASES / "plans"
SUFFIXES: Final = {"text": "txt", "json": "json", "markdown": "md"}


def render(plan: Plan, format_: str, style: Style = STYLE) -> str:
    text: str = load_plan(format_).render(plan, style)
    return text


@pytest.mark.parametrize("format_", SUFFIXES)
@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, format_: str, golden: Golden) -> None:
    golden(render(CASES[case](), format_), GOLDEN / f"{case}.{SUFFIXES[format_]}")


@pytest.mark.parametrize("permissions", [Permissions(), ALL])
@pytest.mark.parametrize(
    "case", ["shop", "afternoon", "one_pin", "labels", "no_commits", "in_sync"]
)
def test_every_drift_has_a_plan_in_every_format(case: str, permissions: Permissions) -> None:
    plan = build_plan(drifts.CASES[case](), permissions)
    check_report("plan", json.loads(render(plan, "json")))
    text, page = render(plan, "text"), render(plan, "markdown")
    for report in (text, page):
        assert report.endswith("\n")
        assert f"Checksum of the plan: {plan.checksum}\n" in report
    for line in text.splitlines():
        longest = max(map(measure_width, line.split(" ")))
        assert measure_width(line) <= 80 or longest > 40


@pytest.mark.parametrize("format_", PLAN_FORMATS)
@pytest.mark.parametrize("permissions", [Permissions(), ALL])
def test_a_job_takes_no_line_for_a_command(format_: str, permissions: Permissions) -> None:
    report = render(build_plan(drifts.hostile(), permissions), format_)
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    assert not commands(report)
    assert not find_foreign_commands(report)


@pytest.mark.parametrize("permissions", [Permissions(), ALL])
def test_markdown_has_no_markup_but_ours(permissions: Permissions) -> None:
    page = render(build_plan(drifts.hostile(), permissions), "markdown")
    tokens = MarkdownIt("gfm-like", {"linkify": True, "html": True}).parse(page)
    types: set[str] = set()
    for token in tokens:
        types.update(child.type for child in token.children or ())
        if token.type == "html_block":
            assert token.content == "<!-- pinsync plan -->\n"
    assert types <= {"text", "code_inline", "softbreak", "strong_open", "strong_close"}


@pytest.mark.parametrize("limit", [MIN_CHARS, 800, 3000, 20_000, MAX_CHARS])
def test_a_page_fits_its_budget_and_keeps_the_checksum(limit: int) -> None:
    for drift in (drifts.large(400), drifts.hostile(), drifts.several()):
        plan = build_plan(drift, ALL)
        page = render(plan, "markdown", replace(STYLE, max_chars=limit))
        assert measure(page) <= limit
        assert (plan.checksum or "The plan has no checksum") in page
        if "Left out to fit" in page:
            assert page.splitlines()[-1].startswith("Left out to fit: ")


def test_a_page_needs_some_room() -> None:
    with pytest.raises(UsageError):
        render(CASES["shop"](), "markdown", replace(STYLE, max_chars=MIN_CHARS - 1))


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_a_summary_has_the_groups_without_their_rules(format_: str) -> None:
    whole, summary = (
        render(CASES["shop"](), format_, replace(STYLE, summary=is_summary))
        for is_summary in (False, True)
    )
    assert "/p/123/" in whole
    assert "/p/123/" not in summary
    assert re.search(r"left alone: .*: \d", summary, re.IGNORECASE)


def test_an_operation_names_who_is_overruled() -> None:
    safe, all_ = (render(CASES[case](), "text") for case in ("shop", "everything"))
    assert "takes back the shop's change" not in " ".join(safe.split())
    assert "takes back the shop's change" in " ".join(all_.split())
