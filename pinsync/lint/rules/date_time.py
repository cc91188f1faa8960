"""The start or end of a window isn't a date-time with an offset.

`active_from` and `active_to` are date-times of RFC 3339, such as `"2026-12-31T23:00:00Z"` or
`"2027-01-01T00:00:00+01:00"`. The API doesn't document the time zone of a date-time without an
offset, so the pin may come or go hours early or late. The API may ignore or refuse any other text.

Write the offset: `Z` for UTC, or that of your time zone on that day.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import PIN, select_names
from pinsync.canonical.moments import read_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "date-time"
SEVERITY: Final[Severity] = "error"

_FIELDS: Final = select_names(PIN, "date-time")
_HINT: Final = 'write it as in "2026-12-31T23:00:00Z" or "2027-01-01T00:00:00+01:00"'


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the starts and ends of windows that aren't date-times with an offset."""
    for item, pin in folder.pins:
        for field in _FIELDS:
            value = pin.data.get(field)
            # A value of another type is a finding of `schema`.
            if isinstance(value, str) and read_instant(value) is None:
                problem = "is no date-time of RFC 3339"
                if _lacks_offset(value):
                    problem = "has no offset: in which time zone?"
                yield item.build_pin_fault(pin, field, f'{field}: "{value}" {problem}', _HINT)


def _lacks_offset(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
