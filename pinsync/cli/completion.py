"""What a shell completes: callbacks as click's ``shell_complete`` wants them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem


def sources(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the sources that a word may become: those of ours, and files."""
    from click.shell_completion import CompletionItem

    words = [word for word in ("@live", "@worktree", "@index") if word.startswith(incomplete)]
    return [*map(CompletionItem, words), CompletionItem(incomplete, type="file")]


def trackers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the configured trackers that a word may become; the configuration may be named before it."""
    from pinsync.commands.completion import trackers

    return [name for name in trackers(ctx.params.get("config"), os.environ) if name.startswith(incomplete)]


def models(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the models that a word may become; the configuration may be named before it."""
    from pinsync.commands.completion import models

    return [name for name in models(ctx.params.get("config"), os.environ) if name.startswith(incomplete)]


def rules(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return what the last of some rules, joined by commas, may become."""
    from pinsync.commands.completion import rules

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in rules() if name.startswith(last)]
