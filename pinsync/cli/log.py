"""The commands that look into what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinsync.cli import completion
from pinsync.cli.command import Command
from pinsync.cli.options import Once, format_options, output_options, tracker_options
from pinsync.environment import variables

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.commands import Console


@click.command(cls=Command)
@click.argument("model", shell_complete=completion.models)
@click.argument("target", required=False)
@click.option(
    "--rev", "revision", default="HEAD", metavar="REV", help="The git revision whose pins are meant; by default HEAD."
)
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

    Moved, replaced, another window: who did it, and how long ago. Only what
    changed in meaning counts, and a rule is followed when it comes under
    another id, model, folder or tracker.

    TARGET is an item's identity, all, criteria as JSON, or the id or title of
    a rule; by default all rules are shown.
    """
    from pinsync.commands.blame import Options, blame

    options = Options(model, target, revision, names, format_ == "json")
    return blame(config, options, variables(), console)


@click.command(cls=Command)
@click.argument("model", shell_complete=completion.models)
@click.argument("target", required=False)
@click.option(
    "--rev",
    "revision",
    default="@worktree",
    metavar="REV",
    help="A git revision, or @index; by default the files as they are.",
)
@click.option(
    "--at", metavar="TIME", help="The moment that counts, such as 2026-12-24 or 2026-12-24T10:00; by default now."
)
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

    Each is a shelf: what stands at 1, 2, 3, everywhere, and what is blocked,
    and whether that is active, upcoming or over.

    TARGET is an item's identity, all, criteria as JSON, or the id or title of
    a rule; by default all rules are shown.
    """
    from pinsync.commands.show import Options
    from pinsync.commands.show import show as command

    options = Options(model, target, revision, at, names, format_ == "json")
    return command(config, options, variables(), console)


@click.command(cls=Command)
@click.argument("words", nargs=-1, metavar="[MODEL [TARGET]] [RANGE]", shell_complete=completion.models)
@click.option(
    "--model", cls=Once, shell_complete=completion.models, help="Only this recommender model; by default all."
)
@click.option(
    "--target-identity",
    cls=Once,
    metavar="ITEM",
    help="Only rules that are for this item; by default any.",
)
@click.option("--tag", cls=Once, help="Only rules that have, or had, this tag; by default with any or none.")
@click.option("--id", "id_", cls=Once, metavar="ID", help="Only the rule of this id; by default any.")
@click.option(
    "--item",
    cls=Once,
    metavar="ITEM",
    help="Only pins of this item, in whichever rule; by default any.",
)
@click.option(
    "--since",
    cls=Once,
    metavar="TIME",
    help="Only commits from then on, such as 2026-12-24 or 2026-12-24T10:00; by default from the first.",
)
@click.option(
    "--until",
    cls=Once,
    metavar="TIME",
    help="Only commits up to then, a date alone being its end; by default up to the newest.",
)
@click.option(
    "--author",
    cls=Once,
    metavar="PATTERN",
    help="Only commits whose author matches, as with git log; by default anybody's.",
)
@click.option("-n", "count", type=click.IntRange(min=1), metavar="N", help="At most as many commits; by default all.")
@click.option("--rev", "revision", metavar="REV", help="Begin at this revision, or a range as in git; by default HEAD.")
@click.option("--all", "every", is_flag=True, help="Show commits too that only reformatted or moved files.")
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
    from pinsync.commands.wanted import Wanted

    wanted = Wanted(model, None, target_identity, tag, id_, item)
    options = Options(words, wanted, revision, since, until, author, count, every, names, format_)
    return command(config, options, variables(), console)
