"""The table of the API's fields holds what is written elsewhere about them: the fast path's records
and the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from pinsync.canonical import fields, rows
from pinsync.canonical.fields import is_empty
from support.schemas import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinsync.canonical.fields import Field, FieldType

DEFINITIONS: dict[str, Any] = load_schema("document")["definitions"]
TABLES: Final = {"customization": fields.CUSTOMIZATION, "pin": fields.PIN}
RECORDS: Final[dict[str, type[msgspec.Struct]]] = {"customization": rows._Row, "pin": rows._Pin}

PLAIN: Final[dict[FieldType, Any]] = {
    "id": str,
    "text": str,
    "choice": str,
    "integer": int,
    "flag": bool,
    "date-time": str,
    "object": dict[str, Any],
    "strings": list[str],
    "pins": list[rows._Pin],
}
JSON_TYPES: Final[dict[FieldType, str]] = {
    "id": "string",
    "text": "string",
    "integer": "integer",
    "flag": "boolean",
    "date-time": "string",
    "object": "object",
    "strings": "array",
    "pins": "array",
}


def optional(table: Iterable[Field]) -> list[Field]:
    return [field for field in table if None in field.empty]


@pytest.mark.parametrize("part", TABLES)
def test_the_fast_path_reads_the_fields_of_the_table(part: str) -> None:
    found = {field.name: field for field in msgspec.structs.fields(RECORDS[part])}
    answered = {fields.MODEL, *fields.NOT_WRITTEN} if part == "customization" else set()
    table = TABLES[part]
    assert found.keys() - answered == set(fields.select_names(table))
    assert [name for name in found if name not in answered] == list(fields.select_names(table))
    for field in table:
        is_optional = field in optional(table)
        expected = PLAIN[field.type]
        if is_optional:
            expected = expected | msgspec.UnsetType | None
        # Criteria are decoded later, and only once for all pins that share them.
        if field.goes_with == "criteria":
            expected = msgspec.Raw
        assert found[field.name].type == expected
        assert found[field.name].required != is_optional


@pytest.mark.parametrize("part", TABLES)
def test_the_schema_has_the_fields_of_the_table(part: str) -> None:
    table, definition = TABLES[part], DEFINITIONS[part]
    properties = definition["properties"]
    assert [name for name in properties if properties[name] is not False] == list(
        fields.select_names(table)
    )
    assert definition["required"] == [field.name for field in table if field.is_required]
    for field in table:
        found = properties[field.name]
        if field.type == "date-time":
            assert found["allOf"] == [{"$ref": "#/definitions/moment"}]
            found = DEFINITIONS["moment"]
        if field.choices:
            assert found["enum"] == list(field.choices)
        else:
            expected = JSON_TYPES[field.type]
            assert found["type"] == ([expected, "null"] if None in field.empty else expected)


@pytest.mark.parametrize("part", TABLES)
def test_the_schema_has_what_goes_with_a_choice(part: str) -> None:
    table = TABLES[part]
    (choice,) = [field for field in table if field.choices]
    found = {
        name: (condition["if"]["properties"].get(choice.name), inner["title"])
        for condition in DEFINITIONS[part]["allOf"]
        for name, inner in condition["then"]["properties"].items()
    }
    for field in table:
        if field.goes_with:
            others = [text for text in choice.choices if text != field.goes_with]
            only = {"const": others[0]} if len(others) == 1 else None
            condition, title = found[field.name]
            assert title == f"{field.name} goes with {choice.name}: {field.goes_with}"
            assert (condition == only) if only else (set(condition["enum"]) == set(others))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_names_are_told_apart(table: tuple[Field, ...]) -> None:
    names = fields.select_names(table)
    assert len(set(names)) == len(names)
    (choice,) = [field for field in table if field.type == "choice"]
    assert {field.goes_with for field in table} - {""} <= set(choice.choices)


def test_what_is_named_apart_stands_in_the_table() -> None:
    assert set(fields.PLACE) <= set(fields.select_names(fields.PIN))
    assert set(fields.THING) <= set(fields.select_names(fields.PIN))
    assert fields.IDENTITY <= fields.KNOWN
    assert {"id"} == fields.IDENTITY & fields.LABELS
    assert not fields.KNOWN & fields.NOT_WRITTEN


@pytest.mark.parametrize("value", [0, 0.0, -0.0, "", "null", True, [None], {"a": None}])
def test_no_other_value_is_empty(value: object) -> None:
    assert not any(is_empty(value, field.empty) for table in TABLES.values() for field in table)
