"""Where a document can be cut: its head, the first lines of its blocks, and the comments between them."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENS_TEXT: Final = re.compile(rb"(?:.*[ ])?[|>](?:[1-9]?\+?|\+[1-9])[ ]*(?:[ ]#.*)?")
"""A line that may open a text behind ``|`` or ``>``, its indentation aside."""

OTHER_LINE: Final = re.compile(rb"^(?!    |[ ]*(?:#|$))", re.MULTILINE)
"""A line that stands in no block, but for the first of one."""
SKIPPED_LINE: Final = re.compile(rb"^[ ]*(?:#[^\n]*)?\n", re.MULTILINE)
"""A line that is blank, or a comment."""
_COMMENTS: Final = rb"(?:[ ]*(?:#[^\n]*)?\n)*"
_END: Final = rb"[ ]*(?:[ ]#[^\n]*)?\n"
HEAD: Final = re.compile(
    _COMMENTS + rb"(?:---" + _END + _COMMENTS + rb")?format: 1" + _END + _COMMENTS
    + rb"""model: ([^\s"'#]+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*')""" + _END + _COMMENTS + rb"customizations:" + _END
)  # fmt: skip
_SCALAR: Final = rb"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\s"'#]+)"""
_REMARK: Final = re.compile(rb"^([ ]*(?:- )*" + _SCALAR + rb":?(?: " + _SCALAR + rb")?)[ ]+#[^\n]*$", re.MULTILINE)


def to_unix(text: bytes) -> bytes:
    """Return a file's text without a byte order mark, with LF at the end of every line.

    The last line gets one, too, unless it may stand in a text behind ``|`` or ``>``, which would
    gain a line end.
    """
    lines = text.removeprefix(codecs.BOM_UTF8)
    if b"\r\n" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    if not lines or lines.endswith(b"\n") or _may_end_in_text(lines):
        return lines
    return lines + b"\n"


def _may_end_in_text(text: bytes) -> bool:
    """Return whether a line may open a text that the last line is a part of.

    All lines below the opening line are blank or indented more.
    """
    *lines, last = text.split(b"\n")
    least = len(last) - len(last.lstrip(b" ")) if last.strip(b" ") else len(text)
    for line in reversed(lines):
        indentation = len(line) - len(line.lstrip(b" "))
        if indentation == len(line):
            continue
        if indentation < least and _OPENS_TEXT.fullmatch(line, indentation):
            return True
        least = min(least, indentation)
        if least == 0:
            break
    return False


def find_blocks(text: bytes, at: int = 0) -> Iterator[int]:
    """Yield where the lines begin that may be the first of a block."""
    while (at := text.find(b"\n  - ", at)) >= 0:
        at += 1
        yield at


def drop_comments(body: bytes) -> bytes:
    """Take out what is a comment if the rest is canonical text; if it isn't, nobody believes the result."""
    return _REMARK.sub(rb"\1", SKIPPED_LINE.sub(b"", body))


def cut_off_comments(region: bytes) -> tuple[bytes, bytes]:
    """Split a block from the comments and blank lines below it."""
    end = len(region)
    while True:
        begin = region.rfind(b"\n", 0, end - 1) + 1
        if begin == 0 or region[begin:end].lstrip(b" ")[:1] not in b"#\n":
            return region[:end], region[end:]
        end = begin


def cut_at_blank_line(between: bytes) -> tuple[bytes, bytes]:
    """Split what stands between two blocks into the part for the place and the comments of the second."""
    lines = between.splitlines(keepends=True)
    blank = max((number for number, line in enumerate(lines, 1) if not line.strip()), default=0)
    return b"".join(lines[:blank]), b"".join(lines[blank:])
