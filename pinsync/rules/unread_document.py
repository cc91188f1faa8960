"""No tracker reads the file, for it doesn't lie where a tracker's documents do.

They lie in the configured `directory` itself, and in `<directory>/<tracker>/` once `pinsync.yaml` names more than one
tracker; no other folder below it is read, nor the files that were there before the second tracker came. What such a
file says is compared with nothing, and what is edited there never shows in a `diff`.

Move the file to where its tracker's documents lie, or out of `directory` if it is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.rules.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.rules.folder import Folder, Severity

ID: Final = "unread-document"
SEVERITY: Final[Severity] = "warning"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield all documents of a folder that isn't a tracker's."""
    if folder.expected is None:
        return
    for document in folder.documents:
        message = f"no tracker reads this file; expected {folder.expected}/{document.name}"
        yield Fault(document, message, "move it there, or elsewhere if it is no document", path=("format",))
