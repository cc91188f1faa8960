"""The report for a terminal: a line for each customization that differs, and below it one for each pin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pinsync.escape import one_line
from pinsync.reports.values import page, plural
from pinsync.reports.wording import CHANGED, SIGNS, Wording, touched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pinsync.drift.record import Change, Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.history.record import BlamedTracker
    from pinsync.reports import Style
    from pinsync.reports.wording import Entry
    from pinsync.shelf.shelf import TrackerShelves

_Tracker = TypeVar("_Tracker", "BlamedTracker", "TrackerShelves")

_GOOD, _BAD, _CHANGED, _DIM, _ALARM = "32", "31", "33", "2", "1;31"
_PAINT: Final = {
    "alarm": _ALARM,
    "bold": "1",
    "dim": _DIM,
    "good": _GOOD,
    "+": _GOOD,
    "-": _BAD,
    CHANGED: _CHANGED,
    "active": _GOOD,
    "upcoming": _CHANGED,
    "over": _DIM,
    "unclear": _ALARM,
}
"""Parameters of "select graphic rendition" (ECMA-48, section 8.3.117)."""


def render(drift: Drift, style: Style) -> str:
    """Return the drift as lines for people, with a final newline; one line if nothing differs and nothing is odd.

    Args:
        drift: what to report.
        style: the time zone, whether to colour, and whether the counts are enough.
    """
    return page(_Report(drift, style, Wording(style.zone, one_line, drift=drift)).lines())


@dataclass(frozen=True, slots=True)
class _Report:
    drift: Drift
    style: Style
    words: Wording

    def lines(self) -> Iterator[str]:
        drift = self.drift
        for tracker in drift.trackers:
            if tracker.error:
                yield from self._failure(tracker, tracker.error)
        if drift.found:
            yield painted(self.style, "bold", self._headline())
            if not self.style.summary:
                yield from (painted(self.style, "dim", line) for line in self._legend())
        yield from (f"note: {one_line(note)}" for note in drift.notes)
        for tracker in drift.trackers:
            yield from (f"note: {one_line(tracker.name)}: {one_line(note)}" for note in tracker.notes)
        if drift.found:
            yield from self._body()
        yield from (remedy.plain for remedy in self.words.remedies())
        yield self._last()

    def _failure(self, tracker: TrackerDrift, error: PinsyncError) -> Iterator[str]:
        yield painted(self.style, "alarm", f"INCOMPLETE: {named(tracker)} could not be compared")
        yield f"  error: {one_line(error.message)}"
        if error.hint:
            yield f"  hint: {one_line(error.hint)}"

    def _headline(self) -> str:
        old, new = self.words.short(self.drift.old), self.words.short(self.drift.new)
        changes = self._changes()
        return f"{new} differs from {old} in {plural(len(changes), 'customization')}; {touched(changes)}"

    def _legend(self) -> Iterator[str]:
        left, right = self.words.legend()
        yield f"left of an arrow: {left}; right: {right}"
        words = self.words.kinds()
        yield f"signs: + {words['added']}, - {words['removed']}, {CHANGED} {words['changed']}"

    def _changes(self) -> list[Change]:
        return [change for tracker in self.drift.trackers for change in tracker.changes]

    def _body(self) -> Iterator[str]:
        several = len(self.drift.trackers) > 1
        for tracker in self.drift.trackers:
            if several:
                yield ""
                yield painted(self.style, "bold", f"{named(tracker)}: {self.words.state(tracker)}")
            if not self.style.summary:
                yield from self._entries(tracker)
        yield ""

    def _entries(self, tracker: TrackerDrift) -> Iterator[str]:
        words = self.words.of(tracker)
        for change in tracker.changes:
            yield ""
            yield from entry_lines(words.entry(change), self.style)

    def _last(self) -> str:
        drift = self.drift
        old, new = self.words.side(drift.old), self.words.side(drift.new)
        unchanged = sum(tracker.unchanged for tracker in drift.trackers)
        missing = [one_line(tracker.name) for tracker in drift.trackers if tracker.error]
        if len(missing) == len(drift.trackers):
            return f"Nothing was compared: whether {new} differs from {old} is not known."
        within = f" in {len(drift.trackers)} trackers" if len(drift.trackers) > 1 else ""
        same = f"{new} is the same as {old} ({plural(unchanged, 'customization')}{within})"
        if drift.found is False:
            return painted(self.style, "good", f"In sync: {same}")
        rest = f"What could be compared is in sync ({plural(unchanged, 'customization')})"
        counts = self.words.counts(self._changes(), unchanged) if drift.found else rest
        return f"{counts}; NOT COMPARED: {', '.join(missing)}" if missing else counts


def painted(style: Style, name: str, text: str) -> str:
    """Return a text in the colour of what it is (a key of ``_PAINT``), if colours are wanted."""
    return f"\x1b[{_PAINT[name]}m{text}\x1b[0m" if style.color else text


def named(tracker: TrackerDrift | BlamedTracker | TrackerShelves) -> str:
    """Return what a person calls a tracker: its name, and its id if it has one."""
    return one_line(f"{tracker.name} ({tracker.tracker_id})" if tracker.tracker_id else tracker.name)


def by_tracker(
    headline: str, trackers: Sequence[_Tracker], style: Style, lines: Callable[[_Tracker], Iterator[str]]
) -> Iterator[str]:
    """Yield a page: its headline, and each tracker's lines, below its name where there are several."""
    yield painted(style, "bold", headline)
    for tracker in trackers:
        if len(trackers) > 1:
            yield ""
            yield painted(style, "bold", named(tracker))
        yield from lines(tracker)


def entry_lines(entry: Entry, style: Style) -> Iterator[str]:
    """Yield the lines of a change: what changed and where it stands, and below it a line for each pin and field.

    Args:
        entry: the change in words.
        style: whether to colour.
    """
    sign = SIGNS.get(entry.kind, CHANGED)
    verdict = [] if entry.kind == "changed" else [entry.verdict]
    facts = [f"model {entry.model}", *verdict, *entry.remarks]
    yield " · ".join([painted(style, sign, f"{sign} {entry.called.name}") + entry.called.aside, *facts])
    yield from (f"    {painted(style, mark, mark)} {sentence}" for mark, sentence in entry.lines)
    if entry.seen:
        yield f"      {painted(style, 'dim', entry.seen)}"
