"""History for a terminal: the changes of each commit, in the words of ``diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.words import commits
from pinsync.reports.words.changes import ChangeWords
from pinsync.reports.words.terminal import name_tracker, paint, render_change
from pinsync.reports.words.values import join_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pinsync.history.record import LogEntry
    from pinsync.model import Commit
    from pinsync.reports import Style

REFORMATTED: Final = "only reformatted or moved: no rule changed"
"""The remark on a commit that changed documents without changing a rule."""


def render(entries: Iterable[LogEntry], style: Style) -> Iterator[str]:
    """Yield the lines of each commit, without a final newline.

    Args:
        entries: the entries, the newest first. A lazy iterable lets the first lines appear before
            the history is read.
        style: the time zone, and whether to colour.
    """
    report = _Report(style, ChangeWords(style.zone, one_line))
    # The entries are separated by blank lines, so the first has none above.
    blank: list[str] = []
    for entry in entries:
        yield join_lines([*blank, *report.render_lines(entry)]).removesuffix("\n")
        blank = [""]


def render_end(shallow: Commit) -> str:
    """Return the note on the end of a shallow clone."""
    return f"note: {commits.describe_shallow_end(shallow)}"


class _Report(Struct, frozen=True):
    style: Style
    words: ChangeWords

    def render_lines(self, entry: LogEntry) -> Iterator[str]:
        commit = entry.commit
        date = commits.format_date(commit, self.style.zone)
        head = f"commit {commit.short} · {date} · {one_line(commit.author)}"
        yield paint(self.style, "~", head)
        yield f"    {one_line(commit.subject)}".rstrip()
        if entry.notes or entry.reformatted:
            yield ""
        for note in entry.notes:
            yield f"note: {one_line(note)}"
        if entry.reformatted:
            yield paint(self.style, "dim", REFORMATTED)
        for tracker in entry.trackers:
            if len(entry.trackers) > 1:
                yield ""
                yield paint(self.style, "bold", name_tracker(tracker))
            words = self.words.adapt_to(tracker)
            for change in tracker.changes:
                yield ""
                yield from render_change(words.describe_change(change), self.style)
