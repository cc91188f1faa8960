"""The report for a page, such as a comment on a pull request, within a budget.

The headline stands first, then the groups of rules, the most important first; the counts stand
last. GitHub's limit for a comment is 65,536 characters; GitLab's limit is higher.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.drift.record import find_when
from pinsync.errors import UsageError
from pinsync.escape import clip, reveal
from pinsync.reports.words.entry_items import prefix_first, put_groups
from pinsync.reports.words.likeness import find_alike, spell_out
from pinsync.reports.words.overview import build_overview, build_url, list_changes
from pinsync.reports.words.page import (
    MARKER,
    MAX_CHARS,
    MAX_VALUE,
    MIN_CHARS,
    Page,
    measure,
    quote_code,
)
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.drift.record import Change, Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.words.overview import Action, Overview

_HEAD: Final = f"{MARKER}\n### pinsync: "
_MAX_NOTE: Final = 1_000


def render(drift: Drift, style: Style) -> str:
    """Return the drift as GitHub-flavoured markdown, with a final newline, within the budget.

    Args:
        drift: the drift.
        style: the time zone, whether to leave out the rules themselves, and the budget, which is
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
    overview = build_overview(drift, style.zone, _quote_name)
    # The end is rendered last, but needs its room first. It is longest if pieces are omitted:
    # reserve room for all counts only in a second attempt, which most reports don't need.
    for reserved in ({}, _count_pieces(drift, overview)):
        page = Page(limit - measure(_render_omissions(reserved)))
        text = _Report(drift, style, overview, page).render()
        if not page.omissions.total():
            break
    return text


def _count_pieces(drift: Drift, overview: Overview) -> dict[str, int]:
    """Return the number of pieces of each kind, the most that a report can omit."""
    trackers = drift.trackers
    return {
        "error": sum(tracker.error is not None for tracker in trackers),
        "note": len(drift.notes) + sum(len(tracker.notes) for tracker in trackers),
        "rule": sum(group.size for group in overview.groups),
        "action": len(overview.actions),
        "table row": sum(len(tracker.changes) for tracker in trackers),
    }


def _render_omissions(omissions: Mapping[str, int]) -> str:
    """Return the last line: the counts of omitted pieces."""
    counts = ", ".join(pluralize(count, noun) for noun, count in omissions.items() if count)
    if not counts:
        return ""
    whole = "The whole report: the same `pinsync diff` with `--format text`."
    return f"Left out to fit: {counts}. {whole}\n"


class _Report(Struct, frozen=True):
    drift: Drift
    style: Style
    overview: Overview
    page: Page

    def render(self) -> str:
        drift, overview = self.drift, self.overview
        if not self.page.take(f"{_HEAD}{overview.headline.removesuffix('.')}\n\n"):
            # The names of the sides may be too long for a small page.
            self.page.take(f"{_HEAD}{pluralize(len(list_changes(drift)), 'rule')} differ\n\n")
        self._put_failures()
        if overview.movers:
            self.page.take(f"{overview.movers}\n\n")
        self._put_notes()
        # The end has its room before the groups, which may take all of the page.
        end = Page(self.page.half_room)
        if drift.has_changes:
            self._put_end(end)
            groups = Page(self.page.room - measure(end.join()))
            put_groups(groups, self.overview.groups, self.style)
            self.page.take(groups.join())
            self.page.omissions.update(groups.omissions)
        else:
            self._put_origins(end)
        self.page.take(end.join())
        self.page.omissions.update(end.omissions)
        text = f"{self.page.join()}{_render_omissions(self.page.omissions)}"
        return text.rstrip("\n") + "\n"

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

    # The end

    def _put_end(self, page: Page) -> None:
        actions = self.overview.actions
        if actions:
            head = "| What you can do | the shop | git |\n| --- | --- | --- |\n"
            pieces = prefix_first(head, map(_render_action, actions))
            if page.take_all("action", pieces, len(actions)):
                page.take("\n")
        self._put_origins(page)
        rows = list(self._render_rows())
        # An entry names its model: only a summary needs a table of one row.
        is_needed = len(rows) > 1 or self.style.summary
        if is_needed and page.take_all("table row", rows, len(rows), spare=page.half_room):
            page.take("\n")

    def _put_origins(self, page: Page) -> None:
        parts = list(self.overview.origins)
        for tracker in self.drift.trackers:
            if url := build_url(tracker):
                name = ""
                if len(self.drift.trackers) > 1:
                    name = f" ({_quote_name(tracker.name)})"
                parts.append(f"[open in Luigi's Box]({url}){name}")
        page.take(f"{' · '.join(parts)}\n\n")

    def _render_rows(self) -> Iterator[str]:
        """Yield the table of models row by row; the first row comes with the head."""
        several = len(self.drift.trackers) > 1
        names = ["tracker", "model"] if several else ["model"]
        # Numbers are aligned to the right.
        rule = ["---"] * len(names) + ["---:"] * 3
        head = _render_row([*names, "now", "later", "no difference"]) + _render_row(rule)
        models: set[str] = set()
        for tracker in self.drift.trackers:
            models.update(change.subject.model for change in tracker.changes)
        alike = find_alike(models)
        for tracker in self.drift.trackers:
            # Changes are sorted by model.
            for model, group in groupby(tracker.changes, key=lambda change: change.subject.model):
                name = _quote_name(spell_out(model) if model in alike else model)
                cells = [name, *_count_times(list(group))]
                if several:
                    cells.insert(0, _quote_name(tracker.name))
                yield head + _render_row(cells)
                head = ""


def _render_action(action: Action) -> str:
    text = action.text[0].upper() + action.text[1:]
    if action.command:
        text += f": `{action.command}`"
    if action.url:
        text += f": [open it]({action.url})"
    return _render_row([text, *action.effects])


def _render_failure(tracker: TrackerDrift, error: PinsyncError) -> str:
    line = f"- {_quote_name(tracker.name)}: {quote_code(clip(error.message, _MAX_NOTE))}"
    if error.hint:
        line += f"; hint: {quote_code(clip(error.hint, _MAX_NOTE))}"
    return f"{line}\n"


def _quote_name(text: str) -> str:
    return quote_code(clip(reveal(text), MAX_VALUE))


def _count_times(changes: Sequence[Change]) -> list[str]:
    """Return the cells with the counts of changes that shoppers notice now, later and never."""
    counts = Counter(map(find_when, changes))
    return [f"{counts[when]:,}" for when in ("now", "later", "never")]


def _render_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
