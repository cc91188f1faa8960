"""Send a signed request, and repeat it until a whole answer comes.

A read asks one host after the other. A write has one host, and is repeated only if it surely had no
effect.

A call ends in bounded time. On each host no attempt begins more than `RETRY_SECONDS` after the
first one. An attempt is given up after `timeout` seconds without a byte, or after `ANSWER_SECONDS`.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Final, Protocol

import httpx

from pinsync.api import diagnosis
from pinsync.api.diagnosis import (
    LostAnswerError,
    RefusalError,
    ThrottledError,
    TransientError,
)
from pinsync.api.limits import read_exhausted_limit
from pinsync.api.network import Deadline, open_transport
from pinsync.api.proxy import find_proxy
from pinsync.api.wire import Endpoint, build_request, decompress, name_pins_path, open_client
from pinsync.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pinsync.api.proxy import Proxy
    from pinsync.config import Tracker

ATTEMPTS: Final = 4
"""Attempts of a call on each host."""

RETRY_SECONDS: Final = 120.0
"""Seconds after the first attempt on a host in which another attempt may begin."""

MAX_WAIT: Final = 60.0
"""Seconds of the longest pause between two attempts, even if ``Retry-After`` asks for more."""

ANSWER_SECONDS: Final = 300.0
"""Seconds of the longest attempt, from the connection to the last byte of the answer."""

_READ: Final = frozenset({httpx.codes.OK})
_WRITTEN: Final = frozenset({httpx.codes.OK, httpx.codes.CREATED, httpx.codes.NO_CONTENT})
_PEEK: Final = 1 << 10
_BOM: Final = b"\xef\xbb\xbf"


def _read_clock() -> datetime:
    return datetime.now(UTC)


class Watcher(Protocol):
    """Watches the progress of a call; ``name`` is the tracker's."""

    def show_bytes(self, name: str, count: int) -> None:
        """Show the number of bytes received so far, decompressed."""

    def show_wait(self, name: str, text: str) -> None:
        """Show why and for how long the call waits before the next attempt."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with status 200.

    Args:
        body: the decompressed bytes, which need not be JSON.
        date: the moment of the answer by the server's clock, if known.
        fetched_at: the moment of the last byte by this machine's clock.
        headers: name and value of each header.
    """

    body: bytes = field(repr=False)
    date: datetime | None
    fetched_at: datetime
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and the host that gave it.

    Args:
        answer: the answer.
        host: scheme, name and port of the host.
        clock_ahead: see `diagnosis.measure_clock_ahead`.
        pause: the seconds after which the host allows the next request; None for at once.
    """

    answer: Answer
    host: str
    clock_ahead: float | None
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """The settings of all calls to a tracker's hosts.

    Args:
        tracker: the tracker.
        private_key: the key that signs the requests.
        timeout: the seconds without a byte after which an attempt is given up.
        max_bytes: the longest answer accepted, decompressed.
        clock: returns the current moment, for dates and signatures.
        sleep: waits the given number of seconds.
        monotonic: returns seconds that only grow, for deadlines.
        watcher: shows the progress of the calls.
    """

    tracker: Tracker
    private_key: str = field(repr=False)
    timeout: float
    max_bytes: int
    clock: Callable[[], datetime] = _read_clock
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    watcher: Watcher | None = None

    def post(self, path: str, query: Mapping[str, str]) -> Reply:
        """Send a POST without a body to one host after the other; return the first reply.

        Args:
            path: the endpoint, such as ``scopes/export``.
            query: the parameters of the query.

        Raises:
            RemoteError: no host gave a whole answer with status 200; the hint names a remedy.
            ConfigError: the environment names a proxy or certificates that can't be used.
            UsageError: the query can't be written into a URL, or a host name can't be read.
        """
        endpoint = Endpoint("POST", name_pins_path(self.tracker, path), query)
        with self.open(endpoint) as (_, reply):
            return reply

    @contextmanager
    def open(self, endpoint: Endpoint) -> Iterator[tuple[Connection, Reply]]:
        """Send a request to one host after the other; yield the first reply and its connection.

        Args:
            endpoint: the request.

        Raises:
            RemoteError, ConfigError, UsageError: as for `post`.
        """
        failures: dict[str, TransientError] = {}
        for host in self.tracker.hosts:
            if failures:
                self.announce_wait(f"asking {host}: {_join_failures(failures)}")
            with self.connect(host) as connection:
                try:
                    reply = connection.send(endpoint)
                except TransientError as failure:
                    failures[host] = failure
                    continue
                yield connection, reply
                return
        last = failures[self.tracker.hosts[-1]]
        raise RemoteError(
            f"tracker {self.tracker.name}: {_join_failures(failures)}", hint=last.hint
        ) from last

    @contextmanager
    def connect(self, host: str) -> Iterator[Connection]:
        """Yield a connection to a host, which is opened by its first request.

        Raises:
            ConfigError: the environment names a proxy or certificates that can't be used.
        """
        # The host decides about proxy and certificates.
        proxy = find_proxy(host, os.environ)
        deadline = Deadline(ANSWER_SECONDS, self.monotonic)
        transport = open_transport(host, proxy, deadline)
        brief = diagnosis.make_brief(self.private_key, proxy.secret if proxy else "")
        with open_client(
            self.tracker, self.private_key, transport, self.timeout, self.clock
        ) as client:
            yield Connection(self, host, client, proxy, deadline, brief)

    def announce_wait(self, text: str) -> None:
        """Tell the watcher why and for how long the call waits."""
        if self.watcher:
            self.watcher.show_wait(self.tracker.name, text)

    def announce_bytes(self, count: int) -> None:
        """Tell the watcher how many bytes have come."""
        if self.watcher:
            self.watcher.show_bytes(self.tracker.name, count)


def _choose_pause(failure: TransientError, attempt: int) -> float:
    """Return the seconds to wait after a failed attempt, counted from 1."""
    seconds = failure.wait
    if seconds is None:
        seconds = 2.0 ** (attempt - 2)
    # The jitter keeps clients that failed together from coming back together.
    jitter = random.random()  # noqa: S311 - no secret
    return min(MAX_WAIT, seconds + jitter)


def _join_failures(failures: Mapping[str, TransientError]) -> str:
    return "; ".join(f"{host} {failure}" for host, failure in failures.items())


@dataclass(frozen=True, slots=True)
class Connection:
    """The client of one host, for one request or several.

    Args:
        session: the settings of all calls.
        host: scheme, name and port of the host.
        client: signs and sends the requests.
        proxy: the proxy, if any.
        deadline: bounds each attempt.
        brief: makes text of an answer fit for a message.
    """

    session: Session
    host: str
    client: httpx.Client
    proxy: Proxy | None
    deadline: Deadline
    brief: diagnosis.Brief

    def send(self, endpoint: Endpoint) -> Reply:
        """Send a request until an attempt succeeds; return the reply.

        Raises:
            TransientError: no attempt succeeded.
            RemoteError: another attempt won't help.
            UsageError: the query can't be written into a URL, or the host name can't be read.
        """
        request = build_request(self.client, self.session.tracker, self.host, endpoint)
        return _Call(self, request).repeat()

    def write(self, endpoint: Endpoint, *, repeats: bool) -> Reply:
        """Send a request that changes the shop; return the reply.

        Args:
            endpoint: the request.
            repeats: whether to send it again if it surely had no effect.

        Raises:
            RefusalError: the host refused the request, which so had no effect.
            LostAnswerError: whether the request had an effect isn't known.
            ThrottledError: the request was never sent, or throttled each time.
            UsageError: the host name can't be read.
        """
        request = build_request(self.client, self.session.tracker, self.host, endpoint)
        call = _Call(self, request, _WRITTEN)
        try:
            return call.repeat() if repeats else call.attempt()
        except TransientError as failure:
            message = f"tracker {self.session.tracker.name}: {self.host} {failure}"
            if failure.had_no_effect:
                pause = _choose_pause(failure, 1)
                raise ThrottledError(message, hint=failure.hint, pause=pause) from failure
            raise LostAnswerError(message, hint=failure.hint) from failure
        except RefusalError as refusal:
            if _is_surely_refused(refusal.status):
                raise
            raise LostAnswerError(refusal.message, hint=refusal.hint) from refusal
        except RemoteError as error:
            raise LostAnswerError(error.message, hint=error.hint) from error

    def follow(self, url: httpx.URL) -> Reply:
        """Get a URL of this host, as an answer of the host spelled it; return the reply.

        Raises:
            RemoteError: the host gave no whole answer with status 200; the hint names a remedy.
        """
        try:
            return _Call(self, self.client.build_request("GET", url)).repeat()
        except TransientError as failure:
            message = f"tracker {self.session.tracker.name}: {self.host} {failure}"
            raise RemoteError(message, hint=failure.hint) from failure


def _is_surely_refused(status: int) -> bool:
    """Return whether a status says that a request had no effect (RFC 9110, 15)."""
    # A server that points at the result of a request has carried it out (15.4.4).
    if status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.SEE_OTHER):
        return False
    return httpx.codes.is_redirect(status) or httpx.codes.is_client_error(status)


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to one host, and the statuses of a success."""

    connection: Connection
    request: httpx.Request
    accepted: frozenset[int] = _READ

    @property
    def session(self) -> Session:
        """The settings of all calls."""
        return self.connection.session

    def repeat(self) -> Reply:
        """Repeat the request until an attempt succeeds; return the reply."""
        session = self.session
        start = session.monotonic()
        attempt = 1
        while True:
            try:
                return self.attempt()
            except TransientError as failure:
                if diagnosis.is_write(self.request) and not failure.had_no_effect:
                    raise
                pause = _choose_pause(failure, attempt)
                if attempt == ATTEMPTS or session.monotonic() + pause - start > RETRY_SECONDS:
                    times = "once" if attempt == 1 else f"{attempt} times"
                    raise TransientError(
                        f"{failure}, tried {times}",
                        hint=failure.hint,
                        had_no_effect=failure.had_no_effect,
                    ) from failure
                reason = f"{diagnosis.read_origin(self.request)} {failure}"
            attempt += 1
            session.announce_wait(f"attempt {attempt} of {ATTEMPTS} in {pause:.1f} s: {reason}")
            session.sleep(pause)
            session.announce_bytes(0)

    def attempt(self) -> Reply:
        """Send the request once; the client signs it anew each time."""
        tracker, clock = self.session.tracker, self.session.clock
        connection, brief = self.connection, self.connection.brief
        sent = clock()
        connection.deadline.restart()
        try:
            with closing(connection.client.send(self.request, stream=True)) as response:
                received = clock()
                pieces = decompress(response)
                if response.status_code not in self.accepted:
                    raise diagnosis.explain_refusal(
                        tracker, response, pieces, brief, sent, received
                    )
                body = self.collect(pieces)
        except httpx.DecodingError as error:
            hint = "is a proxy in between that alters answers? check HTTPS_PROXY"
            raise self.build_final_error(brief(str(error)), hint) from error
        except httpx.TransportError as error:
            timeout = self.session.timeout
            raise diagnosis.explain_failure(
                tracker, self.request, error, connection.proxy, brief, timeout
            ) from error
        # Login pages of proxies come with status 200.
        if body[:_PEEK].removeprefix(_BOM).lstrip().startswith(b"<"):
            hint = "is a proxy or a login page in between? check HTTPS_PROXY and PINSYNC_HOST"
            raise self.build_final_error("answered with a web page where JSON was expected", hint)
        headers = tuple(response.headers.multi_items())
        answer = Answer(body, diagnosis.read_answer_date(response), clock(), headers)
        ahead = diagnosis.measure_clock_ahead(response, sent, received)
        pause = read_exhausted_limit(response, answer.fetched_at)
        return Reply(answer, diagnosis.read_origin(self.request), ahead, pause)

    def collect(self, pieces: Iterator[bytes]) -> bytes:
        """Return the body, or refuse one of more than `Session.max_bytes`."""
        # Its getvalue() makes no copy, where join() of a list would.
        body = BytesIO()
        for piece in pieces:
            if body.tell() + len(piece) > self.session.max_bytes:
                hint = "if that is right, raise safety.max_answer_mb in pinsync.yaml"
                limit = f"{self.session.max_bytes / 1e6:g} MB"
                raise self.build_final_error(f"answered with more than {limit}", hint)
            body.write(piece)
            self.session.announce_bytes(body.tell())
        return body.getvalue()

    def build_final_error(self, message: str, hint: str) -> RemoteError:
        return diagnosis.build_final_error(self.session.tracker, self.request, message, hint)
