"""An export's answer → customizations: row by row, and quickly for the rows that hold nothing unusual.

A row whose fields are all known and of their documented types is decoded by ``msgspec`` straight into the records below
and written out without the detour over plain data; it takes half the time. Anything else goes the long way, through
``normalize``. Both ways give the same text, which a property test holds them to.
"""

from __future__ import annotations

from operator import attrgetter, lt
from sys import intern
from typing import Any, Final

import msgspec

from pinsync import canonical, document, normalize
from pinsync.canonical import quoted, strings
from pinsync.errors import DataError
from pinsync.model import Customization, Target
from pinsync.normalize import date_times


def customizations(body: bytes, ignore: normalize.Ignored) -> tuple[tuple[Customization, ...], tuple[str, ...]]:
    """Read a whole answer.

    Args:
        body: JSON in UTF-8.
        ignore: paths of fields to leave out.

    Returns:
        The customizations in the answer's order, and warnings about what was odd but kept.

    Raises:
        DataError: the answer isn't whole, a row isn't a customization, or two rows have the same id.
    """
    warnings: list[str] = []
    found: dict[str | None, Customization] = {}
    row: dict[str, Any] = {}

    def warn(path: normalize.Path, message: str) -> None:
        place = ".".join(map(str, path))
        warnings.append(f"row {number} of the answer ({row['model']}, {row['id']}): {place}: {message}")

    for number, raw in enumerate(normalize.parse_answer(body), 1):
        try:
            item = _quick(raw, ignore)
            if item is None:
                row = normalize.decode_row(raw)
                item = document.customization(row, ignore=ignore, warn=warn)
        except DataError as error:
            raise DataError(f"row {number} of the answer: {error.message}", path=error.path, hint=error.hint) from error
        if item.id in found:
            first = 1 + list(found).index(item.id)
            places = f"{first} ({found[item.id].model}) and {number} ({item.model})"
            raise DataError(f"rows {places} of the answer have the same id {item.id}")
        found[item.id] = item
    return tuple(found.values()), tuple(warnings)


class _Pin(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    position: int
    pin_type: str
    pin_identity: str | None = None
    pin_criteria: dict[str, Any] | None = None
    widget_id: str | None = None
    is_block_pin: bool | None = None
    is_bundle_pin: bool | None = None
    active_from: str | None = None
    active_to: str | None = None


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    model: str
    target_type: str
    target_identity: str | None = None
    target_criteria: dict[str, Any] | None = None
    tags: list[str] | None = None
    target_metadata: dict[str, Any] | None = None
    pin_definitions: list[_Pin] | None = None
    created_at: Any = None
    updated_at: Any = None


_decoder: Final = msgspec.json.Decoder(_Row)


class _Tags(dict[tuple[str, ...], str]):
    """A cache: the tags of a customization → their lines; a shop has a few sets of them."""

    def __missing__(self, tags: tuple[str, ...]) -> str:
        if len(self) > 10_000:  # noqa: PLR2004 - some 2 MB
            self.clear()
        self[tags] = text = canonical.fields(normalize.normalize({"tags": list(tags)}))
        return text


_tags: Final = _Tags()
_METADATA: Final = ("target_metadata",)


def _quick(raw: msgspec.Raw, ignore: normalize.Ignored) -> Customization | None:
    """Return the customization of a usual row, None for any other, one at fault included."""
    try:
        row = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    pins = _pins(row.pin_definitions) if row.pin_definitions else ""
    if pins is None or row.target_criteria or not (row.id and row.model and row.target_type):
        return None
    text = f"  - id: {quoted(row.id)}\n    target_type:{strings[row.target_type]}\n"
    if row.target_identity is not None:
        text += f"    target_identity:{strings[row.target_identity]}\n"
    if ignore:
        rest = {name: value for name in ("tags", "target_metadata") if (value := getattr(row, name))}
        text += canonical.fields(normalize.normalize(rest, ignore=ignore))
    else:
        text += _tags[tuple(row.tags)] if row.tags else ""
        if row.target_metadata:
            text += canonical.fields({_METADATA[0]: normalize.plain(row.target_metadata, _METADATA)})
    target = Target(intern(row.target_type), row.target_identity, None)
    updated_at = intern(row.updated_at) if type(row.updated_at) is str else None
    return Customization(intern(row.model), row.id, target, text.encode() + pins.encode(), updated_at)


def _pins(pins: list[_Pin]) -> str | None:
    """Return the text of pins that each have their own position and hold items; None for others."""
    positions = [pin.position for pin in pins]
    if not all(map(lt, positions, positions[1:])):
        pins = sorted(pins, key=_position)
        positions = [pin.position for pin in pins]
        if not all(map(lt, positions, positions[1:])):
            return None
    texts = [text for pin in pins if (text := _pin(pin))]
    return "".join(["    pin_definitions:\n", *texts]) if len(texts) == len(pins) else None


def _pin(pin: _Pin) -> str | None:
    if pin.pin_criteria:
        return None
    text = f"      - position: {pin.position}\n        pin_type:{strings[pin.pin_type]}\n"
    if pin.pin_identity is not None:
        text += f"        pin_identity:{strings[pin.pin_identity]}\n"
    if pin.widget_id is not None:
        text += f"        widget_id:{strings[pin.widget_id]}\n"
    if pin.is_block_pin:
        text += "        is_block_pin: true\n"
    if pin.is_bundle_pin:
        text += "        is_bundle_pin: true\n"
    if pin.active_from is not None:
        text += f"        active_from:{strings[date_times[pin.active_from]]}\n"
    if pin.active_to is not None:
        text += f"        active_to:{strings[date_times[pin.active_to]]}\n"
    return text


_position: Final = attrgetter("position")
