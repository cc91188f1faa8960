"""Options that several commands share, and the values that they become."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from pinsync.cli import completion
from pinsync.environment import read_variables
from pinsync.errors import FileError, suggest
from pinsync.model import STANDARD_INPUT
from pinsync.terminal.console import Console, are_one_terminal, wants_color

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.model import Scope

Command = Callable[..., int]
PATH = click.Path(readable=False)
"""A path that a shell completes; the command itself checks the file."""


class File(click.Path):
    """The name of a file or a folder; its import of ``pathlib`` waits, so that help stays quick."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the path."""
        from pathlib import Path

        return Path(str(super().convert(value, param, ctx)))


FILE = File(dir_okay=False)
FOLDER = File(file_okay=False)


class Choice(click.Choice):  # type: ignore[type-arg]  # generic since click 8.2, and only there
    """A choice that suggests the nearest value to a misspelled one."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value, or fail with a suggestion."""
        if value not in self.choices:
            self.fail(
                f"{value!r} is not one of the choices; {suggest(value, self.choices)}", param, ctx
            )
        return value


at_option = click.option(
    "--at",
    metavar="TIME",
    help="Time to look at, such as 2026-12-24 or 2026-12-24T10:00. It decides what shoppers notice "
    "now or later (default: when the API answered, else now).",
)
max_chars_option = click.option(
    "--max-chars",
    type=click.IntRange(min=500),
    metavar="N",
    help="Maximum length of a markdown report (default: 65536).",
)


def echo(text: str | bytes, *, err: bool) -> None:
    """Write a line, or bytes as they are, even if the reader is gone."""
    try:
        # color=True keeps click from removing colours: the console decides about them.
        click.echo(text, nl=isinstance(text, str), err=err, color=True)
    except BrokenPipeError:
        # The reader is gone. Discard further output, so that the exit code stays.
        stream = sys.stderr if err else sys.stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError as error:
        name = "standard error" if err else "standard output"
        raise FileError(f"can't be written: {error.strerror}", source=name) from error


def _build_console(verbose: bool, quiet: bool, color: bool | None) -> Console:
    from pinsync.terminal.progress import Progress

    # -q asks for errors and warnings alone, and progress is neither.
    progress = None if quiet else Progress.on_terminal(sys.stderr, os.environ)

    def write(text: str | bytes, *, err: bool) -> None:
        if progress:
            progress.clear()
        echo(text, err=err)

    return Console(
        out=lambda text: write(text, err=False),
        err=lambda text: write(text, err=True),
        verbosity=-1 if quiet else int(verbose),
        color=wants_color(sys.stderr, color, os.environ),
        color_out=wants_color(sys.stdout, color, os.environ),
        progress=progress,
        is_one_terminal=are_one_terminal(sys.stdout, sys.stderr),
    )


class Once(click.Option):
    """An option that may be given only once, where click would use its last value."""

    def __init__(self, declarations: Sequence[str], **settings: Any) -> None:  # noqa: ANN401 - click's own
        # multiple, so that the callback sees all values.
        super().__init__(declarations, multiple=True, callback=_take_single_value, **settings)


def _take_single_value(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> str | None:
    if len(values) > 1:
        listing = ", ".join(map(repr, values))
        raise click.BadParameter(f"{listing}: expected one value; run the command for each.")
    return next(iter(values), None)


def run_command(function: Callable[[], None]) -> Command:
    """Return a function that runs ``NAME(workspace, options, console)`` of `pinsync.commands.NAME`.

    Each option fills the field of the command's ``Options`` that has its name. The import waits
    until the command runs, so that help stays quick.
    """
    name = function.__name__

    @wraps(function)
    def run(*, config: Path | None, console: Console, **values: Any) -> int:  # noqa: ANN401 - the command's
        from pinsync.workspace.workspace import Workspace

        module = import_module(f"pinsync.commands.{name}")
        workspace = Workspace(config, read_variables())
        code: int = getattr(module, name)(workspace, module.Options(**values), console)
        return code

    return run


def output_options(function: Command) -> Command:
    """Add ``-v``, ``-q`` and ``--color``, and pass their console to the command."""

    @wraps(function)
    def build_console(
        *,
        verbose: bool,
        quiet: bool,
        color: bool | None,
        **values: Any,  # noqa: ANN401 - the command's
    ) -> int:
        return function(console=_build_console(verbose, quiet, color), **values)

    return add_options(
        build_console,
        click.option(
            "--color/--no-color", default=None, help="Colour the output (default: on a terminal)."
        ),
        click.option("-q", "--quiet", is_flag=True, help="Print only errors and warnings."),
        click.option("-v", "--verbose", is_flag=True, help="Print each step."),
    )


def add_options(function: Command, *options: Callable[[Command], Command]) -> Command:
    """Add options, the last one first."""
    # click lists the option that is added last as the first one.
    for option in options:
        function = option(function)
    return function


def tracker_options(function: Command) -> Command:
    """Add ``--config`` and ``--tracker``."""
    return add_options(
        function,
        click.option(
            "--tracker",
            "names",
            multiple=True,
            metavar="NAME",
            shell_complete=completion.complete_trackers,
            help="Only this tracker; repeatable (default: all).",
        ),
        click.option(
            "--config",
            type=FILE,
            metavar="FILE",
            help="Path to pinsync.yaml (default: PINSYNC_CONFIG, else nearest up to git's root).",
        ),
    )


def filter_options(function: Command) -> Command:
    """Add the filters and the API's flags, and pass the filters to the command as one scope."""
    return scope_options(_removal_options(function))


def scope_options(function: Command) -> Command:
    """Add the filters, and pass them to the command as one scope."""

    @wraps(function)
    def build_scope(
        *,
        model: str | None,
        tag: str | None,
        target_type: str | None,
        target_identity: str | None,
        ids: tuple[str, ...],
        **values: Any,  # noqa: ANN401 - the command's
    ) -> int:
        scope = _build_scope(model, tag, target_type, target_identity, ids)
        return function(scope=scope, **values)

    return add_options(
        build_scope,
        click.option(
            "--id",
            "ids",
            multiple=True,
            metavar="ID",
            help="Only the customization whose id begins like this; repeatable (default: all).",
        ),
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
            shell_complete=completion.complete_models,
            help="Only this recommender model (default: all).",
        ),
    )


def _removal_options(function: Command) -> Command:
    """Add the flags of pins that the API leaves out."""
    return add_options(
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
    """Return a decorator that adds ``--report``, and ``--format`` with these formats."""

    def parse(
        _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
    ) -> list[tuple[str, Path]]:
        return [_parse_report(value, formats) for value in values]

    def add(function: Command) -> Command:
        return add_options(
            function,
            click.option(
                "--report",
                "reports",
                callback=parse,
                multiple=True,
                metavar="FORMAT=FILE",
                help="Write another report into a file; repeatable (default: none).",
            ),
            format_options(formats),
        )

    return add


def page_options(function: Command) -> Command:
    """Add the options of HTML pages."""
    return add_options(
        function,
        click.option(
            "--link-base",
            cls=Once,
            metavar="URL",
            help="Address of the files for the links of an HTML page, such as "
            "https://git.example/shop/blob/main (default: no links).",
        ),
        click.option(
            "--no-pictures",
            is_flag=True,
            help="Load no pictures in an HTML page (default: from the hosts in `pictures`).",
        ),
    )


def format_options(formats: Sequence[str]) -> Callable[[Command], Command]:
    """Return a decorator that adds ``--format`` and ``--json``, and passes one format."""

    def add(function: Command) -> Command:
        @wraps(function)
        def choose_format(
            *,
            format: str | None,  # noqa: A002 - the name of the option
            as_json: bool,
            **values: Any,  # noqa: ANN401 - the command's
        ) -> int:
            if as_json and format not in (None, "json"):
                message = f"--json means --format json, so it can't go with --format {format}"
                raise click.UsageError(message)
            if as_json:
                format = "json"  # noqa: A001 - as above
            return function(format=format or "text", **values)

        return add_options(
            choose_format,
            click.option("--json", "as_json", is_flag=True, help="Same as --format json."),
            click.option(
                "--format", type=Choice(formats), help="Format of the report (default: text)."
            ),
        )

    return add


def _parse_report(value: str, formats: Sequence[str]) -> tuple[str, Path]:
    """Parse ``FORMAT=FILE``."""
    format_, _, file = value.partition("=")
    if not file or format_ not in formats:
        hint = f"expected FORMAT=FILE with a format of {', '.join(formats)}"
        if format_ not in formats:
            hint = suggest(format_, formats, otherwise=hint)
        raise click.BadParameter(f"{value!r}: {hint}")
    # One report goes to standard output already.
    if file == "-":
        message = f"{value!r}: standard output takes --format {format_}; name a file here"
        raise click.BadParameter(message)
    from pathlib import Path

    return format_, Path(file)


def _build_scope(
    model: str | None,
    tag: str | None,
    target_type: str | None,
    target_identity: str | None,
    ids: tuple[str, ...],
) -> Scope:
    """Return the scope of the filters; an identity implies its type of target."""
    from pinsync.model import Scope

    if target_identity is None:
        return Scope(model, tag, target_type, None, ids)
    if target_type not in (None, "item"):
        message = "--target-identity names an item: leave out --target-type, or make it item."
        raise click.UsageError(message)
    # The API refuses an identity without its type (422).
    return Scope(model, tag, "item", target_identity, ids)


def split_names(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Split lists of names at their commas."""
    names = [name.strip() for name in ",".join(values).split(",") if name.strip()]
    # An empty list could mean all names or none.
    if values and not names:
        raise click.BadParameter("no name stands in it; leave the option out if no name is meant")
    return names


def check_standard_input(function: Command) -> Command:
    """Refuse - together with other paths or with a tracker."""

    @wraps(function)
    def check(
        *,
        paths: tuple[str, ...],
        names: tuple[str, ...],
        **values: Any,  # noqa: ANN401 - the command's
    ) -> int:
        # Standard input is one document, which belongs to no tracker.
        if STANDARD_INPUT in paths and (len(paths) > 1 or names):
            message = "- is standard input, and excludes other paths and trackers."
            raise click.UsageError(message)
        return function(paths=paths, names=names, **values)

    return check
