"""What the attempts to make an apply unsafe share: a shop that a test meddles with, and its state."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pinsync.repository import Repository
from pinsync.sandbox import Answer, Choices, Sandbox
from pinsync.sandbox.choices import STRICT
from pinsync.sandbox.service import is_write
from pinsync.sandbox.store import Unknown
from pinsync.sandbox.wire import Delivery
from support.agreeing import OTHER, REFERENCE, TRACKER, S, T, read_record, write
from support.exporting import put
from support.histories import run
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pytest

    from pinsync.sandbox import Request
    from support.command_line import CommandLine, Result

Row = dict[str, Any]

ROOT = f"/v1/recommender/pin/{TRACKER}/"
EXPORT = "POST scopes/export"
CREATE = "POST scope"
BULK = "POST scopes/_bulk"


def tell(request: Request) -> str:
    """Return method and path of a request, from the tracker on: ``PUT scope/199620b4``."""
    return f"{request.method} {request.path.removeprefix(ROOT)}"


@dataclass
class Trap:
    """An act of a test at some requests.

    Attributes:
        call: the pattern of the requests, as `tell` names them.
        act: the act; if it returns an answer, that replaces the one of the sandbox.
        nth: the request, counted from 1; None for all of them.
        late: whether the request has its effect first.
        count: the requests so far.
    """

    call: str
    act: Callable[[], object]
    nth: int | None = 1
    late: bool = False
    count: int = 0

    def spring(self) -> Answer | None:
        """Act if it is the turn of the request."""
        self.count += 1
        if self.nth not in (None, self.count):
            return None
        given = self.act()
        return given if isinstance(given, Answer) else None


class Meddler(Sandbox):
    """A sandbox in which a test acts at the requests of its choice."""

    def __init__(self, rows: Sequence[Row], choices: Choices = STRICT) -> None:
        super().__init__(rows, seed=1, choices=choices)
        self.traps: list[Trap] = []
        self.log: list[Request] = []

    def _exchange(self, request: Request) -> Delivery:
        self.log.append(request)
        given: Answer | None = None
        springing = [trap for trap in self.traps if re.fullmatch(trap.call, tell(request))]
        for trap in springing:
            given = given or (None if trap.late else trap.spring())
        if given:
            return Delivery(given, self._clock(), raw=True)
        delivery = super()._exchange(request)
        for trap in springing:
            given = given or (trap.spring() if trap.late else None)
        return dataclasses.replace(delivery, answer=given, raw=True) if given else delivery


@dataclass
class Scene:
    """A shop, the repository in the current folder, and pinsync between them.

    Attributes:
        api: the shop.
        pinsync: the command line.
        backups: the folder of backups and journals.
        seen: the number of requests before the last command.
    """

    api: Meddler
    pinsync: CommandLine
    backups: Path
    seen: int = field(default=0)

    def at(
        self, call: str, act: Callable[[], object], *, nth: int | None = 1, late: bool = False
    ) -> None:
        """Act at a request from now on; see `Trap`."""
        self.api.traps.append(Trap(call, act, nth, late))

    def give(self, call: str, *answers: Answer | None, late: bool = False) -> None:
        """Answer the requests in turn, and all further ones with the last answer.

        None stands for the sandbox's own answer.
        """
        waiting = list(answers)

        def give() -> Answer | None:
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

        self.at(call, give, nth=None, late=late)

    def calm(self) -> None:
        """Forget all acts."""
        self.api.traps.clear()

    def apply(self, *arguments: str, yes: bool = True) -> Result:
        """Run an apply."""
        return self.run("apply", *arguments, *(["--yes"] if yes else []))

    def restore(self, *arguments: str) -> Result:
        """Run a restore without a question."""
        return self.run("restore", *arguments, "--yes")

    def run(self, command: str, *arguments: str) -> Result:
        """Run a command that may write."""
        self.seen = len(self.api.log)
        return self.pinsync(command, *arguments, "--backup-dir", str(self.backups))

    @property
    def writes(self) -> list[str]:
        """The writes of the last command."""
        return [tell(each) for each in self.api.log[self.seen :] if is_write(each)]

    def save(self, row: Row, model: str = "basket") -> None:
        """Replace a rule, as a person does."""
        self.api.replace({"model": model, **row})

    def add(self, row: Row, model: str = "basket") -> str:
        """Create a rule, as a person does; return its id."""
        return str(self.api.create({"model": model, **row})["id"])

    def read(self, row: Row) -> Row | None:
        """Return the rule with the id of a row; None if the shop lacks it."""
        try:
            return self.api.get(row["id"])
        except Unknown:
            return None

    def read_pin(self, row: Row) -> str | None:
        """Return the first pin of the rule with the id of a row; None if the shop lacks it."""
        found = self.read(row)
        return found["pin_definitions"][0]["pin_identity"] if found else None

    def list_targets(self) -> list[str]:
        """Return the items that have rules, each as often as it has one."""
        return sorted(str(row.get("target_identity")) for row in self.api.customizations())

    def read_journal(self) -> list[Row]:
        """Return the events of the newest journal."""
        newest = max(self.backups.glob("journal-*"))
        return [json.loads(line) for line in newest.read_text().splitlines()]


class Killed(BaseException):
    """Ends a run as a signal would that no program can handle."""


def _kill(_: object) -> None:
    raise Killed


@contextmanager
def die_before_account(monkeypatch: pytest.MonkeyPatch, *, writes: bool = True) -> Iterator[None]:
    """Let a run die behind its last write, or before its first one."""
    with monkeypatch.context() as patch:
        name = "verify" if writes else "execute"
        patch.setattr(f"pinsync.apply.executor.Executor.{name}", _kill)
        yield


class OpenShop(Protocol):
    """Serves a shop in a repository of its own; the fixture ``open_shop``."""

    def __call__(
        self, rows: Sequence[Row] = (T, OTHER), choices: Choices = STRICT
    ) -> AbstractContextManager[Scene]:
        """Serve rules of the model ``basket``, with which git agrees, and a record that says so."""


@dataclass
class Templates:
    """Repositories to copy, since it takes a while to make them.

    Attributes:
        folder: the folder of the repositories.
        made: the rules → the repository.
    """

    folder: Path
    made: dict[str, Path] = field(default_factory=dict)

    def copy(self, rows: Sequence[Row], to: Path) -> bool:
        """Copy the repository with some rules; return False if there is none yet."""
        made = self.made.get(json.dumps(rows))
        if made:
            shutil.copytree(made, to)
        return made is not None

    def keep(self, rows: Sequence[Row], repository: Path) -> None:
        """Copy a new repository for later."""
        made = self.folder / f"{len(self.made)}"
        shutil.copytree(repository, made)
        self.made[json.dumps(rows)] = made


def make_repository(rows: Sequence[Row], pinsync: CommandLine) -> None:
    """Make a repository in the current folder, with a record of agreement."""
    run("init", "--quiet", "--initial-branch=main")
    run("config", "user.name", "Test")
    run("config", "user.email", "test@example.com")
    run("config", "maintenance.auto", "false")
    shutil.rmtree(".git/hooks")
    put(Path("pinsync.yaml"), CONFIGURATION)
    write("Begin", *rows, at=1)
    done = pinsync("export", "-q")
    assert done.code == 0, done.err


def swap() -> str:
    """Let git change the rule `T` to `S`; return the commit."""
    return write("Swap", S, OTHER, at=10)


def forge_record(changes: Mapping[str, object], *lines: Row) -> None:
    """Change ``record.json``, and replace the entries if there are lines.

    Args:
        changes: the new values of keys of ``record.json``.
        lines: the entries.
    """
    files: dict[str, bytes] = {}
    for name in run("ls-tree", "-r", "--name-only", REFERENCE, "rules/").splitlines():
        files[name] = run("show", f"{REFERENCE}:{name}").encode() + b"\n"
    if lines:
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        files = dict.fromkeys(files, b"") | {next(iter(files)): content}
    files["record.json"] = json.dumps({**read_record(), **changes}).encode()
    write_files(files)


def write_files(files: Mapping[str, bytes], reference: str = REFERENCE) -> None:
    """Move a reference to a commit of these files."""
    repository = Repository.discover(Path.cwd())
    assert repository
    paths = {Path(name): content for name, content in files.items()}
    repository.commit_files(reference, paths, repository.resolve_reference(reference))  # type: ignore[arg-type]
