"""The file can't be read as YAML.

Nothing in it can be checked, and an export refuses to change it. Besides invalid YAML 1.2, pinsync
refuses YAML that two readers may understand differently: duplicate keys, anchors and aliases, tags,
several documents in a file, NaN, merge-conflict markers, and, where a value may be a number, `010`,
`1e5`, `1_000` or `1:30`.

An `items.json` that is damaged, or of a newer format, is reported too.

Correct the place that the message names. This lint rule can't be ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.lint.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Folder, Severity

ID: Final = "syntax"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the reasons why files, or customizations in them, can't be read."""
    for document in folder.documents:
        for error in document.faults:
            place = error.line or 1, error.column or 1
            yield Fault(document, error.reason, error.hint or "mend the YAML", place=place)
