"""The canonical form of a whole document, with all its comments: the output of ``pinsync fmt``."""

from __future__ import annotations

from typing import Final

from pinsync import canonical
from pinsync.document.merge import carry_comments, put_comments_above
from pinsync.document.parse import parse_document
from pinsync.document.record import render_empty_head, render_head

_MAX_PASSES: Final = 4


def format_document(text: bytes, source: str) -> bytes:
    """Return a document in canonical form.

    The blocks are sorted, each is in its canonical text, and its comments stay with it. Comments
    with a blank line below keep their place in the file. Other blank lines are removed, and so is
    noise: keys that canonical text doesn't write.

    Args:
        text: the file's bytes. CRLF becomes LF, and a byte order mark is removed.
        source: the file's path, for messages.

    Raises:
        FileError: the text isn't a document; with line and column.
    """
    # A comment on noise may need two passes to its place: out of the pin, then out of the block.
    for _ in range(_MAX_PASSES):
        before, text = text, _lay_out_once(text, source)
        if text == before:
            break
    return text


def _lay_out_once(text: bytes, source: str) -> bytes:
    document = parse_document(text, source)
    ranked = sorted(
        document.entries, key=lambda entry: canonical.build_sort_key(entry.customization)
    )
    head = _lay_out_head(document.head, document.model, source)
    parts = [head if ranked else render_empty_head(head)]
    # The gaps stay in the order of the file, while the blocks with their own comments are sorted.
    for place, entry in zip(document.entries, ranked, strict=True):
        block = entry.customization.text
        if entry.body != block:
            block = carry_comments(entry, entry.customization)
        lead = _indent_comments(entry.lead, b"  ")
        parts += (_indent_comments(place.gap, b"  "), put_comments_above(lead, block))
    parts.append(_indent_comments(document.tail, b""))
    return b"".join(parts).rstrip(b"\n") + b"\n"


def _lay_out_head(head: bytes, model: str, source: str) -> bytes:
    if head == render_head(model):
        return head
    from pinsync.document.irregular import lay_out_document  # noqa: PLC0415 - loads the YAML parser

    return lay_out_document(head, source).text


def _indent_comments(between: bytes, indent: bytes) -> bytes:
    """Indent comments like the block below, and merge the blank lines below a comment into one."""
    lines: list[bytes] = []
    for line in between.splitlines():
        comment = line.lstrip(b" ")
        if comment:
            lines.append(indent + comment)
        elif lines and lines[-1]:
            lines.append(b"")
    return b"".join(line + b"\n" for line in lines)
