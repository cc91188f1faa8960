"""An item is both pinned and blocked at the same time, in one customization.

The two contradict each other, and the vendor doesn't document which of them wins. pinsync assumes
that a block without a `widget_id` counts in every widget.

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
    """Yield the pins of items that are blocked at the same time."""
    for item in folder.items:
        blocked = {pin.item for pin in item.pins if pin.is_block} - {None}
        groups: dict[str | None, list[Pin]] = {name: [] for name in blocked}
        for pin in item.pins:
            if pin.item in blocked:
                groups[pin.item].append(pin)
        for pins in groups.values():
            for pin in _find_blocked(pins):
                message = f"{pin.item} is both pinned and blocked, in overlapping windows"
                hint = "remove the pin or the block, or separate their windows"
                yield item.build_pin_fault(pin, "pin_identity", message, hint)


def _find_blocked(pins: Sequence[Pin]) -> Iterator[Pin]:
    """Yield the pins of one item that are blocked at the same time."""
    widgets: dict[str | None, list[Pin]] = {None: []}
    for pin in pins:
        widgets.setdefault(pin.widget, []).append(pin)
    # A block without a widget counts in every widget.
    blocks_everywhere = _collect_blocks(widgets[None], pins)
    for widget_pins in widgets.values():
        blocks = _collect_blocks(widget_pins, widget_pins)
        for pin in widget_pins:
            if not pin.is_block and (blocks_everywhere.find(pin) or blocks.find(pin)):
                yield pin


def _collect_blocks(pins: Sequence[Pin], searched: Sequence[Pin]) -> Timeline:
    blocks = Timeline(searched)
    for pin in pins:
        if pin.is_block:
            blocks.add(pin)
    return blocks
