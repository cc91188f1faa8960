"""History for a page: a section for each commit, with folded details, within a comment's budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.escape import clip
from pinsync.reports.history.text import REFORMATTED
from pinsync.reports.words import commits
from pinsync.reports.words.changes import ChangeWords
from pinsync.reports.words.page import MAX_CHARS, MAX_VALUE, Page, measure, quote_code, render_item
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinsync.history.record import Log, LogEntry
    from pinsync.reports import Style

_CLOSE: Final = "\n</details>\n\n"
_PLACEHOLDER: Final = 10**9
"""A count above all real counts: reserves the room for a count that isn't known yet."""


def render(log: Log, style: Style) -> str:
    """Return the log as GitHub-flavoured markdown, with a final newline, within a comment's limit.

    Args:
        log: the log.
        style: the time zone.
    """
    longest_end = _render_end(log, {"commit": _PLACEHOLDER, "customization": _PLACEHOLDER})
    words = ChangeWords(style.zone, quote_code, MAX_VALUE)
    report = _Report(log, style, words, Page(MAX_CHARS - measure(longest_end)))
    return report.render()


def _render_end(log: Log, omissions: Mapping[str, int]) -> str:
    """Return the last lines: the end of a shallow clone, and the counts of omitted pieces."""
    end = ""
    if log.shallow:
        end = f"Note: {quote_code(commits.describe_shallow_end(log.shallow))}\n\n"
    nouns = [noun for noun in ("commit", "customization") if omissions.get(noun)]
    if not nouns:
        return end
    counts = ", ".join(pluralize(omissions[noun], noun) for noun in nouns)
    whole = "The whole: the same `pinsync history` with `--format text`."
    return f"{end}Left out to fit: {counts}. {whole}\n"


class _Report(Struct, frozen=True):
    log: Log
    style: Style
    words: ChangeWords
    page: Page

    def render(self) -> str:
        entries = self.log.entries
        count = "no commit changed a matching customization"
        if entries:
            count = pluralize(len(entries), "commit")
        self.page.take(f"### pinsync history: {count}\n\n")
        for index, entry in enumerate(entries):
            if not self.page.take(self._render_head(entry)):
                self.page.omissions["commit"] = len(entries) - index
                break
            self._put_details(entry)
        end = _render_end(self.log, self.page.omissions)
        return f"{self.page.join()}{end}".rstrip("\n") + "\n"

    def _render_head(self, entry: LogEntry) -> str:
        commit = entry.commit
        date = commits.format_date(commit, self.style.zone)
        title = f"#### `{commit.short}` · {date} · {_quote_clipped(commit.author)}"
        remarks = [f"- note: {_quote_clipped(note)}\n" for note in entry.notes]
        if entry.reformatted:
            remarks.append(f"- {REFORMATTED}\n")
        if remarks:
            remarks.append("\n")
        return f"{title}\n\n{_quote_clipped(commit.subject)}\n\n" + "".join(remarks)

    def _put_details(self, entry: LogEntry) -> None:
        count = sum(len(tracker.changes) for tracker in entry.trackers)
        # Half of the room is spared, so that older commits have a section too.
        spare = max(measure(_CLOSE), self.page.half_room)
        pieces = self._render_pieces(entry, count)
        if count and self.page.take_all("customization", pieces, count, spare=spare):
            self.page.take(_CLOSE)

    def _render_pieces(self, entry: LogEntry, count: int) -> Iterator[str]:
        summary = pluralize(count, "customization")
        before = f"<details>\n<summary>{summary}</summary>\n\n"
        for tracker in entry.trackers:
            words = self.words.adapt_to(tracker)
            for change in tracker.changes:
                yield before + render_item(words.describe_change(change))
                before = ""


def _quote_clipped(text: str) -> str:
    return quote_code(clip(text, MAX_VALUE))
