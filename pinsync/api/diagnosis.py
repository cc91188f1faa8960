"""Explain a failed attempt to the user, and decide whether another attempt may help."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Final

import httpx

from pinsync import signing
from pinsync.api import limits
from pinsync.errors import RemoteError
from pinsync.escape import printable
from pinsync.redaction import remove_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.api.proxy import Proxy
    from pinsync.config import Tracker

TOLERANCE: Final = 4.0
"""Seconds by which clocks may differ before a 401 is blamed on them (the server allows some 5)."""

NETWORK: Final = "check the network, and HTTPS_PROXY if a proxy is needed"

_RETRIED: Final = frozenset({429, 502, 503, 504})
_WRITE_REMEDIES: Final = {
    409: "somebody else has changed the shop: run pinsync plan to see what is there now",
    413: "the rule is too large for the API",
    422: "the API refuses the rule: correct the field in git",
}
_MAX_ERROR_BYTES: Final = 1 << 16
_MAX_TEXT: Final = 300
_MAX_DETAILS: Final = 20


class TransientError(Exception):
    """A failure that another attempt may not meet.

    Args:
        message: the failure, with the host as its subject.
        hint: the remedy if every attempt fails.
        wait: the seconds that the host asks to wait.
        had_no_effect: whether the host surely didn't carry out the request: it was never sent, or
            it was refused because there were too many.
    """

    def __init__(
        self, message: str, *, hint: str, wait: float | None = None, had_no_effect: bool = False
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.wait = wait
        self.had_no_effect = had_no_effect


class LostAnswerError(RemoteError):
    """A write was sent, and its answer didn't come: whether it had an effect isn't known."""


class ThrottledError(RemoteError):
    """A write that the host surely didn't carry out, and that may be sent again after a pause.

    Args:
        message: the failure, with the host as its subject.
        hint: the remedy if every attempt fails.
        pause: the seconds to wait.
    """

    def __init__(self, message: str, *, hint: str, pause: float) -> None:
        super().__init__(message, hint=hint)
        self.pause = pause


class RefusalError(RemoteError):
    """A status other than 200 that another attempt won't change.

    Args:
        message: the failure, with the host as its subject.
        hint: the remedy.
        host: scheme, name and port of the host.
        status: the HTTP status.
        clock_ahead: see `measure_clock_ahead`.
    """

    def __init__(
        self, message: str, *, hint: str, host: str, status: int, clock_ahead: float | None
    ) -> None:
        super().__init__(message, hint=hint)
        self.host = host
        self.status = status
        self.clock_ahead = clock_ahead

    @property
    def is_of_key(self) -> bool:
        """Whether the private key is the likely cause."""
        # The caller has read the key, and can say more of it: its source, quotes around it.
        return self.status == httpx.codes.UNAUTHORIZED and not _explain_clock(self.clock_ahead)


Brief = Callable[[str], str]
"""Makes foreign text fit for a message: on one line, clipped, escaped, without secrets."""


def make_brief(private_key: str, proxy_secret: str = "") -> Brief:
    """Return a function that makes foreign text fit for a message.

    Args:
        private_key: the key. A server or a proxy may echo it, in any encoding and in either case.
        proxy_secret: the password of the proxy, likewise; empty for none.
    """

    def brief(text: str) -> str:
        text = remove_secret(private_key, text, "<private key>", ignore_case=True)
        if proxy_secret:
            text = remove_secret(proxy_secret, text, "<proxy password>", ignore_case=True)
        # Clip after the secrets are removed, else the head of a secret could remain.
        text = " ".join(text.split())
        if len(text) > _MAX_TEXT:
            text = f"{text[:_MAX_TEXT]}…"
        return printable(text)

    return brief


def build_final_error(
    tracker: Tracker, request: httpx.Request, message: str, hint: str
) -> RemoteError:
    """Return the error that ends a call, with tracker and host in its message."""
    return RemoteError(f"tracker {tracker.name}: {read_origin(request)} {message}", hint=hint)


def is_write(request: httpx.Request) -> bool:
    """Return whether a request may change the shop."""
    # The POSTs that only read have no body.
    return request.method in ("PUT", "DELETE") or bool(request.content)


def read_origin(request: httpx.Request) -> str:
    """Return scheme, name and port of a request's host."""
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"


def explain_refusal(
    tracker: Tracker,
    response: httpx.Response,
    body: Iterator[bytes],
    brief: Brief,
    sent: datetime,
    received: datetime,
) -> RemoteError | TransientError:
    """Return the error of an answer with a status other than 200.

    Args:
        tracker: the tracker of the request.
        response: the head of the answer.
        body: yields the body of the answer, which may hold the API's reason.
        brief: makes text of the answer fit for a message.
        sent: the moment of the request by this machine's clock.
        received: the moment of the answer's head by this machine's clock.
    """
    status = response.status_code
    message = f"answered {_name_status(status)}"
    if status in _RETRIED:
        is_throttled = status == httpx.codes.TOO_MANY_REQUESTS
        hint = "try again later" if is_throttled else "the service seems to be down"
        wait = limits.read_retry_after(response, _read_beginning(body), received)
        return TransientError(message, hint=hint, wait=wait, had_no_effect=is_throttled)
    ahead = measure_clock_ahead(response, sent, received)
    if response.has_redirect_location:
        hint = "redirects are not followed: check the hosts of the tracker and PINSYNC_HOST"
        message = f"{message}, pointing at {_show_location(response, brief)}"
    else:
        hint = _find_remedy(tracker, response, ahead)
        if reason := _read_reason(body, brief):
            message = f"{message}: {reason}"
    host = read_origin(response.request)
    message = f"tracker {tracker.name}: {host} {message}"
    return RefusalError(message, hint=hint, host=host, status=status, clock_ahead=ahead)


def _find_remedy(tracker: Tracker, response: httpx.Response, ahead: float | None) -> str:
    """Return the hint for the status of an error."""
    status = response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        # A signature holds for some seconds, so a wrong clock looks like a wrong key.
        return _explain_clock(ahead) or f"check the private key of tracker_id {tracker.tracker_id}"
    if status == httpx.codes.NOT_FOUND:
        return f"check the tracker_id, {tracker.tracker_id}, in pinsync.yaml or PINSYNC_TRACKER_ID"
    if is_write(response.request) and status in _WRITE_REMEDIES:
        return _WRITE_REMEDIES[status]
    if status == httpx.codes.UNPROCESSABLE_ENTITY:
        return "the API refuses a filter: check --model, --tag, --target-type and --target-identity"
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return "the service failed: try again later"
    return "check the hosts of the tracker, PINSYNC_HOST and HTTPS_PROXY"


def explain_failure(
    tracker: Tracker,
    request: httpx.Request,
    error: httpx.TransportError,
    proxy: Proxy | None,
    brief: Brief,
    timeout: float,
) -> RemoteError | TransientError:
    """Return the error of an attempt that got no whole answer.

    Args:
        tracker: the tracker of the request.
        request: the request.
        error: the failure, as httpx reports it.
        proxy: the proxy between this machine and the host, if any.
        brief: makes the text of the error fit for a message.
        timeout: the seconds without a byte after which an attempt is given up.
    """
    causes = list(_walk_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            hint = "behind a proxy, name the file of its authority's certificate in SSL_CERT_FILE"
            message = f"has a certificate that isn't trusted: {brief(cause.verify_message)}"
            return build_final_error(tracker, request, message, hint)
    hint = f"check {proxy.variable}" if proxy else NETWORK
    unreachable = "can't be reached through the proxy" if proxy else "can't be reached"
    if isinstance(error, httpx.TimeoutException):
        message = f"gave no sign for {timeout:g} s"
        hint = "raise PINSYNC_TIMEOUT (in seconds) if the service is merely slow"
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        if proxy:
            # The proxy looks up the name of the host, so the unknown name is its own.
            message = f"{unreachable}, whose name can't be found (DNS)"
        else:
            message = "can't be found by name (DNS)"
            hint = "check the network, the hosts of the tracker and HTTPS_PROXY"
    elif isinstance(error, httpx.ProxyError | httpx.ConnectError):
        message = f"{unreachable}: {brief(str(error))}"
    else:
        message = f"broke off: {brief(str(error))}"
        hint = NETWORK
    # Without a connection, nothing was sent.
    is_unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
    return TransientError(message, hint=hint, had_no_effect=is_unsent)


def read_answer_date(response: httpx.Response) -> datetime | None:
    """Return the ``Date`` of an answer: the moment by the server's clock, if known."""
    return signing.parse_http_date(response.headers.get("Date", ""))


def measure_clock_ahead(
    response: httpx.Response, sent: datetime, received: datetime
) -> float | None:
    """Return how many seconds this machine's clock is ahead of the server's.

    Args:
        response: the head of the answer.
        sent: the moment of the request by this machine's clock.
        received: the moment of the answer's head by this machine's clock.

    Returns:
        Less than 0 if the clock is behind, 0 if the answer shows no difference, None without a
        date.
    """
    date = read_answer_date(response)
    if date is None:
        return None
    # A date has whole seconds, so the server's clock may be up to one second past it.
    if sent - date > timedelta(seconds=1):
        return (sent - date).total_seconds()
    return min(0.0, (received - date).total_seconds())


def _explain_clock(ahead: float | None) -> str:
    """Return the hint that the clocks differ; empty within the tolerance."""
    # One second more ahead, since the date of the answer has no fraction of a second.
    if ahead is None or -TOLERANCE <= ahead <= TOLERANCE + 1:
        return ""
    direction = "ahead of" if ahead > 0 else "behind"
    seconds = round(abs(ahead))
    return (
        f"the likely cause is this machine's clock, {seconds} s {direction} the server's: "
        "a signature holds for some 5 s, so set the clock (time synchronization)"
    )


def _show_location(response: httpx.Response, brief: Brief) -> str:
    try:
        url = response.request.url.join(response.headers["Location"])
    except (httpx.InvalidURL, ValueError):
        return "an address that can't be read"
    # User, query and fragment may hold a secret.
    return brief(str(url.copy_with(username=None, password=None, query=None, fragment=None)))


def _read_beginning(pieces: Iterator[bytes]) -> bytes:
    """Return the body of an error; nothing of one that is too long or breaks off."""
    body = BytesIO()
    try:
        for piece in pieces:
            body.write(piece[:_MAX_ERROR_BYTES])
            if body.tell() > _MAX_ERROR_BYTES:
                return b""
    except (httpx.RequestError, TransientError):
        return b""
    return body.getvalue()


def _read_reason(pieces: Iterator[bytes], brief: Brief) -> str:
    """Return the API's reason for a refusal and the fields it names; empty if unknown."""
    try:
        answer = json.loads(_read_beginning(pieces))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    reason = answer.get("reason")
    words = [brief(reason)] if isinstance(reason, str) else []
    details = answer.get("exception_details")
    if not isinstance(details, dict):
        details = {}
    for name, value in list(details.items())[:_MAX_DETAILS]:
        messages = value if isinstance(value, list) else [value]
        words.append(f"{brief(name)}: {brief(', '.join(map(str, messages)))}")
    return "; ".join(words)


def _walk_causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _name_status(status: int) -> str:
    return f"{status} {httpx.codes.get_reason_phrase(status)}".strip()
