"""Ignore comments: the lint rules that they name, and the lines that they stand for."""

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

Wanted = tuple[int, list[str]]
"""A line, from 1, and the lint rules to ignore there."""

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
    under = find_anchor_lines(lines, {line for line, _, _ in names})
    content = document.map_line_starts(under.keys() | under.values())
    numbers, starts = [*content], [*content.values()]
    for line, _, name in names:
        index, standing = attach_comment(lines, line, under[line], numbers)
        if not starts or standing is Attachment.DETACHED:
            continue
        path = starts[index].whole if standing is Attachment.ABOVE else starts[index].behind
        if path:  # a document in braces is no key, pin or block
            if path not in extents:
                extents[path] = _extent(path, index, starts)
            first, last = extents[path]
            end = numbers[last] if last + 1 < len(numbers) else len(lines)  # the last block may not be looked into
            found.setdefault(name, []).append((min(line, numbers[first]), max(line, end)))
    return {name: Lines(ranges) for name, ranges in found.items()}


def _extent(path: Path, index: int, starts: Sequence[LineStart]) -> tuple[int, int]:
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


def add_ignores(document: Written, findings: Iterable[tuple[int, str]]) -> Written:
    """Return a document with ignore comments for findings, as far as comments can ignore them.

    A comment goes to the end of the finding's line, where it counts for the key on that line and
    where ``fmt`` leaves it. If that key has an ignore comment already, the comment is extended.

    Args:
        document: the document.
        findings: the line, from 1, and the lint rule of each finding.
    """
    rules: dict[int, list[str]] = {}
    for line, rule in sorted(set(findings)):
        if line not in document.broken:
            rules.setdefault(line, []).append(rule)
    return _added(document, [*rules.items()]) if rules else document


def count_ignores(document: Written) -> int:
    """Return how many ignore comments a document has."""
    return sum(len(IGNORE.findall(comment)) for _, _, comment in document.comments)


def _added(document: Written, wanted: Sequence[Wanted]) -> Written:
    changed = _change(document, wanted)
    if _ignores(changed, document, wanted):
        return changed
    if len(wanted) == 1:
        return document
    # One of the comments stands inside a text, for example. Halves find it in few attempts.
    middle = len(wanted) // 2
    return _added(_added(document, wanted[:middle]), wanted[middle:])


def _ignores(changed: Written, document: Written, wanted: Sequence[Wanted]) -> bool:
    """Return whether a changed document ignores all that is wanted, and is otherwise the same."""
    if [row.data for row in changed.rows] != [row.data for row in document.rows]:
        return False
    if changed.top != document.top or _reasons(changed) != _reasons(document):
        return False
    lines = find_ignored(changed)
    return all(line in lines.get(rule, ()) for line, rules in wanted for rule in rules)


def _reasons(document: Written) -> list[tuple[str, int | None]]:
    return [(fault.reason, fault.line) for fault in document.faults]


def _change(document: Written, wanted: Sequence[Wanted]) -> Written:
    # A faulty block need not be UTF-8; its bytes have to stay.
    lines = document.original.decode(errors="surrogateescape").split("\n")
    comments = _comments_by_line(document, {line for line, _ in wanted})
    for number, rules in wanted:
        place = comments.get(number)
        if place is not None:
            line, column = place
            lines[line - 1] = _extended(lines[line - 1], column, rules)
        elif lines[number - 1].strip():
            lines[number - 1] = _commented(lines[number - 1], rules)
    text = "\n".join(lines).encode(errors="surrogateescape")
    return written.read(text, document.source)


def _comments_by_line(document: Written, wanted: set[int]) -> Mapping[int, tuple[int, int]]:
    """Return the line of a key → line and column of the ignore comment for that key alone."""
    places = [place[:2] for place in document.comments if IGNORE.search(place[2])]
    lines = document.text.decode(errors="replace").split("\n")
    under = find_anchor_lines(lines, {line for line, _ in places})
    content = document.map_line_starts(wanted.union(under.keys(), under.values()))
    numbers = list(content)
    found: dict[int, tuple[int, int]] = {}
    for line, column in places:
        index, standing = attach_comment(lines, line, under[line], numbers)
        if standing is Attachment.DETACHED or index == len(numbers):
            continue
        begun = content[numbers[index]]
        # Above the first key of a pin, a comment counts for the whole pin: too much for one finding.
        if standing is not Attachment.ABOVE or begun.whole == begun.behind:
            found.setdefault(numbers[index], (line, column))
    return found


def _extended(line: str, column: int, rules: Iterable[str]) -> str:
    comment = IGNORE.search(line, column - 1)
    if comment is None:
        return line
    listed = NAME.findall(comment[1] or "")
    names = ", ".join([*listed, *(rule for rule in rules if rule not in listed)])
    return f"{line[: comment.start()]}# pinsync: ignore[{names}]{line[comment.end() :]}"


def _commented(line: str, rules: Iterable[str]) -> str:
    text = line.removesuffix("\r")
    end = line[len(text) :]
    return f"{text.rstrip(' ')}  # pinsync: ignore[{', '.join(rules)}]{end}"
