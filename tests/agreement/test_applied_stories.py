"""The stories of `test_stories` with real applies, to a shop whose rules have dates or none.

T is the agreed text; S and S2 are git's later texts; P is a person's text in the shop. Where dates
tell more, the answers differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.agreeing import OTHER, S2, S, T, without_id, write
from support.applying import find_created, leave_killed_run, open_shop
from support.histories import BASKET, commit, rule, run, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.applying import LiveShop
    from support.command_line import CommandLine

Row = dict[str, Any]

NEW = rule(3, "/p/7/")
PINS = {"T": "/p/7/", "S": "/p/8/", "S2": "/p/9/", "P": "/p/5/"}


@pytest.fixture(params=["both", "none"])
def story(
    request: pytest.FixtureRequest,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[LiveShop]:
    """A shop that agreed on T, whose answers have dates or none."""
    with open_shop([T, OTHER], pinsync, monkeypatch, api=[f"timestamps={request.param}"]) as shop:
        assert repository
        shop.begin(T, OTHER)
        yield shop


def has_dates(shop: LiveShop) -> bool:
    """Return whether the answers have dates."""
    return shop.api._service._choices.timestamps == "both"


def test_git_moved_twice_without_an_apply(story: LiveShop) -> None:
    write("One", S, OTHER, at=0)
    write("Two", S2, OTHER, at=0)
    story.export("--keep-pending")
    assert run("status", "--porcelain") == ""
    assert story.apply() == ["update /p/1/: done"]
    assert story.shelf["/p/1/"] == PINS["S2"]


def test_a_revert_brings_the_text_back(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    assert story.apply() == ["update /p/1/: done"]
    run("revert", "--no-edit", "HEAD")
    assert story.apply() == ["update /p/1/: done"]
    assert story.shelf["/p/1/"] == PINS["T"]


def test_a_removal_was_applied_and_a_revert_brings_the_rule_back(story: LiveShop) -> None:
    write("Remove", OTHER, at=0)
    assert story.apply("--delete") == ["delete /p/1/: done"]
    run("revert", "--no-edit", "HEAD")
    assert story.apply() == ["create /p/1/: done"]
    assert story.apply() == []
    assert story.code == 0


def test_a_person_puts_the_old_text_back(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    story.apply()
    story.edit(T, PINS["T"])
    story.export("--branch", "pins")
    assert story.apply() == []
    assert story.left == ["update /p/1/: shop"]


@pytest.mark.parametrize("way", ["merge", "squash"])
def test_an_export_was_merged_and_a_person_puts_the_text_back(way: str, story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    story.apply()
    story.edit(T, PINS["P"])
    story.export("--branch", "pins")
    if way == "merge":
        run("merge", "--quiet", "--no-ff", "-m", "Take it", "pins")
    else:
        run("merge", "--quiet", "--squash", "pins")
        commit("Take it")
    story.edit(T, PINS["S"])
    assert story.apply() == []
    assert story.left[0] in ("update /p/1/: shop", "update /p/1/: unknown")
    assert story.shelf["/p/1/"] == PINS["S"]


def test_a_reviewer_corrected_the_export(story: LiveShop) -> None:
    story.edit(T, PINS["P"])
    story.export("--branch", "pins")
    run("switch", "--quiet", "pins")
    write("Correct it", S2, OTHER, at=0)
    run("switch", "--quiet", "main")
    run("merge", "--quiet", "--squash", "pins")
    commit("Take it")
    assert story.apply() == []
    assert story.left == ["update /p/1/: both"]
    assert story.shelf["/p/1/"] == PINS["P"]


def test_two_merges_are_applied_in_turn(story: LiveShop) -> None:
    write("One", S, OTHER, at=0)
    first = run("rev-parse", "HEAD")
    write("Two", S2, OTHER, at=0)
    assert story.apply(first) == ["update /p/1/: done"]
    assert story.shelf["/p/1/"] == PINS["S"]
    assert story.apply() == ["update /p/1/: done"]
    assert story.shelf["/p/1/"] == PINS["S2"]
    story.apply(first)
    assert story.code == 4


def test_after_an_export_at_the_second_merge_the_first_is_refused(story: LiveShop) -> None:
    write("One", S, OTHER, at=0)
    first = run("rev-parse", "HEAD")
    write("Two", S2, OTHER, at=0)
    story.export("--keep-pending")
    story.apply(first)
    assert story.code == 4
    assert story.apply("..HEAD") == ["update /p/1/: done"]
    assert story.shelf["/p/1/"] == PINS["S2"]


def test_a_block_without_an_id_is_created_and_edited(story: LiveShop) -> None:
    write("Add", T, OTHER, without_id(NEW), at=0)
    assert story.apply() == ["create /p/3/: done"]
    assert story.apply() == []
    write("Edit", T, OTHER, without_id(rule(3, "/p/8/")), at=0)
    assert story.apply() == ["update /p/3/: done"]
    write("Remove", T, OTHER, at=0)
    assert story.apply() == []
    assert story.left == ["delete /p/3/: git"]
    assert story.apply("--delete") == ["delete /p/3/: done"]
    assert story.apply() == []
    assert story.code == 0


def test_a_person_deletes_what_was_created(story: LiveShop) -> None:
    write("Add", T, OTHER, without_id(NEW), at=0)
    story.apply()
    story.api.delete(find_created(story.api, "/p/3/"))
    for _ in range(2):
        assert story.apply() == []
        assert story.left == ["create /p/3/: shop"]
        story.export()
        run("checkout", "--quiet", "HEAD", "--", ".")


def test_a_person_moves_what_was_created(story: LiveShop) -> None:
    write("Add", T, OTHER, without_id(NEW), at=0)
    story.apply()
    row = story.api.get(find_created(story.api, "/p/3/"))
    story.api.replace({**row, "target_identity": "/p/4/"})
    assert story.apply() == []
    assert "create /p/3/: git" not in story.left
    assert sorted(story.shelf) == ["/p/1/", "/p/2/", "/p/4/"]


def test_an_old_job_runs_again_after_a_newer_apply(story: LiveShop) -> None:
    write("One", S, OTHER, at=0)
    story.apply("..HEAD")
    write("Two", S2, OTHER, at=0)
    story.apply("..HEAD")
    story.apply("HEAD~2..HEAD~1")
    assert story.code == 4
    assert story.shelf["/p/1/"] == PINS["S2"]


def test_a_person_tries_a_text_and_comes_back(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    story.edit(T, PINS["P"])
    story.edit(T, PINS["T"])
    if has_dates(story):
        assert story.apply() == []
        assert story.left == ["update /p/1/: unknown"]
    else:
        assert story.apply() == ["update /p/1/: done"]


def test_a_removal_was_applied_and_a_person_creates_the_rule_again(story: LiveShop) -> None:
    write("Remove", OTHER, at=0)
    story.apply("--delete")
    story.api.create({**without_id(T), "model": "basket"})
    assert story.apply("--delete") == []
    assert story.left == ["delete /p/1/: shop"]


def test_an_import_gives_all_rules_new_ids(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    for row in story.api.customizations():
        story.api.delete(row["id"])
        plain = {name: value for name, value in row.items() if name != "id"}
        story.api.create(plain)
    story.apply()
    assert set(story.shelf) == {"/p/1/", "/p/2/"}
    assert len(story.api.customizations()) == 2


def test_an_export_then_a_hand_edit(story: LiveShop) -> None:
    story.edit(T, PINS["P"])
    story.export("--commit")
    write("By hand", S2, rule(2), at=0)
    assert story.apply() == ["update /p/1/: done"]


def test_a_person_types_what_git_had_without_an_apply(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    write("Back", T, OTHER, at=0)
    story.edit(T, PINS["S"])
    assert story.apply() == []
    assert story.shelf["/p/1/"] == PINS["S"]


def test_a_revert_of_an_export_undoes_the_edit(story: LiveShop) -> None:
    story.edit(T, PINS["P"])
    story.export("--commit")
    run("revert", "--no-edit", "HEAD")
    assert story.apply() == ["update /p/1/: done"]
    assert story.shelf["/p/1/"] == PINS["T"]


def test_a_block_moved_to_another_model(story: LiveShop) -> None:
    cart = "customizations/cart.yaml"
    commit("Move", {BASKET: text("basket", OTHER), cart: text("cart", T)})
    assert story.apply() == ["update /p/1/: done"]
    assert story.api.get(T["id"])["model"] == "cart"
    commit("Drop the id", {cart: text("cart", without_id(T))})
    assert story.apply("--delete") == []
    assert story.code == 0


def test_a_block_moved_to_another_model_without_its_id(story: LiveShop) -> None:
    cart = "customizations/cart.yaml"
    commit("Move", {BASKET: text("basket", OTHER), cart: text("cart", without_id(T))})
    assert story.apply() == ["create /p/1/: done"]
    assert story.left == ["delete /p/1/: git"]
    assert story.apply("--delete") == ["delete /p/1/: done"]


# Runs that were killed.


SEND = {"event": "send", "operations": [0], "call": "PUT"}
DONE = {"event": "acknowledged", "operations": [0]}


def test_killed_after_the_put_and_a_person_puts_the_text_back(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    leave_killed_run(story, SEND)
    story.edit(T, PINS["S"])
    story.edit(T, PINS["T"])
    assert story.apply() == []
    assert story.left == ["update /p/1/: unknown"]


def test_killed_after_the_answer_and_a_person_puts_the_text_back(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    leave_killed_run(story, SEND, DONE)
    story.edit(T, PINS["S"])
    story.edit(T, PINS["T"])
    assert story.apply() == []
    assert story.left == ["update /p/1/: shop"]


def test_killed_before_the_put(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    leave_killed_run(story)
    assert story.apply() == ["update /p/1/: done"]


def test_killed_during_the_put(story: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    leave_killed_run(story, SEND)
    if has_dates(story):
        assert story.apply() == ["update /p/1/: done"]
    else:
        assert story.apply() == []
        assert story.left == ["update /p/1/: unknown"]
        assert story.apply("--overwrite-edits") == ["update /p/1/: done"]
    assert story.apply() == []
    assert story.code == 0


def test_killed_before_the_id_of_a_create_was_known(story: LiveShop) -> None:
    write("Add", T, OTHER, without_id(NEW), at=0)
    leave_killed_run(story, SEND)
    created = story.api.create({**without_id(NEW), "model": "basket"})
    story.api.delete(created["id"])
    assert story.apply() == []
    assert story.left == ["create /p/3/: unknown"]


# Without the record.


def test_no_record_and_a_person_puts_the_text_back(story: LiveShop) -> None:
    run("update-ref", "-d", "refs/pinsync/agreed/1234-5678")
    write("Swap", S, OTHER, at=0)
    story.edit(T, PINS["S"])
    story.edit(T, PINS["T"])
    assert story.apply("--no-record") == []
    assert story.left == ["update /p/1/: unknown"]
