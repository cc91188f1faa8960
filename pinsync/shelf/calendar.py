"""The records of a calendar: the schedules of rules, and the events of their windows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec import Struct, field

from pinsync.canonical.fields import THING
from pinsync.canonical.moments import ALWAYS, read_moment, to_instant
from pinsync.drift.shoppers import render_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, tzinfo

    from pinsync.canonical.moments import Window
    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Place, Side
    from pinsync.model import Customization
    from pinsync.shelf.schedule import Booking, Schedule, Step, Trouble

NearMidnight = Literal["before", "after"]

# Clocks change by one hour, and so an end is one hour off with the offset of another season.
_NEAR_MIDNIGHT: Final[Mapping[tuple[int, int], NearMidnight]] = {
    (23, 0): "before",
    (1, 0): "after",
}


class RuleSchedule(Struct, frozen=True):
    """A customization with its schedule.

    Attributes:
        item: the customization.
        data: the fields of the customization, its model included.
        schedule: its schedule.
        place: the place of the customization in a file; None for the shop.
    """

    item: Customization
    data: Mapping[str, Any]
    schedule: Schedule
    place: Place | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is to be told of the rule."""
        schedule = self.schedule
        return not (schedule.steps or schedule.troubles or schedule.unreadable)

    def select_troubles(self, start: str, *, is_ahead: bool) -> list[Trouble]:
        """Return the troubles that begin at an instant or later, or those that began before."""
        troubles = self.schedule.troubles
        return [trouble for trouble in troubles if (trouble.span.start >= start) == is_ahead]


class TrackerCalendar(Struct, frozen=True):
    """The calendar of one tracker.

    Attributes:
        name: the tracker's name.
        tracker_id: the tracker's id.
        rules: the rules with their schedules, by model, in the order of the files.
        changed_at: the moment at which the rules were last changed, as far as that is known.
        names: identity → title of items, for known titles.
        images: identity → URL of items, for pictures that a report may load.
    """

    name: str
    tracker_id: str
    rules: tuple[RuleSchedule, ...]
    changed_at: datetime
    names: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)

    def list_steps(self) -> list[tuple[RuleSchedule, Step]]:
        """Return the changes of all shelves by time."""
        steps: list[tuple[RuleSchedule, Step]] = []
        for rule in self.rules:
            steps += [(rule, step) for step in rule.schedule.steps]
        return sorted(steps, key=_get_moment)

    def count_troubles(self) -> int:
        """Return the number of troubles."""
        return sum(len(rule.schedule.troubles) for rule in self.rules)


def _get_moment(row: tuple[RuleSchedule, Step]) -> str:
    return row[1].at


class Calendar(Struct, frozen=True):
    """The calendars of all trackers.

    Attributes:
        start: the first moment.
        end: the last moment.
        now: the present.
        source: the source of the customizations.
        trackers: the trackers in the order of the configuration.
    """

    start: datetime
    end: datetime
    now: datetime
    source: Side
    trackers: tuple[TrackerCalendar, ...]


class Event(NamedTuple):
    """The pins of a rule that share a window.

    Attributes:
        key: texts that tell the event from all others, and stay when dates and positions change.
        rule: the rule.
        window: the window.
        pins: the pins in the order of the shelf.
    """

    key: tuple[str, ...]
    rule: RuleSchedule
    window: Window
    pins: tuple[Pin, ...]


def list_events(calendar: Calendar, tracker: TrackerCalendar) -> list[Event]:
    """Return the events of a tracker that touch the time of a calendar, by time.

    Pins without a window, with one that can't be read, or with one that is never open, have none.
    """
    start, end = to_instant(calendar.start), to_instant(calendar.end)
    # Over all rules, since two rules without an id may have the same target.
    counts: Counter[tuple[str, ...]] = Counter()
    events: list[Event] = []
    for rule in tracker.rules:
        events += _build_events(tracker, rule, counts)
    touching = [event for event in events if event.window.start <= end and start < event.window.end]
    return sorted(touching, key=_get_window)


def _get_window(event: Event) -> tuple[Window, tuple[str, ...]]:
    return event.window, event.key


def _build_events(
    tracker: TrackerCalendar, rule: RuleSchedule, counts: Counter[tuple[str, ...]]
) -> Iterator[Event]:
    """Yield the events of a rule, and count each of their keys."""
    groups: dict[Window, list[Pin]] = {}
    for booking in rule.schedule.bookings:
        # A window that can't be read is ALWAYS too.
        if booking.is_open and booking.window != ALWAYS:
            groups.setdefault(booking.window, []).append(booking.pin)
    rule_key = _build_rule_key(tracker, rule.item)
    # The counter grows with time: an edited end leaves the order of a pin's seasons as it is.
    for window in sorted(groups):
        seasons: set[tuple[str, ...]] = set()
        for pin in groups[window]:
            seasons.add((*rule_key, *_build_pin_key(pin)))
        keys = [(*season, str(counts[season])) for season in sorted(seasons)]
        counts.update(seasons)
        # One pin names the event, so that other pins may come and go.
        yield Event(keys[0], rule, window, tuple(groups[window]))


def _build_rule_key(tracker: TrackerCalendar, item: Customization) -> tuple[str, ...]:
    if item.id is not None:
        return tracker.tracker_id, "id", item.id
    target = item.target
    fields = {"identity": target.identity, "criteria": target.criteria}
    return tracker.tracker_id, "target", item.model, target.type, render_fields(fields, fields)


def _build_pin_key(pin: Pin) -> tuple[str, str]:
    return render_fields(pin.data, THING), render_fields(pin.data, ("widget_id",))


def collect_named_items(rules: Iterable[RuleSchedule]) -> frozenset[str]:
    """Return the identities of all items that a report of schedules names: targets and pins."""
    identities: set[str | None] = set()
    for rule in rules:
        identities.add(rule.item.target.identity)
        identities.update(booking.pin.identity for booking in rule.schedule.bookings)
    return frozenset(identity for identity in identities if identity is not None)


def find_near_midnight(instant: str, zone: tzinfo) -> NearMidnight | None:
    """Return whether an instant is one hour before or after midnight in a zone; None if neither.

    Somebody who writes midnight with the offset of the other half of the year misses it by an hour.
    """
    parts = read_moment(f"{instant}Z")
    if parts is None or parts[1]:
        return None
    try:
        local = parts[0].astimezone(zone)
    except OverflowError:
        # The years before 1 and after 9999.
        return None
    if local.second:
        return None
    return _NEAR_MIDNIGHT.get((local.hour, local.minute))


def get_instants(booking: Booking) -> tuple[str | None, str | None]:
    """Return the ends of a pin's window as instants; None for an end that is missing."""
    start, end = booking.window
    return (
        None if start == ALWAYS.start else start,
        None if end == ALWAYS.end else end,
    )
