"""The calls that read and write single rules, at one host that never changes."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import httpx

from pinsync.api.call import MAX_WAIT
from pinsync.api.diagnosis import RefusalError, TransientError
from pinsync.api.wire import Endpoint, name_pins_path
from pinsync.errors import RemoteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pinsync.api.call import Answer, Connection, Reply, Session

BULK_LIMIT: Final = 5000
"""The largest number of lines of a bulk call."""

_NDJSON: Final = "application/x-ndjson"
_RAISE: Final = {"conflict_strategy": "raise"}


class Shop:
    """The rules of a tracker at one host; several threads may call it.

    Args:
        session: the settings of all calls; its tracker has one host.
    """

    def __init__(self, session: Session) -> None:
        (self._host,) = session.tracker.hosts
        self._session = session
        self._stack = ExitStack()
        # A connection has a deadline of its own, so each thread needs one.
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        self._paused_until = 0.0

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def export(self) -> Answer:
        """Return all rules.

        Raises:
            RemoteError: the host gave no whole answer; the hint names a remedy.
        """
        return self._read(Endpoint("POST", self._name_path("scopes/export"))).answer

    def get(self, rule_id: str) -> bytes | None:
        """Return a rule as JSON; None if the shop has no rule with this id.

        Raises:
            RemoteError: the host gave no whole answer; the hint names a remedy.
        """
        try:
            return self._read(Endpoint("GET", self._name_rule(rule_id))).answer.body
        except RefusalError as refusal:
            if refusal.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def create(self, rule: bytes) -> bytes:
        """Create a rule; return it as JSON, with its id.

        Args:
            rule: the rule as JSON, without an id.

        Raises:
            RefusalError, LostAnswerError, ThrottledError: see `Connection.write`.
        """
        return self._create(Endpoint("POST", self._name_path("scope"), body=rule))

    def create_all(self, rules: Sequence[bytes]) -> None:
        """Create rules in one call, which fails if another rule has a target.

        Args:
            rules: at most `BULK_LIMIT` rules as JSON, without ids.

        Raises:
            RefusalError, LostAnswerError, ThrottledError: see `Connection.write`.
        """
        body = b"".join(rule + b"\n" for rule in rules)
        path = self._name_path("scopes/_bulk")
        self._create(Endpoint("POST", path, _RAISE, body, _NDJSON))

    def replace(self, rule_id: str, rule: bytes) -> None:
        """Replace a rule, at once: it was read just now.

        Args:
            rule_id: the id of the rule.
            rule: the new rule as JSON, without an id.

        Raises:
            RefusalError, LostAnswerError, ThrottledError: see `Connection.write`.
        """
        self._change(Endpoint("PUT", self._name_rule(rule_id), body=rule))

    def delete(self, rule_id: str) -> None:
        """Delete a rule, at once: it was read just now.

        Raises:
            RefusalError, LostAnswerError, ThrottledError: see `Connection.write`.
        """
        self._change(Endpoint("DELETE", self._name_rule(rule_id)))

    def _name_path(self, name: str) -> str:
        return name_pins_path(self._session.tracker, name)

    def _name_rule(self, rule_id: str) -> str:
        if rule_id in (".", ".."):
            # In any spelling, a client may take these for steps of the path (RFC 3986, 5.2.4).
            message = f"the id {rule_id} can't be a part of an address"
            raise UsageError(message, hint="change the rule by hand in Luigi's Box")
        # An id from a stranger's answer must not lead to another path.
        return self._name_path(f"scope/{quote(rule_id, safe='')}")

    def _read(self, endpoint: Endpoint) -> Reply:
        self._wait()
        try:
            return self._call(lambda connection: connection.send(endpoint))
        except TransientError as failure:
            message = f"tracker {self._session.tracker.name}: {self._host} {failure}"
            raise RemoteError(message, hint=failure.hint) from failure

    def _create(self, endpoint: Endpoint) -> bytes:
        self._wait()
        return self._call(lambda connection: connection.write(endpoint, repeats=True)).answer.body

    def _change(self, endpoint: Endpoint) -> None:
        # Without a pause, in which a person could change the rule.
        self._call(lambda connection: connection.write(endpoint, repeats=False))

    def _wait(self) -> None:
        """Wait as the host has asked with an earlier answer."""
        seconds = self._paused_until - self._session.monotonic()
        if seconds > 0:
            self._session.announce_wait(f"waiting {seconds:.0f} s, as the host asks")
            self._session.sleep(seconds)

    def _call(self, send: Callable[[Connection], Reply]) -> Reply:
        with self._borrow() as connection:
            reply = send(connection)
        if reply.pause:
            self._paused_until = self._session.monotonic() + min(reply.pause, MAX_WAIT)
        return reply

    @contextmanager
    def _borrow(self) -> Iterator[Connection]:
        """Yield a connection that no other thread uses meanwhile."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._stack.enter_context(self._session.connect(self._host))
        try:
            yield connection
        finally:
            self._idle.put(connection)
