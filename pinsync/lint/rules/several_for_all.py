"""Several customizations of one model apply to all.

They may be intended: one for each season, for example, each with its own windows and widgets. But
pins of two of them may claim the same position, and the vendor doesn't document which one wins.

Put their pins into one, or make sure that they don't overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Item, Severity

ID: Final = "several-for-all"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each customization for all of a model and file, except the first one.

    The first one is the first in canonical order among those that aren't managed, if there are any.
    """
    by_file: dict[tuple[str | None, str], list[Item]] = {}
    for item in folder.items:
        if item.data.get("target_type") == "all":
            by_file.setdefault((item.document.model, item.document.source), []).append(item)
    for items in by_file.values():
        if len(items) == 1:
            continue
        # By canonical order, so that sorting the file moves no finding to another customization.
        # Somebody else's comes first, so that each managed one beside it has a finding.
        first = min(
            items,
            key=lambda item: (
                folder.is_managed(item.document, item.row),
                item.row.build_sort_key(),
            ),
        )
        for item in items:
            if item is not first:
                line = first.find_line("target_type")
                message = f"the customization in line {line} applies to all, too"
                hint = "put the pins of both into one, or make sure that they don't overlap"
                yield item.build_fault(("target_type",), message, hint)
