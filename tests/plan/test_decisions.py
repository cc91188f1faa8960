"""What a plan does with a difference: each row of the table, under each option."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, get_args

import pytest

from pinsync.drift.record import Moved
from pinsync.plan.record import Permissions
from support.planning import ALL, make, plan, tell, tell_left

if TYPE_CHECKING:
    from pinsync.drift.record import Change
    from pinsync.model import Customization

OLD, NEW = make("a", text="/p/7/"), make("a", text="/p/8/")
NONE = Permissions()

ROWS = {
    ("git", "update"): "",
    ("git", "create"): "",
    ("git", "delete"): "--delete",
    **{(moved, "update"): "--overwrite-edits" for moved in ("shop", "both", "unknown")},
    **{(moved, "create"): "--recreate" for moved in ("shop", "both", "unknown")},
    **{(moved, "delete"): "--overwrite-edits --delete" for moved in ("shop", "both", "unknown")},
    ("extra", "delete"): "--delete-extra",
}
CASES: dict[str, tuple[list[Customization], list[Customization]]] = {
    "update": ([NEW], [OLD]),
    "create": ([NEW], []),
    "delete": ([], [OLD]),
}
DONE = {
    "update": "update a /p/1/ /p/7/ → /p/1/ /p/8/",
    "create": "create /p/1/ /p/8/",
    "delete": "delete a /p/1/ /p/7/",
}
OPTIONS = {
    "--delete": "delete",
    "--overwrite-edits": "overwrite_edits",
    "--recreate": "recreate",
    "--delete-extra": "delete_extra",
}


@pytest.mark.parametrize(("moved", "kind"), ROWS)
def test_each_operation_needs_just_its_options(moved: Moved, kind: str) -> None:
    needed = ROWS[moved, kind].split()
    for values in product([False, True], repeat=4):
        given = dict(zip(OPTIONS, values, strict=True))
        permissions = Permissions(**{OPTIONS[option]: value for option, value in given.items()})
        operations, left = plan(*CASES[kind], permissions, lambda _change: moved)
        if all(given[option] for option in needed):
            assert (tell(operations), left) == ([DONE[kind]], [])
        else:
            assert not operations
            assert tell_left(left) == [f"{kind} /p/1/: {moved} {ROWS[moved, kind]}"]


@pytest.mark.parametrize("kind", CASES)
def test_without_git_it_cannot_be_told_who_moved(kind: str) -> None:
    operations, left = plan(*CASES[kind], NONE, lambda _change: None)
    assert not operations
    assert [rule.reason for rule in left] == ["unknown"]


def test_equal_rules_need_nothing() -> None:
    assert plan([OLD], [OLD]) == ([], [])
    # Also under another id, and from a block without an id.
    assert plan([OLD], [make("b")]) == ([], [])
    assert plan([make(None)], [OLD]) == ([], [])


def test_rules_that_the_shop_has_under_the_ids_of_each_other_need_nothing() -> None:
    git = [make("a", "/p/1/"), make("b", "/p/2/"), make("c", "/p/3/")]
    shop = [make("a", "/p/2/"), make("b", "/p/3/"), make("c", "/p/1/")]
    assert plan(git, shop) == ([], [])
    # One of them has another text.
    shop = [make("a", "/p/2/"), make("b", "/p/3/"), make("c", "/p/1/", "/p/8/")]
    assert tell(plan(git, shop)[0]) == ["update c /p/1/ /p/8/ → /p/1/ /p/7/"]


def test_a_rule_of_another_id_is_updated_under_the_shops_id() -> None:
    operations, _ = plan([make("a", text="/p/8/")], [make("b")])
    assert tell(operations) == ["update b /p/1/ /p/7/ → /p/1/ /p/8/"]
    assert operations[0].change.fields == ()


def test_a_missing_document_is_not_an_empty_one() -> None:
    def extra(_change: Change) -> Moved:
        return "extra"

    shop = [make("a"), make("b", model="homepage")]
    for move in (None, extra):
        operations, left = plan([], shop, ALL, move or (lambda _change: "both"), {"homepage"})
        assert tell(operations) == ["delete a /p/1/ /p/7/"]
        assert tell_left(left) == ["delete /p/1/: document"]


def test_every_mover_has_its_row() -> None:
    assert {moved for moved, _ in ROWS} == set(get_args(Moved))


def test_an_exchange_needs_nothing_whoever_made_it() -> None:
    git = [make("a", "/p/1/"), make("b", "/p/2/")]
    shop = [make("a", "/p/2/"), make("b", "/p/1/")]
    assert plan(git, shop, NONE, lambda _change: "shop") == ([], [])


def test_a_rule_that_only_wants_a_text_of_an_exchange_is_planned() -> None:
    git = [make("x", "/p/1/"), make("a", "/p/1/"), make("c", "/p/2/")]
    shop = [make("x", "/p/1/", "/p/9/"), make("a", "/p/2/"), make("c", "/p/1/")]
    assert tell(plan(git, shop)[0]) == ["update x /p/1/ /p/9/ → /p/1/ /p/7/"]


def test_texts_that_stand_twice_in_git_hide_no_exchange() -> None:
    git = [make("a"), make("b", model="homepage"), make("c"), make("d")]
    shop = [make("b"), make("a", model="homepage")]
    assert plan(git, shop)[0] == []
