"""Shelves for a terminal: each rule with what it shows at every place, and last how many pins are in which state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import KNOWN
from pinsync.escape import one_line
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import Words, identities
from pinsync.reports.words.terminal import paint, render_trackers
from pinsync.reports.words.values import aligned, compact, page, plural
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
    return page(_Page(shelves, style, Words(style.zone, one_line)).lines())


@dataclass(frozen=True, slots=True)
class _Page:
    shelves: Shelves
    style: Style
    words: Words

    def lines(self) -> Iterator[str]:
        yield from render_trackers(self._headline(), self.shelves.trackers, self.style, self._shelves)
        yield ""
        yield self._counts(self.shelves.trackers)

    def _shelves(self, tracker: TrackerShelves) -> Iterator[str]:
        shelves = tracker.shelves
        pins = (slot.pin for shelf in shelves for slot in shelf.slots)
        alike = find_alike(identities((shelf.item for shelf in shelves), pins))
        words = replace(self.words, names=tracker.names, alike=alike)
        for shelf in tracker.shelves:
            yield ""
            yield self._title(shelf, words)
            yield from self._table(shelf, words)

    def _headline(self) -> str:
        model, place = self.words.value(self.shelves.model), self.words.origin(self.shelves.source)
        return f"{model} in {place}, at {self.words.moment(self.shelves.at)}"

    def _title(self, shelf: Shelf, words: Words) -> str:
        called = words.called(shelf.item, shelf.data)
        facts = [paint(self.style, "bold", called.name) + called.aside]
        if "tags" in shelf.data:
            tags = shelf.data["tags"]
            named = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
            facts.append(f"tags {', '.join(map(words.value, tags)) if named else words.value(tags)}")
        if shelf.place:
            facts.append(one_line(f"{shelf.place.file}:{shelf.place.line}"))
        return " · ".join(facts)

    def _table(self, shelf: Shelf, words: Words) -> Iterator[str]:
        rows = [_row(slot, words) for slot in shelf.slots]
        for slot, cells in zip(shelf.slots, aligned(rows), strict=True):
            yield _GAP + _GAP.join([*cells, paint(self.style, slot.state, slot.state)])
        if not rows and "pin_definitions" not in shelf.data:
            yield f"{_GAP}no pins"
        told = KNOWN - {"pin_definitions"} if not rows else KNOWN
        yield from (f"{_GAP}{words.named(name, value)}" for name, value in shelf.data.items() if name not in told)

    def _counts(self, trackers: Sequence[TrackerShelves]) -> str:
        counts = sum((tracker.counts() for tracker in trackers), Counter())
        rules = plural(sum(len(tracker.shelves) for tracker in trackers), "rule")
        within = f" in {len(trackers)} trackers" if len(trackers) > 1 else ""
        states = [f"{counts[state]:,} {state}" for state in STATES if counts[state] or state != "unclear"]
        return f"{rules}{within}, {plural(counts.total(), 'pin')}: {', '.join(states)}"


def _row(slot: Slot, words: Words) -> tuple[str, str, str]:
    """Return a pin's place, what it holds, and what else it says."""
    position = slot.pin.get("position")
    where = "no position" if "position" not in slot.pin else words.value(position)
    facts = list(words.facts(slot.pin))
    if slot.spot == "blocked" and compact(position) != "0":  # flagged so, but not where the API says blocks are
        facts.insert(0, f"position: {where}")
    place = where if slot.spot in ("numbered", "odd") else slot.spot
    return place, words.thing(slot.pin) + words.widget(slot.pin), ", ".join(facts)
