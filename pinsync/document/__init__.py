"""One file's text ⇄ the customizations of a model, each in a block with its comments.

A file that is laid out as pinsync does it is cut at its blocks' first lines, and a block whose bytes are canonical text
is believed without YAML being parsed. Comments are looked through; anything else is left to a YAML parser, first block
by block, then as a whole.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import Any, Final, NamedTuple

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.canonical.normalize import build_customization
from pinsync.errors import DataError, FileError
from pinsync.model import Customization

FORMAT: Final = 1

Known = Mapping[str, Mapping[bytes, Customization]]


class Entry(NamedTuple):
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
    entries: tuple[Entry, ...]
    tail: bytes
    crlf: bool = False
    bom: bool = False
    original: bytes | None = None

    def text(self) -> bytes:
        """Return the file's text, as it can be cut."""
        parts = (part for entry in self.entries for part in (entry.gap, entry.lead, entry.body))
        head = self.head if self.entries else of_none(self.head)
        return self.to_file(b"".join((head, *parts, self.tail)))

    def to_file(self, text: bytes) -> bytes:
        """Return the bytes of a file with this text, and the line ends and byte order mark of this one."""
        lines = text.replace(b"\n", b"\r\n") if self.crlf else text
        return codecs.BOM_UTF8 + lines if self.bom else lines


def head(model: str) -> bytes:
    """Return what stands above the first block of a document that pinsync begins."""
    return f"format: {FORMAT}\nmodel: {canonical.value_text(model)}\ncustomizations:\n".encode()


def render(model: str, customizations: Iterable[Customization]) -> bytes:
    """Return the canonical text of a document; ``customizations`` come in any order."""
    texts = [item.text for item in sorted(customizations, key=canonical.order)]
    return b"".join((head(model), *texts)) if texts else of_none(head(model))


def of_none(head: bytes) -> bytes:
    """Return a head for a document without customizations: with an empty list, where there would be null."""
    return _LIST.sub(b"customizations: []", head)


_LIST: Final = re.compile(rb"^customizations:", re.MULTILINE)


def parse(text: bytes, source: str, *, known: Known | None = None, ignore: normalize.Ignored = ()) -> Document:
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


_OPENS_TEXT: Final = re.compile(rb"(?:.*[ ])?[|>](?:[1-9]?\+?|\+[1-9])[ ]*(?:[ ]#.*)?")
"""A line that may open a text behind ``|`` or ``>``, its indentation aside."""


def begins(text: bytes, at: int = 0) -> Iterator[int]:
    """Yield where the lines begin that may be the first of a block."""
    while (at := text.find(b"\n  - ", at)) >= 0:
        at += 1
        yield at


OTHER_LINE: Final = re.compile(rb"^(?!    |[ ]*(?:#|$))", re.MULTILINE)
"""A line that stands in no block, but for the first of one."""
SKIPPED_LINE: Final = re.compile(rb"^[ ]*(?:#[^\n]*)?\n", re.MULTILINE)
"""A line that is blank, or a comment."""
_COMMENTS: Final = rb"(?:[ ]*(?:#[^\n]*)?\n)*"
_END: Final = rb"[ ]*(?:[ ]#[^\n]*)?\n"
_HEAD: Final = re.compile(
    _COMMENTS + rb"(?:---" + _END + _COMMENTS + rb")?format: 1" + _END + _COMMENTS
    + rb"""model: ([^\s"'#]+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*')""" + _END + _COMMENTS + rb"customizations:" + _END
)  # fmt: skip
_SCALAR: Final = rb"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\s"'#]+)"""
_REMARK: Final = re.compile(rb"^([ ]*(?:- )*" + _SCALAR + rb":?(?: " + _SCALAR + rb")?)[ ]+#[^\n]*$", re.MULTILINE)


def _without_comments(body: bytes) -> bytes:
    """Take out what is a comment if the rest is canonical text; if it isn't, nobody believes the result."""
    return _REMARK.sub(rb"\1", SKIPPED_LINE.sub(b"", body))


class _IrregularError(Exception):
    """The text isn't laid out as pinsync lays it out, so that it can't be cut by lines."""


@dataclass(frozen=True, slots=True)
class _Reader:
    source: str
    known: Known
    ignore: normalize.Ignored

    def by_blocks(self, text: bytes) -> Document | None:
        """Cut a text that is laid out as pinsync does it; None if it isn't, or is at fault somewhere."""
        top = _HEAD.match(text)
        if not top or not text.endswith(b"\n"):
            return None
        try:
            return self._cut(text, top.end(), self._model(top))
        except _IrregularError:
            return None

    def _model(self, top: re.Match[bytes]) -> str:
        model = canonical.read_value(top[1])
        if model is None:
            from pinsync.document.loader import load  # noqa: PLC0415 - a name in its canonical form is read without it

            try:
                model = load(top[1], self.source).data
            except FileError as error:
                raise _IrregularError from error
        if not isinstance(model, str) or not model:
            raise _IrregularError
        return model

    def _cut(self, text: bytes, at: int, model: str) -> Document:
        firsts = [*begins(text, at - 1), len(text)]
        between = text[at : firsts[0]]
        if len(firsts) == 1 or SKIPPED_LINE.sub(b"", between):
            raise _IrregularError
        line = text.count(b"\n", 0, firsts[0]) + 1
        known = self.known.get(model, {})
        entries: list[Entry] = []
        for begin, end in pairwise(firsts):
            region = text[begin:end]
            gap = lead = b""
            if between:
                self._check_comments(between)
                gap, lead = _cut_at_blank_line(between)
            body, between, item = self._block(region, model, known)
            entries.append(Entry(gap, lead, body, line, item))
            line += region.count(b"\n")
        self._check_comments(between)
        self._check_comments(text[:at])
        return Document(self.source, model, text[:at], tuple(entries), between)

    def _block(
        self, region: bytes, model: str, known: Mapping[bytes, Customization]
    ) -> tuple[bytes, bytes, Customization]:
        """Return a block, the comments below it, and what it says."""
        if found := known.get(region):
            return found.text, b"", found  # the same bytes, but held once
        body, below = _cut_off_comments(region)
        plain = _without_comments(body)
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
        from pinsync.document.loader import load  # noqa: PLC0415 - a file in sync is read without it

        if OTHER_LINE.search(region, region.index(b"\n") + 1):
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
            from pinsync.document.loader import load  # noqa: PLC0415 - as a rule comments are plain text

            load(part, self.source)
        except (FileError, UnicodeDecodeError) as error:
            raise _IrregularError from error

    def as_a_whole(self, text: bytes) -> Document:
        """Read any YAML, and lay it out anew with its comments, so that it can be cut."""
        from pinsync.document.irregular import lay_out  # noqa: PLC0415 - a file in sync is read without it

        laid_out = lay_out(text, self.source)
        if not laid_out.lines:
            top = _HEAD.match(laid_out.text)
            end = top.end() if top else len(laid_out.text)
            return Document(self.source, laid_out.model, laid_out.text[:end], (), laid_out.text[end:])
        document = self.by_blocks(laid_out.text)
        if document is None:
            raise AssertionError(f"{self.source}: laid out anew, it still can't be cut")
        entries = (entry._replace(line=line) for entry, line in zip(document.entries, laid_out.lines, strict=True))
        return replace(document, entries=tuple(entries))


def _cut_off_comments(region: bytes) -> tuple[bytes, bytes]:
    """Split a block from the comments and blank lines below it."""
    end = len(region)
    while True:
        begin = region.rfind(b"\n", 0, end - 1) + 1
        if begin == 0 or region[begin:end].lstrip(b" ")[:1] not in b"#\n":
            return region[:end], region[end:]
        end = begin


def _cut_at_blank_line(between: bytes) -> tuple[bytes, bytes]:
    """Split what stands between two blocks into the part for the place and the comments of the second."""
    lines = between.splitlines(keepends=True)
    blank = max((number for number, line in enumerate(lines, 1) if not line.strip()), default=0)
    return b"".join(lines[:blank]), b"".join(lines[blank:])


def merge(document: Document | None, model: str, state: Sequence[tuple[Customization, Entry | None]]) -> bytes | None:
    """Return a document's text in a new state, with as little of it changed as can be.

    Args:
        document: the document as it stands, if there is one.
        model: the recommender model.
        state: each customization of the new state with the entry it stems from, of this document or of another.

    Returns:
        The new text; None if the document says all of it already, in whatever form.
    """
    if document is None:
        return b"".join((head(model), *(block for _, block in _arrivals(state))))
    staying, arriving = _places(document, state)
    if not arriving and all(
        (same := staying.get(id(entry))) and same.text == entry.customization.text for entry in document.entries
    ):
        return None
    parts = [document.head]
    queue = deque(_arrivals(arriving))
    for entry in document.entries:
        here = staying.get(id(entry))
        if here is not None or entry.gap.strip():
            parts.append(entry.gap)
        if here is None:
            continue
        while queue and queue[0][0] < canonical.order(here):
            parts.append(queue.popleft()[1])
        parts.append(rewrite(entry, here))
    parts += (block for _, block in queue)
    return document.to_file(b"".join((*parts, document.tail)))


def _places(
    document: Document, state: Iterable[tuple[Customization, Entry | None]]
) -> tuple[dict[int, Customization], list[tuple[Customization, Entry | None]]]:
    """Tell what stays where its entry stands from what has to be put into its place.

    What sorts as before stays, and so does what still fits: an id that is filled in moves nothing.
    """
    order = canonical.order
    states = {id(origin): item for item, origin in state if origin}
    staying: dict[int, Customization] = {}
    last: tuple[object, ...] = ()
    for entry, below in zip_longest(document.entries, document.entries[1:]):
        item = states.get(id(entry))
        if item is None:
            continue
        key = order(item)
        if key[:-1] == order(entry.customization)[:-1] or (
            last < key and (below is None or key < order(below.customization))
        ):
            staying[id(entry)] = item
            last = key
    return staying, [(item, origin) for item, origin in state if id(origin) not in staying]


def _arrivals(state: Iterable[tuple[Customization, Entry | None]]) -> list[tuple[Any, bytes]]:
    """Return sort key and block of what has no place in the file yet, in order."""
    return sorted((canonical.order(item), rewrite(origin, item) if origin else item.text) for item, origin in state)


def rewrite(origin: Entry, item: Customization) -> bytes:
    """Return the block of ``item`` where ``origin`` stood, the comments above included: its bytes if it says that."""
    return led(origin.lead, origin.body if origin.customization.text == item.text else carried(origin, item))


def led(lead: bytes, block: bytes) -> bytes:
    """Return a block with comments directly above it: below those that it begins with for the place in the file."""
    if not lead or block.startswith(b"  - "):
        return lead + block
    first = next(begins(block))
    gap, above = _cut_at_blank_line(block[:first])
    return b"".join((gap, lead, above, block[first:]))


def carried(origin: Entry, item: Customization) -> bytes:
    """Return the canonical block of ``item`` with the comments of the one that stood there."""
    if b"#" not in origin.body:
        return item.text
    # Only a changed block with comments needs these two.
    from pinsync.document.comments import Counterpart, carry  # noqa: PLC0415
    from pinsync.document.loader import load  # noqa: PLC0415

    loaded = load(origin.body, "the old block")
    old = loaded.data
    new = canonical.read(item.text.decode())
    if not isinstance(old, list) or new is None:
        raise AssertionError(f"the block of {item.id} was read before and can't be now")
    return carry(origin.body, loaded, item.text, {0: Counterpart(old[0], normalize.normalize_row(old[0]), new, 0)})
