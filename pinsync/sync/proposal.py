"""What a branch proposes already, and how it stays proposed beside what an export under a filter brings; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pinsync.drift.pairs import is_in_scope
from pinsync.model import EVERYTHING, Customization, Scope, Snapshot
from pinsync.sync.basis import Basis, customizations
from pinsync.sync.to_files import Update, plan_update

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.config.records import Tracker
    from pinsync.document.record import Document


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a branch proposes of one tracker.

    Attributes:
        rules: id → the customization, or None where it goes; of those that HEAD has as they were
            before.
        lost: the ids of more that it proposes, which HEAD has in a third state by now.
    """

    rules: Mapping[str, Customization | None] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()


def find_standing(
    head: Iterable[Customization],
    parent: Iterable[Customization],
    proposed: Iterable[Customization],
) -> Proposed:
    """Return what still stands of a proposal: three states of a tracker's rules, compared by id.

    Args:
        head: what is committed now.
        parent: what was committed when the proposal was made.
        proposed: what it made of that.
    """
    now, old, new = (
        {item.id: item for item in side if item.id is not None} for side in (head, parent, proposed)
    )
    changed = [name for name in {**old, **new} if not _same(old.get(name), new.get(name))]
    rules = {name: new.get(name) for name in changed if _same(now.get(name), old.get(name))}
    lost = (
        name for name in changed if name not in rules and not _same(now.get(name), new.get(name))
    )
    return Proposed(rules, frozenset(lost))


def _same(one: Customization | None, other: Customization | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.model, one.text) == (other.model, other.text)


def collect_ids(found: Update | None) -> set[str]:
    """Return the ids of the rules that an export is about."""
    return (
        {side.id for pair in found.pairs for side in pair.sides if side.id is not None}
        if found
        else set()
    )


def plan_beside(
    tracker: Tracker,
    folder: PurePosixPath,
    documents: Mapping[str, Document],
    rules: Mapping[str, Customization | None],
    found: Update | None,
    scope: Scope,
) -> Update:
    """Return what a branch is to hold of a tracker: an export's result in its scope, beyond it what is proposed.

    Args:
        tracker: whose.
        folder: where its documents lie.
        documents: model → document as committed.
        rules: what is proposed already, as of `Proposed`.
        found: what the export makes of the documents; None if it isn't about this tracker, or
            failed in it.
        scope: what the export is about.

    Raises:
        FileError: a new document's place is taken by another model's.
    """
    inside = collect_ids(found)
    if found:
        inside |= {name for name, item in rules.items() if is_in_scope(item, scope)}
    committed = {item.id: item for item in customizations(documents) if item.id is not None}
    items = [item for name, item in {**committed, **rules}.items() if item and name not in inside]
    items += [item for item in found.new if item.id in inside] if found else []
    whole = plan_update(tracker, folder, Basis(documents), Snapshot(tuple(items)), EVERYTHING)
    # A document that holds no rule is for an export of everything to remove.
    empty = [PurePosixPath(read.source) for read in documents.values() if not read.entries]
    files = {
        path: text for path, text in whole.files.items() if text is not None or path not in empty
    }
    return replace(whole, files=files)
