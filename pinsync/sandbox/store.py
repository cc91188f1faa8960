"""The customizations of the sandbox, in memory and optionally in a file."""

from __future__ import annotations

import json
import os
import threading
import uuid
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pinsync.errors import FileError
from pinsync.workspace.store import keep_owner_and_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from random import Random

    from pinsync.sandbox.spelling import Row

SERVERS_OWN = ("id", "created_at", "updated_at")
"""The fields that only the server sets."""


class Unknown(Exception):  # noqa: N818 - an answer of the API, not a failure of the sandbox
    """No customization has this id."""


class Conflict(Exception):  # noqa: N818 - likewise
    """The customization ``identifier`` already has the target of the row at ``index``."""

    def __init__(self, index: int, identifier: str) -> None:
        super().__init__(index, identifier)
        self.index = index
        self.identifier = identifier


class Store:
    """Customizations by id, changed one at a time; safe to use from several threads.

    Args:
        rows: the first customizations, unless the file exists. A row without an id gets one.
        file: a JSON export (``{"results": [...]}``), read at the start and rewritten, atomically,
            at every change.
        clock: returns the moment of a change.
        random: makes the new ids.

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
    ) -> None:
        self._file = file
        self._clock = clock
        self._random = random
        self._lock = threading.RLock()
        self._rows: dict[str, Row] = {}
        if file is not None and file.exists():
            rows = _read(file)
        for row in rows:
            identifier = row["id"] if "id" in row else self._make_id()
            if identifier in self._rows:
                raise ValueError(f"two customizations with the id {identifier!r}")
            self._rows[identifier] = {"id": identifier, **deepcopy(dict(row))}
        self._save(self._rows)

    def list_rows(self) -> list[Row]:
        """Return the stored customizations themselves, not copies: don't change them."""
        with self._lock:
            return list(self._rows.values())

    def get(self, identifier: str) -> Row:
        """Return a stored customization itself, not a copy; raise `Unknown` if there is none."""
        with self._lock:
            if identifier not in self._rows:
                raise Unknown(identifier)
            return self._rows[identifier]

    def create(self, row: Mapping[str, Any]) -> Row:
        """Store a customization under a new id, without its `SERVERS_OWN`; return it whole."""
        with self._lock:
            stored = self._stamp(self._make_id(), row)
            self._save({**self._rows, stored["id"]: stored})
            return stored

    def replace(self, identifier: str, row: Mapping[str, Any]) -> Row:
        """Replace a customization and return it whole; raise `Unknown` if there is none."""
        with self._lock:
            stored = self._stamp(identifier, row, self.get(identifier))
            self._save({**self._rows, identifier: stored})
            return stored

    def delete(self, identifier: str) -> None:
        """Remove a customization; raise `Unknown` if there is none."""
        with self._lock:
            self.get(identifier)
            self._save({key: row for key, row in self._rows.items() if key != identifier})

    def create_all(self, rows: Iterable[Mapping[str, Any]], strategy: str) -> None:
        """Store several customizations, all or none.

        Args:
            rows: the customizations, without ids.
            strategy: for a row whose model and target are taken: ``raise`` a `Conflict`, ``ignore``
                the row, or ``override`` the stored customization, which keeps its id.
        """
        with self._lock:
            changed = dict(self._rows)
            owners: dict[str, str] = {}
            # Stored rules may share a target: then the first one counts as its owner.
            for identifier, row in changed.items():
                owners.setdefault(_build_target_key(row), identifier)
            for index, new in enumerate(rows):
                target = _build_target_key(new)
                owner = owners.get(target)
                if owner is None:
                    stored = self._stamp(self._make_id(), new)
                elif strategy == "raise":
                    raise Conflict(index, owner)
                elif strategy == "override":
                    stored = self._stamp(owner, new, changed[owner])
                else:
                    continue
                changed[stored["id"]] = stored
                owners[target] = stored["id"]
            self._save(changed)

    def _stamp(self, identifier: str, row: Mapping[str, Any], before: Row | None = None) -> Row:
        now = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        content = deepcopy({name: value for name, value in row.items() if name not in SERVERS_OWN})
        created = now if before is None else before.get("created_at", now)
        return {"id": identifier, **content, "created_at": created, "updated_at": now}

    def _make_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _save(self, rows: dict[str, Row]) -> None:
        # The file first: if it can't be written, memory keeps the old customizations too.
        if self._file is not None:
            _write(self._file, list(rows.values()))
        self._rows = rows


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
