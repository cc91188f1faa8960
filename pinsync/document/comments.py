"""Comments that stay with what they stand on while the text around them is written anew."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, Final

from pinsync.document.standing import Begun, begun
from pinsync.model import pair_pins
from pinsync.yamlio import Loaded, Path, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


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


_DASHES: Final = re.compile(r" *(?:[-?] +)+")
"""What opens an item, or a key, that begins on a line below."""


@dataclass(frozen=True, slots=True)
class _Remarks:
    """The comments of one line of the new text; those with a blank line below stand above the others."""

    detached: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)


def carry(old: bytes, new: bytes, counterparts: Mapping[int, Counterpart], *, root: Path = ()) -> bytes:
    """Return ``new`` with the comments of ``old`` at what they stand on.

    A comment goes where its key, pin or block has gone, and leaves with it. A detached one, with a blank line below,
    stays at its place. One that stood on noise, a key that canonical text doesn't write, goes to its neighbour. What
    stands on a whole pin or block is written above it: behind its first line it would stand on the key there.

    Args:
        old: YAML whose list at ``root`` holds customizations.
        new: the canonical text of what has become of them, without comments.
        counterparts: index in the old list → the customization on both sides; what is missing is gone.
        root: the path of the list.

    Raises:
        FileError: ``old`` isn't YAML that pinsync reads.
    """
    before, after = load(old, "the old text"), load(new, "the new text")
    follower = _Follower(counterparts, root, after)
    lines = new.decode().split("\n")
    end = len(lines) - 1
    remarks = [_Remarks() for _ in lines]
    for run in _runs(old.decode().split("\n"), before):
        run.settle(follower, remarks)
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
        yield "  ".join([line, *here.behind])


@dataclass(frozen=True, slots=True)
class _Run:
    """The comments from the end of one line of content to the end of the next.

    Attributes:
        content: what begins on each line of content of the old text, in its order.
        index: the next line of content, as an index in ``content``.
        detached: groups of comments with a blank line below them.
        opening: comments above and behind a dash that has nothing else on its line.
        attached: comments directly above that line.
        behind: the comment at its end.
    """

    content: Sequence[Begun]
    index: int
    detached: list[list[str]] = field(default_factory=list)
    opening: list[str] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)

    def settle(self, follower: _Follower, remarks: Sequence[_Remarks]) -> None:
        """Add the comments to the lines of the new text that they belong to; the last stands for what is below all."""
        below = follower.first_line(here.whole for here in islice(self.content, self.index, None))
        for group in self.detached:
            remarks[-1 if below is None else below].detached.extend([*group, ""])
        here = self.content[self.index] if self.index < len(self.content) else None
        self._attach(self.opening + self.attached, here and here.whole, follower, remarks)
        line = follower.line(here.behind) if here else None
        if line is not None:
            remarks[line].behind.extend(self.behind)
        else:
            self._attach(self.behind, here and here.behind, follower, remarks)

    def _attach(
        self, comments: Sequence[str], path: Path | None, follower: _Follower, remarks: Sequence[_Remarks]
    ) -> None:
        """Put comments above what has become of a path; without one they stand below all."""
        fate = _Fate.NOISE if path is None else follower.follow(path)
        if fate is _Fate.NOISE and comments:
            neighbour = self._neighbour(path, follower)
            fate = -1 if neighbour is None else neighbour
        if isinstance(fate, int):
            remarks[fate].above.extend(comments)

    def _neighbour(self, path: Path | None, follower: _Follower) -> int | None:
        """Return the line of the next thing in the same object, else of the last before."""
        paths = [here.whole for here in self.content]
        above = reversed(paths[: self.index + 1])
        if path is None:
            return follower.first_line(above)
        below = takewhile(lambda other: other[: len(path) - 1] == path[:-1], paths[self.index + 1 :])
        return follower.first_line([*below, *above])


def _runs(lines: Sequence[str], loaded: Loaded) -> Iterable[_Run]:
    """Group the comments of a text by the line of content that they stand on."""
    starts = begun(loaded.marks)
    numbers, content = list(starts), list(starts.values())
    alone = {line for line, column, _ in loaded.comments if not lines[line - 1][: column - 1].strip()}
    runs: dict[int, _Run] = {}
    for line, column, text in loaded.comments:
        index = bisect_left(numbers, line)
        opens = line not in starts and bool(_DASHES.fullmatch(lines[line - 1][: column - 1]))
        if line not in alone and line not in starts and not opens:  # behind the last line of a value of several
            index = max(index - 1, 0)
        run = runs.setdefault(index, _Run(content, index))
        if opens:
            run.opening.extend([*run.attached, text])
            run.attached.clear()
            continue
        if line not in alone:
            run.behind.append(text)
            continue
        run.attached.append(text)
        if line < len(lines) and not lines[line].strip():
            run.detached.append(run.attached[:])
            run.attached.clear()
    return [runs[index] for index in sorted(runs)]


class _Follower:
    """Follows a path of the old text to a line of the new one."""

    def __init__(self, counterparts: Mapping[int, Counterpart], root: Path, after: Loaded) -> None:
        self._counterparts = counterparts
        self._root = root
        self._after = after
        self._begun = begun(after.marks)
        self._pins: dict[int, dict[int, int]] = {}

    def follow(self, path: Path) -> int | _Fate:
        """Return the line, from 0, of what has become of ``path``."""
        depth = len(self._root)
        if path[:depth] != self._root or len(path) == depth:
            return self._after.marks[path][0] - 1 if path in self._after.marks else _Fate.NOISE
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
        return self._after.marks[*self._root, pair.index, *steps][0] - 1

    def first_line(self, paths: Iterable[Path]) -> int | None:
        """Return the line of the first that there still is."""
        return next((line for path in paths if isinstance(line := self.follow(path), int)), None)

    def line(self, path: Path) -> int | None:
        """Return the line of what has become of ``path``, if a comment at its end stands on that."""
        line = self.follow(path)
        return line if isinstance(line, int) and len(self._begun[line + 1].behind) == len(path) else None

    def _counterpart(self, pair: Counterpart, steps: Path, old: Any, new: Any, step: str | int) -> str | int | None:  # noqa: ANN401 - JSON
        if isinstance(step, str):
            return step if isinstance(new, dict) and step in new else None
        if not isinstance(new, list):
            return None
        if steps == ("pin_definitions",) and all(isinstance(pin, dict) for pin in (*old, *new)):
            if pair.index not in self._pins:
                self._pins[pair.index] = dict(pair_pins(pair.clean["pin_definitions"], new))
            return self._pins[pair.index].get(step)
        if old[step] in new:
            return step if new[step : step + 1] == [old[step]] else new.index(old[step])
        return step if steps != ("tags",) and step < len(new) else None
