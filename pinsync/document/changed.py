"""Find the blocks that differ between two versions of a document, without cutting both."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pinsync.document.cut import Cut

_PIECE: Final = 1 << 16
"""The number of bytes to compare at once: copies of this size come from memory that is at hand."""
_EDGE: Final = b"\n  - "
_DASH: Final = b"  - "


class ChangedBlocks(NamedTuple):
    """Neighbouring blocks of a text that another text has in their place.

    Attributes:
        first: the index of the first block of the known text.
        last: the index behind the last block of the known text.
        begin: the place of the blocks in the other text.
        end: the end of the blocks in the other text.
    """

    first: int
    last: int
    begin: int
    end: int


def find_changed_blocks(known: Cut, text: bytes) -> list[ChangedBlocks] | None:
    """Return the blocks that differ between two texts with LF.

    All other blocks are equal and have the same order. Equal blocks may be among the result.

    Args:
        known: a text with blocks.
        text: the other text.

    Returns:
        None if the heads differ.
    """
    edges = known.edges
    if not text.startswith(known.text[: edges[0] + len(_DASH)]):
        return None
    found: list[ChangedBlocks] = []
    # Both places begin a block, or are the end of the text.
    place, other = edges[0], edges[0]
    while place < len(known.text) or other < len(text):
        length = _measure_common_start(known.text, place, text, other)
        if place + length == len(known.text) and other + length == len(text):
            break
        # Behind a block stands a line end with a dash, so that an equal line end alone tells
        # nothing about the end of a block.
        first = bisect_right(edges, max(place, place + length - len(_DASH))) - 1
        first = min(first, len(edges) - 2)
        begin = edges[first] - place + other
        place = edges[first + 1]
        other = text.find(_EDGE, begin) + 1 or len(text)
        found.append(ChangedBlocks(first, first + 1, begin, other))
        if not _begin_alike(known.text, place, text, other):
            # Blocks were added or removed, so the next blocks aren't each other's versions.
            found[-1] = _extend_to_common_end(known, text, found[-1])
            break
    return found


class ChangedText(NamedTuple):
    """Neighbouring blocks of a text, and those that another text has in their place.

    Attributes:
        begin: the place of the blocks in the text.
        end: the end of the blocks in the text.
        other_begin: the place of the blocks in the other text.
        other_end: the end of the blocks in the other text.
    """

    begin: int
    end: int
    other_begin: int
    other_end: int


def find_changed_text(text: bytes, other: bytes) -> list[ChangedText] | None:
    """Return the blocks that differ between two texts with LF, without cutting either.

    It finds the same blocks as `find_changed_blocks`, which needs the edges of all blocks.

    Returns:
        None if the heads differ, or the text has no block.
    """
    place = text.find(_EDGE) + 1
    if not place or not other.startswith(text[: place + len(_DASH)]):
        return None
    found: list[ChangedText] = []
    place_in_other = place
    while place < len(text) or place_in_other < len(other):
        length = _measure_common_start(text, place, other, place_in_other)
        if place + length == len(text) and place_in_other + length == len(other):
            break
        last = max(place, place + length - len(_DASH))
        begin = text.rfind(_EDGE, place - 1, last + len(_DASH)) + 1 or place
        other_begin = begin - place + place_in_other
        place = text.find(_EDGE, begin) + 1 or len(text)
        place_in_other = other.find(_EDGE, other_begin) + 1 or len(other)
        found.append(ChangedText(begin, place, other_begin, place_in_other))
        if not _begin_alike(text, place, other, place_in_other):
            found[-1] = _extend_text_to_common_end(text, other, found[-1])
            break
    return found


def _extend_text_to_common_end(text: bytes, other: bytes, changed: ChangedText) -> ChangedText:
    """Return changed blocks with all blocks up to those that end both texts."""
    length = _measure_common_end(text, other)
    end = text.find(_EDGE, max(len(text) - length, changed.begin - 1)) + 1 or len(text)
    other_end = len(other) - (len(text) - end)
    while other_end < changed.other_begin:
        end = text.find(_EDGE, end) + 1 or len(text)
        other_end = len(other) - (len(text) - end)
    return ChangedText(changed.begin, end, changed.other_begin, other_end)


def _begin_alike(one: bytes, place: int, text: bytes, other: int) -> bool:
    """Return whether two blocks have the same first line; the ends of both texts are alike."""
    line = one[place : one.find(b"\n", place) + 1]
    return text.startswith(line, other) if line else other == len(text)


def _extend_to_common_end(known: Cut, text: bytes, changed: ChangedBlocks) -> ChangedBlocks:
    """Return changed blocks with all blocks up to those that end both texts."""
    length = _measure_common_end(known.text, text)
    # A block begins behind a line end, which must be equal too.
    last = bisect_right(known.edges, len(known.text) - length)
    last = min(max(last, changed.first), len(known.edges) - 1)
    end = len(text) - (len(known.text) - known.edges[last])
    # The equal ends may overlap with the equal beginnings, where equal blocks were added.
    while end < changed.begin:
        last += 1
        end = len(text) - (len(known.text) - known.edges[last])
    return ChangedBlocks(changed.first, last, changed.begin, end)


def _measure_common_start(one: bytes, place: int, text: bytes, other: int) -> int:
    """Return how many bytes from a place on are equal to those from another place on."""
    length, piece = 0, _PIECE
    most = min(len(one) - place, len(text) - other)
    while piece and length < most:
        size = min(piece, most - length)
        begin = place + length
        if text.startswith(one[begin : begin + size], other + length):
            length += size
        else:
            # The difference is within this piece.
            most = length + size - 1
            piece = size // 2 or (1 if length < most else 0)
    return length


def _measure_common_end(one: bytes, text: bytes) -> int:
    """Return how many bytes at the end of two texts are equal."""
    length, piece = 0, _PIECE
    most = min(len(one), len(text))
    while piece and length < most:
        size = min(piece, most - length)
        end = len(one) - length
        if text.endswith(one[end - size : end], 0, len(text) - length):
            length += size
        else:
            most = length + size - 1
            piece = size // 2 or (1 if length < most else 0)
    return length
