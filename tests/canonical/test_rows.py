from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync.canonical import normalize, rows
from pinsync.canonical.answer import split_rows
from pinsync.canonical.text import strings
from pinsync.errors import DataError
from support.strategies import QUICK, SEEDED, moments, objects, spell_json, texts
from support.strategies import rows as any_rows

if TYPE_CHECKING:
    from random import Random

    from pinsync.canonical.normalize import Ignored
    from pinsync.model import Customization

Row = dict[str, Any]

IGNORE = [("target_metadata", "image"), ("target_metadata", "a", "b"), ("note",)]


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw usual values; now and then a value that sends its row the long way."""
    return st.sampled_from([usual] * 19 + [odd]).flatmap(lambda strategy: strategy)


nested = st.integers(58, 66).map(lambda depth: json.loads('{"a":' * depth + "1" + "}" * depth))
criteria = mostly(
    st.sampled_from(
        [None, {}, {"a": 1}, {"b": [{"ř": "🎸"}, []], "a": "x\ny"}, {"a": '1":', "b": [1.0]}]
    ),
    st.one_of(objects, nested, st.sampled_from([[], [1], "", 0, False, "a", {"a": [0, -0.0]}])),
)
ends = st.one_of(
    st.sampled_from([None, "2026-03-01T00:00:00Z", "2026-03-01T01:00:00+01:00", "2026-03-01", ""]),
    moments(),
)
# Few values, so that pins agree in their first fields, and are sorted by the next ones.
usual_pins = st.fixed_dictionaries(
    {
        "position": mostly(st.integers(-1, 2), st.sampled_from([1.0, 1e15, 1e16, 2**63, 2**64])),
        "pin_type": mostly(st.sampled_from(["item", "criteria"]), texts),
    },
    optional={
        "pin_identity": st.sampled_from([None, "", "/p/1/", "/p/2/"]) | texts,
        "pin_criteria": criteria,
        "widget_id": st.sampled_from([None, "", "w"]) | texts,
        "is_block_pin": st.none() | st.booleans(),
        "is_bundle_pin": st.none() | st.booleans(),
        "active_from": ends,
        "active_to": ends,
    },
)
usual_rows = st.fixed_dictionaries(
    {
        "id": texts.filter(bool),
        "model": st.just("basket"),
        "target_type": st.sampled_from(["item", "criteria", "all"]),
        "pin_definitions": st.none() | st.lists(usual_pins, min_size=1, max_size=6),
    },
    optional={
        "target_identity": st.none() | texts,
        "target_criteria": criteria,
        "tags": st.none() | st.lists(texts, max_size=3),
        "target_metadata": st.one_of(
            st.none(),
            objects,
            st.sampled_from([{"title": "ř\n", "image": "i.png"}, {"a": {"b": 1}}, {"a": {}}]),
        ),
        "created_at": mostly(st.none() | texts, objects),
        "updated_at": mostly(st.none() | texts, objects),
    },
)


def answer(*some: Row) -> bytes:
    return json.dumps({"results": some}).encode()


def read(*some: Row) -> tuple[Customization, ...]:
    return rows.read_customizations(answer(*some), ())[0]


def read_outcome(body: bytes, ignore: Ignored) -> object:
    """Return what an answer is read as, or how it is refused."""
    try:
        return rows.read_customizations(body, ignore)
    except DataError as error:
        return error.message, error.path, error.hint


def read_both_ways(body: bytes, ignore: Ignored = ()) -> tuple[object, object]:
    """Return what an answer is read as the short way, and the long way."""
    short = read_outcome(body, ignore)
    with patch.object(rows, "_read_usual_row", return_value=None):
        return short, read_outcome(body, ignore)


@settings(QUICK, max_examples=300)
@given(
    st.lists(mostly(usual_rows, any_rows), min_size=1, max_size=2),
    st.sampled_from([(), IGNORE]),
    SEEDED,
    st.sampled_from([False] * 9 + [True]),
)
def test_the_short_way_and_the_long_one_lead_to_the_same(
    drawn: list[Row], ignore: Ignored, random: Random, repeat: bool
) -> None:
    spelled = [spell_json(row, random, repeat=repeat) for row in drawn]
    body = f'{{"results": [{",".join(spelled)}]}}'.encode()
    short, long = read_both_ways(body, ignore)
    assert short == long


@pytest.mark.parametrize(
    "spelled",
    [
        "1e-400",
        "[1e-400]",
        '{"a": [0.0, 1e-400]}',
        '{"a": 1, "a": 1}',
        '{"a": [{"b": 1, "b": 2}]}',
        '{"a": "\\ud800"}',
        '{"a": "\\ud83d\\ude00"}',
        '{"a": 1e400}',
        '{"": {}}',
        '{"' + "k" * 1001 + '": 1}',
        '{"a": ' + "9" * 5000 + "}",
        *('{"a": ' * depth + "1" + "}" * depth for depth in (*range(60, 67), 2000)),
    ],
)
@pytest.mark.parametrize("place", ["target", "pin"])
def test_both_ways_read_or_refuse_odd_criteria_alike(spelled: str, place: str) -> None:
    fields = {
        "target": f'"target_criteria": {spelled}',
        "pin": f'"pin_definitions": [{{"position": 1, "pin_type": "x", "pin_criteria": {spelled}}}]',
    }
    row = f'{{"id": "a", "model": "m", "target_type": "all", {fields[place]}}}'
    short, long = read_both_ways(f'{{"results": [{row}]}}'.encode())
    assert short == long


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
        {
            "id": "a",
            "model": "m",
            "target_type": "item",
            "target_identity": '24" :',
            "target_metadata": {"title": '24" black', "image": "", "a b": "🎸"},
        },
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
        {
            "id": "a",
            "model": "m",
            "target_type": "criteria",
            "target_criteria": {"b": {"c": [1.0]}, "a": "x"},
            "pin_definitions": [
                {"position": 2, "pin_type": "criteria", "pin_criteria": {"b": 1, "a": [{}]}},
                {"position": 1, "pin_type": "item", "pin_identity": "y", "is_bundle_pin": True},
                {"position": 1, "pin_type": "item", "pin_identity": "x", "active_from": "?"},
                {"position": 1, "pin_type": "item", "pin_identity": "x", "is_block_pin": True},
            ],
        },
    ]
    for row in taken:
        for spelled in (answer(row), answer(row).replace(b'":', b'" :')):
            (raw,) = split_rows(spelled)
            assert rows._read_usual_row(raw, ()) == normalize.build_customization(row)


def test_no_cache_grows_with_the_answer() -> None:
    pins = [
        {
            "position": number,
            "pin_type": f"type {number}",
            "pin_identity": f"item {number}",
            "pin_criteria": {"a": number},
            "widget_id": f"widget {number}",
            "active_from": f"from {number}",
        }
        for number in range(25_000)
    ]
    read({"id": "a", "model": "m", "target_type": "all", "pin_definitions": pins})
    assert len(strings) < len(pins)
    assert all(len(cache) < len(pins) for cache in rows._CACHES)


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
