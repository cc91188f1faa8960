"""What changed between two snapshots: customization by customization, pin by pin, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinsync.canonical import render_value
from pinsync.canonical.fields import THING
from pinsync.canonical.pins import pair_pins, read_pin
from pinsync.drift.pairs import Kind, Pair, match, order_in_tracker, plain_data, read_title
from pinsync.drift.record import MISSING, Change, FieldChange, Path, PinChange, PinKind
from pinsync.model import EVERYTHING, Customization, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set


def compare(
    old: Sequence[Customization], new: Sequence[Customization], scope: Scope = EVERYTHING
) -> tuple[list[Change], int]:
    """Compare two snapshots of one tracker.

    Args:
        old: the one side, ids unique.
        new: the other side, ids unique.
        scope: what is compared; a customization that was or is in it counts.

    Returns:
        The changes, sorted, and how many customizations are the same.
    """
    changes: list[Change] = []
    unchanged = 0
    for pair in match(old, new):
        if not pair.is_in(scope):
            continue
        if kind := pair.kind:
            changes.append(_change(pair, kind))
        else:
            unchanged += 1
    return sorted(changes, key=lambda change: order_in_tracker(change.subject)), unchanged


def _change(pair: Pair, kind: Kind) -> Change:
    old = plain_data(pair.old)
    new = plain_data(pair.new)
    pins = tuple(_pin_changes(pins_of(old), pins_of(new)))
    fields: tuple[FieldChange, ...] = ()
    if pair.old and pair.new:
        fields = tuple(_field_changes(old, new))
        if not pins and not fields:
            raise AssertionError(f"the texts of {pair.old.id} differ, but no field does")
    return Change(kind, pair, old, new, pins, fields)


def pins_of(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the pins; none if they are of an unexpected type, which makes them a field like any other."""
    pins = data.get("pin_definitions")
    return pins if isinstance(pins, list) and all(isinstance(pin, dict) for pin in pins) else []


def same(old: object, new: object) -> bool:
    """Whether two values have one text; Python's own ``==`` takes true for 1."""
    return render_value(old) == render_value(new)


def _pin_changes(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Iterator[PinChange]:
    """Yield the changes in the order of the new pins, with removed ones before the one that stood behind them."""
    pairs = pair_pins(old, new)
    kept, origins = dict(pairs), {there: here for here, there in pairs}
    removed = [here for here in range(len(old)) if here not in kept]
    for there, pin in enumerate(new):
        here = origins.get(there)
        while removed and here is not None and removed[0] < here:
            yield PinChange("removed", read_pin(old[removed.pop(0)]), None)
        if change := pin_change(None if here is None else old[here], pin):
            yield change
    yield from (PinChange("removed", read_pin(old[here]), None) for here in removed)


def pin_change(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> PinChange | None:
    """Return what became of a pin of which the old side is known, if there is one; None if nothing did."""
    if old is None:
        return PinChange("added", None, read_pin(new))
    if same(old, new):
        return None
    kind: PinKind = "changed" if same(old.get("position"), new.get("position")) else "moved"
    if not all(same(old.get(field), new.get(field)) for field in THING):
        kind = "replaced"
    return PinChange(kind, read_pin(old), read_pin(new))


def _field_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Yield what differs outside the pins, field by field; a list that grew or shrank is one value."""
    names = [name for name in {**old, **new} if name != "id" or (name in old and name in new)]
    for name in names:
        sides = [MISSING if _hidden(name, side) else side[name] for side in (old, new)]
        if MISSING in sides:
            if sides != [MISSING, MISSING]:
                yield FieldChange((name,), *sides)
        elif not same(*sides):
            yield from _value_changes((name,), *sides)


def _hidden(name: str, side: Mapping[str, Any]) -> bool:
    return name not in side or (name == "pin_definitions" and bool(pins_of(side)))


def _value_changes(path: Path, old: Any, new: Any) -> Iterator[FieldChange]:  # noqa: ANN401 - any JSON value
    """Yield what differs inside two values that differ; tags are a set, in which places mean nothing."""
    nested = type(old) is type(new) and isinstance(old, dict | list) and path != ("tags",)
    for rest in (_differing(old, new) if nested else []) or [()]:
        yield FieldChange((*path, *rest), _at(old, rest), _at(new, rest))


def _differing(old: Any, new: Any) -> list[Path]:  # noqa: ANN401 - two objects, or two lists
    from deepdiff import DeepDiff  # noqa: PLC0415 - 80 ms that few runs need

    tree = DeepDiff(
        old,
        new,
        view="tree",
        threshold_to_diff_deeper=0,  # or it gives up on detail
        ignore_private_variables=False,  # or it skips keys that begin with two underscores
        zip_ordered_iterables=True,  # or it looks for the shortest way: slowly, and true is 1 on it
    )
    paths: set[Path] = set()
    for kind, levels in tree.items():
        # Positions in a list that grew or shrank say nothing that could be applied; the list as a
        # whole does.
        cut = -1 if kind.startswith("iterable_item") else None
        paths.update(tuple(level.path(output_format="list")[:cut]) for level in levels)
    return sorted(
        (path for path in paths if not any(path[:end] in paths for end in range(len(path)))),
        key=repr,
    )


def _at(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON value
    for step in path:
        if isinstance(value, dict) and step not in value:
            return MISSING
        value = value[step]
    return value


def pinned_names(changes: Sequence[Change], *sides: Iterable[Customization]) -> dict[str, str]:
    """Return the titles of the items that the changed pins hold, as `titles` does.

    Args:
        changes: the changes of a report.
        sides: the customizations of each side, the more trusted side first.
    """
    return titles(pinned_items(changes), *sides)


def pinned_items(changes: Iterable[Change]) -> frozenset[str]:
    """Return the identities of the items that the changed pins hold, or held."""
    pins = (
        side for change in changes for pin in change.pins for side in (pin.old, pin.new) if side
    )
    return frozenset(pin.identity for pin in pins if pin.identity is not None)


def titles(wanted: Set[str], *sides: Iterable[Customization]) -> dict[str, str]:
    """Return the titles of items, taken from the rules that have an item for a target.

    Where several rules of a side know a title, the first in canonical order wins: an answer of the
    API has no order.

    Args:
        wanted: the identities of the items.
        sides: the customizations of each side, the more trusted side first.

    Returns:
        Identity → title, for the items of which a rule knows a title.
    """
    names: dict[str, str] = {}
    for side in sides:
        unknown = wanted - names.keys()
        targeting = [item for item in side if item.target.identity in unknown]
        names |= first_titles(sorted(targeting, key=order_in_tracker))
    return names


def first_titles(items: Iterable[Customization]) -> dict[str, str]:
    """Return the titles of the customizations' targets by identity, the first title of each."""
    names: dict[str, str] = {}
    for item in items:
        identity = item.target.identity
        if identity is None or identity in names:
            continue
        if found := read_title(plain_data(item)):
            names[identity] = found
    return names
