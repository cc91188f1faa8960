"""The report for a terminal, a mail or a log: a headline, groups of rules, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.words.entries import count_models
from pinsync.reports.words.entry_lines import GAP, INDENT, WIDTH, render_groups
from pinsync.reports.words.overview import (
    build_overview,
    count_rules,
    describe_failure,
    list_changes,
    name_missing,
)
from pinsync.reports.words.terminal import name_tracker, paint
from pinsync.reports.words.values import join_lines, pad, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.drift.record import Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.words.overview import Overview

_EFFECT_WIDTH: Final = len("the shop")
_ACTION_WIDTH: Final = WIDTH - 2 * (_EFFECT_WIDTH + len(GAP))


def render(drift: Drift, style: Style) -> str:
    """Return the drift as lines for people, with a final newline; one line if all is in sync.

    Args:
        drift: the drift.
        style: the time zone, whether to colour, and whether to leave out the rules themselves.
    """
    overview = build_overview(drift, style.zone, one_line)
    return join_lines(_Report(drift, style, overview).render_lines())


class _Report(Struct, frozen=True):
    drift: Drift
    style: Style
    overview: Overview

    def render_lines(self) -> Iterator[str]:
        drift, overview = self.drift, self.overview
        for tracker in drift.trackers:
            if tracker.error:
                yield from self._render_failure(tracker, tracker.error)
        if not drift.has_changes:
            yield from self._render_notes()
            color = "bold" if drift.has_changes is None else "good"
            yield paint(self.style, color, name_missing(drift, overview.headline))
            return
        for line in wrap(name_missing(drift, overview.headline), WIDTH):
            yield paint(self.style, "bold", line)
        yield from wrap(overview.movers, WIDTH)
        yield from self._render_notes()
        yield from render_groups(overview.groups, self.style)
        yield from self._render_actions()
        yield ""
        yield from self._render_end()

    def _render_failure(self, tracker: TrackerDrift, error: PinsyncError) -> Iterator[str]:
        yield paint(self.style, "alarm", describe_failure(tracker))
        yield f"  error: {one_line(error.message)}"
        if error.hint:
            yield f"  hint: {one_line(error.hint)}"

    def _render_notes(self) -> Iterator[str]:
        for note in self.drift.notes:
            yield f"note: {one_line(note)}"
        for tracker in self.drift.trackers:
            for note in tracker.notes:
                yield f"note: {one_line(tracker.name)}: {one_line(note)}"

    # The end

    def _render_actions(self) -> Iterator[str]:
        actions = self.overview.actions
        if not actions:
            return
        yield ""
        head = _add_effects("What you can do", ("the shop", "git"))
        yield paint(self.style, "bold", head)
        for action in actions:
            first, *rest = wrap(f"- {action.text}", _ACTION_WIDTH, hanging=INDENT)
            yield _add_effects(first, action.effects)
            yield from rest
            for line in filter(None, [action.command, action.url]):
                yield f"{INDENT}{INDENT}{line}"

    def _render_end(self) -> Iterator[str]:
        counts = count_models(list_changes(self.drift))
        models = ", ".join(f"{one_line(model)} {count:,}" for model, count in counts.items())
        yield from wrap(f"Rules that differ: {models}", WIDTH, hanging=INDENT)
        if len(self.drift.trackers) > 1:
            for tracker in self.drift.trackers:
                yield f"{INDENT}{name_tracker(tracker)}: {count_rules(tracker)}"
        for line in wrap(" · ".join(self.overview.origins), WIDTH, hanging=INDENT):
            yield paint(self.style, "dim", line)
        # The end of a log is seen first.
        if missing := name_missing(self.drift, ""):
            yield missing.lstrip()


def _add_effects(text: str, effects: tuple[str, str]) -> str:
    """Return a row of the table of actions: the text, and the effects on the shop and on git."""
    shop, git = effects
    return GAP.join([pad(text, _ACTION_WIDTH), pad(shop, _EFFECT_WIDTH), git])
