"""The timeline of a calendar: one scale with ticks, and a lane for each pin."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.canonical.moments import format_utc, to_instant
from pinsync.reports.html.strips import Scale, read_minute
from pinsync.reports.words.values import name_month

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from pinsync.reports.words.troubles import ScheduleWords
    from pinsync.shelf.calendar import Calendar

_MAX_LABELS: Final = 7
"""The maximum number of labels: more of them don't stand side by side on a phone."""
_MAX_TICKS: Final = 62


class _Unit(NamedTuple):
    """The distance of ticks.

    Attributes:
        days: the number of days, for a year of average length.
        name: its name.
        months: the number of months; 0 for a unit of days.
    """

    days: float
    name: str
    months: int = 0


_MONTH: Final = 365.2425 / 12
_UNITS: Final = (
    _Unit(1, "day"),
    _Unit(7, "week"),
    _Unit(_MONTH, "month", 1),
    _Unit(3 * _MONTH, "quarter", 3),
    _Unit(12 * _MONTH, "year", 12),
    _Unit(120 * _MONTH, "decade", 120),
    _Unit(1_200 * _MONTH, "century", 1_200),
    _Unit(12_000 * _MONTH, "millennium", 12_000),
)


class Tick(NamedTuple):
    """A midnight in the time zone of the report.

    Attributes:
        place: the place of the midnight.
        label: the date; empty for a tick between two dates.
    """

    place: int
    label: str


class Axis(NamedTuple):
    """The scale of a timeline.

    Attributes:
        ticks: the midnights of the scale.
        caption: the meaning of its lines.
        mark: the place of the present; None if the scale doesn't hold it.
    """

    ticks: tuple[Tick, ...]
    caption: str
    mark: int | None


def build_scale(calendar: Calendar) -> Scale:
    """Return the places of the moments of a calendar."""
    return Scale(to_instant(calendar.start), to_instant(calendar.end))


def build_axis(calendar: Calendar, words: ScheduleWords) -> Axis:
    """Return the axis of a calendar.

    Args:
        calendar: the calendar.
        words: writes moments, and has the time zone of the ticks.
    """
    scale = build_scale(calendar)
    major, minor = _choose_units(calendar)
    ticks = [Tick(place, "") for _, place in _list_midnights(scale, minor, words.zone)]
    ticks += _label(list(_list_midnights(scale, major, words.zone)), major)
    sentences = []
    if ticks:
        sentences.append(f"There is a line for each {minor.name}, a date for each {major.name}.")
    mark = None
    if calendar.start <= calendar.now <= calendar.end:
        mark = scale.place(to_instant(calendar.now))
        now = format_utc(calendar.now.replace(second=0, microsecond=0))
        sentences.append(f"The strong line is today, {words.format_moment(now)}.")
    return Axis(tuple(ticks), " ".join(sentences), mark)


def _choose_units(calendar: Calendar) -> tuple[_Unit, _Unit]:
    """Return the unit of the labels, and the unit of the ticks between them."""
    days = (calendar.end - calendar.start).total_seconds() / 86_400
    smaller = _UNITS[0]
    for unit in _UNITS:
        if days / unit.days <= _MAX_LABELS:
            return unit, smaller if days / smaller.days <= _MAX_TICKS else unit
        smaller = unit
    return smaller, smaller


def _list_midnights(scale: Scale, unit: _Unit, zone: tzinfo) -> Iterator[tuple[date, int]]:
    """Yield the days at which a unit begins, with the places of their midnights in a zone."""
    for day in _list_days(scale, unit, zone):
        try:
            # If the clocks skip midnight, the day begins when they were set forward.
            midnight = datetime.combine(day, time.min, zone).astimezone(UTC)
        except OverflowError:
            # The years before 1 and after 9999.
            continue
        instant = to_instant(midnight)
        if scale.first <= instant <= scale.last:
            yield day, scale.place(instant)


def _list_days(scale: Scale, unit: _Unit, zone: tzinfo) -> Iterator[date]:
    """Yield the days at which a unit begins, from the first to the last day of a scale."""
    first, last = _find_day(scale.first, zone), _find_day(scale.last, zone)
    if unit.months:
        # Months are counted from January of the year 0.
        month = first.year * 12 + first.month - 1
        month += -month % unit.months
        end = last.year * 12 + last.month - 1
        for number in range(max(month, 12), end + 1, unit.months):
            yield date(number // 12, number % 12 + 1, 1)
    else:
        step = round(unit.days)
        # The first day of the year 1, which has the ordinal 1, is a Monday.
        start = first.toordinal() + (1 - first.toordinal()) % step
        for ordinal in range(start, last.toordinal() + 1, step):
            yield date.fromordinal(ordinal)


def _find_day(instant: str, zone: tzinfo) -> date:
    minute = read_minute(instant).replace(tzinfo=UTC)
    try:
        return minute.astimezone(zone).date()
    except OverflowError:
        return minute.date()


def _label(midnights: Sequence[tuple[date, int]], unit: _Unit) -> Iterator[Tick]:
    """Yield labelled ticks; only the first one of a year names the year."""
    year = 0
    for day, place in midnights:
        label = name_month(day.month)
        if not unit.months:
            label = f"{day.day} {label}"
        if unit.months >= 12:  # noqa: PLR2004 - a year
            label = f"{day.year:04d}"
        elif day.year != year:
            label += f" {day.year:04d}"
        year = day.year
        yield Tick(place, label)
