"""A pin's position is below -1, or above 50.

Positions are 1, 2, 3 …; -1 stands for all of them, and 0 for a block. Anything below means nothing. A recommender
returns at most 50 items, so that a pin beyond position 50 is never shown; that is a warning.

Write the position that is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "position"
SEVERITY: Final[Severity] = "error"

_LAST: Final = 50


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins with such a position."""
    for item, pin in folder.pins:
        if pin.position is not None and pin.position < -1:
            hint = "write 1, 2, 3 …, -1 for all positions, or 0 to block"
            yield item.pin_fault(pin, "position", f"there is no position {pin.position}", hint)
        elif pin.position is not None and pin.position > _LAST:
            message = f"position {pin.position} is never shown: a recommender returns at most {_LAST} items"
            fault = item.pin_fault(pin, "position", message, f"write a position up to {_LAST}, or remove the pin")
            yield fault._replace(severity="warning")
