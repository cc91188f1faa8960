"""Build and sign a request, and decompress the body of its answer."""

from __future__ import annotations

import logging
import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urlencode

import httpx

from pinsync import __version__, signing
from pinsync.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from datetime import datetime

    from pinsync.config import Tracker

_PIECE: Final = 1 << 20
_GZIP: Final = zlib.MAX_WBITS | 16

# At INFO httpx logs whole URLs, with the identities of items in them.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Endpoint(NamedTuple):
    """The part of a request that is the same on every host.

    Attributes:
        method: the HTTP method, in capitals.
        path: the path, percent-encoded.
        query: the parameters of the query.
        body: the body; None for a request without one.
        content_type: the type of the body, which is signed even without one.
    """

    method: str
    path: str
    query: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None
    content_type: str = signing.CONTENT_TYPE


class ApiAuth(httpx.Auth):
    """Signs each request at the moment it is sent.

    Args:
        tracker_id: the tracker.
        private_key: the tracker's key.
        clock: returns the current moment, for the ``Date``.
    """

    def __init__(self, tracker_id: str, private_key: str, clock: Callable[[], datetime]) -> None:
        self._tracker_id = tracker_id
        self._private_key = private_key
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yield the request with its ``Date`` and ``Authorization``."""
        request.headers["Date"] = signing.format_http_date(self._clock())
        request.headers["Authorization"] = signing.build_authorization(
            self._tracker_id,
            self._private_key,
            method=request.method,
            content_type=request.headers["Content-Type"],
            date=request.headers["Date"],
            path=request.url.raw_path.partition(b"?")[0].decode("ascii"),
        )
        yield request


def open_client(
    tracker: Tracker,
    private_key: str,
    transport: httpx.BaseTransport,
    timeout: float,
    clock: Callable[[], datetime],
) -> httpx.Client:
    """Return a client that signs requests for one tracker.

    Args:
        tracker: the tracker.
        private_key: the tracker's key.
        transport: leads to the host.
        timeout: the seconds without a byte after which an attempt is given up.
        clock: returns the current moment.
    """
    return httpx.Client(
        auth=ApiAuth(tracker.tracker_id, private_key, clock),
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": signing.CONTENT_TYPE,
            "User-Agent": f"pinsync/{__version__}",
        },
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,  # proxies and certificates of the environment: see `network`
        transport=transport,
    )


def name_pins_path(tracker: Tracker, name: str) -> str:
    """Return the path of an endpoint for customizations, such as ``scopes/export``."""
    return f"/v1/recommender/pin/{quote(tracker.tracker_id, safe='')}/{name}"


def build_request(
    client: httpx.Client, tracker: Tracker, host: str, endpoint: Endpoint
) -> httpx.Request:
    """Return a request.

    Args:
        client: the client that will send the request.
        tracker: the tracker.
        host: scheme, name and port of the host.
        endpoint: the rest of the request.

    Raises:
        UsageError: the query can't be written into a URL, or the host name can't be read.
    """
    url = f"{host}{endpoint.path}"
    try:
        if endpoint.query:
            # quote() writes a space as %20, which every server reads; httpx's own params write +.
            url = f"{url}?{urlencode(endpoint.query, quote_via=quote)}"
        headers = {"Content-Type": endpoint.content_type}
        return client.build_request(endpoint.method, url, content=endpoint.body, headers=headers)
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        hint = "they must be valid Unicode and shorter than 60,000 characters"
        raise UsageError("the filters can't be written into a URL", hint=hint) from error
    except UnicodeError as error:
        # From idna, whose errors httpx doesn't translate.
        message = f"tracker {tracker.name}: {host} holds an invalid internationalized name"
        hint = "check the hosts of the tracker and PINSYNC_HOST"
        raise UsageError(message, hint=hint) from error


def decompress(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body of an answer in pieces of at most a megabyte.

    Raises:
        httpx.DecodingError: the encoding is not one that the request accepts.
        httpx.RemoteProtocolError: the compressed data is damaged or incomplete.
        httpx.TransportError: the connection broke off.
    """
    # Not httpx's own decoder: it accepts a gzip stream that was cut, and inflates without a limit.
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        yield from response.iter_raw()
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise httpx.DecodingError(f"answered in an encoding that was not asked for: {encoding}")
    try:
        yield from _inflate(response.iter_raw())
    except zlib.error as error:
        raise httpx.RemoteProtocolError("damaged gzip data") from error


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(_GZIP)
    for chunk in chunks:
        rest = chunk
        while rest:
            if decoder.eof:
                # A gzip stream may have several members (RFC 1952, 2.2).
                decoder = zlib.decompressobj(_GZIP)
            yield decoder.decompress(rest, _PIECE)
            rest = decoder.unconsumed_tail or decoder.unused_data
    yield decoder.flush()
    if not decoder.eof:
        raise httpx.RemoteProtocolError("incomplete gzip data")
