"""A file's text → the customizations of a model, each in a block with its comments.

A file that is laid out as pinsync does it is cut at its blocks' first lines, and a block whose bytes are canonical text
is believed without YAML being parsed. Comments are looked through; anything else is left to a YAML parser, first block
by block, then as a whole.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pinsync import canonical
from pinsync.canonical.normalize import build_customization
from pinsync.document.cut import (
    Cut,
    cut_at_blank_line,
    cut_document,
    cut_off_comments,
    drop_comments,
    has_other_lines,
    to_unix,
)
from pinsync.document.loader import load
from pinsync.document.record import Block, Document, Known
from pinsync.errors import DataError, FileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.canonical import normalize
    from pinsync.model import Customization

_COMMENTS: Final = rb"(?:[ ]*(?:#[^\n]*)?\n)*"
_END: Final = rb"[ ]*(?:[ ]#[^\n]*)?\n"
_HEAD: Final = re.compile(
    _COMMENTS + rb"(?:---" + _END + _COMMENTS + rb")?format: 1" + _END + _COMMENTS
    + rb"""model: ([^\s"'#]+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*')""" + _END + _COMMENTS + rb"customizations:" + _END
)  # fmt: skip


def parse_document(text: bytes, source: str, *, known: Known | None = None, ignore: normalize.Ignored = ()) -> Document:
    """Read a document.

    Args:
        text: the file's bytes.
        source: the file's path, or ``revision:path``, for messages.
        known: by model, the canonical texts that need no reading, with what they say.
        ignore: paths of fields that don't count.

    Raises:
        FileError: the text isn't a document.
    """
    reader = _Reader(source, known or {}, ignore)
    crlf, bom = b"\r\n" in text, text.startswith(codecs.BOM_UTF8)
    lines = to_unix(text)
    read = reader.by_blocks(lines)
    is_same = read is not None and lines.count(b"\n") == text.count(b"\r\n" if crlf else b"\n")
    return replace(read or reader.as_a_whole(lines), crlf=crlf, bom=bom, original=None if is_same else text)


class _IrregularError(Exception):
    """The text isn't laid out as pinsync lays it out, so that it can't be cut by lines."""


@dataclass(frozen=True, slots=True)
class _Reader:
    source: str
    known: Known
    ignore: normalize.Ignored

    def by_blocks(self, text: bytes) -> Document | None:
        """Read a text that is laid out as pinsync does it; None if it isn't, or is at fault somewhere."""
        cut = cut_document(text)
        head, between = cut_off_comments(cut.head)
        top = _HEAD.fullmatch(head)
        if not top or not cut.has_blocks or not text.endswith(b"\n"):
            return None
        try:
            return self._document(self._model(top), cut, head, between)
        except _IrregularError:
            return None

    def _model(self, top: re.Match[bytes]) -> str:
        model = canonical.read_value(top[1])
        if model is None:
            try:
                model = load(top[1], self.source).data
            except FileError as error:
                raise _IrregularError from error
        if not isinstance(model, str) or not model:
            raise _IrregularError
        return model

    def _document(self, model: str, cut: Cut, head: bytes, between: bytes) -> Document:
        """Read the blocks of a text that is cut.

        Args:
            model: the recommender model.
            cut: the text.
            head: its head without the comments below.
            between: the comments between the head and the first block.
        """
        self._check_comments(head)
        known = self.known.get(model, {})
        entries: list[Block] = []
        for region, line in zip(cut.blocks(), cut.lines(), strict=True):
            gap = lead = b""
            if between:
                self._check_comments(between)
                gap, lead = cut_at_blank_line(between)
            body, between, item = self._block(region, model, known)
            entries.append(Block(gap, lead, body, line, item))
        self._check_comments(between)
        return Document(self.source, model, head, tuple(entries), between)

    def _block(
        self, region: bytes, model: str, known: Mapping[bytes, Customization]
    ) -> tuple[bytes, bytes, Customization]:
        """Return a block, the comments below it, and what it says."""
        if found := known.get(region):
            return found.text, b"", found  # the same bytes, but held once
        body, below = cut_off_comments(region)
        plain = drop_comments(body)
        if found := known.get(plain):
            self._check_comments(body)
            return body, below, found
        row: Mapping[str, Any] | None
        try:
            if (row := canonical.read(plain.decode())) is not None:
                self._check_comments(body)
            else:
                body, below, row = self._block_by_hand(region)
            if "model" in row:
                raise _IrregularError
            return body, below, build_customization(row, model=model, ignore=self.ignore)
        except (DataError, FileError, UnicodeDecodeError) as error:
            raise _IrregularError from error  # the whole is read again, to say where

    def _block_by_hand(self, region: bytes) -> tuple[bytes, bytes, Mapping[str, Any]]:
        if has_other_lines(region):
            raise _IrregularError
        loaded = load(region, self.source)
        rows = loaded.data
        if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict):
            raise _IrregularError
        # What looks like a comment may be the end of a text in a literal block, and so may blank lines.
        comments = {line for line, _, _ in loaded.comments}
        lines = region.splitlines(keepends=True)
        end = len(lines)
        while not lines[end - 1].strip() or (end in comments and lines[end - 1].lstrip()[:1] == b"#"):
            end -= 1
        if end < len(lines) and load(b"".join(lines[:end]), self.source).data != rows:
            while end < len(lines) and not lines[end].strip():
                end += 1
        return b"".join(lines[:end]), b"".join(lines[end:]), rows[0]

    def _check_comments(self, part: bytes) -> None:
        """Leave it to the YAML parser to refuse a comment that other readers would take for more, or can't read."""
        try:
            if part.decode().replace("\n", "").isprintable():
                return
            load(part, self.source)
        except (FileError, UnicodeDecodeError) as error:
            raise _IrregularError from error

    def as_a_whole(self, text: bytes) -> Document:
        """Read any YAML, and lay it out anew with its comments, so that it can be cut."""
        from pinsync.document.irregular import lay_out  # noqa: PLC0415 - a file in sync is read without it

        laid_out = lay_out(text, self.source)
        if not laid_out.lines:
            head, tail = cut_off_comments(laid_out.text)
            return Document(self.source, laid_out.model, head, (), tail)
        document = self.by_blocks(laid_out.text)
        if document is None:
            raise AssertionError(f"{self.source}: laid out anew, it still can't be cut")
        entries = (entry._replace(line=line) for entry, line in zip(document.entries, laid_out.lines, strict=True))
        return replace(document, entries=tuple(entries))
