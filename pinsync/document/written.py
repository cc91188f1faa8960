"""Read a document as it is written, with its faults and the places of its parts, for the linter.

``document.parse`` refuses a file with a fault; this module reads as much of the file as possible. A
block of canonical text, even with comments on separate lines, is read without the YAML parser,
which takes a hundred times as long. The parser reads the other blocks, or the whole file if the
file can't be cut into blocks.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync import canonical, layout
from pinsync.canonical import normalize
from pinsync.document.anchors import NOTE, map_line_starts, mark_canonical_block
from pinsync.document.cut import SKIPPED_LINE, convert_to_unix, cut_document, has_other_lines
from pinsync.document.loader import load
from pinsync.document.record import FORMAT, render_head
from pinsync.errors import DataError, FileError
from pinsync.model import Customization, Target

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pinsync.document.anchors import LineStart
    from pinsync.yamlio import Loaded, Path, Place

PINS: Final = "pin_definitions"
_IN_A_PIN: Final = 3
"""The number of steps in the path of a pin's field."""
_HEAD_END: Final = re.compile(
    rb"^customizations:[ ]*(?:[ ]#[^\n]*)?\n(?:[ ]*(?:#[^\n]*)?\n)*\Z", re.MULTILINE
)

Comment = tuple[int, int, str]


class Row(Struct, frozen=True, dict=True):
    """An item of ``customizations`` with a value of any type.

    Attributes:
        data: its value as it is written: plain dicts, lists, strings, numbers, booleans and None.
        text: its lines, including comments below; empty if the file was read as a whole.
        above: the number of lines above the text in the file.
        marks: path → line and column in the file, from 1; None for canonical text, whose marks
            are computed only when they are needed.
    """

    data: Any
    text: bytes
    above: int
    marks: Mapping[Path, Place] | None

    @cached_property
    def places(self) -> Mapping[Path, Place]:
        """Path → line and column in the file, from 1, of all parts, in the order of the text."""
        if self.marks is None:
            return mark_canonical_block(self.text, self.above)
        return self.marks

    def find_place(self, path: Path) -> Place:
        """Return line and column in the file, from 1, of a part, or of the nearest part around it.

        A field that a customization or pin lacks has the place of the first key in canonical order.
        """
        from pinsync import yamlio  # noqa: PLC0415 - a file without findings needs no YAML parser

        places = self.places
        if path not in places and len(path) == _IN_A_PIN and path[0] == PINS:
            path = (*path[:2], next(iter(self._pin(int(path[1]))), ""))
        place = yamlio.find_nearest_place(places, path)
        # `fmt` then doesn't move the place, and a comment there still applies to the field.
        if place is None and path:
            place = places.get(("id",)) or places.get(("target_type",))
        return place or places[()]

    def sort_pins(self) -> Sequence[int]:
        """Return the indexes of the pins in canonical order."""
        pins = self.data[PINS]
        indexes = range(len(pins))
        # The pins of canonical text are sorted already.
        if self.marks is None or not all(isinstance(pin, dict) for pin in pins):
            return indexes
        try:
            return sorted(indexes, key=lambda index: canonical.build_pin_sort_key(self._pin(index)))
        except DataError:
            return indexes

    def build_sort_key(self) -> tuple[object, ...]:
        """Return the sort key of the customization in its document; empty if it has none."""
        try:
            return canonical.build_sort_key(normalize.build_customization(self.data, model="-"))
        except DataError:
            return ()

    def _pin(self, index: int) -> dict[str, Any]:
        """Return a pin with its keys in canonical order if it has a canonical form."""
        pin: dict[str, Any] = self.data[PINS][index]
        try:
            normal: list[dict[str, Any]] = normalize.normalize_row({PINS: [pin]})[PINS]
        except DataError:
            return pin
        return normal[0]


class Written(Struct, frozen=True):
    """A file as it is written.

    Attributes:
        source: its path.
        original: its bytes.
        text: its bytes without a byte order mark, with LF and a final newline.
        top: the value of the whole file, with None in place of a list of customizations; None for
            an empty file.
        marks: path → place of the parts at the top; None if the file can't be read.
        rows: its readable customizations in the order of the file.
        faults: why the file, or a block, can't be read.
        comments: line, column and text of comments, including all comments that hold `NOTE`.
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
        """Return the recommender model if the file names one."""
        if not isinstance(self.top, dict):
            return None
        model = self.top.get("model")
        return model if isinstance(model, str) and model else None

    @property
    def proper_name(self) -> str:
        """Return the name that the file should have, after its model if the file names one."""
        if self.model is None:
            return layout.correct_name(self.name)
        return layout.build_file_name(self.model)

    @property
    def is_read(self) -> bool:
        """Return whether the file is YAML, apart from faulty blocks."""
        return self.marks is not None

    def is_canonical(self) -> bool:
        """Return whether the file is canonical text to the byte, without any comment."""
        if self.model is None or self.faults or self.text != self.original:
            return False
        head = render_head(self.model)
        # Without blocks the head is another one, `customizations: []`.
        if not self.rows:
            return False
        # A comment between the head and the first block shows in the number of lines above.
        if self.rows[0].above != head.count(b"\n") or not self.text.startswith(head):
            return False
        if not all(map(_is_canonical, self.rows)):
            return False
        return all(key <= next_key for key, next_key in pairwise(map(_build_sort_key, self.rows)))

    def find_place(self, path: Path) -> Place:
        """Return line and column, from 1, of a part, or of the nearest part around it."""
        from pinsync import yamlio  # noqa: PLC0415 - a file without findings needs no YAML parser

        marks = self.marks or {}
        return yamlio.find_nearest_place(marks, path) or marks.get((), (1, 1))

    def map_line_starts(self, lines: Collection[int]) -> dict[int, LineStart]:
        """Map lines to the parts that begin there, with paths from the top of the file.

        The map has all parts of the blocks that hold any of ``lines``. It has only the first line
        of the other blocks.
        """
        wanted = sorted(lines)
        marks = dict(self.marks or {})
        # The places of a block's parts are computed only for blocks that need them.
        for index, row in enumerate(self.rows):
            whole: Path = ("customizations", index)
            at = bisect_left(wanted, row.above + 1)
            last = row.above + len(row.text.splitlines())
            if not row.text or (at < len(wanted) and wanted[at] <= last):
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
    whole = Written(source, text, convert_to_unix(text))
    try:
        return _read_by_blocks(whole) or _read_as_a_whole(whole)
    except FileError as error:
        return replace(whole, faults=(error,))


def spell_for_comparison(value: object) -> str:
    """Return a text that is equal for all spellings of a JSON value."""
    try:
        return canonical.render_value(normalize.normalize_row({"value": value})["value"])
    except DataError:
        return repr(value)


def _is_canonical(row: Row) -> bool:
    """Return whether a row is canonical text without comments or noise."""
    if row.marks is not None or SKIPPED_LINE.search(row.text):
        return False
    try:
        normalize.check_identity(row.data, ("target_type",))
        # repr(), because dicts in another order are equal, and so are 1.0 and 1.
        return repr(normalize.normalize_row(row.data)) == repr(row.data)
    except DataError:
        return False


def _build_sort_key(row: Row) -> tuple[object, ...]:
    data = row.data
    identity, criteria = data.get("target_identity"), data.get("target_criteria")
    if not isinstance(identity, str):
        identity = None
    if criteria is not None:
        criteria = canonical.render_value(criteria)
    target = Target(data["target_type"], identity, criteria)
    return canonical.build_sort_key(Customization("", data.get("id"), target, row.text))


def _read_by_blocks(whole: Written) -> Written | None:
    """Read a file block by block; None if its layout isn't that of pinsync."""
    cut = cut_document(whole.text)
    if not cut.has_blocks:
        return None
    head = _read_head(whole, cut.head)
    if head is None:
        return None
    rows: list[Row] = []
    comments = list(head.comments)
    broken = set(head.broken)
    faults = []
    for region, line in zip(cut.split_blocks(), cut.locate_blocks(), strict=True):
        try:
            row, loaded = _read_row(region, line - 1, whole.source)
        except FileError as error:
            faults.append(error)
        else:
            if row is None:
                return None
            rows.append(row)
            if loaded is not None:
                comments += loaded.comments
                broken |= loaded.broken
    return replace(
        head,
        rows=tuple(rows),
        faults=tuple(faults),
        comments=tuple(comments),
        broken=frozenset(broken),
    )


def _read_head(whole: Written, text: bytes) -> Written | None:
    """Read the lines above the first block; None if no list of customizations begins there."""
    line = text.split(b"\n", 2)[1:2]
    model = None
    if line:
        model = canonical.read_value(line[0].removeprefix(b"model: "))
    # A head without comments needs no parser.
    if isinstance(model, str) and model and render_head(model) == text:
        top = {"format": FORMAT, "model": model, "customizations": None}
        marks: dict[Path, Place] = {
            (): (1, 1),
            ("format",): (1, 1),
            ("model",): (2, 1),
            ("customizations",): (3, 1),
        }
        return replace(whole, top=top, marks=marks)
    try:
        loaded = load(text, whole.source)
    except FileError:
        return None
    # The blocks must be the value of `customizations`, and not of another key below.
    if not isinstance(loaded.data, dict) or not _HEAD_END.search(text):
        return None
    return replace(
        whole,
        top=loaded.data,
        marks=loaded.marks,
        comments=loaded.comments,
        broken=loaded.broken,
    )


def _read_row(region: bytes, above: int, source: str) -> tuple[Row | None, Loaded | None]:
    """Read one block.

    Returns:
        The row, None if the file can't be cut here, and the parser's result if the parser was used.
    """
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
        # The YAML parser refuses characters that other readers can't read, even in a comment.
        if plain == text or (NOTE not in text and text.replace("\n", "").isprintable()):
            return canonical.read(plain)
    except UnicodeDecodeError:
        pass
    return None


def _read_as_a_whole(whole: Written) -> Written:
    loaded = load(whole.text, whole.source)
    top = loaded.data
    rows: list[Row] = []
    if isinstance(top, dict) and isinstance(top.get("customizations"), list):
        for data, marks in zip(top["customizations"], _split_marks(loaded), strict=True):
            rows.append(Row(data, b"", 0, marks))
        top = {**top, "customizations": None}
    return replace(
        whole,
        top=top,
        marks={path: place for path, place in loaded.marks.items() if len(path) <= 1},
        rows=tuple(rows),
        comments=loaded.comments,
        broken=loaded.broken,
    )


def _split_marks(loaded: Loaded) -> list[dict[Path, Place]]:
    """Return the marks of each customization, with paths from the customization."""
    rows: list[dict[Path, Place]] = []
    for path, place in loaded.marks.items():
        if path[:1] == ("customizations",) and len(path) > 1:
            if len(path) == 2:  # noqa: PLR2004 - the customization itself, which precedes its parts
                rows.append({})
            rows[-1][path[2:]] = place
    return rows
