"""Parse a file's text into the customizations of a model, each in a block with its comments.

A file in the layout of pinsync is cut at the first lines of its blocks, and a block whose bytes are
canonical text is read without the YAML parser. The parser reads any other block, or the whole file
if the file has another layout.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync import canonical
from pinsync.canonical.normalize import build_customization
from pinsync.document.cut import (
    Cut,
    convert_to_unix,
    cut_at_blank_line,
    cut_document,
    cut_off_comments,
    drop_comments,
    has_other_lines,
)
from pinsync.document.loader import load
from pinsync.document.record import Block, Document, Known
from pinsync.errors import DataError, FileError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pinsync.canonical import normalize
    from pinsync.model import Customization

_COMMENTS: Final = rb"(?:[ ]*(?:#[^\n]*)?\n)*"
_END: Final = rb"[ ]*(?:[ ]#[^\n]*)?\n"
_HEAD: Final = re.compile(
    _COMMENTS + rb"(?:---" + _END + _COMMENTS + rb")?format: 1" + _END + _COMMENTS
    + rb"""model: ([^\s"'#]+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*')""" + _END
    + _COMMENTS + rb"customizations:" + _END
)  # fmt: skip
# Cut at its first lines, a text would have such a block as a part of the block above.
_LONE_DASH: Final = re.compile(rb"\n  -[^ ]")
"""The beginning of a block whose first line has the dash alone."""


def parse_document(
    text: bytes, source: str, *, known: Known | None = None, ignore: normalize.Ignored = ()
) -> Document:
    """Read a document.

    Args:
        text: the file's bytes.
        source: the file's path, or ``revision:path``, for messages.
        known: model → canonical text → customization, for blocks that need no reading.
        ignore: paths of fields to leave out.

    Raises:
        FileError: the text isn't a document.
    """
    reader = _Reader(source, known or {}, ignore)
    crlf, bom = b"\r\n" in text, text.startswith(codecs.BOM_UTF8)
    lines = convert_to_unix(text)
    document = reader.read_by_blocks(lines)
    # Mixed line ends, and a missing last line end, can't be restored from the document.
    is_same = document is not None and lines.count(b"\n") == text.count(b"\r\n" if crlf else b"\n")
    document = document or reader.read_as_a_whole(lines)
    return replace(document, crlf=crlf, bom=bom, original=None if is_same else text)


def cut_regular_document(text: bytes, source: str) -> tuple[str, Cut] | None:
    """Cut a document without reading its blocks.

    The blocks of a text that `parse_document` can read are the document's customizations. If it
    can't read the text, they may be anything.

    Args:
        text: the file's bytes.
        source: the file's path, or ``revision:path``, for messages.

    Returns:
        The model, and the text with LF, cut at its blocks; None if only the YAML parser can find
        the blocks.
    """
    lines = convert_to_unix(text)
    # A block whose first line has the dash alone would seem to be a part of the block above.
    if lines.count(b"\n  -") != lines.count(b"\n  - "):
        return None
    return _Reader(source, {}, ()).cut_by_blocks(lines)


def parse_other_blocks(
    text: bytes,
    source: str,
    passed: Collection[bytes],
    *,
    known: Known | None = None,
    ignore: normalize.Ignored = (),
) -> Document | None:
    """Read the blocks of a document except for some.

    Args:
        text: the file's bytes.
        source: the file's path, or ``revision:path``, for messages.
        passed: the blocks to pass over, as `cut_regular_document` cuts them.
        known: model → canonical text → customization, for blocks that need no reading.
        ignore: paths of fields to leave out.

    Returns:
        A document that lacks blocks, and so can't be rendered; None if only `parse_document` can
        read the text, or can say what is wrong with it.
    """
    reader = _Reader(source, known or {}, ignore, passed)
    return reader.read_by_blocks(convert_to_unix(text))


class _IrregularError(Exception):
    """The text isn't in the layout of pinsync, and so can't be cut by lines."""


class _Reader(Struct, frozen=True):
    source: str
    known: Known
    ignore: normalize.Ignored
    passed: Collection[bytes] = ()

    def read_by_blocks(self, text: bytes) -> Document | None:
        """Read a text in the layout of pinsync; None if it has another layout or a fault."""
        found = self.cut_by_blocks(text)
        try:
            return None if found is None else self._read_blocks(*found)
        except _IrregularError:
            return None

    def cut_by_blocks(self, text: bytes) -> tuple[str, Cut] | None:
        """Return the model and the cut text; None if it hasn't the layout of pinsync."""
        cut = cut_document(text)
        head, _ = cut_off_comments(cut.head)
        top = _HEAD.fullmatch(head)
        if not top or not cut.has_blocks or not text.endswith(b"\n"):
            return None
        try:
            return self._read_model(top), cut
        except _IrregularError:
            return None

    def _read_model(self, top: re.Match[bytes]) -> str:
        model = canonical.read_value(top[1])
        if model is None:
            try:
                model = load(top[1], self.source).data
            except FileError as error:
                raise _IrregularError from error
        if not isinstance(model, str) or not model:
            raise _IrregularError
        return model

    def _read_blocks(self, model: str, cut: Cut) -> Document:
        """Read the blocks of a text.

        Args:
            model: the recommender model.
            cut: the text, cut at its blocks.
        """
        head, between = cut_off_comments(cut.head)
        self._check_comments(head)
        known = self.known.get(model, {})
        entries: list[Block] = []
        for region, line in zip(cut.split_blocks(), cut.locate_blocks(), strict=True):
            # The first condition spares the hash of each block where none is passed over.
            if self.passed and region in self.passed:
                between = b""
                continue
            gap = lead = b""
            if between:
                self._check_comments(between)
                gap, lead = cut_at_blank_line(between)
            body, between, item = self._read_block(region, model, known)
            entries.append(Block(gap, lead, body, line, item))
        self._check_comments(between)
        return Document(self.source, model, head, tuple(entries), between)

    def _read_block(
        self, region: bytes, model: str, known: Mapping[bytes, Customization]
    ) -> tuple[bytes, bytes, Customization]:
        """Return a block, the comments below it, and its customization."""
        if known_item := known.get(region):
            # The bytes of the known customization are equal, and so are kept in memory only once.
            return known_item.text, b"", known_item
        body, below = cut_off_comments(region)
        if item := known.get(body) or self._read_canonical_block(body, model):
            return body, below, item
        plain = drop_comments(body)
        if known_item := known.get(plain):
            self._check_comments(body)
            return body, below, known_item
        row: Mapping[str, Any] | None
        try:
            row = canonical.read(plain.decode())
            if row is None:
                body, below, row = self._parse_block(region)
            else:
                self._check_comments(body)
            if "model" in row:
                raise _IrregularError
            return body, below, build_customization(row, model=model, ignore=self.ignore)
        except (DataError, FileError, UnicodeDecodeError) as error:
            # The whole file is read again, and the error then names the line.
            raise _IrregularError from error

    def _read_canonical_block(self, body: bytes, model: str) -> Customization | None:
        """Return the customization of a block that is its canonical text, else None."""
        try:
            row = canonical.read_rendered(body.decode())
            if row is None:
                return None
            item = build_customization(row, model=model)
            if self.ignore and item.text == body:
                return build_customization(row, model=model, ignore=self.ignore)
        except (DataError, UnicodeDecodeError):
            return None
        # A block that equals the text of its data was read right, and needs no second look.
        return item if item.text == body else None

    def _parse_block(self, region: bytes) -> tuple[bytes, bytes, Mapping[str, Any]]:
        """Return a block that a person has edited, the comments below it, and its fields."""
        if has_other_lines(region):
            raise _IrregularError
        loaded = load(region, self.source)
        rows = loaded.data
        if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict):
            raise _IrregularError
        # The last lines may look like comments or be blank, and yet belong to a text behind `|`.
        comments = {line for line, _, _ in loaded.comments}
        lines = region.splitlines(keepends=True)
        end = len(lines)
        while not lines[end - 1].strip() or (
            end in comments and lines[end - 1].lstrip()[:1] == b"#"
        ):
            end -= 1
        if end < len(lines) and load(b"".join(lines[:end]), self.source).data != rows:
            while end < len(lines) and not lines[end].strip():
                end += 1
        return b"".join(lines[:end]), b"".join(lines[end:]), rows[0]

    def _check_comments(self, part: bytes) -> None:
        """Raise an error if YAML readers may misread a comment, or can't read it."""
        try:
            if part.decode().replace("\n", "").isprintable():
                return
            # The parser refuses characters such as U+2028, a line break in YAML 1.1.
            load(part, self.source)
        except (FileError, UnicodeDecodeError) as error:
            raise _IrregularError from error

    def read_as_a_whole(self, text: bytes) -> Document:
        """Read any YAML document, and lay it out anew with its comments, so that it can be cut."""
        from pinsync.document.irregular import lay_out_document  # noqa: PLC0415 - loads the YAML parser

        laid_out = lay_out_document(text, self.source)
        if not laid_out.lines:
            head, tail = cut_off_comments(laid_out.text)
            return Document(self.source, laid_out.model, head, (), tail)
        document = self.read_by_blocks(laid_out.text)
        if document is None:
            raise AssertionError(f"{self.source}: laid out anew, it still can't be cut")
        # Messages name the lines of the file, not those of the new layout.
        entries = []
        for entry, line in zip(document.entries, laid_out.lines, strict=True):
            entries.append(entry._replace(line=line))
        return replace(document, entries=tuple(entries))
