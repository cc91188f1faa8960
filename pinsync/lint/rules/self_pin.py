"""An item is pinned onto itself.

A recommender on an item's own page doesn't show that item again, so the pin does nothing. Usually
somebody copied the wrong identity.

Pin another item, or remove the pin. (Blocking an item on its own page is fine.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "self-pin"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins that show the item of their own customization's target."""
    for item, pin in folder.pins:
        if pin.item is None or pin.is_block or item.data.get("target_type") != "item":
            continue
        if pin.item == item.data.get("target_identity"):
            hint = "pin another item, or remove the pin"
            yield item.build_pin_fault(
                pin, "pin_identity", f"{pin.item} is pinned onto itself", hint
            )
