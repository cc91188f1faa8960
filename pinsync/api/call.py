"""One signed call: tried again where that can help, on one host after the other, its answer whole or not used at all.

A call ends in bounded time: on each host no attempt begins more than `RETRY_SECONDS` after the first; one that is
silent for the timeout, or lasts `ANSWER_SECONDS`, is given up.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Final, Protocol

import httpx

from pinsync.api import diagnosis
from pinsync.api.diagnosis import TransientError
from pinsync.api.network import Deadline, open_transport
from pinsync.api.proxy import find_proxy
from pinsync.api.wire import build_request, decompressed, open_client
from pinsync.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pinsync.api.proxy import Proxy
    from pinsync.config import Tracker

ATTEMPTS: Final = 4
"""How often a call is tried on each host."""

RETRY_SECONDS: Final = 120.0
"""How long after the first attempt on a host another may begin."""

MAX_WAIT: Final = 60.0
"""The longest pause between two attempts in seconds, whatever ``Retry-After`` says."""

ANSWER_SECONDS: Final = 300.0
"""How long one attempt may last in seconds, from the connection to the last byte, however steadily bytes trickle in."""

_PEEK: Final = 1 << 10


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Watcher(Protocol):
    """Who is told how a call gets on; the name is the tracker's."""

    def received(self, name: str, count: int) -> None:
        """Take note of how many bytes of the answer, decompressed, have come."""

    def waiting(self, name: str, text: str) -> None:
        """Take note of why and for how long the call waits before it is tried again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with status 200.

    Args:
        body: decompressed; whether it is JSON isn't checked here.
        date: the moment of the answer by the server's clock, if it says so.
        fetched_at: the moment when the answer was whole, by this machine's clock.
        headers: name and value of each header.
    """

    body: bytes = field(repr=False)
    date: datetime | None
    fetched_at: datetime
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how it came.

    Args:
        answer: the answer.
        host: the host that gave it.
        clock_ahead: see `diagnosis.clock_ahead`.
    """

    answer: Answer
    host: str
    clock_ahead: float | None


@dataclass(frozen=True, slots=True)
class Session:
    """What the calls to a tracker's hosts share.

    Args:
        tracker: whom to ask for.
        private_key: what signs the requests.
        timeout: the seconds without a byte after which an attempt is given up.
        max_bytes: how long the answer may be once decompressed.
        clock: returns the current moment, for dates and signatures.
        sleep: waits the given number of seconds.
        monotonic: returns seconds that only grow, for deadlines.
        watcher: is told how the call gets on.
    """

    tracker: Tracker
    private_key: str = field(repr=False)
    timeout: float
    max_bytes: int
    clock: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    watcher: Watcher | None = None

    def post(self, path: str, query: Mapping[str, str]) -> Reply:
        """Return the reply to a POST without a body from the first of the tracker's hosts that gives one.

        Args:
            path: the endpoint, such as ``scopes/export``.
            query: its parameters.

        Raises:
            RemoteError: no host gave a whole answer with status 200; says what to do.
            ConfigError: the environment names a proxy or certificates that can't be used.
            UsageError: the query can't be written into a URL, or the name of a host can't be read.
        """
        failures: dict[str, TransientError] = {}
        for host in self.tracker.hosts:
            if failures:
                self.tell(f"asking {host}: {_joined(failures)}")
            proxy = find_proxy(host, os.environ)
            deadline = Deadline(ANSWER_SECONDS, self.monotonic)
            transport = open_transport(host, proxy, deadline)
            with open_client(self.tracker, self.private_key, transport, self.timeout, self.clock) as client:
                request = build_request(client, self.tracker, host, path, query)
                brief = diagnosis.brief_without(self.private_key, proxy.secret if proxy else "")
                try:
                    return _Call(self, client, request, proxy, deadline, brief).repeat()
                except TransientError as failure:
                    failures[host] = failure
        last = failures[self.tracker.hosts[-1]]
        raise RemoteError(f"tracker {self.tracker.name}: {_joined(failures)}", hint=last.hint) from last

    def tell(self, text: str) -> None:
        """Say why and for how long the call waits."""
        if self.watcher:
            self.watcher.waiting(self.tracker.name, text)

    def count(self, count: int) -> None:
        """Say how many bytes have come."""
        if self.watcher:
            self.watcher.received(self.tracker.name, count)


def _joined(failures: Mapping[str, TransientError]) -> str:
    return "; ".join(f"{host} {failure}" for host, failure in failures.items())


@dataclass(frozen=True, slots=True)
class _Call:
    """One request to one host."""

    session: Session
    client: httpx.Client
    request: httpx.Request
    proxy: Proxy | None
    deadline: Deadline
    brief: diagnosis.Brief

    def repeat(self) -> Reply:
        """Return the reply to the first attempt that succeeds."""
        session = self.session
        began = session.monotonic()
        attempt = 1
        while True:
            try:
                return self.attempt()
            except TransientError as failure:
                jitter = random.random()  # noqa: S311 - spreads clients out, protects nothing
                pause = min(MAX_WAIT, (2 ** (attempt - 2) if failure.wait is None else failure.wait) + jitter)
                if attempt == ATTEMPTS or session.monotonic() + pause - began > RETRY_SECONDS:
                    tried = "once" if attempt == 1 else f"{attempt} times"
                    raise TransientError(f"{failure}, tried {tried}", hint=failure.hint) from failure
                reason = f"{diagnosis.origin(self.request)} {failure}"
            attempt += 1
            session.tell(f"attempt {attempt} of {ATTEMPTS} in {pause:.1f} s: {reason}")
            session.sleep(pause)
            session.count(0)

    def attempt(self) -> Reply:
        """Return the reply to one attempt; the client signs the request anew each time it is sent."""
        tracker, clock = self.session.tracker, self.session.clock
        sent = clock()
        self.deadline.restart()
        try:
            with closing(self.client.send(self.request, stream=True)) as response:
                received = clock()
                pieces = decompressed(response)
                if response.status_code != httpx.codes.OK:
                    raise diagnosis.refusal(tracker, response, pieces, self.brief, sent, received)
                body = self.collected(pieces)
        except httpx.DecodingError as error:
            hint = "is a proxy in between that alters answers? check HTTPS_PROXY"
            raise self.final(self.brief(str(error)), hint) from error
        except httpx.TransportError as error:
            timeout = self.session.timeout
            raise diagnosis.failure(tracker, self.request, error, self.proxy, self.brief, timeout) from error
        if body[:_PEEK].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            hint = "is a proxy or a login page in between? check HTTPS_PROXY and PINSYNC_HOST"
            raise self.final("answered with a web page where JSON was expected", hint)
        headers = tuple(response.headers.multi_items())
        answer = Answer(body, diagnosis.answer_date(response), clock(), headers)
        ahead = diagnosis.clock_ahead(response, sent, received)
        return Reply(answer, diagnosis.origin(self.request), ahead)

    def collected(self, pieces: Iterator[bytes]) -> bytes:
        """Return the whole body, unless it is longer than it may be."""
        whole = BytesIO()  # gives its bytes away without a copy
        for piece in pieces:
            if whole.tell() + len(piece) > self.session.max_bytes:
                hint = "if that is right, raise safety.max_answer_mb in pinsync.yaml"
                raise self.final(f"answered with more than {self.session.max_bytes / 1e6:g} MB", hint)
            whole.write(piece)
            self.session.count(whole.tell())
        return whole.getvalue()

    def final(self, message: str, hint: str) -> RemoteError:
        return diagnosis.final(self.session.tracker, self.request, message, hint)
