"""The report for a terminal, a mail or a log: a headline, groups of rules, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.words.entries import count_models
from pinsync.reports.words.overview import build_overview, list_changes
from pinsync.reports.words.rows import ALONE
from pinsync.reports.words.terminal import name_tracker, paint
from pinsync.reports.words.values import join_lines, measure_width, pad, pluralize, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.drift.record import Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.words.entries import Entry
    from pinsync.reports.words.overview import Group, Overview
    from pinsync.reports.words.rows import Cell, Row, Section, Spot

WIDTH: Final = 80
"""The width of a report in columns. Only a word that is longer exceeds it."""
_GAP: Final = "  "
_INDENT: Final = "  "
_EFFECTS: Final = {True: "changes", False: "stays"}
_EFFECT_WIDTH: Final = len("the shop")
_ACTION_WIDTH: Final = WIDTH - 2 * (_EFFECT_WIDTH + len(_GAP))


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
            yield paint(self.style, color, self._name_missing(overview.headline))
            return
        for line in wrap(self._name_missing(overview.headline), WIDTH):
            yield paint(self.style, "bold", line)
        yield from wrap(overview.movers, WIDTH)
        yield from self._render_notes()
        yield from self._render_groups()
        yield from self._render_actions()
        yield ""
        yield from self._render_end()

    def _render_failure(self, tracker: TrackerDrift, error: PinsyncError) -> Iterator[str]:
        headline = f"INCOMPLETE: {name_tracker(tracker)} could not be compared"
        yield paint(self.style, "alarm", headline)
        yield f"  error: {one_line(error.message)}"
        if error.hint:
            yield f"  hint: {one_line(error.hint)}"

    def _name_missing(self, text: str) -> str:
        """Return a sentence, with the names of the trackers that could not be compared."""
        missing = [one_line(tracker.name) for tracker in self.drift.trackers if tracker.error]
        if not missing or len(missing) == len(self.drift.trackers):
            return text
        return f"{text} NOT COMPARED: {', '.join(missing)}"

    def _render_notes(self) -> Iterator[str]:
        for note in self.drift.notes:
            yield f"note: {one_line(note)}"
        for tracker in self.drift.trackers:
            for note in tracker.notes:
                yield f"note: {one_line(tracker.name)}: {one_line(note)}"

    # The groups

    def _render_groups(self) -> Iterator[str]:
        if self.style.summary:
            yield ""
        for group in self.overview.groups:
            if self.style.summary:
                yield from self._render_heading(group, pluralize(len(group.changes), "rule"))
                continue
            yield ""
            yield from self._render_heading(group)
            for entry in group.describe():
                yield ""
                yield from self._render_entry(entry)

    def _render_heading(self, group: Group, count: str = "") -> Iterator[str]:
        heading = " · ".join(filter(None, [group.title, group.mover]))
        if count:
            heading += f": {count}"
        first, *rest = wrap(heading, WIDTH, hanging=_INDENT)
        yield paint(self.style, "bold", group.title) + first.removeprefix(group.title)
        yield from rest

    def _render_entry(self, entry: Entry) -> Iterator[str]:
        head = " ".join(filter(None, [entry.verdict, entry.details]))
        facts = [entry.name, entry.model, entry.widget, entry.tracker, entry.start, *entry.remarks]
        line = f"{head}{_GAP}{' · '.join(filter(None, facts))}"
        first, *rest = wrap(line, WIDTH, hanging=_INDENT)
        yield paint(self.style, "changed", entry.verdict) + first.removeprefix(entry.verdict)
        yield from rest
        for section in entry.sections:
            yield from self._render_section(section)
        for line in _join_facts([*entry.origins, entry.place], WIDTH - len(_INDENT)):
            yield _INDENT + paint(self.style, "dim", line)

    def _render_section(self, section: Section) -> Iterator[str]:
        if section.caption:
            yield f"{_INDENT}{section.caption}"
        width = max(measure_width(row.label) for row in section.rows)
        start = len(_INDENT) + width + len(_GAP)
        for row, lines in zip(section.rows, _lay_out(section.rows, WIDTH - start), strict=True):
            label = paint(self.style, "dim", pad(row.label, width))
            for line in lines:
                yield f"{_INDENT}{label}{_GAP}{line}"
                label = " " * width

    # The end

    def _render_actions(self) -> Iterator[str]:
        actions = self.overview.actions
        if not actions:
            return
        yield ""
        head = _add_effects("What you can do", ("the shop", "git"))
        yield paint(self.style, "bold", head)
        for action in actions:
            first, *rest = wrap(f"- {action.text}", _ACTION_WIDTH, hanging=_INDENT)
            yield _add_effects(first, (_EFFECTS[action.changes_shop], _EFFECTS[action.changes_git]))
            yield from rest
            for line in filter(None, [action.command, action.url]):
                yield f"{_INDENT}{_INDENT}{line}"

    def _render_end(self) -> Iterator[str]:
        counts = count_models(list_changes(self.drift))
        models = ", ".join(f"{one_line(model)} {count:,}" for model, count in counts.items())
        yield from wrap(f"Rules that differ: {models}", WIDTH, hanging=_INDENT)
        if len(self.drift.trackers) > 1:
            for tracker in self.drift.trackers:
                yield f"{_INDENT}{name_tracker(tracker)}: {_count(tracker)}"
        for line in wrap(" · ".join(self.overview.origins), WIDTH, hanging=_INDENT):
            yield paint(self.style, "dim", line)
        # The end of a log is seen first.
        if missing := self._name_missing(""):
            yield missing.lstrip()


def _count(tracker: TrackerDrift) -> str:
    if tracker.error:
        return "NOT COMPARED, see above"
    if not tracker.changes:
        return f"in sync ({pluralize(tracker.unchanged, 'rule')})"
    verb = "differs" if len(tracker.changes) == 1 else "differ"
    return f"{pluralize(len(tracker.changes), 'rule')} {verb}, {tracker.unchanged:,} agree"


def _add_effects(text: str, effects: tuple[str, str]) -> str:
    """Return a row of the table of actions: the text, and the effects on the shop and on git."""
    shop, git = effects
    return _GAP.join([pad(text, _ACTION_WIDTH), pad(shop, _EFFECT_WIDTH), git])


def _join_facts(facts: Iterable[str], room: int) -> list[str]:
    """Return lines of facts: a path with its line is never broken, since terminals link it."""
    lines: list[str] = []
    for fact in filter(None, facts):
        if lines and measure_width(f"{lines[-1]} · {fact}") <= room:
            lines[-1] += f" · {fact}"
        else:
            lines += wrap(fact, room)
    return lines


def _lay_out(rows: Sequence[Row], room: int) -> list[list[str]]:
    """Return the lines of each row: in columns if they fit, else cell after cell."""
    widths: dict[Spot, int] = {}
    for row in rows:
        for cell in row.cells:
            width = measure_width(cell.text)
            widths[cell.spot] = max(width, widths.get(cell.spot, 0))
    is_table = ALONE not in widths
    if is_table and sum(widths.values()) + len(_GAP) * (len(widths) - 1) <= room:
        return [[_align(row, widths)] for row in rows]
    return [_fill(row.cells, room) for row in rows]


def _align(row: Row, widths: Mapping[Spot, int]) -> str:
    """Return a row whose cells stand below those of the other row."""
    texts = {cell.spot: cell.text for cell in row.cells}
    return _GAP.join(pad(texts.get(spot, ""), widths[spot]) for spot in sorted(widths)).rstrip()


def _fill(cells: Iterable[Cell], room: int) -> list[str]:
    """Return lines of cells; only a cell that is longer than a line is broken, between words."""
    lines: list[str] = []
    # A broken cell has its last line for itself.
    is_open = False
    for cell in cells:
        parts = wrap(cell.text, room, hanging=_INDENT)
        width = measure_width(cell.text)
        if is_open and measure_width(lines[-1]) + len(_GAP) + width <= room:
            lines[-1] += _GAP + cell.text
        else:
            lines += parts
        is_open = len(parts) == 1
    return lines
