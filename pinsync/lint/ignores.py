"""Ignore comments: the lint rules that they name, and the lines that they stand for."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from pinsync.document.anchors import Standing, below, stands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.document.anchors import Begun
    from pinsync.document.written import Written
    from pinsync.lint.folder import Path

IGNORE: Final = re.compile(r"#\s*pinsync:\s*ignore\b(?:\[([^\]]*)\])?")
NAME: Final = re.compile(r"[^,\s](?:[^,]*[^,\s])?")


class Lines:
    """Lines of a document, as the ranges that they make up.

    Each of many comments may stand for all of it, so that sets of lines would grow with the square
    of the document.

    Args:
        ranges: from the first to the last line of each part; they may overlap.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in sorted(ranges):
            if self._lasts and first <= self._lasts[-1]:
                self._lasts[-1] = max(last, self._lasts[-1])
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, line: int) -> bool:
        at = bisect_right(self._firsts, line) - 1
        return at >= 0 and line <= self._lasts[at]


def find_ignored(document: Written) -> dict[str, Lines]:
    """Return rule → the lines where it isn't applied: of each comment that names it, its own and what it stands on."""
    found: dict[str, list[tuple[int, int]]] = {}
    extents: dict[Path, tuple[int, int]] = {}
    names = [*read_names(document)]
    lines = document.text.decode(errors="replace").split("\n")  # that a part isn't UTF-8 is for `syntax` to say
    under = below(lines, {line for line, _, _ in names})
    content = document.begun(under.keys() | under.values())
    numbers, starts = [*content], [*content.values()]
    for line, _, name in names:
        index, standing = stands(lines, line, under[line], numbers)
        if not starts or standing is Standing.DETACHED:
            continue
        path = starts[index].whole if standing is Standing.ABOVE else starts[index].behind
        if path:  # a document in braces is no key, pin or block
            if path not in extents:
                extents[path] = _extent(path, index, starts)
            first, last = extents[path]
            end = numbers[last] if last + 1 < len(numbers) else len(lines)  # the last block may not be looked into
            found.setdefault(name, []).append((min(line, numbers[first]), max(line, end)))
    return {name: Lines(ranges) for name, ranges in found.items()}


def _extent(path: Path, index: int, starts: Sequence[Begun]) -> tuple[int, int]:
    """Return the first and last index of what begins within ``path``, as what does at ``index``."""
    first = last = index
    while first > 0 and starts[first - 1].behind[: len(path)] == path:
        first -= 1
    while last + 1 < len(starts) and starts[last + 1].behind[: len(path)] == path:
        last += 1
    return first, last


def read_names(document: Written) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and name of each rule to ignore; an empty name of a comment that says none."""
    for line, column, comment in document.comments:
        for ignore in IGNORE.finditer(comment):
            names = [*NAME.finditer(ignore[1] or "")]
            yield from ((line, column + ignore.start(1) + name.start(), name[0]) for name in names)
            if not names:
                yield line, column + ignore.start(), ""
