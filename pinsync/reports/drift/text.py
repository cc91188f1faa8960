"""The report for a terminal: a line for each change of a customization, then one for each pin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.words.changes import CHANGED, DriftWords, describe_effect
from pinsync.reports.words.terminal import name_tracker, paint, render_change
from pinsync.reports.words.values import join_lines, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.drift.record import Change, Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style


def render(drift: Drift, style: Style) -> str:
    """Return the drift as lines for people, with a final newline; one line if all is in sync.

    Args:
        drift: the drift.
        style: the time zone, whether to colour, and whether to print only the counts.
    """
    return join_lines(
        _Report(drift, style, DriftWords(style.zone, one_line, drift=drift)).render_lines()
    )


class _Report(Struct, frozen=True):
    drift: Drift
    style: Style
    words: DriftWords

    def render_lines(self) -> Iterator[str]:
        drift = self.drift
        for tracker in drift.trackers:
            if tracker.error:
                yield from self._render_failure(tracker, tracker.error)
        if drift.has_changes:
            yield paint(self.style, "bold", self._write_headline())
            if not self.style.summary:
                for line in self._render_legend():
                    yield paint(self.style, "dim", line)
        yield from self._render_notes()
        if drift.has_changes:
            yield from self._render_body()
        for remedy in self.words.find_remedies():
            yield remedy.plain
        yield self._write_summary()

    def _render_failure(self, tracker: TrackerDrift, error: PinsyncError) -> Iterator[str]:
        headline = f"INCOMPLETE: {name_tracker(tracker)} could not be compared"
        yield paint(self.style, "alarm", headline)
        yield f"  error: {one_line(error.message)}"
        if error.hint:
            yield f"  hint: {one_line(error.hint)}"

    def _write_headline(self) -> str:
        old = self.words.shorten_side(self.drift.old)
        new = self.words.shorten_side(self.drift.new)
        changes = self._collect_changes()
        count = pluralize(len(changes), "customization")
        return f"{new} differs from {old} in {count}; {describe_effect(changes)}"

    def _render_legend(self) -> Iterator[str]:
        left, right = self.words.explain_sides()
        yield f"left of an arrow: {left}; right: {right}"
        words = self.words.name_kinds()
        yield f"signs: + {words['added']}, - {words['removed']}, {CHANGED} {words['changed']}"

    def _render_notes(self) -> Iterator[str]:
        for note in self.drift.notes:
            yield f"note: {one_line(note)}"
        for tracker in self.drift.trackers:
            for note in tracker.notes:
                yield f"note: {one_line(tracker.name)}: {one_line(note)}"

    def _collect_changes(self) -> list[Change]:
        changes: list[Change] = []
        for tracker in self.drift.trackers:
            changes += tracker.changes
        return changes

    def _render_body(self) -> Iterator[str]:
        several = len(self.drift.trackers) > 1
        for tracker in self.drift.trackers:
            if several:
                yield ""
                headline = f"{name_tracker(tracker)}: {self.words.describe_state(tracker)}"
                yield paint(self.style, "bold", headline)
            if not self.style.summary:
                yield from self._render_changes(tracker)
        yield ""

    def _render_changes(self, tracker: TrackerDrift) -> Iterator[str]:
        words = self.words.adapt_to(tracker)
        for change in tracker.changes:
            yield ""
            yield from render_change(words.describe_change(change), self.style)

    def _write_summary(self) -> str:
        drift = self.drift
        old, new = self.words.name_side(drift.old), self.words.name_side(drift.new)
        missing = [one_line(tracker.name) for tracker in drift.trackers if tracker.error]
        if len(missing) == len(drift.trackers):
            return f"Nothing was compared: whether {new} differs from {old} is not known."
        unchanged = sum(tracker.unchanged for tracker in drift.trackers)
        count = pluralize(unchanged, "customization")
        # None is neither: all compared trackers are in sync, but another tracker failed.
        if drift.has_changes is False:
            within = f" in {len(drift.trackers)} trackers" if len(drift.trackers) > 1 else ""
            summary = f"In sync: {new} is the same as {old} ({count}{within})"
            return paint(self.style, "good", summary)
        if drift.has_changes:
            summary = self.words.describe_counts(self._collect_changes(), unchanged)
        else:
            summary = f"What could be compared is in sync ({count})"
        return f"{summary}; NOT COMPARED: {', '.join(missing)}" if missing else summary
