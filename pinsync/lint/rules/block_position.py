"""A pin's block flag and its position say different things.

Position 0 means "block", and `is_block_pin: true` goes with it. With one but not the other, it isn't clear whether
the item is to be shown or kept out.

Write both to keep something out, or neither to show it.
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
    """Yield the pins with a flag and a position that don't go together."""
    for item, pin in folder.pins:
        has_both = pin.position == BLOCKED and pin.data.get("is_block_pin") is True
        if pin.position is None or not pin.is_block or has_both:
            continue
        if pin.position == BLOCKED:
            message, hint = "position 0 blocks, but is_block_pin isn't set", "add is_block_pin: true, or a position"
            yield item.pin_fault(pin, "position", message, hint)
        else:
            message = f"is_block_pin goes with position 0, not {pin.position}"
            yield item.pin_fault(pin, "is_block_pin", message, "write position: 0, or remove is_block_pin")
