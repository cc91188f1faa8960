"""Complete words of the command line: callbacks for click's ``shell_complete``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinsync.environment import read_variables

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click
    from click.shell_completion import CompletionItem

# A shell puts the word on the command line as it is, and anybody may name a file: so only words
# without a character that is special to some shell.
_PLAIN_WORD: Final = r"[\w./@%+][\w./@%+-]*"


def complete_sources(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a source: a word that begins with @, else the name of a file."""
    return _complete_source(("@live", "@worktree", "@index"), incomplete)


def complete_planned_sources(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a source of a plan: as `complete_sources`, without the shop itself."""
    return _complete_source(("@worktree", "@index"), incomplete)


def _complete_source(known: tuple[str, ...], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    words = _filter_words(known, incomplete)
    if not words:
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(word) for word in words]


def complete_trackers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a tracker of the configuration."""
    from pinsync.commands.completion import list_trackers

    return _filter_words(list_trackers(ctx.params.get("config"), read_variables()), incomplete)


def complete_models(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Complete a model that has a document."""
    from pinsync.commands.completion import list_models

    return _filter_words(list_models(ctx.params.get("config"), read_variables()), incomplete)


def complete_rules(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the last lint rule of a list joined by commas."""
    from pinsync.commands.completion import list_rules

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _filter_words(list_rules(), last)]


def _filter_words(words: Iterable[str], incomplete: str) -> list[str]:
    return [
        word
        for word in words
        if word.startswith(incomplete) and re.fullmatch(_PLAIN_WORD, word, re.ASCII)
    ]
