"""``pinsync restore``: give the shop the rules of a backup or a revision; return an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pinsync.agreement.claim import find_open_plan
from pinsync.apply.journal import describe_start, read_journal
from pinsync.commands import diff
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
from pinsync.commands.planning import Terms, build_plan, open_run, parse_request
from pinsync.errors import SafetyError, UsageError
from pinsync.model import STANDARD_INPUT
from pinsync.plan.record import Permissions

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.commands.diff import Run
    from pinsync.config import Tracker
    from pinsync.terminal.console import Console
    from pinsync.workspace.workspace import Workspace

_EVERYTHING: Final = Permissions(
    delete=True, overwrite_edits=True, recreate=True, delete_extra=True
)


class Options(WriteOptions, frozen=True, kw_only=True):
    """The options of the command line; see also `WriteOptions`.

    Attributes:
        source: a backup, an export, or a revision.
    """

    source: str


def restore(workspace: Workspace, options: Options, console: Console) -> int:
    """Give the shop the managed rules of a state, whoever changed them since.

    No entry of the record of agreement moves, so that the next apply doesn't undo the restore.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: prints the plan, the question and the account.

    Returns:
        0 if all was done; 1 if something was left, or a person said no; 3 if the remote failed.

    Raises:
        PinsyncError: nothing was written.
    """
    if options.source == STANDARD_INPUT and options.needs_question:
        hint = "name the file, or add --yes"
        raise UsageError("standard input is the export, and can't answer a question", hint=hint)
    check_terminal(options)
    request = parse_request(options.source, workspace.tree)
    if request.range_start is not None:
        hint = f"name its end: {request.source.text}"
        raise UsageError("restore takes a single state, not a range", hint=hint)
    folder = choose_backup_folder(options, workspace.tree.settings.root)
    compared = diff.Options(names=options.names, format=options.format, now=options.now)
    run = open_run(workspace, request, compared, console, keeps_answer=True)
    run = _ignore_on_both_sides(run)
    trackers = choose_trackers(run)
    with lock_trackers(trackers):
        for tracker in trackers:
            _check_no_apply(workspace, tracker, folder, options)
        terms = Terms(options.scope, _EVERYTHING, in_use_only=True, now=options.now)
        planned = build_plan(run, terms, request, workspace)
        execution = Execution(run, planned, options, folder, {})
        accounts = carry_out(execution, request.source.revision or "", options.format, console)
    if accounts is None:
        return 1
    return find_exit_code(accounts)


def _ignore_on_both_sides(run: Run) -> Run:
    """Return a run without the fields that either configuration ignores."""
    settings = run.old.settings
    ignore = tuple(dict.fromkeys((*settings.ignore, *run.new.settings.ignore)))
    return replace(run, old=replace(run.old, settings=replace(settings, ignore=ignore)))


def _check_no_apply(workspace: Workspace, tracker: Tracker, folder: Path, options: Options) -> None:
    """Refuse to write while an apply of another machine may be at work.

    Raises:
        SafetyError: the record of agreement names an apply that hasn't ended, or is newer on the
            remote.
    """
    repository, tracker_id = workspace.tree.repository, tracker.tracker_id
    if repository is None or options.take_over:
        return
    begun = find_open_plan(repository, tracker_id)
    # The lock of this machine is held, so a run whose journal lies here is dead.
    if begun is None or read_journal(folder, tracker_id, begun.started):
        return
    started = describe_start(begun.started)
    message = f"an apply that began at {started} on {begun.machine} hasn't ended"
    raise SafetyError(message, hint="wait for it; if it is dead, add --take-over")
