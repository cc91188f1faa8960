"""The report for ``git apply``: the unified diff of the two sides' texts, file by file.

Lines are aligned by patience: those that each side has once stand fast, the gaps between them are treated likewise. It
takes n log n where the standard library's ``difflib`` takes n², and a customization's id is such a line.

A patch holds the files' own lines, which can't be escaped. Where one of them is a command to GitHub's runner, the part
of the file stands in a fence within which no command counts; git passes over it, as over any line between parts. No
other runner has such a fence: `describe_commands` names a line that one would obey.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from hashlib import sha256
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.escape import COMMAND, COMMANDS, defused, one_line
from pinsync.reports.words.values import join_lines, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.drift.record import Drift, Texts, TrackerDrift
    from pinsync.reports import Style

Lines = list[bytes]

_CONTEXT: Final = 3
_HUNK: Final = re.compile(r"@@ -(\d+),\d+ \+(\d+),\d+ @@")
_LEVELS: Final = 8
"""How often a gap is looked at anew; pins in one customization need two, and a bound keeps any text cheap."""


def render(drift: Drift, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the patch that makes the files of the one side those of the other; nothing if none differs.

    Notes, and trackers that couldn't be compared, stand above it behind a ``#``; git passes over such lines.

    Args:
        drift: what to report, with its texts.
        style: not used.
    """
    remarks = join_lines(f"# {one_line(remark)}" for remark in _list_remarks(drift))
    texts = chain.from_iterable(sorted(tracker.texts, key=lambda both: both.path) for tracker in drift.trackers)
    return remarks + b"".join(fence(render_part(both)) for both in texts).decode()


def _list_remarks(drift: Drift) -> Iterator[str]:
    yield from drift.notes
    for tracker in drift.trackers:
        yield from _list_tracker_remarks(tracker)


def _list_tracker_remarks(tracker: TrackerDrift) -> Iterator[str]:
    if tracker.error is not None:
        yield f"incomplete: {tracker.name} is missing, it could not be compared: {tracker.error.message}"
    yield from (f"{tracker.name}: {note}" for note in tracker.notes)


_COMMAND: Final = re.compile(r"##\[|[\r\n]\s*::")
"""What GitHub's runner takes for a command: ``##[`` anywhere in a line, and ``::`` after nothing but white space."""


def render_part(texts: Texts) -> bytes:
    """Return a file's part of the patch, with the headers of ``git diff`` (git-diff(1), "Generating patch text").

    Args:
        texts: both sides of the file.

    Returns:
        The part, its lines the files' bytes as they are, line ends and all; nothing for equal sides.
    """
    return b"".join(_render_lines(texts)) if texts.old != texts.new else b""


def fence(part: bytes) -> bytes:
    """Return a part in which the runner of a job on GitHub obeys nothing.

    Where it must, it stands between lines that stop and resume commands (GitHub Actions, "Workflow commands",
    stop-commands). Their token is a hash of the part: none of its lines has it.
    """
    if not _COMMAND.search(part.decode()):
        return part
    token = sha256(part).hexdigest().encode()
    return b"::stop-commands::%b\n%b::%b::\n" % (token, part, token)


def describe_commands(texts: Texts) -> str | None:
    """Return a warning of commands in a file's part that a CI runner other than GitHub's obeys.

    The number is of a line of the new text, or of the old one if the patch removes the line.
    """
    both = b"".join(text for text in (texts.old, texts.new) if text is not None)
    if not re.search(COMMAND, both.decode()):
        return None
    found = list(_find_commands(render_part(texts).decode()))
    if not found:
        return None
    (line, runner), *more = found
    others = f" (and {pluralize(len(more), 'more line')})" if more else ""
    return (
        f"{texts.path}:{line}: a command to {runner}{others}, which a patch can't escape: "
        "keep the patch out of a job's log"
    )


def _find_commands(part: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each line that holds a command, and the runner that obeys it."""
    old = new = 0
    for line in part.split("\n"):
        if hunk := _HUNK.match(line):
            old, new = int(hunk[1]), int(hunk[2])
            continue
        if runner := _find_runner(line):
            yield old if line.startswith("-") else new, runner
        old += line.startswith((" ", "-"))
        new += line.startswith((" ", "+"))


def _find_runner(line: str) -> str | None:
    """Return the runner that obeys a command in a line, unless a fence keeps it from that."""
    for runner, pattern in COMMANDS.items():
        if runner != "GitHub Actions" and re.search(pattern, line):
            return runner
    return None


def _render_lines(texts: Texts) -> Iterator[bytes]:
    old, new = quote_path(f"a/{texts.path}"), quote_path(f"b/{texts.path}")
    yield f"diff --git {old} {new}\n".encode()
    if texts.old is None:
        yield b"new file mode 100644\n"
    if texts.new is None:
        yield b"deleted file mode 100644\n"
    yield f"--- {'/dev/null' if texts.old is None else _end_name(old)}\n".encode()
    yield f"+++ {'/dev/null' if texts.new is None else _end_name(new)}\n".encode()
    yield from _render_hunks(_split_lines(texts.old), _split_lines(texts.new))


_SPECIAL: Final = re.compile(rb'[\x00-\x1f"\\\x7f-\xff]')
_SHORT: Final = dict(zip(b'\a\b\t\n\v\f\r"\\', b'abtnvfr"\\', strict=True))


def quote_path(path: str) -> str:
    """Return a path as git writes it by default: in C's quotes where it holds specials.

    See git-config(1), quotePath. One character of a CI runner's command is escaped too; git reads
    it all the same.
    """
    raw = path.encode(errors="surrogateescape")
    escaped = _SPECIAL.sub(_escape_byte, raw).decode("ascii")
    escaped = defused(escaped, lambda character: f"\\{ord(character):03o}")
    return path if len(escaped) == len(path) else f'"{escaped}"'


def _escape_byte(match: re.Match[bytes]) -> bytes:
    byte = match[0][0]
    return b"\\%c" % _SHORT[byte] if byte in _SHORT else b"\\%03o" % byte


def _end_name(name: str) -> str:
    """Close a name that holds a blank with a tab, or its end couldn't be told from a time that may follow it."""
    return f"{name}\t" if " " in name else name


def _split_lines(text: bytes | None) -> Lines:
    return BytesIO(text or b"").readlines()  # splitlines() would cut at a lone carriage return too


class _Span(NamedTuple):
    """Lines of both sides that stand opposite each other, ends excluded."""

    old: int
    old_end: int
    new: int
    new_end: int


def _render_hunks(old: Lines, new: Lines) -> Iterator[bytes]:
    """Yield the hunks, each of the edits that are so near to each other that their context would overlap."""
    group: list[_Span] = []
    for edit in _find_edits(old, new, _Span(0, len(old), 0, len(new)), _LEVELS):
        if group and edit.old - group[-1].old_end > 2 * _CONTEXT:
            yield from _render_hunk(old, new, group)
            group = []
        group.append(edit)
    if group:
        yield from _render_hunk(old, new, group)


def _render_hunk(old: Lines, new: Lines, edits: Sequence[_Span]) -> Iterator[bytes]:
    before = min(_CONTEXT, edits[0].old)
    after = min(_CONTEXT, len(old) - edits[-1].old_end)
    whole = _Span(edits[0].old - before, edits[-1].old_end + after, edits[0].new - before, edits[-1].new_end + after)
    yield b"@@ -%b +%b @@\n" % (_format_range(whole.old, whole.old_end), _format_range(whole.new, whole.new_end))
    at = whole.old
    for edit in edits:
        yield from _mark_lines(b" ", old[at : edit.old])
        yield from _mark_lines(b"-", old[edit.old : edit.old_end])
        yield from _mark_lines(b"+", new[edit.new : edit.new_end])
        at = edit.old_end
    yield from _mark_lines(b" ", old[at : whole.old_end])


def _format_range(start: int, end: int) -> bytes:
    """Return where lines begin and how many there are; where there are none, the line before counts."""
    return b"%d,%d" % (start + 1 if start < end else start, end - start)


def _mark_lines(mark: bytes, lines: Lines) -> Iterator[bytes]:
    for line in lines:
        yield mark + line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


def _find_edits(old: Lines, new: Lines, span: _Span, levels: int) -> Iterator[_Span]:
    """Yield what differs, in order; between any two there is a line that both sides have."""
    span = _trim(old, new, span)
    here, _, there, _ = span
    anchors = _find_anchors(old, new, span) if levels else []
    if not anchors:
        if span.old < span.old_end or span.new < span.new_end:
            yield span
        return
    for old_at, new_at in [*anchors, (span.old_end, span.new_end)]:
        if here < old_at or there < new_at:
            yield from _find_edits(old, new, _Span(here, old_at, there, new_at), levels - 1)
        here, there = old_at + 1, new_at + 1


def _trim(old: Lines, new: Lines, span: _Span) -> _Span:
    """Return the span without the lines that both sides begin or end with."""
    here, old_end, there, new_end = span
    while here < old_end and there < new_end and old[here] == new[there]:
        here, there = here + 1, there + 1
    while here < old_end and there < new_end and old[old_end - 1] == new[new_end - 1]:
        old_end, new_end = old_end - 1, new_end - 1
    return _Span(here, old_end, there, new_end)


def _find_anchors(old: Lines, new: Lines, span: _Span) -> list[tuple[int, int]]:
    """Return where the lines stand that each side has once, as many of them as keep their order."""
    places = _find_unique_lines(new, span.new, span.new_end)
    return _find_longest_rise(
        [(at, places[line]) for line, at in _find_unique_lines(old, span.old, span.old_end).items() if line in places]
    )


def _find_unique_lines(lines: Lines, start: int, end: int) -> dict[bytes, int]:
    counts = Counter(lines[start:end])
    return {lines[at]: at for at in range(start, end) if counts[lines[at]] == 1}


def _find_longest_rise(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest subsequence whose second numbers rise too, by patience sorting."""
    tops: list[int] = []  # the lowest number that a subsequence of each length ends with
    ends: list[int] = []  # the index of its pair
    before: list[int] = []  # the index of the pair to the left of each, -1 for none
    for index, (_, number) in enumerate(pairs):
        length = bisect_left(tops, number)
        before.append(ends[length - 1] if length else -1)
        tops[length : length + 1] = [number]
        ends[length : length + 1] = [index]
    found: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]
