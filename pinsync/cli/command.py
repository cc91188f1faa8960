"""The kinds of commands: their help, and the errors of a wrong command line."""

from __future__ import annotations

from typing import Final

import click

from pinsync.errors import suggestion

_WRITING: Final = frozenset({"plan", "apply", "restore"})


class _Base(click.Command):
    """What commands and groups share."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; each usage error knows its command, whose usage line is shown."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # the parser itself sets none where an option lacks its value
            raise


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
