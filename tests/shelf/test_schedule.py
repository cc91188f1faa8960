"""Schedules: a sweep over the ends of windows finds what sampling of every moment finds."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync.canonical.moments import ALWAYS, Window, format_utc
from pinsync.drift.shoppers import render_thing
from pinsync.shelf.overlaps import Timeline, find_held_spot
from pinsync.shelf.schedule import (
    MAX_INVOLVED,
    MAX_POSITION,
    MAX_SHELF,
    Schedule,
    Trouble,
    build_schedule,
)
from support.drifts import pin
from support.strategies import QUICK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pinsync.canonical.pins import Pin

Row = dict[str, Any]

FIRST = datetime(2026, 12, 24, tzinfo=UTC)
ODD_MOMENTS = (
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2016-12-31T23:59:60Z"),
    *("2026-12-24T00:00:01.5Z", "2026-12-24T01:00:02+01:00"),
)
UNREADABLE = ("2026-12-24", "2026-12-24T00:00:01", "soon", "2027-02-30T00:00:00Z")


def second(number: int) -> str:
    return format_utc(FIRST + timedelta(seconds=number))


MOMENTS = st.one_of(
    st.none(),
    st.integers(0, 6).map(second),
    st.sampled_from(ODD_MOMENTS),
    st.sampled_from(UNREADABLE),
)
PINS = st.fixed_dictionaries(
    {
        "position": st.sampled_from([-1, 0, 1, 1, 2, 3, 5, 49, 50, 51, 10**9, -3]),
        "pin_type": st.sampled_from(["item", "item", "item", "criteria"]),
        "pin_identity": st.sampled_from(["/p/1/", "/p/2/", "/p/3/"]),
    },
    optional={
        "widget_id": st.sampled_from(["hero", "side"]),
        "is_block_pin": st.just(True),
        "active_from": MOMENTS,
        "active_to": MOMENTS,
    },
)
INSTANTS = st.integers(-1, 8).map(second).map(lambda text: text.removesuffix("Z"))


def schedule(*pins: Row, limits: Window = ALWAYS) -> Schedule:
    return build_schedule({"pin_definitions": list(pins)}, limits)


def active(found: Schedule, at: str) -> list[int]:
    """The pins that are active at an instant, each looked at by itself."""
    return [
        index
        for index, booking in enumerate(found.bookings)
        if booking.window.start <= at < booking.window.end
    ]


def things(found: Schedule, at: str) -> Counter[str]:
    return Counter(render_thing(found.bookings[index].pin) for index in active(found, at))


def troubles_at(pins: list[Pin]) -> set[tuple[object, ...]]:
    """The troubles of the active pins of a rule, found by their definitions."""
    if not pins:
        return {("empty", None, None)}
    spots: defaultdict[Any, list[Pin]] = defaultdict(list)
    for one in pins:
        if spot := find_held_spot(one):
            spots[spot].append(one)
    return {*_gaps(spots), *_conflicts(spots), *_blocked_items(pins)}


def _gaps(spots: Collection[Any]) -> Iterator[tuple[object, ...]]:
    for widget, highest in spots:
        for position in range(1, min(highest, MAX_POSITION + 1)):
            if (widget, position) not in spots:
                yield "gap", widget, position


def _conflicts(spots: Mapping[Any, list[Pin]]) -> Iterator[tuple[object, ...]]:
    for (widget, position), holders in spots.items():
        for one in holders:
            if any(one is not other and not one.shows_item_of(other) for other in holders):
                yield "conflict", widget, position


def _blocked_items(pins: list[Pin]) -> Iterator[tuple[object, ...]]:
    for one in pins:
        for other in pins:
            is_block = other.is_block and not one.is_block and one.shows_item_of(other)
            if is_block and other.widget in (None, one.widget):
                yield "blocked", None, one.item


def spell_out(trouble: Trouble) -> set[tuple[object, ...]]:
    if trouble.positions is None:
        return {(trouble.kind, None, trouble.item)}
    first, last = trouble.positions
    return {(trouble.kind, trouble.widget, position) for position in range(first, last + 1)}


def list_samples(found: Schedule) -> list[str]:
    """The beginning of time, every end of a window, and moments just before and after it."""
    samples = {second(number).removesuffix("Z") for number in range(-2, 9)}
    for booking in found.bookings:
        for instant in set(booking.window) - set(ALWAYS):
            # Instants are texts: a shorter one is earlier, and a longer one is later.
            samples.update((instant, f"{instant}.000000001", instant[:-1]))
    return [ALWAYS.start, *sorted(samples)]


def check_schedule(pins: list[Row]) -> None:
    found = schedule(*pins)
    steps = {step.at: step for step in found.steps}
    assert [step.at for step in found.steps] == sorted(steps)
    samples = list_samples(found)
    before: Counter[str] = Counter()
    for sample in samples:
        now = things(found, sample)
        # A shelf changes at the steps, and nowhere else.
        if sample in steps:
            step = steps[sample]
            started = Counter(render_thing(found.bookings[index].pin) for index in step.started)
            ended = Counter(render_thing(found.bookings[index].pin) for index in step.ended)
            assert started or ended
            assert before - ended + started == now
            assert not started & ended
            assert list(step.shelf) == active(found, sample)
            assert step.size == len(step.shelf)
        elif sample != ALWAYS.start:
            assert before == now, sample
        before = now
        shown = [found.bookings[index].pin for index in active(found, sample)]
        expected = troubles_at(shown) if pins else set()
        told: list[tuple[object, ...]] = []
        for trouble in found.troubles:
            if trouble.span.start <= sample < trouble.span.end:
                told += spell_out(trouble)
        assert set(told) == expected
        # No trouble is told twice.
        assert len(told) == len(expected)
    # A span begins and ends where the trouble does: two spans of a trouble don't touch.
    ends = [(spell, one.span.end) for one in found.troubles for spell in spell_out(one)]
    starts = [(spell, one.span.start) for one in found.troubles for spell in spell_out(one)]
    assert not set(ends) & set(starts)


@given(st.lists(PINS, max_size=8))
@settings(QUICK)
def test_the_sweep_finds_what_sampling_finds(pins: list[Row]) -> None:
    check_schedule(pins)


@pytest.mark.long
@given(st.lists(PINS, max_size=12))
@settings(QUICK, max_examples=5_000)
def test_the_sweep_finds_what_sampling_finds_in_thousands(pins: list[Row]) -> None:
    check_schedule(pins)


@given(st.lists(PINS, max_size=6), INSTANTS, INSTANTS)
@settings(QUICK)
def test_limits_choose_among_all_steps_and_troubles(pins: list[Row], one: str, other: str) -> None:
    start, end = sorted((one, other))
    whole, part = schedule(*pins), schedule(*pins, limits=Window(start, end))
    assert list(part.steps) == [step for step in whole.steps if start <= step.at <= end]
    assert list(part.troubles) == [
        trouble
        for trouble in whole.troubles
        if trouble.span.start <= end and trouble.span.end > start
    ]


def test_a_trouble_that_ends_when_the_time_starts_is_over() -> None:
    row = pin(1, "/p/1/", {"active_from": second(1), "active_to": second(3)})
    limits = [Window(second(start)[:-1], second(end)[:-1]) for start, end in ((1, 3), (1, 2))]
    found = [schedule(row, limits=one).troubles for one in limits]
    assert [[one.span.start for one in troubles] for troubles in found] == [
        ["2026-12-24T00:00:03"],
        [],
    ]


@given(st.lists(PINS, max_size=6))
@settings(QUICK)
def test_overlaps_of_the_lint_rules_are_troubles_of_the_schedule(pins: list[Row]) -> None:
    readable = [one.pin for one in schedule(*pins).bookings if one.is_readable]
    found = schedule(*(dict(one.data) for one in readable))
    conflicts: set[Any] = set()
    earlier: dict[Any, Timeline] = {}
    for one in readable:
        if spot := find_held_spot(one):
            timeline = earlier.setdefault(spot, Timeline(readable))
            if timeline.find(one, shows_other=True):
                conflicts.add(spot)
            timeline.add(one)
    told = {
        (trouble.widget, trouble.positions[0])
        for trouble in found.troubles
        if trouble.kind == "conflict" and trouble.positions
    }
    assert told == conflicts


def test_a_window_holds_its_start_and_not_its_end() -> None:
    found = schedule(pin(1, "/p/1/", {"active_from": second(1), "active_to": second(2)}))
    assert [(step.at, step.started, step.ended, step.shelf) for step in found.steps] == [
        ("2026-12-24T00:00:01", (0,), (), (0,)),
        ("2026-12-24T00:00:02", (), (0,), ()),
    ]
    assert [(one.kind, *one.span) for one in found.troubles] == [
        ("empty", "", "2026-12-24T00:00:01"),
        ("empty", "2026-12-24T00:00:02", "~"),
    ]


def test_the_same_thing_in_the_next_window_is_no_change() -> None:
    found = schedule(
        pin(1, "/p/1/", {"active_to": second(1)}), pin(1, "/p/1/", {"active_from": second(1)})
    )
    assert found.steps == ()
    assert found.troubles == ()


@pytest.mark.parametrize("moment", UNREADABLE)
def test_a_window_that_cannot_be_read_counts_as_always_active(moment: str) -> None:
    found = schedule(pin(1, "/p/1/", {"active_from": moment}))
    assert (found.steps, found.troubles) == ((), ())
    assert [booking.pin.item for booking in found.unreadable] == ["/p/1/"]


@pytest.mark.parametrize("end", [0, 1])
def test_a_window_that_ends_before_it_starts_is_never_open(end: int) -> None:
    found = schedule(pin(1, "/p/1/", {"active_from": second(1), "active_to": second(end)}))
    assert found.steps == ()
    assert [(one.kind, one.span) for one in found.troubles] == [("empty", ALWAYS)]
    assert found.unreadable == ()


def test_a_rule_without_pins_has_no_trouble() -> None:
    assert schedule().troubles == ()
    assert build_schedule({"pin_definitions": "odd"}, ALWAYS) == Schedule((), (), ())


def test_empty_positions_beside_each_other_are_one_trouble() -> None:
    found = schedule(
        pin(2, "/p/1/", {"active_to": second(1)}),
        pin(5, "/p/2/", {"active_to": second(3)}),
        pin(60, "/p/3/", {"widget_id": "hero"}),
    )
    assert [(one.widget, one.positions, *one.span) for one in found.troubles] == [
        (None, (1, 1), "", "2026-12-24T00:00:03"),
        (None, (3, 4), "", "2026-12-24T00:00:03"),
        ("hero", (1, 50), "", "~"),
        (None, (2, 2), "2026-12-24T00:00:01", "2026-12-24T00:00:03"),
    ]


def test_a_conflict_names_one_pin_of_each_item() -> None:
    pins = [pin(1, f"/p/{number}/") for number in range(MAX_INVOLVED + 5)]
    (found,) = schedule(pin(1, "/p/0/"), *pins).troubles
    assert (found.kind, found.span, len(found.pins)) == ("conflict", ALWAYS, MAX_INVOLVED)
    items = [schedule(pin(1, "/p/0/"), *pins).bookings[index].pin.item for index in found.pins]
    assert len(set(items)) == MAX_INVOLVED


def test_a_long_shelf_is_cut_and_counted() -> None:
    pins = [pin(number, f"/p/{number}/") for number in range(1, MAX_SHELF + 11)]
    found = schedule(*pins, pin(-1, "/p/x/", {"active_from": second(1)}))
    (step,) = found.steps
    assert (step.shelf, step.size) == (tuple(range(MAX_SHELF)), MAX_SHELF + 11)


# Many pins that overlap would take minutes if each were compared with each.


def _nested(number: int) -> Row:
    window = {"active_from": second(number), "active_to": second(40_000 - number)}
    return pin(number % 60 + 1, f"/p/{number % 7}/", window)


def _alternating(number: int) -> Row:
    window = {"active_from": second(2 * number), "active_to": second(2 * number + 1)}
    return pin(10_000 if number % 2 else number, f"/p/{number}/", window)


def _blocked(number: int) -> Row:
    if number % 2:
        return pin(1, "/p/1/", {"widget_id": f"w{number}"})
    return pin(0, "/p/1/", {"active_from": second(number), "active_to": second(number + 1)})


@pytest.mark.parametrize("build", [_nested, _alternating, _blocked])
def test_ten_thousand_windows_in_a_rule_take_no_time(build: Any) -> None:  # noqa: ANN401
    pins = [build(number) for number in range(10_000)]
    before = time.process_time()
    found = schedule(*pins)
    assert time.process_time() - before < 10
    assert len(found.steps) > 5_000
