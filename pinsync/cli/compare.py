"""The commands that compare and check: diff, plan, lint and trackers."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from pinsync.cli import completion
from pinsync.cli.command import command
from pinsync.cli.options import (
    PATH,
    Choice,
    Once,
    filter_options,
    format_options,
    output_options,
    page_options,
    report_options,
    run_command,
    scope_options,
    split_names,
    tracker_options,
)
from pinsync.cli.variables import API, CONFIGURATION, STEP_SUMMARY, TERMINAL
from pinsync.model import FailOn
from pinsync.reports import DRIFT_FORMATS, LINT_FORMATS, PLAN_FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinsync.cli.options import Command

_at_option = click.option(
    "--at",
    metavar="TIME",
    help="Time to look at, such as 2026-12-24 or 2026-12-24T10:00. It decides what shoppers notice "
    "now or later (default: when the API answered, else now).",
)
_max_chars_option = click.option(
    "--max-chars",
    type=click.IntRange(min=500),
    metavar="N",
    help="Maximum length of a markdown report (default: 65536).",
)


def _check_sources(
    _ctx: click.Context, _param: click.Parameter, sources: tuple[str, ...]
) -> tuple[str, ...]:
    if len(sources) > 2:  # noqa: PLR2004 - FROM and TO
        raise click.UsageError(f"Expected FROM and TO, got {len(sources)} sources.")
    return sources


@command(
    examples={
        "pinsync diff": "Check for drift: compare HEAD with the live customizations",
        "pinsync diff @live @worktree": "Preview your own edits",
        "pinsync diff origin/main...HEAD --format markdown": "Review a branch offline, without key",
        "pinsync diff --report json=drift.json": "Write a JSON report as well",
        "pinsync diff --report html=drift.html": "Write a page for a browser as well",
    },
    environment=(*CONFIGURATION, *API, *STEP_SUMMARY, *TERMINAL),
)
@click.argument(
    "sources",
    metavar="[FROM] [TO]",
    nargs=-1,
    callback=_check_sources,
    shell_complete=completion.complete_sources,
)
@report_options(tuple(DRIFT_FORMATS))
@click.option(
    "--fail-on",
    type=Choice(get_args(FailOn)),
    default="any",
    help="Changes that make the exit code 1; all are reported (default: any). shop: all but those "
    "that git alone made since git and the shop agreed.",
)
@_at_option
@click.option(
    "--summary",
    is_flag=True,
    help="Print only the headline, the groups with their counts, and the actions (text, "
    "markdown, html).",
)
@_max_chars_option
@page_options
@filter_options
@tracker_options
@output_options
@run_command
def diff() -> None:
    """Report the drift between two sources (default: HEAD and @live).

    A source is @live, @worktree, @index, the file of a JSON export, - for an
    export on standard input, or a git revision. A..B and A...B mean the same
    as in git diff. Where a file has the name of a revision, ./main is the file
    and refs/heads/main the branch.
    """


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
@click.option("--delete", is_flag=True, help="Also delete rules that git removed.")
@click.option(
    "--overwrite-edits",
    is_flag=True,
    help="Also overwrite changes that people made in the shop, or may have made; with --delete, "
    "also delete rules that they changed.",
)
@click.option(
    "--recreate",
    is_flag=True,
    help="Also create rules that people deleted in the shop, or may have deleted.",
)
@click.option("--delete-extra", is_flag=True, help="Also delete rules that git never had.")
@click.option(
    "--reset-record",
    is_flag=True,
    help="First begin the record of agreement anew, from the rules that agree now.",
)
@report_options(tuple(PLAN_FORMATS))
@_at_option
@click.option(
    "--summary",
    is_flag=True,
    help="Print only the headline, the groups with their counts, and the checksum (text, "
    "markdown, html).",
)
@_max_chars_option
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


def _lint_rules_option(name: str, description: str) -> Callable[[Command], Command]:
    return click.option(
        name,
        callback=split_names,
        multiple=True,
        metavar="RULES",
        shell_complete=completion.complete_rules,
        help=description,
    )


@command(
    examples={
        "pinsync lint": "Check all documents",
        "pinsync lint customizations/basket.yaml": "Check one document",
        "pinsync lint --select window,expired": "Apply only two lint rules",
        "pinsync lint --since origin/main": "Report only findings that origin/main lacks",
        "pinsync lint --at 2026-12-01 --until 2026-12-31": "Leave out overlaps at other times",
        "pinsync lint --explain position-conflict": "Describe a lint rule",
    },
    environment=(*CONFIGURATION, *STEP_SUMMARY, *TERMINAL),
)
@click.argument("paths", metavar="[PATHS]", nargs=-1, type=PATH)
@_lint_rules_option("--select", "Only these lint rules, joined by commas (default: all).")
@_lint_rules_option("--ignore", "All but these lint rules, joined by commas (default: none).")
@click.option(
    "--explain",
    is_flag=False,
    flag_value="",  # of --explain without RULE
    metavar="[RULE]",
    shell_complete=completion.complete_rules,
    help="Describe a lint rule and its remedy; without RULE, list all (default: check files).",
)
@click.option(
    "--add-ignores",
    is_flag=True,
    help="Write an ignore comment at each finding into the files; exit 1 if findings are left.",
)
@click.option(
    "--at",
    cls=Once,
    metavar="TIME",
    help="Leave out overlaps that end before; also the present (default: all overlaps, and now).",
)
@click.option(
    "--until",
    cls=Once,
    metavar="TIME",
    help="Leave out overlaps that start later; a date is its whole day (default: all overlaps).",
)
@click.option(
    "--since",
    cls=Once,
    metavar="REV",
    help="Report only findings that this git revision lacks (default: all).",
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.option(
    "--expired-days",
    type=click.IntRange(0, 36500),
    default=30,
    metavar="N",
    help="Warn of pins that ended more than N days ago (default: 30).",
)
@report_options(tuple(LINT_FORMATS))
@tracker_options
@output_options
@run_command
def lint() -> None:
    """Look for mistakes in documents; the tracker isn't asked.

    PATHS are files, or folders for the documents below them (default: all
    documents), or pinsync.yaml. Other documents of the same folder are read
    too, for mistakes that several make together, but not reported on.
    """


@command(
    examples={
        "pinsync trackers --check": "Ask the API whether it accepts each key",
        "pinsync trackers --json": "Print the matrix of a CI job",
    },
    environment=(*CONFIGURATION, *API, *TERMINAL),
)
@format_options(("text", "json"))
@click.option(
    "--check",
    is_flag=True,
    help="Ask the API whether it accepts each key; exit 3 if it refuses one.",
)
@tracker_options
@output_options
@run_command
def trackers() -> None:
    """Show the configured trackers.

    The list needs no key and no network. --check asks the API once for each
    tracker, and shows whether the key is accepted, which host answered, and
    how far the clocks differ. --json prints the matrix of a CI job.
    """
