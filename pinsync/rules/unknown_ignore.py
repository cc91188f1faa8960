"""A comment `# pinsync: ignore[...]` names a rule that doesn't exist, or none at all.

It suppresses nothing, and whoever wrote it believes that it does. What counts is where the comment stands: behind a key
it is about that key and all below it; directly above a pin or a customization, or behind one in braces, it is about all
of it; directly above the first line of a file, about the file. `syntax` can't be ignored.

Write the rule's name in brackets, or correct it. `pinsync lint --explain RULE` knows them all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from pinsync import rules
from pinsync.errors import suggestion
from pinsync.rules import syntax
from pinsync.rules.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.document.standing import Begun
    from pinsync.document.written import Written
    from pinsync.rules.folder import Folder, Path, Severity

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
            elif name == syntax.ID:
                message = "what can't be read can't be ignored either"
                yield Fault(document, message, "mend it, and remove the comment", place=(line, column))


def ignored(document: Written) -> dict[str, list[range]]:
    """Return rule → the lines where it isn't applied: of each comment that names it, its own and what it stands on."""
    found: dict[str, list[range]] = {}
    if not document.comments:
        return found
    lines = document.text.split(b"\n")
    below = {line: _below(lines, line) for line, _, _ in _names(document)}
    begun = list(document.begun(below.values()).items())
    for line, _, name in _names(document):
        last = below[line]
        index = bisect_right(begun, last, key=itemgetter(0)) - 1
        if index >= 0 and (begun[index][0] == last or last == line):  # or behind the last line of a value of several
            here = begun[index][1]
            path = here.behind if last == line else here.whole
            last = max(last, _end(path, index, begun) or len(lines))
        found.setdefault(name, []).append(range(line, last + 1))
    return found


def _below(lines: Sequence[bytes], line: int) -> int:
    """Return the line that the comment on a line is behind, or else above, other comments aside."""
    while line < len(lines) and _NOTHING_ELSE.match(lines[line - 1]):
        line += 1
    return line


def _end(path: Path, index: int, begun: Sequence[tuple[int, Begun]]) -> int | None:
    """Return the line on which the last thing within ``path`` begins; None for the last of the file."""
    while index + 1 < len(begun) and begun[index + 1][1].whole[: len(path)] == path:
        index += 1
    is_list = path in ((), ("customizations",))  # of whose last block the first line alone may be known
    return None if is_list and index + 1 == len(begun) else begun[index][0]


def _names(document: Written) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and name of each rule to ignore; an empty name of a comment that says none."""
    for line, column, comment in document.comments:
        for ignore in _IGNORE.finditer(comment):
            names = [*_NAME.finditer(ignore[1] or "")]
            yield from ((line, column + ignore.start(1) + name.start(), name[0]) for name in names)
            if not names:
                yield line, column + ignore.start(), ""
