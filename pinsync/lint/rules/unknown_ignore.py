"""A comment `# pinsync: ignore[...]` names a rule that doesn't exist, or none at all.

It suppresses nothing, and whoever wrote it believes that it does. What counts is where the comment stands: behind or
directly above a key it is about that key and all below it; directly above a pin or a customization, or behind one in
braces, it is about all of it. `syntax` can't be ignored.

Write the rule's name in brackets, or correct it. `pinsync lint --explain RULE` knows them all.
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
    """Yield the names that aren't a rule's, and the comments without any."""
    for document in folder.documents:
        for line, column, name in read_names(document):
            if not name:
                hint = "name it in brackets, as in # pinsync: ignore[self-pin]"
                yield Fault(document, "the comment names no rule to ignore", hint, place=(line, column))
            elif name not in folder.rules:
                hint = suggest(name, folder.rules)
                yield Fault(document, f'there is no rule "{name}" to ignore', hint, place=(line, column))
            elif name == syntax.ID:
                message = "what can't be read can't be ignored either"
                yield Fault(document, message, "mend it, and remove the comment", place=(line, column))
