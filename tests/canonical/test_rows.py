from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical import normalize, rows
from pinsync.canonical.answer import split_rows
from pinsync.errors import DataError
from support.strategies import QUICK, moments, objects, texts
from support.strategies import rows as any_rows

if TYPE_CHECKING:
    from pinsync.model import Customization

Row = dict[str, Any]

IGNORE = [("target_metadata", "image"), ("target_metadata", "a", "b"), ("note",)]

usual_pins = st.fixed_dictionaries(
    {
        "position": st.one_of(st.integers(-1, 5), st.sampled_from([1.0, 1e15, 1e16, 2**63, 2**64])),
        "pin_type": texts,
    },
    optional={
        "pin_identity": st.none() | texts,
        "pin_criteria": st.sampled_from([None, {}, {"a": 1}]),
        "widget_id": st.none() | texts,
        "is_block_pin": st.none() | st.booleans(),
        "is_bundle_pin": st.none() | st.booleans(),
        "active_from": st.none() | moments(),
        "active_to": st.none() | moments(),
    },
)
usual_rows = st.fixed_dictionaries(
    {
        "id": texts.filter(bool),
        "model": st.just("basket"),
        "target_type": st.sampled_from(["item", "criteria", "all"]),
    },
    optional={
        "target_identity": st.none() | texts,
        "target_criteria": st.none() | objects,
        "tags": st.none() | st.lists(texts, max_size=3),
        "target_metadata": st.none()
        | objects
        | st.sampled_from([{"image": "i.png"}, {"a": {"b": 1}}, {"a": {}}]),
        "pin_definitions": st.none() | st.lists(usual_pins, max_size=3),
        "created_at": st.none() | texts | objects,
        "updated_at": st.none() | texts | objects,
    },
)


def answer(*some: Row) -> bytes:
    return json.dumps({"results": some}).encode()


def read(*some: Row) -> tuple[Customization, ...]:
    return rows.read_customizations(answer(*some), ())[0]


@QUICK
@given(usual_rows | any_rows, st.sampled_from([(), IGNORE]))
def test_the_short_way_and_the_long_one_lead_to_the_same(
    drawn: Row, ignore: list[tuple[str, ...]]
) -> None:
    warnings: list[str] = []
    long = normalize.build_customization(
        drawn, ignore=ignore, warn=lambda _, message: warnings.append(message)
    )
    found, warned = rows.read_customizations(answer(drawn), ignore)
    assert found == (long,)
    assert [text.rpartition(": ")[2] for text in warned] == [
        text.rpartition(": ")[2] for text in warnings
    ]


def test_the_short_way_is_taken() -> None:
    """Else the property above would hold for no reason."""
    taken: list[Row] = [
        {"id": "a", "model": "m", "target_type": "all"},
        {
            "id": "a",
            "model": "m",
            "target_type": "all",
            "tags": ["b", "a"],
            "target_metadata": {"b": {"c": [1.0]}, "a": 1},
        },
        {"id": "a", "model": "m", "target_type": "item", "target_identity": '24" :'},
        {
            "id": "a",
            "model": "m",
            "target_type": "all",
            "target_criteria": {},
            "created_at": None,
            "updated_at": 1.5,
            "pin_definitions": [
                {
                    "position": 1,
                    "pin_type": "item",
                    "pin_identity": "x",
                    "is_block_pin": False,
                    "active_to": None,
                },
                {
                    "position": 2,
                    "pin_type": "item",
                    "pin_identity": "y",
                    "pin_criteria": None,
                    "widget_id": "w",
                },
            ],
        },
    ]
    for row in taken:
        for spelled in (answer(row), answer(row).replace(b'":', b'" :')):
            (raw,) = split_rows(spelled)
            assert rows._read_usual_row(raw, ()) == normalize.build_customization(row)


def test_warnings_name_the_row_and_the_field() -> None:
    usual = {"id": "a", "model": "basket", "target_type": "all"}
    odd = {
        "id": "b",
        "model": "detail",
        "target_type": "all",
        "tags": 1,
        "pin_definitions": [{"position": "1"}],
    }
    found, warnings = rows.read_customizations(answer(usual, odd), ())
    assert [item.id for item in found] == ["a", "b"]
    place = "row 2 of the answer (detail, b)"
    assert warnings == (
        f"{place}: tags: expected a list of strings, got an integer; kept as it is",
        f"{place}: pin_definitions[0].position: expected an integer, got a string; kept as it is",
    )


def test_customizations_stand_in_the_order_of_the_answer() -> None:
    some = [
        {"id": name, "model": "basket", "target_type": "all", "updated_at": f"at {name}"}
        for name in "cab"
    ]
    assert [(item.id, item.updated_at) for item in read(*some)] == [
        ("c", "at c"),
        ("a", "at a"),
        ("b", "at b"),
    ]


@pytest.mark.parametrize(
    ("row", "message", "path"),
    [
        (1, "row 2 of the answer: expected an object, got an integer", ()),
        ({}, "row 2 of the answer: id: expected a non-empty string, got nothing", ("id",)),
        (
            {"id": "b", "model": "m"},
            "row 2 of the answer (m, b): target_type: expected a non-empty string, got nothing",
            ("target_type",),
        ),
        (
            {"id": 5, "model": "m", "target_type": "all"},
            "row 2 of the answer: id: expected a non-empty string, got an integer",
            ("id",),
        ),
        (
            {"id": "", "model": "m", "target_type": "all"},
            'row 2 of the answer: id: expected a non-empty string, got ""',
            ("id",),
        ),
        (
            {"id": "b", "model": "", "target_type": "all"},
            'row 2 of the answer (b): model: expected a non-empty string, got ""',
            ("model",),
        ),
        (
            {"id": "b", "model": "m", "target_type": ""},
            'row 2 of the answer (m, b): target_type: expected a non-empty string, got ""',
            ("target_type",),
        ),
        (
            {"id": "a", "model": "n", "target_type": "all"},
            "rows 1 (m) and 2 (n) of the answer have the same id a",
            (),
        ),
        (
            {"id": "a", "model": "n", "target_type": "all", "x": 1},
            "rows 1 (m) and 2 (n) of the answer have the same id a",
            (),
        ),
    ],
)
def test_a_row_at_fault_is_named(row: Row, message: str, path: tuple[str, ...]) -> None:
    first = {"id": "a", "model": "m", "target_type": "all"}
    with pytest.raises(DataError) as caught:
        read(first, row)
    assert (caught.value.message, caught.value.path) == (message, path)


@pytest.mark.parametrize(
    "text",
    [
        b'"\\ud800"',
        b'"\xff"',
        b"1e400",
        b"NaN",
        b"[" * 70 + b"]" * 70,
        b'{"' + b"k" * 1001 + b'": 1}',
    ],
)
def test_what_has_no_canonical_text_is_refused(text: bytes) -> None:
    for field in (b"target_metadata", b"x"):
        row = (
            b'{"id": "a", "model": "m", "target_type": "all", "'
            + field
            + b'": {"a": '
            + text
            + b"}}"
        )
        with pytest.raises(DataError, match="answer"):
            rows.read_customizations(b'{"results": [' + row + b"]}", ())


@pytest.mark.parametrize("size", [10, 10_000])
def test_integers_of_any_size_are_kept(size: int) -> None:
    digits = "9" * size
    body = (
        answer({"id": "a", "model": "m", "target_type": "all", "x": "?"})
        .decode()
        .replace('"?"', digits)
    )
    if size > 4300:
        with pytest.raises(DataError):
            rows.read_customizations(body.encode(), ())
    else:
        assert (
            f"    x: {digits}\n" in rows.read_customizations(body.encode(), ())[0][0].text.decode()
        )
