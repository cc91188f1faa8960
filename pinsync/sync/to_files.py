"""What an export makes of a tracker's documents; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import itemgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pinsync import layout
from pinsync.document.merge import merge_document, plan_documents
from pinsync.drift.pairs import match_customizations
from pinsync.errors import FileError
from pinsync.model import EVERYTHING, Customization, Scope, Snapshot
from pinsync.sync.basis import customizations, entries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pinsync.config.records import Tracker
    from pinsync.document.merge import DocumentPlan
    from pinsync.drift.pairs import Pair
    from pinsync.sync.basis import Basis
    from pinsync.workspace.tree import Changes, Files


class Kept(NamedTuple):
    """A customization without an id that stays as it is: where it stands, why, and what to do about it."""

    source: str
    line: int
    why: str


class FileCounts(NamedTuple):
    """How many files an export writes where there was none, rewrites, and removes."""

    written: int
    rewritten: int
    removed: int

    @classmethod
    def of(cls, changes: Changes, existing: Collection[PurePosixPath]) -> FileCounts:
        """Return the counts of changes.

        Args:
            changes: path → new text, or None to remove the file.
            existing: the paths of the files that were there before.
        """
        removed = sum(text is None for text in changes.values())
        written = sum(text is not None and path not in existing for path, text in changes.items())
        return cls(written, len(changes) - written - removed, removed)


@dataclass(frozen=True, slots=True)
class Update:
    """The documents of a tracker, from their state before an export to the live state.

    Attributes:
        tracker: the tracker.
        folder: the folder of its documents.
        files: path → new text, or None to remove the file; every other file stays byte for byte.
        on_disk: path → the bytes of those files that are there now.
        counts: how many files change.
        pairs: the customizations before and after, unchanged ones included: those in scope. With
            ``--commit``, before is HEAD.
        kept: the customizations without an id that stay as they are.
        new: the customizations of the documents afterwards.
        existing: how many customizations with an id there were before, in scope or not; with
            ``--commit``, in HEAD.
        answered: how many customizations the answer has.
        recorded: with ``--commit``, the files that the commit records: path → text, or None to
            remove the file.
        committed: with ``--commit``, the customizations in HEAD and in the commit.
    """

    tracker: Tracker
    folder: PurePosixPath
    files: Changes
    on_disk: Files
    counts: FileCounts
    pairs: Sequence[Pair]
    kept: Sequence[Kept]
    new: Sequence[Customization]
    existing: int
    answered: int
    recorded: Changes = field(default_factory=dict)
    committed: Sequence[Pair] = ()


def plan_update(
    tracker: Tracker, folder: PurePosixPath, basis: Basis, live: Snapshot, scope: Scope
) -> Update:
    """Return what becomes of a tracker's documents.

    Args:
        tracker: the tracker.
        folder: the folder of its documents.
        basis: the documents before.
        live: the answer of the API, filtered by ``scope`` or not.
        scope: the scope of the export; a rule outside of it stays as it is.

    Raises:
        FileError: the place of a new document is taken by another model.
    """
    documents = basis.documents
    matched = list(match_customizations(customizations(documents), live.customizations))
    pairs: list[Pair] = []
    after: list[Customization | None] = []
    new: list[Customization] = []
    kept: list[tuple[str, int, Customization]] = []
    # The pairs begin with those of the documents' customizations, in their order.
    for pair, block in zip_longest(matched, entries(documents)):
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
            # A rule without an id that somebody deleted with its file is not for an export to bring
            # back.
            if PurePosixPath(source) not in basis.deleted:
                item = block.customization
                kept.append((source, block.line, item))
        after.append(item)
    outcomes = plan_documents(documents, after, new)
    for model, read in documents.items():
        # A document that holds no rule goes, unless a scope leaves everything else as it stands.
        stands = scope != EVERYTHING and not read.entries
        if not outcomes[model].customizations and not stands:
            del outcomes[model]
    models = {side.model for pair in pairs for side in pair.sides}
    files = _files(folder, basis, outcomes, models)
    existing = {PurePosixPath(read.source) for read in documents.values()}.difference(basis.deleted)
    return Update(
        tracker=tracker,
        folder=folder,
        files=files,
        on_disk={path: basis.on_disk[path] for path in files if path in basis.on_disk},
        counts=FileCounts.of(files, existing),
        pairs=[pair for pair in pairs if pair.new or (pair.old and pair.old.id is not None)],
        kept=list(_remarks(kept, matched, live.customizations)),
        new=[item for outcome in outcomes.values() for item in outcome.customizations],
        existing=sum(item.id is not None for item in customizations(documents)),
        answered=len(live.customizations),
    )


def _remarks(
    kept: Sequence[tuple[str, int, Customization]],
    matched: Sequence[Pair],
    live: Sequence[Customization],
) -> Iterator[Kept]:
    """Yield why each customization without an id stays as it is, and what to do about it."""
    if not kept:
        return
    there = Counter((item.model, item.target) for item in live)
    free = Counter(
        (pair.new.model, pair.new.target) for pair in matched if pair.old is None and pair.new
    )
    for source, line, item in kept:
        key = item.model, item.target
        if free[key] > 1:
            why = (
                "live has several for its target: give it the id of one (an id stands once), or "
                "delete it here"
            )
        elif free[key]:
            why = (
                "live has one for its target, but more here lack an id: give it to one of them, "
                "or delete them here"
            )
        else:
            none = "no other" if there[key] else "none"
            why = f"live has {none} for its target: enter it in Luigi's Box, or delete it here"
        yield Kept(source, line, f"has no id, and {why}")


def _files(
    folder: PurePosixPath,
    basis: Basis,
    outcomes: Mapping[str, DocumentPlan],
    models: Collection[str],
) -> dict[PurePosixPath, bytes | None]:
    """Return the new texts of the documents, by path.

    Args:
        folder: where new documents go.
        basis: the documents before.
        outcomes: model → what its document is to hold.
        models: the models with a rule in scope: only their deleted documents are written again.
    """
    files: dict[PurePosixPath, bytes | None] = {}
    documents = basis.documents
    places = {PurePosixPath(read.source): model for model, read in documents.items()}
    for model, outcome in sorted(outcomes.items(), key=itemgetter(0)):
        read = documents.get(model)
        path = PurePosixPath(read.source) if read else folder / layout.build_file_name(model)
        if read is None and path in places:
            message = f"holds the model {places[path]!r}, but is the place of {model!r}"
            hint = f"rename it: git mv {path} {folder / layout.build_file_name(places[path])}"
            raise FileError(message, source=str(path), hint=hint)
        text = merge_document(read, model, outcome)
        if text is None and read and path in basis.deleted and model in models:
            text = read.text() if read.original is None else read.original
        if text is not None:
            files[path] = text
    gone = sorted(documents.keys() - outcomes.keys())
    return files | {PurePosixPath(documents[model].source): None for model in gone}
