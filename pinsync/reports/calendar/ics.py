"""A calendar for calendar programs (iCalendar, RFC 5545): an event for each window of a rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from icalendar import Calendar as Component
from icalendar import Event as EventComponent
from icalendar import vDatetime

from pinsync.canonical import render_value
from pinsync.canonical.moments import ALWAYS
from pinsync.escape import clip, defuse, one_line
from pinsync.reports.words.troubles import NEAR_MIDNIGHT, build_schedule_words
from pinsync.shelf.calendar import find_near_midnight, list_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.canonical.moments import Window
    from pinsync.reports import Style
    from pinsync.reports.words.troubles import ScheduleWords
    from pinsync.shelf.calendar import Calendar, Event

_PRODUCT: Final = "-//pinsync//pinsync calendar//EN"
# Never to be changed: every event of every subscriber would come twice.
_NAMESPACE: Final = UUID("6f3c1f0e-7c0b-5d2c-9a51-0f5c3c1d7b64")
_HOUR: Final = timedelta(hours=1)
_SECOND: Final = timedelta(seconds=1)
_LAST: Final = datetime.max.replace(microsecond=0, tzinfo=UTC)
_MAX_SUMMARY: Final = 120
_MAX_NAMED: Final = 3
"""The maximum number of pins in the summary of an event."""
_MAX_LISTED: Final = 100
"""The maximum number of pins in the description of an event."""


def render(calendar: Calendar, style: Style) -> str:
    """Return the calendar of a single tracker as an iCalendar object, with CRLF after each line.

    Args:
        calendar: the calendar; it has one tracker.
        style: the time zone of moments in descriptions. The times of events are in UTC.
    """
    (tracker,) = calendar.trackers
    words = build_schedule_words(tracker, style.zone)
    component = Component()
    component.add("prodid", _PRODUCT)
    component.add("version", "2.0")
    component.add("method", "PUBLISH")
    # RFC 7986 has NAME; many programs know only its forerunner.
    title = _make_safe(f"Pins of {one_line(tracker.name)}")
    component.add("name", title)
    component.add("x-wr-calname", title)
    changed_at = tracker.changed_at.astimezone(UTC).replace(microsecond=0)
    for event in list_events(calendar, tracker):
        component.add_component(_build_event(event, words, changed_at))
    text: str = component.to_ical().decode()
    return text


def _build_event(event: Event, words: ScheduleWords, changed_at: datetime) -> EventComponent:
    start, end = _find_times(event.window)
    component = EventComponent()
    component.add("uid", str(uuid5(_NAMESPACE, render_value(list(event.key)))))
    component.add("dtstamp", vDatetime(changed_at))
    component.add("last-modified", vDatetime(changed_at))
    component.add("dtstart", vDatetime(start))
    component.add("dtend", vDatetime(end))
    component.add("summary", _make_safe(_write_summary(event, words)))
    component.add("description", _make_safe("\n".join(_list_lines(event, words))))
    # A campaign makes nobody busy.
    component.add("transp", "TRANSPARENT")
    return component


def _find_times(window: Window) -> tuple[datetime, datetime]:
    """Return the start and the end of the event of a window, in whole seconds."""
    if window.start == ALWAYS.start:
        return _add_hour(_round_down(window.end))
    if window.end == ALWAYS.end:
        return _add_hour(_round_down(window.start))
    start, end = _round_down(window.start), _round_up(window.end)
    # RFC 5545, section 3.8.2.2: the end lies after the start. A leap second is no second here.
    return min(start, end - _SECOND), end


def _add_hour(moment: datetime) -> tuple[datetime, datetime]:
    """Return a moment and the moment an hour later; an hour earlier at the end of the year 9999."""
    if moment > _LAST - _HOUR:
        return moment - _HOUR, moment
    return moment, moment + _HOUR


def _round_down(instant: str) -> datetime:
    """Return the second of an instant; the next one for a leap second, which Python lacks."""
    minute = datetime.fromisoformat(f"{instant[:16]}Z")
    return _add(minute, timedelta(seconds=int(instant[17:19])))


def _round_up(instant: str) -> datetime:
    second = _round_down(instant)
    return _add(second, _SECOND) if "." in instant else second


def _add(moment: datetime, delta: timedelta) -> datetime:
    """Return the sum; the last moment of the year 9999 if it would be later."""
    try:
        return moment + delta
    except OverflowError:
        return _LAST


def _write_summary(event: Event, words: ScheduleWords) -> str:
    """Return the title of an event: its pins and its rule."""
    names = [words.describe_booked(pin) for pin in event.pins[:_MAX_NAMED]]
    if len(event.pins) > _MAX_NAMED:
        names.append(f"{len(event.pins) - _MAX_NAMED:,} more")
    verb = ""
    if event.window.start == ALWAYS.start:
        verb = "Ends: "
    elif event.window.end == ALWAYS.end:
        verb = "Starts: "
    rule = event.rule
    target = words.name_target(rule.item, rule.data)
    text = f"{verb}{', '.join(names)} · {words.format_value(rule.item.model)} · {target}"
    return clip(text, _MAX_SUMMARY)


def _list_lines(event: Event, words: ScheduleWords) -> Iterator[str]:
    """Yield the lines of an event's description."""
    yield words.name_schedule(event.rule)
    yield _capitalize(words.describe_span(event.window))
    for name, instant in zip(("start", "end"), event.window, strict=True):
        near = find_near_midnight(instant, words.zone)
        if near is not None:
            yield f"The {name} is {NEAR_MIDNIGHT[near]}."
    for pin in event.pins[:_MAX_LISTED]:
        yield words.describe_booked(pin, has_facts=True)
    if len(event.pins) > _MAX_LISTED:
        yield f"… {len(event.pins) - _MAX_LISTED:,} more …"


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _make_safe(text: str) -> str:
    """Return a text that no CI runner obeys wherever a line of the file is folded."""
    return defuse(text).replace("::", "\\u003a:")
