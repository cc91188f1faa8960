"""Ignore comments for the findings of a document, written into its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.document import written
from pinsync.document.anchors import Standing, below, stands
from pinsync.lint.ignores import IGNORE, NAME, find_ignored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.document.written import Written

Wanted = tuple[int, list[str]]
"""A line, from 1, and the lint rules to ignore there."""


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
    under = below(lines, {line for line, _ in places})
    content = document.begun(wanted.union(under.keys(), under.values()))
    numbers = list(content)
    found: dict[int, tuple[int, int]] = {}
    for line, column in places:
        index, standing = stands(lines, line, under[line], numbers)
        if standing is Standing.DETACHED or index == len(numbers):
            continue
        begun = content[numbers[index]]
        # Above the first key of a pin, a comment counts for the whole pin: too much for one finding.
        if standing is not Standing.ABOVE or begun.whole == begun.behind:
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
