"""The commands: plain functions of typed arguments that return an exit code; none knows the option parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinsync.errors import PinsyncError, printable

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command speaks.

    Args:
        out: takes a line of data, for stdout.
        err: takes a line of anything else, for stderr.
        verbosity: -1 says only what is wrong, 0 the result as well, 1 the steps too.
        color: whether errors and warnings stand out.
    """

    out: Callable[[str], None]
    err: Callable[[str], None]
    verbosity: int = 0
    color: bool = False

    def say(self, text: str) -> None:
        """Show a result."""
        if self.verbosity >= 0:
            self.err(printable(text))

    def step(self, text: str) -> None:
        """Show what is being done, to whoever asked for it."""
        if self.verbosity > 0:
            self.err(printable(text))

    def warn(self, text: str) -> None:
        """Show what is odd but no failure."""
        self.err(f"{self._painted('warning:', 33)} {printable(text)}")

    def fail(self, error: PinsyncError) -> int:
        """Show an error with its hint; return its exit code."""
        self.err(f"{self._painted('error:', 31)} {printable(error.message)}")
        if error.hint:
            self.err(printable(f"  {error.hint}"))
        return error.exit_code

    def _painted(self, text: str, color: int) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self.color else text


_GRAVEST_FIRST = (70, 130, 2, 3, 4, 1, 0)


def gravest(codes: list[int]) -> int:
    """Return the exit code of several parts: the gravest of theirs, 0 if there are none."""
    return min(codes, key=_GRAVEST_FIRST.index, default=0)
