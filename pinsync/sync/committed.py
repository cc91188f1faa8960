"""Plan the commit of an export, and count its changes from HEAD; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pinsync.drift.pairs import collect_ids, is_in_filters, is_managed, match_customizations
from pinsync.errors import FileError, SafetyError
from pinsync.escape import one_line
from pinsync.model import EVERYTHING, Customization, Scope
from pinsync.sync.basis import list_customizations
from pinsync.sync.to_files import FileCounts, Update, count_existing
from pinsync.workspace.read import parse_documents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.canonical.normalize import Ignored
    from pinsync.workspace.tree import Changes, Files, TrackerFiles

    Places = dict[str, set[PurePosixPath]]
    """``model NAME`` or ``rule ID`` → the files that hold it."""


def count_from_head(
    update: Update, files: TrackerFiles, own: Changes, ignore: Ignored, scope: Scope
) -> Update:
    """Return the update with the files of its commit, and with the changes of the commit.

    The state before is HEAD; for files that HEAD lacks, the disk. The state after is HEAD with the
    files of the commit. Neither state has the changes that a person made by hand on disk.

    Args:
        update: the update of the files on disk.
        files: the files before the update.
        own: path → text that earlier exports wrote (None: removed) and no commit has yet.
        ignore: the paths of ignored fields.
        scope: the scope of the export; the commit has no files without a rule in it.

    Raises:
        SafetyError: the commit would hold a rule or model twice, or lack it, because a person moved
            it by hand.
    """
    reader = _Reader(update.new, ignore)
    existing = {**files.unchecked, **files.present}
    head = _select_documents(files.committed, reader)
    before = dict(head)
    for path, content in existing.items():
        before.setdefault(path, content)
    earlier: dict[PurePosixPath, bytes | None] = {}
    for path, text in own.items():
        texts = (head.get(path), text)
        if scope == EVERYTHING or reader.has_rule_in_scope(path, texts, scope):
            earlier[path] = text
    disk = _apply_changes(update.files, existing)
    recorded = _complete_moves({**earlier, **update.files}, own, head, disk, reader)
    old = reader.read_all_rules(before)
    new = reader.read_all_rules(_apply_changes(recorded, before))
    pairs = list(match_customizations(old, new, scope.managed))
    committed = pairs
    if before != head:
        old_in_head = reader.read_all_rules(head)
        new_in_head = reader.read_all_rules(_apply_changes(recorded, head))
        committed = list(match_customizations(old_in_head, new_in_head, scope.managed))
    changes = {path: text for path, text in recorded.items() if text != before.get(path)}
    return replace(
        update,
        recorded=recorded,
        counts=FileCounts.count_changes(changes, before),
        pairs=pairs,
        committed=committed,
        existing=count_existing(pairs, scope.managed),
    )


def _select_documents(files: Files, reader: _Reader) -> dict[PurePosixPath, bytes]:
    """Return the files that can be read as documents."""
    return {path: text for path, text in files.items() if reader.read_rules(path, text) is not None}


def find_removed_rules(
    committed: Files, existing: Sequence[Customization], ignore: Ignored
) -> list[Customization]:
    """Return the rules of HEAD's documents whose ids are missing on disk.

    Args:
        committed: the documents of HEAD.
        existing: the rules on disk.
        ignore: the paths of ignored fields.
    """
    # A rule without an id can't be found again on disk.
    ids = {None, *collect_ids(existing)}
    rules = _Reader(existing, ignore).read_all_rules(committed)
    return [item for item in rules if item.id not in ids]


def _complete_moves(
    recorded: Changes, own: Changes, head: Files, disk: Files, reader: _Reader
) -> Changes:
    """Return the files to record, with both files of each rule or model that moved since HEAD.

    Args:
        recorded: path → text, or None to remove the file.
        own: the files that may be added; see `count_from_head`.
        head: the documents of HEAD.
        disk: the documents on disk after the export.
        reader: reads the documents.

    Raises:
        SafetyError: a person changed the other file by hand.
    """
    # An added file may hold further rules that moved, so the search is repeated.
    while (after := _apply_changes(recorded, head)) != disk:
        missing = _find_missing_files(
            reader.find_places(head), reader.find_places(disk), reader.find_places(after)
        )
        if not missing:
            break
        for path, fault in sorted(missing.items()):
            if path not in own:
                name = one_line(str(path))
                raise SafetyError(
                    f"the commit would {fault}: {name} was changed by hand and isn't part of it",
                    hint="commit that change first, or export without --commit",
                )
        recorded = {**recorded, **{path: own[path] for path in missing}}
    return recorded


def _find_missing_files(head: Places, disk: Places, commit: Places) -> dict[PurePosixPath, str]:
    """Return the files that a commit omits though a rule or model moved, with the consequence."""
    missing: dict[PurePosixPath, str] = {}
    for name, paths in commit.items():
        if len(paths) > max(1, len(head.get(name, ()))):
            found = dict.fromkeys(paths - disk.get(name, set()), f"hold the {name} twice")
            # The model of a file comes before its rules, and says more: its message wins.
            missing = found | missing
    for name in head.keys() & disk.keys() - commit.keys():
        missing = dict.fromkeys(disk[name], f"lack the {name}") | missing
    return missing


def _apply_changes(changes: Changes, files: Files) -> dict[PurePosixPath, bytes]:
    return {path: text for path, text in {**files, **changes}.items() if text is not None}


class _Reader:
    """Reads the rules of single files; equal texts once.

    Args:
        known: customizations whose canonical texts need no parsing.
        ignore: the paths of ignored fields.
    """

    def __init__(self, known: Sequence[Customization], ignore: Ignored) -> None:
        self._known = known
        self._ignore = ignore
        # Most files are the same in HEAD, on disk and in the commit.
        self._rules: dict[bytes, list[Customization] | None] = {}

    def read_rules(self, path: PurePosixPath, text: bytes) -> list[Customization] | None:
        """Return the customizations of a file; None if the file isn't a document."""
        if text not in self._rules:
            try:
                documents = parse_documents([(path, text)], self._known, self._ignore)
                self._rules[text] = list_customizations(documents)
            except FileError:
                self._rules[text] = None
        return self._rules[text]

    def read_all_rules(self, files: Mapping[PurePosixPath, bytes]) -> list[Customization]:
        """Return the customizations of files; only the first one with each id."""
        rules: list[Customization] = []
        ids: set[str] = set()
        for path, text in files.items():
            # After a move by hand, two files may hold the same id.
            added = [item for item in self.read_rules(path, text) or () if item.id not in ids]
            rules += added
            ids |= collect_ids(added)
        return rules

    def find_places(self, files: Mapping[PurePosixPath, bytes]) -> Places:
        """Return the files that hold each model and each rule with an id."""
        places: Places = {}
        for path, text in files.items():
            for item in self.read_rules(path, text) or ():
                places.setdefault(f"model {one_line(item.model)}", set()).add(path)
                if item.id is not None:
                    places.setdefault(f"rule {item.id}", set()).add(path)
        return places

    def has_rule_in_scope(
        self, path: PurePosixPath, texts: Sequence[bytes | None], scope: Scope
    ) -> bool:
        """Whether a rule in one of the texts of a file is in a scope."""
        for text in texts:
            if text is None:
                continue
            for item in self.read_rules(path, text) or ():
                if is_in_filters(item, scope) and is_managed(item, scope.managed):
                    return True
        return False
