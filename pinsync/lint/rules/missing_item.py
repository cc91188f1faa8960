"""A pinned item isn't in the catalog.

The recommender leaves such a pin out, so its place on the shelf goes to another item. The item is
`null` in `items.json`, which `pinsync items` writes after it has read the whole catalog.

Pin another item, or remove the pin. If the item is back in the catalog, run `pinsync items`.
(Blocking an item that is gone is fine.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "missing-item"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins that show an item of `Folder.missing_items`."""
    if not folder.missing_items:
        return
    for item, pin in folder.pins:
        if pin.item in folder.missing_items and not pin.is_block:
            message = f"{pin.item} is pinned, but isn't in the catalog"
            hint = "pin another item, or remove the pin; if the item is back, run pinsync items"
            yield item.build_pin_fault(pin, "pin_identity", message, hint)
