"""Sign a request and format the HTTP date that the signature covers.

The scheme is the vendor's "ApiAuth": an HMAC-SHA256 (RFC 2104) over four lines, in base64. Host and
query are not signed. Client and sandbox share this module, so it has no effects.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

CONTENT_TYPE: Final = "application/json; charset=utf-8"
"""The content type to send and to sign; the server compares it byte for byte."""

SCHEME: Final = "ApiAuth"


def build_string_to_sign(method: str, content_type: str, date: str, path: str) -> str:
    """Return the text to sign: the four parts joined by newlines, without a newline at the end.

    Args:
        method: the HTTP method in capitals.
        content_type: the ``Content-Type`` header, byte for byte.
        date: the ``Date`` header, byte for byte.
        path: the path of the request line, without the query.
    """
    return f"{method}\n{content_type}\n{date}\n{path}"


def build_authorization(
    tracker_id: str, private_key: str, *, method: str, content_type: str, date: str, path: str
) -> str:
    """Return the ``Authorization`` header, ``ApiAuth <tracker>:<base64 of the HMAC>``.

    A signature is valid for about five seconds around its date: sign every attempt anew.

    Args:
        tracker_id: the tracker.
        private_key: the tracker's key, which the header doesn't reveal.
        method: the HTTP method; see `build_string_to_sign`, as for the other parts.
        content_type: the ``Content-Type`` header.
        date: the ``Date`` header, as from `format_http_date`.
        path: the path without the query.
    """
    message = build_string_to_sign(method, content_type, date, path)
    digest = hmac.digest(private_key.encode(), message.encode(), "sha256")
    return f"{SCHEME} {tracker_id}:{base64.b64encode(digest).decode('ascii')}"


def format_http_date(moment: datetime) -> str:
    """Return an aware moment as an IMF-fixdate (RFC 9110, 5.6.7), in GMT and whole seconds."""
    # Not strftime(), whose names of days and months depend on the locale.
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_http_date(text: str) -> datetime | None:
    """Return the moment of a date in any form of RFC 9110, 5.6.7; ``None`` for other text."""
    try:
        moment = parsedate_to_datetime(text)
        # "-0000", or an asctime date.
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
