"""Two snapshots side by side: which customizations belong together, and what became of each."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pinsync import canonical
from pinsync.errors import UsageError, suggestion

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
        """What happened to it, None for nothing. An id that is only filled in, or missing on one side, is nothing."""
        if self.old is self.new:
            return None
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        if self.old.id != self.new.id and self.old.id is not None and self.new.id is not None:
            return "recreated"
        same = self.old.model == self.new.model and _without_id(self.old) == _without_id(self.new)
        return None if same else "changed"

    @property
    def shown(self) -> Customization:
        """The side to name it by: the new one where there is one."""
        side = self.new or self.old
        if side is None:
            raise ValueError("a pair of nothing")
        return side


def match(old: Sequence[Customization], new: Sequence[Customization]) -> list[Pair]:
    """Pair the customizations of two snapshots: by id, then by target where that is unambiguous on both sides.

    Those without an id that are the same on both sides come before the latter, so that equal states have no drift.

    Returns:
        Each customization of either side exactly once; those of ``old`` first, in their order.
    """
    by_id = {item.id: item for item in new if item.id is not None}
    found = {at: by_id.pop(item.id) for at, item in enumerate(old) if item.id is not None and item.id in by_id}
    spare = dict(enumerate([*by_id.values(), *(item for item in new if item.id is None)]))
    if spare:
        left = {at: item for at, item in enumerate(old) if at not in found}
        for key in (_wording, _target):
            there = _grouped(spare, key)
            for wanted, group in _grouped(left, key).items():
                others = there.get(wanted, [])
                if key is _wording or len(group) == len(others) == 1:
                    for here, other in zip(group, others, strict=False):
                        found[here] = spare.pop(other)
                        del left[here]
    pairs = [Pair(item, found.get(at)) for at, item in enumerate(old)]
    return pairs + [Pair(None, item) for item in spare.values()]


def _wording(item: Customization) -> tuple[str, object]:
    return item.model, item.text


def _target(item: Customization) -> tuple[str, object]:
    return item.model, item.target


def _grouped(
    items: Mapping[int, Customization], key: Callable[[Customization], tuple[str, object]]
) -> dict[tuple[str, object], list[int]]:
    groups: dict[tuple[str, object], list[int]] = {}
    for at, item in items.items():
        groups.setdefault(key(item), []).append(at)
    return groups


def _without_id(item: Customization) -> bytes:
    return item.text if item.id is None else b"  - " + item.text.partition(b"\n    ")[2]


def in_scope(item: Customization | None, scope: Scope) -> bool:
    """Whether the API's filters, set to ``scope``, would let the customization through."""
    if item is None:
        return False
    kind, identity, _ = item.target
    wanted = ((scope.model, item.model), (scope.target_type, kind), (scope.target_identity, identity))
    if any(want is not None and want != have for want, have in wanted):
        return False
    return scope.tag is None or scope.tag in tags(item)


def leaves_a_question(committed: Sequence[Customization], live: Sequence[Customization], scope: Scope) -> bool:
    """Whether a filtered answer can't tell what became of a committed rule.

    One of this scope is missing (gone, or only moved out of the filter?), or one from outside has come in; or another
    id stands at its target: it was made anew, or is a second one beside what the filter hides. One without an id is
    known by its target.
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
            hint = f"{_OPTIONS[field]}: {suggestion(value, names)}"
            break
        if names:
            hint = "each of the values exists, but no customization has them all"
    return UsageError(f"no customization matches {wanted} on either side", hint=hint)


_OPTIONS = {"model": "--model", "tag": "--tag", "target_type": "--target-type", "target_identity": "--target-identity"}


def _values(item: Customization, field: str) -> Iterable[str]:
    if field == "tag":
        return tags(item)
    values = {"model": item.model, "target_type": item.target.type, "target_identity": item.target.identity}
    value = values[field]
    return () if value is None else (value,)


def tags(item: Customization) -> tuple[str, ...]:
    """Return a customization's tags; none if they are of an unexpected type."""
    found = (canonical.read(item.text.decode()) or {}).get("tags")
    return tuple(found) if isinstance(found, list) and all(isinstance(tag, str) for tag in found) else ()


def order(item: Customization) -> tuple[Any, ...]:
    """Return the sort key of a customization among those of a tracker."""
    return item.model, *canonical.order(item)


def title(data: Mapping[str, object]) -> str | None:
    """Return the title of the target in a customization's data, None if there is none."""
    metadata = data.get("target_metadata")
    found = metadata.get("title") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) and found else None


def name(item: Customization) -> str:
    """Return what a person calls a customization: its target, and the target's title where the metadata has one."""
    kind, identity, criteria = item.target
    target = " ".join([kind, identity if identity is not None else " ".join((criteria or "").split())]).strip()
    found = title(canonical.read(item.text.decode()) or {})
    return f"{target} ({found})" if found else target
