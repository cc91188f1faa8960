"""Text for terminals: colours, headings of trackers, and the lines of one change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pinsync.escape import one_line
from pinsync.reports.words.changes import CHANGED, SIGNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pinsync.drift.record import TrackerDrift
    from pinsync.history.record import BlamedTracker
    from pinsync.reports import Style
    from pinsync.reports.words.changes import Description
    from pinsync.shelf.shelf import TrackerShelves

_Tracker = TypeVar("_Tracker", "BlamedTracker", "TrackerShelves")

_GOOD, _BAD, _CHANGED, _DIM, _ALARM = "32", "31", "33", "2", "1;31"
_PAINT: Final = {
    "alarm": _ALARM,
    "bold": "1",
    "dim": _DIM,
    "good": _GOOD,
    "+": _GOOD,
    "-": _BAD,
    CHANGED: _CHANGED,
    "active": _GOOD,
    "upcoming": _CHANGED,
    "over": _DIM,
    "unclear": _ALARM,
}
"""Parameters of "select graphic rendition" (ECMA-48, section 8.3.117)."""


def paint(style: Style, name: str, text: str) -> str:
    """Return a text in the colour of what it is (a key of ``_PAINT``), if colours are wanted."""
    return f"\x1b[{_PAINT[name]}m{text}\x1b[0m" if style.color else text


def name_tracker(tracker: TrackerDrift | BlamedTracker | TrackerShelves) -> str:
    """Return what a person calls a tracker: its name, and its id if it has one."""
    return one_line(f"{tracker.name} ({tracker.tracker_id})" if tracker.tracker_id else tracker.name)


def render_trackers(
    headline: str, trackers: Sequence[_Tracker], style: Style, lines: Callable[[_Tracker], Iterator[str]]
) -> Iterator[str]:
    """Yield a page: its headline, and each tracker's lines, below its name where there are several."""
    yield paint(style, "bold", headline)
    for tracker in trackers:
        if len(trackers) > 1:
            yield ""
            yield paint(style, "bold", name_tracker(tracker))
        yield from lines(tracker)


def render_change(entry: Description, style: Style) -> Iterator[str]:
    """Yield the lines of a change: what changed and where it stands, and below it a line for each pin and field.

    Args:
        entry: the change in words.
        style: whether to colour.
    """
    sign = SIGNS.get(entry.kind, CHANGED)
    verdict = [] if entry.kind == "changed" else [entry.verdict]
    facts = [f"model {entry.model}", *verdict, *entry.remarks]
    yield " · ".join([paint(style, sign, f"{sign} {entry.name.name}") + entry.name.aside, *facts])
    yield from (f"    {paint(style, mark, mark)} {sentence}" for mark, sentence in entry.lines)
    if entry.last_update:
        yield f"      {paint(style, 'dim', entry.last_update)}"
