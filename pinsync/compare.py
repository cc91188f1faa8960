"""Two snapshots side by side: which customizations belong together, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pinsync import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinsync.model import Customization, Scope, Target

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

    Returns:
        Each customization of either side exactly once; those of ``old`` first, in their order.
    """
    by_id = {item.id: item for item in new if item.id is not None}
    found = {id(item): by_id.pop(item.id) for item in old if item.id is not None and item.id in by_id}
    spare = [*by_id.values(), *(item for item in new if item.id is None)]
    if spare:
        left = _by_target(item for item in old if id(item) not in found)
        right = _by_target(spare)
        for target, candidates in left.items():
            if len(candidates) == len(right.get(target, ())) == 1:
                found[id(candidates[0])] = right.pop(target)[0]
    taken = {id(item) for item in found.values()}
    pairs = [Pair(item, found.get(id(item))) for item in old]
    return pairs + [Pair(None, item) for item in spare if id(item) not in taken]


def _by_target(items: Iterable[Customization]) -> dict[tuple[str, Target], list[Customization]]:
    groups: dict[tuple[str, Target], list[Customization]] = {}
    for item in items:
        groups.setdefault((item.model, item.target), []).append(item)
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


def tags(item: Customization) -> tuple[str, ...]:
    """Return a customization's tags; none if they are of an unexpected type."""
    found = (canonical.read(item.text.decode()) or {}).get("tags")
    return tuple(found) if isinstance(found, list) and all(isinstance(tag, str) for tag in found) else ()


def name(item: Customization) -> str:
    """Return what a person calls a customization: its target, and the target's title where the metadata has one."""
    kind, identity, criteria = item.target
    target = " ".join([kind, identity if identity is not None else " ".join((criteria or "").split())]).strip()
    metadata = (canonical.read(item.text.decode()) or {}).get("target_metadata")
    title = metadata.get("title") if isinstance(metadata, dict) else None
    return f"{target} ({title})" if isinstance(title, str) and title else target
