"""The report as a page: one file for a browser, with the shelves as tiles."""

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
from pinsync.reports.words.overview import (
    TITLES,
    build_overview,
    count_rules,
    name_missing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.drift.record import Drift
    from pinsync.reports import Style
    from pinsync.reports.html.cards import Card
    from pinsync.reports.html.frame import TrackerLine
    from pinsync.reports.words.overview import Action, Group, Overview


def render(drift: Drift, style: Style) -> str:
    """Return the drift as an HTML page, with a final newline.

    Args:
        drift: the drift.
        style: the time zone, whether to leave out the rules themselves, the hosts of pictures, and
            the address of the files.
    """
    overview = build_overview(drift, style.zone, one_line)
    groups = tuple(_build_groups(overview, style))
    headline = name_missing(drift, overview.headline)
    content = Content(
        headline=headline,
        sentences=overview.movers,
        failures=tuple(list_failures(drift, "compared")),
        notes=tuple(list_notes(drift)),
        actions=tuple(_capitalize(action) for action in overview.actions),
        groups=groups,
        models=count_models(groups),
        trackers=tuple(_list_trackers(drift)),
        origins=overview.origins,
        checksum="",
        has_cards=bool(groups) and not style.summary,
    )
    return render_page("report.html", Page(f"pinsync: {headline}", style.hosts, content))


def _list_trackers(drift: Drift) -> Iterator[TrackerLine]:
    is_alone = len(drift.trackers) == 1
    for tracker in drift.trackers:
        yield build_tracker_line(tracker, count_rules(tracker), is_alone=is_alone)


def _capitalize(action: Action) -> Action:
    return action._replace(text=action.text[0].upper() + action.text[1:])


# The groups


def _build_groups(overview: Overview, style: Style) -> Iterator[CardGroup]:
    whens = {title: when for when, title in TITLES.items()}
    for number, group in enumerate(overview.groups, start=1):
        cards: tuple[Card, ...] = ()
        if not style.summary:
            cards = tuple(_build_cards(group, style))
        yield CardGroup(
            anchor=f"group-{number}",
            when=whens[group.title],
            heading=" · ".join(filter(None, [group.title, group.mover])),
            count=len(group.changes),
            cards=cards,
        )


def _build_cards(group: Group, style: Style) -> Iterator[Card]:
    for words, change in group.changes:
        url = build_file_url(style.link_base, change.place)
        yield build_card(words.describe(change), url, words)
