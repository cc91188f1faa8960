"""The report for a terminal: a line for each customization that differs, and below it one for each pin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinsync.reports.values import one_line, plural
from pinsync.reports.wording import CHANGED, SIGNS, Wording, touched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pinsync.compare.drift import Change, Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.wording import Entry

_PAINT: Final = {"alarm": "1;31", "bold": "1", "dim": "2", "good": "32", "+": "32", "-": "31", CHANGED: "33"}
"""Parameters of "select graphic rendition" (ECMA-48, section 8.3.117)."""


def render(drift: Drift, style: Style) -> str:
    """Return the drift as lines for people, with a final newline; one line if nothing differs and nothing is odd.

    Args:
        drift: what to report.
        style: the time zone, whether to colour, and whether the counts are enough.
    """
    return "\n".join(_Report(drift, style, Wording(style.zone, one_line, drift=drift)).lines()) + "\n"


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
            yield self._painted("bold", self._headline())
            yield from (self._painted("dim", line) for line in self._legend())
        yield from (f"note: {one_line(note)}" for note in drift.notes)
        for tracker in drift.trackers:
            yield from (f"note: {one_line(tracker.name)}: {one_line(note)}" for note in tracker.notes)
        if drift.found:
            yield from self._body()
        if remedy := self.words.remedy():
            yield f"to take live into git: {remedy}"
        yield self._last()

    def _failure(self, tracker: TrackerDrift, error: PinsyncError) -> Iterator[str]:
        yield self._painted("alarm", f"INCOMPLETE: {_named(tracker)} could not be compared")
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
        if not self.style.summary:
            words = self.words.kinds()
            yield f"signs: + {words['added']}, - {words['removed']}, {CHANGED} {words['changed']}"

    def _changes(self) -> list[Change]:
        return [change for tracker in self.drift.trackers for change in tracker.changes]

    def _body(self) -> Iterator[str]:
        several = len(self.drift.trackers) > 1
        for tracker in self.drift.trackers:
            if several:
                yield ""
                yield self._painted("bold", f"{_named(tracker)}: {self.words.state(tracker)}")
            if not self.style.summary:
                yield from self._entries(tracker)
        yield ""

    def _entries(self, tracker: TrackerDrift) -> Iterator[str]:
        words = self.words.of(tracker)
        for change in tracker.changes:
            yield ""
            yield from entry_lines(words.entry(change), self._painted)

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
            return self._painted("good", f"In sync: {same}")
        rest = f"What could be compared is in sync ({plural(unchanged, 'customization')})"
        counts = self.words.counts(self._changes(), unchanged) if drift.found else rest
        return f"{counts}; NOT COMPARED: {', '.join(missing)}" if missing else counts

    def _painted(self, name: str, text: str) -> str:
        return painted(name, text) if self.style.color else text


def painted(name: str, text: str) -> str:
    """Return a text in the colour of a sign, or of what a line is: ``alarm``, ``bold``, ``dim`` or ``good``."""
    return f"\x1b[{_PAINT[name]}m{text}\x1b[0m"


def entry_lines(entry: Entry, paint: Callable[[str, str], str]) -> Iterator[str]:
    """Yield the lines of a change: what changed and where it stands, and below it a line for each pin and field.

    Args:
        entry: the change in words.
        paint: returns a text in a colour, if there are any, as `painted` does.
    """
    sign = SIGNS.get(entry.kind, CHANGED)
    target = f" ({entry.target})" if entry.target else ""
    verdict = [] if entry.kind == "changed" else [entry.verdict]
    facts = [f"model {entry.model}", *verdict, *entry.remarks]
    yield " · ".join([paint(sign, f"{sign} {entry.name}") + target, *facts])
    yield from (f"    {paint(mark, mark)} {sentence}" for mark, sentence in entry.lines)
    if entry.seen:
        yield f"      {paint('dim', entry.seen)}"


def _named(tracker: TrackerDrift) -> str:
    name, id_ = one_line(tracker.name), one_line(tracker.tracker_id)
    return f"{name} ({id_})" if id_ else name
