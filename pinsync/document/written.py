"""A document as it is written, faults included, with the places of its parts: what a linter looks at.

Where ``document.parse`` wants all of a file to be right, this takes what can be read of it. A block of canonical text,
comments on lines of their own aside, is read by ``canonical``, and its places are found only when they are asked for; a
YAML parser, which takes a hundred times as long, gets the other blocks, and the file as a whole if it can't be cut.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from pinsync import canonical, layout
from pinsync.canonical import normalize
from pinsync.document.anchors import NOTE, map_line_starts, mark_canonical_block
from pinsync.document.cut import SKIPPED_LINE, cut_document, has_other_lines, to_unix
from pinsync.document.loader import load
from pinsync.document.record import FORMAT, document_head
from pinsync.errors import DataError, FileError
from pinsync.model import Customization, Target

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pinsync.document.anchors import LineStart
    from pinsync.yamlio import Loaded, Path, Place

PINS: Final = "pin_definitions"
_IN_A_PIN: Final = 3
"""How many steps lead to a field of a pin."""

Comment = tuple[int, int, str]


@dataclass(frozen=True)
class Row:
    """An item of ``customizations``, whatever it holds.

    Attributes:
        data: its value as it is written: plain dicts, lists, strings, numbers, booleans and None.
        text: its lines, those of comments below included; empty if the file was read as a whole.
        above: how many lines of the file stand above the text.
        marks: path → line and column in the file, from 1; None for canonical text, where they can
            be had without a parser.
    """

    data: Any
    text: bytes
    above: int
    marks: Mapping[Path, Place] | None

    @cached_property
    def places(self) -> Mapping[Path, Place]:
        """Path → line and column in the file, from 1, of all that it holds, in the order of the text."""
        return mark_canonical_block(self.text, self.above) if self.marks is None else self.marks

    def place(self, path: Path) -> Place:
        """Return line and column in the file, from 1, of what ``path`` leads to, or of the nearest part around it.

        What a customization or a pin lacks stands at the key that comes first in its canonical form, so that it does
        after ``fmt`` as well and stays with a comment there.
        """
        from pinsync import yamlio  # noqa: PLC0415 - a file without findings is read without it

        places = self.places
        if path not in places and len(path) == _IN_A_PIN and path[0] == PINS:
            path = (*path[:2], next(iter(self._pin(int(path[1]))), ""))
        place = yamlio.nearest(places, path)
        if place is None and path:
            place = places.get(("id",)) or places.get(("target_type",))
        return place or places[()]

    def pin_order(self) -> Sequence[int]:
        """Return the indexes of the pins in the order that canonical form has them in."""
        pins = self.data[PINS]
        indexes = range(len(pins))
        if self.marks is None or not all(isinstance(pin, dict) for pin in pins):
            return indexes
        try:
            return sorted(indexes, key=lambda index: canonical.pin_order(self._pin(index)))
        except DataError:
            return indexes

    def order(self) -> tuple[object, ...]:
        """Return what customizations of one document are sorted by."""
        try:
            return canonical.order(normalize.build_customization(self.data, model="-"))
        except DataError:
            return ()

    def _pin(self, index: int) -> dict[str, Any]:
        """Return a pin with its keys in canonical order; one that has no canonical form as it is written."""
        pin: dict[str, Any] = self.data[PINS][index]
        try:
            normal: list[dict[str, Any]] = normalize.normalize_row({PINS: [pin]})[PINS]
        except DataError:
            return pin
        return normal[0]


@dataclass(frozen=True, slots=True)
class Written:
    """One file.

    Attributes:
        source: its path.
        original: its bytes.
        text: its bytes without a byte order mark, with LF and a final newline.
        top: what stands at the top, the customizations taken out as far as they are a list; None for an empty file.
        marks: path → place of the parts at the top.
        rows: its customizations in their order, but for those that can't be read.
        faults: why the file, or a block, can't be read; if the file, there is nothing but this.
        comments: line, column and text of comments, among them all that hold `NOTE`.
        broken: the lines, from 1, that end inside a text, where no comment can stand.
    """

    source: str
    original: bytes
    text: bytes
    top: object = None
    marks: Mapping[Path, Place] | None = None
    rows: tuple[Row, ...] = ()
    faults: tuple[FileError, ...] = ()
    comments: tuple[Comment, ...] = ()
    broken: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """Return the file's name without its folder."""
        return self.source.rpartition("/")[2]

    @property
    def model(self) -> str | None:
        """Return the recommender model, if the file names one."""
        model = self.top.get("model") if isinstance(self.top, dict) else None
        return model if isinstance(model, str) and model else None

    @property
    def proper_name(self) -> str:
        """Return the name that the file should have: that of its model, where it can be read."""
        return layout.correct_name(self.name) if self.model is None else layout.build_file_name(self.model)

    @property
    def is_read(self) -> bool:
        """Return whether the file, faulty blocks aside, is YAML."""
        return self.marks is not None

    def is_canonical(self) -> bool:
        """Return whether the file is canonical text to the byte, without any comment."""
        if self.model is None or self.faults or self.text != self.original:
            return False
        head = document_head(self.model)
        if not self.rows or self.rows[0].above != head.count(b"\n") or not self.text.startswith(head):
            return False
        return all(map(_is_canonical, self.rows)) and all(
            one <= other for one, other in pairwise(map(_order, self.rows))
        )

    def place(self, path: Path) -> Place:
        """Return line and column, from 1, of a part at the top, or of the nearest part around it."""
        from pinsync import yamlio  # noqa: PLC0415 - a file without findings is read without it

        marks = self.marks or {}
        return yamlio.nearest(marks, path) or marks.get((), (1, 1))

    def map_line_starts(self, lines: Collection[int]) -> dict[int, LineStart]:
        """Return line → what begins there, as paths of the file; of a block without any of ``lines``, the first one."""
        wanted = sorted(lines)
        marks = dict(self.marks or {})
        for index, row in enumerate(self.rows):
            whole: Path = ("customizations", index)
            at = bisect_left(wanted, row.above + 1)
            if not row.text or (at < len(wanted) and wanted[at] <= row.above + len(row.text.splitlines())):
                marks |= {(*whole, *path): place for path, place in row.places.items()}
            else:
                marks[whole] = (row.above + 1, len(b"  - ") + 1)
        return map_line_starts(marks)


def read(text: bytes, source: str) -> Written:
    """Read a document as far as it can be read.

    Args:
        text: the file's bytes.
        source: the file's path.
    """
    whole = Written(source, text, to_unix(text))
    try:
        return _by_blocks(whole) or _as_a_whole(whole)
    except FileError as error:
        return replace(whole, faults=(error,))


def comparable(value: object) -> str:
    """Return a text that is the same for any two spellings of one JSON value."""
    try:
        return canonical.value_text(normalize.normalize_row({"value": value})["value"])
    except DataError:
        return repr(value)


_HEAD_END: Final = re.compile(rb"^customizations:[ ]*(?:[ ]#[^\n]*)?\n(?:[ ]*(?:#[^\n]*)?\n)*\Z", re.MULTILINE)


def _is_canonical(row: Row) -> bool:
    """Whether a row that ``canonical`` could read has no comments, and says all as ``normalize_row`` would."""
    if row.marks is not None or SKIPPED_LINE.search(row.text):
        return False
    try:
        normalize.check_identity(row.data, ("target_type",))
        return repr(normalize.normalize_row(row.data)) == repr(row.data)  # the order of keys, and 1.0 for 1, count
    except DataError:
        return False


def _order(row: Row) -> tuple[object, ...]:
    data = row.data
    identity, criteria = data.get("target_identity"), data.get("target_criteria")
    target = Target(
        data["target_type"],
        identity if isinstance(identity, str) else None,
        None if criteria is None else canonical.value_text(criteria),
    )
    return canonical.order(Customization("", data.get("id"), target, row.text))


def _by_blocks(whole: Written) -> Written | None:
    """Read a file block by block; None if it isn't laid out so that it can be cut at lines."""
    cut = cut_document(whole.text)
    head = _head(whole, cut.head) if cut.has_blocks else None
    if head is None:
        return None
    rows: list[Row] = []
    comments = list(head.comments)
    broken = set(head.broken)
    faults = []
    for region, line in zip(cut.blocks(), cut.lines(), strict=True):
        try:
            row, loaded = _row(region, line - 1, whole.source)
        except FileError as error:
            faults.append(error)
        else:
            if row is None:
                return None
            rows.append(row)
            comments += loaded.comments if loaded else ()
            broken |= loaded.broken if loaded else frozenset()
    return replace(
        head,
        rows=tuple(rows),
        faults=tuple(faults),
        comments=tuple(comments),
        broken=frozenset(broken),
    )


def _head(whole: Written, text: bytes) -> Written | None:
    """Read what stands above the first block; None if that isn't where a list of customizations begins."""
    line = text.split(b"\n", 2)[1:2]
    model = canonical.read_value(line[0].removeprefix(b"model: ")) if line else None
    if isinstance(model, str) and model and document_head(model) == text:
        top = {"format": FORMAT, "model": model, "customizations": None}
        marks: dict[Path, Place] = {(): (1, 1), ("format",): (1, 1), ("model",): (2, 1), ("customizations",): (3, 1)}
        return replace(whole, top=top, marks=marks)
    try:
        loaded = load(text, whole.source)
    except FileError:
        return None
    if not isinstance(loaded.data, dict) or not _HEAD_END.search(text):
        return None
    return replace(
        whole,
        top=loaded.data,
        marks=loaded.marks,
        comments=loaded.comments,
        broken=loaded.broken,
    )


def _row(region: bytes, above: int, source: str) -> tuple[Row | None, Loaded | None]:
    """Read one block, and what a parser found if it took one; no row if the file can't be cut after all."""
    data = _read_canonical(region)
    if data is not None:
        return Row(data, region, above, None), None
    if has_other_lines(region):
        return None, None
    loaded = load(region, source, above)
    if not isinstance(loaded.data, list) or len(loaded.data) != 1:
        return None, None
    marks = {path[1:]: place for path, place in loaded.marks.items() if path}
    return Row(loaded.data[0], region, above, marks), loaded


def _read_canonical(region: bytes) -> dict[str, Any] | None:
    try:
        text = region.decode()
        plain = SKIPPED_LINE.sub(b"", region).decode()
        # What other readers can't take, in a comment too, is for the YAML parser to refuse.
        if plain == text or (NOTE not in text and text.replace("\n", "").isprintable()):
            return canonical.read(plain)
    except UnicodeDecodeError:
        pass
    return None


def _as_a_whole(whole: Written) -> Written:
    loaded = load(whole.text, whole.source)
    top = loaded.data
    rows: list[Row] = []
    if isinstance(top, dict) and isinstance(top.get("customizations"), list):
        rows = [Row(data, b"", 0, marks) for data, marks in zip(top["customizations"], _by_row(loaded), strict=True)]
        top = {**top, "customizations": None}
    marks = {path: place for path, place in loaded.marks.items() if len(path) <= 1}
    return replace(whole, top=top, marks=marks, rows=tuple(rows), comments=loaded.comments, broken=loaded.broken)


def _by_row(loaded: Loaded) -> list[dict[Path, Place]]:
    rows: list[dict[Path, Place]] = []
    for path, place in loaded.marks.items():
        if path[:1] == ("customizations",) and len(path) > 1:
            if len(path) == 2:  # noqa: PLR2004 - the row itself, which is marked before its parts
                rows.append({})
            rows[-1][path[2:]] = place
    return rows
