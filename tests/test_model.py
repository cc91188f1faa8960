from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical.normalize import normalize_row
from pinsync.canonical.pins import pair_pins, read_pin
from pinsync.escape import INVISIBLE
from pinsync.layout import is_document
from pinsync.model import Scope, Target
from support.strategies import QUICK, rows

Pin = dict[str, Any]


def pin(position: int, identity: str = "/p/1/", **fields: object) -> Pin:
    return {"position": position, "pin_type": "item", "pin_identity": identity, **fields}


@pytest.mark.parametrize(
    ("position", "spot"),
    [
        (1, "numbered"),
        (10**7, "numbered"),
        (-1, "everywhere"),
        (0, "blocked"),
        (-2, "odd"),
        (True, "odd"),  # true equals 1
        (False, "odd"),
        (1e16, "odd"),
        ("1", "odd"),
        (None, "odd"),
    ],
)
def test_a_pin_stands_where_its_position_says_if_that_is_an_integer(
    position: object, spot: str
) -> None:
    found = read_pin({"position": position, "pin_type": "item", "pin_identity": "/p/1/"})
    assert found.spot == spot
    assert found.position == (position if type(position) is int else None)
    assert read_pin({"position": position, "is_block_pin": True}).spot == "blocked"
    assert read_pin({"position": position, "is_block_pin": 1}).spot == spot


@pytest.mark.parametrize(
    ("fields", "identity", "item", "widget"),
    [
        ({"pin_type": "item", "pin_identity": "/p/1/", "widget_id": "w"}, "/p/1/", "/p/1/", "w"),
        ({"pin_type": "criteria", "pin_identity": "/p/1/", "widget_id": ""}, "/p/1/", None, ""),
        ({"pin_type": "item", "pin_identity": ""}, "", None, None),
        ({"pin_type": ["item"], "pin_identity": 1, "widget_id": 1}, None, None, None),
        ({}, None, None, None),
    ],
)
def test_a_pin_says_nothing_in_a_field_of_an_odd_type(
    fields: Pin, identity: str | None, item: str | None, widget: str | None
) -> None:
    found = read_pin(fields)
    assert (found.identity, found.item, found.widget) == (identity, item, widget)
    assert found.data is fields


A, B = "/p/a/", "/p/b/"
WINTER, SUMMER = "2026-12-01T00:00:00Z", "2026-06-01T00:00:00Z"


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ([], [], []),
        ([pin(1)], [], []),
        ([], [pin(1)], []),
        ([pin(1)], [pin(1)], [(0, 0)]),
        # equal, in whatever order
        ([pin(1, A), pin(2, B)], [pin(2, B), pin(1, A)], [(0, 1), (1, 0)]),
        ([pin(1, A), pin(1, A)], [pin(1, A), pin(1, A)], [(0, 0), (1, 1)]),
        ([pin(1, A), pin(1, A)], [pin(1, A)], [(0, 0)]),
        # moved
        ([pin(3, A)], [pin(1, A)], [(0, 0)]),
        ([pin(1, A), pin(2, B)], [pin(2, A), pin(1, B)], [(0, 0), (1, 1)]),
        ([pin(3, A, widget_id="w")], [pin(1, A, widget_id="w")], [(0, 0)]),
        ([pin(3, A)], [pin(1, A, is_bundle_pin=True)], [(0, 0)]),
        # changed
        ([pin(1, A, active_to=WINTER)], [pin(1, A, active_to=SUMMER)], [(0, 0)]),
        ([pin(1, A, widget_id="v")], [pin(1, A, widget_id="w")], [(0, 0)]),
        ([pin(1, A)], [pin(1, A, note=1)], [(0, 0)]),
        # replaced
        ([pin(1, A)], [pin(1, B)], [(0, 0)]),
        ([pin(1, A, widget_id="w")], [pin(1, B)], []),
        ([pin(1, A)], [{"position": 1, "pin_type": "criteria", "pin_criteria": {"a": 1}}], [(0, 0)]),
        # nothing in common
        ([pin(1, A)], [pin(2, B)], []),
        # an equal one goes before any other
        ([pin(1, A), pin(2, A)], [pin(2, A)], [(1, 0)]),
        ([pin(1, A, note=1), pin(1, A)], [pin(1, A)], [(1, 0)]),
        # one that differs in its position alone goes before one that stands there and differs in
        # the rest
        ([pin(1, A, active_to=WINTER), pin(3, A, active_to=SUMMER)], [pin(1, A, active_to=SUMMER)], [(1, 0)]),
        # the same thing elsewhere goes before another thing here
        ([pin(1, A), pin(2, B)], [pin(1, B)], [(1, 0)]),
        ([pin(1, A), pin(2, B)], [pin(1, B), pin(3, A)], [(0, 1), (1, 0)]),
        # of what changed both in place and otherwise, the same place goes first
        ([pin(1, A, note=1), pin(2, A, note=2)], [pin(1, A, note=3), pin(2, A, note=4)], [(0, 0), (1, 1)]),
        # values of another type are other values
        ([pin(1, A, note=1)], [pin(1, A, note=True), pin(1, A, note=1)], [(0, 1)]),
        ([{"position": "1"}], [{"position": 1}], [(0, 0)]),
    ],
)  # fmt: skip
def test_pins_are_paired(old: list[Pin], new: list[Pin], pairs: list[tuple[int, int]]) -> None:
    assert pair_pins(old, new) == pairs


pins = rows.map(normalize_row).map(lambda row: row.get("pin_definitions") or []).filter(
    lambda found: isinstance(found, list) and all(isinstance(one, dict) for one in found)
)  # fmt: skip


@QUICK
@given(pins, st.data())
def test_no_pin_is_paired_twice_and_equal_ones_find_each_other(
    old: list[Pin], data: st.DataObject
) -> None:
    new = data.draw(st.permutations(old)) + data.draw(pins)[:2]
    pairs = pair_pins(old, new)
    assert sorted(here for here, _ in pairs) == list(range(len(old)))
    assert len({there for _, there in pairs}) == len(pairs)
    assert all(repr(old[here]) == repr(new[there]) for here, there in pairs)


@pytest.mark.parametrize(
    ("scope", "query"),
    [
        (Scope(), {}),
        (Scope(model="basket"), {"model": "basket"}),
        (
            Scope("basket", "sale", "item", "/p/1/"),
            {"model": "basket", "tag": "sale", "target_type": "item", "target_identity": "/p/1/"},
        ),
    ],
)
def test_a_scope_is_the_query_of_the_api(scope: Scope, query: dict[str, str]) -> None:
    assert scope.build_query() == query


def test_records_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Scope().model = "x"  # type: ignore[misc]
    assert Target("item", "/p/1/", None) == ("item", "/p/1/", None)


def test_what_is_printable_holds_nothing_invisible() -> None:
    """The emitter skips the search for what ``str.isprintable`` clears, under whatever Python's
    tables.
    """
    assert [
        hex(code)
        for code in range(0x110000)
        if chr(code).isprintable() and re.match(INVISIBLE, chr(code))
    ] == []


@pytest.mark.parametrize(
    "name", ["basket.yml", ".hidden.yaml", ".basket.yaml.123.tmp", "README.md", "basket.yaml~"]
)
def test_other_files_are_no_documents(name: str) -> None:
    assert not is_document(name)
