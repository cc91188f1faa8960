"""The file, a customization or a pin isn't built as the API documents it.

A document has `format: 1`, `model:` and `customizations:`. A customization has a `target_type` of item, criteria or
all, and a pin has a `position` and a `pin_type` of item or criteria. Each known field has its type. Null, an empty
list and an empty object count as nothing, as in an answer of the API.

The API would refuse such a rule. Write what the message says is expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical import normalize
from pinsync.canonical.fields import is_empty
from pinsync.document.record import FORMAT
from pinsync.errors import DataError, suggest
from pinsync.lint.fields import CUSTOMIZATION, PIN, first_wrong, shown
from pinsync.lint.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinsync.canonical.fields import Field
    from pinsync.document.written import Written
    from pinsync.lint.fields import Expected
    from pinsync.lint.folder import Folder, Item, Path, Severity

ID: Final = "schema"
SEVERITY: Final[Severity] = "error"

_KEYS: Final = ("format", "model", "customizations")


def check(folder: Folder) -> Iterator[Fault]:
    """Yield what isn't built as documented."""
    for document in folder.documents:
        if document.is_read:
            yield from _top(document)
            yield from _rows(document)
    for item in folder.items:
        yield from _fields(item, item.data, CUSTOMIZATION, ())
        for pin in item.pins:
            yield from _fields(item, pin.data, PIN, ("pin_definitions", pin.number))
        if "model" in item.data:
            hint = "remove the line, or move the customization to that model's file"
            yield item.fault(("model",), "model: it stands once, at the top of the file", hint)
        if item.row.marks is not None:  # canonical text has a canonical text
            yield from _values(item)


def _top(document: Written) -> Iterator[Fault]:
    top = document.top
    if not isinstance(top, dict):
        hint = "an empty file says nothing of its model: remove it, or restore it with git"
        if top is not None:
            hint = "begin it with `format: 1`, `model: NAME` and `customizations:`"
        yield Fault(document, f"expected format, model and customizations, got {shown(top)}", hint)
        return
    for key in _KEYS:
        if key not in top:
            hint = "a file begins with `format: 1`, `model: NAME` and `customizations:`"
            yield Fault(document, f"{key}: it is missing at the top of the file", hint)
    for key in top.keys() - _KEYS:
        hint = suggest(key, _KEYS, otherwise="remove it; notes belong into comments")
        yield Fault(document, f'"{key}": unknown at the top of a file', hint, path=(key,))
    yield from _values_at_the_top(document, top)


def _values_at_the_top(document: Written, top: Mapping[str, object]) -> Iterator[Fault]:
    format_, model, items = (top.get(key) for key in _KEYS)
    if "format" in top and (format_ != FORMAT or isinstance(format_, bool)):
        hint = f"write format: {FORMAT}; a higher number is a newer pinsync's"
        yield Fault(document, f"format: expected {FORMAT}, got {shown(format_)}", hint, path=("format",))
    if "model" in top and not (isinstance(model, str) and model):
        hint = "name the recommender; put the name in quotes if it looks like a number"
        yield Fault(document, f"model: expected a name, got {shown(model)}", hint, path=("model",))
    if items is not None:
        message = f"customizations: expected a list, got {shown(items)}"
        yield Fault(document, message, "begin each with `- id:` or `- target_type:`", path=("customizations",))


def _rows(document: Written) -> Iterator[Fault]:
    for row in document.rows:
        if not isinstance(row.data, dict):
            message = f"expected a customization, got {shown(row.data)}"
            yield Fault(document, message, "begin it with `- id:` or `- target_type:`", row)


def _fields(
    item: Item,
    data: Mapping[str, object],
    fields: Mapping[str, tuple[Field, Expected]],
    path: Path,
) -> Iterator[Fault]:
    for name, (field, expected) in fields.items():
        value = data.get(name)
        if value is None and field.is_required:
            message = f"{name}: it is missing; expected {expected.words}"
            yield item.fault((*path, name), message, expected.hint)
        elif name in data and not is_empty(value, field.empty) and not expected.accepts(value):
            yield _wrong(item, (*path, name), value, expected)


def _wrong(item: Item, path: Path, value: object, expected: Expected) -> Fault:
    """Return what is wrong with a field, or with the first wrong item of a list."""
    message = f"{path[-1]}: expected {expected.words}, got "
    at = first_wrong(value, expected.items) if expected.items else None
    if at is not None and isinstance(value, list):
        return item.fault((*path, at), f"{message}{shown(value[at])} in it", expected.hint)
    return item.fault(path, message + shown(value), expected.hint)


def _values(item: Item) -> Iterator[Fault]:
    """Yield the value that has no canonical text: one nested too deeply, or a key that is too long."""
    try:
        normalize.build_customization({**item.data, "id": "-", "target_type": "-"}, model="-")
    except DataError as error:
        yield item.fault(error.path, error.message, error.hint or "make it shorter, or flatter")
