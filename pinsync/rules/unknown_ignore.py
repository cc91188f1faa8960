"""A comment `# pinsync: ignore[...]` names a rule that doesn't exist, or none at all.

It suppresses nothing, and whoever wrote it believes that it does.

Write the rule's name in brackets, or correct it. `pinsync lint --explain RULE` knows them all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinsync import rules
from pinsync.errors import suggestion
from pinsync.rules.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.document.written import Written
    from pinsync.rules.folder import Folder, Severity

ID: Final = "unknown-ignore"
SEVERITY: Final[Severity] = "warning"

_IGNORE: Final = re.compile(r"#\s*pinsync:\s*ignore\b(?:\[([^\]]*)\])?")
_NOTHING_ELSE: Final = re.compile(rb"\s*(?:[-?] +)*#")
"""A comment that has a line of its own, or that of a dash."""
_NAME: Final = re.compile(r"[^,\s](?:[^,]*[^,\s])?")


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the names that aren't a rule's, and the comments without any."""
    for document in folder.documents:
        for line, column, name in _names(document):
            if not name:
                hint = "name it in brackets, as in # pinsync: ignore[self-pin]"
                yield Fault(document, "the comment names no rule to ignore", hint, place=(line, column))
            elif name not in rules.RULES:
                hint = suggestion(name, rules.RULES)
                yield Fault(document, f'there is no rule "{name}" to ignore', hint, place=(line, column))


def ignored(document: Written) -> dict[int, set[str]]:
    """Return line → the rules that aren't applied there: those named behind it, or in a comment above it."""
    found: dict[int, set[str]] = {}
    if not document.comments:
        return found
    lines = document.text.split(b"\n")
    for line, _, name in _names(document):
        last = line
        while last < len(lines) and _NOTHING_ELSE.match(lines[last - 1]):
            last += 1
        for meant in range(line, last + 1):
            found.setdefault(meant, set()).add(name)
    return found


def _names(document: Written) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and name of each rule to ignore; an empty name of a comment that says none."""
    for line, column, comment in document.comments:
        for ignore in _IGNORE.finditer(comment):
            names = [*_NAME.finditer(ignore[1] or "")]
            yield from ((line, column + ignore.start(1) + name.start(), name[0]) for name in names)
            if not names:
                yield line, column + ignore.start(), ""
