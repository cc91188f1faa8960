"""The same item is pinned twice at the same time, in one customization and widget.

A recommender shows an item once, so one of the two pins does nothing. (Several customizations may
pin the same item, and one customization may pin it at different times.)

Remove one of the two, or make their windows follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.pins import EVERYWHERE
from pinsync.lint.folder import describe_overlap
from pinsync.shelf.overlaps import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.canonical.pins import Pin
    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "duplicate-pin"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each pin of an item that an earlier pin shows, or blocks, at the same time."""
    for item in folder.items:
        groups: dict[tuple[str | None, str, bool], list[Pin]] = {}
        for pin in item.pins:
            if pin.item is not None:
                groups.setdefault((pin.widget, pin.item, pin.is_block), []).append(pin)
        for pins in groups.values():
            if len(pins) == 1:
                continue
            earlier = Timeline(pins, folder.limits)
            for pin in pins:
                # Only earlier pins, so that of two equal pins the second has the finding.
                if other := earlier.find(pin):
                    when = describe_overlap(pin, other)
                    message = f"{pin.item} is {_describe(other)} already, {when}"
                    hint = "remove one of the two, or separate their windows"
                    yield item.build_pin_fault(pin, "pin_identity", message, hint)
                earlier.add(pin)


def _describe(pin: Pin) -> str:
    if pin.is_block:
        return "blocked"
    if pin.position is None:
        return "pinned"
    if pin.position == EVERYWHERE:
        return "pinned to all positions"
    return f"pinned to position {pin.position}"
