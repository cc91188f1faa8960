"""Plan what a state of git would change in the shop, for `plan`, `apply` and `restore`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.agreement.store import open_record
from pinsync.agreement.update import Exported, Keeper
from pinsync.canonical.moments import format_utc
from pinsync.commands import diff
from pinsync.commands.diff import Comparison, Run, get_tracker
from pinsync.drift.pairs import (
    build_no_match_error,
    check_ids,
    is_in_filters,
    resolve_ids,
)
from pinsync.drift.record import Drift, TrackerDrift
from pinsync.drift.shoppers import add_shoppers, find_shoppers
from pinsync.errors import PinsyncError, RepositoryError, UsageError
from pinsync.history.arrivals import UNSHALLOW
from pinsync.layout import build_file_name
from pinsync.model import EVERYTHING, STANDARD_INPUT, Scope
from pinsync.plan.checksum import compute_checksum
from pinsync.plan.decisions import drop_settled
from pinsync.plan.guard import describe_mass_removal
from pinsync.plan.order import build_operations
from pinsync.plan.record import Operation, Permissions, Plan, TrackerPlan
from pinsync.plan.selection import Selection
from pinsync.terminal.console import read_standard_input
from pinsync.workspace.parallel import run_in_parallel
from pinsync.workspace.paths import find_current_folder
from pinsync.workspace.source import Source, parse_sources
from pinsync.workspace.state import pair_trackers, read_contents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.commands.diff import TrackerPair
    from pinsync.config import Tracker
    from pinsync.drift.record import Change
    from pinsync.model import Customization
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.state import Content, State
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace

_HASH_CHARS: Final = 12
_OPEN_RANGE: Final = re.compile(r"\.\.(?P<end>[^./].*|)")
"""A range without a start; a path such as ``../live.json`` is none."""


class Terms(Struct, frozen=True):
    """What a plan may do.

    Attributes:
        scope: the rules to plan.
        permissions: the options that allow more than the safe operations.
        reset_record: begin the record of agreement anew before planning.
        in_use_only: whether a rule has to be managed by the configuration in use, too.
        doubts_creates: whether it can't be known that the shop never had a rule that git added.
        at: the moment from which the changes are seen; None for the date of the answer.
        now: the present, in UTC.
    """

    scope: Scope = EVERYTHING
    permissions: Permissions = Permissions()
    reset_record: bool = False
    in_use_only: bool = False
    doubts_creates: bool = False
    at: datetime | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


class Request(Struct, frozen=True):
    """SOURCE, as the command line names it.

    Attributes:
        source: the state that the shop gets.
        start: the start of a range; None without a range, or if the record says where it begins.
        is_open: whether the record says where the range begins.
    """

    source: Source
    start: Source | None = None
    is_open: bool = False

    @property
    def range_start(self) -> str | None:
        """The start of the range as the user spelled it; None without a range."""
        if self.start:
            return self.start.text
        return "" if self.is_open else None


class Planned(Struct, frozen=True):
    """A plan, and the states that it was made from.

    Attributes:
        plan: the plan.
        pairs: each tracker in the configuration of SOURCE, and in today's.
        comparisons: the comparison of each tracker.
        is_unfiltered: whether no filter narrowed the plan; a range may have.
    """

    plan: Plan
    pairs: Sequence[TrackerPair]
    comparisons: Sequence[Comparison]
    is_unfiltered: bool = True


def open_run(
    workspace: Workspace,
    request: Request,
    options: diff.Options,
    console: Console,
    *,
    keeps_answer: bool = False,
) -> Run:
    """Return the comparison of SOURCE with the shop, which hasn't begun yet.

    Args:
        workspace: the configuration and the files.
        request: SOURCE.
        options: the trackers, the present, and what the reports need.
        console: prints git's warnings about SOURCE.
        keeps_answer: whether the shop's snapshot keeps the answer of the API.

    Raises:
        ConfigError: the configuration in SOURCE is refused.
    """
    for source in filter(None, (request.source, request.start)):
        for warning in source.warnings:
            console.warn(warning)
    git = workspace.open_source(request.source)
    live = workspace.open_source(Source("live", "@live", keeps_answer=keeps_answer))
    return Run(git, live, options, workspace.environ, console, workspace.tree)


def build_plan(run: Run, terms: Terms, request: Request, workspace: Workspace) -> Planned:
    """Return the plan of a run.

    Args:
        run: the comparison of SOURCE with the shop.
        terms: what the plan may do.
        request: SOURCE.
        workspace: the configuration and the files.

    Raises:
        PinsyncError: an error that stops all trackers.
    """
    source, live, tree, console = run.old, run.new, run.tree, run.console
    planner = _Planner(run, terms, request, workspace)
    pairs = run.choose_trackers()
    names = [get_tracker(pair).name for pair in pairs]
    with console.show_phase("planning", names) as done:
        found = run_in_parallel(planner.compare, pairs, lambda pair: done(get_tracker(pair).name))
    run.print_warnings(found)
    planner.check_scope(found)
    if terms.reset_record:
        planner.reset_record(found, pairs)
    drifts = run.add_movers(found, pairs)
    planner.check_history(drifts)
    fetched_at = max((comparison.date for comparison in found if comparison.date), default=None)
    moment = format_utc(terms.at or fetched_at or terms.now)
    plans: list[TrackerPlan] = []
    for each, comparison, pair in zip(drifts, found, pairs, strict=True):
        plans.append(planner.build(each, comparison, pair, moment))
    trackers = tuple(plans)
    drift = Drift(
        diff.build_side(source, fetched_at),
        diff.build_side(live, fetched_at),
        tuple(tracker.drift for tracker in trackers),
        moment,
        tuple(diff.list_notes(source, live, tree)),
    )
    checksum = compute_checksum(trackers) if drift.is_complete else None
    plan = Plan(drift, trackers, terms.permissions, checksum, request.range_start)
    return Planned(plan, pairs, found, terms.scope == EVERYTHING)


def choose_rules(
    run: Run,
    terms: Terms,
    request: Request,
    workspace: Workspace,
    planned: Planned,
    chosen: Mapping[str, Sequence[Change]],
) -> Planned:
    """Return the plan of the rules that a person chose, whoever changed them.

    Args:
        run: the comparison of SOURCE with the shop.
        terms: what the plan may do; a chosen rule needs no further permission.
        request: SOURCE.
        workspace: the configuration and the files.
        planned: the plan of all rules.
        chosen: name of a tracker → its chosen changes of ``planned``.

    Raises:
        RepositoryError: a shallow clone can't tell whether git ever had a document.
    """
    permissions = Permissions(delete=True, overwrite_edits=True, recreate=True, delete_extra=True)
    planner = _Planner(run, replace(terms, permissions=permissions), request, workspace)
    plan = planned.plan
    trackers: list[TrackerPlan] = []
    for each, comparison, pair in zip(
        plan.trackers, planned.comparisons, planned.pairs, strict=True
    ):
        changes = tuple(chosen.get(each.drift.name, ()))
        drift = replace(each.drift, changes=changes, unchanged=0)
        trackers.append(planner.build(drift, comparison, pair, plan.drift.at))
    drifts = tuple(tracker.drift for tracker in trackers)
    plan = Plan(
        replace(plan.drift, trackers=drifts),
        tuple(trackers),
        permissions,
        compute_checksum(trackers),
        plan.since,
    )
    return replace(planned, plan=plan, is_unfiltered=False)


def parse_request(text: str, tree: WorkingTree) -> Request:
    """Parse SOURCE or a range.

    Args:
        text: the argument.
        tree: the working tree.

    Raises:
        UsageError: the shop can't be its own source, or the range isn't of two revisions.
        PinsyncError: there is no such source.
    """
    repository, folder = tree.repository, find_current_folder()
    advice = partial(diff.suggest_model, tree, "plan")
    if text == "@live":
        hint = "name a revision, @index, @worktree or a JSON export"
        raise UsageError("@live is the shop itself, which a plan changes", hint=hint)
    if match := _OPEN_RANGE.fullmatch(text):
        end, _ = parse_sources([match["end"] or "HEAD"], repository, folder, advice)
        _check_range(text, end)
        return Request(end, is_open=True)
    stdin = read_standard_input() if text == STANDARD_INPUT else b""
    first, second = parse_sources([text], repository, folder, advice, stdin)
    # A single source is paired with the shop.
    if first.text == text:
        return Request(first)
    if "..." in text:
        hint = f"write {text.replace('...', '..')} for the rules that changed between the two"
        raise UsageError("a plan takes no range from a merge base", hint=hint)
    _check_range(text, first, second)
    return Request(second, first)


def _check_range(text: str, *ends: Source) -> None:
    """Refuse a range with an end that isn't a revision.

    Raises:
        UsageError: an end isn't a revision.
    """
    for end in ends:
        if end.kind != "revision":
            hint = "commit your work first, or name @worktree or @index alone"
            raise UsageError(f"{text} isn't a range of two revisions", hint=hint)


class _Planner(Struct, frozen=True):
    """Plans the trackers of a run."""

    run: Run
    terms: Terms
    request: Request
    workspace: Workspace

    @property
    def source(self) -> State:
        """SOURCE with its configuration."""
        return self.run.old

    # Before the movers are looked up

    def compare(self, pair: TrackerPair) -> Comparison:
        """Compare one tracker, and keep the rules to plan; an error becomes part of the result.

        Args:
            pair: the tracker in the configuration of SOURCE, and in today's.
        """
        source, _ = pair
        tracker = get_tracker(pair)
        drift = TrackerDrift(tracker.name, tracker.tracker_id)
        if error := _find_mismatch(self.source.source.text, pair):
            return Comparison(replace(drift, error=error))
        if source is None:
            note = (
                f"the configuration of {self.source.source.text} knows no such tracker: commit "
                f"the configuration to plan it"
            )
            return Comparison(replace(drift, notes=(note,)))
        # The range first: its files are quicker to read than the shop.
        selection: Selection | None = None
        try:
            if start := self._find_start(pair):
                selection = self._select(start, pair)
        except PinsyncError as error:
            return Comparison(replace(drift, error=error))
        found = self.run.compare(pair)
        if found.contents is None:
            return found
        return self._narrow(found, pair, selection)

    def _narrow(
        self, found: Comparison, pair: TrackerPair, selection: Selection | None
    ) -> Comparison:
        """Return a comparison with the rules to plan alone."""
        source, live = found.contents or (None, None)
        if source is None or live is None:
            return found
        scope = resolve_ids(
            self.terms.scope, [*source.snapshot.customizations, *live.snapshot.customizations]
        )
        edits = drop_settled(found.drift.changes)
        changes = [change for change in edits if change.pair.is_in(scope)]
        if self.terms.in_use_only and pair[1]:
            current = Scope(managed=pair[1].manages)
            changes = [change for change in changes if change.pair.is_in(current)]
        notes = [*found.drift.notes, *_describe_flags(pair[1])]
        if selection:
            count = len(changes)
            changes = list(filter(selection.has, changes))
            if count > len(changes):
                notes.append(self._describe_outside(count - len(changes)))
        drift = replace(found.drift, changes=tuple(changes), notes=tuple(notes))
        # The number is of all rules, whatever the scope and the range.
        if scope != EVERYTHING or self.request.range_start is not None:
            drift = replace(drift, unchanged=0)
        return replace(found, drift=drift)

    def _find_start(self, pair: TrackerPair) -> Source | None:
        """Return the start of the range for one tracker; None without a range."""
        if self.request.is_open:
            repository, end = self.workspace.tree.repository, self.request.source
            return find_applied(repository, get_tracker(pair), end)
        return self.request.start

    def _select(self, start: Source, pair: TrackerPair) -> Selection:
        """Return the rules of a tracker that changed in the range."""
        old = self.workspace.open_source(start)
        trackers = pair_trackers(self.source.trackers, old.trackers)
        before = next((each for each, own in trackers if own and each == pair[0]), None)
        # The fields that SOURCE ignores are ignored on both sides.
        new, start_content = read_contents(
            self.source, old, (pair[0], before), EVERYTHING, self.workspace.environ, whole=False
        )
        return Selection(start_content.snapshot.customizations, new.snapshot.customizations)

    def _describe_outside(self, count: int) -> str:
        rules = "another rule differs" if count == 1 else f"{count:,} other rules differ"
        start = self.request.range_start or "the last apply"
        return (
            f"{rules}, and didn't change between {start} and {self.source.source.text}: outside of "
            f"this plan"
        )

    def check_scope(self, found: Sequence[Comparison]) -> None:
        """Refuse a scope that no rule is in, because its values are probably mistyped.

        Raises:
            UsageError: no rule is in the scope.
        """
        scope = self.terms.scope
        if scope == EVERYTHING:
            return
        known: list[Customization] = []
        for comparison in found:
            for content in comparison.contents or ():
                known += content.snapshot.customizations
        is_complete = not any(comparison.drift.error for comparison in found)
        check_ids(scope, known, is_complete=is_complete)
        resolved = resolve_ids(scope, known)
        # A tracker that failed might have had a match.
        if is_complete and not any(is_in_filters(rule, resolved) for rule in known):
            raise build_no_match_error(scope, known)

    def reset_record(self, found: Sequence[Comparison], pairs: Sequence[TrackerPair]) -> None:
        """Begin the records of agreement anew from the rules that agree now.

        Raises:
            UsageError: there is no repository, or a tracker's answers lack pins.
            RepositoryError: git doesn't tell which branch is the main line, or can't write.
        """
        repository = self.workspace.tree.repository
        if repository is None:
            hint = "run it in the repository that holds the documents"
            raise UsageError("--reset-record: there is no git repository here", hint=hint)
        exports: list[Exported] = []
        for comparison, pair in zip(found, pairs, strict=True):
            tracker = get_tracker(pair)
            if tracker.remove_expired_pins or tracker.remove_nonexisting_item_pins:
                message = f"--reset-record: the answers of tracker {tracker.name} lack pins"
                hint = "switch remove_expired_pins and remove_nonexisting_item_pins off"
                raise UsageError(message, hint=hint)
            if comparison.contents:
                live = comparison.contents[1].snapshot.customizations
                exports.append(Exported(tracker.tracker_id, live, (), EVERYTHING))
        for line in Keeper(self.workspace, repository).reset(exports):
            self.run.console.say(line)

    # After the movers are looked up

    def check_history(self, drifts: Sequence[TrackerDrift]) -> None:
        """Refuse to plan with a shallow clone in which it can't be told who moved.

        Raises:
            RepositoryError: the history ends too early.
        """
        repository = self.workspace.tree.repository
        is_cut = any(drift.is_history_cut for drift in drifts)
        if repository and is_cut and repository.read_shallow_ends():
            raise _build_shallow_error()

    def build(
        self, drift: TrackerDrift, comparison: Comparison, pair: TrackerPair, moment: str
    ) -> TrackerPlan:
        """Return the plan of one tracker.

        Args:
            drift: the rules to plan, each with its mover.
            comparison: the comparison of both sides.
            pair: the tracker in the configuration of SOURCE, and in today's.
            moment: the moment from which the changes are seen.
        """
        changes = tuple(add_shoppers(drift.changes, moment))
        if self.terms.doubts_creates:
            changes = tuple(map(_doubt_create, changes))
        drift = replace(drift, changes=changes)
        if comparison.contents is None:
            return TrackerPlan(drift)
        source, live = comparison.contents
        absent = self._find_absent(changes, source, pair)
        operations, left = build_operations(
            changes, live.snapshot.customizations, self.terms.permissions, absent
        )
        seen = tuple(_add_shoppers(operation, moment) for operation in operations)
        safety = self.run.new.settings.safety
        if note := describe_mass_removal(
            seen,
            len(live.snapshot.customizations),
            safety.max_removed_percent,
            safety.min_existing,
        ):
            drift = replace(drift, notes=(*drift.notes, note))
        return TrackerPlan(drift, seen, tuple(left), not source.snapshot.customizations)

    def _find_absent(
        self, changes: Sequence[Change], source: Content, pair: TrackerPair
    ) -> set[str]:
        """Return the models of rules to delete without a document in SOURCE and its ancestors.

        Raises:
            RepositoryError: a shallow clone can't tell.
        """
        # A JSON export holds all models.
        if not self.source.in_files or pair[0] is None:
            return set()
        wanted: set[str] = set()
        proved: set[str] = set()
        for change in changes:
            if change.old is None:
                wanted.add(change.subject.model)
                # Git once had the rule, and so a document for it.
                if change.moved in ("git", "shop", "both"):
                    proved.add(change.subject.model)
        folder = self.source.find_folder(pair[0])
        missing = wanted - source.documents.keys()
        # A folder without a document may be mistyped.
        if missing and (source.documents or self._has_history(folder)):
            missing -= proved
        return {
            model for model in missing if not self._has_history(folder / build_file_name(model))
        }

    def _has_history(self, path: PurePosixPath) -> bool:
        """Return whether SOURCE or a commit before it has a path."""
        repository = self.workspace.tree.repository
        tip = self.source.source.revision
        if repository and tip is None:
            tip = repository.resolve_head()
        if repository is None or tip is None:
            return False
        if repository.has_history(tip, path):
            return True
        if repository.read_shallow_ends():
            raise _build_shallow_error()
        return False


def find_applied(repository: Repository | None, tracker: Tracker, end: Source) -> Source:
    """Return the revision that was applied to a tracker last, by the record of agreement.

    Args:
        repository: the repository; None without one.
        tracker: the tracker.
        end: the end of the range, which must not be older.

    Raises:
        RepositoryError: there is no record, or it speaks of another history than that of ``end``.
        FileError: the record can't be read.
    """
    stored = open_record(repository, tracker.tracker_id) if repository else None
    if repository is None or stored is None:
        message = (
            f"tracker {tracker.name} has no record of what was applied, where the range begins"
        )
        hint = "`pinsync export` on the main line starts the record; or name the start: A..B"
        raise RepositoryError(message, hint=hint)
    applied = stored.header.applied
    if end.revision is None or repository.is_ancestor(end.revision, applied):
        return Source("revision", applied[:_HASH_CHARS], revision=applied)
    if repository.read_shallow_ends():
        raise _build_shallow_error()
    name = end.revision[:_HASH_CHARS]
    if repository.is_ancestor(applied, end.revision):
        message = f"{name} is older than {applied[:_HASH_CHARS]}, which was applied already"
        raise RepositoryError(message, hint="to go back, run pinsync restore")
    message = (
        f"the history of {name} lacks {applied[:_HASH_CHARS]}, which was applied last, as the "
        f"record of agreement says"
    )
    hint = (
        "fetch the main line; if somebody forced it to another history, run pinsync plan "
        "--reset-record"
    )
    raise RepositoryError(message, hint=hint)


def _build_shallow_error() -> RepositoryError:
    message = "this clone is shallow, and its history ends before it tells who moved each rule"
    return RepositoryError(message, hint=UNSHALLOW)


def _find_mismatch(source: str, pair: TrackerPair) -> UsageError | None:
    """Return an error if the shop of a tracker isn't the one that SOURCE means; else None."""
    planned, live = pair
    if live is None:
        message = f"{source} configures this tracker, and the configuration in use doesn't"
        hint = "add the tracker to the configuration, or choose others with --tracker"
        return UsageError(message, hint=hint)
    if planned and planned.tracker_id and planned.tracker_id != live.tracker_id:
        message = (
            f"{source} has the rules of tracker {planned.tracker_id}, and the configuration in use "
            f"names {live.tracker_id}"
        )
        return UsageError(message, hint="commit the configuration before you plan")
    return None


def _describe_flags(tracker: Tracker | None) -> Iterator[str]:
    """Yield a note if the answer lacks pins that a write to the shop would remove."""
    if tracker and (tracker.remove_expired_pins or tracker.remove_nonexisting_item_pins):
        yield (
            "the documents lack the pins that the shop leaves out (remove_… in the configuration), "
            "so this plan can't be applied: a write replaces all pins of a rule"
        )


def _doubt_create(change: Change) -> Change:
    """Return a change whose mover is unknown if git added the rule."""
    is_create = change.new is None and change.moved == "git"
    return replace(change, moved="unknown") if is_create else change


def _add_shoppers(operation: Operation, moment: str) -> Operation:
    shoppers = find_shoppers(operation.change, moment)
    return replace(operation, change=replace(operation.change, shoppers=shoppers))
