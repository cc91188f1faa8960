"""Check the fields of a customization and of its pins, and the query of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pinsync.sandbox.checks import (
    Check,
    is_flag,
    is_list_of_objects,
    is_list_of_texts,
    is_moment,
    is_object,
    is_position,
    is_text,
    parse_moment,
    require_one_of,
)
from pinsync.sandbox.messages import build_refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

TARGET_TYPES: Final = ("item", "criteria", "all")
PIN_TYPES: Final = ("item", "criteria")
STRATEGIES: Final = ("raise", "ignore", "override")
REQUIRED: Final = "Missing data for required field."
UNKNOWN: Final = "Unknown field."

Problems: TypeAlias = dict[str, list[str]]
"""Field → messages, as in the ``exception_details`` of a 422."""

TEXT: Final = Check(is_text, "Must be a string that is not empty")
OBJECT: Final = Check(is_object, "Must be an object")
FLAG: Final = Check(is_flag, "Must be true or false")
MOMENT: Final = Check(is_moment, "Must be an ISO 8601 date-time")
TEXTS: Final = Check(is_list_of_texts, "Must be a list of strings")
OBJECTS: Final = Check(is_list_of_objects, "Must be a list of objects")

CUSTOMIZATION: Final[Mapping[str, Check]] = {
    "model": TEXT,
    "target_type": require_one_of(TARGET_TYPES),
    "target_identity": TEXT,
    "target_criteria": OBJECT,
    "tags": TEXTS,
    "target_metadata": OBJECT,
    "pin_definitions": OBJECTS,
}
PIN: Final[Mapping[str, Check]] = {
    "position": Check(is_position, "Must be an integer from -1"),
    "pin_type": require_one_of(PIN_TYPES),
    "pin_identity": TEXT,
    "pin_criteria": OBJECT,
    "widget_id": TEXT,
    "is_block_pin": FLAG,
    "is_bundle_pin": FLAG,
    "active_from": MOMENT,
    "active_to": MOMENT,
}
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def find_problems(row: Mapping[str, Any], *, required: Collection[str] = ()) -> Problems:
    """Return the messages about a customization by field, such as ``pin_definitions.0.position``.

    Unknown fields are accepted, null counts as absent, and a block pin may have any position.

    Args:
        row: the customization.
        required: the fields that it needs besides those that every customization needs.
    """
    target_type = row.get("target_type")
    needed = {"model", "target_type", *required}
    problems = dict(_find_field_problems(row, CUSTOMIZATION, needed, target_type, "target_"))
    pins = row.get("pin_definitions")
    if pins is None or "pin_definitions" in problems:
        return problems
    for index, pin in enumerate(pins):
        for name, messages in _find_pin_problems(pin):
            problems[f"pin_definitions.{index}.{name}"] = messages
    return problems


def _find_pin_problems(pin: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    names = set()
    kind = pin.get("pin_type")
    for name, messages in _find_field_problems(pin, PIN, {"position", "pin_type"}, kind, "pin_"):
        names.add(name)
        yield name, messages
    start, end = pin.get("active_from"), pin.get("active_to")
    if start is None or end is None or names & {"active_from", "active_to"}:
        return
    if parse_moment(end) < parse_moment(start):
        yield "active_to", ["Must not be before active_from"]


def _find_field_problems(
    row: Mapping[str, Any],
    checks: Mapping[str, Check],
    required: Collection[str],
    kind: object,
    prefix: str,
) -> Iterator[tuple[str, list[str]]]:
    """Yield each missing or wrong field of a customization or a pin, with its messages."""
    needed = set(required)
    if kind in ("item", "criteria"):
        field = "identity" if kind == "item" else "criteria"
        needed.add(f"{prefix}{field}")
    for name, check in checks.items():
        value = row.get(name)
        if value is None and name in needed:
            yield name, [REQUIRED]
        elif value is not None and not check.accepts(value):
            yield name, [check.expected]


def find_unknown_fields(row: Mapping[str, Any]) -> Problems:
    """Return a message for each field of a customization or a pin that the reference lacks."""
    problems = {name: [UNKNOWN] for name in row if name not in (*CUSTOMIZATION, "id")}
    pins = row.get("pin_definitions")
    if pins is None or not is_list_of_objects(pins):
        return problems
    for index, pin in enumerate(pins):
        for name in pin:
            if name not in PIN:
                problems[f"pin_definitions.{index}.{name}"] = [UNKNOWN]
    return problems


def drop_unknown_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a customization with only the fields that the reference lists, in its pins too."""
    known = {name: value for name, value in row.items() if name in CUSTOMIZATION}
    pins = known.get("pin_definitions")
    if not pins:
        return known
    return {**known, "pin_definitions": [_drop_unknown_pin_fields(pin) for pin in pins]}


def _drop_unknown_pin_fields(pin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in pin.items() if name in PIN}


def check_filters(query: Mapping[str, list[str]]) -> None:
    """Refuse (422) an unknown target type, and an identity without ``target_type=item``."""
    types = query.get("target_type", [])
    if any(kind not in TARGET_TYPES for kind in types):
        raise build_refusal({"target_type": [f"Must be one of: {', '.join(TARGET_TYPES)}"]})
    if "target_identity" in query and types != ["item"]:
        raise build_refusal({"target_identity": ["Needs target_type=item"]})


def read_flag(query: Mapping[str, list[str]], name: str) -> bool:
    """Return a parameter that is true or false (the default), or refuse it (422)."""
    # Of a repeated parameter, the last value counts.
    text = query.get(name, ["false"])[-1].lower()
    if text not in FLAGS:
        raise build_refusal({name: ["Must be true or false"]})
    return FLAGS[text]


def read_whole_number(query: Mapping[str, list[str]], name: str, default: int) -> int:
    """Return a parameter that is a whole number from 0, or refuse it (422)."""
    text = query.get(name, [str(default)])[-1]
    # To int(), digits of other scripts, blanks and underscores are a number too.
    if not (text.isascii() and text.isdecimal()):
        raise build_refusal({name: ["Must be a whole number from 0"]})
    return int(text)


def read_choice(query: Mapping[str, list[str]], name: str, choices: tuple[str, ...]) -> str:
    """Return a parameter that is one of ``choices``, by default the first, or refuse it (422)."""
    text = query.get(name, [choices[0]])[-1]
    if text not in choices:
        raise build_refusal({name: [f"Must be one of: {', '.join(choices)}"]})
    return text
