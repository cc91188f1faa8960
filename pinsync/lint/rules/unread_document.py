"""No tracker reads the file, for it doesn't lie where a tracker's documents do, or isn't named like them.

They lie in the configured `directory` itself, and in `<directory>/<tracker>/` once `pinsync.yaml` names more than one
tracker; no other folder below it is read, nor the files that were there before the second tracker came. What such a
file says is compared with nothing, and what is edited there never shows in a `diff`.

A document's name ends in `.yaml`; `basket.yml`, `basket.YAML` and `basket.json` are no documents.

Rename the file, or move it to where its tracker's documents lie, or out of `directory` if it is none.
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
    """Yield the misnamed documents of a folder, and all documents if the folder isn't a tracker's."""
    for unread in folder.misnamed:
        hint = f"rename it to {unread.proper_name}"
        yield Fault(unread, f"no tracker reads this file: documents end in {SUFFIX}", hint, place=(1, 1))
    if folder.expected is None:
        return
    for document in folder.documents:
        message = f"no tracker reads this file; expected {folder.expected}/{document.name}"
        yield Fault(document, message, "move it there, or elsewhere if it is no document", path=("format",))
