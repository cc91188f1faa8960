"""From a row of the API to canonical plain data: noise gone, keys in order, numbers and date-times in one form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import isfinite
from typing import Any, Final

from pinsync import canonical
from pinsync.canonical.moments import date_times
from pinsync.errors import KINDS, DataError, kind, spelled
from pinsync.model import MAX_DEPTH, Customization

Path = tuple[str | int, ...]
Warn = Callable[[Path, str], None]
"""Called with the path of a field and what is odd about it."""

Ignored = Collection[tuple[str, ...]]
"""Paths of fields that are left out, such as ``("target_metadata", "image")``."""

_ABSENT: Final = object()
_NOT_WRITTEN: Final = frozenset({"model", "created_at", "updated_at"})
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
            found = "nothing" if value is _ABSENT else '""' if value == "" else kind(value)
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
    warn(path, f"expected {expected}, got {kind(value)}; kept as it is")
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
            raise DataError(f"{spelled(path)}: expected a finite number, got {value}", path=path)
        return int(value) if value.is_integer() and abs(value) < _INTEGRAL_BELOW else value
    if of is dict or of is list:
        if len(path) > MAX_DEPTH:
            raise DataError(f"{spelled(path[:3])}…: nested deeper than {MAX_DEPTH} levels", path=path)
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
    for name, plain_type, nullable, clean in known:
        value = row[name]
        if type(value) is plain_type:
            data[name] = value
        elif value is None and nullable:
            continue
        elif (value := clean(value, path, name, warn)) is not _ABSENT:
            data[name] = value
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
    if value is False:
        return _ABSENT
    return value if value is True else _kept(value, "true or false", path, name, warn)


def _position(value: object, path: Path, name: str, warn: Warn) -> object:
    if type(value) is float and value.is_integer():
        return plain(value, path)
    return _kept(value, "an integer", path, name, warn)


def _object(value: object, path: Path, name: str, warn: Warn) -> object:
    if value in ([], {}):
        return _ABSENT
    return plain(value, (*path, name)) if type(value) is dict else _kept(value, "an object", path, name, warn)


def _tags(value: object, path: Path, name: str, warn: Warn) -> object:
    if value in ([], {}):
        return _ABSENT
    if type(value) is list and set(map(type, value)) == {str}:
        return sorted(set(value))
    return _kept_list(value, str, "strings", path, name, warn)


def _pins(value: object, path: Path, name: str, warn: Warn) -> object:
    if value in ([], {}):
        return _ABSENT
    if type(value) is list and set(map(type, value)) == {dict}:
        return [_fields(pin, _PIN, (*path, name, index), warn) for index, pin in enumerate(value)]
    return _kept_list(value, dict, "objects", path, name, warn)


# A known field: its name, the type that needs no cleaning, whether null means absence, and the cleaner for the rest.
_Field = tuple[str, type | None, bool, Callable[[Any, Path, str, Warn], object]]
_Names = tuple[str, ...]


class _Layouts(dict[_Names, tuple[tuple[_Field, ...], _Names]]):
    """A cache, since most rows have the same keys: those → the known fields in canonical order, the unknown by name."""

    def __init__(self, *known: _Field, not_written: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._known = known
        self._not_unknown = not_written.union(field[0] for field in known)
        texts = [name for name, of, _, clean in known if of is str or clean is _moment]
        self.texts = frozenset(texts)

    def __missing__(self, names: _Names) -> tuple[tuple[_Field, ...], _Names]:
        if len(self) > 1_000:  # noqa: PLR2004 - some 1 MB
            self.clear()
        known = tuple(field for field in self._known if field[0] in names)
        self[names] = layout = known, tuple(sorted(set(names) - self._not_unknown))
        return layout


_CUSTOMIZATION: Final = _Layouts(
    ("id", str, False, _text),
    ("target_type", str, False, _text),
    ("target_identity", str, True, _text),
    ("target_criteria", None, True, _object),
    ("tags", None, True, _tags),
    ("target_metadata", None, True, _object),
    ("pin_definitions", None, True, _pins),
    not_written=_NOT_WRITTEN,
)
_PIN: Final = _Layouts(
    ("position", int, False, _position),
    ("pin_type", str, False, _text),
    ("pin_identity", str, True, _text),
    ("pin_criteria", None, True, _object),
    ("widget_id", str, True, _text),
    ("is_block_pin", None, True, _flag),
    ("is_bundle_pin", None, True, _flag),
    ("active_from", None, True, _moment),
    ("active_to", None, True, _moment),
)


def holds_text(path: Path) -> bool:
    """Tell whether a field of a customization holds text: a name, an identity, a date-time or a tag."""
    match path:
        case (str(name),):
            return name in _CUSTOMIZATION.texts
        case ("pin_definitions", int(), str(name)):
            return name in _PIN.texts
        case ("tags", int()):
            return True
    return False


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
