"""An item is both pinned and blocked at the same time, in one customization.

The two contradict each other, and which of them wins isn't documented. A block without a `widget_id` is taken to
count in every widget.

Remove the pin or the block, or make their windows follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.rules.folder import Fault, Folder, Pin, Severity

ID: Final = "pinned-and-blocked"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins of items that a block keeps out at the same time."""
    for item in folder.items:
        blocks: dict[str, list[Pin]] = {}
        for pin in item.pins:
            if pin.blocks and pin.item is not None:
                blocks.setdefault(pin.item, []).append(pin)
        for pin in item.pins if blocks else ():
            if not pin.blocks and any(_keeps_out(block, pin) for block in blocks.get(pin.item or "", ())):
                message = f"{pin.item} is both pinned and blocked, in overlapping windows"
                yield item.pin_fault(pin, "pin_identity", message, "remove the pin or the block, or part their windows")


def _keeps_out(block: Pin, pin: Pin) -> bool:
    return block.widget in (None, pin.widget) and block.meets(pin)
