"""A calendar as a page: the troubles ahead, a timeline of pins, and the changes of shelves."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from pinsync.canonical.moments import ALWAYS, to_instant
from pinsync.escape import one_line
from pinsync.reports.html.cards import Line
from pinsync.reports.html.document import Page, render_page
from pinsync.reports.html.frame import build_tracker_line
from pinsync.reports.html.links import build_file_url
from pinsync.reports.html.timeline import build_axis, build_scale
from pinsync.reports.words.rows import ALONE, Cell
from pinsync.reports.words.terminal import name_tracker
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
from pinsync.reports.words.values import pluralize
from pinsync.shelf.calendar import find_near_midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pinsync.reports import Style
    from pinsync.reports.html.frame import TrackerLine
    from pinsync.reports.html.strips import Scale
    from pinsync.reports.html.timeline import Axis
    from pinsync.shelf.calendar import Calendar, RuleSchedule
    from pinsync.shelf.schedule import Booking, Step

MAX_LANES: Final = 100
"""The maximum number of pins of a rule on the timeline."""


class Heading(Struct, frozen=True):
    """The name of a rule above a card.

    Attributes:
        name: the name of the rule.
        model: the recommender model.
        tracker: the name of the tracker; empty if it is the only one.
        anchor: the name for links to the rule on the timeline.
        place: the file and the line; empty for the shop.
        url: the address of the line; empty without one.
    """

    name: str
    model: str
    tracker: str
    anchor: str
    place: str
    url: str


class Remark(NamedTuple):
    """A trouble, or a window that can't be read.

    Attributes:
        text: the trouble or the pin.
        span: the time of the trouble; empty for a window.
    """

    text: str
    span: str


class RemarkCard(Struct, frozen=True):
    """The troubles of a rule, or its windows that can't be read."""

    heading: Heading
    remarks: tuple[Remark, ...]


class Lane(NamedTuple):
    """A pin on the timeline.

    Attributes:
        identity: the identity of the item; empty without one.
        position: the position of the pin.
        thing: the title of the item, and the widget.
        span: the time in which the pin is active.
        kind: ``shown``, ``blocked``, or ``unclear`` if the window can't be read.
        start: the beginning of the bar.
        width: the width of the bar.
    """

    identity: str
    position: str
    thing: str
    span: str
    kind: str
    start: int
    width: int


class TimelineCard(Struct, frozen=True):
    """A rule on the timeline.

    Attributes:
        heading: the name of the rule.
        lanes: the pins that are active at some time of the calendar.
        remark: the number of such pins beyond the maximum, or that there are none; may be empty.
    """

    heading: Heading
    lanes: tuple[Lane, ...]
    remark: str


class ModelCards(NamedTuple):
    """The rules of a model on the timeline."""

    name: str
    cards: tuple[TimelineCard, ...]


class ChangeCard(Struct, frozen=True):
    """A change of a shelf.

    Attributes:
        heading: the name of the rule.
        lines: the pins that start, the pins that end, and the shelf afterwards.
    """

    heading: Heading
    lines: tuple[Line, ...]


class MomentCards(NamedTuple):
    """The changes at a moment.

    Attributes:
        moment: the moment.
        hint: a hint if the moment is one hour beside midnight; empty if it isn't.
        cards: the changes.
    """

    moment: str
    hint: str
    cards: tuple[ChangeCard, ...]


class CalendarGroup(Struct, frozen=True):
    """A section of the page.

    Attributes:
        anchor: the name for links to the section.
        when: the colour of the section: ``now``, ``later`` or ``never``.
        heading: the heading.
        count: the number in the table of contents.
        remarks: the cards of troubles or of windows.
        models: the cards of the timeline.
        moments: the cards of changes.
    """

    anchor: str
    when: str
    heading: str
    count: int
    remarks: tuple[RemarkCard, ...] = ()
    models: tuple[ModelCards, ...] = ()
    moments: tuple[MomentCards, ...] = ()


class Content(Struct, frozen=True):
    """The page as its template reads it.

    Attributes:
        headline: the source and the time of the calendar.
        counts: the numbers of rules, changes and troubles.
        groups: the sections of the page that aren't empty.
        axis: the scale of the timeline.
        quiet: the number of rules that the timeline leaves out; empty without any.
        counted: the recommender models, with the numbers of their cards.
        trackers: the trackers.
    """

    headline: str
    counts: str
    groups: tuple[CalendarGroup, ...]
    axis: Axis
    quiet: str
    counted: Mapping[str, int]
    trackers: tuple[TrackerLine, ...]


class _NamedRule(NamedTuple):
    """A rule with its name and the words of its tracker."""

    rule: RuleSchedule
    heading: Heading
    words: ScheduleWords


def render(calendar: Calendar, style: Style) -> str:
    """Return the calendar as an HTML page, with a final newline.

    Args:
        calendar: the calendar.
        style: the time zone, the hosts of pictures, and the address of the files.
    """
    words = ScheduleWords(style.zone, one_line)
    headline = words.write_headline(calendar)
    rules = list(_name_rules(calendar, style))
    groups = tuple(group for group in _build_groups(calendar, rules, words) if group.count)
    content = Content(
        headline=headline,
        counts=count_changes(calendar.trackers),
        groups=groups,
        axis=build_axis(calendar, words),
        quiet=_count_quiet(calendar, len(rules)),
        counted=_count_cards(groups),
        trackers=tuple(_list_trackers(calendar)),
    )
    return render_page("calendar.html", Page(f"pinsync: {headline}", style.hosts, content))


# The rules


def _name_rules(calendar: Calendar, style: Style) -> Iterator[_NamedRule]:
    """Yield the rules of all trackers of which there is something to tell."""
    scale = build_scale(calendar)
    number = 0
    for tracker in calendar.trackers:
        words = build_schedule_words(tracker, style.zone)
        label = name_tracker(tracker) if len(calendar.trackers) > 1 else ""
        for rule in tracker.rules:
            if rule.is_quiet and not _has_dates(rule, scale):
                continue
            number += 1
            place = ""
            if rule.place:
                place = one_line(f"{rule.place.file}:{rule.place.line}")
            heading = Heading(
                name=words.name_target(rule.item, rule.data),
                model=words.format_value(rule.item.model),
                tracker=label,
                anchor=f"rule-{number}",
                place=place,
                url=build_file_url(style.link_base, rule.place),
            )
            yield _NamedRule(rule, heading, words)


def _has_dates(rule: RuleSchedule, scale: Scale) -> bool:
    """Whether a pin with dates is active at some time of the calendar."""
    bookings = rule.schedule.bookings
    return any(booking.window != ALWAYS and _is_within(booking, scale) for booking in bookings)


def _is_within(booking: Booking, scale: Scale) -> bool:
    """Whether a pin is active at some time of the calendar."""
    start, end = booking.window
    return booking.is_open and start <= scale.last and scale.first < end


def _count_quiet(calendar: Calendar, shown: int) -> str:
    count = sum(len(tracker.rules) for tracker in calendar.trackers) - shown
    if not count:
        return ""
    rules = pluralize(count, "further rule" if shown else "rule")
    verb = "has" if count == 1 else "have"
    return f"{rules} {verb} no change, no trouble and no dates in this time."


def _list_trackers(calendar: Calendar) -> Iterator[TrackerLine]:
    is_alone = len(calendar.trackers) == 1
    for tracker in calendar.trackers:
        yield build_tracker_line(tracker, count_changes([tracker]), is_alone=is_alone)


# The sections


def _build_groups(
    calendar: Calendar, rules: Sequence[_NamedRule], words: ScheduleWords
) -> Iterator[CalendarGroup]:
    """Yield the sections of the page, also those that are empty."""
    start = to_instant(calendar.start)
    ahead = _build_remark_cards(rules, lambda named: _list_troubles(named, start, is_ahead=True))
    before = _build_remark_cards(rules, lambda named: _list_troubles(named, start, is_ahead=False))
    unreadable = _build_remark_cards(rules, _list_unreadable)
    yield CalendarGroup("ahead", "now", TROUBLES_AHEAD, _count_remarks(ahead), remarks=ahead)
    models = tuple(_build_models(rules, build_scale(calendar)))
    shown = sum(len(model.cards) for model in models)
    yield CalendarGroup("timeline", "never", "Timeline", shown, models=models)
    moments = tuple(_build_moments(rules, words))
    changes = sum(len(moment.cards) for moment in moments)
    yield CalendarGroup("changes", "later", "Changes", changes, moments=moments)
    yield CalendarGroup("before", "now", TROUBLES_BEFORE, _count_remarks(before), remarks=before)
    yield CalendarGroup(
        "unreadable", "now", UNREADABLE, _count_remarks(unreadable), remarks=unreadable
    )


def _count_cards(groups: Iterable[CalendarGroup]) -> Mapping[str, int]:
    """Return the recommender models of all cards, with the numbers of their cards."""
    counts: dict[str, int] = {}
    for group in groups:
        cards: list[RemarkCard | TimelineCard | ChangeCard] = [*group.remarks]
        for model in group.models:
            cards += model.cards
        for moment in group.moments:
            cards += moment.cards
        for card in cards:
            name = card.heading.model
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


# Troubles and windows


def _build_remark_cards(
    rules: Iterable[_NamedRule], list_remarks: Callable[[_NamedRule], Iterator[Remark]]
) -> tuple[RemarkCard, ...]:
    """Return a card for each rule that has remarks."""
    cards = [RemarkCard(named.heading, tuple(list_remarks(named))) for named in rules]
    return tuple(card for card in cards if card.remarks)


def _list_troubles(named: _NamedRule, start: str, *, is_ahead: bool) -> Iterator[Remark]:
    for trouble in named.rule.select_troubles(start, is_ahead=is_ahead):
        text = named.words.describe_trouble(trouble, named.rule.schedule)
        yield Remark(text, named.words.describe_span(trouble.span))


def _list_unreadable(named: _NamedRule) -> Iterator[Remark]:
    for booking in named.rule.schedule.unreadable:
        yield Remark(named.words.describe_booked(booking.pin, has_facts=True), "")


def _count_remarks(cards: Iterable[RemarkCard]) -> int:
    return sum(len(card.remarks) for card in cards)


# The timeline


def _build_models(rules: Iterable[_NamedRule], scale: Scale) -> Iterator[ModelCards]:
    """Yield the rules of each tracker and model."""
    for (tracker, model), group in groupby(rules, key=_get_tracker_and_model):
        cards = tuple(_build_timeline_card(named, scale) for named in group)
        yield ModelCards(" · ".join(filter(None, [tracker, model])), cards)


def _get_tracker_and_model(named: _NamedRule) -> tuple[str, str]:
    return named.heading.tracker, named.heading.model


def _build_timeline_card(named: _NamedRule, scale: Scale) -> TimelineCard:
    bookings = [each for each in named.rule.schedule.bookings if _is_within(each, scale)]
    lanes = tuple(_build_lane(booking, named.words, scale) for booking in bookings[:MAX_LANES])
    remark = ""
    if not bookings:
        remark = f"no pins: {LEFT}"
    elif len(bookings) > MAX_LANES:
        remark = f"… {len(bookings) - MAX_LANES:,} more …"
    return TimelineCard(named.heading, lanes, remark)


def _build_lane(booking: Booking, words: ScheduleWords, scale: Scale) -> Lane:
    pin = booking.pin
    tile = words.build_tile(pin)
    kind = "blocked" if pin.is_block else "shown"
    span = words.describe_span(booking.window)
    if not booking.is_readable:
        kind, span = "unclear", "the dates can't be read: the pin counts as always active"
    thing = tile.thing + words.describe_widget(pin)
    start, width = scale.measure(booking.window)
    return Lane(pin.identity or "", tile.position, thing, span, kind, start, width)


# The changes


def _build_moments(rules: Iterable[_NamedRule], words: ScheduleWords) -> Iterator[MomentCards]:
    """Yield the changes of all rules by time."""
    changes: list[tuple[str, ChangeCard]] = []
    for named in rules:
        changes += _build_changes(named)
    changes.sort(key=_get_instant)
    for at, group in groupby(changes, key=_get_instant):
        near = find_near_midnight(at, words.zone)
        hint = NEAR_MIDNIGHT[near] if near else ""
        yield MomentCards(words.format_instant(at), hint, tuple(card for _, card in group))


def _get_instant(change: tuple[str, ChangeCard]) -> str:
    return change[0]


def _build_changes(named: _NamedRule) -> Iterator[tuple[str, ChangeCard]]:
    """Yield the changes of a rule with their instants."""
    # Most pins stand on the shelf after several changes.
    cells: dict[int, Cell] = {}
    for step in named.rule.schedule.steps:
        for index in (*step.ended, *step.shelf[:MAX_SHOWN]):
            if index not in cells:
                cells[index] = _build_cell(named, index)
        yield step.at, ChangeCard(named.heading, tuple(_build_lines(named, step, cells)))


def _build_lines(named: _NamedRule, step: Step, cells: Mapping[int, Cell]) -> Iterator[Line]:
    """Yield the rows of a change."""
    if step.started:
        started = [_build_cell(named, index, has_facts=True) for index in step.started]
        yield Line("starts", tuple(started), is_shelf=False)
    if step.ended:
        yield Line("ends", tuple(cells[index] for index in step.ended), is_shelf=False)
    shelf = [cells[index] for index in step.shelf[:MAX_SHOWN]]
    if step.size > MAX_SHOWN:
        shelf.append(Cell(ALONE, f"… {step.size - MAX_SHOWN:,} more …", is_changed=False))
    if not shelf:
        shelf.append(Cell(ALONE, f"no pins: {LEFT}", is_changed=False))
    yield Line("then", tuple(shelf), is_shelf=False)


def _build_cell(named: _NamedRule, index: int, *, has_facts: bool = False) -> Cell:
    """Return the tile of a pin, with its widget; with its dates and other fields on demand."""
    words, pin = named.words, named.rule.schedule.bookings[index].pin
    facts = list(words.list_facts(pin)) if has_facts else []
    if widget := words.describe_widget(pin).strip():
        facts.insert(0, widget)
    return Cell(ALONE, "", is_changed=False, tile=words.build_tile(pin, facts))
