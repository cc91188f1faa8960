"""The file's name isn't the one that its model asks for.

A model's customizations lie in `<model>.yaml`: `a-z 0-9 _ . -` as they are, anything else percent-encoded. The line
`model:` is the truth, so that a misnamed file, or a copy whose `model:` was left as it was, changes another
recommender than its name says; two files of one model are refused by every other command.

Rename the file, or correct `model:`; if the file of that model exists already, move the customizations there.
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
    """Yield the files that should have another name."""
    names = {document.name for document in folder.documents}
    for document in folder.documents:
        if document.model is None:
            continue
        expected, name = layout.build_file_name(document.model), document.name
        if name != expected:
            message = f'the model "{document.model}" belongs in {expected}, not {name}'
            hint = f"rename the file to {expected}, or correct the model"
            if expected in names:
                hint = f"move its customizations into {expected}, or correct the model"
            yield Fault(document, message, hint, path=("model",))
