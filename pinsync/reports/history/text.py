"""History for a terminal: commit by commit, what each changed in the words of ``diff``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinsync.escape import one_line
from pinsync.reports.words import commits
from pinsync.reports.words.changes import ChangeWords
from pinsync.reports.words.terminal import name_tracker, paint, render_change
from pinsync.reports.words.values import join_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pinsync.history.record import Entry
    from pinsync.model import Commit
    from pinsync.reports import Style

REFORMATTED: Final = "only reformatted or moved: no rule changed"
"""What is said of a commit that touched documents and no meaning."""


def render(entries: Iterable[Entry], style: Style) -> Iterator[str]:
    """Yield each commit as lines for people, without a final newline; all but the first begin with an empty one.

    Args:
        entries: the newest first; each is asked for when it is rendered.
        style: the time zone, and whether to colour.
    """
    report = _Report(style, ChangeWords(style.zone, one_line))
    for at, entry in enumerate(entries):
        yield join_lines([*([""] if at else []), *report.render_lines(entry)]).removesuffix("\n")


def render_end(shallow: Commit) -> str:
    """Return the last line, which says where a shallow clone ends."""
    return f"note: {commits.describe_shallow_end(shallow)}"


@dataclass(frozen=True, slots=True)
class _Report:
    style: Style
    words: ChangeWords

    def render_lines(self, entry: Entry) -> Iterator[str]:
        commit = entry.commit
        head = [f"commit {commit.short}", commits.format_date(commit, self.style.zone), one_line(commit.author)]
        yield paint(self.style, "~", " · ".join(head))
        yield f"    {one_line(commit.subject)}".rstrip()
        if entry.notes or entry.reformatted:
            yield ""
        yield from (f"note: {one_line(note)}" for note in entry.notes)
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
