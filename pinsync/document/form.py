"""The canonical form of a whole document, with every comment kept: what ``pinsync fmt`` writes."""

from __future__ import annotations

from pinsync import canonical
from pinsync.document.merge import carry_comments, put_comments_above
from pinsync.document.parse import parse_document
from pinsync.document.record import document_head, empty_head

_STEPS = 4


def formatted(text: bytes, source: str) -> bytes:
    """Return a document in canonical form: blocks sorted, each in its canonical text, comments at what they stand on.

    Comments with a blank line below stay at their place in the file; other blank lines go, and so does what canonical
    text doesn't write. What is formatted already comes back as it is.

    Args:
        text: the file's bytes; lines may end in CRLF, and end in LF afterwards. A byte order mark goes.
        source: the file's path, for messages.

    Raises:
        FileError: the text isn't a document; with line and column.
    """
    # A comment whose key goes may find its place in two steps: out of the pin, then out of the block.
    for _ in range(_STEPS):
        before, text = text, _laid_out(text, source)
        if text == before:
            break
    return text


def _laid_out(text: bytes, source: str) -> bytes:
    read = parse_document(text, source)
    ranked = sorted(read.entries, key=lambda entry: canonical.order(entry.customization))
    head = _head(read.head, read.model, source)
    parts = [head if ranked else empty_head(head)]
    for place, entry in zip(read.entries, ranked, strict=True):
        item = entry.customization
        block = item.text if entry.body == item.text else carry_comments(entry, item)
        parts += (_comments(place.gap, b"  "), put_comments_above(_comments(entry.lead, b"  "), block))
    return b"".join((*parts, _comments(read.tail, b""))).rstrip(b"\n") + b"\n"


def _head(head: bytes, model: str, source: str) -> bytes:
    if head == document_head(model):
        return head
    from pinsync.document.irregular import lay_out  # noqa: PLC0415 - a head without comments needs no YAML

    return lay_out(head, source).text


def _comments(between: bytes, indent: bytes) -> bytes:
    """Indent comments as what stands below them, with one blank line where there are any below one of them."""
    lines: list[bytes] = []
    for line in between.splitlines():
        if comment := line.lstrip(b" "):
            lines.append(indent + comment)
        elif lines and lines[-1]:
            lines.append(b"")
    return b"".join(line + b"\n" for line in lines)
