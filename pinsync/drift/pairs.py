"""Two snapshots side by side: which customizations belong together, and what became of each."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pinsync import canonical
from pinsync.errors import UsageError, suggest
from pinsync.layout import suggest_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pinsync.model import Customization, Scope

Kind = Literal["added", "removed", "changed", "recreated"]
KINDS: tuple[Kind, ...] = ("added", "changed", "recreated", "removed")


class Pair(NamedTuple):
    """A customization on both sides; one side is None where there is no counterpart."""

    old: Customization | None
    new: Customization | None

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


def match(old: Sequence[Customization], new: Sequence[Customization]) -> list[Pair]:
    """Pair the customizations of two snapshots.

    Customizations with the same id are a pair, whatever their model. Of the customizations left,
    those with the same model and the same text without the id are pairs; then those with the same
    target, if each side has exactly one. The order of neither snapshot decides what is paired.

    Returns:
        Each customization of either side exactly once; those of ``old`` first, in their order.
    """
    by_id = {item.id: item for item in new if item.id is not None}
    found: dict[int, Customization] = {}
    for index, item in enumerate(old):
        if item.id is not None and item.id in by_id:
            found[index] = by_id.pop(item.id)
    spare = [*by_id.values(), *(item for item in new if item.id is None)]
    if spare and len(found) < len(old):
        left = {index: item for index, item in enumerate(old) if index not in found}
        equal, spare = _pair_up(left, spare, _content, sole=False)
        left = {index: item for index, item in left.items() if index not in equal}
        same_target, spare = _pair_up(left, spare, _target, sole=True)
        found |= equal | same_target
    pairs = [Pair(item, found.get(index)) for index, item in enumerate(old)]
    return pairs + [Pair(None, item) for item in spare]


def _pair_up(
    left: Mapping[int, Customization],
    spare: Sequence[Customization],
    key: Callable[[Customization], tuple[str, object]],
    *,
    sole: bool,
) -> tuple[dict[int, Customization], list[Customization]]:
    """Pair customizations that have the same key.

    Args:
        left: the customizations of the old snapshot, by their index there.
        spare: the customizations of the new snapshot.
        key: what both customizations of a pair have in common.
        sole: whether to pair only where each side has exactly one customization with the key.

    Returns:
        Index in the old snapshot → its counterpart; and the customizations of ``spare`` left over.
    """
    here: dict[object, list[int]] = {}
    for index, item in left.items():
        here.setdefault(key(item), []).append(index)
    there: dict[object, list[Customization]] = {}
    for item in spare:
        there.setdefault(key(item), []).append(item)
    pairs: dict[int, Customization] = {}
    rest: list[Customization] = []
    for common, items in there.items():
        indexes = here.get(common, [])
        if sole and not len(indexes) == len(items) == 1:
            rest += items
            continue
        # By id, and those without an id first: so they find each other, and no order counts.
        indexes.sort(key=lambda index: left[index].id or "")
        items.sort(key=lambda item: item.id or "")
        pairs.update(zip(indexes, items, strict=False))
        rest += items[len(indexes) :]
    return pairs, rest


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
    wanted = ((scope.model, item.model), (scope.target_type, kind), (scope.target_identity, identity))
    if any(want is not None and want != have for want, have in wanted):
        return False
    return scope.tag is None or scope.tag in read_tags(item)


def leaves_a_question(committed: Sequence[Customization], live: Sequence[Customization], scope: Scope) -> bool:
    """Whether a filtered answer can't tell what became of a committed rule.

    A rule of this scope is missing (gone, or only moved out of the filter?), or a rule from outside
    has come in; or a rule is paired with a rule of another id, which may be a second rule beside
    the rule that the filter hides. A rule without an id is in the answer if it is paired at all.
    """
    for old, new in match(committed, live):
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
    wanted = " ".join(f"{_OPTIONS[name]} {shlex.quote(value)}" for name, value in scope.query().items())
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


_OPTIONS = {"model": "--model", "tag": "--tag", "target_type": "--target-type", "target_identity": "--target-identity"}


def _values(item: Customization, field: str) -> Iterable[str]:
    if field == "tag":
        return read_tags(item)
    values = {"model": item.model, "target_type": item.target.type, "target_identity": item.target.identity}
    value = values[field]
    return () if value is None else (value,)


def read_tags(item: Customization) -> tuple[str, ...]:
    """Return a customization's tags; none if they are of an unexpected type."""
    found = (canonical.read(item.text.decode()) or {}).get("tags")
    return tuple(found) if isinstance(found, list) and all(isinstance(tag, str) for tag in found) else ()


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
    target = " ".join([kind, identity if identity is not None else " ".join((criteria or "").split())]).strip()
    found = read_title(canonical.read(item.text.decode()) or {})
    return f"{target} ({found})" if found else target
