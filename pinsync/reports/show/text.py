"""Shelves for a terminal: each rule with what it shows at every place, and last how many pins are in which state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import KNOWN
from pinsync.canonical.pins import BLOCKED
from pinsync.escape import one_line
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import Words, collect_identities
from pinsync.reports.words.terminal import paint, render_trackers
from pinsync.reports.words.values import align, join_lines, pluralize
from pinsync.shelf.shelf import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.reports import Style
    from pinsync.shelf.shelf import Shelf, Shelves, Slot, TrackerShelves

_GAP: Final = "  "


def render(shelves: Shelves, style: Style) -> str:
    """Return the shelves as lines for people, with a final newline.

    Args:
        shelves: what to show.
        style: the time zone, and whether to colour.
    """
    return join_lines(_Report(shelves, style, Words(style.zone, one_line)).render_lines())


@dataclass(frozen=True, slots=True)
class _Report:
    shelves: Shelves
    style: Style
    words: Words

    def render_lines(self) -> Iterator[str]:
        yield from render_trackers(self._write_headline(), self.shelves.trackers, self.style, self._render_tracker)
        yield ""
        yield self._count_pins(self.shelves.trackers)

    def _render_tracker(self, tracker: TrackerShelves) -> Iterator[str]:
        shelves = tracker.shelves
        pins = (slot.pin for shelf in shelves for slot in shelf.slots)
        alike = find_alike(collect_identities((shelf.item for shelf in shelves), pins))
        words = replace(self.words, titles=tracker.names, alike=alike)
        for shelf in tracker.shelves:
            yield ""
            yield self._write_title(shelf, words)
            yield from self._render_table(shelf, words)

    def _write_headline(self) -> str:
        model, place = self.words.format_value(self.shelves.model), self.words.name_origin(self.shelves.source)
        return f"{model} in {place}, at {self.words.format_moment(self.shelves.at)}"

    def _write_title(self, shelf: Shelf, words: Words) -> str:
        called = words.name_rule(shelf.item, shelf.data)
        facts = [paint(self.style, "bold", called.name) + called.aside]
        if "tags" in shelf.data:
            tags = shelf.data["tags"]
            named = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
            facts.append(f"tags {', '.join(map(words.format_value, tags)) if named else words.format_value(tags)}")
        if shelf.place:
            facts.append(one_line(f"{shelf.place.file}:{shelf.place.line}"))
        return " · ".join(facts)

    def _render_table(self, shelf: Shelf, words: Words) -> Iterator[str]:
        rows = [_build_row(slot, words) for slot in shelf.slots]
        for slot, cells in zip(shelf.slots, align(rows), strict=True):
            yield _GAP + _GAP.join([*cells, paint(self.style, slot.state, slot.state)])
        if not rows and "pin_definitions" not in shelf.data:
            yield f"{_GAP}no pins"
        told = KNOWN - {"pin_definitions"} if not rows else KNOWN
        yield from (
            f"{_GAP}{words.describe_field(name, value)}" for name, value in shelf.data.items() if name not in told
        )

    def _count_pins(self, trackers: Sequence[TrackerShelves]) -> str:
        counts = sum((tracker.counts() for tracker in trackers), Counter())
        rules = pluralize(sum(len(tracker.shelves) for tracker in trackers), "rule")
        within = f" in {len(trackers)} trackers" if len(trackers) > 1 else ""
        states = [f"{counts[state]:,} {state}" for state in STATES if counts[state] or state != "unclear"]
        return f"{rules}{within}, {pluralize(counts.total(), 'pin')}: {', '.join(states)}"


def _build_row(slot: Slot, words: Words) -> tuple[str, str, str]:
    """Return a pin's place, what it holds, and what else it says."""
    pin = slot.pin
    data = pin.data
    where = words.format_value(data["position"]) if "position" in data else "no position"
    facts = list(words.list_facts(pin))
    if pin.spot == "blocked" and pin.position != BLOCKED:
        facts.insert(0, f"position: {where}")
    place = where if pin.spot in ("numbered", "odd") else pin.spot
    return place, words.describe_thing(pin) + words.describe_widget(pin), ", ".join(facts)
