"""Several customizations of one model apply to all.

It may be on purpose: one for each season, say, each with its own windows and widgets. But pins of two of them may
claim the same place, and which of them wins isn't documented.

Put their pins into one, or see to it that they don't meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Item, Severity

ID: Final = "several-for-all"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each customization for all but the first of its model and file, in canonical order."""
    found: dict[tuple[str | None, str], list[Item]] = {}
    for item in folder.items:
        if item.data.get("target_type") == "all":
            found.setdefault((item.document.model, item.document.source), []).append(item)
    for items in found.values():
        first = min(items, key=lambda item: item.row.order()) if len(items) > 1 else items[0]
        for item in items:
            if item is not first:
                message = f"the customization in line {first.line('target_type')} applies to all, too"
                hint = "put the pins of both into one, or see to it that they don't meet"
                yield item.fault(("target_type",), message, hint)
