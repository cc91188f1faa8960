"""From a row of the API to canonical plain data: noise gone, keys in order, numbers and date-times in one form."""

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
"""Called with the path of a field and what is odd about it."""

Ignored = Collection[tuple[str, ...]]
"""Paths of fields that are left out, such as ``("target_metadata", "image")``."""

_ABSENT: Final = object()
# Beyond it repr() turns to an exponent, and the digits of an integer would be more than the float ever knew.
_INTEGRAL_BELOW: Final = 1e16


def check_identity(row: Mapping[str, Any], required: tuple[str, ...] = ("id", "model", "target_type")) -> None:
    """Check the three fields that every other part relies on.

    Args:
        row: a customization.
        required: which of them must be there; one that is there must be right in any case.

    Raises:
        DataError: one of them is missing, or isn't a non-empty string.
    """
    for name in ("id", "model", "target_type"):
        value = row.get(name, _ABSENT)
        if value is _ABSENT and name not in required:
            continue
        if type(value) is not str or not value:
            found = "nothing" if value is _ABSENT else '""' if value == "" else name_kind(value)
            raise DataError(f"{name}: expected a non-empty string, got {found}", path=(name,))


def normalize_row(row: Mapping[str, Any], *, ignore: Ignored = (), warn: Warn | None = None) -> dict[str, Any]:
    """Return the canonical plain data of a customization.

    Args:
        row: a customization as the API or a document spells it; it isn't changed.
        ignore: paths of fields to leave out; an object goes too if nothing else is in it.
        warn: told of each known field of an unexpected type, which is kept as it came.

    Returns:
        The fields that are written, in canonical key order, without ``model``. Pins stand in the order they came in:
        theirs is a matter of their text.

    Raises:
        DataError: a number that isn't finite, or nesting deeper than ``MAX_DEPTH``.
    """
    for path in ignore:
        row = _without(row, path)
    return _fields(row, _CUSTOMIZATION, (), warn or _silent)


def _silent(_path: Path, _message: str) -> None:
    pass


def _without(row: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    """Return an object without the field at a path, and without the objects that this leaves empty.

    An object that is empty anyway stays. So does a list on the way: a path names fields of objects.

    Returns:
        The new object; ``row`` itself if it has no such field.
    """
    name, *rest = path
    if name not in row:
        return row
    if rest:
        inner = row[name]
        if not isinstance(inner, dict):
            return row
        left = _without(inner, tuple(rest))
        if left is inner:
            return row
        if left:
            return {**row, name: left}
    return {key: value for key, value in row.items() if key != name}


def _kept(value: object, expected: str, path: Path, name: str | int, warn: Warn) -> object:
    path = (*path, name)
    warn(path, f"expected {expected}, got {name_kind(value)}; kept as it is")
    return plain(value, path)


def _kept_list(value: object, wanted: type, items: str, path: Path, name: str, warn: Warn) -> object:
    """Keep what isn't a list of one type; if it is a list all the same, the warning names the first item at fault."""
    if type(value) is not list:
        return _kept(value, f"a list of {items}", path, name, warn)
    index = next(index for index, item in enumerate(value) if type(item) is not wanted)
    _kept(value[index], KINDS[wanted], (*path, name), index, warn)
    return plain(value, (*path, name))


def plain(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value with the keys of objects sorted and integral floats as integers, all the way down.

    Raises:
        DataError: a number that isn't finite, or nesting deeper than ``MAX_DEPTH``; ``path`` says where.
    """
    of = type(value)
    if of is float:
        if not isfinite(value):
            raise DataError(f"{spell_path(path)}: expected a finite number, got {value}", path=path)
        return int(value) if value.is_integer() and abs(value) < _INTEGRAL_BELOW else value
    if of is dict or of is list:
        if len(path) > MAX_DEPTH:
            raise DataError(f"{spell_path(path[:3])}…: nested deeper than {MAX_DEPTH} levels", path=path)
        if of is dict:
            return {
                key: item if type(item := value[key]) is str else plain(item, (*path, key)) for key in sorted(value)
            }
        return [plain(item, (*path, index)) for index, item in enumerate(value)]
    return value


def _fields(row: Mapping[str, Any], layouts: _Layouts, path: Path, warn: Warn) -> dict[str, Any]:
    """Clean the known fields in their order, then append the unknown ones by name."""
    data: dict[str, Any] = {}
    known, unknown = layouts[tuple(row)]
    for name, plain_type, empty, clean in known:
        value = row[name]
        if type(value) is plain_type:
            data[name] = value
        elif value or not is_empty(value, empty):
            data[name] = clean(value, path, name, warn)
    for name in unknown:
        data[name] = plain(row[name], (*path, name))
    return data


# What a field goes through when its value isn't of its plain type already.


def _text(value: object, path: Path, name: str, warn: Warn) -> object:
    return _kept(value, "a string", path, name, warn)


def _moment(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is str:
        return date_times[value]
    return _kept(value, "a date-time", path, name, warn)


def _flag(value: object, path: Path, name: str, warn: Warn) -> object:
    return value if value is True else _kept(value, "true or false", path, name, warn)


def _position(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is float and value.is_integer():
        return plain(value, path)
    return _kept(value, "an integer", path, name, warn)


def _object(value: object, path: Path, name: str, warn: Warn) -> object:
    return plain(value, (*path, name)) if type(value) is dict else _kept(value, "an object", path, name, warn)


def _tags(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is list and set(map(type, value)) == {str}:
        return sorted(set(value))
    return _kept_list(value, str, "strings", path, name, warn)


def _pins(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is list and set(map(type, value)) == {dict}:
        return [_fields(pin, _PIN, (*path, name, index), warn) for index, pin in enumerate(value)]
    return _kept_list(value, dict, "objects", path, name, warn)


_Cleaner = Callable[[Any, Path, str, Warn], object]
# A known field: its name, the type that needs no cleaning, its empty values, and the cleaner for any other value.
_Known = tuple[str, type | None, tuple[object, ...], _Cleaner]
_Names = tuple[str, ...]
_CLEANERS: Final[dict[FieldType, tuple[type | None, _Cleaner]]] = {
    "id": (str, _text),
    "text": (str, _text),
    "choice": (str, _text),
    "integer": (int, _position),
    "flag": (None, _flag),
    "date-time": (None, _moment),
    "object": (None, _object),
    "strings": (None, _tags),
    "pins": (None, _pins),
}


class _Layouts(dict[_Names, tuple[tuple[_Known, ...], _Names]]):
    """A cache, since most rows have the same keys: those → the known fields in canonical order, the unknown by name."""

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
        known = tuple(found for found in self._known if found[0] in names)
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
    """Return the record of one customization, from a row of the API or from a document.

    Args:
        row: its fields.
        model: the model of its document; a row of the API names its own.
        ignore: paths of fields to leave out.
        warn: told of each known field of an unexpected type.

    Raises:
        DataError: a field that identifies it is missing, or a value that has no canonical text.
    """
    check_identity(row, ("id", "model", "target_type") if model is None else ("target_type",))
    updated_at = row.get("updated_at")
    return canonical.build(
        row["model"] if model is None else model,
        normalize_row(row, ignore=ignore, warn=warn),
        updated_at=updated_at if isinstance(updated_at, str) else None,
    )
