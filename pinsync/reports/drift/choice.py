"""The differences one by one, for people who decide about each rule on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pinsync.escape import one_line
from pinsync.reports.words.entries import build_words
from pinsync.reports.words.entry_lines import (
    render_entry,
    render_entry_heading,
    render_group_heading,
)
from pinsync.reports.words.overview import build_groups, list_changes
from pinsync.reports.words.terminal import name_tracker, paint
from pinsync.reports.words.values import join_lines, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.drift.record import Change, Drift
    from pinsync.reports import Style
    from pinsync.reports.words.entries import EntryWords


class Difference(Struct, frozen=True):
    """A rule that differs, with the words to ask about it.

    Attributes:
        tracker: the name of its tracker.
        change: the change.
        heading: when shoppers notice the change, and who moved; with several trackers, also the
            tracker. Rules with the same heading are neighbours.
        words: writes the change.
        style: whether to colour.
    """

    tracker: str
    change: Change
    heading: str
    words: EntryWords
    style: Style

    def render(self) -> str:
        """Return the shelves of both sides and who moved, with a final newline."""
        return join_lines(render_entry(self.words.describe(self.change), self.style))


def list_differences(drift: Drift, style: Style) -> list[Difference]:
    """Return the differences, tracker by tracker, in the order of the text report.

    Args:
        drift: the differences between git and the shop.
        style: the time zone, and whether to colour.
    """
    words = build_words(drift, style.zone, one_line)
    differences: list[Difference] = []
    for tracker in drift.trackers:
        name = [paint(style, "bold", name_tracker(tracker))] if len(drift.trackers) > 1 else []
        for group in build_groups(replace(drift, trackers=(tracker,)), words):
            heading = join_lines([*name, *render_group_heading(group, style)])
            for own_words, change in group.changes:
                differences.append(Difference(tracker.name, change, heading, own_words, style))
    return differences


def render_changed_rules(drift: Drift, style: Style, verb: str) -> str:
    """Return a headline, and the heading of each rule without its shelves.

    Args:
        drift: the changes that a command is about to make.
        style: the time zone, and whether to colour.
        verb: the verb of the headline.
    """
    return join_lines(_list_changed_rules(drift, style, verb))


def _list_changed_rules(drift: Drift, style: Style, verb: str) -> Iterator[str]:
    words = build_words(drift, style.zone, one_line)
    count = pluralize(len(list_changes(drift)), "rule")
    yield paint(style, "bold", f"{count} to {verb}:")
    for tracker in drift.trackers:
        adapted = words.adapt_to(tracker)
        for change in tracker.changes:
            yield from render_entry_heading(adapted.describe(change), style)
