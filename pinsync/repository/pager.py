"""Which pager git uses."""

from __future__ import annotations

import os
from pathlib import Path

from pinsync.repository.process import Git, checked, line


def command(git: Git | None) -> str:
    """Return the command that git shows long output with, for a shell; ``cat`` for no pager.

    Git looks at GIT_PAGER, the setting core.pager, PAGER, and then knows its own default
    (gitvariables of git-var(1)).

    Args:
        git: the repository; None for the user's settings alone.

    Raises:
        RepositoryError: git can't be run, or can't read its settings.
    """
    # A GIT_DIR that is no repository keeps git from looking for one around the current folder,
    # where a bare repository that somebody committed would choose the pager.
    outside = Git(Path.cwd(), {"GIT_DIR": os.devnull})
    return line(checked((git or outside).attempt("var", "GIT_PAGER"), "var"))
