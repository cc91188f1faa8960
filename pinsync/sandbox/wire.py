"""The HTTP side of the sandbox: sockets, headers, compression, and faults of a connection."""

from __future__ import annotations

import gzip
import socket
import socketserver
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from pinsync import signing
from pinsync.sandbox.messages import Answer, Request

if TYPE_CHECKING:
    from datetime import datetime

MAX_BODY: Final = 64 * 1024 * 1024
"""The largest body of a request, in bytes."""

ABORT: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for 0 seconds: a socket that is closed then sends RST instead of FIN (socket(7))."""

NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer and the way it leaves.

    Attributes:
        answer: the answer.
        now: the moment of the answer by the server's clock.
        raw: send the body as it is, without compression.
        cut: send half of the body, then close the connection.
        reset: reset the connection instead of answering.
    """

    answer: Answer
    now: datetime
    raw: bool = False
    cut: bool = False
    reset: bool = False


Exchange: TypeAlias = Callable[[Request], Delivery]


class Listener(ThreadingHTTPServer):
    """Listens on a port of 127.0.0.1 (0 for a free one); ``exchange`` answers the requests."""

    # server_close() joins the threads, so that no socket stays open.
    daemon_threads = False
    request_queue_size = 64
    # Where Python switches it on, two sandboxes could share a port.
    allow_reuse_port = False

    def __init__(self, port: int, exchange: Exchange) -> None:
        self.exchange = exchange
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind to the address."""
        # Not HTTPServer's own, which looks up the host name and so may ask the network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(  # type: ignore[override]
        self, request: socket.socket, client_address: tuple[str, int]
    ) -> None:
        """Serve a connection in a thread of its own."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Close a connection after its last request."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that went away; any other error is a bug to show."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close(self) -> None:
        """Stop listening, close the open connections, and wait for their threads."""
        self.shutdown()
        # A copy, since the threads discard their connections meanwhile.
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The client has closed the connection.
                continue
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Reads each request, and sends the answer of `Listener.exchange`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def serve(self) -> None:
        """Answer one request."""
        body = self._read_body()
        if body is None:
            return
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(url.query, keep_blank_values=True)
        delivery = self.server.exchange(Request(self.command, url.path, query, headers, body))
        if delivery.reset:
            self._abort()
        else:
            self._send(delivery)

    # http.server calls the method named do_ plus the HTTP method.
    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve  # noqa: N815

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        # Unread bytes of a body would pass for the next request, so the connection is closed.
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self.send_error(411)
            return None
        if int(length) > MAX_BODY:
            self.close_connection = True
            self.send_error(413)
            return None
        return self.rfile.read(int(length))

    def _send(self, delivery: Delivery) -> None:
        answer = delivery.answer
        body = answer.body
        headers = {"Date": signing.format_http_date(delivery.now)}
        has_body = answer.status != NO_CONTENT
        if has_body:
            headers["Content-Type"] = signing.CONTENT_TYPE
        if not delivery.raw and body and self._accepts_gzip():
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        if has_body:
            headers["Content-Length"] = str(len(body))
        if delivery.raw or delivery.cut:
            self.close_connection = True
            headers["Connection"] = "close"
        self.send_response_only(answer.status)
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if delivery.cut:
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def _accepts_gzip(self) -> bool:
        for coding in self.headers.get("Accept-Encoding", "").lower().replace(" ", "").split(","):
            # "q=0" refuses a coding (RFC 9110, 12.5.3).
            if coding == "gzip" or (coding.startswith("gzip;") and not coding.endswith("q=0")):
                return True
        return False

    def _abort(self) -> None:
        # detach() comes before http.server's own shutdown(), which would end the connection by FIN.
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        socket.close(self.connection.detach())

    def log_message(self, *_: object) -> None:
        """Log nothing: `Sandbox.requests` records the requests."""
