"""Spell a customization in the many ways that an API may choose."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

Row: TypeAlias = dict[str, Any]
"""A customization, parsed from JSON."""

RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
"""A usual date-time with an offset (RFC 3339, 5.6): no leap second, no lower-case letter."""

EXACT: Final = 2**53
"""The largest integer below which each integer is a double too (IEEE 754, binary64)."""

ABSENT: Final = object()

NOTHINGS: Final[Mapping[str, tuple[object, ...]]] = {
    "target_identity": (None,),
    "target_criteria": (None, {}),
    "tags": (None, []),
    "target_metadata": (None, {}),
    "pin_definitions": (None, []),
}
"""Field of a customization → spellings of its empty value; a missing field is another."""

PIN_NOTHINGS: Final[Mapping[str, tuple[object, ...]]] = {
    "pin_identity": (None,),
    "pin_criteria": (None, {}),
    "widget_id": (None,),
    "is_block_pin": (None, False),
    "is_bundle_pin": (None, False),
    "active_from": (None,),
    "active_to": (None,),
}
"""Field of a pin → spellings of its empty value."""


def respell(customization: Mapping[str, Any], random: Random) -> Row:
    """Return the customization in another spelling of the same meaning.

    Keys, tags and pins change their order. Empty fields are left out or written as null, empty or
    false. Date-times get another offset, and whole numbers a ``.0``. Nothing else changes: not the
    order of other lists, nor a null in an unknown field, nor a known field of an unexpected type.

    Args:
        customization: a customization, parsed from JSON; it isn't changed.
        random: makes the choices.
    """
    row = _vary_nothings(customization, NOTHINGS, random)
    if _is_list_of(row.get("tags"), str):
        row["tags"] = _shuffle(row["tags"], random)
    if _is_list_of(row.get("pin_definitions"), dict):
        pins = [_respell_pin(pin, random) for pin in row["pin_definitions"]]
        row["pin_definitions"] = _shuffle(pins, random)
    return {name: _vary(row[name], random) for name in _shuffle(list(row), random)}


def _respell_pin(pin: Mapping[str, Any], random: Random) -> Row:
    row = _vary_nothings(pin, PIN_NOTHINGS, random)
    for name in ("active_from", "active_to"):
        if isinstance(moment := row.get(name), str):
            row[name] = _vary_offset(moment, random)
    return row


def _vary_nothings(
    row: Mapping[str, Any], nothings: Mapping[str, tuple[object, ...]], random: Random
) -> Row:
    varied = dict(row)
    for name, spellings in nothings.items():
        if name not in row or _is_one_of(row[name], spellings):
            spelling = random.choice((ABSENT, *spellings))
            varied.pop(name, None)
            if spelling is not ABSENT:
                varied[name] = spelling
    return varied


def _is_one_of(value: object, spellings: tuple[object, ...]) -> bool:
    # Python's 0 == False, but 0 is no spelling of false.
    return any(type(value) is type(spelling) and value == spelling for spelling in spellings)


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _vary_offset(text: str, random: Random) -> str:
    match = RFC3339.fullmatch(text)
    if match is None:
        return text
    local, fraction, offset = match.groups()
    # UTC, CET and CEST more often, since shops use these offsets.
    minutes = random.choice((0, 0, 60, 120, *range(-14 * 60, 14 * 60 + 1, 15)))
    try:
        moment = datetime.fromisoformat(local + offset.replace("Z", "+00:00")).astimezone(UTC)
        moved = moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat(
            timespec="seconds"
        )
    except (ValueError, OverflowError):
        # No such day, or a moment beyond the years 1 to 9999.
        return text
    digits = fraction or ""
    if _flip_coin(random):
        digits += "000"
    seconds, zone = moved[:19], moved[19:]
    if minutes == 0 and _flip_coin(random):
        zone = "Z"
    return f"{seconds}.{digits}{zone}" if digits else seconds + zone


def _vary(value: Any, random: Random) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _vary(value[key], random) for key in _shuffle(list(value), random)}
    if isinstance(value, list):
        return [_vary(item, random) for item in value]
    # Not isinstance(), since a bool is an int to Python; a bigger int would lose digits.
    if type(value) is int and abs(value) <= EXACT and _flip_coin(random):
        return float(value)
    if (
        type(value) is float
        and 0 < abs(value) <= EXACT
        and value.is_integer()
        and _flip_coin(random)
    ):
        return int(value)
    return value


def _flip_coin(random: Random) -> bool:
    return bool(random.getrandbits(1))


def _shuffle(items: list[Any], random: Random) -> list[Any]:
    return random.sample(items, len(items))
