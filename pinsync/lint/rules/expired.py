"""A pin ended long ago.

It is never shown again, and only makes the file longer. `--expired-days` sets the number of days:
30 by default.

Remove the pin from the tracker; or set `remove_expired_pins: true` for the tracker in
pinsync.yaml, which leaves such pins out of the files.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pinsync.canonical.moments import read_instant, to_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "expired"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins whose window ended more than `Folder.expired_days` days ago."""
    try:
        limit = to_instant(folder.now - timedelta(days=folder.expired_days))
    except OverflowError:
        # Before the year 1 nothing has ended.
        return
    for item, pin in folder.pins:
        end = read_instant(pin.data.get("active_to"))
        if end is not None and end < limit:
            message = f"the pin ended on {end[:10]}, more than {folder.expired_days} days ago"
            hint = "remove it, or set remove_expired_pins: true for the tracker"
            yield item.build_pin_fault(pin, "active_to", message, hint)
