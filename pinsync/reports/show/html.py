"""Shelves as a page: one file for a browser, with the pins as tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.html.document import Page, render_page
from pinsync.reports.html.links import build_file_url
from pinsync.reports.html.strips import build_strip, has_dates
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import collect_identities
from pinsync.reports.words.shelves import (
    count_pins,
    describe_tags,
    list_remarks,
    write_headline,
)
from pinsync.reports.words.slots import SlotWords, find_shared_titles
from pinsync.reports.words.terminal import name_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.canonical.pins import Pin
    from pinsync.reports import Style
    from pinsync.reports.html.strips import Strip
    from pinsync.reports.words.slots import Tile
    from pinsync.shelf.shelf import PinState, Shelf, Shelves, TrackerShelves


class PinTile(Struct, frozen=True):
    """A pin and its state at the moment of the report."""

    tile: Tile
    state: PinState


class Card(Struct, frozen=True):
    """A rule.

    Attributes:
        name: its name.
        facts: its tags.
        tiles: its pins.
        remarks: its undocumented fields.
        strip: when its pins are active; None if they have no dates.
        place: its file and line; empty if it is in no file.
        url: the address of that line; empty without one.
    """

    name: str
    facts: str
    tiles: tuple[PinTile, ...]
    remarks: tuple[str, ...]
    strip: Strip | None
    place: str
    url: str


class TrackerCards(Struct, frozen=True):
    """The rules of one tracker.

    Attributes:
        name: the tracker's name; empty if it is the only one.
        anchor: the name for links to the tracker.
        cards: the rules.
    """

    name: str
    anchor: str
    cards: tuple[Card, ...]


class Content(Struct, frozen=True):
    """The page as its template reads it.

    Attributes:
        headline: the model, the source and the moment.
        counts: the numbers of rules and pins.
        trackers: the rules of each tracker.
    """

    headline: str
    counts: str
    trackers: tuple[TrackerCards, ...]


def render(shelves: Shelves, style: Style) -> str:
    """Return the shelves as an HTML page, with a final newline.

    Args:
        shelves: the shelves.
        style: the time zone, the hosts of pictures, and the address of the files.
    """
    words = SlotWords(style.zone, one_line)
    headline = write_headline(shelves, words)
    trackers = tuple(_build_trackers(shelves, style))
    content = Content(headline, count_pins(shelves), trackers)
    return render_page("show.html", Page(f"pinsync: {headline}", style.hosts, content))


def _build_trackers(shelves: Shelves, style: Style) -> Iterator[TrackerCards]:
    is_alone = len(shelves.trackers) == 1
    for number, tracker in enumerate(shelves.trackers, start=1):
        words = _build_words(tracker, style)
        cards = tuple(_build_card(shelf, words, shelves.at, style) for shelf in tracker.shelves)
        name = "" if is_alone else name_tracker(tracker)
        yield TrackerCards(name, f"group-{number}", cards)


def _build_words(tracker: TrackerShelves, style: Style) -> SlotWords:
    pins: list[Pin] = []
    for shelf in tracker.shelves:
        pins += [slot.pin for slot in shelf.slots]
    items = [shelf.item for shelf in tracker.shelves]
    return SlotWords(
        style.zone,
        one_line,
        titles=tracker.names,
        alike=find_alike(collect_identities(items, pins)),
        shared=find_shared_titles(tracker.names),
        images=tracker.images,
    )


def _build_card(shelf: Shelf, words: SlotWords, at: str, style: Style) -> Card:
    tiles = tuple(_build_tiles(shelf, words))
    windows = [(each.tile.position, each.tile.pin.window) for each in tiles]
    dated = [window for window in windows if has_dates(window[1])]
    place = ""
    if shelf.place:
        place = one_line(f"{shelf.place.file}:{shelf.place.line}")
    return Card(
        name=words.name_target(shelf.item, shelf.data),
        facts=describe_tags(shelf, words),
        tiles=tiles,
        remarks=tuple(list_remarks(shelf, words)),
        strip=build_strip(dated, at, words),
        place=place,
        url=build_file_url(style.link_base, shelf.place),
    )


def _build_tiles(shelf: Shelf, words: SlotWords) -> Iterator[PinTile]:
    for slot in shelf.slots:
        facts = list(words.list_differing_facts(slot.pin, None))
        if widget := words.describe_widget(slot.pin).strip():
            facts.insert(0, widget)
        yield PinTile(words.build_tile(slot.pin, facts), slot.state)
