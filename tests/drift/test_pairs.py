from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical import normalize
from pinsync.drift.pairs import (
    Pair,
    build_no_match_error,
    check_ids,
    describe_target,
    find_tags,
    find_title,
    is_filter_inconclusive,
    is_in_filters,
    is_managed,
    match_customizations,
    read_data,
    read_tags,
    read_title,
    resolve_ids,
    select_pairs,
)
from pinsync.errors import UsageError
from pinsync.model import Customization, Managed, Scope
from support import states
from support.strategies import QUICK, SEEDED, rows, texts, values

if TYPE_CHECKING:
    from random import Random

Row = dict[str, Any]


def rule(
    id_: str | None, identity: str | None = None, *, model: str = "basket", **fields: object
) -> Customization:
    target = (
        {"target_type": "all"}
        if identity is None
        else {"target_type": "item", "target_identity": identity}
    )
    row = {**target, **({} if id_ is None else {"id": id_}), **fields}
    return normalize.build_customization(row, model=model)


def paired(
    old: list[Customization], new: list[Customization]
) -> list[tuple[str | None, str | None, str | None]]:
    pairs = list(match_customizations(old, new))
    assert [pair.old for pair in pairs if pair.old] == old
    assert sorted(id(pair.new) for pair in pairs if pair.new) == sorted(map(id, new))
    assert all(
        pair.old is (None if pair.old_index is None else old[pair.old_index]) for pair in pairs
    )
    assert all(
        pair.new is (None if pair.new_index is None else new[pair.new_index]) for pair in pairs
    )
    return [(pair.old and pair.old.id, pair.new and pair.new.id, pair.kind) for pair in pairs]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], [], []),
        ([rule("a")], [rule("a")], [("a", "a", None)]),
        ([rule("a")], [], [("a", None, "removed")]),
        ([], [rule("a")], [(None, "a", "added")]),
        # by id, whatever else
        ([rule("a", "/1/")], [rule("a", "/2/")], [("a", "a", "changed")]),
        ([rule("a", model="basket")], [rule("a", model="detail")], [("a", "a", "changed")]),
        (
            [rule("a", "/1/"), rule("b", "/2/")],
            [rule("b", "/1/"), rule("a", "/2/")],
            [("a", "a", "changed"), ("b", "b", "changed")],
        ),
        # by target
        ([rule("a", "/1/")], [rule("b", "/1/")], [("a", "b", "recreated")]),
        ([rule("a", "/1/")], [rule("b", "/1/", note=1)], [("a", "b", "recreated")]),
        ([rule("a", "/1/")], [rule("b", "/2/")], [("a", None, "removed"), (None, "b", "added")]),
        (
            [rule("a", "/1/")],
            [rule("b", "/1/", model="detail")],
            [("a", None, "removed"), (None, "b", "added")],
        ),
        (
            [rule("a")],
            [rule("b", target_type="criteria")],
            [("a", None, "removed"), (None, "b", "added")],
        ),
        (
            [rule("a", target_type="criteria", target_criteria={"x": 1, "y": 2})],
            [rule("b", target_type="criteria", target_criteria={"y": 2, "x": 1.0})],
            [("a", "b", "recreated")],
        ),
        # an id goes before a target
        (
            [rule("a", "/1/")],
            [rule("a", "/2/"), rule("b", "/1/")],
            [("a", "a", "changed"), (None, "b", "added")],
        ),
        (
            [rule("a", "/1/"), rule("b", "/1/")],
            [rule("a", "/1/"), rule("c", "/1/")],
            [("a", "a", None), ("b", "c", "recreated")],
        ),
        # only where it is unambiguous on both sides
        (
            [rule("a", "/1/", note=1), rule("b", "/1/", note=2)],
            [rule("c", "/1/")],
            [("a", None, "removed"), ("b", None, "removed"), (None, "c", "added")],
        ),
        (
            [rule("a", "/1/", note=1)],
            [rule("b", "/1/"), rule("c", "/1/", note=2)],
            [("a", None, "removed"), (None, "b", "added"), (None, "c", "added")],
        ),
        # by equal text, as often as it is there, before a target
        (
            [rule("a", note=1), rule("b", note=2), rule("c", note=3)],
            [rule("x", note=3), rule("y", note=1), rule("z", note=2)],
            [("a", "y", "recreated"), ("b", "z", "recreated"), ("c", "x", "recreated")],
        ),
        (
            [rule("b"), rule("a")],
            [rule("d"), rule("c")],
            [("b", "d", "recreated"), ("a", "c", "recreated")],
        ),
        ([rule("b"), rule("a")], [rule("c")], [("b", None, "removed"), ("a", "c", "recreated")]),
        ([rule("a")], [rule("c"), rule("b")], [("a", "b", "recreated"), (None, "c", "added")]),
        (
            [rule("a", note=1), rule("b", note=2)],
            [rule("c", note=3), rule("d", note=1)],
            [
                ("a", "d", "recreated"),
                ("b", "c", "recreated"),
            ],  # and of the rest each side has one for the target
        ),
        (
            [rule("a"), rule("b")],
            [rule("b", note=1), rule("c")],
            [("a", "c", "recreated"), ("b", "b", "changed")],
        ),
        (
            [rule("a", model="basket"), rule("b", model="detail")],
            [rule("c", model="detail"), rule("d", model="basket")],
            [("a", "d", "recreated"), ("b", "c", "recreated")],
        ),
        # without an id
        ([rule(None, "/1/")], [rule("a", "/1/")], [(None, "a", None)]),
        ([rule("a", "/1/")], [rule(None, "/1/")], [("a", None, None)]),
        ([rule(None, "/1/")], [rule(None, "/1/")], [(None, None, None)]),
        ([rule(None, "/1/")], [rule("a", "/1/", note=1)], [(None, "a", "changed")]),
        ([rule(None, "/1/")], [], [(None, None, "removed")]),
        (
            [rule(None, "/1/"), rule("a", "/1/")],
            [rule("a", "/1/")],
            [(None, None, "removed"), ("a", "a", None)],
        ),
        (
            [rule("a"), rule(None)],
            [rule("b"), rule(None)],
            [("a", "b", "recreated"), (None, None, None)],
        ),
        ([rule("a"), rule(None)], [rule("b")], [("a", None, "removed"), (None, "b", None)]),
        ([rule(None), rule(None)], [rule("b"), rule("a")], [(None, "a", None), (None, "b", None)]),
    ],
)
def test_what_belongs_together(
    old: list[Customization], new: list[Customization], expected: list[Any]
) -> None:
    assert paired(old, new) == expected


@QUICK
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*"abcdefgh", None]), st.sampled_from("123"), st.sampled_from("12")
        ),
        max_size=12,
    ),
    st.randoms(),
)
def test_matching_does_not_hang_on_the_order(
    drawn: list[tuple[str | None, str, str]], random: Random
) -> None:
    sides: list[list[Customization]] = [[], []]
    for number, (name, identity, note) in enumerate(drawn):
        side = sides[number % 2]
        if name is None or name not in {item.id for item in side}:
            side.append(rule(name, identity, note=note))
    shuffled = [random.sample(side, len(side)) for side in sides]
    assert sorted(paired(*shuffled), key=repr) == sorted(paired(*sides), key=repr)


def test_an_id_like_text_elsewhere_is_no_id() -> None:
    """Only the first line of a text is its id."""
    assert Pair(rule("a", note="a\n    x"), rule(None, note="a\n    x")).kind is None
    assert Pair(rule("a", note=1), rule("a", note=2)).kind == "changed"


def test_a_pair_is_shown_by_its_new_side() -> None:
    a, b = rule("a"), rule("b")
    assert Pair(a, b).latest is b
    assert Pair(a, None).latest is a
    with pytest.raises(ValueError, match="a pair of nothing"):
        _ = Pair(None, None).latest


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), True),
        (Scope(model="basket"), True),
        (Scope(model="detail"), False),
        (Scope(model="Basket"), False),
        (Scope(tag="sale"), True),
        (Scope(tag="new year"), True),
        (Scope(tag="sal"), False),
        (Scope(target_type="item"), True),
        (Scope(target_type="all"), False),
        (Scope(target_type="item", target_identity="/p/1/"), True),
        (Scope(target_type="item", target_identity="/p/2/"), False),
        (Scope("basket", "sale", "item", "/p/1/"), True),
        (Scope("basket", "gone", "item", "/p/1/"), False),
    ],
)
def test_a_scope_filters_as_the_api_does(scope: Scope, expected: bool) -> None:
    item = rule("a", "/p/1/", tags=["sale", "new year"])
    assert is_in_filters(item, scope) is expected
    assert not is_in_filters(None, scope)


def test_ids_are_completed_from_their_beginnings() -> None:
    known = [rule("abc1"), rule("abc2"), rule("ab"), rule(None), rule("abc2", note=1)]
    for beginning, ids in (
        ("abc1", ("abc1",)),
        ("abc2", ("abc2",)),
        # A whole id is clear, even if others begin with it.
        ("ab", ("ab",)),
        ("abc", ("abc1", "abc2")),
        ("x", ("x",)),
    ):
        scope = resolve_ids(Scope(tag="sale", ids=(beginning,)), known)
        assert scope == Scope(tag="sale", ids=ids)
    both = resolve_ids(Scope(ids=("abc1", "abc2")), known)
    assert [is_in_filters(item, both) for item in known] == [True, True, False, False, True]
    assert resolve_ids(Scope(), known) == Scope()


@pytest.mark.parametrize(
    ("ids", "message", "hint"),
    [
        (("abc",), "--id abc could be 2 customizations", "write more of the id: abc1, abc2"),
        (("",), "--id '' could be 7", "abc1, abc2, p1, p2, p3, …"),
        (
            ("abd1",),
            "no customization on either side has an id that begins with 'abd1'",
            'did you mean "abc1"?',
        ),
        (("p1", "zz"), "begins with 'zz'", "the ids stand in the files"),
    ],
)
def test_an_unclear_id_is_an_error_with_the_candidates(
    ids: tuple[str, ...], message: str, hint: str
) -> None:
    known = [rule(id_) for id_ in ("abc1", "abc2", "p4", "p3", "p2", "p1", "p5")]
    with pytest.raises(UsageError) as caught:
        check_ids(Scope(ids=ids), known)
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_an_id_may_be_that_of_a_rule_that_could_not_be_read() -> None:
    check_ids(Scope(ids=("b",)), [rule("a")], is_complete=False)
    check_ids(Scope(ids=("a",)), [rule("a"), rule("a", note=1), rule(None)])
    check_ids(Scope(), [])


@pytest.mark.parametrize("tags", ["sale", {"sale": 1}, ["sale", 1], ["sale", {"sale": 1}], 5])
def test_tags_of_an_unexpected_type_are_none(tags: object) -> None:
    item = rule("a", tags=tags)
    assert find_tags(item) == read_tags(read_data(item)) == ()
    assert not is_in_filters(item, Scope(tag="sale"))


@given(texts | rows.map(lambda row: row.get("tags")), st.lists(values))
@QUICK
def test_tags_are_found_without_reading_the_rest(tags: object, others: list[object]) -> None:
    for value in (tags, [tags], others, [tags, *others]):
        item = rule("a", tags=value, unknown={"tags": ["x"]}, pin_definitions=[{"tags": ["y"]}])
        assert find_tags(item) == read_tags(read_data(item))


MANAGED = [
    # tags and models that are managed, model and tags of a rule
    (None, None, "basket", [], True),
    (("ours",), None, "basket", ["ours"], True),
    (("ours", "mine"), None, "basket", ["x", "mine"], True),
    (("ours",), None, "basket", [], False),
    (("ours",), None, "basket", ["Ours", "our", "ours "], False),
    (None, ("basket", "home"), "home", [], True),
    (None, ("basket",), "home", ["ours"], False),
    (("ours",), ("basket",), "basket", ["ours"], True),
    (("ours",), ("basket",), "basket", ["x"], False),
    (("ours",), ("basket",), "home", ["ours"], False),
    (("sale",), None, "basket", "sale", False),
]


@pytest.mark.parametrize(("tags", "models", "model", "rule_tags", "expected"), MANAGED)
def test_a_managed_rule_has_one_of_the_models_and_one_of_the_tags(
    tags: tuple[str, ...] | None,
    models: tuple[str, ...] | None,
    model: str,
    rule_tags: object,
    expected: bool,
) -> None:
    assert is_managed(rule("a", model=model, tags=rule_tags), Managed(tags, models)) is expected


OURS = Managed(tags=("ours",))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # One side is enough: a rule that lost its tag, or gained it.
        (rule("a", tags=["ours"]), rule("a"), True),
        (rule("a"), rule("a", tags=["ours"]), True),
        (rule("a", tags=["ours"]), None, True),
        (None, rule("a", tags=["ours"]), True),
        (rule("a", tags=["x"]), rule("a", note=1), False),
        (None, rule("a"), False),
    ],
)
def test_a_pair_is_managed_if_either_side_is(
    old: Customization | None, new: Customization | None, expected: bool
) -> None:
    pair = Pair(old, new)
    assert pair.is_in(Scope(managed=OURS)) is expected
    # A filter narrows that, by either side as well.
    assert pair.is_in(Scope(model="basket", managed=OURS)) is expected
    assert not pair.is_in(Scope(model="home", managed=OURS))


@pytest.mark.parametrize("other_id", ["b", None])
def test_a_rule_of_somebody_else_never_takes_the_place_of_a_managed_one(
    other_id: str | None,
) -> None:
    ours, other = rule(other_id, "/1/", tags=["ours"]), rule("a", "/1/", tags=["x"])
    for old, new in ((ours, other), (other, ours)):
        assert [pair.kind for pair in match_customizations([old], [new])] != ["removed", "added"]
        pairs = list(match_customizations([old], [new], OURS))
        assert [pair.kind for pair in pairs] == ["removed", "added"]


def test_rules_of_somebody_else_make_no_target_ambiguous() -> None:
    ours, others = rule("a", "/1/", tags=["ours"]), [rule("b", "/1/"), rule("c", "/1/", tags=["x"])]
    new = rule("d", "/1/", tags=["ours"], note=1)
    pairs = [Pair(ours, new, 0, 2)]
    assert list(select_pairs([ours], [*others, new], Scope(managed=OURS))) == pairs
    # By the text, both are the same rule, and so both are managed or neither is.
    copy = rule("e", "/1/", tags=["x"])
    (pair,) = match_customizations([others[1]], [copy], OURS)
    assert pair.kind == "recreated"


@pytest.mark.parametrize(
    ("committed", "live", "expected"),
    [
        ([], [rule("a", tags=["x1"])], False),
        ([rule("a", tags=["x1"])], [rule("a", tags=["x1"], note=1)], False),
        ([rule("a", tags=["x1"]), rule("b", "/1/")], [rule("a", tags=["x1"])], False),
        ([rule("a", tags=["x1"])], [], True),  # gone, or has it lost its tag?
        ([rule("a")], [rule("a", tags=["x1"])], True),  # it has come in from outside
        ([rule("a", "/1/")], [rule("b", "/1/", tags=["x1"])], True),  # made anew, or a second one?
        (
            [rule("a", tags=["x1"])],
            [rule("b", tags=["x1"])],
            True,
        ),  # made anew, or a copy of one without the tag?
        (
            [rule("a", tags=["x1"]), rule("b", tags=["x1"])],
            [rule("a", tags=["x1"]), rule("c", tags=["x1"])],
            True,
        ),
        ([rule(None, "/1/", tags=["x1"])], [], True),  # not entered yet, or without the tag?
        ([rule(None, "/1/", tags=["x1"])], [rule("a", "/1/", tags=["x1"])], False),
        ([rule(None, "/1/")], [rule("a", "/1/", tags=["x1"])], True),
        ([rule(None, "/1/")], [], False),
    ],
)
def test_a_filtered_answer_can_leave_a_question(
    committed: list[Customization], live: list[Customization], expected: bool
) -> None:
    assert is_filter_inconclusive(committed, live, Scope(tag="x1")) is expected


def test_the_rule_of_somebody_else_answers_no_question() -> None:
    """Our rule may be in the shop by now, and the filter may hide it."""
    committed, live = [rule(None, "/1/", tags=["x1", "ours"])], [rule("a", "/1/", tags=["x1"])]
    assert not is_filter_inconclusive(committed, live, Scope(tag="x1"))
    assert is_filter_inconclusive(committed, live, Scope(tag="x1", managed=OURS))


def test_a_scope_that_matches_nothing_names_the_nearest() -> None:
    known = [rule("a", "/p/1/", tags=["christmas"])]
    assert "basket" in str(build_no_match_error(Scope(model="baskett"), known).hint)
    error = build_no_match_error(Scope(tag="cristmas"), known)
    assert error.exit_code == 2
    assert "--tag cristmas" in error.message
    assert "christmas" in str(error.hint)
    known.append(rule("b", model="home"))
    assert "each of the values exists" in str(
        build_no_match_error(Scope(model="home", tag="christmas"), known).hint
    )
    # Customizations that match and don't count can only be those of somebody else.
    error = build_no_match_error(Scope(model="basket", tag="christmas"), known)
    assert error.hint == "some do, but `manages` in pinsync.yaml leaves them out"


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (rule("a"), "all"),
        (rule("a", "/p/1/"), "item /p/1/"),
        (rule("a", "/p/1/", target_metadata={"title": "Strings"}), "item /p/1/ (Strings)"),
        (rule("a", "/p/1/", target_metadata={"title": ""}), "item /p/1/"),
        (rule("a", "/p/1/", target_metadata={"title": 5}), "item /p/1/"),
        (rule("a", "/p/1/", target_metadata="Strings"), "item /p/1/"),
        (rule("a", ""), "item"),
        (
            rule("a", target_type="criteria", target_criteria={"brand": ["a", "b c"]}),
            'criteria brand: - a - "b c"',
        ),
    ],
)
def test_what_a_person_calls_it(item: Customization, name: str) -> None:
    assert describe_target(item) == name


@QUICK
@given(random=SEEDED)
def test_a_title_is_found_as_if_the_whole_text_was_read(random: Random) -> None:
    row = states.some_row(random)
    if random.random() < 0.5:
        row["target_metadata"] = {"title": states.some_value(random), **states.some_object(random)}
    item = normalize.build_customization(row)
    assert find_title(item) == read_title(read_data(item))
