"""Values as people read them: lines and tables, JSON without noise, moments in a time zone."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from pinsync.escape import defuse, reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, tzinfo

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_WIDEST: Final = 80
"""The greatest width to which the cells of a table's column are padded; wider cells stand out."""

# Excludes everything that a reader could take for a part of the sentence around it: blanks,
# quotes, brackets, commas, arrows, and the words for a missing value.
_BARE: Final = re.compile(
    r"(?!(?:true|false|null|absent|none)\Z)(?:[^\W\d]|/|[0-9a-f]{8}-)[\w./+?=&%#@~:-]*"
)


def measure_common_prefix(left: str, right: str) -> int:
    """Return the number of characters in the longest common prefix of two texts."""
    shorter = min(len(left), len(right))
    for index in range(shorter):
        if left[index] != right[index]:
            return index
    return shorter


def measure_width(text: str) -> int:
    """Return the number of terminal columns that a line takes."""
    if text.isascii():
        return len(text)
    columns = 0
    for character in text:
        # Combining marks and format characters take no column.
        if unicodedata.category(character) not in ("Mn", "Me", "Cf"):
            columns += 1
        # UAX #11: wide and fullwidth characters take two columns.
        if unicodedata.east_asian_width(character) in ("W", "F"):
            columns += 1
    return columns


def pad(text: str, columns: int) -> str:
    """Fill a line with blanks up to a width; leave a wider line unchanged."""
    return text + " " * (columns - measure_width(text))


def align(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Pad the cells of a table to the widths of their columns; drop empty columns."""
    widths = [min(max(map(measure_width, column)), _WIDEST) for column in zip(*rows, strict=True)]
    table = []
    for row in rows:
        cells = zip(row, widths, strict=True)
        table.append([pad(cell, columns) for cell, columns in cells if columns])
    return table


def wrap(text: str, width: int, *, hanging: str = "") -> list[str]:
    """Break a line between words.

    Args:
        text: the line.
        width: the maximum number of columns; a single word may be longer.
        hanging: the indentation of all lines but the first.

    Returns:
        The lines; none if the text is empty.
    """
    # textwrap counts characters, and a Chinese one takes two columns.
    lines: list[str] = []
    columns = width + 1
    for word in text.split(" "):
        size = measure_width(word)
        if columns + 1 + size > width:
            lines.append((hanging if lines else "") + word)
            columns = measure_width(lines[-1])
        else:
            lines[-1] += f" {word}"
            columns += 1 + size
    return lines if text else []


def join_lines(lines: Iterable[str]) -> str:
    """Join lines to a text with a final newline, in which no CI runner obeys a command."""
    return defuse("".join(f"{line}\n" for line in lines))


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 pin``, ``2,000 pins``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def write_sentence(where: str, thing: str, remark: str, facts: Iterable[str]) -> str:
    """Return the line about a pin: ``position 1: /p/234/ (moved 3 → 1), until 24 Dec 2026``."""
    start = f"{where}: {thing} ({remark})" if remark else f"{where}: {thing}"
    return ", ".join([start, *facts])


def is_plain_word(value: object) -> bool:
    """Whether a value is a text that `compact` leaves as it is, whatever it is compared with."""
    return isinstance(value, str) and value.isascii() and _BARE.fullmatch(value) is not None


def compact(value: Any, spell: Callable[[str], str] = reveal) -> str:  # noqa: ANN401
    """Write a JSON value on one line, keys and plain words without quotes.

    Example: ``{price: {lt: 20}, on: [a, "b c"]}``.

    Args:
        value: the value.
        spell: escapes the strings in the value; the default suits identities.
    """
    if isinstance(value, dict):
        pairs = (f"{compact(key, spell)}: {compact(item, spell)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(compact(item, spell) for item in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    # Most strings end here, with nothing to escape.
    if is_plain_word(value):
        return value
    # JSON doubles the string's own backslashes before `spell` adds escapes, so that a reader
    # can't take one for the other.
    escaped = spell(json.dumps(value, ensure_ascii=False)[1:-1])
    return value if escaped == value and _BARE.fullmatch(value) else f'"{escaped}"'


def format_path(path: Iterable[str | int], spell: Callable[[str], str] = reveal) -> str:
    """Return the path of a value: ``target_metadata.title``, ``switch["odd key"][0]``."""
    parts = []
    for step in path:
        text = compact(step, spell)
        parts.append(f".{step}" if step == text else f"[{text}]")
    return "".join(parts).removeprefix(".")


def name_month(number: int) -> str:
    """Return the short name of a month, from 1 for January."""
    return _MONTHS[number - 1]


def format_moment(moment: datetime, zone: tzinfo, fraction: str = "") -> str:
    """Write a moment in a time zone, with the zone's name: ``24 Dec 2026 12:00 CET``.

    Args:
        moment: the moment, with an offset.
        zone: the time zone to show it in.
        fraction: the decimal point and the digits below the second. Seconds are shown only if
            they or the digits aren't zero.

    Raises:
        OverflowError: the zone's offset puts the moment outside the years 1 to 9999.
    """
    local = moment.astimezone(zone)
    seconds = f":{local.second:02d}{fraction}" if local.second or fraction else ""
    # A zone without a name has an offset: isoformat() ends with "+01:00".
    name = local.tzname() or local.isoformat()[-6:]
    # Some zones of the tz database are named by a bare offset, "-03" for São Paulo.
    name = f"UTC{name}" if name[0] in "+-" else name
    day = f"{local.day} {name_month(local.month)} {local.year:04d}"
    return f"{day} {local.hour:02d}:{local.minute:02d}{seconds} {name}"
