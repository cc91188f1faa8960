"""Which pager git uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.repository.process import Git, checked, line

if TYPE_CHECKING:
    from pathlib import Path


def command(folder: Path) -> str:
    """Return the command that git shows long output with, as a shell takes it; ``cat`` where none is wanted.

    Git looks at GIT_PAGER, the setting core.pager, PAGER, and then knows its own default (gitvariables of git-var(1)).

    Args:
        folder: whose settings count; it needn't lie in a repository.

    Raises:
        RepositoryError: git can't be run, or can't read its settings.
    """
    return line(checked(Git(folder).attempt("var", "GIT_PAGER"), "var"))
