"""No tracker reads the file, because of its folder or its name.

Documents lie in the configured `directory` itself, or in `<directory>/<tracker>/` once
`pinsync.yaml` names more than one tracker. No other folder below it is read, and neither are the
files from before the second tracker. Nothing is compared with such a file, and edits of it never
show in a `diff`.

A document's name ends in `.yaml`; `basket.yml`, `basket.YAML` and `basket.json` are no documents.

Rename the file, or move it to the folder of its tracker's documents, or out of `directory` if it is
no document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.layout import SUFFIX
from pinsync.lint.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Folder, Severity

ID: Final = "unread-document"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield misnamed documents, and all documents of a folder that no tracker reads."""
    for document in folder.misnamed:
        message = f"no tracker reads this file: documents end in {SUFFIX}"
        yield Fault(document, message, f"rename it to {document.proper_name}", place=(1, 1))
    if folder.expected is None:
        return
    for document in folder.documents:
        message = f"no tracker reads this file; expected {folder.expected}/{document.name}"
        hint = "move it there, or elsewhere if it is no document"
        yield Fault(document, message, hint, path=("format",))
