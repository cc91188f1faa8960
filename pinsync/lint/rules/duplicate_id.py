"""Two customizations have the same id.

The server gives each customization its own id, so one of the two is a copy. Nobody can tell which
one is live, and `diff` and `export` refuse the files. All documents of a tracker are compared.

Remove one of the two. If the copy is meant as a new customization, remove its `id` line: the
server will assign an id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Item, Severity

ID: Final = "duplicate-id"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each customization that shares its id with another one."""
    by_id: dict[str, list[Item]] = {}
    for item in folder.items:
        id_ = item.data.get("id")
        if isinstance(id_, str):
            by_id.setdefault(id_, []).append(item)
    for id_, items in by_id.items():
        if len(items) == 1:
            continue
        for item in items:
            # Each message names one other customization, since there may be many copies.
            other = items[1] if item is items[0] else items[0]
            message = (
                f"the id {id_} stands in {other.document.name}, line {other.find_line('id')}, too"
            )
            hint = "remove one of the two, or the id of the new customization"
            yield item.build_fault(("id",), message, hint)
