"""Ignore comments: the lint rules that they name, and the lines that they cover."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from pinsync.document import written
from pinsync.document.anchors import Attachment, attach_comment, find_anchor_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.document.anchors import LineStart
    from pinsync.document.written import Written
    from pinsync.lint.folder import Path

LineRules = tuple[int, list[str]]
"""The number of a line, from 1, and the lint rules to ignore there."""

IGNORE: Final = re.compile(r"#\s*pinsync:\s*ignore\b(?:\[([^\]]*)\])?")
NAME: Final = re.compile(r"[^,\s](?:[^,]*[^,\s])?")


class Lines:
    """A set of line numbers, stored as ranges.

    Args:
        ranges: the first and the last line of each range; ranges may overlap.
    """

    # Ranges, not numbers: each of many comments may cover the whole document, so that sets of
    # numbers would grow with the square of the document.

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
        index = bisect_right(self._firsts, line) - 1
        return index >= 0 and line <= self._lasts[index]


def find_ignored(document: Written) -> dict[str, Lines]:
    """Return lint rule → the lines of the comments that name it, and of the parts they cover."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    extents: dict[Path, tuple[int, int]] = {}
    names = [*read_names(document)]
    # The lint rule syntax reports bytes that aren't UTF-8.
    lines = document.text.decode(errors="replace").split("\n")
    under = find_anchor_lines(lines, {line for line, _, _ in names})
    content = document.map_line_starts(under.keys() | under.values())
    numbers, starts = [*content], [*content.values()]
    for line, _, name in names:
        index, standing = attach_comment(lines, line, under[line], numbers)
        if not starts or standing is Attachment.DETACHED:
            continue
        path = starts[index].whole if standing is Attachment.ABOVE else starts[index].behind
        # A document in braces is no key, pin or block: its path is empty.
        if not path:
            continue
        if path not in extents:
            extents[path] = _find_extent(path, index, starts)
        first, last = extents[path]
        # The lines within the last block are unknown unless a comment stands there.
        end = numbers[last] if last + 1 < len(numbers) else len(lines)
        ranges.setdefault(name, []).append((min(line, numbers[first]), max(line, end)))
    return {name: Lines(name_ranges) for name, name_ranges in ranges.items()}


def _find_extent(path: Path, index: int, starts: Sequence[LineStart]) -> tuple[int, int]:
    """Return the first and the last index around ``index`` whose parts lie within ``path``."""
    first = last = index
    while first > 0 and starts[first - 1].behind[: len(path)] == path:
        first -= 1
    while last + 1 < len(starts) and starts[last + 1].behind[: len(path)] == path:
        last += 1
    return first, last


def read_names(document: Written) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and name of each lint rule to ignore; a comment may have no name."""
    for line, column, comment in document.comments:
        for ignore in IGNORE.finditer(comment):
            names = [*NAME.finditer(ignore[1] or "")]
            for name in names:
                yield line, column + ignore.start(1) + name.start(), name[0]
            if not names:
                yield line, column + ignore.start(), ""


def add_ignores(document: Written, findings: Iterable[tuple[int, str]]) -> Written:
    """Return a document with ignore comments for the findings that comments can ignore.

    Args:
        document: the document.
        findings: the line, from 1, and the lint rule of each finding.
    """
    rules: dict[int, list[str]] = {}
    for line, rule in sorted(set(findings)):
        if line not in document.broken:
            rules.setdefault(line, []).append(rule)
    return _add_comments(document, [*rules.items()]) if rules else document


def count_ignores(document: Written) -> int:
    """Return the number of ignore comments in a document."""
    return sum(len(IGNORE.findall(comment)) for _, _, comment in document.comments)


def _add_comments(document: Written, wanted: Sequence[LineRules]) -> Written:
    changed = _write_comments(document, wanted)
    if _is_ignoring(changed, document, wanted):
        return changed
    if len(wanted) == 1:
        return document
    # One of the comments stands inside a text, for example. Halving finds it in few attempts.
    middle = len(wanted) // 2
    return _add_comments(_add_comments(document, wanted[:middle]), wanted[middle:])


def _is_ignoring(changed: Written, document: Written, wanted: Sequence[LineRules]) -> bool:
    """Whether a changed document ignores all wanted lint rules, and is otherwise unchanged."""
    if [row.data for row in changed.rows] != [row.data for row in document.rows]:
        return False
    if changed.top != document.top or _list_faults(changed) != _list_faults(document):
        return False
    ignored = find_ignored(changed)
    for line, rules in wanted:
        missing = [rule for rule in rules if line not in ignored.get(rule, ())]
        if missing:
            return False
    return True


def _list_faults(document: Written) -> list[tuple[str, int | None]]:
    return [(fault.reason, fault.line) for fault in document.faults]


def _write_comments(document: Written, wanted: Sequence[LineRules]) -> Written:
    # A faulty block need not be UTF-8, and its bytes must stay.
    lines = document.original.decode(errors="surrogateescape").split("\n")
    comments = _map_comments(document, {line for line, _ in wanted})
    for number, rules in wanted:
        place = comments.get(number)
        if place is not None:
            line, column = place
            lines[line - 1] = _extend_comment(lines[line - 1], column, rules)
        elif lines[number - 1].strip():
            # At the end of the line, the comment covers this key alone, and ``fmt`` keeps it.
            lines[number - 1] = _append_comment(lines[number - 1], rules)
    text = "\n".join(lines).encode(errors="surrogateescape")
    return written.read(text, document.source)


def _map_comments(document: Written, wanted: set[int]) -> Mapping[int, tuple[int, int]]:
    """Return the line of a key → line and column of the ignore comment for that key alone."""
    places = [
        (line, column) for line, column, comment in document.comments if IGNORE.search(comment)
    ]
    lines = document.text.decode(errors="replace").split("\n")
    under = find_anchor_lines(lines, {line for line, _ in places})
    content = document.map_line_starts(wanted.union(under.keys(), under.values()))
    numbers = list(content)
    comments: dict[int, tuple[int, int]] = {}
    for line, column in places:
        index, standing = attach_comment(lines, line, under[line], numbers)
        if standing is Attachment.DETACHED or index == len(numbers):
            continue
        start = content[numbers[index]]
        # Above the first key of a pin, a comment covers the whole pin: too much for one finding.
        if standing is not Attachment.ABOVE or start.whole == start.behind:
            comments.setdefault(numbers[index], (line, column))
    return comments


def _extend_comment(line: str, column: int, rules: Iterable[str]) -> str:
    comment = IGNORE.search(line, column - 1)
    if comment is None:
        return line
    names = NAME.findall(comment[1] or "")
    names += [rule for rule in rules if rule not in names]
    changed = f"# pinsync: ignore[{', '.join(names)}]"
    return f"{line[: comment.start()]}{changed}{line[comment.end() :]}"


def _append_comment(line: str, rules: Iterable[str]) -> str:
    # A line of a file from Windows ends in CR, which has to stay last.
    text = line.removesuffix("\r")
    end = line[len(text) :]
    return f"{text.rstrip(' ')}  # pinsync: ignore[{', '.join(rules)}]{end}"
