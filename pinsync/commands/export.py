"""``pinsync export``: the live customizations into the repository's documents."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pinsync import layout
from pinsync.config import Tracker
from pinsync.drift.pairs import are_ids_disjoint, build_no_match_error, is_filter_inconclusive
from pinsync.errors import (
    FileError,
    PinsyncError,
    RepositoryError,
    SafetyError,
    UsageError,
    pick_gravest,
)
from pinsync.escape import one_line
from pinsync.model import EVERYTHING, STANDARD_INPUT, Customization, Scope, Snapshot
from pinsync.redaction import redact
from pinsync.reports.commit_message import write_message
from pinsync.reports.words.outcome import summarize_update
from pinsync.sync.basis import list_customizations, read_basis
from pinsync.sync.committed import count_from_head, find_removed_rules
from pinsync.sync.guard import check_removals
from pinsync.sync.proposal import OpenProposal, collect_rule_ids, find_open_proposal, plan_branch
from pinsync.sync.to_files import Update, plan_update
from pinsync.terminal.console import read_standard_input
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
    parse_export,
    read_documents,
    read_export,
)
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
    from pinsync.sync.basis import Basis
    from pinsync.terminal.console import Console
    from pinsync.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        names: the trackers; all if empty.
        scope: the customizations it is about.
        check: only say what would change.
        from_file: a saved export to read instead of asking the API; ``-`` is standard input.
        commit: record the result as a commit.
        branch: commit onto this branch instead of writing to the working tree.
        message: the commit message; None for one made from the changes.
        remove_expired_pins: overrides the trackers' setting.
        remove_nonexisting_item_pins: overrides the trackers' setting.
        force: overwrite uncommitted work.
        allow_mass_removal: believe an answer in which much is gone.
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
    allow_mass_removal: bool = False


def export(workspace: Workspace, options: Options, console: Console) -> int:
    """Bring documents to what is live.

    Args:
        workspace: the configuration and the files.
        options: what the command line says.
        console: where to speak.

    Returns:
        0; with ``check`` 1 if something would change; the gravest exit code if a tracker failed.

    Raises:
        PinsyncError: what stops all trackers alike; what stops one of them is shown, and the others
            go on.
    """
    settings = workspace.settings
    trackers = _trackers(settings, options)
    _check_options(options, trackers)
    tree = workspace.tree
    settings = tree.settings
    place: WorkingTree | Head = tree
    if options.branch is not None:
        repository, head = require_commit(tree, "--branch")
        place = Head(repository, tree.directory, head)
        check_committed(place, tree, settings, workspace.environ)
    elif options.commit:
        require_repository_of(tree, "--commit")
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
        run.record(answers)
    return pick_gravest(run.codes)


def _trackers(settings: Settings, options: Options) -> list[Tracker]:
    if options.from_file is not None and not settings.trackers and not options.names:
        return [Tracker("default", "")]  # a saved export can be read by whoever has no access
    flags = options.remove_expired_pins, options.remove_nonexisting_item_pins
    return [override_flags(tracker, *flags) for tracker in settings.select(options.names)]


def _check_options(options: Options, trackers: Sequence[Tracker]) -> None:
    recorded = options.commit or options.branch is not None
    if options.commit and options.branch is not None:
        message = (
            "--commit is for the branch that is checked out and --branch for another, so they "
            "can't go together"
        )
        raise UsageError(message, hint="leave one of them out")
    if options.check and recorded:
        raise UsageError("--check changes nothing, so it can't go with --commit or --branch")
    if options.message is not None and not recorded:
        raise UsageError("-m is the message of a commit", hint="add --commit or --branch NAME")
    if options.message is not None and not options.message.strip():
        raise UsageError(
            "-m: the commit message is empty", hint="leave -m out for one made from the changes"
        )
    if options.force and (options.check or options.branch is not None):
        other = (
            "--check writes no files" if options.check else "--branch leaves the files as they are"
        )
        raise UsageError(
            f"{other}, so there is nothing for --force to overwrite", hint="leave one of them out"
        )
    if options.from_file is not None and len(trackers) > 1:
        names = ", ".join(tracker.name for tracker in trackers)
        hint = f"choose one with --tracker: {names}"
        raise UsageError(
            f"{Path(options.from_file)} is the export of one tracker, but it doesn't say of which",
            hint=hint,
        )
    if options.from_file is not None and (
        options.remove_expired_pins,
        options.remove_nonexisting_item_pins,
    ) != (
        None,
        None,
    ):
        raise UsageError("it is the API that leaves out pins; a saved export is read as it is")


class _Run:
    """One export; what fails for a tracker is shown at once and its exit code kept."""

    def __init__(
        self, workspace: Workspace, options: Options, console: Console, place: WorkingTree | Head
    ) -> None:
        self._settings = workspace.tree.settings
        self._options = options
        self._environ = workspace.environ
        self._console = console
        self._place = place
        self._head: str | None = None
        self._matched = False
        self._known: list[Customization] = []
        self.codes: list[int] = []

    def fetch(self, trackers: Sequence[Tracker]) -> list[tuple[Tracker, Snapshot]]:
        """Return the answer for each tracker that has one; they are asked in parallel."""
        found = []
        with self._console.show_phase("fetching", [tracker.name for tracker in trackers]) as done:
            answers = run_in_parallel(self._fetched, trackers, lambda tracker: done(tracker.name))
        for tracker, answer in zip(trackers, answers, strict=True):
            if isinstance(answer, PinsyncError):
                self._fail(answer)
                continue
            for warning in answer.warnings:
                self._console.warn(f"{tracker.name}: {warning}")
            found.append((tracker, answer))
        return found

    def _fail(self, error: PinsyncError) -> None:
        """Show an error, without a key that a hook may have printed, and keep its exit code."""
        keys = [tracker.private_key_env for tracker in self._settings.trackers]
        error.message = redact(
            error.message, self._environ, keys
        )  # git's own messages are cleared of what is likely
        self.codes.append(self._console.fail(error))

    def _fetched(self, tracker: Tracker) -> Snapshot | PinsyncError:
        try:
            if self._options.from_file == STANDARD_INPUT:
                return parse_export(read_standard_input(), STANDARD_INPUT, self._settings.ignore)
            if self._options.from_file is not None:
                return read_export(Path(self._options.from_file), self._settings.ignore)
            return fetch_live(
                tracker, self._settings, self._options.scope, self._environ, self._console
            )
        except PinsyncError as error:
            return error

    def _checked(self, tracker: Tracker, live: Snapshot) -> Update | None:
        """Return what becomes of a tracker's documents; None if that can't be told or isn't to be believed."""
        try:
            return self._updated(tracker, live)
        except PinsyncError as error:
            self._fail(error)
            return None

    def _updated(self, tracker: Tracker, live: Snapshot) -> Update:
        scope, ignore = self._options.scope, self._settings.ignore
        files = self._files(tracker)
        before = self._basis(tracker, files, live)
        existing = list_customizations(before.documents)
        if self._options.from_file is not None:
            if are_ids_disjoint(existing, live.customizations):
                name = Path(self._options.from_file)
                self._console.warn(
                    f"{tracker.name}: {name} shares no id with the files here; is it another "
                    f"tracker's?"
                )
        elif scope != EVERYTHING:
            # With --commit, the rules count too that an earlier export removed and HEAD still has.
            live = self._complete_answer(
                tracker, live, [*existing, *find_removed_rules(files.committed, existing, ignore)]
            )
        folder = layout.choose_folder(self._place.directory, self._settings.subfolder(tracker.name))
        result = plan_update(tracker, folder, before, live, scope)
        matched = bool(result.pairs or result.kept)
        if scope != EVERYTHING:
            self._known += [*existing, *live.customizations]
        if self._options.commit and isinstance(self._place, WorkingTree):
            result = count_from_head(
                result, files, self._place.find_own_changes(files), ignore, scope
            )
        # An earlier export may have removed all that the scope matches, and no commit has that yet.
        self._matched = self._matched or matched or bool(result.recorded)
        if not self._options.allow_mass_removal:
            check_removals(result, self._settings.safety)
        for note in result.kept:
            self._console.say(f"note: {self._here(note.source)}:{note.line}: {note.why}")
        for path in sorted(files.unchecked.keys() & result.files.keys()):
            verb = "removed" if result.files[path] is None else "written"
            how = f"it {'would be' if self._options.check else 'is'} {verb}"
            self._console.say(
                f"note: {self._here(path)} changed, though git doesn't check it out here: {how}"
            )
        return result

    def _basis(self, tracker: Tracker, files: TrackerFiles, live: Snapshot) -> Basis:
        """Return the documents that a tracker's export starts from."""
        before = read_basis(files, live.customizations, self._settings.ignore)
        name = self._settings.subfolder(tracker.name)
        if name and not before.documents:
            check_old_documents(self._place, name, live.customizations)
        for warning in before.warnings:
            self._console.warn(f"{tracker.name}: {warning}")
        return before

    def _complete_answer(
        self, tracker: Tracker, live: Snapshot, rules: Sequence[Customization]
    ) -> Snapshot:
        """Return a filtered answer, or the unfiltered one if the former can't tell what became of a rule."""
        if not is_filter_inconclusive(rules, live.customizations, self._options.scope):
            return live
        self._console.step(f"{tracker.name}: the filtered answer leaves a question; fetching all")
        return fetch_live(tracker, self._settings, EVERYTHING, self._environ, self._console)

    def _files(self, tracker: Tracker) -> TrackerFiles:
        name = self._settings.subfolder(tracker.name)
        if isinstance(self._place, Head):
            return TrackerFiles(dict(self._place.documents(name)))
        return self._place.files(name, self._head, whole=self._options.commit)

    def check(self, answers: Sequence[tuple[Tracker, Snapshot]]) -> None:
        """Say what an export would change."""
        for found in self._updates(answers):
            for path in found.files:
                self._console.print_name(self._here(path))
            self._console.say(summarize_update(found, self._where(found.folder), would="would be "))
            self._check_unsaved(found)
            self.codes.append(1 if found.files else 0)

    def _check_unsaved(self, found: Update) -> None:
        """Say if an export wouldn't do what ``--check`` says of it."""
        if not found.files or not isinstance(self._place, WorkingTree):
            return
        try:
            with suppress(RepositoryError):  # an index at fault, say, which looking can do without
                self._place.find_unsaved(found.files.keys())
        except SafetyError as error:
            self._console.say(
                f"note: {error.message}, so that it would be refused (4): {error.hint}"
            )

    def _here(self, path: PurePosixPath | str) -> str:
        """Return how a person in the current folder writes the path of a document; of a commit's, git does."""
        place = self._place
        return one_line(
            str(path) if isinstance(place, Head) else relative_to_cwd(str(path), place.store.root)
        )

    def _where(self, folder: PurePosixPath) -> str:
        """Return where documents are written, to end a line with; in full where nothing else says where."""
        place = self._place
        if isinstance(place, Head):
            return f"on {self._options.branch}"
        root = place.store.root
        stray = self._settings.path is None and place.repository is None
        is_near = not stray and Path.cwd().is_relative_to(root.resolve())
        shown = relative_to_cwd(str(folder), root) if is_near else (root / folder).as_posix()
        return "in this folder" if shown == "." else f"in {shown}/"

    def record(self, answers: Sequence[tuple[Tracker, Snapshot]]) -> None:
        """Write what the answers say, once all of them are checked."""
        place = self._place
        try:
            updates = self._updates(answers)
            if isinstance(place, WorkingTree):
                self._record(place, updates)
            elif updates:
                with explain_interrupts():
                    self._commit_to_branch(place, updates)
        except PinsyncError as error:
            self._fail(error)

    def _updates(self, answers: Sequence[tuple[Tracker, Snapshot]]) -> list[Update]:
        found = []
        if isinstance(self._place, WorkingTree):
            self._head = self._place.head()
        with self._console.show_phase(
            "rendering", [tracker.name for tracker, _ in answers]
        ) as done:
            for tracker, answer in answers:
                if checked := self._checked(tracker, answer):
                    found.append(checked)
                done(tracker.name)
        if self._options.scope != EVERYTHING and not self._matched and not self.codes:
            raise build_no_match_error(self._options.scope, self._known)
        return found

    def _record(self, place: WorkingTree, updates: Sequence[Update]) -> None:
        """Write the files, and commit them where ``--commit`` asks for it."""
        recorded = {path: text for found in updates for path, text in found.recorded.items()}
        if place.repository and (self._options.commit or any(found.files for found in updates)):
            place.repository.check_index(place.directory)
        if recorded:
            paths = [path for path, text in recorded.items() if text is not None]
            require_repository_of(place, "--commit").check_commit(paths)
        self._check_attributes(place, updates)
        ready = [
            (found, staged)
            for found in updates
            if (staged := self._staged(place, found)) is not None
        ]
        if place.repository:
            place.repository.check_head(self._head)
        with explain_interrupts():
            with (
                place.store.lock(),
                self._console.show_phase("writing", [found.tracker.name for found, _ in ready]),
            ):
                written = [found for found, staged in ready if self._write(place, found, staged)]
            if place.repository:
                place.repository.clear_skip_worktree(
                    [path for found in written for path in found.files]
                )
            if written and self._options.commit:
                self._commit(place, written)

    def _check_attributes(self, place: WorkingTree, updates: Sequence[Update]) -> None:
        """Refuse to commit files whose text git changes; without ``--commit``, warn of them."""
        if place.repository is None:
            return
        changes = (
            (found.recorded if self._options.commit else found.files).items() for found in updates
        )
        files = {path: text for path, text in chain.from_iterable(changes) if text is not None}
        try:
            place.repository.check_attributes(files)
        except RepositoryError as error:
            if self._options.commit:
                raise
            self._console.warn(f"{error.message}: {error.hint}")

    def _staged(self, place: WorkingTree, found: Update) -> dict[PurePosixPath, bytes] | None:
        """Return what the index holds of the files, uncommitted; None if they hold a person's work, which is shown."""
        try:
            unsaved = place.find_unsaved(found.files.keys(), force=self._options.force)
        except PinsyncError as error:
            self._fail(error)
            return None
        return {item.path: item.staged for item in unsaved if item.staged is not None}

    def _write(
        self, place: WorkingTree, found: Update, staged: Mapping[PurePosixPath, bytes]
    ) -> bool:
        """Write a tracker's files; return whether that went well."""
        try:
            if found.files:
                place.store.write(found.files, found.on_disk, staged)
        except PinsyncError as error:
            self._fail(error)
            return False
        for path, text in found.files.items():
            self._console.step(f"{'removed' if text is None else 'wrote'} {self._here(path)}")
        self._console.say(summarize_update(found, self._where(found.folder)))
        return True

    def _commit(self, place: WorkingTree, updates: Sequence[Update]) -> None:
        """Commit what pinsync wrote, now or in an earlier run, and nothing else."""
        repository = require_repository_of(place, "--commit")
        recorded = {path: text for found in updates for path, text in found.recorded.items()}
        pairs = self._nothing() | {found.tracker.name: found.committed for found in updates}
        text = self._options.message or write_message(pairs)
        commit = repository.commit(
            recorded.keys(), text, self._head, partial(place.check_unchanged, recorded)
        )
        self._console.say(f"committed {commit[:12]}" if commit else "nothing to commit")

    def _nothing(self) -> dict[str, Sequence[Pair]]:
        """Return the changes of a message before there are any: one that names a tracker has to know of the others."""
        return {tracker.name: () for tracker in self._settings.trackers}

    def _commit_to_branch(self, place: Head, updates: Sequence[Update]) -> None:
        """Put all trackers' files onto a branch."""
        name = self._options.branch or ""
        recorded = {found.tracker.name for found in updates}
        others = [tracker for tracker in self._settings.trackers if tracker.name not in recorded]
        parts = [
            *((found.tracker, found) for found in updates),
            *((tracker, None) for tracker in others),
        ]
        whole = [part for tracker, found in parts if (part := self._whole(place, tracker, found))]
        files = {path: text for part in whole for path, text in part.files.items()}
        pairs = self._nothing() | {part.tracker.name: part.pairs for part in whole}
        text = self._options.message or write_message(pairs)
        result = place.repository.commit_to_branch(name, files, text, place.revision)
        for found in updates:
            self._console.say(summarize_update(found, self._where(found.folder)))
        if result.commit is None:
            self._console.say(
                f"{name}: deleted, since nothing is left to propose"
                if result.changed
                else "nothing to commit"
            )
        else:
            how = (
                "replaced by" if result.replaced else "is now" if result.changed else "has already"
            )
            self._console.say(f"{name}: {how} {result.commit[:12]}")

    def _whole(self, place: Head, tracker: Tracker, found: Update | None) -> Update | None:
        """Return all that the branch is to hold of a tracker: what was found, and what it proposes besides."""
        if found and self._options.scope == EVERYTHING:
            return found
        branch = self._options.branch
        try:
            head, stands = self._standing(place, tracker)
        except FileError as error:
            self._console.warn(
                f"{tracker.name}: what {branch} proposed already is dropped: {error.message}"
            )
            return found
        if lost := stands.lost - collect_rule_ids(found):
            some = "a rule, which" if len(lost) == 1 else f"{len(lost)} rules, which"
            self._console.warn(
                f"{tracker.name}: {branch} no longer proposes its change of {some} HEAD has "
                f"changed since"
            )
        folder = layout.choose_folder(place.directory, self._settings.subfolder(tracker.name))
        return (
            plan_branch(tracker, folder, head, stands.rules, found, self._options.scope)
            if stands.rules
            else found
        )

    def _standing(
        self, place: Head, tracker: Tracker
    ) -> tuple[Mapping[str, Document], OpenProposal]:
        """Return a tracker's documents, and what the branch proposes of them already."""
        proposal = place.repository.find_proposal(self._options.branch or "")
        if proposal is None:
            return {}, OpenProposal()
        if proposal.parent is None:
            reason = "this clone is shallow; fetch the history, with `fetch-depth: 0` in CI"
            raise FileError(reason, source=f"{proposal.commit[:12]}^")
        head = self._read(place, tracker, ())
        now = list_customizations(head)
        old, new = (
            replace(place, revision=name, name=name[:12])
            for name in (proposal.parent, proposal.commit)
        )
        parent = list_customizations(self._read(old, tracker, now))
        proposed = list_customizations(self._read(new, tracker, [*now, *parent]))
        return head, find_open_proposal(now, parent, proposed)

    def _read(
        self, place: Head, tracker: Tracker, known: Iterable[Customization]
    ) -> Mapping[str, Document]:
        prefix = "" if place.name == "HEAD" else f"{place.name}:"
        return read_documents(
            place.documents(self._settings.subfolder(tracker.name)),
            known,
            self._settings.ignore,
            prefix=prefix,
        )
