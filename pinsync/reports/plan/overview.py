"""The frame of a plan's report: headline, groups by what happens to the shop, and the checksum."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from msgspec import Struct
from msgspec.structs import replace

from pinsync.drift.pairs import read_data
from pinsync.drift.record import When, find_when
from pinsync.escape import clip
from pinsync.plan.record import OperationKind, Reason
from pinsync.reports.words.entries import build_words
from pinsync.reports.words.overview import MOVED_WORDS, describe_times, list_origins
from pinsync.reports.words.sides import MAX_NAME
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.drift.record import Change, Moved
    from pinsync.plan.record import LeftRule, Operation, Plan, TrackerPlan
    from pinsync.reports.words.entries import Entry, EntryWords
    from pinsync.reports.words.sides import Escape

_KINDS: Final[tuple[OperationKind, ...]] = get_args(OperationKind)
_WHENS: Final[tuple[When, ...]] = get_args(When)

_TITLES: Final[Mapping[OperationKind, str]] = {
    "update": "WILL BE CHANGED IN THE SHOP",
    "create": "WILL BE CREATED IN THE SHOP",
    "delete": "WILL BE DELETED IN THE SHOP",
}
_VERBS: Final[Mapping[OperationKind, str]] = {
    "update": "changes",
    "create": "creates",
    "delete": "deletes",
}
_TIMES: Final[Mapping[When, str]] = {
    "now": "shoppers notice at once",
    "later": "shoppers notice later",
    "never": "no difference to shoppers",
}
# In the order of the groups: first the rules that somebody has to decide about.
_REASONS: Final[Mapping[Reason, str]] = {
    "target": "another rule has the target",
    "shop": MOVED_WORDS["shop"],
    "both": MOVED_WORDS["both"],
    "unknown": MOVED_WORDS["unknown"],
    "git": "removed from git",
    "extra": MOVED_WORDS["extra"],
    "document": "git has no document of the model, and never had",
}
_EXPORT_REASON: Final = "a JSON export doesn't tell who changed it"
_LEFT_TIMES: Final[Mapping[When, str]] = {
    "now": "shoppers see the difference now",
    "later": "",
    "never": "no difference to shoppers",
}
# What an operation costs that only an option includes.
_LOSSES: Final[Mapping[Moved | None, str]] = {
    "shop": "takes back the shop's change",
    "both": "takes back the shop's change, and git changed the rule too",
    "unknown": "may take back a change of the shop (it can't be told)",
    "extra": "git never had the rule",
}
BEGIN: Final = "pinsync export --commit"
"""The command that brings the first rules into git."""


class PlanGroup(NamedTuple):
    """The rules to which the same happens.

    Attributes:
        title: what happens to them, with its beginning in capital letters.
        mover: when shoppers notice it, or the options that include them.
        when: when shoppers notice it; None for rules that are left alone.
        changes: the changes, each with the words of its tracker and further remarks.
    """

    title: str
    mover: str
    when: When | None
    changes: tuple[tuple[EntryWords, Change, tuple[str, ...]], ...]

    @property
    def size(self) -> int:
        """The number of rules."""
        return len(self.changes)

    def describe(self) -> Iterator[Entry]:
        """Yield the entries; a page stops at the first one that it has no room for."""
        for words, change, remarks in self.changes:
            entry = words.describe(change)
            yield replace(entry, remarks=(*entry.remarks, *filter(None, remarks)))


class PlanOverview(Struct, frozen=True):
    """A plan in words.

    The sentences are escaped for the report. The entries of groups are text without markup.

    Attributes:
        headline: the operations in one sentence; without operations, that there are none.
        sentences: further sentences about all rules.
        groups: the groups, the operations first.
        checksum: the checksum in a sentence, or why there is none.
        origins: where the states of both sides come from.
    """

    headline: str
    sentences: str
    groups: tuple[PlanGroup, ...]
    checksum: str
    origins: tuple[str, ...]


def build_plan_overview(plan: Plan, zone: tzinfo, escape: Escape) -> PlanOverview:
    """Return a plan in words.

    Args:
        plan: the plan.
        zone: the time zone of moments.
        escape: turns a name into safe words of the report's sentences.
    """
    is_beginning = _is_beginning(plan)
    groups: list[PlanGroup] = []
    # A shop that git knows nothing of needs no list of all its rules.
    if not is_beginning:
        groups = [*_build_operation_groups(plan, zone, escape)]
        groups += _build_left_groups(plan, zone, escape)
    return PlanOverview(
        headline=_write_headline(plan, zone, escape),
        sentences=" ".join(_list_sentences(plan, escape, is_beginning=is_beginning)),
        groups=tuple(groups),
        checksum=_describe_checksum(plan),
        origins=tuple(list_origins(plan.drift, zone, escape)),
    )


def _is_beginning(plan: Plan) -> bool:
    """Whether the shop has rules, and git has none yet."""
    if plan.drift.old.is_export or not plan.drift.is_complete or plan.operations:
        return False
    return bool(plan.left) and all(tracker.is_new for tracker in plan.trackers)


# The sentences


def _write_headline(plan: Plan, zone: tzinfo, escape: Escape) -> str:
    operations = plan.operations
    if operations:
        words = build_words(plan.drift, zone, escape)
        times = describe_times(words, [operation.change for operation in operations])
        return f"This plan {_count_operations(operations)}: {times}."
    if not plan.drift.is_complete:
        return "Whether there is something to apply is not known."
    if _is_beginning(plan):
        count = pluralize(len(plan.left), "rule")
        return f"Nothing to apply: git has no rules yet, and the shop has {count}."
    if plan.left:
        verb = "rule that differs is" if len(plan.left) == 1 else "rules that differ are"
        return f"Nothing to apply: {len(plan.left):,} {verb} left alone."
    return "Nothing to apply: the shop has all that is planned."


def _count_operations(operations: Sequence[Operation]) -> str:
    """Return the numbers of operations: ``changes 3 rules of the shop and deletes 1``."""
    kinds = Counter(operation.kind for operation in operations)
    parts: list[str] = []
    for kind in _KINDS:
        if kinds[kind]:
            # Only the first number has the noun.
            count = f"{kinds[kind]:,}" if parts else f"{pluralize(kinds[kind], 'rule')} of the shop"
            parts.append(f"{_VERBS[kind]} {count}")
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _list_sentences(plan: Plan, escape: Escape, *, is_beginning: bool) -> Iterator[str]:
    if is_beginning:
        yield f"To begin, take them into git: {BEGIN}"
        return
    if plan.since is not None:
        start = escape(clip(plan.since, MAX_NAME)) if plan.since else "the last apply"
        yield f"Planned are only the rules that changed since {start}."
    left = len(plan.left)
    if plan.operations and left:
        verb = "other rule differs and is" if left == 1 else "other rules differ and are"
        yield f"{left:,} {verb} left alone."
    unchanged = sum(tracker.drift.unchanged for tracker in plan.trackers)
    if unchanged:
        agree = "rule agrees" if unchanged == 1 else "rules agree"
        yield f"{unchanged:,} {agree}."
    if plan.operations and plan.is_preview:
        yield "This is a preview: it changes neither the shop nor git."
        yield "Carried out by pinsync apply, the plan changes the shop alone."


def _describe_checksum(plan: Plan) -> str:
    if plan.checksum is None:
        return "The plan has no checksum, since a tracker could not be planned."
    return f"Checksum of the plan: {plan.checksum}"


def count_planned(tracker: TrackerPlan) -> str:
    """Return the numbers of a tracker's rules: ``3 rules to apply, 1 left alone``."""
    if tracker.drift.error:
        return "NOT PLANNED, see above"
    rules = pluralize(len(tracker.operations), "rule")
    return f"{rules} to apply, {len(tracker.left):,} left alone"


# The groups


def _build_operation_groups(plan: Plan, zone: tzinfo, escape: Escape) -> Iterator[PlanGroup]:
    # From the shop as it is to the shop as it will be.
    forth = replace(plan.drift, old=plan.drift.new, new=plan.drift.old)
    words = build_words(forth, zone, escape)
    before, after = words.sides
    words = replace(words, sides=(replace(before, label="before"), replace(after, label="after")))
    found: dict[tuple[OperationKind, When], list[tuple[EntryWords, Change, tuple[str, ...]]]] = {}
    for tracker in plan.trackers:
        changes = tuple(operation.change for operation in tracker.operations)
        adapted = words.adapt_to(replace(tracker.drift, changes=changes))
        for operation in tracker.operations:
            # The mover is git, or was overruled: the heading says what happens, and not by whom.
            change = replace(operation.change, moved=None)
            remarks = _describe_operation(operation)
            key = operation.kind, find_when(change)
            found.setdefault(key, []).append((adapted, change, remarks))
    for kind in _KINDS:
        for when in _WHENS:
            if rules := found.get((kind, when)):
                yield PlanGroup(_TITLES[kind], _TIMES[when], when, tuple(rules))


def _describe_operation(operation: Operation) -> tuple[str, ...]:
    remarks = []
    if loss := _LOSSES.get(operation.change.moved):
        remarks.append(loss)
    if operation.swapped:
        remarks.append("exchanges its text with the rules of the other targets")
    return tuple(remarks)


def _build_left_groups(plan: Plan, zone: tzinfo, escape: Escape) -> Iterator[PlanGroup]:
    words = build_words(plan.drift, zone, escape)
    if plan.drift.old.is_export:
        # Two states of the shop would be called before and after, which an operation's states are.
        source, shop = words.sides
        words = replace(words, sides=(replace(source, label="export"), replace(shop, label="shop")))
    found: dict[
        tuple[Reason, tuple[str, ...]], list[tuple[EntryWords, Change, tuple[str, ...]]]
    ] = {}
    for tracker in plan.trackers:
        adapted = words.adapt_to(tracker.drift)
        for rule in _sort_by_time(tracker.left):
            remarks = (_LEFT_TIMES[find_when(rule.change)], _describe_holder(rule, adapted))
            key = rule.reason, rule.options
            found.setdefault(key, []).append((adapted, rule.change, remarks))
    for reason, options in sorted(found, key=lambda key: (list(_REASONS).index(key[0]), key[1])):
        remedy = f"{' '.join(options)} includes them" if options else ""
        cause = _REASONS[reason]
        if reason == "unknown" and plan.drift.old.is_export:
            cause = _EXPORT_REASON
        title = f"LEFT ALONE: {cause}"
        yield PlanGroup(title, remedy, None, tuple(found[reason, options]))


def _sort_by_time(left: Sequence[LeftRule]) -> list[LeftRule]:
    return sorted(left, key=lambda rule: _WHENS.index(find_when(rule.change)))


def _describe_holder(rule: LeftRule, words: EntryWords) -> str:
    """Return the name of the rule that has the target; empty if that isn't the reason."""
    if rule.holder is None:
        return ""
    name = words.name_target(rule.holder, read_data(rule.holder))
    mark = f", id {rule.holder.id}" if rule.holder.id else ", which has no id yet"
    return f"the target belongs to the rule for {name}{mark}"
