"""What the API accepts: the fields of a customization and of its pins, and the query of an export or a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from pinsync.sandbox.messages import invalid

Check: TypeAlias = tuple[Callable[[object], bool], str]
"""A test of a value that is not null, and what to say when it fails."""

TARGET_TYPES: Final = ("item", "criteria", "all")
PIN_TYPES: Final = ("item", "criteria")
STRATEGIES: Final = ("raise", "ignore", "override")
REQUIRED: Final = "Missing data for required field."


def _is_moment(value: object) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _is_position(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and value >= -1 and value == int(value)


def _one_of(names: tuple[str, ...]) -> Check:
    return lambda value: value in names, f"Must be one of: {', '.join(names)}"


TEXT: Final[Check] = (lambda value: isinstance(value, str) and value != "", "Must be a string that is not empty")
OBJECT: Final[Check] = (lambda value: isinstance(value, dict), "Must be an object")
FLAG: Final[Check] = (lambda value: isinstance(value, bool), "Must be true or false")
MOMENT: Final[Check] = (_is_moment, "Must be an ISO 8601 date-time")
TEXTS: Final[Check] = (
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "Must be a list of strings",
)
OBJECTS: Final[Check] = (
    lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    "Must be a list of objects",
)

CUSTOMIZATION: Final[Mapping[str, Check]] = {
    "model": TEXT,
    "target_type": _one_of(TARGET_TYPES),
    "target_identity": TEXT,
    "target_criteria": OBJECT,
    "tags": TEXTS,
    "target_metadata": OBJECT,
    "pin_definitions": OBJECTS,
}
PIN: Final[Mapping[str, Check]] = {
    "position": (_is_position, "Must be an integer from -1"),
    "pin_type": _one_of(PIN_TYPES),
    "pin_identity": TEXT,
    "pin_criteria": OBJECT,
    "widget_id": TEXT,
    "is_block_pin": FLAG,
    "is_bundle_pin": FLAG,
    "active_from": MOMENT,
    "active_to": MOMENT,
}
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def problems(row: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what is wrong with a customization that is to be stored, by field (``pin_definitions.0.position``).

    Fields that the reference doesn't list are accepted, null counts as absent, and a block pin may stand anywhere.
    """
    found = dict(_fields(row, CUSTOMIZATION, ("model", "target_type"), row.get("target_type"), "target_"))
    pins = row.get("pin_definitions")
    if pins is not None and "pin_definitions" not in found:
        for index, pin in enumerate(pins):
            required = _fields(pin, PIN, ("position", "pin_type"), pin.get("pin_type"), "pin_")
            found.update((f"pin_definitions.{index}.{name}", messages) for name, messages in required)
    return found


def _fields(
    row: Mapping[str, Any], checks: Mapping[str, Check], required: tuple[str, ...], kind: object, prefix: str
) -> Iterator[tuple[str, list[str]]]:
    """Yield the fields that are missing or wrong; an item needs its identity, and criteria need themselves."""
    named = {"item": f"{prefix}identity", "criteria": f"{prefix}criteria"}
    needed = (*required, named[kind]) if kind in ("item", "criteria") else required
    for name, (accepts, expected) in checks.items():
        value = row.get(name)
        if value is None and name in needed:
            yield name, [REQUIRED]
        elif value is not None and not accepts(value):
            yield name, [expected]


def check_filters(query: Mapping[str, list[str]]) -> None:
    """Refuse (422) a target type that doesn't exist, and an identity without ``target_type=item``."""
    types = query.get("target_type", [])
    if any(kind not in TARGET_TYPES for kind in types):
        raise invalid({"target_type": [f"Must be one of: {', '.join(TARGET_TYPES)}"]})
    if "target_identity" in query and types != ["item"]:
        raise invalid({"target_identity": ["Needs target_type=item"]})


def flag(query: Mapping[str, list[str]], name: str) -> bool:
    """Return a parameter that is true or false (the default), or refuse it (422)."""
    text = query.get(name, ["false"])[-1].lower()
    if text not in FLAGS:
        raise invalid({name: ["Must be true or false"]})
    return FLAGS[text]


def whole(query: Mapping[str, list[str]], name: str, default: int) -> int:
    """Return a parameter that is a whole number from 0, or refuse it (422)."""
    text = query.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdecimal()):
        raise invalid({name: ["Must be a whole number from 0"]})
    return int(text)


def chosen(query: Mapping[str, list[str]], name: str, choices: tuple[str, ...]) -> str:
    """Return a parameter that is one of ``choices``, the first by default, or refuse it (422)."""
    text = query.get(name, [choices[0]])[-1]
    if text not in choices:
        raise invalid({name: [f"Must be one of: {', '.join(choices)}"]})
    return text
