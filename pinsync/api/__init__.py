"""The API client: one signed call, tried again where that can help, whose answer is whole or not used at all.

Everything that knows httpx lives in this package. A call ends in bounded time: on each host no attempt begins more than
`RETRY_SECONDS` after the first; one that is silent for the timeout, or lasts `ANSWER_SECONDS`, is given up.
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
from pinsync.api.wire import ApiAuth, decompressed, export_request, open_client
from pinsync.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pinsync.api.proxy import Proxy
    from pinsync.config import Tracker

__all__ = ["Answer", "ApiAuth", "Watcher", "export"]

ATTEMPTS: Final = 4
"""How often a call is tried on each host."""

RETRY_SECONDS: Final = 120.0
"""How long after the first attempt on a host another may begin."""

MAX_WAIT: Final = 60.0
"""The longest pause between two attempts in seconds, whatever ``Retry-After`` says."""

ANSWER_SECONDS: Final = 300.0
"""How long one attempt may last in seconds, from the connection to the last byte, however steadily bytes trickle in."""

_PEEK: Final = 1 << 10


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


class Watcher(Protocol):
    """Who is told how a call gets on; the name is the tracker's."""

    def received(self, name: str, count: int) -> None:
        """Take note of how many bytes of the answer, decompressed, have come."""

    def waiting(self, name: str, text: str) -> None:
        """Take note of why and for how long the call waits before it is tried again."""


def export(  # noqa: PLR0913 - one is the key, and four stand for the world around: clocks, sleep, and who watches
    tracker: Tracker,
    private_key: str,
    query: Mapping[str, str],
    *,
    timeout: float,
    max_bytes: int,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    watcher: Watcher | None = None,
) -> Answer:
    """Return the answer to ``POST /scopes/export`` from the first of the tracker's hosts that gives one.

    Args:
        tracker: whom to ask for.
        private_key: what signs the requests.
        query: the filters and flags.
        timeout: the seconds without a byte after which an attempt is given up.
        max_bytes: how long the answer may be once decompressed.
        clock: returns the current moment, for dates and signatures.
        sleep: waits the given number of seconds.
        monotonic: returns seconds that only grow, for deadlines.
        watcher: is told how the call gets on.

    Raises:
        RemoteError: no host gave a whole answer with status 200; says what to do.
        ConfigError: the environment names a proxy or certificates that can't be used.
        UsageError: the query can't be written into a URL.
    """
    failures: dict[str, TransientError] = {}
    for host in tracker.hosts:
        if failures and watcher:
            watcher.waiting(tracker.name, f"asking {host}: {_joined(failures)}")
        proxy = find_proxy(host, os.environ)
        brief = diagnosis.brief_without(private_key, proxy.secret if proxy else "")
        deadline = Deadline(ANSWER_SECONDS, monotonic)
        with open_client(tracker, private_key, open_transport(host, proxy, deadline), timeout, clock) as client:
            request = export_request(client, tracker, host, query)
            call = _Call(
                tracker, client, request, proxy, deadline, brief, timeout, max_bytes, clock, sleep, monotonic, watcher
            )
            try:
                return call.repeat()
            except TransientError as failure:
                failures[host] = failure
    last = failures[tracker.hosts[-1]]
    raise RemoteError(f"tracker {tracker.name}: {_joined(failures)}", hint=last.hint) from last


def _joined(failures: Mapping[str, TransientError]) -> str:
    return "; ".join(f"{host} {failure}" for host, failure in failures.items())


@dataclass(frozen=True, slots=True)
class _Call:
    """One request to one host."""

    tracker: Tracker
    client: httpx.Client
    request: httpx.Request
    proxy: Proxy | None
    deadline: Deadline
    brief: diagnosis.Brief
    timeout: float
    max_bytes: int
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    watcher: Watcher | None

    def repeat(self) -> Answer:
        """Return the answer of the first attempt that succeeds."""
        began = self.monotonic()
        attempt = 1
        while True:
            try:
                return self.attempt()
            except TransientError as failure:
                jitter = random.random()  # noqa: S311 - spreads clients out, protects nothing
                pause = min(MAX_WAIT, (2 ** (attempt - 2) if failure.wait is None else failure.wait) + jitter)
                if attempt == ATTEMPTS or self.monotonic() + pause - began > RETRY_SECONDS:
                    tried = "once" if attempt == 1 else f"{attempt} times"
                    raise TransientError(f"{failure}, tried {tried}", hint=failure.hint) from failure
                reason = f"{diagnosis.origin(self.request)} {failure}"
            attempt += 1
            self.pause(pause, f"attempt {attempt} of {ATTEMPTS} in {pause:.1f} s: {reason}")

    def pause(self, seconds: float, text: str) -> None:
        """Wait, and tell who watches why and for how long."""
        if self.watcher:
            self.watcher.waiting(self.tracker.name, text)
        self.sleep(seconds)
        if self.watcher:
            self.watcher.received(self.tracker.name, 0)

    def attempt(self) -> Answer:
        """Return the answer to one attempt; the client signs the request anew each time it is sent."""
        sent = self.clock()
        self.deadline.restart()
        try:
            with closing(self.client.send(self.request, stream=True)) as response:
                pieces = decompressed(response)
                if response.status_code != httpx.codes.OK:
                    raise diagnosis.refusal(self.tracker, response, pieces, self.brief, sent, self.clock())
                body = self.collected(pieces)
        except httpx.DecodingError as error:
            raise self.final(
                self.brief(str(error)), "is a proxy in between that alters answers? check HTTPS_PROXY"
            ) from error
        except httpx.TransportError as error:
            raise diagnosis.failure(self.tracker, self.request, error, self.proxy, self.brief, self.timeout) from error
        if body[:_PEEK].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            hint = "is a proxy or a login page in between? check HTTPS_PROXY and PINSYNC_HOST"
            raise self.final("answered with a web page where JSON was expected", hint)
        headers = tuple(response.headers.multi_items())
        return Answer(body, diagnosis.answer_date(response), self.clock(), headers)

    def collected(self, pieces: Iterator[bytes]) -> bytes:
        """Return the whole body, unless it is longer than it may be."""
        whole = BytesIO()  # gives its bytes away without a copy
        for piece in pieces:
            if whole.tell() + len(piece) > self.max_bytes:
                hint = "if that is right, raise safety.max_answer_mb in pinsync.yaml"
                raise self.final(f"answered with more than {self.max_bytes / 1e6:g} MB", hint)
            whole.write(piece)
            if self.watcher:
                self.watcher.received(self.tracker.name, whole.tell())
        return whole.getvalue()

    def final(self, message: str, hint: str) -> RemoteError:
        return diagnosis.final(self.tracker, self.request, message, hint)
