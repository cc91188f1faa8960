"""The kinds of commands: the sections of their help, and the errors of a wrong command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from pinsync.cli.variables import MEANINGS
from pinsync.errors import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_WRITING: Final = frozenset({"plan", "apply", "restore"})


def _options(ctx: click.Context) -> dict[str, click.Option]:
    """Return the options of a command, by each of their spellings."""
    options: dict[str, click.Option] = {}
    for param in ctx.command.get_params(ctx):
        if isinstance(param, click.Option):
            options |= dict.fromkeys((*param.opts, *param.secondary_opts), param)
    return options


class _Base(click.Command):
    """What commands and groups share.

    Args:
        examples: command line → what it does.
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
        """Parse the arguments; each usage error knows its command, whose usage line is shown."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(f"No such option {error.option_name!r}{self._advice(ctx, error)}", ctx) from error
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # the parser itself sets none where an option lacks its value
            raise

    def _advice(self, ctx: click.Context, error: click.NoSuchOption) -> str:
        """Return what to write instead of an option that a command doesn't have."""
        name = error.option_name
        if ctx.parent and (option := _options(ctx.parent).get(name)):
            words = [ctx.parent.command_path, name, option.metavar or "", self.name or ""]
            return f"; it stands before the command: {' '.join(filter(None, words))}"
        known = [name for name, option in _options(ctx).items() if name.startswith("--") and not option.hidden]
        hint = suggestion(name, known, otherwise="")
        return f"; {hint}" if hint else ""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, the environment variables, and what else stands at the end."""
        if self.examples:
            with formatter.section("Examples"):
                blocks = [f"  # {purpose}\n  $ {line}\n" for line, purpose in self.examples.items()]
                formatter.write("\n".join(blocks))  # as it is: click would wrap the lines
        if self.environment:
            with formatter.section("Environment"):
                formatter.write_dl([(name, MEANINGS[name]) for name in self.environment])
        super().format_epilog(ctx, formatter)


class Command(_Base):
    """A command."""


class Group(_Base, click.Group):
    """A group that suggests the nearest command."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with a suggestion."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            if name in _WRITING:
                ctx.fail(f"No such command {name!r}; pinsync doesn't write to the API yet")
            ctx.fail(f"No such command {name!r}; {suggestion(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def command(**settings: Any) -> Callable[[Callable[..., int]], Command]:  # noqa: ANN401 - click's
    """Return what makes a command of a function, whose docstring is the help; takes what `Command` does."""
    return click.command(cls=Command, **settings)
