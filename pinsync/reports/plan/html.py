"""A plan as a page: one file for a browser, with the shelves before and after as tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.escape import one_line
from pinsync.reports.html.cards import CardGroup, build_card, count_models
from pinsync.reports.html.document import Page, render_page
from pinsync.reports.html.frame import (
    Content,
    build_tracker_line,
    list_failures,
    list_notes,
)
from pinsync.reports.html.links import build_file_url
from pinsync.reports.plan.overview import build_plan_overview, count_planned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.plan.record import Plan
    from pinsync.reports import Style
    from pinsync.reports.html.cards import Card
    from pinsync.reports.html.frame import TrackerLine
    from pinsync.reports.plan.overview import PlanGroup, PlanOverview


def render(plan: Plan, style: Style) -> str:
    """Return the plan as an HTML page, with a final newline.

    Args:
        plan: the plan.
        style: the time zone, whether to leave out the rules themselves, the hosts of pictures, and
            the address of the files.
    """
    overview = build_plan_overview(plan, style.zone, one_line)
    groups = tuple(_build_groups(overview, style))
    content = Content(
        headline=overview.headline,
        sentences=overview.sentences,
        failures=tuple(list_failures(plan.drift, "planned")),
        notes=tuple(list_notes(plan.drift)),
        actions=(),
        groups=groups,
        models=count_models(groups),
        trackers=tuple(_list_trackers(plan)),
        origins=overview.origins,
        checksum=overview.checksum,
        has_cards=bool(groups) and not style.summary,
    )
    return render_page("report.html", Page(f"pinsync: {overview.headline}", style.hosts, content))


def _list_trackers(plan: Plan) -> Iterator[TrackerLine]:
    is_alone = len(plan.trackers) == 1
    for tracker in plan.trackers:
        yield build_tracker_line(tracker.drift, count_planned(tracker), is_alone=is_alone)


def _build_groups(overview: PlanOverview, style: Style) -> Iterator[CardGroup]:
    for number, group in enumerate(overview.groups, start=1):
        cards: tuple[Card, ...] = ()
        if not style.summary:
            cards = tuple(_build_cards(group, style))
        yield CardGroup(
            anchor=f"group-{number}",
            when=group.when or "",
            heading=" · ".join(filter(None, [group.title, group.mover])),
            count=group.size,
            cards=cards,
        )


def _build_cards(group: PlanGroup, style: Style) -> Iterator[Card]:
    for entry, (words, change, _) in zip(group.describe(), group.changes, strict=True):
        yield build_card(entry, build_file_url(style.link_base, change.place), words)
