"""The API client: the export, and the check of a private key.

Everything that knows httpx lives in this package.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pinsync.api.call import ANSWER_SECONDS, ATTEMPTS, MAX_WAIT, RETRY_SECONDS, Answer, Session, Watcher
from pinsync.api.diagnosis import RefusalError
from pinsync.api.wire import ApiAuth
from pinsync.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinsync.config import Tracker
    from pinsync.errors import PinsyncError

__all__ = [
    "ANSWER_SECONDS",
    "ATTEMPTS",
    "MAX_WAIT",
    "RETRY_SECONDS",
    "Answer",
    "ApiAuth",
    "KeyCheck",
    "RefusalError",
    "Session",
    "Watcher",
    "check_key",
    "export",
]

_UNACCEPTED: Final = frozenset({401, 403})


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
    """Return the answer to ``POST /scopes/export``; the arguments are as for `Session`.

    Raises:
        RemoteError: no host gave an answer with status 200; says what to do.
        ConfigError: the environment names a proxy or certificates that can't be used.
        UsageError: the query can't be written into a URL.
    """
    session = Session(tracker, private_key, timeout, max_bytes, clock, sleep, monotonic, watcher)
    return session.post("scopes/export", query).answer


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Whether the API accepts a tracker's private key.

    Args:
        is_accepted: None where that can't be told.
        host: the host that answered, if one did.
        clock_ahead: see `diagnosis.clock_ahead`.
        error: why the key isn't accepted, or why that can't be told.
    """

    is_accepted: bool | None
    host: str | None = None
    clock_ahead: float | None = None
    error: PinsyncError | None = None


def check_key(session: Session) -> KeyCheck:
    """Ask the API for a list of one customization, the cheapest signed request.

    Raises:
        ConfigError: the environment names a proxy or certificates that can't be used.
        UsageError: the name of a host can't be read.
    """
    try:
        reply = session.post("scopes", {"limit": "1"})
    except RefusalError as error:
        is_accepted = False if error.status in _UNACCEPTED else None
        return KeyCheck(is_accepted, error.host, error.clock_ahead, error)
    except RemoteError as error:
        return KeyCheck(None, error=error)
    if not _is_list(reply.answer.body):
        message = f"tracker {session.tracker.name}: {reply.host} answered with no list of customizations"
        unknown = RemoteError(message, hint="check PINSYNC_HOST and HTTPS_PROXY")
        return KeyCheck(None, reply.host, reply.clock_ahead, unknown)
    return KeyCheck(True, reply.host, reply.clock_ahead)


def _is_list(body: bytes) -> bool:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("results"), list)
