"""What is being waited for, on the last line of a terminal, and gone once there is something to say."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self

from pinsync.escape import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

_CLEAR: Final = "\r\x1b[K"
_COLUMNS: Final = 80
"""Of a terminal that doesn't say how many it has."""
_WORTH_A_WORD: Final = 100_000
"""The bytes from which on it is said how many have come."""


class Progress:
    """One line of a terminal, which several threads may bring up to date.

    Args:
        write: takes text for the terminal, which must appear at once.
        columns: returns how many columns there are.
    """

    def __init__(self, write: Callable[[str], None], columns: Callable[[], int]) -> None:
        self._write = write
        self._columns = columns
        self._lock = threading.Lock()
        self._verb = ""
        self._left: list[str] = []
        self._total = 0
        self._notes: dict[str, str] = {}
        self._shown = ""

    @classmethod
    def on_terminal(cls, stream: TextIO, environ: Mapping[str, str]) -> Self | None:
        """Return what shows progress on a stream; None if that is no terminal, a dumb one, or one that CI pretends."""
        if not stream.isatty() or environ.get("TERM") == "dumb" or environ.get("CI"):
            return None

        def write(text: str) -> None:
            with suppress(OSError):  # a terminal that is gone must not change the exit code
                stream.write(text)
                stream.flush()

        def columns() -> int:
            with suppress(OSError):  # likewise
                return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
            return _COLUMNS

        return cls(write, columns)

    @contextmanager
    def phase(self, verb: str, names: Sequence[str]) -> Iterator[Callable[[str], None]]:
        """Say for as long as it lasts what is done, and of which trackers it isn't yet.

        Args:
            verb: what is done, such as ``fetching``.
            names: the trackers.

        Yields:
            What to call with the name of each tracker that is done.
        """
        with self._lock:
            self._verb, self._left, self._total, self._notes = verb, list(names), len(names), {}
            self._paint()
        try:
            yield self._done
        finally:
            with self._lock:
                self._left = []
                self._clear()

    def clear(self) -> None:
        """Make room for something else; the line is back as soon as there is news."""
        with self._lock:
            self._clear()

    def show_bytes(self, name: str, count: int) -> None:
        """Say how many bytes of a tracker's answer have come."""
        self._note(name, f" ({count / 1e6:.1f} MB)" if count >= _WORTH_A_WORD else "")

    def show_wait(self, name: str, text: str) -> None:
        """Say why and for how long a tracker's call waits, until bytes come."""
        self._note(name, f" ({printable(text)})")

    def _note(self, name: str, note: str) -> None:
        with self._lock:
            self._notes[name] = note
            self._paint()

    def _done(self, name: str) -> None:
        with self._lock:
            if name in self._left:  # interrupted, a phase may be over before its threads are
                self._left.remove(name)
                self._paint()

    def _paint(self) -> None:
        if not self._left:
            return
        count = f" {self._total - len(self._left)} of {self._total} done, left:" if self._total > 1 else ""
        names = (name + self._notes.get(name, "") for name in self._left)
        text = f"{self._verb}{count} {', '.join(names)}"
        room = max(self._columns() - 1, 1)
        line = text if len(text) <= room else f"{text[: room - 1]}…"
        if line != self._shown:
            self._write(_CLEAR + line)
            self._shown = line

    def _clear(self) -> None:
        if self._shown:
            self._write(_CLEAR)
            self._shown = ""
