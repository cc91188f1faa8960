"""Describe the changes between two snapshots: each customization, each pin, each field."""

from __future__ import annotations

from functools import partial
from itertools import filterfalse
from typing import TYPE_CHECKING, Any

from pinsync.canonical import render_value
from pinsync.canonical.fields import THING
from pinsync.canonical.pins import pair_pins, read_pin
from pinsync.drift.pairs import (
    ChangeKind,
    Pair,
    build_sort_key,
    find_title,
    read_data,
    select_pairs,
)
from pinsync.drift.record import MISSING, Change, FieldChange, FieldPath, PinChange, PinKind
from pinsync.model import EVERYTHING, Customization, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set


def compare_customizations(
    old: Sequence[Customization], new: Sequence[Customization], scope: Scope = EVERYTHING
) -> tuple[list[Change], int]:
    """Compare two snapshots of one tracker.

    Args:
        old: the customizations of the old snapshot, with unique ids.
        new: the customizations of the new snapshot, with unique ids.
        scope: the filters and the managed rules; see `select_pairs`.

    Returns:
        The sorted changes, and the number of unchanged customizations.
    """
    changes: list[Change] = []
    unchanged = 0
    for pair in select_pairs(old, new, scope):
        if kind := pair.kind:
            changes.append(build_change(pair, kind))
        else:
            unchanged += 1
    changes.sort(key=lambda change: build_sort_key(change.subject))
    return changes, unchanged


def build_change(pair: Pair, kind: ChangeKind) -> Change:
    """Return the change of a pair.

    Args:
        pair: a customization on both sides.
        kind: the kind of its change.
    """
    old = read_data(pair.old)
    new = read_data(pair.new)
    pins = tuple(_compare_pin_lists(read_pins(old), read_pins(new)))
    fields: tuple[FieldChange, ...] = ()
    if pair.old and pair.new:
        fields = tuple(_compare_fields(old, new))
        # A report without a change would call a drift in sync: better an internal error.
        if not pins and not fields:
            raise AssertionError(f"the texts of {pair.old.id} differ, but no field does")
    return Change(kind, pair, old, new, pins, fields)


def read_pins(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the pins in a customization's data.

    The list is empty if the pins are of an unexpected type; then they are compared like any other
    field.
    """
    pins = data.get("pin_definitions")
    if isinstance(pins, list) and all(isinstance(pin, dict) for pin in pins):
        return pins
    return []


def has_same_text(old: object, new: object) -> bool:
    """Whether two values have the same canonical text."""
    # Python's == would take true for 1, and 1 for 1.0. Most values are equal, and texts in most of
    # the other cases; repr() takes a fifth of the time of canonical text.
    if old is new or (type(old) is type(new) is str):
        return old == new
    return repr(old) == repr(new) or render_value(old) == render_value(new)


def _compare_pin_lists(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Iterator[PinChange]:
    """Yield the changes of pins, sorted by the new list.

    A removed pin comes directly before the pin that followed it in the old list.
    """
    old_indexes = {new_index: old_index for old_index, new_index in pair_pins(old, new)}
    removed = sorted(set(range(len(old))).difference(old_indexes.values()))
    for new_index, pin in enumerate(new):
        counterpart = None
        if new_index in old_indexes:
            old_index = old_indexes[new_index]
            counterpart = old[old_index]
            while removed and removed[0] < old_index:
                yield PinChange("removed", read_pin(old[removed.pop(0)]), None)
        if change := compare_pins(counterpart, pin):
            yield change
    for old_index in removed:
        yield PinChange("removed", read_pin(old[old_index]), None)


def compare_pins(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> PinChange | None:
    """Return the change of a pin, or None if both sides are equal.

    Args:
        old: the fields of the pin on the old side; None if the pin was added.
        new: the fields of the pin on the new side.
    """
    if old is None:
        return PinChange("added", None, read_pin(new))
    if has_same_text(old, new):
        return None
    kind: PinKind = "moved"
    if not all(has_same_text(old.get(field), new.get(field)) for field in THING):
        kind = "replaced"
    elif has_same_text(old.get("position"), new.get("position")):
        kind = "changed"
    return PinChange(kind, read_pin(old), read_pin(new))


def _compare_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Yield the changes outside the pins; a list that grew or shrank is one value."""
    for name in {**old, **new}:
        # An id that only one side has was filled in, and changes nothing.
        if name == "id" and (name not in old or name not in new):
            continue
        sides = [_get_field(name, old), _get_field(name, new)]
        if sides == [MISSING, MISSING]:
            continue
        if MISSING in sides:
            yield FieldChange((name,), *sides)
        elif not has_same_text(*sides):
            yield from _compare_values((name,), *sides)


def _get_field(name: str, data: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a field's value; `MISSING` if there is no such field, or if pins hold its changes."""
    if name not in data or (name == "pin_definitions" and read_pins(data)):
        return MISSING
    return data[name]


def _compare_values(path: FieldPath, old: Any, new: Any) -> Iterator[FieldChange]:  # noqa: ANN401
    """Yield the changes inside two values that differ."""
    # Tags are a set: a change at one place of the list would mean nothing.
    is_nested = type(old) is type(new) and isinstance(old, dict | list) and path != ("tags",)
    inner_paths: list[FieldPath] = []
    if is_nested:
        inner_paths = _find_differing_paths(old, new)
    # deepdiff finds no difference between 0.0 and -0.0, for instance: then the value as a whole.
    for inner in inner_paths or [()]:
        yield FieldChange((*path, *inner), _get_value(old, inner), _get_value(new, inner))


def _find_differing_paths(old: Any, new: Any) -> list[FieldPath]:  # noqa: ANN401
    """Return the sorted paths at which two values differ, none of them inside another one."""
    # Imported here because it takes 80 ms, and few runs need it.
    from deepdiff import DeepDiff  # noqa: PLC0415

    tree = DeepDiff(
        old,
        new,
        view="tree",
        threshold_to_diff_deeper=0,  # or it gives up on detail
        ignore_private_variables=False,  # or it skips keys that begin with two underscores
        zip_ordered_iterables=True,  # or it looks for the shortest way: slowly, and true is 1 on it
    )
    paths: set[FieldPath] = set()
    for kind, levels in tree.items():
        for level in levels:
            path = tuple(level.path(output_format="list"))
            # A place in a list that grew or shrank could not be applied; the whole list can.
            if kind.startswith("iterable_item"):
                path = path[:-1]
            paths.add(path)
    # By repr(): keys and indexes can't be compared with each other.
    return sorted(filterfalse(partial(_has_parent_in, paths), paths), key=repr)


def _has_parent_in(paths: Set[FieldPath], path: FieldPath) -> bool:
    return any(path[:end] in paths for end in range(len(path)))


def _get_value(value: Any, path: FieldPath) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value at a path; `MISSING` if there is none."""
    for step in path:
        if isinstance(value, dict) and step not in value:
            return MISSING
        value = value[step]
    return value


def collect_shown_items(changes: Iterable[Change]) -> frozenset[str]:
    """Return the identities of the items that a report with shelves names: targets and pins."""
    identities: set[str | None] = set()
    for change in changes:
        identities.update(side.target.identity for side in change.pair.sides)
        for data in (change.old_data, change.new_data):
            identities.update(read_pin(pin).identity for pin in read_pins(data))
    return frozenset(identity for identity in identities if identity is not None)


def collect_pinned_items(changes: Iterable[Change]) -> frozenset[str]:
    """Return the identities of the items in the old and new sides of the changed pins."""
    identities: set[str] = set()
    for change in changes:
        for pin in change.pins:
            for side in (pin.old, pin.new):
                if side and side.identity is not None:
                    identities.add(side.identity)
    return frozenset(identities)


def collect_named_items(changes: Sequence[Change]) -> frozenset[str]:
    """Return the identities of the items in the changed pins, and of the rules' targets."""
    targets = {change.subject.target.identity for change in changes}
    return collect_pinned_items(changes).union(filter(None, targets))


def find_titles(wanted: Set[str], *sides: Iterable[Customization]) -> dict[str, str]:
    """Return the titles of items, taken from the rules that have an item for a target.

    Args:
        wanted: the identities of the items.
        sides: the customizations of each side, the more trusted side first.

    Returns:
        Identity → title, for each item with a title in a rule.
    """
    names: dict[str, str] = {}
    for side in sides:
        unknown = wanted - names.keys()
        # Without a change, no title is wanted, and a side may have 100,000 rules.
        if not unknown:
            break
        targeting = [item for item in side if item.target.identity in unknown]
        # An answer of the API has no order. Canonical order keeps the report the same each time,
        # even where several rules give an item different titles.
        names |= collect_first_titles(sorted(targeting, key=build_sort_key))
    return names


def collect_first_titles(items: Iterable[Customization]) -> dict[str, str]:
    """Return the first title that the customizations give to each identity."""
    names: dict[str, str] = {}
    for item in items:
        identity = item.target.identity
        if identity is None or identity in names:
            continue
        if title := find_title(item):
            names[identity] = title
    return names
