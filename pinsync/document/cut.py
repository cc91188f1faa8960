"""A document's text, cut into its head and its blocks, and the comments between the blocks.

Nothing is interpreted here: a text without blocks or with a wrong head is cut, too.
"""

from __future__ import annotations

import codecs
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# As a pattern: a search for the same bytes with `find` takes three times as long.
_BLOCK: Final = re.compile(rb"\n  - ")
"""The beginning of a block's first line, and of no other line, in the layout of pinsync."""
_OPENS_TEXT: Final = re.compile(rb"(?:.*[ ])?[|>](?:[1-9]?\+?|\+[1-9])[ ]*(?:[ ]#.*)?")
"""A line that may open a text behind ``|`` or ``>``, its indentation aside."""

_OTHER_LINE: Final = re.compile(rb"^(?!    |[ ]*(?:#|$))", re.MULTILINE)
"""A line that isn't indented enough for a block, as the block's first line isn't."""
SKIPPED_LINE: Final = re.compile(rb"^[ ]*(?:#[^\n]*)?\n", re.MULTILINE)
"""A line that is blank, or a comment."""
_SCALAR: Final = rb"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\s"'#]+)"""
_REMARK: Final = re.compile(
    rb"^([ ]*(?:- )*" + _SCALAR + rb":?(?: " + _SCALAR + rb")?)[ ]+#[^\n]*$", re.MULTILINE
)
"""A line with a comment at its end; the group holds the rest of the line."""


class Cut(NamedTuple):
    """A document's text, cut at the first line of each block.

    The comments between two blocks stay with the upper one. Only a reader can tell them from the
    end of a text behind ``|`` there; see `cut_off_comments`.

    Attributes:
        text: the whole text.
        edges: where the head ends, and where each block ends.
    """

    text: bytes
    edges: Sequence[int]

    @property
    def head(self) -> bytes:
        """Return the lines above the first block; the whole text if there is no block."""
        return self.text[: self.edges[0]]

    @property
    def has_blocks(self) -> bool:
        """Return whether there is a block."""
        return len(self.edges) > 1

    def split_blocks(self) -> Iterator[bytes]:
        """Yield the lines of each block, with the comments and blank lines up to the next block."""
        # A generator: reading a large file takes a fifth longer if all blocks are copied first.
        for begin, end in pairwise(self.edges):
            yield self.text[begin:end]

    def locate_blocks(self) -> Iterator[int]:
        """Yield the line, from 1, that each block begins on."""
        line = self.text.count(b"\n", 0, self.edges[0]) + 1
        for begin, end in pairwise(self.edges):
            yield line
            line += self.text.count(b"\n", begin, end)


def cut_document(text: bytes) -> Cut:
    """Cut a document's text, whose lines end in LF, at the first line of each block."""
    edges = [found.start() + 1 for found in _BLOCK.finditer(text)]
    return Cut(text, [*edges, len(text)])


def cut_blocks(text: bytes) -> list[bytes]:
    """Cut a part of a document that begins with a block, or is empty."""
    return list(cut_document(b"\n" + text).split_blocks())


def convert_to_unix(text: bytes) -> bytes:
    """Return a file's text without a byte order mark, with LF at the end of every line.

    The last line gets one, too, unless it may stand in a text behind ``|`` or ``>``, which would
    gain a line end.
    """
    lines = text.removeprefix(codecs.BOM_UTF8)
    # A search for one byte takes a twentieth of the time of a search for two.
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    if not lines or lines.endswith(b"\n") or _may_end_in_text(lines):
        return lines
    return lines + b"\n"


def _may_end_in_text(text: bytes) -> bool:
    """Return whether a line may open a text that the last line is a part of."""
    # All lines below the opening line are blank or indented more.
    *lines, last = text.split(b"\n")
    # A last line of blanks belongs to any text, so its indentation rules out none.
    least = len(last) - len(last.lstrip(b" ")) if last.strip(b" ") else len(text)
    for line in reversed(lines):
        indentation = len(line) - len(line.lstrip(b" "))
        # Blank lines may be indented less than the text they are in (YAML 1.2.2, section 8.1).
        if indentation == len(line):
            continue
        if indentation < least and _OPENS_TEXT.fullmatch(line, indentation):
            return True
        least = min(least, indentation)
        if least == 0:
            break
    return False


def has_other_lines(block: bytes) -> bool:
    """Return whether a line below the first one is indented too little for a block."""
    _, _, below = block.partition(b"\n")
    return _OTHER_LINE.search(below) is not None


def drop_comments(body: bytes) -> bytes:
    """Remove the comments and blank lines of a block of canonical text.

    The result for any other block may be wrong. A caller therefore has to check that the result is
    canonical text.
    """
    return _REMARK.sub(rb"\1", SKIPPED_LINE.sub(b"", body))


def cut_off_comments(text: bytes) -> tuple[bytes, bytes]:
    """Split a head or a block from the comments and blank lines below it."""
    end = len(text)
    # From the end, since only the last lines of a large block are looked at.
    while True:
        begin = text.rfind(b"\n", 0, end - 1) + 1
        if begin == 0 or text[begin:end].lstrip(b" ")[:1] not in b"#\n":
            return text[:end], text[end:]
        end = begin


def cut_at_blank_line(between: bytes) -> tuple[bytes, bytes]:
    """Split the lines between two blocks into the gap and the comments of the second block."""
    lines = between.splitlines(keepends=True)
    blank = max((number for number, line in enumerate(lines, 1) if not line.strip()), default=0)
    return b"".join(lines[:blank]), b"".join(lines[blank:])
