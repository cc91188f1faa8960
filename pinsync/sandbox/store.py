"""The customizations of the sandbox, in memory and optionally in a file."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections import deque
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pinsync.errors import FileError
from pinsync.workspace.store import keep_owner_and_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path
    from random import Random

    from pinsync.sandbox.spelling import Row

SERVERS_OWN = ("id", "created_at", "updated_at")
"""The fields that only the server sets."""


class Unknown(Exception):  # noqa: N818 - an answer of the API, not a failure of the sandbox
    """No customization has this id."""


class Conflict(Exception):  # noqa: N818 - likewise
    """The customization ``identifier`` already has the target of a new row.

    Args:
        identifier: the stored customization.
        index: the place of the new row among several.
    """

    def __init__(self, identifier: str, index: int | None = None) -> None:
        super().__init__(identifier, index)
        self.identifier = identifier
        self.index = index


class Store:
    """Customizations by id, changed one at a time; safe to use from several threads.

    Args:
        rows: the first customizations, unless the file exists. A row without an id gets one.
        file: a JSON export (``{"results": [...]}``), read at the start and rewritten, atomically,
            at every change.
        clock: returns the moment of a change.
        random: makes the new ids.
        memory: the seconds for which earlier states can be read.

    Raises:
        FileError: the file can't be read or written, or isn't a JSON export.
        ValueError: two rows have one id.
    """

    def __init__(
        self,
        rows: Iterable[Mapping[str, Any]],
        *,
        file: Path | None,
        clock: Callable[[], datetime],
        random: Random,
        memory: float = 0.0,
    ) -> None:
        self._file = file
        self._clock = clock
        self._random = random
        self._lock = threading.RLock()
        self._rows: dict[str, Row] = {}
        self._past = _Past(memory)
        self._owners = _Owners()
        self._given_ids: set[str] = set()
        if file is not None and file.exists():
            rows = _read(file)
        first: dict[str, Row] = {}
        for row in rows:
            identifier = row["id"] if "id" in row else self._make_id()
            if identifier in first:
                raise ValueError(f"two customizations with the id {identifier!r}")
            first[identifier] = {"id": identifier, **deepcopy(dict(row))}
        self._given_ids.update(first)
        self._save(first)
        for row in first.values():
            self._owners.change(None, row)

    def list_rows(self, age: float = 0.0) -> list[Row]:
        """Return the customizations of ``age`` seconds ago themselves, not copies."""
        with self._lock:
            return list(self._recall(age).values())

    def get(self, identifier: str, age: float = 0.0) -> Row:
        """Return a customization of ``age`` seconds ago itself, not a copy.

        Raises:
            Unknown: there was none.
        """
        with self._lock:
            rows = self._recall(age)
            if identifier not in rows:
                raise Unknown(identifier)
            return rows[identifier]

    def create(self, row: Mapping[str, Any], *, is_unique: bool = False) -> Row:
        """Store a customization under a new id, without its `SERVERS_OWN`; return it whole.

        Args:
            row: the customization.
            is_unique: refuse a model and target that another customization has.

        Raises:
            Conflict: the target is taken.
        """
        with self._lock:
            if is_unique:
                self._raise_if_taken(row)
            stored = self._stamp(self._make_id(), row)
            self._change({stored["id"]: stored})
            return stored

    def replace(
        self,
        identifier: str,
        row: Mapping[str, Any],
        *,
        kept: Collection[str] = (),
        is_unique: bool = False,
    ) -> Row:
        """Replace a customization and return it whole.

        Args:
            identifier: the customization's id.
            row: the new fields.
            kept: the fields that stay as they are stored.
            is_unique: refuse a new target that another customization has.

        Raises:
            Unknown: there is no such customization.
            Conflict: the new target is taken.
        """
        with self._lock:
            before = self.get(identifier)
            if is_unique and _build_target_key(row) != _build_target_key(before):
                self._raise_if_taken(row)
            content = {name: value for name, value in row.items() if name not in kept}
            content |= {name: before[name] for name in kept if name in before}
            stored = self._stamp(identifier, content, before)
            self._change({identifier: stored})
            return stored

    def delete(self, identifier: str) -> None:
        """Remove a customization; raise `Unknown` if there is none."""
        with self._lock:
            self.get(identifier)
            self._change({identifier: None})

    def create_all(
        self,
        rows: Iterable[Mapping[str, Any]],
        strategy: str | None,
        *,
        is_atomic: bool = True,
    ) -> None:
        """Store several customizations.

        Args:
            rows: the customizations, without ids.
            strategy: for a row whose model and target are taken: ``raise`` a `Conflict`, ``ignore``
                the row, or ``override`` the stored customization, which keeps its id. None stores
                the row beside it.
            is_atomic: store nothing if there is a `Conflict`, rather than the rows before it.
        """
        with self._lock:
            changes: dict[str, Row | None] = {}
            # The targets of this call: rows of one call conflict with one another.
            owners: dict[str, Row] = {}
            for index, new in enumerate(rows):
                target = _build_target_key(new)
                owner = None
                if strategy is not None:
                    owner = owners.get(target) or self._find_owner(target)
                if owner is None:
                    stored = self._stamp(self._make_id(), new)
                elif strategy == "raise":
                    if not is_atomic:
                        self._change(changes)
                    raise Conflict(owner["id"], index)
                elif strategy == "override":
                    stored = self._stamp(owner["id"], new, owner)
                else:
                    continue
                changes[stored["id"]] = stored
                owners[target] = stored
            self._change(changes)

    def _find_owner(self, target: str) -> Row | None:
        identifier = self._owners.find(target)
        return None if identifier is None else self._rows[identifier]

    def _raise_if_taken(self, row: Mapping[str, Any]) -> None:
        owner = self._owners.find(_build_target_key(row))
        if owner is not None:
            raise Conflict(owner)

    def _recall(self, age: float) -> dict[str, Row]:
        if age == 0:
            return self._rows
        return self._past.find(self._clock() - timedelta(seconds=age), self._rows)

    def _stamp(self, identifier: str, row: Mapping[str, Any], before: Row | None = None) -> Row:
        now = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        content = deepcopy({name: value for name, value in row.items() if name not in SERVERS_OWN})
        created = now if before is None else before.get("created_at", now)
        return {"id": identifier, **content, "created_at": created, "updated_at": now}

    def _make_id(self) -> str:
        # A seed begins anew in each run, while a state file keeps the ids of earlier runs.
        while True:
            identifier = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
            if identifier not in self._given_ids:
                self._given_ids.add(identifier)
                return identifier

    def _change(self, changes: Mapping[str, Row | None]) -> None:
        """Store the changed customizations by their ids; None removes one."""
        before = self._rows
        # A copy, since readers and `_past` hold the old rows.
        after = dict(before)
        for identifier, row in changes.items():
            if row is None:
                del after[identifier]
            else:
                after[identifier] = row
        self._save(after)
        self._past.add(self._clock(), before)
        for identifier, row in changes.items():
            self._owners.change(before.get(identifier), row)

    def _save(self, rows: dict[str, Row]) -> None:
        # The file first: if it can't be written, memory keeps the old customizations too.
        if self._file is not None:
            _write(self._file, list(rows.values()))
        self._rows = rows


class _Owners:
    """The customizations of each target, the first one first: stored ones may share a target."""

    def __init__(self) -> None:
        self._by_target: dict[str, dict[str, None]] = {}

    def find(self, target: str) -> str | None:
        """Return the id of the first customization with a target."""
        return next(iter(self._by_target.get(target, ())), None)

    def change(self, before: Row | None, after: Row | None) -> None:
        """Note that a customization was replaced, created (``before`` is None) or removed."""
        old = None if before is None else _build_target_key(before)
        new = None if after is None else _build_target_key(after)
        # A customization keeps its turn as long as it keeps its target.
        if old == new:
            return
        if before is not None and old is not None:
            del self._by_target[old][before["id"]]
        if after is not None and new is not None:
            self._by_target.setdefault(new, {})[after["id"]] = None


class _Past:
    """The states that changes replaced, for some seconds.

    Args:
        memory: the seconds.
    """

    def __init__(self, memory: float) -> None:
        self._memory = timedelta(seconds=memory)
        self._states: deque[tuple[datetime, dict[str, Row]]] = deque()

    def add(self, now: datetime, rows: dict[str, Row]) -> None:
        """Keep a state that was replaced at ``now``."""
        self._states.append((now, rows))
        while self._states and self._states[0][0] <= now - self._memory:
            self._states.popleft()

    def find(self, moment: datetime, current: dict[str, Row]) -> dict[str, Row]:
        """Return the state at a moment; the ``current`` one if no later change is remembered."""
        for replaced_at, rows in self._states:
            if replaced_at > moment:
                return rows
        return current


def _build_target_key(row: Mapping[str, Any]) -> str:
    names = ("model", "target_type", "target_identity", "target_criteria")
    # An empty value counts as an absent one.
    return json.dumps([row.get(name) or None for name in names], sort_keys=True)


def _read(file: Path) -> list[Row]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise FileError(f"can't be read: {error.strerror}", source=str(file)) from error
    except (ValueError, RecursionError) as error:
        hint = "remove it to begin anew"
        raise FileError(f"isn't JSON: {error}", source=str(file), hint=hint) from error
    rows = content.get("results") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(_has_id(row) for row in rows):
        hint = 'expected is {"results": [...]}, each with an id; remove the file to begin anew'
        raise FileError("isn't an export of customizations", source=str(file), hint=hint)
    if len({row["id"] for row in rows}) < len(rows):
        raise FileError("has two customizations with one id", source=str(file))
    return rows


def _has_id(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str)


def _write(file: Path, rows: list[Row]) -> None:
    # In the same folder, since replace() is atomic within one file system only.
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(json.dumps({"results": rows}, indent=2) + "\n", encoding="utf-8")
        if file.exists():
            keep_owner_and_mode(draft, file.stat())
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise FileError(f"can't be written: {error.strerror}", source=str(file)) from error
