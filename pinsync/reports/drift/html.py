"""The report as a page: one file for a browser, with the shelves as tiles."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.html.document import Page, render_page
from pinsync.reports.html.links import build_file_url
from pinsync.reports.html.strips import build_strip, has_dates
from pinsync.reports.words.overview import (
    TITLES,
    build_overview,
    build_url,
    count_rules,
    describe_failure,
    name_missing,
)
from pinsync.reports.words.rows import ALONE
from pinsync.reports.words.terminal import name_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinsync.drift.record import Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.html.strips import Strip
    from pinsync.reports.words.entries import Entry, EntryWords
    from pinsync.reports.words.overview import Action, Group, Overview
    from pinsync.reports.words.rows import Cell, Section
    from pinsync.reports.words.slots import Tile


class Failure(Struct, frozen=True):
    """A tracker that could not be compared."""

    headline: str
    message: str
    hint: str


class Line(Struct, frozen=True):
    """The state of one side.

    Attributes:
        label: the name of the side.
        cells: the cells in their order; None where only the other side has one.
        is_shelf: whether the cells of both sides stand below each other.
    """

    label: str
    cells: tuple[Cell | None, ...]
    is_shelf: bool


class Shelf(Struct, frozen=True):
    """Two states of a part of a rule."""

    caption: str
    lines: tuple[Line, ...]


class Card(Struct, frozen=True):
    """A changed rule.

    Attributes:
        entry: the change in words.
        facts: the facts below the heading.
        url: the address of the rule's line; empty without one.
        shelves: the states of both sides.
        strip: when the pins that differ are active; None if they have no dates.
    """

    entry: Entry
    facts: tuple[str, ...]
    url: str
    shelves: tuple[Shelf, ...]
    strip: Strip | None


class CardGroup(Struct, frozen=True):
    """A group of cards.

    Attributes:
        anchor: the name for links to the group.
        when: when shoppers notice the changes: ``now``, ``later`` or ``never``.
        heading: the heading.
        count: the number of the rules.
        cards: the cards; none in a summary.
    """

    anchor: str
    when: str
    heading: str
    count: int
    cards: tuple[Card, ...]


class TrackerLine(Struct, frozen=True):
    """A tracker at the end of the page.

    Attributes:
        name: its name; empty if it is the only one.
        counts: the numbers of its rules; empty if it is the only one.
        url: the address of its rules in Luigi's Box; empty without one.
    """

    name: str
    counts: str
    url: str


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
    models: Counter[str] = Counter()
    for group in groups:
        models.update(card.entry.model for card in group.cards)
    headline = name_missing(drift, overview.headline)
    content = Content(
        overview=overview,
        headline=headline,
        failures=tuple(_list_failures(drift)),
        notes=tuple(_list_notes(drift)),
        groups=groups,
        models=dict(sorted(models.items())),
        actions=tuple(_capitalize(action) for action in overview.actions),
        trackers=tuple(_list_trackers(drift)),
        has_cards=bool(groups) and not style.summary,
    )
    return render_page("drift.html", Page(f"pinsync: {headline}", style.hosts, content))


def _list_failures(drift: Drift) -> Iterator[Failure]:
    for tracker in drift.trackers:
        if tracker.error:
            yield _describe_failure(tracker, tracker.error)


def _describe_failure(tracker: TrackerDrift, error: PinsyncError) -> Failure:
    hint = one_line(error.hint or "")
    return Failure(describe_failure(tracker), one_line(error.message), hint)


def _list_notes(drift: Drift) -> Iterator[str]:
    yield from map(one_line, drift.notes)
    for tracker in drift.trackers:
        for note in tracker.notes:
            yield f"{one_line(tracker.name)}: {one_line(note)}"


def _list_trackers(drift: Drift) -> Iterator[TrackerLine]:
    is_alone = len(drift.trackers) == 1
    for tracker in drift.trackers:
        url = build_url(tracker)
        if is_alone:
            yield TrackerLine("", "", url)
        else:
            yield TrackerLine(name_tracker(tracker), count_rules(tracker), url)


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
        entry = words.describe(change)
        yield Card(
            entry=entry,
            facts=tuple(filter(None, [entry.widget, entry.tracker, *entry.remarks])),
            url=build_file_url(style.link_base, change.place),
            shelves=tuple(map(_build_shelf, entry.sections)),
            strip=_build_strip(entry, words),
        )


def _build_shelf(section: Section) -> Shelf:
    """Return both rows with cells in the same columns."""
    cells = [{cell.spot: cell for cell in row.cells} for row in section.rows]
    spots = sorted(cells[0].keys() | cells[1].keys())
    lines = []
    for row, found in zip(section.rows, cells, strict=True):
        if ALONE in spots:
            lines.append(Line(row.label, row.cells, is_shelf=False))
        else:
            lines.append(Line(row.label, tuple(map(found.get, spots)), is_shelf=True))
    return Shelf(section.caption, tuple(lines))


def _build_strip(entry: Entry, words: EntryWords) -> Strip | None:
    tiles: list[tuple[str, Tile]] = []
    for section in entry.sections:
        for row in section.rows:
            found = [cell.tile for cell in row.cells if cell.tile and cell.is_changed]
            tiles += [(f"{row.label} {tile.position}", tile) for tile in found]
    # A pin without dates is worth a bar only beside one of the same item.
    dated = {tile.pin.identity for _, tile in tiles if has_dates(tile.pin.window)}
    windows = [(label, tile.pin.window) for label, tile in tiles if tile.pin.identity in dated]
    return build_strip(windows, words.drift.at, words)
