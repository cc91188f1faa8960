"""A document as records: a file's text, cut at its blocks."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from pinsync import canonical
from pinsync.model import Customization

FORMAT: Final = 1

Known = Mapping[str, Mapping[bytes, Customization]]

_LIST: Final = re.compile(rb"^customizations:", re.MULTILINE)


class Block(NamedTuple):
    """A customization where it stands in a document.

    Attributes:
        gap: what stands above it for the place in the file: blank lines, and comments with a blank line below.
        lead: the comments directly above.
        body: its lines, comments among them included.
        line: the line its body begins on, from 1.
        customization: what it says.
    """

    gap: bytes
    lead: bytes
    body: bytes
    line: int
    customization: Customization


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read.

    Attributes:
        source: the file's path, or ``revision:path``.
        model: the recommender model.
        head: its text up to the first block.
        entries: its customizations in the order of the file.
        tail: comments and blank lines below the last one.
        crlf: whether its lines end in CRLF; every text here has LF.
        bom: whether it begins with a byte order mark; no text here has it.
        original: the file's bytes, where `text` isn't the same: without a last line end, or not laid out by lines.
    """

    source: str
    model: str
    head: bytes
    entries: tuple[Block, ...]
    tail: bytes
    crlf: bool = False
    bom: bool = False
    original: bytes | None = None

    def text(self) -> bytes:
        """Return the file's text, as it can be cut."""
        parts = (part for entry in self.entries for part in (entry.gap, entry.lead, entry.body))
        head = self.head if self.entries else empty_head(self.head)
        return self.to_file(b"".join((head, *parts, self.tail)))

    def to_file(self, text: bytes) -> bytes:
        """Return the bytes of a file with this text, and the line ends and byte order mark of this one."""
        lines = text.replace(b"\n", b"\r\n") if self.crlf else text
        return codecs.BOM_UTF8 + lines if self.bom else lines


def document_head(model: str) -> bytes:
    """Return what stands above the first block of a document that pinsync begins."""
    return f"format: {FORMAT}\nmodel: {canonical.value_text(model)}\ncustomizations:\n".encode()


def render_document(model: str, customizations: Iterable[Customization]) -> bytes:
    """Return the canonical text of a document; ``customizations`` come in any order."""
    texts = [item.text for item in sorted(customizations, key=canonical.order)]
    return b"".join((document_head(model), *texts)) if texts else empty_head(document_head(model))


def empty_head(head: bytes) -> bytes:
    """Return a head for a document without customizations: with an empty list, where there would be null."""
    return _LIST.sub(b"customizations: []", head)
