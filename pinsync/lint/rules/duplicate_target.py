"""Two customizations of one model apply to the same item, or to the same criteria.

The vendor doesn't document which of them the recommender follows, and the API's own bulk call
treats them as a conflict. All documents of a tracker are compared.

Put the pins of both into one, and remove the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import CUSTOMIZATION, map_choices
from pinsync.document.written import spell_for_comparison
from pinsync.lint.folder import is_absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Item, Severity

ID: Final = "duplicate-target"
SEVERITY: Final[Severity] = "error"

_FIELD_OF_TYPE: Final = map_choices(CUSTOMIZATION)


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each customization that shares its target with another one."""
    by_target: dict[tuple[str | None, str, str], list[Item]] = {}
    for item in folder.items:
        target = _read_target(item)
        if target is not None:
            by_target.setdefault((item.document.model, *target), []).append(item)
    for (_, kind, _), items in by_target.items():
        if len(items) == 1:
            continue
        field = _FIELD_OF_TYPE[kind]
        for item in items:
            # Each message names one other customization, since there may be many copies.
            other = items[1] if item is items[0] else items[0]
            place = f"{other.document.name}, line {other.find_line(field)}"
            # Criteria may be too long for a message.
            target_name = item.data[field] if kind == "item" else "the same criteria"
            message = f"the customization in {place}, applies to {target_name}, too"
            hint = "put the pins of both into one, and remove the other"
            yield item.build_fault((field,), message, hint)


def _read_target(item: Item) -> tuple[str, str] | None:
    kind = item.data.get("target_type")
    identity = item.data.get("target_identity")
    criteria = item.data.get("target_criteria")
    if kind == "item" and isinstance(identity, str) and identity:
        return kind, identity
    if kind == "criteria" and isinstance(criteria, dict) and not is_absent(criteria):
        return kind, spell_for_comparison(criteria)
    return None
