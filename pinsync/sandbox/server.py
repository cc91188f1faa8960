"""The local stand-in of the API: state, signatures and faults on a port of 127.0.0.1."""

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
from pinsync.sandbox.choices import STRICT, Choices
from pinsync.sandbox.faults import NO_FAULT, Fault, halve, spoil_page, tell_rate_limit
from pinsync.sandbox.messages import Answer
from pinsync.sandbox.service import Service, find_tracker_id, is_write
from pinsync.sandbox.store import Store
from pinsync.sandbox.wire import Delivery, Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pinsync.sandbox.messages import Request
    from pinsync.sandbox.spelling import Row

TRACKER_ID: Final = "1234-5678"
PRIVATE_KEY: Final = "sandbox-private-key"
NO_ANSWER: Final = Answer(500)
"""Stands for the answer where the connection is reset."""


def _read_clock() -> datetime:
    return datetime.now(UTC)


def _repeat_faults(faults: Iterable[Fault]) -> Iterator[Fault]:
    for fault in faults:
        if fault.times is None:
            yield from itertools.repeat(fault)
        else:
            yield from itertools.repeat(fault, fault.times)


def _list_products(catalog: Collection[str] | None) -> dict[str, Row]:
    """Return the products of the sample shop, or those of the given identities."""
    products = shop.build_products()
    if catalog is None:
        return products
    return {identity: products.get(identity, {}) for identity in sorted(catalog)}


class StandIn:
    """The stand-in of one tracker, without a port of its own; `Sandbox` serves it.

    As a real API may, each answer spells its customizations anew, at random and without a change of
    meaning.

    Args:
        customizations: the tracker's customizations (default: the sample shop).
        tracker_id: the tracker's id.
        private_key: the key that must sign the requests.
        catalog: the identities of the items that exist (default: the sample shop's; all with other
            customizations).
        products: identity → attributes of each item in the catalog export (default: the items of
            the sample shop that exist; those of ``catalog`` have no attributes otherwise).
        state: a JSON export that keeps the customizations; an existing file replaces the first
            argument.
        clock: the server's clock.
        seed: makes the answers repeatable (default: random answers).
        choices: the behaviour that the reference leaves open.

    Raises:
        FileError: the state can't be read or written.
    """

    def __init__(  # noqa: PLR0913 - every part of the stand-in can be set
        self,
        customizations: Iterable[Mapping[str, Any]] | None = None,
        *,
        tracker_id: str = TRACKER_ID,
        private_key: str = PRIVATE_KEY,
        catalog: Collection[str] | None = None,
        products: Mapping[str, Row] | None = None,
        state: Path | None = None,
        clock: Callable[[], datetime] = _read_clock,
        seed: int | None = None,
        choices: Choices = STRICT,
    ) -> None:
        if customizations is None:
            customizations = shop.build_customizations()
            if catalog is None:
                catalog = shop.build_catalog()
        random = Random(seed)  # noqa: S311 - nothing secret is drawn
        memory = max(choices.stale_export, choices.stale_get)
        self._store = Store(customizations, file=state, clock=clock, random=random, memory=memory)
        self._service = Service(
            self._store,
            tracker_id=tracker_id,
            private_key=private_key,
            catalog=catalog,
            products=_list_products(catalog) if products is None else products,
            random=random,
            choices=choices,
        )
        self.tracker_id: Final = tracker_id
        self.private_key: Final = private_key

    def answer(self, request: Request, now: datetime) -> Answer:
        """Return the answer to a request that arrived at ``now``."""
        return self._service.answer(request, now)

    def fail_midway(self, request: Request, now: datetime) -> None:
        """Store the part of a write that is stored when the server fails in its middle."""
        self._service.fail_midway(request, now)

    def customizations(self) -> list[Row]:
        """Return a copy of the tracker's customizations, in no particular order."""
        return deepcopy(self._store.list_rows())

    def get(self, identifier: str) -> Row:
        """Return a copy of one customization; raise `store.Unknown` if there is none."""
        return deepcopy(self._store.get(identifier))

    def create(self, customization: Mapping[str, Any]) -> Row:
        """Store a new customization, unchecked; return it with its id."""
        return deepcopy(self._store.create(customization))

    def replace(self, customization: Mapping[str, Any]) -> Row:
        """Replace the customization with its id, unchecked; raise `store.Unknown` if missing."""
        return deepcopy(self._store.replace(customization["id"], customization))

    def delete(self, identifier: str) -> None:
        """Remove a customization; raise `store.Unknown` if there is none."""
        self._store.delete(identifier)


class Sandbox(StandIn):
    """A tracker on loopback; a context manager that serves, in threads, while entered.

    Args:
        customizations: the tracker's customizations (default: the sample shop).
        tracker_id: the tracker's id.
        private_key: the key that must sign the requests.
        catalog: the identities of the items that exist (default: the sample shop's; all with other
            customizations).
        products: identity → attributes of each item in the catalog export (default: the items of
            the sample shop that exist; those of ``catalog`` have no attributes otherwise).
        state: a JSON export that keeps the customizations; an existing file replaces the first
            argument.
        faults: the faults of the first requests, in this order.
        clock: the server's clock.
        seed: makes the answers repeatable (default: random answers).
        choices: the behaviour that the reference leaves open.
        port: a port of 127.0.0.1; 0 takes a free one.
        more_trackers: other trackers on the same port, each under its own id.

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
        products: Mapping[str, Row] | None = None,
        state: Path | None = None,
        faults: Sequence[Fault] = (),
        clock: Callable[[], datetime] = _read_clock,
        seed: int | None = None,
        choices: Choices = STRICT,
        port: int = 0,
        more_trackers: Iterable[StandIn] = (),
    ) -> None:
        super().__init__(
            customizations,
            tracker_id=tracker_id,
            private_key=private_key,
            catalog=catalog,
            products=products,
            state=state,
            clock=clock,
            seed=seed,
            choices=choices,
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
            message = f"can't listen on port {self._port}: {error.strerror}"
            hint = "choose another port, or 0 for any that is free"
            raise UsageError(message, hint=hint) from error
        # Kept, so that the sandbox has the same port if it is entered again.
        self._port = self._listener.server_port
        self._stopping.clear()
        # serve_forever() looks every 0.01 s whether it should stop, so that tests end quickly.
        serve = self._listener.serve_forever
        threading.Thread(target=serve, args=(0.01,), name="sandbox", daemon=True).start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._listener is not None:
            self._listener.close()

    @property
    def url(self) -> str:
        """The address of the sandbox, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point pinsync at this sandbox."""
        return {
            "PINSYNC_TRACKER_ID": self.tracker_id,
            "PINSYNC_PRIVATE_KEY": self.private_key,
            "PINSYNC_HOST": self.url,
        }

    @property
    def requests(self) -> list[Request]:
        """The requests received so far, oldest first."""
        with self._lock:
            return list(self._received)

    def fail(self, *faults: Fault) -> None:
        """Replace the faults of the next requests, and those of writes, counted from now on."""
        with self._lock:
            usual = [fault for fault in faults if fault.write is None]
            self._faults: Iterator[Fault] = _repeat_faults(usual)
            self._write_faults = [fault for fault in faults if fault.write is not None]
            self._write_count = 0

    def _take_fault(self, request: Request) -> Fault:
        with self._lock:
            if is_write(request):
                self._write_count += 1
                for fault in self._write_faults:
                    if fault.befalls_write(self._write_count):
                        return fault
            return next(self._faults, NO_FAULT)

    def _exchange(self, request: Request) -> Delivery:
        fault = self._take_fault(request)
        now = self._clock() + timedelta(seconds=fault.clock)
        if fault.effect == "before":
            self._hold_back(fault)
        answer = self._answer(request, fault, now)
        if fault.effect == "after":
            self._hold_back(fault)
        status = None if fault.reset else answer.status
        with self._lock:
            self._received.append(dataclasses.replace(request, status=status))
        is_raw = fault.answer is not None
        return Delivery(answer, now, raw=is_raw, cut=fault.cut, reset=fault.reset)

    def _hold_back(self, fault: Fault) -> None:
        if fault.delay:
            # Not sleep(): the sandbox must not outlive its block by the delay.
            self._stopping.wait(fault.delay)

    def _answer(self, request: Request, fault: Fault, now: datetime) -> Answer:
        """Let a request have its effect, unless the fault comes before it; return the answer."""
        # An unknown tracker id goes to this tracker, whose answer is a 404.
        tracker = self._trackers.get(find_tracker_id(request) or "", self)
        if not fault.replaces_answer:
            answer = tracker.answer(request, now)
            if fault.part:
                answer = halve(answer, fault.part)
            if fault.page:
                answer = spoil_page(answer, fault.page, request)
            return answer
        if fault.effect == "after":
            tracker.answer(request, now)
        elif fault.effect == "half":
            tracker.fail_midway(request, now)
        answer = fault.answer or NO_ANSWER
        return answer if fault.limit is None else tell_rate_limit(answer, fault.limit, now)
