"""Cutting a document's text into its head and its blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinsync.document.cut import cut_document

PIECES = ["  - ", "\n", "\n  - ", "    ", "# note", "customizations:", "a: |", "-", " "]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_a_text_is_cut_at_the_first_line_of_each_block(text: str) -> None:
    cut = cut_document(text.encode())
    blocks = list(cut.split_blocks())
    assert b"".join((cut.head, *blocks)) == text.encode()
    assert all(block.startswith(b"  - ") and b"\n  - " not in block for block in blocks)
    lines = text.split("\n")
    begins = [number for number, line in enumerate(lines[1:], 2) if line.startswith("  - ")]
    assert list(cut.locate_blocks()) == begins
    assert cut.has_blocks == bool(begins)


def test_comments_between_blocks_stay_with_the_upper_one() -> None:
    cut = cut_document(b"customizations:\n# one\n  - a: 1\n\n# two\n  - b: 2\n")
    assert cut.head == b"customizations:\n# one\n"
    assert list(cut.split_blocks()) == [b"  - a: 1\n\n# two\n", b"  - b: 2\n"]
