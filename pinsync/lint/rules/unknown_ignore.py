"""A comment `# pinsync: ignore[...]` names a lint rule that doesn't exist, or none at all.

It suppresses nothing, although its author believes that it does. The place of a comment decides: at
the end of a key's line, or directly above it, the comment covers the key and everything below it.
Directly above a pin or a customization, or at the end of one in braces, it covers all of that.
`syntax` can't be ignored.

Write the lint rule's name in brackets, or correct it. `pinsync lint --explain RULE` knows them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.errors import suggest
from pinsync.lint.folder import Fault
from pinsync.lint.ignores import read_names
from pinsync.lint.rules import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Folder, Severity

ID: Final = "unknown-ignore"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the names of unknown lint rules, and the comments without a name."""
    for document in folder.documents:
        for line, column, name in read_names(document):
            if not name:
                message = "the comment names no rule to ignore"
                hint = "name it in brackets, as in # pinsync: ignore[self-pin]"
            elif name not in folder.rules:
                message = f'there is no rule "{name}" to ignore'
                hint = suggest(name, folder.rules)
            elif name == syntax.ID:
                message = "no comment can ignore an unreadable file"
                hint = "mend the file, and remove the comment"
            else:
                continue
            yield Fault(document, message, hint, place=(line, column))
