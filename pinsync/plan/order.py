"""Put the operations of a plan in order, so that no write meets a target that another rule holds.

The shop may refuse a rule whose target another rule of the same model has. So a rule that leaves
its target goes before the rule that gets the target. If the other rule stays, the operation is
blocked. Rules that exchange their targets in a circle keep them and exchange their texts instead.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from pinsync.drift.changes import build_change
from pinsync.drift.pairs import Pair, build_content_key, build_sort_key, build_target_key
from pinsync.plan.decisions import find_kind, find_obstacle
from pinsync.plan.record import LeftRule, Operation, Permissions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pinsync.drift.pairs import ChangeKind
    from pinsync.drift.record import Change
    from pinsync.model import Customization
    from pinsync.plan.record import OperationKind

    TargetKey = tuple[str, object]

_PHASES: Final[Mapping[OperationKind, int]] = {"update": 0, "create": 1, "delete": 2}
_CHANGE_KINDS: Final[Mapping[OperationKind, ChangeKind]] = {
    "update": "changed",
    "create": "added",
    "delete": "removed",
}


class _Step(NamedTuple):
    """A wanted operation.

    Attributes:
        kind: the kind of operation.
        before: the shop's rule; None if it is created.
        after: SOURCE's rule; None if the shop's rule is deleted.
        origin: the change from SOURCE to the shop that has ``after``, or that deletes the rule.
        swapped: see `Operation.swapped`.
    """

    kind: OperationKind
    before: Customization | None
    after: Customization | None
    origin: Change
    swapped: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether the shop's rule has the text of SOURCE's rule already."""
        if self.before is None or self.after is None:
            return False
        return build_content_key(self.before) == build_content_key(self.after)

    @property
    def left_target(self) -> TargetKey | None:
        """The target that the operation leaves; None if the rule keeps it."""
        key = build_target_key(self.before) if self.before else None
        return None if self.after and build_target_key(self.after) == key else key

    @property
    def new_target(self) -> TargetKey | None:
        """The target that the operation gets; None if the rule had it before."""
        key = build_target_key(self.after) if self.after else None
        return None if self.before and build_target_key(self.before) == key else key


def build_operations(
    changes: Iterable[Change],
    shop: Iterable[Customization],
    permissions: Permissions,
    absent: Collection[str] = (),
) -> tuple[list[Operation], list[LeftRule]]:
    """Return the operations in their order, and the rules that are left alone.

    Args:
        changes: the changes from SOURCE to the shop, each with its mover, that `drop_settled` left.
        shop: all rules of the shop; each has an id.
        permissions: the options that allow more than the safe operations.
        absent: the models without a document in SOURCE and in all commits before it.
    """
    steps: list[_Step] = []
    left: list[LeftRule] = []
    for change in changes:
        if obstacle := find_obstacle(change, permissions, absent):
            left.append(obstacle)
        else:
            steps.append(_Step(find_kind(change), change.new, change.old, change))
    steps.sort(key=_build_step_key)
    dependencies = _Dependencies(steps, shop)
    blocked = dependencies.find_blocked()
    left += _describe_blocked(steps, blocked, left)
    left.sort(key=lambda rule: build_sort_key(rule.change.subject))
    ordered = dependencies.sort(dependencies.swap_circles())
    return [_build_operation(step) for step in ordered], left


def split_stages(operations: Sequence[Operation]) -> tuple[list[int], list[int], list[int]]:
    """Return the indexes of the operations in three stages, each in the order of the plan.

    Args:
        operations: the operations of one tracker, as `build_operations` returns them.

    Returns:
        The updates, with the deletes that free a target of any operation; the creates; the other
        deletes.
    """
    wanted = {
        build_target_key(each.after) for each in operations if each.after and each.takes_target
    }
    changes: list[int] = []
    creates: list[int] = []
    deletes: list[int] = []
    for at, operation in enumerate(operations):
        if operation.kind == "create":
            creates.append(at)
        elif operation.after or build_target_key(operation.change.subject) in wanted:
            changes.append(at)
        else:
            deletes.append(at)
    return changes, creates, deletes


def _build_step_key(step: _Step) -> tuple[object, ...]:
    rule = step.after or step.before
    if rule is None:
        raise ValueError("an operation without a rule")
    # By the shop's id: an id that only git has decides nothing.
    _, content = build_content_key(rule)
    rule = rule._replace(id=step.before.id if step.before else None, text=content)
    return _PHASES[step.kind], *build_sort_key(rule)


def build_shop_change(
    kind: OperationKind, before: Customization | None, after: Customization | None, origin: Change
) -> Change:
    """Return the change from the shop's rule to SOURCE's rule.

    Args:
        kind: the operation that makes the change.
        before: the shop's rule; None if it is created.
        after: SOURCE's rule; None if the shop's rule is deleted.
        origin: the change from SOURCE to the shop, for the place, the mover and the times.
    """
    change = build_change(Pair(before, after), _CHANGE_KINDS[kind])
    # Only the shop gives ids: an operation never changes the id of a rule.
    fields = tuple(field for field in change.fields if field.path != ("id",))
    return replace(
        change,
        fields=fields,
        place=origin.place,
        shoppers=origin.shoppers,
        moved=origin.moved,
        moved_in=origin.moved_in,
    )


def _build_operation(step: _Step) -> Operation:
    change = build_shop_change(step.kind, step.before, step.after, step.origin)
    return Operation(step.kind, change, step.swapped)


def _describe_blocked(
    steps: Sequence[_Step], blocked: Mapping[int, Customization], left: Sequence[LeftRule]
) -> list[LeftRule]:
    """Return the rules that are left alone because other rules hold their targets."""
    options: dict[str | None, tuple[str, ...]] = {}
    for rule in left:
        # Only a deletion frees the target for sure.
        if rule.kind == "delete" and rule.change.new:
            options[rule.change.new.id] = rule.options
    found: list[LeftRule] = []
    for at, holder in blocked.items():
        step = steps[at]
        remedy = options.get(holder.id, ()) if holder.id else ()
        found.append(LeftRule(step.kind, step.origin, "target", remedy, holder))
    return found


class _Dependencies:
    """The targets that operations leave and get.

    Args:
        steps: the wanted operations, sorted.
        shop: all rules of the shop.
    """

    def __init__(self, steps: Sequence[_Step], shop: Iterable[Customization]) -> None:
        self._steps = steps
        self._active = set(range(len(steps)))
        self._left_targets = [step.left_target for step in steps]
        self._new_targets = [step.new_target for step in steps]
        self._takers: dict[TargetKey, list[int]] = {}
        for at, key in enumerate(self._new_targets):
            if key is not None:
                self._takers.setdefault(key, []).append(at)
        self._steps_by_id = {step.before.id: at for at, step in enumerate(steps) if step.before}
        self._holders: dict[TargetKey, list[Customization]] = {}
        # Most plans get no target, and a shop may have 100,000 rules.
        for rule in shop if self._takers else ():
            key = build_target_key(rule)
            if key in self._takers:
                self._holders.setdefault(key, []).append(rule)
        # An answer has no order.
        for rules in self._holders.values():
            rules.sort(key=lambda rule: rule.id or "")

    def find_blocked(self) -> dict[int, Customization]:
        """Return the blocked operations, each with the rule that holds its target.

        The blocked operations are no longer part of the dependencies.
        """
        blocked: dict[int, Customization] = {}
        queue = deque(at for at, key in enumerate(self._new_targets) if key is not None)
        while queue:
            at = queue.popleft()
            if at not in self._active:
                continue
            holder = self._find_holder(at)
            if holder is None:
                continue
            blocked[at] = holder
            self._active.remove(at)
            # The rule stays where it is, so it blocks whoever waits for its target.
            left = self._left_targets[at]
            queue.extend(self._takers.get(left, ()) if left else ())
        return blocked

    def _find_holder(self, at: int) -> Customization | None:
        """Return the rule that holds the target of an operation for good; None if none does."""
        key = self._new_targets[at]
        if key is None:
            return None
        for rule in self._holders.get(key, ()):
            other = self._steps_by_id.get(rule.id)
            if other is None or other not in self._active or self._left_targets[other] != key:
                return rule
        # Of several rules of SOURCE with one target, the first one gets it.
        first = next(other for other in self._takers[key] if other in self._active)
        return None if first == at else self._steps[first].after

    def swap_circles(self) -> dict[int, _Step]:
        """Return the active operations; those of a circle exchange texts, and keep their targets.

        Each target has one active operation that gets it, so an operation is in one circle at most.
        """
        chosen = {at: self._steps[at] for at in sorted(self._active)}
        visited: set[int] = set()
        for start in chosen:
            path: list[int] = []
            at: int | None = start
            while at is not None and at not in visited:
                visited.add(at)
                path.append(at)
                at = self._find_successor(at)
            if at is None or at not in path:
                continue
            for one in path[path.index(at) :]:
                step = self._steps[one]
                # The shop's rule at this target gets the text that SOURCE has for the target.
                successor = self._find_successor(one)
                if successor is not None:
                    source = self._steps[successor]
                    chosen[one] = _Step("update", step.before, source.after, source.origin, True)
        return {at: step for at, step in chosen.items() if not step.is_settled}

    def _find_successor(self, at: int) -> int | None:
        """Return the operation that gets the target which an operation leaves."""
        left = self._left_targets[at]
        for taker in self._takers.get(left, ()) if left else ():
            if taker in self._active:
                return taker
        return None

    def sort(self, steps: Mapping[int, _Step]) -> list[_Step]:
        """Return the operations, each behind those that it waits for.

        Args:
            steps: the operations by index, as `swap_circles` returns them.
        """
        ordered: list[_Step] = []
        done: set[int] = set()
        for start in sorted(steps, key=lambda at: _build_step_key(steps[at])):
            # A chain of moved targets may be longer than Python's stack.
            stack = [start]
            while stack:
                at = stack[-1]
                waiting: list[int] = []
                if at not in done:
                    waiting = [
                        other for other in self._list_awaited(at, steps) if other not in done
                    ]
                if waiting:
                    stack += reversed(waiting)
                    continue
                stack.pop()
                if at not in done:
                    done.add(at)
                    ordered.append(steps[at])
        return ordered

    def _list_awaited(self, at: int, steps: Mapping[int, _Step]) -> list[int]:
        """Return the operations that free the target of an operation."""
        key = self._new_targets[at]
        if key is None or steps[at].swapped:
            return []
        return [self._steps_by_id[rule.id] for rule in self._holders.get(key, ())]
