"""Click commands with examples and environment variables in their help."""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pinsync.cli.variables import MEANINGS
from pinsync.errors import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


def _map_options(ctx: click.Context) -> dict[str, click.Option]:
    """Return the options of a command, by each of their spellings."""
    options: dict[str, click.Option] = {}
    # "--no-color" is a secondary option of "--color".
    for param in ctx.command.get_params(ctx):
        if isinstance(param, click.Option):
            options |= dict.fromkeys((*param.opts, *param.secondary_opts), param)
    return options


class _Base(click.Command):
    """The common part of commands and groups.

    Args:
        examples: command line → purpose.
        environment: the environment variables that the command reads.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - click's
        examples: Mapping[str, str] | None = None,
        environment: Sequence[str] = (),
        **settings: Any,  # noqa: ANN401 - click's
    ) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples or {}
        self.environment = environment

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; let each usage error know its command."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(
                f"No such option {error.option_name!r}{self._write_advice(ctx, error)}", ctx
            ) from error
        except click.UsageError as error:
            # click's parser sets no context if an option lacks its value.
            error.ctx = error.ctx or ctx
            raise

    def _write_advice(self, ctx: click.Context, error: click.NoSuchOption) -> str:
        """Return the advice on an option that a command lacks; empty if no option is near."""
        name = error.option_name
        if ctx.parent and (option := _map_options(ctx.parent).get(name)):
            words = [ctx.parent.command_path, name, option.metavar or "", self.name or ""]
            return f"; it stands before the command: {' '.join(filter(None, words))}"
        known = [
            name
            for name, option in _map_options(ctx).items()
            if name.startswith("--") and not option.hidden
        ]
        hint = suggest(name, known, otherwise="")
        return f"; {hint}" if hint else ""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, the environment variables and the epilog."""
        if self.examples:
            with formatter.section("Examples"):
                blocks = [f"  # {purpose}\n  $ {line}\n" for line, purpose in self.examples.items()]
                # Not write_text(), which would wrap a line that people copy.
                formatter.write("\n".join(blocks))
        if self.environment:
            with formatter.section("Environment"):
                formatter.write_dl([(name, MEANINGS[name]) for name in self.environment])
        super().format_epilog(ctx, formatter)


class Command(_Base):
    """A command."""


class Listing(NamedTuple):
    """A command in the help of its group.

    Attributes:
        chapter: the module of `pinsync.cli` with the command.
        summary: the first paragraph of the command's help.
    """

    chapter: str
    summary: str


class _Commands(MutableMapping[str, click.Command]):
    """Name → command. A chapter is imported for its first command."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self._listings = listings

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"pinsync.cli.{self._listings[name].chapter}")
        command: click.Command = getattr(module, name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._listings)

    def __len__(self) -> int:
        return len(self._listings)

    def __contains__(self, name: object) -> bool:
        return name in self._listings

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError("the commands are fixed")

    def __delitem__(self, name: str) -> None:
        raise TypeError("the commands are fixed")


class Group(_Base, click.Group):
    """A group that suggests the nearest command to a misspelled one.

    Its commands are imported when they are needed: the options of all of them take a third of the
    time of ``pinsync --help``.

    Args:
        listings: name → chapter and summary of each command.
    """

    command_class = Command

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - click's
        listings: Mapping[str, Listing],
        **settings: Any,  # noqa: ANN401 - click's
    ) -> None:
        super().__init__(*arguments, **settings)
        self.listings = listings
        self.commands = _Commands(listings)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, as click does for commands in memory."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        rows = []
        for name in names:
            command = click.Command(name, help=self.listings[name].summary)
            rows.append((name, command.get_short_help_str(limit)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with a suggestion."""
        name = args[0]
        is_unknown = self.get_command(ctx, name) is None
        # While a shell completes a word (resilient_parsing), the command line may be unfinished.
        if is_unknown and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"No such command {name!r}; {suggest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def command(**settings: Any) -> Callable[[Callable[..., int]], Command]:  # noqa: ANN401 - click's
    """Return a decorator that makes a command of a function; its docstring is the help."""
    return click.command(cls=Command, **settings)
