"""``pinsync apply``: give the shop the rules of git, exactly as shown; return an exit code."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.agreement.claim import Claim, check_main_line
from pinsync.agreement.files import parse_rule
from pinsync.agreement.record import BegunOperation, Write
from pinsync.agreement.store import is_only_tracker
from pinsync.apply.journal import describe_start, read_journal
from pinsync.commands import diff, export
from pinsync.commands.choose import decide_changes
from pinsync.commands.execution import (
    Execution,
    WriteOptions,
    carry_out,
    check_terminal,
    choose_backup_folder,
    choose_trackers,
    find_exit_code,
    lock_trackers,
)
from pinsync.commands.planning import (
    Terms,
    build_plan,
    choose_rules,
    open_run,
    parse_request,
)
from pinsync.drift.pairs import build_content_key
from pinsync.errors import (
    FileError,
    PinsyncError,
    RepositoryError,
    SafetyError,
    UsageError,
)
from pinsync.model import Scope
from pinsync.plan.record import Permissions
from pinsync.reports import Style
from pinsync.terminal import choose
from pinsync.terminal.choose import Meanings
from pinsync.workspace.read import parse_documents
from pinsync.workspace.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pinsync.apply.journal import JournalEntry, OldJournal
    from pinsync.apply.record import Account
    from pinsync.commands.diff import Run
    from pinsync.commands.planning import Request
    from pinsync.config import Tracker
    from pinsync.drift.record import Change, Drift
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.workspace import Workspace


_MEANINGS: Final = Meanings(
    shop="the shop's rule stays, and so does git's",
    git="the shop gets git's rule; it is deleted there if git lacks it",
    skip="nothing happens to the rule",
    acting="git",
)
"""What the answers of ``--patch`` mean for an apply."""


class Options(WriteOptions, frozen=True, kw_only=True):
    """The options of the command line; see also `WriteOptions`.

    Attributes:
        source: a revision, or a range of revisions.
        delete: see `Permissions`, as for the next three.
        overwrite_edits: allow to overwrite edits.
        recreate: allow to create deleted rules.
        delete_extra: allow to delete rules that git never had.
        no_record: work without the record of agreement.
        patch: ask about each rule, and apply only the chosen rules.
        write_ids: write the ids of created rules into the files.
    """

    source: str = "HEAD"
    delete: bool = False
    overwrite_edits: bool = False
    recreate: bool = False
    delete_extra: bool = False
    no_record: bool = False
    patch: bool = False
    write_ids: bool = False

    @property
    def permissions(self) -> Permissions:
        """The options that allow more than the safe operations."""
        return Permissions(self.delete, self.overwrite_edits, self.recreate, self.delete_extra)


def apply(workspace: Workspace, options: Options, console: Console) -> int:
    """Give the shop the rules of git that it doesn't have yet.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: prints the plan, the question and the account.

    Returns:
        0 if all was done; 1 if something was left to people, or a person said no; 3 if the remote
        failed.

    Raises:
        PinsyncError: nothing was written.
    """
    if options.patch:
        _check_patch(options)
    check_terminal(options)
    request = parse_request(options.source, workspace.tree)
    repository, commit = _require_revision(request, workspace)
    folder = choose_backup_folder(options, workspace.tree.settings.root)
    compared = diff.Options(names=options.names, format=options.format, now=options.now)
    run = open_run(workspace, request, compared, console, keeps_answer=True)
    trackers = choose_trackers(run)
    with lock_trackers(trackers):
        preparation = _Preparation(workspace, repository, commit, folder, options, console)
        claims = preparation.claim(trackers, run)
        terms = Terms(
            options.scope,
            options.permissions,
            # Without a record nobody knows which rules the shop had.
            doubts_creates=len(claims) < len(trackers),
            now=options.now,
        )
        planned = build_plan(run, terms, request, workspace)
        if options.patch:
            chosen = _choose(planned.plan.drift, workspace, console)
            planned = choose_rules(run, terms, request, workspace, planned, chosen)
        execution = Execution(run, planned, options, folder, claims)
        accounts = carry_out(execution, commit, options.format, console)
    if accounts is None:
        return 1
    if options.write_ids:
        try:
            _write_ids(workspace, accounts, console)
        except KeyboardInterrupt:
            message = "the shop has the rules, and an export brings their ids"
            raise KeyboardInterrupt(message) from None
    return find_exit_code(accounts)


def _check_patch(options: Options) -> None:
    """Refuse ``--patch`` where nobody can answer, or beside an option that answers already.

    Raises:
        UsageError: see above.
    """
    choose.check_terminal()
    if options.yes or options.expect is not None:
        option = "--yes" if options.yes else "--expect"
        message = f"--patch asks before anything is written, so it can't go with {option}"
        raise UsageError(message, hint="leave one of them out")


def _choose(drift: Drift, workspace: Workspace, console: Console) -> dict[str, list[Change]]:
    """Return the changes of which a person takes git's side, by the name of the tracker."""
    style = Style(zone=workspace.tree.settings.zone, color=console.color_out)
    chosen: dict[str, list[Change]] = {}
    for decided in decide_changes(drift, style, _MEANINGS, console):
        if decided.decision == "git":
            chosen.setdefault(decided.tracker, []).append(decided.change)
    return chosen


def _write_ids(workspace: Workspace, accounts: Sequence[Account], console: Console) -> None:
    """Write the ids of created rules into the files on disk that have these rules."""
    for account in accounts:
        code = 0
        try:
            if ids := _list_new_ids(workspace, account):
                options = export.Options(names=[account.plan.drift.name], scope=Scope(ids=ids))
                code = export.export(workspace, options, console)
        except PinsyncError as error:
            code = console.fail(error)
        if code:
            console.warn("the ids of created rules aren't in the files yet; an export brings them")


def _list_new_ids(workspace: Workspace, account: Account) -> tuple[str, ...]:
    """Return the ids of created rules whose texts stand in the files on disk."""
    created = [each for each in account.done if each.operation.kind == "create" and each.rule]
    if not created:
        return ()
    state = workspace.open_source(Source("worktree", "@worktree"))
    texts: set[object] = set()
    for tracker in state.trackers:
        if tracker.name == account.plan.drift.name:
            files = state.read_documents(tracker)
            for document in parse_documents(files, (), state.settings.ignore).values():
                texts |= {build_content_key(entry.customization) for entry in document.entries}
    rules = [each.rule for each in created if each.rule]
    return tuple(str(rule.id) for rule in rules if build_content_key(rule) in texts)


def _require_revision(request: Request, workspace: Workspace) -> tuple[Repository, str]:
    """Return the repository, and the full hash of SOURCE.

    Raises:
        UsageError: SOURCE isn't a revision.
        RepositoryError: there is no repository, or no commit yet.
    """
    source, repository = request.source, workspace.tree.repository
    if source.kind == "export":
        hint = "pinsync restore gives the shop the rules of an export"
        raise UsageError(f"apply takes a revision, and {source.text} is an export", hint=hint)
    if source.kind in ("worktree", "index"):
        hint = "commit your work, and merge it"
        raise UsageError(f"apply takes a revision, not {source.text}", hint=hint)
    if repository is None or source.revision is None:
        raise RepositoryError("there is no commit to apply", hint="commit the documents first")
    return repository, source.revision


class _Preparation(Struct, frozen=True):
    """Makes the records of agreement ready for an apply."""

    workspace: Workspace
    repository: Repository
    commit: str
    folder: Path
    options: Options
    console: Console

    def claim(self, trackers: Sequence[Tracker], run: Run) -> dict[str, Claim]:
        """Return the record of each tracker; none with ``no_record``, or for a shared id.

        Raises:
            SafetyError: the commit is older than the record, or another run hasn't ended.
        """
        line = check_main_line(self.workspace, self.repository, self.commit)
        claims: dict[str, Claim] = {}
        for tracker in trackers:
            tracker_id = tracker.tracker_id
            claim = Claim(self.repository, line, tracker_id, self.commit)
            if self.options.no_record:
                claim.check_absent("--no-record", "leave --no-record out")
            elif any(not is_only_tracker(tracker_id, state.trackers) for state in run.states):
                reason = f"several trackers have the id {tracker_id}, so none can have a record"
                claim.check_absent(reason, f"delete it: git update-ref -d {claim.reference}")
            else:
                claim.check_current()
                self._end_open_plan(claim, tracker_id)
                claims[tracker_id] = claim
        return claims

    def _end_open_plan(self, claim: Claim, tracker_id: str) -> None:
        """Take over the plan of a run that was killed, or refuse to.

        Raises:
            SafetyError: the run may still be at work.
        """
        begun = claim.open_plan
        if begun is None:
            return
        journal = None
        # The lock of this machine is held, so its run is dead.
        if begun.machine == platform.node():
            journal = self._read_journal(tracker_id, begun.started)
        if journal:
            open_operations = set(begun.operations)
            known = {_build_begun(entry) for entry in journal.entries}
            doubtful = [each for each in begun.operations if each not in known]
            writes: list[Write] = []
            for entry in journal.entries:
                operation = _build_begun(entry)
                # Both sides may have agreed on the rule since.
                if operation not in open_operations:
                    continue
                if entry.fate == "acknowledged" and entry.rule_id:
                    writes.append(_build_write(entry))
                elif entry.fate != "unsent":
                    doubtful.append(operation)
            claim.recover(journal.source, writes, doubtful)
            started = describe_start(begun.started)
            self.console.say(f"an apply that began at {started} was interrupted; going on")
        elif not self.options.take_over:
            message = (
                f"an apply that began at {describe_start(begun.started)} on {begun.machine} hasn't "
                f"ended, as the record of agreement says"
            )
            hint = "wait for it; if it is dead, add --take-over"
            raise SafetyError(message, hint=hint)

    def _read_journal(self, tracker_id: str, started: str) -> OldJournal | None:
        """Return the journal of an interrupted run; None if there is none.

        Raises:
            FileError: it can't be read, and nobody has said that it doesn't matter.
        """
        try:
            return read_journal(self.folder, tracker_id, started)
        except FileError:
            if self.options.take_over:
                return None
            raise


def _build_begun(entry: JournalEntry) -> BegunOperation:
    rule_id = None if entry.kind == "create" else entry.rule_id
    return BegunOperation(entry.kind, rule_id, entry.model, entry.target)


def _build_write(entry: JournalEntry) -> Write:
    before = after = None
    if entry.before is not None:
        before = parse_rule(entry.model, entry.before.encode())
    if entry.after is not None:
        after = parse_rule(entry.model, entry.after.encode())
    return Write(str(entry.rule_id), before, after)
