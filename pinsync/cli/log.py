"""The commands that look into what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinsync.cli import completion
from pinsync.cli.command import Command
from pinsync.cli.options import Once, format_options, output_options, tracker_options
from pinsync.cli.variables import CONFIGURATION, PAGER, TERMINAL
from pinsync.environment import variables

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.terminal.console import Console


@click.command(
    cls=Command,
    examples={
        "pinsync blame basket": "Show who changed each pin of a model",
        "pinsync blame basket /p/123/ --rev HEAD~1": "Show the pins of one item, at an older commit",
    },
    environment=(*CONFIGURATION, *PAGER, *TERMINAL),
)
@click.argument("model", shell_complete=completion.models)
@click.argument("target", required=False)
@click.option("--rev", "revision", default="HEAD", metavar="REV", help="Git revision to look at (default: HEAD).")
@format_options(("text", "json"))
@tracker_options
@output_options
def blame(
    *,
    config: Path | None,
    names: tuple[str, ...],
    model: str,
    target: str | None,
    revision: str,
    format_: str,
    console: Console,
) -> int:
    """Show which commit last changed each pin of a recommender model.

    Each pin comes with its commit, author and age. Commits that only
    reformatted don't count, and a rule is followed when it comes under another
    id, model, folder or tracker.

    TARGET is an item's identity, all, criteria as JSON, or the id or title of
    a rule (default: all rules).
    """
    from pinsync.commands.blame import Options, blame

    options = Options(model, target, revision, names, format_ == "json")
    return blame(config, options, variables(), console)


@click.command(
    cls=Command,
    examples={
        "pinsync show basket": "Show all rules of a model",
        "pinsync show basket /p/123/ --at 2026-12-24": "Show the rule of one item at Christmas",
    },
    environment=(*CONFIGURATION, *PAGER, *TERMINAL),
)
@click.argument("model", shell_complete=completion.models)
@click.argument("target", required=False)
@click.option(
    "--rev",
    "revision",
    default="@worktree",
    metavar="REV",
    help="Git revision, or @index, to look at (default: the files on disk).",
)
@click.option("--at", metavar="TIME", help="Time to look at, such as 2026-12-24 or 2026-12-24T10:00 (default: now).")
@format_options(("text", "json"))
@tracker_options
@output_options
def show(
    *,
    config: Path | None,
    names: tuple[str, ...],
    model: str,
    target: str | None,
    revision: str,
    at: str | None,
    format_: str,
    console: Console,
) -> int:
    """Show the rules of a recommender model as a person reads them.

    Each rule is a shelf: the items at 1, 2, 3, at any position, and the
    blocked ones, each active, upcoming or over.

    TARGET is an item's identity, all, criteria as JSON, or the id or title of
    a rule (default: all rules).
    """
    from pinsync.commands.show import Options
    from pinsync.commands.show import show as command

    options = Options(model, target, revision, at, names, format_ == "json")
    return command(config, options, variables(), console)


@click.command(
    cls=Command,
    examples={
        "pinsync history basket -n 5": "Show the last five commits that changed a model",
        "pinsync history --item /p/234/": "Show where an item was pinned, and by whom",
        "pinsync history main..HEAD --format markdown": "Report what a branch changes, commit by commit",
    },
    environment=(*CONFIGURATION, *PAGER, *TERMINAL),
)
@click.argument("words", nargs=-1, metavar="[MODEL [TARGET]] [RANGE]", shell_complete=completion.models)
@click.option(
    "--model",
    cls=Once,
    metavar="MODEL",
    shell_complete=completion.models,
    help="Only this recommender model (default: all).",
)
@click.option(
    "--target-identity",
    cls=Once,
    metavar="ITEM",
    help="Only rules of this item (default: any).",
)
@click.option("--tag", cls=Once, metavar="TAG", help="Only rules that have or had this tag (default: any).")
@click.option("--id", "id_", cls=Once, metavar="ID", help="Only the rule with this id (default: any).")
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
@click.option("-n", "count", type=click.IntRange(min=1), metavar="N", help="At most N commits (default: all).")
@click.option("--rev", "revision", metavar="REV", help="Git revision to start at, or a range (default: HEAD).")
@click.option("--all", "every", is_flag=True, help="Show commits that only reformatted or moved files too.")
@format_options(("text", "json", "markdown"))
@tracker_options
@output_options
def history(  # noqa: PLR0913 - the options of one command
    *,
    config: Path | None,
    names: tuple[str, ...],
    words: tuple[str, ...],
    model: str | None,
    target_identity: str | None,
    tag: str | None,
    id_: str | None,
    item: str | None,
    since: str | None,
    until: str | None,
    author: str | None,
    count: int | None,
    revision: str | None,
    every: bool,
    format_: str,
    console: Console,
) -> int:
    """Show which commit changed which rule, the newest first.

    A commit is compared with its first parent; one that only reformatted is
    left out. RANGE is A..B, A.., ..B or A...B, as in git. TARGET is an item's
    identity, all, criteria as JSON, or the id or title of a rule.
    """
    from pinsync.commands.history import Options
    from pinsync.commands.history import history as command
    from pinsync.commands.query import Wanted

    wanted = Wanted(model, None, target_identity, tag, id_, item)
    options = Options(words, wanted, revision, since, until, author, count, every, names, format_)
    return command(config, options, variables(), console)
