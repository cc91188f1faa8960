"""``pinsync plan``: show what `apply` would do to the shop; return a report and an exit code."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field

from pinsync.canonical.moments import parse_option
from pinsync.commands import diff
from pinsync.commands.deliver import Reports, check_link_base, check_reports, deliver
from pinsync.commands.planning import Terms, build_plan, open_run, parse_request
from pinsync.errors import pick_gravest
from pinsync.model import EVERYTHING, Scope
from pinsync.plan.record import Permissions, Plan
from pinsync.reports import Style, load_plan
from pinsync.workspace.paths import find_configuration_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pinsync.terminal.console import Console
    from pinsync.workspace.workspace import Workspace


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        source: SOURCE, or a range.
        names: the names of the trackers; all trackers if empty.
        scope: the rules to plan.
        delete: see `Permissions`, as for the next three.
        overwrite_edits: allow to overwrite edits.
        recreate: allow to create deleted rules.
        delete_extra: allow to delete rules that git never had.
        reset_record: begin the record of agreement anew before planning.
        format: the format of the report on stdout.
        reports: the format and the file of each further report.
        at: the moment from which the changes are seen, as text; None for the date of the answer.
        summary: print only the headline, the groups with their counts, and the checksum.
        max_chars: the longest markdown report, in characters.
        link_base: the address of the files, for the links of a page; None for no links.
        no_pictures: whether a page must not load pictures.
        now: the present, in UTC.
    """

    source: str = "HEAD"
    names: Sequence[str] = ()
    scope: Scope = field(default=EVERYTHING)
    delete: bool = False
    overwrite_edits: bool = False
    recreate: bool = False
    delete_extra: bool = False
    reset_record: bool = False
    format: str = "text"
    reports: Sequence[tuple[str, Path]] = ()
    at: str | None = None
    summary: bool = False
    max_chars: int | None = None
    link_base: str | None = None
    no_pictures: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def permissions(self) -> Permissions:
        """The options that allow more than the safe operations."""
        return Permissions(self.delete, self.overwrite_edits, self.recreate, self.delete_extra)


def plan(workspace: Workspace, options: Options, console: Console) -> int:
    """Show what `apply` would do to the shop.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: prints the reports and the warnings.

    Returns:
        1 if there is something to apply, else 0; the gravest exit code if a tracker failed.

    Raises:
        PinsyncError: an error that stops all trackers. An error of one tracker is part of the
            report.
    """
    settings = workspace.tree.settings
    at = None
    if options.at is not None:
        at = parse_option(options.at, settings.zone, option="--at")
    link_base = check_link_base(options.link_base)
    request = parse_request(options.source, workspace.tree)
    path = request.source.path
    check_reports(options.reports, settings, [path] if path else [])
    compared = diff.Options(
        names=options.names,
        format=options.format,
        reports=options.reports,
        no_pictures=options.no_pictures,
        now=options.now,
    )
    run = open_run(workspace, request, compared, console)
    terms = Terms(
        options.scope,
        options.permissions,
        reset_record=options.reset_record,
        at=at,
        now=options.now,
    )
    planned = build_plan(run, terms, request, workspace)
    result = planned.plan
    # A user who names no source may expect that the files on disk are planned.
    if console.verbosity >= 0 and request.source.text == "HEAD":
        folders = {run.old.find_folder(tracker) for tracker, _ in planned.pairs if tracker}
        advice = "pinsync plan @worktree plans"
        if note := diff.describe_uncommitted(workspace.tree, folders, advice):
            console.say(note)
    style = Style(
        zone=settings.zone,
        color=console.color_out,
        max_chars=options.max_chars,
        summary=options.summary,
        configuration=find_configuration_path(settings),
        hosts=run.picture_hosts,
        link_base=link_base,
    )
    errors = [tracker.error for tracker in result.drift.trackers if tracker.error]
    reports = Reports(partial(_render, result, style), _is_empty(result), errors=errors)
    deliver(reports, options, workspace.environ, console)
    return pick_gravest(result.find_exit_codes())


def _render(plan: Plan, style: Style, format_: str, _color: bool) -> str:
    text: str = load_plan(format_).render(plan, style)
    return text


def _is_empty(plan: Plan) -> bool:
    """Whether a report says only that there is nothing to apply."""
    drift = plan.drift
    has_notes = drift.notes or any(tracker.notes for tracker in drift.trackers)
    return drift.is_complete and not plan.operations and not plan.left and not has_notes
