"""The files of a run outside of the repository: the backup and the journal."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from pinsync.errors import FileError
from pinsync.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pinsync.model import Customization
    from pinsync.plan.record import Operation

_VERSION: Final = 1
_MODE: Final = 0o600
_START: Final = "%Y%m%dT%H%M%S.%fZ"
_WITHOUT: Final = "its run is over: --take-over begins without it"
_HINT: Final = "make room on the disk or correct the permissions, or name another --backup-dir"


def format_start(moment: datetime) -> str:
    """Return the moment of a start for names of files: ``20261130T153300.123456Z``."""
    return moment.astimezone(UTC).strftime(_START)


def parse_start(started: str) -> datetime | None:
    """Return the moment of a start, in UTC; None for a text of another form."""
    try:
        moment = datetime.strptime(started, _START).replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if format_start(moment) == started else None


def describe_start(started: str) -> str:
    """Return the moment of a start for people: ``2026-11-30 15:33:00 UTC``."""
    moment = parse_start(started)
    # The text of a record that another program wrote stays as it is.
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else started


def name_journal(tracker_id: str, started: str) -> str:
    """Return the name of the journal of a run."""
    return f"journal-{tracker_id}-{started}.jsonl"


def write_backup(folder: Path, tracker_id: str, started: str, body: bytes) -> Path:
    """Write the answer of the API as it came; return the path of the file.

    Raises:
        FileError: the file can't be written.
    """
    path = folder / f"backup-{tracker_id}-{started}.json"
    with _explain(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _create(path) as file:
            try:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                # Half a backup would pass for a shop that lost its rules.
                path.unlink()
                raise
    return path


class Journal:
    """A file with a line of JSON for each event of a run; several threads may write.

    Args:
        path: the path of the file, which must not exist.

    Raises:
        FileError: the file can't be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with _explain(path):
            self._file = _create(path)

    def begin(
        self, tracker_id: str, started: str, host: str, commit: str, operations: Sequence[Operation]
    ) -> None:
        """Write the plan, with the texts that a later run needs to judge this one.

        Raises:
            FileError: the file can't be written.
        """
        plan = [_describe(operation) for operation in operations]
        self.write_to_disk(
            "begin",
            version=_VERSION,
            tracker_id=tracker_id,
            started=started,
            host=host,
            source=commit,
            operations=plan,
        )

    def write(self, event: str, **values: object) -> None:
        """Write an event.

        Raises:
            FileError: the file can't be written.
        """
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        line = json.dumps({"at": moment, "event": event, **values}, ensure_ascii=False)
        # A host may echo the key in anything, even as an id.
        line = redact(line, {}, ())
        with self._lock, _explain(self.path):
            self._file.write(line.encode() + b"\n")
            self._file.flush()

    def write_to_disk(self, event: str, **values: object) -> None:
        """Write an event that must outlive a crash of the machine.

        Raises:
            FileError: the file can't be written.
        """
        self.write(event, **values)
        with _explain(self.path):
            os.fsync(self._file.fileno())

    def write_end(self, exit_code: int) -> None:
        """Write the end of the run, if there is room for it."""
        with contextlib.suppress(FileError):
            self.write("end", exit_code=exit_code)

    def close(self) -> None:
        """Close the file."""
        # Closing writes what a full disk refused before; that was told then.
        with contextlib.suppress(OSError):
            self._file.close()


def _describe(operation: Operation) -> dict[str, object]:
    rule = operation.change.subject
    return {
        "kind": operation.kind,
        "rule_id": operation.id,
        "git_id": operation.after.id if operation.after else None,
        "model": rule.model,
        "target": list((operation.after or rule).target),
        "before": _read_text(operation.before),
        "after": _read_text(operation.after),
    }


def _read_text(rule: Customization | None) -> str | None:
    return rule.text.decode() if rule else None


def _create(path: Path) -> IO[bytes]:
    # The file holds what a shop plans, so only the user may read it.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb")


@contextlib.contextmanager
def _explain(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"can't be written: {error.strerror}"
        raise FileError(reason, source=str(path), hint=_HINT) from error


Fate = Literal["unsent", "doubtful", "acknowledged"]
_FATES: Final[Mapping[str, Fate]] = {
    "send": "doubtful",
    "lost": "doubtful",
    "unclear": "doubtful",
    "refused": "unsent",
    "acknowledged": "acknowledged",
}
"""Event of a journal → what it says about its operations."""


class JournalEntry(Struct, frozen=True):
    """What a journal knows of one operation.

    Attributes:
        kind: ``update``, ``create`` or ``delete``.
        rule_id: the id in the shop; for a create the id that the API answered, if any.
        git_id: the id in git.
        model: the model.
        target: type, identity and criteria of the target.
        before: the text of the shop's rule; None for a create.
        after: the text of git's rule; None for a delete.
        fate: whether the write was sent, and acknowledged.
    """

    kind: str
    rule_id: str | None
    git_id: str | None
    model: str
    target: tuple[str, str | None, str | None]
    before: str | None
    after: str | None
    fate: Fate = "unsent"


class OldJournal(Struct, frozen=True):
    """The journal of an interrupted run.

    Attributes:
        source: the full hash of the commit that was applied.
        entries: the operations in their order.
    """

    source: str
    entries: tuple[JournalEntry, ...]


class _Begin(Struct, frozen=True):
    version: int
    tracker_id: str
    started: str
    source: str
    operations: tuple[JournalEntry, ...]


class _Event(Struct, frozen=True):
    event: str
    operations: tuple[int, ...] = ()
    rule_id: str | None = None


def read_journal(folder: Path, tracker_id: str, started: str) -> OldJournal | None:
    """Return the journal of an interrupted run; None if there is none.

    A last line that was cut off doesn't count. A write without a recorded answer is doubtful.

    Args:
        folder: the folder of journals.
        tracker_id: the id of the tracker.
        started: the start of the run, as the record of agreement has it.

    Raises:
        FileError: the file can't be read, or isn't the journal of this run.
    """
    if parse_start(started) is None:
        # A record that another program wrote; its text must not become a path.
        return None
    path = folder / name_journal(tracker_id, started)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"can't be read: {error.strerror}", source=str(path)) from error
    try:
        head = msgspec.json.decode(lines[0], type=_Begin)
        # Behind the last line end is nothing, or a line that was cut off.
        events = [msgspec.json.decode(line, type=_Event) for line in lines[1:-1]]
    except msgspec.MsgspecError as error:
        raise FileError(f"isn't a journal: {error}", source=str(path), hint=_WITHOUT) from error
    if (head.version, head.tracker_id, head.started) != (_VERSION, tracker_id, started):
        raise FileError("is the journal of another run", source=str(path), hint=_WITHOUT)
    entries: list[JournalEntry] = []
    fates, ids = _judge_events(events)
    for number, entry in enumerate(head.operations):
        fate = fates.get(number, "unsent")
        rule_id = ids.get(number, entry.rule_id)
        entries.append(msgspec.structs.replace(entry, fate=fate, rule_id=rule_id))
    return OldJournal(head.source, tuple(entries))


def _judge_events(events: Iterable[_Event]) -> tuple[dict[int, Fate], dict[int, str]]:
    """Return the fates of the operations by number, and the ids of created rules likewise."""
    fates: dict[int, Fate] = {}
    ids: dict[int, str] = {}
    for event in events:
        fate = _FATES.get(event.event)
        for number in event.operations if fate else ():
            fates[number] = fate or "unsent"
            if event.rule_id and fate == "acknowledged":
                ids[number] = event.rule_id
    return fates, ids
