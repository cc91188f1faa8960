"""Read how long a server asks its clients to wait, in every form that the vendor uses."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pinsync import signing

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

_EPOCH_FROM: Final = 1_000_000_000
"""``X-RateLimit-Reset`` has no standard: a number from here on is a Unix time, else seconds."""


def read_retry_after(response: httpx.Response, body: bytes, now: datetime) -> float | None:
    """Return the seconds that an error asks to wait; None if it doesn't say.

    The forms are ``Retry-After`` (RFC 9110, 10.2.3), ``error.details.retry_after`` in the body, and
    ``X-RateLimit-Reset``. The first one that can be read counts.

    Args:
        response: the head of the answer.
        body: the body, or the beginning of a long one.
        now: the present by this machine's clock.
    """
    for seconds in (
        _read_header(response, now),
        _read_body(body),
        read_exhausted_limit(response, now),
    ):
        if seconds is not None:
            return seconds
    return None


def read_exhausted_limit(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds until more requests are allowed; None if some are left.

    Args:
        response: the head of any answer, with ``X-RateLimit-Remaining`` and ``X-RateLimit-Reset``.
        now: the present by this machine's clock.
    """
    if response.headers.get("X-RateLimit-Remaining", "").strip() != "0":
        return None
    text = response.headers.get("X-RateLimit-Reset", "").strip()
    if not re.fullmatch(r"[0-9]{1,12}", text):
        return None
    seconds = float(text)
    if seconds >= _EPOCH_FROM:
        seconds -= _read_clock(response, now).timestamp()
    return max(0.0, seconds)


def _read_header(response: httpx.Response, now: datetime) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    moment = signing.parse_http_date(text)
    if moment is None:
        return None
    return max(0.0, (moment - _read_clock(response, now)).total_seconds())


def _read_clock(response: httpx.Response, now: datetime) -> datetime:
    # The server wrote the moment by its own clock, which may differ from ours.
    return signing.parse_http_date(response.headers.get("Date", "")) or now


def _read_body(body: bytes) -> float | None:
    try:
        value = json.loads(body)
        for name in ("error", "details", "retry_after"):
            value = value[name]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN is not in the range either.
    return float(value) if is_number and 0 <= value < _EPOCH_FROM else None
