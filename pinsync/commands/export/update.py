"""What an export makes of a tracker's documents; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pinsync import compare, document, layout
from pinsync.errors import FileError, SafetyError
from pinsync.model import EVERYTHING, Customization, Scope, Snapshot
from pinsync.reports.values import plural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.compare import Kind, Pair
    from pinsync.config.records import Safety, Tracker
    from pinsync.document import Document, Entry


class Kept(NamedTuple):
    """A customization without an id that stays as it is: where it stands, why, and what to do about it."""

    source: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Update:
    """A tracker's documents on the way from what they hold to what is live.

    Attributes:
        tracker: whose.
        folder: where its documents lie.
        files: path → new text, or None where a file goes; what isn't in it stays byte for byte.
        created: those of the paths at which there is no document yet.
        pairs: what belongs together and is in scope, unchanged ones included.
        kept: the customizations without an id that stay as they are.
        new: the customizations of those files.
        existing: how many customizations with an id there were before, in scope or not.
        answered: how many the answer has.
    """

    tracker: Tracker
    folder: PurePosixPath
    files: Mapping[PurePosixPath, bytes | None]
    created: Collection[PurePosixPath]
    pairs: Sequence[Pair]
    kept: Sequence[Kept]
    new: Sequence[Customization]
    existing: int
    answered: int

    def counts(self) -> Counter[Kind]:
        """Return how many customizations are of each kind of change."""
        return Counter(pair.kind for pair in self.pairs if pair.kind is not None)

    def summary(self, where: str, *, would: str = "") -> str:
        """Return the line that a person reads.

        Args:
            where: ``in`` which folder or ``on`` which branch, the end of the line.
            would: stands before what isn't done.
        """
        counts = self.counts()
        changes = [f"{counts[kind]} {kind}" for kind in compare.KINDS if kind != "recreated" or counts[kind]]
        removed = sum(text is None for text in self.files.values())
        written = sum(path in self.created for path in self.files)
        counted = ((written, "written"), (len(self.files) - written - removed, "rewritten"), (removed, "removed"))
        done = [(count, what) for count, what in counted if count]
        parts = [f"{count if at else plural(count, 'file')} {would}{what}" for at, (count, what) in enumerate(done)]
        return f"{self.tracker.name}: {', '.join(changes)} · {', '.join(parts) or 'nothing to write'} {where}"


def update(
    tracker: Tracker, folder: PurePosixPath, documents: Mapping[str, Document], live: Snapshot, scope: Scope
) -> Update:
    """Return what becomes of a tracker's documents.

    Args:
        tracker: whose.
        folder: where its documents lie.
        documents: model → document as it stands.
        live: what the API says, filtered by ``scope`` or not.
        scope: what the export is about; anything else stays as it stands.

    Raises:
        FileError: a new document's place is taken by another model's.
    """
    origins = {id(entry.customization): entry for entry in _entries(documents)}
    matched = compare.match(customizations(documents), live.customizations)
    pairs = matched
    if scope != EVERYTHING:
        pairs = [pair for pair in matched if compare.in_scope(pair.old, scope) or compare.in_scope(pair.new, scope)]
    scoped = {id(pair) for pair in pairs}
    # A document that holds no rule goes, unless a scope leaves everything else as it stands.
    stay = () if scope == EVERYTHING else documents.items()
    states: dict[str, list[tuple[Customization, Entry | None]]] = {
        model: [] for model, read in stay if not read.entries
    }
    kept = []
    for pair in matched:
        origin = origins[id(pair.old)] if pair.old else None
        new = pair.new if id(pair) in scoped else pair.old
        if new is None and pair.old is not None and pair.old.id is None and origin is not None:
            new = pair.old
            kept.append((documents[new.model].source, origin.line, new))
        if new is not None:
            states.setdefault(new.model, []).append((new, origin))
    files = _files(folder, documents, states)
    reported = [pair for pair in pairs if pair.new or (pair.old and pair.old.id is not None)]
    new_items = [item for state in states.values() for item, _ in state]
    existing = sum(item.id is not None for item in customizations(documents))
    places = {PurePosixPath(read.source) for read in documents.values()}
    remarks = list(_remarks(kept, matched, live.customizations))
    answered = len(live.customizations)
    return Update(tracker, folder, files, files.keys() - places, reported, remarks, new_items, existing, answered)


def _remarks(
    kept: Sequence[tuple[str, int, Customization]], matched: Sequence[Pair], live: Sequence[Customization]
) -> Iterator[Kept]:
    """Yield why each customization without an id stays as it is, and what to do about it."""
    if not kept:
        return
    there = Counter((item.model, item.target) for item in live)
    free = Counter((pair.new.model, pair.new.target) for pair in matched if pair.old is None and pair.new)
    for source, line, item in kept:
        key = item.model, item.target
        if free[key] > 1:
            why = "live has several for its target: give it the id of one (an id stands once), or delete it here"
        elif free[key]:
            why = "live has one for its target, but more here lack an id: give it to one of them, or delete them here"
        else:
            none = "no other" if there[key] else "none"
            why = f"live has {none} for its target: enter it in Luigi's Box, or delete it here"
        yield Kept(source, line, f"has no id, and {why}")


def _entries(documents: Mapping[str, Document]) -> Iterable[Entry]:
    return (entry for document in documents.values() for entry in document.entries)


def customizations(documents: Mapping[str, Document]) -> list[Customization]:
    """Return what documents say, in their order."""
    return [entry.customization for entry in _entries(documents)]


def _files(
    folder: PurePosixPath,
    documents: Mapping[str, Document],
    states: Mapping[str, Sequence[tuple[Customization, Entry | None]]],
) -> dict[PurePosixPath, bytes | None]:
    files: dict[PurePosixPath, bytes | None] = {}
    places = {PurePosixPath(read.source): model for model, read in documents.items()}
    for model, state in sorted(states.items()):
        read = documents.get(model)
        path = PurePosixPath(read.source) if read else folder / layout.file_name(model)
        if read is None and path in places:
            message = f"holds the model {places[path]!r}, but is the place of {model!r}"
            hint = f"rename it: git mv {path} {folder / layout.file_name(places[path])}"
            raise FileError(message, source=str(path), hint=hint)
        text = document.merge(read, model, state)
        if text is not None:
            files[path] = text
    return files | {PurePosixPath(documents[model].source): None for model in sorted(documents.keys() - states.keys())}


def check_removals(update: Update, safety: Safety) -> None:
    """Refuse an update that removes too much to be believed.

    Args:
        update: what is about to be written.
        safety: the limits.

    Raises:
        SafetyError: more than the limit is gone, or everything; the message has the numbers.
    """
    existing = update.existing
    gone = sum(pair.kind in ("removed", "recreated") for pair in update.pairs)
    if not gone:
        return
    name, hint = update.tracker.name, "if that is right, run again with --allow-mass-removal"
    if not update.answered:
        raise SafetyError(f"tracker {name}: the answer is empty, but {existing} customizations are here", hint=hint)
    if existing >= safety.min_existing and gone * 100 > safety.max_removed_percent * existing:
        message = f"{gone} of {existing} customizations would go, more than {safety.max_removed_percent} %"
        raise SafetyError(f"tracker {name}: {message} (safety.max_removed_percent)", hint=hint)
