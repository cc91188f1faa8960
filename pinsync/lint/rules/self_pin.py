"""An item is pinned onto itself.

A recommender on an item's own page doesn't show that item again, so the pin does nothing; as a rule the wrong
identity was copied.

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
    """Yield the pins that show the item which the customization applies to."""
    for item, pin in folder.pins:
        own = item.data.get("target_identity") if item.data.get("target_type") == "item" else None
        if pin.item is not None and pin.item == own and not pin.is_block:
            hint = "pin another item, or remove the pin"
            yield item.pin_fault(pin, "pin_identity", f"{own} is pinned onto itself", hint)
