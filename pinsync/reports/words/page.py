"""Markdown of a limited size: code spans, list items, and a page that counts omitted pieces."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from pinsync.errors import UsageError
from pinsync.escape import COMMAND, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinsync.reports.words.changes import Description

MARKER: Final = "<!-- pinsync -->"
"""The first line, by which a CI job finds its earlier comment and replaces it."""
MAX_CHARS: Final = 65_536
"""GitHub's limit for a comment. UTF-16 code units are counted: never fewer than characters."""
MIN_CHARS: Final = 500
"""The smallest budget: room for the verdict, the counts of omitted pieces, and the hint."""

MAX_VALUE: Final = 200
"""The maximum length of a value."""
_MAX_LINES: Final = 30
"""The maximum number of lines below a change."""


def quote_code(text: str) -> str:
    r"""Return foreign text as code spans, the only markdown that keeps the text data.

    GitHub and GitLab look for mentions, issues, commits, addresses, emoji and math in the text that
    comes out of markdown. An ``@`` escaped by an entity or a backslash is an ``@`` again there;
    code is left alone. Controls are shown as escapes (``one_line``), empty text as ``""``.
    """
    shown = one_line(text) or '""'
    # Three characters become entities between two spans. A pipe would end a table's cell before
    # the span counts; "<" would start a tag for a reader of HTML alone; and markdown is printed in
    # a job's log too, where a CI runner looks for commands.
    parts = re.split(f"([|<]|{COMMAND})", shown)
    # Every second part is a character that the pattern matched.
    parts[::2] = [_quote_span(part) if part else "" for part in parts[::2]]
    parts[1::2] = map(_write_entity, parts[1::2])
    return "".join(parts)


def _write_entity(character: str) -> str:
    return "&lt;" if character == "<" else f"&#{ord(character)};"


def _quote_span(text: str) -> str:
    # CommonMark 0.31, section 6.1: a span ends at a run of as many backticks as it began with, so
    # the fence needs a length that no run in the text has.
    lengths = {len(run) for run in re.findall("`+", text)}
    length = 1
    while length in lengths:
        length += 1
    fence = "`" * length
    # The same section: one blank is stripped from each side.
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def measure(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def choose_limit(max_chars: int | None) -> int:
    """Return the budget of a page.

    Args:
        max_chars: the longest page that the user allows; None for the longest of all.

    Raises:
        UsageError: the budget is below ``MIN_CHARS``.
    """
    limit = MAX_CHARS if max_chars is None else min(max_chars, MAX_CHARS)
    if limit < MIN_CHARS:
        message = f"a report in {limit} characters says nothing"
        raise UsageError(message, hint=f"allow at least {MIN_CHARS}")
    return limit


class Page:
    """A text within a budget: takes pieces as a whole, or counts them as omitted."""

    def __init__(self, room: int) -> None:
        self.omissions: Counter[str] = Counter()
        self._room = room
        self._pieces: list[str] = []

    @property
    def room(self) -> int:
        """The number of remaining characters."""
        return self._room

    @property
    def half_room(self) -> int:
        """Half of the remaining characters, to be spared for more important pieces."""
        return self._room // 2

    def take(self, piece: str, *, spare: int = 0) -> bool:
        """Take a piece if at least ``spare`` characters remain after it."""
        cost = measure(piece)
        if cost + spare > self._room:
            return False
        self._room -= cost
        self._pieces.append(piece)
        return True

    def take_all(self, noun: str, pieces: Iterable[str], count: int, *, spare: int = 0) -> int:
        """Take pieces until one doesn't fit, and count the others as omitted.

        Args:
            noun: the noun for one piece.
            pieces: a lazy iterable saves the work on pieces that don't fit.
            count: the number of pieces.
            spare: the number of characters that must remain.

        Returns:
            The number of pieces taken.
        """
        taken = self.take_first(pieces, spare=spare)
        self.omissions[noun] += count - taken
        return taken

    def take_first(self, pieces: Iterable[str], *, spare: int) -> int:
        """Take pieces until one doesn't fit; return the number of pieces taken."""
        count = 0
        for piece in pieces:
            if not self.take(piece, spare=spare):
                break
            count += 1
        return count

    def join(self) -> str:
        """Return the text of the pieces taken."""
        return "".join(self._pieces)


def render_item(change: Description) -> str:
    """Return a change as a list item, with its pins and fields as items below."""
    facts = [f"**{change.verdict}:** {change.name.full}", f"model {change.model}", *change.remarks]
    sentences = [sentence for _, sentence in change.lines[:_MAX_LINES]]
    if more := len(change.lines) - len(sentences):
        sentences.append(f"… and {more:,} more")
    return f"- {' · '.join(facts)}\n" + "".join(f"  - {sentence}\n" for sentence in sentences)
