"""The commands that write files: init, export, fmt and schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinsync.cli.command import command
from pinsync.cli.options import (
    PATH,
    Choice,
    check_standard_input,
    echo,
    filter_options,
    output_options,
    run_command,
    tracker_options,
)
from pinsync.cli.variables import API, CONFIGURATION, TERMINAL
from pinsync.environment import read_variables

if TYPE_CHECKING:
    from pinsync.terminal.console import Console


@command(
    examples={
        "pinsync init --tracker-id 1234-5678": "Configure a tracker",
        "pinsync init --tracker-id 1234-5678 --ci github": "Write workflows for GitHub as well",
    },
    environment=("PINSYNC_TRACKER_ID", "PINSYNC_ALLOW_HOST", *TERMINAL),
)
@click.option("--tracker-id", metavar="ID", help="Id of the tracker (default: PINSYNC_TRACKER_ID).")
@click.option("--host", metavar="URL", help="Host of the API (default: the vendor's hosts).")
@click.option(
    "--ci",
    type=Choice(("github", "gitlab")),
    help="Write the CI files of this code host too (default: none).",
)
@output_options
def init(*, tracker_id: str | None, host: str | None, ci: str | None, console: Console) -> int:
    """Write a commented pinsync.yaml and a line of .gitattributes.

    Nothing is written if pinsync.yaml exists. An existing .gitattributes keeps
    its lines, and gains one unless it has that. With --ci, an existing
    pinsync.yaml stays, and the CI files, which must not exist, follow it. A
    host other than the vendor's is refused unless PINSYNC_ALLOW_HOST names it.
    """
    # Not `run_command`, because there is no configuration yet.
    from pinsync.commands.init import init as command
    from pinsync.workspace.paths import find_current_folder

    return command(
        root=find_current_folder(),
        tracker_id=tracker_id,
        host=host,
        environ=read_variables(),
        echo=console.say,
        ci=ci,
    )


@command(
    examples={
        "pinsync export --commit": "Write the live customizations to files, and commit them",
        "pinsync export --check": "Print the files that an export would change",
        "pinsync export -p": "Decide rule by rule what is written",
        "pinsync export --branch pins/live": "Commit to a branch of its own, for a pull request",
        "pinsync export --model basket --tag christmas": "Export only a part",
    },
    environment=(*CONFIGURATION, *API, *TERMINAL),
)
@click.option(
    "--check", is_flag=True, help="Print the files that would change, and exit 1 if there are any."
)
@click.option(
    "--from-file",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Read a saved export, or standard input for - (default: ask the API).",
)
@click.option(
    "--commit", is_flag=True, help="Commit the files that pinsync wrote, and nothing else."
)
@click.option(
    "--branch",
    metavar="NAME",
    help="Commit to this branch, not to the working tree (default: none).",
)
@click.option(
    "-m", "--message", metavar="TEXT", help="Commit message (default: made from the changes)."
)
@click.option(
    "--keep-pending",
    is_flag=True,
    help="Leave rules as git has them that git changed and the shop doesn't have yet, or that both "
    "changed.",
)
@click.option(
    "-p",
    "--patch",
    is_flag=True,
    help="Ask about each rule on a terminal: keep the shop's, or take git's.",
)
@filter_options
@click.option("--force", is_flag=True, help="Overwrite uncommitted work in the files.")
@click.option("--items", is_flag=True, help="Also look up the items, as pinsync items does.")
@click.option(
    "--allow-mass-removal",
    is_flag=True,
    help="Allow the export to remove more than safety.max_removed_percent.",
)
@tracker_options
@output_options
@run_command
def export() -> None:
    """Write the live customizations to files, one for each model.

    Only customizations that changed are rewritten, and comments stay. An
    incomplete answer changes nothing.

    -p shows each rule that differs, and asks. To keep the shop's (s) writes the
    rule to the files. To take git's (g) and to skip (n) both leave the files as
    they are. The shop isn't changed. Before anything is written, the rules to
    write are shown once more, and need a yes.
    """


@command(
    examples={
        "pinsync items": "Look up the items of all documents in the catalog",
        "pinsync items --check": "Print the files that would change",
    },
    environment=(*CONFIGURATION, *API, *TERMINAL),
)
@click.option(
    "--check", is_flag=True, help="Print the files that would change, and exit 1 if there are any."
)
@click.option(
    "--max-pages",
    type=click.IntRange(min=1),
    default=200,
    metavar="N",
    help="Stop after N pages of the catalog, 500 items each (default: 200).",
)
@click.option("--force", is_flag=True, help="Overwrite uncommitted work in the files.")
@tracker_options
@output_options
@run_command
def items() -> None:
    """Write titles and images of the items in documents to items.json.

    The items that documents mention, as pins or as targets, are looked up in
    the catalog of the tracker, until all of them are found. Reports then show
    titles instead of identities. An incomplete answer changes nothing.
    """


@command(
    examples={
        "pinsync fmt": "Format all documents",
        "pinsync fmt --diff customizations/basket.yaml": "Print the changes that a document needs",
        "pinsync fmt --check": "Check the format, in CI",
    },
    environment=(*CONFIGURATION, *TERMINAL),
)
@click.argument("paths", metavar="[PATHS]", nargs=-1, type=PATH)
@click.option(
    "--check", is_flag=True, help="Print the files that would change, and exit 1 if there are any."
)
@click.option(
    "--diff", is_flag=True, help="Print a unified diff of the changes, and exit 1 if there are any."
)
@tracker_options
@output_options
@check_standard_input
@run_command
def fmt() -> None:
    """Bring documents into canonical form; comments stay.

    PATHS are files, or folders for the documents below them (default: all
    documents). - reads one document from standard input, and writes it to
    standard output.
    """


@command(
    examples={
        "pinsync schema > pinsync.schema.json": "Write the schema to a file that an editor reads"
    }
)
@click.argument("kind", default="document", metavar="[KIND]", type=Choice(("document", "items")))
def schema(kind: str) -> int:
    """Print the JSON Schema (draft-07) of a document, for editors.

    KIND is document, the default, or items for items.json.
    """
    from pinsync.commands.schema import schema as command

    return command(kind, lambda text: echo(text, err=False))
