"""The local stand-in of the API: state, signatures and faults behind a port of 127.0.0.1."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final, Self

from pinsync.errors import UsageError
from pinsync.sandbox import shop
from pinsync.sandbox.faults import FAULTLESS, Fault, halve
from pinsync.sandbox.service import Service, tracker_of
from pinsync.sandbox.store import Store
from pinsync.sandbox.wire import Delivery, Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pinsync.sandbox.messages import Answer, Request
    from pinsync.sandbox.spelling import Row

TRACKER_ID: Final = "1234-5678"
PRIVATE_KEY: Final = "sandbox-private-key"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StandIn:
    """The stand-in of one tracker, which behaves as the API does without a port of its own; `Sandbox` serves it.

    Every answer spells its customizations anew and at random, without a change of meaning, as a real API may.

    Args:
        customizations: what the tracker holds; by default the sample shop.
        tracker_id: the tracker's id.
        private_key: the key that requests must be signed with.
        catalog: the identities of the items that exist; by default the sample shop's, or, without it, all.
        state: a JSON export that keeps the customizations; if it exists, it takes the place of the first argument.
        clock: the server's clock.
        seed: makes the answers repeatable; by default they are random.

    Raises:
        FileError: the state can't be read or written.
    """

    def __init__(
        self,
        customizations: Iterable[Mapping[str, Any]] | None = None,
        *,
        tracker_id: str = TRACKER_ID,
        private_key: str = PRIVATE_KEY,
        catalog: Collection[str] | None = None,
        state: Path | None = None,
        clock: Callable[[], datetime] = _utc_now,
        seed: int | None = None,
    ) -> None:
        if customizations is None:
            customizations = shop.customizations()
            catalog = shop.catalog() if catalog is None else catalog
        random = Random(seed)  # noqa: S311 - nothing secret is drawn
        self._store = Store(customizations, file=state, clock=clock, random=random)
        self._service = Service(
            self._store, tracker_id=tracker_id, private_key=private_key, catalog=catalog, random=random
        )
        self.tracker_id: Final = tracker_id
        self.private_key: Final = private_key

    def answer(self, request: Request, now: datetime) -> Answer:
        """Return the answer to a request that arrived ``now``."""
        return self._service.answer(request, now)

    def customizations(self) -> list[Row]:
        """Return a copy of what the tracker holds, in no particular order."""
        return deepcopy(self._store.rows())

    def get(self, identifier: str) -> Row:
        """Return a copy of one customization; raise `store.Unknown` if there is none."""
        return deepcopy(self._store.get(identifier))

    def create(self, customization: Mapping[str, Any]) -> Row:
        """Store a new customization, unchecked, and return it with its id."""
        return deepcopy(self._store.create(customization))

    def replace(self, customization: Mapping[str, Any]) -> Row:
        """Put a customization, unchecked, in place of the one with its id; raise `store.Unknown` if there is none."""
        return deepcopy(self._store.replace(customization["id"], customization))

    def delete(self, identifier: str) -> None:
        """Remove a customization; raise `store.Unknown` if there is none."""
        self._store.delete(identifier)


class Sandbox(StandIn):
    """A tracker on loopback; a context manager that serves, in threads, while entered.

    Args:
        customizations: what the tracker holds; by default the sample shop.
        tracker_id: the tracker's id.
        private_key: the key that requests must be signed with.
        catalog: the identities of the items that exist; by default the sample shop's, or, without it, all.
        state: a JSON export that keeps the customizations; if it exists, it takes the place of the first argument.
        faults: befall the first requests, in this order; then service is normal.
        clock: the server's clock.
        seed: makes the answers repeatable; by default they are random.
        port: on 127.0.0.1; 0 takes a free one.
        more_trackers: are served on the same port, each under its own id.

    Raises:
        FileError: the state can't be read or written.
        UsageError: (on entry) the port is taken.
    """

    def __init__(  # noqa: PLR0913 - every part of the stand-in can be set
        self,
        customizations: Iterable[Mapping[str, Any]] | None = None,
        *,
        tracker_id: str = TRACKER_ID,
        private_key: str = PRIVATE_KEY,
        catalog: Collection[str] | None = None,
        state: Path | None = None,
        faults: Sequence[Fault] = (),
        clock: Callable[[], datetime] = _utc_now,
        seed: int | None = None,
        port: int = 0,
        more_trackers: Iterable[StandIn] = (),
    ) -> None:
        super().__init__(
            customizations,
            tracker_id=tracker_id,
            private_key=private_key,
            catalog=catalog,
            state=state,
            clock=clock,
            seed=seed,
        )
        self._trackers = {tracker.tracker_id: tracker for tracker in more_trackers}
        self._clock = clock
        self._port = port
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._received: list[Request] = []
        self._listener: Listener | None = None
        self.fail(*faults)

    def __enter__(self) -> Self:
        try:
            self._listener = Listener(self._port, self._exchange)
        except OSError as error:
            hint = "choose another port, or 0 for any that is free"
            raise UsageError(f"can't listen on port {self._port}: {error.strerror}", hint=hint) from error
        self._port = self._listener.server_port
        self._stopping.clear()
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), name="sandbox", daemon=True).start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._stopping.set()
        if self._listener is not None:
            self._listener.close()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point pinsync at this sandbox."""
        return {
            "PINSYNC_TRACKER_ID": self.tracker_id,
            "PINSYNC_PRIVATE_KEY": self.private_key,
            "PINSYNC_HOST": self.url,
        }

    @property
    def requests(self) -> list[Request]:
        """What was received so far, oldest first."""
        with self._lock:
            return list(self._received)

    def fail(self, *faults: Fault) -> None:
        """Let these faults, instead of any earlier ones, befall the next requests."""
        with self._lock:
            self._faults: Iterator[Fault] = itertools.chain.from_iterable(
                itertools.repeat(fault) if fault.times is None else itertools.repeat(fault, fault.times)
                for fault in faults
            )

    def _exchange(self, request: Request) -> Delivery:
        with self._lock:
            fault = next(self._faults, FAULTLESS)
        now = self._clock() + timedelta(seconds=fault.clock)
        if fault.delay:
            self._stopping.wait(fault.delay)
        tracker = self._trackers.get(tracker_of(request.path) or "", self)
        answer = fault.answer or tracker.answer(request, now)
        if fault.part:
            answer = halve(answer, fault.part)
        status = None if fault.reset else answer.status
        with self._lock:
            self._received.append(dataclasses.replace(request, status=status))
        return Delivery(answer, now, raw=fault.answer is not None, cut=fault.cut, reset=fault.reset)
