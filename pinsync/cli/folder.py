"""The option -C of pinsync itself."""

from __future__ import annotations

import os

import click

from pinsync.errors import FileError


def _enter_folders(_ctx: click.Context, _param: click.Parameter, folders: tuple[str, ...]) -> None:
    """Enter the folders, one after the other; an empty name changes nothing, as with git."""
    for folder in filter(None, folders):
        try:
            os.chdir(folder)
        except OSError as error:
            raise FileError(f"can't be entered: {error.strerror}", source=folder) from error


folder_option = click.option(
    "-C",
    "folders",
    multiple=True,
    metavar="DIR",
    type=click.Path(readable=False, file_okay=False),
    expose_value=False,
    # A callback also runs for completion, so that trackers and models are those of DIR.
    callback=_enter_folders,
    help="Run as if started in DIR. Each further DIR is relative to the DIR before.",
)
