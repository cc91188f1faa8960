"""What the tests of plans share: rules in a line each, a dict for a shop, and plans of two states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pinsync.canonical import normalize
from pinsync.drift.changes import compare_customizations
from pinsync.drift.pairs import build_content_key, build_target_key
from pinsync.plan.decisions import drop_settled
from pinsync.plan.order import build_operations
from pinsync.plan.record import Permissions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from pinsync.drift.record import Change, Moved
    from pinsync.model import Customization
    from pinsync.plan.record import LeftRule, Operation

    Shop = dict[str, Customization]

ALL = Permissions(delete=True, overwrite_edits=True, recreate=True, delete_extra=True)


def make(
    id_: str | None, target: str = "/p/1/", text: str = "/p/7/", model: str = "basket"
) -> Customization:
    """Return a rule with one pin."""
    row: dict[str, Any] = {
        "target_type": "item",
        "target_identity": target,
        "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": text}],
    }
    if id_ is not None:
        row["id"] = id_
    return normalize.build_customization(row, model=model)


def by_git(_change: Change) -> Moved:
    """Git made every change."""
    return "git"


def plan(
    git: Sequence[Customization],
    shop: Sequence[Customization],
    permissions: Permissions = ALL,
    move: Callable[[Change], Moved | None] = by_git,
    absent: Collection[str] = (),
) -> tuple[list[Operation], list[LeftRule]]:
    """Return the plan of two states."""
    changes, _ = compare_customizations(git, shop)
    moved = [replace(change, moved=move(change)) for change in drop_settled(changes)]
    return build_operations(moved, shop, permissions, absent)


def tell(operations: Iterable[Operation]) -> list[str]:
    """Return each operation in a line: ``update a /p/1/ /p/7/ → /p/2/ /p/8/``."""
    lines = []
    for operation in operations:
        sides = []
        for rule in (operation.before, operation.after):
            if rule:
                pins = (
                    operation.change.old_data
                    if rule is operation.before
                    else operation.change.new_data
                )
                sides.append(f"{rule.target.identity} {pins['pin_definitions'][0]['pin_identity']}")
        lines.append(" ".join(filter(None, [operation.kind, operation.id, " → ".join(sides)])))
    return lines


def tell_left(left: Iterable[LeftRule]) -> list[str]:
    """Return each rule that is left alone in a line: ``update /p/1/: shop --overwrite-edits``."""
    lines = []
    for rule in left:
        holder = f" by {rule.holder.id}" if rule.holder else ""
        line = f"{rule.kind} {rule.change.subject.target.identity}: {rule.reason}{holder}"
        lines.append(" ".join([line, *rule.options]))
    return lines


def apply(shop: Sequence[Customization], operations: Iterable[Operation]) -> list[Customization]:
    """Return a strict shop after the operations.

    A write to a rule that changed meanwhile fails, and so does one that meets a taken target.
    """
    rules = {str(rule.id): rule for rule in shop}
    for count, operation in enumerate(operations):
        before, after = operation.before, operation.after
        if before is not None:
            assert rules.pop(str(before.id)) == before
        if after is None:
            continue
        key = build_target_key(after)
        if before is None or build_target_key(before) != key:
            assert key not in map(build_target_key, rules.values()), "the target is taken"
        id_ = f"new-{count}" if before is None else str(before.id)
        rules[id_] = give_id(after, id_)
    return list(rules.values())


def give_id(rule: Customization, id_: str) -> Customization:
    """Return a rule under another id."""
    _, content = build_content_key(rule)
    text = f"  - id: {id_}\n    ".encode() + content.removeprefix(b"  - ")
    return rule._replace(id=id_, text=text)
