"""What the commands' options share: groups of them, their values, and how a command speaks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from pinsync.cli import completion
from pinsync.environment import variables
from pinsync.errors import FileError, suggestion
from pinsync.model import STANDARD_INPUT
from pinsync.terminal.console import Console, are_one_terminal, wants_color

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.model import Scope

Command = Callable[..., int]
PATH = click.Path(readable=False)
"""Anything that a shell completes as a path; what it is, and whether it can be read, its command finds out."""


class File(click.Path):
    """A file's name; ``pathlib`` is imported once there is one, so that help stays quick."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401 - click's
        """Return the path."""
        from pathlib import Path

        return Path(str(super().convert(value, param, ctx)))


FILE = File()


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


def _console(verbose: bool, quiet: bool, color: bool | None) -> Console:
    from pinsync.terminal.progress import Progress

    progress = None if quiet else Progress.on_terminal(sys.stderr, os.environ)

    def say(text: str | bytes, *, err: bool) -> None:
        if progress:
            progress.clear()
        echo(text, err=err)

    return Console(
        out=lambda text: say(text, err=False),
        err=lambda text: say(text, err=True),
        verbosity=-1 if quiet else int(verbose),
        color=wants_color(sys.stderr, color, os.environ),
        color_out=wants_color(sys.stdout, color, os.environ),
        progress=progress,
        is_one_terminal=are_one_terminal(sys.stdout, sys.stderr),
    )


def _enter_folders(_ctx: click.Context, _param: click.Parameter, folders: tuple[str, ...]) -> None:
    """Make each folder the current one in turn; an empty name changes nothing, as with git."""
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
    help="Run as if pinsync was started in DIR. If given several times, each DIR is relative to the one before.",
)


class Once(click.Option):
    """An option that is given once, where click itself would let the last one win."""

    def __init__(self, declarations: Sequence[str], **settings: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(declarations, multiple=True, callback=_only, **settings)


def _only(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> str | None:
    if len(values) > 1:
        raise click.BadParameter(f"{', '.join(map(repr, values))}: expected one value; run the command for each.")
    return next(iter(values), None)


def run_command(function: Callable[[], None]) -> Command:
    """Make a function run the command of its name: ``NAME(workspace, options, console)`` in `pinsync.commands.NAME`.

    Each option of the command line fills the field of the command's ``Options`` that has its name. The module is
    imported when the command runs, so that help stays quick.
    """
    name = function.__name__

    @wraps(function)
    def run(*, config: Path | None, console: Console, **values: Any) -> int:  # noqa: ANN401 - the command's
        from pinsync.workspace.workspace import Workspace

        module = import_module(f"pinsync.commands.{name}")
        workspace = Workspace(config, variables())
        code: int = getattr(module, name)(workspace, module.Options(**values), console)
        return code

    return run


def output_options(function: Command) -> Command:
    """Add the options of how a command speaks, and hand it the console that they make."""

    @wraps(function)
    def speaking(*, verbose: bool, quiet: bool, color: bool | None, **values: Any) -> int:  # noqa: ANN401 - the command's
        return function(console=_console(verbose, quiet, color), **values)

    return _with(
        speaking,
        click.option("--color/--no-color", default=None, help="Colour the output (default: on a terminal)."),
        click.option("-q", "--quiet", is_flag=True, help="Print only errors and warnings."),
        click.option("-v", "--verbose", is_flag=True, help="Print each step."),
    )


def _with(function: Command, *options: Callable[[Command], Command]) -> Command:
    for option in options:
        function = option(function)
    return function


def tracker_options(function: Command) -> Command:
    """Add the options of which configuration and trackers."""
    return _with(
        function,
        click.option(
            "--tracker",
            "names",
            multiple=True,
            metavar="NAME",
            shell_complete=completion.trackers,
            help="Only this tracker; repeatable (default: all).",
        ),
        click.option(
            "--config",
            type=FILE,
            metavar="FILE",
            help="Path to pinsync.yaml (default: PINSYNC_CONFIG, else the nearest one up to the repository root).",
        ),
    )


def filter_options(function: Command) -> Command:
    """Add the API's filters and flags, and hand the filters to the command as one scope."""

    @wraps(function)
    def filtered(
        *,
        model: str | None,
        tag: str | None,
        target_type: str | None,
        target_identity: str | None,
        **values: Any,  # noqa: ANN401 - the command's
    ) -> int:
        return function(scope=_scope(model, tag, target_type, target_identity), **values)

    return _with(
        filtered,
        _leaving_out,
        click.option(
            "--target-identity",
            cls=Once,
            metavar="ITEM",
            help="Only customizations of this item (default: any).",
        ),
        click.option(
            "--target-type",
            cls=Once,
            metavar="TYPE",
            help="Only this type of target: item, criteria or all (default: any).",
        ),
        click.option(
            "--tag",
            cls=Once,
            metavar="TAG",
            help="Only customizations with this tag (default: any).",
        ),
        click.option(
            "--model",
            cls=Once,
            metavar="MODEL",
            shell_complete=completion.models,
            help="Only this recommender model (default: all).",
        ),
    )


def _leaving_out(function: Command) -> Command:
    """Add the API's flags of the pins that it leaves out."""
    return _with(
        function,
        click.option(
            "--remove-nonexisting-item-pins/--keep-nonexisting-item-pins",
            default=None,
            help="Leave out pins of items that the catalog lacks (default: as configured).",
        ),
        click.option(
            "--remove-expired-pins/--keep-expired-pins",
            default=None,
            help="Leave out pins that have ended (default: as configured).",
        ),
    )


def report_options(formats: Sequence[str]) -> Callable[[Command], Command]:
    """Return what adds the options of a command's reports, the format one of ``formats``."""

    def reports(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, Path]]:
        return [_report(value, formats) for value in values]

    def add(function: Command) -> Command:
        return _with(
            function,
            click.option(
                "--report",
                "reports",
                callback=reports,
                multiple=True,
                metavar="FORMAT=FILE",
                help="Write another report into a file; repeatable (default: none).",
            ),
            format_options(formats),
        )

    return add


def format_options(formats: Sequence[str]) -> Callable[[Command], Command]:
    """Return what adds the two ways to choose a format, and hands the command one of ``formats``."""

    def add(function: Command) -> Command:
        @wraps(function)
        def formatted(*, format: str | None, as_json: bool, **values: Any) -> int:  # noqa: A002, ANN401 - the command's
            if as_json and format not in (None, "json"):
                raise click.UsageError(f"--json means --format json, so it can't go with --format {format}")
            return function(format="json" if as_json else format or "text", **values)

        return _with(
            formatted,
            click.option("--json", "as_json", is_flag=True, help="Same as --format json."),
            click.option("--format", type=Choice(formats), help="Format of the report (default: text)."),
        )

    return add


def _report(value: str, formats: Sequence[str]) -> tuple[str, Path]:
    """Split a ``FORMAT=FILE``."""
    format_, _, file = value.partition("=")
    if not file or format_ not in formats:
        hint = f"expected FORMAT=FILE with a format of {', '.join(formats)}"
        known = format_ in formats  # and the file is missing
        raise click.BadParameter(f"{value!r}: {hint if known else suggestion(format_, formats, otherwise=hint)}")
    if file == "-":
        raise click.BadParameter(f"{value!r}: standard output takes --format {format_}; name a file here")
    from pathlib import Path

    return format_, Path(file)


def _scope(model: str | None, tag: str | None, target_type: str | None, target_identity: str | None) -> Scope:
    """Return the scope of the filters; an identity implies the type of target that it needs."""
    from pinsync.model import Scope

    if target_identity is None:
        return Scope(model, tag, target_type, None)
    if target_type not in (None, "item"):
        raise click.UsageError("--target-identity names an item: leave out --target-type, or make it item.")
    return Scope(model, tag, "item", target_identity)  # the API takes an identity only together with its type


def select_names(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Split lists at their commas; an empty one would stand for all or for nothing, and nobody says which."""
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if values and not names:
        raise click.BadParameter("no name stands in it; leave the option out if none is meant")
    return names


def check_standard_input(function: Command) -> Command:
    """Refuse - beside other paths or a tracker: it is one document, whatever its tracker."""

    @wraps(function)
    def checked(*, paths: tuple[str, ...], names: tuple[str, ...], **values: Any) -> int:  # noqa: ANN401 - the command's
        if STANDARD_INPUT in paths and (len(paths) > 1 or names):
            raise click.UsageError("- stands for standard input, and goes with no other path and no tracker.")
        return function(paths=paths, names=names, **values)

    return checked
