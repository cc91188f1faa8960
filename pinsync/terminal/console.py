"""Where a command speaks: data on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinsync.escape import defused, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TextIO

    from pinsync.errors import PinsyncError
    from pinsync.terminal.progress import Progress

FOR_PEOPLE: Final = frozenset({"text"})
"""The formats for people. A program reads every other format, as bytes in UTF-8."""


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command speaks.

    Args:
        out: takes data for stdout, escaped already. Text is a line for people, in the encoding of
            the console; bytes are for a program, and written as they are.
        err: takes a line of anything else, for stderr.
        verbosity: -1 says only what is wrong, 0 the result as well, 1 the steps too.
        color: whether errors and warnings stand out.
        color_out: whether data may be coloured.
        progress: shows what is being waited for; None where nobody watches.
        is_one_terminal: whether stdout and stderr are one terminal.
    """

    out: Callable[[str | bytes], None]
    err: Callable[[str], None]
    verbosity: int = 0
    color: bool = False
    color_out: bool = False
    progress: Progress | None = None
    is_one_terminal: bool = False

    def phase(self, verb: str, names: Sequence[str]) -> AbstractContextManager[Callable[[str], None]]:
        """Show for as long as it lasts what is done and of which trackers it isn't yet; yields what takes the done."""
        return self.progress.phase(verb, names) if self.progress else nullcontext(_nobody_watches)

    def show_bytes(self, name: str, count: int) -> None:
        """Show how many bytes of a tracker's answer have come."""
        if self.progress:
            self.progress.show_bytes(name, count)

    def report(self, text: str, format_: str) -> None:
        """Write a report with its final newline to stdout, in UTF-8 unless the format is for people.

        Args:
            text: the report.
            format_: the name of its format.
        """
        self.out(text.removesuffix("\n") if format_ in FOR_PEOPLE else text.encode())

    def show_wait(self, name: str, text: str) -> None:
        """Show why and for how long a tracker's call waits, to whoever asked for steps or watches the progress."""
        self.step(f"{name}: {text}")
        if self.progress:
            self.progress.show_wait(name, text)

    def name(self, text: str) -> None:
        """Show the name of a file as a line of data."""
        self.out(defused(one_line(text)))

    def say(self, text: str) -> None:
        """Show a result."""
        if self.verbosity >= 0:
            self._tell(text)

    def step(self, text: str) -> None:
        """Show what is being done, to whoever asked for it."""
        if self.verbosity > 0:
            self._tell(text)

    def warn(self, text: str) -> None:
        """Show what is odd but no failure."""
        self._tell(text, f"{self._painted('warning:', 33)} ")

    def fail(self, error: PinsyncError) -> int:
        """Show an error with its hint; return its exit code."""
        self._tell(error.message, f"{self._painted('error:', 31)} ")
        if error.hint:
            self._tell(f"  {error.hint}")
        return error.exit_code

    def fail_beside_report(self, errors: Iterable[PinsyncError], format_: str) -> None:
        """Show the errors that a report on stdout holds, unless the same terminal shows that report.

        Args:
            errors: the errors.
            format_: the name of the report's format.
        """
        if self.is_one_terminal and format_ in FOR_PEOPLE:
            return
        for error in errors:
            self.fail(error)

    def _tell(self, text: str, mark: str = "") -> None:
        """Write text behind a mark, its further lines indented: none can pass for pinsync's own."""
        shown = printable(text).replace("\n", "\n  ")
        self.err(defused(f"{mark}{shown}"))

    def _painted(self, text: str, color: int) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self.color else text


def _nobody_watches(_name: str) -> None:
    """Take note of nothing."""


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person reads a standard stream; None stands for one that the parent closed."""
    return stream is not None and stream.isatty()


def read_standard_input() -> bytes:
    """Return all that standard input holds; nothing if the parent closed it."""
    return sys.stdin.buffer.read() if sys.stdin else b""


def are_one_terminal(out: TextIO, err: TextIO) -> bool:
    """Whether two streams are the same terminal."""
    return out.isatty() and err.isatty() and os.path.sameopenfile(out.fileno(), err.fileno())


def wants_color(stream: TextIO, wanted: bool | None, environ: Mapping[str, str]) -> bool:
    """Whether a stream takes colour: as an option says, else as the environment says, else if it is a terminal."""
    if wanted is not None:
        return wanted
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (stream.isatty() and environ.get("TERM") != "dumb")
