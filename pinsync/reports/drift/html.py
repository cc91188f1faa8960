"""The report as a page: one file for a browser, with the shelves as tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.html.cards import CardGroup, build_card, count_models
from pinsync.reports.html.document import Page, render_page
from pinsync.reports.html.frame import (
    Failure,
    TrackerLine,
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
    from collections.abc import Iterator, Mapping

    from pinsync.drift.record import Drift
    from pinsync.reports import Style
    from pinsync.reports.html.cards import Card
    from pinsync.reports.words.overview import Action, Group, Overview


class Content(Struct, frozen=True):
    """The page as its template reads it.

    Attributes:
        overview: the headline, the sentences, the actions and the origins.
        headline: the headline, with the names of the trackers that could not be compared.
        failures: the trackers that could not be compared.
        notes: remarks about the comparison.
        groups: the groups, the most important first.
        models: the recommender models of the rules that differ, with their counts.
        actions: the ways to resolve the differences.
        trackers: the trackers.
        has_cards: whether the page shows the rules themselves.
    """

    overview: Overview
    headline: str
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    groups: tuple[CardGroup, ...]
    models: Mapping[str, int]
    actions: tuple[Action, ...]
    trackers: tuple[TrackerLine, ...]
    has_cards: bool


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
        overview=overview,
        headline=headline,
        failures=tuple(list_failures(drift, "compared")),
        notes=tuple(list_notes(drift)),
        groups=groups,
        models=count_models(groups),
        actions=tuple(_capitalize(action) for action in overview.actions),
        trackers=tuple(_list_trackers(drift)),
        has_cards=bool(groups) and not style.summary,
    )
    return render_page("drift.html", Page(f"pinsync: {headline}", style.hosts, content))


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
