"""Two pins hold the same position at the same time, in one customization and widget.

Only one of them can be shown there, and which one isn't documented. (Blocks, at position 0, and pins to all
positions, -1, are left out.)

Move one of the two, or make their windows follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.rules.folder import Fault, Folder, Pin, Severity

ID: Final = "position-conflict"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each pin at a position that an earlier one holds at the same time; one of the same item is a duplicate."""
    for item in folder.items:
        earlier: dict[tuple[str | None, int], list[Pin]] = {}
        for pin in item.pins:
            if pin.position is None or pin.position <= 0 or pin.blocks:
                continue
            others = earlier.setdefault((pin.widget, pin.position), [])
            if other := next((other for other in others if other.meets(pin) and not _same(other, pin)), None):
                what = other.item or "a pin of criteria"
                message = f"position {pin.position} is held by {what}, in an overlapping window"
                yield item.pin_fault(pin, "position", message, "move one of the two, or part their windows")
            others.append(pin)


def _same(one: Pin, other: Pin) -> bool:
    return one.item is not None and one.item == other.item
