"""The report for a terminal: a line for each customization that differs, and below it one for each pin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """Return the drift as lines for people, with a final newline; one line if nothing differs and nothing is odd.

    Args:
        drift: what to report.
        style: the time zone, whether to colour, and whether the counts are enough.
    """
    return join_lines(_Report(drift, style, DriftWords(style.zone, one_line, drift=drift)).render_lines())


@dataclass(frozen=True, slots=True)
class _Report:
    drift: Drift
    style: Style
    words: DriftWords

    def render_lines(self) -> Iterator[str]:
        drift = self.drift
        for tracker in drift.trackers:
            if tracker.error:
                yield from self._render_failure(tracker, tracker.error)
        if drift.found:
            yield paint(self.style, "bold", self._write_headline())
            if not self.style.summary:
                yield from (paint(self.style, "dim", line) for line in self._render_legend())
        yield from (f"note: {one_line(note)}" for note in drift.notes)
        for tracker in drift.trackers:
            yield from (f"note: {one_line(tracker.name)}: {one_line(note)}" for note in tracker.notes)
        if drift.found:
            yield from self._render_body()
        yield from (remedy.plain for remedy in self.words.find_remedies())
        yield self._write_summary()

    def _render_failure(self, tracker: TrackerDrift, error: PinsyncError) -> Iterator[str]:
        yield paint(self.style, "alarm", f"INCOMPLETE: {name_tracker(tracker)} could not be compared")
        yield f"  error: {one_line(error.message)}"
        if error.hint:
            yield f"  hint: {one_line(error.hint)}"

    def _write_headline(self) -> str:
        old, new = self.words.shorten_side(self.drift.old), self.words.shorten_side(self.drift.new)
        changes = self._collect_changes()
        return f"{new} differs from {old} in {pluralize(len(changes), 'customization')}; {describe_effect(changes)}"

    def _render_legend(self) -> Iterator[str]:
        left, right = self.words.explain_sides()
        yield f"left of an arrow: {left}; right: {right}"
        words = self.words.name_kinds()
        yield f"signs: + {words['added']}, - {words['removed']}, {CHANGED} {words['changed']}"

    def _collect_changes(self) -> list[Change]:
        return [change for tracker in self.drift.trackers for change in tracker.changes]

    def _render_body(self) -> Iterator[str]:
        several = len(self.drift.trackers) > 1
        for tracker in self.drift.trackers:
            if several:
                yield ""
                yield paint(self.style, "bold", f"{name_tracker(tracker)}: {self.words.describe_state(tracker)}")
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
        unchanged = sum(tracker.unchanged for tracker in drift.trackers)
        missing = [one_line(tracker.name) for tracker in drift.trackers if tracker.error]
        if len(missing) == len(drift.trackers):
            return f"Nothing was compared: whether {new} differs from {old} is not known."
        within = f" in {len(drift.trackers)} trackers" if len(drift.trackers) > 1 else ""
        same = f"{new} is the same as {old} ({pluralize(unchanged, 'customization')}{within})"
        if drift.found is False:
            return paint(self.style, "good", f"In sync: {same}")
        rest = f"What could be compared is in sync ({pluralize(unchanged, 'customization')})"
        counts = self.words.describe_counts(self._collect_changes(), unchanged) if drift.found else rest
        return f"{counts}; NOT COMPARED: {', '.join(missing)}" if missing else counts
