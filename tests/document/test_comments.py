"""Comments through an export: where each stands afterwards, and which have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync.canonical import normalize
from pinsync.document.form import format_document
from pinsync.document.parse import parse_document
from pinsync.document.record import render_document
from pinsync.yamlio import load
from support.commenting import Row, commented, pin, rule, standing, states, things
from support.merging import export
from support.strategies import QUICK, scribbled

if TYPE_CHECKING:
    from collections.abc import Iterator


HEAD = "format: 1\nmodel: basket\ncustomizations:\n"


def becomes(before: str, live: list[Row], after: str) -> None:
    """Hold what an export makes of a document; both texts come without the head."""
    found = export({"basket.yaml": (HEAD + before).encode()}, live)
    assert found["basket.yaml"].decode() == HEAD + after


A_WITH_ONE_PIN = """\
  # the rule
  - id: a  # behind the rule
    target_type: all  # behind the type
    # above the pins
    pin_definitions:  # behind the pins
      # above the pin
      - position: 1  # behind the pin
        # above the identity
        pin_type: item
        pin_identity: /p/1/  # behind the identity
"""


def test_nothing_changed() -> None:
    becomes(A_WITH_ONE_PIN, [rule("a", pin(1, "/p/1/"))], A_WITH_ONE_PIN)


def test_every_comment_of_a_changed_block_stays_at_its_thing() -> None:
    after = A_WITH_ONE_PIN.replace(
        "    # above the pins", '    tags:\n      - "y"\n    # above the pins'
    )  # what is new goes above the comments of what it comes before
    becomes(A_WITH_ONE_PIN, [rule("a", pin(1, "/p/1/"), tags=["y"])], after)


def test_a_moved_pin_takes_its_comments_along() -> None:
    before = """\
  - id: a
    target_type: all
    pin_definitions:
      # one
      - position: 1  # behind one
        pin_type: item
        pin_identity: /p/1/  # first
      # two
      - position: 2
        pin_type: item
        pin_identity: /p/2/  # second
"""
    after = """\
  - id: a
    target_type: all
    pin_definitions:
      # two
      - position: 2
        pin_type: item
        pin_identity: /p/2/  # second
      # one
      - position: 3  # behind one
        pin_type: item
        pin_identity: /p/1/  # first
"""
    becomes(before, [rule("a", pin(3, "/p/1/"), pin(2, "/p/2/"))], after)


def test_a_comment_behind_a_dash_alone_is_the_pins() -> None:
    before = """\
  - # the rule
    id: a
    target_type: all
    pin_definitions:
      - # one
        position: 1
        pin_type: item
        pin_identity: /p/1/
      # two,
      -   # of all people

        # inside
        # two
        position: 2
        pin_type: item
        pin_identity: /p/2/
      - # three

        # at this place

        position: 3
        pin_type: item
        pin_identity: /p/3/
"""
    after = """\
  # the rule
  - id: a
    target_type: all
    pin_definitions:
      # at this place

      # three
      - position: 3
        pin_type: item
        pin_identity: /p/3/
      # two,
      # of all people
      # inside
      # two
      - position: 4
        pin_type: item
        pin_identity: /p/2/
"""
    becomes(before, [rule("a", pin(4, "/p/2/"), pin(3, "/p/3/"))], after)


def test_what_is_above_a_block_stays_there_where_the_block_begins_with_what_is_at_its_place() -> (
    None
):
    before = (
        "  # on a\n  - # of the shop\n\n    # at this place\n\n    id: a\n    target_type: all\n"
        "    note: 1\n"
    )
    after = (
        "  # at this place\n\n  # on a\n  # of the shop\n  - id: a\n    target_type: all\n"
        "    note: 2\n"
    )
    becomes(before, [rule("a", note=2)], after)
    assert format_document((HEAD + before).encode(), "f").decode() == HEAD + after.replace(
        "note: 2", "note: 1"
    )


def test_a_comment_in_a_value_stays_on_its_key() -> None:
    before = (
        "  - id: a\n    target_type: all\n    note: [\n      1,  # 1\n      # no more\n"
        "      ]  # end\n    x: 1\n"
    )
    note = "    note:\n      # no more\n      - 1  # 1  # end\n    x: 2\n"
    becomes(before, [rule("a", note=[1], x=2)], f"  - id: a\n    target_type: all\n{note}")


def test_a_comment_on_one_of_equal_items_stays_there() -> None:
    before = (
        "  - id: a\n    target_type: all\n    note:\n      - 1\n      - 1  # the second\n    x: 1\n"
    )
    becomes(before, [rule("a", note=[1, 1], x=2)], before.replace("x: 1", "x: 2"))


def test_a_removed_pin_takes_its_comments_with_it() -> None:
    before = """\
  - id: a
    target_type: all
    pin_definitions:
      # one
      - position: 1  # behind one
        # inside one
        pin_type: item
        pin_identity: /p/1/  # first
      # two
      - position: 2
        pin_type: item
        pin_identity: /p/2/
"""
    after = """\
  - id: a
    target_type: all
    pin_definitions:
      # two
      - position: 2
        pin_type: item
        pin_identity: /p/2/
"""
    becomes(before, [rule("a", pin(2, "/p/2/"))], after)


def test_the_last_pin_takes_the_comments_of_the_list_with_it() -> None:
    after = "  # the rule\n  - id: a  # behind the rule\n    target_type: all  # behind the type\n"
    becomes(A_WITH_ONE_PIN, [rule("a")], after)


def test_a_replaced_pin_hands_its_comments_on() -> None:
    becomes(A_WITH_ONE_PIN, [rule("a", pin(1, "/p/9/"))], A_WITH_ONE_PIN.replace("/p/1/", "/p/9/"))


def test_of_two_pins_the_equal_one_keeps_its_comment() -> None:
    before = """\
  - id: a
    target_type: all
    pin_definitions:
      # until March
      - position: 1
        pin_type: item
        pin_identity: /p/1/
        active_to: "2026-03-01T00:00:00Z"
      # from April
      - position: 1
        pin_type: item
        pin_identity: /p/1/
        active_from: "2026-04-01T00:00:00Z"
"""
    after = """\
  - id: a
    target_type: all
    pin_definitions:
      # from April
      - position: 1
        pin_type: item
        pin_identity: /p/1/
        active_from: "2026-04-01T00:00:00Z"
"""
    becomes(before, [rule("a", pin(1, "/p/1/", active_from="2026-04-01T00:00:00Z"))], after)


def test_comments_on_tags_leave_with_their_tags() -> None:
    before = """\
  - id: a
    target_type: all
    tags:  # the tags
      # for winter
      - snow
      - sun  # for summer
      - wind  # for autumn
"""
    after = """\
  - id: a
    target_type: all
    tags:  # the tags
      - rain
      - sun  # for summer
"""
    becomes(before, [rule("a", tags=["sun", "rain"])], after)


def test_comments_on_items_of_other_lists_follow_their_items() -> None:
    before = """\
  - id: a
    target_type: all
    note:
      - one  # first
      - two  # second
      - x: 1  # third
"""
    after = """\
  - id: a
    target_type: all
    note:
      - x: 1  # third
      - two  # second
      - one  # first
"""
    becomes(before, [rule("a", note=[{"x": 1}, "two", "one"])], after)


def test_a_comment_on_a_value_that_changes_stays_on_the_key() -> None:
    before = (
        "  - id: a\n    target_type: all\n    target_metadata:\n      title: old  # as agreed\n"
    )
    after = "  - id: a\n    target_type: all\n    target_metadata:\n      title: new  # as agreed\n"
    becomes(before, [rule("a", target_metadata={"title": "new"})], after)


def test_a_comment_on_a_key_that_goes_leaves() -> None:
    before = "  - id: a\n    target_type: all\n    # about\n    note: x  # behind\n    other: 1\n"
    becomes(before, [rule("a", other=1)], "  - id: a\n    target_type: all\n    other: 1\n")


@pytest.mark.parametrize(
    ("noise", "kept"),
    [
        (
            ["        is_block_pin: false  # not yet", "        note: 1"],
            ["        # not yet", "        note: 1"],
        ),
        (
            ["        # not yet", "        is_block_pin: null", "        note: 1"],
            ["        # not yet", "        note: 1"],
        ),
        (
            ["        note: 1", "        is_block_pin: false  # not yet"],
            ["        # not yet", "        note: 1"],
        ),
    ],
)
def test_a_comment_on_noise_goes_to_a_neighbour_in_the_same_pin(
    noise: list[str], kept: list[str]
) -> None:
    def text(lines: list[str], title: str) -> str:
        pins = [
            "      - position: 1",
            "        pin_type: item",
            *lines,
            "      - position: 2",
            "        pin_type: item",
        ]
        return "\n".join(
            [
                "  - id: a",
                "    target_type: all",
                "    pin_definitions:",
                *pins,
                f"    title: {title}",
                "",
            ]
        )

    pins = [{"position": 1, "pin_type": "item", "note": 1}, {"position": 2, "pin_type": "item"}]
    becomes(text(noise, "old"), [rule("a", *pins, title="new")], text(kept, "new"))


def test_a_comment_on_noise_stays_on_its_key_where_the_key_comes_to_say_something() -> None:
    before = "  - id: a\n    target_type: all\n    pin_definitions: []  # none yet\n"
    after = (
        "  - id: a\n    target_type: all\n    pin_definitions:  # none yet\n      - position: 1\n"
    )
    becomes(before, [rule("a", {"position": 1})], after)


def test_a_detached_comment_in_a_block_stays_at_its_place() -> None:
    before = """\
  - id: a
    target_type: all
    pin_definitions:
      # winter

      # snow
      - position: 1
        pin_identity: /p/1/
      # summer
      # really

      # sun
      - position: 2
        pin_identity: /p/2/
"""
    after = """\
  - id: a
    target_type: all
    pin_definitions:
      # winter

      # summer
      # really

      # sun
      - position: 2
        pin_identity: /p/2/
"""
    becomes(before, [rule("a", {"position": 2, "pin_identity": "/p/2/"})], after)


def test_a_detached_comment_at_the_end_of_a_block_stays_there() -> None:
    before = (
        "  - id: a\n    target_type: all\n    # old\n\n    note: 1\n  # about b\n  - id: b\n"
        "    target_type: all\n"
    )
    after = (
        "  - id: a\n    target_type: all\n    # old\n\n  # about b\n  - id: b\n"
        "    target_type: all\n"
    )
    becomes(before, [rule("a"), rule("b")], after)


THREE = """\

  # a list of three

  # about a
  - id: a
    target_type: all

  # a section

  # about b
  # and more about b
  - id: b
    target_type: all
    # in b
    note: 1

  - id: c
    target_type: all
  # the tail

# the very end
"""


def test_comments_around_blocks_that_stay() -> None:
    becomes(THREE, [rule("a"), rule("b", note=2), rule("c")], THREE.replace("note: 1", "note: 2"))


def test_comments_around_a_block_that_goes() -> None:
    after = THREE.replace(
        (
            "  # about b\n  # and more about b\n  - id: b\n    target_type: all\n    # in b\n"
            "    note: 1\n"
        ),
        "",
    )
    becomes(THREE, [rule("a"), rule("c")], after)


def test_comments_around_the_last_block_that_goes() -> None:
    after = THREE.replace("\n  - id: c\n    target_type: all\n", "")
    becomes(THREE, [rule("a"), rule("b", note=1)], after)


def test_comments_around_the_first_block_that_goes() -> None:
    becomes(
        THREE,
        [rule("b", note=1), rule("c")],
        THREE.replace("  # about a\n  - id: a\n    target_type: all\n", ""),
    )


def test_what_is_new_comes_between() -> None:
    for name, above in (("_", "  # about a"), ("bb", "  - id: c"), ("aa", "  # about b")):
        block = f"  - id: {name}x\n    target_type: all\n"
        becomes(
            THREE,
            [*map(rule, ["a", f"{name}x", "c"]), rule("b", note=1)],
            THREE.replace(above, block + above),
        )


def test_what_is_new_and_last_comes_above_the_tail() -> None:
    after = THREE.replace("  # the tail", "  - id: d\n    target_type: all\n  # the tail")
    becomes(THREE, [*map(rule, "acd"), rule("b", note=1)], after)


def test_a_block_that_moves_takes_its_comments_along() -> None:
    before = """\
  # about a
  - id: a  # is for one
    target_type: item
    target_identity: /p/1/  # one
  # about b
  - id: b
    target_type: item
    target_identity: /p/2/
"""
    after = """\
  # about b
  - id: b
    target_type: item
    target_identity: /p/2/
  # about a
  - id: a  # is for one
    target_type: item
    target_identity: /p/3/  # one
"""
    live = [
        {**rule(name), "target_type": "item", "target_identity": item}
        for name, item in (("a", "/p/3/"), ("b", "/p/2/"))
    ]
    becomes(before, live, after)


def test_a_block_that_moves_to_another_model_takes_its_comments_along() -> None:
    files = {
        "basket.yaml": (HEAD + THREE).encode(),
        "detail.yaml": f"# mine\n{HEAD}  # about z\n  - id: z\n    target_type: all\n".replace(
            "basket", "detail"
        ).encode(),
    }
    live = [rule("a"), rule("b", note=3, model="detail"), rule("c"), rule("z", model="detail")]
    moved = (
        "  # about b\n  # and more about b\n  - id: b\n    target_type: all\n    # in b\n"
        "    note: 3\n"
    )
    after = export(files, live)
    assert after["basket.yaml"].decode() == HEAD + THREE.replace(moved.replace("3", "1"), "")
    assert after["detail.yaml"].decode() == files["detail.yaml"].decode().replace(
        "  # about z", moved + "  # about z"
    )


def test_a_block_that_moves_to_a_model_without_a_document_takes_its_comments_along() -> None:
    live = [rule("a"), rule("b", note=1, model="new"), rule("c")]
    after = export({"basket.yaml": (HEAD + THREE).encode()}, live)
    assert after["new.yaml"].decode() == (
        "format: 1\nmodel: new\ncustomizations:\n"
        "  # about b\n  # and more about b\n  - id: b\n    target_type: all\n    # in b\n"
        "    note: 1\n"
    )


def test_a_recreated_rule_keeps_its_comments_and_its_place() -> None:
    before = """\
  - id: a
    target_type: item

  # about b
  - id: b  # behind b
    target_type: criteria
    note: 1  # in b

  - id: c
    target_type: all
"""
    live = [rule("x", target_type="criteria", note=1), rule("a", target_type="item"), rule("c")]
    becomes(before, live, before.replace("id: b", "id: x"))


def test_an_id_that_is_filled_in_disturbs_nothing_else() -> None:
    before = """\
  - id: a
    target_type: item

  # new
  - target_type: criteria
    note: 1  # mine

  - id: c
    target_type: all
"""
    after = before.replace("  - target_type", "  - id: b\n    target_type")
    live = [rule("a", target_type="item"), rule("b", target_type="criteria", note=1), rule("c")]
    becomes(before, live, after)


def test_a_rule_without_an_id_stays_while_live_has_none_for_its_target() -> None:
    before = (
        "  - id: a\n    target_type: all\n    note: 1\n  # new\n  - target_type: item\n"
        "    tags: [b, a] # mine\n"
    )
    becomes(before, [rule("a", note=2)], before.replace("note: 1", "note: 2"))


# What looks like a comment and isn't


@pytest.mark.parametrize(
    "value",
    [
        '"a #b"',
        "'a #b'",
        "'it''s #1'",
        "a#b",
        '"#"',
        "'#'",
        '"# \\" # "',
        "|\n      text\n      # no comment",
        "|\n      # no comment\n      text",
        "|+\n      text\n      # no comment\n\n",
        "|+\n      text\n\n\n",
        "|-\n      text\n\n      # no comment",
        "|\n\n      text\n",
        ">\n      folded\n      # no comment",
        "|  # a comment\n      # no comment",
        "|1\n      # no comment\n     #nor this",
        '"a\n      # no comment\n      b"',
        '"a\n\n      # no comment"',
        "'a\n      # no comment'",
        "a\n      b",
    ],
)
@pytest.mark.parametrize("below", ["", "  # about b\n", "\n  # a section\n\n  # about b\n", "\n"])
def test_a_text_that_looks_like_a_comment_is_kept_as_a_text(value: str, below: str) -> None:
    end = "" if value.endswith("\n") else "\n"
    before = (
        f"  - id: a\n    target_type: all\n    note: {value}{end}{below}  - id: b\n"
        f"    target_type: all\n    x: 1\n"
    )
    loaded = load((HEAD + before).encode(), "f").data
    assert isinstance(loaded, dict)
    note = loaded["customizations"][0]["note"]
    becomes(before, [rule("a", note=note), rule("b", x=2)], before.replace("x: 1", "x: 2"))
    first = export({"basket.yaml": (HEAD + before).encode()}, [rule("a", note=note)])[
        "basket.yaml"
    ].decode()
    assert first.startswith(HEAD + before[: before.index(value) + len(value)])
    second = export({"basket.yaml": (HEAD + before).encode()}, [rule("b", x=1)])[
        "basket.yaml"
    ].decode()
    assert [line for line in second.splitlines() if "#" in line] == [
        line for line in below.splitlines() if "#" in line
    ]


def test_a_quoted_hash_in_a_changed_block() -> None:
    before = '  - id: a\n    target_type: all\n    note: \'say "hi" #1\'  # said\n    other: "#2"\n'
    after = before.replace('"#2"', '"#3"')
    becomes(before, [rule("a", note='say "hi" #1', other="#3")], after)


def test_a_literal_text_in_a_changed_block_becomes_canonical_and_keeps_its_comments() -> None:
    head = "  - id: a\n    target_type: all\n    note: "
    before = head + "|  # a poem\n      # one\n      two\n    # about other\n    other: 1\n"
    after = head + '"# one\\ntwo\\n"  # a poem\n    # about other\n    other: 2\n'
    becomes(before, [rule("a", note="# one\ntwo\n", other=2)], after)


# For all documents


@settings(QUICK, max_examples=80)
@given(states(), states(), st.data())
def test_a_merge_changes_what_changed_and_loses_no_comment_of_what_remains(
    old: list[Row], new: list[Row], data: st.DataObject
) -> None:
    text = render_document("basket", map(normalize.build_customization, old)).decode()
    before = data.draw(commented(text))
    after = export({"basket.yaml": before.encode()}, new)["basket.yaml"].decode()

    olds, news = (
        {row["id"]: normalize.build_customization(row).text for row in state}
        for state in (old, new)
    )
    unchanged = {name for name, says in olds.items() if news.get(name) == says}
    if olds == news:
        assert after == before
    bodies = [
        {
            entry.customization.id: entry.lead + entry.body
            for entry in parse_document(side.encode(), "f").entries
        }
        for side in (before, after)
    ]
    assert {name: bodies[0][name] for name in unchanged} == {
        name: bodies[1][name] for name in unchanged
    }

    was, stands = dict(standing(before)), dict(standing(after))
    assert len(stands) == len(list(standing(after))), "a comment is doubled"
    remaining = set(things(after).values())
    for comment, thing in was.items():
        if thing is not None:
            assert stands.get(comment, "gone") == (thing if thing in remaining else "gone"), comment
    inside = {
        name
        for id_, body in bodies[0].items()
        if id_ not in news
        for name, _ in _comments(body.decode())
    }
    for comment, thing in was.items():
        if thing is None and comment not in inside:
            assert stands.get(comment, "gone") is None, comment
    assert stands.keys() <= was.keys()


def test_a_comment_goes_with_the_key_that_a_block_or_a_pin_begins_with() -> None:
    before = """\
  - target_identity: /a/  # a bestseller
    id: a
    target_type: item
    pin_definitions:
      - pin_identity: /p/1/  # agreed with sales
        position: 1
        pin_type: item
"""
    after = """\
  - id: a
    target_type: item
    target_identity: /a/  # a bestseller
    pin_definitions:
      - position: 2
        pin_type: item
        pin_identity: /p/1/  # agreed with sales
"""
    becomes(
        before,
        [{**rule("a", pin(2, "/p/1/")), "target_type": "item", "target_identity": "/a/"}],
        after,
    )


def test_what_stands_on_all_of_a_pin_is_written_above_it() -> None:
    before = """\
  - id: a
    target_type: all
    pin_definitions:
      # one
      - {position: 1, pin_type: item, pin_identity: /p/1/}  # of them
      - {position: 2,
          # of all
          pin_type: item, pin_identity: /p/2/}  # two
      - {pin_type: item,  # a type
          # no more

          position: 3, pin_identity: /p/3/}
"""
    after = """\
  - id: a
    target_type: all
    pin_definitions:
      # one
      # of them
      - position: 1
        pin_type: item
        pin_identity: /p/1/
      # of all
      # two
      - position: 2
        pin_type: item
        pin_identity: /p/2/
      # no more

      - position: 3
        pin_type: item  # a type
        pin_identity: /p/3/
      - position: 4
        pin_type: item
        pin_identity: /p/4/
"""
    becomes(before, [rule("a", *(pin(number, f"/p/{number}/") for number in (1, 2, 3, 4)))], after)


@settings(QUICK, max_examples=80)
@given(states(), st.data())
def test_what_is_written_by_hand_takes_in_a_rule_and_loses_no_comment(
    old: list[Row], data: st.DataObject
) -> None:
    by_hand = [{**{key: row[key] for key in row if key != "model"}, "created_at": 1} for row in old]
    text = data.draw(
        scribbled({"format": 1, "model": "basket", "customizations": by_hand}, ["# why"])
    )
    after = export({"basket.yaml": text.encode()}, [*old, rule("new")])["basket.yaml"].decode()
    assert after.count("# why") == text.count("# why")


@pytest.mark.parametrize("end", ["", "  # why\n", "...\n"])
@pytest.mark.parametrize("noise", ["tags: []", "target_metadata: null  # not now", "created_at: 1"])
@pytest.mark.parametrize("block", ["- id: a\n  target_type: all\n", "- target_type: all\n"])
def test_a_comment_on_noise_in_the_last_place_of_a_list_by_hand(
    block: str, noise: str, end: str
) -> None:
    text = f"{HEAD}{block}  # agreed with sales\n  {noise}\n{end}"
    after = export({"basket.yaml": text.encode()}, [rule("a"), rule("b")])["basket.yaml"].decode()
    assert "\n  - id: b\n    target_type: all\n" in after
    for comment in ("# agreed with sales", "# not now", "# why"):
        assert after.count(comment) == text.count(comment)


def _comments(text: str) -> Iterator[tuple[str, int]]:
    return (
        (line.partition("# ")[2], number)
        for number, line in enumerate(text.splitlines())
        if "# " in line
    )
