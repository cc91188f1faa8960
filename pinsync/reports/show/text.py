"""Shelves for a terminal: a table for each rule, and the counts of pins in each state."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.canonical.fields import KNOWN
from pinsync.canonical.pins import BLOCKED
from pinsync.escape import one_line
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import Words, collect_identities
from pinsync.reports.words.terminal import paint, render_trackers
from pinsync.reports.words.values import align, join_lines, pluralize
from pinsync.shelf.shelf import PIN_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        headline, trackers = self._write_headline(), self.shelves.trackers
        yield from render_trackers(headline, trackers, self.style, self._render_tracker)
        yield ""
        yield self._count_pins(trackers)

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

    def _write_headline(self) -> str:
        model = self.words.format_value(self.shelves.model)
        origin = self.words.name_origin(self.shelves.source)
        return f"{model} in {origin}, at {self.words.format_moment(self.shelves.at)}"

    def _write_title(self, shelf: Shelf, words: Words) -> str:
        name = words.name_rule(shelf.item, shelf.data)
        facts = [paint(self.style, "bold", name.name) + name.aside]
        if "tags" in shelf.data:
            facts.append(f"tags {_join_tags(shelf.data['tags'], words)}")
        if shelf.place:
            facts.append(one_line(f"{shelf.place.file}:{shelf.place.line}"))
        return " · ".join(facts)

    def _render_table(self, shelf: Shelf, words: Words) -> Iterator[str]:
        rows = [_build_row(slot, words) for slot in shelf.slots]
        for slot, cells in zip(shelf.slots, align(rows), strict=True):
            yield _GAP + _GAP.join([*cells, paint(self.style, slot.state, slot.state)])
        if not rows and "pin_definitions" not in shelf.data:
            yield f"{_GAP}no pins"
        for name, value in shelf.data.items():
            # Pins of an unexpected type make no rows, and are shown as a field.
            is_odd = name == "pin_definitions" and not rows
            if name not in KNOWN or is_odd:
                yield f"{_GAP}{words.describe_field(name, value)}"

    def _count_pins(self, trackers: Sequence[TrackerShelves]) -> str:
        counts = sum((tracker.count_states() for tracker in trackers), Counter())
        rules = pluralize(sum(len(tracker.shelves) for tracker in trackers), "rule")
        within = f" in {len(trackers)} trackers" if len(trackers) > 1 else ""
        # A window that can't be read is rare: the state is named only if it occurs.
        states = [state for state in PIN_STATES if counts[state] or state != "unclear"]
        parts = ", ".join(f"{counts[state]:,} {state}" for state in states)
        return f"{rules}{within}, {pluralize(counts.total(), 'pin')}: {parts}"


def _join_tags(tags: Any, words: Words) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return ", ".join(map(words.format_value, tags))
    return words.format_value(tags)


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
