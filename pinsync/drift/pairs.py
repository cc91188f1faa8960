"""Two snapshots side by side: which customizations belong together, and what became of each."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pinsync import canonical
from pinsync.errors import UsageError, suggest
from pinsync.layout import suggest_model
from pinsync.model import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pinsync.model import Customization, Scope

Kind = Literal["added", "removed", "changed", "recreated"]
KINDS: tuple[Kind, ...] = ("added", "changed", "recreated", "removed")


class Pair(NamedTuple):
    """A customization on both sides; one side is None where there is no counterpart.

    Attributes:
        old: the customization in the old snapshot.
        new: the customization in the new snapshot.
        old_index: the index of ``old`` in its snapshot, by which its reader finds file and line.
        new_index: the same of ``new``.
    """

    old: Customization | None
    new: Customization | None
    old_index: int | None = None
    new_index: int | None = None

    @property
    def kind(self) -> Kind | None:
        """What became of the customization; None for nothing but an id that one side lacks."""
        if self.old is self.new:
            return None
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        if self.old.id != self.new.id and self.old.id is not None and self.new.id is not None:
            return "recreated"
        return None if _content(self.old) == _content(self.new) else "changed"

    @property
    def shown(self) -> Customization:
        """The side to name it by: the new one where there is one."""
        side = self.new or self.old
        if side is None:
            raise ValueError("a pair of nothing")
        return side

    @property
    def sides(self) -> list[Customization]:
        """The sides that there are, the old one first."""
        return [side for side in (self.old, self.new) if side is not None]

    def is_in(self, scope: Scope) -> bool:
        """Return whether the customization was or is in a scope."""
        return scope == EVERYTHING or in_scope(self.old, scope) or in_scope(self.new, scope)


def match(old: Sequence[Customization], new: Sequence[Customization]) -> Iterator[Pair]:
    """Pair the customizations of two snapshots.

    Customizations with the same id are a pair, whatever their model. Of the customizations left,
    those with the same model and the same text without the id are pairs; then those with the same
    target, if each side has exactly one. The order of neither snapshot decides what is paired.

    Yields:
        Each customization of either side exactly once; those of ``old`` first, in their order.
    """
    by_id = {item.id: index for index, item in enumerate(new) if item.id is not None}
    found: dict[int, int] = {}
    for index, item in enumerate(old):
        if item.id is not None and item.id in by_id:
            found[index] = by_id.pop(item.id)
    spare = {index: new[index] for index in by_id.values()}
    spare |= {index: item for index, item in enumerate(new) if item.id is None}
    if spare and len(found) < len(old):
        left = {index: item for index, item in enumerate(old) if index not in found}
        for key, sole in ((_content, False), (_target, True)):
            pairs = _pair_up(left, spare, key, sole=sole)
            found |= pairs
            for index, other in pairs.items():
                del left[index], spare[other]
    for index, item in enumerate(old):
        counterpart = found.get(index)
        yield Pair(item, None if counterpart is None else new[counterpart], index, counterpart)
    for index, item in spare.items():
        yield Pair(None, item, None, index)


def _pair_up(
    left: Mapping[int, Customization],
    spare: Mapping[int, Customization],
    key: Callable[[Customization], tuple[str, object]],
    *,
    sole: bool,
) -> dict[int, int]:
    """Pair customizations that have the same key.

    Args:
        left: the customizations of the old snapshot, by their index there.
        spare: the customizations of the new snapshot, likewise.
        key: what both customizations of a pair have in common.
        sole: whether to pair only where each side has exactly one customization with the key.

    Returns:
        Index in the old snapshot → index in the new one.
    """
    here, there = _group_by(left, key), _group_by(spare, key)
    pairs: dict[int, int] = {}
    for common, others in there.items():
        indexes = here.get(common, [])
        if not sole or len(indexes) == len(others) == 1:
            pairs.update(zip(indexes, others, strict=False))
    return pairs


def _group_by(
    items: Mapping[int, Customization], key: Callable[[Customization], tuple[str, object]]
) -> dict[object, list[int]]:
    """Return the indexes of the customizations that share a key, by that key."""
    groups: dict[object, list[int]] = {}
    # By id, and those without an id first: so they find each other, and no order counts.
    for index in sorted(items, key=lambda index: items[index].id or ""):
        groups.setdefault(key(items[index]), []).append(index)
    return groups


def _content(item: Customization) -> tuple[str, bytes]:
    """Return the model and the text without the id."""
    if item.id is None:
        return item.model, item.text
    return item.model, b"  - " + item.text.partition(b"\n    ")[2]


def _target(item: Customization) -> tuple[str, object]:
    return item.model, item.target


def in_scope(item: Customization | None, scope: Scope) -> bool:
    """Whether the API's filters, set to ``scope``, would let the customization through."""
    if item is None:
        return False
    kind, identity, _ = item.target
    wanted = (
        (scope.model, item.model),
        (scope.target_type, kind),
        (scope.target_identity, identity),
    )
    if any(want is not None and want != have for want, have in wanted):
        return False
    return scope.tag is None or scope.tag in read_tags(plain_data(item))


def leaves_a_question(
    committed: Sequence[Customization], live: Sequence[Customization], scope: Scope
) -> bool:
    """Whether a filtered answer can't tell what became of a committed rule.

    A rule of this scope is missing (gone, or only moved out of the filter?), or a rule from outside
    has come in; or a rule is paired with a rule of another id, which may be a second rule beside
    the rule that the filter hides. A rule without an id is in the answer if it is paired at all.
    """
    for old, new, *_ in match(committed, live):
        if old is None:
            continue
        found = new is not None and old.id in (None, new.id)
        if found != in_scope(old, scope) or (new is not None and not found):
            return True
    return False


def share_no_id(one: Iterable[Customization], other: Iterable[Customization]) -> bool:
    """Whether both sides have ids, and none in common."""
    here, there = ({item.id for item in side} - {None} for side in (one, other))
    return bool(here and there) and here.isdisjoint(there)


def nothing_matches(scope: Scope, known: Iterable[Customization]) -> UsageError:
    """Return the error of a scope that lets no customization through on either side, with the nearest known name."""
    wanted = " ".join(
        f"{_OPTIONS[name]} {shlex.quote(value)}" for name, value in scope.query().items()
    )
    hint = "nothing is known yet; run without filters"
    known = list(known)
    for field, value in scope.query().items():
        names = {found for item in known for found in _values(item, field)}
        if names and value not in names:
            suggest_value = suggest_model if field == "model" else suggest
            hint = f"{_OPTIONS[field]}: {suggest_value(value, names)}"
            break
        if names:
            hint = "each of the values exists, but no customization has them all"
    return UsageError(f"no customization matches {wanted} on either side", hint=hint)


_OPTIONS = {
    "model": "--model",
    "tag": "--tag",
    "target_type": "--target-type",
    "target_identity": "--target-identity",
}


def _values(item: Customization, field: str) -> Iterable[str]:
    if field == "tag":
        return read_tags(plain_data(item))
    values = {
        "model": item.model,
        "target_type": item.target.type,
        "target_identity": item.target.identity,
    }
    value = values[field]
    return () if value is None else (value,)


def plain_data(item: Customization | None) -> dict[str, Any]:
    """Return what a customization says, its model included; nothing if there is none."""
    if item is None:
        return {}
    data = canonical.read(item.text.decode())
    if data is None:
        raise AssertionError(f"the text of {item.id} isn't canonical")
    return {"model": item.model, **data}


def read_tags(data: Mapping[str, object]) -> tuple[str, ...]:
    """Return the tags in a customization's data; none if they are of an unexpected type."""
    found = data.get("tags")
    return (
        tuple(found)
        if isinstance(found, list) and all(isinstance(tag, str) for tag in found)
        else ()
    )


def order_in_tracker(item: Customization) -> tuple[Any, ...]:
    """Return the sort key of a customization among those of a tracker."""
    return item.model, *canonical.order(item)


def read_title(data: Mapping[str, object]) -> str | None:
    """Return the title of the target in a customization's data, None if there is none."""
    metadata = data.get("target_metadata")
    found = metadata.get("title") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) and found else None


def describe(item: Customization) -> str:
    """Return what a person calls a customization: its target, and the target's title where the metadata has one."""
    kind, identity, criteria = item.target
    target = " ".join(
        [kind, identity if identity is not None else " ".join((criteria or "").split())]
    ).strip()
    found = read_title(plain_data(item))
    return f"{target} ({found})" if found else target
