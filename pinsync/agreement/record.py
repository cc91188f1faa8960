"""The record of agreement of one tracker, and the moves of its entries; pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.drift.pairs import (
    build_content_key,
    build_target_key,
    collect_ids,
    match_customizations,
)
from pinsync.model import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pinsync.drift.pairs import Pair
    from pinsync.model import Customization


class Version(Struct, frozen=True):
    """A text of a rule that the shop had at a commit of the main line.

    Attributes:
        last: the rule as the shop had it, with the date of its last change; of a rule that was
            removed, the last known text, for its target.
        commit: the full hash of the main line's commit.
        is_removed: whether the rule was absent.
    """

    last: Customization
    commit: str
    is_removed: bool = False

    @property
    def rule(self) -> Customization | None:
        """The rule; None if it was absent."""
        return None if self.is_removed else self.last


class Entry(Struct, frozen=True):
    """What the record knows of one rule.

    Attributes:
        shop_id: the id in the shop; for a rule that the shop never had, the id in git.
        git_id: the id in git; None for a block without an id, or if git lacks the rule.
        base: the last text on which git and the shop are known to have agreed, with the commit at
            which both had it; None if no agreement is known.
        proposals: the texts that exports have proposed to git since, the oldest first, each with
            the main line's newest commit of that moment.
    """

    shop_id: str
    git_id: str | None
    base: Version | None
    proposals: tuple[Version, ...] = ()


class BegunOperation(Struct, frozen=True):
    """An operation of a plan that an apply has begun.

    Attributes:
        kind: ``update``, ``create`` or ``delete``.
        rule_id: the id in the shop; None for a create.
        model: the model.
        target: type, identity and criteria of the target.
    """

    kind: str
    rule_id: str | None
    model: str
    target: tuple[str, str | None, str | None]


class Begun(Struct, frozen=True):
    """A plan that an apply has begun, and perhaps not ended.

    Attributes:
        started: the moment of its start, as ISO 8601.
        machine: the name of its machine.
        operations: the operations that it was about to do.
    """

    started: str
    machine: str
    operations: tuple[BegunOperation, ...]


class Record(Struct, frozen=True):
    """The record of agreement of one tracker.

    Attributes:
        tracker_id: the id of the tracker.
        source: the full hash of the newest main-line commit that the entries speak of.
        applied: the full hash of the commit that was applied last as a whole; before any, the
            first source.
        begun: the open plan, if there is one.
        entries: the id in the shop → entry.
    """

    tracker_id: str
    source: str
    applied: str
    begun: Begun | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)


class EntryIndex:
    """Finds the entries of rules: by id, then by equal text, then by target.

    Args:
        entries: all entries.
    """

    def __init__(self, entries: Collection[Entry]) -> None:
        self._by_id: dict[str, Entry] = {}
        self._by_text: defaultdict[object, list[Entry]] = defaultdict(list)
        self._by_target: defaultdict[object, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.git_id is not None:
                self._by_id[entry.git_id] = entry
            last = find_last_version(entry).last
            self._by_text[build_content_key(last)].append(entry)
            self._by_target[build_target_key(last)].append(entry)
        # The shop's id of one rule may be git's id of another one, after an import.
        for entry in entries:
            self._by_id[entry.shop_id] = entry

    def find(self, git: Customization | None, live: Customization | None) -> Entry | None:
        """Return the entry of a rule; None if there is none, or if several may be meant.

        Args:
            git: the rule in git; None if git lacks it.
            live: the rule in the shop; None if the shop lacks it.
        """
        for side in (git, live):
            if side and side.id is not None and side.id in self._by_id:
                return self._by_id[side.id]
        if git is None:
            # Only a removed rule: another one of the same target may be another rule.
            found = _choose(self._by_target.get(build_target_key(live), [])) if live else None
            return found if found and find_last_version(found).is_removed else None
        if live and git.id is not None:
            return None
        return _choose(self._by_text.get(build_content_key(git), [])) or _choose(
            self._by_target.get(build_target_key(git), [])
        )


def _choose(entries: Sequence[Entry]) -> Entry | None:
    """Return the only entry of a present rule, or else the only entry; None if there is none."""
    present = [entry for entry in entries if not find_last_version(entry).is_removed]
    candidates = present or entries
    return candidates[0] if len(candidates) == 1 else None


def find_last_version(entry: Entry) -> Version:
    """Return the newest text that an entry knows."""
    versions = [*filter(None, [entry.base]), *entry.proposals]
    if not versions:
        raise ValueError("an entry without a text")
    return versions[-1]


def move_entries(
    record: Record | None,
    tracker_id: str,
    commit: str,
    git: Sequence[Customization],
    live: Sequence[Customization],
) -> Record:
    """Return the record after a comparison of a main-line commit with the whole shop.

    The entry of each rule on which both sides agree gets its text, and loses its proposals.

    Args:
        record: the record before; None to start one.
        tracker_id: the id of the tracker.
        commit: the full hash of the commit, which has the record's source on its first-parent
            line.
        git: the rules of the commit.
        live: all rules of the shop.
    """
    before = record.entries if record else {}
    index = EntryIndex(before.values())
    live_ids = collect_ids(live)
    agreed: dict[str, Entry] = {}
    claimed: set[str] = set()
    replaced: set[str] = set()
    for old, new, *_ in match_customizations(git, live):
        entry = index.find(old, new)
        if entry:
            claimed.add(entry.shop_id)
        if old and new and new.id is not None and build_content_key(old) == build_content_key(new):
            agreed[new.id] = Entry(new.id, old.id, Version(new, commit))
            if entry and entry.shop_id not in live_ids:
                replaced.add(entry.shop_id)
    entries = dict(agreed)
    for shop_id, entry in before.items():
        if shop_id in agreed or shop_id in replaced:
            continue
        if shop_id not in claimed:
            # Neither side has the rule, and that is an agreement, too.
            last = find_last_version(entry).last
            entries[shop_id] = Entry(shop_id, None, Version(last, commit, is_removed=True))
        else:
            entries[shop_id] = entry
    if record is None:
        return Record(tracker_id, commit, commit, entries=entries)
    present = {build_target_key(rule) for rule in (*git, *live)}
    begun = record.begun and _drop_agreed(record.begun, agreed.values(), live_ids, present)
    return replace(record, source=commit, begun=begun, entries=entries)


def _drop_agreed(
    begun: Begun, agreed: Iterable[Entry], live_ids: Collection[str], present: Collection[object]
) -> Begun | None:
    """Return an open plan without the operations on rules on which both sides agree again.

    Args:
        begun: the open plan.
        agreed: the entries of the rules that both sides have.
        live_ids: the ids of all rules of the shop.
        present: the targets of the rules of either side.
    """
    ids: set[str] = set()
    targets: set[object] = set()
    for entry in agreed:
        ids.add(entry.shop_id)
        targets.add(build_target_key(find_last_version(entry).last))
    left: list[BegunOperation] = []
    for operation in begun.operations:
        if operation.kind == "create":
            key = (operation.model, Target(*operation.target))
            is_agreed = key in targets or key not in present
        else:
            is_agreed = operation.rule_id in ids or operation.rule_id not in live_ids
        if not is_agreed:
            left.append(operation)
    return replace(begun, operations=tuple(left)) if left else None


class Write(Struct, frozen=True):
    """A write to the shop that was acknowledged.

    Attributes:
        shop_id: the id in the shop.
        before: the rule of the shop before; None if it was created.
        after: the rule of git; None if the rule was deleted.
        live: the rule as the shop has it since, with the date of the write; None if that isn't
            known.
    """

    shop_id: str
    before: Customization | None
    after: Customization | None
    live: Customization | None = None


def acknowledge_writes(
    record: Record, commit: str, writes: Iterable[Write], is_newer: Callable[[str], bool]
) -> Record:
    """Return the record after acknowledged writes, each of which moves its own entry.

    Args:
        record: the record before.
        commit: the full hash of the commit that was applied.
        writes: the writes.
        is_newer: returns whether a commit is newer than the one that was applied. An agreement at
            such a commit is newer than the write.
    """
    entries = dict(record.entries)
    index = EntryIndex(entries.values())
    writes = list(writes)
    written = {write.shop_id for write in writes}
    for write in writes:
        old = index.find(write.after, write.before)
        if old and old.base and is_newer(old.base.commit):
            continue
        if old and write.before is None and old.shop_id not in written:
            # The rule was created anew, under another id.
            entries.pop(old.shop_id, None)
        if write.after is None:
            last = write.before or write.live
            if last is None:
                raise ValueError("a write without a rule")
            base = Version(last._replace(updated_at=None), commit, is_removed=True)
            entries[write.shop_id] = Entry(write.shop_id, None, base)
        else:
            last = write.live or write.after._replace(updated_at=None)
            entries[write.shop_id] = Entry(write.shop_id, write.after.id, Version(last, commit))
    return replace(record, entries=entries)


def add_proposals(record: Record, pairs: Iterable[Pair], commit: str) -> Record:
    """Return the record with a proposal for each rule that an export writes otherwise than HEAD.

    Args:
        record: the record before.
        pairs: the rules of HEAD and of the export.
        commit: the full hash of the main line's newest commit.
    """
    entries = dict(record.entries)
    index = EntryIndex(entries.values())
    for pair in pairs:
        if not pair.kind:
            continue
        last = pair.latest
        shop_id = (pair.new or last).id
        if shop_id is None:
            # An export neither writes nor removes a block without an id.
            continue
        proposal = Version(last, commit, is_removed=pair.new is None)
        entry = index.find(pair.old, pair.new)
        if entry is None:
            git_id = pair.old.id if pair.old else None
            entry = Entry(shop_id, git_id, None)
        if not any(_is_same_proposal(proposal, other) for other in entry.proposals):
            entry = replace(entry, proposals=(*entry.proposals, proposal))
            entries[entry.shop_id] = entry
    return replace(record, entries=entries)


def _is_same_proposal(one: Version, other: Version) -> bool:
    """Return whether two proposals differ at most in their commits; the older one counts."""
    if one.is_removed or other.is_removed:
        return one.is_removed == other.is_removed
    is_same_text = build_content_key(one.last) == build_content_key(other.last)
    return is_same_text and one.last.updated_at == other.last.updated_at
