"""The page that a GitHub job shows of a step: the runner names its file, and commands append to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinsync.reports.words.page import MAX_CHARS, MIN_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinsync.terminal.console import Console

MAX_BYTES: Final = 1024 * 1024
"""What a step may write in all; a page beyond that isn't shown at all."""
_MAX_BYTES_OF_A_UNIT: Final = 3
"""UTF-8 takes no more for a UTF-16 code unit."""


def named(environ: Mapping[str, str]) -> bool:
    """Whether the runner names a page to append to."""
    return bool(environ.get("GITHUB_STEP_SUMMARY"))


def append(environ: Mapping[str, str], page: Callable[[int], str], console: Console) -> None:
    """Append a page to the step's summary, if there is one; what stops that is a warning and no more.

    Args:
        environ: the environment variables, of which ``GITHUB_STEP_SUMMARY`` names the file.
        page: makes the page, of so many UTF-16 code units at most.
        console: where to warn.
    """
    file = environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with Path(file).open("ab") as stream:
            before = b"\n" if stream.tell() else b""
            text = _fitting(page, MAX_BYTES - stream.tell() - len(before))
            stream.write(before + text if text else b"")
    except OSError as error:
        reason = error.strerror or "it isn't a file"
        console.warn(f"the summary of the step can't be written (GITHUB_STEP_SUMMARY): {reason}")
        return
    if not text:
        console.warn("the summary of the step is full: the report isn't in it")


def _fitting(page: Callable[[int], str], room: int) -> bytes:
    """Return the page in UTF-8, shortened if need be; empty if there is no room for one."""
    for max_chars in (MAX_CHARS, room // _MAX_BYTES_OF_A_UNIT):
        text = page(max_chars).encode() if max_chars >= MIN_CHARS else b""
        if len(text) <= room:
            return text
    return b""
