"""Export only the rules that a person chose; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pinsync.drift.changes import build_change
from pinsync.drift.pairs import build_sort_key, collect_ids
from pinsync.drift.record import Place
from pinsync.model import Scope
from pinsync.sync.basis import list_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.drift.pairs import Pair
    from pinsync.drift.record import Change
    from pinsync.model import Managed
    from pinsync.sync.basis import Basis
    from pinsync.sync.to_files import Update


def list_written_changes(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes that an export writes.

    Args:
        changes: the changes from git to the shop.
    """
    for change in changes:
        # An export keeps a block without an id that the shop lacks, whatever people decide.
        if change.new is not None or change.id is not None:
            yield change


def build_chosen_scope(chosen: Iterable[Change], managed: Managed) -> Scope:
    """Return the scope of an export of some rules.

    Args:
        chosen: the changes from git to the shop, at least one.
        managed: the managed rules.
    """
    ids: set[str] = set()
    for change in chosen:
        ids |= collect_ids(change.pair.sides)
    if not ids:
        # A scope without ids is a scope of all rules.
        raise ValueError("nothing is chosen")
    # Without the filters of the command line: the chosen rules passed them, some by the side that
    # has no id.
    return Scope(ids=tuple(sorted(ids)), managed=managed)


def add_places(changes: Iterable[Change], basis: Basis) -> Iterator[Change]:
    """Yield changes from git to the shop with their places in git's documents.

    Args:
        changes: the changes.
        basis: the documents.
    """
    blocks = list_blocks(basis.documents)
    for change in changes:
        place = None
        if change.pair.old_index is not None:
            block = blocks[change.pair.old_index]
            document = basis.documents[block.customization.model]
            place = Place(document.source, block.line)
        yield replace(change, place=place)


def list_changes(update: Update, *, commits: bool) -> list[Change]:
    """Return the changes of rules that an update makes, sorted.

    Args:
        update: the update.
        commits: whether the update is committed. The commit may hold changes of an earlier export.
    """
    pairs: Sequence[Pair] = update.committed if commits else update.pairs
    changes = [build_change(pair, pair.kind) for pair in pairs if pair.kind]
    return sorted(changes, key=lambda change: build_sort_key(change.subject))
