r"""The one text of a customization, and the strict reader of exactly that text.

A block stands in a document as an item of ``customizations``, two spaces in. The emitter is our own because a general
YAML dumper costs a hundred times as much and changes its mind between versions; this text may never change.
"""

from __future__ import annotations

import re
from operator import lt
from sys import intern
from typing import Any, Final

from pinsync.canonical.fields import TARGET_TYPES
from pinsync.errors import DataError
from pinsync.escape import INVISIBLE, escape_character
from pinsync.model import Customization, Target

MAX_KEY: Final = 1000
"""The longest key, in characters as written; YAML readers refuse one beyond 1,024 (YAML 1.2.2, section 7.4.2)."""

_TYPES: Final = {name: rank for rank, name in enumerate(TARGET_TYPES)}


def build(model: str, data: dict[str, Any], *, updated_at: str | None = None) -> Customization:
    """Return the record of canonical plain data, its text included.

    Args:
        model: the recommender model.
        data: what ``normalize`` returned.
        updated_at: when the vendor last saw a change, if the answer said so.

    Raises:
        DataError: a string that isn't valid Unicode, or a key beyond ``MAX_KEY``.
    """
    identity, criteria = data.get("target_identity"), data.get("target_criteria")
    target = Target(
        data["target_type"],
        identity if type(identity) is str else None,
        None if criteria is None else value_text(criteria),
    )
    return Customization(model, data.get("id"), target, render(data).encode(), updated_at)


def order(item: Customization) -> tuple[int, str, str, str, bytes]:
    """Return the sort key of a customization within its document: target type, identity or criteria, id, text."""
    kind, identity, criteria = item.target
    rank = _TYPES.get(kind, len(_TYPES))
    return rank, kind, criteria or "" if identity is None else identity, item.id or "", item.text


def pin_order(pin: dict[str, Any]) -> tuple[int | str, ...]:
    """Return the sort key of a pin: position, type, identity or criteria, widget, window, text.

    A value of an unexpected type is left to the text.
    """
    position, criteria = pin.get("position"), pin.get("pin_criteria")
    kind, identity, *rest = (
        value if type(value) is str else ""
        for value in map(pin.get, ("pin_type", "pin_identity", "widget_id", "active_from", "active_to"))
    )
    thing = identity or ("" if criteria is None else value_text(criteria))
    placed = (0, position) if type(position) is int else (1, 0)
    return *placed, _TYPES.get(kind, len(_TYPES)), kind, thing, *rest, _mapping(pin, "")


def render(data: dict[str, Any]) -> str:
    """Return the canonical text of a customization: an item of a list, two spaces in, with its final newline.

    Pins are put in order here, since what decides last between two of them is their text.
    """
    pins = data.get("pin_definitions")
    if type(pins) is list and not _in_order(pins):
        data = {**data, "pin_definitions": sorted(pins, key=pin_order)}
    return _mapping(data, "  - ")


def _in_order(pins: list[Any]) -> bool:
    """Whether pins need no sorting: as a rule they come in the order of their positions, one at each."""
    if set(map(type, pins)) != {dict}:
        return True  # not a list of pins: kept as it came
    positions = [pin.get("position") for pin in pins]
    return set(map(type, positions)) == {int} and all(map(lt, positions, positions[1:]))


def value_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the canonical text of any value, without indentation; it serves as an identity and for sorting."""
    if type(value) is dict and value:
        return _mapping(value, "")
    return _sequence(value, 0) if type(value) is list and value else _scalar(value)


def render_fields(data: dict[str, Any], indent: str = "    ") -> str:
    """Return the lines of some of a customization's fields, none of them pins, or of those inside one of them."""
    return _mapping(data, indent) if data else ""


def _mapping(value: dict[str, Any], first: str) -> str:
    """Return an object's lines; ``first`` stands before its first key: blanks, or blanks and a dash."""
    column = len(first)
    values = [strings[item] if type(item) is str else _behind_key(item, column) for item in value.values()]
    return _templates[first, *value] % tuple(values)


def _behind_key(value: Any, column: int) -> str:  # noqa: ANN401 - any JSON value but a string
    """Return what follows a key's colon, without the final newline."""
    kind = type(value)
    if kind is dict and value:
        return "\n" + _mapping(value, " " * (column + 2))[:-1]
    if kind is list and value:
        return "\n" + _sequence(value, column + 2)[:-1]
    return f" {_scalar(value)}"


def _sequence(value: list[Any], column: int) -> str:
    dash = " " * column + "- "
    return "".join([_item(item, dash) for item in value])


def _item(value: Any, dash: str) -> str:  # noqa: ANN401 - any JSON value
    """Return an item's lines; what it holds begins on the dash's own line."""
    kind = type(value)
    if kind is dict and value:
        return _mapping(value, dash)
    if kind is list and value:
        return dash + _sequence(value, len(dash))[len(dash) :]
    return f"{dash}{_scalar(value)}\n"


def _scalar(value: Any) -> str:  # noqa: ANN401 - any JSON value
    kind = type(value)
    if kind is str:
        return strings[value][1:]
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return _float(value)
    if kind is dict or kind is list:
        return "{}" if kind is dict else "[]"
    return str(value)


def _float(value: float) -> str:
    """YAML 1.1 takes for a float only what has a point, and an exponent only with its sign."""
    mantissa, exponent, power = repr(value).partition("e")
    if not exponent:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{power}"


_BARE: Final = re.compile(
    r"(?![eE][0-9]+\Z)(?!(?i:y|n|yes|no|on|off|true|false|null|nan|inf)\Z)[A-Za-z/_][A-Za-z0-9_./-]*"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text: str) -> str:
    """Return a string's canonical form: bare, or in quotes on one line.

    Raises:
        DataError: it isn't valid Unicode.
    """
    if _BARE.fullmatch(text):
        return text
    # What isprintable() clears, under any Python's tables, holds nothing of the frozen list; it is ten times as quick.
    hidden = not text.isprintable() and INVISIBLE.search(text)
    if "\\" not in text and not hidden:
        return "'" + text.replace("'", "''") + "'" if '"' in text else f'"{text}"'
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{INVISIBLE.sub(_escape, text) if hidden else text}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if "\ud800" <= character <= "\udfff":
        raise DataError(f"text with half a surrogate pair ({escape_character(character)}) is not valid Unicode")
    return _SHORT.get(character) or escape_character(character)


class _Strings(dict[str, str]):
    """A cache of quoted strings behind a blank, since the same identities and windows return all the time."""

    def __missing__(self, text: str) -> str:
        if len(self) > 20_000:  # noqa: PLR2004 - some 4 MB
            self.clear()
        self[text] = behind_key = " " + quoted(text)
        return behind_key


class _Templates(dict[tuple[str, ...], str]):
    """A cache: what stands before the first key, and the keys → a format for the values; most objects are alike."""

    def __missing__(self, names: tuple[str, ...]) -> str:
        if len(self) > 1_000:  # noqa: PLR2004 - some 1 MB
            self.clear()
        first, *keys = names
        pad = " " * len(first)
        lines = [f"{pad}{_key(name)}:".replace("%", "%%") + "%s\n" for name in keys]
        self[names] = template = first + "".join(lines)[len(first) :]
        return template


def _key(name: str) -> str:
    key = quoted(name)
    if len(key) > MAX_KEY:
        raise DataError(f"a key of {len(key)} characters as written ({key[:40]}…); YAML allows {MAX_KEY}")
    return key


strings: Final = _Strings()
"""Text → a blank and its canonical form, as it stands behind a key's colon."""
_templates: Final = _Templates()


def read(text: str) -> dict[str, Any] | None:
    """Read a block, if it is canonical text to the byte.

    Args:
        text: one item of ``customizations`` as it stands in a document, comments taken out.

    Returns:
        Its data, or None if emitting that data doesn't give ``text`` again; then it is for a YAML parser to say.
    """
    lines = text.split("\n")
    lines[0] = lines[0].replace("- ", "  ", 1)
    try:
        data, _ = _read_mapping(lines, 0, 4)
        return data if data and render(data) == text else None
    except (ValueError, IndexError, RecursionError, DataError, TypeError):  # the last for a key that is no text
        return None


def read_value(text: bytes) -> Any:  # noqa: ANN401 - any JSON scalar
    """Return the value of a canonical scalar, None if it isn't canonical to the byte."""
    try:
        value = _read_scalar(text.decode())
        return value if value_text(value).encode() == text else None
    except (ValueError, IndexError, DataError):
        return None


_ENTRY: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"':]+):(?: (.+))?""")
_INTEGER: Final = re.compile(r"-?[0-9]+")
_FLOAT: Final = re.compile(r"(?!-?[0-9]+\.0\Z)-?[0-9]+\.[0-9]+(?:e[+-][0-9]+)?")  # 1.0 is written as 1
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_UNESCAPED: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "\\": "\\", '"': '"'}
_WORDS: Final = {"null": None, "true": True, "false": False}


# The readers below may be credulous: what they misread isn't emitted as the same text again.


def _read_mapping(lines: list[str], at: int, indent: int) -> tuple[dict[str, Any], int]:
    data: dict[str, Any] = {}
    value: Any
    pad = " " * indent
    while lines[at].startswith(pad) and (entry := _ENTRY.fullmatch(lines[at], indent)):
        at += 1
        if entry[2] is not None:
            value = _read_scalar(entry[2])
        elif lines[at].startswith(f"{pad}  - "):
            value, at = _read_list(lines, at, indent + 2)
        else:
            value, at = _read_mapping(lines, at, indent + 2)
        data[intern(_read_scalar(entry[1]))] = value  # many rules are held, all with the same few keys
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
        elif _ENTRY.fullmatch(rest):
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
    return chr(int(code, 16)) if code else _UNESCAPED.get(match[3], match[0])
