"""Comments that stay with what they stand on while the text around them is written anew."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinsync.canonical.pins import pair_pins
from pinsync.document.anchors import NOTE, Attachment, LineStart, attach_comment, find_anchor_lines, map_line_starts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.yamlio import Loaded, Path, Place


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A customization on both sides of a rewriting.

    Attributes:
        old: its fields as the old text spells them.
        clean: the same, normalized.
        new: its canonical data as the new text has it.
        index: its place in the new text's list.
    """

    old: Mapping[str, Any]
    clean: Mapping[str, Any]
    new: Mapping[str, Any]
    index: int


class _Fate(Enum):
    """What else may have become of a path than a line of the new text."""

    GONE = "gone"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class _Remarks:
    """The comments of one line of the new text; those with a blank line below stand above the others.

    Those at the end of the line come with the blanks before them.
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
    """Return ``new`` with the comments of ``old`` at what they stand on.

    A comment goes where its key, pin or block has gone, and leaves with it. A detached one, with a blank line below,
    stays at its place. A comment at the end of a line keeps the blanks before it. A comment that stood on noise, a key
    that canonical text doesn't write, goes to its neighbour. What stands on a whole pin or block is written above it:
    behind its first line it would stand on the key there. A note for pinsync counts for what it stands on: above a key
    that a pin or block comes to begin with it would count for all of that, so it goes behind the key; from noise it
    goes to where it counts for nothing.

    Args:
        old: YAML whose list at ``root`` holds customizations, and what the parser found in it.
        new: the canonical text of what has become of them, without comments, and the places in it.
        counterparts: index in the old list → the customization on both sides; what is missing is gone.
        root: the path of the list.
    """
    text, marks = new
    follower = _Follower(counterparts, root, marks)
    lines = text.decode().split("\n")
    end = len(lines) - 1
    remarks = [_Remarks() for _ in lines]
    content, runs = _runs(old[0].decode().split("\n"), old[1])
    neighbours = _Neighbours(content, follower)
    for run in runs:
        run.settle(follower, neighbours, remarks)
    if root:  # below a document's last block nothing is indented
        tail = [*remarks[end].detached, *remarks[end].above]
        lines[end:] = tail if tail[-1:] == [""] else [*tail, ""]
        remarks[end:] = [_Remarks() for _ in lines[end:]]
    return "\n".join(_written(lines, remarks)).encode()


def _written(lines: Iterable[str], remarks: Iterable[_Remarks]) -> Iterable[str]:
    indent = ""
    for line, here in zip(lines, remarks, strict=True):
        if line:
            indent = line[: len(line) - len(line.lstrip(" "))]
        yield from (indent + comment if comment else "" for comment in (*here.detached, *here.above))
        yield "".join([line, *here.behind])


class _Attached(NamedTuple):
    """A comment without a blank line below.

    Attributes:
        text: its text.
        path: what it stands on.
        blanks: the blanks before it, where it stands behind that, at the end of a line; else empty.
    """

    text: str
    path: Path
    blanks: str


_BLANKS: Final = "  "
"""What stands before a comment that comes to the end of a line; yamllint asks for two blanks."""


@dataclass(frozen=True, slots=True)
class _Run:
    """The comments on what begins on one line of the old text, and those at its place.

    Attributes:
        index: the line of content, among all lines of content; past the last one for what stands below all.
        detached: groups of comments with a blank line below them, by the number of that line.
        attached: the other comments.
    """

    index: int
    detached: dict[int, list[str]] = field(default_factory=dict)
    attached: list[_Attached] = field(default_factory=list)

    def settle(self, follower: _Follower, neighbours: _Neighbours, remarks: Sequence[_Remarks]) -> None:
        """Add the comments to the lines of the new text that they belong to; the last stands for what is below all."""
        for group in self.detached.values():
            next_line = neighbours.find_below(self.index)
            at = 0 if self.index == 0 else -1 if next_line is None else next_line
            remarks[at].detached.extend([*group, ""])
        for comment in self.attached:
            line = follower.follow(comment.path)
            if line is _Fate.NOISE:
                neighbour = neighbours.find_beside(self.index, comment.path)
                _put_loosely(comment.text, remarks[-1 if neighbour is None else neighbour])
            elif line is not _Fate.GONE:
                _put(comment, follower.begun(line), remarks[line])


class _Neighbours:
    """Finds the lines of the new text near which something stood that is gone.

    Args:
        content: what begins on each line of content of the old text, in its order.
        follower: tells what has become of it.
    """

    def __init__(self, content: Sequence[LineStart], follower: _Follower) -> None:
        self._content = content
        self._follower = follower

    @cached_property
    def _lines(self) -> Sequence[int | None]:
        """The line of the new text that each line of content has become."""
        lines = (self._follower.follow(here.whole) for here in self._content)
        return [line if isinstance(line, int) else None for line in lines]

    @cached_property
    def _kept(self) -> Sequence[int]:
        """The indexes of the lines of content that there still are."""
        return [index for index, line in enumerate(self._lines) if line is not None]

    def find_below(self, index: int) -> int | None:
        """Return the line of the first thing at or below a line of content."""
        at = bisect_left(self._kept, index)
        return self._lines[self._kept[at]] if at < len(self._kept) else None

    def find_beside(self, index: int, path: Path) -> int | None:
        """Return the line of the next thing in the object that holds ``path``, else of the last before."""
        at = bisect_right(self._kept, index)
        if at < len(self._kept):
            after = self._kept[at]
            if self._content[after].whole[: len(path) - 1] == path[:-1]:
                return self._lines[after]
        return self._lines[self._kept[at - 1]] if at else None


def _put(comment: _Attached, there: LineStart, remarks: _Remarks) -> None:
    """Put a comment at the line where its path begins now; a note isn't put above more than that."""
    text, path, blanks = comment
    is_note = NOTE in text
    if is_note and not path:  # of a document in braces, as a whole
        _put_loosely(text, remarks)
    elif len(there.behind) == len(path) and (blanks or (is_note and len(there.whole) < len(path))):
        remarks.behind.append((blanks or _BLANKS) + text)
    else:
        remarks.above.append(text)


def _put_loosely(comment: str, remarks: _Remarks) -> None:
    """Put a comment at a line that it didn't stand on; a note, which would count for it, with a blank line below."""
    if NOTE in comment:
        remarks.detached.extend([comment, ""])
    else:
        remarks.above.append(comment)


def _runs(lines: Sequence[str], loaded: Loaded) -> tuple[Sequence[LineStart], Sequence[_Run]]:
    """Return what begins on each line of content, and the comments by the line that they stand on."""
    starts = map_line_starts(loaded.marks)
    numbers, content = list(starts), list(starts.values())
    under = find_anchor_lines(lines, (line for line, _, _ in loaded.comments))
    runs: dict[int, _Run] = {}
    for line, column, text in loaded.comments:
        index, standing = attach_comment(lines, line, under[line], numbers)
        run = runs.setdefault(index, _Run(index))
        if standing is Attachment.DETACHED:
            run.detached.setdefault(under[line], []).append(text)
        elif standing is Attachment.ABOVE:
            # What a person writes above the first key is about the file, as is what stands at its place.
            path = content[index].whole if index or NOTE in text else ()
            run.attached.append(_Attached(text, path, ""))
        elif standing is Attachment.WITHIN:
            run.attached.append(_Attached(text, content[index].behind, ""))
        else:
            before = lines[line - 1][: column - 1]
            # A tab may stand before a comment in brackets, but not in canonical text.
            blanks = before[len(before.rstrip(" ")) :] or _BLANKS
            run.attached.append(_Attached(text, content[index].behind, blanks))
    return content, [runs[index] for index in sorted(runs)]


class _Follower:
    """Follows a path of the old text to a line of the new one."""

    def __init__(self, counterparts: Mapping[int, Counterpart], root: Path, marks: Mapping[Path, Place]) -> None:
        self._counterparts = counterparts
        self._root = root
        self._marks = marks
        self._begun = map_line_starts(marks)
        self._pins: dict[int, dict[int, int] | None] = {}
        self._first: dict[Path, dict[object, int]] = {}

    def follow(self, path: Path) -> int | _Fate:
        """Return the line, from 0, of what has become of ``path``."""
        depth = len(self._root)
        if path[:depth] != self._root or len(path) == depth:
            return self._marks[path][0] - 1 if path in self._marks else _Fate.NOISE
        pair = self._counterparts.get(int(path[depth]))
        if pair is None:
            return _Fate.GONE
        steps: Path = ()
        old: Any = pair.old
        clean: Any = pair.clean
        new: Any = pair.new
        for step in path[depth + 1 :]:
            there = self._counterpart(pair, steps, old, new, step)
            if there is None:
                noise = isinstance(step, str) and isinstance(clean, dict) and step not in clean
                return _Fate.NOISE if noise else _Fate.GONE
            if isinstance(step, str):
                clean = clean.get(step) if isinstance(clean, dict) else None
            else:
                clean = clean[step] if steps == ("pin_definitions",) else None
            steps = (*steps, there)
            old, new = old[step], new[there]
        return self._marks[*self._root, pair.index, *steps][0] - 1

    def begun(self, line: int) -> LineStart:
        """Return what begins on a line of the new text, from 0."""
        return self._begun[line + 1]

    def _counterpart(self, pair: Counterpart, steps: Path, old: Any, new: Any, step: str | int) -> str | int | None:  # noqa: ANN401 - JSON
        if isinstance(step, str):
            return step if isinstance(new, dict) and step in new else None
        if not isinstance(new, list):
            return None
        if steps == ("pin_definitions",) and (pins := self._counterparts_of_pins(pair, old, new)) is not None:
            return pins.get(step)
        if new[step : step + 1] == [old[step]]:
            return step
        first = self._first_places((pair.index, *steps), new).get(_hashable(old[step]))
        if first is not None:
            return first
        return step if steps != ("tags",) and step < len(new) else None

    def _counterparts_of_pins(self, pair: Counterpart, old: Any, new: Any) -> dict[int, int] | None:  # noqa: ANN401 - JSON
        """Return the index of each pin → its index in the new text; None for a list of anything else."""
        if pair.index not in self._pins:
            is_usual = all(isinstance(pin, dict) for pin in (*old, *new))
            self._pins[pair.index] = dict(pair_pins(pair.clean["pin_definitions"], new)) if is_usual else None
        return self._pins[pair.index]

    def _first_places(self, path: Path, items: Sequence[object]) -> dict[object, int]:
        """Return item → the first index where it stands, of a list of the new text."""
        if path not in self._first:
            found = self._first[path] = {}
            for index, item in enumerate(items):
                found.setdefault(_hashable(item), index)
        return self._first[path]


def _hashable(value: Any) -> object:  # noqa: ANN401 - JSON
    """Return what is equal for equal values, as Python compares them, and can be a key."""
    if isinstance(value, dict):
        return frozenset((key, _hashable(item)) for key, item in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
