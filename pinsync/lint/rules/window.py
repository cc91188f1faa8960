"""A pin's window ends before it starts.

Such a pin is never shown. Usually somebody exchanged the two dates, or moved only one of them to
another year.

Correct `active_from` or `active_to`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "window"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins whose window ends before it starts, or when it starts."""
    for item, pin in folder.pins:
        # A window that ends when it starts is empty.
        if pin.window and pin.window.end <= pin.window.start:
            when = "before" if pin.window.end < pin.window.start else "when"
            start, end = pin.data["active_from"], pin.data["active_to"]
            message = f"the window ends {when} it starts: from {start} to {end}"
            yield item.build_pin_fault(
                pin, "active_to", message, "correct active_from or active_to"
            )
