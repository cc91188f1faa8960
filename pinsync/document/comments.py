"""Carry the comments of an old text over to the new canonical text, each with its part."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct, field

from pinsync.canonical.pins import pair_pins
from pinsync.document.anchors import (
    NOTE,
    Attachment,
    LineStart,
    attach_comment,
    find_anchor_lines,
    map_line_starts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.yamlio import Loaded, Path, Place


_BLANKS: Final = "  "
"""The blanks before a comment that is moved to the end of a line; yamllint asks for two."""
_PINS: Final = ("pin_definitions",)


class Counterpart(Struct, frozen=True):
    """A customization that is in both the old and the new text.

    Attributes:
        old: its fields as the old text spells them.
        clean: its fields in the old text, normalized.
        new: its canonical data in the new text.
        index: its index in the new text's list.
    """

    old: Mapping[str, Any]
    clean: Mapping[str, Any]
    new: Mapping[str, Any]
    index: int


class _Fate(Enum):
    """Why a path of the old text has no line in the new text.

    The part was removed (gone), or canonical text doesn't write it (noise).
    """

    GONE = "gone"
    NOISE = "noise"


class _Remarks(Struct, frozen=True):
    """The comments of one line of the new text, in the order in which they are written.

    Attributes:
        detached: comments above the line, with a blank line below them.
        above: comments directly above the line.
        behind: comments at the end of the line, each with the blanks before it.
    """

    detached: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)


def carry(
    old: tuple[bytes, Loaded],
    new: tuple[bytes, Mapping[Path, Place]],
    counterparts: Mapping[int, Counterpart],
    *,
    root: Path = (),
) -> bytes:
    """Return the new text with the comments of the old text.

    A comment follows its key, pin or block, and is dropped together with it. There are four
    exceptions:

    - A detached comment, which has a blank line below, keeps its place in the file.
    - A comment on noise, a key that canonical text doesn't write, moves to the neighbouring line.
    - A comment on a whole pin or block is written above it. At the end of its first line the
      comment would belong to the key there.
    - A note for pinsync must not change its meaning. If its key becomes the first key of a pin or
      block, a note above the key would count for all of the pin or block, so it moves behind the
      key. A note on noise moves to a place where it counts for nothing.

    Args:
        old: YAML whose list at ``root`` holds customizations, and the parser's result for it.
        new: the canonical text of the customizations, without comments, and its marks.
        counterparts: index in the old list → the customization in both texts. A customization
            that was removed has no entry.
        root: the path of the list.
    """
    text, marks = new
    follower = _Follower(counterparts, root, marks)
    lines = text.decode().split("\n")
    end = len(lines) - 1
    remarks = [_Remarks() for _ in lines]
    content, runs = _collect_runs(old[0].decode().split("\n"), old[1])
    neighbours = _Neighbours(content, follower)
    for run in runs:
        run.settle(follower, neighbours, remarks)
    if root:
        # Nothing is indented below a document's last block, so these comments become lines here.
        tail = [*remarks[end].detached, *remarks[end].above]
        if tail[-1:] != [""]:
            tail.append("")
        lines[end:] = tail
        remarks[end:] = [_Remarks() for _ in lines[end:]]
    return "\n".join(_insert_remarks(lines, remarks)).encode()


def _insert_remarks(lines: Iterable[str], remarks: Iterable[_Remarks]) -> Iterable[str]:
    """Yield the lines of the new text with their comments, indented like their line."""
    indent = ""
    for line, line_remarks in zip(lines, remarks, strict=True):
        if line:
            indent = line[: len(line) - len(line.lstrip(" "))]
        for comment in (*line_remarks.detached, *line_remarks.above):
            yield indent + comment if comment else ""
        yield "".join([line, *line_remarks.behind])


class _Attached(NamedTuple):
    """A comment without a blank line below.

    Attributes:
        text: its text.
        path: the part that it is about.
        blanks: the blanks before a comment at the end of a line; empty for any other comment.
    """

    text: str
    path: Path
    blanks: str


class _Run(Struct, frozen=True):
    """The comments that belong to one line of the old text.

    Attributes:
        index: the index of the line among the lines on which a part begins. Comments below the
            last part have the index after the last one.
        detached: the number of a blank line → the comments above it.
        attached: the other comments.
    """

    index: int
    detached: dict[int, list[str]] = field(default_factory=dict)
    attached: list[_Attached] = field(default_factory=list)

    def settle(
        self, follower: _Follower, neighbours: _Neighbours, remarks: Sequence[_Remarks]
    ) -> None:
        """Add the comments to ``remarks``, whose last item takes the comments below all parts."""
        for group in self.detached.values():
            at = 0
            if self.index > 0:
                next_line = neighbours.find_below(self.index)
                at = -1 if next_line is None else next_line
            remarks[at].detached.extend([*group, ""])
        for comment in self.attached:
            line = follower.follow(comment.path)
            if line is _Fate.NOISE:
                neighbour = neighbours.find_beside(self.index, comment.path)
                _put_loosely(comment.text, remarks[-1 if neighbour is None else neighbour])
            elif line is not _Fate.GONE:
                _put(comment, follower.find_start(line), remarks[line])


class _Neighbours:
    """Find the lines of the new text that are nearest to a removed part of the old text.

    Args:
        content: the parts that begin on each line of the old text, in the order of the lines.
        follower: finds their lines in the new text.
    """

    def __init__(self, content: Sequence[LineStart], follower: _Follower) -> None:
        self._content = content
        self._follower = follower

    @cached_property
    def _lines(self) -> Sequence[int | None]:
        """The line in the new text of each item of the content; None if there is no such line."""
        lines = (self._follower.follow(start.whole) for start in self._content)
        return [None if isinstance(line, _Fate) else line for line in lines]

    @cached_property
    def _kept(self) -> Sequence[int]:
        """The indexes of the items of the content that have a line in the new text."""
        return [index for index, line in enumerate(self._lines) if line is not None]

    def find_below(self, index: int) -> int | None:
        """Return the line of the first part that is kept at or below an item of the content."""
        at = bisect_left(self._kept, index)
        if at == len(self._kept):
            return None
        return self._lines[self._kept[at]]

    def find_beside(self, index: int, path: Path) -> int | None:
        """Return the line of the next part in the parent of ``path``, or of the part before."""
        at = bisect_right(self._kept, index)
        if at < len(self._kept):
            after = self._kept[at]
            if self._content[after].whole[: len(path) - 1] == path[:-1]:
                return self._lines[after]
        if at == 0:
            return None
        return self._lines[self._kept[at - 1]]


def _put(comment: _Attached, start: LineStart, remarks: _Remarks) -> None:
    """Put a comment at the line on which its part begins."""
    text, path, blanks = comment
    is_note = NOTE in text
    # A note on a whole document, which is written in braces, has no line of its own.
    if is_note and not path:
        _put_loosely(text, remarks)
        return
    # Above the line, a note would count for more than its part.
    must_be_behind = blanks or (is_note and len(start.whole) < len(path))
    if must_be_behind and len(start.behind) == len(path):
        remarks.behind.append((blanks or _BLANKS) + text)
    else:
        remarks.above.append(text)


def _put_loosely(comment: str, remarks: _Remarks) -> None:
    """Put a comment at a line that it isn't about."""
    # Directly above the line, a note would count for the line.
    if NOTE in comment:
        remarks.detached.extend([comment, ""])
    else:
        remarks.above.append(comment)


def _collect_runs(
    lines: Sequence[str], loaded: Loaded
) -> tuple[Sequence[LineStart], Sequence[_Run]]:
    """Return the line starts of the old text, and its comments by the line they belong to."""
    starts = map_line_starts(loaded.marks)
    numbers, content = list(starts), list(starts.values())
    anchors = find_anchor_lines(lines, (line for line, _, _ in loaded.comments))
    runs: dict[int, _Run] = {}
    for line, column, text in loaded.comments:
        index, attachment = attach_comment(lines, line, anchors[line], numbers)
        run = runs.setdefault(index, _Run(index))
        if attachment is Attachment.DETACHED:
            run.detached.setdefault(anchors[line], []).append(text)
        elif attachment is Attachment.ABOVE:
            # A comment above the first key is about the file, unless it is a note.
            path = content[index].whole if index or NOTE in text else ()
            run.attached.append(_Attached(text, path, ""))
        elif attachment is Attachment.WITHIN:
            run.attached.append(_Attached(text, content[index].behind, ""))
        else:
            before = lines[line - 1][: column - 1]
            # A tab may stand before a comment in brackets, but not in canonical text.
            blanks = before[len(before.rstrip(" ")) :] or _BLANKS
            run.attached.append(_Attached(text, content[index].behind, blanks))
    return content, [runs[index] for index in sorted(runs)]


class _Follower:
    """Follow a path of the old text to a line of the new text."""

    def __init__(
        self, counterparts: Mapping[int, Counterpart], root: Path, marks: Mapping[Path, Place]
    ) -> None:
        self._counterparts = counterparts
        self._root = root
        self._marks = marks
        self._starts = map_line_starts(marks)
        self._pin_pairs: dict[int, dict[int, int] | None] = {}
        self._first_indexes: dict[Path, dict[object, int]] = {}

    def follow(self, path: Path) -> int | _Fate:
        """Return the line, from 0, on which the part at ``path`` begins in the new text."""
        depth = len(self._root)
        if path[:depth] != self._root or len(path) == depth:
            # A part of the head, which canonical text may not write.
            if path not in self._marks:
                return _Fate.NOISE
            return self._marks[path][0] - 1
        pair = self._counterparts.get(int(path[depth]))
        if pair is None:
            return _Fate.GONE
        # Descend in the old and the new customization at the same time.
        new_path: Path = ()
        old: Any = pair.old
        clean: Any = pair.clean
        new: Any = pair.new
        for step in path[depth + 1 :]:
            new_step = self._translate_step(pair, new_path, old, new, step)
            if new_step is None:
                is_noise = isinstance(step, str) and isinstance(clean, dict) and step not in clean
                return _Fate.NOISE if is_noise else _Fate.GONE
            if isinstance(step, str) and isinstance(clean, dict):
                clean = clean.get(step)
            elif isinstance(step, int) and new_path == _PINS:
                # Normalizing sorts and merges tags, so only the pins keep their indexes.
                clean = clean[step]
            else:
                clean = None
            new_path = (*new_path, new_step)
            old, new = old[step], new[new_step]
        return self._marks[*self._root, pair.index, *new_path][0] - 1

    def find_start(self, line: int) -> LineStart:
        """Return the parts that begin on a line of the new text, from 0."""
        return self._starts[line + 1]

    def _translate_step(
        self,
        pair: Counterpart,
        new_path: Path,
        old: Any,  # noqa: ANN401 - any JSON value
        new: Any,  # noqa: ANN401 - any JSON value
        step: str | int,
    ) -> str | int | None:
        """Return the key or index in ``new`` of the part at ``step`` in ``old``, None if gone."""
        if isinstance(step, str):
            return step if isinstance(new, dict) and step in new else None
        if not isinstance(new, list):
            return None
        if new_path == _PINS and (pins := self._pair_pins(pair, old, new)) is not None:
            return pins.get(step)
        if new[step : step + 1] == [old[step]]:
            return step
        first_indexes = self._index_items((pair.index, *new_path), new)
        first = first_indexes.get(_make_hashable(old[step]))
        if first is not None:
            return first
        # An item that is found nowhere was changed in its place, except a tag: tags are sorted.
        return step if new_path != ("tags",) and step < len(new) else None

    def _pair_pins(
        self,
        pair: Counterpart,
        old: Any,  # noqa: ANN401 - any JSON value
        new: Any,  # noqa: ANN401 - any JSON value
    ) -> dict[int, int] | None:
        """Map the index of each old pin to its new index; None if an item of a list is no pin."""
        if pair.index not in self._pin_pairs:
            pairs = None
            if all(isinstance(pin, dict) for pin in (*old, *new)):
                pairs = dict(pair_pins(pair.clean["pin_definitions"], new))
            self._pin_pairs[pair.index] = pairs
        return self._pin_pairs[pair.index]

    def _index_items(self, path: Path, items: Sequence[object]) -> dict[object, int]:
        """Map each item of a list of the new text to its first index."""
        if path not in self._first_indexes:
            indexes = self._first_indexes[path] = {}
            for index, item in enumerate(items):
                indexes.setdefault(_make_hashable(item), index)
        return self._first_indexes[path]


def _make_hashable(value: Any) -> object:  # noqa: ANN401 - any JSON value
    """Return a dictionary key that is equal for equal values."""
    if isinstance(value, dict):
        return frozenset((key, _make_hashable(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(map(_make_hashable, value))
    return value
