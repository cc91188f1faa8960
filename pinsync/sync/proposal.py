"""Keep the earlier changes that a branch proposes, beside the changes of an export; pure."""

from __future__ import annotations

from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.drift.pairs import collect_ids, is_in_filters
from pinsync.model import EVERYTHING, Customization, Scope, Snapshot
from pinsync.sync.basis import Basis, list_customizations
from pinsync.sync.to_files import Update, plan_update

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.config.records import Tracker
    from pinsync.document.record import Document


class OpenProposal(Struct, frozen=True):
    """The part of a branch's proposal for one tracker that can still be committed on HEAD.

    Attributes:
        rules: id → the proposed customization, or None to remove the rule. HEAD has these rules as
            they were before the proposal.
        lost: the ids of the other proposed rules, which were changed otherwise in HEAD since.
    """

    rules: Mapping[str, Customization | None] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()


def find_open_proposal(
    head: Iterable[Customization],
    parent: Iterable[Customization],
    proposed: Iterable[Customization],
) -> OpenProposal:
    """Compare three states of a tracker's rules by id.

    Args:
        head: the rules of HEAD.
        parent: the rules of the commit on which the proposal was made.
        proposed: the rules of the proposal.

    Returns:
        The open part of the proposal. A rule that HEAD already has as proposed is no part of it.
    """
    now, old, new = _map_by_id(head), _map_by_id(parent), _map_by_id(proposed)
    rules: dict[str, Customization | None] = {}
    lost: set[str] = set()
    for name in {**old, **new}:
        rule = new.get(name)
        if _is_same_rule(old.get(name), rule):
            continue
        if _is_same_rule(now.get(name), old.get(name)):
            rules[name] = rule
        elif not _is_same_rule(now.get(name), rule):
            lost.add(name)
    return OpenProposal(rules, frozenset(lost))


def _map_by_id(items: Iterable[Customization]) -> dict[str, Customization]:
    """Return the customizations by id, except those without one."""
    return {item.id: item for item in items if item.id is not None}


def _is_same_rule(one: Customization | None, other: Customization | None) -> bool:
    if one is None or other is None:
        return one is other
    # The date of the last change doesn't count.
    return (one.model, one.text) == (other.model, other.text)


def collect_rule_ids(update: Update | None) -> set[str]:
    """Return the ids of the rules in the scope of an export."""
    if update is None:
        return set()
    return collect_ids(chain.from_iterable(pair.sides for pair in update.pairs))


def plan_branch(
    tracker: Tracker,
    folder: PurePosixPath,
    documents: Mapping[str, Document],
    rules: Mapping[str, Customization | None],
    update: Update | None,
    scope: Scope,
) -> Update:
    """Return the update of a branch: the result of an export in its scope, and open proposals.

    Args:
        tracker: the tracker.
        folder: the folder of its documents.
        documents: model → document of HEAD.
        rules: the rules of the `OpenProposal`.
        update: the update of the export; None if the export failed for the tracker, or is about
            other trackers.
        scope: the scope of the export; open proposals count outside of it.

    Raises:
        FileError: the place of a new document is taken by another model.
    """
    inside = collect_rule_ids(update)
    if update:
        # Ids need no look here: a rule that neither HEAD nor the answer has is an unknown id.
        for name, item in rules.items():
            if is_in_filters(item, scope):
                inside.add(name)
    combined = {**_map_by_id(list_customizations(documents)), **rules}
    items = [item for name, item in combined.items() if item and name not in inside]
    if update:
        items += [item for item in update.new if item.id in inside]
    managed = EVERYTHING.restrict_to(tracker.manages)
    plan = plan_update(tracker, folder, Basis(documents), Snapshot(tuple(items)), managed)
    files = dict(plan.files)
    for read in documents.values():
        path = PurePosixPath(read.source)
        # The scope may be a filter, and only an export of everything removes an empty document.
        if not read.entries and files.get(path) is None:
            files.pop(path, None)
    return replace(plan, files=files)
