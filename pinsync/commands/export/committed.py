"""What a commit of an export changes, counted from HEAD; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pinsync import compare, sources
from pinsync.commands.export.update import FileCounts, Update
from pinsync.errors import FileError
from pinsync.model import EVERYTHING, Customization, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.commands.places import Changes, Files, TrackerFiles
    from pinsync.normalize import Ignored


def counted_from_head(update: Update, files: TrackerFiles, own: Changes, ignore: Ignored, scope: Scope) -> Update:
    """Return an update whose changes are those of its commit.

    The state before is HEAD and, for files that HEAD lacks, the disk; the state after is HEAD with the files that the
    commit records. A file that a person edited or deleted by hand is in neither.

    Args:
        update: the update of the files on disk.
        files: the texts that it starts from.
        own: path → text that earlier exports wrote (None: removed) and no commit has yet.
        ignore: paths of fields that don't count.
        scope: the scope of the export; files without a rule in it aren't recorded.
    """
    reader = _Reader(update.new, ignore)
    head = {path: text for path, text in files.committed.items() if reader.rules(path, text) is not None}
    before = head | {path: text for path, text in {**files.unchecked, **files.present}.items() if path not in head}
    earlier = {
        path: text
        for path, text in own.items()
        if scope == EVERYTHING or reader.any_in_scope(path, (head.get(path), text), scope)
    }
    recorded = {**earlier, **update.files}
    old = reader.all_rules(before)
    pairs = compare.match(old, reader.all_rules(_applied(recorded, before)))
    committed = pairs
    if before != head:
        committed = compare.match(reader.all_rules(head), reader.all_rules(_applied(recorded, head)))
    return replace(
        update,
        recorded=recorded,
        counts=FileCounts.of({path: text for path, text in recorded.items() if text != before.get(path)}, before),
        pairs=pairs,
        committed=committed,
        existing=sum(item.id is not None for item in old),
    )


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
                found = sources.documents([(path, text)], self._known, self._ignore)
                self._read[text] = [entry.customization for read in found.values() for entry in read.entries]
            except FileError:
                self._read[text] = None
        return self._read[text]

    def all_rules(self, files: Mapping[PurePosixPath, bytes]) -> list[Customization]:
        """Return the customizations of files; of two with one id, as after a move by hand, the first."""
        found: list[Customization] = []
        ids: set[str] = set()
        for path, text in files.items():
            rules = [item for item in self.rules(path, text) or () if item.id is None or item.id not in ids]
            found += rules
            ids.update(item.id for item in rules if item.id is not None)
        return found

    def any_in_scope(self, path: PurePosixPath, texts: Sequence[bytes | None], scope: Scope) -> bool:
        """Tell whether a rule in one of the texts of a file is in a scope."""
        rules = (item for text in texts if text is not None for item in self.rules(path, text) or ())
        return any(compare.in_scope(item, scope) for item in rules)
