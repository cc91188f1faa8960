"""Write data to stdout and everything else to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.escape import defuse, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TextIO

    from pinsync.errors import PinsyncError
    from pinsync.terminal.progress import Progress

FOR_PEOPLE: Final = frozenset({"text"})
"""The formats for people. Programs read all other formats, as bytes in UTF-8."""

# SGR codes of colours (ECMA-48, 8.3.117).
_RED: Final = 31
_YELLOW: Final = 33


class Console(Struct, frozen=True):
    """The output of a command.

    Args:
        out: writes data to stdout, escaped already. Text is a line for people, in the encoding of
            the console; bytes are for a program and written as they are.
        err: writes any other line to stderr.
        verbosity: -1 for errors and warnings, 0 for results too, 1 for steps too.
        color: whether errors and warnings are coloured.
        color_out: whether data may be coloured.
        progress: the progress line; None if stderr is no terminal.
        is_one_terminal: whether stdout and stderr are the same terminal.
    """

    out: Callable[[str | bytes], None]
    err: Callable[[str], None]
    verbosity: int = 0
    color: bool = False
    color_out: bool = False
    progress: Progress | None = None
    is_one_terminal: bool = False

    def show_phase(
        self, verb: str, names: Sequence[str]
    ) -> AbstractContextManager[Callable[[str], None]]:
        """Show a phase and its unfinished trackers until the block ends.

        Args:
            verb: the activity, such as ``fetching``.
            names: the trackers.

        Returns:
            A context manager. It yields a function to call with the name of each tracker that is
            done.
        """
        if self.progress:
            return self.progress.show_phase(verb, names)
        return nullcontext(_ignore)

    def show_bytes(self, name: str, count: int) -> None:
        """Show the number of bytes of a tracker's answer received so far."""
        if self.progress:
            self.progress.show_bytes(name, count)

    def show_page(self, name: str, number: int, pages: int) -> None:
        """Show the number of the page of a tracker's catalog that was read, and of all pages."""
        if self.progress:
            self.progress.show_page(name, number, pages)

    def show_count(self, name: str, done: int, total: int) -> None:
        """Show how many of a tracker's rules are done."""
        if self.progress:
            self.progress.show_count(name, done, total)

    def report(self, text: str, format_: str) -> None:
        """Write a report to stdout.

        Args:
            text: the report, with its final newline.
            format_: the name of its format.
        """
        if format_ in FOR_PEOPLE:
            self.out(text.removesuffix("\n"))
        else:
            self.out(text.encode())

    def show_wait(self, name: str, text: str) -> None:
        """Show why and for how long a tracker's call waits, as a step and as progress."""
        self.step(f"{name}: {text}")
        if self.progress:
            self.progress.show_wait(name, text)

    def print_name(self, text: str) -> None:
        """Write the name of a file to stdout, as a line of data."""
        self.out(defuse(one_line(text)))

    def say(self, text: str) -> None:
        """Write a result to stderr, unless ``-q`` is given."""
        if self.verbosity >= 0:
            self._tell(text)

    def step(self, text: str) -> None:
        """Write a step to stderr if ``-v`` is given."""
        if self.verbosity > 0:
            self._tell(text)

    def warn(self, text: str) -> None:
        """Write a warning to stderr."""
        self._tell(text, f"{self._paint('warning:', _YELLOW)} ")

    def fail(self, error: PinsyncError) -> int:
        """Write an error with its hint to stderr; return its exit code."""
        self._tell(error.message, f"{self._paint('error:', _RED)} ")
        if error.hint:
            self._tell(f"  {error.hint}")
        return error.exit_code

    def fail_beside_report(self, errors: Iterable[PinsyncError], format_: str) -> None:
        """Write the errors of a report to stderr, unless the same terminal shows the report.

        Args:
            errors: the errors.
            format_: the name of the report's format.
        """
        if self.is_one_terminal and format_ in FOR_PEOPLE:
            return
        for error in errors:
            self.fail(error)

    def _tell(self, text: str, mark: str = "") -> None:
        # Further lines are indented, so that foreign text can't pass for a message of pinsync.
        shown = printable(text).replace("\n", "\n  ")
        self.err(defuse(f"{mark}{shown}"))

    def _paint(self, text: str, color: int) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self.color else text


def _ignore(_name: str) -> None:
    """Do nothing with the name of a tracker that is done."""


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a standard stream is a terminal; None is a stream that the parent closed."""
    return stream is not None and stream.isatty()


def read_standard_input() -> bytes:
    """Return all of standard input; nothing if the parent closed it."""
    return sys.stdin.buffer.read() if sys.stdin else b""


def are_one_terminal(out: TextIO, err: TextIO) -> bool:
    """Return whether two streams are the same terminal."""
    return out.isatty() and err.isatty() and os.path.sameopenfile(out.fileno(), err.fileno())


def wants_color(stream: TextIO, wanted: bool | None, environ: Mapping[str, str]) -> bool:
    """Return whether to colour a stream: as the option, the environment or isatty() says."""
    if wanted is not None:
        return wanted
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (stream.isatty() and environ.get("TERM") != "dumb")
