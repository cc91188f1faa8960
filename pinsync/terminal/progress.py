"""Show progress on the last line of a terminal, and clear it before other output."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self

from pinsync.escape import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

_CLEAR: Final = "\r\x1b[K"
_DEFAULT_COLUMNS: Final = 80
"""Columns of a terminal that doesn't tell its width."""
_MIN_BYTES: Final = 100_000
"""The fewest bytes whose number is shown."""
_MIN_SECONDS: Final = 2.0
"""The shortest time that gives an estimate of the time that is left."""


class Progress:
    """One line of a terminal; several threads may update it.

    Args:
        write: writes text to the terminal at once, without a buffer.
        count_columns: returns the width of the terminal.
    """

    def __init__(self, write: Callable[[str], None], count_columns: Callable[[], int]) -> None:
        self._write = write
        self._count_columns = count_columns
        self._lock = threading.Lock()
        self._verb = ""
        # The trackers that are not done yet.
        self._names: list[str] = []
        self._total = 0
        self._notes: dict[str, str] = {}
        self._shown = ""
        # Tracker → the moment of its first count, and that count.
        self._starts: dict[str, tuple[float, int]] = {}

    @classmethod
    def on_terminal(cls, stream: TextIO, environ: Mapping[str, str]) -> Self | None:
        """Return a progress line on a stream; None if no person watches the stream."""
        if not stream.isatty() or environ.get("TERM") == "dumb" or environ.get("CI"):
            return None

        def write(text: str) -> None:
            # A terminal that is gone must not change the exit code.
            with suppress(OSError):
                stream.write(text)
                stream.flush()

        def count_columns() -> int:
            with suppress(OSError):
                # Some terminals tell a width of 0.
                return os.get_terminal_size(stream.fileno()).columns or _DEFAULT_COLUMNS
            return _DEFAULT_COLUMNS

        return cls(write, count_columns)

    @contextmanager
    def show_phase(self, verb: str, names: Sequence[str]) -> Iterator[Callable[[str], None]]:
        """Show a phase and its unfinished trackers until the block ends.

        Args:
            verb: the activity, such as ``fetching``.
            names: the trackers.

        Yields:
            A function to call with the name of each tracker that is done.
        """
        with self._lock:
            self._verb = verb
            self._names = list(names)
            self._total = len(names)
            self._notes = {}
            self._starts = {}
            self._paint()
        try:
            yield self._mark_done
        finally:
            with self._lock:
                self._names = []
                self._clear()

    def clear(self) -> None:
        """Clear the line for other output; the next news shows it again."""
        with self._lock:
            self._clear()

    def show_bytes(self, name: str, count: int) -> None:
        """Show the number of bytes of a tracker's answer received so far."""
        note = f" ({count / 1e6:.1f} MB)" if count >= _MIN_BYTES else ""
        self._note(name, note)

    def show_page(self, name: str, number: int, pages: int) -> None:
        """Show the number of the page of a tracker's catalog that was read, and of all pages."""
        self._note(name, f" (page {number} of {pages})")

    def show_count(self, name: str, done: int, total: int) -> None:
        """Show how many of a tracker's rules are done, and the estimated time for the others."""
        with self._lock:
            if name not in self._starts:
                self._starts[name] = (time.monotonic(), done)
            start, first = self._starts[name]
        seconds = time.monotonic() - start
        estimate = ""
        # An estimate from the first moments would jump about.
        if seconds >= _MIN_SECONDS and first < done < total:
            left = seconds / (done - first) * (total - done)
            estimate = f", about {describe_seconds(left)} left"
        self._note(name, f" ({done:,} of {total:,} rules{estimate})")

    def show_wait(self, name: str, text: str) -> None:
        """Show why and for how long a tracker's call waits, until bytes come."""
        self._note(name, f" ({printable(text)})")

    def _note(self, name: str, note: str) -> None:
        with self._lock:
            self._notes[name] = note
            self._paint()

    def _mark_done(self, name: str) -> None:
        with self._lock:
            # After an interrupt, threads may outlive their phase.
            if name in self._names:
                self._names.remove(name)
                self._paint()

    def _paint(self) -> None:
        if not self._names:
            return
        count = ""
        if self._total > 1:
            count = f" {self._total - len(self._names)} of {self._total} done, left:"
        names = (name + self._notes.get(name, "") for name in self._names)
        line = f"{self._verb}{count} {', '.join(names)}"
        # The last column stays free: some terminals wrap a line that fills it.
        room = max(self._count_columns() - 1, 1)
        if len(line) > room:
            line = f"{line[: room - 1]}…"
        if line != self._shown:
            self._write(_CLEAR + line)
            self._shown = line

    def _clear(self) -> None:
        if self._shown:
            self._write(_CLEAR)
            self._shown = ""


def describe_seconds(seconds: float) -> str:
    """Return a duration in words: ``40 s``, ``5 min``."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"
