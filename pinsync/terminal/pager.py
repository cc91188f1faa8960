"""Show long output on a terminal page by page, as git does."""

from __future__ import annotations

import contextlib
import re
import select
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Final

from pinsync.environment import build_child_environment
from pinsync.errors import RepositoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pinsync.repository import Repository
    from pinsync.terminal.console import Console

_SETTINGS: Final = {"LESS": "FRX", "LV": "-c"}
"""Variables that git sets for less and lv unless the user has (core.pager in git-config(1))."""
_SHELL_CHARACTERS: Final = re.compile(r"""[|&;<>()$`\\"' \t\n*?\[#~=%]""")


class _ClosedError(Exception):
    """The reader closed the pager or the pipe."""


@contextlib.contextmanager
def open_pager(
    console: Console, environ: Mapping[str, str], repository: Repository | None = None
) -> Iterator[Callable[[str], None]]:
    """Yield a function that writes a line to the pager or, without a terminal, to the console.

    A reader who leaves the pager early, or closes the pipe, ends the block at once, without an
    error. While the pager shows the rest, an interrupt is for the pager alone.

    Args:
        console: writes the lines if there is no pager.
        environ: the environment variables. They and git's settings choose the pager; the
            configuration can't.
        repository: the repository whose settings count besides the user's, if any.
    """
    process = None
    if sys.stdout.isatty():
        process = _start(console, environ, _choose_command(environ, repository))
    if process is None or process.stdin is None:
        with contextlib.suppress(_ClosedError):
            yield lambda text: _write_to_console(console, text)
        return
    stream = process.stdin
    try:
        with contextlib.suppress(_ClosedError):
            yield lambda text: _write_to_pager(stream, f"{text}\n")
    finally:
        _wait(process, stream)


def _start(
    console: Console, environ: Mapping[str, str], command: str
) -> subprocess.Popen[str] | None:
    """Start the pager, if a command names one that is installed."""
    # git takes cat for no pager too.
    if command in ("", "cat"):
        return None
    if console.progress:
        console.progress.clear()
    sys.stdout.flush()
    # As git, use a shell only if the command needs one (run-command.c, prepare_shell_cmd).
    needs_shell = bool(_SHELL_CHARACTERS.search(command))
    try:
        return subprocess.Popen(
            command if needs_shell else [command],
            shell=needs_shell,
            stdin=subprocess.PIPE,
            stdout=sys.stdout,
            env={**_SETTINGS, **build_child_environment(environ)},
            encoding=sys.stdout.encoding,
            errors="backslashreplace",
        )
    except OSError:
        return None


def _choose_command(environ: Mapping[str, str], repository: Repository | None) -> str:
    try:
        from pinsync.repository.process import read_pager  # noqa: PLC0415 - for a pager alone

        return repository.read_pager() if repository else read_pager(None)
    except RepositoryError:
        # Without git, its variables count all the same.
        for name in ("GIT_PAGER", "PAGER"):
            if name in environ:
                return environ[name]
        return "less"


def _write_to_console(console: Console, text: str) -> None:
    # A reader such as `head` closes the pipe early: stop there, and make no more lines.
    # Windows has no poll().
    if hasattr(select, "poll"):
        # fileno() fails if stdout is no file of the system.
        with contextlib.suppress(OSError):
            poll = select.poll()
            poll.register(sys.stdout.fileno(), 0)
            if poll.poll(0):
                raise _ClosedError
    console.out(text)


def _write_to_pager(stream: IO[str], text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        raise _ClosedError from error


def _wait(process: subprocess.Popen[str], stream: IO[str]) -> None:
    # Ctrl-C means the pager alone now: less, for example, stops a search by it.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError):
            stream.close()
        process.wait()
    finally:
        signal.signal(signal.SIGINT, handler)
