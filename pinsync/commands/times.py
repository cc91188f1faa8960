"""Moments on the command line: ISO 8601 in the forms that leave nothing to guess."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from pinsync.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

# RFC 3339, section 5.6, from which seconds, offset, or the whole time may be left out. ``fromisoformat`` takes more.
_FORM: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<time>(?!24)\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?P<offset>[Zz]|[+-]\d\d:[0-5]\d)?)?",
    re.ASCII,
)
_EXPECTED: Final = (
    "expected a date such as 2026-12-24, or a date and time such as 2026-12-24T10:00 or 2026-12-24T10:00Z"
)


def moment(text: str, zone: tzinfo, *, option: str, end: bool = False) -> datetime:
    """Return the moment that a text names.

    Args:
        text: a date, or a date and a time, with or without seconds and offset. Words such as "tomorrow" aren't guessed
            at.
        zone: the time zone of what has no offset. Where a clock that is set back shows a time twice, the first is
            meant; one that is skipped counts from before the clock was set.
        option: where the text stands, for messages.
        end: whether a date alone stands for its last moment rather than its first.

    Returns:
        The moment in UTC, to the microsecond.

    Raises:
        UsageError: the text has another form, or there is no such moment.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageError(f'{option}: "{text}" is no time that can be read; {_EXPECTED}')
    try:
        return _read(found, zone, end=end).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f'{option}: there is no "{text}"; {_EXPECTED}') from error


def _read(found: re.Match[str], zone: tzinfo, *, end: bool) -> datetime:
    if found["time"] is None:
        day = datetime.fromisoformat(found["date"])
        return datetime.combine(day, time.max.replace(fold=1) if end else time.min, zone)
    read = datetime.fromisoformat(f"{found['date']}T{found['time']}{(found['offset'] or '').upper()}")
    return read if read.tzinfo else read.replace(tzinfo=zone)
