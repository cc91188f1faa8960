"""The words for the schedules of rules: spans of time, and the troubles in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.moments import ALWAYS, format_utc
from pinsync.escape import one_line
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import collect_identities
from pinsync.reports.words.slots import SlotWords, find_shared_titles
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from pinsync.canonical.moments import Window
    from pinsync.canonical.pins import Pin
    from pinsync.shelf.calendar import Calendar, NearMidnight, RuleSchedule, TrackerCalendar
    from pinsync.shelf.schedule import Schedule, Trouble

LEFT: Final = "the recommender chooses"
TROUBLES_AHEAD: Final = "Troubles ahead"
TROUBLES_BEFORE: Final = "Troubles already there"
UNREADABLE: Final = "Windows that can't be read, which count as always active"
MAX_SHOWN: Final = 20
"""The maximum number of pins on a shelf that is shown whole."""
NEAR_MIDNIGHT: Final[Mapping[NearMidnight, str]] = {
    "before": "one hour before midnight",
    "after": "one hour after midnight",
}


class ScheduleWords(SlotWords, frozen=True, kw_only=True):
    """Writes the schedules of rules without markup."""

    def write_headline(self, calendar: Calendar) -> str:
        """Return the source of a calendar, and its time in seconds."""
        origin = self.name_origin(calendar.source)
        return f"Changes of shelves in {origin}, {self._describe_limits(calendar)}"

    def _describe_limits(self, calendar: Calendar) -> str:
        start = format_utc(calendar.start.replace(microsecond=0))
        end = format_utc(calendar.end.replace(microsecond=0))
        return f"from {self.format_moment(start)} to {self.format_moment(end)}"

    def format_instant(self, instant: str) -> str:
        """Write an instant in the time zone of the report."""
        return self.format_moment(f"{instant}Z")

    def describe_span(self, span: Window) -> str:
        """Return a span of time in words: ``from 24 Dec 2026 00:00 CET until …``."""
        start = f"from {self.format_instant(span.start)}" if span.start != ALWAYS.start else ""
        end = f"until {self.format_instant(span.end)}" if span.end != ALWAYS.end else ""
        if start and end:
            return f"{start} {end}"
        return start or end or "at all times"

    def name_schedule(self, rule: RuleSchedule) -> str:
        """Return the name of a rule: its model, its target, and its place."""
        parts = [self.format_value(rule.item.model), self.name_target(rule.item, rule.data)]
        if rule.place:
            parts.append(one_line(f"{rule.place.file}:{rule.place.line}"))
        return " · ".join(parts)

    def describe_booked(self, pin: Pin, *, has_facts: bool = False) -> str:
        """Return a pin on its shelf, with its widget: ``#1 “Strings” in widget hero``.

        Args:
            pin: the pin.
            has_facts: whether to add the window and the other fields.
        """
        facts = list(self.list_facts(pin)) if has_facts else []
        text = self.build_tile(pin).write() + self.describe_widget(pin)
        return f"{text} ({', '.join(facts)})" if facts else text

    def describe_trouble(self, trouble: Trouble, schedule: Schedule) -> str:
        """Return a trouble in words, without its span."""
        if trouble.kind == "empty":
            return f"no pin is active: {LEFT}"
        names = " and ".join(
            self.name_thing(schedule.bookings[index].pin) for index in trouble.pins
        )
        if trouble.kind == "blocked":
            return f"{names} is both pinned and blocked"
        widget = ""
        if trouble.widget is not None:
            widget = f" in widget {self.format_value(trouble.widget)}"
        place = self._name_positions(trouble) + widget
        if trouble.kind == "gap":
            verb = "is" if "to" not in place.split() else "are"
            # The positions of a gap end right before one that is filled.
            filled = f"{self.sign}{trouble.positions[1] + 1}" if trouble.positions else ""
            return f"{place} {verb} empty, and {filled} is filled"
        return f"{place} is claimed by {names}"

    def _name_positions(self, trouble: Trouble) -> str:
        if trouble.positions is None:
            raise ValueError("a trouble without positions")
        first, last = trouble.positions
        if first == last:
            return f"{self.sign}{first}"
        return f"{self.sign}{first} to {self.sign}{last}"


def build_schedule_words(tracker: TrackerCalendar, zone: tzinfo) -> ScheduleWords:
    """Return the words for the calendar of a tracker."""
    pins: list[Pin] = []
    for rule in tracker.rules:
        pins += [booking.pin for booking in rule.schedule.bookings]
    alike = find_alike(collect_identities((rule.item for rule in tracker.rules), pins))
    shared = find_shared_titles(tracker.names)
    return ScheduleWords(
        zone,
        one_line,
        titles=tracker.names,
        alike=alike,
        shared=shared,
        images=tracker.images,
    )


def count_changes(trackers: Sequence[TrackerCalendar]) -> str:
    """Return the numbers of changes, troubles and rules: ``7 changes, 1 trouble; of 4 rules``."""
    steps, troubles, rules = 0, 0, 0
    for tracker in trackers:
        steps += len(tracker.list_steps())
        troubles += tracker.count_troubles()
        rules += len(tracker.rules)
    within = f" in {len(trackers)} trackers" if len(trackers) > 1 else ""
    numbers = f"{pluralize(steps, 'change')}, {pluralize(troubles, 'trouble')}"
    return f"{numbers}; of {pluralize(rules, 'rule')}{within}"
