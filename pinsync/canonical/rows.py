"""Read the customizations of an export's answer, with a fast path for usual rows.

``msgspec`` decodes a usual row, whose fields are all known and of their documented types, into the
records below. Such a row is written without the detour over plain data, in half the time. Any other
row goes through ``normalize_row``. A property test holds both ways to the same text.
"""

from __future__ import annotations

from operator import attrgetter, lt
from sys import intern
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from pinsync import canonical
from pinsync.canonical import answer, normalize
from pinsync.canonical.moments import date_times
from pinsync.canonical.text import quote, strings
from pinsync.errors import DataError, spell_path
from pinsync.model import Customization, Target

if TYPE_CHECKING:
    from pinsync.canonical.completeness import Headers


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
    pin_criteria: dict[str, Any] | UnsetType | None = UNSET
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
    target_criteria: dict[str, Any] | UnsetType | None = UNSET
    tags: list[str] | UnsetType | None = UNSET
    target_metadata: dict[str, Any] | UnsetType | None = UNSET
    pin_definitions: list[_Pin] | UnsetType | None = UNSET
    created_at: str | int | float | UnsetType | None = UNSET
    updated_at: str | int | float | UnsetType | None = UNSET


_decoder: Final = msgspec.json.Decoder(_Row)


class _Tags(dict[tuple[str, ...], str]):
    """A cache: the tags of a customization → their lines; a shop uses a few sets of tags."""

    def __missing__(self, tags: tuple[str, ...]) -> str:
        if len(self) > 10_000:  # noqa: PLR2004 - some 2 MB
            self.clear()
        self[tags] = text = canonical.render_fields(normalize.normalize_row({"tags": list(tags)}))
        return text


_tags: Final = _Tags()
_METADATA: Final = ("target_metadata",)
_NOT_USUAL: Final = "", -1_000_000
"""The result for pins that aren't usual: no row has this number of keys, so its row isn't usual."""


def _read_usual_row(raw: msgspec.Raw, ignore: normalize.Ignored) -> Customization | None:
    """Return the customization of a usual row; None for any other row, even a faulty one."""
    data = bytes(raw)
    try:
        row = _decoder.decode(data)
        # From Python 3.12 on, decoders go deeper than Python's own calls: a RecursionError.
        count = _count_keys(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    pins, keys = _render_pins(row.pin_definitions) if row.pin_definitions else ("", 0)
    usual = row.id and row.model and row.target_type and not row.target_criteria
    # The other reader can distinguish 0.0 from a number that is too small for a float.
    if row.target_metadata and answer.holds_zero(row.target_metadata):
        return None
    if not (usual and answer.has_keys(data, count + keys)):
        return None
    identity = None if row.target_identity is UNSET else row.target_identity
    text = f"  - id: {quote(row.id)}\n    target_type:{strings[row.target_type]}\n"
    if identity is not None:
        text += f"    target_identity:{strings[identity]}\n"
    if ignore:
        rest: dict[str, Any] = {}
        if row.tags:
            rest["tags"] = row.tags
        if row.target_metadata:
            rest["target_metadata"] = row.target_metadata
        text += canonical.render_fields(normalize.normalize_row(rest, ignore=ignore))
    else:
        if row.tags:
            text += _tags[tuple(row.tags)]
        if row.target_metadata:
            metadata = normalize.normalize_value(row.target_metadata, _METADATA)
            text += f"    target_metadata:\n{canonical.render_fields(metadata, '      ')}"
    target = Target(intern(row.target_type), identity, None)
    updated_at = intern(row.updated_at) if type(row.updated_at) is str else None
    return Customization(
        intern(row.model), row.id, target, text.encode() + pins.encode(), updated_at
    )


def _count_keys(row: _Row) -> int:
    """Return the number of keys in a row, without the keys of its pins."""
    count = answer.count_keys(row.target_metadata)
    for value in (
        row.target_identity,
        row.target_criteria,
        row.tags,
        row.target_metadata,
        row.pin_definitions,
        row.created_at,
        row.updated_at,
    ):
        if value is not UNSET:
            count += 1
    return count + 3


def _render_pins(pins: list[_Pin]) -> tuple[str, int]:
    """Return the text and number of keys of item pins, with one pin at each position."""
    positions = [pin.position for pin in pins]
    if not all(map(lt, positions, positions[1:])):
        pins = sorted(pins, key=_position)
        positions = [pin.position for pin in pins]
        if not all(map(lt, positions, positions[1:])):
            return _NOT_USUAL
    texts = ["    pin_definitions:\n"]
    keys = 0
    for pin in pins:
        identity, criteria = pin.pin_identity, pin.pin_criteria
        if criteria or type(identity) is not str:
            return _NOT_USUAL
        rest, count = _rests[
            pin.widget_id, pin.is_block_pin, pin.is_bundle_pin, pin.active_from, pin.active_to
        ]
        thing = f"pin_type:{strings[pin.pin_type]}\n        pin_identity:{strings[identity]}"
        texts.append(f"      - position: {pin.position}\n        {thing}\n{rest}")
        keys += count + (criteria is not UNSET)
    return "".join(texts), keys


_Flag = bool | UnsetType | None
_Text = str | UnsetType | None
_Rest = tuple[_Text, _Flag, _Flag, _Text, _Text]


class _Rests(dict[_Rest, tuple[str, int]]):
    """A cache: a pin's widget, flags, window → their lines, and the keys without criteria."""

    def __missing__(self, values: _Rest) -> tuple[str, int]:
        if len(self) > 10_000:  # noqa: PLR2004 - some 4 MB
            self.clear()
        widget, is_block, is_bundle, since, until = values
        text = f"        widget_id:{strings[widget]}\n" if isinstance(widget, str) else ""
        if is_block is True:
            text += "        is_block_pin: true\n"
        if is_bundle is True:
            text += "        is_bundle_pin: true\n"
        if isinstance(since, str):
            text += f"        active_from:{strings[date_times[since]]}\n"
        if isinstance(until, str):
            text += f"        active_to:{strings[date_times[until]]}\n"
        self[values] = result = text, 3 + len(values) - values.count(UNSET)
        return result


_rests: Final = _Rests()
_position: Final = attrgetter("position")
