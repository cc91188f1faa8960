"""Cards: a rule that differs, with the shelves of both sides as tiles."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.reports.html.strips import build_strip, has_dates
from pinsync.reports.words.rows import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.reports.html.strips import Strip
    from pinsync.reports.words.entries import Entry, EntryWords
    from pinsync.reports.words.rows import Cell, Section
    from pinsync.reports.words.slots import Tile


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


def count_models(groups: Iterable[CardGroup]) -> Mapping[str, int]:
    """Return the recommender models of all cards, with the numbers of their cards."""
    models: Counter[str] = Counter()
    for group in groups:
        models.update(card.entry.model for card in group.cards)
    return dict(sorted(models.items()))


def build_card(entry: Entry, url: str, words: EntryWords) -> Card:
    """Return the card of a change.

    Args:
        entry: the change in words.
        url: the address of the rule's line; empty without one.
        words: the words of the change's tracker.
    """
    return Card(
        entry=entry,
        facts=tuple(filter(None, [entry.widget, entry.tracker, *entry.remarks])),
        url=url,
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
