"""The API client against a real server on loopback, with clock, waiting and deadlines injected."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import socket
import ssl
import struct
import subprocess
import threading
import tracemalloc
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

import httpx
import pytest

from pinsync import __version__, api, signing
from pinsync.config import Tracker
from pinsync.errors import ConfigError, RemoteError, UsageError
from pinsync.sandbox import Sandbox, parse_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NOW = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)
KEY = "s3cret-key"
BODY = b'{"results": []}'
PATH = "/v1/recommender/pin/1234-5678/scopes/export"

HANG = b"hang"
RESET = b"reset"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def answer(
    status: int = 200,
    body: bytes = BODY,
    *,
    date: datetime | None = NOW,
    length: int | None = None,
    **headers: str,
) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Any",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
    ]
    lines += [] if date is None else [f"Date: {signing.format_http_date(date)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Trickle:
    """An answer that begins and then goes on and on."""

    beginning: bytes
    piece: bytes


@dataclass
class Server:
    """Gives one scripted answer to a connection, byte for byte, and keeps the requests."""

    answers: list[bytes | Trickle]
    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        for scripted in self.answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                self.converse(connection, scripted)

    def converse(self, connection: socket.socket, scripted: bytes | Trickle) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            if not (piece := connection.recv(65536)):
                return
            received += piece
        head, *lines = received.decode("ascii").split("\r\n\r\n")[0].split("\r\n")
        self.requests.append((head, dict(line.split(": ", 1) for line in lines)))
        if isinstance(scripted, Trickle):
            with suppress(OSError):
                connection.sendall(scripted.beginning)
                while not self.over.wait(0.001):
                    connection.sendall(scripted.piece)
        elif scripted == HANG:
            self.over.wait(10)
        elif scripted == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(scripted)


@contextmanager
def serving(*answers: bytes | Trickle) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(list(answers), f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=server.serve, args=(listener,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@dataclass
class Time:
    """A clock that only moves when the client sleeps, or as far as it is told to at every
    reading.
    """

    now: datetime = NOW
    pace: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        self.now += timedelta(seconds=self.pace)
        return self.now.timestamp()


def export(
    *hosts: str,
    query: Mapping[str, str] | None = None,
    time: Time | None = None,
    timeout: float = 10,
    max_bytes: int = 10**6,
    watcher: api.Watcher | None = None,
) -> api.Answer:
    time = time or Time()
    return api.export(
        Tracker("shop", "1234-5678", "SHOP_KEY", hosts),
        KEY,
        query or {},
        timeout=timeout,
        max_bytes=max_bytes,
        clock=time.clock,
        sleep=time.sleep,
        monotonic=time.monotonic,
        watcher=watcher,
    ).answer


def failure(
    *answers: bytes | Trickle, time: Time | None = None, timeout: float = 10, max_bytes: int = 10**6
) -> RemoteError:
    with serving(*answers) as server, pytest.raises(RemoteError) as caught:
        export(server.url, time=time, timeout=timeout, max_bytes=max_bytes)
    assert len(server.requests) == len(answers)
    assert caught.value.exit_code == 3
    assert caught.value.message.startswith("tracker shop: ")
    assert KEY not in f"{caught.value}{caught.value.hint}"
    assert caught.value.hint
    return caught.value


# The request


def test_a_request_is_signed_by_its_own_bytes() -> None:
    with serving(answer()) as server:
        answered = export(server.url, query={"model": "basket", "tag": "a b+č&"})
        assert (answered.body, answered.date, answered.fetched_at) == (BODY, NOW, NOW)
    [(head, headers)] = server.requests
    method, target, _ = head.split(" ")
    path, _, query = target.partition("?")
    assert (method, path) == ("POST", PATH)
    assert parse_qsl(query) == [("model", "basket"), ("tag", "a b+č&")]
    assert "+" not in query
    assert headers["Date"] == "Sat, 21 Nov 2026 17:55:00 GMT"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Authorization"] == signing.build_authorization(
        "1234-5678",
        KEY,
        method="POST",
        content_type=headers["Content-Type"],
        date=headers["Date"],
        path=PATH,
    )
    assert headers["User-Agent"] == f"pinsync/{__version__}"
    assert headers["Accept-Encoding"] == "gzip"
    assert headers["Content-Length"] == "0"


def test_the_signature_is_made_without_a_client() -> None:
    request = httpx.Request(
        "POST", f"https://x{PATH}?a=b", headers={"Content-Type": signing.CONTENT_TYPE}
    )
    signed = next(api.ApiAuth("1234-5678", KEY, lambda: NOW).auth_flow(request))
    assert signed.headers["Date"] == signing.format_http_date(NOW)
    assert signed.headers["Authorization"] == signing.build_authorization(
        "1234-5678",
        KEY,
        method="POST",
        content_type=signing.CONTENT_TYPE,
        date=signing.format_http_date(NOW),
        path=PATH,
    )


def test_no_filter_is_no_question_mark() -> None:
    with serving(answer()) as server:
        export(server.url)
    assert server.requests[0][0] == f"POST {PATH} HTTP/1.1"


@pytest.mark.parametrize("value", ["x" * 70_000, "\udc80"])
def test_a_filter_that_fits_no_url_is_the_users_error(value: str) -> None:
    with pytest.raises(UsageError, match="can't be written into a URL"):
        export("http://127.0.0.1:1", query={"target_identity": value})


def test_a_host_whose_name_is_no_punycode_is_the_users_error() -> None:
    with pytest.raises(UsageError, match="holds an invalid internationalized name") as caught:
        export("https://xn--a.invalid")
    assert "PINSYNC_HOST" in str(caught.value.hint)


def test_urls_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(answer()) as server:
        export(server.url, query={"target_identity": "/p/123/"})
    assert caplog.text == ""


# The answer


def test_an_answers_date_may_be_missing() -> None:
    with serving(answer(date=None)) as server:
        assert export(server.url).date is None


def test_a_compressed_answer_is_read() -> None:
    body = BODY * 100_000
    packed = gzip.compress(body[:700]) + gzip.compress(body[700:])
    with serving(answer(body=packed, Content_Encoding="gzip")) as server:
        assert export(server.url, max_bytes=len(body)).body == body


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_answer_longer_than_the_limit_is_refused(encoding: str) -> None:
    body = b" " * 2_000_001
    sent = gzip.compress(body) if encoding == "gzip" else body
    error = failure(answer(body=sent, Content_Encoding=encoding), max_bytes=2_000_000)
    assert "more than 2 MB" in error.message
    assert "safety.max_answer_mb" in (error.hint or "")
    with serving(answer(body=sent, Content_Encoding=encoding)) as server:
        assert export(server.url, max_bytes=2_000_001).body == body


def test_a_compression_bomb_is_stopped_before_it_fills_the_memory() -> None:
    bomb = answer(body=gzip.compress(b" " * 64_000_000), Content_Encoding="gzip")
    tracemalloc.start()
    try:
        assert "more than 1 MB" in failure(bomb).message
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    assert (
        "in an encoding that was not asked for: br"
        in failure(answer(Content_Encoding="br")).message
    )


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b"\n <html>", b"\xef\xbb\xbf<?xml?>"])
def test_a_web_page_is_no_answer(page: bytes) -> None:
    error = failure(answer(body=page))
    assert "web page" in error.message
    assert "login" in (error.hint or "")


def test_the_headers_of_an_answer_are_kept() -> None:
    with serving(answer(Link="</2>; rel=next\r\nLink: </9>; rel=last", X_Odd="3")) as server:
        headers = export(server.url).headers
    links = [value for name, value in headers if name == "link"]
    assert links == ["</2>; rel=next", "</9>; rel=last"]
    assert ("x-odd", "3") in headers


# What is tried again

BROKEN = {
    "429": answer(429),
    "502": answer(502),
    "503": answer(503),
    "504": answer(504),
    "reset": RESET,
    "closed": b"",
    "cut": answer(length=1000),
    "cut gzip": answer(body=gzip.compress(BODY)[:-9], Content_Encoding="gzip"),
    "damaged gzip": answer(body=gzip.compress(BODY)[:-8] + b"\0" * 8, Content_Encoding="gzip"),
    "no gzip": answer(Content_Encoding="gzip"),
    "no http": b"SSH-2.0-x\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_may_pass_is_tried_again_with_a_fresh_signature(name: str) -> None:
    time = Time()
    with serving(BROKEN[name], BROKEN[name], answer()) as server:
        assert export(server.url, time=time).body == BODY
    first, second = time.pauses
    for (_, headers), waited in zip(server.requests, (0.0, first, first + second), strict=True):
        assert headers["Date"] == signing.format_http_date(NOW + timedelta(seconds=waited))
        assert headers["Authorization"] == signing.build_authorization(
            "1234-5678",
            KEY,
            method="POST",
            content_type=signing.CONTENT_TYPE,
            date=headers["Date"],
            path=PATH,
        )
    assert 0.5 <= time.pauses[0] <= 1.5
    assert 1.0 <= time.pauses[1] <= 2.0


def test_a_silent_server_is_tried_again() -> None:
    class Freeing(Time):
        def sleep(self, seconds: float) -> None:
            server.over.set()  # the one thread that serves is free for the second connection
            super().sleep(seconds)

    time = Freeing()
    with serving(HANG, answer()) as server:
        assert export(server.url, time=time, timeout=0.5).body == BODY
    assert len(time.pauses) == 1


def test_the_last_failure_is_told_and_how_often_it_was_tried() -> None:
    error = failure(answer(503), answer(429), answer(502), answer(503))
    assert error.message.endswith("answered 503 Service Unavailable, tried 4 times")
    assert "PINSYNC_TIMEOUT" in (failure(HANG, timeout=0.05, time=Time(pace=60)).hint or "")


def test_retry_after_is_obeyed_in_both_forms_and_capped() -> None:
    time = Time()
    by_date = signing.format_http_date(NOW - timedelta(hours=1) + timedelta(seconds=7))
    with serving(
        answer(429, Retry_After="3"),
        answer(503, Retry_After=by_date, date=NOW - timedelta(hours=1)),
        answer(429, Retry_After="99999999"),
        answer(),
    ) as server:
        assert export(server.url, time=time).body == BODY
    assert 3 <= time.pauses[0] <= 4
    assert 7 <= time.pauses[1] <= 8
    assert time.pauses[2] == api.MAX_WAIT


@pytest.mark.parametrize("text", ["soon", "-5", "", "9" * 5000, "1.5"])
def test_a_retry_after_that_means_nothing_is_ignored(text: str) -> None:
    time = Time()
    with serving(answer(429, Retry_After=text), answer()) as server:
        export(server.url, time=time)
    assert time.pauses[0] <= 1.5


def test_a_retry_after_in_the_past_means_now() -> None:
    time = Time()
    with serving(
        answer(429, Retry_After=signing.format_http_date(NOW - timedelta(days=1))), answer()
    ) as server:
        export(server.url, time=time)
    assert time.pauses[0] <= 1


def test_no_attempt_begins_after_the_deadline() -> None:
    time = Time()
    error = failure(*[answer(503, Retry_After="55")] * 3, time=time)
    assert sum(time.pauses) <= api.RETRY_SECONDS
    assert error.message.endswith(", tried 3 times")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"
TRICKLES = {
    "header": Trickle(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "1xx": Trickle(b"", EARLY_HINTS),
    "many 1xx": Trickle(b"", EARLY_HINTS * 1000),
    "body": Trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "chunk extension": Trickle(CHUNKED + b"f;a=", b"a"),
    "trailer": Trickle(CHUNKED + b"f\r\n" + BODY + b"\r\n0\r\nX: ", b"a"),
}


@pytest.mark.parametrize("name", TRICKLES)
def test_an_answer_that_trickles_is_given_up(name: str) -> None:
    error = failure(TRICKLES[name], time=Time(pace=api.ANSWER_SECONDS / 10))
    assert "did not finish its answer in 300 s" in error.message


def test_the_reason_of_a_refusal_that_trickles_is_not_waited_for() -> None:
    refusal = Trickle(b'HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n{"reason": "', b"a")
    assert failure(refusal, time=Time(pace=api.ANSWER_SECONDS / 10)).message.endswith(
        "404 Not Found"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_silence_is_bounded_by_the_time_of_the_attempt_too(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over http the server reads the request and says nothing; over https it says nothing in the
    handshake.
    """
    monkeypatch.setattr("pinsync.api.call.ANSWER_SECONDS", 0.2)
    monkeypatch.setattr("pinsync.api.call.RETRY_SECONDS", 0.2)
    began = monotonic()
    with (
        serving(HANG) as server,
        pytest.raises(RemoteError, match=r"did not finish its answer in 0\.2 s"),
    ):
        api.export(
            Tracker("shop", "1-2", "SHOP_KEY", (server.url.replace("http", scheme),)),
            KEY,
            {},
            timeout=60,
            max_bytes=1,
        )
    assert monotonic() - began < 30


def test_the_connection_to_the_proxy_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Trickle(b"HTTP/1.1 200 OK\r\nX-A: ", b"a")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(RemoteError, match="did not finish its answer in 300 s"):
            export("https://live.luigisbox.tech", time=Time(pace=api.ANSWER_SECONDS / 10))


def addresses(*names: str) -> Callable[..., list[tuple[object, ...]]]:
    """A name server that knows these addresses for every name, and leaves an address as it is."""
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *arguments: int, **more: int) -> list[tuple[object, ...]]:
        found = [host] if host in names else names
        return [entry for name in found for entry in real(name, port, *arguments, **more)]

    return look_up


def test_the_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answer()) as server:
        monkeypatch.setattr(socket, "getaddrinfo", addresses("127.0.0.2", "127.0.0.3", "127.0.0.1"))
        assert export(server.url.replace("127.0.0.1", "localhost")).body == BODY


def test_many_addresses_that_do_not_answer_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = unused().replace("127.0.0.1", "localhost")
    monkeypatch.setattr(
        socket, "getaddrinfo", addresses(*(f"127.0.1.{number}" for number in range(50)))
    )
    with pytest.raises(RemoteError, match="did not finish its answer in 300 s"):
        export(closed, time=Time(pace=api.ANSWER_SECONDS / 10))


# The other host


def unused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_the_second_host_is_tried_when_the_first_can_not_be_reached() -> None:
    time = Time()
    with serving(answer()) as server:
        assert export(unused(), server.url, time=time).body == BODY
    assert len(time.pauses) == api.ATTEMPTS - 1


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str | int] = []

    def show_bytes(self, name: str, count: int) -> None:
        assert name == "shop"
        self.told.append(count)

    def show_wait(self, name: str, text: str) -> None:
        assert name == "shop"
        self.told.append(text)


def test_each_wait_is_told_with_its_reason_and_length() -> None:
    time, watcher = Time(), Watcher()
    closed = unused()
    with serving(answer(503, Retry_After="7"), RESET, answer()) as server:
        assert export(closed, server.url, time=time, watcher=watcher).body == BODY
    *texts, count = [text for text in watcher.told if text != 0]
    assert len(texts) == len(time.pauses) + 1
    first, second, third, other, *more = map(str, texts)
    reason = f"{closed} can't be reached: [Errno 111] Connection refused"
    for number, text in enumerate((first, second, third)):
        assert text == f"attempt {number + 2} of 4 in {time.pauses[number]:.1f} s: {reason}"
    assert other == f"asking {server.url}: {reason}, tried 4 times"
    assert more[0] == (
        f"attempt 2 of 4 in {time.pauses[3]:.1f} s: {server.url} answered 503 Service Unavailable"
    )
    assert more[1].startswith(f"attempt 3 of 4 in {time.pauses[4]:.1f} s: {server.url} broke off: ")
    assert count == len(BODY)
    assert watcher.told[:2] == [first, 0], "once a pause is over, it is no longer shown"


def test_the_failures_of_all_hosts_are_told() -> None:
    closed = unused()
    with serving(*[answer(503)] * 4) as server, pytest.raises(RemoteError) as caught:
        export(closed, server.url)
    assert f"{closed} can't be reached" in caught.value.message
    assert f"{server.url} answered 503 Service Unavailable" in caught.value.message


def test_a_key_in_a_broken_head_is_not_shown() -> None:
    error = failure(*[f"HTTP/1.1 200 OK\r\n{KEY} no header\r\n\r\n".encode()] * 4)
    assert "broke off" in error.message
    assert "<private key>" in error.message


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422, 500])
def test_a_clear_answer_is_final(status: int) -> None:
    with (
        serving(answer(status)) as first,
        serving() as second,
        pytest.raises(RemoteError, match=str(status)),
    ):
        export(first.url, second.url)
    assert len(first.requests) == 1


# What to do about a refusal


def test_a_wrong_key_names_the_tracker() -> None:
    error = failure(answer(401, b'{"reason": "Invalid signature"}'))
    assert error.message.endswith("answered 401 Unauthorized: Invalid signature")
    assert error.hint == "check the private key of tracker_id 1234-5678"
    assert failure(answer(401, date=None)).hint == error.hint


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-90, "90 s ahead of"), (-6, "6 s ahead of"), (5, "5 s behind"), (7200, "7200 s behind")],
)
def test_a_wrong_clock_is_told_by_how_much(seconds: int, words: str) -> None:
    error = failure(answer(401, date=NOW + timedelta(seconds=seconds)))
    assert f"this machine's clock, {words} the server's" in (error.hint or "")


@pytest.mark.parametrize("seconds", [-4, 0, 4])
def test_a_small_difference_is_not_blamed(seconds: int) -> None:
    assert "clock" not in (failure(answer(401, date=NOW + timedelta(seconds=seconds))).hint or "")


def test_an_unknown_tracker_names_the_setting() -> None:
    assert (
        failure(answer(404)).hint
        == "check the tracker_id, 1234-5678, in pinsync.yaml or PINSYNC_TRACKER_ID"
    )


def test_a_refused_filter_names_every_field() -> None:
    body = (
        b'{"reason": "Validation error", "exception_details": '
        b'{"target_type": ["Must be one of: item, criteria, all", "x"], "tag": "too long", '
        b'"n": [1, {"a": null}]}}'
    )
    error = failure(answer(422, body))
    assert (
        "422 Unprocessable Entity: Validation error; target_type: Must be one of: item, "
        "criteria, all, x"
    ) in error.message
    assert "; tag: too long; n: 1, {'a': None}" in error.message
    assert "--target-type" in (error.hint or "")


ODD_BODIES = [
    b"",
    b"null",
    b"[]",
    b"{",
    b"[" * 60_000,
    b"\xff",
    b'{"reason": 5}',
    b'{"exception_details": []}',
    b" " * 70_000,
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_any_body_of_a_refusal_is_survived(body: bytes) -> None:
    assert failure(answer(422, body)).message.endswith("answered 422 Unprocessable Entity")
    assert failure(answer(422, body, Content_Encoding="gzip")).message.endswith(
        "answered 422 Unprocessable Entity"
    )


def test_a_reason_is_data() -> None:
    error = failure(answer(400, b'{"reason": "\\u001b[31m\\u202ered\\nline' + b"x" * 1000 + b'"}'))
    assert r"\u001b[31m\u202ered line" in error.message
    assert len(error.message) < 500
    assert error.message.isprintable()


def test_a_redirect_is_not_followed_and_names_its_target_without_secrets() -> None:
    error = failure(answer(302, Location="https://user:pass@evil.example/login?token=abc#x"))
    assert error.message.endswith("answered 302 Found, pointing at https://evil.example/login")
    assert "not followed" in (error.hint or "")
    assert "pointing at http://127.0.0.1:" in failure(answer(308, Location="/login")).message


def test_a_status_beside_200_is_no_answer() -> None:
    for status in (204, 206, 299, 304):
        assert f"answered {status}" in failure(answer(status, b"")).message


# What stands in between


def without(monkeypatch: pytest.MonkeyPatch, host: str, **environ: str) -> RemoteError:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RemoteError) as caught:
        export(host)
    return caught.value


def unknown(*_arguments: object, **_more: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_name_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # no test asks a name server
    error = without(monkeypatch, "https://live.luigisbox.tech")
    assert (
        error.message
        == "tracker shop: https://live.luigisbox.tech can't be found by name (DNS), tried 4 times"
    )


def test_a_proxy_is_used_for_https_and_its_refusal_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with serving(*[refused] * 4) as proxy:
        error = without(monkeypatch, "https://live.luigisbox.tech", HTTPS_PROXY=proxy.url)
    assert proxy.requests[0][0].startswith("CONNECT live.luigisbox.tech:443")
    assert "through the proxy: 407" in error.message
    assert error.hint == "check HTTPS_PROXY"


def test_a_proxys_password_is_not_shown_where_the_proxy_echoes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    password = "p4ss/w0rd"  # noqa: S105 - of nobody
    echoed = base64.b64encode(f"user:{password}".encode()).decode()
    refused = f"HTTP/1.1 403 {password} {echoed}\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(*[refused] * 4) as proxy:
        url = proxy.url.replace("//", f"//user:{quote(password, safe='')}@")
        error = without(monkeypatch, "https://live.luigisbox.tech", all_proxy=url)
    assert proxy.requests[0][1]["Proxy-Authorization"] == f"Basic {echoed}"
    assert "through the proxy: 403 <proxy password>" in error.message
    assert not any(secret in error.message for secret in (password, quote(password), echoed))
    assert error.hint == "check all_proxy"


def test_a_proxy_that_can_not_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = without(monkeypatch, "https://live.luigisbox.tech", HTTPS_PROXY=unused())
    assert "can't be reached through the proxy: " in error.message
    assert error.hint == "check HTTPS_PROXY"
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = without(
        monkeypatch, "https://live.luigisbox.tech", HTTPS_PROXY="http://proxy.example.com"
    )
    assert "can't be reached through the proxy, whose name can't be found (DNS)" in error.message
    assert error.hint == "check HTTPS_PROXY"


def test_loopback_is_reached_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", unused())
    monkeypatch.setenv("ALL_PROXY", unused())
    with serving(answer()) as server:
        assert export(server.url).body == BODY


def test_certificates_that_can_not_be_read_are_the_configurations_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (tmp_path / "nope", empty, tmp_path):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(
            ConfigError, match=r"^SSL_CERT_FILE: the certificates to trust can't be read: "
        ) as caught:
            export("https://live.luigisbox.tech")
        assert "SSL_CERT_DIR" in str(caught.value.hint)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "pair.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=localhost"
    )
    options = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(file),
        "-out",
        f"{file}.crt",
    ]
    subprocess.run([*command.split(), *options], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + file.with_name("pair.pem.crt").read_bytes())
    return file


def secure(server: Server, certificate: Path) -> Callable[[socket.socket, bytes | Trickle], None]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    plain = server.converse

    def converse(connection: socket.socket, scripted: bytes | Trickle) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as wrapped:
                plain(wrapped, scripted)
        except ssl.SSLError:
            server.requests.append(("TLS refused", {}))

    return converse


def test_a_certificate_is_trusted_only_through_the_environment(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answer(), answer()) as server:
        monkeypatch.setattr(server, "converse", secure(server, certificate))
        url = server.url.replace("http:", "https:")
        error = without(monkeypatch, url)
        assert "certificate that isn't trusted: self-signed certificate" in error.message.replace(
            "self signed", "self-signed"
        )
        assert "SSL_CERT_FILE" in (error.hint or "")
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
        assert export(url).body == BODY
    assert [head.split(" ")[0] for head, _ in server.requests] == ["TLS", "POST"]


# The sandbox, which verifies what it gets


def fetch(
    sandbox: Sandbox, query: Mapping[str, str], *, key: str | None = None
) -> tuple[list[dict[str, object]], list[float]]:
    pauses: list[float] = []
    tracker = Tracker("shop", sandbox.tracker_id, "SHOP_KEY", (sandbox.url,))
    key = sandbox.private_key if key is None else key
    reply = api.export(tracker, key, query, timeout=10, max_bytes=10**7, sleep=pauses.append)
    return json.loads(reply.answer.body)["results"], pauses


def test_the_sandbox_takes_the_signature_and_the_filters() -> None:
    with Sandbox() as sandbox:
        everything, _ = fetch(sandbox, {})
        some, _ = fetch(sandbox, {"model": "basket", "target_type": "item"})
    assert len(everything) > len(some) > 0
    assert {row["model"] for row in some} == {"basket"}


def test_the_sandboxs_faults_are_outlived() -> None:
    faults = [parse_fault(spec) for spec in ("429:1:retry-after=3", "truncate", "reset")]
    with Sandbox(faults=faults) as sandbox:
        rows, pauses = fetch(sandbox, {})
    assert rows
    assert len(pauses) == 3
    assert 3 <= pauses[0] <= 4


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("redirect", "302 Found, pointing at http://127.0.0.1:", "not followed"),
        ("html", "web page", "login"),
        ("500", "500 Internal Server Error", "try again later"),
        ("clock:-60", "401 Unauthorized", "ahead of the server's"),
        ("clock:60", "401 Unauthorized", "behind the server's"),
    ],
)
def test_the_sandboxs_other_faults_are_explained(spec: str, message: str, hint: str) -> None:
    with Sandbox(faults=[parse_fault(spec)]) as sandbox, pytest.raises(RemoteError) as caught:
        fetch(sandbox, {})
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_the_sandbox_refuses_another_key_and_a_wrong_filter() -> None:
    with Sandbox() as sandbox:
        with pytest.raises(RemoteError, match="401 Unauthorized"):
            fetch(sandbox, {}, key="another")
        with pytest.raises(RemoteError, match=r"422 Unprocessable Entity: .*target_type"):
            fetch(sandbox, {"target_type": "x"})
