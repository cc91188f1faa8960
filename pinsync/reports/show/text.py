"""Shelves for a terminal: a table for each rule, and the counts of pins in each state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.canonical.pins import BLOCKED
from pinsync.escape import one_line
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import Words, collect_identities
from pinsync.reports.words.shelves import (
    count_pins,
    describe_tags,
    list_remarks,
    write_headline,
)
from pinsync.reports.words.terminal import paint, render_trackers
from pinsync.reports.words.values import align, join_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.canonical.pins import Pin
    from pinsync.reports import Style
    from pinsync.shelf.shelf import Shelf, Shelves, Slot, TrackerShelves

_GAP: Final = "  "


def render(shelves: Shelves, style: Style) -> str:
    """Return the shelves as lines for people, with a final newline.

    Args:
        shelves: the shelves.
        style: the time zone, and whether to colour.
    """
    return join_lines(_Report(shelves, style, Words(style.zone, one_line)).render_lines())


class _Report(Struct, frozen=True):
    shelves: Shelves
    style: Style
    words: Words

    def render_lines(self) -> Iterator[str]:
        headline, trackers = write_headline(self.shelves, self.words), self.shelves.trackers
        yield from render_trackers(headline, trackers, self.style, self._render_tracker)
        yield ""
        yield count_pins(self.shelves)

    def _render_tracker(self, tracker: TrackerShelves) -> Iterator[str]:
        pins: list[Pin] = []
        for shelf in tracker.shelves:
            pins += [slot.pin for slot in shelf.slots]
        items = (shelf.item for shelf in tracker.shelves)
        alike = find_alike(collect_identities(items, pins))
        words = replace(self.words, titles=tracker.names, alike=alike)
        for shelf in tracker.shelves:
            yield ""
            yield self._write_title(shelf, words)
            yield from self._render_table(shelf, words)

    def _write_title(self, shelf: Shelf, words: Words) -> str:
        name = words.name_rule(shelf.item, shelf.data)
        facts = [paint(self.style, "bold", name.name) + name.aside]
        if tags := describe_tags(shelf, words):
            facts.append(tags)
        if shelf.place:
            facts.append(one_line(f"{shelf.place.file}:{shelf.place.line}"))
        return " · ".join(facts)

    def _render_table(self, shelf: Shelf, words: Words) -> Iterator[str]:
        rows = [_build_row(slot, words) for slot in shelf.slots]
        for slot, cells in zip(shelf.slots, align(rows), strict=True):
            yield _GAP + _GAP.join([*cells, paint(self.style, slot.state, slot.state)])
        for remark in list_remarks(shelf, words):
            yield f"{_GAP}{remark}"


def _build_row(slot: Slot, words: Words) -> tuple[str, str, str]:
    """Return the cells of a pin: its position, its item or criteria, and its other fields."""
    pin = slot.pin
    data = pin.data
    position = words.format_value(data["position"]) if "position" in data else "no position"
    facts = list(words.list_facts(pin))
    # The API documents position 0 for blocks; a pin may be flagged as a block elsewhere.
    if pin.spot == "blocked" and pin.position != BLOCKED:
        facts.insert(0, f"position: {position}")
    place = position if pin.spot in ("numbered", "odd") else pin.spot
    return place, words.describe_thing(pin) + words.describe_widget(pin), ", ".join(facts)
