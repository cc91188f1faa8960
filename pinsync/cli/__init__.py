"""The command line: one module for each chapter of the manual."""

from __future__ import annotations

from typing import Final

import click

from pinsync import __version__
from pinsync.cli.command import Group, Listing
from pinsync.cli.folder import folder_option

_COMMANDS: Final = {
    # The chapters that write files, that compare and check, that change the shop, that read git's
    # history, and that try pinsync without a shop.
    "init": Listing("files", "Write a commented pinsync.yaml and a line of .gitattributes."),
    "export": Listing("files", "Write the live customizations to files, one for each model."),
    "items": Listing("files", "Write titles and images of the items in documents to items.json."),
    "fmt": Listing("files", "Bring documents into canonical form; comments stay."),
    "schema": Listing("files", "Print the JSON Schema (draft-07) of a document, for editors."),
    "diff": Listing("compare", "Report the drift between two sources (default: HEAD and @live)."),
    "lint": Listing("compare", "Look for mistakes in documents; the tracker isn't asked."),
    "trackers": Listing("compare", "Show the configured trackers."),
    "plan": Listing("shop", "Show what git would change in the shop, and change nothing."),
    "apply": Listing("shop", "Give the shop the rules of git, as pinsync plan shows them."),
    "restore": Listing("shop", "Give the shop the rules of a backup or a git revision."),
    "history": Listing("history", "Show which commit changed which rule, the newest first."),
    "blame": Listing("history", "Show which commit last changed each pin of a recommender model."),
    "show": Listing("history", "Show the rules of a recommender model as a person reads them."),
    "calendar": Listing("history", "Show when shelves change, and the troubles ahead."),
    "sandbox": Listing("trial", "Serve a local stand-in of the API, signatures verified."),
    "demo": Listing("trial", "Walk through the main job on a throw-away repository."),
}


@click.group(
    cls=Group,
    listings=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples={
        "pinsync demo": "Watch the main job on a throw-away repository",
        "pinsync export --commit": "Write the live customizations to files, and commit them",
        "pinsync diff": "Compare HEAD with the live customizations",
    },
    epilog="Exit codes: 0 done, in sync; 1 drift or findings; "
    "2 usage, configuration or a file; 3 the remote; 4 refused for safety; 70 a bug; "
    "130 interrupted. An option without a value is off unless it is given. "
    "'pinsync COMMAND --help' names the environment variables that a command reads.",
)
@folder_option
@click.version_option(__version__, message="pinsync %(version)s")
def cli() -> None:
    """Luigi's Box recommender pins under git."""
