"""Make commits through GitPython; only this module imports it.

GitPython runs git while it is imported. The import therefore waits for a commit: by then the
configuration is read, and pinsync knows which variables hold private keys. All other commands go
without GitPython, since its import takes as long as a comparison of 1,000 customizations.

pinsync avoids GitPython's objects: they fail on SHA-256 repositories, and ``index.commit`` commits
everything that is staged, skips hooks and signs nothing.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from pinsync.repository.process import CommandResult, build_missing_error

if TYPE_CHECKING:
    from pinsync.repository.process import Git


def attempt_commit(git: Git, *arguments: str, feed: bytes) -> CommandResult:
    """Run a command that makes a commit and return its result, even if the command fails.

    Args:
        git: the repository.
        arguments: the command's name and its arguments.
        feed: the bytes for its standard input.

    Raises:
        RepositoryError: git itself can't be run.
    """
    try:
        import git as gitpython  # noqa: PLC0415 - see the top of this module
    except ImportError as error:
        raise build_missing_error() from error
    # A pipe, since a temporary file needs a disk that can be written. A thread fills the pipe: git
    # may fill its standard output before it has read all input, which would deadlock.
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream:
        threading.Thread(target=_fill_pipe, args=(writer, feed), daemon=True).start()
        try:
            status, output, errors = gitpython.Git().execute(
                git.build_command(arguments),
                stream,
                env=dict(git.environment),
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
        except gitpython.GitCommandNotFound as error:
            raise build_missing_error() from error
    return CommandResult(status, output, errors)


def _fill_pipe(writer: int, feed: bytes) -> None:
    # A command may end without reading all input.
    with suppress(BrokenPipeError), os.fdopen(writer, "wb") as stream:
        stream.write(feed)
