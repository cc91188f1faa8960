"""The report of a plan for a terminal, a mail or a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.escape import one_line
from pinsync.reports.plan.overview import build_plan_overview, count_planned
from pinsync.reports.words.entry_lines import INDENT, WIDTH, render_groups
from pinsync.reports.words.overview import describe_failure
from pinsync.reports.words.terminal import name_tracker, paint
from pinsync.reports.words.values import join_lines, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.plan.record import Plan
    from pinsync.reports import Style


def render(plan: Plan, style: Style) -> str:
    """Return the plan as lines for people, with a final newline.

    Args:
        plan: the plan.
        style: the time zone, whether to colour, and whether to leave out the rules themselves.
    """
    return join_lines(_render_lines(plan, style))


def _render_lines(plan: Plan, style: Style) -> Iterator[str]:
    overview = build_plan_overview(plan, style.zone, one_line)
    yield from _render_failures(plan, style)
    color = "bold" if plan.operations or not plan.drift.is_complete else "good"
    for line in wrap(overview.headline, WIDTH):
        yield paint(style, color, line)
    yield from wrap(overview.sentences, WIDTH)
    yield from _render_notes(plan)
    yield from render_groups(overview.groups, style)
    if overview.groups:
        yield ""
    if len(plan.trackers) > 1:
        for each in plan.trackers:
            yield f"{name_tracker(each.drift)}: {count_planned(each)}"
    for line in wrap(" · ".join(overview.origins), WIDTH, hanging=INDENT):
        yield paint(style, "dim", line)
    yield overview.checksum


def _render_failures(plan: Plan, style: Style) -> Iterator[str]:
    for tracker in plan.drift.trackers:
        if tracker.error:
            yield paint(style, "alarm", describe_failure(tracker, "planned"))
            yield f"  error: {one_line(tracker.error.message)}"
            if tracker.error.hint:
                yield f"  hint: {one_line(tracker.error.hint)}"


def _render_notes(plan: Plan) -> Iterator[str]:
    for note in plan.drift.notes:
        yield f"note: {one_line(note)}"
    for tracker in plan.drift.trackers:
        for note in tracker.notes:
            yield f"note: {one_line(tracker.name)}: {one_line(note)}"
