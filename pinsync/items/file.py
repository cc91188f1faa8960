"""The text of ``items.json`` ⇄ items."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from pinsync.canonical.answer import has_keys
from pinsync.errors import FileError, name_kind
from pinsync.escape import INVISIBLE
from pinsync.items.record import Item, is_image

if TYPE_CHECKING:
    from pinsync.items.record import Items

FORMAT: Final = 1

_MARKER: Final = rb"(?m)^(?:<{7}|\|{7}|={7}|>{7})(?:[ \r]|$)"
_KEYS: Final = ("format", "items")
_ITEM_KEYS: Final = ("title", "image")
_AGAIN: Final = "mend the line, or remove the file and run pinsync items"
_EXPECTED: Final = 'expected {"format": 1, "items": {...}}'


def render_items(items: Items) -> bytes:
    """Return the canonical text of a file: sorted, one item a line."""
    lines = [
        f"    {_encode(identity)}: {_encode_item(items[identity])}" for identity in sorted(items)
    ]
    inside = ",\n".join(lines)
    content = f"{{\n{inside}\n  }}" if lines else "{}"
    return f'{{\n  "format": {FORMAT},\n  "items": {content}\n}}\n'.encode()


def format_items(text: bytes, source: str) -> bytes:
    """Return the canonical text of a file; `parse_items` describes arguments and errors."""
    return render_items(parse_items(text, source))


def _encode_item(item: Item | None) -> str:
    if item is None:
        return "null"
    values = {name: value for name, value in item._asdict().items() if value is not None}
    return _encode(values)


def _encode(value: object) -> str:
    """Return JSON on one line, with escapes for invisible characters."""
    text = json.dumps(value, ensure_ascii=False)
    # Most lines have none, and isprintable() is faster than the pattern.
    if text.isprintable():
        return text
    return re.sub(INVISIBLE, lambda match: json.dumps(match[0])[1:-1], text)


def parse_items(text: bytes, source: str) -> dict[str, Item | None]:
    """Return the items of a file.

    Args:
        text: the file's bytes.
        source: the path of the file, or ``revision:path``, for messages.

    Raises:
        FileError: the file is damaged, or of a newer format; the error names the line if known.
    """
    text = text.removeprefix(codecs.BOM_UTF8)
    items = _read_sound_file(text)
    return _Reader(text, source).read() if items is None else items


class _SoundItem(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    image: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET


class _SoundFile(Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    items: dict[str, _SoundItem | None]


def _read_sound_file(text: bytes) -> dict[str, Item | None] | None:
    """Return the items of a file; None if it may be faulty.

    `_Reader` takes four times as long, but says what is wrong.
    """
    try:
        file = msgspec.json.decode(text, type=_SoundFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    items: dict[str, Item | None] = {}
    count = len(_KEYS)
    for identity, row in file.items.items():
        items[identity] = None
        count += 1
        if row is not None:
            title = None if row.title is UNSET else row.title
            image = None if row.image is UNSET else row.image
            items[identity] = Item(title, image)
            count += (title is not None) + (image is not None)
            if image is not None and not is_image(image):
                return None
    # The decoder keeps the last of two equal keys.
    return items if has_keys(text, count) else None


class _DuplicateKeyError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _Reader(Struct, frozen=True):
    text: bytes
    source: str

    def read(self) -> dict[str, Item | None]:
        content = self._decode()
        if not isinstance(content, dict):
            self._fail(f"is {name_kind(content)}; {_EXPECTED}", None)
        self._check_keys(content)
        items: dict[str, Item | None] = {}
        for identity, value in content["items"].items():
            items[identity] = self._read_item(identity, value)
        return items

    def _decode(self) -> Any:  # noqa: ANN401 - any JSON value
        if marker := re.search(_MARKER, self.text):
            line = self._count_lines(marker.start())
            self._fail("a merge conflict is left unresolved", line)
        try:
            text = self.text.decode()
        except UnicodeDecodeError as error:
            self._fail("isn't valid UTF-8", self._count_lines(error.start))
        try:
            return json.loads(text, object_pairs_hook=_build_object, parse_constant=_refuse)
        except json.JSONDecodeError as error:
            self._fail(f"isn't valid JSON: {error.msg}", error.lineno)
        except _DuplicateKeyError as error:
            self._fail("has a key twice", self._find_line(error.key, last=True))
        except (ValueError, RecursionError) as error:
            self._fail(f"isn't valid JSON: {error}", None)

    def _check_keys(self, content: dict[str, Any]) -> None:
        for key in content:
            if key not in _KEYS:
                self._fail(f"has an unknown key; {_EXPECTED}", self._find_line(key))
        number = content.get("format")
        if number != FORMAT or isinstance(number, bool):
            hint = "a higher number comes from a newer pinsync: upgrade pinsync"
            line = self._find_line("format")
            message = f"format: expected {FORMAT}, got {json.dumps(number)[:40]}"
            raise FileError(message, source=self.source, line=line, hint=hint)
        if not isinstance(content.get("items"), dict):
            message = f"items: expected an object, got {name_kind(content.get('items'))}"
            self._fail(message, self._find_line("items"))

    def _read_item(self, identity: str, value: object) -> Item | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            message = f"expected an object or null for an item, got {name_kind(value)}"
            self._fail(message, self._find_line(identity))
        for key, text in value.items():
            if key not in _ITEM_KEYS:
                message = "expected only title and image for an item"
                self._fail(message, self._find_line(identity))
            if not isinstance(text, str) or not text:
                message = f"{key}: expected a string that isn't empty"
                self._fail(message, self._find_line(identity))
        if "image" in value and not is_image(value["image"]):
            self._fail("image: expected an https URL", self._find_line(identity))
        return Item(value.get("title"), value.get("image"))

    def _fail(self, message: str, line: int | None) -> NoReturn:
        raise FileError(message, source=self.source, line=line, hint=_AGAIN)

    def _count_lines(self, index: int) -> int:
        return self.text.count(b"\n", 0, index) + 1

    def _find_line(self, key: str, *, last: bool = False) -> int | None:
        """Return the line of the first or the last key of this name; None if it isn't found."""
        # Python's decoder tells no places, and only a faulty file needs one.
        spellings = {json.dumps(key), json.dumps(key, ensure_ascii=False), _encode(key)}
        names = "|".join(re.escape(spelling) for spelling in spellings)
        pattern = f"(?:{names})\\s*:".encode(errors="replace")
        found = [match.start() for match in re.finditer(pattern, self.text)]
        if not found:
            return None
        return self._count_lines(found[-1] if last else found[0])


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise _DuplicateKeyError(key)
        content[key] = value
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
