"""An item is both pinned and blocked at the same time, in one customization.

The two contradict each other, and which of them wins isn't documented. A block without a `widget_id` is taken to
count in every widget.

Remove the pin or the block, or make their windows follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.lint.folder import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "pinned-and-blocked"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins of items that a block keeps out at the same time."""
    for item in folder.items:
        blocked = {pin.item for pin in item.pins if pin.is_block} - {None}
        groups: dict[str | None, list[Pin]] = {name: [] for name in blocked}
        for pin in item.pins if blocked else ():
            if pin.item in blocked:
                groups[pin.item].append(pin)
        for pins in groups.values():
            for pin in _blocked(pins):
                message = f"{pin.item} is both pinned and blocked, in overlapping windows"
                yield item.pin_fault(pin, "pin_identity", message, "remove the pin or the block, or part their windows")


def _blocked(pins: Sequence[Pin]) -> Iterator[Pin]:
    """Yield the pins of one item that blocks keep out."""
    widgets: dict[str | None, list[Pin]] = {None: []}
    for pin in pins:
        widgets.setdefault(pin.widget, []).append(pin)
    everywhere = Timeline(pins)
    for pin in widgets[None]:
        if pin.is_block:
            everywhere.add(pin)
    for found in widgets.values():
        here = Timeline(found)
        for pin in found:
            if pin.is_block:
                here.add(pin)
        for pin in found:
            if not pin.is_block and (everywhere.find(pin) or here.find(pin)):
                yield pin
