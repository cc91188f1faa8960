"""The name of the file doesn't fit its model.

A model's customizations lie in `<model>.yaml`, where every character but `a-z 0-9 _ . -` is
percent-encoded. pinsync trusts the line `model:`. A misnamed file, or a copy whose `model:` was
left as it was, therefore changes another recommender than its name suggests. Every other command
refuses two files of one model.

Rename the file, or correct `model:`; if the file of that model exists already, move the
customizations there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync import layout
from pinsync.lint.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Folder, Severity

ID: Final = "file-name"
SEVERITY: Final[Severity] = "error"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the files whose name doesn't fit their model."""
    names = {document.name for document in folder.documents}
    for document in folder.documents:
        if document.model is None:
            continue
        expected = layout.build_file_name(document.model)
        if document.name != expected:
            message = f'the model "{document.model}" belongs in {expected}, not {document.name}'
            hint = f"rename the file to {expected}, or correct the model"
            # Renaming would overwrite the other file.
            if expected in names:
                hint = f"move its customizations into {expected}, or correct the model"
            yield Fault(document, message, hint, path=("model",))
