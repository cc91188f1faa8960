"""The blocks that differ between two texts are found without cutting both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.document import changed
from pinsync.document.changed import find_changed_blocks, find_changed_text
from pinsync.document.cut import cut_blocks, cut_document
from support.strategies import QUICK

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = b"format: 1\nmodel: basket\ncustomizations:\n"

_LINES = st.sampled_from([b"    a: 1\n", b"    a: 12\n", b"  # note\n", b"\n", b"      - x\n"])
_BLOCKS = st.builds(
    lambda number, lines: b"  - id: %d\n" % number + b"".join(lines),
    st.integers(1, 4),
    st.lists(_LINES, max_size=3),
)


@pytest.fixture(autouse=True, params=[2, 7, 1 << 16])
def _piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed, "_PIECE", request.param)


def apply(old: bytes, new: bytes) -> list[bytes]:
    """Return the blocks of the new text, put together from equal and changed blocks."""
    known = cut_document(old)
    found = find_changed_blocks(known, new)
    assert found is not None
    blocks = list(known.split_blocks())
    result: list[bytes] = []
    done = 0
    for each in found:
        result += blocks[done : each.first]
        result += cut_blocks(new[each.begin : each.end])
        done = each.last
    return result + blocks[done:]


@st.composite
def versions(draw: st.DrawFn) -> tuple[Sequence[bytes], Sequence[bytes]]:
    old = draw(st.lists(_BLOCKS, min_size=1, max_size=8))
    new = list(old)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(new)))
        new[at : at + draw(st.integers(0, 2))] = draw(st.lists(_BLOCKS, max_size=2))
    return old, new or old


@QUICK
@given(sides=versions())
def test_changed_and_equal_blocks_make_up_the_text(
    sides: tuple[Sequence[bytes], Sequence[bytes]],
) -> None:
    old, new = (HEAD + b"".join(side) for side in sides)
    assert apply(old, new) == list(cut_document(new).split_blocks())


def test_only_changed_blocks_are_found() -> None:
    blocks = [b"  - id: %d\n    a: 1\n" % number for number in range(100, 200)]
    old = HEAD + b"".join(blocks)
    blocks[10] = blocks[10].replace(b"a: 1", b"a: 123")
    blocks[90] += b"    b: 2\n"
    new = HEAD + b"".join(blocks)
    found = find_changed_blocks(cut_document(old), new) or []
    assert [(each.first, each.last) for each in found] == [(10, 11), (90, 91)]
    del blocks[50:52]
    found = find_changed_blocks(cut_document(new), HEAD + b"".join(blocks)) or []
    assert [(each.first, each.last) for each in found] == [(50, 52)]


def test_another_head_says_nothing_of_the_blocks() -> None:
    text = HEAD + b"  - id: 1\n"
    assert find_changed_blocks(cut_document(text), b"# a\n" + text) is None


@QUICK
@given(sides=versions())
def test_the_edges_of_the_known_text_are_not_needed(
    sides: tuple[Sequence[bytes], Sequence[bytes]],
) -> None:
    old, new = (HEAD + b"".join(blocks) for blocks in sides)
    found = find_changed_text(old, new)
    assert found is not None
    result = HEAD
    done = len(HEAD)
    for begin, end, other_begin, other_end in found:
        assert begin >= done
        result += old[done:begin]
        assert len(result) == other_begin
        # Both sides are whole blocks.
        for text, first, last in ((old, begin, end), (new, other_begin, other_end)):
            assert text[first : first + 4] in (b"  - ", b"")
            assert text[last : last + 4] in (b"  - ", b"")
        result += new[other_begin:other_end]
        done = end
    assert result + old[done:] == new
    known = find_changed_blocks(cut_document(old), new)
    assert known is not None
    assert [each[2:] for each in found] == [(each.begin, each.end) for each in known]


def test_without_a_block_or_with_another_head_nothing_is_compared() -> None:
    assert find_changed_text(HEAD, HEAD) is None
    assert find_changed_text(HEAD + b"  - id: 1\n", b"# a\n" + HEAD + b"  - id: 1\n") is None
