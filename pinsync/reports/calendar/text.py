"""A calendar for a terminal: the moments at which shelves change, then the troubles ahead."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.canonical.moments import to_instant
from pinsync.escape import one_line
from pinsync.reports.words.terminal import paint, render_trackers
from pinsync.reports.words.troubles import (
    LEFT,
    MAX_SHOWN,
    NEAR_MIDNIGHT,
    TROUBLES_AHEAD,
    TROUBLES_BEFORE,
    UNREADABLE,
    ScheduleWords,
    build_schedule_words,
    count_changes,
)
from pinsync.reports.words.values import join_lines
from pinsync.shelf.calendar import find_near_midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pinsync.reports import Style
    from pinsync.shelf.calendar import Calendar, RuleSchedule, TrackerCalendar
    from pinsync.shelf.schedule import Schedule, Step

    ListLines = Callable[[RuleSchedule, ScheduleWords], Iterator[str]]


def render(calendar: Calendar, style: Style) -> str:
    """Return the calendar as lines for people, with a final newline.

    Args:
        calendar: the calendar.
        style: the time zone, and whether to colour.
    """
    return join_lines(_Report(calendar, style).render_lines())


class _Report(Struct, frozen=True):
    calendar: Calendar
    style: Style

    def render_lines(self) -> Iterator[str]:
        words = ScheduleWords(self.style.zone, one_line)
        headline = words.write_headline(self.calendar)
        trackers = self.calendar.trackers
        yield from render_trackers(headline, trackers, self.style, self._render_tracker)
        yield ""
        yield count_changes(trackers)

    def _render_tracker(self, tracker: TrackerCalendar) -> Iterator[str]:
        words = build_schedule_words(tracker, self.style.zone)
        for at, rows in groupby(tracker.list_steps(), key=lambda row: row[1].at):
            yield ""
            yield self._write_moment(at, words)
            for rule, step in rows:
                yield f"  {words.name_schedule(rule)}"
                yield from _render_step(step, rule.schedule, words)
        start = to_instant(self.calendar.start)
        for heading, is_ahead in ((TROUBLES_AHEAD, True), (TROUBLES_BEFORE, False)):
            list_lines = partial(_list_troubles, start=start, is_ahead=is_ahead)
            yield from self._render_section(heading, tracker, words, list_lines)
        yield from self._render_section(UNREADABLE, tracker, words, _list_unreadable)

    def _write_moment(self, at: str, words: ScheduleWords) -> str:
        moment = paint(self.style, "bold", words.format_instant(at))
        near = find_near_midnight(at, self.style.zone)
        if near is None:
            return moment
        return f"{moment} · {paint(self.style, 'changed', NEAR_MIDNIGHT[near])}"

    def _render_section(
        self,
        heading: str,
        tracker: TrackerCalendar,
        words: ScheduleWords,
        list_lines: ListLines,
    ) -> Iterator[str]:
        """Yield the lines of the rules that have any, below a heading."""
        has_heading = False
        for rule in tracker.rules:
            lines = list(list_lines(rule, words))
            if not lines:
                continue
            if not has_heading:
                yield ""
                yield paint(self.style, "alarm", heading)
                has_heading = True
            yield f"  {words.name_schedule(rule)}"
            yield from (f"    {line}" for line in lines)


def _render_step(step: Step, schedule: Schedule, words: ScheduleWords) -> Iterator[str]:
    bookings = schedule.bookings
    for index in step.started:
        yield f"    starts  {words.describe_booked(bookings[index].pin, has_facts=True)}"
    for index in step.ended:
        yield f"    ends    {words.describe_booked(bookings[index].pin)}"
    shelf = [words.describe_booked(bookings[index].pin) for index in step.shelf[:MAX_SHOWN]]
    if step.size > MAX_SHOWN:
        shelf.append(f"… {step.size - MAX_SHOWN:,} more …")
    yield f"    then    {'  '.join(shelf) or f'no pins: {LEFT}'}"


def _list_troubles(
    rule: RuleSchedule, words: ScheduleWords, *, start: str, is_ahead: bool
) -> Iterator[str]:
    """Yield the troubles that begin within the time of the calendar, or the others."""
    for trouble in rule.select_troubles(start, is_ahead=is_ahead):
        what = words.describe_trouble(trouble, rule.schedule)
        yield f"{words.describe_span(trouble.span)}: {what}"


def _list_unreadable(rule: RuleSchedule, words: ScheduleWords) -> Iterator[str]:
    for booking in rule.schedule.unreadable:
        yield words.describe_booked(booking.pin, has_facts=True)
