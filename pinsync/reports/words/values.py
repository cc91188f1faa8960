"""How values look to people: lines and tables, JSON without its noise, moments in a time zone."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from pinsync.escape import defused, reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, tzinfo

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def measure_common_prefix(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def measure_width(text: str) -> int:
    """Return how many columns of a terminal a line takes: two for a wide character (UAX #11), none for a mark."""
    if text.isascii():
        return len(text)
    marks = sum(unicodedata.category(character) in ("Mn", "Me", "Cf") for character in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(character) in ("W", "F") for character in text)


def pad(text: str, columns: int) -> str:
    """Return a line filled up with blanks to a width; one that is wider stays as it is."""
    return text + " " * (columns - measure_width(text))


_WIDEST: Final = 80
"""The most columns of a terminal that a column of a table is filled up to; what is wider stands out."""


def align(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the cells of a table filled up to the widths of their columns; a column that is empty is left out."""
    widths = [min(max(map(measure_width, column)), _WIDEST) for column in zip(*rows, strict=True)]
    return [[pad(cell, columns) for cell, columns in zip(row, widths, strict=True) if columns] for row in rows]


def join_lines(lines: Iterable[str]) -> str:
    """Return lines as one text with a final newline, in which no CI runner obeys a command."""
    return defused("".join(f"{line}\n" for line in lines))


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 pin``, ``2,000 pins``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# Without what could be taken for a part of the sentence around it: blanks, quotes, brackets, commas, arrows,
# and the words for a value that isn't there.
_BARE: Final = re.compile(r"(?!(?:true|false|null|absent|none)\Z)(?:[^\W\d]|/|[0-9a-f]{8}-)[\w./+?=&%#@~:-]*")


def write_sentence(where: str, thing: str, remark: str, facts: Iterable[str]) -> str:
    """Return what every line about a pin looks like."""
    return ", ".join([f"{where}: {thing} ({remark})" if remark else f"{where}: {thing}", *facts])


def compact(value: Any, spell: Callable[[str], str] = reveal) -> str:  # noqa: ANN401 - any JSON value
    """Return a JSON value on one line, keys and plain words without quotes: ``{price: {lt: 20}, on: [a, "b c"]}``.

    Args:
        value: the value.
        spell: escapes the strings in it; by default as an identity needs it.
    """
    if isinstance(value, dict):
        pairs = (f"{compact(key, spell)}: {compact(item, spell)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(compact(item, spell) for item in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if value.isascii() and _BARE.fullmatch(value):
        return value  # nothing in it to escape, as a rule
    # A backslash of the string is doubled first, so that an escape can't be taken for the string's own text.
    shown = spell(json.dumps(value, ensure_ascii=False)[1:-1])
    return value if shown == value and _BARE.fullmatch(value) else f'"{shown}"'


def format_path(path: Iterable[str | int], spell: Callable[[str], str] = reveal) -> str:
    """Return where a value stands: ``target_metadata.title``, ``switch["odd key"][0]``."""
    texts = ((step, compact(step, spell)) for step in path)
    return "".join(f".{step}" if step == text else f"[{text}]" for step, text in texts).removeprefix(".")


def format_moment(at: datetime, zone: tzinfo, fraction: str = "") -> str:
    """Return a moment as people write it, in a time zone and with its name: ``24 Dec 2026 12:00 CET``.

    Args:
        at: the moment, with an offset.
        zone: the time zone to show it in.
        fraction: the digits below the second and their point; seconds are shown only where they aren't zero.

    Raises:
        OverflowError: there is no such moment in that zone, at either end of time.
    """
    there = at.astimezone(zone)
    seconds = f":{there.second:02d}{fraction}" if there.second or fraction else ""
    name = there.tzname() or there.isoformat()[-6:]
    name = f"UTC{name}" if name[0] in "+-" else name
    day = f"{there.day} {_MONTHS[there.month - 1]} {there.year:04d}"
    return f"{day} {there.hour:02d}:{there.minute:02d}{seconds} {name}"
