"""What went wrong with an attempt, in words that say what to do, and whether another one may help."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Final

import httpx

from pinsync import signing
from pinsync.errors import RemoteError
from pinsync.escape import printable
from pinsync.redaction import remove_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.api.proxy import Proxy
    from pinsync.config import Tracker

TOLERANCE: Final = 4.0
"""How many seconds the clocks may differ before a 401 is blamed on them; the vendor's server allows some 5 seconds."""

NETWORK: Final = "check the network, and HTTPS_PROXY if a proxy is needed"

_RETRIED: Final = frozenset({429, 502, 503, 504})
_MAX_ERROR_BYTES: Final = 1 << 16
_MAX_TEXT: Final = 300
_MAX_DETAILS: Final = 20


class TransientError(Exception):
    """An attempt failed in a way that the next one may not.

    Args:
        message: what the host did.
        hint: what to do about it if it keeps doing so.
        wait: the seconds that the host asks to wait.
    """

    def __init__(self, message: str, *, hint: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.wait = wait


class RefusalError(RemoteError):
    """A host answered with another status than 200, which another attempt won't change.

    Args:
        message: what the host did.
        hint: what to do about it.
        host: the host.
        status: the status.
        clock_ahead: see `clock_ahead`.
    """

    def __init__(self, message: str, *, hint: str, host: str, status: int, clock_ahead: float | None) -> None:
        super().__init__(message, hint=hint)
        self.host = host
        self.status = status
        self.clock_ahead = clock_ahead

    @property
    def is_of_key(self) -> bool:
        """Whether the private key is the likely cause; whoever has read the key knows more of it."""
        return self.status == httpx.codes.UNAUTHORIZED and not _clock_remedy(self.clock_ahead)


Brief = Callable[[str], str]
"""Puts text from outside on one line, of bounded length, without the private key, what moves a cursor escaped."""


def brief_without(private_key: str, proxy_secret: str = "") -> Brief:
    """Return a function that makes text from outside fit for a message.

    Args:
        private_key: the key, which a server or a proxy may echo, in any encoding and in either case.
        proxy_secret: likewise the password of the proxy; empty for none.
    """

    def brief(text: str) -> str:
        text = remove_secret(private_key, text, "<private key>", ignore_case=True)
        if proxy_secret:
            text = remove_secret(proxy_secret, text, "<proxy password>", ignore_case=True)
        text = " ".join(text.split())
        return printable(text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…")

    return brief


def final(tracker: Tracker, request: httpx.Request, message: str, hint: str) -> RemoteError:
    """Return the error that ends a call: what a tracker's host did, and what to do about it."""
    return RemoteError(f"tracker {tracker.name}: {origin(request)} {message}", hint=hint)


def origin(request: httpx.Request) -> str:
    """Return scheme, name and port of the host that a request goes to."""
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"


def refusal(
    tracker: Tracker,
    response: httpx.Response,
    body: Iterator[bytes],
    brief: Brief,
    sent: datetime,
    received: datetime,
) -> RemoteError | TransientError:
    """Return the error of an answer with another status than 200.

    Args:
        tracker: who was asked for.
        response: the answer's head.
        body: yields its body, which may hold the API's reason.
        brief: makes what it says fit for a message.
        sent: the moment of the request by this machine's clock.
        received: the moment of the answer's head.
    """
    status = response.status_code
    message = f"answered {_titled(status)}"
    if status in _RETRIED:
        hint = "try again later" if status == httpx.codes.TOO_MANY_REQUESTS else "the service seems to be down"
        return TransientError(message, hint=hint, wait=_retry_after(response, received))
    ahead = clock_ahead(response, sent, received)
    if response.has_redirect_location:
        hint = "redirects are not followed: check the hosts of the tracker and PINSYNC_HOST"
        message = f"{message}, pointing at {_location(response, brief)}"
    else:
        hint = _remedy(tracker, status, ahead)
        if reason := _reason(body, brief):
            message = f"{message}: {reason}"
    host = origin(response.request)
    message = f"tracker {tracker.name}: {host} {message}"
    return RefusalError(message, hint=hint, host=host, status=status, clock_ahead=ahead)


def _remedy(tracker: Tracker, status: int, ahead: float | None) -> str:
    """Return what to do about a status other than 200."""
    if status == httpx.codes.UNAUTHORIZED:
        return _clock_remedy(ahead) or f"check the private key of tracker_id {tracker.tracker_id}"
    if status == httpx.codes.NOT_FOUND:
        return f"check the tracker_id, {tracker.tracker_id}, in pinsync.yaml or PINSYNC_TRACKER_ID"
    if status == httpx.codes.UNPROCESSABLE_ENTITY:
        return "the API refuses a filter: check --model, --tag, --target-type and --target-identity"
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return "the service failed: try again later"
    return "check the hosts of the tracker, PINSYNC_HOST and HTTPS_PROXY"


def failure(
    tracker: Tracker,
    request: httpx.Request,
    error: httpx.TransportError,
    proxy: Proxy | None,
    brief: Brief,
    timeout: float,
) -> RemoteError | TransientError:
    """Return the error of an attempt that got no whole answer.

    Args:
        tracker: who was asked for.
        request: the attempt's request.
        error: what httpx says.
        proxy: the way to the host.
        brief: makes that fit for a message.
        timeout: the seconds without a byte after which an attempt is given up.
    """
    causes = list(_causes(error))
    untrusted = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        hint = "if a proxy stands in between, name the file of its authority's certificate in SSL_CERT_FILE"
        message = f"has a certificate that isn't trusted: {brief(untrusted.verify_message)}"
        return final(tracker, request, message, hint)
    hint = f"check {proxy.variable}" if proxy else NETWORK
    unreachable = "can't be reached through the proxy" if proxy else "can't be reached"
    if isinstance(error, httpx.TimeoutException):
        message = f"gave no sign for {timeout:g} s"
        hint = "raise PINSYNC_TIMEOUT (in seconds) if the service is merely slow"
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        if proxy:  # which looks up the name of the host itself
            message = f"{unreachable}, whose name can't be found (DNS)"
        else:
            message = "can't be found by name (DNS)"
            hint = "check the network, the hosts of the tracker and HTTPS_PROXY"
    elif isinstance(error, httpx.ProxyError | httpx.ConnectError):
        message = f"{unreachable}: {brief(str(error))}"
    else:
        message = f"broke off: {brief(str(error))}"
        hint = NETWORK
    return TransientError(message, hint=hint)


def answer_date(response: httpx.Response) -> datetime | None:
    """Return the moment of an answer by the server's clock, if it says so."""
    return signing.parse_http_date(response.headers.get("Date", ""))


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds to wait by ``Retry-After`` (RFC 9110, 10.2.3), which may be a number or a date."""
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    if (moment := signing.parse_http_date(text)) is None:
        return None
    # By the server's own clock, since it is the one that wrote the date.
    return max(0.0, (moment - (answer_date(response) or now)).total_seconds())


def clock_ahead(response: httpx.Response, sent: datetime, received: datetime) -> float | None:
    """Return how many seconds this machine's clock is ahead of the server's.

    Args:
        response: the answer's head.
        sent: the moment of the request by this machine's clock.
        received: likewise the moment of the answer's head.

    Returns:
        Less than 0 if the clock is behind, 0 if the answer shows no difference, None if it has no date.
    """
    if (date := answer_date(response)) is None:
        return None
    # A date counts whole seconds, so it may lie up to one before the moment it stands for.
    if sent - date > timedelta(seconds=1):
        return (sent - date).total_seconds()
    return min(0.0, (received - date).total_seconds())


def _clock_remedy(ahead: float | None) -> str:
    """Return the hint that the clocks differ; empty if they don't differ by more than the tolerance."""
    if ahead is None or -TOLERANCE <= ahead <= TOLERANCE + 1:  # the second that a date leaves out
        return ""
    direction = "ahead of" if ahead > 0 else "behind"
    return (
        f"the likely cause is this machine's clock, {round(abs(ahead))} s {direction} the server's: a signature holds "
        "for some 5 s, so set the clock (time synchronization)"
    )


def _location(response: httpx.Response, brief: Brief) -> str:
    try:
        url = response.request.url.join(response.headers["Location"])
    except (httpx.InvalidURL, ValueError):
        return "an address that can't be read"
    # Without user, query and fragment, any of which may hold a secret.
    return brief(str(url.copy_with(username=None, password=None, query=None, fragment=None)))


def _reason(pieces: Iterator[bytes], brief: Brief) -> str:
    """Return the API's own words for a refusal, with the fields it names; empty if its body has none."""
    text = BytesIO()
    try:
        for piece in pieces:
            text.write(piece[:_MAX_ERROR_BYTES])
            if text.tell() > _MAX_ERROR_BYTES:
                return ""
        answer = json.loads(text.getvalue())
    except (httpx.RequestError, TransientError, ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    reason = answer.get("reason")
    words = [brief(reason)] if isinstance(reason, str) else []
    details = answer.get("exception_details")
    for name, value in list(details.items())[:_MAX_DETAILS] if isinstance(details, dict) else ():
        items = value if isinstance(value, list) else [value]
        words.append(f"{brief(name)}: {brief(', '.join(map(str, items)))}")
    return "; ".join(words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _titled(status: int) -> str:
    return f"{status} {httpx.codes.get_reason_phrase(status)}".strip()
