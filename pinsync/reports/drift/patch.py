"""The report for ``git apply``: the unified diff of both sides' texts, file by file.

Lines are aligned by patience diff: lines that are unique on both sides are anchors, and the gaps
between anchors are aligned in the same way. A customization's id is such a line. Patience takes
n log n steps, the standard library's ``difflib`` n².

A patch holds the files' own lines, which can't be escaped. If a line is a command to GitHub's
runner, the file's part of the patch is fenced: no command counts in a fence, and git skips it like
any line between parts. No other runner has such a fence: `describe_commands` warns of its commands.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.escape import COMMAND, COMMANDS, defuse, one_line
from pinsync.reports.words.values import join_lines, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.drift.record import Drift, FileTexts, TrackerDrift
    from pinsync.reports import Style

Lines = list[bytes]

_CONTEXT: Final = 3
_HUNK: Final = re.compile(r"@@ -(\d+),\d+ \+(\d+),\d+ @@")
_LEVELS: Final = 8
"""The maximum depth of gaps within gaps. Pins of one customization need two; the bound keeps the
cost of any text low."""
_COMMAND: Final = re.compile(r"##\[|[\r\n]\s*::")
"""A command to GitHub's runner: ``##[`` anywhere in a line, or ``::`` after leading white space."""
_SPECIAL: Final = re.compile(rb'[\x00-\x1f"\\\x7f-\xff]')
_SHORT_ESCAPES: Final = dict(zip(b'\a\b\t\n\v\f\r"\\', b'abtnvfr"\\', strict=True))


class _Span(NamedTuple):
    """Ranges of lines that stand opposite each other; the ends are exclusive."""

    old: int
    old_end: int
    new: int
    new_end: int


def render(drift: Drift, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the patch that turns the old side's files into the new side's; empty without changes.

    Args:
        drift: the drift, with its texts.
        style: not used.
    """
    # git skips the lines above the first "diff --git".
    remarks = join_lines(f"# {one_line(remark)}" for remark in _list_remarks(drift))
    parts: list[bytes] = []
    for tracker in drift.trackers:
        files = sorted(tracker.texts, key=lambda texts: texts.path)
        parts += [fence(render_part(texts)) for texts in files]
    return remarks + b"".join(parts).decode()


def _list_remarks(drift: Drift) -> Iterator[str]:
    yield from drift.notes
    for tracker in drift.trackers:
        yield from _list_tracker_remarks(tracker)


def _list_tracker_remarks(tracker: TrackerDrift) -> Iterator[str]:
    if tracker.error is not None:
        reason = f"it could not be compared: {tracker.error.message}"
        yield f"incomplete: {tracker.name} is missing, {reason}"
    for note in tracker.notes:
        yield f"{tracker.name}: {note}"


def render_part(texts: FileTexts) -> bytes:
    """Return a file's part of the patch: headers and hunks; empty if both sides are equal.

    The lines of the part are the files' bytes, line ends included.
    """
    return b"".join(_render_lines(texts)) if texts.old != texts.new else b""


def fence(part: bytes) -> bytes:
    """Fence a part that holds a command to GitHub's runner; return other parts unchanged."""
    if not _COMMAND.search(part.decode()):
        return part
    # GitHub Actions, "Workflow commands", stop-commands: the token must not occur in the part. A
    # hash of the part can't.
    token = sha256(part).hexdigest().encode()
    return b"::stop-commands::%b\n%b::%b::\n" % (token, part, token)


def describe_commands(texts: FileTexts) -> str | None:
    """Return a warning if a file's part holds a command that a CI runner obeys despite the fence.

    The warning names the command's line in the new text, or in the old text if the patch removes
    the line.
    """
    both = b"".join(text for text in (texts.old, texts.new) if text is not None)
    # Most files hold no command at all: skip the work of rendering their part.
    if not re.search(COMMAND, both.decode()):
        return None
    commands = list(_find_commands(render_part(texts).decode()))
    if not commands:
        return None
    (line, runner), *more = commands
    others = f" (and {pluralize(len(more), 'more line')})" if more else ""
    return (
        f"{texts.path}:{line}: a command to {runner}{others}, which a patch can't escape: "
        "keep the patch out of a job's log"
    )


def _find_commands(patch: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each line with a command, and the name of the runner that obeys it."""
    old = new = 0
    for line in patch.split("\n"):
        if hunk := _HUNK.match(line):
            old, new = int(hunk[1]), int(hunk[2])
            continue
        if runner := _find_runner(line):
            yield old if line.startswith("-") else new, runner
        old += line.startswith((" ", "-"))
        new += line.startswith((" ", "+"))


def _find_runner(line: str) -> str | None:
    """Return the name of the runner that obeys a command in a line, other than GitHub's."""
    for runner, pattern in COMMANDS.items():
        if runner != "GitHub Actions" and re.search(pattern, line):
            return runner
    return None


def _render_lines(texts: FileTexts) -> Iterator[bytes]:
    # The headers of git-diff(1), "Generating patch text".
    old, new = quote_path(f"a/{texts.path}"), quote_path(f"b/{texts.path}")
    yield f"diff --git {old} {new}\n".encode()
    if texts.old is None:
        yield b"new file mode 100644\n"
    if texts.new is None:
        yield b"deleted file mode 100644\n"
    yield f"--- {_name_file(old, texts.old)}\n".encode()
    yield f"+++ {_name_file(new, texts.new)}\n".encode()
    yield from _render_hunks(_split_lines(texts.old), _split_lines(texts.new))


def quote_path(path: str) -> str:
    """Quote a path like git: in C's quotes if it holds special bytes (git-config(1), quotePath)."""
    raw = path.encode(errors="surrogateescape")
    text = _SPECIAL.sub(_escape_byte, raw).decode("ascii")
    # git reads an octal escape of any character, so commands of CI runners can be escaped too.
    text = defuse(text, lambda character: f"\\{ord(character):03o}")
    if len(text) == len(path):
        return path
    return f'"{text}"'


def _escape_byte(match: re.Match[bytes]) -> bytes:
    byte = match[0][0]
    if byte in _SHORT_ESCAPES:
        return b"\\%c" % _SHORT_ESCAPES[byte]
    return b"\\%03o" % byte


def _name_file(path: str, text: bytes | None) -> str:
    if text is None:
        return "/dev/null"
    # A time may follow the name in a unified diff. The tab says where a name with blanks ends.
    return f"{path}\t" if " " in path else path


def _split_lines(text: bytes | None) -> Lines:
    # Not splitlines(), which would cut at a lone carriage return too.
    return BytesIO(text or b"").readlines()


def _render_hunks(old: Lines, new: Lines) -> Iterator[bytes]:
    """Yield the hunks: edits share a hunk if their context lines would touch or overlap."""
    group: list[_Span] = []
    for edit in _find_edits(old, new, _Span(0, len(old), 0, len(new)), _LEVELS):
        if group and edit.old - group[-1].old_end > 2 * _CONTEXT:
            yield from _render_hunk(old, new, group)
            group = []
        group.append(edit)
    if group:
        yield from _render_hunk(old, new, group)


def _render_hunk(old: Lines, new: Lines, edits: Sequence[_Span]) -> Iterator[bytes]:
    first, last = edits[0], edits[-1]
    before = min(_CONTEXT, first.old)
    after = min(_CONTEXT, len(old) - last.old_end)
    hunk = _Span(first.old - before, last.old_end + after, first.new - before, last.new_end + after)
    old_range = _format_range(hunk.old, hunk.old_end)
    new_range = _format_range(hunk.new, hunk.new_end)
    yield b"@@ -%b +%b @@\n" % (old_range, new_range)
    line = hunk.old
    for edit in edits:
        yield from _mark_lines(b" ", old[line : edit.old])
        yield from _mark_lines(b"-", old[edit.old : edit.old_end])
        yield from _mark_lines(b"+", new[edit.new : edit.new_end])
        line = edit.old_end
    yield from _mark_lines(b" ", old[line : hunk.old_end])


def _format_range(start: int, end: int) -> bytes:
    # Lines count from 1. An empty range is named by the line before it.
    return b"%d,%d" % (start + 1 if start < end else start, end - start)


def _mark_lines(mark: bytes, lines: Lines) -> Iterator[bytes]:
    for line in lines:
        yield mark + line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


def _find_edits(old: Lines, new: Lines, span: _Span, levels: int) -> Iterator[_Span]:
    """Yield the spans that differ, in order; at least one common line separates two spans."""
    span = _trim(old, new, span)
    anchors = _find_anchors(old, new, span) if levels else []
    if not anchors:
        if span.old < span.old_end or span.new < span.new_end:
            yield span
        return
    old_start, new_start = span.old, span.new
    for old_line, new_line in [*anchors, (span.old_end, span.new_end)]:
        if old_start < old_line or new_start < new_line:
            gap = _Span(old_start, old_line, new_start, new_line)
            yield from _find_edits(old, new, gap, levels - 1)
        old_start, new_start = old_line + 1, new_line + 1


def _trim(old: Lines, new: Lines, span: _Span) -> _Span:
    """Return the span without the common lines at its beginning and end."""
    old_start, old_end, new_start, new_end = span
    while old_start < old_end and new_start < new_end and old[old_start] == new[new_start]:
        old_start, new_start = old_start + 1, new_start + 1
    while old_start < old_end and new_start < new_end and old[old_end - 1] == new[new_end - 1]:
        old_end, new_end = old_end - 1, new_end - 1
    return _Span(old_start, old_end, new_start, new_end)


def _find_anchors(old: Lines, new: Lines, span: _Span) -> list[tuple[int, int]]:
    """Return the numbers of lines that are unique on both sides, as many as keep their order."""
    new_lines = _find_unique_lines(new, span.new, span.new_end)
    pairs = []
    for line, old_number in _find_unique_lines(old, span.old, span.old_end).items():
        if line in new_lines:
            pairs.append((old_number, new_lines[line]))
    return _find_longest_rise(pairs)


def _find_unique_lines(lines: Lines, start: int, end: int) -> dict[bytes, int]:
    counts = Counter(lines[start:end])
    return {lines[number]: number for number in range(start, end) if counts[lines[number]] == 1}


def _find_longest_rise(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest subsequence in which the second numbers rise too, by patience sorting."""
    # For each length: the lowest last number of a subsequence, and the index of its pair.
    tops: list[int] = []
    ends: list[int] = []
    # For each pair: the index of the pair before it in the subsequence, or -1.
    previous: list[int] = []
    for index, (_, number) in enumerate(pairs):
        length = bisect_left(tops, number)
        previous.append(ends[length - 1] if length else -1)
        # Replaces the entry of this length, or appends one.
        tops[length : length + 1] = [number]
        ends[length : length + 1] = [index]
    rise: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        rise.append(pairs[index])
        index = previous[index]
    return rise[::-1]
