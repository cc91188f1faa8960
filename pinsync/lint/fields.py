"""The fields that the API documents, and what each may hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinsync.errors import kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Field(NamedTuple):
    """One field.

    Attributes:
        accepts: tells whether a value is right; null and, for what may be empty, nothing at all are right anyway.
        expected: what it should be.
        hint: how to mend it.
        is_required: whether it has to be there.
    """

    accepts: Callable[[Any], bool]
    expected: str
    hint: str
    is_required: bool = False


def shown(value: object) -> str:
    """Return a value as a message names it: as it stands if that is short, else by what it is."""
    if isinstance(value, str | int | float):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _SHORT else kind(value)
    return kind(value)


_SHORT: Final = 60


def first_wrong(value: object, of: type) -> int | None:
    """Return the index of the first item of a list that isn't of a type."""
    items = value if isinstance(value, list) else []
    return next((index for index, item in enumerate(items) if not isinstance(item, of)), None)


def _is_position(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and value == int(value)


def _text(*, is_required: bool = False) -> Field:
    return Field(
        lambda value: isinstance(value, str), "a string", "put it in quotes if it is meant as it stands", is_required
    )


def _one_of(*names: str) -> Field:
    expected = f"{', '.join(names[:-1])} or {names[-1]}"
    return Field(lambda value: value in names, expected, f"write {expected}", is_required=True)


_OBJECT: Final = Field(lambda value: isinstance(value, dict) or value == [], "an object", "write `key: value` below it")
_FLAG: Final = Field(lambda value: isinstance(value, bool), "true or false", "write true, or leave it out")
_POSITION: Final = Field(_is_position, "an integer", "write 1, 2, 3 …, -1 for all positions, 0 to block", True)

TARGET_TYPES: Final = ("item", "criteria", "all")
PIN_TYPES: Final = ("item", "criteria")
CUSTOMIZATION: Final[Mapping[str, Field]] = {
    "id": Field(
        lambda value: isinstance(value, str) and value != "",
        "a string",
        "leave it out of a customization that the server doesn't know yet; put it in quotes otherwise",
    ),
    "target_type": _one_of(*TARGET_TYPES),
    "target_identity": _text(),
    "target_criteria": _OBJECT,
    "tags": Field(
        lambda value: value == {} or (isinstance(value, list) and all(isinstance(item, str) for item in value)),
        "a list of strings",
        "write each on a line of its own, behind a dash, and in quotes if it looks like a number",
    ),
    "target_metadata": _OBJECT,
    "pin_definitions": Field(
        lambda value: value == {} or (isinstance(value, list) and all(isinstance(item, dict) for item in value)),
        "a list of pins",
        "begin each pin with `- position:`",
    ),
}
PIN: Final[Mapping[str, Field]] = {
    "position": _POSITION,
    "pin_type": _one_of(*PIN_TYPES),
    "pin_identity": _text(),
    "pin_criteria": _OBJECT,
    "widget_id": _text(),
    "is_block_pin": _FLAG,
    "is_bundle_pin": _FLAG,
    "active_from": _text(),
    "active_to": _text(),
}
NOT_WRITTEN: Final = frozenset({"created_at", "updated_at"})
"""Fields of an answer that no document holds; ``fmt`` leaves them out."""
