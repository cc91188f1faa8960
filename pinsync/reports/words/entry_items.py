"""Groups of entries as markdown: a heading, and a list item for each rule, within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.escape import clip
from pinsync.reports.words.page import MAX_VALUE, quote_code
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.reports import Style
    from pinsync.reports.words.entries import Entry
    from pinsync.reports.words.overview import EntryGroup
    from pinsync.reports.words.page import Page
    from pinsync.reports.words.rows import Row

_MAX_SECTIONS: Final = 12
"""The maximum number of sections of an entry."""


def put_groups(page: Page, groups: Sequence[EntryGroup], style: Style) -> None:
    """Put the groups on a page; without their entries in a summary."""
    for index, group in enumerate(groups):
        # A long group leaves room for the groups below it.
        spare = 0 if index == len(groups) - 1 else page.half_room
        _put_group(page, group, style, spare)


def _put_group(page: Page, group: EntryGroup, style: Style, spare: int) -> None:
    parts = filter(None, [group.title.capitalize(), group.mover])
    heading = f"#### {' · '.join(parts)}: {pluralize(group.size, 'rule')}\n\n"
    if style.summary:
        page.take(heading)
        return
    pieces = prefix_first(heading, map(_render_entry, group.describe()))
    if page.take_all("rule", pieces, group.size, spare=spare):
        page.take("\n")


def _render_entry(entry: Entry) -> str:
    """Return an entry as a list item, with its rows as items below it."""
    facts = [f"**{entry.verdict}**"]
    if entry.details:
        facts[0] += f" {quote_code(entry.details)}"
    names = (entry.name, entry.model, entry.widget, entry.tracker, *entry.remarks)
    facts += [quote_code(name) for name in names if name]
    if entry.start:
        facts.append(f"**{entry.start}**")
    lines = [f"- {' · '.join(facts)}"]
    for section in entry.sections[:_MAX_SECTIONS]:
        if section.caption:
            lines.append(f"  - {quote_code(section.caption)}")
        lines += [f"  - {_render_cells(row)}" for row in section.rows]
    if len(entry.sections) > _MAX_SECTIONS:
        lines.append(f"  - … and {len(entry.sections) - _MAX_SECTIONS:,} more differences")
    tail = [quote_code(fact) for fact in (*entry.origins, entry.place) if fact]
    if tail:
        lines.append(f"  - {' · '.join(tail)}")
    return "\n".join(lines) + "\n"


def _render_cells(row: Row) -> str:
    parts = []
    for cell in row.cells:
        text = quote_code(clip(cell.text, MAX_VALUE * 2))
        parts.append(f"**{text}**" if cell.is_changed else text)
    return f"{row.label}: {' '.join(parts)}"


def prefix_first(prefix: str, pieces: Iterable[str]) -> Iterator[str]:
    """Yield pieces, the first with a prefix: a heading that fits or is omitted with its piece."""
    for piece in pieces:
        yield prefix + piece
        prefix = ""
