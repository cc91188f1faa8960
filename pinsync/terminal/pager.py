"""Long output on a terminal, shown page by page as git does it."""

from __future__ import annotations

import contextlib
import re
import select
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Final

from pinsync.environment import child_environment
from pinsync.errors import RepositoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pinsync.repository import Repository
    from pinsync.terminal.console import Console

_SETTINGS: Final = {"LESS": "FRX", "LV": "-c"}
"""What git sets for two pagers unless the user has: quit if one page is enough, let colours through, don't clear."""
_FOR_A_SHELL: Final = re.compile(r"""[|&;<>()$`\\"' \t\n*?\[#~=%]""")


class _ClosedError(Exception):
    """The reader has seen enough."""


@contextlib.contextmanager
def open_pager(
    console: Console, environ: Mapping[str, str], repository: Repository | None = None
) -> Iterator[Callable[[str], None]]:
    """Yield what takes lines for standard output: a pager's input on a terminal, else the console as it is.

    A pager that is left early, or a pipe whose reader has gone, ends the block there and then, which is no failure.
    Once all is written, an interrupt is the pager's business alone.

    Args:
        console: where the lines go without a pager.
        environ: the environment variables. They and git's settings choose the pager, and no file of pinsync's does.
        repository: the repository whose settings count besides the user's, if any.
    """
    process = _start(console, environ, _command(environ, repository)) if sys.stdout.isatty() else None
    if process is None or process.stdin is None:
        with contextlib.suppress(_ClosedError):
            yield lambda text: _say(console, text)
        return
    stream = process.stdin
    try:
        with contextlib.suppress(_ClosedError):
            yield lambda text: _write(stream, f"{text}\n")
    finally:
        _wait(process, stream)


def _start(console: Console, environ: Mapping[str, str], command: str) -> subprocess.Popen[str] | None:
    """Start the pager, if there is one; as git, do without one that isn't installed."""
    if command in ("", "cat"):
        return None
    if console.progress:
        console.progress.clear()
    sys.stdout.flush()
    shell = bool(_FOR_A_SHELL.search(command))
    try:
        return subprocess.Popen(
            command if shell else [command],
            shell=shell,
            stdin=subprocess.PIPE,
            stdout=sys.stdout,
            env={**_SETTINGS, **child_environment(environ)},
            encoding=sys.stdout.encoding,
            errors="backslashreplace",
        )
    except OSError:
        return None


def _command(environ: Mapping[str, str], repository: Repository | None) -> str:
    try:
        from pinsync.repository.process import read_pager  # noqa: PLC0415 - raises without git

        return repository.pager() if repository else read_pager(None)
    except RepositoryError:  # without git its variables count all the same
        return next((environ[name] for name in ("GIT_PAGER", "PAGER") if name in environ), "less")


def _say(console: Console, text: str) -> None:
    """Write a line, unless the reader of a pipe has gone, as `head` does: nothing more is made for nobody."""
    if hasattr(select, "poll"):  # which Windows hasn't got
        with contextlib.suppress(OSError):  # of a standard output that is none of the system's files
            poll = select.poll()
            poll.register(sys.stdout.fileno(), 0)
            if poll.poll(0):
                raise _ClosedError
    console.out(text)


def _write(stream: IO[str], text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        raise _ClosedError from error


def _wait(process: subprocess.Popen[str], stream: IO[str]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError):
            stream.close()
        process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
