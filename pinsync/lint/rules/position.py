"""A pin's position is below -1, or above 50.

Positions are 1, 2, 3 …; -1 means all positions, and 0 means a block. Numbers below -1 have no
meaning. A recommender returns at most 50 items, so it never shows a pin beyond position 50; that is
a warning.

Write the intended position.
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
    """Yield the pins with a position that doesn't exist or is never shown."""
    for item, pin in folder.pins:
        if pin.position is not None and pin.position < -1:
            hint = "write 1, 2, 3 …, -1 for all positions, or 0 to block"
            yield item.build_pin_fault(
                pin, "position", f"there is no position {pin.position}", hint
            )
        elif pin.position is not None and pin.position > _LAST:
            reason = f"a recommender returns at most {_LAST} items"
            message = f"position {pin.position} is never shown: {reason}"
            hint = f"write a position up to {_LAST}, or remove the pin"
            fault = item.build_pin_fault(pin, "position", message, hint)
            yield fault._replace(severity="warning")
