"""The report of a plan for a page, such as a comment on a pull request, within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.errors import UsageError
from pinsync.escape import clip, reveal
from pinsync.reports.plan.overview import build_plan_overview
from pinsync.reports.words.entry_items import put_groups
from pinsync.reports.words.page import (
    MAX_CHARS,
    MAX_VALUE,
    MIN_CHARS,
    Page,
    measure,
    quote_code,
)
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.plan.record import Plan
    from pinsync.reports import Style
    from pinsync.reports.plan.overview import PlanOverview

MARKER: Final = "<!-- pinsync plan -->"
"""The first line: a job finds its earlier plan by it, and not the report of a drift."""
_HEAD: Final = f"{MARKER}\n### pinsync: "
_MAX_NOTE: Final = 1_000


def render(plan: Plan, style: Style) -> str:
    """Return the plan as GitHub-flavoured markdown, with a final newline, within the budget.

    Args:
        plan: the plan.
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
    overview = build_plan_overview(plan, style.zone, _quote_name)
    # A later run is held to the checksum, so it is never omitted.
    end = f"{overview.checksum}\n"
    # As in the report of a drift: the last line needs its room first.
    for reserved in ({}, _count_pieces(plan, overview)):
        page = Page(limit - measure(end) - measure(_render_omissions(reserved)))
        text = _Report(plan, style, overview, page).render()
        if not page.omissions.total():
            break
    return f"{text}{end}{_render_omissions(page.omissions)}"


def _count_pieces(plan: Plan, overview: PlanOverview) -> dict[str, int]:
    """Return the number of pieces of each kind, the most that a report can omit."""
    trackers = plan.drift.trackers
    return {
        "error": sum(tracker.error is not None for tracker in trackers),
        "note": len(plan.drift.notes) + sum(len(tracker.notes) for tracker in trackers),
        "rule": sum(group.size for group in overview.groups),
    }


def _render_omissions(omissions: Mapping[str, int]) -> str:
    """Return the last line: the counts of omitted pieces."""
    counts = ", ".join(pluralize(count, noun) for noun, count in omissions.items() if count)
    if not counts:
        return ""
    whole = "The whole plan: the same `pinsync plan` with `--format text`."
    return f"Left out to fit: {counts}. {whole}\n"


class _Report(Struct, frozen=True):
    plan: Plan
    style: Style
    overview: PlanOverview
    page: Page

    def render(self) -> str:
        page, overview = self.page, self.overview
        page.take(f"{_HEAD}{overview.headline.removesuffix('.')}\n\n")
        self._put_failures()
        if overview.sentences:
            page.take(f"{overview.sentences}\n\n")
        self._put_notes()
        origins = f"{' · '.join(overview.origins)}\n\n"
        groups = Page(page.room - measure(origins))
        put_groups(groups, overview.groups, self.style)
        page.take(groups.join())
        page.omissions.update(groups.omissions)
        page.take(origins)
        return page.join()

    def _put_failures(self) -> None:
        trackers = self.plan.drift.trackers
        failures = [(tracker.name, tracker.error) for tracker in trackers if tracker.error]
        if not failures:
            return
        count = f"{len(failures):,} of {pluralize(len(trackers), 'tracker')}"
        self.page.take(f"**INCOMPLETE:** {count} could not be planned.\n\n")
        items = []
        for name, error in failures:
            line = f"- {_quote_name(name)}: {quote_code(clip(error.message, _MAX_NOTE))}"
            if error.hint:
                line += f"; hint: {quote_code(clip(error.hint, _MAX_NOTE))}"
            items.append(f"{line}\n")
        self._put_list("error", items)

    def _put_notes(self) -> None:
        notes = list(self.plan.drift.notes)
        for tracker in self.plan.drift.trackers:
            notes += [f"{tracker.name}: {note}" for note in tracker.notes]
        self._put_list("note", [f"- note: {quote_code(clip(note, _MAX_NOTE))}\n" for note in notes])

    def _put_list(self, noun: str, items: list[str]) -> None:
        if self.page.take_all(noun, items, len(items), spare=self.page.half_room):
            self.page.take("\n")


def _quote_name(text: str) -> str:
    return quote_code(clip(reveal(text), MAX_VALUE))
