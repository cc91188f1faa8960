"""Where the keys, items and comments of a YAML text stand, and the part that each comment is about.

Paths lead from the top of the text to a part: a key's value or a list's item.
"""

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
"""The word that makes a comment a note for pinsync, whose meaning depends on its place."""

_NO_CONTENT: Final = re.compile(r" *#|(?:---|\.\.\.) *(?: #|$)")
"""A line of nothing but a comment, or the marker of a document's beginning or end."""
_DASHES: Final = re.compile(r" *(?:[-?](?: +|$))+(?:#.*)?")
"""A line of nothing but dashes, whose item begins on a line below."""
_KEY: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"':]+):(?: |\Z)""")


class LineStart(NamedTuple):
    """The parts that begin on one line.

    Attributes:
        whole: the part that a comment above the line is about: the innermost part that holds all
            parts on the line. For ``- key: value`` this is the customization or pin.
        behind: the part that a comment at the end of the line is about: the key of a
            ``- key: value``, or the pin of a ``- {...}``.
    """

    whole: Path
    behind: Path


class Attachment(Enum):
    """How a comment is attached to a part of the text.

    A detached comment has a blank line below. The others stand above the part, inside its value,
    or at the end of its first line.
    """

    DETACHED = "detached"
    ABOVE = "above"
    WITHIN = "within"
    BEHIND = "behind"


def map_line_starts(marks: Mapping[Path, Place]) -> dict[int, LineStart]:
    """Map each line to the parts that begin there, in the order of the lines.

    Args:
        marks: path → line and column, in the order of the text. The path ``()`` is ignored.
    """
    paths_by_line: dict[int, list[Path]] = {}
    for path, (line, _) in marks.items():
        if path:
            paths_by_line.setdefault(line, []).append(path)
    return {
        line: LineStart(
            _find_common_prefix(paths), _find_common_prefix(_leave_out_opened_items(paths))
        )
        for line, paths in sorted(paths_by_line.items())
    }


def _find_common_prefix(paths: Sequence[Path]) -> Path:
    """Return the longest common prefix of the paths."""
    prefix = paths[0]
    for path in paths:
        while path[: len(prefix)] != prefix:
            prefix = prefix[:-1]
    return prefix


def _leave_out_opened_items(paths: Sequence[Path]) -> Sequence[Path]:
    """Leave out each list item whose first key or item stands on the same line."""
    remaining = []
    # The paths are in the order of the text, so that an item precedes its first key.
    for path, following in zip_longest(paths, paths[1:]):
        is_opened = following is not None and following[: len(path)] == path
        if not is_opened or isinstance(path[-1], str):
            remaining.append(path)
    return remaining


def find_anchor_lines(lines: Sequence[str], comments: Iterable[int]) -> dict[int, int]:
    """Map the line of each comment to the line of content that the comment is behind or above.

    Args:
        lines: the text.
        comments: the lines, from 1, of some of its comments.
    """
    anchors: dict[int, int] = {}
    # From below, so that a run of comments is walked only once.
    for line in sorted(comments, reverse=True):
        at = line
        while at not in anchors and at <= len(lines) and _NO_CONTENT.match(lines[at - 1]):
            at += 1
        anchors[line] = anchors.get(at, at)
    return anchors


def attach_comment(
    lines: Sequence[str], line: int, anchor: int, starts: Sequence[int]
) -> tuple[int, Attachment]:
    """Return the index in ``starts`` of the line that a comment belongs to, and how it is attached.

    A detached comment belongs to the next line in ``starts``.

    Args:
        lines: the text.
        line: the line of the comment, from 1.
        anchor: the line of content that it is behind or above, from `find_anchor_lines`.
        starts: the lines on which a part begins, sorted.
    """
    text = lines[anchor - 1] if anchor <= len(lines) else ""
    index = bisect_left(starts, anchor)
    is_behind = line == anchor
    if not text.strip():
        return index, Attachment.DETACHED
    if starts[index : index + 1] == [anchor]:
        return index, Attachment.BEHIND if is_behind else Attachment.ABOVE
    # No part begins on a line of dashes: its item begins below, and so takes the comment.
    if index == 0 or _DASHES.fullmatch(text):
        return index, Attachment.ABOVE
    # A line on which no part begins continues the value of the part above.
    return index - 1, Attachment.BEHIND if is_behind else Attachment.WITHIN


def mark_canonical_block(text: bytes, above: int) -> dict[Path, Place]:
    """Return the marks that a YAML parser would find in a block of canonical text.

    The block may have comments on lines of their own. Canonical text needs no parser: a part is
    always indented more than the part that holds it, and each dash or key is a part of its own.
    """
    marks: dict[Path, Place] = {}
    lengths: Counter[Path] = Counter()
    # The column and the path of each open part, the innermost last; first the block at its dash.
    around: list[tuple[int, Path]] = [(2, ())]
    first = above + 1
    for number, line in enumerate(text.decode().split("\n"), first):
        content = line.lstrip(" ")
        if not content.strip() or content[0] == "#":
            continue
        column = len(line) - len(content)
        while line.startswith("- ", column):
            # The dash of the block itself is no item of a list inside the block.
            if number > first or column > 2:  # noqa: PLR2004
                parent = _find_parent(around, column)
                around.append((column, (*parent, lengths[parent])))
                lengths[parent] += 1
            column += 2
            # The mark of an item is its first key or value, to the right of the dash.
            marks.setdefault(around[-1][1], (number, column + 1))
        if key := _KEY.match(line, column):
            name = str(canonical.read_value(key[1].encode()))
            path = (*_find_parent(around, column), name)
            around.append((column, path))
            marks[path] = (number, column + 1)
    return marks


def _find_parent(around: list[tuple[int, Path]], column: int) -> Path:
    """Close the parts that don't reach to the right of a column; return the innermost open part."""
    while around[-1][0] >= column:
        around.pop()
    return around[-1][1]
