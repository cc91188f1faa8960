"""What begins on each line of a text, and what the comments of the text stand on."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from enum import Enum
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.yamlio import Path, Place

NOTE: Final = "pinsync:"
"""What a comment holds that is meant for pinsync: it has to say the same wherever it is written."""


class Begun(NamedTuple):
    """What begins on one line.

    Attributes:
        whole: all of it, or what holds all of it: the customization or pin of a ``- key: value``. What a comment above
            stands on.
        behind: what a comment at the end stands on: the key of a ``- key: value``, and the pin of a ``- {...}``.
    """

    whole: Path
    behind: Path


class Standing(Enum):
    """How a comment stands to something: with a blank line below, above it, in its value, or behind it."""

    DETACHED = "detached"
    ABOVE = "above"
    WITHIN = "within"
    BEHIND = "behind"


def begun(marks: Mapping[Path, Place]) -> dict[int, Begun]:
    """Return line → what begins there, from above to below; the text as a whole isn't thought to begin anywhere.

    Args:
        marks: path → line and column, in the order of the text.
    """
    lines: dict[int, list[Path]] = {}
    for path, (line, _) in marks.items():
        if path:
            lines.setdefault(line, []).append(path)
    return {line: Begun(_around(paths), _around(_without_dashes(paths))) for line, paths in sorted(lines.items())}


def _around(paths: Sequence[Path]) -> Path:
    """Return the one that holds all others, or the nearest part around them all."""
    around = paths[0]
    for path in paths:
        while path[: len(around)] != around:
            around = around[:-1]
    return around


def _without_dashes(paths: Sequence[Path]) -> Sequence[Path]:
    """Leave out the items of which more than their beginning stands on the line."""
    return [
        path
        for path, inner in zip_longest(paths, paths[1:])
        if inner is None or inner[: len(path)] != path or isinstance(path[-1], str)
    ]


def below(lines: Sequence[str], comments: Iterable[int]) -> dict[int, int]:
    """Return the line of each comment → the line that it is behind, or else above, other comments aside.

    Args:
        lines: the text.
        comments: the lines, from 1, of some of its comments.
    """
    found: dict[int, int] = {}
    for line in sorted(comments, reverse=True):
        at = line
        while at not in found and at <= len(lines) and _NO_CONTENT.match(lines[at - 1]):
            at += 1
        found[line] = found.get(at, at)
    return found


_NO_CONTENT: Final = re.compile(r" *#|(?:---|\.\.\.) *(?: #|$)")
"""A line that holds nothing but a comment, or the mark of a document's beginning or end."""
_DASHES: Final = re.compile(r" *(?:[-?](?: +|$))+(?:#.*)?")
"""What opens an item, or a key, that begins on a line below."""


def stands(lines: Sequence[str], line: int, under: int, begins: Sequence[int]) -> tuple[int, Standing]:
    """Return what a comment stands on, as an index in ``begins``, and how; detached, it is what comes next.

    Args:
        lines: the text.
        line: the comment's, from 1.
        under: the one that it is behind or above, as `below` tells.
        begins: the lines on which anything begins, in their order.
    """
    text = lines[under - 1] if under <= len(lines) else ""
    index = bisect_left(begins, under)
    if not text.strip():
        return index, Standing.DETACHED
    if begins[index : index + 1] == [under]:
        return index, Standing.BEHIND if line == under else Standing.ABOVE
    if index == 0 or _DASHES.fullmatch(text):
        return index, Standing.ABOVE
    return index - 1, Standing.BEHIND if line == under else Standing.WITHIN


_KEY: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"':]+):(?: |\Z)""")


def canonical_marks(text: bytes, above: int) -> dict[Path, Place]:
    """Return what a parser would, for a block of canonical text with comments on lines of their own.

    There, what a node holds stands further to the right, and each dash or key is a node of its own.
    """
    marks: dict[Path, Place] = {}
    lengths: Counter[Path] = Counter()
    around: list[tuple[int, Path]] = [(2, ())]
    first = above + 1
    lines = enumerate(text.decode().split("\n"), first)
    for number, line in ((number, line) for number, line in lines if line.strip() and line.lstrip(" ")[0] != "#"):
        column = len(line) - len(line.lstrip(" "))
        while line.startswith("- ", column):
            if number > first or column > 2:  # noqa: PLR2004 - the dash of the block itself stands for no item of a list
                parent = _parent(around, column)
                around.append((column, (*parent, lengths[parent])))
                lengths[parent] += 1
            column += 2
            marks.setdefault(around[-1][1], (number, column + 1))
        if key := _KEY.match(line, column):
            path = (*_parent(around, column), str(canonical.read_value(key[1].encode())))
            around.append((column, path))
            marks[path] = (number, column + 1)
    return marks


def _parent(around: list[tuple[int, Path]], column: int) -> Path:
    while around[-1][0] >= column:
        around.pop()
    return around[-1][1]
