"""Histories that broke simpler rules of "who moved": each story through the command line.

T is the agreed text; S, S1 and S2 are git's later texts; P is a person's text in the shop. An apply
is the shop with git's text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.agreeing import (
    OTHER,
    REFERENCE,
    S2,
    P,
    S,
    T,
    read_entries,
    read_record,
    without_id,
    write,
)
from support.histories import BASKET, commit, rule, run, text
from support.moving import LINE

if TYPE_CHECKING:
    from support.agreeing import Shop


def test_an_export_on_the_main_line_begins_the_record(shop: Shop) -> None:
    head = run("rev-parse", "HEAD")
    assert read_record() == {
        "format": 1,
        "tracker_id": "1234-5678",
        "source": head,
        "applied": head,
    }
    assert sorted(read_entries()) == [T["id"], OTHER["id"]]
    shop.export()
    assert run("rev-list", "--count", REFERENCE) == "1"


def test_git_moved_twice_without_an_apply(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    assert shop.ask() == ["git: Swap"]
    write("Swap again", S2, OTHER, at=20)
    assert shop.ask() == ["git: Swap again"]


def test_a_revert_brings_the_text_back(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    shop.export()
    write("Revert", T, OTHER, at=20)
    assert shop.ask() == ["git: Revert"]


def test_a_removal_was_applied_and_a_revert_brings_the_rule_back(shop: Shop) -> None:
    write("Remove", OTHER, at=10)
    assert shop.ask() == ["git: Remove"]
    shop.delete(T)
    shop.export()
    write("Revert", T, OTHER, at=20)
    assert shop.ask() == ["git: Revert"]


def test_a_person_puts_the_old_text_back(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    shop.export()
    shop.save(T)
    assert shop.ask() == ["shop: Swap"]
    # An hourly export proposes the person's text, and its pull request is open.
    shop.export("--branch", "pins")
    assert shop.ask() == ["shop: Swap"]


@pytest.mark.parametrize("way", ["merge", "squash", "squash without the line"])
@pytest.mark.parametrize("back", [False, True])
def test_an_export_was_merged_and_a_person_puts_the_text_back(
    way: str, back: bool, shop: Shop
) -> None:
    shop.save(S)
    shop.export("--branch", "pins")
    if back:
        shop.save(T)
    if way == "merge":
        run("merge", "--quiet", "--no-ff", "-m", "Take it", "pins")
    else:
        run("merge", "--quiet", "--squash", "pins")
        commit("Take it" if way != "squash" else f"Take it\n\n{LINE}", at=12)
    shop.save(T)
    assert shop.ask() == ["shop: Take it"]
    shop.save(P)
    assert shop.ask() == ["shop: Take it"]
    shop.save(S)
    assert shop.ask() == []
    # A hand edit on top of the export.
    write("Swap again", S2, OTHER, at=20)
    assert shop.ask() == ["git: Swap again"]
    shop.save(T)
    assert shop.ask() == ["both: Swap again"]


def test_a_reviewer_corrected_the_export(shop: Shop) -> None:
    shop.save(S)
    shop.export("--branch", "pins")
    run("switch", "--quiet", "pins")
    write("Correct it", S2, OTHER, at=11)
    run("switch", "--quiet", "main")
    run("merge", "--quiet", "--squash", "pins")
    commit("Take it", at=12)
    assert shop.ask() == ["both: Take it"]


def test_a_text_that_an_export_only_wrote_to_disk(shop: Shop) -> None:
    shop.save(S)
    shop.export()
    shop.save(T)
    # Uncommitted, and then committed by hand.
    assert shop.ask("@worktree", "@live") == ["shop: -"]
    commit("Take it", at=12)
    assert shop.ask() == ["shop: Take it"]


def test_a_fast_forward_of_an_old_commit_overrules_nobody(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    shop.export()
    assert shop.ask("HEAD~1") == ["unknown: Begin"]
    shop.save(P)
    assert shop.ask("HEAD~1") == ["both: Begin"]


def test_a_block_without_an_id_is_created_once(shop: Shop) -> None:
    new = rule(3, "/p/7/")
    write("Add", T, OTHER, without_id(new), at=10)
    assert shop.ask() == ["git: Add"]
    # Created, and then edited and removed in git before its id came.
    shop.save(new)
    assert shop.ask() == []
    answered_only(shop)
    write("Edit", T, OTHER, without_id(rule(3, "/p/8/")), at=20)
    assert shop.ask() == ["git: Edit"]
    write("Remove", T, OTHER, at=30)
    assert shop.ask() == ["git: Remove"]


def answered_only(shop: Shop) -> None:
    """Export, and leave the files as they were."""
    shop.export()
    run("checkout", "--quiet", "HEAD", "--", ".")


def test_a_person_deletes_or_moves_what_was_created(shop: Shop) -> None:
    new = rule(3, "/p/7/")
    write("Add", T, OTHER, without_id(new), at=10)
    shop.save(new)
    answered_only(shop)
    shop.delete(new)
    for _ in range(2):
        assert shop.ask() == ["shop: Add"]
        answered_only(shop)
    shop.save({**rule(4, "/p/7/"), "id": new["id"]})
    assert "git" not in [answer.partition(":")[0] for answer in shop.ask()]


def test_a_rule_that_git_removed_and_a_person_makes_again(shop: Shop) -> None:
    write("Remove", OTHER, at=10)
    shop.delete(T)
    shop.export()
    shop.save({**T, "id": rule(9)["id"]})
    assert shop.ask() == ["shop: -"]
    shop.save(T)
    assert "git" not in [answer.partition(":")[0] for answer in shop.ask()]


def test_saved_since(shop: Shop) -> None:
    shop.save(T, at=2)
    shop.export()
    write("Swap", S, OTHER, at=10)
    assert shop.ask() == ["git: Swap"]
    # A person tried another text, and came back; or the vendor touched the rule.
    shop.save(T, at=3)
    assert shop.ask() == ["unknown: Swap"]
    # The answer no longer says when.
    shop.save(T)
    assert shop.ask() == ["unknown: Swap"]


def test_saved_since_an_agreement_without_a_date(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(T, at=9)
    assert shop.ask() == ["git: Swap"]
    shop.save(T, at=9.95)
    assert shop.ask() == ["unknown: Swap"]


def test_an_import_gives_all_rules_new_ids(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.delete(T)
    shop.delete(OTHER)
    shop.save({**T, "id": rule(11)["id"]}, {**OTHER, "id": rule(12)["id"]})
    assert sorted(shop.ask()) == ["git: Swap", "shop: Begin"]


def test_two_exports_in_one_branch_squashed(shop: Shop) -> None:
    shop.save(S)
    shop.export("--branch", "pins")
    shop.save(rule(2, "/p/1/"))
    shop.export("--branch", "pins")
    run("merge", "--quiet", "--squash", "pins")
    commit("Take both", at=12)
    shop.export()
    assert read_record()["source"] == run("rev-parse", "HEAD")
    write("Swap", T, rule(2, "/p/1/"), at=20)
    assert shop.ask() == ["git: Swap"]


def test_an_export_from_a_branch_older_than_main(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    shop.export()
    shop.save(T)
    run("switch", "--quiet", "--create", "old", "HEAD~1")
    shop.export()
    run("switch", "--quiet", "main")
    assert shop.ask() == ["shop: Swap"]


def test_a_person_types_what_git_had_without_an_apply(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    write("Back", T, OTHER, at=20)
    shop.save(S)
    assert shop.ask() == ["shop: Back"]


def test_a_revert_of_an_export_undoes_the_edit(shop: Shop) -> None:
    shop.save(S)
    shop.export("--commit")
    run("revert", "--no-edit", "HEAD")
    (answer,) = shop.ask()
    assert answer.startswith("git: Revert")


def test_a_block_moved_to_another_model(shop: Shop) -> None:
    cart = "customizations/cart.yaml"
    commit("Move", {BASKET: text("basket", OTHER), cart: text("cart", T)}, at=10)
    assert shop.ask() == ["git: Move"]
    commit("Drop the id", {cart: text("cart", without_id(T))}, at=11)
    assert sorted(shop.ask()) == ["git: Drop the id", "git: Move"]
