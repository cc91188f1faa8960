"""What a shell completes: callbacks as click's ``shell_complete`` wants them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinsync.environment import variables

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click
    from click.shell_completion import CompletionItem


def sources(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the sources that a word may become: those of ours or, if none fits, files."""
    from click.shell_completion import CompletionItem

    words = _fitting(("@live", "@worktree", "@index"), incomplete)
    return list(map(CompletionItem, words)) or [CompletionItem(incomplete, type="file")]


def trackers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the configured trackers that a word may become; the configuration may be named before it."""
    from pinsync.commands.completion import trackers

    return _fitting(trackers(ctx.params.get("config"), variables()), incomplete)


def models(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the models that a word may become; the configuration may be named before it."""
    from pinsync.commands.completion import models

    return _fitting(models(ctx.params.get("config"), variables()), incomplete)


def rules(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return what the last of some rules, joined by commas, may become."""
    from pinsync.commands.completion import rules

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _fitting(rules(), last)]


_PLAIN: Final = r"[\w./@%+][\w./@%+-]*"
"""What means itself to every shell: a word goes to the command line as it is, and the names of files are anybody's."""


def _fitting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete) and re.fullmatch(_PLAIN, word, re.ASCII)]
