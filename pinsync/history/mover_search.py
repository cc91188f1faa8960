"""Look up who moved the rules of a comparison: walk from git's side back through the commits.

One walk answers for all trackers. It ends once every rule is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pinsync.agreement.store import is_only_tracker
from pinsync.config import Tracker
from pinsync.errors import RepositoryError
from pinsync.history.agreements import open_agreements
from pinsync.history.arrivals import CommitArrival, CommitLookup, UncommittedArrival
from pinsync.history.document_search import describe_shallow_end, search_documents
from pinsync.history.movers import Trace, TraceSet
from pinsync.history.states import CommitStates
from pinsync.history.steps import compare_tracker
from pinsync.history.versions import ReadFault
from pinsync.workspace.state import pair_trackers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pinsync.document.record import Document
    from pinsync.drift.record import Change, TrackerDrift
    from pinsync.history.agreements import Agreements
    from pinsync.history.configurations import HistoryContext
    from pinsync.history.states import CommitState
    from pinsync.history.versions import IgnoredFields
    from pinsync.model import Commit, Customization
    from pinsync.repository import Reader
    from pinsync.workspace.source import Source


class GitSide(Struct, frozen=True):
    """The side of a comparison that git has.

    Attributes:
        source: a revision, the index or the working tree.
        ignore: the paths of the fields that the comparison ignores.
        trackers: the trackers of its configuration.
        shop_trackers: the trackers of the configuration in use.
        now: the present, in seconds since 1970: the date of uncommitted text.
    """

    source: Source
    ignore: IgnoredFields
    trackers: Sequence[Tracker]
    shop_trackers: Sequence[Tracker]
    now: int


class Question(Struct, frozen=True):
    """The rules of one tracker that differ between git and the shop.

    Attributes:
        drift: the drift of the tracker.
        tracker: the tracker in the configuration of git's side; None if that lacks it.
        tracker_id: the id of the live side's tracker.
        git: all customizations of git's side.
        documents: the documents of git's side.
        prefix: the prefix of the path in a document's ``source``.
        live: all customizations of the live side.
        live_is_new: whether the live side is the new one.
    """

    drift: TrackerDrift
    tracker: Tracker | None
    tracker_id: str
    git: Sequence[Customization]
    documents: Sequence[Document]
    prefix: str
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
    tip = _find_tip(side, context) if context else None
    inquiries: list[Inquiry] = []
    for question in questions:
        agreements = None
        # Trackers that share an id, on different hosts, would share the record.
        is_alone = is_only_tracker(question.tracker_id, side.trackers) and is_only_tracker(
            question.tracker_id, side.shop_trackers
        )
        if context and tip and is_alone:
            agreements = open_agreements(
                context.repository, question.tracker_id, tip, side.ignore, question.live
            )
        inquiries.append(Inquiry(question, agreements))
    pending = [inquiry for inquiry in inquiries if inquiry.traces]
    if context is None:
        _cut_all(pending, "these files are in no git repository; `git init` makes one")
    elif tip is None:
        for inquiry in pending:
            inquiry.go_back_to_head(None, side, "")
    elif pending:
        _search(pending, side, context, tip)
    return [inquiry.build_drift() for inquiry in inquiries]


def _find_tip(side: GitSide, context: HistoryContext) -> str | None:
    """Return the full hash of the newest commit of git's side; None before the first commit."""
    if side.source.kind == "revision":
        return side.source.revision
    return context.repository.resolve_head()


def _search(pending: Sequence[Inquiry], side: GitSide, context: HistoryContext, tip: str) -> None:
    """Walk until every trace of the inquiries has its answer, or ends without one."""
    if context.repository.is_partial():
        # Git would fetch each older version by a process of its own.
        _cut_all(
            pending, "this clone is partial and may lack older versions; clone without --filter"
        )
        return
    with context.repository.open_reader() as reader:
        lookup = CommitLookup(reader, context, side.ignore, side.now)
        try:
            end = context.repository.find_shallow_end(tip)
            search_documents(pending, side, context.repository, lookup, tip, end)
            if any(inquiry.traces for inquiry in pending):
                _StateSearch(reader, context, lookup, tip, side).walk(pending, end)
        except RepositoryError as error:
            # Git lacks an object, or can't read it.
            _cut_all(pending, f"git can't read the history: {error.message}; see `git fsck`")


def _cut_all(inquiries: Iterable[Inquiry], reason: str, commit: Commit | None = None) -> None:
    for inquiry in inquiries:
        inquiry.cut(reason, commit)


class Inquiry:
    """The search for one tracker's movers.

    Args:
        question: the rules that differ.
        agreements: the record of agreement; None without a record.

    Attributes:
        tracker: the tracker in the current commit of the walk; None if that lacks it.
        tracker_id: the id of the shop's tracker.
        traces: the unfinished traces.
    """

    def __init__(self, question: Question, agreements: Agreements | None = None) -> None:
        self.tracker = question.tracker
        self.tracker_id = question.tracker_id
        self.question = question
        # A commit that lacks the tracker may follow older ones that have it.
        self._last_tracker = question.tracker or Tracker(question.drift.name, question.tracker_id)
        self._agreements = agreements
        self._traces: dict[int, Trace] = {}
        for at, change in enumerate(question.drift.changes):
            # The API left out all else as asked, so nobody moved.
            if change.cause == "edited":
                sides = (change.old, change.new)
                git, live = sides if question.live_is_new else reversed(sides)
                knowledge = agreements.find(git, live) if agreements else None
                self._traces[at] = Trace(git, live, knowledge)
        self.traces = TraceSet(self._traces.values(), question.live)
        self._reason = ""

    def restart(self, given_up: Iterable[Trace]) -> None:
        """Begin anew with some of the traces; all others have their answers, or were cut."""
        chosen = set(given_up)
        remaining: list[Trace] = []
        for at, trace in self._traces.items():
            if trace in chosen:
                self._traces[at] = trace.restart()
                remaining.append(self._traces[at])
        self.traces = TraceSet(remaining, self.question.live)

    def cut(self, reason: str, commit: Commit | None = None) -> None:
        """End all traces, since no older version can be read.

        Args:
            reason: the reason, which names a remedy.
            commit: the newest commit whose changes aren't known; None if it isn't known.
        """
        self._cut(reason, lambda _trace: True, commit)

    def _cut(
        self, reason: str, is_unreadable: Callable[[Trace], bool], commit: Commit | None
    ) -> None:
        if self.traces.cut(is_unreadable, commit):
            self.explain(reason)

    def explain(self, reason: str) -> None:
        """Take the reason why a trace ends; later reasons are ignored."""
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
            self._cut_faults(head, short, None)
            if self.tracker:
                for version in head.documents[self.tracker].versions.values():
                    old += version.items
        new = self.question.git
        common = set(old).intersection(new)
        self.traces.go_back(
            [item for item in old if item not in common],
            [item for item in new if item not in common],
            UncommittedArrival(None, side.now),
        )

    def go_back(
        self, before: CommitState | None, after: CommitState, short: str, arrival: CommitArrival
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
            self._cut_faults(before, short, arrival.commit)
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

    def _cut_faults(self, state: CommitState, short: str, commit: Commit | None) -> None:
        """End the traces of rules that may stand in an unreadable document of a state.

        Args:
            state: the state.
            short: the abbreviated hash of its commit.
            commit: the commit after it; None for uncommitted work.
        """
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
        self._cut(_describe_fault(fault, short), is_unreadable, commit)

    def build_drift(self) -> TrackerDrift:
        """Return the drift with the movers, and with a note if an answer is missing."""
        drift = self.question.drift
        changes: list[Change] = list(drift.changes)
        count = doubtful = 0
        for at, trace in self._traces.items():
            answer = trace.build_answer()
            changes[at] = replace(
                changes[at], moved=answer.moved, moved_in=answer.moved_in, base=answer.base
            )
            count += trace.is_cut
            doubtful += trace.is_doubtful
        notes = drift.notes
        if count:
            notes = (*notes, _describe_cut(count, self._reason))
        notes = (*notes, *self._describe_record(doubtful))
        return replace(drift, changes=tuple(changes), notes=notes, is_history_cut=bool(count))

    def _describe_record(self, doubtful: int) -> Iterator[str]:
        """Yield the notes about the record of agreement.

        Args:
            doubtful: the number of rules whose entry names a commit that git lacks.
        """
        if self._agreements is None:
            return
        if self._agreements.fault is not None:
            yield f"nothing counts as moved by git, since {self._agreements.fault}"
        if doubtful:
            rules = "a rule" if doubtful == 1 else f"{doubtful} rules"
            yield (
                f"the record of agreement names commits for {rules} that git lacks here: fetch the "
                f"history, or begin the record anew with `pinsync plan --reset-record` if somebody "
                f"forced the main line to another history"
            )
        for target in self._agreements.interrupted:
            yield f"{target}: an interrupted run may have written this already"


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


class _StateSearch:
    """A walk along the main line for all trackers.

    Args:
        reader: reads git's objects.
        context: the repository and the configuration of the working tree.
        lookup: reads commits.
        tip: the full hash of the newest commit.
        side: git's side.
    """

    def __init__(
        self, reader: Reader, context: HistoryContext, lookup: CommitLookup, tip: str, side: GitSide
    ) -> None:
        self._lookup = lookup
        self._side = side
        self._states = CommitStates(reader, context, tip, lookup.version_reader)

    def walk(self, inquiries: Sequence[Inquiry], end: Commit | None) -> None:
        """Walk until every trace has its answer, or ends without one.

        Args:
            inquiries: the trackers.
            end: the commit at which a shallow clone ends; None in a full clone.
        """
        self._start(inquiries)
        at = 0
        while any(inquiry.traces for inquiry in inquiries):
            commit = self._states.get_commit(at)
            if commit is None or (end and commit.hash == end.hash):
                break
            self._go_back(inquiries, at, commit)
            at += 1
        if end:
            _cut_all(inquiries, describe_shallow_end(end), end)

    def _start(self, inquiries: Sequence[Inquiry]) -> None:
        """Go to the newest commit."""
        newest = self._states.get_commit(0)
        short = newest.short if newest else ""
        after = newest if self._side.source.kind == "revision" else None
        if not self._check_configuration(inquiries, 0, after):
            return
        state = self._states.read_state(0, self._side.ignore)
        for inquiry in inquiries:
            if self._side.source.kind != "revision":
                inquiry.go_back_to_head(state, self._side, short)
            elif state:
                inquiry.follow(state, self._side.trackers)

    def _go_back(self, inquiries: Sequence[Inquiry], at: int, commit: Commit) -> None:
        """Go from a commit to its parent."""
        # Equal outlines have equal trees, so the documents needn't be read.
        if self._states.read_outline(at) != self._states.read_outline(at + 1):
            parent = self._states.get_commit(at + 1)
            if not self._check_configuration(inquiries, at + 1, commit):
                return
            before = self._states.read_state(at + 1, self._side.ignore)
            after = self._states.read_state(at, self._side.ignore)
            short = parent.short if parent else ""
            for inquiry in inquiries:
                if after and inquiry.traces:
                    inquiry.go_back(before, after, short, self._arrive(commit, inquiry))
        for inquiry in inquiries:
            inquiry.traces.expire(self._arrive(commit, inquiry))

    def _arrive(self, commit: Commit, inquiry: Inquiry) -> CommitArrival:
        return CommitArrival(self._lookup, commit, inquiry.tracker_id, inquiry.explain)

    def _check_configuration(
        self, inquiries: Sequence[Inquiry], at: int, after: Commit | None
    ) -> bool:
        """Return whether the configuration of a commit can be read; end all traces if not.

        Args:
            inquiries: the trackers.
            at: the index of the commit.
            after: the commit after it; None for uncommitted work.
        """
        outline = self._states.read_outline(at)
        if not isinstance(outline, ReadFault):
            return True
        commit = self._states.get_commit(at)
        reason = _describe_fault(outline, commit.short if commit else "")
        _cut_all(inquiries, reason, after)
        return False
