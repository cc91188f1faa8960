"""Connections of the API client: proxy, certificates, and the deadline of an attempt.

httpx limits the time of each read. A server that sends a byte now and then could keep httpx waiting
for ever while it reads headers, 1xx answers, chunk extensions or trailers. So the deadline lies
below httpx, in the network backend. It doesn't bound the system's look-up of a name, nor the reads
that httpcore makes for one record of TLS inside the TLS of an https proxy.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from pinsync.api.diagnosis import NETWORK, TransientError
from pinsync.errors import ConfigError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    from pinsync.api.proxy import Proxy

_KEEP_ALIVE: Final = 5.0
"""Seconds for which a connection waits for the next attempt; httpx's own default."""


class Deadline:
    """The moment at which an attempt is given up, even if bytes keep coming.

    Args:
        seconds: the longest duration of an attempt.
        monotonic: returns seconds that only grow.
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self.restart()

    def restart(self) -> None:
        """Begin an attempt."""
        self._end = self._monotonic() + self._seconds

    @contextmanager
    def limit(self, timeout: float | None) -> Iterator[float]:
        """Yield the seconds for one operation: ``timeout``, or less if the deadline is nearer.

        Raises:
            TransientError: the deadline has passed, before or during the operation.
        """
        left = self._end - self._monotonic()
        if left <= 0:
            raise self._build_error()
        if timeout is not None and timeout < left:
            yield timeout
            return
        try:
            yield left
        except httpcore.TimeoutException as error:
            # The deadline was nearer than the timeout, so it is the deadline that passed.
            raise self._build_error() from error

    def _build_error(self) -> TransientError:
        return TransientError(f"did not finish its answer in {self._seconds:g} s", hint=NETWORK)


def open_transport(host: str, proxy: Proxy | None, deadline: Deadline) -> httpx.BaseTransport:
    """Return an httpx transport to a host.

    Args:
        host: scheme, name and port of the host.
        proxy: the proxy to use, if any.
        deadline: bounds each attempt.

    Raises:
        ConfigError: the certificates that the environment names can't be read.
    """
    context = _load_certificates() if host.startswith("https://") else None
    network = _Network(deadline)
    if proxy is None:
        direct = httpcore.ConnectionPool(
            ssl_context=context, network_backend=network, keepalive_expiry=_KEEP_ALIVE
        )
        return _Transport(direct)
    url = proxy.url
    user = (url.username.encode(), url.password.encode())
    # httpcore refuses TLS settings for a proxy that is reached without TLS.
    proxy_context = context if url.scheme == "https" else None
    pool = httpcore.HTTPProxy(
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        proxy_auth=user if any(user) else None,
        ssl_context=context,
        proxy_ssl_context=proxy_context,
        network_backend=network,
        keepalive_expiry=_KEEP_ALIVE,
    )
    return _Transport(pool)


def _load_certificates() -> ssl.SSLContext:
    """Return the certificates to trust; ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` add theirs."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        message = f"the certificates to trust can't be read: {error.strerror}"
        hint = "name a PEM file of certificates there, or a folder of such files in SSL_CERT_DIR"
        raise ConfigError(message, source="SSL_CERT_FILE", hint=hint) from error


class _Transport(httpx.HTTPTransport):
    """httpx's transport over a given pool; httpx's own pool takes no network backend."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool


class _Network(httpcore.SyncBackend):
    """Opens connections whose operations a deadline bounds."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        # One by one: httpcore itself would give each address the whole time of the attempt.
        for address in _resolve(host, port):
            try:
                with self._deadline.limit(timeout) as seconds:
                    stream = super().connect_tcp(
                        address, port, seconds, local_address, socket_options
                    )
                return _Stream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def _resolve(host: str, port: int) -> list[str]:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        # A UnicodeError comes from idna, which refuses the name.
        raise httpcore.ConnectError(str(error)) from error
    return [str(address[0]) for *_, address in addresses]


class _Stream(httpcore.NetworkStream):
    """A connection whose operations a deadline bounds."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._deadline.limit(timeout) as seconds:
            return self._stream.read(max_bytes, seconds)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore also sends an empty body.
        if buffer:
            with self._deadline.limit(timeout) as seconds:
                self._stream.write(buffer, seconds)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            with self._deadline.limit(timeout) as seconds:
                stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        except TransientError:
            # httpcore's own stream closes itself when TLS fails.
            self.close()
            raise
        return _Stream(stream, self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's
        return self._stream.get_extra_info(info)
