"""Two pins hold the same position at the same time, in one customization and widget.

A recommender can show only one of them there, and the vendor doesn't document which one. (Blocks,
at position 0, and pins to all positions, -1, don't count.)

Move one of the two, or make their windows follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.lint.folder import describe_overlap
from pinsync.shelf.overlaps import Timeline, find_held_spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.canonical.pins import Pin
    from pinsync.lint.folder import Fault, Folder, Severity
    from pinsync.shelf.overlaps import Spot

ID: Final = "position-conflict"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield each pin at a position that an earlier pin of another item holds at the same time."""
    for item in folder.items:
        groups: dict[Spot, list[Pin]] = {}
        for pin in item.pins:
            # Blocks and pins to all positions hold no position of their own.
            if spot := find_held_spot(pin):
                groups.setdefault(spot, []).append(pin)
        for pins in groups.values():
            if len(pins) == 1:
                continue
            earlier = Timeline(pins, folder.limits)
            for pin in pins:
                # Two pins of the same item are a finding of duplicate-pin.
                if other := earlier.find(pin, shows_other=True):
                    holder = other.item or "a pin of criteria"
                    when = describe_overlap(pin, other)
                    message = f"position {pin.position} is held by {holder} too, {when}"
                    hint = "move one of the two, or separate their windows"
                    yield item.build_pin_fault(pin, "position", message, hint)
                earlier.add(pin)
