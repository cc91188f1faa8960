"""Two customizations of one model apply to the same item, or to the same criteria.

Which of them the recommender follows isn't documented, and the API's own bulk call takes it for a conflict. The
documents of a tracker are looked at together.

Put the pins of both into one, and remove the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import CUSTOMIZATION, map_choices
from pinsync.document.written import comparable
from pinsync.lint.folder import is_absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Item, Severity

ID: Final = "duplicate-target"
SEVERITY: Final[Severity] = "error"

_FIELDS: Final = map_choices(CUSTOMIZATION)


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each customization whose target another has too."""
    found: dict[tuple[str | None, str, str], list[Item]] = {}
    for item in folder.items:
        if target := _target(item):
            found.setdefault((item.document.model, *target), []).append(item)
    for (_, kind, _), items in found.items():
        field = _FIELDS[kind]
        for item in items if len(items) > 1 else ():
            other = next(other for other in items if other is not item)
            what = item.data[field] if kind == "item" else "the same criteria"
            message = f"the customization in {other.document.name}, line {other.line(field)}, applies to {what}, too"
            yield item.fault((field,), message, "put the pins of both into one, and remove the other")


def _target(item: Item) -> tuple[str, str] | None:
    kind, identity, criteria = (item.data.get(f"target_{name}") for name in ("type", "identity", "criteria"))
    if kind == "item" and isinstance(identity, str) and identity:
        return kind, identity
    if kind == "criteria" and isinstance(criteria, dict) and not is_absent(criteria):
        return kind, comparable(criteria)
    return None
