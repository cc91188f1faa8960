"""The bodies of writes: the rule of git, and the fields of the shop that git leaves out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.apply.bodies import build_changed_body, build_new_body
from pinsync.canonical import normalize
from pinsync.drift.pairs import build_content_key
from support.strategies import QUICK, rows

if TYPE_CHECKING:
    from pinsync.model import Customization

Row = dict[str, Any]

PIN: Row = {"position": 1, "pin_type": "item", "pin_identity": "/p/2/"}
ROW: Row = {
    "id": "a",
    "model": "basket",
    "target_type": "item",
    "target_identity": "/p/1/",
    "tags": ["x"],
    "target_metadata": {"title": "One"},
    "pin_definitions": [PIN],
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-02T00:00:00Z",
}


def build(row: Row, *ignore: str) -> Customization:
    return normalize.build_customization(row, ignore=split(*ignore))


def split(*ignore: str) -> list[tuple[str, ...]]:
    return [tuple(path.split(".")) for path in ignore]


def create(row: Row) -> Row:
    body: Row = json.loads(build_new_body(build(row)))
    return body


def change(git: Row, shop: Row, *ignore: str) -> Row:
    rule, before = build(git, *ignore), build(shop, *ignore)
    body: Row = json.loads(build_changed_body(rule, before, shop, split(*ignore)))
    return body


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def test_the_servers_own_fields_are_not_sent() -> None:
    expected = without(ROW, "id", "created_at", "updated_at")
    assert create(ROW) == expected
    assert change(ROW, ROW) == expected


def test_a_new_rule_has_the_fields_that_an_edition_of_the_reference_requires() -> None:
    bare = without(ROW, "tags", "target_metadata", "pin_definitions")
    assert create(bare)["target_metadata"] == {}
    assert create(bare)["pin_definitions"] == []
    assert create({"id": "b", "model": "basket", "target_type": "all"}) == {
        "model": "basket",
        "target_type": "all",
        "pin_definitions": [],
    }


def test_a_field_that_git_removed_is_left_out_and_a_list_is_sent_empty() -> None:
    git = without(ROW, "tags", "target_metadata", "pin_definitions")
    assert change(git, {**ROW, "note": [1], "more": {"a": 1}}) == {
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/1/",
        "tags": [],
        "pin_definitions": [],
    }


@pytest.mark.parametrize(
    ("ignore", "shop", "expected"),
    [
        ("note", {"note": "kept"}, {"note": "kept"}),
        ("note", {"note": None}, {"note": None}),
        ("note", {}, {}),
        ("tags", {"tags": ["y"]}, {"tags": ["y"]}),
        (
            "target_metadata.image",
            {"target_metadata": {"title": "Two", "image": "i"}},
            {"target_metadata": {"title": "One", "image": "i"}},
        ),
        (
            "target_metadata.image.small",
            {"target_metadata": {"image": {"small": 1, "large": 2}}},
            {"target_metadata": {"title": "One", "image": {"small": 1}}},
        ),
        ("target_metadata.image", {"target_metadata": {"title": "Two"}}, {}),
        ("target_metadata.image", {"target_metadata": None}, {}),
        ("target_metadata.image", {"target_metadata": "text"}, {}),
        ("created_at", {"created_at": "2020-01-01T00:00:00Z"}, {}),
    ],
)
def test_the_values_of_the_shop_that_git_ignores_are_kept(
    ignore: str, shop: Row, expected: Row
) -> None:
    plain = without(ROW, "id", "created_at", "updated_at")
    if ignore == "tags":
        plain.pop("tags")
    assert change(ROW, {**ROW, **shop}, ignore) == {**plain, **expected}


def test_an_object_of_which_git_has_a_text_is_not_written_into() -> None:
    git, shop = {**ROW, "note": "text"}, {**ROW, "note": {"a": 1, "b": 2}}
    assert change(git, shop, "note.a")["note"] == "text"


def test_a_rule_moves_to_another_model() -> None:
    assert change({**ROW, "model": "cart"}, ROW)["model"] == "cart"


def test_numbers_of_any_size_and_any_text_are_sent() -> None:
    row = {**ROW, "note": [2**70, 0.1, "ž \u2028 \x00", "\U0001f384"]}
    assert create(row)["note"] == row["note"]


@QUICK
@given(st.data())
def test_a_body_reads_as_the_rule_of_git(data: st.DataObject) -> None:
    git, before = data.draw(rows), data.draw(rows)
    rule, old = build({**git, "id": "a"}), build({**before, "id": "a"})
    for body in (build_new_body(rule), build_changed_body(rule, old, before, ())):
        read = normalize.build_customization({**json.loads(body), "id": "a"})
        assert build_content_key(read) == build_content_key(rule)
