from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync import yamlio
from pinsync.canonical import normalize
from pinsync.document import written
from pinsync.document.form import format_document
from pinsync.document.record import render_document
from support.paths import SHOP
from support.strategies import QUICK, rows

if TYPE_CHECKING:
    from support.strategies import Row

FEW = settings(QUICK, max_examples=40)
HEAD = b"format: 1\nmodel: basket\ncustomizations:\n"


def rendered(items: list[Row]) -> bytes:
    return render_document("basket", [normalize.build_customization(row) for row in items])


def held_to_the_parser(text: bytes) -> None:
    """Data and every place are what the parser says of the file as a whole."""
    loaded = yamlio.load(text, "basket.yaml")
    read = written.read(text, "basket.yaml")
    assert read.faults == ()
    assert isinstance(loaded.data, dict)
    assert [row.data for row in read.rows] == (loaded.data["customizations"] or [])
    for path, place in loaded.marks.items():
        if len(path) > 1:
            assert isinstance(path[1], int)
            assert read.rows[path[1]].find_place(path[2:]) == place
        else:
            assert read.find_place(path) == place


def test_the_sample_shop_is_read_as_the_parser_does() -> None:
    held_to_the_parser((SHOP / "homepage.yaml").read_bytes())
    for file in SHOP.glob("*.yaml"):
        assert written.read(file.read_bytes(), file.name).is_canonical()


def test_a_last_block_of_one_line_needs_no_line_end() -> None:
    """Below a line that may open a text behind ``|`` the last line gets no line end."""
    held_to_the_parser(HEAD + b" # |\n  - target_type: all")


@FEW
@given(st.lists(rows, min_size=1, max_size=3))
def test_canonical_text_is_read_as_the_parser_does(items: list[Row]) -> None:
    text = rendered(items)
    held_to_the_parser(text)
    read = written.read(text, "basket.yaml")
    assert all(row.marks is None for row in read.rows)
    assert read.is_canonical()


@FEW
@given(st.lists(rows, min_size=1, max_size=2), st.randoms(use_true_random=False))
def test_text_with_comments_and_edits_is_read_as_the_parser_does(
    items: list[Row], random: object
) -> None:
    assert hasattr(random, "choice")
    lines = rendered(items).decode().split("\n")
    at = random.choice(range(3, len(lines)))
    lines[at:at] = random.choice(
        [["# a"], ["    # b", "", "  # pinsync: ignore[schema]"], [""], ["      # 'c: d"]]
    )
    text = "\n".join(lines).encode()
    held_to_the_parser(text)
    assert not written.read(text, "basket.yaml").is_canonical()


@pytest.mark.parametrize(
    "body",
    [
        b"  - target_type: all\n    tags: [a, b]\n",
        b"  - target_type: all # why\n  - target_type: 'all'\n",
        (
            b"  - target_type: all\n    target_metadata:\n      title: |\n        - id: a\n\n"
            b"        # no comment\n"
        ),
        b"  - target_type: all\n    target_metadata:\n      title: |\n        Hello",
        (
            b"  - target_type: all\n    target_metadata:\n      title: >+\n\n        Hello\n\n"
            b"         you"
        ),
        b"  -   target_type: all\n",
        b"  - - a\n    - b\n",
        b"- target_type: all\n  tags:\n  - a\n",
        (
            b"- target_type: all\n  pin_definitions:\n  - position: 1\n  - position: 2\n"
            b"- target_type: all\n"
        ),
        b"  - target_type: all\n# at the left\n  - target_type: all\n",
        b"  - target_type: all\n  # below\n",
        b"  []\n",
        b"",
    ],
)
def test_text_by_hand_is_read_as_the_parser_does(body: bytes) -> None:
    held_to_the_parser(HEAD + body)
    assert not written.read(HEAD + body, "basket.yaml").is_canonical()


@pytest.mark.parametrize(
    "text",
    [
        b"customizations:\n  - target_type: all\nmodel: basket\nformat: 1\n",
        (
            b"---\nformat: 1 # one\nmodel: 'basket'\n\ncustomizations: # all\n\n  # one\n"
            b"  - target_type: all\n"
        ),
        b'{"format": 1, "model": "basket", "customizations": [\n  {"target_type": "all"}\n  ]}\n',
        b'model: "basket\n  - id: a"\nformat: 1\ncustomizations: []\n',
    ],
)
def test_other_heads_are_read_as_the_parser_does(text: bytes) -> None:
    held_to_the_parser(text)


@FEW
@given(st.lists(rows, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_what_is_canonical_is_what_fmt_leaves_alone(items: list[Row], random: object) -> None:
    assert hasattr(random, "shuffle")
    assert hasattr(random, "random")
    blocks = [normalize.build_customization(row).text for row in items]
    random.shuffle(blocks)
    text = HEAD + b"".join(blocks)
    if random.random() < 0.5:
        text = text.replace(b"is_block_pin: true", b"is_block_pin: false")
    assert written.read(text, "basket.yaml").is_canonical() == (
        format_document(text, "basket.yaml") == text
    )


@pytest.mark.parametrize(
    "block",
    [
        b"  - target_type: all\n    id: a\n",
        b"  - target_type: all\n    tags:\n      - b\n      - a\n",
        b"  - target_type: all\n    tags: []\n",
        b"  - target_type: all\n    note: 1.0\n",
        b"  - target_type: all\n    created_at: a\n",
        (
            b"  - target_type: all\n    pin_definitions:\n"
            b'      - active_to: "2026-01-01T00:00:00+01:00"\n'
        ),
        b"  - target_type: 1\n",
        b"  - target_type: all",
        b"  - target_type: all\r\n",
    ],
)
def test_what_fmt_would_change_is_not_canonical(block: bytes) -> None:
    assert not written.read(HEAD + block, "basket.yaml").is_canonical()


def test_comments_and_blank_lines_need_no_parser() -> None:
    text = (
        HEAD + b"  - target_type: all\n\n  # why\n  - target_type: all\n    # not\n    note: x\n\n"
    )
    read = written.read(text, "basket.yaml")
    assert [row.marks for row in read.rows] == [None, None]
    held_to_the_parser(text)
    assert not read.is_canonical()


def test_a_faulty_block_leaves_the_others_readable() -> None:
    text = HEAD + b"  - target_type: all\n  - target_type: !x all\n\n  - target_type: item\n"
    read = written.read(text, "basket.yaml")
    assert [row.data for row in read.rows] == [{"target_type": "all"}, {"target_type": "item"}]
    assert [(fault.line, fault.column) for fault in read.faults] == [(5, 18)]
    assert read.rows[1].find_place(("target_type",)) == (7, 5)


def test_a_message_names_the_line_of_the_file() -> None:
    text = HEAD + b"  - target_type: all\n  - target_type: item\n    target_type: all\n"
    (fault,) = written.read(text, "basket.yaml").faults
    assert "line 5" in fault.reason


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        2 * b"\xef\xbb\xbf" + b"format: 1\n",
        b"a: &b\n",
        b"<<<<<<< HEAD\n",
        HEAD + b"  - a: b\n c: d\n",
    ],
)
def test_a_file_that_is_no_yaml_has_a_fault_and_nothing_else(text: bytes) -> None:
    read = written.read(text, "basket.yaml")
    assert len(read.faults) == 1
    assert read.faults[0].line is not None
    assert not read.is_read
    assert (read.rows, read.model) == ((), None)


def test_a_comment_that_readers_disagree_on_is_a_fault() -> None:
    text = (
        HEAD
        + (
            "  - target_type: all\n  # a\u2028b\n  - target_type: item\n    target_identity: a\n"
        ).encode()
    )
    assert [fault.line for fault in written.read(text, "basket.yaml").faults] == [5]


def test_a_missing_part_is_placed_at_what_is_around_it() -> None:
    text = HEAD + b"  - target_type: item\n    pin_definitions:\n      - position: 1\n"
    (row,) = written.read(text, "basket.yaml").rows
    assert row.find_place(("pin_definitions", 0, "pin_type")) == (6, 9)
    assert row.find_place(("id",)) == (4, 5)


def test_comparable_spells_equal_values_alike() -> None:
    assert written.spell_for_comparison({"a": 1.0, "b": [2]}) == written.spell_for_comparison(
        {"b": [2], "a": 1}
    )
    assert written.spell_for_comparison({"a": 1}) != written.spell_for_comparison({"a": True})
    assert written.spell_for_comparison({"a": 1}) != written.spell_for_comparison({"a": "1"})


def test_what_a_customization_lacks_stands_at_its_first_key_in_canonical_form() -> None:
    (row,) = written.read(HEAD + b"  - target_type: item\n    id: a\n", "basket.yaml").rows
    assert row.find_place(("target_identity",)) == (5, 5)
    assert row.find_place(()) == (4, 5)
