"""The report for a page, such as a comment on a pull request, within a budget.

The verdict and a table stand first, the details are folded. GitHub's limit for a comment is 65,536
characters; GitLab's limit is higher.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.errors import UsageError
from pinsync.escape import clip, reveal
from pinsync.reports.words.changes import DriftWords, describe_effect
from pinsync.reports.words.likeness import find_alike, spell_out
from pinsync.reports.words.page import (
    MARKER,
    MAX_CHARS,
    MAX_VALUE,
    MIN_CHARS,
    Page,
    measure,
    quote_code,
    render_item,
)
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.drift.pairs import ChangeKind
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
    """Return the drift as GitHub-flavoured markdown, with a final newline, within the budget.

    Args:
        drift: the drift.
        style: the time zone, whether to print only the counts, and the budget, which is
            ``MAX_CHARS`` by default and at most.

    Raises:
        UsageError: the budget is below ``MIN_CHARS``.
    """
    limit = MAX_CHARS
    if style.max_chars is not None:
        limit = min(style.max_chars, MAX_CHARS)
    if limit < MIN_CHARS:
        message = f"a report in {limit} characters says nothing"
        raise UsageError(message, hint=f"allow at least {MIN_CHARS}")
    words = DriftWords(style.zone, quote_code, MAX_VALUE, drift=drift)
    rows = _collect_rows(drift)
    # The end is rendered last, but needs its room first. It is longest if pieces are omitted:
    # reserve room for all counts only in a second attempt, which most reports don't need.
    for reserved in ({}, _count_pieces(drift, len(rows))):
        room = limit - measure(_render_end(words, reserved))
        report = _Report(drift, style, words, Page(room), rows)
        text = report.render()
        if not report.page.omissions.total():
            break
    return text


def _collect_rows(drift: Drift) -> frozenset[tuple[str, str]]:
    """Return the keys of the table's rows: the name of a tracker, and a model with changes."""
    rows: set[tuple[str, str]] = set()
    for tracker in drift.trackers:
        rows.update((tracker.name, change.subject.model) for change in tracker.changes)
    return frozenset(rows)


def _count_pieces(drift: Drift, rows: int) -> dict[str, int]:
    """Return the number of pieces of each kind, the most that a report can omit."""
    trackers = drift.trackers
    return {
        "error": sum(tracker.error is not None for tracker in trackers),
        "note": len(drift.notes) + sum(len(tracker.notes) for tracker in trackers),
        "table row": rows,
        "customization": sum(len(tracker.changes) for tracker in trackers),
    }


def _render_end(words: DriftWords, omissions: Mapping[str, int]) -> str:
    """Return the last lines: the remedies, and the counts of omitted pieces."""
    advice = "".join(f"{_render_advice(remedy)}.\n\n" for remedy in words.find_remedies())
    counts = ", ".join(pluralize(count, noun) for noun, count in omissions.items() if count)
    if not counts:
        return advice
    whole = "The whole report: the same `pinsync diff` with `--format text`."
    return f"{advice}Left out to fit: {counts}. {whole}\n"


def _render_advice(remedy: Remedy) -> str:
    text = f"{remedy.text[0].upper()}{remedy.text[1:]}"
    if not remedy.command:
        return text
    return f"{text}: `{remedy.command}`"


class _Report(Struct, frozen=True):
    drift: Drift
    style: Style
    words: DriftWords
    page: Page
    rows: frozenset[tuple[str, str]]

    def render(self) -> str:
        self.page.take(f"{MARKER}\n### pinsync: {self._describe_verdict()}\n\n")
        self._put_failures()
        if explanation := self._explain_sides():
            self.page.take(f"{explanation}\n\n")
        self._put_notes()
        has_table = bool(self.drift.has_changes) and self._put_table()
        for tracker in self.drift.trackers:
            self._put_tracker(tracker, has_table=has_table)
        end = _render_end(self.words, self.page.omissions)
        return f"{self.page.join()}{end}".rstrip("\n") + "\n"

    def _describe_verdict(self) -> str:
        changes = self._collect_changes()
        if changes:
            differ = "customization differs" if len(changes) == 1 else "customizations differ"
            return f"{len(changes):,} {differ}; {describe_effect(changes)}"
        return "in sync" if self.drift.is_complete else "incomplete"

    def _collect_changes(self) -> list[Change]:
        changes: list[Change] = []
        for tracker in self.drift.trackers:
            changes += tracker.changes
        return changes

    def _put_failures(self) -> None:
        trackers = self.drift.trackers
        failures = [(tracker, tracker.error) for tracker in trackers if tracker.error]
        if failures:
            count = f"{len(failures):,} of {pluralize(len(trackers), 'tracker')}"
            self.page.take(f"**INCOMPLETE:** {count} could not be compared.\n\n")
            items = (_render_failure(tracker, error) for tracker, error in failures)
            self._put_list("error", items, len(failures))

    def _put_notes(self) -> None:
        notes = list(self.drift.notes)
        for tracker in self.drift.trackers:
            notes += [f"{tracker.name}: {note}" for note in tracker.notes]
        items = (f"- note: {quote_code(clip(note, _MAX_NOTE))}\n" for note in notes)
        self._put_list("note", items, len(notes))

    def _put_list(self, noun: str, items: Iterable[str], count: int) -> None:
        if self.page.take_all(noun, items, count, spare=self.page.half_room):
            self.page.take("\n")

    def _explain_sides(self) -> str:
        drift = self.drift
        if drift.has_changes and self.style.summary:
            return ""  # The table has no arrows to explain.
        if drift.has_changes:
            left, right = self.words.explain_sides()
            return f"Left of an arrow: {left}; right: {right}"
        old, new = self.words.name_side(drift.old), self.words.name_side(drift.new)
        if drift.has_changes is None:
            return f"Whether {new} differs from {old} is not known."
        unchanged = sum(tracker.unchanged for tracker in drift.trackers)
        return f"{new} is the same as {old} ({pluralize(unchanged, 'customization')})."

    def _put_table(self) -> bool:
        """Put the table on the page; return whether all its rows fit."""
        pieces = self._render_rows()
        spare = self.page.half_room
        taken = self.page.take_all("table row", pieces, len(self.rows), spare=spare)
        if taken:
            self.page.take("\n")
        return taken == len(self.rows)

    def _render_rows(self) -> Iterator[str]:
        """Yield the table row by row. The first row comes with the head: neither stands alone."""
        several = len(self.drift.trackers) > 1
        words = self.words.name_kinds()
        counts = self.drift.count_changes()
        kinds = [kind for kind in words if kind != "recreated" or counts[kind]]
        names = ["model"]
        if several:
            names.insert(0, "tracker")
        numbers = [*(words[kind] for kind in kinds), "touch what shoppers see"]
        # Numbers are aligned to the right.
        rule = ["---"] * len(names) + ["---:"] * len(numbers)
        head = _render_row([*names, *numbers]) + _render_row(rule)
        alike = find_alike(model for _, model in self.rows)
        for tracker in self.drift.trackers:
            # Changes are sorted by model.
            for model, group in groupby(tracker.changes, key=lambda change: change.subject.model):
                name = _quote_name(spell_out(model) if model in alike else model)
                cells = [name, *_render_counts(list(group), kinds)]
                if several:
                    cells.insert(0, _quote_name(tracker.name))
                yield head + _render_row(cells)
                head = ""

    def _put_tracker(self, tracker: TrackerDrift, *, has_table: bool) -> None:
        """Put a tracker's section on the page; ``has_table``: the table above has all its rows."""
        several = len(self.drift.trackers) > 1
        if several:
            self.page.take(f"#### {_quote_name(tracker.name)}\n\n")
        parts = []
        if self.drift.has_changes or (several and not self.drift.is_complete):
            parts.append(self._describe_state(tracker, has_table=has_table))
        if _SAFE_ID.fullmatch(tracker.tracker_id):
            parts.append(f"[open in Luigi's Box]({_URL.format(tracker.tracker_id)})")
        if parts:
            self.page.take(" · ".join(parts) + "\n\n")
        if not self.style.summary:
            words = self.words.adapt_to(tracker)
            self._put_visible_changes(tracker, words)
            self._put_details(tracker, words, has_table=has_table)

    def _describe_state(self, tracker: TrackerDrift, *, has_table: bool) -> str:
        # A table with a single row has told the counts already.
        if has_table and tracker.changes and len(self.rows) == 1:
            return self.words.describe_unchanged(tracker.changes, tracker.unchanged)
        return self.words.describe_state(tracker)

    def _put_visible_changes(self, tracker: TrackerDrift, words: DriftWords) -> None:
        """Name the first changes that shoppers may see, above the fold."""
        # The details below the fold repeat these changes, so no omission is counted here.
        changes = [change for change in tracker.changes if change.effect == "shown"]
        gists = (" · ".join(words.summarize_change(change)) for change in changes[:_MAX_GISTS])
        pieces = (f"- {gist}\n" for gist in gists)
        taken = self.page.take_first(_prefix_first(_VISIBLE, pieces), spare=self.page.half_room)
        more = len(changes) - taken
        if taken and more:
            self.page.take(f"- … and {more:,} more\n\n")
        elif taken:
            self.page.take("\n")

    def _put_details(self, tracker: TrackerDrift, words: DriftWords, *, has_table: bool) -> None:
        # The table names the only model.
        one_model = has_table and len({model for _, model in self.rows}) == 1
        items = (
            render_item(words.describe_change(change), with_model=not one_model)
            for change in tracker.changes
        )
        pieces = _prefix_first(_OPEN, items)
        count = len(tracker.changes)
        if self.page.take_all("customization", pieces, count, spare=len(_CLOSE)):
            self.page.take(_CLOSE)


def _prefix_first(prefix: str, pieces: Iterable[str]) -> Iterator[str]:
    """Yield pieces, the first with a prefix: a heading that fits or is omitted with its piece."""
    for piece in pieces:
        yield prefix + piece
        prefix = ""


def _render_failure(tracker: TrackerDrift, error: PinsyncError) -> str:
    line = f"- {_quote_name(tracker.name)}: {quote_code(clip(error.message, _MAX_NOTE))}"
    if error.hint:
        line += f"; hint: {quote_code(clip(error.hint, _MAX_NOTE))}"
    return f"{line}\n"


def _quote_name(text: str) -> str:
    return quote_code(clip(reveal(text), MAX_VALUE))


def _render_counts(changes: Sequence[Change], kinds: Sequence[ChangeKind]) -> list[str]:
    """Return the cells with the counts of each kind, and of the changes that shoppers may see."""
    counts = Counter(change.kind for change in changes)
    shown = sum(change.effect == "shown" for change in changes)
    return [*(f"{counts[kind]:,}" for kind in kinds), f"{shown:,}"]


def _render_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
