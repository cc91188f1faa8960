r"""Write the canonical text of a customization, and read exactly that text.

A block stands in a document as an item of ``customizations``, indented by two spaces. The emitter
is our own because a general YAML dumper takes a hundred times as long and changes its output
between versions, while canonical text may never change.
"""

from __future__ import annotations

import re
from operator import lt
from sys import intern
from typing import Any, Final, NamedTuple

from pinsync.canonical.fields import TARGET_TYPES
from pinsync.errors import DataError
from pinsync.escape import INVISIBLE, escape_character
from pinsync.model import Customization, Target

MAX_KEY: Final = 1000
"""The longest key, in characters as written; YAML readers refuse a key of more than 1,024
characters (YAML 1.2.2, section 7.4.2).
"""

_TYPES: Final = {name: rank for rank, name in enumerate(TARGET_TYPES)}

_PIN_SORT_FIELDS: Final = ("pin_type", "pin_identity", "widget_id", "active_from", "active_to")

# Without quotes, other texts would be numbers, booleans or nulls to a YAML 1.1 or 1.2 reader.
_BARE: Final = re.compile(
    r"(?![eE][0-9]+\Z)(?!(?i:y|n|yes|no|on|off|true|false|null|nan|inf)\Z)[A-Za-z/_][A-Za-z0-9_./-]*"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}

_ENTRY: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"':]+):(?: (.+))?""")
_INTEGER: Final = re.compile(r"-?[0-9]+")
# Not 1.0, which is written as 1.
_FLOAT: Final = re.compile(r"(?!-?[0-9]+\.0\Z)-?[0-9]+\.[0-9]+(?:e[+-][0-9]+)?")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_UNESCAPED: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "\\": "\\", '"': '"'}
_WORDS: Final = {"null": None, "true": True, "false": False}


def build(model: str, data: dict[str, Any], *, updated_at: str | None = None) -> Customization:
    """Return the customization with canonical plain data, and its text.

    Args:
        model: the recommender model.
        data: plain data from ``normalize``.
        updated_at: when the vendor last saw a change, if the answer has the field.

    Raises:
        DataError: a string isn't valid Unicode, or a key is longer than ``MAX_KEY``.
    """
    identity, criteria = data.get("target_identity"), data.get("target_criteria")
    if type(identity) is not str:
        identity = None
    if criteria is not None:
        criteria = render_value(criteria)
    target = Target(data["target_type"], identity, criteria)
    return Customization(model, data.get("id"), target, render(data).encode(), updated_at)


def build_sort_key(item: Customization) -> tuple[int, str, str, str, bytes]:
    """Return the sort key in a document: type, identity or criteria, id, text."""
    kind, identity, criteria = item.target
    if identity is None:
        identity = criteria or ""
    return rank_type(kind), kind, identity, item.id or "", item.text


def build_pin_sort_key(pin: dict[str, Any]) -> tuple[int | str, ...]:
    """Return the sort key of a pin: position, type, identity or criteria, widget, window, text.

    Values of an unexpected type are compared only in the text.
    """
    position, criteria = pin.get("position"), pin.get("pin_criteria")
    values = map(pin.get, _PIN_SORT_FIELDS)
    kind, thing, *rest = (value if type(value) is str else "" for value in values)
    if not thing and criteria is not None:
        thing = render_value(criteria)
    # Pins without a numeric position come last.
    place = (0, position) if type(position) is int else (1, 0)
    return *place, rank_type(kind), kind, thing, *rest, _render_mapping(pin, "")


def rank_type(name: str) -> int:
    """Return the place of a target type, or of a pin type, in canonical order."""
    return _TYPES.get(name, len(_TYPES))


def render(data: dict[str, Any]) -> str:
    """Return the canonical text of a customization, as an indented list item with a final newline.

    The pins are sorted here and not before, because the last part of their sort key is their text.
    """
    pins = data.get("pin_definitions")
    if type(pins) is list and not _are_in_order(pins):
        data = {**data, "pin_definitions": sorted(pins, key=build_pin_sort_key)}
    return _render_mapping(data, "  - ")


def _are_in_order(pins: list[Any]) -> bool:
    """Return whether pins are sorted already. Most lists are, with one pin at each position."""
    # A list of other values, or of mixed ones, keeps its order.
    if set(map(type, pins)) != {dict}:
        return True
    positions = [pin.get("position") for pin in pins]
    return set(map(type, positions)) == {int} and all(map(lt, positions, positions[1:]))


def render_value(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the canonical text of any value, without indentation, for comparing and sorting."""
    if type(value) is dict and value:
        return _render_mapping(value, "")
    if type(value) is list and value:
        return _render_sequence(value, 0)
    return _render_scalar(value)


def render_fields(data: dict[str, Any], indent: str = "    ") -> str:
    """Return the lines of some fields of a customization, without pins, or of an object in it."""
    return _render_mapping(data, indent) if data else ""


def render_texts(data: dict[str, str], indent: str) -> str:
    """Return what `render_fields` returns, but don't cache the texts: titles hardly ever repeat."""
    values = tuple([f" {quote(text)}" for text in data.values()])
    return _templates[indent, *data] % values


def _render_mapping(value: dict[str, Any], first: str) -> str:
    """Return an object's lines. ``first`` holds the blanks, and any dash, before its first key."""
    column = len(first)
    values = [
        strings[item] if type(item) is str else _render_behind_key(item, column)
        for item in value.values()
    ]
    return _templates[first, *value] % tuple(values)


def _render_behind_key(value: Any, column: int) -> str:  # noqa: ANN401 - any JSON value but a string
    """Return the text behind a key's colon, without the final newline."""
    kind = type(value)
    if kind is dict and value:
        return "\n" + _render_mapping(value, " " * (column + 2))[:-1]
    if kind is list and value:
        return "\n" + _render_sequence(value, column + 2)[:-1]
    return f" {_render_scalar(value)}"


def _render_sequence(value: list[Any], column: int) -> str:
    dash = " " * column + "- "
    return "".join([_render_item(item, dash) for item in value])


def _render_item(value: Any, dash: str) -> str:  # noqa: ANN401 - any JSON value
    """Return an item's lines; its content begins on the line of the dash."""
    kind = type(value)
    if kind is dict and value:
        return _render_mapping(value, dash)
    if kind is list and value:
        return dash + _render_sequence(value, len(dash))[len(dash) :]
    return f"{dash}{_render_scalar(value)}\n"


def _render_scalar(value: Any) -> str:  # noqa: ANN401 - any JSON value
    kind = type(value)
    if kind is str:
        return strings[value][1:]
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return _render_float(value)
    if kind is dict or kind is list:
        return "{}" if kind is dict else "[]"
    return str(value)


def _render_float(value: float) -> str:
    # A YAML 1.1 reader takes a number for a float only if it has a point and, in an exponent, a
    # sign.
    mantissa, exponent, power = repr(value).partition("e")
    if not exponent:
        return mantissa
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}e{power}"


def quote(text: str) -> str:
    """Return a string's canonical form: bare, or in quotes on one line.

    Raises:
        DataError: the string isn't valid Unicode.
    """
    if _BARE.fullmatch(text):
        return text
    # isprintable() is ten times as quick as the pattern. A text that it accepts, with the Unicode
    # tables of any Python, holds no character of the frozen list INVISIBLE.
    hidden = not text.isprintable() and re.search(INVISIBLE, text)
    if "\\" not in text and not hidden:
        if '"' not in text:
            return f'"{text}"'
        return "'" + text.replace("'", "''") + "'"
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    if hidden:
        text = re.sub(INVISIBLE, _escape, text)
    return f'"{text}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if "\ud800" <= character <= "\udfff":
        raise DataError(
            f"text with half a surrogate pair ({escape_character(character)}) is not valid Unicode"
        )
    return _SHORT.get(character) or escape_character(character)


class _Strings(dict[str, str]):
    """A cache of quoted strings after a blank; many pins share identities and windows."""

    def __missing__(self, text: str) -> str:
        if len(self) > 20_000:  # noqa: PLR2004 - some 4 MB
            self.clear()
        self[text] = behind_key = " " + quote(text)
        return behind_key


class _Templates(dict[tuple[str, ...], str]):
    """A cache: text before the first key, and keys → a format. Most objects share their keys."""

    def __missing__(self, names: tuple[str, ...]) -> str:
        if len(self) > 1_000:  # noqa: PLR2004 - some 1 MB
            self.clear()
        first, *keys = names
        pad = " " * len(first)
        lines = [f"{pad}{_render_key(name)}:".replace("%", "%%") + "%s\n" for name in keys]
        self[names] = template = first + "".join(lines)[len(first) :]
        return template


def _render_key(name: str) -> str:
    key = quote(name)
    if len(key) > MAX_KEY:
        raise DataError(
            f"a key of {len(key)} characters as written ({key[:40]}…); YAML allows {MAX_KEY}"
        )
    return key


strings: Final = _Strings()
"""Text → a blank and the canonical form of the text, for the place behind a key's colon."""
_templates: Final = _Templates()


def read(text: str) -> dict[str, Any] | None:
    """Return the data of a block; None if the block isn't canonical text to the byte.

    Args:
        text: one item of ``customizations`` from a document, without comments.
    """
    data = read_rendered(text)
    try:
        # The readers may misread other text, but then emitting the data doesn't return the text.
        return data if data and render(data) == text else None
    except (DataError, RecursionError):
        return None


def read_rendered(text: str) -> dict[str, Any] | None:
    """Return the data of a block that `render` wrote. Any other text may be misread, or be None."""
    lines = text.split("\n")
    lines[0] = lines[0].replace("- ", "  ", 1)
    try:
        return _read_mapping(lines, 0, 4)[0]
    except (ValueError, IndexError, RecursionError, TypeError):
        # A TypeError: a key isn't a text.
        return None


def read_value(text: bytes) -> Any:  # noqa: ANN401 - any JSON scalar
    """Return the value of a scalar; None if the scalar isn't canonical text to the byte."""
    try:
        value = _read_scalar(text.decode())
        return value if render_value(value).encode() == text else None
    except (ValueError, IndexError, DataError):
        return None


class _Entry(NamedTuple):
    """The line of a field: its column, its key, and its value or the kind of its value."""

    column: int
    key: str
    value: Any


class _Entries(dict[str, _Entry | None]):
    """A cache: a line → its field; None for any other line. Most lines are in many texts."""

    def __missing__(self, line: str) -> _Entry | None:
        if len(self) > 50_000:  # noqa: PLR2004 - some 20 MB
            self.clear()
        column = len(line) - len(line.lstrip(" "))
        found = _ENTRY.fullmatch(line, column)
        entry = None
        if found:
            value = _BELOW if found[2] is None else _read_scalar(found[2])
            entry = _Entry(column, intern(_read_scalar(found[1])), value)
        # Long lines are rare, and a hostile file may have many.
        if len(line) <= 100:  # noqa: PLR2004
            self[line] = entry
        return entry


_BELOW: Final = object()
"""The value of a field whose value stands in the lines below."""
_entries: Final = _Entries()


def _read_mapping(lines: list[str], at: int, indent: int) -> tuple[dict[str, Any], int]:
    data: dict[str, Any] = {}
    entry = _entries[lines[at]]
    while entry is not None and entry.column == indent:
        _, key, value = entry
        at += 1
        if value is _BELOW:
            if lines[at].startswith(" " * indent + "  - "):
                value, at = _read_list(lines, at, indent + 2)
            else:
                value, at = _read_mapping(lines, at, indent + 2)
        elif type(value) is dict or type(value) is list:
            # The caller may change the value, so that it can't come from the cache.
            value = type(value)()
        data[key] = value
        entry = _entries[lines[at]]
    return data, at


def _read_list(lines: list[str], at: int, indent: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    item: Any
    pad = " " * indent
    while lines[at].startswith(f"{pad}- "):
        rest = lines[at][indent + 2 :]
        lines[at] = f"{pad}  {rest}"
        if rest.startswith("- "):
            item, at = _read_list(lines, at, indent + 2)
        elif (entry := _entries[lines[at]]) and entry.column == indent + 2:
            item, at = _read_mapping(lines, at, indent + 2)
        else:
            item, at = _read_scalar(rest), at + 1
        items.append(item)
    return items, at


def _read_scalar(text: str) -> Any:  # noqa: ANN401 - any JSON scalar, or an empty collection
    if text[0] == '"':
        return _ESCAPE.sub(_unescape, text[1:-1])
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _WORDS.get(text, text)


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        return chr(int(code, 16))
    return _UNESCAPED.get(match[3], match[0])
