"""The commands for the way back from git to the shop: plan, apply and restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinsync.cli import completion
from pinsync.cli.command import command
from pinsync.cli.options import (
    FOLDER,
    Once,
    add_options,
    at_option,
    format_options,
    max_chars_option,
    output_options,
    page_options,
    report_options,
    run_command,
    scope_options,
    tracker_options,
)
from pinsync.cli.variables import API, CONFIGURATION, STATE, TERMINAL
from pinsync.reports import ACCOUNT_FORMATS, PLAN_FORMATS

if TYPE_CHECKING:
    from pinsync.cli.options import Command


def _permission_options(function: Command) -> Command:
    """Add the options that allow more than the safe operations."""
    return add_options(
        function,
        click.option("--delete-extra", is_flag=True, help="Also delete rules that git never had."),
        click.option(
            "--recreate",
            is_flag=True,
            help="Also create rules that people deleted in the shop, or may have deleted.",
        ),
        click.option(
            "--overwrite-edits",
            is_flag=True,
            help="Also overwrite changes that people made in the shop, or may have made; with "
            "--delete, also delete rules that they changed.",
        ),
        click.option("--delete", is_flag=True, help="Also delete rules that git removed."),
    )


def _write_options(function: Command) -> Command:
    """Add the options about what may be written, and how."""
    return add_options(
        function,
        click.option(
            "--take-over",
            is_flag=True,
            help="Go on although an apply of another machine hasn't ended: it is dead.",
        ),
        click.option(
            "--backup-dir",
            type=FOLDER,
            metavar="DIR",
            help="Folder of backup and journal (default: the user's state folder).",
        ),
        click.option(
            "--parallel",
            type=click.IntRange(1, 16),
            default=4,
            metavar="N",
            help="Largest number of requests at once (default: 4).",
        ),
        click.option(
            "--allow-dropped-metadata",
            is_flag=True,
            help="Go on although the shop drops target_metadata.",
        ),
        click.option(
            "--keep-going",
            is_flag=True,
            help="Go on after a rule that the API finds invalid.",
        ),
        click.option("--no-lint", is_flag=True, help="Write rules with lint errors too."),
        click.option(
            "--allow-mass-removal",
            is_flag=True,
            help="Allow to delete more than safety.max_removed_percent.",
        ),
        click.option(
            "--max-changes",
            type=click.IntRange(min=0),
            metavar="N",
            help="Refuse a plan of more than N operations (default: no limit).",
        ),
        click.option("--yes", is_flag=True, help="Write without a question."),
        click.option(
            "--expect",
            cls=Once,
            metavar="CHECKSUM",
            help="Write without a question, and only if the plan has this checksum (default: any "
            "plan).",
        ),
    )


@command(
    examples={
        "pinsync plan": "Preview what HEAD would change in the shop",
        "pinsync plan main~1..main": "Preview the rules of the last merge, and no others",
        "pinsync plan @worktree": "Preview uncommitted edits",
        "pinsync plan --overwrite-edits --recreate": "Preview putting back what the shop changed",
        "pinsync plan --report markdown=plan.md": "Write the comment of a pull request as well",
    },
    environment=(*CONFIGURATION, *API, *TERMINAL),
)
@click.argument(
    "source",
    metavar="[SOURCE]",
    default="HEAD",
    shell_complete=completion.complete_planned_sources,
)
@_permission_options
@click.option(
    "--reset-record",
    is_flag=True,
    help="First begin the record of agreement anew, from the rules that agree now.",
)
@report_options(tuple(PLAN_FORMATS))
@at_option
@click.option(
    "--summary",
    is_flag=True,
    help="Print only the headline, the groups with their counts, and the checksum (text, "
    "markdown, html).",
)
@max_chars_option
@page_options
@scope_options
@tracker_options
@output_options
@run_command
def plan() -> None:
    """Show what git would change in the shop, and change nothing.

    SOURCE is a git revision (default: HEAD), @index, @worktree, the file of a
    JSON export, or - for an export on standard input. A..B is a range of
    revisions: the plan has only the rules that changed between A and B. Rules
    that people changed in the shop are left alone, unless an option says
    otherwise.
    """


@command(
    examples={
        "pinsync apply": "Show what HEAD changes in the shop, ask, and do it",
        "pinsync apply --delete": "Also delete the rules that git removed",
        "pinsync apply main~1..main --yes": "Apply the last merge, and nothing else",
        "pinsync apply --expect CHECKSUM": "Apply exactly the plan that was reviewed",
        "pinsync apply --id 199620b4": "Apply a single rule",
    },
    environment=(*CONFIGURATION, *API, *STATE, *TERMINAL),
)
@click.argument(
    "source",
    metavar="[SOURCE]",
    default="HEAD",
    shell_complete=completion.complete_planned_sources,
)
@_permission_options
@_write_options
@click.option(
    "--no-record",
    is_flag=True,
    help="Work without a record of agreement, where the remote has none; rules that git added are "
    "left alone.",
)
@click.option(
    "--write-ids",
    is_flag=True,
    help="Write the ids of created rules into the files at once, not with the next export.",
)
@click.option(
    "-p",
    "--patch",
    is_flag=True,
    help="Ask about each rule whether the shop or git is right, and apply only the chosen ones.",
)
@format_options(tuple(ACCOUNT_FORMATS))
@scope_options
@tracker_options
@output_options
@run_command
def apply() -> None:
    """Give the shop the rules of git, as pinsync plan shows them.

    SOURCE is a git revision of the main line (default: HEAD), or a range A..B.
    Rules that people changed in the shop are left alone, unless an option says
    otherwise. A backup of the shop and a journal of all calls are written
    first. Run it again to finish after any failure.
    """


@command(
    examples={
        "pinsync restore backup.json": "Give the shop the rules of a backup or an export",
        "pinsync restore main~1": "Give the shop the rules of an older commit",
    },
    environment=(*CONFIGURATION, *API, *STATE, *TERMINAL),
)
@click.argument("source", metavar="SOURCE", shell_complete=completion.complete_planned_sources)
@_write_options
@format_options(tuple(ACCOUNT_FORMATS))
@scope_options
@tracker_options
@output_options
@run_command
def restore() -> None:
    """Give the shop the rules of a backup or a git revision.

    SOURCE is a backup that apply wrote, any JSON export, - for an export on
    standard input, or a git revision. Changes that people made since are
    overwritten, deleted rules are created again, and rules that SOURCE lacks
    are deleted. Each of them is listed first, and a fresh backup is written.
    Restored rules count as changed in the shop until an export takes them
    into git.
    """
