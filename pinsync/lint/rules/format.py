"""The file isn't in canonical form: not sorted, or written otherwise than `pinsync fmt` writes it.

The content is right. But every change of an export would carry changes of form with it, and the
edits of two people would conflict more often. Blanks, quotes, the order of keys, pins and
customizations, explicit defaults, line ends of Windows and a byte order mark all count.

Run `pinsync fmt`, which keeps every comment.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from pinsync.document.form import format_document
from pinsync.errors import FileError
from pinsync.lint.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.document.written import Written
    from pinsync.lint.folder import Folder, Severity

ID: Final = "format"
SEVERITY: Final[Severity] = "warning"

_HINT: Final = "run pinsync fmt"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the first difference between each file and the output of ``fmt``."""
    for document in folder.documents:
        if not _is_sound(document) or document.is_canonical():
            continue
        try:
            new = format_document(document.text, document.source)
        except FileError:
            # Other lint rules report the reason.
            continue
        if new != document.text:
            yield _find_difference(document, new)
        elif document.original.startswith(codecs.BOM_UTF8):
            yield Fault(document, "the file begins with a byte order mark", _HINT, place=(1, 1))
        elif b"\r\n" in document.original:
            yield Fault(document, "lines end in CR LF, not LF", _HINT, place=(1, 1))
        elif new != document.original:
            yield Fault(document, "the last line doesn't end", _HINT, place=(new.count(b"\n"), 1))


def _is_sound(document: Written) -> bool:
    """Whether ``fmt`` could format the document."""
    # ``fmt`` would refuse any other file too, but only after a slow parse of the whole text.
    if not document.is_read or document.faults:
        return False
    return all(_is_customization(row.data) for row in document.rows)


def _is_customization(data: object) -> bool:
    if not isinstance(data, dict) or "model" in data:
        return False
    required = data.get("target_type"), data.get("id", "none")
    return all(isinstance(value, str) and value for value in required)


def _find_difference(document: Written, new: bytes) -> Fault:
    old_lines = document.text.decode().split("\n")
    new_lines = new.decode().split("\n")
    index = 0
    for old_line, new_line in zip(old_lines, new_lines, strict=False):
        if old_line != new_line:
            break
        index += 1
    # If the new text only continues the old one, report the last old line.
    index = min(index, len(old_lines) - 1)
    is_unsorted = sorted(old_lines) == sorted(new_lines)
    message = "the file isn't sorted" if is_unsorted else "not in canonical form"
    column = len(old_lines[index]) - len(old_lines[index].lstrip(" ")) + 1
    return Fault(document, f"{message}, here first", _HINT, place=(index + 1, column))
