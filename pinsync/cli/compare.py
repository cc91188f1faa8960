"""The commands that compare and check: diff, lint and trackers."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from pinsync.cli import completion
from pinsync.cli.command import command
from pinsync.cli.options import (
    PATH,
    Choice,
    Once,
    at_option,
    filter_options,
    format_options,
    max_chars_option,
    output_options,
    page_options,
    report_options,
    run_command,
    split_names,
    tracker_options,
)
from pinsync.cli.variables import API, CONFIGURATION, STEP_SUMMARY, TERMINAL
from pinsync.model import FailOn
from pinsync.reports import DRIFT_FORMATS, LINT_FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinsync.cli.options import Command


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
@at_option
@click.option(
    "--summary",
    is_flag=True,
    help="Print only the headline, the groups with their counts, and the actions (text, "
    "markdown, html).",
)
@max_chars_option
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
