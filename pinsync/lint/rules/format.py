"""The file isn't in canonical form: not sorted, or written in another way than `pinsync fmt` writes it.

Nothing is wrong with what it says. But every change that an export makes would carry a change of form with it, and
two people's edits would clash where one of them is enough. Blanks, quotes, the order of keys, pins and
customizations, defaults that are spelled out, line ends of Windows and a byte order mark all count.

Run `pinsync fmt`, which keeps every comment.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from pinsync.document.form import formatted
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
    """Yield the first place of each file where ``fmt`` would write something else."""
    for document in folder.documents:
        if not _is_sound(document) or document.is_canonical():
            continue
        try:
            new = formatted(document.text, document.source)
        except FileError:
            continue  # another rule says why
        if new != document.text:
            yield _difference(document, new)
        elif document.original.startswith(codecs.BOM_UTF8):
            yield Fault(document, "the file begins with a byte order mark", _HINT, place=(1, 1))
        elif b"\r\n" in document.original:
            yield Fault(document, "lines end in CR LF, not LF", _HINT, place=(1, 1))
        elif new != document.original:
            yield Fault(document, "the last line doesn't end", _HINT, place=(new.count(b"\n"), 1))


def _is_sound(document: Written) -> bool:
    """Whether it is worth a try: what is no document would be read as a whole, slowly, only to be refused."""
    return document.is_read and not document.faults and all(_is_row(row.data) for row in document.rows)


def _is_row(data: object) -> bool:
    if not isinstance(data, dict) or "model" in data:
        return False
    return all(isinstance(value, str) and value for value in (data.get("target_type"), data.get("id", "none")))


def _difference(document: Written, new: bytes) -> Fault:
    old = document.text.decode().split("\n")
    lines = new.decode().split("\n")
    number = next((at for at, (one, other) in enumerate(zip(old, lines, strict=False)) if one != other), len(lines))
    number = min(number, len(old) - 1)
    message = "the file isn't sorted" if sorted(old) == sorted(lines) else "not in canonical form"
    column = len(old[number]) - len(old[number].lstrip(" ")) + 1
    return Fault(document, f"{message}, here first", _HINT, place=(number + 1, column))
