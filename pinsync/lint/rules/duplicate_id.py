"""Two customizations have the same id.

The server gives each its own, so one of them is a copy; which of the two is live can't be told, and `diff` and
`export` refuse the files. The documents of a tracker are looked at together.

Remove one of them. If the copy is meant as a new customization, remove its `id` line: the server will give it one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Item, Severity

ID: Final = "duplicate-id"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each customization whose id another has too."""
    found: dict[str, list[Item]] = {}
    for item in folder.items:
        if isinstance(id_ := item.data.get("id"), str):
            found.setdefault(id_, []).append(item)
    for id_, items in found.items():
        for item in items if len(items) > 1 else ():
            other = next(other for other in items if other is not item)
            message = f"the id {id_} stands in {other.document.name}, line {other.line('id')}, too"
            yield item.fault(("id",), message, "remove one of the two, or the id of the one that is new")
