"""Load documents, and parts of them, with a YAML parser that knows which fields hold text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.canonical import fields

if TYPE_CHECKING:
    from pinsync.yamlio import Loaded, Path


def load(text: bytes, source: str, above: int = 0) -> Loaded:
    """Load a document, a list of customizations, or the name of a model.

    Args:
        text: the YAML, with LF.
        source: the file's name for messages.
        above: how many lines of the file stand above the text.

    Raises:
        FileError: the text isn't YAML that pinsync reads; with line and column.
    """
    from pinsync import yamlio  # noqa: PLC0415 - ruamel costs 25 ms; canonical text needs none

    return yamlio.load(text, source, above=above, holds_text=_holds_text)


def _holds_text(path: Path) -> bool:
    if path in ((), ("model",)):
        return True
    # A block that is read by itself is a list, so its paths begin with an index.
    field = path[2:] if path[0] == "customizations" else path[1:]
    return fields.holds_text(field)
