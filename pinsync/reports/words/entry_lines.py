"""Groups of entries as lines for a terminal: headings, and the shelves of each rule in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.reports.words.rows import ALONE
from pinsync.reports.words.terminal import paint
from pinsync.reports.words.values import measure_width, pad, pluralize, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.reports import Style
    from pinsync.reports.words.entries import Entry
    from pinsync.reports.words.overview import EntryGroup
    from pinsync.reports.words.rows import Cell, Row, Section, Spot

WIDTH: Final = 80
"""The width of a report in columns. Only a word that is longer exceeds it."""
GAP: Final = "  "
INDENT: Final = "  "


def render_groups(groups: Iterable[EntryGroup], style: Style) -> Iterator[str]:
    """Yield the groups; without their entries in a summary.

    Args:
        groups: the groups.
        style: whether to colour, and whether to leave out the entries.
    """
    if style.summary:
        yield ""
    for group in groups:
        if style.summary:
            yield from render_group_heading(group, style, pluralize(group.size, "rule"))
            continue
        yield ""
        yield from render_group_heading(group, style)
        for entry in group.describe():
            yield ""
            yield from render_entry(entry, style)


def render_group_heading(group: EntryGroup, style: Style, count: str = "") -> Iterator[str]:
    """Yield the lines of a group's heading.

    Args:
        group: the group.
        style: whether to colour.
        count: the number of entries, with its noun; empty if the entries follow.
    """
    heading = " · ".join(filter(None, [group.title, group.mover]))
    if count:
        heading += f": {count}"
    first, *rest = wrap(heading, WIDTH, hanging=INDENT)
    yield paint(style, "bold", group.title) + first.removeprefix(group.title)
    yield from rest


def render_entry(entry: Entry, style: Style) -> Iterator[str]:
    """Yield the lines of an entry: its heading, the shelves of both sides, and who moved."""
    yield from render_entry_heading(entry, style)
    for section in entry.sections:
        yield from _render_section(section, style)
    for line in _join_facts([*entry.origins, entry.place], WIDTH - len(INDENT)):
        yield INDENT + paint(style, "dim", line)


def render_entry_heading(entry: Entry, style: Style) -> Iterator[str]:
    """Yield the lines of an entry's heading: what changed, and which rule it is."""
    head = " ".join(filter(None, [entry.verdict, entry.details]))
    facts = [entry.name, entry.model, entry.widget, entry.tracker, entry.start, *entry.remarks]
    line = f"{head}{GAP}{' · '.join(filter(None, facts))}"
    first, *rest = wrap(line, WIDTH, hanging=INDENT)
    yield paint(style, "changed", entry.verdict) + first.removeprefix(entry.verdict)
    yield from rest


def _render_section(section: Section, style: Style) -> Iterator[str]:
    if section.caption:
        yield f"{INDENT}{section.caption}"
    width = max(measure_width(row.label) for row in section.rows)
    start = len(INDENT) + width + len(GAP)
    for row, lines in zip(section.rows, _lay_out(section.rows, WIDTH - start), strict=True):
        label = paint(style, "dim", pad(row.label, width))
        for line in lines:
            yield f"{INDENT}{label}{GAP}{line}"
            label = " " * width


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
    if is_table and sum(widths.values()) + len(GAP) * (len(widths) - 1) <= room:
        return [[_align(row, widths)] for row in rows]
    return [_fill(row.cells, room) for row in rows]


def _align(row: Row, widths: Mapping[Spot, int]) -> str:
    """Return a row whose cells stand below those of the other row."""
    texts = {cell.spot: cell.text for cell in row.cells}
    return GAP.join(pad(texts.get(spot, ""), widths[spot]) for spot in sorted(widths)).rstrip()


def _fill(cells: Iterable[Cell], room: int) -> list[str]:
    """Return lines of cells; only a cell that is longer than a line is broken, between words."""
    lines: list[str] = []
    # A broken cell has its last line for itself.
    is_open = False
    for cell in cells:
        parts = wrap(cell.text, room, hanging=INDENT)
        width = measure_width(cell.text)
        if is_open and measure_width(lines[-1]) + len(GAP) + width <= room:
            lines[-1] += GAP + cell.text
        else:
            lines += parts
        is_open = len(parts) == 1
    return lines
