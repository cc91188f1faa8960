"""Read the customizations of an export's answer, with a fast path for usual rows.

``msgspec`` decodes a usual row, whose fields are all known and of their documented types, into the
records below. Such a row is written without the detour over plain data, in half the time. Any other
row goes through ``normalize_row``. A property test holds both ways to the same text.
"""

from __future__ import annotations

from operator import lt
from sys import intern
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from pinsync import canonical
from pinsync.canonical import answer, normalize
from pinsync.canonical.moments import normalize_date_time
from pinsync.canonical.text import quote, rank_type, render_texts, strings
from pinsync.errors import DataError, spell_path
from pinsync.model import Customization, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinsync.canonical.completeness import Headers

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_ABSENT: Final = msgspec.Raw()
"""The criteria of a row or a pin without that key."""


def read_customizations(
    body: bytes, ignore: normalize.Ignored, headers: Headers = ()
) -> tuple[tuple[Customization, ...], tuple[str, ...]]:
    """Read a whole answer.

    Args:
        body: JSON in UTF-8.
        ignore: paths of fields to leave out.
        headers: the headers of the answer.

    Returns:
        The customizations in the answer's order, and warnings about odd values that are kept.

    Raises:
        DataError: the answer isn't whole, a row isn't a customization or has a key twice, or two
            rows have the same id.
    """
    for cache in _CACHES:
        cache.clear()  # it may be full of the values of another answer
    warnings: list[str] = []
    items: dict[str | None, Customization] = {}
    row: dict[str, Any] = {}

    def warn(path: normalize.Path, message: str) -> None:
        place = f"row {number} of the answer ({row['model']}, {row['id']})"
        warnings.append(f"{place}: {spell_path(path)}: {message}")

    for number, raw in enumerate(answer.split_rows(body, headers), 1):
        try:
            item = _read_usual_row(raw, ignore)
            if item is None:
                row = answer.decode_row(raw)
                item = normalize.build_customization(row, ignore=ignore, warn=warn)
        except DataError as error:
            message = f"{answer.name_row(number, raw)}: {error.message}"
            raise DataError(message, path=error.path, hint=error.hint) from error
        if item.id in items:
            first = 1 + list(items).index(item.id)
            places = f"{first} ({items[item.id].model}) and {number} ({item.model})"
            raise DataError(f"rows {places} of the answer have the same id {item.id}")
        items[item.id] = item
    return tuple(items.values()), tuple(warnings)


class _Pin(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    position: int
    pin_type: str
    pin_identity: str | UnsetType | None = UNSET
    pin_criteria: msgspec.Raw = _ABSENT
    widget_id: str | UnsetType | None = UNSET
    is_block_pin: bool | UnsetType | None = UNSET
    is_bundle_pin: bool | UnsetType | None = UNSET
    active_from: str | UnsetType | None = UNSET
    active_to: str | UnsetType | None = UNSET


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    model: str
    target_type: str
    target_identity: str | UnsetType | None = UNSET
    target_criteria: msgspec.Raw = _ABSENT
    tags: list[str] | UnsetType | None = UNSET
    target_metadata: dict[str, Any] | UnsetType | None = UNSET
    pin_definitions: list[_Pin] | UnsetType | None = UNSET
    created_at: str | int | float | UnsetType | None = UNSET
    updated_at: str | int | float | UnsetType | None = UNSET


class _Criteria(NamedTuple):
    """The criteria of a target or a pin.

    Attributes:
        text: their canonical text; empty for no criteria.
        keys: the number of keys in their JSON, plus one for the field itself.
    """

    text: str
    keys: int

    def render(self, name: str, indent: str) -> str:
        """Return the lines of the field with this name."""
        if not self.text:
            return ""
        # Line breaks within values are escaped, so each line break here ends a line of YAML.
        lines = self.text[:-1].replace("\n", f"\n{indent}  ")
        return f"{indent}{name}:\n{indent}  {lines}\n"


class _Cache(dict[_Key, _Value]):
    """A cache of the first values of an answer.

    A full cache takes no more values: where all differ, as windows may, that costs half as much as
    `functools.lru_cache`, and an answer with a million different values needs no more memory.
    """

    def __init__(self, compute: Callable[[_Key], _Value], size: int) -> None:
        super().__init__()
        self._compute = compute
        self._size = size

    def __missing__(self, key: _Key) -> _Value:
        value = self._compute(key)
        if len(self) < self._size:
            self[key] = value
        return value


class _UnusualError(Exception):
    """A row isn't usual."""


_decode: Final = msgspec.json.Decoder(_Row).decode
_astuple: Final = msgspec.structs.astuple
_METADATA: Final = ("target_metadata",)
_CRITERIA: Final = ("pin_definitions", 0, "pin_criteria")
"""The deepest place of criteria: criteria of a target that are nested too deeply for a pin aren't
usual.
"""
_Flag = bool | UnsetType | None
_Text = str | UnsetType | None
_Place = tuple[_Text, _Flag, _Flag, _Text, _Text]
"""The widget, the flags and the window of a pin. Most pins of a shop share all five."""


def _read_usual_row(raw: msgspec.Raw, ignore: normalize.Ignored) -> Customization | None:
    """Return the customization of a usual row; None for any other row, even a faulty one."""
    data = bytes(raw)
    try:
        return _build_customization(_decode(data), data, ignore)
    # RecursionError: from Python 3.12 on, decoders go deeper than Python
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DataError, _UnusualError):
        return None


def _build_customization(row: _Row, data: bytes, ignore: normalize.Ignored) -> Customization:
    """Return the customization of a row.

    Args:
        row: the decoded row.
        data: its JSON.
        ignore: paths of fields to leave out.

    Raises:
        _UnusualError: the other reader must look at the row.
        DataError: a value has no canonical text.
    """
    if not (row.id and row.model and row.target_type):
        raise _UnusualError
    criteria = _criteria[bytes(row.target_criteria)]
    text = f"  - id: {quote(row.id)}\n    target_type:{strings[row.target_type]}\n"
    identity = row.target_identity if isinstance(row.target_identity, str) else None
    if identity is not None:
        text += f"    target_identity: {quote(identity)}\n"
    text += criteria.render("target_criteria", "    ")
    labels = _render_labels(row, ignore)
    pins, pin_keys = _render_pins(row.pin_definitions) if row.pin_definitions else ("", 0)
    values = _astuple(row)
    keys = len(values) - 1 - values.count(UNSET)  # without the key of the criteria
    keys += criteria.keys + answer.count_keys(row.target_metadata) + pin_keys
    if not answer.has_keys(data, keys):
        raise _UnusualError
    target = Target(intern(row.target_type), identity, criteria.text or None)
    updated_at = intern(row.updated_at) if isinstance(row.updated_at, str) else None
    # Joined as bytes: an emoji in the title would make each character of a joined text four bytes.
    content = b"".join((text.encode(), labels.encode(), pins.encode()))
    return Customization(intern(row.model), row.id, target, content, updated_at)


def _render_labels(row: _Row, ignore: normalize.Ignored) -> str:
    """Return the lines of tags and metadata."""
    if ignore:
        labels: dict[str, Any] = {}
        if row.tags:
            labels["tags"] = row.tags
        if row.target_metadata:
            _refuse_zero(row.target_metadata)
            labels["target_metadata"] = row.target_metadata
        return canonical.render_fields(normalize.normalize_row(labels, ignore=ignore))
    text = _tags[tuple(row.tags)] if row.tags else ""
    if row.target_metadata:
        text += f"    target_metadata:\n{_render_metadata(row.target_metadata)}"
    return text


def _render_metadata(metadata: dict[str, Any]) -> str:
    """Return the lines of the fields of metadata."""
    # As a rule, metadata are a title and the address of an image.
    if set(map(type, metadata.values())) == {str}:
        return render_texts({name: metadata[name] for name in sorted(metadata)}, "      ")
    _refuse_zero(metadata)
    data = normalize.normalize_value(metadata, _METADATA)
    return canonical.render_fields(data, "      ")


def _refuse_zero(value: object) -> None:
    if answer.holds_zero(value):
        raise _UnusualError  # the other reader can distinguish 0.0 from a number that is too small


def _render_tags(tags: tuple[str, ...]) -> str:
    return canonical.render_fields(normalize.normalize_row({"tags": list(tags)}))


def _read_criteria(raw: bytes) -> _Criteria:
    if not raw:
        return _Criteria("", 0)
    value = msgspec.json.decode(raw)
    if not value and (value is None or type(value) is dict):
        return _Criteria("", 1)
    if type(value) is not dict:
        raise _UnusualError
    _refuse_zero(value)
    text = canonical.render_value(normalize.normalize_value(value, _CRITERIA))
    return _Criteria(text, 1 + answer.count_keys(value))


def _render_pins(pins: list[_Pin]) -> tuple[str, int]:
    """Return the text of pins in canonical order, and the number of their keys."""
    texts: list[str] = []
    positions: list[int] = []
    keys = 2 * len(pins)  # a position and a type
    for pin in pins:
        position, kind, identity, raw, widget, is_block, is_bundle, since, until = _astuple(pin)
        thing = ""
        if identity is not UNSET:
            thing = _identities[identity]
            keys += 1
        if raw is not _ABSENT:
            criteria = _criteria[bytes(raw)]
            thing += criteria.render("pin_criteria", "        ")
            keys += criteria.keys
        place, place_keys = _places[widget, is_block, is_bundle, since, until]
        keys += place_keys
        first = f"      - position: {position}\n        pin_type:{strings[kind]}\n"
        texts.append(f"{first}{thing}{place}")
        positions.append(position)
    if not all(map(lt, positions, positions[1:])):
        texts = _sort(pins, texts)
    return f"    pin_definitions:\n{''.join(texts)}", keys


def _render_identity(text: str | None) -> str:
    return "" if text is None else f"        pin_identity: {quote(text)}\n"


def _render_place(place: _Place) -> tuple[str, int]:
    """Return the lines of a pin's widget, flags and window, and the number of their keys."""
    widget, is_block, is_bundle, since, until = place
    text = f"        widget_id:{strings[widget]}\n" if isinstance(widget, str) else ""
    if is_block is True:
        text += "        is_block_pin: true\n"
    if is_bundle is True:
        text += "        is_bundle_pin: true\n"
    if isinstance(since, str):
        text += f"        active_from: {quote(normalize_date_time(since))}\n"
    if isinstance(until, str):
        text += f"        active_to: {quote(normalize_date_time(until))}\n"
    return text, len(place) - place.count(UNSET)


def _sort(pins: list[_Pin], texts: list[str]) -> list[str]:
    """Return the texts of pins in canonical order, as `canonical.build_pin_sort_key` sorts them."""
    keyed: list[tuple[Any, ...]] = []
    for pin, text in zip(pins, texts, strict=True):
        thing = pin.pin_identity or _criteria[bytes(pin.pin_criteria)].text
        since = normalize_date_time(pin.active_from) if pin.active_from else ""
        until = normalize_date_time(pin.active_to) if pin.active_to else ""
        # The key of `build_pin_sort_key` ends with the text without indentation. The order is the
        # same, since each line of each text is indented alike.
        place = pin.widget_id or "", since, until
        keyed.append((pin.position, rank_type(pin.pin_type), pin.pin_type, thing, *place, text))
    return [key[-1] for key in sorted(keyed)]


_tags: Final = _Cache(_render_tags, 1_000)
_criteria: Final = _Cache(_read_criteria, 5_000)
_identities: Final = _Cache(_render_identity, 20_000)
_places: Final = _Cache(_render_place, 5_000)
_CACHES: Final[tuple[dict[Any, Any], ...]] = _tags, _criteria, _identities, _places
