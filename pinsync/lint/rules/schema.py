"""The structure of the file, a customization or a pin isn't the documented one.

A document has `format: 1`, `model:` and `customizations:`. A customization has a `target_type` of
item, criteria or all, and a pin has a `position` and a `pin_type` of item or criteria. Each known
field has its type. Null, an empty list and an empty object count as absent, as in the API's answer.

The API would refuse such a rule. Write the expected value that the message names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical import normalize
from pinsync.canonical.fields import is_empty
from pinsync.document.record import FORMAT
from pinsync.errors import DataError, suggest
from pinsync.lint.fields import CUSTOMIZATION, PIN, describe_value, find_wrong_item
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
    """Yield each deviation from the documented structure."""
    for document in folder.documents:
        if document.is_read:
            yield from _check_top(document)
            yield from _check_rows(document)
    for item in folder.items:
        yield from _check_fields(item, item.data, CUSTOMIZATION, ())
        for pin in item.pins:
            yield from _check_fields(item, pin.data, PIN, ("pin_definitions", pin.number))
        # `parse` refuses the key too, because it contradicts or repeats the model of the file.
        if "model" in item.data:
            hint = "remove the line, or move the customization to that model's file"
            yield item.build_fault(
                ("model",), "model: it stands once, at the top of the file", hint
            )
        # A row without marks was in canonical form already.
        if item.row.marks is not None:
            yield from _check_values(item)


def _check_top(document: Written) -> Iterator[Fault]:
    top = document.top
    if not isinstance(top, dict):
        hint = "an empty file says nothing of its model: remove it, or restore it with git"
        if top is not None:
            hint = "begin it with `format: 1`, `model: NAME` and `customizations:`"
        message = f"expected format, model and customizations, got {describe_value(top)}"
        yield Fault(document, message, hint)
        return
    for key in _KEYS:
        if key not in top:
            hint = "a file begins with `format: 1`, `model: NAME` and `customizations:`"
            yield Fault(document, f"{key}: it is missing at the top of the file", hint)
    for key in top.keys() - _KEYS:
        hint = suggest(key, _KEYS, otherwise="remove it; notes belong into comments")
        yield Fault(document, f'"{key}": unknown at the top of a file', hint, path=(key,))
    yield from _check_top_values(document, top)


def _check_top_values(document: Written, top: Mapping[str, object]) -> Iterator[Fault]:
    format_, model, items = (top.get(key) for key in _KEYS)
    # To Python, True equals 1.
    if "format" in top and (format_ != FORMAT or isinstance(format_, bool)):
        hint = f"write format: {FORMAT}; a higher number is a newer pinsync's"
        message = f"format: expected {FORMAT}, got {describe_value(format_)}"
        yield Fault(document, message, hint, path=("format",))
    if "model" in top and not (isinstance(model, str) and model):
        hint = "name the recommender; put the name in quotes if it looks like a number"
        message = f"model: expected a name, got {describe_value(model)}"
        yield Fault(document, message, hint, path=("model",))
    if items is not None:
        message = f"customizations: expected a list, got {describe_value(items)}"
        hint = "begin each with `- id:` or `- target_type:`"
        yield Fault(document, message, hint, path=("customizations",))


def _check_rows(document: Written) -> Iterator[Fault]:
    for row in document.rows:
        if not isinstance(row.data, dict):
            message = f"expected a customization, got {describe_value(row.data)}"
            yield Fault(document, message, "begin it with `- id:` or `- target_type:`", row)


def _check_fields(
    item: Item,
    data: Mapping[str, object],
    fields: Mapping[str, tuple[Field, Expected]],
    path: Path,
) -> Iterator[Fault]:
    for name, (field, expected) in fields.items():
        value = data.get(name)
        if value is None and field.is_required:
            message = f"{name}: it is missing; expected {expected.words}"
            yield item.build_fault((*path, name), message, expected.hint)
        elif name in data and not is_empty(value, field.empty) and not expected.accepts(value):
            yield _build_fault(item, (*path, name), value, expected)


def _build_fault(item: Item, path: Path, value: object, expected: Expected) -> Fault:
    """Return the fault of a field, or of the first wrong item of its list."""
    message = f"{path[-1]}: expected {expected.words}, got "
    index = find_wrong_item(value, expected.items) if expected.items else None
    if index is not None and isinstance(value, list):
        message += f"{describe_value(value[index])} in it"
        return item.build_fault((*path, index), message, expected.hint)
    return item.build_fault(path, message + describe_value(value), expected.hint)


def _check_values(item: Item) -> Iterator[Fault]:
    """Yield the first value without a canonical text: too deep, or with a key that is too long."""
    # Placeholders, because other checks report a wrong id, target type or model.
    try:
        normalize.build_customization({**item.data, "id": "-", "target_type": "-"}, model="-")
    except DataError as error:
        yield item.build_fault(
            error.path, error.message, error.hint or "make it shorter, or flatter"
        )
