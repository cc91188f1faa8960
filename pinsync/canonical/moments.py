"""Date-times: one canonical form, moments that sort, and what people write."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]((?!24)\d\d:\d\d:\d\d)(?:(\.\d*[1-9])0*|\.0+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-5][0-9]|60)(\.[0-9]+)?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)


# No hour 24: ``fromisoformat`` takes it from Python 3.14 on.
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d):([0-5]\d|60)(?:\.\d+)?Z", re.ASCII)


def instant(text: str) -> str | None:
    """Return a canonical date-time as a text such that earlier ones sort first; None for any other text.

    A fraction of any length and a leap second (RFC 3339, section 5.7) sort rightly too.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    try:
        minute = datetime.fromisoformat(found[1])
    except ValueError:
        return None
    if found[2] == "60" and (minute.hour, minute.minute) != (23, 59):
        return None
    return text.removesuffix("Z")  # a fraction then sorts behind the second it belongs to


def window(start: object, end: object) -> tuple[str, str] | None:
    """Return when a pin is active, as two instants that sort; None if one of them can't be told.

    Args:
        start: a canonical date-time; None for a window that has begun ever since.
        end: likewise; None for one without end.
    """
    since, until = (instant(at) if isinstance(at, str) else None for at in (start, end))
    since, until = "" if start is None else since, "~" if end is None else until  # an instant begins with a digit
    return None if since is None or until is None else (since, until)


def date_time(text: str) -> str:
    """Return an RFC 3339 date-time in UTC with ``Z``; what isn't one, or leaves the years 1 to 9999, stays as it is.

    Seconds and their fraction are never computed with, so a fraction of any length and a leap second survive
    (RFC 3339, sections 5.6 and 5.7).
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        return text
    *minute, seconds, fraction, sign, hours, minutes = match.groups()
    try:
        utc = datetime(*map(int, minute))  # type: ignore[arg-type]  # noqa: DTZ001 - five numbers; it is made UTC below
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            utc = utc + offset if sign == "-" else utc - offset
    except (ValueError, OverflowError):
        return text
    if seconds == "60" and (utc.hour, utc.minute) != (23, 59):
        return text
    fraction = (fraction or "").rstrip("0").rstrip(".")
    return f"{utc.isoformat(timespec='minutes')}:{seconds}{fraction}Z"


class _DateTimes(dict[str, str]):
    """A cache: a season's window stands on many pins."""

    def __missing__(self, text: str) -> str:
        if len(self) > 10_000:  # noqa: PLR2004 - some 2 MB
            self.clear()
        self[text] = result = date_time(text)
        return result


date_times: Final = _DateTimes()
"""Date-time as it came → as ``date_time`` returns it."""


def utc_text(at: datetime) -> str:
    """Return a moment in the form that documents have: UTC with ``Z``, a fraction without trailing zeros."""
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0') if at.microsecond else text}Z"


def read_moment(text: str) -> tuple[datetime, str] | None:
    """Return the moment that an RFC 3339 date-time names, to the second, and its fraction; None for any other text."""
    found = _TIME.fullmatch(text)
    try:
        return (datetime.fromisoformat(f"{found[1]}T{found[2]}{found[4].upper()}"), found[3] or "") if found else None
    except ValueError:
        return None
