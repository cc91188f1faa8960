"""The signature of a request and the HTTP date that is part of it; pure, so that client and sandbox share one truth.

The scheme is the vendor's "ApiAuth": an HMAC-SHA256 (RFC 2104) over four lines, in base64. Host and query are unsigned.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

CONTENT_TYPE: Final = "application/json; charset=utf-8"
"""The content type to send and sign; the server signs the header byte for byte."""

SCHEME: Final = "ApiAuth"


def build_string_to_sign(method: str, content_type: str, date: str, path: str) -> str:
    r"""Return what the signature covers: the four parts joined by newlines, without one at the end.

    Args:
        method: the HTTP method in capitals.
        content_type: the ``Content-Type`` header, byte for byte.
        date: the ``Date`` header, byte for byte.
        path: the path of the resource as it stands in the request line, without the query.
    """
    return f"{method}\n{content_type}\n{date}\n{path}"


def build_authorization(
    tracker_id: str, private_key: str, *, method: str, content_type: str, date: str, path: str
) -> str:
    """Return the ``Authorization`` header, ``ApiAuth <tracker>:<base64 of the HMAC>``, of one request.

    A signature holds for about five seconds around its date: sign every attempt anew.

    Args:
        tracker_id: the tracker whose key signs.
        private_key: the secret; it doesn't appear in what is returned.
        method: see `build_string_to_sign`, as for the other parts.
        content_type: the ``Content-Type`` header.
        date: the ``Date`` header, as from `format_http_date`.
        path: the path without the query.
    """
    message = build_string_to_sign(method, content_type, date, path)
    digest = hmac.digest(private_key.encode(), message.encode(), "sha256")
    return f"{SCHEME} {tracker_id}:{base64.b64encode(digest).decode('ascii')}"


def format_http_date(moment: datetime) -> str:
    """Return an aware moment as an IMF-fixdate (RFC 9110, 5.6.7): GMT, whole seconds, English names in any locale."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_http_date(text: str) -> datetime | None:
    """Return the moment in UTC of a date in any of the three forms of RFC 9110, 5.6.7; ``None`` if it isn't one."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
