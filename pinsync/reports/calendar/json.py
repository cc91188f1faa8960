"""A calendar for programs: a versioned contract, described by ``calendar.schema.json``.

The contract grows only by new keys. A key with an unknown value is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinsync.canonical.moments import ALWAYS, format_utc
from pinsync.reports.words.record import encode, identify
from pinsync.shelf.calendar import find_near_midnight, get_instants
from pinsync.shelf.schedule import TROUBLE_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from pinsync.reports import Style
    from pinsync.shelf.calendar import Calendar, RuleSchedule, TrackerCalendar
    from pinsync.shelf.schedule import Booking, Step, Trouble

VERSION: Final = 1

Record = dict[str, Any]


def render(calendar: Calendar, style: Style) -> str:
    """Return the calendar as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        calendar: the calendar.
        style: the time zone whose midnight counts. Times are in UTC.
    """
    return encode(
        {
            "version": VERSION,
            "from": format_utc(calendar.start),
            "to": format_utc(calendar.end),
            "source": calendar.source.source,
            "revision": calendar.source.revision,
            "trackers": [_build_tracker(tracker, style.zone) for tracker in calendar.trackers],
        }
    )


def _build_tracker(tracker: TrackerCalendar, zone: tzinfo) -> Record:
    rules = [rule for rule in tracker.rules if not rule.is_quiet]
    counts = dict.fromkeys(TROUBLE_KINDS, 0)
    for rule in rules:
        for trouble in rule.schedule.troubles:
            counts[trouble.kind] += 1
    return {
        "name": tracker.name,
        "tracker_id": tracker.tracker_id,
        "rules": [_build_rule(rule, tracker.names, zone) for rule in rules],
        "counts": {
            "rules": len(tracker.rules),
            "steps": sum(len(rule.schedule.steps) for rule in rules),
            **counts,
        },
    }


def _build_rule(rule: RuleSchedule, titles: Mapping[str, str], zone: tzinfo) -> Record:
    schedule = rule.schedule
    return {
        **identify(rule.item, rule.data, rule.place),
        "pins": [_build_pin(booking, titles, zone) for booking in schedule.bookings],
        "steps": [_build_step(step, zone) for step in schedule.steps],
        "troubles": [_build_trouble(trouble) for trouble in schedule.troubles],
    }


def _build_pin(booking: Booking, titles: Mapping[str, str], zone: tzinfo) -> Record:
    identity = booking.pin.identity
    title = None if identity is None else titles.get(identity)
    start, end = get_instants(booking)
    state = "unclear"
    if booking.is_readable:
        state = "open" if booking.is_open else "never"
    return {
        "pin": booking.pin.data,
        "title": title,
        "window": state,
        "from_near_midnight": start and find_near_midnight(start, zone),
        "to_near_midnight": end and find_near_midnight(end, zone),
    }


def _build_step(step: Step, zone: tzinfo) -> Record:
    return {
        "at": f"{step.at}Z",
        "near_midnight": find_near_midnight(step.at, zone),
        "started": step.started,
        "ended": step.ended,
        "shelf": step.shelf,
        "active": step.size,
    }


def _build_trouble(trouble: Trouble) -> Record:
    start, end = trouble.span
    return {
        "kind": trouble.kind,
        "from": None if start == ALWAYS.start else f"{start}Z",
        "to": None if end == ALWAYS.end else f"{end}Z",
        "widget_id": trouble.widget,
        "positions": trouble.positions,
        "item": trouble.item,
        "pins": trouble.pins,
    }
