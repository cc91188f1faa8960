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
from pinsync.reports.words.entry_items import prefix_first, put_groups
from pinsync.reports.words.likeness import find_alike, spell_out
from pinsync.reports.words.overview import build_overview, build_url, list_changes
from pinsync.reports.words.page import MARKER, Page, choose_limit, measure
from pinsync.reports.words.page_parts import (
    count_remarks,
    put_failures,
    put_notes,
    quote_name,
    render_omissions,
)
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.drift.record import Change, Drift
    from pinsync.reports import Style
    from pinsync.reports.words.overview import Action, Overview

_HEAD: Final = f"{MARKER}\n### pinsync: "
_WHOLE: Final = "The whole report: the same `pinsync diff` with `--format text`."


def render(drift: Drift, style: Style) -> str:
    """Return the drift as GitHub-flavoured markdown, with a final newline, within the budget.

    Args:
        drift: the drift.
        style: the time zone, whether to leave out the rules themselves, and the budget, which is
            ``MAX_CHARS`` by default and at most.

    Raises:
        UsageError: the budget is below ``MIN_CHARS``.
    """
    limit = choose_limit(style.max_chars)
    overview = build_overview(drift, style.zone, quote_name)
    # The end is rendered last, but needs its room first. It is longest if pieces are omitted:
    # reserve room for all counts only in a second attempt, which most reports don't need.
    for reserved in ({}, _count_pieces(drift, overview)):
        page = Page(limit - measure(render_omissions(reserved, _WHOLE)))
        text = _Report(drift, style, overview, page).render()
        if not page.omissions.total():
            break
    return text


def _count_pieces(drift: Drift, overview: Overview) -> dict[str, int]:
    """Return the number of pieces of each kind, the most that a report can omit."""
    return {
        **count_remarks(drift),
        "rule": sum(group.size for group in overview.groups),
        "action": len(overview.actions),
        "table row": sum(len(tracker.changes) for tracker in drift.trackers),
    }


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
        put_failures(self.page, drift, "compared")
        if overview.movers:
            self.page.take(f"{overview.movers}\n\n")
        put_notes(self.page, drift)
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
        text = f"{self.page.join()}{render_omissions(self.page.omissions, _WHOLE)}"
        return text.rstrip("\n") + "\n"

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
                    name = f" ({quote_name(tracker.name)})"
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
                name = quote_name(spell_out(model) if model in alike else model)
                cells = [name, *_count_times(list(group))]
                if several:
                    cells.insert(0, quote_name(tracker.name))
                yield head + _render_row(cells)
                head = ""


def _render_action(action: Action) -> str:
    text = action.text[0].upper() + action.text[1:]
    if action.command:
        text += f": `{action.command}`"
    if action.url:
        text += f": [open it]({action.url})"
    return _render_row([text, *action.effects])


def _count_times(changes: Sequence[Change]) -> list[str]:
    """Return the cells with the counts of changes that shoppers notice now, later and never."""
    counts = Counter(map(find_when, changes))
    return [f"{counts[when]:,}" for when in ("now", "later", "never")]


def _render_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
