"""The entries of a drift report: nothing that differs is left out of the rows."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical.normalize import normalize_row
from pinsync.reports.words.events import EVENT_NAMES, Event, list_events, turn
from pinsync.reports.words.slots import quote
from support.drifts import (
    HEAD,
    LIVE,
    build_drift,
    describe,
    pin,
    rule,
    state,
    texts_of,
    tracker,
)
from support.strategies import QUICK, pins, rows, texts

if TYPE_CHECKING:
    from pinsync.drift.record import Drift
    from support.drifts import Row

DATES = st.sampled_from(
    [{}, {"active_to": "2026-11-01T00:00:00Z"}, {"active_from": "2027-01-01T00:00:00Z"}]
)
few_pins = st.lists(
    st.builds(
        lambda position, identity, dates, widget: pin(position, identity, {**dates, **widget}),
        st.sampled_from([-1, 0, 1, 2, 3]),
        st.sampled_from(["/a/", "/b/", "/c/"]),
        DATES,
        st.sampled_from([{}, {"widget_id": "hero"}]),
    ),
    max_size=5,
)


def compare(old: list[Row], new: list[Row]) -> Drift:
    """The drift between two rules of the same id."""
    sides = (state({"basket": [rule(1, "/p/1/", found)]}) for found in (old, new))
    return build_drift(HEAD, LIVE, (tracker(*sides),))


def count_changed(drift: Drift) -> list[tuple[int, int]]:
    """For each entry, the number of pins that differ, and of cells that are marked as different."""
    found = []
    for entry in describe(drift):
        sides = [side for each in entry.change.pins for side in (each.old, each.new) if side]
        cells = 0
        for section in entry.sections:
            for row in section.rows:
                cells += sum(
                    cell.is_changed and "recommender" not in cell.text for cell in row.cells
                )
        found.append((len(sides), cells))
    return found


@QUICK
@given(few_pins, few_pins)
def test_each_pin_that_differs_is_marked_in_its_row(old: list[Row], new: list[Row]) -> None:
    for pins_of_changes, cells in count_changed(compare(old, new)):
        # A pin that stands twice on one side, and once on the other, is marked each time.
        assert cells >= pins_of_changes


@QUICK
@given(st.lists(pins, max_size=3), st.lists(pins, max_size=3))
def test_two_states_never_read_the_same(old: list[Row], new: list[Row]) -> None:
    for entry in describe(compare(old, new)):
        assert any(before != after for before, after in texts_of(entry))
        assert entry.verdict


@QUICK
@given(rows, rows)
def test_any_two_rules_have_entries_that_differ(old: dict[str, Any], new: dict[str, Any]) -> None:
    sides = (
        # The order of fields is no part of a rule.
        state({"basket": [normalize_row({**row, "id": "1", "model": "basket"})]})
        for row in (old, new)
    )
    for entry in describe(build_drift(HEAD, LIVE, (tracker(*sides),))):
        assert any(before != after for before, after in texts_of(entry))


@QUICK
@given(few_pins, few_pins)
def test_the_way_back_has_the_opposite_events(old: list[Row], new: list[Row]) -> None:
    def list_kinds(events: list[Event]) -> list[str]:
        return sorted(event.kind for event in events)

    there, back = compare(old, new), compare(new, old)
    changes = zip(there.trackers[0].changes, back.trackers[0].changes, strict=True)
    for change, opposite in changes:
        turned = list(map(turn, list_events(change)))
        if len({repr(each.old) for each in change.pins}) == len(change.pins):
            assert len(turned) == len(list_events(opposite)) or len(old) != len(new)
        assert list_kinds(list(map(turn, turned))) == list_kinds(list_events(change))


def test_a_turn_of_three_pins_is_no_swap() -> None:
    for order in permutations([1, 2, 3]):
        old = [pin(at, f"/{at}/") for at in (1, 2, 3)]
        new = [pin(position, f"/{at}/") for at, position in zip((1, 2, 3), order, strict=True)]
        found = [
            event.kind
            for entry in describe(compare(old, new))
            for event in list_events(entry.change)
        ]
        moved = sum(position != at for at, position in enumerate(order, start=1))
        assert found == {0: [], 2: ["pins swapped"], 3: ["pin moved"] * 3}[moved]


def test_pins_with_other_dates_are_moved_and_not_swapped() -> None:
    until = {"active_to": "2027-01-01T00:00:00Z"}
    (entry,) = describe(
        compare([pin(1, "/a/"), pin(2, "/b/")], [pin(2, "/a/", until), pin(1, "/b/")])
    )
    assert entry.verdict == "2 PINS MOVED"


def test_each_kind_of_event_has_its_names() -> None:
    for names in EVENT_NAMES.values():
        old, new = "in git", "in the shop"
        assert names.one
        assert names.many
        assert "{" not in names.difference.format(old=old, new=new)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Strap", "“Strap”"),
        ('Baritone 27"', '“Baritone 27"”'),
        ("AC\\DC", "“AC\\DC”"),
        ("a\\u200b", "“a\\\\u200b”"),
        ("a\\", "“a\\\\”"),
        ("a\nb", "“a\\nb”"),
        ("“quoted”", '"“quoted”"'),
        ("x" * 50, f"“{'x' * 39}…”"),
    ],
)
def test_titles_stand_in_quotes(title: str, shown: str) -> None:
    assert quote(title, 40) == shown


@QUICK
@given(texts, texts)
def test_two_titles_that_differ_never_read_the_same(one: str, other: str) -> None:
    assert (quote(one, 1000) == quote(other, 1000)) == (one == other)
