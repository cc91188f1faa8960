"""Checks of one value of a customization or a pin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Check(NamedTuple):
    """A check of a value that is not null.

    Attributes:
        accepts: returns whether a value passes.
        expected: the message for a value that doesn't.
    """

    accepts: Callable[[object], bool]
    expected: str


def is_text(value: object) -> bool:
    """Return whether a value is a string that is not empty."""
    return isinstance(value, str) and value != ""


def is_object(value: object) -> bool:
    """Return whether a value is a JSON object."""
    return isinstance(value, dict)


def is_flag(value: object) -> bool:
    """Return whether a value is true or false."""
    return isinstance(value, bool)


def is_moment(value: object) -> bool:
    """Return whether a value is an ISO 8601 date-time."""
    try:
        parse_moment(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def parse_moment(text: str) -> datetime:
    """Return the moment of an ISO 8601 date-time, which is in UTC if it has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def is_position(value: object) -> bool:
    """Return whether a value is an integer from -1."""
    # To Python, True is an integer.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value >= -1 and (isinstance(value, int) or value.is_integer())


def is_list_of_texts(value: object) -> bool:
    """Return whether a value is a list of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def is_list_of_objects(value: object) -> bool:
    """Return whether a value is a list of JSON objects."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def require_one_of(names: tuple[str, ...]) -> Check:
    """Return the check of a value that must be one of the names."""
    return Check(lambda value: value in names, f"Must be one of: {', '.join(names)}")
