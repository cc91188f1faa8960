"""The command line: one module for each chapter of the manual."""

from __future__ import annotations

import click

from pinsync import __version__
from pinsync.cli import compare, files, history, trial
from pinsync.cli.command import Group
from pinsync.cli.options import folder_option


@click.group(
    cls=Group,
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


for _command in (
    *(files.init, files.export, files.fmt, files.schema),
    *(compare.diff, compare.lint, compare.trackers),
    *(history.history, history.blame, history.show),
    *(trial.sandbox, trial.demo),
):
    cli.add_command(_command)
