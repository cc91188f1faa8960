"""Runs of the executor against a sandbox, in a time that only sleeping moves."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pinsync import api
from pinsync.apply.executor import Choices, Executor
from pinsync.apply.journal import Journal
from pinsync.apply.view import Clock
from pinsync.canonical import normalize
from pinsync.config import Tracker
from pinsync.drift.pairs import collect_ids, read_data
from pinsync.errors import RemoteError
from pinsync.sandbox import Sandbox, parse_fault
from pinsync.sandbox.choices import parse_choices
from support.planning import ALL, by_git, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pinsync.drift.record import Change, Moved
    from pinsync.errors import PinsyncError
    from pinsync.model import Customization
    from pinsync.plan.record import Operation, Permissions
    from pinsync.sandbox.messages import Request

Row = dict[str, Any]

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

# With several threads, one that sleeps would make the signature of another one too old.
ALONE = Choices(parallel=1)


class VirtualTime:
    """A clock that stands still until somebody sleeps; safe to use from several threads."""

    def __init__(self) -> None:
        self.slept = 0.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        with self._lock:
            self.slept += seconds

    def monotonic(self) -> float:
        """Return the seconds since the beginning."""
        return self.slept

    def now(self) -> datetime:
        """Return the moment, for signatures and for the server."""
        return NOON + timedelta(seconds=self.slept)


def open_session(sandbox: Sandbox, time: VirtualTime) -> api.Session:
    """Return a session with a sandbox whose clock is the virtual one."""
    return api.Session(
        Tracker("shop", sandbox.tracker_id, hosts=(sandbox.url,)),
        sandbox.private_key,
        timeout=5,
        max_bytes=1 << 30,
        clock=time.now,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )


def build_row(rule: Customization) -> Row:
    """Return a rule as the API has it."""
    return read_data(rule)


def build_rule(row: Row) -> Customization:
    """Return a row of the API as pinsync reads it."""
    return normalize.build_customization(row)


class Watched(Sandbox):
    """A sandbox that calls a function before it answers a request.

    Attributes:
        watch: called with the number of the request, counted from 1, and the request.
    """

    watch: Callable[[int, Request], None] | None = None
    _count = 0

    def _take_fault(self, request: Request) -> Any:  # noqa: ANN401 - as in the sandbox
        with self._lock:
            self._count += 1
            number = self._count
        if self.watch:
            self.watch(number, request)
        return super()._take_fault(request)


@dataclass
class Run:
    """A run of the executor, and the shop afterwards.

    Attributes:
        operations: the operations of the plan.
        sandbox: the shop.
        executor: the executor after the run.
        live: the export at the end; None if there was none.
        failure: the error of the verification; None if there was none.
        events: the lines of the journal.
        slept: the seconds of all pauses.
    """

    operations: Sequence[Operation]
    sandbox: Sandbox
    executor: Executor
    live: Sequence[Customization] | None = None
    failure: PinsyncError | None = None
    events: list[Row] = field(default_factory=list)
    slept: float = 0.0

    @property
    def stop(self) -> str | None:
        """The message of the error that ended the run; None if there is none."""
        return self.executor.stop.message if self.executor.stop else None

    @property
    def states(self) -> list[str]:
        """The state of each operation, with its target: ``done /p/1/``."""
        found: list[str] = []
        for number, operation in enumerate(self.operations):
            rule = operation.after or operation.change.subject
            found.append(f"{self.executor.outcomes[number].state} {rule.target.identity}")
        return found

    @property
    def details(self) -> list[str]:
        """The detail of each operation."""
        outcomes = self.executor.outcomes
        return [outcomes[number].detail for number in range(len(self.operations))]

    @property
    def shop(self) -> dict[str, str]:
        """Target → the item of the first pin, of each rule of the shop."""
        rules: dict[str, str] = {}
        for row in self.sandbox.customizations():
            assert row["target_identity"] not in rules, "a rule exists twice"
            pins = row.get("pin_definitions") or [{"pin_identity": ""}]
            rules[row["target_identity"]] = pins[0]["pin_identity"]
        return rules

    @property
    def calls(self) -> list[str]:
        """The requests: the method, the end of the path, and the status."""
        return list(map(describe_call, self.sandbox.requests))


def describe_call(request: Request) -> str:
    """Return method, endpoint and status of a request: ``PUT scope/a 200``."""
    endpoint = request.path.partition("/1234-5678/")[2]
    return f"{request.method} {endpoint} {request.status}"


@dataclass
class Setup:
    """A shop and the wishes of git; `run` carries out the plan.

    Attributes:
        git: the rules of git.
        live: the rules of the shop when it is planned.
        api: the choices of the sandbox, as ``--api`` takes them.
        faults: the faults of the sandbox, as ``--fail`` takes them.
        choices: the options of the run.
        ignore: the paths of the fields that git leaves out.
        rows: the rules of the shop as the API has them; None for those of ``live``.
        move: returns who moved a rule.
        permissions: the options that allow more.
        meanwhile: called with the sandbox between plan and run.
        watch: see `Watched`.
    """

    git: Sequence[Customization]
    live: Sequence[Customization]
    api: Sequence[str] = ()
    faults: Sequence[str] = ()
    choices: Choices = ALONE
    ignore: Sequence[tuple[str, ...]] = ()
    rows: Sequence[Row] | None = None
    move: Callable[[Change], Moved] = by_git
    permissions: Permissions = ALL
    meanwhile: Callable[[Sandbox], None] | None = None
    watch: Callable[[Sandbox, int, Request], None] | None = None
    time: VirtualTime = field(default_factory=VirtualTime)

    def run(self, folder: Path, *, verify: bool = True) -> Run:
        """Carry out the plan of the two states."""
        operations, _ = plan(self.git, self.live, self.permissions, self.move)
        rows = [build_row(rule) for rule in self.live] if self.rows is None else self.rows
        sandbox = Watched(rows, seed=1, clock=self.time.now, choices=parse_choices(self.api))
        # Nobody reads a state of before the rows were there.
        self.time.sleep(3600)
        if watch := self.watch:
            sandbox.watch = lambda number, request: watch(sandbox, number, request)
        sandbox.fail(*map(parse_fault, self.faults))
        if self.meanwhile:
            self.meanwhile(sandbox)
        begin = self.time.slept
        journal = Journal(folder / "journal.jsonl")
        with ExitStack() as stack:
            stack.callback(journal.close)
            stack.enter_context(sandbox)
            shop = stack.enter_context(api.Shop(open_session(sandbox, self.time)))
            executor = Executor(
                shop,
                operations,
                frozenset(collect_ids(self.live)),
                ignore=self.ignore,
                choices=self.choices,
                journal=journal,
                clock=Clock(self.time.monotonic, self.time.sleep),
                show=lambda _: None,
            )
            run = Run(operations, sandbox, executor)
            executor.execute()
            if verify:
                try:
                    run.live = executor.verify()
                except RemoteError as error:
                    run.failure = error
        run.slept = self.time.slept - begin
        run.events = [json.loads(line) for line in journal.path.read_text().splitlines()]
        return run
