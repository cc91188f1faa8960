"""A pin's block flag and its position contradict each other.

Position 0 means "block", and so does `is_block_pin: true`. A pin with only one of the two leaves
open whether the item is to be shown or kept out.

Write both to block the item, or neither to show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.pins import BLOCKED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "block-position"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins whose block flag contradicts their position."""
    for item, pin in folder.pins:
        has_both = pin.position == BLOCKED and pin.data.get("is_block_pin") is True
        if pin.position is None or not pin.is_block or has_both:
            continue
        if pin.position == BLOCKED:
            message = "position 0 blocks, but is_block_pin isn't set"
            yield item.build_pin_fault(
                pin, "position", message, "add is_block_pin: true, or a position"
            )
        else:
            message = f"is_block_pin goes with position 0, not {pin.position}"
            hint = "write position: 0, or remove is_block_pin"
            yield item.build_pin_fault(pin, "is_block_pin", message, hint)
