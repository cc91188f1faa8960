"""What a commit of an export changes, counted from HEAD; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pinsync.drift.pairs import is_in_scope, match_customizations
from pinsync.errors import FileError, SafetyError
from pinsync.escape import one_line
from pinsync.model import EVERYTHING, Customization, Scope
from pinsync.sync.to_files import FileCounts, Update
from pinsync.workspace.read import read_documents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.canonical.normalize import Ignored
    from pinsync.workspace.tree import Changes, Files, TrackerFiles

    Places = dict[str, set[PurePosixPath]]
    """model or rule, by its kind and name → the files in which it stands."""


def counted_from_head(
    update: Update, files: TrackerFiles, own: Changes, ignore: Ignored, scope: Scope
) -> Update:
    """Return an update whose changes are those of its commit.

    The state before is HEAD and, for files that HEAD lacks, the disk; the state after is HEAD with
    the files that the commit records. A file that a person edited or deleted by hand is in neither.

    Args:
        update: the update of the files on disk.
        files: the texts that it starts from.
        own: path → text that earlier exports wrote (None: removed) and no commit has yet.
        ignore: paths of fields that don't count.
        scope: the scope of the export; files without a rule in it aren't recorded.

    Raises:
        SafetyError: the commit would hold a rule or model twice, or lack it, since somebody moved
            it by hand.
    """
    reader = _Reader(update.new, ignore)
    head = {
        path: text for path, text in files.committed.items() if reader.rules(path, text) is not None
    }
    before = head | {
        path: text
        for path, text in {**files.unchecked, **files.present}.items()
        if path not in head
    }
    earlier = {
        path: text
        for path, text in own.items()
        if scope == EVERYTHING or reader.any_in_scope(path, (head.get(path), text), scope)
    }
    disk = _applied(update.files, {**files.unchecked, **files.present})
    recorded = _complete({**earlier, **update.files}, own, head, disk, reader)
    old = reader.all_rules(before)
    pairs = list(match_customizations(old, reader.all_rules(_applied(recorded, before))))
    committed = pairs
    if before != head:
        committed = list(
            match_customizations(reader.all_rules(head), reader.all_rules(_applied(recorded, head)))
        )
    return replace(
        update,
        recorded=recorded,
        counts=FileCounts.of(
            {path: text for path, text in recorded.items() if text != before.get(path)}, before
        ),
        pairs=pairs,
        committed=committed,
        existing=sum(item.id is not None for item in old),
    )


def find_removed(
    committed: Files, existing: Sequence[Customization], ignore: Ignored
) -> list[Customization]:
    """Return the rules of HEAD's documents whose ids are missing on disk.

    Args:
        committed: the documents of HEAD.
        existing: the rules on disk.
        ignore: paths of fields that don't count.
    """
    ids = {item.id for item in existing} | {None}
    return [item for item in _Reader(existing, ignore).all_rules(committed) if item.id not in ids]


def _complete(
    recorded: Changes, own: Changes, head: Files, disk: Files, reader: _Reader
) -> Changes:
    """Return the files to record, with both files of each rule or model that moved since HEAD.

    Args:
        recorded: path → text, or None to remove the file.
        own: the files that can be added; see `counted_from_head`.
        head: the documents of HEAD.
        disk: the documents on disk after the export.
        reader: reads them.

    Raises:
        SafetyError: somebody changed the other file by hand.
    """
    while (after := _applied(recorded, head)) != disk:
        missing = _find_missing(*(reader.places(files) for files in (head, disk, after)))
        if not missing:
            break
        for path, fault in sorted(missing.items()):
            if path not in own:
                shown = one_line(str(path))
                raise SafetyError(
                    f"the commit would {fault}: {shown} was changed by hand and isn't part of it",
                    hint="commit that change first, or export without --commit",
                )
        recorded = {**recorded, **{path: own[path] for path in missing}}
    return recorded


def _find_missing(head: Places, disk: Places, commit: Places) -> dict[PurePosixPath, str]:
    """Return the files that a commit leaves out although a rule or model moved from or to them, and what follows."""
    missing: dict[PurePosixPath, str] = {}
    for name, paths in commit.items():
        if len(paths) > max(1, len(head.get(name, ()))):
            # The model comes before its rules and says more than they do.
            missing = (
                dict.fromkeys(paths - disk.get(name, set()), f"hold the {name} twice") | missing
            )
    for name in head.keys() & disk.keys() - commit.keys():
        missing = dict.fromkeys(disk[name], f"lack the {name}") | missing
    return missing


def _applied(changes: Changes, files: Files) -> dict[PurePosixPath, bytes]:
    return {path: text for path, text in {**files, **changes}.items() if text is not None}


class _Reader:
    """Reads the rules of single files; equal texts once.

    Args:
        known: customizations whose canonical texts need no reading.
        ignore: paths of fields that don't count.
    """

    def __init__(self, known: Sequence[Customization], ignore: Ignored) -> None:
        self._known = known
        self._ignore = ignore
        self._read: dict[bytes, list[Customization] | None] = {}

    def rules(self, path: PurePosixPath, text: bytes) -> list[Customization] | None:
        """Return the customizations of a file; None if it isn't a document."""
        if text not in self._read:
            try:
                found = read_documents([(path, text)], self._known, self._ignore)
                self._read[text] = [
                    entry.customization for read in found.values() for entry in read.entries
                ]
            except FileError:
                self._read[text] = None
        return self._read[text]

    def all_rules(self, files: Mapping[PurePosixPath, bytes]) -> list[Customization]:
        """Return the customizations of files; of two with one id, as after a move by hand, the first."""
        found: list[Customization] = []
        ids: set[str] = set()
        for path, text in files.items():
            rules = [
                item
                for item in self.rules(path, text) or ()
                if item.id is None or item.id not in ids
            ]
            found += rules
            ids.update(item.id for item in rules if item.id is not None)
        return found

    def places(self, files: Mapping[PurePosixPath, bytes]) -> Places:
        """Return the files in which each model and each rule with an id stands."""
        found: Places = {}
        for path, text in files.items():
            for item in self.rules(path, text) or ():
                found.setdefault(f"model {one_line(item.model)}", set()).add(path)
                if item.id is not None:
                    found.setdefault(f"rule {item.id}", set()).add(path)
        return found

    def any_in_scope(
        self, path: PurePosixPath, texts: Sequence[bytes | None], scope: Scope
    ) -> bool:
        """Tell whether a rule in one of the texts of a file is in a scope."""
        rules = (
            item for text in texts if text is not None for item in self.rules(path, text) or ()
        )
        return any(is_in_scope(item, scope) for item in rules)
