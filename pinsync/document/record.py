"""The records of a parsed document: its text, cut at its blocks."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec import Struct

from pinsync import canonical
from pinsync.model import Customization

FORMAT: Final = 1

Known = Mapping[str, Mapping[bytes, Customization]]
"""Model → canonical text → customization, for blocks that need no reading."""

_LIST: Final = re.compile(rb"^customizations:", re.MULTILINE)


class Block(NamedTuple):
    """A customization in a document, with the comments around it.

    Attributes:
        gap: the lines above that belong to the place in the file: blank lines, and comments with a
            blank line below.
        lead: the comments directly above.
        body: its lines, including the comments among them.
        line: the line its body begins on, from 1.
        customization: its content.
    """

    gap: bytes
    lead: bytes
    body: bytes
    line: int
    customization: Customization


class Document(Struct, frozen=True):
    """A parsed file.

    Attributes:
        source: the file's path, or ``revision:path``.
        model: the recommender model.
        head: its text up to the first block.
        entries: its customizations in the order of the file.
        tail: comments and blank lines below the last one.
        crlf: whether the file's lines end in CRLF. All texts of this record have LF.
        bom: whether the file begins with a byte order mark. No text of this record has it.
        original: the file's bytes if `render` returns others, because the file lacks the last line
            end or had to be laid out anew.
    """

    source: str
    model: str
    head: bytes
    entries: tuple[Block, ...]
    tail: bytes
    crlf: bool = False
    bom: bool = False
    original: bytes | None = None

    def render(self) -> bytes:
        """Return the file's bytes, put together from the parts."""
        parts = [self.head if self.entries else render_empty_head(self.head)]
        for entry in self.entries:
            parts += (entry.gap, entry.lead, entry.body)
        parts.append(self.tail)
        return self.encode_like_file(b"".join(parts))

    def encode_like_file(self, text: bytes) -> bytes:
        """Return a new text as bytes with the line ends and the byte order mark of this file."""
        if self.crlf:
            text = text.replace(b"\n", b"\r\n")
        if self.bom:
            text = codecs.BOM_UTF8 + text
        return text


def render_head(model: str) -> bytes:
    """Return the lines above the first block of a new document."""
    return f"format: {FORMAT}\nmodel: {canonical.render_value(model)}\ncustomizations:\n".encode()


def render_document(model: str, customizations: Iterable[Customization]) -> bytes:
    """Return the canonical text of a document with customizations in any order."""
    texts = [item.text for item in sorted(customizations, key=canonical.build_sort_key)]
    head = render_head(model)
    if not texts:
        return render_empty_head(head)
    return b"".join((head, *texts))


def render_empty_head(head: bytes) -> bytes:
    """Return a head for a document without customizations."""
    # Without the brackets, the value would be null instead of an empty list.
    return _LIST.sub(b"customizations: []", head)
