"""Parse date-times: the canonical form, instants that sort, and the times of options."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

# RFC 3339, section 5.6, with a date alone, or a time without seconds or offset, as ISO 8601 allows.
# No hour 24: `fromisoformat` takes it from Python 3.14 on.
_FORM: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:(?P<separator>[Tt ])(?P<minute>(?!24)\d\d:\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<offset>[Zz]|[+-]\d\d:[0-5]\d)?)?",
    re.ASCII,
)
_CANONICAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
"""The usual form of canonical date-times. A text of this form is never changed."""
_WITH_OFFSET: Final = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d[+-]\d\d:[0-5]\d", re.ASCII)
_LEAP_SECOND: Final = "60"
_MAX_HOURS: Final = 23
_EXPECTED: Final = (
    "expected a date such as 2026-12-24, or a date and time such as 2026-12-24T10:00 or "
    "2026-12-24T10:00Z"
)


def normalize_date_time(text: str) -> str:
    """Return an RFC 3339 date-time in UTC with ``Z``, and any other text as it is.

    A date-time outside the years 1 to 9999 in UTC also stays as it is.
    """
    if _CANONICAL.fullmatch(text):
        return text
    if _WITH_OFFSET.fullmatch(text):
        try:
            utc = datetime.fromisoformat(text[:19]) - _read_offset(text[19:])
        except (ValueError, OverflowError):
            return _normalize_any_form(text)  # it may have a leap second
        return f"{utc.isoformat()}Z"
    return _normalize_any_form(text)


def _normalize_any_form(text: str) -> str:
    """Return what `normalize_date_time` returns, which is three times as fast for usual forms."""
    # Only the minute is converted, so a fraction of any length and a leap second are kept
    # (RFC 3339, sections 5.6 and 5.7).
    found = _FORM.fullmatch(text)
    if found is None or found["separator"] == " " or not (found["second"] and found["offset"]):
        return text
    second = found["second"]
    try:
        utc = _read_minute(found) - _read_offset(found["offset"])
    except (ValueError, OverflowError):
        return text
    if second > _LEAP_SECOND or (second == _LEAP_SECOND and (utc.hour, utc.minute) != (23, 59)):
        return text
    return f"{utc.isoformat(timespec='minutes')}:{second}{_trim_fraction(found['fraction'])}Z"


class _DateTimes(dict[str, str]):
    """A cache: many pins have the window of the same season."""

    def __missing__(self, text: str) -> str:
        if len(self) > 10_000:  # noqa: PLR2004 - some 2 MB
            self.clear()
        self[text] = result = normalize_date_time(text)
        return result


date_times: Final = _DateTimes()
"""A date-time in any form → the result of `normalize_date_time`."""


def read_instant(value: object) -> str | None:
    """Return a text for the moment of an RFC 3339 date-time; None for any other value.

    Earlier moments sort first, even with a fraction of any length or a leap second.
    """
    if not isinstance(value, str):
        return None
    return _instants[value]


def _parse_instant(text: str) -> str | None:
    text = date_times[text]
    found = _FORM.fullmatch(text)
    if found is None or found["separator"] != "T" or not found["second"] or found["offset"] != "Z":
        return None
    second = found["second"]
    try:
        minute = _read_minute(found)
    except ValueError:
        return None
    if second > _LEAP_SECOND or (
        second == _LEAP_SECOND and (minute.hour, minute.minute) != (23, 59)
    ):
        return None
    # With the "Z", 10:00:00Z would sort after 10:00:00.5Z.
    return text.removesuffix("Z")


class _Instants(dict[str, str | None]):
    """A cache: the window of a pin is read many times."""

    def __missing__(self, text: str) -> str | None:
        if len(self) > 10_000:  # noqa: PLR2004 - some 2 MB
            self.clear()
        self[text] = result = _parse_instant(text)
        return result


_instants: Final = _Instants()


class Window(NamedTuple):
    """The time in which a pin is active, as instants that sort."""

    # The vendor doesn't document whether an end is part of the window; here it isn't, so windows
    # that only touch don't overlap.

    start: str
    end: str


# An instant begins with a digit, and "~" sorts after all digits.
ALWAYS: Final = Window("", "~")
"""The window without a start and without an end."""


def read_window(start: object, end: object) -> Window | None:
    """Return the time in which a pin is active; None if an end isn't a date-time with an offset.

    Args:
        start: a date-time; None for a window without a start.
        end: a date-time; None for a window without an end.
    """
    since = ALWAYS.start if start is None else read_instant(start)
    until = ALWAYS.end if end is None else read_instant(end)
    if since is None or until is None:
        return None
    return Window(since, until)


def format_utc(at: datetime) -> str:
    """Return a moment in the form of documents: UTC with ``Z``, without trailing zeros."""
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
    if at.microsecond:
        text = text.rstrip("0")
    return f"{text}Z"


def to_instant(at: datetime) -> str:
    """Return a moment as `read_instant` returns it, which sorts with the ends of windows."""
    return format_utc(at).removesuffix("Z")


def read_moment(text: str) -> tuple[datetime, str] | None:
    """Return the moment of an RFC 3339 date-time to the second, and its fraction; or None."""
    found = _FORM.fullmatch(text)
    if found is None or not (found["second"] and found["offset"]):
        return None
    try:
        at = _read_minute(found).replace(
            second=int(found["second"]), tzinfo=timezone(_read_offset(found["offset"]))
        )
    except ValueError:
        return None
    return at, _trim_fraction(found["fraction"])


def parse_option(text: str, zone: tzinfo, *, option: str, end: bool = False) -> datetime:
    """Parse the moment in an option of the command line.

    Args:
        text: a date, or a date and a time, with or without seconds and offset. Words such as
            "tomorrow" aren't accepted.
        zone: the time zone of a text without an offset. When clocks are set back, a time that
            occurs twice is the earlier moment. When they are set forward, a skipped time has the
            offset from before the change.
        option: the name of the option, for messages.
        end: whether a date alone means its last moment instead of its first.

    Returns:
        The moment in UTC, to the microsecond.

    Raises:
        UsageError: the text has another form, or there is no such moment.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageError(f'{option}: "{text}" is no time that can be read; {_EXPECTED}')
    try:
        return _read_local(found, zone, end=end).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f'{option}: there is no "{text}"; {_EXPECTED}') from error


def _read_local(found: re.Match[str], zone: tzinfo, *, end: bool) -> datetime:
    if found["minute"] is None:
        day = datetime.fromisoformat(found["date"])
        # The last moment of a day is the later one, should the clocks be set back at midnight.
        clock = time.max.replace(fold=1) if end else time.min
        return datetime.combine(day, clock, zone)
    microsecond = (found["fraction"] or "").removeprefix(".")[:6].ljust(6, "0")
    at = _read_minute(found).replace(second=int(found["second"] or 0), microsecond=int(microsecond))
    if found["offset"]:
        zone = timezone(_read_offset(found["offset"]))
    return at.replace(tzinfo=zone)


def _read_minute(found: re.Match[str]) -> datetime:
    """Return the date and time without seconds and offset.

    Raises:
        ValueError: there is no such minute.
    """
    return datetime.fromisoformat(f"{found['date']}T{found['minute']}")


@lru_cache(maxsize=100)
def _read_offset(text: str) -> timedelta:
    """Return an offset from UTC.

    Raises:
        ValueError: the offset isn't in the range of RFC 3339.
    """
    if text in "Zz":
        return timedelta()
    hours = int(text[1:3])
    if hours > _MAX_HOURS:
        raise ValueError(f"{text} is no offset")
    offset = timedelta(hours=hours, minutes=int(text[4:6]))
    return -offset if text[0] == "-" else offset


def _trim_fraction(fraction: str | None) -> str:
    """Return the fraction of a second, with its point, without trailing zeros."""
    return (fraction or "").rstrip("0").rstrip(".")
