from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical import normalize
from pinsync.canonical.moments import normalize_date_time
from pinsync.canonical.normalize import check_identity, normalize_row
from pinsync.errors import DataError
from pinsync.model import MAX_DEPTH
from pinsync.sandbox import respell
from support.strategies import QUICK, other_spelling, rows, values

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Row = dict[str, Any]


def row(**fields: object) -> Row:
    return {"id": "i", "model": "basket", "target_type": "all", **fields}


def written(**fields: object) -> Row:
    """Return what normalizing makes of the fields, beside the two that are always there."""
    data = normalize_row(row(**fields))
    assert (data.pop("id"), data.pop("target_type")) == ("i", "all")
    return data


def pin(**fields: object) -> Row:
    data: Row = written(pin_definitions=[{"position": 1, **fields}])["pin_definitions"][0]
    assert data.pop("position") == 1
    return data


def warnings_of(**fields: object) -> list[tuple[tuple[str | int, ...], str]]:
    found: list[tuple[tuple[str | int, ...], str]] = []
    normalize_row(row(**fields), warn=lambda path, message: found.append((path, message)))
    return found


# Properties


@QUICK
@given(rows)
def test_normalizing_twice_is_once(drawn: Row) -> None:
    once = normalize_row(drawn)
    assert exact(normalize_row(once)) == exact(once)


@QUICK
@given(rows, st.randoms(use_true_random=False))
def test_no_spelling_changes_a_byte(drawn: Row, random: Random) -> None:
    text = normalize.build_customization(drawn).text
    for spelling in (
        respell(drawn, random),
        other_spelling(drawn, random),
        other_spelling(respell(drawn, random), random),
    ):
        assert normalize.build_customization(spelling).text == text


@QUICK
@given(rows)
def test_the_row_itself_is_left_as_it_is(drawn: Row) -> None:
    before = deepcopy(drawn)
    normalize_row(drawn, ignore=[("target_metadata", "note")])
    assert exact(before) == exact(drawn)


def exact(value: object) -> str:
    return json.dumps(value)  # tells 1 from 1.0 and from true, and one order of keys from another


# Keys, order and noise


def test_keys_stand_in_the_order_of_the_contract() -> None:
    of_a_pin: Row = {
        "position": 1,
        "pin_type": "item",
        "pin_identity": "/p/1/",
        "pin_criteria": {"a": 1},
        "widget_id": "w",
        "is_block_pin": True,
        "is_bundle_pin": True,
        "active_from": "2026-01-01T00:00:00Z",
        "active_to": "2026-01-01T00:00:00Z",
    }
    fields: Row = {
        "id": "i",
        "target_type": "item",
        "target_identity": "/p/1/",
        "target_criteria": {"b": 1, "a": 2},
        "tags": ["a"],
        "target_metadata": {"b": 1, "a": {"z": 1, "B": 2, "b": 3}},
        "pin_definitions": [{"zz": 0, "aa": 0} | dict(reversed(of_a_pin.items()))],
    }
    unknown = dict.fromkeys(["b", "Z", "a", "é", "-"], 0)
    data = normalize_row({**unknown, "model": "basket", **dict(reversed(fields.items()))})
    assert list(data) == [*fields, "-", "Z", "a", "b", "é"]
    assert list(data["pin_definitions"][0]) == [*of_a_pin, "aa", "zz"]
    assert list(data["target_metadata"]) == ["a", "b"]
    assert list(data["target_metadata"]["a"]) == ["B", "b", "z"]
    assert list(data["target_criteria"]) == ["a", "b"]


def test_keys_are_sorted_by_code_point_not_by_utf_16() -> None:
    assert list(written(x={"\U0001f600": 1, "\uffee": 2})["x"]) == ["\uffee", "\U0001f600"]


@pytest.mark.parametrize(
    "name", ["target_identity", "target_criteria", "tags", "target_metadata", "pin_definitions"]
)
def test_null_is_absence_in_a_customization(name: str) -> None:
    assert written(**{name: None}) == {}
    assert warnings_of(**{name: None}) == []


@pytest.mark.parametrize(
    "name",
    [
        "pin_identity",
        "pin_criteria",
        "widget_id",
        "is_block_pin",
        "is_bundle_pin",
        "active_from",
        "active_to",
    ],
)
def test_null_is_absence_in_a_pin(name: str) -> None:
    assert pin(**{name: None}) == {}


@pytest.mark.parametrize("name", ["target_criteria", "tags", "target_metadata", "pin_definitions"])
@pytest.mark.parametrize("empty", [[], {}])
def test_an_empty_list_or_object_is_absence(name: str, empty: object) -> None:
    assert written(**{name: empty}) == {}
    assert warnings_of(**{name: empty}) == []


@pytest.mark.parametrize(
    "fields",
    [{"pin_criteria": {}}, {"pin_criteria": []}, {"is_block_pin": False}, {"is_bundle_pin": False}],
)
def test_noise_in_a_pin(fields: Row) -> None:
    assert pin(**fields) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"target_identity": ""},
        {"target_identity": False},
        {"target_identity": []},
        {"target_identity": {}},
        {"target_metadata": {"title": None}},
        {"target_metadata": {"a": {}, "b": []}},
        {"target_criteria": {"a": None}},
        {"target_criteria": False},
        {"target_metadata": 0},
        {"tags": ""},
        {"tags": [""]},
        {"pin_definitions": [{}]},
        {"unknown": None},
        {"unknown": False},
        {"unknown": []},
        {"unknown": {}},
        {"unknown": ""},
        {"unknown": {"is_block_pin": False, "tags": ["b", "a", "b"], "target_identity": None}},
        {"is_block_pin": None},  # known in a pin only
        {"position": None},
    ],
)
def test_what_is_no_noise_in_a_customization(fields: Row) -> None:
    assert exact(written(**fields)) == exact(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"pin_type": None},
        {"pin_identity": ""},
        {"pin_identity": {}},
        {"widget_id": ""},
        {"widget_id": []},
        {"is_block_pin": 0},
        {"is_block_pin": ""},
        {"is_block_pin": []},
        {"is_bundle_pin": "false"},
        {"active_from": ""},
        {"active_to": False},
        {"unknown": None},
        {"is_new": False},
        {"tags": []},
        {"created_at": "x", "model": "y", "updated_at": None},
    ],
)
def test_what_is_no_noise_in_a_pin(fields: Row) -> None:
    assert exact(pin(**fields)) == exact(fields)


@pytest.mark.parametrize("position", [0, -1, None])
def test_a_position_is_a_value_whatever_it_is(position: object) -> None:
    assert written(pin_definitions=[{"position": position}]) == {
        "pin_definitions": [{"position": position}]
    }


def test_tags_are_a_sorted_set() -> None:
    assert written(tags=["b", "a", "B", "b", "", "ä", "\U0001f600", "\uffee"])["tags"] == [
        "",
        "B",
        "a",
        "b",
        "ä",
        "\uffee",
        "\U0001f600",
    ]


def test_other_lists_keep_their_order_and_their_duplicates() -> None:
    assert written(target_metadata={"list": [3, 1, [2, 1], 3, 1]})["target_metadata"]["list"] == [
        3,
        1,
        [2, 1],
        3,
        1,
    ]


def test_what_is_not_written() -> None:
    assert written(
        created_at="2026-01-01", updated_at=None, x={"created_at": 1, "updated_at": 2, "model": 3}
    ) == {"x": {"created_at": 1, "updated_at": 2, "model": 3}}


def test_ignored_fields_are_gone_and_so_is_what_they_leave_empty() -> None:
    ignore = [
        ("target_metadata", "image"),
        ("note",),
        ("deep", "a", "b"),
        ("tags", "no object"),
        ("missing", "x"),
    ]
    data = normalize_row(
        row(
            target_metadata={"image": "i.png"}, note=1, deep={"a": {"b": 1, "c": 2}}, tags=["image"]
        ),
        ignore=ignore,
    )
    assert data == {"id": "i", "target_type": "all", "tags": ["image"], "deep": {"a": {"c": 2}}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"target_metadata": {"title": "t", "a": {"b": 1}}}, {"target_metadata": {"title": "t"}}),
        ({"target_metadata": {"a": {"b": 1, "c": 2}}}, {"target_metadata": {"a": {"c": 2}}}),
        ({"target_metadata": {"a": {"b": 1}}}, {}),
        ({"target_metadata": {"a": {"b": {}}}}, {}),
        ({"deep": {"a": {"b": {"c": 1}}}}, {}),
        ({"note": {"x": 1, "y": None}}, {}),
        ({"note": {"y": 1}}, {}),
        # What is empty without it, and lists, stay as they are.
        ({"target_metadata": {"a": {}}}, {"target_metadata": {"a": {}}}),
        ({"target_metadata": {"a": {"c": {}}}}, {"target_metadata": {"a": {"c": {}}}}),
        ({"deep": {"a": {"b": {}}}}, {"deep": {"a": {"b": {}}}}),
        ({"note": {}}, {"note": {}}),
        ({"note": [{"x": 1}]}, {"note": [{"x": 1}]}),
        ({"target_metadata": {"a": [{"b": 1}]}}, {"target_metadata": {"a": [{"b": 1}]}}),
    ],
)
def test_an_object_that_holds_nothing_but_ignored_fields_goes_too(
    fields: Row, expected: Row
) -> None:
    ignore = [("target_metadata", "a", "b"), ("deep", "a", "b", "c"), ("note", "x"), ("note", "y")]
    data = normalize_row(row(**fields), ignore=ignore)
    assert exact(data) == exact({"id": "i", "target_type": "all", **expected})


@QUICK
@given(rows, values, st.sampled_from(["target_metadata", "extra"]))
def test_an_ignored_field_makes_no_difference(drawn: Row, value: object, name: str) -> None:
    drawn.pop(name, None)
    holder = {"title": "t"} if "tags" in drawn else {}
    ignore = [(name, "only", "deep")]
    without = normalize.build_customization(
        {**drawn, name: holder} if holder else drawn, ignore=ignore
    )
    assert (
        normalize.build_customization(
            {**drawn, name: {**holder, "only": {"deep": value}}}, ignore=ignore
        )
        == without
    )


# Known fields of an unexpected type


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            {"target_identity": 5},
            ("target_identity",),
            "expected a string, got an integer; kept as it is",
        ),
        (
            {"target_criteria": "x"},
            ("target_criteria",),
            "expected an object, got a string; kept as it is",
        ),
        (
            {"target_metadata": [1]},
            ("target_metadata",),
            "expected an object, got a list; kept as it is",
        ),
        ({"tags": "a"}, ("tags",), "expected a list of strings, got a string; kept as it is"),
        ({"tags": ["b", 1, None]}, ("tags", 1), "expected a string, got an integer; kept as it is"),
        ({"tags": ["b", None]}, ("tags", 1), "expected a string, got null; kept as it is"),
        ({"tags": {"a": 1}}, ("tags",), "expected a list of strings, got an object; kept as it is"),
        (
            {"pin_definitions": True},
            ("pin_definitions",),
            "expected a list of objects, got a boolean; kept as it is",
        ),
        (
            {"pin_definitions": [{"position": 2}, [1]]},
            ("pin_definitions", 1),
            "expected an object, got a list; kept as it is",
        ),
    ],
)
def test_a_known_field_of_the_wrong_type_is_kept_with_a_warning(
    fields: Row, path: tuple[str | int, ...], message: str
) -> None:
    assert exact(written(**fields)) == exact(fields)
    assert warnings_of(**fields) == [(path, message)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pin_type": None}, "expected a string, got null; kept as it is"),
        ({"pin_identity": 5}, "expected a string, got an integer; kept as it is"),
        ({"widget_id": 1.5}, "expected a string, got a number; kept as it is"),
        ({"pin_criteria": "x"}, "expected an object, got a string; kept as it is"),
        ({"is_block_pin": 0}, "expected true or false, got an integer; kept as it is"),
        ({"active_to": 1767225600}, "expected a date-time, got an integer; kept as it is"),
    ],
)
def test_the_same_in_a_pin(fields: Row, message: str) -> None:
    assert exact(pin(**fields)) == exact(fields)
    ((name, _),) = fields.items()
    assert warnings_of(pin_definitions=[{"position": 1}, fields | {"position": 1}]) == [
        (("pin_definitions", 1, name), message)
    ]


@pytest.mark.parametrize("position", ["1", True, 1.5, None, [1]])
def test_a_position_of_the_wrong_type(position: object) -> None:
    (warning,) = warnings_of(pin_definitions=[{"position": position}])
    assert warning[0] == ("pin_definitions", 0, "position")
    assert "expected an integer" in warning[1]
    assert exact(written(pin_definitions=[{"position": position}])) == exact(
        {"pin_definitions": [{"position": position}]}
    )


def test_what_is_kept_is_still_put_in_order() -> None:
    assert exact(written(tags={"b": 1.0, "a": [2.0]})) == '{"tags": {"a": [2], "b": 1}}'


# Numbers


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (9999999999999998.0, "9999999999999998"),
        (-3.0, "-3"),
        (0.5, "0.5"),
        (1e16, "1e+16"),
        (12345678901234567890123, "12345678901234567890123"),
    ],
)
def test_an_integral_float_is_an_integer_in_every_field(number: float, expected: str) -> None:
    for data in (
        written(x=number)["x"],
        written(x=[{"a": number}])["x"][0]["a"],
        pin(x=number)["x"],
        written(tags=number)["tags"],
    ):
        assert exact(data) == expected


def test_an_integral_position_is_an_integer() -> None:
    assert (
        exact(written(pin_definitions=[{"position": 1.0}]))
        == '{"pin_definitions": [{"position": 1}]}'
    )
    assert warnings_of(pin_definitions=[{"position": 1.0}]) == []


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize(
    ("path", "place", "fields"),
    [
        (("x", "a", 1), "x.a[1]", lambda number: {"x": {"a": [0, number]}}),
        (
            ("pin_definitions", 0, "position"),
            "pin_definitions[0].position",
            lambda number: {"pin_definitions": [{"position": number}]},
        ),
        (("target_identity",), "target_identity", lambda number: {"target_identity": number}),
    ],
)
def test_what_is_not_finite_is_refused(
    number: float, path: tuple[str | int, ...], place: str, fields: Callable[[float], Row]
) -> None:
    with pytest.raises(DataError, match="expected a finite number") as caught:
        written(**fields(number))
    assert caught.value.path == path
    assert caught.value.message.startswith(f"{place}: expected")


# Date-times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2027-01-01T00:00:00+01:00", "2026-12-31T23:00:00Z"),
        ("2026-12-31t23:00:00z", "2026-12-31T23:00:00Z"),
        ("2026-12-31T23:00:00+00:00", "2026-12-31T23:00:00Z"),
        ("2026-12-31T23:00:00-00:00", "2026-12-31T23:00:00Z"),
        ("2026-02-28T23:59:59-23:59", "2026-03-01T23:58:59Z"),
        ("2024-03-01T00:00:00+23:59", "2024-02-29T00:01:00Z"),
        ("2026-12-31T23:00:00.000Z", "2026-12-31T23:00:00Z"),
        ("2026-12-31T23:00:00.120+01:00", "2026-12-31T22:00:00.12Z"),
        (
            "2026-12-31T23:00:00.000000000000000000000000000001Z",
            "2026-12-31T23:00:00.000000000000000000000000000001Z",
        ),
        ("2026-12-31T23:00:00.1234567890123456789000Z", "2026-12-31T23:00:00.1234567890123456789Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"),
        ("2017-01-01T00:59:60.50+01:00", "2016-12-31T23:59:60.5Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T01:00:00+01:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc(text: str, expected: str) -> None:
    assert normalize_date_time(text) == expected
    assert pin(active_from=text, active_to=text) == {"active_from": expected, "active_to": expected}
    assert warnings_of(pin_definitions=[{"position": 1, "active_to": text}]) == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-12-31", "2026-12-31T23:00:00", "2026-12-31T23:00Z"),
        *("2026-12-31T23Z", "20261231T230000Z"),
        *("2026-12-31 23:00:00Z", "2026-12-31T23:00:00 Z", " 2026-12-31T23:00:00Z"),
        *("2026-12-31T23:00:00Z\n",),
        *("2026-W53-4T23:00:00Z", "2026-365T23:00:00Z"),
        *("2026-12-31T24:00:00Z", "2026-12-31T23:60:00Z", "2026-12-31T23:00:61Z"),
        *("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z"),
        *("2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "0000-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "12026-12-31T23:00:00Z"),
        *("-2026-12-31T23:00:00Z",),
        *("2026-12-31T23:00:00+24:00", "2026-12-31T23:00:00+01:60"),
        *("2026-12-31T23:00:00+0100", "2026-12-31T23:00:00+01"),
        *("2026-12-31T23:00:00.Z", "2026-12-31T23:00:00,5Z"),
        *("2026-12-31T23:00:00\u22121:00", "2026-12-31T23:00:00UTC"),
        *("２０26-12-31T23:00:00Z", "2026-12-31T12:30:60Z", "2016-12-31T23:59:60+01:00"),
        *("2026-12-31T23:00:00Z[UTC]",),
    ],
)  # fmt: skip
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert normalize_date_time(text) == text
    assert pin(active_to=text) == {"active_to": text}


def test_date_times_elsewhere_are_texts() -> None:
    text = "2027-01-01T00:00:00+01:00"
    assert written(active_to=text, x=[text]) == {"active_to": text, "x": [text]}
    assert pin(starts=text, x={"active_to": text}) == {"starts": text, "x": {"active_to": text}}


# Identity and depth


@pytest.mark.parametrize("name", ["id", "model", "target_type"])
@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "null"),
        ("", '""'),
        (1, "an integer"),
        (True, "a boolean"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_what_identifies_a_customization_must_be_a_non_empty_string(
    name: str, value: object, got: str
) -> None:
    with pytest.raises(DataError) as caught:
        check_identity(row() | {name: value})
    assert caught.value.message == f"{name}: expected a non-empty string, got {got}"
    assert caught.value.path == (name,)


@pytest.mark.parametrize("name", ["id", "model", "target_type"])
def test_what_identifies_a_customization_must_be_there_if_it_is_required(name: str) -> None:
    rest = {key: value for key, value in row().items() if key != name}
    with pytest.raises(DataError, match="expected a non-empty string, got nothing"):
        check_identity(rest)
    check_identity(rest, tuple(rest))


def nested(levels: int) -> object:
    value: object = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_depth_is_limited_alike_in_every_field() -> None:
    written(x=nested(MAX_DEPTH))
    for fields in (
        {"x": nested(MAX_DEPTH + 1)},
        {"tags": nested(MAX_DEPTH + 1)},
        {"target_metadata": {"a": nested(MAX_DEPTH)}},
    ):
        with pytest.raises(DataError, match=f"nested deeper than {MAX_DEPTH} levels"):
            written(**fields)
