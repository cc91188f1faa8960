"""``pinsync export``: write the live customizations into the documents of the repository."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync import layout
from pinsync.agreement.store import is_only_tracker
from pinsync.agreement.update import Exported, Keeper
from pinsync.canonical.moments import format_utc
from pinsync.commands.lookup import Lookup, Mentioned
from pinsync.config import Tracker
from pinsync.drift.causes import Omissions, add_causes, has_unexplained_pins
from pinsync.drift.changes import collect_shown_items, compare_customizations, find_titles
from pinsync.drift.pairs import (
    are_ids_disjoint,
    build_no_match_error,
    check_ids,
    is_filter_inconclusive,
    resolve_ids,
)
from pinsync.drift.record import Drift, Side, TrackerDrift
from pinsync.drift.shoppers import add_shoppers
from pinsync.errors import (
    FileError,
    PinsyncError,
    RepositoryError,
    SafetyError,
    UsageError,
    pick_gravest,
)
from pinsync.escape import one_line
from pinsync.items.mentioned import collect_mentioned
from pinsync.model import EVERYTHING, STANDARD_INPUT, Customization, Scope, Snapshot
from pinsync.redaction import redact
from pinsync.reports import Style
from pinsync.reports.commit_message import write_message
from pinsync.reports.words.outcome import list_item_notes, summarize_update
from pinsync.repository import append_trailers, format_export_line
from pinsync.sync.agreement import list_changed, list_unconfirmed
from pinsync.sync.basis import list_customizations, read_basis
from pinsync.sync.choice import (
    add_places,
    build_chosen_scope,
    list_changes,
    list_written_changes,
)
from pinsync.sync.committed import count_from_head, find_removed_rules
from pinsync.sync.guard import check_removals
from pinsync.sync.items import add_items
from pinsync.sync.pending import describe_doubtful, keep_pending, split_pending
from pinsync.sync.proposal import OpenProposal, collect_rule_ids, find_open_proposal, plan_branch
from pinsync.sync.to_files import Update, plan_update
from pinsync.terminal.choose import Meanings, check_terminal
from pinsync.terminal.console import read_standard_input
from pinsync.workspace.items import read_titles
from pinsync.workspace.leftovers import (
    check_old_documents,
    describe_leftovers,
    describe_rename,
    describe_uncommitted,
    find_misnamed,
)
from pinsync.workspace.parallel import run_in_parallel
from pinsync.workspace.paths import relative_to_cwd
from pinsync.workspace.read import (
    fetch_live,
    override_flags,
    parse_documents,
    parse_export,
    read_export,
)
from pinsync.workspace.source import Source
from pinsync.workspace.store import explain_interrupts
from pinsync.workspace.tree import (
    Head,
    TrackerFiles,
    WorkingTree,
    check_committed,
    require_commit,
    require_repository_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.config import Settings
    from pinsync.document.record import Document
    from pinsync.drift.pairs import Pair
    from pinsync.drift.record import Change
    from pinsync.repository import CommitMessage
    from pinsync.sync.basis import Basis
    from pinsync.sync.items import ItemsUpdate
    from pinsync.terminal.console import Console
    from pinsync.workspace.tree import Changes
    from pinsync.workspace.workspace import Workspace


MEANINGS: Final = Meanings(
    shop="write the shop's state of the rule to the files",
    git="leave the files as they are; an export never changes the shop",
    skip="decide later, and leave the files as they are",
    acting="shop",
)
"""What the answers of ``--patch`` mean for an export."""


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        names: the names of the trackers; all trackers if empty.
        scope: the customizations to export.
        check: only print the files that would change.
        from_file: the path of a saved export, read instead of the API; ``-`` is standard input.
        commit: record the result as a commit.
        branch: commit onto this branch, and leave the working tree alone.
        message: the commit message; None for a message made from the changes.
        remove_expired_pins: overrides the setting of the trackers.
        remove_nonexisting_item_pins: overrides the setting of the trackers.
        force: overwrite uncommitted work.
        items: also look up the items in the catalog.
        allow_mass_removal: allow the export to remove more than `Safety.max_removed_percent`.
        keep_pending: leave the rules as git has them that the shop alone didn't change.
        patch: ask about each rule, and write only the rules that the answers choose.
        now: the present, in UTC.
    """

    names: Sequence[str] = ()
    scope: Scope = EVERYTHING
    check: bool = False
    from_file: str | None = None
    commit: bool = False
    branch: str | None = None
    message: str | None = None
    remove_expired_pins: bool | None = None
    remove_nonexisting_item_pins: bool | None = None
    force: bool = False
    items: bool = False
    allow_mass_removal: bool = False
    keep_pending: bool = False
    patch: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def flags(self) -> tuple[bool | None, bool | None]:
        """The flags that override the settings of the trackers."""
        return self.remove_expired_pins, self.remove_nonexisting_item_pins


def export(workspace: Workspace, options: Options, console: Console) -> int:
    """Make the documents equal to the live customizations.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: prints the result.

    Returns:
        0; with ``check`` 1 if a file would change; with ``patch`` 1 if a person refused the result;
        the gravest exit code if a tracker failed.

    Raises:
        PinsyncError: an error that stops all trackers. An error of one tracker is printed, and the
            export of the other trackers continues.
    """
    trackers = _choose_trackers(workspace.settings, options)
    _check_options(options, trackers)
    if options.patch:
        check_terminal()
    tree = workspace.tree
    settings = tree.settings
    place: WorkingTree | Head = tree
    if options.branch is not None:
        repository, head = require_commit(tree, "--branch")
        place = Head(repository, tree.directory, head)
        check_committed(place, tree, settings, workspace.environ)
    elif options.commit:
        require_repository_of(tree, "--commit")
    if options.keep_pending:
        require_repository_of(tree, "--keep-pending")
    names = [tracker.name for tracker in settings.trackers]
    warnings = [
        describe_leftovers(place, names),
        find_misnamed(place, names),
        describe_rename(place, tree, settings, workspace.environ),
    ]
    if options.commit:
        warnings.append(describe_uncommitted(tree))
    for warning in filter(None, warnings):
        console.warn(warning)
    run = _Run(workspace, options, console, place)
    answers = run.fetch(trackers)
    if options.check:
        run.check(answers)
    elif answers:
        run.write(answers)
    return pick_gravest(run.codes)


def _choose_trackers(settings: Settings, options: Options) -> list[Tracker]:
    if options.from_file is not None and not settings.trackers and not options.names:
        # A saved export can be read without access to a tracker.
        return [Tracker("default", "")]
    return [override_flags(tracker, *options.flags) for tracker in settings.select(options.names)]


def _check_options(options: Options, trackers: Sequence[Tracker]) -> None:
    """Refuse options that contradict each other."""
    has_commit = options.commit or options.branch is not None
    if options.commit and options.branch is not None:
        message = (
            "--commit is for the branch that is checked out and --branch for another, so they "
            "can't go together"
        )
        raise UsageError(message, hint="leave one of them out")
    if options.check and has_commit:
        raise UsageError("--check changes nothing, so it can't go with --commit or --branch")
    if options.message is not None and not has_commit:
        raise UsageError("-m is the message of a commit", hint="add --commit or --branch NAME")
    if options.message is not None and not options.message.strip():
        hint = "leave -m out for a message made from the changes"
        raise UsageError("-m: the commit message is empty", hint=hint)
    if options.force and (options.check or options.branch is not None):
        other = "--branch leaves the files as they are"
        if options.check:
            other = "--check writes no files"
        message = f"{other}, so there is nothing for --force to overwrite"
        raise UsageError(message, hint="leave one of them out")
    if options.keep_pending and True in options.flags:
        message = "--keep-pending compares whole rules, so the API can't be asked to omit pins"
        raise UsageError(message, hint="leave one of them out")
    if options.patch:
        _check_patch(options)
    if options.from_file is not None:
        _check_from_file(options, trackers, Path(options.from_file))


def _check_patch(options: Options) -> None:
    """Refuse options that contradict ``--patch``."""
    reason = None
    if options.check:
        reason = "--check changes nothing, so there is nothing to choose"
    elif options.branch is not None:
        reason = "--patch chooses what comes into the files, and --branch leaves them alone"
    elif options.from_file == STANDARD_INPUT:
        reason = "--patch reads the answers from standard input, which --from-file - reads already"
    if reason:
        raise UsageError(reason, hint="leave one of them out")


def _check_from_file(options: Options, trackers: Sequence[Tracker], path: Path) -> None:
    """Refuse options that contradict a saved export."""
    if options.keep_pending:
        message = "--keep-pending is about what the shop has now, and a saved export is older"
        raise UsageError(message, hint="leave --keep-pending or --from-file out")
    if len(trackers) > 1:
        names = ", ".join(tracker.name for tracker in trackers)
        message = f"{path} is the export of one tracker, but doesn't name the tracker"
        raise UsageError(message, hint=f"choose one with --tracker: {names}")
    if options.items:
        message = "--items asks the API for the catalog, so it can't go with --from-file"
        raise UsageError(message, hint="leave it out, and run pinsync items afterwards")
    if options.flags != (None, None):
        raise UsageError("only the API can omit pins; a saved export is read as it is")


class _Sides(Struct, frozen=True):
    """Both sides of one tracker's export.

    Attributes:
        tracker: the tracker.
        files: its files before.
        basis: the documents before.
        live: the answer of the API.
        scope: the filters and the managed rules.
        changes: with ``--patch``, the changes from the documents to the answer to ask about, each
            with its mover.
        pending: with ``--keep-pending``, the changes of the rules that stay as git has them.
    """

    tracker: Tracker
    files: TrackerFiles
    basis: Basis
    live: Snapshot
    scope: Scope
    changes: Sequence[Change] = ()
    pending: Sequence[Change] = ()


class _Run:
    """One export. An error of a tracker is printed at once, and its exit code kept."""

    def __init__(
        self, workspace: Workspace, options: Options, console: Console, place: WorkingTree | Head
    ) -> None:
        self._workspace = workspace
        self._settings = workspace.tree.settings
        self._options = options
        self._environ = workspace.environ
        self._console = console
        self._place = place
        self._head: str | None = None
        self._is_scope_matched = False
        self._known: list[Customization] = []
        self._removed: list[Customization] = []
        # The moment from which people see the changes: the newest answer's.
        self._moment = format_utc(options.now.replace(microsecond=0))
        self.codes: list[int] = []

    def fetch(self, trackers: Sequence[Tracker]) -> list[tuple[Tracker, Snapshot]]:
        """Fetch the answers of the trackers in parallel; return those without an error."""
        found: list[tuple[Tracker, Snapshot]] = []
        with self._console.show_phase("fetching", [tracker.name for tracker in trackers]) as done:
            answers = run_in_parallel(self._fetch, trackers, lambda tracker: done(tracker.name))
        for tracker, answer in zip(trackers, answers, strict=True):
            if isinstance(answer, PinsyncError):
                self._fail(answer)
                continue
            for warning in answer.warnings:
                self._console.warn(f"{tracker.name}: {warning}")
            found.append((tracker, answer))
        if dates := [answer.date for _, answer in found if answer.date]:
            self._moment = format_utc(max(dates))
        return found

    def _fail(self, error: PinsyncError) -> None:
        """Print an error, and keep its exit code."""
        # A hook of git may have printed a key, and its output is part of the message. Git's own
        # messages are redacted already, but only by patterns.
        keys = [tracker.private_key_env for tracker in self._settings.trackers]
        error.message = redact(error.message, self._environ, keys)
        self.codes.append(self._console.fail(error))

    def _fetch(self, tracker: Tracker) -> Snapshot | PinsyncError:
        """Return the answer of a tracker, or the error; called by several threads."""
        name, ignore = self._options.from_file, self._settings.ignore
        try:
            if name == STANDARD_INPUT:
                return parse_export(read_standard_input(), STANDARD_INPUT, ignore)
            if name is not None:
                return read_export(Path(name), ignore)
            scope = self._options.scope.for_api
            return fetch_live(tracker, self._settings, scope, self._environ, self._console)
        except PinsyncError as error:
            return error

    def _plan_updates(self, answers: Sequence[tuple[Tracker, Snapshot]]) -> list[Update]:
        """Return the updates of the trackers without an error.

        Raises:
            UsageError: no customization is in the scope, or an id is unclear.
        """
        planned: list[tuple[_Sides, Update]] = []
        if isinstance(self._place, WorkingTree):
            self._head = self._place.resolve_head()
        names = [tracker.name for tracker, _ in answers]
        with self._console.show_phase("rendering", names) as done:
            for tracker, answer in answers:
                try:
                    planned.append(self._plan_update(tracker, answer))
                except PinsyncError as error:
                    self._fail(error)
                done(tracker.name)
        # A tracker that failed might have had a match.
        known = [*self._known, *self._removed]
        check_ids(self._options.scope, known, is_complete=not self.codes)
        if self._options.scope != EVERYTHING and not self._is_scope_matched and not self.codes:
            raise build_no_match_error(self._options.scope, self._known)
        if self._options.patch:
            return self._choose_updates(planned)
        return [update for _, update in planned]

    def _plan_all(self, answers: Sequence[tuple[Tracker, Snapshot]]) -> list[Update]:
        """Return the updates of the trackers without an error, with those of ``items.json``."""
        updates = self._plan_updates(answers)
        return self._add_items(updates) if self._options.items else updates

    def _add_items(self, updates: Sequence[Update]) -> list[Update]:
        """Return the updates with the changes of ``items.json``.

        With ``--commit`` or ``--branch``, a change of titles alone is no reason for a commit.
        """
        place, options = self._place, self._options
        rows: list[Mentioned] = []
        for update in updates:
            changes = update.recorded if options.commit else update.files
            if changes or not (options.commit or options.branch):
                rows.append(Mentioned(update.tracker, collect_mentioned(update.new)))
        lookup = Lookup(place, self._settings, self._environ, self._console)
        found = dict(
            zip((row.tracker.name for row in rows), lookup.plan_updates(rows), strict=True)
        )
        combined: list[Update] = []
        for update in updates:
            items = found.get(update.tracker.name)
            if isinstance(items, PinsyncError):
                self._fail(items)
            elif items is None:
                combined.append(update)
            else:
                combined.append(self._combine(update, items))
        return combined

    def _combine(self, update: Update, items: ItemsUpdate) -> Update:
        """Return an update with the change of ``items.json``, and print the note about it."""
        for note in list_item_notes(items):
            self._console.say(f"note: {note}")
        place = self._place
        own: Changes = {}
        if self._options.commit and items.on_disk is not None and isinstance(place, WorkingTree):
            # An earlier run may have written the file, and no commit has it yet.
            own = place.find_own_changes(TrackerFiles({items.path: items.on_disk}))
        return add_items(update, items, own)

    def _plan_update(self, tracker: Tracker, live: Snapshot) -> tuple[_Sides, Update]:
        """Return the update of a tracker; without ``--patch``, check it and print its notes."""
        sides = self._read_sides(tracker, live)
        update = self._plan_files(sides)
        is_matched = bool(update.pairs or update.kept or sides.pending)
        update = self._plan_commit(update, sides)
        # An earlier export may have removed all rules in the scope, and no commit records that yet.
        if is_matched or update.recorded:
            self._is_scope_matched = True
        if not self._options.patch:
            self._check_update(update, sides.files)
        return sides, update

    def _read_sides(self, tracker: Tracker, live: Snapshot) -> _Sides:
        """Return both sides of a tracker's export."""
        filters, ignore = self._options.scope, self._settings.ignore
        files = self._read_files(tracker)
        basis = self._read_basis(tracker, files, live)
        existing = list_customizations(basis.documents)
        # With --commit, filters are also about the rules in HEAD that an earlier export removed
        # from the disk.
        removed: Sequence[Customization] = ()
        if filters != EVERYTHING:
            removed = find_removed_rules(files.committed, existing, ignore)
        if self._options.from_file is not None:
            if are_ids_disjoint(existing, live.customizations):
                name = Path(self._options.from_file)
                self._console.warn(
                    f"{tracker.name}: {name} shares no id with the files here; is it the export "
                    f"of another tracker?"
                )
        elif filters.for_api != EVERYTHING:
            live = self._complete_answer(tracker, live, [*existing, *removed])
        if filters != EVERYTHING:
            self._known += [*existing, *live.customizations]
            self._removed += removed
        known = [*existing, *removed, *live.customizations]
        scope = resolve_ids(filters, known).restrict_to(tracker.manages)
        sides = _Sides(tracker, files, basis, live, scope)
        if not self._options.keep_pending and not self._options.patch:
            return sides
        changes = self._find_changes(sides)
        pending: Sequence[Change] = ()
        if self._options.keep_pending:
            pending, changes = split_pending(changes, is_whole=_asks_for_all_pins(tracker))
            for note in filter(None, map(describe_doubtful, pending)):
                self._console.say(note)
        changes = list(add_places(list_written_changes(changes), basis))
        return replace(sides, changes=changes, pending=pending)

    def _plan_files(self, sides: _Sides) -> Update:
        """Return the update of a tracker's files."""
        answer = keep_pending(sides.live, sides.pending)
        folder = self._choose_folder(sides.tracker)
        update = plan_update(sides.tracker, folder, sides.basis, answer, sides.scope)
        return replace(update, live=sides.live.customizations)

    def _plan_commit(self, update: Update, sides: _Sides) -> Update:
        """Return an update with the files of its commit; the update itself without ``--commit``."""
        if not self._options.commit or not isinstance(self._place, WorkingTree):
            return update
        own = self._place.find_own_changes(sides.files)
        return count_from_head(update, sides.files, own, self._settings.ignore, sides.scope)

    def _check_update(self, update: Update, files: TrackerFiles) -> None:
        """Print the notes about an update.

        Raises:
            SafetyError: the update removes suspiciously many rules.
        """
        if not self._options.allow_mass_removal:
            check_removals(update, self._settings.safety)
        self._print_notes(update, files)

    def _find_changes(self, sides: _Sides) -> list[Change]:
        """Return the changes from the documents to the answer, each with its mover."""
        # Imported here, since other exports need no history, which takes a tenth of the start.
        from pinsync.history.configurations import HistoryContext  # noqa: PLC0415
        from pinsync.history.mover_search import GitSide, Question, add_movers  # noqa: PLC0415

        tracker, live, tree = sides.tracker, sides.live, self._workspace.tree
        git = list_customizations(sides.basis.documents)
        changes, _ = compare_customizations(git, live.customizations, sides.scope)
        changes = self._add_causes(tracker, changes, live)
        source = Source("worktree", "@worktree")
        if isinstance(self._place, Head):
            source = Source("revision", "HEAD", revision=self._place.revision)
        question = Question(
            drift=TrackerDrift(tracker.name, tracker.tracker_id, changes=tuple(changes)),
            tracker=tracker,
            tracker_id=tracker.tracker_id,
            git=git,
            documents=tuple(sides.basis.documents.values()),
            prefix="",
            live=live.customizations,
            live_is_new=True,
        )
        now = int(self._options.now.timestamp())
        trackers = self._settings.trackers
        side = GitSide(source, self._settings.ignore, trackers, trackers, now)
        context = None
        if tree.repository:
            context = HistoryContext(tree.settings, tree.repository, self._environ)
        (drift,) = add_movers([question], side, context)
        for note in drift.notes:
            self._console.warn(f"{tracker.name}: {note}")
        return list(drift.changes)

    def _add_causes(self, tracker: Tracker, changes: list[Change], live: Snapshot) -> list[Change]:
        """Return the changes with the cause of each pin that the answer omits as configured."""
        omissions = Omissions(live.date if tracker.remove_expired_pins else None)
        changes = add_causes(changes, omissions, live_is_new=True)
        if tracker.remove_nonexisting_item_pins and has_unexplained_pins(changes, live_is_new=True):
            whole = replace(tracker, remove_nonexisting_item_pins=False)
            answer = fetch_live(whole, self._settings, EVERYTHING, self._environ, self._console)
            unfiltered = {item.id: item for item in answer.customizations if item.id}
            omissions = replace(omissions, unfiltered=unfiltered)
            changes = add_causes(changes, omissions, live_is_new=True)
        return changes

    def _print_notes(self, update: Update, files: TrackerFiles) -> None:
        """Print the rules that stay without an id, and the changes outside a sparse checkout."""
        for rule in update.kept:
            self._console.say(f"note: {self._show_path(rule.source)}:{rule.line}: {rule.why}")
        for path in sorted(files.unchecked.keys() & update.files.keys()):
            verb = "removed" if update.files[path] is None else "written"
            auxiliary = "would be" if self._options.check else "is"
            self._console.say(
                f"note: {self._show_path(path)} changed, though git doesn't check it out here: "
                f"it {auxiliary} {verb}"
            )

    def _read_basis(self, tracker: Tracker, files: TrackerFiles, live: Snapshot) -> Basis:
        """Return the documents that a tracker's export starts from."""
        basis = read_basis(files, live.customizations, self._settings.ignore)
        name = self._settings.choose_subfolder(tracker.name)
        # The documents may still lie in the folder above, from the time with a single tracker.
        if name and not basis.documents:
            check_old_documents(self._place, name, live.customizations)
        for warning in basis.warnings:
            self._console.warn(f"{tracker.name}: {warning}")
        return basis

    def _complete_answer(
        self, tracker: Tracker, live: Snapshot, rules: Sequence[Customization]
    ) -> Snapshot:
        """Return a filtered answer; an unfiltered one if the filtered answer is inconclusive."""
        scope = self._options.scope.restrict_to(tracker.manages)
        if not is_filter_inconclusive(rules, live.customizations, scope):
            return live
        self._console.step(f"{tracker.name}: the filtered answer is inconclusive; fetching all")
        return fetch_live(tracker, self._settings, EVERYTHING, self._environ, self._console)

    def _read_files(self, tracker: Tracker) -> TrackerFiles:
        name = self._settings.choose_subfolder(tracker.name)
        if isinstance(self._place, Head):
            return TrackerFiles(dict(self._place.read_documents(name)))
        return self._place.read_tracker_files(name, self._head, whole=self._options.commit)

    def _choose_folder(self, tracker: Tracker) -> PurePosixPath:
        return layout.choose_folder(
            self._place.directory, self._settings.choose_subfolder(tracker.name)
        )

    def check(self, answers: Sequence[tuple[Tracker, Snapshot]]) -> None:
        """Print the files that an export would change."""
        for update in self._plan_all(answers):
            for path in update.files:
                self._console.print_name(self._show_path(path))
            where = self._describe_folder(update.folder)
            self._console.say(summarize_update(update, where, would="would be "))
            self._announce_refusal(update)
            self.codes.append(1 if update.files else 0)

    def _announce_refusal(self, update: Update) -> None:
        """Print a note if the export would be refused because of uncommitted work."""
        if not update.files or not isinstance(self._place, WorkingTree):
            return
        try:
            # A check can do without git's index, which may be broken.
            with suppress(RepositoryError):
                self._place.find_unsaved(update.files.keys())
        except SafetyError as error:
            self._console.say(
                f"note: {error.message}, so the export would be refused (4): {error.hint}"
            )

    def _show_path(self, path: PurePosixPath | str) -> str:
        """Return the path of a document for people, relative to the current folder."""
        place = self._place
        if isinstance(place, Head):
            # Git prints the paths of a commit from the root of the repository.
            return one_line(str(path))
        return one_line(relative_to_cwd(str(path), place.store.root))

    def _describe_folder(self, folder: PurePosixPath) -> str:
        """Return the end of a line that names the folder, or the branch, of the documents."""
        place = self._place
        if isinstance(place, Head):
            return f"on {self._options.branch}"
        root = place.store.root
        # The full path, unless a configuration or a repository around the current folder makes
        # clear where the files go.
        has_anchor = self._settings.path is not None or place.repository is not None
        if not has_anchor or not Path.cwd().is_relative_to(root.resolve()):
            return f"in {(root / folder).as_posix()}/"
        path = relative_to_cwd(str(folder), root)
        return "in this folder" if path == "." else f"in {path}/"

    def write(self, answers: Sequence[tuple[Tracker, Snapshot]]) -> None:
        """Write the answers, once all of them are checked."""
        place = self._place
        try:
            updates: Sequence[Update] = self._plan_all(answers)
            if self._options.patch and not self._is_confirmed(updates):
                return
            keeper = Keeper(self._workspace, place.repository) if place.repository else None
            if isinstance(place, WorkingTree):
                updates = self._write_updates(place, updates)
            elif updates:
                with explain_interrupts():
                    self._commit_to_branch(place, updates)
            if keeper:
                self._keep_record(keeper, updates)
        except PinsyncError as error:
            self._fail(error)

    # Rule by rule

    def _choose_updates(self, planned: Sequence[tuple[_Sides, Update]]) -> list[Update]:
        """Ask about each rule; return the checked updates with the chosen rules alone.

        Args:
            planned: both sides of each tracker, and the update with all rules.
        """
        drift = self._build_choice([sides for sides, _ in planned])
        if not drift.has_changes:
            self._console.say("nothing to decide: an export would change no rule")
            return []
        if not self._options.force:
            for _, update in planned:
                self._announce_refusal(update)
        chosen = self._choose_changes(drift)
        updates: list[Update] = []
        for sides, _ in planned:
            try:
                if changes := chosen.get(sides.tracker.name):
                    updates.append(self._plan_chosen(sides, changes))
            except PinsyncError as error:
                self._fail(error)
        return updates

    def _build_choice(self, rows: Iterable[_Sides]) -> Drift:
        """Return the changes to ask about, and print the notes about their titles."""
        trackers: list[TrackerDrift] = []
        for sides in rows:
            rules = sides.live.customizations, list_customizations(sides.basis.documents)
            tracker = self._describe_changes(sides.tracker, sides.changes, rules)
            for note in tracker.notes:
                self._console.say(f"note: {tracker.name}: {note}")
            trackers.append(tracker)
        return self._build_drift(trackers)

    def _choose_changes(self, drift: Drift) -> dict[str, list[Change]]:
        """Ask about each change; return name of a tracker → the changes to write."""
        # Imported here, since other exports need no words for shelves.
        from pinsync.commands.choose import count_decisions, decide_changes  # noqa: PLC0415

        decided = decide_changes(drift, self._style, MEANINGS, self._console)
        self._console.say(count_decisions(decided))
        chosen: dict[str, list[Change]] = {}
        for each in decided:
            if each.decision == "shop":
                chosen.setdefault(each.tracker, []).append(each.change)
        if not chosen:
            self._console.say("nothing to write")
        return chosen

    def _plan_chosen(self, sides: _Sides, chosen: Sequence[Change]) -> Update:
        """Return the checked update of a tracker with some rules alone."""
        sides = replace(sides, scope=build_chosen_scope(chosen, sides.tracker.manages))
        update = self._plan_commit(self._plan_files(sides), sides)
        self._check_update(update, sides.files)
        return update

    def _is_confirmed(self, updates: Sequence[Update]) -> bool:
        """Return whether there is something to write, and a person agrees that it is written."""
        if not updates:
            return False
        if self._confirm(updates):
            return True
        self._console.say("nothing was written")
        self.codes.append(1)
        return False

    def _confirm(self, updates: Sequence[Update]) -> bool:
        """Show what the updates write; return whether a person agrees."""
        from pinsync.commands.choose import confirm_changes  # noqa: PLC0415 - as above

        verb = "commit" if self._options.commit else "write"
        trackers: list[TrackerDrift] = []
        for update in updates:
            changes = list_changes(update, commits=self._options.commit)
            rules = update.live, update.new
            trackers.append(self._describe_changes(update.tracker, changes, rules))
        totals: list[str] = []
        for update in updates:
            where = self._describe_folder(update.folder)
            totals.append(summarize_update(update, where, would="would be "))
        drift = self._build_drift(trackers)
        return confirm_changes(drift, self._style, verb, totals, self._console)

    def _describe_changes(
        self,
        tracker: Tracker,
        changes: Iterable[Change],
        rules: tuple[Sequence[Customization], Sequence[Customization]],
    ) -> TrackerDrift:
        """Return changes with the names of their items, and the moment when shoppers notice them.

        Args:
            tracker: the tracker.
            changes: the changes.
            rules: those of the shop and those of the documents, whose titles are used.
        """
        changes = tuple(add_shoppers(changes, self._moment))
        items = collect_shown_items(changes)
        titles = read_titles([(self._place, self._settings.choose_subfolder(tracker.name))])
        return TrackerDrift(
            tracker.name,
            tracker.tracker_id,
            changes=changes,
            names=titles.add_to(find_titles(items, *rules), items),
            notes=tuple(filter(None, [titles.note])),
        )

    def _build_drift(self, trackers: Sequence[TrackerDrift]) -> Drift:
        """Return the drift from the documents to the shop."""
        old = Side("@worktree")
        if self._head and not self._has_uncommitted():
            # Reports call the text of HEAD agreed, which the files have.
            old = Side("HEAD", self._head)
        new = Side("@live")
        if self._options.from_file is not None:
            new = Side(self._options.from_file, is_export=True)
        return Drift(old, new, tuple(trackers), self._moment)

    def _has_uncommitted(self) -> bool:
        """Return whether a document differs from HEAD, or git can't tell."""
        place = self._place
        if place.repository is None:
            return True
        try:
            paths = place.repository.find_uncommitted(place.directory)
        except RepositoryError:
            return True
        return any(layout.is_document(path.name) for path in paths)

    @property
    def _style(self) -> Style:
        return Style(self._settings.zone, color=self._console.color_out)

    def _keep_record(self, keeper: Keeper, updates: Sequence[Update]) -> None:
        """Update the records of agreement of the trackers that were written."""
        if self._options.from_file is not None:
            return
        exports: list[Exported] = []
        for update in updates:
            tracker = update.tracker
            is_only = is_only_tracker(tracker.tracker_id, self._settings.trackers)
            if is_only and _asks_for_all_pins(tracker):
                scope = self._options.scope
                exports.append(Exported(tracker.tracker_id, update.live, update.new, scope))
        if exports:
            for note in keeper.keep(exports):
                self._console.say(note)

    def _write_updates(self, place: WorkingTree, updates: Sequence[Update]) -> Sequence[Update]:
        """Write the files to disk; with ``--commit``, commit them; return what was written."""
        recorded = _merge_recorded(updates)
        # All checks of git come before the first file is written.
        if place.repository and (self._options.commit or any(update.files for update in updates)):
            place.repository.check_index(place.directory)
        if recorded:
            paths = [path for path, text in recorded.items() if text is not None]
            require_repository_of(place, "--commit").check_commit(paths)
        self._check_attributes(place, updates)
        ready: list[tuple[Update, dict[PurePosixPath, bytes]]] = []
        for update in updates:
            staged = self._find_staged(place, update)
            if staged is not None:
                ready.append((update, staged))
        if place.repository:
            place.repository.check_head(self._head)
        names = [update.tracker.name for update, _ in ready]
        with explain_interrupts():
            with place.store.lock(), self._console.show_phase("writing", names):
                written = [
                    update for update, staged in ready if self._write_files(place, update, staged)
                ]
            # Outside the lock: other writers must not wait for git or a hook.
            if place.repository:
                paths = list(chain.from_iterable(update.files for update in written))
                place.repository.clear_skip_worktree(paths)
            if written and self._options.commit:
                self._commit(place, written)
        return written

    def _check_attributes(self, place: WorkingTree, updates: Sequence[Update]) -> None:
        """Refuse to commit files whose text git would change; without ``--commit``, only warn."""
        if place.repository is None:
            return
        files: dict[PurePosixPath, bytes] = {}
        for update in updates:
            changes = update.recorded if self._options.commit else update.files
            files |= {path: text for path, text in changes.items() if text is not None}
        try:
            place.repository.check_attributes(files)
        except RepositoryError as error:
            if self._options.commit:
                raise
            self._console.warn(f"{error.message}: {error.hint}")

    def _find_staged(self, place: WorkingTree, update: Update) -> dict[PurePosixPath, bytes] | None:
        """Return the staged, uncommitted bytes of the files; None if an error was printed."""
        try:
            unsaved = place.find_unsaved(update.files.keys(), force=self._options.force)
        except PinsyncError as error:
            self._fail(error)
            return None
        return {item.path: item.staged for item in unsaved if item.staged is not None}

    def _write_files(
        self, place: WorkingTree, update: Update, staged: Mapping[PurePosixPath, bytes]
    ) -> bool:
        """Write the files of a tracker; return False if an error was printed."""
        try:
            if update.files:
                place.store.write(update.files, update.on_disk, staged)
        except PinsyncError as error:
            self._fail(error)
            return False
        for path, text in update.files.items():
            verb = "removed" if text is None else "wrote"
            self._console.step(f"{verb} {self._show_path(path)}")
        self._console.say(summarize_update(update, self._describe_folder(update.folder)))
        return True

    def _commit(self, place: WorkingTree, updates: Sequence[Update]) -> None:
        """Commit the files that pinsync wrote, now or in an earlier run, and nothing else."""
        repository = require_repository_of(place, "--commit")
        recorded = _merge_recorded(updates)
        agreed = [
            update.tracker
            for update in updates
            if self._is_agreed(update.tracker, update.committed, update)
        ]
        pairs = {update.tracker.name: update.committed for update in updates}
        text = self._build_message(pairs, agreed)
        # Called directly before git commits: a person or a hook may have changed a file by then.
        check = partial(place.check_unchanged, recorded)
        commit = repository.commit(recorded.keys(), text, self._head, check)
        self._console.say(f"committed {commit[:12]}" if commit else "nothing to commit")

    def _build_message(self, pairs: Mapping[str, Sequence[Pair]], agreed: Iterable[Tracker]) -> str:
        """Return the commit message.

        Args:
            pairs: name of a tracker → its rules before and after.
            agreed: the trackers whose changed rules are as the shop has them.
        """
        # The message names a tracker only if there are several, so it needs all of them.
        no_changes: dict[str, Sequence[Pair]] = {
            tracker.name: () for tracker in self._settings.trackers
        }
        text = self._options.message or write_message({**no_changes, **pairs})
        lines = [format_export_line(tracker.tracker_id) for tracker in agreed]
        return f"{append_trailers(text, lines)}\n"

    def _is_agreed(
        self,
        tracker: Tracker,
        pairs: Sequence[Pair],
        update: Update | None,
        earlier: CommitMessage | None = None,
    ) -> bool:
        """Return whether a commit changes rules of a tracker, and only to what the shop had.

        Args:
            tracker: the tracker.
            pairs: the rules in the parent and in the commit.
            update: the update of this export; None if the export failed for the tracker, or is
                about other trackers.
            earlier: the message of the branch's earlier commit, whose changes the commit may keep.
        """
        changed = list_changed(pairs)
        if self._options.from_file is not None or not changed:
            return False
        if not _asks_for_all_pins(tracker):
            return False
        if update:
            changed = list_unconfirmed(changed, update.live, self._options.scope.for_api)
        was_agreed = earlier is not None and earlier.has_export_line(tracker.tracker_id)
        return was_agreed or not changed

    def _commit_to_branch(self, place: Head, updates: Sequence[Update]) -> None:
        """Commit the files of all trackers onto a branch."""
        name = self._options.branch or ""
        by_name = {update.tracker.name: update for update in updates}
        # The commit replaces the earlier commit of the branch. So the proposals of the other
        # trackers are part of it, too.
        others = [tracker for tracker in self._settings.trackers if tracker.name not in by_name]
        trackers = [*(update.tracker for update in updates), *others]
        plans: list[Update] = []
        for tracker in trackers:
            plan = self._plan_branch(place, tracker, by_name.get(tracker.name))
            if plan:
                plans.append(plan)
        files: dict[PurePosixPath, bytes | None] = {}
        for plan in plans:
            files |= plan.files
        earlier = place.repository.read_proposal_message(name)
        agreed: list[Tracker] = []
        for plan in plans:
            update = by_name.get(plan.tracker.name)
            if self._is_agreed(plan.tracker, plan.pairs, update, earlier):
                agreed.append(plan.tracker)
        text = self._build_message({plan.tracker.name: plan.pairs for plan in plans}, agreed)
        result = place.repository.commit_to_branch(name, files, text, place.revision)
        for update in updates:
            self._console.say(summarize_update(update, self._describe_folder(update.folder)))
        if result.commit:
            verb = "is now" if result.changed else "has already"
            if result.replaced:
                verb = "replaced by"
            self._console.say(f"{name}: {verb} {result.commit[:12]}")
        elif result.changed:
            self._console.say(f"{name}: deleted, since nothing is left to propose")
        else:
            self._console.say("nothing to commit")

    def _plan_branch(self, place: Head, tracker: Tracker, update: Update | None) -> Update | None:
        """Return the update of the branch: the export, and the open part of its proposal."""
        if update and self._options.scope == EVERYTHING:
            return update
        branch = self._options.branch
        try:
            documents, proposal = self._read_proposal(place, tracker)
        except FileError as error:
            self._console.warn(
                f"{tracker.name}: the earlier proposal of {branch} is dropped: {error.message}"
            )
            return update
        if lost := proposal.lost - collect_rule_ids(update):
            rules = "a rule" if len(lost) == 1 else f"{len(lost)} rules"
            self._console.warn(
                f"{tracker.name}: {branch} no longer proposes its change of {rules}, which HEAD "
                f"has changed since"
            )
        if not proposal.rules:
            return update
        folder = self._choose_folder(tracker)
        plan = plan_branch(tracker, folder, documents, proposal.rules, update, self._options.scope)
        files = update.files if update else {}
        titles = {path: text for path, text in files.items() if path.name == layout.ITEMS}
        return replace(plan, files={**plan.files, **titles})

    def _read_proposal(
        self, place: Head, tracker: Tracker
    ) -> tuple[Mapping[str, Document], OpenProposal]:
        """Return the documents of HEAD, and the open part of the branch's proposal.

        Raises:
            FileError: a document can't be read, or the history ends before the proposal.
        """
        proposal = place.repository.find_proposal(self._options.branch or "")
        if proposal is None:
            return {}, OpenProposal()
        if proposal.parent is None:
            reason = "this clone is shallow; fetch the history, with `fetch-depth: 0` in CI"
            raise FileError(reason, source=f"{proposal.commit[:12]}^")
        documents = self._read_documents(place, tracker, ())
        now = list_customizations(documents)
        old_place = replace(place, revision=proposal.parent, name=proposal.parent[:12])
        old = list_customizations(self._read_documents(old_place, tracker, now))
        new_place = replace(place, revision=proposal.commit, name=proposal.commit[:12])
        new = list_customizations(self._read_documents(new_place, tracker, [*now, *old]))
        return documents, find_open_proposal(now, old, new)

    def _read_documents(
        self, place: Head, tracker: Tracker, known: Iterable[Customization]
    ) -> Mapping[str, Document]:
        prefix = "" if place.name == "HEAD" else f"{place.name}:"
        return parse_documents(
            place.read_documents(self._settings.choose_subfolder(tracker.name)),
            known,
            self._settings.ignore,
            prefix=prefix,
        )


def _asks_for_all_pins(tracker: Tracker) -> bool:
    """Return whether the API isn't asked to omit pins that the shop has."""
    return not tracker.remove_expired_pins and not tracker.remove_nonexisting_item_pins


def _merge_recorded(updates: Iterable[Update]) -> dict[PurePosixPath, bytes | None]:
    """Return the files that the commits of all updates record."""
    recorded: dict[PurePosixPath, bytes | None] = {}
    for update in updates:
        recorded |= update.recorded
    return recorded
