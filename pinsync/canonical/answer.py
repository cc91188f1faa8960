"""Split an export's answer into raw rows, and check that it is whole and without duplicate keys."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pinsync.canonical.completeness import raise_if_partial
from pinsync.errors import DataError, name_kind, spell_path
from pinsync.model import is_too_small

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.canonical.completeness import Headers
    from pinsync.canonical.normalize import Path

_RESULTS: Final = re.compile(rb'"results"\s*:\s*')
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape in JSON, or the two escapes of a surrogate pair; the group matches a lone surrogate."""
_BLANKS: Final = b" \t\r\n"
_STRINGS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:?)')
"""A string in JSON; the group holds the colon behind a key."""
_MAX_NUMBER: Final = 40
_MARK: Final = "\ufdd0"  # a noncharacter, which no text holds
_HALF_AN_EMOJI: Final = (
    "it is half an emoji, as a rule: enter the text anew in the vendor's UI, or report it to the "
    "vendor"
)


def split_rows(body: bytes, headers: Headers = ()) -> list[msgspec.Raw]:
    """Split an export's answer into its rows without decoding them.

    Args:
        body: the whole answer, JSON in UTF-8.
        headers: the headers of the answer.

    Returns:
        The rows as raw JSON, in the answer's order.

    Raises:
        DataError: the answer isn't JSON with a list of ``results``, has a key twice, or says that
            it is only a part of the export.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        results, rest = _split_members(body)
        rows = msgspec.json.decode(results, type=list[msgspec.Raw])
        duplicate = _find_duplicate(_empty_results(body, results))
        if not duplicate:
            raise_if_partial(rest, headers, len(rows))
    except KeyError as error:
        raise DataError('the answer has no "results"; expected {"results": [...]}') from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem = DataError(f'the answer is not {{"results": [...]}} in JSON and UTF-8: {error}')
        raise _find_lone_surrogate(body) or problem from error
    if duplicate:
        raise _build_duplicate_error("the answer: ", duplicate)
    return rows


def _split_members(body: bytes) -> tuple[msgspec.Raw, dict[str, Any]]:
    """Return the raw results of an answer, and its other keys with their decoded values."""
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    results = members.pop("results")
    return results, {name: msgspec.json.decode(raw) for name, raw in members.items()}


def decode_row(raw: bytes) -> dict[str, Any]:
    """Decode one row of an answer.

    Raises:
        DataError: the row isn't a JSON object in valid JSON and Unicode, or has a key twice.
    """
    data = bytes(raw)
    try:
        row = msgspec.json.decode(data)
        duplicate = None
        if not has_keys(data, count_keys(row)):
            duplicate = _find_duplicate(data)
        if holds_zero(row):
            _raise_if_too_small(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"not valid JSON in UTF-8: {error}") from error
    if duplicate:
        raise _build_duplicate_error("", duplicate)
    if not isinstance(row, dict):
        raise DataError(f"expected an object, got {name_kind(row)}")
    return row


def name_row(number: int, raw: bytes) -> str:
    """Return the name of a row in messages: its number, with its model and id if it has them."""
    try:
        row = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        row = None
    return _name_decoded_row(number, row)


def _name_decoded_row(number: int, row: object) -> str:
    name = f"row {number} of the answer"
    if not isinstance(row, dict):
        return name
    model, identifier = row.get("model"), row.get("id")
    known = [text for text in (model, identifier) if isinstance(text, str) and text]
    # A model alone would name no row.
    if identifier not in known:
        return name
    return f"{name} ({', '.join(known)})"


def count_keys(value: Any) -> int:  # noqa: ANN401 - any JSON value
    """Return the number of keys in a decoded value, including the keys of all objects inside."""
    count, inside = 0, value
    if type(value) is dict:
        count, inside = len(value), value.values()
    elif type(value) is not list:
        return 0
    for item in inside:
        if type(item) is dict or type(item) is list:
            count += count_keys(item)
    return count


def has_keys(raw: bytes, count: int) -> bool:
    """Return whether valid JSON holds this number of keys and no more.

    A decoder keeps the last value of a key that stands twice in an object (RFC 8259, 4). Then the
    JSON holds more keys than the decoded value.

    Args:
        raw: the JSON.
        count: the number of keys in the decoded value.
    """
    # A key ends in a quote, and only blanks part it from its colon: once the blanks are gone, there
    # are at least as many `":` as keys. This takes a hundredth of the time of reading the keys.
    if raw.translate(None, _BLANKS).count(b'":') == count:
        return True
    # A text may hold a quote and a colon too, as in `24\": black`.
    return _STRINGS.findall(raw).count(b":") == count


def holds_zero(value: object) -> bool:
    """Return whether a decoded value holds the float 0.0. Decoders read ``1e-400`` as 0.0 too."""
    # Not recursive: a value may be nested more deeply than Python's calls.
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is float and not item:
            return True
        if type(item) is dict:
            waiting += item.values()
        elif type(item) is list:
            waiting += item
    return False


class _Number(str):
    """A number as it is written in JSON."""

    __slots__ = ()


def _raise_if_too_small(raw: bytes) -> None:
    """Refuse a number other than zero that becomes zero as a float.

    Raises:
        DataError: the JSON holds such a number.
    """
    for path, value in _walk(json.loads(raw, parse_int=str, parse_float=_Number), ()):
        if isinstance(value, _Number) and is_too_small(value):
            number = str(value)
            if len(number) > _MAX_NUMBER:
                number = f"{number[:_MAX_NUMBER]}…"
            message = f"{spell_path(path)}: {number} is too small for a number, and is not 0"
            hint = "report it to the vendor: most JSON readers turn it into 0"
            raise DataError(message, path=path, hint=hint)


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object, with duplicate keys."""


def _find_duplicate(raw: bytes) -> Path | None:
    """Return the path of a key that an object has twice; None if there is no such key."""
    # Numbers stay text: an integer may have more digits than Python turns into one.
    value = json.loads(raw, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    if not isinstance(value, list):
        return None
    return _find_duplicate_within(value, ())


def _find_duplicate_within(value: list[Any], path: Path) -> Path | None:
    keys: set[str] = set()
    for step, item in value if isinstance(value, _Pairs) else enumerate(value):
        if isinstance(step, str):
            if step in keys:
                return (*path, step)
            keys.add(step)
        if isinstance(item, list):
            found = _find_duplicate_within(item, (*path, step))
            if found is not None:
                return found
    return None


def _walk(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    """Yield each value inside a value, with its path; parents first."""
    yield path, value
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for step, item in items:
        yield from _walk(item, (*path, step))


def _build_duplicate_error(prefix: str, path: Path) -> DataError:
    place = prefix
    if path[:-1]:
        place += f"{spell_path(path[:-1])}: "
    reason = "nobody knows which of the two counts"
    hint = f"{reason}: fetch the export again, and if it stays so report it to the vendor"
    message = f'{place}the key "{path[-1]}" stands twice in one object'
    return DataError(message, path=path, hint=hint)


def _empty_results(body: bytes, results: msgspec.Raw) -> bytes:
    """Return an answer with an empty list for its results."""
    for key in _RESULTS.finditer(body):
        if body.startswith(results, key.end()):
            return body[: key.end()] + b"[]" + body[key.end() + len(results) :]
    return body


def _find_lone_surrogate(body: bytes) -> DataError | None:
    """Return the error for an answer with half a surrogate pair; None for an answer without."""
    marked = _ESCAPE.sub(lambda match: rb"\ufdd0" if match[1] else match[0], body)
    if marked == body:
        return None
    try:
        results, _ = _split_members(marked)
        for number, raw in enumerate(msgspec.json.decode(results, type=list[msgspec.Raw]), 1):
            row = msgspec.json.decode(raw)
            for path, value in _walk(row, ()):
                if not _has_mark(value) and not (path and _has_mark(path[-1])):
                    continue
                place = f"{_name_decoded_row(number, row)}: {spell_path(path)}"
                message = f"{place}: isn't valid Unicode (a lone surrogate)"
                return DataError(message.replace(_MARK, "\ufffd"), path=path, hint=_HALF_AN_EMOJI)
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None


def _has_mark(text: object) -> bool:
    return isinstance(text, str) and _MARK in text
