"""The sandbox's HTTP: sockets, headers, compression, and the faults that only a connection can have."""

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
"""SO_LINGER on, for no time: closing then resets the connection."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer leaves: ``now`` by the server's clock, ``raw`` without a change, ``cut`` in half, or not at all."""

    answer: Answer
    now: datetime
    raw: bool = False
    cut: bool = False
    reset: bool = False


Exchange: TypeAlias = Callable[[Request], Delivery]


class Listener(ThreadingHTTPServer):
    """Listens on a port of 127.0.0.1 (0 takes a free one) and passes each request to ``exchange``."""

    daemon_threads = False  # joined when the server closes, so that no socket is left behind
    request_queue_size = 64
    allow_reuse_port = False  # some Pythons switch it on, and then a port that is taken goes unnoticed

    def __init__(self, port: int, exchange: Exchange) -> None:
        self.exchange = exchange
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without the look-up of a host name, which may ask the network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """Serve a connection in a thread of its own."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Close a connection that is done."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over a client that went away; anything else is a bug to be seen."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close(self) -> None:
        """Stop listening, end the connections that are open, and wait for their threads."""
        self.shutdown()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed by its client in the meantime
                continue
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Reads a request and writes what `Listener.exchange` makes of it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def serve(self) -> None:
        """Answer one request."""
        body = self._body()
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

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve  # noqa: N815 - the names that http.server looks for

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
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
        body, headers = answer.body, {"Date": signing.http_date(delivery.now)}
        if answer.status != 204:  # noqa: PLR2004 - No Content
            headers["Content-Type"] = signing.CONTENT_TYPE
        if not delivery.raw and body and self._takes_gzip():
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        if answer.status != 204:  # noqa: PLR2004
            headers["Content-Length"] = str(len(body))
        if delivery.raw or delivery.cut:
            self.close_connection = True
            headers["Connection"] = "close"
        self.send_response_only(answer.status)
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if delivery.cut else body)

    def _takes_gzip(self) -> bool:
        accepted = self.headers.get("Accept-Encoding", "").lower().replace(" ", "").split(",")
        return "gzip" in accepted or any(item.startswith("gzip;") and not item.endswith("q=0") for item in accepted)

    def _abort(self) -> None:
        # http.server would end the sending side in good order first; a reset has to come before that.
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        socket.close(self.connection.detach())

    def log_message(self, *_: object) -> None:
        """Say nothing: what was received stands in `Sandbox.requests`."""
