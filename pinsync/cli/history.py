"""The commands that read git's history and the rules of a revision."""

from __future__ import annotations

import click

from pinsync.cli import completion
from pinsync.cli.command import command
from pinsync.cli.options import (
    Once,
    format_options,
    output_options,
    page_options,
    report_options,
    run_command,
    tracker_options,
)
from pinsync.cli.variables import API, CONFIGURATION, PAGER, TERMINAL
from pinsync.reports import CALENDAR_FORMATS, SHOW_FORMATS


@command(
    examples={
        "pinsync history basket -n 5": "Show the last five commits that changed a model",
        "pinsync history --item /p/234/": "Show where an item was pinned, and by whom",
        "pinsync history main..HEAD --format markdown": "Report a branch commit by commit",
    },
    environment=(*CONFIGURATION, *PAGER, *TERMINAL),
)
# One argument for all words, because only git can tell which of them is a range.
@click.argument(
    "words", nargs=-1, metavar="[MODEL [TARGET]] [RANGE]", shell_complete=completion.complete_models
)
@click.option(
    "--model",
    cls=Once,
    metavar="MODEL",
    shell_complete=completion.complete_models,
    help="Only this recommender model (default: all).",
)
@click.option(
    "--target-identity",
    cls=Once,
    metavar="ITEM",
    help="Only rules of this item (default: any).",
)
@click.option(
    "--tag", cls=Once, metavar="TAG", help="Only rules that have or had this tag (default: any)."
)
@click.option("--id", cls=Once, metavar="ID", help="Only the rule with this id (default: any).")
@click.option(
    "--item",
    cls=Once,
    metavar="ITEM",
    help="Only pins of this item, in any rule (default: any).",
)
@click.option(
    "--since",
    cls=Once,
    metavar="TIME",
    help="Only commits since then, such as 2026-12-24 or 2026-12-24T10:00 (default: all).",
)
@click.option(
    "--until",
    cls=Once,
    metavar="TIME",
    help="Only commits until then, the end of the day for a date (default: all).",
)
@click.option(
    "--author",
    cls=Once,
    metavar="PATTERN",
    help="Only commits whose author matches, as in git log (default: any).",
)
@click.option(
    "-n", "count", type=click.IntRange(min=1), metavar="N", help="At most N commits (default: all)."
)
@click.option(
    "--rev", "revision", metavar="REV", help="Git revision to start at, or a range (default: HEAD)."
)
@click.option(
    "--all", "every", is_flag=True, help="Show commits that only reformatted or moved files too."
)
@format_options(("text", "json", "markdown"))
@tracker_options
@output_options
@run_command
def history() -> None:
    """Show which commit changed which rule, the newest first.

    A commit is compared with its first parent; one that only reformatted is
    left out. RANGE is A..B, A.., ..B or A...B, as in git. TARGET is an item's
    identity, all, criteria as JSON, or the id or title of a rule.
    """


@command(
    examples={
        "pinsync blame basket": "Show who changed each pin of a model",
        "pinsync blame basket /p/123/ --rev HEAD~1": "Show the pins of one item at an older commit",
    },
    environment=(*CONFIGURATION, *PAGER, *TERMINAL),
)
@click.argument("model", shell_complete=completion.complete_models)
@click.argument("target", required=False)
@click.option(
    "--rev",
    "revision",
    default="HEAD",
    metavar="REV",
    help="Git revision to look at (default: HEAD).",
)
@format_options(("text", "json"))
@tracker_options
@output_options
@run_command
def blame() -> None:
    """Show which commit last changed each pin of a recommender model.

    Each pin comes with its commit, author and age. Commits that only
    reformatted don't count, and a rule is followed when it comes under another
    id, model, folder or tracker.

    TARGET is an item's identity, all, criteria as JSON, or the id or title of
    a rule (default: all rules).
    """


@command(
    examples={
        "pinsync show basket": "Show all rules of a model",
        "pinsync show basket /p/123/ --at 2026-12-24": "Show the rule of one item at Christmas",
        "pinsync show basket --report html=basket.html": "Write a page for a browser as well",
    },
    environment=(*CONFIGURATION, *PAGER, *TERMINAL),
)
@click.argument("model", shell_complete=completion.complete_models)
@click.argument("target", required=False)
@click.option(
    "--rev",
    "revision",
    default="@worktree",
    metavar="REV",
    help="Git revision, or @index, to look at (default: the files on disk).",
)
@click.option(
    "--at",
    metavar="TIME",
    help="Time to look at, such as 2026-12-24 or 2026-12-24T10:00 (default: now).",
)
@report_options(tuple(SHOW_FORMATS))
@page_options
@tracker_options
@output_options
@run_command
def show() -> None:
    """Show the rules of a recommender model as a person reads them.

    Each rule is a shelf: the items at 1, 2, 3, at any position, and the
    blocked ones, each active, upcoming or over.

    TARGET is an item's identity, all, criteria as JSON, or the id or title of
    a rule (default: all rules).
    """


@command(
    examples={
        "pinsync calendar": "Show the changes of the next 90 days",
        "pinsync calendar basket --from 2026-12-01 --to 2026-12-31": "Show a model in December",
        "pinsync calendar --rev HEAD --report ics=pins.ics": "Write a file for calendar programs",
        "pinsync calendar --report html=pins.html": "Write a page for a browser as well",
    },
    environment=(*CONFIGURATION, *API, *PAGER, *TERMINAL),
)
@click.argument("model", required=False, shell_complete=completion.complete_models)
@click.argument("target", required=False)
@click.option(
    "--from",
    "start",
    cls=Once,
    metavar="TIME",
    help="First moment, such as 2026-12-24 or 2026-12-24T10:00 (default: now).",
)
@click.option(
    "--to",
    "end",
    cls=Once,
    metavar="TIME",
    help="Last moment, the end of the day for a date (default: 90 days after the first).",
)
@click.option(
    "--rev",
    "revision",
    default="@worktree",
    metavar="REV",
    help="Git revision, @index, or @live for the shop (default: the files on disk).",
)
@report_options(tuple(CALENDAR_FORMATS))
@page_options
@tracker_options
@output_options
@run_command
def calendar() -> None:
    """Show when shelves change, and the troubles ahead.

    For each moment: the pins that start and end, and the shelf afterwards. A
    trouble is an empty position below a filled one, two pins at one position,
    an item both pinned and blocked, or a rule without an active pin.

    TARGET is an item's identity, all, criteria as JSON, or the id or title of
    a rule (default: all rules).
    """
