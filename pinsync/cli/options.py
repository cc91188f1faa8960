"""What the commands' options share: groups of them, their values, and how a command speaks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from pinsync.commands import Console, colored
from pinsync.commands.progress import Progress
from pinsync.errors import FileError, suggestion
from pinsync.model import Scope

Function = TypeVar("Function", bound=Callable[..., Any])
FILE = click.Path(dir_okay=False, path_type=Path)


class Group(click.Group):
    """A group that suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with a suggestion."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(name, self.list_commands(ctx), 1)
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)


class Choice(click.Choice):  # type: ignore[type-arg]  # generic since click 8.2, and only there
    """A choice that suggests the nearest value."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value, or fail with a suggestion."""
        if value not in self.choices:
            self.fail(f"{value!r} is not one of the choices; {suggestion(value, self.choices)}", param, ctx)
        return value


def echo(text: str | bytes, *, err: bool) -> None:
    """Write a line, or bytes as they are; a reader that has gone away must not change the exit code."""
    try:
        # whether there is colour in it was decided before
        click.echo(text, nl=isinstance(text, str), err=err, color=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (sys.stderr if err else sys.stdout).fileno())
    except OSError as error:
        place = "standard error" if err else "standard output"
        raise FileError(f"can't be written: {error.strerror}", source=place) from error


def console_of(verbose: bool, quiet: bool, color: bool | None) -> Console:
    """Return the console that a command speaks through."""
    progress = None if quiet else Progress.on_terminal(sys.stderr, os.environ)

    def say(text: str, *, err: bool) -> None:
        if progress:
            progress.clear()
        echo(text, err=err)

    return Console(
        out=lambda text: say(text, err=False),
        err=lambda text: say(text, err=True),
        verbosity=-1 if quiet else int(verbose),
        color=colored(sys.stderr, color, os.environ),
        color_out=colored(sys.stdout, color, os.environ),
        progress=progress,
    )


def once(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Return the value of an option that is given once, where click itself would let the last one win."""
    if len(values) > 1:
        raise click.BadParameter(f"{', '.join(map(repr, values))}: expected one value; run the command for each.")
    return next(iter(values), None)


def output_options(function: Function) -> Function:
    """Add the options of how a command speaks."""
    for option in (
        click.option("--color/--no-color", default=None, help="Colour; by default on a terminal, as NO_COLOR says."),
        click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong."),
        click.option("-v", "--verbose", is_flag=True, help="Say each step."),
    ):
        function = option(function)
    return function


def tracker_options(function: Function) -> Function:
    """Add the options of which configuration and trackers."""
    for option in (
        click.option(
            "--tracker", "names", multiple=True, metavar="NAME", help="Only this tracker; repeatable; by default all."
        ),
        click.option(
            "--config", type=FILE, metavar="FILE", help="The configuration; by default pinsync.yaml, upwards."
        ),
    ):
        function = option(function)
    return function


def filter_options(function: Function) -> Function:
    """Add the API's filters and flags."""
    for option in (
        click.option(
            "--remove-nonexisting-item-pins/--keep-nonexisting-item-pins",
            default=None,
            help="Leave out pins of items that are no longer in the catalog; by default as configured.",
        ),
        click.option(
            "--remove-expired-pins/--keep-expired-pins",
            default=None,
            help="Leave out pins past their end; by default as configured.",
        ),
        click.option(
            "--target-identity",
            callback=once,
            multiple=True,
            metavar="ITEM",
            help="Only customizations of this item; by default of all.",
        ),
        click.option(
            "--target-type",
            callback=once,
            multiple=True,
            metavar="TYPE",
            help="Only this type of target: item, criteria or all; by default any.",
        ),
        click.option(
            "--tag",
            callback=once,
            multiple=True,
            help="Only customizations with this tag; by default with any or none.",
        ),
        click.option("--model", callback=once, multiple=True, help="Only this recommender model; by default all."),
    ):
        function = option(function)
    return function


def report(value: str, formats: tuple[str, ...]) -> tuple[str, Path]:
    """Split a ``FORMAT=FILE``, the format one of ``formats``."""
    format_, _, file = value.partition("=")
    if not file or format_ not in formats:
        hint = f"expected FORMAT=FILE with a format of {', '.join(formats)}"
        known = format_ in formats  # and the file is missing
        raise click.BadParameter(f"{value!r}: {hint if known else suggestion(format_, formats, otherwise=hint)}")
    if file == "-":
        raise click.BadParameter(f"{value!r}: standard output takes --format {format_}; name a file here")
    return format_, Path(file)


def scope_of(model: str | None, tag: str | None, target_type: str | None, target_identity: str | None) -> Scope:
    """Return the scope of the filters; an identity implies the type of target that it needs."""
    if target_identity is None:
        return Scope(model, tag, target_type, None)
    if target_type not in (None, "item"):
        raise click.UsageError("--target-identity names an item: leave out --target-type, or make it item.")
    return Scope(model, tag, "item", target_identity)  # the API takes an identity only together with its type


def names_of(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Split lists at their commas."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]
