"""The API client: read and write the customizations, read the catalog, and check a private key.

Only this package knows httpx.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pinsync.api.call import (
    ANSWER_SECONDS,
    ATTEMPTS,
    MAX_WAIT,
    RETRY_SECONDS,
    Answer,
    Reply,
    Session,
    Watcher,
)
from pinsync.api.catalog import PAGE_SIZE, CatalogItem, CatalogPage, read_catalog
from pinsync.api.diagnosis import LostAnswerError, RefusalError, ThrottledError
from pinsync.api.shop import BULK_LIMIT, Shop
from pinsync.api.wire import ApiAuth
from pinsync.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinsync.config import Tracker
    from pinsync.errors import PinsyncError

__all__ = [
    "ANSWER_SECONDS",
    "ATTEMPTS",
    "BULK_LIMIT",
    "MAX_WAIT",
    "PAGE_SIZE",
    "RETRY_SECONDS",
    "Answer",
    "ApiAuth",
    "CatalogItem",
    "CatalogPage",
    "KeyCheck",
    "LostAnswerError",
    "RefusalError",
    "Reply",
    "Session",
    "Shop",
    "ThrottledError",
    "Watcher",
    "check_key",
    "export",
    "read_catalog",
]

_REFUSED_KEY: Final = frozenset({401, 403})


def export(  # noqa: PLR0913 - one is the key, four are effects that tests replace
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
) -> Reply:
    """Return the reply to ``POST /scopes/export``; `Session` describes the arguments.

    Raises:
        RemoteError: no host gave an answer with status 200; the hint names a remedy.
        ConfigError: the environment names a proxy or certificates that can't be used.
        UsageError: the query can't be written into a URL.
    """
    session = Session(tracker, private_key, timeout, max_bytes, clock, sleep, monotonic, watcher)
    return session.post("scopes/export", query)


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Whether the API accepts a tracker's private key.

    Args:
        is_accepted: None if unknown.
        host: the host that answered, if one did.
        clock_ahead: see `diagnosis.measure_clock_ahead`.
        error: why the key is refused, or why that is unknown.
    """

    is_accepted: bool | None
    host: str | None = None
    clock_ahead: float | None = None
    error: PinsyncError | None = None


def check_key(session: Session) -> KeyCheck:
    """Ask the API for a list of one customization, the cheapest signed request.

    Raises:
        ConfigError: the environment names a proxy or certificates that can't be used.
        UsageError: a host name can't be read.
    """
    try:
        reply = session.post("scopes", {"limit": "1"})
    except RefusalError as refusal:
        is_accepted = False if refusal.status in _REFUSED_KEY else None
        return KeyCheck(is_accepted, refusal.host, refusal.clock_ahead, refusal)
    except RemoteError as failure:
        return KeyCheck(None, error=failure)
    if not _is_list_answer(reply.answer.body):
        # Another service with status 200 proves nothing about the key.
        error = RemoteError(
            f"tracker {session.tracker.name}: {reply.host} answered with no list of customizations",
            hint="check PINSYNC_HOST and HTTPS_PROXY",
        )
        return KeyCheck(None, reply.host, reply.clock_ahead, error)
    return KeyCheck(True, reply.host, reply.clock_ahead)


def _is_list_answer(body: bytes) -> bool:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("results"), list)
