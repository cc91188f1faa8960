"""Whether the shop has a rule as git wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pinsync.apply.matching import (
    Matcher,
    describe_difference,
    has_metadata,
    has_only_dropped_metadata,
    read_rule,
)
from pinsync.canonical import normalize
from pinsync.errors import DataError
from support.planning import make

if TYPE_CHECKING:
    from pinsync.model import Customization

STRICT = Matcher(allows_dropped_metadata=False)
LENIENT = Matcher(allows_dropped_metadata=True)


def titled(id_: str | None, title: str | None, **fields: Any) -> Customization:  # noqa: ANN401 - fields of a row
    row: dict[str, Any] = {
        "id": id_ or "x",
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/1/",
        **fields,
    }
    if title is not None:
        row["target_metadata"] = {"title": title}
    return normalize.build_customization(row)


def test_the_id_does_not_matter_and_the_model_does() -> None:
    assert STRICT.is_equal(make(None), make("b"))
    assert not STRICT.is_equal(make("a"), make("a", text="/p/8/"))
    assert not STRICT.is_equal(make("a"), make("a", model="cart"))
    assert not STRICT.is_equal(make("a"), None)


@pytest.mark.parametrize(
    ("found", "is_dropped"),
    [
        (titled("b", None), True),
        (titled("b", "B"), False),
        (titled("b", None, tags=["x"]), False),
        (titled("b", None, model="cart"), False),
    ],
)
def test_metadata_that_was_dropped(found: Customization, is_dropped: bool) -> None:
    wanted = titled("a", "A")
    assert has_only_dropped_metadata(wanted, found) == is_dropped
    assert LENIENT.is_equal(wanted, found) == is_dropped
    assert not STRICT.is_equal(wanted, found)


def test_a_rule_with_metadata() -> None:
    assert has_metadata(titled("a", "A"))
    assert not has_metadata(titled("a", None))
    assert not has_metadata(None)


def test_a_created_rule_is_a_new_one_with_the_text() -> None:
    wanted = {4: make(None), 7: make(None, "/p/2/")}
    old, new = make("old"), make("new")
    assert STRICT.find_created(wanted, [old, new], {"old"}) == {4: new}
    assert STRICT.find_created(wanted, [old], {"old"}) == {}
    edited = make("new", text="/p/9/")
    assert STRICT.find_created(wanted, [edited], ()) == {}


def test_equal_rules_are_found_once_each() -> None:
    wanted = {1: make(None), 2: make(None), 3: make(None)}
    found = STRICT.find_created(wanted, [make("a"), make("b")], ())
    assert found == {1: make("a"), 2: make("b")}


def test_a_difference_names_the_fields() -> None:
    wanted = titled("a", "A", tags=["x"])
    assert describe_difference(wanted, titled("b", "B")) == "tags, target_metadata.title"
    assert describe_difference(make("a"), make("a", text="/p/9/")) == "pin_definitions"
    assert describe_difference(make("a"), make("a", model="cart")) == "model"


def test_an_answer_is_read_with_its_fields() -> None:
    body = b'{"id": "a", "model": "m", "target_type": "all", "note": 1, "tags": []}'
    rule, row = read_rule(body, [("note",)])
    assert rule.text == b"  - id: a\n    target_type: all\n"
    assert row["note"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"model": "m", "target_type": "all"}',
        b'{"id": 1, "model": "m", "target_type": "all"}',
        b'{"id": "a", "model": "m"}',
    ],
)
def test_an_answer_that_is_no_rule(body: bytes) -> None:
    with pytest.raises(DataError):
        read_rule(body, ())
