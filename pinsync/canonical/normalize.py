"""Turn a row of the API into canonical plain data.

Noise is removed, keys are sorted, and numbers and date-times get one form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from math import isfinite
from typing import Any, Final

from pinsync import canonical
from pinsync.canonical import fields
from pinsync.canonical.fields import Field, FieldType, is_empty
from pinsync.canonical.moments import date_times
from pinsync.errors import KINDS, DataError, name_kind, spell_path
from pinsync.model import MAX_DEPTH, Customization

Path = tuple[str | int, ...]
Warn = Callable[[Path, str], None]
"""A function that takes the path of a field and a message about its odd value."""

Ignored = Collection[tuple[str, ...]]
"""Paths of fields to leave out, such as ``("target_metadata", "image")``."""

_ABSENT: Final = object()
# repr() writes larger floats with an exponent: an integer would show digits the float never had.
_INTEGRAL_BELOW: Final = 1e16


def check_identity(
    row: Mapping[str, Any], required: tuple[str, ...] = ("id", "model", "target_type")
) -> None:
    """Check the three fields that identify a customization.

    Args:
        row: a customization.
        required: the fields that must be present. A present field is always checked.

    Raises:
        DataError: a field is missing, or isn't a non-empty string.
    """
    for name in ("id", "model", "target_type"):
        value = row.get(name, _ABSENT)
        if value is _ABSENT and name not in required:
            continue
        if type(value) is not str or not value:
            found = "nothing" if value is _ABSENT else name_kind(value)
            if value == "":
                found = '""'
            raise DataError(f"{name}: expected a non-empty string, got {found}", path=(name,))


def normalize_row(
    row: Mapping[str, Any], *, ignore: Ignored = (), warn: Warn | None = None
) -> dict[str, Any]:
    """Return the canonical plain data of a customization.

    Args:
        row: a customization from the API or a document; it isn't changed.
        ignore: paths of fields to leave out, with the objects that this leaves empty.
        warn: called for each known field of an unexpected type. The field keeps its value.

    Returns:
        The fields of canonical text in canonical order, without ``model``. The pins keep their
        order: they are sorted by their text later.

    Raises:
        DataError: a number isn't finite, or the nesting is deeper than ``MAX_DEPTH``.
    """
    for path in ignore:
        row = _remove_field(row, path)
    return _normalize_fields(row, _CUSTOMIZATION, (), warn or _ignore_warning)


def _ignore_warning(_path: Path, _message: str) -> None:
    pass


def _remove_field(row: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    """Return an object without the field at a path, and without the objects that this leaves empty.

    An object that was empty before stays. A path doesn't lead through lists.

    Returns:
        The new object, or ``row`` itself if it has no such field.
    """
    name, *rest = path
    if name not in row:
        return row
    if rest:
        inner = row[name]
        if not isinstance(inner, dict):
            return row
        left = _remove_field(inner, tuple(rest))
        if left is inner:
            return row
        if left:
            return {**row, name: left}
    return {key: value for key, value in row.items() if key != name}


def _keep(value: object, expected: str, path: Path, name: str | int, warn: Warn) -> object:
    path = (*path, name)
    warn(path, f"expected {expected}, got {name_kind(value)}; kept as it is")
    return normalize_value(value, path)


def _keep_list(
    value: object, wanted: type, items: str, path: Path, name: str, warn: Warn
) -> object:
    """Keep a value that isn't a list of one type, and warn of its first odd item."""
    if type(value) is not list:
        return _keep(value, f"a list of {items}", path, name, warn)
    index = next(index for index, item in enumerate(value) if type(item) is not wanted)
    _keep(value[index], KINDS[wanted], (*path, name), index, warn)
    return normalize_value(value, (*path, name))


def normalize_value(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value with sorted keys and with integers for integral floats, at every depth.

    Raises:
        DataError: a number isn't finite, or the nesting is deeper than ``MAX_DEPTH``.
    """
    kind = type(value)
    if kind is float:
        if not isfinite(value):
            raise DataError(f"{spell_path(path)}: expected a finite number, got {value}", path=path)
        if value.is_integer() and abs(value) < _INTEGRAL_BELOW:
            return int(value)
        return value
    if kind is dict or kind is list:
        if len(path) > MAX_DEPTH:
            place = f"{spell_path(path[:3])}…"
            raise DataError(f"{place}: nested deeper than {MAX_DEPTH} levels", path=path)
        if kind is dict:
            data = {}
            for key in sorted(value):
                item = value[key]
                # Most values are strings, which stay as they are: no call for them.
                data[key] = item if type(item) is str else normalize_value(item, (*path, key))
            return data
        return [normalize_value(item, (*path, index)) for index, item in enumerate(value)]
    return value


def _normalize_fields(
    row: Mapping[str, Any], layouts: _Layouts, path: Path, warn: Warn
) -> dict[str, Any]:
    """Clean the known fields in canonical order, then append the unknown fields by name."""
    data: dict[str, Any] = {}
    known, unknown = layouts[tuple(row)]
    for name, plain_type, empty, clean in known:
        value = row[name]
        if type(value) is plain_type:
            data[name] = value
        elif value or not is_empty(value, empty):
            data[name] = clean(value, path, name, warn)
    for name in unknown:
        data[name] = normalize_value(row[name], (*path, name))
    return data


# The cleaners, one for each type of field, for values that need cleaning or a warning.


def _clean_text(value: object, path: Path, name: str, warn: Warn) -> object:
    return _keep(value, "a string", path, name, warn)


def _clean_moment(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is str:
        return date_times[value]
    return _keep(value, "a date-time", path, name, warn)


def _clean_flag(value: object, path: Path, name: str, warn: Warn) -> object:
    if value is True:
        return value
    return _keep(value, "true or false", path, name, warn)


def _clean_position(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is float and value.is_integer():
        return normalize_value(value, path)
    return _keep(value, "an integer", path, name, warn)


def _clean_object(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is dict:
        return normalize_value(value, (*path, name))
    return _keep(value, "an object", path, name, warn)


def _clean_tags(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is list and set(map(type, value)) == {str}:
        return sorted(set(value))
    return _keep_list(value, str, "strings", path, name, warn)


def _clean_pins(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is list and set(map(type, value)) == {dict}:
        return [
            _normalize_fields(pin, _PIN, (*path, name, index), warn)
            for index, pin in enumerate(value)
        ]
    return _keep_list(value, dict, "objects", path, name, warn)


_Cleaner = Callable[[Any, Path, str, Warn], object]
# A known field: its name, the type that needs no cleaning, its empty values, and the cleaner for
# any other value.
_Known = tuple[str, type | None, tuple[object, ...], _Cleaner]
_Names = tuple[str, ...]
_CLEANERS: Final[dict[FieldType, tuple[type | None, _Cleaner]]] = {
    "id": (str, _clean_text),
    "text": (str, _clean_text),
    "choice": (str, _clean_text),
    "integer": (int, _clean_position),
    "flag": (None, _clean_flag),
    "date-time": (None, _clean_moment),
    "object": (None, _clean_object),
    "strings": (None, _clean_tags),
    "pins": (None, _clean_pins),
}


class _Layouts(dict[_Names, tuple[tuple[_Known, ...], _Names]]):
    """A cache: keys of a row → its known fields in canonical order, its unknown keys sorted."""

    def __init__(self, known: Collection[Field], besides: Iterable[str] = ()) -> None:
        super().__init__()
        self._known: list[_Known] = []
        for field in known:
            plain_type, clean = _CLEANERS[field.type]
            self._known.append((field.name, plain_type, field.empty, clean))
        self._not_unknown = {*besides, *fields.select_names(known)}

    def __missing__(self, names: _Names) -> tuple[tuple[_Known, ...], _Names]:
        if len(self) > 1_000:  # noqa: PLR2004 - some 1 MB
            self.clear()
        known = tuple(field for field in self._known if field[0] in names)
        self[names] = layout = known, tuple(sorted(set(names) - self._not_unknown))
        return layout


_CUSTOMIZATION: Final = _Layouts(fields.CUSTOMIZATION, (fields.MODEL, *fields.NOT_WRITTEN))
_PIN: Final = _Layouts(fields.PIN)


def build_customization(
    row: Mapping[str, Any],
    *,
    model: str | None = None,
    ignore: Ignored = (),
    warn: Warn | None = None,
) -> Customization:
    """Return the customization of a row of the API or of a block of a document.

    Args:
        row: its fields.
        model: the model of its document; None for a row of the API, which has a field for it.
        ignore: paths of fields to leave out.
        warn: called for each known field of an unexpected type.

    Raises:
        DataError: a field that identifies the customization is missing or wrong, or a value has no
            canonical text.
    """
    if model is None:
        check_identity(row)
        model = str(row["model"])
    else:
        # A document names its model once, and a new customization has no id yet.
        check_identity(row, ("target_type",))
    updated_at = row.get("updated_at")
    if not isinstance(updated_at, str):
        updated_at = None
    data = normalize_row(row, ignore=ignore, warn=warn)
    return canonical.build(model, data, updated_at=updated_at)
