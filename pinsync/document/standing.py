"""What begins on each line of a text: what a comment behind the line, or above it, stands on."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.yamlio import Path, Place


class Begun(NamedTuple):
    """What begins on one line.

    Attributes:
        whole: all of it, or what holds all of it: the customization or pin of a ``- key: value``. What a comment above
            stands on.
        behind: what a comment at the end stands on: the key of a ``- key: value``, and the pin of a ``- {...}``.
    """

    whole: Path
    behind: Path


def begun(marks: Mapping[Path, Place]) -> dict[int, Begun]:
    """Return line → what begins there, from above to below.

    Args:
        marks: path → line and column, in the order of the text.
    """
    lines: dict[int, list[Path]] = {}
    for path, (line, _) in marks.items():
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
    """Leave out the items, and the whole, of which more than their beginning stands on the line."""
    return [
        path
        for path, inner in zip_longest(paths, paths[1:])
        if inner is None or inner[: len(path)] != path or (path and isinstance(path[-1], str))
    ]
