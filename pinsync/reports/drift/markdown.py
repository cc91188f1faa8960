"""The report for a page, such as a pull request's comment: verdict and table, the details folded, within a budget.

GitHub takes 65,536 characters in a comment; GitLab's own limit lies beyond.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pinsync.errors import UsageError
from pinsync.escape import clipped, reveal
from pinsync.reports.words.changes import DriftWords, describe_effect
from pinsync.reports.words.likeness import find_alike, spell_out
from pinsync.reports.words.page import MARKER, MAX_CHARS, MAX_VALUE, MIN_CHARS, Page, measure, quote_code, render_item
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pinsync.drift.record import Change, Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.words.changes import Remedy

_MAX_NOTE: Final = 1_000
_MAX_GISTS: Final = 5
_VISIBLE: Final = "Shoppers may see a difference in:\n\n"
_OPEN: Final = "<details>\n<summary>What differs, one by one</summary>\n\n"
_CLOSE: Final = "\n</details>\n\n"
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_URL: Final = "https://app.luigisbox.com/sites/{}/setup/recommendations_customization"


def render(drift: Drift, style: Style) -> str:
    """Return the drift as GitHub-flavoured markdown, with a final newline, never longer than allowed.

    Args:
        drift: what to report.
        style: the time zone, whether the table is enough, and the budget (``MAX_CHARS`` at most, and by default).

    Raises:
        UsageError: the budget is below ``MIN_CHARS``.
    """
    limit = MAX_CHARS if style.max_chars is None else min(style.max_chars, MAX_CHARS)
    if limit < MIN_CHARS:
        raise UsageError(f"a report in {limit} characters says nothing", hint=f"allow at least {MIN_CHARS}")
    words = DriftWords(style.zone, quote_code, MAX_VALUE, drift=drift)
    rows = {(tracker.name, change.subject.model) for tracker in drift.trackers for change in tracker.changes}
    for reserved in (
        {},
        _count_pieces(drift, len(rows)),
    ):  # room for the last lines, where something is left out and where not
        report = _Report(drift, style, words, Page(limit - measure(_render_end(words, reserved))), frozenset(rows))
        text = report.render()
        if not report.page.omissions.total():
            break
    return text


def _count_pieces(drift: Drift, rows: int) -> dict[str, int]:
    """Return how much of each kind could be left out."""
    trackers = drift.trackers
    return {
        "error": sum(tracker.error is not None for tracker in trackers),
        "note": len(drift.notes) + sum(len(tracker.notes) for tracker in trackers),
        "table row": rows,
        "customization": sum(len(tracker.changes) for tracker in trackers),
    }


def _render_end(words: DriftWords, left_out: Mapping[str, int]) -> str:
    """Return the last lines: the next step, and what is left out."""
    advice = "".join(f"{_render_advice(remedy)}.\n\n" for remedy in words.find_remedies())
    counts = ", ".join(pluralize(count, what) for what, count in left_out.items() if count)
    if not counts:
        return advice
    return f"{advice}Left out to fit: {counts}. The whole report: the same `pinsync diff` with `--format text`.\n"


def _render_advice(remedy: Remedy) -> str:
    text = f"{remedy.text[0].upper()}{remedy.text[1:]}"
    return f"{text}: `{remedy.command}`" if remedy.command else text


@dataclass(frozen=True, slots=True)
class _Report:
    drift: Drift
    style: Style
    words: DriftWords
    page: Page
    rows: frozenset[tuple[str, str]]
    """Of the table: the name of a tracker, and a model of which something differs."""

    def render(self) -> str:
        self.page.take(f"{MARKER}\n### pinsync: {self._describe_verdict()}\n\n")
        self._put_failures()
        if explanation := self._explain_sides():
            self.page.take(f"{explanation}\n\n")
        self._put_notes()
        tabled = self._put_table() if self.drift.found else False
        for tracker in self.drift.trackers:
            self._put_tracker(tracker, tabled=tabled)
        return f"{self.page.join()}{_render_end(self.words, self.page.omissions)}".rstrip("\n") + "\n"

    def _describe_verdict(self) -> str:
        if changes := self._collect_changes():
            differ = "customization differs" if len(changes) == 1 else "customizations differ"
            return f"{len(changes):,} {differ}; {describe_effect(changes)}"
        return "in sync" if self.drift.complete else "incomplete"

    def _collect_changes(self) -> list[Change]:
        return [change for tracker in self.drift.trackers for change in tracker.changes]

    def _put_failures(self) -> None:
        trackers = self.drift.trackers
        failures = [(tracker, tracker.error) for tracker in trackers if tracker.error]
        if failures:
            of = f"{len(failures):,} of {pluralize(len(trackers), 'tracker')}"
            self.page.take(f"**INCOMPLETE:** {of} could not be compared.\n\n")
            self._put_list("error", (_render_failure(*failure) for failure in failures), len(failures))

    def _put_notes(self) -> None:
        of_trackers = (f"{tracker.name}: {note}" for tracker in self.drift.trackers for note in tracker.notes)
        notes = [*self.drift.notes, *of_trackers]
        self._put_list("note", (f"- note: {quote_code(clipped(note, _MAX_NOTE))}\n" for note in notes), len(notes))

    def _put_list(self, what: str, items: Iterable[str], count: int) -> None:
        if self.page.take_all(what, items, count, spare=self.page.half_room):
            self.page.take("\n")

    def _explain_sides(self) -> str:
        drift = self.drift
        if drift.found and self.style.summary:
            return ""  # the table has no arrows
        if drift.found:
            left, right = self.words.explain_sides()
            return f"Left of an arrow: {left}; right: {right}"
        old, new = self.words.name_side(drift.old), self.words.name_side(drift.new)
        if drift.found is None:
            return f"Whether {new} differs from {old} is not known."
        unchanged = sum(tracker.unchanged for tracker in drift.trackers)
        return f"{new} is the same as {old} ({pluralize(unchanged, 'customization')})."

    def _put_table(self) -> bool:
        """Put the table there; return whether it is whole, so that nothing of it need be said again."""
        taken = self.page.take_all("table row", self._render_rows(), len(self.rows), spare=self.page.half_room)
        if taken:
            self.page.take("\n")
        return taken == len(self.rows)

    def _render_rows(self) -> Iterator[str]:
        """Yield the table row by row, its head together with the first."""
        several = len(self.drift.trackers) > 1
        words = self.words.name_kinds()
        kinds = [kind for kind in words if kind != "recreated" or self.drift.counts()[kind]]
        names = (["tracker"] if several else []) + ["model"]
        counted = [*(words[kind] for kind in kinds), "touch what shoppers see"]
        head = _render_row([*names, *counted]) + _render_row([*("---" for _ in names), *("---:" for _ in counted)])
        alike = find_alike(model for _, model in self.rows)
        for tracker in self.drift.trackers:
            for model, changes in groupby(tracker.changes, key=lambda change: change.subject.model):
                found = list(changes)
                counts = Counter(change.kind for change in found)
                shown = sum(change.effect == "shown" for change in found)
                first = [_quote_name(tracker.name)] if several else []
                yield head + _render_row(
                    [
                        *first,
                        _quote_name(spell_out(model) if model in alike else model),
                        *(f"{counts[kind]:,}" for kind in kinds),
                        f"{shown:,}",
                    ]
                )
                head = ""

    def _put_tracker(self, tracker: TrackerDrift, *, tabled: bool) -> None:
        """Put a tracker's section there; ``tabled`` says that the table has all its rows."""
        if len(self.drift.trackers) > 1:
            self.page.take(f"#### {_quote_name(tracker.name)}\n\n")
        told = self.drift.found or (len(self.drift.trackers) > 1 and not self.drift.complete)
        parts = [self._describe_state(tracker, tabled=tabled)] if told else []
        if _SAFE_ID.fullmatch(tracker.tracker_id):
            parts.append(f"[open in Luigi's Box]({_URL.format(tracker.tracker_id)})")
        if parts:
            self.page.take(" · ".join(parts) + "\n\n")
        if not self.style.summary:
            words = self.words.adapt_to(tracker)
            self._put_visible_changes(tracker, words)
            self._put_details(tracker, words, tabled=tabled)

    def _describe_state(self, tracker: TrackerDrift, *, tabled: bool) -> str:
        if tabled and tracker.changes and len(self.rows) == 1:
            return self.words.describe_unchanged(tracker.changes, tracker.unchanged)
        return self.words.describe_state(tracker)

    def _put_visible_changes(self, tracker: TrackerDrift, words: DriftWords) -> None:
        """Name before the fold what shoppers may see first; it stands below, so that nothing of it is left out."""
        changes = [change for change in tracker.changes if change.effect == "shown"]
        gists = (" · ".join(words.summarize_change(change)) for change in changes[:_MAX_GISTS])
        pieces = (f"{'' if at else _VISIBLE}- {gist}\n" for at, gist in enumerate(gists))
        if taken := self.page.take_first(pieces, spare=self.page.half_room):
            more = len(changes) - taken
            self.page.take(f"- … and {more:,} more\n\n" if more else "\n")

    def _put_details(self, tracker: TrackerDrift, words: DriftWords, *, tabled: bool) -> None:
        one_model = tabled and len({model for _, model in self.rows}) == 1
        entries = (render_item(words.describe_change(change), with_model=not one_model) for change in tracker.changes)
        pieces = (f"{'' if at else _OPEN}{entry}" for at, entry in enumerate(entries))
        if self.page.take_all("customization", pieces, len(tracker.changes), spare=len(_CLOSE)):
            self.page.take(_CLOSE)


def _render_failure(tracker: TrackerDrift, error: PinsyncError) -> str:
    hint = f"; hint: {quote_code(clipped(error.hint, _MAX_NOTE))}" if error.hint else ""
    return f"- {_quote_name(tracker.name)}: {quote_code(clipped(error.message, _MAX_NOTE))}{hint}\n"


def _quote_name(text: str) -> str:
    return quote_code(clipped(reveal(text), MAX_VALUE))


def _render_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
