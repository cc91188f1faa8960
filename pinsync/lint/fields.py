"""What lint expects of each field that the API documents."""

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
    """What the value of a field should be.

    Attributes:
        accepts: tells whether a value that isn't empty is right.
        words: what it should be.
        hint: how to mend it.
        items: the type of its items, if it is a list.
    """

    accepts: Callable[[Any], bool]
    words: str
    hint: str
    items: type | None = None


def shown(value: object) -> str:
    """Return a value as a message names it: as it stands if that is short, else by what it is."""
    if isinstance(value, str | int | float):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _SHORT else name_kind(value)
    return name_kind(value)


def first_wrong(value: object, of: type) -> int | None:
    """Return the index of the first item of a list that isn't of a type."""
    items = value if isinstance(value, list) else []
    return next((index for index, item in enumerate(items) if not isinstance(item, of)), None)


def _is_position(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and value == int(value)


def _is_list(of: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and first_wrong(value, of) is None


_TEXT: Final = Expected(
    lambda value: isinstance(value, str),
    "a string",
    "put it in quotes if it is meant as it stands",
)
_OF_TYPE: Final[Mapping[FieldType, Expected]] = {
    "id": Expected(
        lambda value: isinstance(value, str) and value != "",
        "a string",
        "leave it out of a customization that the server doesn't know yet; put it in quotes otherwise",
    ),
    "text": _TEXT,
    "date-time": _TEXT,  # the lint rule date-time looks at its form
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
        _is_list(str),
        "a list of strings",
        "write each on a line of its own, behind a dash, and in quotes if it looks like a number",
        str,
    ),
    "pins": Expected(_is_list(dict), "a list of pins", "begin each pin with `- position:`", dict),
}


def _expect(field: Field) -> Expected:
    if field.type != "choice":
        return _OF_TYPE[field.type]
    words = f"{', '.join(field.choices[:-1])} or {field.choices[-1]}"
    return Expected(lambda value: value in field.choices, words, f"write {words}")


def _expect_all(table: Iterable[Field]) -> dict[str, tuple[Field, Expected]]:
    return {field.name: (field, _expect(field)) for field in table}


CUSTOMIZATION: Final = _expect_all(fields.CUSTOMIZATION)
PIN: Final = _expect_all(fields.PIN)
