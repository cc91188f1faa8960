"""The words of the reports of shelves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pinsync.canonical.fields import KNOWN
from pinsync.reports.words.values import pluralize
from pinsync.shelf.shelf import PIN_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.reports.words.pins import Words
    from pinsync.shelf.shelf import Shelf, Shelves


def write_headline(shelves: Shelves, words: Words) -> str:
    """Return the model, the source and the moment of a report."""
    model = words.format_value(shelves.model)
    origin = words.name_origin(shelves.source)
    return f"{model} in {origin}, at {words.format_moment(shelves.at)}"


def count_pins(shelves: Shelves) -> str:
    """Return the number of rules, and of pins in each state."""
    trackers = shelves.trackers
    counts = sum((tracker.count_states() for tracker in trackers), Counter())
    rules = pluralize(sum(len(tracker.shelves) for tracker in trackers), "rule")
    within = f" in {len(trackers)} trackers" if len(trackers) > 1 else ""
    # A window that can't be read is rare: the state is named only if it occurs.
    states = [state for state in PIN_STATES if counts[state] or state != "unclear"]
    parts = ", ".join(f"{counts[state]:,} {state}" for state in states)
    return f"{rules}{within}, {pluralize(counts.total(), 'pin')}: {parts}"


def describe_tags(shelf: Shelf, words: Words) -> str:
    """Return the tags of a rule; empty without tags."""
    if "tags" not in shelf.data:
        return ""
    return f"tags {_join_tags(shelf.data['tags'], words)}"


def _join_tags(tags: Any, words: Words) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return ", ".join(map(words.format_value, tags))
    return words.format_value(tags)


def list_remarks(shelf: Shelf, words: Words) -> Iterator[str]:
    """Yield that a rule has no pins, and its undocumented fields."""
    if not shelf.slots and "pin_definitions" not in shelf.data:
        yield "no pins"
    for name, value in shelf.data.items():
        # Pins of an unexpected type make no slots, and are shown as a field.
        is_odd = name == "pin_definitions" and not shelf.slots
        if name not in KNOWN or is_odd:
            yield words.describe_field(name, value)
