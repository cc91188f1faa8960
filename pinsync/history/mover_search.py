"""Look up who moved the rules of a comparison: walk from git's side back through the commits.

One walk answers for all trackers. It ends once every rule is decided.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pinsync.config import Tracker
from pinsync.drift.pairs import collect_ids
from pinsync.errors import RepositoryError
from pinsync.history.movers import Trace, TraceSet
from pinsync.history.states import CommitStates
from pinsync.history.steps import compare_tracker
from pinsync.history.versions import ReadFault
from pinsync.repository import CommitMessage, format_export_line, parse_message
from pinsync.workspace.state import pair_trackers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pinsync.drift.record import Change, TrackerDrift
    from pinsync.history.configurations import HistoryContext
    from pinsync.history.states import CommitState
    from pinsync.history.versions import IgnoredFields
    from pinsync.model import Commit, Customization
    from pinsync.repository import Reader
    from pinsync.workspace.source import Source

_UNSHALLOW = "fetch the history with `git fetch --unshallow`, or with `fetch-depth: 0` in CI"


class GitSide(Struct, frozen=True):
    """The side of a comparison that git has.

    Attributes:
        source: a revision, the index or the working tree.
        ignore: the paths of the fields that the comparison ignores.
        trackers: the trackers of its configuration.
        now: the present, in seconds since 1970: the date of uncommitted text.
    """

    source: Source
    ignore: IgnoredFields
    trackers: Sequence[Tracker]
    now: int


class Question(Struct, frozen=True):
    """The rules of one tracker that differ between git and the shop.

    Attributes:
        drift: the drift of the tracker.
        tracker: the tracker in the configuration of git's side; None if that lacks it.
        tracker_id: the id of the live side's tracker.
        git: all customizations of git's side.
        live: all customizations of the live side.
        live_is_new: whether the live side is the new one.
    """

    drift: TrackerDrift
    tracker: Tracker | None
    tracker_id: str
    git: Sequence[Customization]
    live: Sequence[Customization]
    live_is_new: bool


def add_movers(
    questions: Sequence[Question], side: GitSide, context: HistoryContext | None
) -> list[TrackerDrift]:
    """Return the drifts with the mover of each change.

    Args:
        questions: the trackers with changes.
        side: git's side.
        context: the repository and the configuration of the working tree; None without a
            repository.
    """
    inquiries = [_Inquiry(question) for question in questions]
    pending = [inquiry for inquiry in inquiries if inquiry.traces]
    if context is None:
        _cut_all(pending, "these files are in no git repository; `git init` makes one")
    elif pending:
        _search(pending, side, context)
    return [inquiry.build_drift() for inquiry in inquiries]


def _search(pending: Sequence[_Inquiry], side: GitSide, context: HistoryContext) -> None:
    """Walk until every trace of the inquiries has its answer, or ends without one."""
    tip = side.source.revision
    if side.source.kind != "revision":
        tip = context.repository.resolve_head()
    if tip is None:
        for inquiry in pending:
            inquiry.go_back_to_head(None, side, "")
        return
    with context.repository.open_reader() as reader:
        search = _Search(reader, context, tip, side)
        try:
            search.walk(pending)
        except RepositoryError as error:
            # Git lacks an object, or can't read it.
            _cut_all(pending, f"git can't read the history: {error.message}; see `git fsck`")


def _cut_all(inquiries: Iterable[_Inquiry], reason: str) -> None:
    for inquiry in inquiries:
        inquiry.cut(reason)


class _Inquiry:
    """The search for one tracker's movers.

    Args:
        question: the rules that differ.

    Attributes:
        tracker: the tracker in the current commit of the walk; None if that lacks it.
        tracker_id: the id of the shop's tracker.
        traces: the unfinished traces.
    """

    def __init__(self, question: Question) -> None:
        self.tracker = question.tracker
        self.tracker_id = question.tracker_id
        self._question = question
        # A commit that lacks the tracker may follow older ones that have it.
        self._last_tracker = question.tracker or Tracker(question.drift.name, question.tracker_id)
        self._traces: dict[int, Trace] = {}
        for at, change in enumerate(question.drift.changes):
            # The API left out all else as asked, so nobody moved.
            if change.cause == "edited":
                sides = (change.old, change.new)
                git, live = sides if question.live_is_new else reversed(sides)
                self._traces[at] = Trace(git, live)
        self.traces = TraceSet(self._traces.values(), question.live)
        self._reason = ""

    def cut(self, reason: str) -> None:
        """End all traces, since no older version can be read; the reason names a remedy."""
        self._cut(reason, lambda _trace: True)

    def _cut(self, reason: str, is_unreadable: Callable[[Trace], bool]) -> None:
        if self.traces.cut(is_unreadable):
            self.explain(reason)

    def explain(self, reason: str) -> None:
        """Take the reason why a trace ends; the first reason is told."""
        self._reason = self._reason or reason

    def go_back_to_head(self, head: CommitState | None, side: GitSide, short: str) -> None:
        """Go back from uncommitted text to the last commit.

        Args:
            head: the content of the last commit; None if there is none with documents.
            side: git's side.
            short: the abbreviated hash of the last commit.
        """
        old: list[Customization] = []
        if head:
            self.follow(head, side.trackers)
            self._cut_faults(head, short)
            if self.tracker:
                for version in head.documents[self.tracker].versions.values():
                    old += version.items
        new = self._question.git
        common = set(old).intersection(new)
        self.traces.go_back(
            [item for item in old if item not in common],
            [item for item in new if item not in common],
            _UncommittedArrival(None, side.now),
        )

    def go_back(
        self, before: CommitState | None, after: CommitState, short: str, arrival: _CommitArrival
    ) -> None:
        """Go back from a commit to its parent.

        Args:
            before: the content of the parent; None if the parent lacks documents.
            after: the content of the commit.
            short: the abbreviated hash of the parent.
            arrival: the commit.
        """
        new_tracker = self.tracker
        if before:
            self.follow(before, list(after.documents))
            self._cut_faults(before, short)
        else:
            self.tracker = None
        step = compare_tracker((self.tracker, new_tracker), None, before, after)
        if step:
            self.traces.go_back(step.old, step.new, arrival)

    def follow(self, before: CommitState, trackers: Sequence[Tracker]) -> None:
        """Find the tracker in an older state.

        Args:
            before: the older state.
            trackers: the trackers of the newer state.
        """
        older = list(before.documents)
        if self.tracker:
            name = self.tracker.name
            pairs = pair_trackers(older, trackers)
            self.tracker = next((old for old, new in pairs if new and new.name == name), None)
        if self.tracker is None:
            self.tracker = _find_tracker(older, self._last_tracker, trackers)
        self._last_tracker = self.tracker or self._last_tracker

    def _cut_faults(self, state: CommitState, short: str) -> None:
        """End the traces of rules that may stand in an unreadable document of a state."""
        if self.tracker is None:
            return
        documents = state.documents[self.tracker]
        if not documents.faults:
            return

        def is_unreadable(trace: Trace) -> bool:
            # A rule that no readable document has may stand in the unreadable one.
            owner = documents.owners.get(trace.rule_id or "")
            return owner is None or owner in documents.faults

        fault = next(iter(documents.faults.values()))
        self._cut(_describe_fault(fault, short), is_unreadable)

    def build_drift(self) -> TrackerDrift:
        """Return the drift with the movers, and with a note if an answer is missing."""
        drift = self._question.drift
        changes: list[Change] = list(drift.changes)
        count = 0
        for at, trace in self._traces.items():
            answer = trace.build_answer()
            changes[at] = replace(changes[at], moved=answer.moved, moved_in=answer.moved_in)
            count += trace.is_cut
        notes = drift.notes
        if count:
            notes = (*notes, _describe_cut(count, self._reason))
        return replace(drift, changes=tuple(changes), notes=notes)


def _find_tracker(
    older: Sequence[Tracker], wanted: Tracker, newer: Sequence[Tracker]
) -> Tracker | None:
    """Return the tracker of an older state that the newer state lacks, by its id or its name."""
    names = {tracker.name for tracker in newer}
    ids = {tracker.tracker_id for tracker in newer}
    for tracker in older:
        if tracker.tracker_id == wanted.tracker_id and tracker.tracker_id not in ids:
            return tracker
    for tracker in older:
        if tracker.name == wanted.name and tracker.name not in names:
            return tracker
    return None


def _describe_fault(fault: ReadFault, short: str) -> str:
    return f"{short}:{fault.path} can't be read ({fault.reason})"


def _describe_cut(count: int, reason: str) -> str:
    rules = "a rule" if count == 1 else f"{count} rules"
    return f"the history doesn't tell all about who moved {rules}: {reason}"


class _UncommittedArrival(Struct, frozen=True):
    """The arrival of text that isn't committed; see `movers.Arrival`."""

    commit: None
    moment: int

    def has_export_of(self, _rule_id: str) -> bool | None:
        """Return False: only a commit has a message."""
        return False


class _CommitArrival(Struct, frozen=True):
    """The arrival of text with a commit of the main line; see `movers.Arrival`.

    Attributes:
        search: the walk.
        at: the index of the commit.
        commit: the commit.
        tracker_id: the id of the shop's tracker.
        explain: takes the reason why a trace ends.
    """

    search: _Search
    at: int
    commit: Commit
    tracker_id: str
    explain: Callable[[str], None]

    @property
    def moment(self) -> int:
        """The date of the commit, in seconds since 1970."""
        return self.search.moments[self.at]

    def has_export_of(self, rule_id: str) -> bool | None:
        """Return whether an export brought the rule, also within a merged branch."""
        message = self.search.read_message(self.commit.hash)
        if message.has_export_line(self.tracker_id):
            return True
        if not message.is_merge:
            return False
        found = self.search.has_merged_export(message.parents, self.tracker_id, rule_id)
        if found is None:
            self.explain(self.search.explain_merge(self.commit))
        return found


class _Search:
    """A walk along the main line for all trackers.

    Args:
        reader: reads git's objects.
        context: the repository and the configuration of the working tree.
        tip: the full hash of the newest commit.
        side: git's side.
    """

    def __init__(self, reader: Reader, context: HistoryContext, tip: str, side: GitSide) -> None:
        self._reader = reader
        self._context = context
        self._repository = context.repository
        self._tip = tip
        self._side = side
        self._states = CommitStates(reader, context, tip)
        self._messages: dict[str, CommitMessage] = {}
        self._merged: dict[str, frozenset[str] | None] = {}

    @cached_property
    def moments(self) -> list[int]:
        """The dates of the main line's commits, in seconds since 1970."""
        return self._repository.list_moments(self._tip, self._states.file_names)

    @cached_property
    def _latest(self) -> list[int]:
        """By index, the latest date of the commit and all older ones; 0 behind the last one."""
        latest = list(accumulate(reversed(self.moments), max, initial=0))
        return latest[::-1]

    @cached_property
    def _shallow_ends(self) -> frozenset[str]:
        return self._repository.read_shallow_ends()

    def walk(self, inquiries: Sequence[_Inquiry]) -> None:
        """Walk until every trace has its answer, or ends without one."""
        end = self._repository.find_shallow_end(self._tip)
        self._start(inquiries)
        at = 0
        while any(inquiry.traces for inquiry in inquiries):
            commit = self._states.get_commit(at)
            if commit is None or (end and commit.hash == end.hash):
                break
            self._go_back(inquiries, at, commit)
            at += 1
        if end:
            _cut_all(inquiries, f"this clone is shallow and ends at {end.short}; {_UNSHALLOW}")

    def _start(self, inquiries: Sequence[_Inquiry]) -> None:
        """Go to the newest commit."""
        newest = self._states.get_commit(0)
        short = newest.short if newest else ""
        if not self._check_configuration(inquiries, 0):
            return
        state = self._states.read_state(0, self._side.ignore)
        for inquiry in inquiries:
            if self._side.source.kind != "revision":
                inquiry.go_back_to_head(state, self._side, short)
            elif state:
                inquiry.follow(state, self._side.trackers)

    def _go_back(self, inquiries: Sequence[_Inquiry], at: int, commit: Commit) -> None:
        """Go from a commit to its parent."""
        # Equal outlines have equal trees, so the documents needn't be read.
        if self._states.read_outline(at) != self._states.read_outline(at + 1):
            parent = self._states.get_commit(at + 1)
            if not self._check_configuration(inquiries, at + 1):
                return
            before = self._states.read_state(at + 1, self._side.ignore)
            after = self._states.read_state(at, self._side.ignore)
            for inquiry in inquiries:
                if after and inquiry.traces:
                    arrival = _CommitArrival(self, at, commit, inquiry.tracker_id, inquiry.explain)
                    inquiry.go_back(before, after, parent.short if parent else "", arrival)
        for inquiry in inquiries:
            inquiry.traces.expire(lambda: self._latest[at + 1])

    def _check_configuration(self, inquiries: Sequence[_Inquiry], at: int) -> bool:
        """Return whether the configuration of a commit can be read; end all traces if not."""
        outline = self._states.read_outline(at)
        if not isinstance(outline, ReadFault):
            return True
        commit = self._states.get_commit(at)
        _cut_all(inquiries, _describe_fault(outline, commit.short if commit else ""))
        return False

    def read_message(self, commit: str) -> CommitMessage:
        """Return the parents and the message of a commit.

        Raises:
            RepositoryError: git lacks the commit.
        """
        if commit not in self._messages:
            found = self._reader.find(commit)
            if found is None:
                raise RepositoryError(f"commit {commit} is missing")
            self._messages[commit] = parse_message(found)
        return self._messages[commit]

    def has_merged_export(
        self, parents: Sequence[str], tracker_id: str, rule_id: str
    ) -> bool | None:
        """Return whether a merge brought an export that changed a rule; None if it isn't known.

        Args:
            parents: the full hashes of the merge's parents.
            tracker_id: the id of the tracker.
            rule_id: the id of the rule.
        """
        is_known = True
        line = format_export_line(tracker_id)
        for commit in self._repository.list_side_commits(parents, line):
            if not self.read_message(commit).has_export_line(tracker_id):
                continue
            changed = self._list_changed(commit)
            if changed is None:
                is_known = False
            elif rule_id in changed:
                return True
        if self._shallow_ends.intersection(self._repository.list_side_commits(parents)):
            is_known = False
        return False if is_known else None

    def explain_merge(self, merge: Commit) -> str:
        """Return why it isn't known whether a merge brought an export."""
        reason = f"the commits that the merge {merge.short} brought can't all be read"
        return f"{reason}; {_UNSHALLOW}" if self._shallow_ends else reason

    def _list_changed(self, commit: str) -> frozenset[str] | None:
        """Return the ids of the rules that a merged commit changed; None if they can't be read."""
        if commit not in self._merged:
            self._merged[commit] = self._compare_merged(commit)
        return self._merged[commit]

    def _compare_merged(self, commit: str) -> frozenset[str] | None:
        if commit in self._shallow_ends:
            return None
        states = CommitStates(self._reader, self._context, commit, self._states.version_reader)
        newest = states.get_commit(0)
        # A commit that touched no document isn't the first of its line.
        if newest is None or newest.hash != commit:
            return frozenset()
        before, after = (states.read_state(at, self._side.ignore) for at in (1, 0))
        if after is None or after.faults or (before and before.faults):
            return None
        ids: set[str] = set()
        # Of all trackers, since ids are unique and a tracker may have had another name or id.
        older = list(before.documents) if before else []
        for pair in pair_trackers(older, list(after.documents)):
            if step := compare_tracker(pair, None, before, after):
                ids |= collect_ids((*step.old, *step.new))
        return frozenset(ids)
