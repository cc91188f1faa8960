"""Applies through the command line: a sandbox that keeps what is written, and an account in lines."""

from __future__ import annotations

import json
import platform
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pinsync.agreement.record import Begun, BegunOperation
from pinsync.agreement.store import open_record, write_record
from pinsync.apply.journal import name_journal
from pinsync.apply.view import Clock
from pinsync.commands import execution
from pinsync.repository import Repository
from pinsync.sandbox import Sandbox
from pinsync.sandbox.choices import parse_choices
from pinsync.sandbox.faults import parse_fault
from pinsync.workspace.machine import find_apply_folder
from support.executing import describe_call
from support.exporting import put
from support.histories import BASKET, commit, run, text
from support.moving import CONFIGURATION
from support.schemas import check_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from support.command_line import CommandLine, Result

Row = dict[str, Any]

STARTED = "20260101T120000.000000Z"
"""The start of a run that was killed."""
LONG_AGO = "2025-01-01T00:00:00Z"
SERVERS_OWN = ("created_at", "updated_at")


class SkippingClock:
    """The machine's clock, but pauses take no time; safe to use from several threads."""

    def __init__(self) -> None:
        self.skipped = 0.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        """Skip a pause."""
        with self._lock:
            self.skipped += seconds

    def monotonic(self) -> float:
        """Return the seconds of the machine's clock and of the pauses."""
        return time.monotonic() + self.skipped


@dataclass
class LiveShop:
    """A shop that is served, and pinsync in the current folder.

    Attributes:
        api: the sandbox.
        pinsync: the command line.
        clock: the clock of the runs.
        record: the last account, as JSON; empty if there was none.
        result: the last result.
    """

    api: Sandbox
    pinsync: CommandLine
    clock: SkippingClock
    record: Row = field(default_factory=dict)
    result: Result | None = None

    # What people do

    def edit(self, row: Row, pin: str = "/p/5/") -> None:
        """Give a rule of the shop a single pin, as a person does."""
        pins = [{"position": 1, "pin_type": "item", "pin_identity": pin}]
        self.api.replace({**self.api.get(row["id"]), "pin_definitions": pins})

    def begin(self, *rows: Row, message: str = "Begin") -> None:
        """Commit the rules that the shop has, and begin the record of agreement."""
        commit(message, {"pinsync.yaml": CONFIGURATION, BASKET: text("basket", *rows)})
        self.export()

    def export(self, *options: str) -> None:
        """Run an export that has to succeed."""
        done = self.pinsync("export", *options)
        assert done.code == 0, done.err

    def fail(self, *faults: str) -> None:
        """Let the next requests meet faults, as ``--fail`` takes them."""
        self.api.fail(*map(parse_fault, faults))

    # What pinsync does

    def apply(self, *arguments: str, command: str = "apply") -> list[str]:
        """Run an apply without a question; return each operation in a line."""
        self.clock.skipped = 0
        self.result = self.pinsync(command, "--yes", "--json", *arguments)
        self.record = {}
        if self.result.out:
            self.record = json.loads(self.result.out)
            check_report("apply", self.record)
        lines: list[str] = []
        for tracker in self.record.get("trackers", []):
            for each in tracker["operations"]:
                target = each["target_identity"] or each["target_type"]
                lines.append(f"{each['operation']} {target}: {each['state']}")
        return lines

    def plan(self, *arguments: str) -> list[str]:
        """Return the operations of a plan, then the rules that are left alone, in a line each."""
        result = self.pinsync("plan", "--json", *arguments)
        assert result.out, result.err
        record = json.loads(result.out)
        lines: list[str] = []
        for tracker in record["trackers"]:
            for each in tracker["operations"]:
                target = each["change"]["target_identity"]
                lines.append(f"{each['operation']} {target}")
            for each in tracker["left"]:
                target = each["change"]["target_identity"]
                lines.append(f"left {each['operation']} {target}: {each['reason']}")
        return lines

    @property
    def code(self) -> int:
        """The exit code of the last apply."""
        assert self.result
        return self.result.code

    @property
    def err(self) -> str:
        """What the last apply wrote to standard error."""
        assert self.result
        return self.result.err

    @property
    def tracker(self) -> Row:
        """The account of the only tracker."""
        (found,) = self.record["trackers"]
        row: Row = found
        return row

    @property
    def left(self) -> list[str]:
        """The rules that the last plan left alone, in a line each: ``update /p/1/: shop``."""
        return [
            f"{each['operation']} {each['target_identity']}: {each['reason']}"
            for each in self.tracker["left"]
        ]

    # What is there

    @property
    def shelf(self) -> dict[str, str]:
        """Target → the item of the first pin, of each rule of the shop."""
        found: dict[str, str] = {}
        for row in self.api.customizations():
            target = row.get("target_identity") or row["target_type"]
            assert target not in found, "a rule exists twice"
            pins = row.get("pin_definitions") or [{"pin_identity": ""}]
            found[target] = pins[0]["pin_identity"]
        return dict(sorted(found.items()))

    @property
    def calls(self) -> list[str]:
        """The requests so far: method, endpoint and status."""
        return [describe_call(request) for request in self.api.requests]

    @property
    def writes(self) -> list[str]:
        """The writes so far: method, endpoint and status."""
        reads = ("GET", "POST scopes/export")
        return [call for call in self.calls if not call.startswith(reads)]

    @property
    def files(self) -> list[Path]:
        """The backups and the journals of all runs."""
        return sorted(find_apply_folder().glob("*.json*"))


def age(rows: Sequence[Row], model: str = "basket") -> list[Row]:
    """Return rules as the shop has had them for a long time."""
    dates = dict.fromkeys(SERVERS_OWN, LONG_AGO)
    return [{"model": model, **row, **dates} for row in rows]


@contextmanager
def open_shop(
    rows: Sequence[Row],
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    *,
    api: Sequence[str] = (),
    **options: Any,  # noqa: ANN401 - of the sandbox
) -> Iterator[LiveShop]:
    """Serve a shop, and point the environment there.

    Args:
        rows: the rules of the shop.
        pinsync: the command line.
        monkeypatch: sets the environment.
        api: the choices of the sandbox, as ``--api`` takes them.
        options: further arguments of the sandbox.
    """
    clock = SkippingClock()
    monkeypatch.setattr(execution, "CLOCK", Clock(clock.monotonic, clock.sleep))
    sandbox = Sandbox(age(rows), seed=1, choices=parse_choices(api), **options)
    with ExitStack() as stack:
        stack.enter_context(sandbox)
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        yield LiveShop(sandbox, pinsync, clock)


def add_remote() -> Path:
    """Give the repository a bare remote, and push the main line; return its folder."""
    remote = Path("../remote.git").resolve()
    run("init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    run("remote", "add", "origin", str(remote))
    push()
    run("remote", "set-head", "origin", "main")
    return remote


def push() -> None:
    """Push the main line and the records of agreement."""
    run("push", "--quiet", "origin", "main", "refs/pinsync/*:refs/pinsync/*")
    run("fetch", "--quiet", "origin")


def clone(remote: Path, name: str) -> Path:
    """Clone a remote with its records beside the current folder."""
    folder = Path("..", name).resolve()
    run("clone", "--quiet", str(remote), str(folder))
    run("-C", str(folder), "fetch", "--quiet", "origin", "refs/pinsync/*:refs/pinsync/*")
    for key, value in (("name", "Test"), ("email", "test@example.com")):
        run("-C", str(folder), "config", f"user.{key}", value)
    return folder


def write_setting(text_: str) -> None:
    """Write the configuration of the current folder, with more settings."""
    put(Path("pinsync.yaml"), CONFIGURATION + text_)


def find_created(sandbox: Sandbox, target: str) -> str:
    """Return the id of the rule that has a target."""
    (found,) = [
        row["id"] for row in sandbox.customizations() if row.get("target_identity") == target
    ]
    return str(found)


# Runs that were killed


def begin_plan(*operations: BegunOperation, machine: str = "another") -> None:
    """Add the plan of a run that was killed to the record of the current folder."""
    repository = Repository.discover(Path.cwd())
    assert repository
    stored = open_record(repository, "1234-5678")
    assert stored
    begun = Begun(STARTED, machine, operations)
    write_record(repository, replace(stored.read(), begun=begun), stored.commit)


def leave_killed_run(shop: LiveShop, *events: Row) -> None:
    """Leave the record and the journal of a run of this machine that was killed.

    Args:
        shop: has the plan.
        events: the events of the journal behind its beginning.
    """
    before = set(shop.files)
    # The journal of a run that did nothing has the plan.
    shop.fail("401:*:write=1")
    shop.apply()
    shop.fail()
    (path,) = [each for each in set(shop.files) - before if each.name.startswith("journal")]
    first = path.read_text().splitlines()[0]
    lines = [json.dumps({**json.loads(first), "started": STARTED}), *map(json.dumps, events)]
    put(find_apply_folder() / name_journal("1234-5678", STARTED), "\n".join(lines) + "\n")
    operations: list[BegunOperation] = []
    for each in json.loads(first)["operations"]:
        type_, identity, criteria = each["target"]
        target = (type_, identity, criteria)
        operations.append(BegunOperation(each["kind"], each["rule_id"], each["model"], target))
    begin_plan(*operations, machine=platform.node())
