"""An item is both pinned and blocked at the same time, in one customization.

The two contradict each other, and the vendor doesn't document which of them wins. pinsync assumes
that a block without a `widget_id` counts in every widget.

Remove the pin or the block, or make their windows follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.lint.folder import describe_overlap
from pinsync.shelf.overlaps import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.canonical.moments import Window
    from pinsync.canonical.pins import Pin
    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "pinned-and-blocked"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins of items that are blocked at the same time."""
    for item in folder.items:
        blocked = {pin.item for pin in item.pins if pin.is_block} - {None}
        groups: dict[str | None, list[Pin]] = {name: [] for name in blocked}
        for pin in item.pins:
            if pin.item in blocked:
                groups[pin.item].append(pin)
        for pins in groups.values():
            for pin, block in _find_blocked(pins, folder.limits):
                when = describe_overlap(pin, block)
                message = f"{pin.item} is both pinned and blocked, {when}"
                hint = "remove the pin or the block, or separate their windows"
                yield item.build_pin_fault(pin, "pin_identity", message, hint)


def _find_blocked(pins: Sequence[Pin], limits: Window) -> Iterator[tuple[Pin, Pin]]:
    """Yield the pins of one item that are blocked at the same time, each with its block."""
    widgets: dict[str | None, list[Pin]] = {None: []}
    for pin in pins:
        widgets.setdefault(pin.widget, []).append(pin)
    # A block without a widget counts in every widget.
    blocks_everywhere = _collect_blocks(widgets[None], pins, limits)
    for widget_pins in widgets.values():
        blocks = _collect_blocks(widget_pins, widget_pins, limits)
        for pin in widget_pins:
            if pin.is_block:
                continue
            if block := blocks_everywhere.find(pin) or blocks.find(pin):
                yield pin, block


def _collect_blocks(pins: Sequence[Pin], searched: Sequence[Pin], limits: Window) -> Timeline:
    blocks = Timeline(searched, limits)
    for pin in pins:
        if pin.is_block:
            blocks.add(pin)
    return blocks
