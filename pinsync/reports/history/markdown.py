"""History for a page: a section for each commit with the details folded, within the budget of a comment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinsync.escape import clipped
from pinsync.reports.history.text import REFORMATTED
from pinsync.reports.words import commits
from pinsync.reports.words.changes import ChangeWords
from pinsync.reports.words.page import MAX_CHARS, MAX_VALUE, Page, measure, quote_code, render_item
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinsync.history.record import Entry, Log
    from pinsync.reports import Style

_CLOSE: Final = "\n</details>\n\n"
_PLACEHOLDER: Final = 10**9
"""More of anything than there will be: the room that is kept for a count."""


def render(log: Log, style: Style) -> str:
    """Return the log as GitHub-flavoured markdown, with a final newline, never longer than a comment may be.

    Args:
        log: what to report.
        style: the time zone.
    """
    last = _render_end(log, {"commit": _PLACEHOLDER, "customization": _PLACEHOLDER})
    report = _Report(log, style, ChangeWords(style.zone, quote_code, MAX_VALUE), Page(MAX_CHARS - measure(last)))
    return report.render()


def _render_end(log: Log, left_out: Mapping[str, int]) -> str:
    """Return the last lines: where the history ends, and what is left out."""
    end = f"Note: {quote_code(commits.describe_shallow_end(log.shallow))}\n\n" if log.shallow else ""
    counts = ", ".join(pluralize(left_out[what], what) for what in ("commit", "customization") if left_out.get(what))
    if not counts:
        return end
    return f"{end}Left out to fit: {counts}. The whole: the same `pinsync history` with `--format text`.\n"


@dataclass(frozen=True, slots=True)
class _Report:
    log: Log
    style: Style
    words: ChangeWords
    page: Page

    def render(self) -> str:
        entries = self.log.entries
        count = pluralize(len(entries), "commit") if entries else "no commit changed what was asked for"
        self.page.take(f"### pinsync history: {count}\n\n")
        for at, entry in enumerate(entries):
            if not self.page.take(self._render_head(entry)):
                self.page.omissions["commit"] = len(entries) - at
                break
            self._put_details(entry)
        return f"{self.page.join()}{_render_end(self.log, self.page.omissions)}".rstrip("\n") + "\n"

    def _render_head(self, entry: Entry) -> str:
        commit = entry.commit
        head = (f"`{commit.short}`", commits.format_date(commit, self.style.zone), _quote_clipped(commit.author))
        notes = [f"- note: {_quote_clipped(note)}\n" for note in entry.notes]
        notes += [f"- {REFORMATTED}\n"] if entry.reformatted else []
        return f"#### {' · '.join(head)}\n\n{_quote_clipped(commit.subject)}\n\n" + "".join(
            [*notes, "\n"] if notes else []
        )

    def _put_details(self, entry: Entry) -> None:
        """Put the changes there; what is left is shared so that older commits have a section too."""
        count = sum(len(tracker.changes) for tracker in entry.trackers)
        spare = max(measure(_CLOSE), self.page.half_room)
        if count and self.page.take_all("customization", self._render_pieces(entry, count), count, spare=spare):
            self.page.take(_CLOSE)

    def _render_pieces(self, entry: Entry, count: int) -> Iterator[str]:
        before = f"<details>\n<summary>{pluralize(count, 'customization')}</summary>\n\n"
        for tracker in entry.trackers:
            words = self.words.adapt_to(tracker)
            for change in tracker.changes:
                yield before + render_item(words.describe_change(change), with_model=True)
                before = ""


def _quote_clipped(text: str) -> str:
    return quote_code(clipped(text, MAX_VALUE))
