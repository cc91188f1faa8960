"""Plan the changes of an export in a tracker's documents; pure."""

from __future__ import annotations

from collections import Counter
from itertools import chain, zip_longest
from operator import itemgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from pinsync import layout
from pinsync.document.merge import merge_document, plan_documents
from pinsync.drift.pairs import is_managed, match_customizations
from pinsync.errors import FileError
from pinsync.model import EVERYTHING, Customization, Scope, Snapshot, Target
from pinsync.sync.basis import list_blocks, list_customizations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.config.records import Tracker
    from pinsync.document.merge import DocumentPlan
    from pinsync.drift.pairs import Pair
    from pinsync.model import Managed
    from pinsync.sync.basis import Basis
    from pinsync.workspace.tree import Changes, Files


class KeptRule(NamedTuple):
    """A customization without an id that the export leaves as it is.

    Attributes:
        source: the path of its document.
        line: its first line.
        why: the reason, and the remedy.
    """

    source: str
    line: int
    why: str


class FileCounts(NamedTuple):
    """The numbers of files that an export creates, changes and removes."""

    # The report of an export prints these names.
    written: int
    rewritten: int
    removed: int

    @classmethod
    def count_changes(cls, changes: Changes, existing: Collection[PurePosixPath]) -> FileCounts:
        """Count changes.

        Args:
            changes: path → new text, or None to remove the file.
            existing: the paths of the files before the export.
        """
        written = rewritten = removed = 0
        for path, text in changes.items():
            if text is None:
                removed += 1
            elif path in existing:
                rewritten += 1
            else:
                written += 1
        return cls(written, rewritten, removed)


class Update(Struct, frozen=True):
    """The documents of a tracker, from their state before an export to the live state.

    Attributes:
        tracker: the tracker.
        folder: the folder of its documents.
        files: path → new text, or None to remove the file; every other file stays byte for byte.
        on_disk: path → current bytes, for the files of ``files`` that exist.
        counts: the numbers of files that change.
        pairs: the customizations in scope before and after, unchanged ones included. With
            ``--commit``, HEAD is the state before, and all customizations of the files count.
        kept: the customizations without an id that stay as they are.
        new: the customizations of the documents afterwards.
        existing: the number of managed customizations with an id before, in the filters or not;
            with ``--commit``, in HEAD.
        live: the answer.
        recorded: with ``--commit``, the files of the commit: path → text, or None to remove the
            file.
        committed: with ``--commit``, the customizations in HEAD and in the commit.
    """

    tracker: Tracker
    folder: PurePosixPath
    files: Changes
    on_disk: Files
    counts: FileCounts
    pairs: Sequence[Pair]
    kept: Sequence[KeptRule]
    new: Sequence[Customization]
    existing: int
    live: Sequence[Customization]
    recorded: Changes = field(default_factory=dict)
    committed: Sequence[Pair] = ()


def plan_update(
    tracker: Tracker, folder: PurePosixPath, basis: Basis, live: Snapshot, scope: Scope
) -> Update:
    """Return the update that makes a tracker's documents equal to its live customizations.

    Args:
        tracker: the tracker.
        folder: the folder of its documents.
        basis: the documents before.
        live: the answer of the API, filtered by ``scope`` or not.
        scope: the filters and the managed rules; a rule outside of them stays as it is.

    Raises:
        FileError: the place of a new document is taken by another model.
    """
    documents = basis.documents
    before = list_customizations(documents)
    matched = list(match_customizations(before, live.customizations, scope.managed))
    pairs: list[Pair] = []
    after: list[Customization | None] = []
    new: list[Customization] = []
    kept: list[tuple[str, int, Customization]] = []
    # The pairs of the documents' customizations come first and in their order, so each block meets
    # its pair. The other pairs have no block.
    for pair, block in zip_longest(matched, list_blocks(documents)):
        is_inside = pair.is_in(scope)
        if is_inside:
            pairs.append(pair)
        item = pair.new if is_inside else pair.old
        if block is None:
            if item is not None:
                new.append(item)
            continue
        if item is None and block.customization.id is None:
            source = documents[block.customization.model].source
            # An export doesn't bring back a rule without an id from a file that a person deleted.
            if PurePosixPath(source) not in basis.deleted:
                item = block.customization
                kept.append((source, block.line, item))
        after.append(item)
    plans = plan_documents(documents, after, new)
    for model, read in documents.items():
        # A document without rules is removed. Under a filter, a document that had none stays.
        stays = scope != EVERYTHING and not read.entries
        if not plans[model].customizations and not stays:
            del plans[model]
    sides = chain.from_iterable(pair.sides for pair in pairs)
    files = _build_files(folder, basis, plans, {side.model for side in sides})
    existing = {PurePosixPath(read.source) for read in documents.values()}.difference(basis.deleted)
    return Update(
        tracker=tracker,
        folder=folder,
        files=files,
        on_disk={path: basis.on_disk[path] for path in files if path in basis.on_disk},
        counts=FileCounts.count_changes(files, existing),
        pairs=[pair for pair in pairs if pair.new or (pair.old and pair.old.id is not None)],
        kept=list(_explain_kept_rules(kept, matched, live.customizations, scope.managed)),
        new=list(chain.from_iterable(plan.customizations for plan in plans.values())),
        existing=count_existing(matched, scope.managed),
        live=live.customizations,
    )


def count_existing(pairs: Iterable[Pair], managed: Managed) -> int:
    """Return the number of managed customizations with an id on the old side of pairs."""
    scope = EVERYTHING.restrict_to(managed)
    known = [pair for pair in pairs if pair.old and pair.old.id is not None]
    return sum(pair.is_in(scope) for pair in known)


def _explain_kept_rules(
    kept: Sequence[tuple[str, int, Customization]],
    matched: Sequence[Pair],
    live: Sequence[Customization],
    managed: Managed,
) -> Iterator[KeptRule]:
    """Yield the reason and the remedy for each customization without an id that stays as it is."""
    if not kept:
        return
    all_targets: set[tuple[str, Target]] = set()
    foreign_targets: set[tuple[str, Target]] = set()
    for item in live:
        targets = all_targets if is_managed(item, managed) else foreign_targets
        targets.add(_build_target_key(item))
    unpaired_targets: Counter[tuple[str, Target]] = Counter()
    for pair in matched:
        if pair.old is None and pair.new and is_managed(pair.new, managed):
            unpaired_targets[_build_target_key(pair.new)] += 1
    for source, line, item in kept:
        key = _build_target_key(item)
        if unpaired_targets[key] > 1:
            why = (
                "live has several for its target: give it the id of one of them (each id may "
                "stand only once), or delete it here"
            )
        elif unpaired_targets[key]:
            why = (
                "live has one for its target, but more here lack an id: give it to one of them, "
                "or delete them here"
            )
        elif key in foreign_targets:
            why = (
                "live has one for its target that isn't managed (`manages` in pinsync.yaml): give "
                "it one of the managed tags in Luigi's Box, or delete this one"
            )
        else:
            none = "no other" if key in all_targets else "none"
            why = f"live has {none} for its target: run pinsync apply, or delete it here"
        yield KeptRule(source, line, f"has no id, and {why}")


def _build_target_key(item: Customization) -> tuple[str, Target]:
    return item.model, item.target


def _build_files(
    folder: PurePosixPath,
    basis: Basis,
    plans: Mapping[str, DocumentPlan],
    models: Collection[str],
) -> dict[PurePosixPath, bytes | None]:
    """Return the changes of files: path → new text, or None to remove the file.

    Args:
        folder: the folder of new documents.
        basis: the documents before.
        plans: model → plan of its document.
        models: the models with a rule in scope: only their deleted documents are written again.
    """
    files: dict[PurePosixPath, bytes | None] = {}
    documents = basis.documents
    places = {PurePosixPath(read.source): model for model, read in documents.items()}
    for model, plan in sorted(plans.items(), key=itemgetter(0)):
        read = documents.get(model)
        path = PurePosixPath(read.source) if read else folder / layout.build_file_name(model)
        if read is None and path in places:
            message = f"holds the model {places[path]!r}, but is the place of {model!r}"
            hint = f"rename it: git mv {path} {folder / layout.build_file_name(places[path])}"
            raise FileError(message, source=str(path), hint=hint)
        text = merge_document(read, model, plan)
        # An unchanged text has to be written too, if a person deleted the file.
        if text is None and read and path in basis.deleted and model in models:
            text = read.render() if read.original is None else read.original
        if text is not None:
            files[path] = text
    for model in sorted(documents.keys() - plans.keys()):
        files[PurePosixPath(documents[model].source)] = None
    return files
