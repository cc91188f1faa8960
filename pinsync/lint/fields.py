"""The expected values of the fields that the API documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinsync.canonical import fields
from pinsync.errors import name_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pinsync.canonical.fields import Field, FieldType

_SHORT: Final = 60


class Expected(NamedTuple):
    """The expected value of a field.

    Attributes:
        accepts: whether a non-empty value is right.
        words: the description of a right value, for messages.
        hint: the remedy for a wrong value.
        items: the type of the items, if the value is a list.
    """

    accepts: Callable[[Any], bool]
    words: str
    hint: str
    items: type | None = None


def describe_value(value: object) -> str:
    """Return a short value as JSON, or the kind of a longer value, for messages."""
    if isinstance(value, str | int | float):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _SHORT else name_kind(value)
    return name_kind(value)


def find_wrong_item(value: object, expected_type: type) -> int | None:
    """Return the index of the first item of a list that isn't of the expected type."""
    if not isinstance(value, list):
        return None
    wrong = (index for index, item in enumerate(value) if not isinstance(item, expected_type))
    return next(wrong, None)


def _is_position(value: object) -> bool:
    # True is an integer in Python, not in JSON; 1.0 is a position, since the API may answer so.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value == int(value)


def _accept_list(item_type: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and find_wrong_item(value, item_type) is None


_TEXT: Final = Expected(
    lambda value: isinstance(value, str),
    "a string",
    "put it in quotes if it is meant as it stands",
)
_OF_TYPE: Final[Mapping[FieldType, Expected]] = {
    "id": Expected(
        lambda value: isinstance(value, str) and value != "",
        "a string",
        (
            "leave it out of a customization that the server doesn't know yet; put it in quotes "
            "otherwise"
        ),
    ),
    "text": _TEXT,
    # The lint rule date-time checks the form.
    "date-time": _TEXT,
    "integer": Expected(
        _is_position,
        "an integer",
        "write 1, 2, 3 …, -1 for all positions, 0 to block",
    ),
    "flag": Expected(
        lambda value: isinstance(value, bool),
        "true or false",
        "write true, or leave it out",
    ),
    "object": Expected(
        lambda value: isinstance(value, dict),
        "an object",
        "write `key: value` below it",
    ),
    "strings": Expected(
        _accept_list(str),
        "a list of strings",
        "write each on a line of its own, behind a dash, and in quotes if it looks like a number",
        str,
    ),
    "pins": Expected(
        _accept_list(dict),
        "a list of pins",
        "begin each pin with `- position:`",
        dict,
    ),
}


def _build_expected(field: Field) -> Expected:
    if field.type != "choice":
        return _OF_TYPE[field.type]
    words = f"{', '.join(field.choices[:-1])} or {field.choices[-1]}"
    return Expected(lambda value: value in field.choices, words, f"write {words}")


def _build_table(table: Iterable[Field]) -> dict[str, tuple[Field, Expected]]:
    return {field.name: (field, _build_expected(field)) for field in table}


CUSTOMIZATION: Final = _build_table(fields.CUSTOMIZATION)
PIN: Final = _build_table(fields.PIN)
