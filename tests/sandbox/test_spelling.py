"""A customization that is spelt anew keeps its meaning, and every freedom of spelling is really
taken.
"""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.sandbox import respell, shop

Row = dict[str, Any]

FULL: Row = {
    "id": "199620b4-df1a-46e8-ab59-9e9ed9af7106",
    "model": "basket",
    "target_type": "all",
    "tags": ["b", "a", "c"],
    "score": 1,
    "note": None,
    "nested": {"empty": [], "order": [3, 1, 2], "off": False},
    "pin_definitions": [
        {
            "position": 1,
            "pin_type": "item",
            "pin_identity": "/p/1/",
            "active_to": "2026-12-31T23:00:00.50Z",
            "x": None,
        },
        {
            "position": 2,
            "pin_type": "item",
            "pin_identity": "/p/2/",
            "is_block_pin": True,
            "widget_id": "w",
        },
    ],
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "b", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:60Z"])
    | st.datetimes().map(lambda moment: moment.isoformat() + "+05:30")
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
)
pins = st.fixed_dictionaries(
    {},
    optional={
        "position": values,
        "pin_type": values,
        "pin_identity": values,
        "pin_criteria": values,
        "widget_id": values,
        "is_block_pin": values,
        "is_bundle_pin": values,
        "active_from": values,
        "active_to": values,
        "other": values,
    },
)
rows = st.fixed_dictionaries(
    {"id": st.just("i"), "model": st.just("m"), "target_type": st.just("all")},
    optional={
        "target_identity": values,
        "target_criteria": values,
        "tags": values | st.lists(st.text(max_size=2)),
        "target_metadata": values,
        "pin_definitions": values | st.lists(pins, max_size=4),
        "other": values,
    },
)


def spelling(row: Row, seed: int) -> Row:
    return respell(row, Random(seed))


def spellings(row: Row, count: int = 200) -> list[Row]:
    return [spelling(row, seed) for seed in range(count)]


def text(row: Row) -> str:
    return canonical.render(normalize.normalize_row(row))


@given(rows, st.integers(0, 1000))
def test_the_canonical_text_stays_whatever_the_row_holds(row: Row, seed: int) -> None:
    assert text(spelling(row, seed)) == text(row)


@pytest.mark.parametrize("index", range(0, 150, 7))
def test_the_canonical_text_of_the_sample_stays(index: int) -> None:
    row = shop.build_customizations()[index]
    assert {text(other) for other in spellings(row, 20)} == {text(row)}


def test_the_argument_is_left_alone() -> None:
    before = copy.deepcopy(FULL)
    spellings(FULL, 20)
    assert before == FULL


def test_one_seed_spells_one_way() -> None:
    assert str(spelling(FULL, 7)) == str(spelling(FULL, 7))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("target_identity", {"absent", "None"}),
        ("target_criteria", {"absent", "None", "{}"}),
        ("target_metadata", {"absent", "None", "{}"}),
        ("note", {"None"}),
    ],
)
def test_what_says_nothing_is_said_in_every_way(field: str, expected: set[str]) -> None:
    assert {str(row.get(field, "absent")) for row in spellings(FULL)} == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("pin_criteria", {"absent", "None", "{}"}),
        ("widget_id", {"absent", "None"}),
        ("is_block_pin", {"absent", "None", "False"}),
        ("is_bundle_pin", {"absent", "None", "False"}),
        ("active_from", {"absent", "None"}),
        ("x", {"None"}),
    ],
)
def test_what_a_pin_does_not_say_is_not_said_in_every_way(field: str, expected: set[str]) -> None:
    first = [
        next(pin for pin in row["pin_definitions"] if pin["position"] == 1)
        for row in spellings(FULL)
    ]
    assert {str(pin.get(field, "absent")) for pin in first} == expected


@pytest.mark.parametrize("empty", [None, [], "absent"])
def test_no_tags_and_no_pins_are_said_in_every_way(empty: object) -> None:
    row: Row = {"id": "i", "model": "m", "target_type": "all"}
    row |= {} if empty == "absent" else {"tags": empty, "pin_definitions": empty}
    for field in ("tags", "pin_definitions"):
        assert {str(other.get(field, "absent")) for other in spellings(row)} == {
            "absent",
            "None",
            "[]",
        }


def test_keys_tags_and_pins_change_places_and_other_lists_do_not() -> None:
    found = spellings(FULL)
    assert len({tuple(row["tags"]) for row in found}) == 6
    assert {tuple(pin["position"] for pin in row["pin_definitions"]) for row in found} == {
        (1, 2),
        (2, 1),
    }
    assert len({next(iter(row)) for row in found}) > 5
    assert len({tuple(row["nested"]) for row in found}) == 6
    assert {tuple(row["nested"]["order"]) for row in found} == {(3, 1, 2)}


def test_whole_numbers_come_with_and_without_a_fraction() -> None:
    assert {str(row["score"]) for row in spellings(FULL)} == {"1", "1.0"}
    assert {str(row["score"]) for row in spellings({**FULL, "score": 1.0})} == {"1", "1.0"}
    assert {str(row["score"]) for row in spellings({**FULL, "score": 2**53 + 1})} == {
        "9007199254740993"
    }
    assert {str(row["score"]) for row in spellings({**FULL, "score": True})} == {"True"}


def test_moments_come_in_many_offsets() -> None:
    pin = {"position": 1, "active_to": "2026-12-31T23:00:00.50Z"}
    found = {
        row["pin_definitions"][0]["active_to"]
        for row in spellings({**FULL, "pin_definitions": [pin]})
    }
    assert {
        "2026-12-31T23:00:00.50Z",
        "2026-12-31T23:00:00.50+00:00",
        "2027-01-01T00:00:00.50000+01:00",
    } <= found


@pytest.mark.parametrize(
    "moment",
    [
        "2026-12-31",
        "2026-12-31T23:00:00",
        "2026-02-30T00:00:00Z",
        "2026-W01-1T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_what_is_no_moment_with_an_offset_is_left_alone(moment: str) -> None:
    row = {**FULL, "pin_definitions": [{"position": 1, "active_to": moment}]}
    assert {other["pin_definitions"][0]["active_to"] for other in spellings(row)} == {moment}


@pytest.mark.parametrize(
    ("field", "value"), [("tags", ["a", 1]), ("pin_definitions", [{"widget_id": None}, "x"])]
)
def test_a_list_of_an_unexpected_kind_is_left_alone(field: str, value: list[object]) -> None:
    assert all(row[field] == value for row in spellings({**FULL, field: value}))
