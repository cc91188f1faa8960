"""Markdown of a limited size: code spans, list items, and a page that counts the pieces it leaves out."""

from __future__ import annotations

import re
from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from pinsync.escape import COMMAND, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinsync.reports.words.changes import Description

MARKER: Final = "<!-- pinsync -->"
"""The first line, by which a job finds its earlier comment and replaces it."""
MAX_CHARS: Final = 65_536
"""What a comment may have; counted in UTF-16 code units, of which there are never fewer than characters."""
MIN_CHARS: Final = 500
"""The smallest budget: verdict, what is missing, and where the rest is."""

MAX_VALUE: Final = 200
"""The most characters of a value that are shown."""
_MAX_LINES: Final = 30


def quote_code(text: str) -> str:
    r"""Return foreign text as a code span, which is all that keeps it data on a page.

    The rule: newline, tab, controls and bidi marks are shown as escapes (``one_line``). The rest stands between
    backticks, as many as there is no run of in the text (CommonMark 0.31, section 6.1), padded with a blank where it
    begins or ends with a backtick or a blank. A pipe would end a table's cell before the span is seen, and ``<`` a
    span for a reader of HTML alone, so these stand between two spans, as entities. So does one character of a CI
    runner's command: markdown is printed in a job's log too. Empty text is shown as ``""``.

    Why not entities or backslashes: GitHub and GitLab look for mentions, issues, commits, addresses, emoji and math in
    the text that comes out of markdown, where an escaped ``@`` is an ``@`` again; they leave code alone.
    """
    shown = one_line(text) or '""'
    parts = re.split(f"([|<]|{COMMAND})", shown)
    # Every second part is a character that the pattern matched.
    parts[::2] = [_quote_span(part) if part else "" for part in parts[::2]]
    parts[1::2] = map(_write_entity, parts[1::2])
    return "".join(parts)


def _write_entity(character: str) -> str:
    return "&lt;" if character == "<" else f"&#{ord(character)};"


def _quote_span(text: str) -> str:
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def measure(text: str) -> int:
    """Return how many UTF-16 code units a text has."""
    return len(text.encode("utf-16-le")) // 2


class Page:
    """What fits: pieces are taken whole or counted as left out."""

    def __init__(self, room: int) -> None:
        self.omissions: Counter[str] = Counter()
        self._room = room
        self._pieces: list[str] = []

    def take(self, piece: str, *, spare: int = 0) -> bool:
        """Take a piece if ``spare`` characters remain after it."""
        cost = measure(piece)
        if cost + spare > self._room:
            return False
        self._room -= cost
        self._pieces.append(piece)
        return True

    def take_all(self, what: str, pieces: Iterable[str], count: int, *, spare: int = 0) -> int:
        """Take the first pieces that fit; return how many, and count the rest of ``count`` as left out.

        Args:
            what: what one of them is called.
            pieces: made one by one, so that what doesn't fit isn't made.
            count: how many there are.
            spare: the characters that must remain.
        """
        taken = self.take_first(pieces, spare=spare)
        self.omissions[what] += count - taken
        return taken

    def take_first(self, pieces: Iterable[str], *, spare: int) -> int:
        """Take the first pieces that fit; return how many."""
        return sum(1 for _ in takewhile(lambda piece: self.take(piece, spare=spare), pieces))

    def half_room(self) -> int:
        """Return the half of what is left, to be spared for what matters more."""
        return self._room // 2

    def join(self) -> str:
        """Return what was taken."""
        return "".join(self._pieces)


def render_item(entry: Description, *, with_model: bool) -> str:
    """Return a change as an item of a list, its pins and fields below it."""
    model = f"model {entry.model}" if with_model else ""
    facts = [f"**{entry.verdict}:** {entry.name.full}", model, *entry.remarks, entry.last_update]
    lines = [sentence for _, sentence in entry.lines[:_MAX_LINES]]
    if more := len(entry.lines) - len(lines):
        lines.append(f"… and {more:,} more")
    return f"- {' · '.join(filter(None, facts))}\n" + "".join(f"  - {line}\n" for line in lines)
