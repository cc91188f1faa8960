"""The command line: options, help and echo. What a command does stands in ``commands``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from pinsync import __version__
from pinsync.commands import Console

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FILE = click.Path(dir_okay=False, path_type=Path)


class _Group(click.Group):
    """A group that suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with a suggestion."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = get_close_matches(name, self.list_commands(ctx), 1)
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)


def _echo(text: str, *, err: bool) -> None:
    """Write a line; a reader that has gone away must not change the exit code."""
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (sys.stderr if err else sys.stdout).fileno())


def _console(verbose: bool, quiet: bool, color: bool | None) -> Console:
    if color is None:
        wanted = os.environ.get("FORCE_COLOR") or (sys.stderr.isatty() and os.environ.get("TERM") != "dumb")
        color = bool(wanted) and not os.environ.get("NO_COLOR")
    return Console(
        out=lambda text: _echo(text, err=False),
        err=lambda text: _echo(text, err=True),
        verbosity=-1 if quiet else int(verbose),
        color=color,
    )


def _output_options(function: _Function) -> _Function:
    for option in (
        click.option("--color/--no-color", default=None, help="Colour; by default on a terminal, as NO_COLOR says."),
        click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong."),
        click.option("-v", "--verbose", is_flag=True, help="Say each step."),
    ):
        function = option(function)
    return function


def _tracker_options(function: _Function) -> _Function:
    for option in (
        click.option("--tracker", "names", multiple=True, metavar="NAME", help="Only this tracker; repeatable."),
        click.option(
            "--config", type=_FILE, metavar="FILE", help="The configuration; by default pinsync.yaml, upwards."
        ),
    ):
        function = option(function)
    return function


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="pinsync %(version)s")
def cli() -> None:
    r"""Luigi's Box recommender pins under git.

    \b
    Exit codes: 0 done, in sync; 1 drift or findings; 2 usage, configuration or
    a file; 3 the remote; 4 refused for safety; 70 a bug; 130 interrupted.
    """


@cli.command()
@click.option("--tracker-id", metavar="ID", help="The tracker to name; by default that of PINSYNC_TRACKER_ID.")
@click.option("--host", metavar="URL", help="The API's host, if it isn't the vendor's.")
@_output_options
def init(tracker_id: str | None, host: str | None, verbose: bool, quiet: bool, color: bool | None) -> int:
    """Write a commented pinsync.yaml and a line of .gitattributes.

    An existing pinsync.yaml is left alone.
    """
    from pinsync.commands.init import init as command

    console = _console(verbose, quiet, color)
    return command(root=Path.cwd(), tracker_id=tracker_id, host=host, environ=os.environ, echo=console.say)


@cli.command()
@click.option("--check", is_flag=True, help="Only name the files that would change; exit 1 if there are any.")
@click.option("--from-file", type=_FILE, metavar="FILE", help="Read a saved export instead of asking the API.")
@click.option("--commit", is_flag=True, help="Commit the files that pinsync wrote, and nothing else.")
@click.option("--branch", metavar="NAME", help="Commit onto this branch; the working tree stays as it is.")
@click.option("-m", "--message", metavar="TEXT", help="The commit message; by default made from the changes.")
@click.option("--model", help="Only this recommender model.")
@click.option("--tag", help="Only customizations with this tag.")
@click.option("--target-type", metavar="TYPE", help="Only this type of target: item, criteria or all.")
@click.option("--target-identity", metavar="ITEM", help="Only customizations of this item.")
@click.option(
    "--remove-expired-pins/--keep-expired-pins", default=None, help="Leave out pins past their end; as configured."
)
@click.option(
    "--remove-nonexisting-item-pins/--keep-nonexisting-item-pins",
    default=None,
    help="Leave out pins of items that are no longer in the catalog; as configured.",
)
@click.option("--force", is_flag=True, help="Overwrite uncommitted work in the files.")
@click.option("--allow-mass-removal", is_flag=True, help="Believe an answer in which much is gone.")
@_tracker_options
@_output_options
def export(  # noqa: PLR0913 - the options of one command
    *,
    config: Path | None,
    names: tuple[str, ...],
    check: bool,
    from_file: Path | None,
    commit: bool,
    branch: str | None,
    message: str | None,
    model: str | None,
    tag: str | None,
    target_type: str | None,
    target_identity: str | None,
    remove_expired_pins: bool | None,
    remove_nonexisting_item_pins: bool | None,
    force: bool,
    allow_mass_removal: bool,
    verbose: bool,
    quiet: bool,
    color: bool | None,
) -> int:
    """Write the live customizations to files, one per recommender model.

    Only what changed is rewritten; comments stay. An answer that isn't whole
    changes nothing.
    """
    from pinsync.commands.export import Options
    from pinsync.commands.export import export as command
    from pinsync.model import Scope

    options = Options(
        names=names,
        scope=Scope(model, tag, target_type, target_identity),
        check=check,
        from_file=from_file,
        commit=commit,
        branch=branch,
        message=message,
        remove_expired_pins=remove_expired_pins,
        remove_nonexisting_item_pins=remove_nonexisting_item_pins,
        force=force,
        allow_mass_removal=allow_mass_removal,
    )
    return command(config, options, os.environ, _console(verbose, quiet, color))


@cli.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1; by default a free one.")
@click.option("--state", type=_FILE, metavar="FILE", help="Keep the customizations in this file; by default in memory.")
@click.option("--fail", multiple=True, metavar="FAULT[:TIMES]", help="How the first requests fail; repeatable.")
@click.option("--empty", is_flag=True, help="Begin without customizations; by default with a sample shop.")
@click.option("--seed", type=int, help="Make the spelling of the answers repeatable; by default it is random.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(
    *, port: int, state: Path | None, fail: tuple[str, ...], empty: bool, seed: int | None, command: tuple[str, ...]
) -> int:
    """Serve a local stand-in of the API, signatures verified.

    It prints the environment to export, and serves until interrupted. With a
    COMMAND, after --, it serves that command alone and exits as it does.
    """
    from pinsync.commands.sandbox import sandbox as serve

    return serve(
        out=lambda text: _echo(text, err=False),
        port=port,
        state=state,
        fail=fail,
        empty=empty,
        seed=seed,
        command=command,
    )


@cli.command()
def demo() -> int:
    """Walk through the main job on a throw-away repository and the sandbox."""
    from pinsync.commands.demo import demo as command

    return command(out=lambda text: _echo(text, err=False))
