"""The rules that a range changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pinsync.drift.changes import compare_customizations
from pinsync.drift.pairs import match_customizations
from pinsync.plan.selection import Selection
from support.planning import give_id, make
from support.strategies import QUICK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.model import Customization


def select(
    old: Sequence[Customization], new: Sequence[Customization], shop: Sequence[Customization]
) -> list[str]:
    """Return the targets of the differences between ``new`` and the shop that the range made."""
    selection = Selection(old, new)
    changes, _ = compare_customizations(new, shop)
    return [str(each.subject.target.identity) for each in changes if selection.has(each)]


def test_a_rule_that_the_range_changed_added_or_removed() -> None:
    old = [make("a", "/p/1/"), make("b", "/p/2/"), make("c", "/p/3/")]
    new = [make("a", "/p/1/", "/p/8/"), make("b", "/p/2/"), make("d", "/p/4/")]
    shop = [make("a", "/p/1/"), make("b", "/p/2/", "/p/9/"), make("c", "/p/3/")]
    assert select(old, new, shop) == ["/p/1/", "/p/3/", "/p/4/"]
    assert select(new, new, shop) == []


def test_a_rule_that_moved_to_another_model() -> None:
    old, new = [make("a", model="cart")], [make("a")]
    assert select(old, new, old) == ["/p/1/"]


def test_a_removed_block_without_an_id_is_known_by_its_target() -> None:
    old = [make(None, "/p/1/")]
    assert select(old, [], [make("s", "/p/1/")]) == ["/p/1/"]
    assert select(old, [], [make("s", "/p/1/", "/p/9/")]) == ["/p/1/"]
    assert select(old, [], [make("s", "/p/2/")]) == []


rules = st.lists(
    st.builds(
        make,
        st.none(),
        st.sampled_from(["/p/1/", "/p/2/", "/p/3/"]),
        st.sampled_from(["/p/7/", "/p/8/"]),
    ),
    max_size=4,
    unique_by=lambda rule: rule.target,
)


@QUICK
@given(rules, rules, rules)
def test_all_that_the_range_left_as_it_was_is_outside(
    old: list[Customization], new: list[Customization], shop: list[Customization]
) -> None:
    same = {
        pair.old.target.identity
        for pair in match_customizations(old, new)
        if not pair.kind and pair.old
    }
    named = [give_id(rule, f"s{at}") for at, rule in enumerate(shop)]
    assert same.isdisjoint(select(old, new, named))
    changes, _ = compare_customizations(new, named)
    gone = {rule.target.identity for rule in old} - {rule.target.identity for rule in new}
    expected = []
    for change in changes:
        identity = change.subject.target.identity
        if (change.old and identity not in same) or (not change.old and identity in gone):
            expected.append(identity)
    assert select(old, new, named) == expected
