"""The order of a plan: no write meets a target that another rule holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.drift.pairs import build_content_key
from pinsync.plan.order import split_stages
from pinsync.plan.record import Permissions
from support.planning import apply, make, plan, tell, tell_left
from support.strategies import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from pinsync.drift.record import Change, Moved
    from pinsync.model import Customization
    from pinsync.plan.record import Operation

T1, T2, T3 = "/p/1/", "/p/2/", "/p/3/"
SAFE = Permissions()


def test_updates_come_before_creates_and_creates_before_deletes() -> None:
    git = [make("a", T1, "/p/8/"), make(None, T2)]
    shop = [make("a", T1), make("b", T3)]
    assert tell(plan(git, shop)[0]) == [
        "update a /p/1/ /p/7/ → /p/1/ /p/8/",
        "create /p/2/ /p/7/",
        "delete b /p/3/ /p/7/",
    ]


def test_operations_are_sorted_by_target_whatever_the_order_of_the_answer() -> None:
    git = [make(letter, f"/p/{letter}/", "/p/8/") for letter in "dacb"]
    shop = [make(letter, f"/p/{letter}/") for letter in "bdca"]
    assert [operation.id for operation in plan(git, shop)[0]] == list("abcd")


def test_a_delete_goes_before_the_update_that_gets_its_target() -> None:
    git, shop = [make("a", T2)], [make("a", T1), make("b", T2, "/p/8/"), make("c", T3)]
    assert tell(plan(git, shop)[0]) == [
        "delete b /p/2/ /p/8/",
        "update a /p/1/ /p/7/ → /p/2/ /p/7/",
        "delete c /p/3/ /p/7/",
    ]
    operations, left = plan(git, shop, SAFE)
    assert not operations
    assert tell_left(left) == [
        "update /p/2/: target by b --delete",
        "delete /p/2/: git --delete",
        "delete /p/3/: git --delete",
    ]


def test_a_delete_goes_before_the_create_that_gets_its_target() -> None:
    # Two rules of the shop have the target, so it doesn't tell which one git's rule is.
    git, shop = [make("a", T1, "/p/8/")], [make("b", T1), make("c", T1, "/p/9/")]
    assert tell(plan(git, shop)[0]) == [
        "delete b /p/1/ /p/7/",
        "delete c /p/1/ /p/9/",
        "create /p/1/ /p/8/",
    ]
    _, left = plan(git, shop, SAFE)
    assert tell_left(left)[0] == "create /p/1/: target by b --delete"


def test_an_update_that_leaves_a_target_goes_before_the_one_that_gets_it() -> None:
    git = [make("a", T2), make("b", T3), make(None, T1, "/p/9/")]
    shop = [make("a", T1), make("b", T2)]
    assert tell(plan(git, shop, SAFE)[0]) == [
        "update b /p/2/ /p/7/ → /p/3/ /p/7/",
        "update a /p/1/ /p/7/ → /p/2/ /p/7/",
        "create /p/1/ /p/9/",
    ]


def test_a_rule_that_stays_blocks_all_that_wait_for_it() -> None:
    git = [make("a", T2), make("b", T3), make("c", T3), make(None, T1, "/p/9/")]
    shop = [make("a", T1), make("b", T2), make("c", T3)]
    operations, left = plan(git, shop)
    assert not operations
    assert tell_left(left) == [
        "create /p/1/: target by a",
        "update /p/2/: target by b",
        "update /p/3/: target by c",
    ]


def test_a_rule_that_is_left_alone_keeps_its_target() -> None:
    def move(change: Change) -> Moved:
        return "shop" if change.id == "b" else "git"

    git, shop = [make("a", T2), make("b", T3)], [make("a", T1), make("b", T2)]
    operations, left = plan(git, shop, SAFE, move)
    assert not operations
    assert tell_left(left) == [
        "update /p/2/: target by b",
        "update /p/3/: shop --overwrite-edits",
    ]


def test_of_two_rules_for_one_target_the_first_gets_it() -> None:
    operations, left = plan([make(None, T1, "/p/8/"), make(None, T1, "/p/9/")], [])
    assert tell(operations) == ["create /p/1/ /p/8/"]
    assert tell_left(left) == ["create /p/1/: target by None"]


@pytest.mark.parametrize("targets", [[T2, T1, T3], [T2, T3, T1]])
def test_rules_that_exchange_targets_keep_them_and_exchange_texts(targets: list[str]) -> None:
    git = [
        make(letter, target, f"/p/{letter}/") for letter, target in zip("abc", targets, strict=True)
    ]
    shop = [make("a", T1, "/p/a/"), make("b", T2, "/p/b/"), make("c", T3, "/p/c/")]
    operations, left = plan(git, shop, SAFE)
    assert not left
    assert all(operation.swapped for operation in operations)
    for operation in operations:
        assert operation.before
        assert operation.after
        assert operation.before.target == operation.after.target
    done = apply(shop, operations)
    assert {build_content_key(rule) for rule in done} == {build_content_key(rule) for rule in git}
    assert plan(git, done) == ([], [])


def test_a_chain_may_be_longer_than_the_stack() -> None:
    git = [make(f"{at}", f"/p/{at + 1}/") for at in range(3000)]
    shop = [make(f"{at}", f"/p/{at}/") for at in range(3000)]
    operations, _ = plan(git, shop, SAFE)
    assert [operation.id for operation in operations] == [f"{at}" for at in reversed(range(3000))]


# Any two states.


@st.composite
def states(draw: st.DrawFn, *, max_per_target: int) -> tuple[list[Customization], ...]:
    """Git's rules, some without an id, and the shop's."""
    sides = []
    for is_git in (True, False):
        ids = draw(st.permutations([*"abcdef"]))
        spots = draw(st.permutations([(target, model) for target in "123" for model in ("x", "y")]))
        rules = []
        for at, id_ in enumerate(ids[: draw(st.integers(0, 6))]):
            spot = spots[at]
            if max_per_target > 1:
                spot = draw(st.sampled_from(spots[:4]))
            is_unnamed = is_git and draw(st.booleans())
            text = f"/p/{draw(st.sampled_from('789'))}/"
            rules.append(make(None if is_unnamed else id_, f"/p/{spot[0]}/", text, spot[1]))
        sides.append(rules)
    return tuple(sides)


MOVERS = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from(["git", "git", "shop", "both", "unknown"])
)
PERMISSIONS = st.builds(Permissions, st.booleans(), st.booleans(), st.booleans(), st.booleans())


def mover(movers: dict[str, Moved]) -> Callable[[Change], Moved]:
    def move(change: Change) -> Moved:
        found = movers.get(change.id or "", "git")
        return "extra" if found == "both" and change.old is None else found

    return move


@QUICK
@given(states(max_per_target=3), MOVERS, PERMISSIONS)
def test_the_planned_rules_become_those_of_git_and_no_other_rule_is_touched(
    sides: Sequence[list[Customization]], movers: dict[str, Moved], permissions: Permissions
) -> None:
    git, shop = sides
    operations, left = plan(git, shop, permissions, mover(movers))
    done = apply(shop, operations)
    written = {operation.id for operation in operations}
    assert [rule for rule in done if rule.id in {old.id for old in shop} - written] == [
        rule for rule in shop if rule.id not in written
    ]
    for operation in operations:
        contents = [build_content_key(rule) for rule in done]
        if operation.after:
            assert build_content_key(operation.after) in contents
            assert operation.after in git
    # A rule is written or left alone, never both.
    assert not written.intersection(rule.change.new.id for rule in left if rule.change.new)


@QUICK
@given(states(max_per_target=3))
def test_with_every_option_a_second_plan_is_empty(sides: Sequence[list[Customization]]) -> None:
    git, shop = sides
    operations, left = plan(git, shop)
    done = apply(shop, operations)
    assert plan(git, done)[0] == []
    if not left:
        assert sorted(map(build_content_key, done)) == sorted(map(build_content_key, git))


@QUICK
@given(states(max_per_target=1), MOVERS, PERMISSIONS)
def test_a_second_plan_is_empty(
    sides: Sequence[list[Customization]], movers: dict[str, Moved], permissions: Permissions
) -> None:
    git, shop = sides
    operations, _ = plan(git, shop, permissions, mover(movers))
    done = apply(shop, operations)
    # A created rule is git's under a new id.
    again, _ = plan(git, done, permissions, mover(movers))
    assert again == []


@QUICK
@given(states(max_per_target=3), st.randoms(use_true_random=False))
def test_the_order_of_an_answer_decides_nothing(
    sides: Sequence[list[Customization]], random: Random
) -> None:
    git, shop = sides
    operations, left = plan(git, shop)
    for rules in (git, shop):
        random.shuffle(rules)
    again, left_again = plan(git, shop)
    assert (tell(again), tell_left(left_again)) == (tell(operations), tell_left(left))


# The stages of an apply.


def test_deletes_that_free_a_target_are_among_the_first() -> None:
    git = [make("a", T2), make(None, "/p/4/"), make("e", "/p/5/", "/p/8/"), make(None, "/p/7/")]
    shop = [
        *(make("a", T1), make("b", T2), make("c", T3), make("d", "/p/4/", "/p/9/")),
        *(make("e", "/p/5/"), make("f", "/p/6/")),
    ]
    operations, left = plan(git, shop)
    assert not left
    stages = split_stages(operations)
    assert sorted(number for stage in stages for number in stage) == list(range(len(operations)))
    changes, creates, deletes = ([operations[at] for at in stage] for stage in stages)
    assert [(each.kind, each.id) for each in changes] == [
        *(("delete", "b"), ("update", "a"), ("update", "d"), ("update", "e")),
    ]
    assert [each.change.subject.target.identity for each in creates] == ["/p/7/"]
    assert [each.id for each in deletes] == ["c", "f"]


def test_a_delete_of_the_same_target_in_another_model_frees_nothing() -> None:
    operations, _ = plan([make(None, T1, model="cart")], [make("a", T1, "/p/9/")])
    changes, creates, deletes = split_stages(operations)
    assert (len(changes), len(creates), len(deletes)) == (0, 1, 1)


@QUICK
@given(states(max_per_target=3))
def test_the_stages_one_after_the_other_meet_no_taken_target(
    sides: Sequence[list[Customization]],
) -> None:
    git, shop = sides
    operations, _ = plan(git, shop)
    ordered: list[Operation] = []
    for stage in split_stages(operations):
        ordered += [operations[at] for at in stage]
    done = apply(shop, ordered)
    expected = apply(shop, operations)
    assert sorted(map(build_content_key, done)) == sorted(map(build_content_key, expected))
