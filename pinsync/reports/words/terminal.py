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
    from pinsync.shelf.calendar import TrackerCalendar
    from pinsync.shelf.shelf import TrackerShelves

_Tracker = TypeVar("_Tracker", "BlamedTracker", "TrackerCalendar", "TrackerShelves")

# Parameters of "select graphic rendition" (ECMA-48, section 8.3.117).
_GOOD, _BAD, _CHANGED, _DIM, _ALARM = "32", "31", "33", "2", "1;31"
_PAINT: Final = {
    "alarm": _ALARM,
    "bold": "1",
    "dim": _DIM,
    "good": _GOOD,
    "changed": _CHANGED,
    "+": _GOOD,
    "-": _BAD,
    CHANGED: _CHANGED,
    "active": _GOOD,
    "upcoming": _CHANGED,
    "over": _DIM,
    "unclear": _ALARM,
}
"""Meaning of a text, sign of a change, or state of a pin → its colour."""


def paint(style: Style, name: str, text: str) -> str:
    """Colour a text if the style has colours; ``name`` is a key of ``_PAINT``."""
    return f"\x1b[{_PAINT[name]}m{text}\x1b[0m" if style.color else text


def name_tracker(
    tracker: TrackerDrift | BlamedTracker | TrackerCalendar | TrackerShelves,
) -> str:
    """Return the name of a tracker, followed by the tracker's id if there is one."""
    if not tracker.tracker_id:
        return one_line(tracker.name)
    return one_line(f"{tracker.name} ({tracker.tracker_id})")


def render_trackers(
    headline: str,
    trackers: Sequence[_Tracker],
    style: Style,
    render_tracker: Callable[[_Tracker], Iterator[str]],
) -> Iterator[str]:
    """Yield the headline and each tracker's lines; several trackers have headings."""
    yield paint(style, "bold", headline)
    for tracker in trackers:
        if len(trackers) > 1:
            yield ""
            yield paint(style, "bold", name_tracker(tracker))
        yield from render_tracker(tracker)


def render_change(change: Description, style: Style) -> Iterator[str]:
    """Yield the lines of a change: its customization, then a line for each pin and field.

    Args:
        change: the change in words.
        style: whether to colour.
    """
    sign = SIGNS.get(change.kind, CHANGED)
    title = paint(style, sign, f"{sign} {change.name.name}") + change.name.aside
    facts = [f"model {change.model}"]
    # The sign and the lines below say already that the customization changed.
    if change.kind != "changed":
        facts.append(change.verdict)
    yield " · ".join([title, *facts, *change.remarks])
    for mark, sentence in change.lines:
        yield f"    {paint(style, mark, mark)} {sentence}"
