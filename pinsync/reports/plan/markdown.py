"""The report of a plan for a page, such as a comment on a pull request, within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.reports.plan.overview import build_plan_overview
from pinsync.reports.words.entry_items import put_groups
from pinsync.reports.words.page import Page, choose_limit, measure
from pinsync.reports.words.page_parts import (
    count_remarks,
    put_failures,
    put_notes,
    quote_name,
    render_omissions,
)

if TYPE_CHECKING:
    from pinsync.plan.record import Plan
    from pinsync.reports import Style
    from pinsync.reports.plan.overview import PlanOverview

MARKER: Final = "<!-- pinsync plan -->"
"""The first line: a job finds its earlier plan by it, and not the report of a drift."""
_HEAD: Final = f"{MARKER}\n### pinsync: "
_WHOLE: Final = "The whole plan: the same `pinsync plan` with `--format text`."


def render(plan: Plan, style: Style) -> str:
    """Return the plan as GitHub-flavoured markdown, with a final newline, within the budget.

    Args:
        plan: the plan.
        style: the time zone, whether to leave out the rules themselves, and the budget, which is
            ``MAX_CHARS`` by default and at most.

    Raises:
        UsageError: the budget is below ``MIN_CHARS``.
    """
    limit = choose_limit(style.max_chars)
    overview = build_plan_overview(plan, style.zone, quote_name)
    # A later run is held to the checksum, so it is never omitted.
    end = f"{overview.checksum}\n"
    # As in the report of a drift: the last line needs its room first.
    count = sum(group.size for group in overview.groups)
    for reserved in ({}, {**count_remarks(plan.drift), "rule": count}):
        page = Page(limit - measure(end) - measure(render_omissions(reserved, _WHOLE)))
        text = _Report(plan, style, overview, page).render()
        if not page.omissions.total():
            break
    return f"{text}{end}{render_omissions(page.omissions, _WHOLE)}"


class _Report(Struct, frozen=True):
    plan: Plan
    style: Style
    overview: PlanOverview
    page: Page

    def render(self) -> str:
        page, overview = self.page, self.overview
        page.take(f"{_HEAD}{overview.headline.removesuffix('.')}\n\n")
        put_failures(page, self.plan.drift, "planned")
        if overview.sentences:
            page.take(f"{overview.sentences}\n\n")
        put_notes(page, self.plan.drift)
        origins = f"{' · '.join(overview.origins)}\n\n"
        groups = Page(page.room - measure(origins))
        put_groups(groups, overview.groups, self.style)
        page.take(groups.join())
        page.omissions.update(groups.omissions)
        page.take(origins)
        return page.join()
